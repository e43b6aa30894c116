//! « Mon compte »: password, second factor, recovery codes, sessions, language. What changes a secret asks for the password again.

use super::{
    Console,
    again::Typed,
    gate::{Form, LoggedIn},
    login::{Factor, Feedback},
    pages::Asked,
};
use crate::accounts::{Language, Viewer, totp::Secret};
use crate::actions::accounts::{
    end_sessions,
    login::{Client, Step},
    own::{NewPassword, Own, Proposed},
};
use crate::views::console::When;
use crate::web::answer::{self, Answer};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use serde::Serialize;
use std::sync::Arc;

/// What was done, as a part of an address and the end of its text's key.
const DONE: [&str; 5] = ["password", "factor", "session", "language", "proved"];

#[derive(Debug, Serialize)]
struct MePage {
    feedback: Feedback,
    /// One of [`DONE`]; empty.
    done: &'static str,
    address: String,
    roles: Vec<&'static str>,
    has_factor: bool,
    recovery_codes: u32,
    language: &'static str,
    sessions: Vec<SessionRow>,
}

#[derive(Debug, Serialize)]
struct SessionRow {
    id: String,
    device: String,
    network: String,
    since: When,
    seen: When,
    /// The one of this request.
    own: bool,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    logged_in: LoggedIn,
    asked: Asked,
) -> Answer {
    let done = asked.get("fait").and_then(|it| DONE.into_iter().find(|done| *done == it)).unwrap_or_default();
    console.me(&viewer, &logged_in, Feedback::default(), done).await
}

pub(super) async fn password(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    logged_in: LoggedIn,
    client: Client,
    form: Form,
) -> Answer {
    let text = |name: &str| form.get(name).to_owned().into();
    let new = NewPassword { first: text("nouveau"), again: text("encore") };
    let (door, office) = (console.door(&client), &console.config().office.name);
    match door.change_password(&logged_in.session, text("present"), new, office).await {
        Ok(Own::Done(opened)) => console.let_in(&opened, "/moi?fait=password"),
        Ok(Own::Problems(problems)) => console.me(&viewer, &logged_in, Feedback::problems(&problems), "").await,
        Ok(Own::Refused(Step::Later(until))) => {
            console.me(&viewer, &logged_in, Feedback::later(until, console.now()), "").await
        }
        Ok(Own::Refused(_)) => console.me(&viewer, &logged_in, Feedback::wrong("present", "password_wrong"), "").await,
        Err(error) => console.failed(Some(&viewer), &error),
    }
}

pub(super) async fn language(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    logged_in: LoggedIn,
    form: Form,
) -> Answer {
    let asked = Language::ALL.into_iter().find(|it| it.as_str() == form.get("langue")).unwrap_or(viewer.language);
    match console.store().set_language(&logged_in.session.user, asked).await {
        Ok(()) => answer::see_other("/moi?fait=language"),
        Err(error) => console.unavailable(Some(&viewer), &error),
    }
}

/// One session, or all but this one.
pub(super) async fn close(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    logged_in: LoggedIn,
    client: Client,
    form: Form,
) -> Answer {
    let (actor, now) = (console.actor(&viewer, &client), console.now());
    let (user, store) = (&logged_in.session.user, console.store());
    let closed = async {
        let ids = match form.get("session") {
            "" => store.sessions_of(user, now).await?.into_iter().map(|it| it.id).collect(),
            id => vec![id.to_owned()],
        };
        for id in ids.iter().filter(|id| **id != logged_in.session.id) {
            end_sessions(store, &actor, user, Some(id), now).await?;
        }
        Ok::<_, crate::actions::ActionError>(())
    };
    match closed.await {
        Ok(()) => answer::see_other("/moi?fait=session"),
        Err(error) => console.not_done(&viewer, error),
    }
}

/// How long the session lasts: by asking it lasts longer, as by every request. A script gets the seconds alone.
pub(super) async fn session(State(console): State<Arc<Console>>, viewer: Viewer, headers: HeaderMap) -> Answer {
    let accepts = headers.get(header::ACCEPT).is_some_and(|it| it.as_bytes().starts_with(b"text/plain"));
    match viewer.ends.filter(|_| accepts) {
        Some(at) => answer::text(StatusCode::OK, format!("{}\n", (at - console.now()).num_seconds().max(0))),
        None => console.page(&viewer, "", "session", &()),
    }
}

#[derive(Debug, Serialize)]
struct FactorPage {
    feedback: Feedback,
    factor: Factor,
}

pub(super) async fn show_factor(State(console): State<Arc<Console>>, viewer: Viewer) -> Answer {
    console.factor_page(&viewer, Feedback::default(), &Secret::random()).await
}

pub(super) async fn factor(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    logged_in: LoggedIn,
    client: Client,
    form: Form,
) -> Answer {
    let Some(secret) = Secret::parse(form.get("secret")) else { return answer::see_other("/moi/second-facteur") };
    let proposed = Proposed { secret, code: form.get("code").trim().to_owned() };
    match console.door(&client).change_factor(&logged_in.session, &proposed).await {
        Ok(Some((Own::Done(opened), codes))) => {
            // The token of forms is another one now: this page has none.
            let mut answer = console.codes(None, codes, "/moi");
            console.give(&mut answer, &opened);
            answer
        }
        Ok(Some(_)) => answer::see_other("/connexion"),
        Ok(None) => console.factor_page(&viewer, Feedback::wrong("code", "unfit_code"), &proposed.secret).await,
        Err(error) => console.failed(Some(&viewer), &error),
    }
}

