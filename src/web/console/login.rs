//! Login, logout, invitation. GET shows, POST does.

use super::{
    Console, cookies,
    cookies::Lasts,
    gate::{Form, HalfLoggedIn, LoggedIn},
    pages::Asked,
};
use crate::accounts::{Viewer, code, password::Unfit, totp::Secret};
use crate::actions::accounts::{
    end_sessions,
    login::{Client, Door, LoginError, Opened, Step},
    own::{Accepted, NewPassword, Problem, Proposed},
};
use crate::compose::picture;
use crate::domain::Timestamp;
use crate::web::answer::{self, Answer};
use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
};
use serde::Serialize;
use std::sync::Arc;
use tracing::error;

/// What is wrong with a form: the field, and the key of its text.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Wrong {
    pub field: &'static str,
    pub key: &'static str,
}

/// Errors of a form, and the wait until the next attempt.
#[derive(Debug, Default, Serialize)]
pub(super) struct Feedback {
    pub wrong: Vec<Wrong>,
    /// Seconds.
    pub wait: Option<i64>,
}

impl Feedback {
    pub(super) fn wrong(field: &'static str, key: &'static str) -> Self {
        Self { wrong: vec![Wrong { field, key }], wait: None }
    }

    pub(super) fn later(until: Timestamp, now: Timestamp) -> Self {
        Self { wrong: Vec::new(), wait: Some((until - now).num_seconds().max(0) + 1) }
    }

    pub(super) fn problems(problems: &[Problem]) -> Self {
        let wrong = problems.iter().map(|it| match it {
            Problem::Password(Unfit::TooShort) => Wrong { field: "nouveau", key: "unfit_short" },
            Problem::Password(Unfit::TooLong) => Wrong { field: "nouveau", key: "unfit_long" },
            Problem::Password(Unfit::Common) => Wrong { field: "nouveau", key: "unfit_common" },
            Problem::Password(Unfit::Personal) => Wrong { field: "nouveau", key: "unfit_personal" },
            Problem::Repeat => Wrong { field: "encore", key: "unfit_repeat" },
            Problem::Code => Wrong { field: "code", key: "unfit_code" },
        });
        Self { wrong: wrong.collect(), wait: None }
    }

    pub(super) fn status(&self) -> StatusCode {
        match (self.wait, self.wrong.is_empty()) {
            (Some(_), _) => StatusCode::TOO_MANY_REQUESTS,
            (None, false) => StatusCode::UNPROCESSABLE_ENTITY,
            (None, true) => StatusCode::OK,
        }
    }
}

#[derive(Debug, Serialize)]
struct LoginPage {
    feedback: Feedback,
    address: String,
    kept: bool,
    /// Number of the page that is shown afterwards.
    to: usize,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    logged_in: Option<Extension<LoggedIn>>,
    asked: Asked,
) -> Answer {
    if logged_in.is_some() {
        return answer::see_other("/");
    }
    match console.store().has_active_user().await {
        Err(error) => return console.unavailable(None, &error),
        Ok(false) => return console.closed(),
        Ok(true) => {}
    }
    let to = asked.get("vers").and_then(|it| it.parse().ok()).unwrap_or(0);
    console.login(Feedback::default(), String::new(), false, to)
}

pub(super) async fn act(State(console): State<Arc<Console>>, headers: HeaderMap, client: Client, form: Form) -> Answer {
    let to = form.get("vers").parse().unwrap_or(0);
    let (address, kept) = (form.get("adresse").to_owned(), form.has("rester"));
    if !console.has_room() {
        return console.login(Feedback { wrong: Vec::new(), wait: Some(1) }, address, kept, to);
    }
    let client = console.known_by(client, &headers);
    let before = cookies::read(&headers, console.session_cookie()).map(code::hash);
    let password = form.get("mot-de-passe").to_owned().into();
    match console.door(&client).password(&address, password, kept, before.as_deref()).await {
        Ok(Step::In(opened)) => console.let_in(&opened, super::page_at(to)),
        Ok(Step::Half(opened)) => console.let_in(&opened, &format!("/connexion/code?vers={to}")),
        Ok(Step::Wrong) => console.login(Feedback::wrong("adresse", "login_wrong"), address, kept, to),
        Ok(Step::NoSecondFactor) => {
            console.login(Feedback::wrong("adresse", "login_no_second_factor"), address, kept, to)
        }
        Ok(Step::Later(until)) => console.login(Feedback::later(until, console.now()), address, kept, to),
        Err(error) => console.failed(None, &error),
    }
}

