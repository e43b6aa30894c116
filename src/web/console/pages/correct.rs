//! « Article et agenda »: the lines of the article beside what is printed of them; correcting one, taking a correction back,
//! and leaving a line out for good.

use super::super::{
    again::{Keeps, Typed},
    gate::Form,
};
use super::Asked;
use crate::accounts::Viewer;
use crate::actions::{self, ActionError, Refusal, accounts::login::Client, corrections::Wanted};
use crate::domain::{agenda::Week, issue::IssueKey};
use crate::views::console::{
    correct::{FormView, Sheet, href},
    decide,
};
use crate::views::corrections::{self, Fields, InvalidField};
use crate::web::{
    answer::{self, Answer},
    console::Console,
};
use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use std::sync::Arc;

/// What `fait=` may say.
const DONE: [&str; 6] = ["corrected", "taught", "not_taught", "withdrawn", "dismissed", "readmitted"];
/// Fields that are kept when the session has ended.
pub(super) const KEEPS: Keeps = Keeps {
    texts: &["title", "place", "price", "phone", "link", "note", "pourquoi"],
    others: &["day", "start", "end", "status", "retenir", "vu_alors", "adapter"],
};
/// The value of the day that leaves a line out of every issue.
const NEVER: &str = "never";

#[derive(Debug, Serialize)]
struct SheetPage {
    /// `None`: nothing was read yet.
    sheet: Option<Sheet>,
    path: String,
    back: String,
    /// Key of what was just done; empty for nothing.
    done: &'static str,
    /// Why something was not done, in French.
    refused: Option<String>,
}

#[derive(Debug, Serialize)]
struct FormPage {
    form: FormView,
    /// As they were read, or typed.
    fields: Fields,
    why: String,
    teaches: bool,
    /// The correction in force that the form was shown with.
    seen: String,
    adapts: String,
    /// It was typed before a session was over.
    again: bool,
    /// The field that is wrong, and the key of what is wrong with it.
    wrong: Option<(&'static str, &'static str)>,
    /// Why it was not saved, in French.
    refused: Option<String>,
}

type Named = Path<(String, String)>;
type Line = Path<(String, String, String)>;

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((mailing, period)): Named,
    asked: Asked,
) -> Answer {
    let done = DONE.into_iter().find(|it| asked.get("fait") == Some(it)).unwrap_or_default();
    console.corrections(&viewer, StatusCode::OK, &format!("{mailing}/{period}"), done, None).await
}

pub(super) async fn show_form(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((mailing, period, target)): Line,
    asked: Asked,
    typed: Option<Extension<Typed>>,
) -> Answer {
    let adapts = typed.as_ref().map(|typed| typed.get("adapter")).filter(|id| !id.is_empty());
    let adapts = adapts.or_else(|| asked.get("adapter"));
    let opened = console.correction_form(&format!("{mailing}/{period}"), &target, adapts).await;
    match opened {
        Ok(Some((_, mut page, _))) => {
            if let Some(typed) = &typed {
                let fields = fields_of(|name| typed.get(name));
                let (why, seen) = (typed.get("pourquoi").to_owned(), typed.get("vu_alors").to_owned());
                let teaches = !typed.get("retenir").is_empty();
                page = FormPage { fields, why, seen, teaches, again: true, ..page };
            }
            console.page(&viewer, "/envois", "correct_form", &page)
        }
        Ok(None) => console.nowhere(&viewer),
        Err(error) => console.not_done(&viewer, error),
    }
}

fn fields_of<'a>(text: impl Fn(&'static str) -> &'a str) -> Fields {
    let text = |name| text(name).to_owned();
    Fields {
        day: text("day"),
        start: text("start"),
        end: text("end"),
        title: text("title"),
        place: text("place"),
        price: text("price"),
        phone: text("phone"),
        link: text("link"),
        note: text("note"),
        status: text("status"),
    }
}