pub(super) async fn new_codes(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    logged_in: LoggedIn,
    client: Client,
) -> Answer {
    match console.store().credentials(&logged_in.session.user, console.now()).await {
        Ok(Some(known)) if known.user.has_second_factor => {}
        Ok(_) => return answer::see_other("/moi"),
        Err(error) => return console.unavailable(Some(&viewer), &error),
    }
    match console.door(&client).new_codes(&logged_in.session).await {
        Ok(codes) => console.codes(Some(&viewer), codes, "/moi"),
        Err(error) => console.failed(Some(&viewer), &error),
    }
}

#[derive(Debug, Serialize)]
struct ConfirmPage {
    feedback: Feedback,
    to: &'static str,
    /// A form that was filled in, and waits for the password.
    typed: Option<Typed>,
}

/// Where a confirmation leads; the first where none is named.
const AFTER: [(&str, &str); 7] = [
    ("codes", "/moi?fait=proved"),
    ("factor", "/moi/second-facteur"),
    ("users", "/utilisateurs"),
    ("import", "/partenaires/importer"),
    ("tokens", "/jetons"),
    ("webhooks", "/webhooks"),
    ("partners", "/partenaires"),
];

fn after(name: &str) -> (&'static str, &'static str) {
    AFTER.into_iter().find(|(known, _)| *known == name).unwrap_or(AFTER[0])
}

pub(super) async fn show_confirm(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    _: LoggedIn,
    asked: Asked,
) -> Answer {
    let to = after(asked.get("vers").unwrap_or_default()).0;
    console.page(&viewer, "", "confirm", &ConfirmPage { feedback: Feedback::default(), to, typed: None })
}

pub(super) async fn confirm(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    logged_in: LoggedIn,
    headers: HeaderMap,
    client: Client,
    form: Form,
) -> Answer {
    let (to, path) = after(form.get("vers"));
    let client = console.known_by(client, &headers);
    let password = form.get("present").to_owned().into();
    let typed = Typed::carried(&console.kept, &form);
    let feedback = match console.door(&client).prove(&logged_in.session, &logged_in.token_hash, password).await {
        Ok(Step::In(opened)) => return console.let_in_with(&opened, path, typed),
        Ok(Step::Later(until)) => Feedback::later(until, console.now()),
        Ok(_) => Feedback::wrong("present", "password_wrong"),
        Err(error) => return console.failed(Some(&viewer), &error),
    };
    console.shown(feedback.status(), Some(&viewer), "", "confirm", &ConfirmPage { feedback, to, typed })
}

impl Console {
    /// The password is asked for before something that was typed is done; the form is there again after it. `to`: of [`AFTER`].
    pub(super) fn confirm_first(&self, viewer: &Viewer, to: &str, typed: Option<Typed>) -> Answer {
        let to = after(to).0;
        match typed {
            None => answer::see_other(&format!("/moi/confirmer?vers={to}")),
            typed => self.page(viewer, "", "confirm", &ConfirmPage { feedback: Feedback::default(), to, typed }),
        }
    }

    async fn me(&self, viewer: &Viewer, logged_in: &LoggedIn, feedback: Feedback, done: &'static str) -> Answer {
        let now = self.now();
        let read = async {
            let known = self.store().credentials(&logged_in.session.user, now).await?;
            Ok::<_, crate::store::StoreError>((known, self.store().sessions_of(&logged_in.session.user, now).await?))
        };
        let (known, sessions) = match read.await {
            Ok((Some(known), sessions)) => (known.user, sessions),
            Ok((None, _)) => return self.nowhere(viewer),
            Err(error) => return self.unavailable(Some(viewer), &error),
        };
        let when = |at| When::new(at, now, self.config().zone);
        let sessions = sessions.into_iter().map(|it| SessionRow {
            own: it.id == logged_in.session.id,
            id: it.id,
            device: it.label,
            network: it.network,
            since: when(it.created_at),
            seen: when(it.seen_at),
        });
        let page = MePage {
            done,
            address: known.address.to_string(),
            roles: known.roles.iter().map(crate::accounts::Permission::as_str).collect(),
            has_factor: known.has_second_factor,
            recovery_codes: known.recovery_codes,
            language: known.language.as_str(),
            sessions: sessions.collect(),
            feedback,
        };
        self.shown(page.feedback.status(), Some(viewer), "", "me", &page)
    }

    async fn factor_page(&self, viewer: &Viewer, feedback: Feedback, secret: &Secret) -> Answer {
        let address = match self.store().credentials(&viewer.user, self.now()).await {
            Ok(Some(known)) => known.user.address.to_string(),
            Ok(None) => return self.nowhere(viewer),
            Err(error) => return self.unavailable(Some(viewer), &error),
        };
        let page = FactorPage { factor: self.factor(secret, &address), feedback };
        let status = if page.feedback.wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        self.shown(status, Some(viewer), "", "me_factor", &page)
    }
}
