//! SPF (RFC 7208): who may send for the domain of the return path.

use super::{Finding, Record, Route, Topic, Verdict};
use crate::dns::{Dns, NoAnswer};
use std::net::IpAddr;

/// RFC 7208 4.6.4: mechanisms that ask the DNS, counted through includes.
const MOST_LOOKUPS: usize = 10;
/// RFC 7208 4.6.4: questions without an answer.
const MOST_VOID: usize = 2;
/// Includes within includes; more than ten lookups are an error anyway.
const DEEPEST: usize = 12;

/// RFC 7208 4.6.2
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

/// The result for an address (RFC 7208 2.6); errors are [`Problem`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Is(Qualifier),
    /// A mechanism that we do not evaluate comes first: a macro, `exists`, `ptr`, or an include that cannot be read.
    NotKnown,
}

/// A mechanism as written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mechanism {
    All,
    Ip(IpAddr, u8),
    /// `a` and `mx`: the domain (`None`: the current one) and the lengths of the prefixes.
    A(Option<String>, u8, u8),
    Mx(Option<String>, u8, u8),
    Include(String),
    Exists,
    Ptr,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Parsed {
    terms: Vec<(Qualifier, Mechanism)>,
    redirect: Option<String>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    /// Records of one domain.
    Several {
        domain: String,
        records: Vec<String>,
    },
    Syntax {
        domain: String,
        term: String,
    },
    /// An include or redirect to a domain without SPF, which is a permanent error.
    Dead {
        domain: String,
    },
    Unanswered {
        domain: String,
        why: NoAnswer,
    },
    UsesPtr,
    EverybodyMay,
    NoAll,
}

/// A record with all that it refers to.
#[derive(Debug, Default)]
struct Tree {
    terms: Vec<(Qualifier, Leaf)>,
    redirect: Option<Box<Tree>>,
}

#[derive(Debug)]
enum Leaf {
    All,
    Net(IpAddr, u8),
    Hosts(Vec<IpAddr>, u8, u8),
    Include(Tree),
    NotKnown,
}

#[derive(Debug, Default)]
struct Walk {
    lookups: usize,
    void: usize,
    problems: Vec<Problem>,
}

pub(super) async fn examine(dns: &Dns, domain: &str, route: &Route) -> Vec<Finding> {
    let finding = |verdict, what: String| Finding::new(Topic::Spf, verdict, what);
    let found = match records(dns, domain).await {
        Ok(found) => found,
        Err(why @ NoAnswer::Failed(_)) => {
            return vec![
                finding(Verdict::Unknown, format!("whether {domain} has an SPF record is not known: {why}")).ask(
                    "run it again; if it stays so, ask who hosts the DNS of the domain whether its servers answer",
                ),
            ];
        }
        Err(_) => Vec::new(),
    };
    if found.is_empty() {
        let ask = "publish one; there is exactly one per domain";
        let what = format!("{domain}, the domain of the return path, has no SPF record");
        return vec![finding(Verdict::Bad, what).ask(ask).publish(Record::txt(domain, wanted(route, &[])))];
    }
    let mut walk = Walk::default();
    let tree = walk.domain(dns, domain, found.clone(), 0).await;
    let mut findings: Vec<_> = walk.problems.iter().map(|problem| worded(problem, domain, route)).collect();
    if walk.lookups > MOST_LOOKUPS {
        findings.push(
            finding(
                Verdict::Bad,
                format!("the SPF record of {domain} asks the DNS {} times; at more than {MOST_LOOKUPS} it counts as an error", walk.lookups),
            )
            .ask("remove includes of services that are no longer used, or write their addresses as ip4:"),
        );
    }
    if walk.void > MOST_VOID {
        let what = format!("{} questions of the SPF record have no answer; receivers allow {MOST_VOID}", walk.void);
        findings.push(finding(Verdict::Warning, what).ask("remove the names that do not exist any more"));
    }
    let is_valid = !findings.iter().any(|it| it.verdict == Verdict::Bad);
    if is_valid {
        let lookups = walk.lookups;
        findings.push(finding(
            Verdict::Good,
            format!("{domain} has one valid SPF record ({lookups} of {MOST_LOOKUPS} lookups)"),
        ));
        findings.extend(may_send(&tree, domain, route, &found[0]));
    }
    findings
}

