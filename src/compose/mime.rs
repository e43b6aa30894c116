//! The bytes of a message. The only module of `compose` that uses `lettre`.
//!
//! A delivery always gives the same bytes, also when it is resent later: `Message-ID`, `Date` and boundaries are derived
//! from frozen content. Texts and attachments are encoded once per issue and shared by all its messages.

use super::context::{self, Marks};
use super::quoted::{self, Piece};
use crate::domain::{
    Timestamp,
    email::{EmailAddress, ReturnPath},
    issue::{Attachment, Content, Envelope, Inline, SigningKeyName},
    message::{Message, Shared},
};
use lettre::message::{
    Mailbox, MultiPart, SinglePart,
    header::{self, ContentType, HeaderName, HeaderValue, Headers},
};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

#[derive(Debug, thiserror::Error)]
pub enum MimeError {
    #[error("{what} cannot stand in a mail header: {why}")]
    Header { what: &'static str, why: String },
    #[error("the message cannot be built")]
    Build(#[source] lettre::error::Error),
}

/// The frozen content of an issue, prepared for building messages.
#[derive(Debug)]
pub struct Mime {
    content: Content,
    /// What the body is as a whole. Its boundary is derived from the content, so that it is the same for every message.
    whole: MultiPart,
    /// The encoded body without personal values.
    shared: Arc<Shared>,
    /// The personal pieces before each shared piece except the first, which follows the headers.
    own: Vec<Own>,
    /// The common headers, and the empty line after them.
    shared_headers: String,
}

/// The recipient of a message, and their personal values.
#[derive(Debug, Clone, Copy)]
pub struct To<'a> {
    pub address: &'a EmailAddress,
    pub name: &'a str,
    pub establishment: &'a str,
    /// Without angle brackets.
    pub message_id: &'a str,
    pub unsubscribe_url: &'a str,
    /// Only used if the texts have a placeholder for it: the mail of an edition.
    pub order_url: &'a str,
}

impl Mime {
    /// # Errors
    /// If the type of an attachment is invalid.
    pub fn new(mut content: Content) -> Result<Self, MimeError> {
        // The address of the online version is filled in by now; its placeholder must not be visible.
        let office = content.envelope.public_url.clone();
        context::fill_view(&mut content, &office);
        let digest = Sha256::new().chain_update(&content.subject).chain_update(&content.html).finalize();
        let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let boundary = |what: &str| format!("semainier-{hex}-{what}");
        let boundaries =
            Boundaries { outer: boundary("mixed"), inner: boundary("texts"), related: boundary("pictures") };
        let Body { shared, own, .. } = Body::of(&content, &boundaries)?;
        let shared = Arc::new(Shared::new(shared));
        let whole = match has_files(&content) {
            true => MultiPart::mixed().boundary(boundaries.outer),
            false => MultiPart::alternative().boundary(boundaries.inner),
        };
        let whole = whole.singlepart(SinglePart::plain(String::new()));
        let mut mime = Self { content, whole, shared, own, shared_headers: String::new() };
        mime.shared_headers = mime.headers_for_all()?;
        Ok(mime)
    }

    /// The base URL of the issue's unsubscribe links.
    ///
    /// # Errors
    /// If the frozen text is not a URL.
    pub fn public_url(&self) -> Result<url::Url, url::ParseError> {
        self.content.envelope.public_url.parse()
    }

    /// `MAIL FROM` of the issue.
    ///
    /// # Errors
    /// If the frozen text is not a return path.
    pub fn return_path(&self) -> Result<ReturnPath, MimeError> {
        let path = ReturnPath::parse(&self.content.envelope.return_path);
        path.map_err(|why| MimeError::Header { what: "the return path", why: why.to_string() })
    }

    /// The keys that sign its messages.
    pub fn signing_keys(&self) -> &[SigningKeyName] {
        &self.content.envelope.dkim
    }

    /// The slug of the edition that personal links order.
    pub fn edition(&self) -> Option<&str> {
        self.content.envelope.edition.as_deref()
    }

    /// # Errors
    /// If a name or an address is not valid in a header.
    pub fn message(&self, to: To) -> Result<Message, MimeError> {
        let mut own = Headers::new();
        own.set(header::To::from(lettre::message::Mailboxes::from(mailbox(
            "the recipient",
            to.name,
            &to.address.to_string(),
        )?)));
        own.insert_raw(raw_header("Message-ID", format!("<{}>", to.message_id))?);
        if self.content.envelope.is_of_a_list() {
            own.insert_raw(raw_header("List-Unsubscribe", format!("<{}>", to.unsubscribe_url))?);
        }
        Ok(self.woven(self.return_path()?.plain(), &[&own.to_string(), &self.shared_headers], to))
    }

