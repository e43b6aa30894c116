//! Decisions about an issue: a sheet with its numbers, then the decision. A sheet that is out of date decides nothing: it comes
//! back with what has changed and with the words that were typed.

use super::super::{
    again::{Keeps, Typed},
    gate::{Form, GET, POST, Route, route},
};
use crate::accounts::Viewer;
use crate::actions::{
    self, ActionError, Actor,
    accounts::login::Client,
    issues::{Recomposed, Rehearsed},
};
use crate::domain::issue::IssueKey;
use crate::views::console::{
    decide::{Act, Moved, Sheet, Subject, Words, may, subject},
    issue_href,
};
use crate::web::{
    answer::{self, Answer},
    console::{Console, pages::issue::SECOND},
};
use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;

/// The longest reason, in characters.
const LONGEST: usize = 2000;

/// How long an answer waits for the sources, which may take minutes. They are read to the end also if nobody waits any more.
const PATIENCE: Duration = Duration::from_secs(5);

/// What `fait=` says about sources that were read again, besides the names of acts.
pub(super) const READ: [&str; 3] = [RUNNING, UNCHANGED, HELD];
const RUNNING: &str = "running";
const UNCHANGED: &str = "unchanged";
const HELD: &str = "held";

/// What is shown again if the session was over.
const KEEPS: Keeps = Keeps { texts: &["pourquoi"], others: &["vu_alors"] };

/// A sheet, and each decision, with the permission it asks for.
pub(super) fn routes() -> Vec<Route> {
    let both = |act: Act| {
        [
            route(GET, act.route(), act.permission(), move |console, viewer, named, typed| {
                show(act, console, viewer, named, typed)
            }),
            route(POST, act.route(), act.permission(), move |console, viewer, named, client, form| {
                decide(act, console, viewer, named, client, form)
            })
            .keeps(KEEPS),
        ]
    };
    Act::ALL.into_iter().flat_map(both).collect()
}

#[derive(Debug, Serialize)]
struct SheetPage {
    sheet: Sheet,
    /// What has changed since the sheet was read.
    moved: Vec<Moved>,
    /// Why it was not done, in French.
    refused: Option<String>,
    /// Text key of the missing field.
    wrong: Option<&'static str>,
    /// As it was typed.
    why: String,
    /// It was typed in an earlier session.
    again: bool,
}

/// Nothing of this kind can be decided now.
#[derive(Debug, Serialize)]
struct NotNow {
    act: &'static str,
    key: IssueKey,
    title: String,
    back: String,
    /// Key of the state it is in.
    state: &'static str,
    /// Who approved it, where it is approved.
    approved_by: Option<String>,
    /// Messages, where they are frozen.
    frozen: Option<u64>,
    past_deadline: bool,
    /// What was typed.
    why: String,
}

type Named = Path<(String, String)>;

async fn show(
    act: Act,
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    typed: Option<Extension<Typed>>,
) -> Answer {
    let why = typed.as_ref().map_or(String::new(), |typed| cut(typed.get("pourquoi")));
    match console.opened(&viewer, act, &named, &why).await {
        Ok((_, sheet)) => {
            let moved = typed.as_ref().map_or_else(Vec::new, |typed| sheet.moved(typed.get("vu_alors")));
            let page = SheetPage { moved, why, again: typed.is_some(), ..SheetPage::new(sheet) };
            console.sheet(&viewer, StatusCode::OK, page)
        }
        Err(answer) => *answer,
    }
}

fn cut(why: &str) -> String {
    why.trim().chars().take(LONGEST).collect()
}