/// Whether what we send passes.
fn may_send(tree: &Tree, domain: &str, route: &Route, record: &str) -> Vec<Finding> {
    let finding = |verdict, what: String| Finding::new(Topic::Spf, verdict, what);
    match route {
        Route::Nowhere => Vec::new(),
        Route::Provider(relay) => vec![
            finding(Verdict::Unknown, format!("which addresses mail leaves from only the operator of {relay} knows"))
                .ask(format!(
                    "ask which include: belongs into the SPF record of {domain}; or give the address with --from-address"
                )),
        ],
        Route::Hidden(relay) => vec![
            finding(Verdict::Unknown, format!("the public address behind {relay} is not known"))
                .ask("give it with --from-address"),
        ],
        Route::Direct(addresses) => addresses
            .iter()
            .map(|address| match tree.check(*address) {
                Some(Answer::Is(Qualifier::Pass)) => finding(Verdict::Good, format!("SPF lets {address} send for {domain}")),
                Some(Answer::NotKnown) => finding(
                    Verdict::Unknown,
                    format!("whether SPF lets {address} send depends on a macro, exists: or ptr, which is not evaluated here"),
                ),
                other => {
                    let said = match other {
                        Some(Answer::Is(Qualifier::Fail)) => "fail",
                        Some(Answer::Is(Qualifier::SoftFail)) => "softfail",
                        _ => "neutral",
                    };
                    finding(Verdict::Bad, format!("SPF does not let {address} send for {domain} ({said})"))
                        .ask("add the address to the record")
                        .publish(Record::txt(domain, with_address(record, *address)))
                }
            })
            .collect(),
    }
}

fn worded(problem: &Problem, domain: &str, route: &Route) -> Finding {
    let finding = |verdict, what: String| Finding::new(Topic::Spf, verdict, what);
    match problem {
        Problem::Several { domain: at, records } => {
            let count = records.len();
            let finding =
                finding(Verdict::Bad, format!("{at} has {count} SPF records; receivers treat that as an error"));
            match at == domain {
                true => finding
                    .ask("publish one record instead, which has the terms of all")
                    .publish(Record::txt(domain, wanted(route, records))),
                false => finding.ask(format!("tell the operator of {at}")),
            }
        }
        Problem::Syntax { domain: at, term } => {
            finding(Verdict::Bad, format!("the SPF record of {at} has a term that cannot be read: {term}"))
                .ask("correct it; one unreadable term makes the whole record an error")
        }
        Problem::Dead { domain: at } => {
            finding(Verdict::Bad, format!("the SPF record includes {at}, which has no SPF record: that is an error"))
                .ask("remove it, or ask its operator for the right name")
        }
        Problem::Unanswered { domain: at, why } => {
            finding(Verdict::Unknown, format!("a part of the SPF record, {at}, could not be read: {why}"))
                .ask("run it again")
        }
        Problem::UsesPtr => finding(
            Verdict::Warning,
            format!("the SPF record of {domain} uses ptr, which is not to be used (RFC 7208 5.5)"),
        )
        .ask("write ip4: or a: instead"),
        Problem::EverybodyMay => {
            finding(Verdict::Bad, format!("the SPF record of {domain} lets everybody send (+all)"))
                .ask("end it in ~all or -all")
        }
        Problem::NoAll => finding(
            Verdict::Warning,
            format!("the SPF record of {domain} ends in no all, so whoever is not named is neutral"),
        )
        .ask("end it in ~all"),
    }
}