    fn woven(&self, sender: EmailAddress, headers: &[&str], to: To) -> Message {
        Message::woven(sender, &self.shared, |n, out| match n.checked_sub(1) {
            None => headers.iter().for_each(|headers| out.extend_from_slice(headers.as_bytes())),
            Some(n) => quoted::encode_own(out, &self.own[n].words(to)),
        })
    }

    /// The headers common to all messages of the issue.
    fn headers_for_all(&self) -> Result<String, MimeError> {
        let envelope = &self.content.envelope;
        let mut builder = lettre::Message::builder();
        for header in headers(envelope)? {
            builder = builder.raw_header(header);
        }
        let from = mailbox("the sender", &envelope.from_name, &envelope.from_address)?;
        let builder = builder
            // Only because lettre requires a recipient; To and Message-ID are personal headers.
            .to(from.clone())
            .from(from)
            .subject(&*self.content.subject)
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(envelope.date_ms.unsigned_abs()));
        let builder = match &envelope.reply_to {
            Some(reply_to) => builder.reply_to(mailbox("the reply address", "", reply_to)?),
            None => builder,
        };
        Ok(without_header(&headers_of(builder, &self.whole)?, "To"))
    }

    /// The content as a mail to staff for review, without list headers.
    ///
    /// # Errors
    /// If a name or an address is not valid in a header.
    pub fn review(&self, to: To, from_name: &str, from: &EmailAddress, date: Timestamp) -> Result<Message, MimeError> {
        let builder = lettre::Message::builder()
            .raw_header(raw_header("Auto-Submitted", "auto-generated".to_owned())?)
            .from(mailbox("the sender", from_name, &from.to_string())?)
            .to(mailbox("the recipient", to.name, &to.address.to_string())?)
            .subject(&*self.content.subject)
            .date(date.into())
            .message_id(Some(format!("<{}>", to.message_id)));
        Ok(self.woven(from.clone(), &[&headers_of(builder, &self.whole)?], to))
    }
}

/// Personal values in the texts.
#[derive(Debug, Clone, Copy)]
enum Own {
    Unsubscribe,
    Order,
    Establishment,
    /// The same in HTML.
    UnsubscribeHtml,
    OrderHtml,
    EstablishmentHtml,
}

impl Own {
    fn words(self, to: To) -> String {
        let establishment = || match to.establishment {
            "" => String::new(),
            name => format!(" ({name})"),
        };
        match self {
            Own::Unsubscribe => to.unsubscribe_url.to_owned(),
            Own::Order => to.order_url.to_owned(),
            Own::Establishment => establishment(),
            Own::UnsubscribeHtml => escaped(to.unsubscribe_url),
            Own::OrderHtml => escaped(to.order_url),
            Own::EstablishmentHtml => escaped(&establishment()),
        }
    }
}

/// The boundaries of the parts, outermost first.
struct Boundaries {
    outer: String,
    inner: String,
    related: String,
}

/// The body, encoded once: shared pieces alternating with the places of personal values.
#[derive(Default)]
struct Body {
    shared: Vec<Box<[u8]>>,
    own: Vec<Own>,
    /// The shared piece being built.
    open: Vec<u8>,
}

