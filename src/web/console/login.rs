//! Login, logout, invitation. GET shows, POST does.

use super::{
    Console,
    again::{ShowAgain, Typed},
    cookies,
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

#[derive(Debug, Default, Serialize)]
struct LoginPage {
    feedback: Feedback,
    address: String,
    kept: bool,
    /// Number of the page that is shown afterwards.
    to: usize,
    /// What was typed when the session was over.
    typed: Option<Typed>,
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
    console.login(LoginPage { to, ..LoginPage::default() })
}

pub(super) async fn act(State(console): State<Arc<Console>>, headers: HeaderMap, client: Client, form: Form) -> Answer {
    let to = form.get("vers").parse().unwrap_or(0);
    let (address, kept) = (form.get("adresse").to_owned(), form.has("rester"));
    let typed = Typed::carried(&console.kept, &form);
    let refused = |feedback, typed| console.login(LoginPage { feedback, address: address.clone(), kept, to, typed });
    if !console.has_room() {
        return refused(Feedback { wrong: Vec::new(), wait: Some(1) }, typed);
    }
    let client = console.known_by(client, &headers);
    let before = cookies::read(&headers, console.session_cookie()).map(code::hash);
    let password = form.get("mot-de-passe").to_owned().into();
    match console.door(&client).password(&address, password, kept, before.as_deref()).await {
        Ok(Step::In(opened)) => console.let_in_with(&opened, super::page_at(to), typed),
        Ok(Step::Half(opened)) => match typed {
            Some(typed) => console.second_after(&opened, to, typed).await,
            None => console.let_in(&opened, &format!("/connexion/code?vers={to}")),
        },
        Ok(Step::Wrong) => refused(Feedback::wrong("adresse", "login_wrong"), typed),
        Ok(Step::NoSecondFactor) => refused(Feedback::wrong("adresse", "login_no_second_factor"), typed),
        Ok(Step::Later(until)) => refused(Feedback::later(until, console.now()), typed),
        Err(error) => console.failed(None, &error),
    }
}

#[derive(Debug, Serialize)]
struct CodePage {
    feedback: Feedback,
    form_token: String,
    to: usize,
    /// As in [`LoginPage`].
    typed: Option<Typed>,
}

pub(super) async fn show_code(State(console): State<Arc<Console>>, half: HalfLoggedIn, asked: Asked) -> Answer {
    let to = asked.get("vers").and_then(|it| it.parse().ok()).unwrap_or(0);
    console.second(&half, Feedback::default(), to, None)
}

pub(super) async fn act_code(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    half: HalfLoggedIn,
    client: Client,
    form: Form,
) -> Answer {
    let to = form.get("vers").parse().unwrap_or(0);
    let typed = Typed::carried(&console.kept, &form);
    if !console.has_room() {
        return console.second(&half, Feedback { wrong: Vec::new(), wait: Some(1) }, to, typed);
    }
    let client = console.known_by(client, &headers);
    match console.door(&client).second_factor(&half.session, &half.token_hash, form.get("code")).await {
        Ok(Step::In(opened)) => console.let_in_with(&opened, super::page_at(to), typed),
        Ok(Step::Later(until)) => console.second(&half, Feedback::later(until, console.now()), to, typed),
        Ok(_) => console.second(&half, Feedback::wrong("code", "code_wrong"), to, typed),
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

    /// The same; what was typed before is shown instead, where it was typed.
    pub(super) fn let_in_with(&self, opened: &Opened, to: &str, typed: Option<Typed>) -> Answer {
        let mut answer = self.let_in(opened, to);
        if let Some(typed) = typed {
            answer.extensions_mut().insert(ShowAgain { typed, session: Some(opened.token.clone()) });
        }
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

    fn login(&self, page: LoginPage) -> Answer {
        let (status, wait) = (page.feedback.status(), page.feedback.wait);
        let mut answer = self.shown(status, None, "", "login", &page);
        retry_after(&mut answer, wait);
        answer
    }

    /// The login, for somebody whose session is over and who had typed something.
    pub(super) fn login_after(&self, typed: Typed) -> Answer {
        let page = LoginPage { typed: Some(typed), ..LoginPage::default() };
        self.shown(StatusCode::UNAUTHORIZED, None, "", "login", &page)
    }

    /// The second step in the answer itself: what was typed cannot travel by a redirect.
    async fn second_after(&self, opened: &Opened, to: usize, typed: Typed) -> Answer {
        let token_hash = code::hash(&opened.token);
        let mut answer = match self.store().session(&token_hash, self.now()).await {
            Ok(Some(session)) => {
                let form_token = code::form_token(&opened.token, &session.user);
                let half = HalfLoggedIn { session, token_hash, form_token };
                self.second(&half, Feedback::default(), to, Some(typed))
            }
            Ok(None) => self.login_after(typed),
            Err(error) => return self.unavailable(None, &error),
        };
        self.give(&mut answer, opened);
        answer
    }

    fn second(&self, half: &HalfLoggedIn, feedback: Feedback, to: usize, typed: Option<Typed>) -> Answer {
        let (status, wait) = (feedback.status(), feedback.wait);
        let page = CodePage { feedback, form_token: half.form_token.clone(), to, typed };
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
