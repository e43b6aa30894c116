//! Editions: the list, the page of one with its files, its mail before it is announced, a test of it to oneself, and taking an
//! announcement back.

use super::super::gate::{GET, POST, Route, route};
use super::{Asked, preview};
use crate::accounts::{Permission, Viewer};
use crate::actions::{
    self, ActionError,
    accounts::login::Client,
    test_mail::{self, Addressee, Tested},
};
use crate::domain::edition::EditionFile;
use crate::views::console::{
    editions::{self, EditionPage, EditionRow},
    escaped,
};
use crate::web::{
    answer::{self, Answer},
    console::Console,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// The console answers within 15 seconds, whatever the relay does.
const PATIENCE: Duration = Duration::from_secs(10);
/// What `fait=` may say on the page of an edition.
const DONE: [&str; 4] = ["saved", "unchanged", "announced", "taken_back"];
/// The same on the page of its mail.
const TESTED: [&str; 2] = ["tested", "test_waits"];

pub(super) fn routes() -> Vec<Route> {
    let see = Permission::See;
    vec![
        route(GET, "/editions", see, list),
        route(GET, "/editions/{slug}", see, one),
        route(GET, "/editions/{slug}/couverture.jpg", see, cover),
        route(GET, "/editions/{slug}/brochure.pdf", see, pdf),
        route(GET, "/editions/{slug}/apercu", see, mail_page),
        route(GET, "/editions/{slug}/apercu/{file}", see, mail_file),
        route(POST, "/editions/{slug}/essai", Permission::Write, test),
        route(GET, "/editions/{slug}/retirer", Permission::Approve, show_take_back),
        route(POST, "/editions/{slug}/retirer", Permission::Approve, take_back),
    ]
}

/// The page of an edition.
pub(super) fn href(slug: &str) -> String {
    // A slug has letters, digits and - only; anything else comes from an address.
    match slug.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        true => format!("/editions/{slug}"),
        false => format!("/editions/{}", escaped(slug)),
    }
}

#[derive(Debug, Serialize)]
struct ListPage {
    rows: Vec<EditionRow>,
}

async fn list(State(console): State<Arc<Console>>, viewer: Viewer) -> Answer {
    match editions::list(&console.reading()).await {
        Ok(rows) => console.page(&viewer, "/editions", "editions", &ListPage { rows }),
        Err(error) => console.broken(&viewer, &error),
    }
}

#[derive(Debug, Serialize)]
struct OnePage {
    it: EditionPage,
    href: String,
    /// Key of what was just done; empty for nothing.
    done: &'static str,
}

async fn one(State(console): State<Arc<Console>>, viewer: Viewer, Path(slug): Path<String>, asked: Asked) -> Answer {
    match editions::one(&console.reading(), &slug).await {
        Ok(Some(it)) => {
            let done = DONE.into_iter().find(|it| asked.get("fait") == Some(it)).unwrap_or_default();
            console.page(&viewer, "/editions", "edition", &OnePage { it, href: href(&slug), done })
        }
        Ok(None) => console.nowhere(&viewer),
        Err(error) => console.broken(&viewer, &error),
    }
}

async fn cover(State(console): State<Arc<Console>>, viewer: Viewer, Path(slug): Path<String>) -> Answer {
    console.edition_file(&viewer, &slug, EditionFile::Cover).await
}

async fn pdf(State(console): State<Arc<Console>>, viewer: Viewer, Path(slug): Path<String>) -> Answer {
    console.edition_file(&viewer, &slug, EditionFile::Pdf).await
}

impl Console {
    async fn edition_file(&self, viewer: &Viewer, slug: &str, file: EditionFile) -> Answer {
        match self.store().edition_file(slug, file).await {
            Ok(Some(bytes)) => match file {
                EditionFile::Cover => answer::preview(file.media_type(), bytes, None),
                EditionFile::Pdf => answer::preview(file.media_type(), bytes, Some(&format!("{slug}.pdf"))),
            },
            Ok(None) => self.nowhere(viewer),
            Err(error) => self.broken(viewer, &error),
        }
    }

    /// The title of an edition.
    pub(super) async fn edition_title(&self, slug: &str) -> Result<Option<String>, crate::store::StoreError> {
        Ok(self.store().edition(slug).await?.map(|it| it.edition.title))
    }
}

#[derive(Debug, Serialize)]
struct MailPage {
    title: String,
    href: String,
    subject: String,
    sender: String,
    /// Empty: as it is; `telephone`, `texte`.
    view: &'static str,
    text: String,
    /// Key of what was just done; empty for nothing.
    done: &'static str,
    /// Why it cannot be shown or tested, in French.
    refused: Option<String>,
}