impl Body {
    fn of(content: &Content, boundaries: &Boundaries) -> Result<Self, MimeError> {
        let Boundaries { outer, inner, related } = boundaries;
        let part = |kind: &str| {
            format!("Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
        };
        let parts = |kind: &str, boundary: &str| {
            format!("Content-Type: multipart/{kind};\r\n boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n")
        };
        let has_pictures = !content.inline.is_empty();
        let pictured = if has_pictures { parts("related", related) } else { String::new() };
        let Marks { unsubscribe, order, establishment, .. } = &Marks::named(&content.envelope.marks);
        let text = [
            (unsubscribe.as_str(), Own::Unsubscribe),
            (order.as_str(), Own::Order),
            (establishment.as_str(), Own::Establishment),
        ];
        let html = [
            (unsubscribe.as_str(), Own::UnsubscribeHtml),
            (order.as_str(), Own::OrderHtml),
            (establishment.as_str(), Own::EstablishmentHtml),
        ];
        let mut body = Self::default();
        let opening = match has_files(content) {
            true => format!("--{outer}\r\n{}", parts("alternative", inner)),
            false => format!("--{inner}\r\n"),
        };
        body.fixed(&format!("{opening}{}", part("text/plain")));
        body.quoted(quoted::encode(&content.text, &text));
        body.fixed(&format!("\r\n--{inner}\r\n{pictured}{}", part("text/html")));
        body.quoted(quoted::encode(&content.html, &html));
        body.fixed("\r\n");
        for Inline { content_id, media_type, bytes } in &content.inline {
            let part = lettre::message::Attachment::new_inline(content_id.clone());
            body.add_part(related, &part.body(in_base64(bytes)?, parsed_type(media_type)?));
        }
        if has_pictures {
            body.fixed(&format!("--{related}--\r\n"));
        }
        body.fixed(&format!("--{inner}--\r\n"));
        for Attachment { name, media_type, bytes } in &content.attachments {
            let part = lettre::message::Attachment::new(name.clone());
            body.add_part(outer, &part.body(in_base64(bytes)?, parsed_type(media_type)?));
        }
        if has_files(content) {
            body.fixed(&format!("--{outer}--\r\n"));
        }
        body.shared.push(std::mem::take(&mut body.open).into());
        Ok(body)
    }

    fn fixed(&mut self, text: &str) {
        self.open.extend_from_slice(text.as_bytes());
    }

    fn quoted(&mut self, pieces: Vec<Piece<Own>>) {
        for piece in pieces {
            match piece {
                Piece::Fixed(bytes) => self.open.extend_from_slice(&bytes),
                Piece::Own(own) => {
                    self.shared.push(std::mem::take(&mut self.open).into());
                    self.own.push(own);
                }
            }
        }
    }

    fn add_part(&mut self, boundary: &str, part: &SinglePart) {
        self.fixed(&format!("--{boundary}\r\n"));
        self.open.extend_from_slice(&part.formatted());
        if !self.open.ends_with(b"\r\n") {
            self.fixed("\r\n");
        }
    }
}

/// Texts alone are `multipart/alternative`: filters take a `multipart/mixed` of texts for the work of a spammer's program (rspamd's
/// `CTYPE_MIXED_BOGUS`).
fn has_files(content: &Content) -> bool {
    !(content.attachments.is_empty() && content.inline.is_empty())
}

/// The headers of a message with this body, with the empty line.
fn headers_of(builder: lettre::message::MessageBuilder, whole: &MultiPart) -> Result<String, MimeError> {
    let formatted = builder.multipart(whole.clone()).map_err(MimeError::Build)?.formatted();
    let end = memchr::memmem::find(&formatted, b"\r\n\r\n").map_or(formatted.len(), |at| at + 4);
    Ok(String::from_utf8_lossy(&formatted[..end]).into_owned())
}

/// A mail to one member of staff.
#[derive(Debug, Clone, Copy)]
pub struct ToStaff<'a> {
    pub from_name: &'a str,
    pub from: &'a EmailAddress,
    pub to: &'a EmailAddress,
    /// Without angle brackets.
    pub message_id: &'a str,
    pub date: Timestamp,
    pub subject: &'a str,
    pub text: &'a str,
    /// The same as HTML; `None`: a plain-text mail.
    pub html: Option<&'a str>,
}

/// # Errors
/// If something is not valid in a header.
pub fn to_staff(mail: &ToStaff) -> Result<Message, MimeError> {
    let builder = lettre::Message::builder()
        .raw_header(raw_header("Auto-Submitted", "auto-generated".to_owned())?)
        .from(mailbox("the sender", mail.from_name, &mail.from.to_string())?)
        .to(mailbox("the recipient", "", &mail.to.to_string())?)
        .subject(mail.subject)
        .date(mail.date.into())
        .message_id(Some(format!("<{}>", mail.message_id)));
    let message = match mail.html {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(mail.text.to_owned(), html.to_owned())),
        None => builder.singlepart(SinglePart::plain(mail.text.to_owned())),
    };
    let message = message.map_err(MimeError::Build)?;
    Ok(Message::alone(mail.from.clone(), message.formatted()))
}

fn parsed_type(media_type: &str) -> Result<ContentType, MimeError> {
    ContentType::parse(media_type)
        .map_err(|why| MimeError::Header { what: "the attachment's type", why: why.to_string() })
}

