//! DMARC (RFC 9989): what receivers do with mail that is not from us, and whether ours counts as from us.

use super::{Finding, Record, Topic, Verdict};
use crate::dns::{Dns, NoAnswer};
use crate::domain::lint::may_be_aligned;

/// RFC 9989 4.10: no more questions than that.
const MOST_STEPS: usize = 8;

/// A DMARC record, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Policy {
    domain: String,
    tags: Vec<(String, String)>,
}

impl Policy {
    /// `None`: it is no DMARC record.
    fn parse(domain: &str, text: &str) -> Option<Self> {
        let mut tags = text.split(';').filter_map(|tag| tag.split_once('='));
        let (name, version) = tags.next()?;
        if name.trim() != "v" || version.trim() != "DMARC1" {
            return None;
        }
        let tags = tags.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect();
        Some(Self { domain: domain.to_owned(), tags })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Addresses of reports.
    fn reports(&self) -> Vec<&str> {
        let uris = self.get("rua").unwrap_or_default().split(',').map(str::trim);
        uris.filter_map(|uri| uri.strip_prefix("mailto:")).map(|it| it.split('!').next().unwrap_or(it)).collect()
    }

    fn is_strict(&self, mode: &str) -> bool {
        self.get(mode).is_some_and(|it| it.eq_ignore_ascii_case("s"))
    }
}

pub(super) async fn examine(dns: &Dns, domain: &str, return_path_domain: &str) -> Vec<Finding> {
    let finding = |verdict, what: String| Finding::new(Topic::Dmarc, verdict, what);
    let policy = match find(dns, domain).await {
        Err((host, why)) => {
            return vec![
                finding(Verdict::Unknown, format!("whether there is a DMARC record at {host} is not known: {why}"))
                    .ask(
                        "run it again; if it stays so, ask who hosts the DNS of the domain whether its servers answer",
                    ),
            ];
        }
        Ok(found) => match &found[..] {
            [policy] => policy.clone(),
            [] => {
                return vec![
                    finding(Verdict::Bad, format!("{domain} has no DMARC record, nor has a domain above it"))
                        .ask("publish one; p=none changes nothing for your other mail")
                        .publish(suggested(domain)),
                ];
            }
            many => {
                let what = format!(
                    "there are {} DMARC records at _dmarc.{}; receivers ignore them all",
                    many.len(),
                    many[0].domain
                );
                return vec![finding(Verdict::Bad, what).ask("keep one of them")];
            }
        },
    };
    let host = format!("_dmarc.{}", policy.domain);
    let mut findings = vec![of_policy(&policy, domain, &host)];
    findings.extend(of_reports(dns, &policy, &host).await);
    if policy.get("pct").is_some() {
        let what = format!("the record at {host} has pct, which receivers no longer read (RFC 9989)");
        findings.push(finding(Verdict::Warning, what).ask("remove pct"));
    }
    findings.push(alignment(&policy, domain, return_path_domain));
    findings
}

fn of_policy(policy: &Policy, domain: &str, host: &str) -> Finding {
    let finding = |verdict, what: String| Finding::new(Topic::Dmarc, verdict, what);
    let is_inherited = policy.domain != domain;
    let (tag, value) = match policy.get("sp").filter(|_| is_inherited) {
        Some(value) => ("sp", Some(value)),
        None => ("p", policy.get("p")),
    };
    match value.map(str::to_ascii_lowercase).as_deref() {
        Some(value @ ("none" | "quarantine" | "reject")) => {
            finding(Verdict::Good, format!("{domain} has a DMARC policy at {host} ({tag}={value})"))
        }
        Some(other) => {
            finding(Verdict::Bad, format!("the DMARC record at {host} has {tag}={other}, which nobody understands"))
                .ask("write p=none, p=quarantine or p=reject")
                .publish(suggested(&policy.domain))
        }
        None => finding(Verdict::Bad, format!("the DMARC record at {host} has no p="))
            .ask("write p=none, p=quarantine or p=reject")
            .publish(suggested(&policy.domain)),
    }
}

async fn of_reports(dns: &Dns, policy: &Policy, host: &str) -> Vec<Finding> {
    let finding = |verdict, what: String| Finding::new(Topic::Dmarc, verdict, what);
    let reports = policy.reports();
    if reports.is_empty() {
        let what = format!("the DMARC record at {host} has no rua, which La Poste asks for: nobody gets its reports");
        let mut tags: Vec<_> = policy.tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
        tags.retain(|tag| !tag.starts_with("rua=") && !tag.starts_with("pct="));
        tags.push(format!("rua=mailto:dmarc@{}", policy.domain));
        let record = Record::txt(host, format!("v=DMARC1; {}", tags.join("; ")));
        return vec![
            finding(Verdict::Warning, what)
                .ask("make a mailbox for the reports, and name it in the record")
                .publish(record),
        ];
    }
    let mut findings = Vec::new();
    // RFC 9990 4: reports go to another domain only if that agrees.
    for other in reports.iter().filter_map(|it| it.rsplit_once('@')).map(|(_, domain)| domain.to_ascii_lowercase()) {
        if may_be_aligned(&other, &policy.domain) {
            continue;
        }
        let consent = format!("{}._report._dmarc.{other}", policy.domain);
        match dns.texts(&consent).await {
            Ok(texts) if texts.iter().any(|text| text.trim_start().starts_with("v=DMARC1")) => {}
            Err(NoAnswer::Failed(_)) => {}
            _ => findings.push(
                finding(Verdict::Warning, format!("reports to {other} are not sent: it does not agree to get them"))
                    .ask(format!("its operator publishes the record, or rua names a mailbox of {}", policy.domain))
                    .publish(Record::txt(consent, "v=DMARC1")),
            ),
        }
    }
    findings
}

/// Of From with the return path, for SPF. DKIM signs with the domain of From, so it is aligned wherever it passes.
fn alignment(policy: &Policy, domain: &str, return_path_domain: &str) -> Finding {
    let finding = |verdict, what: String| Finding::new(Topic::Dmarc, verdict, what);
    let is_strict = policy.is_strict("aspf");
    let is_below = |it: &str| it == policy.domain || it.ends_with(&format!(".{}", policy.domain));
    let is_aligned = match is_strict {
        true => domain == return_path_domain,
        false => is_below(return_path_domain) && is_below(domain) || may_be_aligned(domain, return_path_domain),
    };
    match is_aligned {
        true => finding(Verdict::Good, format!("From ({domain}) and the return path ({return_path_domain}) are aligned")),
        false => finding(
            Verdict::Warning,
            format!(
                "the return path ({return_path_domain}) is not aligned with From ({domain}){}: only DKIM counts for DMARC",
                if is_strict { " under aspf=s" } else { "" }
            ),
        )
        .ask(format!("set sender.return_path to an address of {domain}, or make sure that DKIM signs with d={domain}")),
    }
}

fn suggested(domain: &str) -> Record {
    Record::txt(format!("_dmarc.{domain}"), format!("v=DMARC1; p=none; rua=mailto:dmarc@{domain}"))
}

/// The records of the domain, or of the nearest one above it that has any (RFC 9989 4.10).
///
/// # Errors
/// Where the DNS does not answer.
async fn find(dns: &Dns, domain: &str) -> Result<Vec<Policy>, (String, NoAnswer)> {
    for at in tree(domain) {
        let host = format!("_dmarc.{at}");
        match dns.texts(&host).await {
            Ok(texts) => {
                let found: Vec<_> = texts.iter().filter_map(|text| Policy::parse(at, text)).collect();
                if !found.is_empty() {
                    return Ok(found);
                }
            }
            Err(why @ NoAnswer::Failed(_)) => return Err((host, why)),
            Err(_) => {}
        }
    }
    Ok(Vec::new())
}

/// The domain and those above it, without the top level; a long name is shortened after the first step.
fn tree(domain: &str) -> Vec<&str> {
    let all: Vec<&str> = std::iter::successors(Some(domain), |it| it.split_once('.').map(|(_, above)| above))
        .filter(|it| it.contains('.'))
        .collect();
    // The top level, the last of the steps, is not asked.
    let most = MOST_STEPS - 1;
    match all.len() > most {
        true => all[..1].iter().chain(&all[all.len() - (most - 1)..]).copied().collect(),
        false => all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_looked_for_upwards() {
        assert_eq!(tree("lettre.auch.example.fr"), ["lettre.auch.example.fr", "auch.example.fr", "example.fr"]);
        let long = tree("a.b.c.d.e.f.g.h.i.j.example.fr");
        assert_eq!((long.len(), long[0], long[1]), (7, "a.b.c.d.e.f.g.h.i.j.example.fr", "f.g.h.i.j.example.fr"));
        assert_eq!(*long.last().unwrap(), "example.fr");
    }

    #[test]
    fn policies_are_read_by_their_tags() {
        let policy =
            Policy::parse("auch.fr", "v=DMARC1; p=none; RUA=mailto:a@auch.fr!10m, mailto:b@x.fr; aspf=s").unwrap();
        assert_eq!((policy.get("p"), policy.reports()), (Some("none"), vec!["a@auch.fr", "b@x.fr"]));
        assert!(policy.is_strict("aspf") && !policy.is_strict("adkim"));
        assert_eq!(alignment(&policy, "auch.fr", "rebonds.auch.fr").verdict, Verdict::Warning);
        assert_eq!(alignment(&policy, "auch.fr", "auch.fr").verdict, Verdict::Good);
        for other in ["v=spf1 ~all", "p=none; v=DMARC1", "v=DMARC2; p=none", ""] {
            assert_eq!(Policy::parse("auch.fr", other), None, "{other}");
        }
    }
}
