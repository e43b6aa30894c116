//! Reads an incoming message: a pure and total function of its bytes. Nothing it returns is believed yet; [`super::rules`] decides
//! what it is about.
//!
//! Bounds: [`MOST_BYTES`] of a message are read, [`MOST_RECIPIENTS`] recipients of a report, [`MOST_NAMES`] names of deliveries, and
//! messages within messages are not followed if there could be more than [`MOST_NESTED`].

use super::{complaint, fields::Fields, plain, report, tokens_in::tokens_in};
use crate::domain::{Timestamp, delivery::Reply, email::EmailAddress};
use chrono::DateTime;
use mail_parser::{MessageParser, MessagePart, MimeHeaders, PartType};
use sha2::{Digest, Sha256};
use std::panic;

/// Bytes of a message that are read. A report stands before the message it quotes (RFC 3462), so what is cut off is a copy of ours.
pub const MOST_BYTES: usize = 1 << 20;
/// Recipients of one report.
pub(super) const MOST_RECIPIENTS: usize = 50;
/// Possible tokens, and quoted Message-IDs, of one message.
pub(super) const MOST_NAMES: usize = 50;
/// Mentions of a type that contains a message: the parser's result is nested at most as deep, and is dropped recursively.
const MOST_NESTED: usize = 400;
/// Parts of one message that are looked at.
const MOST_PARTS: usize = 100;
/// Bytes of a text that are searched for words.
const MOST_TEXT: usize = 64 << 10;

/// A message, as far as we care.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// SHA-256 of Message-ID and body, in hexadecimal. The other header fields are left out, since each way to us adds its own.
    pub hash: String,
    /// The `Date` field.
    pub sent_at: Option<Timestamp>,
    /// The author's address, if it is one.
    pub from: Option<EmailAddress>,
    /// What may be tokens of return paths ([`crate::tokens::Tokens::check_return`]).
    pub tokens: Vec<String>,
    /// Message-IDs that it quotes or answers, without angle brackets.
    pub quoted: Vec<String>,
    pub content: Content,
}

/// What an incoming message is.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// What became of a message, by recipient. Never empty.
    Report(Vec<RecipientReport>),
    /// Somebody complains about a message, or takes that back. The recipient is often left out.
    Complaint { feedback: Complaint, recipients: Vec<EmailAddress> },
    /// Out of office, or written by another robot (RFC 3834): never answered, and nothing is concluded from it.
    AutoReply,
    /// Somebody wrote, or it cannot be read.
    Other,
}

/// RFC 5965 7.3, RFC 6430.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    /// `abuse`, `fraud`: the recipient calls it spam.
    Abuse,
    /// `opt-out`, `opt-out-list`: the recipient unsubscribed at the provider.
    OptOut,
    /// `not-spam`
    NotSpam,
}

/// What became of a message to one recipient.
#[derive(Debug, Clone, PartialEq)]
pub struct RecipientReport {
    /// The address it was sent to and the one it ended at, as far as they are given.
    pub addresses: Vec<EmailAddress>,
    pub action: Action,
    /// What the server said that refused it; the code is made from the status where it names none.
    pub said: Reply,
}

/// RFC 3464 2.3.3
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// `delivered`, `relayed`, `expanded`
    Delivered,
    Delayed,
    Failed,
}

impl Message {
    /// Reads a message, of which only the first [`MOST_BYTES`] count. Never fails: what cannot be read is [`Content::Other`].
    pub fn read(bytes: &[u8]) -> Self {
        let bytes = &bytes[..bytes.len().min(MOST_BYTES)];
        let (header, body) = Fields::read(bytes);
        let date = header.get("date").and_then(|text| DateTime::parse_from_rfc2822(text).ok());
        let mut message = Self {
            hash: hash(header.get("message-id").unwrap_or_default(), body),
            sent_at: date.map(|date| date.to_utc()),
            from: header.get("from").and_then(|text| plain::addresses_in(text).next()),
            tokens: Vec::new(),
            quoted: Vec::new(),
            content: Content::Other,
        };
        for (name, value) in header.values() {
            match name {
                "to" | "cc" | "delivered-to" | "envelope-to" | "apparently-to" => message.names_tokens(value),
                _ if name.starts_with("x-") && name.contains("to") => message.names_tokens(value),
                "in-reply-to" | "references" => message.quotes(value),
                _ => {}
            }
        }
        if mentions(bytes) <= MOST_NESTED {
            // The library promises not to panic; a mailbox that cannot be read would be a high price for a mistake in it.
            let parts = panic::catch_unwind(|| parts(bytes)).unwrap_or_default();
            message.content = message.content_of(&header, &parts);
        }
        message
    }