/// Always base64: left to choose, `lettre` transmits a file of ASCII as it is, with any NUL in it (RFC 5321 4.5.2 allows none).
fn in_base64(bytes: &[u8]) -> Result<lettre::message::Body, MimeError> {
    lettre::message::Body::new_with_encoding(bytes.to_vec(), header::ContentTransferEncoding::Base64)
        .map_err(|_| MimeError::Header { what: "the attachment", why: "it cannot be encoded".to_owned() })
}

/// Headers that `lettre` has no type for. Sources: RFC 2919 (List-Id), 2369 and 8058 (List-Unsubscribe),
/// 3834 (Auto-Submitted); Gmail and Orange group complaints by Feedback-ID.
fn headers(envelope: &Envelope) -> Result<Vec<HeaderValue>, MimeError> {
    if !envelope.is_of_a_list() {
        return Ok(vec![raw_header("Auto-Submitted", "auto-generated".to_owned())?]);
    }
    let list_id = format!("{} <{}>", envelope.list_name, envelope.list_id);
    [
        ("List-Id", list_id),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("Feedback-ID", envelope.feedback_id.clone()),
    ]
    .into_iter()
    .map(|(name, value)| raw_header(name, value))
    .collect()
}

/// Headers without one of them and its continuation lines.
fn without_header(head: &str, name: &str) -> String {
    let (mut kept, mut inside) = (String::with_capacity(head.len()), false);
    for line in head.split_inclusive("\r\n") {
        inside = match line.starts_with([' ', '\t']) {
            true => inside,
            false => line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name)),
        };
        if !inside {
            kept.push_str(line);
        }
    }
    kept
}

