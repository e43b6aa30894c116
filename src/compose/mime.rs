//! The bytes of a message. The only part of composing that knows `lettre`.
//!
//! The same delivery gives the same bytes, today and in a resend next week: `Message-ID`, `Date` and boundaries come
//! from what was frozen. Attachments are encoded once per issue and shared by all its messages.

use super::context::{ESTABLISHMENT_MARK, UNSUBSCRIBE_MARK};
use crate::domain::{
    Timestamp,
    email::EmailAddress,
    issue::{Attachment, Content, Envelope},
    message::Message,
};
use chrono::DateTime;
use chrono_tz::Tz;
use lettre::message::{
    Mailbox, MultiPart, SinglePart,
    header::{ContentType, HeaderName, HeaderValue},
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

#[derive(Debug, thiserror::Error)]
pub enum MimeError {
    #[error("{what} cannot stand in a mail header: {why}")]
    Header { what: &'static str, why: String },
    #[error("the message cannot be built")]
    Build(#[source] lettre::error::Error),
}

/// The frozen content of an issue, ready to make any of its messages.
#[derive(Debug)]
pub struct Mime {
    content: Content,
    /// Boundaries from the content, so that they are the same for every message and every day.
    outer: String,
    inner: String,
    tail: Arc<[u8]>,
}

/// Who gets the message, and what is theirs alone in it.
#[derive(Debug, Clone, Copy)]
pub struct To<'a> {
    pub address: &'a EmailAddress,
    pub name: &'a str,
    pub establishment: &'a str,
    /// Without angle brackets.
    pub message_id: &'a str,
    pub unsubscribe_url: &'a str,
}

impl Mime {
    /// # Errors
    /// When an attachment's type is none.
    pub fn new(content: Content) -> Result<Self, MimeError> {
        let digest = Sha256::new().chain_update(&content.subject).chain_update(&content.html).finalize();
        let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let (outer, inner) = (format!("semainier-{hex}-mixed"), format!("semainier-{hex}-texts"));
        let tail = tail(&content.attachments, &outer)?;
        Ok(Self { content, outer, inner, tail })
    }

    /// Under which the unsubscribe links of this issue lie.
    ///
    /// # Errors
    /// When the frozen text is no URL.
    pub fn public_url(&self) -> Result<url::Url, url::ParseError> {
        self.content.envelope.public_url.parse()
    }

    /// # Errors
    /// When a name or an address cannot stand in a header.
    pub fn message(&self, to: To) -> Result<Message, MimeError> {
        let envelope = &self.content.envelope;
        let texts = self.texts(to);
        let mut builder = lettre::Message::builder();
        for header in headers(envelope, to)? {
            builder = builder.raw_header(header);
        }
        let message = builder
            .from(mailbox("the sender", &envelope.from_name, &envelope.from_address)?)
            .to(mailbox("the recipient", to.name, &to.address.to_string())?)
            .subject(&*self.content.subject)
            .message_id(Some(format!("<{}>", to.message_id)));
        let message = match &envelope.reply_to {
            Some(reply_to) => message.reply_to(mailbox("the reply address", "", reply_to)?),
            None => message,
        };
        let whole = MultiPart::mixed().boundary(&*self.outer).multipart(texts);
        let mut head = message.multipart(whole).map_err(MimeError::Build)?.formatted();
        // lettre closes the outer part; ours goes on with the shared attachments.
        let closing = format!("--{}--\r\n", self.outer);
        head.truncate(head.len() - closing.len());
        let sender = parse_address("the return path", &envelope.return_path)?;
        Ok(Message { sender, head, tail: Arc::clone(&self.tail) })
    }

    fn texts(&self, to: To) -> MultiPart {
        let establishment = match to.establishment {
            "" => String::new(),
            name => format!(" ({name})"),
        };
        let fill = |text: &str, establishment: &str, url: &str| {
            text.replace(UNSUBSCRIBE_MARK, url).replace(ESTABLISHMENT_MARK, establishment)
        };
        let text = fill(&self.content.text, &establishment, to.unsubscribe_url);
        let html = fill(&self.content.html, &escaped(&establishment), &escaped(to.unsubscribe_url));
        MultiPart::alternative()
            .boundary(&*self.inner)
            .singlepart(SinglePart::plain(text))
            .singlepart(SinglePart::html(html))
    }
}

/// A mail of one text to one person of the office.
#[derive(Debug, Clone, Copy)]
pub struct Plain<'a> {
    pub from_name: &'a str,
    pub from: &'a EmailAddress,
    pub to: &'a EmailAddress,
    /// Without angle brackets.
    pub message_id: &'a str,
    pub date: Timestamp,
    pub zone: Tz,
    pub subject: &'a str,
    pub text: &'a str,
}

/// # Errors
/// When something of it cannot stand in a header.
pub fn plain(mail: &Plain) -> Result<Message, MimeError> {
    let date = mail.date.with_timezone(&mail.zone).to_rfc2822();
    let message = lettre::Message::builder()
        .raw_header(header("Date", date)?)
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned())?)
        .from(mailbox("the sender", mail.from_name, &mail.from.to_string())?)
        .to(mailbox("the recipient", "", &mail.to.to_string())?)
        .subject(mail.subject)
        .message_id(Some(format!("<{}>", mail.message_id)))
        .singlepart(SinglePart::plain(mail.text.to_owned()))
        .map_err(MimeError::Build)?;
    Ok(Message { sender: mail.from.clone(), head: message.formatted(), tail: Arc::new([]) })
}

