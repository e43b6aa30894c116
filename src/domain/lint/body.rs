//! Rules of the parts: their structure and encoding, what is read, links, pictures, attachments.

use super::{
    Audience, Expected, Finding, Place, Rule,
    head::{recipient, uris},
    html::{Html, Tag},
    message::{Parsed, Part},
};
use std::collections::BTreeSet;

/// Bytes of HTML that Gmail shows.
const HTML_MAX: usize = 102 * 1024;
/// RFC 2045 6.7 and 6.8: a line of quoted-printable or base64, without CRLF.
const ENCODED_LINE: usize = 76;
/// How texts in French and English call it.
const UNSUBSCRIBE: [&str; 5] = ["désinscri", "desinscri", "désabonn", "desabonn", "unsubscri"];

pub(super) fn check(parsed: &Parsed, audience: Audience, expected: &Expected) -> Vec<Finding> {
    let parts = parsed.whole.walk();
    let mut findings: Vec<_> = parts.iter().flat_map(|part| of_part(part)).collect();
    let first = |kind: &str| parts.iter().copied().find(|part| part.is_text(kind));
    let (text_part, html_part) = (first("text/plain"), first("text/html"));
    let whole = |rule| Finding::new(rule, Place::Message, "");
    match (text_part, html_part, audience) {
        (None, Some(_), Audience::List) => findings.push(whole(Rule::NoText)),
        (None, Some(_), Audience::Person) => findings.push(whole(Rule::NoText).lenient()),
        (Some(_), None, Audience::List) => findings.push(whole(Rule::NoHtml)),
        (None, None, _) => findings.push(whole(Rule::EmptyPart)),
        _ => {}
    }
    findings.extend(parts.iter().filter(|part| part.kind.word == "multipart/alternative").flat_map(|part| {
        let position = |kind: &str| part.parts.iter().position(|it| it.walk().iter().any(|it| it.is_text(kind)));
        let is_reversed = position("text/html").zip(position("text/plain")).is_some_and(|(html, text)| html < text);
        is_reversed.then(|| whole(Rule::AlternativeOrder))
    }));
    let text = text_part.and_then(Part::text);
    let source = html_part.and_then(Part::text);
    let html = source.as_deref().map(Html::of);
    if let Some(text) = &text {
        findings.extend(text.trim().is_empty().then(|| Finding::new(Rule::EmptyPart, Place::Text, "")));
        findings.extend(placeholders(text, &Place::Text, expected));
    }
    if let (Some(source), Some(html)) = (&source, &html) {
        findings.extend(html.text.trim().is_empty().then(|| Finding::new(Rule::EmptyPart, Place::Html, "")));
        findings.extend(placeholders(source, &Place::Html, expected));
        if source.len() > HTML_MAX {
            findings.push(Finding::new(Rule::HtmlTooLong, Place::Html, format!("{} > {HTML_MAX}", source.len())));
        }
        let has_lang = html.tags.iter().any(|tag| tag.name == "html" && tag.get("lang").is_some());
        findings.extend((!has_lang).then(|| Finding::new(Rule::NoLang, Place::Html, "")));
        findings.extend(pictures(html, &parts));
        findings.extend(active(html));
    }
    findings.extend(links(parsed, audience, text.as_deref(), html.as_ref()));
    findings
}

