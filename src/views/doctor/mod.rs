//! `semainier doctor`: whether receivers will accept what the office sends, by what the DNS says of its domain, by what its relay
//! offers, and by the state of this machine. Each finding says what to ask the provider, and the record to publish. Changes and
//! sends nothing.

mod dkim;
mod dmarc;
mod machine;
mod mailbox;
mod names;
mod relay;
mod spf;

use crate::app::App;
use crate::deliver::{self, Relay};
use crate::dns::Dns;
use crate::domain::lint::may_be_aligned;
use crate::signing::Key;
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};

/// Of a result, from what is well to what is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Good,
    /// Receivers refuse mail for it, or it cannot leave.
    Bad,
    /// It works, but less well than it could.
    Warning,
    /// It cannot be seen from here.
    Unknown,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    Spf,
    Dkim,
    Dmarc,
    /// Whether bounces can come back: MX and addresses of the return path's domain.
    Bounces,
    /// The mailbox that bounces are read from by IMAP.
    Mailbox,
    /// Names of the address that mail leaves from, and their addresses.
    Ptr,
    /// What we call ourselves.
    Hello,
    Relay,
    Tls,
    Auth,
    Size,
    Clock,
    Disk,
    Machine,
}

impl Topic {
    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Topic::Spf => "SPF",
            Topic::Dkim => "DKIM",
            Topic::Dmarc => "DMARC",
            Topic::Bounces => "bounces",
            Topic::Mailbox => "mailbox",
            Topic::Ptr => "PTR",
            Topic::Hello => "EHLO name",
            Topic::Relay => "relay",
            Topic::Tls => "TLS",
            Topic::Auth => "AUTH",
            Topic::Size => "SIZE",
            Topic::Clock => "clock",
            Topic::Disk => "disk",
            Topic::Machine => "machine",
        }
    }
}

/// A record to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The full name, without a last dot.
    pub host: String,
    /// `TXT`, `MX`, `PTR`, `A`
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Seconds.
    pub ttl: u32,
    pub value: String,
    /// Of a TXT record: the value in strings of at most 255 characters (RFC 1035 3.3.14), for zone files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub strings: Vec<String>,
}

/// An hour: short enough to correct a mistake, long enough for resolvers.
const TTL: u32 = 3_600;
/// RFC 1035 3.3: the length of a character-string.
const LONGEST_STRING: usize = 255;

impl Record {
    fn txt(host: impl Into<String>, value: impl Into<String>) -> Self {
        let value = value.into();
        // The values are ASCII.
        let strings =
            value.as_bytes().chunks(LONGEST_STRING).map(|it| String::from_utf8_lossy(it).into_owned()).collect();
        Self { host: host.into(), kind: "TXT", ttl: TTL, value, strings }
    }

    fn other(host: impl Into<String>, kind: &'static str, value: impl Into<String>) -> Self {
        Self { host: host.into(), kind, ttl: TTL, value: value.into(), strings: Vec::new() }
    }
}

/// A result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub topic: Topic,
    pub verdict: Verdict,
    /// What is so, in a sentence without its full stop.
    pub what: String,
    /// What to do, or to ask of whom.
    pub ask: Option<String>,
    pub publish: Option<Record>,
}

impl Finding {
    fn new(topic: Topic, verdict: Verdict, what: impl Into<String>) -> Self {
        Self { topic, verdict, what: what.into(), ask: None, publish: None }
    }

    fn ask(self, ask: impl Into<String>) -> Self {
        Self { ask: Some(ask.into()), ..self }
    }

    fn publish(self, record: Record) -> Self {
        Self { publish: Some(record), ..self }
    }
}

/// All results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Of From.
    pub domain: String,
    pub return_path_domain: String,
    pub checks: Vec<Finding>,
}

impl Report {
    pub fn count(&self, verdict: Verdict) -> usize {
        self.checks.iter().filter(|it| it.verdict == verdict).count()
    }
}

/// What a person wants to know.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Of From; `None`: that of `sender.address`.
    pub domain: Option<String>,
    /// Of the DKIM key; `None`: those of the configured keys that sign for the domain.
    pub selector: Option<String>,
    /// Instead of those of the system.
    pub nameserver: Option<SocketAddr>,
    /// The public addresses that mail leaves from; empty: found out, if possible.
    pub addresses: Vec<IpAddr>,
}

/// Who delivers to the servers of the partners.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Route {
    /// A server of the office, from these public addresses.
    Direct(Vec<IpAddr>),
    /// Somebody's relay: only they know its addresses.
    Provider(String),
    /// A server of the office, whose public address is not known.
    Hidden(String),
    Nowhere,
}

