//! Checks a complete message, as bytes, against the rules that receivers enforce: our own second look at what we compose.
//!
//! [`lint`] knows nothing of how the message was made, so it also judges a message of another program. Each [`Rule`] names its
//! source. The gate before an issue is frozen holds on [`Severity::Error`] only: whoever writes an article, or an event of a
//! database that we read, must not be able to hold an issue, so what their words and links can cause is at most a warning.

mod body;
mod head;
mod html;
mod message;
mod rule;
mod words;

pub use rule::{Rule, Severity};

use message::Parsed;
use serde::{Deserialize, Serialize};
use std::fmt;

/// RFC 5322 2.1.1, without CRLF.
const LONGEST_LINE: usize = 998;
/// The line length that RFC 5322 2.1.1 recommends, without CRLF.
const ADVISED_LINE: usize = 78;
/// Bytes. The default `message_size_limit` of Postfix, thus of many receivers.
const LARGEST: usize = 10_240_000;
/// Findings of one rule at one kind of place that are listed; a message with a thousand long lines has one fault.
const MOST_OF_A_RULE: usize = 5;

/// To whom a message goes, which decides which headers it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The subscribers of a list, each in a message of their own.
    List,
    /// One person: a confirmation, a mail to staff.
    Person,
}

/// What the message cannot say about itself.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// `None`: it is of a list if it has a header of a list.
    pub audience: Option<Audience>,
    /// The domain of `MAIL FROM`; `None`: that of a `Return-Path` header, if there is one.
    pub return_path_domain: Option<String>,
    /// What every placeholder of the issue begins with. With it, any other text that looks like one is a quotation.
    pub placeholder: Option<String>,
}

/// Where a fault is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Message,
    /// From 1, in the bytes as sent.
    Line(usize),
    Header(String),
    /// The plain text.
    Text,
    Html,
    /// An attachment by its name, or another part by its type.
    Part(String),
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub severity: Severity,
    pub rule: Rule,
    pub place: Place,
    /// What was found there, shortened; empty if the place says it all. Never the recipient's address.
    pub detail: String,
}

impl Finding {
    fn new(rule: Rule, place: Place, detail: impl AsRef<str>) -> Self {
        Self { severity: rule.severity(), rule, place, detail: shortened(detail.as_ref()) }
    }

    /// The same rule, taken less seriously here.
    fn lenient(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }
}

/// In English, for an operator: `Subject: an encoded-word of more than 75 characters (81); RFC 2047 2`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Message => {}
            Place::Line(n) => write!(f, "line {n}: ")?,
            Place::Header(name) => write!(f, "{name}: ")?,
            Place::Text => f.write_str("text: ")?,
            Place::Html => f.write_str("HTML: ")?,
            Place::Part(name) => write!(f, "part {name}: ")?,
        }
        f.write_str(self.rule.in_english())?;
        if !self.detail.is_empty() {
            write!(f, " ({})", self.detail)?;
        }
        write!(f, "; {}", self.rule.source())
    }
}

/// All broken rules, errors first.
pub fn lint(message: &[u8], expected: &Expected) -> Vec<Finding> {
    let parsed = Parsed::of(message);
    let audience = expected.audience.unwrap_or_else(|| parsed.audience());
    let mut findings = lines(message, parsed.head_length);
    findings.extend(parsed.faults.iter().cloned());
    findings.extend(head::check(&parsed, audience, expected));
    findings.extend(body::check(&parsed, audience, expected));
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        let same = |it: &&Finding| it.rule == finding.rule && it.severity == finding.severity;
        if kept.iter().filter(same).count() < MOST_OF_A_RULE && !kept.contains(&finding) {
            kept.push(finding);
        }
    }
    kept.sort_by_key(|finding| finding.severity);
    kept
}

/// Rules that need no parser.
fn lines(message: &[u8], head_length: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    if message.len() > LARGEST {
        findings.push(Finding::new(Rule::TooBig, Place::Message, format!("{} > {LARGEST}", message.len())));
    }
    let (mut number, mut begin) = (1, 0);
    let mut line = |number: usize, begin: usize, end: usize| {
        let (place, length) = (Place::Line(number), end - begin);
        let line = &message[begin..end];
        if length > LONGEST_LINE {
            findings.push(Finding::new(Rule::LongLine, place.clone(), format!("{length} > {LONGEST_LINE}")));
        }
        if line.contains(&0) {
            findings.push(Finding::new(Rule::Nul, place.clone(), ""));
        }
        if begin < head_length {
            if !line.is_ascii() {
                findings.push(Finding::new(Rule::EightBitHeader, place.clone(), ""));
            }
            // A line that could have been folded at a space.
            let could_be_shorter = || line[1..].iter().take(ADVISED_LINE).any(|b| *b == b' ');
            if (ADVISED_LINE + 1..=LONGEST_LINE).contains(&length) && could_be_shorter() {
                findings.push(Finding::new(Rule::LongHeaderLine, place, format!("{length} > {ADVISED_LINE}")));
            }
        }
    };
    let mut bare = Vec::new();
    for (at, byte) in message.iter().enumerate() {
        let ends = match byte {
            b'\n' => {
                let is_whole = at > begin && message[at - 1] == b'\r';
                if !is_whole {
                    bare.push(number);
                }
                Some(if is_whole { at - 1 } else { at })
            }
            b'\r' if message.get(at + 1) != Some(&b'\n') => {
                bare.push(number);
                None
            }
            _ => None,
        };
        if let Some(end) = ends {
            line(number, begin, end.max(begin));
            (number, begin) = (number + 1, at + 1);
        }
    }
    line(number, begin, message.len());
    findings.extend(bare.into_iter().map(|number| Finding::new(Rule::BareLineBreak, Place::Line(number), "")));
    findings
}

/// One line of at most 80 characters.
fn shortened(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match text.char_indices().nth(80) {
        None => text,
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

/// Whether mail of one domain is aligned with the other in DMARC's relaxed mode, as far as that can be said without DNS (RFC 9989
/// finds the organisational domain there): both end in the same domain, and that is not a registry's.
pub fn may_be_aligned(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    let shared: Vec<_> =
        one.rsplit('.').zip(other.rsplit('.')).take_while(|(one, other)| one == other).map(|(one, _)| one).collect();
    let shared_labels = shared.len();
    // `gouv.fr`, `asso.fr`, `co.uk`: under them everybody registers.
    let is_registry = shared_labels == 2 && REGISTRIES.contains(&shared[1]);
    one == other || shared_labels >= 2 && !is_registry
}

/// Second-level labels below which names are registered, in the countries of our partners.
const REGISTRIES: [&str; 12] =
    ["asso", "co", "com", "edu", "gouv", "gov", "nom", "notaires", "org", "prd", "presse", "tm"];

#[cfg(test)]
mod tests;