async fn mail_page(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(slug): Path<String>,
    asked: Asked,
) -> Answer {
    let done = TESTED.into_iter().find(|it| asked.get("fait") == Some(it)).unwrap_or_default();
    let view = ["telephone", "texte"].into_iter().find(|it| asked.get("vue") == Some(it)).unwrap_or_default();
    console.mail_of_edition(&viewer, &slug, view, done, None).await
}

impl Console {
    async fn mail_of_edition(
        &self,
        viewer: &Viewer,
        slug: &str,
        view: &'static str,
        done: &'static str,
        refused: Option<String>,
    ) -> Answer {
        let title = match self.edition_title(slug).await {
            Ok(Some(title)) => title,
            Ok(None) => return self.nowhere(viewer),
            Err(error) => return self.broken(viewer, &error),
        };
        let mut page = MailPage {
            title,
            href: href(slug),
            subject: String::new(),
            sender: String::new(),
            view,
            text: String::new(),
            done,
            refused,
        };
        match actions::announce::rehearse(&self.engine, slug).await {
            Ok((_, content)) => {
                page.subject.clone_from(&content.subject);
                page.sender = format!("{} <{}>", content.envelope.from_name, content.envelope.from_address);
                if view == "texte" {
                    page.text = preview::text(&content, None);
                }
            }
            Err(ActionError::Refused(refusal)) => page.refused = Some(refusal.in_french()),
            Err(error) => return self.not_done(viewer, error),
        }
        let status = if page.refused.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
        self.shown(status, Some(viewer), "/editions", "edition_mail", &page)
    }
}

/// `mail.html`, `message.eml`
async fn mail_file(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((slug, file)): Path<(String, String)>,
) -> Answer {
    let (key, content) = match actions::announce::rehearse(&console.engine, &slug).await {
        Ok(made) => made,
        Err(ActionError::Refused(_)) => return console.nowhere(&viewer),
        Err(error) => return console.not_done(&viewer, error),
    };
    match file.as_str() {
        "mail.html" => answer::preview(answer::HTML, preview::mail(&content, None).into_bytes(), None),
        "message.eml" => match preview::message(&content, None, &console.config().sender.address).await {
            Ok(bytes) => answer::download("message/rfc822", bytes, &format!("{}.eml", key.slug())),
            Err(error) => console.not_done(&viewer, error.into()),
        },
        _ => console.nowhere(&viewer),
    }
}

async fn test(State(console): State<Arc<Console>>, viewer: Viewer, Path(slug): Path<String>, client: Client) -> Answer {
    let sent = async {
        let to = Addressee::account(&console.engine, &viewer.user).await?;
        test_mail::send_edition(&console.engine, &console.actor(&viewer, &client), &slug, &to, PATIENCE).await
    };
    let refused = match sent.await {
        Ok(Tested::Accepted { .. }) => return answer::see_other(&format!("{}/apercu?fait=tested", href(&slug))),
        Ok(Tested::Waiting) => return answer::see_other(&format!("{}/apercu?fait=test_waits", href(&slug))),
        Ok(Tested::Refused { words, .. }) => words,
        Err(ActionError::Refused(refusal)) => refusal.in_french(),
        Err(error) => return console.not_done(&viewer, error),
    };
    console.mail_of_edition(&viewer, &slug, "", "", Some(refused)).await
}

#[derive(Debug, Serialize)]
struct TakeBackPage {
    it: EditionPage,
    href: String,
    /// Why it was not done, in French.
    refused: Option<String>,
}

async fn show_take_back(State(console): State<Arc<Console>>, viewer: Viewer, Path(slug): Path<String>) -> Answer {
    console.taking_back(&viewer, &slug, StatusCode::OK, None).await
}

async fn take_back(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(slug): Path<String>,
    client: Client,
) -> Answer {
    match actions::announce::take_back(&console.engine, &console.actor(&viewer, &client), &slug).await {
        Ok(()) => {
            console.wake.notify_one();
            answer::see_other(&format!("{}?fait=taken_back", href(&slug)))
        }
        Err(ActionError::Refused(refusal)) => {
            console.taking_back(&viewer, &slug, StatusCode::CONFLICT, Some(refusal.in_french())).await
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

impl Console {
    async fn taking_back(&self, viewer: &Viewer, slug: &str, status: StatusCode, refused: Option<String>) -> Answer {
        match editions::one(&self.reading(), slug).await {
            Ok(Some(it)) => {
                let page = TakeBackPage { it, href: href(slug), refused };
                self.shown(status, Some(viewer), "/editions", "edition_take_back", &page)
            }
            Ok(None) => self.nowhere(viewer),
            Err(error) => self.broken(viewer, &error),
        }
    }
}
