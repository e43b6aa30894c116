//! A version of an issue: the page that shows it from all sides, and its parts. The address holds the hash, so that what
//! somebody looks at is what they think it is; what was approved or refused stays there after it was replaced.

use super::Asked;
use crate::accounts::Viewer;
use crate::actions::test_mail;
use crate::compose::{
    context::Marks,
    mime::{self, Mime, To},
    print::Picture,
};
use crate::domain::{
    email::EmailAddress,
    issue::{Content, IssueKey, IssueSummary},
    partner::Contact,
};
use crate::issue::{agenda, content::on_a_blocking_thread, edition};
use crate::store::AudienceMember;
use crate::views::console::preview::{Choice, Preview, Sheet, Version, View, base, inert};
use crate::web::{
    answer::{self, Answer},
    console::Console,
    public::filled,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use std::sync::{Arc, Mutex, PoisonError};

/// Recipients that are offered to read as.
const READERS: u32 = 200;
/// Documents whose pictures stay in memory, each about 200 kB a page.
const KEPT: usize = 4;

/// The hash of a version, and the place of a document in it.
type DocumentId = (String, usize);

/// Pictures of documents that were printed again, by the hash of the version and the document's place.
#[derive(Default)]
pub(in crate::web::console) struct Printed {
    kept: Mutex<Vec<(DocumentId, Arc<Vec<Picture>>)>>,
    /// One is printed, the others wait: printing takes a processor.
    printing: tokio::sync::Mutex<()>,
}

impl Printed {
    fn find(&self, of: &DocumentId) -> Option<Arc<Vec<Picture>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(it, _)| it == of).map(|(_, pictures)| Arc::clone(pictures))
    }

    fn keep(&self, of: DocumentId, pictures: &Arc<Vec<Picture>>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.truncate(KEPT - 1);
        kept.insert(0, (of, Arc::clone(pictures)));
    }
}

/// A version that is kept.
struct Kept {
    issue: IssueSummary,
    hash: String,
    content: Content,
    is_present: bool,
}

impl Console {
    /// `None`: no such version, or it was replaced and nobody decided about it.
    async fn kept(&self, key: &IssueKey, hash: String) -> anyhow::Result<Option<Kept>> {
        let Some(issue) = self.store().issue(key).await? else { return Ok(None) };
        let is_present = issue.content_hash() == Some(&hash);
        let content = match is_present {
            true => self.store().content(key).await?,
            false => self.store().past_content(key, &hash).await?,
        };
        Ok(content.map(|content| Kept { issue, hash, content, is_present }))
    }

    /// Some recipients of the mailing as of now, and the one with this id among them.
    async fn readers(
        &self,
        key: &IssueKey,
        like: Option<&str>,
    ) -> anyhow::Result<(Vec<AudienceMember>, Option<Contact>)> {
        let Some(mailing) = self.mailings().iter().find(|it| it.id == key.mailing()) else { return Ok((vec![], None)) };
        let Some(mailing) = edition::mailing_for(&self.engine, mailing, Some(key)).await? else {
            return Ok((vec![], None));
        };
        let segment = mailing.segment.as_ref();
        let some = self.store().audience_sample(&mailing.id, &mailing.audience, segment, READERS).await?;
        let like = match like.filter(|id| some.iter().any(|contact| contact.id == *id)) {
            Some(id) => self.store().contacts_by_id(&[id.to_owned()]).await?.pop(),
            None => None,
        };
        Ok((some, like))
    }