/// One record with the terms of these, and of the relay.
fn wanted(route: &Route, records: &[String]) -> String {
    let mut terms: Vec<String> = Vec::new();
    let written = records.iter().flat_map(|record| record.split_ascii_whitespace().skip(1));
    let written = written.filter(|term| !term.trim_start_matches(['+', '-', '~', '?']).eq_ignore_ascii_case("all"));
    let ours = match route {
        Route::Direct(addresses) => addresses.iter().map(|it| ip_term(*it)).collect(),
        Route::Provider(relay) => {
            vec![format!("include:{}", known_include(relay).unwrap_or("SPF-NAME-OF-YOUR-PROVIDER"))]
        }
        Route::Hidden(_) | Route::Nowhere => vec!["ip4:ADDRESS-OF-YOUR-SERVER".to_owned()],
    };
    // With a record of the office's own a provider is already in it, or has to be asked.
    let ours = ours
        .into_iter()
        .filter(|term| records.is_empty() || !term.starts_with("include:") && !term.contains("ADDRESS"));
    for term in written.map(str::to_owned).chain(ours) {
        if !terms.contains(&term) {
            terms.push(term);
        }
    }
    format!("v=spf1 {} ~all", terms.join(" "))
}

/// What the operators of well-known relays ask for in their documentation.
fn known_include(relay: &str) -> Option<&'static str> {
    let known = [
        ("ovh.net", "mx.ovh.com"),
        ("ovh.com", "mx.ovh.com"),
        ("brevo.com", "spf.brevo.com"),
        ("sendinblue.com", "spf.brevo.com"),
        ("mailjet.com", "spf.mailjet.com"),
        ("gmail.com", "_spf.google.com"),
        ("google.com", "_spf.google.com"),
        ("office365.com", "spf.protection.outlook.com"),
        ("outlook.com", "spf.protection.outlook.com"),
        ("gandi.net", "_mailcust.gandi.net"),
        ("infomaniak.com", "spf.infomaniak.ch"),
    ];
    let is_of = |domain: &str| relay == domain || relay.ends_with(&format!(".{domain}"));
    known.into_iter().find(|(domain, _)| is_of(domain)).map(|(_, include)| include)
}

fn ip_term(address: IpAddr) -> String {
    match address {
        IpAddr::V4(it) => format!("ip4:{it}"),
        IpAddr::V6(it) => format!("ip6:{it}"),
    }
}

/// The record with this address first.
fn with_address(record: &str, address: IpAddr) -> String {
    let rest = record.split_ascii_whitespace().skip(1).collect::<Vec<_>>().join(" ");
    format!("v=spf1 {} {rest}", ip_term(address)).trim_end().to_owned()
}

/// The SPF records of a domain.
async fn records(dns: &Dns, domain: &str) -> Result<Vec<String>, NoAnswer> {
    let is_spf = |text: &String| {
        let first = text.split(' ').next().unwrap_or_default();
        first.eq_ignore_ascii_case("v=spf1")
    };
    Ok(dns.texts(domain).await?.into_iter().filter(is_spf).collect())
}

impl Walk {
    /// Reads the records of a domain with all that they refer to.
    async fn domain(&mut self, dns: &Dns, domain: &str, found: Vec<String>, depth: usize) -> Tree {
        let is_own = depth == 0;
        if found.len() > 1 {
            self.problems.push(Problem::Several { domain: domain.to_owned(), records: found });
            return Tree::default();
        }
        let Some(record) = found.first() else {
            self.problems.push(Problem::Dead { domain: domain.to_owned() });
            return Tree::default();
        };
        let parsed = match parse(record) {
            Ok(parsed) => parsed,
            Err(term) => {
                self.problems.push(Problem::Syntax { domain: domain.to_owned(), term });
                return Tree::default();
            }
        };
        if is_own {
            let all = parsed.terms.iter().find(|(_, it)| *it == Mechanism::All);
            match all {
                Some((Qualifier::Pass, _)) => self.problems.push(Problem::EverybodyMay),
                None if parsed.redirect.is_none() => self.problems.push(Problem::NoAll),
                _ => {}
            }
        }
        let mut tree = Tree::default();
        for (qualifier, mechanism) in parsed.terms {
            let leaf = self.leaf(dns, domain, mechanism, depth).await;
            tree.terms.push((qualifier, leaf));
        }
        if let Some(other) = parsed.redirect {
            self.lookups += 1;
            tree.redirect = self.other(dns, &other, depth).await.map(Box::new);
        }
        tree
    }

