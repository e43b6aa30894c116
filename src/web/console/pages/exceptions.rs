//! Leaving against a rule of the mailing, this once; choosing another article for one issue; taking either back.

use super::super::{
    again::{Keeps, Typed},
    gate::Form,
};
use crate::accounts::Viewer;
use crate::actions::{self, ActionError, ExceptionRefusal, Refusal, accounts::login::Client};
use crate::domain::{
    exception::{HeldFor, Kind, Rule},
    issue::{IssueKey, IssueSummary},
};
use crate::issue::corrections::Recomposed;
use crate::views::console::{
    exceptions::{ArticleSheet, Sheet},
    issue_href,
};
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

/// What `fait=` says on the page of the issue.
pub(in crate::web::console) const DONE: [&str; 6] = [WAIVED, UNREAD, STILL_HELD, WITHDRAWN, ARTICLE, ARTICLE_HELD];
const WAIVED: &str = "waived";
const UNREAD: &str = "waived_unread";
const STILL_HELD: &str = "waived_held";
const WITHDRAWN: &str = "exception_withdrawn";
const ARTICLE: &str = "article";
const ARTICLE_HELD: &str = "article_held";

pub(super) const KEEPS: Keeps = Keeps { texts: &["pourquoi"], others: &["nombre", "vu_alors"] };
pub(super) const KEEPS_ARTICLE: Keeps = Keeps { texts: &["adresse", "pourquoi"], others: &["candidat", "vu_alors"] };

#[derive(Debug, Serialize)]
struct SheetPage {
    sheet: Sheet,
    /// As they were typed.
    number: String,
    why: String,
    /// What is wrong: the field, and the key of its text.
    wrong: Vec<(&'static str, &'static str)>,
    /// Why nothing was done, in French.
    refused: Option<String>,
    /// It was typed before a session was over.
    again: bool,
}

#[derive(Debug, Serialize)]
struct ArticlePage {
    sheet: ArticleSheet,
    /// As they were typed.
    candidate: String,
    address: String,
    why: String,
    wrong: Vec<(&'static str, &'static str)>,
    refused: Option<String>,
    again: bool,
}

type Named = Path<(String, String)>;

/// The issue, what holds it, and the rule that may be set aside; else the answer that says why not.
type Opened<T> = Result<(IssueSummary, HeldFor, T), Box<Answer>>;

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    typed: Option<Extension<Typed>>,
) -> Answer {
    match console.waivable(&viewer, &named).await {
        Ok((issue, held, rule)) => {
            let sheet = Sheet::new(&console.reading(), &issue, &held, &rule);
            let text = |name| typed.as_ref().map(|typed| typed.get(name).to_owned()).unwrap_or_default();
            let (number, why) = (text("nombre"), text("pourquoi"));
            let page = SheetPage { sheet, number, why, wrong: vec![], refused: None, again: typed.is_some() };
            console.page(&viewer, "/envois", "exception", &page)
        }
        Err(answer) => *answer,
    }
}

pub(super) async fn waive(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    client: Client,
    form: Form,
) -> Answer {
    let (issue, held, rule) = match console.waivable(&viewer, &named).await {
        Ok(opened) => opened,
        Err(answer) => return *answer,
    };
    let seen: Option<Rule> = serde_json::from_str(form.get("vu_alors")).ok();
    let (number, why) = (form.get("nombre").trim().to_owned(), form.get("pourquoi").trim().to_owned());
    let sheet = Sheet::new(&console.reading(), &issue, &held, &rule);
    let mut page = SheetPage { sheet, number, why, wrong: vec![], refused: None, again: false };
    let Some(seen) = seen.filter(|seen| *seen == rule) else {
        let moved = ExceptionRefusal::Moved { issue: issue.key, now: held.reason };
        return console.unmade(&viewer, page, &moved.into());
    };
    // Shown beside the field; the action refuses it by itself.
    let typed = page.number.parse().ok().filter(|number: &usize| number.to_string() == page.number);
    if seen.number().is_some_and(|expected| typed != Some(expected)) {
        page.wrong.push(("nombre", "exception_other_number"));
    }
    if page.why.is_empty() {
        page.wrong.push(("pourquoi", "exception_why_missing"));
    }
    if !page.wrong.is_empty() {
        return console.shown(StatusCode::UNPROCESSABLE_ENTITY, Some(&viewer), "/envois", "exception", &page);
    }
    let actor = console.actor(&viewer, &client);
    match actions::exceptions::waive(&console.engine, &actor, &issue.key, (&seen, typed), &page.why).await {
        Ok(done) => console.made(&issue.key, &done),
        Err(ActionError::Refused(refusal)) => match console.waivable(&viewer, &named).await {
            // With the numbers of now.
            Ok((issue, held, rule)) => {
                let sheet = Sheet::new(&console.reading(), &issue, &held, &rule);
                console.unmade(&viewer, SheetPage { sheet, ..page }, &refusal)
            }
            Err(answer) => *answer,
        },
        Err(error) => console.not_done(&viewer, error),
    }
}

pub(super) async fn withdraw(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((mailing, period, id)): Path<(String, String, String)>,
    client: Client,
    _: Form,
) -> Answer {
    let Ok(key) = IssueKey::parse(&format!("{mailing}/{period}")) else { return console.nowhere(&viewer) };
    console.taken_back(&viewer, &client, &key, &id).await
}

