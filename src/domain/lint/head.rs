//! Rules of the message's header.

use super::{
    Audience, Expected, Finding, Place, Rule, may_be_aligned,
    message::{Field, Fields, Parsed, split_outside_quotes},
    words,
};
use chrono::DateTime;

/// Headers that no message may have more than once (RFC 5322 3.6; the others by their RFCs).
const ONCE: [&str; 16] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Message-ID",
    "Date",
    "Subject",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Auto-Submitted",
    "Feedback-ID",
];
const NEEDED: [&str; 6] = ["From", "To", "Date", "Message-ID", "Subject", "MIME-Version"];
const NEEDED_BY_LISTS: [&str; 3] = ["List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"];
/// Encoded-words of more characters are refused by some receivers, whatever they contain (RFC 2047 2).
const LONGEST_ENCODED_WORD: usize = 75;

pub(super) fn check(parsed: &Parsed, audience: Audience, expected: &Expected) -> Vec<Finding> {
    let fields = &parsed.whole.fields;
    let mut findings = counts(fields, audience);
    for field in parsed.whole.walk().into_iter().flat_map(|part| &part.fields.0) {
        findings.extend(encoded_words(field));
    }
    let mut of = |name: &str, check: &dyn Fn(&Field) -> Option<(Rule, String)>| {
        for field in fields.all(name) {
            let found = check(field);
            findings.extend(found.map(|(rule, detail)| Finding::new(rule, Place::Header(field.name.clone()), detail)));
        }
    };
    let from = addresses(fields.get("From").unwrap_or_default());
    let from_domain = from.as_deref().and_then(<[Address]>::first).map(|it| it.domain.clone());
    of("From", &|_| {
        let count = from.as_ref().map_or(0, Vec::len);
        (count != 1).then(|| (Rule::FromForm, count.to_string()))
    });
    of("To", &|field| match addresses(&field.value) {
        None => Some((Rule::ToForm, String::new())),
        Some(many) if many.len() > 1 => Some((Rule::SeveralRecipients, many.len().to_string())),
        Some(_) => None,
    });
    for name in ["From", "Sender", "Reply-To", "To", "Cc"] {
        of(name, &|field| {
            let domain = addresses(&field.value)?.into_iter().map(|it| it.domain).find(|it| !it.is_ascii())?;
            Some((Rule::DomainNotAscii, domain))
        });
    }
    of("Bcc", &|_| Some((Rule::BccHeader, String::new())));
    of("Date", &|field| date(&field.value));
    of("Message-ID", &|field| (!is_message_id(&field.value)).then(|| (Rule::MessageIdForm, String::new())));
    of("MIME-Version", &|field| (field.value != "1.0").then(|| (Rule::MimeVersion, field.value.clone())));
    of("Auto-Submitted", &|field| {
        let word = field.value.split(';').next().unwrap_or_default().trim();
        let is_known = ["auto-generated", "auto-replied"].iter().any(|it| word.eq_ignore_ascii_case(it));
        (!is_known).then(|| (Rule::AutoSubmittedForm, word.to_owned()))
    });
    of("List-Id", &|field| list_id(field, from_domain.as_deref()));
    let recipient = recipient(fields);
    of("List-Unsubscribe", &|field| unsubscribe(&field.value, recipient.as_deref()));
    of("List-Unsubscribe-Post", &|field| {
        (field.value != "List-Unsubscribe=One-Click").then(|| (Rule::UnsubscribePost, field.value.clone()))
    });
    let message_id = fields.get("Message-ID").unwrap_or_default();
    of("Feedback-ID", &|field| feedback_id(&field.value, message_id, recipient.as_deref()));
    let return_path = expected.return_path_domain.clone().or_else(|| {
        let stamped = fields.get("Return-Path")?.trim_matches(['<', '>']);
        stamped.rsplit_once('@').map(|(_, domain)| domain.to_owned())
    });
    if let Some((from, path)) = from_domain.zip(return_path)
        && !may_be_aligned(&from, &path)
    {
        let place = Place::Header("From".to_owned());
        findings.push(Finding::new(Rule::ReturnPathAlignment, place, format!("{from}, {path}")));
    }
    findings
}

/// The recipient's address in lower case, if it goes to exactly one.
pub(super) fn recipient(fields: &Fields) -> Option<String> {
    match &*addresses(fields.get("To")?)? {
        [one] => Some(format!("{}@{}", one.local, one.domain).to_ascii_lowercase()),
        _ => None,
    }
}

fn counts(fields: &Fields, audience: Audience) -> Vec<Finding> {
    let header = |rule: Rule, name: &str| Finding::new(rule, Place::Header(name.to_owned()), "");
    let mut findings = Vec::new();
    for name in ONCE {
        match fields.all(name).count() {
            0 if NEEDED.contains(&name) => findings.push(header(Rule::HeaderMissing, name)),
            0 if audience == Audience::List && NEEDED_BY_LISTS.contains(&name) => {
                findings.push(header(Rule::ListHeaderMissing, name));
            }
            0 if audience == Audience::List && name == "Feedback-ID" => {
                findings.push(header(Rule::FeedbackIdMissing, name));
            }
            0 if name == "Auto-Submitted" => findings.push(match audience {
                Audience::List => header(Rule::AutoSubmittedMissing, name),
                Audience::Person => header(Rule::AutoSubmittedMissing, name).lenient(),
            }),
            0 | 1 => {}
            count => {
                findings.push(Finding::new(Rule::HeaderRepeated, Place::Header(name.to_owned()), count.to_string()))
            }
        }
    }
    findings
}