pub(super) async fn correct(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((mailing, period, target)): Line,
    client: Client,
    form: Form,
) -> Answer {
    let adapts = Some(form.get("adapter")).filter(|id| !id.is_empty());
    let opened = console.correction_form(&format!("{mailing}/{period}"), &target, adapts).await;
    let (key, page, read) = match opened {
        Ok(Some(opened)) => opened,
        // The article was read again since, and the line is gone: the answer repeats what was typed.
        Ok(None) => {
            let path = format!("{mailing}/{period}");
            let typed =
                ["day", "start", "end", "title", "place", "price", "phone", "link", "note", "status", "pourquoi"]
                    .map(|name| form.get(name));
            let typed = typed.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ");
            let refused = format!("{} ({typed})", Refusal::NoSuchLine(target).in_french());
            return console.corrections(&viewer, StatusCode::CONFLICT, &path, "", Some(refused)).await;
        }
        Err(error) => return console.not_done(&viewer, error),
    };
    let fields = fields_of(|name| form.get(name));
    let (why, seen) = (form.get("pourquoi").to_owned(), form.get("vu_alors").to_owned());
    let page = FormPage { why, teaches: form.has("retenir"), seen, ..page };
    let (engine, actor) = (&console.engine, console.actor(&viewer, &client));
    let typed = |page: FormPage| FormPage { fields: fields.clone(), ..page };
    let done = if fields.day == NEVER {
        actions::corrections::dismiss(engine, &actor, &key, &target, &page.why).await.map(|_| "dismissed")
    } else {
        let patch = match read.patch(&fields) {
            Ok(patch) => patch,
            Err(InvalidField(field)) => {
                let page = FormPage { wrong: Some((field, "correct_invalid")), ..typed(page) };
                return console.shown(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    Some(&viewer),
                    "/envois",
                    "correct_form",
                    &page,
                );
            }
        };
        let seen = Some(page.seen.as_str()).filter(|id| !id.is_empty());
        let wanted = Wanted { target: &target, patch, why: &page.why, seen, adapts };
        match actions::corrections::correct(engine, &actor, &key, wanted).await {
            Ok(_) if page.teaches => match actions::corrections::teach(engine, &actor, &fields.place).await {
                Ok(()) => Ok("taught"),
                // The correction is saved; the page says that the venue cannot be remembered.
                Err(ActionError::Refused(_)) => Ok("not_taught"),
                Err(error) => Err(error),
            },
            Ok(_) => Ok("corrected"),
            Err(error) => Err(error),
        }
    };
    match done {
        Ok(done) => {
            console.wake.notify_one();
            answer::see_other(&format!("{}?fait={done}", href(&key)))
        }
        Err(ActionError::Refused(refusal)) => {
            let wrong = match refusal {
                Refusal::NoReason => Some(("pourquoi", "correct_why_missing")),
                Refusal::NothingSaid => Some(("title", "correct_nothing")),
                Refusal::OutsideTheWeek => Some(("day", "correct_invalid")),
                Refusal::NotAWebAddress(_) => Some(("link", "correct_link")),
                _ => None,
            };
            let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::CONFLICT };
            let refused = Some(refusal.in_french()).filter(|_| wrong.is_none());
            let mut page = FormPage { wrong, refused, ..typed(page) };
            if wrong.is_none() {
                // Saving what was typed once more replaces what the other person saved: it is shown above.
                page.seen = page.form.correction.as_ref().map(|it| it.id.clone()).unwrap_or_default();
            }
            console.shown(status, Some(&viewer), "/envois", "correct_form", &page)
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

pub(super) async fn withdraw(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((mailing, period, id)): Line,
    client: Client,
    _: Form,
) -> Answer {
    let path = format!("{mailing}/{period}");
    let Ok(key) = IssueKey::parse(&path) else { return console.nowhere(&viewer) };
    let actor = console.actor(&viewer, &client);
    let done = actions::corrections::withdraw(&console.engine, &actor, &key, &id).await;
    console.after(&viewer, &path, &key, done.map(drop), "withdrawn").await
}

pub(super) async fn readmit(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((mailing, period)): Named,
    client: Client,
    form: Form,
) -> Answer {
    let path = format!("{mailing}/{period}");
    let Ok(key) = IssueKey::parse(&path) else { return console.nowhere(&viewer) };
    let actor = console.actor(&viewer, &client);
    let done = actions::corrections::readmit(&console.engine, &actor, &key, form.get("ligne")).await;
    console.after(&viewer, &path, &key, done.map(drop), "readmitted").await
}

impl Console {
    async fn after(
        &self,
        viewer: &Viewer,
        path: &str,
        key: &IssueKey,
        done: actions::Result<()>,
        word: &'static str,
    ) -> Answer {
        match done {
            Ok(()) => {
                self.wake.notify_one();
                answer::see_other(&format!("{}?fait={word}", href(key)))
            }
            Err(ActionError::Refused(refusal)) => {
                self.corrections(viewer, StatusCode::CONFLICT, path, "", Some(refusal.in_french())).await
            }
            Err(error) => self.not_done(viewer, error),
        }
    }

    async fn corrections(
        &self,
        viewer: &Viewer,
        status: StatusCode,
        path: &str,
        done: &'static str,
        refused: Option<String>,
    ) -> Answer {
        let made = async {
            let Some((key, _)) = self.agenda_of(path).await? else { return Ok(None) };
            let read = corrections::read(&self.engine, &key).await?;
            let issue = self.store().issue(&key).await?;
            let sheet = read.map(|read| Sheet::new(&self.reading(), &key, issue.as_ref(), read));
            let (path, back) = (key.to_string(), crate::views::console::issue_href(&key));
            anyhow::Ok(Some(SheetPage { sheet, path, back, done, refused }))
        };
        match made.await {
            Ok(Some(page)) => self.shown(status, Some(viewer), "/envois", "correct", &page),
            Ok(None) => self.nowhere(viewer),
            Err(error) => self.not_done(viewer, error.into()),
        }
    }

    /// The issue of an agenda, and its week; `None`: there is none.
    async fn agenda_of(&self, path: &str) -> anyhow::Result<Option<(IssueKey, Week)>> {
        let Ok(key) = IssueKey::parse(path) else { return Ok(None) };
        let Some(subject) = decide::subject(&self.engine, &key).await? else { return Ok(None) };
        let (Some(mailing), Some(at)) = (&subject.mailing, subject.at()) else { return Ok(None) };
        let week = mailing.agenda().map(|agenda| agenda.week(mailing.day(at)));
        Ok(week.map(|week| (key, week)))
    }

    async fn correction_form(
        &self,
        path: &str,
        target: &str,
        adapts: Option<&str>,
    ) -> actions::Result<Option<(IssueKey, FormPage, corrections::Form)>> {
        let Some((key, week)) = self.agenda_of(path).await? else { return Ok(None) };
        let Some(form) = corrections::form(&self.engine, &key, target, adapts).await? else { return Ok(None) };
        let issue = self.store().issue(&key).await?;
        let correction = form.adapted.as_ref().or(form.correction.as_ref());
        let page = FormPage {
            fields: form.now.clone(),
            why: correction.map(|it| it.why.clone()).unwrap_or_default(),
            teaches: false,
            seen: form.correction.as_ref().map(|it| it.id.clone()).unwrap_or_default(),
            adapts: form.adapted.as_ref().map(|it| it.id.clone()).unwrap_or_default(),
            form: FormView::new(&self.reading(), &key, issue.as_ref(), target, week, &form),
            again: false,
            wrong: None,
            refused: None,
        };
        Ok(Some((key, page, form)))
    }
}
