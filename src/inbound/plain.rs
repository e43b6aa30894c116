//! Messages of mail servers without a report, and automatic replies: recognised by their header and their words, in English and in
//! French. Exchange, qmail and older Exim write such bounces.

use super::{
    fields::Fields,
    message::{Action, MOST_RECIPIENTS, RecipientReport},
    report::{address, reply_in},
};
use crate::domain::{
    delivery::{Reply, keep},
    email::EmailAddress,
};

/// Local parts that only mail servers write from.
const SERVERS: [&str; 5] = ["mailer-daemon", "mail-daemon", "postmaster", "mailerdaemon", "mail delivery"];

/// Words of automatic replies, at the start of their subject.
const VACATION: [&str; 16] = [
    "réponse automatique",
    "reponse automatique",
    "réponse auto",
    "automatic reply",
    "auto-reply",
    "autoreply",
    "auto reply",
    "out of office",
    "out of the office",
    "absence du bureau",
    "absent du bureau",
    "message d'absence",
    "message d’absence",
    "absence :",
    "absence\u{a0}:",
    "en congés",
];

/// Words for "not yet", which give up nothing.
const DELAYED: [&str; 10] = [
    "warning only",
    "will be retried",
    "will retry",
    "will keep trying",
    "still being retried",
    "delayed",
    "sera réessayé",
    "nouvelles tentatives",
    "retardé",
    "différé",
];

/// Where the copy of our message begins in a text.
const COPY: [&str; 12] = [
    "--- below this line is a copy",
    "------ this is a copy",
    "--- the header of the original",
    "-- message original",
    "--- original message",
    "original message header",
    "original message follows",
    "diagnostic information for administrators",
    "informations de diagnostic pour les administrateurs",
    "en-têtes du message d’origine",
    "en-têtes du message d'origine",
    "\nreturn-path:",
];

/// Whether its return path is empty or its author a mail server. What a person wrote is never a bounce, whatever it says.
pub(super) fn is_from_a_mail_server(header: &Fields) -> bool {
    let from = header.get("from").unwrap_or_default().to_lowercase();
    SERVERS.iter().any(|name| from.contains(name)) || header.get("return-path").is_some_and(|it| it.trim() == "<>")
}

/// An out-of-office reply, which may come with an empty return path (RFC 3834 2).
pub(super) fn is_vacation(header: &Fields) -> bool {
    let from = header.get("from").unwrap_or_default().to_lowercase();
    let subject = decoded(header.get("subject").unwrap_or_default()).to_lowercase();
    let subject = subject.trim_start_matches("re:").trim_start_matches("tr:").trim_start();
    let is_server = SERVERS.iter().any(|name| from.contains(name));
    VACATION.iter().any(|words| subject.starts_with(words))
        || ["x-autoreply", "x-autorespond", "x-vacation"].iter().any(|name| header.get(name).is_some())
        || !is_server && header.get("auto-submitted").is_some_and(|it| it.to_lowercase().starts_with("auto-replied"))
}

/// RFC 3834 5: anything but `no`.
pub(super) fn is_automatic(header: &Fields) -> bool {
    let says = |name: &str, words: &[&str]| {
        header.get(name).is_some_and(|value| words.iter().any(|word| value.to_lowercase().starts_with(word)))
    };
    header.get("auto-submitted").is_some_and(|value| !value.to_lowercase().starts_with("no"))
        || says("precedence", &["bulk", "junk", "list", "auto_reply"])
        || header.get("list-id").is_some()
}

/// The text of a header field with encoded words (RFC 2047).
fn decoded(value: &str) -> String {
    let field = format!("Subject: {value}\r\n\r\n");
    let parsed = std::panic::catch_unwind(|| {
        let message = mail_parser::MessageParser::default().parse_headers(&field)?;
        message.subject().map(str::to_owned)
    });
    parsed.ok().flatten().unwrap_or_else(|| value.to_owned())
}

