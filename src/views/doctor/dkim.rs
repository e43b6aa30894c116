//! DKIM (RFC 6376 3.6.1, RFC 8463): the public key beside which receivers hold our signatures.

use super::{Finding, Record, Topic, Verdict};
use crate::dns::{Dns, NoAnswer};
use crate::signing::{InvalidKey, Key};
use base64::{Engine, prelude::BASE64_STANDARD};

/// Bytes of an RSA key in a SubjectPublicKeyInfo: 294 of one with 2048 bits, 162 with 1024.
const RSA_2048: usize = 290;
const RSA_1024: usize = 160;

/// The tags of a key record.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Published {
    is_ed25519: bool,
    /// `p=`; empty: the key was revoked.
    bytes: Vec<u8>,
    /// `t=y`: receivers treat a failure as if there were no signature.
    is_test: bool,
}

/// `key`: ours under this selector; `None`: the relay's. `with_rsa`: an RSA key of ours signs as well.
pub(super) async fn examine(
    dns: &Dns,
    domain: &str,
    selector: Option<&str>,
    (key, with_rsa): (Option<&Key>, bool),
) -> Vec<Finding> {
    let finding = |verdict, what: String| Finding::new(Topic::Dkim, verdict, what);
    let ours = match key.map(|key| Ok::<_, InvalidKey>((key.public()?, key.record()?))).transpose() {
        Ok(ours) => ours,
        Err(why) => return vec![finding(Verdict::Bad, why.to_string())],
    };
    let Some(selector) = selector else {
        return vec![
            finding(Verdict::Unknown, "which DKIM key signs is not known: there is no selector".to_owned())
                .ask("give the selector with --selector; it is s= in the DKIM-Signature header of a mail that arrived"),
        ];
    };
    let host = format!("{selector}._domainkey.{domain}");
    let wanted = ours.as_ref().map(|(_, record)| Record::txt(&host, record));
    let publish = |finding: Finding| match &wanted {
        Some(record) => finding.ask("publish the record").publish(record.clone()),
        None => finding.ask("ask whoever operates the relay for the record of this selector, and publish it"),
    };
    let found = match dns.texts(&host).await {
        Ok(found) => found,
        Err(why @ NoAnswer::Failed(_)) => {
            return vec![
                finding(Verdict::Unknown, format!("whether there is a key at {host} is not known: {why}")).ask(
                    "run it again; if it stays so, ask who hosts the DNS of the domain whether its servers answer",
                ),
            ];
        }
        Err(why) => return vec![publish(finding(Verdict::Bad, format!("there is no DKIM key at {host}: {why}")))],
    };
    let keys: Vec<_> = found.iter().filter_map(|text| parse(text)).collect();
    let key = match &keys[..] {
        [] => return vec![publish(finding(Verdict::Bad, format!("what is at {host} is no DKIM key")))],
        [key] => key,
        many => {
            let what = format!("there are {} keys at {host}; receivers take any of them", many.len());
            return vec![finding(Verdict::Bad, what).ask("keep the one that signs")];
        }
    };
    if key.bytes.is_empty() {
        return vec![publish(finding(Verdict::Bad, format!("the key at {host} was revoked (p= is empty)")))];
    }
    if ours.as_ref().is_some_and(|(public, _)| *public != key.bytes) {
        return vec![publish(finding(Verdict::Bad, format!("the key at {host} is not the one that signs")))];
    }
    let mut findings = Vec::new();
    match key.bytes.len() {
        _ if key.is_ed25519 && with_rsa => {}
        _ if key.is_ed25519 => findings.push(
            finding(Verdict::Warning, format!("the key at {host} is Ed25519, which some receivers cannot check"))
                .ask("sign with an RSA key of 2048 bits too"),
        ),
        0..RSA_1024 => findings.push(
            finding(
                Verdict::Bad,
                format!("the key at {host} has fewer than 1024 bits, and receivers ignore it (RFC 8301)"),
            )
            .ask("use an RSA key of 2048 bits"),
        ),
        RSA_1024..RSA_2048 => findings.push(
            finding(Verdict::Warning, format!("the key at {host} has fewer than 2048 bits"))
                .ask("use an RSA key of 2048 bits under a new selector"),
        ),
        _ => {}
    }
    if key.is_test {
        findings.push(
            finding(Verdict::Warning, format!("the key at {host} is marked as a test (t=y)"))
                .ask("remove t=y once mails arrive with dkim=pass"),
        );
    }
    if findings.is_empty() {
        findings.push(match ours {
            Some(_) => finding(Verdict::Good, format!("the key at {host} is the one that signs")),
            None => finding(
                Verdict::Good,
                format!("there is a valid key at {host}; that mails are signed with it only one that arrived can show"),
            ),
        });
    }
    findings
}

/// `None`: it is no key record.
fn parse(text: &str) -> Option<Published> {
    let tags: Vec<(&str, &str)> = text
        .split(';')
        .filter_map(|tag| tag.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect();
    let get = |name: &str| tags.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    if get("v").is_some_and(|version| version != "DKIM1") {
        return None;
    }
    let kind = get("k").unwrap_or("rsa");
    let joined: String = get("p")?.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = BASE64_STANDARD.decode(joined).ok()?;
    let is_test = get("t").is_some_and(|flags| flags.split(':').any(|flag| flag.trim() == "y"));
    matches!(kind, "rsa" | "ed25519").then_some(Published { is_ed25519: kind == "ed25519", bytes, is_test })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_records_are_read_by_their_tags() {
        let key = parse("v=DKIM1; k=rsa; t=y:s; p=aGVs bG8=").unwrap();
        assert_eq!(key, Published { is_ed25519: false, bytes: b"hello".to_vec(), is_test: true });
        assert_eq!(parse("p=").unwrap().bytes, b"");
        for other in ["v=spf1 ~all", "v=DKIM2; p=aGVsbG8=", "k=rsa; p=%%", "k=dsa; p=aGVsbG8=", ""] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
