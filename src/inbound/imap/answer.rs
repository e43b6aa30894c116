//! What a server answers, as far as we care.

use super::Purpose;
use crate::domain::delivery::keep;
use async_imap::imap_proto::{
    AttributeValue, Capability, MailboxDatum, NameAttribute, Outcome, Response, ResponseCode, Status,
};

/// A response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The command with this tag is done, or refused with these words.
    Done {
        tag: String,
        result: Result<(), String>,
        code: Code,
    },
    /// It waits for more of the command.
    Continue,
    /// Untagged OK, NO or BAD; the greeting is one.
    Notice(Code),
    /// The greeting of a server that knows who we are.
    PreAuth,
    /// It ends the connection, with these words.
    Bye(String),
    /// In capital letters.
    Capabilities(Vec<String>),
    /// Messages in the folder.
    Exists(u32),
    /// One less.
    Expunge,
    Search(Vec<u32>),
    Folder {
        delimiter: Option<String>,
        /// Messages can be in it.
        is_selectable: bool,
    },
    /// A message, or as much of it as was asked for.
    Message {
        uid: u32,
        bytes: Vec<u8>,
    },
    Other,
}

/// RFC 3501 7.1
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Code {
    UidValidity(u32),
    ReadOnly,
    /// Whether our keywords may be set.
    Keywords(bool),
    Other,
}

impl Answer {
    pub fn read(response: &Response<'_>) -> Self {
        match response {
            Response::Done { tag, status, outcome } => {
                let result = if *status == Status::Ok { Ok(()) } else { Err(words(outcome)) };
                Self::Done { tag: tag.0.clone(), result, code: code(outcome) }
            }
            Response::Continue(_) => Self::Continue,
            Response::Data { status: Status::Bye, outcome } => Self::Bye(words(outcome)),
            Response::Data { status: Status::PreAuth, .. } => Self::PreAuth,
            Response::Data { outcome, .. } => Self::Notice(code(outcome)),
            Response::Capabilities(all) => Self::Capabilities(all.iter().map(capability).collect()),
            Response::Expunge(_) => Self::Expunge,
            Response::MailboxData(MailboxDatum::Exists(n)) => Self::Exists(*n),
            Response::MailboxData(MailboxDatum::Search(found)) => Self::Search(found.clone()),
            Response::MailboxData(MailboxDatum::List(it)) => Self::Folder {
                delimiter: it.delimiter.as_ref().map(ToString::to_string),
                is_selectable: !it.name_attributes.contains(&NameAttribute::NoSelect),
            },
            Response::Fetch(_, attributes) => message(attributes).unwrap_or(Self::Other),
            _ => Self::Other,
        }
    }
}

fn capability(capability: &Capability<'_>) -> String {
    match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(name) => format!("AUTH={}", name.to_ascii_uppercase()),
        Capability::Atom(name) => name.to_ascii_uppercase(),
    }
}

fn code(outcome: &Outcome<'_>) -> Code {
    match &outcome.code {
        Some(ResponseCode::UidValidity(n)) => Code::UidValidity(*n),
        Some(ResponseCode::ReadOnly) => Code::ReadOnly,
        Some(ResponseCode::PermanentFlags(flags)) => {
            let has = |wanted: &str| flags.iter().any(|it| it.eq_ignore_ascii_case(wanted));
            Code::Keywords(has("\\*") || has(Purpose::Done.keyword()) && has(Purpose::Other.keyword()))
        }
        _ => Code::Other,
    }
}

/// The UID and the text of a message; other attributes come when somebody else changes flags.
fn message(attributes: &[AttributeValue<'_>]) -> Option<Answer> {
    let uid = attributes.iter().find_map(|it| match it {
        AttributeValue::Uid(uid) => Some(*uid),
        _ => None,
    });
    let text = attributes.iter().find_map(|it| match it {
        // NIL is an empty text.
        AttributeValue::BodySection { section: None, data, .. } => Some(data.as_deref().unwrap_or_default()),
        _ => None,
    });
    Some(Answer::Message { uid: uid?, bytes: text?.to_vec() })
}

/// The server's words, fit for the ledger and the log: no address in them.
fn words(outcome: &Outcome<'_>) -> String {
    keep(outcome.information.as_deref().unwrap_or("it does not say why"))
}