    fn content_of(&mut self, header: &Fields, parts: &[Part]) -> Content {
        for part in parts {
            match part {
                Part::Quoted(fields) => self.names_of(fields),
                Part::DeliveryStatus(text) | Part::FeedbackReport(text) => {
                    for group in Fields::groups(text, MOST_RECIPIENTS + 1) {
                        group.values().for_each(|(_, value)| self.names_tokens(value));
                    }
                }
                Part::Text(text) => {
                    self.names_tokens(text);
                    plain::message_ids(text).for_each(|id| self.quotes(&id));
                }
            }
        }
        for part in parts {
            match part {
                Part::DeliveryStatus(text) => {
                    let recipients = report::recipients(text);
                    if !recipients.is_empty() {
                        return Content::Report(recipients);
                    }
                }
                Part::FeedbackReport(text) => {
                    if let Some((feedback, recipients)) = complaint::read(text) {
                        return Content::Complaint { feedback, recipients };
                    }
                }
                Part::Text(_) | Part::Quoted(_) => {}
            }
        }
        let text = parts.iter().find_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        });
        let text = text.unwrap_or_default();
        if plain::is_from_a_mail_server(header) && !plain::is_vacation(header) {
            // It must be about a message of somebody: a notice of the provider to the mailbox's owner is none.
            if !self.tokens.is_empty() || !self.quoted.is_empty() {
                return Content::Report(vec![plain::report(header, text)]);
            }
        }
        if plain::is_vacation(header) || plain::is_automatic(header) {
            return Content::AutoReply;
        }
        Content::Other
    }

    /// What a quoted message is known by.
    fn names_of(&mut self, fields: &Fields) {
        for (name, value) in fields.values() {
            match name {
                "message-id" => self.quotes(value),
                "return-path" | "x-original-mail-from" | "envelope-from" => self.names_tokens(value),
                _ => {}
            }
        }
    }

    fn names_tokens(&mut self, text: &str) {
        for token in tokens_in(text) {
            if self.tokens.len() < MOST_NAMES && !self.tokens.contains(&token) {
                self.tokens.push(token);
            }
        }
    }

    fn quotes(&mut self, text: &str) {
        for id in text.split(['<', '>', ' ', ',']).filter(|id| id.contains('@') && id.len() <= 300) {
            if self.quoted.len() < MOST_NAMES && !self.quoted.iter().any(|known| known == id) {
                self.quoted.push(id.to_owned());
            }
        }
    }
}

/// The same for the same message whichever way it came: CR or not, and whatever was added to its header.
fn hash(message_id: &str, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(message_id.as_bytes());
    hash.update([0]);
    let end = body.iter().rposition(|b| !b.is_ascii_whitespace()).map_or(0, |at| at + 1);
    for piece in body[..end].split(|b| *b == b'\r') {
        hash.update(piece);
    }
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

/// How often a type is mentioned whose parts may be messages, whether as a type or as something else.
fn mentions(bytes: &[u8]) -> usize {
    let is = |word: &[u8], at: usize| bytes.get(at..at + word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word));
    (0..bytes.len()).filter(|at| is(b"rfc822", *at) || is(b"global", *at) || is(b"digest", *at)).count()
}

/// A part that matters, decoded.
enum Part {
    Text(String),
    DeliveryStatus(Vec<u8>),
    FeedbackReport(Vec<u8>),
    /// The header of a quoted message.
    Quoted(Fields),
}

fn parts(bytes: &[u8]) -> Vec<Part> {
    let Some(message) = MessageParser::default().parse(bytes) else { return Vec::new() };
    message.parts.iter().take(MOST_PARTS).filter_map(part).collect()
}

fn part(part: &MessagePart<'_>) -> Option<Part> {
    let kind = part
        .content_type()
        .map(|it| (it.c_type.to_ascii_lowercase(), it.c_subtype.as_deref().unwrap_or_default().to_ascii_lowercase()));
    let (main, sub) = kind.as_ref().map_or(("text", "plain"), |(main, sub)| (main.as_str(), sub.as_str()));
    let bounded = |bytes: &[u8]| bytes[..bytes.len().min(MOST_TEXT)].to_vec();
    match (main, sub) {
        ("message", "delivery-status" | "global-delivery-status") => {
            Some(Part::DeliveryStatus(bounded(part.contents())))
        }
        ("message", "feedback-report") => Some(Part::FeedbackReport(bounded(part.contents()))),
        ("text", "rfc822-headers") | ("message", "global-headers") => {
            Some(Part::Quoted(Fields::read(part.contents()).0))
        }
        _ => match &part.body {
            PartType::Message(quoted) => {
                let head = quoted.parts.first()?;
                let start = usize::try_from(head.offset_header).ok()?;
                Some(Part::Quoted(Fields::read(quoted.raw_message.get(start..)?).0))
            }
            PartType::Text(text) => {
                let end = text.floor_char_boundary(MOST_TEXT);
                Some(Part::Text(text[..end].to_owned()))
            }
            PartType::Html(text) => {
                let end = text.floor_char_boundary(MOST_TEXT);
                Some(Part::Text(plain::without_tags(&text[..end])))
            }
            PartType::Binary(_) | PartType::InlineBinary(_) | PartType::Multipart(_) => None,
        },
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