#[derive(Debug, Serialize)]
struct CodePage {
    feedback: Feedback,
    form_token: String,
    to: usize,
}

pub(super) async fn show_code(State(console): State<Arc<Console>>, half: HalfLoggedIn, asked: Asked) -> Answer {
    let to = asked.get("vers").and_then(|it| it.parse().ok()).unwrap_or(0);
    console.second(&half, Feedback::default(), to)
}

pub(super) async fn act_code(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    half: HalfLoggedIn,
    client: Client,
    form: Form,
) -> Answer {
    let to = form.get("vers").parse().unwrap_or(0);
    if !console.has_room() {
        return console.second(&half, Feedback { wrong: Vec::new(), wait: Some(1) }, to);
    }
    let client = console.known_by(client, &headers);
    match console.door(&client).second_factor(&half.session, &half.token_hash, form.get("code")).await {
        Ok(Step::In(opened)) => console.let_in(&opened, super::page_at(to)),
        Ok(Step::Later(until)) => console.second(&half, Feedback::later(until, console.now()), to),
        Ok(_) => console.second(&half, Feedback::wrong("code", "code_wrong"), to),
        Err(error) => console.failed(None, &error),
    }
}

pub(super) async fn leave(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    logged_in: LoggedIn,
    client: Client,
) -> Answer {
    let actor = console.actor(&viewer, &client);
    let session = &logged_in.session;
    let ended = end_sessions(console.store(), &actor, &session.user, Some(&session.id), console.now()).await;
    if let Err(error) = ended {
        return console.not_done(&viewer, error);
    }
    let mut answer = console.tell(None, StatusCode::OK, "left");
    cookies::set(&mut answer, console.session_cookie(), "", Lasts::No);
    answer
}

#[derive(Debug, Serialize)]
struct InvitationPage {
    feedback: Feedback,
    name: String,
    address: String,
    needs_factor: bool,
    factor: Factor,
}

/// A second factor that is set up: the secret, and its picture.
#[derive(Debug, Serialize)]
pub(super) struct Factor {
    secret: String,
    /// In groups of four.
    spaced: String,
    url: String,
    /// Path of the black modules, and the side with the quiet zone, both in modules.
    path: String,
    side: i32,
}

pub(super) async fn invitation(State(console): State<Arc<Console>>, Path(token): Path<String>) -> Answer {
    console.invitation_page(&token, Feedback::default(), Secret::random()).await
}

pub(super) async fn accept(
    State(console): State<Arc<Console>>,
    Path(token): Path<String>,
    client: Client,
    form: Form,
) -> Answer {
    let secret = Secret::parse(form.get("secret")).unwrap_or_else(Secret::random);
    if !console.has_room() {
        return console.invitation_page(&token, Feedback { wrong: Vec::new(), wait: Some(1) }, secret).await;
    }
    let password =
        NewPassword { first: form.get("nouveau").to_owned().into(), again: form.get("encore").to_owned().into() };
    let given = form.get("code").trim().to_owned();
    let factor = (!given.is_empty()).then(|| Proposed { secret: secret.clone(), code: given });
    let office = &console.config().office.name;
    match console.door(&client).accept(&token, password, factor, office).await {
        Ok(Accepted::Done(codes)) => console.codes(None, codes, "/connexion"),
        Ok(Accepted::Problems(problems)) => {
            console.invitation_page(&token, Feedback::problems(&problems), secret).await
        }
        Ok(Accepted::NotOpen) => console.tell(None, StatusCode::GONE, "invitation_over"),
        Err(error) => console.failed(None, &error),
    }
}