/// Looks at everything, for at most half a minute.
///
/// # Errors
/// When the name servers of the system are not known.
pub async fn examine(app: &App, question: &Question) -> anyhow::Result<Report> {
    let dns = Dns::new(question.nameserver).map_err(|why| anyhow::anyhow!("cannot ask the DNS: {why}"))?;
    let sender = &app.config.sender;
    let domain = question.domain.clone().unwrap_or_else(|| sender.address.domain().to_owned());
    let configured = sender.return_path_of(&sender.address).domain().to_owned();
    // Of a domain that is not the configured one nothing else is known.
    let return_path_domain = match question.domain.is_none() || may_be_aligned(&configured, &domain) {
        true => configured,
        false => domain.clone(),
    };
    let hello = app.config.delivery.hello.clone().unwrap_or_else(|| deliver::hello(None));
    let route = route(app, &dns, question, &hello, &domain).await;
    let (spf, dkim, dmarc, bounces, ptr, hello, relay, mailbox, machine) = tokio::join!(
        spf::examine(&dns, &return_path_domain, &route),
        signatures(app, &dns, &domain, question),
        dmarc::examine(&dns, &domain, &return_path_domain),
        names::bounces(&dns, &return_path_domain),
        names::ptr(&dns, &route, &hello),
        names::hello(&dns, &route, &hello),
        relay::examine(app),
        mailbox::examine(app),
        machine::examine(app),
    );
    let checks = [spf, dkim, dmarc, bounces, ptr, hello, relay, mailbox, machine].concat();
    Ok(Report { domain, return_path_domain, checks })
}

/// The records of the keys that sign, or of the selector that was asked for.
async fn signatures(app: &App, dns: &Dns, domain: &str, question: &Question) -> Vec<Finding> {
    let names = app.config.dkim.for_sender(domain);
    let asked = |key: &&Key| match &question.selector {
        Some(selector) => key.name.domain == domain && key.name.selector == *selector,
        None => names.contains(&key.name),
    };
    let keys: Vec<_> = app.config.dkim.iter().filter(asked).collect();
    if keys.is_empty() {
        return dkim::examine(dns, domain, question.selector.as_deref(), (None, false)).await;
    }
    let signs_with_rsa = |key: &Key| names.contains(&key.name) && key.is_rsa().unwrap_or_default();
    let with_rsa = app.config.dkim.iter().any(signs_with_rsa);
    let mut findings = Vec::new();
    for key in keys {
        let (domain, selector) = (&key.name.domain, &key.name.selector);
        findings.extend(dkim::examine(dns, domain, Some(selector), (Some(key), with_rsa)).await);
    }
    findings
}

/// How mail leaves. A relay on this machine, or of the sender's domain, is the office's own.
async fn route(app: &App, dns: &Dns, question: &Question, hello: &str, domain: &str) -> Route {
    if !question.addresses.is_empty() {
        return Route::Direct(question.addresses.clone());
    }
    let Ok(Relay::Smtp(relay)) = app.relay() else { return Route::Nowhere };
    let address = relay.host.parse::<IpAddr>().ok();
    let is_here = relay.host == "localhost" || address.is_some_and(|it| it.is_loopback());
    if !is_here && address.is_none_or(is_public) && !may_be_aligned(&relay.host, domain) {
        return Route::Provider(relay.host);
    }
    let found = match address.filter(|it| is_public(*it)) {
        Some(address) => vec![address],
        None => dns.addresses(if is_here { hello } else { &relay.host }).await.unwrap_or_default(),
    };
    match found.iter().copied().filter(|it| is_public(*it)).collect::<Vec<_>>() {
        public if public.is_empty() => Route::Hidden(relay.host),
        public => Route::Direct(public),
    }
}

/// Whether a receiver can see this address.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => !(it.is_loopback() || it.is_private() || it.is_link_local() || it.is_unspecified()),
        IpAddr::V6(it) => {
            !(it.is_loopback() || it.is_unique_local() || it.is_unicast_link_local() || it.is_unspecified())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_txt_record_is_cut_into_strings_of_255() {
        let record = Record::txt("s1._domainkey.auch.example", "a".repeat(600));
        assert_eq!(record.strings.iter().map(String::len).collect::<Vec<_>>(), [255, 255, 90]);
        assert_eq!(record.strings.concat(), record.value);
    }

    #[test]
    fn only_addresses_that_receivers_see_are_public() {
        for (address, public) in [
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("::1", false),
            ("fd00::1", false),
            ("192.0.2.10", true),
            ("2001:db8::1", true),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }
}