async fn decide(
    act: Act,
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    client: Client,
    form: Form,
) -> Answer {
    let why = cut(form.get("pourquoi"));
    let (key, sheet) = match console.opened(&viewer, act, &named, &why).await {
        Ok(opened) => opened,
        Err(answer) => return *answer,
    };
    let looked_at = form.has("vu") || !sheet.to_be_looked_at;
    let wording = sheet.wording;
    let mut page = SheetPage { moved: sheet.moved(form.get("vu_alors")), why, ..SheetPage::new(sheet) };
    if !page.moved.is_empty() {
        return console.sheet(&viewer, StatusCode::CONFLICT, page);
    }
    page.wrong = match (act.words(), page.why.is_empty(), looked_at) {
        (Words::Required, true, _) => Some("decide_why_missing"),
        (_, _, false) => Some("decide_look_first"),
        _ => None,
    };
    if page.wrong.is_some() {
        return console.sheet(&viewer, StatusCode::UNPROCESSABLE_ENTITY, page);
    }
    let (engine, actor) = (&console.engine, console.actor(&viewer, &client));
    let seen = page.sheet.hash.as_deref();
    let done = match act {
        Act::Rehearse | Act::Recompose => {
            let read = read_again(&console, act, actor, &key, seen.map(str::to_owned)).await;
            return console.was_read(&viewer, &key, page, read);
        }
        Act::Approve => match actions::issues::approve(engine, &actor, &key, seen).await {
            Ok(approved) if approved.needs_second => {
                console.wake.notify_one();
                return answer::see_other(&format!("{}?fait={SECOND}", issue_href(&key)));
            }
            approved => approved.map(drop),
        },
        Act::Refuse => actions::issues::refuse(engine, &actor, &key, seen, &page.why).await,
        Act::Withdraw => actions::issues::withdraw(engine, &actor, &key, seen, &page.why).await,
        Act::Skip => actions::issues::skip(engine, &actor, &key, &page.why).await,
        Act::Unskip => actions::issues::unskip(engine, &actor, &key).await,
        Act::Pause => actions::issues::pause(engine, &actor, &key).await,
        Act::Resume => actions::issues::resume(engine, &actor, &key).await,
        Act::Stop => actions::issues::cancel(engine, &actor, &key).await,
    };
    match done {
        Ok(()) => {
            console.wake.notify_one();
            let place = match console.store().issue(&key).await {
                Ok(Some(_)) => issue_href(&key),
                _ => "/a-venir".to_owned(),
            };
            answer::see_other(&format!("{place}?fait={wording}"))
        }
        Err(ActionError::Refused(refusal)) => {
            page.refused = Some(refusal.in_french());
            console.sheet(&viewer, StatusCode::CONFLICT, page)
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

/// The outcome of reading the sources again.
enum Read {
    /// What `fait=` says.
    Done(&'static str),
    /// A gate is closed, and what was presented before stays. Why, in French.
    Kept(String),
}

impl From<Rehearsed> for Read {
    fn from(rehearsed: Rehearsed) -> Self {
        Self::Done(match rehearsed {
            Rehearsed::Kept { .. } => Act::Rehearse.as_str(),
            Rehearsed::Held { .. } => HELD,
        })
    }
}

impl From<Recomposed> for Read {
    fn from(recomposed: Recomposed) -> Self {
        match recomposed {
            Recomposed::Presented => Self::Done(Act::Recompose.as_str()),
            Recomposed::Unchanged => Self::Done(UNCHANGED),
            Recomposed::Held(_) => Self::Done(HELD),
            Recomposed::Kept(hold) => Self::Kept(hold.to_string()),
        }
    }
}

/// Rehearses or recomposes in a task of its own.
async fn read_again(
    console: &Arc<Console>,
    act: Act,
    actor: Actor,
    key: &IssueKey,
    seen: Option<String>,
) -> Result<Read, ActionError> {
    let (ours, of) = (Arc::clone(console), key.clone());
    let mut reading = tokio::spawn(async move {
        let engine = &ours.engine;
        let done = match act {
            Act::Rehearse => actions::issues::rehearse(engine, &actor, &of).await.map(Read::from),
            _ => actions::issues::recompose(engine, &actor, &of, seen.as_deref()).await.map(Read::from),
        };
        ours.wake.notify_one();
        done
    });
    match tokio::time::timeout(PATIENCE, &mut reading).await {
        Ok(done) => done.map_err(anyhow::Error::from)?,
        Err(_) => {
            let key = key.clone();
            tokio::spawn(async move {
                let error = match reading.await {
                    Ok(Ok(_)) => return,
                    Ok(Err(error)) => anyhow::Error::from(error),
                    Err(error) => error.into(),
                };
                warn!(issue = %key, error = &*error as &dyn std::error::Error, "the sources of {key} were not read again");
            });
            Ok(Read::Done(RUNNING))
        }
    }
}

impl SheetPage {
    fn new(sheet: Sheet) -> Self {
        Self { sheet, moved: Vec::new(), refused: None, wrong: None, why: String::new(), again: false }
    }
}

impl Console {
    fn sheet(&self, viewer: &Viewer, status: StatusCode, page: SheetPage) -> Answer {
        self.shown(status, Some(viewer), "/envois", "decide", &page)
    }

    fn was_read(
        &self,
        viewer: &Viewer,
        key: &IssueKey,
        mut page: SheetPage,
        read: Result<Read, ActionError>,
    ) -> Answer {
        page.refused = match read {
            // Nothing may be stored of it yet.
            Ok(Read::Done(done)) if page.sheet.hash.is_none() && done == RUNNING => {
                return answer::see_other(&format!("/a-venir?fait={done}"));
            }
            Ok(Read::Done(done)) => return answer::see_other(&format!("{}?fait={done}", issue_href(key))),
            Ok(Read::Kept(why)) => Some(why),
            Err(ActionError::Refused(refusal)) => Some(refusal.in_french()),
            Err(error) => return self.not_done(viewer, error),
        };
        self.sheet(viewer, StatusCode::CONFLICT, page)
    }

    /// The sheet as of now; else the answer that says why it cannot be shown, with what was typed.
    async fn opened(
        &self,
        viewer: &Viewer,
        act: Act,
        (mailing, period): &(String, String),
        why: &str,
    ) -> Result<(IssueKey, Sheet), Box<Answer>> {
        let key = IssueKey::parse(&format!("{mailing}/{period}")).map_err(|_| Box::new(self.nowhere(viewer)))?;
        let it = self.reading();
        let failed = |error: anyhow::Error| Box::new(self.not_done(viewer, error.into()));
        let Some(subject) = subject(&self.engine, &key).await.map_err(failed)? else {
            return Err(Box::new(self.nowhere(viewer)));
        };
        let sheet = Sheet::read(&it, &subject, act).await.map_err(failed)?;
        if may(act, &subject).is_ok() {
            return Ok((key, sheet));
        }
        let Sheet { title, back, .. } = sheet;
        Err(Box::new(self.not_now(viewer, act.as_str(), &subject, (title, back), why)))
    }

    /// What cannot be done in this state, with what was typed. `act`: of its texts.
    pub(super) fn not_now(
        &self,
        viewer: &Viewer,
        act: &'static str,
        subject: &Subject<'_>,
        (title, back): (String, String),
        typed: &str,
    ) -> Answer {
        let issue = subject.issue.as_ref();
        let page = NotNow {
            act,
            key: subject.key.clone(),
            title,
            back,
            state: issue.map_or("coming_planned", |issue| crate::views::console::label_of(issue).key),
            approved_by: issue.and_then(|issue| issue.approved_by()).map(str::to_owned),
            frozen: issue.and_then(|issue| issue.frozen().map(|_| issue.counts.total())),
            past_deadline: issue.is_some_and(|issue| subject.now >= issue.expires_at),
            why: typed.to_owned(),
        };
        self.shown(StatusCode::CONFLICT, Some(viewer), "/envois", "decide_not_now", &page)
    }
}