    /// Pictures of the document at this place, from 1; `None` where today's settings print it differently.
    async fn pictures(&self, kept: &Kept, n: usize) -> anyhow::Result<Option<Arc<Vec<Picture>>>> {
        let of = (kept.hash.clone(), n);
        if let Some(pictures) = self.printed.find(&of) {
            return Ok(Some(pictures));
        }
        let _printing = self.printed.printing.lock().await;
        if let Some(pictures) = self.printed.find(&of) {
            return Ok(Some(pictures));
        }
        let (Ok(mailing), Some(document)) = (
            self.engine.app.mailing(&kept.issue.mailing),
            n.checked_sub(1).and_then(|n| kept.content.attachments.get(n)),
        ) else {
            return Ok(None);
        };
        let scheduled_for = kept.issue.scheduled_for;
        let made = agenda::pictures(&self.engine.app, mailing, scheduled_for, &kept.content, document).await?;
        Ok(made.map(|pictures| {
            let pictures = Arc::new(pictures);
            self.printed.keep(of, &pictures);
            pictures
        }))
    }
}

fn choice(asked: &Asked) -> Choice<'_> {
    Choice {
        view: View::parse(asked.get("vue").unwrap_or_default()),
        without_pictures: asked.get("images") == Some("non"),
        like: asked.get("comme"),
    }
}

pub(super) async fn page(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((mailing, period, hash)): Path<(String, String, String)>,
    asked: Asked,
) -> Answer {
    let Ok(key) = IssueKey::parse(&format!("{mailing}/{period}")) else { return console.nowhere(&viewer) };
    match shown(&console, &key, hash, choice(&asked)).await {
        Ok(Some(page)) => console.page(&viewer, "/envois", "preview", &page),
        Ok(None) => console.message(&viewer, StatusCode::NOT_FOUND, "outdated"),
        Err(error) => console.not_done(&viewer, error.into()),
    }
}

async fn shown(console: &Console, key: &IssueKey, hash: String, choice: Choice<'_>) -> anyhow::Result<Option<Preview>> {
    let Some(kept) = console.kept(key, hash).await? else { return Ok(None) };
    let (recipients, like) = console.readers(key, choice.like).await?;
    let present = match kept.is_present {
        true => None,
        false => console.store().content(key).await?,
    };
    let approvals = console.store().approvals(key).await?.into_iter();
    let approvals = approvals.filter(|it| it.counts_for(Some(&kept.hash)));
    let message = message(&kept.content, like.as_ref(), &console.config().sender.address).await?;
    let version = Version {
        issue: &kept.issue,
        content: &kept.content,
        hash: &kept.hash,
        present: present.as_ref(),
        message: &message,
        recipients: &recipients,
        like: like.as_ref(),
        approvals: approvals.map(|it| (it.by, it.at)).collect(),
    };
    let mut page = Preview::new(&console.reading(), &version, choice);
    if choice.view == View::Text {
        page.text = text(&kept.content, like.as_ref());
    }
    if let (Some(document), Some(n)) = (&mut page.document, choice.view.document(&kept.content))
        && let Some(pictures) = console.pictures(&kept, n).await?
    {
        let base = base(key, &kept.hash);
        let sheet = |(page, it): (usize, &Picture)| Sheet {
            src: format!("{base}/document-{n}-page-{page}.svg"),
            width: it.width,
            height: it.height,
            page,
            headings: it.headings.join(", "),
        };
        document.sheets = (1..).zip(&*pictures).map(sheet).collect();
    }
    Ok(Some(page))
}

/// `mail.html`, `texte.txt`, `message.eml`, `document-1`, `document-1-page-2.svg`.
pub(super) async fn file(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((mailing, period, hash, file)): Path<(String, String, String, String)>,
    asked: Asked,
) -> Answer {
    let Ok(key) = IssueKey::parse(&format!("{mailing}/{period}")) else { return console.nowhere(&viewer) };
    let made = async {
        let Some(kept) = console.kept(&key, hash).await? else {
            return Ok(console.message(&viewer, StatusCode::NOT_FOUND, "outdated"));
        };
        part(&console, &viewer, kept, &file, choice(&asked)).await
    };
    made.await.unwrap_or_else(|error: anyhow::Error| console.not_done(&viewer, error.into()))
}

