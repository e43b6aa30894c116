//! A version of an issue as recipients will see it: on a screen, on a telephone, as text, on paper, and as it is transmitted.

use super::{Reading, When, issue_href};
use crate::domain::exception::Granted;
use crate::domain::issue::{Content, IssueKey, IssueSummary};
use crate::domain::partner::Contact;
use crate::issue::{agenda::printed_as, approval::short, rehearsal};
use crate::jobs::Attach;
use crate::notices::tonight::exceptions;
use crate::store::AudienceMember;
use serde::Serialize;

/// Lines of the raw message that are shown; the whole of it is a download.
const RAW_LINES: usize = 300;

/// A tab of the preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    #[default]
    Desktop,
    Phone,
    Text,
    Poster,
    Booklet,
    Raw,
}

impl View {
    pub const ALL: [View; 6] = [View::Desktop, View::Phone, View::Text, View::Poster, View::Booklet, View::Raw];

    /// The value of `vue=`, and the end of the key of its text.
    pub fn as_str(self) -> &'static str {
        match self {
            View::Desktop => "ordinateur",
            View::Phone => "telephone",
            View::Text => "texte",
            View::Poster => "affiche",
            View::Booklet => "livret",
            View::Raw => "brut",
        }
    }

    /// Anything unknown is the first tab.
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|view| view.as_str() == text).unwrap_or_default()
    }

    fn paper(self) -> Option<Attach> {
        match self {
            View::Poster => Some(Attach::Poster),
            View::Booklet => Some(Attach::Booklet),
            View::Desktop | View::Phone | View::Text | View::Raw => None,
        }
    }

    /// The place of its document among the attachments, from 1.
    pub fn document(self, content: &Content) -> Option<usize> {
        let attach = self.paper()?;
        content.attachments.iter().position(|it| printed_as(&it.name) == Some(attach)).map(|n| n + 1)
    }
}

/// What somebody chose to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choice<'a> {
    pub view: View,
    pub without_pictures: bool,
    /// Id of a contact. An id that is not among the recipients counts as none.
    pub like: Option<&'a str>,
}

impl Choice<'_> {
    /// As the end of an address.
    pub fn query(self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if self.view != View::default() {
            query.append_pair("vue", self.view.as_str());
        }
        if self.without_pictures {
            query.append_pair("images", "non");
        }
        if let Some(id) = self.like {
            query.append_pair("comme", id);
        }
        match query.finish() {
            text if text.is_empty() => text,
            text => format!("?{text}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TabLink {
    /// The end of the key of its text.
    pub key: &'static str,
    pub href: String,
    pub current: bool,
}

/// A recipient whose version of the mail is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reader {
    pub id: String,
    pub name: String,
    pub chosen: bool,
}

/// A page of a document as a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sheet {
    pub src: String,
    pub width: u32,
    pub height: u32,
    pub page: usize,
    /// What begins on it, in French; empty for nothing.
    pub headings: String,
}

/// A printed document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Document {
    pub name: String,
    pub href: String,
    pub kilobytes: u64,
    /// Empty: today's settings would print it differently, so no picture of it is shown.
    pub sheets: Vec<Sheet>,
}

/// The page of the preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    pub path: String,
    pub back: String,
    pub subject: String,
    pub sender: String,
    pub preheader: String,
    /// Of the whole message.
    pub kilobytes: u64,
    pub short_hash: String,
    /// [`View::as_str`]
    pub view: &'static str,
    pub tabs: Vec<TabLink>,
    /// The preview of the version that is kept now, where this is another one.
    pub present: Option<String>,
    /// By what the present version differs, in French.
    pub changes: Vec<String>,
    pub approved_by: Vec<(String, When)>,
    /// By whose exceptions it is as it is, in French; empty for none.
    pub exceptions: String,
    pub readers: Vec<Reader>,
    /// The same view without pictures, or with them.
    pub switch_pictures: String,
    pub without_pictures: bool,
    /// Address of the framed mail.
    pub mail: String,
    /// Where the message can be saved from.
    pub message: String,
    /// What the tab shows as text: the text of the mail, or the beginning of the message.
    pub text: String,
    /// Only the beginning of the message is shown.
    pub is_cut: bool,
    pub document: Option<Document>,
}

/// A version, and what is known around it.
pub struct Version<'a> {
    pub issue: &'a IssueSummary,
    /// The version that is looked at.
    pub content: &'a Content,
    pub hash: &'a str,
    /// The version that is kept now, where it is another one.
    pub present: Option<&'a Content>,
    /// The message as it is transmitted.
    pub message: &'a [u8],
    pub recipients: &'a [AudienceMember],
    /// Whose message it is, if of one of them.
    pub like: Option<&'a Contact>,
    /// Who approved this version, and when.
    pub approvals: Vec<(String, crate::domain::Timestamp)>,
}