fn encoded_words(field: &Field) -> Vec<Finding> {
    let (text, found) = words::decode(&field.value);
    let fault = |rule, detail: String| Finding::new(rule, Place::Header(field.name.clone()), detail);
    let mut findings = Vec::new();
    for word in found {
        if word.length > LONGEST_ENCODED_WORD {
            findings.push(fault(Rule::EncodedWordLong, format!("{} > {LONGEST_ENCODED_WORD}", word.length)));
        }
        if word.text.is_none() {
            findings.push(fault(Rule::EncodedWordBroken, String::new()));
        }
    }
    if text.contains(['\r', '\n', '\0']) {
        findings.push(fault(Rule::HeaderControl, String::new()));
    }
    findings
}

struct Address {
    local: String,
    domain: String,
}

/// The addresses of a list; `None`: one of them cannot be read, or there is none. Quoted local parts are not among ours.
fn addresses(value: &str) -> Option<Vec<Address>> {
    let value = value.trim().trim_end_matches(';');
    // A group: `undisclosed-recipients:;`
    let value = match value.split_once(':') {
        Some((name, members)) if !name.contains(['<', '@', '"']) => members,
        _ => value,
    };
    split_outside_quotes(value, ',').into_iter().map(address).collect()
}

fn address(text: &str) -> Option<Address> {
    let text = text.trim();
    let inside = match text.rsplit_once('<') {
        Some((_, after)) => after.strip_suffix('>')?,
        None => text,
    };
    let (inside, _) = words::decode(inside);
    let (local, domain) = inside.rsplit_once('@')?;
    let is_plain = |it: &str| !it.is_empty() && !it.contains(|c: char| c.is_whitespace() || "<>@,;\"".contains(c));
    let has_labels = domain.split('.').all(|label| !label.is_empty()) && domain.contains('.');
    let (local, domain) = (local.to_owned(), domain.to_owned());
    (is_plain(&local) && is_plain(&domain) && has_labels).then_some(Address { local, domain })
}

fn date(value: &str) -> Option<(Rule, String)> {
    // Comments are allowed: `Sat, 10 Jul 2027 08:00:00 +0200 (CEST)`.
    let plain = value.split('(').next().unwrap_or_default().trim();
    let zone = plain.rsplit(' ').next().unwrap_or_default();
    let is_numeric =
        zone.len() == 5 && zone.starts_with(['+', '-']) && zone[1..].bytes().all(|byte| byte.is_ascii_digit());
    if !is_numeric {
        return Some((Rule::DateZone, value.to_owned()));
    }
    DateTime::parse_from_rfc2822(plain).is_err().then(|| (Rule::DateForm, value.to_owned()))
}

fn is_message_id(value: &str) -> bool {
    let inside = value.strip_prefix('<').and_then(|it| it.strip_suffix('>'));
    let parts = inside.and_then(|it| it.split_once('@'));
    let is_plain = |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_graphic() && !b"<>@".contains(&b));
    parts.is_some_and(|(local, domain)| is_plain(local) && is_plain(domain))
}

fn list_id(field: &Field, from_domain: Option<&str>) -> Option<(Rule, String)> {
    let text = field.text();
    let identifier = text.rsplit_once('<').and_then(|(_, after)| after.strip_suffix('>'));
    let is_label = |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    match identifier {
        Some(id) if id.len() <= 255 && id.contains('.') && id.split('.').all(is_label) => {
            let is_ours = from_domain.is_none_or(|domain| may_be_aligned(id, domain));
            (!is_ours).then(|| (Rule::ListIdDomain, id.to_owned()))
        }
        Some(id) if !id.is_ascii() => Some((Rule::DomainNotAscii, id.to_owned())),
        _ => Some((Rule::ListIdForm, text.clone())),
    }
}

fn unsubscribe(value: &str, recipient: Option<&str>) -> Option<(Rule, String)> {
    let uris = uris(value);
    let is_of = |uri: &&&str, scheme: &str| uri.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme));
    let web = uris.iter().filter(|uri| is_of(uri, "https://")).count();
    let mails = uris.iter().filter(|uri| is_of(uri, "mailto:")).count();
    if web != 1 || web + mails != uris.len() || uris.iter().any(|uri| uri.contains(char::is_whitespace)) {
        return Some((Rule::UnsubscribeForm, format!("{web} https, {mails} mailto")));
    }
    let shows = |uri: &&str| {
        let lower = uri.to_ascii_lowercase();
        let names_one = ["?email=", "&email=", "?mail=", "&mail=", "?to=", "&to="].iter().any(|it| lower.contains(it));
        let is_web = lower.starts_with("https:");
        is_web && (names_one || lower.contains('@') || lower.contains("%40"))
            || recipient.is_some_and(|address| lower.replace("%40", "@").contains(address))
    };
    uris.iter().any(shows).then(|| (Rule::UnsubscribeAddress, String::new()))
}

/// What stands in angle brackets.
pub(super) fn uris(value: &str) -> Vec<&str> {
    value.split('<').skip(1).filter_map(|it| it.split_once('>')).map(|(uri, _)| uri).collect()
}

fn feedback_id(value: &str, message_id: &str, recipient: Option<&str>) -> Option<(Rule, String)> {
    let fields: Vec<_> = value.split(':').collect();
    let is_plain = !value.contains(char::is_whitespace);
    if fields.len() != 4 || !is_plain || !(5..=15).contains(&fields[3].chars().count()) {
        return Some((Rule::FeedbackIdForm, value.to_owned()));
    }
    // What is unique to a person: the address, or what also stands in the identifier of the message.
    let unique = message_id.trim_start_matches('<').split('@').next().unwrap_or_default();
    let names_one = value.contains('@')
        || recipient.is_some_and(|address| value.to_ascii_lowercase().contains(address))
        || !unique.is_empty() && fields.contains(&unique);
    names_one.then(|| (Rule::FeedbackIdPersonal, String::new()))
}