    async fn leaf(&mut self, dns: &Dns, domain: &str, mechanism: Mechanism, depth: usize) -> Leaf {
        let asks = !matches!(mechanism, Mechanism::All | Mechanism::Ip(..));
        self.lookups += usize::from(asks);
        let of = |name: Option<String>| name.unwrap_or_else(|| domain.to_owned());
        match mechanism {
            Mechanism::All => Leaf::All,
            Mechanism::Ip(address, length) => Leaf::Net(address, length),
            Mechanism::Exists => Leaf::NotKnown,
            Mechanism::Ptr => {
                self.problems.push(Problem::UsesPtr);
                Leaf::NotKnown
            }
            Mechanism::A(name, four, six) => {
                let name = of(name);
                match self.hosts(dns, &name).await {
                    _ if name.contains('%') => Leaf::NotKnown,
                    Some(hosts) => Leaf::Hosts(hosts, four, six),
                    None => Leaf::NotKnown,
                }
            }
            Mechanism::Mx(name, four, six) => {
                let name = of(name);
                let servers = match dns.mail_servers(&name).await {
                    _ if name.contains('%') => return Leaf::NotKnown,
                    Ok(servers) => servers,
                    Err(why) => {
                        self.no_answer(&name, why);
                        Vec::new()
                    }
                };
                let mut hosts = Vec::new();
                for server in servers.iter().filter(|it| !it.is_empty()) {
                    hosts.extend(self.hosts(dns, server).await.unwrap_or_default());
                }
                Leaf::Hosts(hosts, four, six)
            }
            Mechanism::Include(name) if name.contains('%') => Leaf::NotKnown,
            Mechanism::Include(name) => match self.other(dns, &name, depth).await {
                Some(tree) => Leaf::Include(tree),
                None => Leaf::NotKnown,
            },
        }
    }

    async fn hosts(&mut self, dns: &Dns, name: &str) -> Option<Vec<IpAddr>> {
        if name.contains('%') {
            return None;
        }
        match dns.addresses(name).await {
            Ok(addresses) => Some(addresses),
            Err(why) => {
                let is_certain = why.is_certain();
                self.no_answer(name, why);
                is_certain.then(Vec::new)
            }
        }
    }

    /// The record of an include or a redirect; `None`: it could not be read.
    async fn other(&mut self, dns: &Dns, name: &str, depth: usize) -> Option<Tree> {
        if depth >= DEEPEST || self.lookups > 4 * MOST_LOOKUPS {
            return None;
        }
        match records(dns, name).await {
            Ok(found) => Some(Box::pin(self.domain(dns, name, found, depth + 1)).await),
            Err(why @ NoAnswer::Failed(_)) => {
                self.problems.push(Problem::Unanswered { domain: name.to_owned(), why });
                None
            }
            Err(_) => {
                self.void += 1;
                self.problems.push(Problem::Dead { domain: name.to_owned() });
                None
            }
        }
    }

    fn no_answer(&mut self, name: &str, why: NoAnswer) {
        match why.is_certain() {
            true => self.void += 1,
            false => self.problems.push(Problem::Unanswered { domain: name.to_owned(), why }),
        }
    }
}

impl Tree {
    /// `None`: no mechanism matches, and there is no redirect.
    fn check(&self, address: IpAddr) -> Option<Answer> {
        for (qualifier, leaf) in &self.terms {
            let matches = match leaf {
                Leaf::All => true,
                Leaf::Net(net, length) => is_in(address, *net, *length),
                Leaf::Hosts(hosts, four, six) => hosts.iter().any(|host| {
                    let length = if host.is_ipv4() { *four } else { *six };
                    is_in(address, *host, length)
                }),
                Leaf::Include(tree) => match tree.check(address) {
                    Some(Answer::NotKnown) => return Some(Answer::NotKnown),
                    answer => answer == Some(Answer::Is(Qualifier::Pass)),
                },
                Leaf::NotKnown => return Some(Answer::NotKnown),
            };
            if matches {
                return Some(Answer::Is(*qualifier));
            }
        }
        self.redirect.as_ref()?.check(address)
    }
}