pub(super) async fn show_article(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    typed: Option<Extension<Typed>>,
) -> Answer {
    match console.choosable(&viewer, &named).await {
        Ok((_, _, sheet)) => {
            let text = |name| typed.as_ref().map(|typed| typed.get(name).to_owned()).unwrap_or_default();
            let page = ArticlePage {
                sheet,
                candidate: text("candidat"),
                address: text("adresse"),
                why: text("pourquoi"),
                wrong: vec![],
                refused: None,
                again: typed.is_some(),
            };
            console.page(&viewer, "/envois", "article", &page)
        }
        Err(answer) => *answer,
    }
}

pub(super) async fn choose_article(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    client: Client,
    form: Form,
) -> Answer {
    let (issue, _, sheet) = match console.choosable(&viewer, &named).await {
        Ok(opened) => opened,
        Err(answer) => return *answer,
    };
    let text = |name| form.get(name).trim().to_owned();
    let mut page = ArticlePage {
        sheet,
        candidate: text("candidat"),
        address: text("adresse"),
        why: text("pourquoi"),
        wrong: vec![],
        refused: None,
        again: false,
    };
    // What is typed counts more than what is ticked.
    let address = if page.address.is_empty() { &page.candidate } else { &page.address };
    if address.is_empty() {
        page.wrong.push(("adresse", "article_none"));
        return console.shown(StatusCode::UNPROCESSABLE_ENTITY, Some(&viewer), "/envois", "article", &page);
    }
    let (actor, seen) = (console.actor(&viewer, &client), Some(form.get("vu_alors")));
    let chosen = actions::exceptions::choose_article(&console.engine, &actor, &issue.key, address, (seen, &page.why));
    match chosen.await {
        Ok(chosen) => {
            console.wake.notify_one();
            let done = if chosen.hold.is_some() { ARTICLE_HELD } else { ARTICLE };
            answer::see_other(&format!("{}?fait={done}", issue_href(&issue.key)))
        }
        Err(ActionError::Refused(refusal)) => {
            let status = match refusal {
                Refusal::Exception(ExceptionRefusal::NotRead(_) | ExceptionRefusal::TooSlow) => {
                    StatusCode::UNPROCESSABLE_ENTITY
                }
                _ => StatusCode::CONFLICT,
            };
            page.refused = Some(refusal.in_french());
            console.shown(status, Some(&viewer), "/envois", "article", &page)
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

pub(super) async fn withdraw_article(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((mailing, period)): Named,
    client: Client,
    _: Form,
) -> Answer {
    let Ok(key) = IssueKey::parse(&format!("{mailing}/{period}")) else { return console.nowhere(&viewer) };
    let is_article = |rule: &Rule| rule.kind() == Kind::Article;
    match actions::exceptions::in_force(&console.engine, &key, is_article, Kind::Article).await {
        Ok(it) => console.taken_back(&viewer, &client, &key, &it.id).await,
        Err(error) => console.not_done(&viewer, error),
    }
}

impl Console {
    async fn held_issue(&self, viewer: &Viewer, named: &(String, String)) -> Result<IssueSummary, Box<Answer>> {
        let nowhere = || Box::new(self.nowhere(viewer));
        let key = IssueKey::parse(&format!("{}/{}", named.0, named.1)).map_err(|_| nowhere())?;
        let found = self.store().issue(&key).await.map_err(|error| Box::new(self.broken(viewer, &error)))?;
        found.ok_or_else(nowhere)
    }

    async fn waivable(&self, viewer: &Viewer, named: &(String, String)) -> Opened<Rule> {
        let issue = self.held_issue(viewer, named).await?;
        match actions::exceptions::waivable(&self.engine, &issue.key).await {
            Ok((rule, held)) => Ok((issue, held, rule)),
            Err(error) => Err(Box::new(self.not_done(viewer, error))),
        }
    }

    async fn choosable(&self, viewer: &Viewer, named: &(String, String)) -> Opened<ArticleSheet> {
        let issue = self.held_issue(viewer, named).await?;
        let held = actions::exceptions::choosable(&self.engine, &issue.key).await;
        let held = held.map_err(|error| Box::new(self.not_done(viewer, error)))?;
        match ArticleSheet::read(&self.reading(), &issue, &held).await {
            Ok(sheet) => Ok((issue, held, sheet)),
            Err(error) => Err(Box::new(self.broken(viewer, &error))),
        }
    }

    fn made(&self, key: &IssueKey, done: &Recomposed) -> Answer {
        self.wake.notify_one();
        let done = match done {
            Recomposed::Kept { .. } => WAIVED,
            Recomposed::NothingRead => UNREAD,
            Recomposed::Held => STILL_HELD,
        };
        answer::see_other(&format!("{}?fait={done}", issue_href(key)))
    }

    fn unmade(&self, viewer: &Viewer, page: SheetPage, refusal: &Refusal) -> Answer {
        let page = SheetPage { refused: Some(refusal.in_french()), number: String::new(), ..page };
        self.shown(StatusCode::CONFLICT, Some(viewer), "/envois", "exception", &page)
    }

    async fn taken_back(&self, viewer: &Viewer, client: &Client, key: &IssueKey, id: &str) -> Answer {
        match actions::exceptions::withdraw(&self.engine, &self.actor(viewer, client), key, id).await {
            Ok(_) => {
                self.wake.notify_one();
                answer::see_other(&format!("{}?fait={WITHDRAWN}", issue_href(key)))
            }
            Err(error) => self.not_done(viewer, error),
        }
    }
}
