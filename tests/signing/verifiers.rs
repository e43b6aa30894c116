//! Verifiers that others wrote: mail-auth, dkimpy, OpenDKIM. None asks a DNS; each is given the records.

use super::file;
use mail_auth::{
    AuthenticatedMessage, DkimResult, MX, MessageAuthenticator, Parameters, ResolverCache, Txt,
    common::verify::DomainKey,
    common::{cache::NoCache, parse::TxtRecordParser},
    hickory_resolver::config::{ResolverConfig, ResolverOpts},
};
use semainier::signing::Keys;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

/// The verdict of each signature, in order.
pub fn mail_auth(keys: &Keys, raw: &[u8]) -> Vec<String> {
    let records = Records(
        keys.iter()
            .map(|key| {
                let record = DomainKey::parse(key.record().unwrap().as_bytes()).unwrap();
                (format!("{}.", key.name.record_name()), Txt::DomainKey(Arc::new(record)))
            })
            .collect(),
    );
    let message = AuthenticatedMessage::parse(raw).unwrap();
    let resolver = MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).unwrap();
    let parameters = Parameters {
        params: &message,
        cache_txt: Some(&records),
        cache_mx: None::<&NoCache<String, Arc<Vec<MX>>>>,
        cache_ptr: None::<&NoCache<IpAddr, Arc<Vec<String>>>>,
        cache_ipv4: None::<&NoCache<String, Arc<Vec<Ipv4Addr>>>>,
        cache_ipv6: None::<&NoCache<String, Arc<Vec<Ipv6Addr>>>>,
    };
    let found = crate::support::house::block_on(resolver.verify_dkim(parameters));
    let verdict = |result: &DkimResult| {
        if *result == DkimResult::Pass { "pass".to_owned() } else { format!("fail ({result:?})") }
    };
    found.iter().map(|output| verdict(output.result())).collect()
}

/// The records we publish, instead of a DNS.
struct Records(HashMap<String, Txt>);

impl ResolverCache<String, Txt> for Records {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        String: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(name).cloned()
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        String: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: String, _: Txt, _: Instant) {}
}

/// The verdict of each signature, in order.
pub fn dkimpy(keys: &Keys, raw: &[u8]) -> Vec<String> {
    let (_folder, path) = file(raw);
    // Debian's modules are those of /usr/bin/python3, whichever is first in PATH.
    let done = Command::new("/usr/bin/python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/signing/verify.py"))
        .arg(path)
        .args(keys.iter().map(|key| format!("{}={}", key.name.record_name(), key.record().unwrap())))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said = String::from_utf8(done.stdout).unwrap();
    said.lines().map(|line| line.split_once(": ").unwrap().1.to_owned()).collect()
}

/// `pass`, or what it says.
pub fn open_dkim(keys: &Keys, raw: &[u8]) -> String {
    let (folder, path) = file(raw);
    let records: String =
        keys.iter().map(|key| format!("{} {}\n", key.name.record_name(), key.record().unwrap())).collect();
    let inside = |name: &str| folder.path().join(name);
    std::fs::write(inside("records"), records).unwrap();
    let settings = format!("Mode v\nTestPublicKeys {}\n", inside("records").display());
    std::fs::write(inside("opendkim.conf"), settings).unwrap();
    let done = Command::new("opendkim")
        .arg("-x")
        .arg(inside("opendkim.conf"))
        .arg("-t")
        .arg(path)
        .arg("-vv")
        .env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()))
        .output()
        .expect("opendkim is installed");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    match done.status.success() && said.contains("succeeded") {
        true => "pass".to_owned(),
        false => format!("{:?}: {said}", done.status.code()),
    }
}
