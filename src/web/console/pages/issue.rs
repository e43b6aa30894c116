//! One issue: Contenu, Destinataires, Suivi, Histoire; and its numbers as they move.

use super::{
    Asked,
    decide::READ,
    editorial::EDITED,
    erratum::{ASKED, CORRECTED},
    exceptions::DONE,
};
use crate::accounts::{Permission, Viewer};
use crate::actions::{
    ActionError,
    accounts::login::Client,
    test_mail::{self, Addressee},
};
use crate::domain::{delivery::State as Delivery, issue::IssueKey};
use crate::store::{LogFilter, LogMark, StoreError};
use crate::views::console::{
    decide::{self, Act, Choice, FREEZE},
    exceptions,
    held::{self, Held},
    issue, issue_href, journal,
};
use crate::web::{
    answer::{self, Answer},
    console::{Console, follow::Progress},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// A tab: the common head, and its own content.
#[derive(Debug, Serialize)]
struct Tab<T> {
    head: issue::Head,
    tab: &'static str,
    it: T,
    /// What can be decided now.
    choices: Vec<Choice>,
    /// What was just decided.
    done: &'static str,
    /// In the tab Contenu. `None`: there is nothing to test, or the viewer may not.
    test: Option<Test>,
    /// Why a test was not sent, in French.
    refused: Option<String>,
    /// In the tab Contenu, of an issue that is held.
    held: Option<Held>,
    /// In the tab Contenu.
    exceptions: Vec<exceptions::Row>,
}

/// A test to the viewer's own address.
#[derive(Debug, Serialize)]
struct Test {
    /// Where it is asked for.
    action: String,
    last: Option<issue::LastTest>,
    /// It was asked for a moment ago.
    now: bool,
}

/// The console answers within 15 seconds, whatever the relay does.
const PATIENCE: Duration = Duration::from_secs(10);

/// What `fait=` says after a test.
const TESTED: &str = "essai";

pub(super) async fn test(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    client: Client,
) -> Answer {
    let Ok(key) = IssueKey::parse(&format!("{}/{}", named.0, named.1)) else { return console.nowhere(&viewer) };
    let sent = async {
        let to = Addressee::account(&console.engine, &viewer.user).await?;
        test_mail::send(&console.engine, &console.actor(&viewer, &client), &key, &to, PATIENCE).await
    };
    match sent.await {
        Ok(_) => answer::see_other(&format!("{}?fait={TESTED}#essai", issue_href(&key))),
        Err(ActionError::Refused(refusal)) => {
            let shown = Shown { status: StatusCode::CONFLICT, refused: Some(refusal.in_french()), ..Shown::default() };
            tab(&console, &viewer, named, "content", shown, async |key| issue::content(&console.reading(), key).await)
                .await
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

/// How a tab is shown, besides what it says.
struct Shown {
    status: StatusCode,
    /// What was just decided.
    done: &'static str,
    /// A test was just asked for.
    tested: bool,
    /// Why a test was refused.
    refused: Option<String>,
}

impl Default for Shown {
    fn default() -> Self {
        Self { status: StatusCode::OK, done: "", tested: false, refused: None }
    }
}

/// An approval after which a second person is still needed.
pub(super) const SECOND: &str = "second";

/// What `fait=` says was decided.
pub(super) fn done(asked: &Asked) -> &'static str {
    let asked = asked.get("fait").unwrap_or_default();
    Act::ALL
        .into_iter()
        .map(Act::as_str)
        .chain([FREEZE, SECOND, EDITED, CORRECTED, ASKED])
        .chain(READ)
        .chain(DONE)
        .find(|act| *act == asked)
        .unwrap_or_default()
}

type Named = Path<(String, String)>;

/// The key of the path, and the head of its issue.
async fn head(
    console: &Console,
    (mailing, period): (String, String),
) -> Result<Option<(IssueKey, issue::Head)>, StoreError> {
    let Ok(key) = IssueKey::parse(&format!("{mailing}/{period}")) else { return Ok(None) };
    Ok(issue::head(&console.reading(), &key).await?.map(|head| (key, head)))
}

/// Answers with a tab, or not found.
async fn tab<T: Serialize>(
    console: &Console,
    viewer: &Viewer,
    named: (String, String),
    tab: &'static str,
    shown: Shown,
    read: impl AsyncFnOnce(&IssueKey) -> Result<T, StoreError>,
) -> Answer {
    let made = async {
        let Some((key, head)) = head(console, named).await? else { return Ok(None) };
        let subject = decide::subject(&console.engine, &key).await?;
        let choices = subject.map(|it| decide::choices(&it)).unwrap_or_default();
        // Only this tab shows it.
        let test = match tab == "content" && head.content_hash.is_some() && viewer.roles.may(Permission::Write) {
            true => Some(Test {
                action: format!("{}/essai", issue_href(&key)),
                last: issue::last_test(&console.reading(), &key, &viewer.user).await?,
                now: shown.tested,
            }),
            false => None,
        };
        let issue = if tab == "content" { console.store().issue(&key).await? } else { None };
        let (held, exceptions) = match &issue {
            Some(issue) => {
                let it = console.reading();
                (held::read(&it, issue).await?, exceptions::in_force(&it, issue).await?)
            }
            None => (None, Vec::new()),
        };
        anyhow::Ok(Some(Tab {
            it: read(&key).await?,
            head,
            tab,
            choices,
            done: shown.done,
            test,
            refused: shown.refused,
            held,
            exceptions,
        }))
    };
    match made.await {
        Ok(Some(page)) => console.shown(shown.status, Some(viewer), "/envois", &format!("issue_{tab}"), &page),
        Ok(None) => console.nowhere(viewer),
        Err(error) => console.not_done(viewer, error.into()),
    }
}

pub(super) async fn content(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    asked: Asked,
) -> Answer {
    let shown = Shown { done: done(&asked), tested: asked.get("fait") == Some(TESTED), ..Shown::default() };
    tab(&console, &viewer, named, "content", shown, async |key| issue::content(&console.reading(), key).await).await
}

#[derive(Debug, Serialize)]
struct Recipients {
    log: journal::Journal,
    /// The state that is shown; empty for all.
    state: String,
    /// Only those that came back are shown.
    bounced: bool,
    more: Option<String>,
}

pub(super) async fn recipients(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    asked: Asked,
) -> Answer {
    let state = asked.get("etat").and_then(|text| text.parse::<Delivery>().ok());
    let after = asked.get("apres").and_then(|text| text.parse::<LogMark>().ok());
    let bounced = asked.get("retour").is_some();
    tab(&console, &viewer, named, "recipients", Shown::default(), async |key| {
        let filter = LogFilter { issue: Some(key.clone()), state, after, bounced, ..LogFilter::default() };
        let log = journal::page(&console.reading(), filter).await?;
        let state = state.map(Delivery::as_str).unwrap_or_default().to_owned();
        Ok(Recipients { more: log.more.as_ref().map(|mark| asked.with("apres", mark)), log, state, bounced })
    })
    .await
}

pub(super) async fn progress(State(console): State<Arc<Console>>, viewer: Viewer, Path(named): Named) -> Answer {
    let lanes = async |_: &IssueKey| crate::views::console::office::lanes(&console.reading()).await;
    tab(&console, &viewer, named, "progress", Shown::default(), async |key| {
        let mut lanes = lanes(key).await?;
        // Only those that are not open: the others have nothing to tell.
        lanes.retain(|lane| !lane.state.is_empty());
        Ok(lanes)
    })
    .await
}

pub(super) async fn history(State(console): State<Arc<Console>>, viewer: Viewer, Path(named): Named) -> Answer {
    tab(&console, &viewer, named, "history", Shown::default(), async |key| {
        issue::history(&console.reading(), key).await
    })
    .await
}

/// `event: counts` whenever a number moved, at most once a second; `event: end` when nothing moves any more.
pub(super) async fn stream(State(console): State<Arc<Console>>, viewer: Viewer, Path(named): Named) -> Answer {
    let key = match head(&console, named).await {
        Ok(Some((key, _))) => key,
        Ok(None) => return console.nowhere(&viewer),
        Err(error) => return console.broken(&viewer, &error),
    };
    let events = stream::unfold((console.follow(&key), Next::Known), |(mut receiver, next)| async move {
        let changed = match next {
            Next::Known => receiver.wait_for(Option::is_some).await.is_ok(),
            Next::Change => receiver.changed().await.is_ok(),
            Next::End => false,
            Next::Nothing => return None,
        };
        let progress = changed.then(|| receiver.borrow_and_update().clone()).flatten();
        let next = match &progress {
            Some(it) if !it.over => Next::Change,
            Some(_) => Next::End,
            None => Next::Nothing,
        };
        Some((Ok::<_, Infallible>(event(progress.as_ref())), (receiver, next)))
    });
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    answer::events(Sse::new(events).keep_alive(keep_alive).into_response())
}

/// What a stream tells next.
#[derive(Clone, Copy)]
enum Next {
    /// What is known already, or the first that is read.
    Known,
    Change,
    End,
    Nothing,
}

fn event(progress: Option<&Progress>) -> Event {
    match progress.and_then(|it| Some((it, serde_json::to_string(it).ok()?))) {
        Some((it, json)) => Event::default().event("counts").id(it.at.to_string()).data(json),
        None => Event::default().event("end").data("{}"),
    }
}