/// What a bounce without a report says of its recipients. One entry for all of them: such a message is about one delivery.
pub(super) fn report(header: &Fields, text: &str) -> RecipientReport {
    let lower = text.to_lowercase();
    let end = COPY.iter().filter_map(|words| lower.find(words)).min().unwrap_or(text.len());
    // Lower case may have other lengths.
    let own = &text[..text.floor_char_boundary(end)];
    let mut addresses: Vec<_> =
        header.all("x-failed-recipients").flat_map(|it| it.split(',')).filter_map(address).collect();
    addresses.extend(addresses_in(own));
    addresses.truncate(MOST_RECIPIENTS);
    let subject = decoded(header.get("subject").unwrap_or_default()).to_lowercase();
    let says_delayed = |text: &str| DELAYED.iter().any(|words| text.contains(words));
    // The server's words may stand among the technical ones further down.
    let said = reply_of(own).or_else(|| reply_of(text));
    let later = says_delayed(&subject) || says_delayed(&own.to_lowercase());
    let action = if later { Action::Delayed } else { Action::Failed };
    let said = said.unwrap_or_else(|| Reply { code: Some(550), enhanced: None, text: keep(first_words(own)) });
    RecipientReport { addresses, action, said }
}

/// The first reply in a text: `550 5.1.1 …` wherever it stands in a line, or a bare `5.1.1`.
fn reply_of(text: &str) -> Option<Reply> {
    let mut bare = None;
    for line in text.lines().take(2_000) {
        let mut at = 0;
        for word in line.split_inclusive([' ', '\t', '(', ':', '>', '«', '\u{a0}']) {
            let start = at;
            at += word.len();
            let word = word.trim_matches(|c: char| !c.is_ascii_digit() && c != '.');
            let code = word.get(..3).and_then(|it| it.parse::<u16>().ok()).filter(|code| (400..600).contains(code));
            if code.is_some() && (word.len() == 3 || word.as_bytes().get(3) == Some(&b'-')) {
                let rest = line[start..].trim_start_matches(|c: char| !c.is_ascii_digit());
                // A number alone is not yet a reply: "550 messages".
                let reply = reply_in(rest);
                let is_one =
                    |reply: &Reply| reply.enhanced.is_some() || line.to_lowercase().contains("said") || start == 0;
                if let Some(reply) = reply.filter(is_one) {
                    return Some(reply);
                }
            }
            let is_status = |word: &str| crate::domain::delivery::enhanced_status(500, word).is_some();
            if bare.is_none() && is_status(word) {
                bare = Some(Reply { code: Some(550), enhanced: Some(word.to_owned()), text: keep(line) });
            }
        }
    }
    bare
}

/// The first line that says something, without greeting.
fn first_words(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| line.chars().filter(|c| c.is_alphabetic()).count() > 20).unwrap_or_default()
}

/// Addresses in a text.
pub(super) fn addresses_in(text: &str) -> impl Iterator<Item = EmailAddress> {
    let ends = |c: char| c.is_whitespace() || "<>()[]{}\",;:«»'’".contains(c);
    text.split(ends).filter(|word| word.contains('@') && word.len() < 300).take(MOST_RECIPIENTS).filter_map(|word| {
        let word = word.strip_prefix("mailto:").unwrap_or(word);
        EmailAddress::parse(word.trim_end_matches('.')).ok()
    })
}

/// Message-IDs in the copy of a header within a text: `Message-ID: <…>`.
pub(super) fn message_ids(text: &str) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start_matches(['>', ' ', '|']);
        let is_id = line.get(..11).is_some_and(|name| name.eq_ignore_ascii_case("message-id:"));
        if is_id {
            // Folded where it is long.
            let value = match line[11..].trim() {
                "" => lines.next().unwrap_or_default().trim(),
                value => value,
            };
            found.push(value.to_owned());
        }
    }
    found.into_iter()
}

/// The words of an HTML page, for a server that writes nothing else.
pub(super) fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        let tag = &rest[open..];
        // An address in angle brackets is none.
        let Some(close) = tag.find('>') else { break };
        let name = tag[1..close].trim_start_matches('/').to_ascii_lowercase();
        if ["br", "p", "div", "tr", "li", "td"].iter().any(|it| name == *it || name.starts_with(&format!("{it} "))) {
            text.push('\n');
        }
        rest = &tag[close + 1..];
    }
    text.push_str(rest);
    [("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&#43;", "+"), ("&amp;", "&")]
        .iter()
        .fold(text, |text, (entity, c)| text.replace(entity, c))
}