impl Preview {
    /// Everything but the pictures of a document.
    pub fn new(it: &Reading<'_>, version: &Version<'_>, choice: Choice<'_>) -> Self {
        let Version { issue, content, hash, present, message, recipients, like, approvals } = version;
        let key = &issue.key;
        let base = base(key, hash);
        let choice = Choice { like: like.map(|contact| contact.id.as_str()), ..choice };
        let tabs = View::ALL.into_iter().filter(|view| view.paper().is_none() || view.document(content).is_some());
        let envelope = &content.envelope;
        let raw = match choice.view {
            View::Raw => String::from_utf8_lossy(message),
            _ => std::borrow::Cow::default(),
        };
        let readers = recipients.iter().map(|contact| Reader {
            id: contact.id.clone(),
            name: name(contact),
            chosen: choice.like == Some(&contact.id),
        });
        let document = choice.view.document(content).and_then(|n| Some((n, content.attachments.get(n - 1)?)));
        Self {
            path: key.to_string(),
            back: issue_href(key),
            subject: content.subject.clone(),
            sender: format!("{} <{}>", envelope.from_name, envelope.from_address),
            preheader: preheader(&content.html),
            kilobytes: message.len().div_ceil(1000) as u64,
            short_hash: short(hash).to_owned(),
            view: choice.view.as_str(),
            tabs: tabs
                .map(|view| TabLink {
                    key: view.as_str(),
                    href: format!("{base}{}", Choice { view, ..choice }.query()),
                    current: view == choice.view,
                })
                .collect(),
            present: present.and(issue.content_hash()).map(|hash| self::base(key, hash)),
            changes: present.map(|present| rehearsal::changes(content, present)).unwrap_or_default(),
            approved_by: approvals
                .iter()
                .map(|(by, at)| (by.clone(), When::new(*at, it.now, it.zone_of(key.mailing()))))
                .collect(),
            exceptions: exceptions(&granted(content)),
            readers: readers.collect(),
            switch_pictures: format!(
                "{base}{}",
                Choice { without_pictures: !choice.without_pictures, ..choice }.query()
            ),
            without_pictures: choice.without_pictures,
            mail: format!("{base}/mail.html{}", Choice { view: View::default(), ..choice }.query()),
            message: format!("{base}/message.eml{}", Choice { like: choice.like, ..Choice::default() }.query()),
            text: raw.lines().take(RAW_LINES).collect::<Vec<_>>().join("\n"),
            is_cut: raw.lines().nth(RAW_LINES).is_some(),
            document: document.map(|(n, it)| Document {
                name: it.name.clone(),
                href: format!("{base}/document-{n}"),
                kilobytes: it.bytes.len().div_ceil(1000) as u64,
                sheets: Vec::new(),
            }),
        }
    }
}

fn granted(content: &Content) -> Vec<Granted> {
    let agenda = || content.agenda().map(|agenda| agenda.exceptions).unwrap_or_default();
    content.letter().map_or_else(|_| agenda(), |letter| letter.exceptions)
}

/// Where everything of this version is.
pub fn base(key: &IssueKey, hash: &str) -> String {
    format!("{}/apercu/{hash}", issue_href(key))
}

/// The establishment and the person; the address where neither is known.
fn name(contact: &AudienceMember) -> String {
    let parts = [contact.establishment.as_str(), contact.name.as_str()];
    match parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => contact.address.clone(),
        known => known,
    }
}

/// The line that mail programs show beside the subject: the hidden text at the beginning of the body, in the frame of the mail or before
/// it. Empty if there is none.
pub fn preheader(html: &str) -> String {
    let body = html.find("<body").map_or(html, |at| &html[at..]);
    let mut rest = if body.starts_with("<body") { body.split_once('>').map_or("", |(_, rest)| rest) } else { body };
    while let Some((tag, inside)) = rest.trim_start().strip_prefix("<div").and_then(|div| div.split_once('>')) {
        if tag.contains("display:none") {
            let text = inside.split('<').next().unwrap_or_default();
            return crate::collect::html::text_of(text).trim().to_owned();
        }
        rest = inside;
    }
    String::new()
}

/// The mail with links that lead nowhere; where each would lead is told by its title.
pub fn inert(html: &str) -> String {
    let mut inert = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find("<a") {
        inert.push_str(&rest[..at]);
        let tag = &rest[at..];
        let (tag, after) = tag.split_at(tag.find('>').map_or(tag.len(), |end| end + 1));
        match tag.starts_with("<area") || tag[2..].starts_with(char::is_whitespace) {
            true => {
                inert.push_str(&[" ", "\n", "\t"].iter().fold(tag.to_owned(), |tag, blank| {
                    tag.replace(&format!("{blank}href="), &format!("{blank}title="))
                }))
            }
            false => inert.push_str(tag),
        }
        rest = after;
    }
    inert + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_a_preview_lead_nowhere_and_say_where_they_would() {
        let html =
            "<a href=\"https://a.fr/x\" style=\"b\">x</a><abbr href=\"y\">z</abbr><a\n href=\"c\"><area href='d'><a";
        let expected =
            "<a title=\"https://a.fr/x\" style=\"b\">x</a><abbr href=\"y\">z</abbr><a\n title=\"c\"><area title='d'><a";
        assert_eq!(inert(html), expected);
    }

    #[test]
    fn the_line_beside_the_subject_is_found_in_the_mail_and_nothing_else_is_taken_for_it() {
        let hidden = "<body style=\"x\"><div style=\"display:none;font-size:1px\"> L’été &amp; l&rsquo;hiver </div><div>Lundi</div>";
        assert_eq!(preheader(hidden), "L’été & l’hiver");
        let framed = "<body><div class=\"page\">\n<div style=\"display:none;mso-hide:all\">Onze rendez-vous</div><div>Lundi</div></div>";
        assert_eq!(preheader(framed), "Onze rendez-vous");
        assert_eq!(preheader("<body><div style=\"color:red\">Lundi</div><div style=\"display:none\">Mardi</div>"), "");
        assert_eq!((preheader(""), preheader("<body"), preheader("<div style=\"display:none\"")), Default::default());
    }

    #[test]
    fn an_address_says_what_was_chosen_and_nothing_more() {
        assert_eq!(Choice::default().query(), "");
        let choice = Choice { view: View::Phone, without_pictures: true, like: Some("a b") };
        assert_eq!(choice.query(), "?vue=telephone&images=non&comme=a+b");
        assert!(View::ALL.iter().all(|view| View::parse(view.as_str()) == *view));
        assert_eq!(View::parse("rien"), View::Desktop);
    }
}