fn raw_header(name: &'static str, value: String) -> Result<HeaderValue, MimeError> {
    if value.contains(char::is_control) {
        return Err(MimeError::Header { what: name, why: "it holds a control character".to_owned() });
    }
    // A URL must not be folded or encoded; non-ASCII text must be encoded.
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

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::{MessageParser, MimeHeaders};

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    fn content() -> Content {
        let Marks { unsubscribe, establishment, issue: marks, .. } = Marks::of(&"été");
        Content {
            subject: "Que faire à Auch cette semaine\u{a0}: du 6 au 12 juillet, « l’été » à la fraîche".to_owned(),
            html: format!("<html lang=\"fr\"><a href=\"{unsubscribe}\">été</a>{establishment}</html>"),
            text: format!("Été\n.\n.seul\n{unsubscribe}{establishment}\n"),
            attachments: vec![Attachment {
                name: "Agenda du 6 au 12 juillet – été.pdf".to_owned(),
                media_type: "application/pdf".to_owned(),
                bytes: (0..=255).cycle().take(5000).collect(),
            }],
            inline: vec![],
            data: String::new(),
            envelope: Envelope {
                from_name: "Office de tourisme d’Auch".to_owned(),
                from_address: "partenaires@office.example".to_owned(),
                reply_to: Some("reponse@office.example".to_owned()),
                return_path: "retours@office.example".to_owned(),
                domain: "office.example".to_owned(),
                list_id: "agenda.lettre.office.example".to_owned(),
                list_name: "Que faire à Auch".to_owned(),
                feedback_id: "agenda:2026-w28:semainier:office-example".to_owned(),
                date_ms: 1_783_144_800_000,
                public_url: "https://partenaires.office.example/".to_owned(),
                edition: None,
                article_url: None,
                marks,
                dkim: Vec::new(),
            },
        }
    }

    fn bytes(establishment: &str, url: &str) -> Vec<u8> {
        let to = address("hotel@auch.example");
        let mime = Mime::new(content()).unwrap();
        let message_id = "agenda-2026-w28.1@office.example";
        let to =
            To { address: &to, name: "Éloïse Cœur", establishment, message_id, unsubscribe_url: url, order_url: "" };
        mime.message(to).unwrap().to_bytes()
    }

    #[test]
    fn a_resend_has_the_same_bytes() {
        let (first, again) = (bytes("Hôtel", "https://a.example/u/1"), bytes("Hôtel", "https://a.example/u/1"));
        assert_eq!(first, again);
        let text = String::from_utf8_lossy(&first);
        assert!(text.contains("Date: Sat, 04 Jul 2026 06:00:00 +0000\r\n"), "{text}");
        assert!(text.contains("Message-ID: <agenda-2026-w28.1@office.example>\r\n"));
    }

    #[test]
    fn texts_alone_are_alternatives_without_a_frame_for_files() {
        let picture = Inline { content_id: "1@o".to_owned(), media_type: "image/png".to_owned(), bytes: vec![1] };
        for (attachments, inline, whole) in [
            (vec![], vec![], "multipart/alternative"),
            (vec![], vec![picture], "multipart/mixed"),
            (content().attachments, vec![], "multipart/mixed"),
        ] {
            let files = attachments.len();
            let mime = Mime::new(Content { attachments, inline, ..content() }).unwrap();
            let (address, url) = (address("hotel@auch.example"), "https://a.example/u/1");
            let to = To {
                address: &address,
                name: "",
                establishment: "",
                message_id: "1@office.example",
                unsubscribe_url: url,
                order_url: "",
            };
            let bytes = mime.message(to).unwrap().to_bytes();
            let message = MessageParser::default().parse(&bytes).unwrap();
            let kind = message.content_type().unwrap();
            assert_eq!(format!("{}/{}", kind.ctype(), kind.subtype().unwrap()), whole);
            assert!(message.body_text(0).unwrap().contains(url) && message.body_html(0).unwrap().contains(url));
            assert_eq!((message.text_body_count(), message.html_body_count()), (1, 1));
            assert_eq!(message.attachments().filter(|it| !it.is_content_type("image", "png")).count(), files);
            assert!(bytes.ends_with(b"--\r\n"));
        }
    }

    #[test]
    fn each_message_contains_data_of_its_own_recipient_only() {
        let raw = bytes("Hôtel <\"&\"> de France", "https://a.example/u/secret");
        let message = MessageParser::default().parse(&raw).unwrap();
        let (html, text) = (message.body_html(0).unwrap(), message.body_text(0).unwrap());
        assert!(html.contains("href=\"https://a.example/u/secret\""), "{html}");
        assert!(html.contains("(Hôtel &lt;&quot;&amp;&quot;&gt; de France)"), "{html}");
        assert!(text.contains("https://a.example/u/secret (Hôtel <\"&\"> de France)"), "{text}");
        assert!(!text.contains("SEMAINIER") && !html.contains("SEMAINIER"));
    }

    #[test]
    fn the_message_meets_the_requirements_of_large_receivers() {
        let raw = bytes("", "https://a.example/u/1");
        assert!(!raw.windows(2).any(|w| w[0] != b'\r' && w[1] == b'\n'), "a bare LF");
        assert!(raw.split(|b| *b == b'\n').all(|line| line.len() <= 998));
        let head = String::from_utf8(raw.clone()).unwrap();
        let head = head.split("\r\n\r\n").next().unwrap();
        assert!(head.is_ascii(), "{head}");
        for header in [
            "From:",
            "To:",
            "Date:",
            "Message-ID:",
            "Subject:",
            "MIME-Version:",
            "List-Id:",
            "List-Unsubscribe:",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "Auto-Submitted: auto-generated",
            "Feedback-ID:",
            "Reply-To:",
        ] {
            assert_eq!(
                head.matches(&format!("\r\n{header}")).count() + usize::from(head.starts_with(header)),
                1,
                "{header}"
            );
        }
        let message = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(message.subject().unwrap(), content().subject);
        let attachment = message.attachment(0).unwrap();
        assert_eq!(attachment.attachment_name(), Some("Agenda du 6 au 12 juillet – été.pdf"));
        assert_eq!(attachment.contents(), content().attachments[0].bytes);
    }

    #[test]
    fn pictures_are_related_to_the_html_and_shared_by_all() {
        let picture = |n: u8| Inline {
            content_id: format!("image-{n}.newsletter-2026-07@office.example"),
            media_type: "image/jpeg".to_owned(),
            bytes: vec![n; 300],
        };
        let html = "<html><img src=\"cid:image-1.newsletter-2026-07@office.example\"></html>".to_owned();
        let mime = Mime::new(Content { inline: vec![picture(1), picture(2)], html, ..content() }).unwrap();
        let to = address("hotel@auch.example");
        let url = "https://a.example/u/1";
        let to = To {
            address: &to,
            name: "",
            establishment: "",
            message_id: "1@a.example",
            unsubscribe_url: url,
            order_url: "",
        };
        let (message, review) =
            (mime.message(to).unwrap(), mime.review(to, "semainier", &to.address.clone(), Timestamp::default()));
        assert!(Arc::ptr_eq(message.shared(), review.as_ref().unwrap().shared()));
        for raw in [message.to_bytes(), review.unwrap().to_bytes()] {
            let parsed = MessageParser::default().parse(&raw).unwrap();
            let kinds: Vec<_> = parsed
                .parts
                .iter()
                .map(|part| {
                    part.content_type().map(|t| format!("{}/{}", t.ctype(), t.subtype().unwrap_or(""))).unwrap()
                })
                .collect();
            let expected = [
                "multipart/mixed",
                "multipart/alternative",
                "text/plain",
                "multipart/related",
                "text/html",
                "image/jpeg",
                "image/jpeg",
                "application/pdf",
            ];
            assert_eq!(kinds, expected);
            let ids: Vec<_> = parsed.parts.iter().filter_map(|part| part.content_id()).collect();
            assert_eq!(ids, ["image-1.newsletter-2026-07@office.example", "image-2.newsletter-2026-07@office.example"]);
            assert_eq!(parsed.parts[6].contents(), [2; 300]);
            assert_eq!(parsed.parts[7].contents(), content().attachments[0].bytes);
        }
    }

    #[test]
    fn a_personal_reply_has_no_list_headers_and_an_order_link_is_personal() {
        let mut answer = content();
        answer.envelope.list_id = String::new();
        let order = Marks::named(&answer.envelope.marks).order;
        answer.text = format!("Commander : {order}\n");
        answer.html = format!("<a href=\"{order}\">Commander</a>");
        let (to, order_url) = (address("hotel@auch.example"), "https://a.example/o/c.e?x=1&y=2");
        let to =
            To { address: &to, name: "", establishment: "", message_id: "1@a.example", unsubscribe_url: "", order_url };
        let raw = Mime::new(answer).unwrap().message(to).unwrap().to_bytes();
        let message = MessageParser::default().parse(&raw).unwrap();
        for header in ["List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"] {
            assert!(message.header(header).is_none(), "{header}");
        }
        assert!(message.header("Auto-Submitted").is_some());
        assert!(message.body_text(0).unwrap().contains("Commander : https://a.example/o/c.e?x=1&y=2"));
        let html = message.body_html(0).unwrap();
        assert!(html.contains("href=\"https://a.example/o/c.e?x=1&amp;y=2\""), "{html}");
    }

    #[test]
    fn no_value_can_inject_a_header() {
        let to = address("hotel@auch.example");
        let mime = Mime::new(content()).unwrap();
        let name = "x\r\nBcc: y@z.fr";
        let to = To {
            address: &to,
            name,
            establishment: "",
            message_id: "1@a.example",
            unsubscribe_url: "https://a.example",
            order_url: "",
        };
        assert!(matches!(mime.message(to), Err(MimeError::Header { .. })));
    }

    #[test]
    fn an_attachment_of_ascii_puts_no_nul_into_the_message() {
        let bytes = b"texte\0\n".to_vec();
        let attachment = Attachment { name: "a.bin".to_owned(), media_type: "application/pdf".to_owned(), bytes };
        let mime = Mime::new(Content { attachments: vec![attachment.clone()], ..content() }).unwrap();
        let to = address("hotel@auch.example");
        let to = To {
            address: &to,
            name: "",
            establishment: "",
            message_id: "1@a.example",
            unsubscribe_url: "https://a.example",
            order_url: "",
        };
        let raw = mime.message(to).unwrap().to_bytes();
        assert!(!raw.contains(&0));
        let message = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(message.attachment(0).unwrap().contents(), attachment.bytes);
    }

    #[test]
    fn texts_and_attachments_are_shared_by_all_messages() {
        let mime = Mime::new(content()).unwrap();
        let message = |to: &EmailAddress| {
            mime.message(To {
                address: to,
                name: "",
                establishment: "",
                message_id: "1@a.example",
                unsubscribe_url: "https://a.example",
                order_url: "",
            })
            .unwrap()
        };
        let (a, b) = (message(&address("a@b.fr")), message(&address("c@d.fr")));
        assert!(Arc::ptr_eq(a.shared(), b.shared()));
        let own: usize = a.pieces().step_by(2).map(<[u8]>::len).sum();
        assert!(own < 2000, "{own} bytes are a recipient's own");
    }
}