async fn part(
    console: &Console,
    viewer: &Viewer,
    kept: Kept,
    file: &str,
    choice: Choice<'_>,
) -> anyhow::Result<Answer> {
    let like = match (file, choice.like) {
        ("mail.html" | "texte.txt" | "message.eml", Some(_)) => console.readers(&kept.issue.key, choice.like).await?.1,
        _ => None,
    };
    Ok(match file {
        "mail.html" => {
            let html = mail(&kept.content, like.as_ref());
            match choice.without_pictures {
                true => answer::bare_mail(html),
                false => answer::preview(answer::HTML, html.into_bytes(), None),
            }
        }
        "texte.txt" => {
            let text = text(&kept.content, like.as_ref());
            answer::preview("text/plain; charset=utf-8", text.into_bytes(), None)
        }
        "message.eml" => {
            let bytes = message(&kept.content, like.as_ref(), &console.config().sender.address).await?;
            answer::download("message/rfc822", bytes, &format!("{}.eml", kept.issue.key.slug()))
        }
        document => {
            let Some(rest) = document.strip_prefix("document-") else { return Ok(console.nowhere(viewer)) };
            if let Some((n, page)) = rest.strip_suffix(".svg").and_then(|rest| rest.split_once("-page-")) {
                let (Ok(n), Ok(page)) = (n.parse::<usize>(), page.parse::<usize>()) else {
                    return Ok(console.nowhere(viewer));
                };
                let pictures = console.pictures(&kept, n).await?;
                let picture = pictures.as_deref().and_then(|all| all.get(page.checked_sub(1)?));
                return Ok(picture.map_or_else(|| console.nowhere(viewer), |it| answer::picture(it.svg.clone())));
            }
            let n = rest.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
            match n.and_then(|n| kept.content.attachments.into_iter().nth(n)) {
                // Only what a browser shows without running anything; anything else is saved.
                Some(it) if it.media_type == "application/pdf" => {
                    answer::preview("application/pdf", it.bytes, Some(&it.name))
                }
                Some(it) => answer::preview("application/octet-stream", it.bytes, Some(&it.name)),
                None => console.nowhere(viewer),
            }
        }
    })
}

/// Personal links are those of a test: a preview unsubscribes nobody.
fn links(content: &Content) -> [String; 2] {
    content.envelope.public_url.parse::<url::Url>().map(|url| test_mail::links(&url)).unwrap_or_default()
}

fn establishment(like: Option<&Contact>) -> String {
    let name = like.map(|contact| contact.partner.name.as_str()).filter(|name| !name.is_empty());
    name.map(|name| format!(" ({name})")).unwrap_or_default()
}

pub(super) fn mail(content: &Content, like: Option<&Contact>) -> String {
    let [unsubscribe, order] = links(content).map(|link| mime::escaped(&link));
    inert(&filled(content, &unsubscribe, &order, &mime::escaped(&establishment(like))))
}

pub(super) fn text(content: &Content, like: Option<&Contact>) -> String {
    let marks = Marks::named(&content.envelope.marks);
    let [unsubscribe, order] = links(content);
    let text = content.text.replace(&marks.unsubscribe, &unsubscribe).replace(&marks.order, &order);
    text.replace(&marks.establishment, &establishment(like)).replace(&marks.view, &content.envelope.public_url)
}

/// As it goes to this recipient, or to one without name, but for personal links.
pub(super) async fn message(
    content: &Content,
    like: Option<&Contact>,
    sender: &EmailAddress,
) -> anyhow::Result<Vec<u8>> {
    let [unsubscribe_url, order_url] = links(content);
    let (content, like, sender) = (content.clone(), like.cloned(), sender.clone());
    let made = on_a_blocking_thread(move || {
        let to = To {
            address: like.as_ref().map_or(&sender, |contact| &contact.address),
            name: like.as_ref().map_or("", |contact| &contact.name),
            establishment: like.as_ref().map_or("", |contact| &contact.partner.name),
            message_id: "apercu@semainier.invalid",
            unsubscribe_url: &unsubscribe_url,
            order_url: &order_url,
        };
        Ok::<_, mime::MimeError>(Mime::new(content)?.message(to)?.to_bytes())
    });
    Ok(made.await??)
}