fn is_in(address: IpAddr, net: IpAddr, length: u8) -> bool {
    let (one, other, bits) = match (address, net) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (u128::from(one.to_bits()), u128::from(other.to_bits()), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits(), other.to_bits(), 128),
        _ => return false,
    };
    let ignored = bits - u32::from(length).min(bits);
    one.checked_shr(ignored).unwrap_or(0) == other.checked_shr(ignored).unwrap_or(0)
}

/// # Errors
/// The term that is not valid.
fn parse(record: &str) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    for term in record.split_ascii_whitespace().skip(1) {
        let invalid = || term.to_owned();
        // A modifier: `redirect=`, `exp=`, or one that nobody knows and that is ignored.
        if let Some((name, value)) = term.split_once('=').filter(|(name, _)| !name.contains([':', '/'])) {
            let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
            match name.to_ascii_lowercase().as_str() {
                _ if !is_name => return Err(invalid()),
                "redirect" if parsed.redirect.is_some() || !is_domain(value) => return Err(invalid()),
                "redirect" => parsed.redirect = Some(value.to_owned()),
                _ => {}
            }
            continue;
        }
        let (qualifier, rest) = match term.split_at_checked(1) {
            Some(("+", rest)) => (Qualifier::Pass, rest),
            Some(("-", rest)) => (Qualifier::Fail, rest),
            Some(("~", rest)) => (Qualifier::SoftFail, rest),
            Some(("?", rest)) => (Qualifier::Neutral, rest),
            _ => (Qualifier::Pass, term),
        };
        parsed.terms.push((qualifier, mechanism(rest).ok_or_else(invalid)?));
    }
    Ok(parsed)
}