/// Encoding, charset, name.
fn of_part(part: &Part) -> Vec<Finding> {
    let (mut findings, encoding, raw) = (Vec::new(), part.encoding(), part.raw());
    let is_multipart = part.kind.word.starts_with("multipart/");
    let longest = || raw.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line).len()).max();
    match &*encoding {
        "7bit" | "quoted-printable" | "base64" if !is_multipart && !raw.is_ascii() => {
            findings.push(part.fault(Rule::Encoding, &format!("8-bit, {encoding}")));
        }
        "7bit" | "8bit" | "binary" => {}
        "quoted-printable" | "base64" if is_multipart => findings.push(part.fault(Rule::Encoding, &encoding)),
        "quoted-printable" | "base64" if longest().is_some_and(|it| it > ENCODED_LINE) => {
            findings.push(part.fault(Rule::Encoding, &format!("{encoding}, > {ENCODED_LINE}")));
        }
        "quoted-printable" | "base64" if part.bytes().is_none() => {
            findings.push(part.fault(Rule::Encoding, &encoding));
        }
        "quoted-printable" | "base64" => {}
        other => findings.push(part.fault(Rule::Encoding, other)),
    }
    let is_text = part.kind.word.starts_with("text/");
    if is_text && findings.is_empty() && part.text().is_none() {
        findings.push(part.fault(Rule::Charset, part.kind.get("charset").unwrap_or("us-ascii")));
    }
    let name = part.file_name().unwrap_or_default();
    let is_pdf = part.kind.word == "application/pdf";
    let is_usable = !name.trim().is_empty() && !name.contains(['/', '\\']) && !name.contains(char::is_control);
    let has_type = !is_pdf || name.to_ascii_lowercase().ends_with(".pdf");
    if (part.is_attachment() || is_pdf) && !(is_usable && has_type) {
        findings.push(part.fault(Rule::AttachmentName, name));
    }
    findings
}

fn placeholders(text: &str, place: &Place, expected: &Expected) -> Option<Finding> {
    let excerpt = |at: usize| text[at..].chars().take(50).take_while(|c| !c.is_whitespace()).collect::<String>();
    if let Some(at) = expected.placeholder.as_deref().and_then(|it| text.find(it)) {
        return Some(Finding::new(Rule::PlaceholderLeft, place.clone(), excerpt(at)));
    }
    if let Some(at) = text.find("SEMAINIER-") {
        let finding = Finding::new(Rule::PlaceholderLeft, place.clone(), excerpt(at));
        // A text that somebody wrote or we read may say anything.
        return Some(if expected.placeholder.is_some() { finding.lenient() } else { finding });
    }
    let at = text.find("{{").or_else(|| text.find("{%"))?;
    Some(Finding::new(Rule::PlaceholderLike, place.clone(), excerpt(at)))
}

fn pictures(html: &Html, parts: &[&Part]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let fault = |rule, detail: &str| Finding::new(rule, Place::Html, detail);
    let ids: BTreeSet<_> =
        parts.iter().filter_map(|part| part.fields.get("Content-ID")).map(|id| id.trim_matches(['<', '>'])).collect();
    for tag in html.tags.iter().filter(|tag| tag.name == "img") {
        let source = tag.get("src").unwrap_or_default();
        findings.extend(tag.get("alt").is_none().then(|| fault(Rule::NoAlt, source)));
        match source.split_once(':') {
            Some(("cid", id)) if !ids.contains(id) => findings.push(fault(Rule::BrokenPicture, source)),
            Some(("cid" | "data", _)) => {}
            _ if is_hidden(tag) => findings.push(fault(Rule::TrackingPixel, &host_of(source))),
            Some(_) => findings.push(fault(Rule::RemoteImage, &host_of(source))),
            None => findings.push(fault(Rule::BrokenPicture, source)),
        }
    }
    let backgrounds = html.tags.iter().filter_map(|tag| tag.get("background")).filter(|it| it.contains("://"));
    findings.extend(backgrounds.map(|source| fault(Rule::RemoteImage, &host_of(source))));
    findings
}

/// A picture of no size, or that is not shown.
fn is_hidden(tag: &Tag) -> bool {
    let is_nothing = |value: &str| matches!(value.trim().trim_end_matches("px"), "0" | "1");
    let style = tag.get("style").unwrap_or_default().to_ascii_lowercase();
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
    ["width", "height"].iter().any(|side| tag.get(side).is_some_and(is_nothing))
        || style.split(';').filter_map(|it| it.split_once(':')).any(|(name, value)| match name {
            "width" | "height" | "max-height" | "max-width" => is_nothing(value),
            "display" => value == "none",
            "visibility" => value == "hidden",
            "opacity" => value == "0",
            _ => false,
        })
}