#[derive(Debug, Serialize)]
struct CodesPage {
    codes: Vec<String>,
    /// The page to continue to.
    next: &'static str,
}

impl Console {
    pub(super) fn door<'a>(&'a self, client: &'a Client) -> Door<'a> {
        Door { store: self.store(), passwords: &self.passwords, client, now: self.now() }
    }

    pub(super) fn known_by(&self, client: Client, headers: &HeaderMap) -> Client {
        Client { device: cookies::read(headers, self.device_cookie()).map(str::to_owned), ..client }
    }

    /// The cookies of a session that was opened, and where to go.
    pub(super) fn let_in(&self, opened: &Opened, to: &str) -> Answer {
        let mut answer = answer::see_other(to);
        self.give(&mut answer, opened);
        answer
    }

    pub(super) fn give(&self, answer: &mut Answer, opened: &Opened) {
        let lasts = if opened.kept { Lasts::Kept } else { Lasts::Window };
        cookies::set(answer, self.session_cookie(), &opened.token, lasts);
        if let Some(device) = &opened.device {
            cookies::set(answer, self.device_cookie(), device, Lasts::Year);
        }
    }

    /// A login failed for a reason that is ours.
    pub(super) fn failed(&self, viewer: Option<&Viewer>, error: &LoginError) -> Answer {
        if let LoginError::Store(error) = error {
            return self.unavailable(viewer, error);
        }
        error!(error = error as &dyn std::error::Error, "nobody can be let in");
        self.tell(viewer, StatusCode::SERVICE_UNAVAILABLE, "broken")
    }

    fn login(&self, feedback: Feedback, address: String, kept: bool, to: usize) -> Answer {
        let (status, wait) = (feedback.status(), feedback.wait);
        let mut answer = self.shown(status, None, "", "login", &LoginPage { feedback, address, kept, to });
        retry_after(&mut answer, wait);
        answer
    }

    fn second(&self, half: &HalfLoggedIn, feedback: Feedback, to: usize) -> Answer {
        let (status, wait) = (feedback.status(), feedback.wait);
        let page = CodePage { feedback, form_token: half.form_token.clone(), to };
        let mut answer = self.shown_in(status, half.session.language, "login_code", &page);
        retry_after(&mut answer, wait);
        answer
    }

    async fn invitation_page(&self, token: &str, feedback: Feedback, secret: Secret) -> Answer {
        let invited = match self.store().invited(&code::hash(token), self.now()).await {
            Ok(Some(invited)) => invited,
            Ok(None) => return self.tell(None, StatusCode::GONE, "invitation_over"),
            Err(error) => return self.unavailable(None, &error),
        };
        let user = invited.user;
        let page = InvitationPage {
            factor: self.factor(&secret, &user.address.to_string()),
            needs_factor: user.roles.need_second_factor(),
            name: user.name,
            address: user.address.to_string(),
            feedback,
        };
        let mut answer = self.shown_in(page.feedback.status(), user.language, "invitation", &page);
        // The address holds a secret.
        answer::set(&mut answer, header::REFERRER_POLICY, "no-referrer");
        answer
    }

    pub(super) fn factor(&self, secret: &Secret, account: &str) -> Factor {
        let url = secret.url(&self.config().office.name, account);
        let (path, side) = picture::qr_path(&url).unwrap_or_default();
        let secret = secret.base32();
        let spaced = secret.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ");
        Factor { secret, spaced, url, path, side }
    }

    /// Recovery codes, shown once.
    pub(super) fn codes(&self, viewer: Option<&Viewer>, codes: Vec<String>, next: &'static str) -> Answer {
        self.shown(StatusCode::OK, viewer, "", "codes", &CodesPage { codes, next })
    }
}

fn retry_after(answer: &mut Answer, wait: Option<i64>) {
    if let Some(seconds) = wait {
        answer::set(answer, header::RETRY_AFTER, &seconds.to_string());
    }
}