fn mechanism(text: &str) -> Option<Mechanism> {
    let end = text.find([':', '/']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let value = rest.strip_prefix(':');
    match name.to_ascii_lowercase().as_str() {
        "all" if rest.is_empty() => Some(Mechanism::All),
        "include" => value.filter(|it| is_domain(it)).map(|it| Mechanism::Include(it.to_owned())),
        "exists" => value.filter(|it| is_domain(it)).map(|_| Mechanism::Exists),
        "ptr" if rest.is_empty() || value.is_some_and(is_domain) => Some(Mechanism::Ptr),
        kind @ ("ip4" | "ip6") => {
            let (address, length) = value?.split_once('/').map_or((value?, None), |(it, length)| (it, Some(length)));
            let address: IpAddr = address.parse().ok()?;
            let most = if kind == "ip4" { 32 } else { 128 };
            let length = length.map_or(Some(most), |it| it.parse().ok())?;
            (address.is_ipv4() == (kind == "ip4") && length <= most).then_some(Mechanism::Ip(address, length))
        }
        kind @ ("a" | "mx") => {
            let (domain, lengths) = match value {
                None => ("", rest),
                Some(value) => value.split_at(value.find('/').unwrap_or(value.len())),
            };
            if value.is_some() && !is_domain(domain) {
                return None;
            }
            let (four, six) = prefixes(lengths)?;
            let domain = value.map(|_| domain.to_owned());
            Some(if kind == "a" { Mechanism::A(domain, four, six) } else { Mechanism::Mx(domain, four, six) })
        }
        _ => None,
    }
}

/// `/24`, `//64`, `/24//64`
fn prefixes(text: &str) -> Option<(u8, u8)> {
    if text.is_empty() {
        return Some((32, 128));
    }
    let (four, six) = match text.split_once("//") {
        Some((four, six)) => (four.strip_prefix('/').unwrap_or(four), six),
        None => (text.strip_prefix('/')?, "128"),
    };
    let four: u8 = if four.is_empty() { 32 } else { four.parse().ok()? };
    let six: u8 = six.parse().ok()?;
    (four <= 32 && six <= 128).then_some((four, six))
}

/// A name with a dot, or one with macros.
fn is_domain(text: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_graphic() && !"/=".contains(c) || c == '/' && text.contains('%');
    text.contains('.') && text.chars().all(is_fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_term_by_term() {
        let parsed = parse("v=spf1 mx a:mail.auch.example/28 ip4:192.0.2.0/24 -ip6:2001:db8::/32 include:_spf.example.com exp=why.%{d} ~all").unwrap();
        assert_eq!(
            parsed.terms,
            [
                (Qualifier::Pass, Mechanism::Mx(None, 32, 128)),
                (Qualifier::Pass, Mechanism::A(Some("mail.auch.example".to_owned()), 28, 128)),
                (Qualifier::Pass, Mechanism::Ip("192.0.2.0".parse().unwrap(), 24)),
                (Qualifier::Fail, Mechanism::Ip("2001:db8::".parse().unwrap(), 32)),
                (Qualifier::Pass, Mechanism::Include("_spf.example.com".to_owned())),
                (Qualifier::SoftFail, Mechanism::All),
            ]
        );
        assert_eq!(parse("v=spf1 redirect=_spf.example.com").unwrap().redirect.as_deref(), Some("_spf.example.com"));
        for wrong in [
            "v=spf1 ip4:192.0.2.300 ~all",
            "v=spf1 ip4:2001:db8::1",
            "v=spf1 ip4:192.0.2.1/33",
            "v=spf1 include: ~all",
            "v=spf1 includes:x.example",
            "v=spf1 a/40",
            "v=spf1 all:x",
            "v=spf1 redirect=a.example redirect=b.example",
            "v=spf1 192.0.2.1",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_checked_term_by_term() {
        let net = |text: &str, length| Leaf::Net(text.parse().unwrap(), length);
        let inner = Tree {
            terms: vec![(Qualifier::Pass, net("198.51.100.0", 24)), (Qualifier::Fail, Leaf::All)],
            redirect: None,
        };
        let tree = Tree {
            terms: vec![
                (Qualifier::Pass, net("192.0.2.10", 32)),
                (Qualifier::Pass, Leaf::Include(inner)),
                (Qualifier::Pass, Leaf::Hosts(vec!["203.0.113.8".parse().unwrap()], 30, 128)),
                (Qualifier::SoftFail, Leaf::All),
            ],
            redirect: None,
        };
        for (address, wanted) in [
            ("192.0.2.10", Qualifier::Pass),
            ("192.0.2.11", Qualifier::SoftFail),
            ("198.51.100.77", Qualifier::Pass),
            ("203.0.113.11", Qualifier::Pass),
            ("203.0.113.12", Qualifier::SoftFail),
            ("2001:db8::1", Qualifier::SoftFail),
        ] {
            assert_eq!(tree.check(address.parse().unwrap()), Some(Answer::Is(wanted)), "{address}");
        }
        let open =
            Tree { terms: vec![(Qualifier::Pass, Leaf::NotKnown), (Qualifier::Fail, Leaf::All)], redirect: None };
        assert_eq!(open.check("192.0.2.1".parse().unwrap()), Some(Answer::NotKnown));
        assert_eq!(Tree::default().check("192.0.2.1".parse().unwrap()), None);
        assert!(is_in("192.0.2.1".parse().unwrap(), "0.0.0.0".parse().unwrap(), 0));
    }

    #[test]
    fn two_records_are_merged_into_one() {
        let records =
            ["v=spf1 mx include:mx.ovh.com -all".to_owned(), "v=spf1 include:spf.brevo.com mx ?all".to_owned()];
        let route = Route::Direct(vec!["192.0.2.10".parse().unwrap()]);
        assert_eq!(wanted(&route, &records), "v=spf1 mx include:mx.ovh.com include:spf.brevo.com ip4:192.0.2.10 ~all");
        let provider = Route::Provider("ssl0.ovh.net".to_owned());
        assert_eq!(wanted(&provider, &[]), "v=spf1 include:mx.ovh.com ~all");
        assert_eq!(with_address("v=spf1 -all", "2001:db8::1".parse().unwrap()), "v=spf1 ip6:2001:db8::1 -all");
    }
}