/// Everything after the texts: the attachments and the end of the message.
fn tail(attachments: &[Attachment], boundary: &str) -> Result<Arc<[u8]>, MimeError> {
    let mut tail = Vec::new();
    for attachment in attachments {
        let media_type = ContentType::parse(&attachment.media_type)
            .map_err(|why| MimeError::Header { what: "the attachment's type", why: why.to_string() })?;
        let part = lettre::message::Attachment::new(attachment.name.clone()).body(attachment.bytes.clone(), media_type);
        tail.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        tail.extend_from_slice(&part.formatted());
        if !tail.ends_with(b"\r\n") {
            tail.extend_from_slice(b"\r\n");
        }
    }
    tail.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(tail.into())
}

/// The headers `lettre` has no type for. Sources: RFC 5322 (Date), 2919 (List-Id), 2369 and 8058 (List-Unsubscribe),
/// 3834 (Auto-Submitted); Feedback-ID is what Gmail and Orange read their complaint figures by.
fn headers(envelope: &Envelope, to: To) -> Result<Vec<HeaderValue>, MimeError> {
    let zone = envelope.zone.parse().unwrap_or(chrono_tz::UTC);
    let date = DateTime::from_timestamp_millis(envelope.date_ms).unwrap_or_default().with_timezone(&zone).to_rfc2822();
    let list_id = format!("{} <{}>", envelope.list_name, envelope.list_id);
    [
        ("Date", date),
        ("List-Id", list_id),
        ("List-Unsubscribe", format!("<{}>", to.unsubscribe_url)),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("Feedback-ID", envelope.feedback_id.clone()),
    ]
    .into_iter()
    .map(|(name, value)| header(name, value))
    .collect()
}

fn header(name: &'static str, value: String) -> Result<HeaderValue, MimeError> {
    if value.contains(char::is_control) {
        return Err(MimeError::Header { what: name, why: "it holds a control character".to_owned() });
    }
    // A URL must not be folded or encoded; what is not ASCII must be.
    Ok(match value.is_ascii() {
        true => HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value),
        false => HeaderValue::new(HeaderName::new_from_ascii_str(name), value),
    })
}

fn mailbox(what: &'static str, name: &str, address: &str) -> Result<Mailbox, MimeError> {
    let bad = |why: String| MimeError::Header { what, why };
    if name.contains(char::is_control) {
        return Err(bad("the name holds a control character".to_owned()));
    }
    let address = address.parse().map_err(|why: lettre::address::AddressError| bad(why.to_string()))?;
    Ok(Mailbox::new(Some(name.to_owned()).filter(|n| !n.is_empty()), address))
}

fn parse_address(what: &'static str, address: &str) -> Result<EmailAddress, MimeError> {
    EmailAddress::parse(address).map_err(|why| MimeError::Header { what, why: why.to_string() })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
