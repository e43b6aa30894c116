//! DKIM signatures (RFC 6376; Ed25519: RFC 8463): which keys sign a message, and how.
//!
//! Signing is deterministic (RSASSA-PKCS1-v1_5 and Ed25519, no time in the signature), so that a resend has the same bytes (I2).
//! docs/adr/0015 says why this is done here, and with `ring`.

mod canonical;
mod key;

pub use key::{InvalidKey, Key};

use crate::domain::{issue::SigningKeyName, message::Message};
use crate::toml_reader::Section;
use canonical::{Headers, RelaxedBody};
use std::{path::Path, sync::Arc};

/// Headers covered by a signature, wherever they occur. The marked ones are named once more than they occur, so that nobody can add
/// another one (over-signing, RFC 6376 8.15); RFC 8058 requires `List-Unsubscribe` and `List-Unsubscribe-Post` to be covered.
const SIGNED: [(&str, OverSigned); 14] = [
    ("From", OverSigned::Yes),
    ("To", OverSigned::Yes),
    ("Subject", OverSigned::Yes),
    ("Date", OverSigned::Yes),
    ("Message-ID", OverSigned::Yes),
    ("Reply-To", OverSigned::Yes),
    ("MIME-Version", OverSigned::No),
    ("Content-Type", OverSigned::No),
    ("Content-Transfer-Encoding", OverSigned::No),
    ("List-Id", OverSigned::No),
    ("List-Unsubscribe", OverSigned::No),
    ("List-Unsubscribe-Post", OverSigned::No),
    ("Feedback-ID", OverSigned::No),
    ("Auto-Submitted", OverSigned::No),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum OverSigned {
    Yes,
    No,
}

/// The configured keys, in the order written. Their files are read when they are first needed, and once: a command that only looks
/// does so also where it may not read them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(Arc<Vec<Key>>);

impl Keys {
    /// Reads `[[dkim]]`: `domain`, `selector`, `key_file` each, and `retired`. Problems are recorded with the sections.
    ///
    /// `base`: the folder that file names are relative to.
    pub fn read(sections: Vec<Section>, base: &Path) -> Self {
        let mut keys: Vec<Key> = Vec::new();
        for section in sections {
            let domain = section.required("domain", "\"office.example\"", |raw| domain(&raw.text()?));
            let selector = section.required("selector", "\"s2026\"", |raw| selector(&raw.text()?));
            let path = section.required("key_file", "\"/etc/semainier/dkim.pem\"", |raw| Ok(base.join(raw.text()?)));
            let is_retired = section.truth("retired").unwrap_or_default();
            if let (Some(domain), Some(selector), Some(path)) = (domain, selector, path) {
                let name = SigningKeyName { domain, selector };
                match keys.iter().any(|key| key.name == name) {
                    true => section.problem("selector", format!("{} is written twice; keep one", name.record_name())),
                    false => keys.push(Key::new(name, path, is_retired)),
                }
            }
            section.finish();
        }
        Self(Arc::new(keys))
    }

    /// Reads the files of all keys, so that none is missing when a message is signed.
    ///
    /// # Errors
    /// Of the first file that cannot be read or holds no suitable key.
    pub fn load(&self) -> Result<(), InvalidKey> {
        self.0.iter().try_for_each(|key| key.public().map(drop))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }

    /// The keys that sign what is composed now for a sender of this domain: those of its own domain, or else of the nearest parent,
    /// which DMARC accepts as aligned (RFC 9989). Retired keys only sign what was frozen with them, so that a key can be replaced
    /// while an issue is being sent. Empty: the relay signs.
    pub fn for_sender(&self, domain: &str) -> Vec<SigningKeyName> {
        let covers = |key: &&Key| {
            let below = domain.strip_suffix(&*key.name.domain);
            !key.is_retired && below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
        };
        let nearest = self.0.iter().filter(covers).map(|key| key.name.domain.len()).max();
        let of_nearest = self.0.iter().filter(covers).filter(|key| Some(key.name.domain.len()) == nearest);
        of_nearest.map(|key| key.name.clone()).collect()
    }

    /// The keys to use for a message frozen with keys of these names. One that is no longer configured is replaced by that which would
    /// sign a new message: a resend is then the same message with another signature, rather than one without.
    fn named<'a>(&'a self, names: &[SigningKeyName]) -> Vec<&'a Key> {
        let find = |name: &SigningKeyName| self.0.iter().find(|key| key.name == *name);
        let mut keys: Vec<&Key> = Vec::new();
        for name in names {
            let found = match find(name) {
                Some(key) => vec![key],
                None => self.for_sender(&name.domain).iter().filter_map(find).collect(),
            };
            for key in found {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        keys
    }

    /// The message with a signature by each of these keys before its headers; unchanged if `names` is empty.
    ///
    /// # Errors
    /// If the headers are not complete in the first piece of the message, or a key cannot sign.
    pub fn sign(&self, message: Message, names: &[SigningKeyName]) -> Result<Message, SigningError> {
        let keys = self.named(names);
        if keys.is_empty() {
            return Ok(message);
        }
        let signatures = {
            let mut pieces = message.pieces();
            let first = pieces.next().unwrap_or_default();
            let end = memchr::memmem::find(first, b"\r\n\r\n").ok_or(SigningError::NoHeaders)?;
            let headers = Headers::parse(std::str::from_utf8(&first[..end + 2]).map_err(|_| SigningError::NoHeaders)?);
            let mut body = RelaxedBody::new();
            body.feed(&first[end + 4..]);
            pieces.for_each(|piece| body.feed(piece));
            let body_hash = body.finish();
            let mut signatures = String::new();
            for key in keys {
                signatures.push_str(&signature(key, &headers, body_hash.as_ref())?);
            }
            signatures
        };
        Ok(message.with_headers_before(signatures.as_bytes()))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    #[error("the message has no complete headers to sign")]
    NoHeaders,
    #[error(transparent)]
    Key(#[from] InvalidKey),
}

/// One `DKIM-Signature` header, folded, with its line end.
fn signature(key: &Key, headers: &Headers, body_hash: &[u8]) -> Result<String, SigningError> {
    let mut names = Vec::new();
    for (name, over_signed) in SIGNED {
        let times = headers.count(name) + usize::from(over_signed == OverSigned::Yes);
        names.extend(std::iter::repeat_n(name, times));
    }
    let SigningKeyName { domain, selector } = &key.name;
    let unsigned = format!(
        "DKIM-Signature: v=1; a={}; c=relaxed/relaxed; d={domain};\r\n\ts={selector};\r\n\th={};\r\n\tbh={};\r\n\tb=",
        key.algorithm()?,
        folded(&names),
        key::base64(body_hash)
    );
    let mut data = Vec::new();
    for (n, name) in names.iter().enumerate() {
        // Of several headers of one name, the last is signed first (RFC 6376 5.4.2).
        let before = names[..n].iter().filter(|other| *other == name).count();
        headers.relaxed_from_the_end(name, before, &mut data);
    }
    canonical::relaxed_header(&unsigned, &mut data);
    let signature = key.sign(&data)?;
    let mut header = unsigned;
    for (n, line) in key::base64(&signature).as_bytes().chunks(72).enumerate() {
        if n > 0 {
            header.push_str("\r\n\t");
        }
        header.push_str(&String::from_utf8_lossy(line));
    }
    header.push_str("\r\n");
    Ok(header)
}

/// Joined by colons, in lines of 72 characters.
fn folded(names: &[&str]) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for name in names {
        if !text.is_empty() {
            text.push(':');
            width += 1;
        }
        if width + name.len() > 72 {
            text.push_str("\r\n\t");
            width = 0;
        }
        text.push_str(name);
        width += name.len();
    }
    text
}

/// A domain in lower case, an IDN in punycode (RFC 6376 3.5, `d=`).
fn domain(text: &str) -> Result<String, String> {
    match url::Host::parse(text) {
        Ok(url::Host::Domain(domain)) if domain.contains('.') => Ok(domain),
        _ => Err(format!("expected a domain such as office.example, found {text:?}")),
    }
}

/// Labels of a host name (RFC 6376 3.1).
fn selector(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    match text.split('.').all(label) {
        true => Ok(text.to_owned()),
        false => Err(format!("expected small letters, digits and hyphens such as s2026, found {text:?}")),
    }
}