fn active(html: &Html) -> Vec<Finding> {
    let fault = |what: &str| Finding::new(Rule::ActiveContent, Place::Html, what);
    let mut findings = Vec::new();
    for tag in &html.tags {
        if matches!(
            &*tag.name,
            "script" | "form" | "input" | "button" | "iframe" | "frame" | "object" | "embed" | "applet"
        ) {
            findings.push(fault(&tag.name));
        }
        let is_handler = |name: &str| name.starts_with("on") && name.len() > 4;
        findings.extend(tag.attributes.iter().filter(|(name, _)| is_handler(name)).map(|(name, _)| fault(name)));
        let runs = |value: &&str| value.trim_start().to_ascii_lowercase().starts_with("javascript:");
        findings.extend(tag.get("href").filter(runs).map(|_| fault("javascript:")));
    }
    findings
}

fn links(parsed: &Parsed, audience: Audience, text: Option<&str>, html: Option<&Html>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let in_text: Vec<String> = text.map(urls).unwrap_or_default();
    let in_html: Vec<String> = html.map(hrefs).unwrap_or_default();
    let recipient = recipient(&parsed.whole.fields);
    for (place, links) in [(Place::Text, &in_text), (Place::Html, &in_html)] {
        for link in links.iter().filter(|link| is_web(link)) {
            let fault = |rule| Finding::new(rule, place.clone(), host_of(link));
            let lower = link.to_lowercase().replace("%40", "@");
            findings.extend(lower.starts_with("http://").then(|| fault(Rule::HttpLink)));
            findings.extend((!host_of(link).is_ascii()).then(|| fault(Rule::LinkNotAscii)));
            findings.extend(recipient.as_deref().filter(|it| lower.contains(it)).map(|_| fault(Rule::AddressInLink)));
        }
    }
    if let (Some(text), Some(_)) = (text, html) {
        let known: BTreeSet<_> = in_text.iter().map(|link| plain(link)).collect();
        for link in in_html.iter().filter(|link| is_web(link)) {
            // A text may write an address without its scheme.
            let short = plain(link);
            let is_there = known.contains(short) || text.contains(short);
            findings.extend((!is_there).then(|| Finding::new(Rule::LinkOnlyInHtml, Place::Html, link)));
        }
    }
    if audience == Audience::List {
        let one_click = parsed.whole.fields.get("List-Unsubscribe").map(uris).unwrap_or_default();
        let is_way_out = |link: &String| {
            let lower = link.to_lowercase();
            one_click.contains(&&**link) || UNSUBSCRIBE.iter().any(|word| lower.contains(word))
        };
        let says = |text: &str| UNSUBSCRIBE.iter().any(|word| text.to_lowercase().contains(word));
        let of_text = text.map(|text| (Place::Text, !in_text.iter().any(is_way_out) && !says(text)));
        let of_html =
            html.map(|html| (Place::Html, in_html.is_empty() || !in_html.iter().any(is_way_out) && !says(&html.text)));
        let lacking = [of_text, of_html].into_iter().flatten().filter(|(_, lacks)| *lacks);
        findings.extend(lacking.map(|(place, _)| Finding::new(Rule::NoUnsubscribeLink, place, "")));
    }
    findings
}

fn is_web(link: &str) -> bool {
    let lower = link.get(..8).unwrap_or(link).to_ascii_lowercase();
    lower.starts_with("http://") || lower.starts_with("https://")
}

/// Without what differs between two ways of writing the same address.
fn plain(link: &str) -> &str {
    link.split_once("://").map_or(link, |(_, rest)| rest).trim_end_matches('/')
}

/// The host of a link, which names nobody.
fn host_of(link: &str) -> String {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    host.rsplit('@').next().unwrap_or_default().to_owned()
}

fn hrefs(html: &Html) -> Vec<String> {
    let anchors = html.tags.iter().filter(|tag| matches!(&*tag.name, "a" | "area"));
    anchors.filter_map(|tag| tag.get("href")).map(|href| href.trim().to_owned()).collect()
}

/// The addresses in a plain text.
fn urls(text: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(at) = ["https://", "http://", "mailto:"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let url = &rest[at..];
        let end = url.find(|c: char| c.is_whitespace() || "<>\"»".contains(c)).unwrap_or(url.len());
        let url = url[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '’', '…']);
        found.push(url.to_owned());
        rest = &rest[at + end.max(1)..];
    }
    found
}
