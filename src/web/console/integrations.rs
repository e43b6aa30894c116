//! « Jetons » and « Webhooks »: what programs outside may ask, and what they are told. For those who administer; what changes
//! something asks for the password again.

use super::{
    Console,
    again::{Keeps, Typed},
    gate::Form,
    pages::Asked,
};
use crate::accounts::{Scope, Scopes, Viewer};
use crate::actions::accounts::login::Client;
use crate::actions::{self, ActionError, ApiRefusal, Refusal};
use crate::domain::webhook::{Event, Events};
use crate::store::webhooks::Endpoint;
use crate::views::console::When;
use crate::views::integrations::{AttemptView, TokenView, WebhookView};
use crate::web::answer::{self, Answer};
use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use std::sync::Arc;

/// The fields of a new token.
pub(super) const TOKEN_KEEPS: Keeps = Keeps {
    texts: &["nom"],
    others: &[
        "jours",
        "droit-read:status",
        "droit-read:issues",
        "droit-read:log",
        "droit-read:persons",
        "droit-check:article",
        "droit-trigger:reread",
        "droit-orders",
        "droit-write:partners",
    ],
};
/// The fields of a new webhook.
pub(super) const WEBHOOK_KEEPS: Keeps = Keeps {
    texts: &["url"],
    others: &[
        "evenement-issue.held",
        "evenement-issue.awaiting_approval",
        "evenement-issue.paused",
        "evenement-issue.done",
        "evenement-order.changed",
        "evenement-contact.opted_out",
    ],
};

/// Results that an address may name: text keys.
const DONE: [&str; 7] = [
    "tokens_now_revoked",
    "webhooks_removed",
    "webhooks_now_disabled",
    "webhooks_enabled",
    "webhooks_tested",
    "webhooks_test_failed",
    "webhooks_sent_again",
];

fn done_of(asked: &Asked) -> Option<&'static str> {
    asked.get("fait").and_then(|given| DONE.into_iter().find(|it| *it == given))
}

#[derive(Debug, Serialize)]
struct TokenRow {
    token: TokenView,
    expires: When,
    used: Option<When>,
}

#[derive(Debug, Default, Serialize)]
struct TokensPage {
    tokens: Vec<TokenRow>,
    scopes: Vec<&'static str>,
    refused: Option<String>,
    done: Option<&'static str>,
    /// Shown once.
    secret: Option<String>,
    api: String,
    name: String,
    days: String,
    chosen: Vec<&'static str>,
    again: bool,
}

impl TokensPage {
    fn typed<'a>(get: impl Fn(&str) -> &'a str, has: impl Fn(&str) -> bool) -> Self {
        let chosen = Scope::ALL.map(Scope::as_str).into_iter().filter(|it| has(&format!("droit-{it}"))).collect();
        Self { name: get("nom").to_owned(), days: get("jours").to_owned(), chosen, ..Self::default() }
    }
}

pub(super) async fn show_tokens(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    asked: Asked,
    typed: Option<Extension<Typed>>,
) -> Answer {
    let page = match &typed {
        Some(it) => TokensPage { again: true, ..TokensPage::typed(|name| it.get(name), |name| it.has(name)) },
        None => TokensPage { done: done_of(&asked), ..TokensPage::default() },
    };
    console.tokens(&viewer, StatusCode::OK, page).await
}

pub(super) async fn act_tokens(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    client: Client,
    form: Form,
) -> Answer {
    let (store, actor, now) = (console.store(), console.actor(&viewer, &client), console.now());
    if form.get("faire") == "revoquer" {
        let revoked = async {
            let token = actions::tokens::find(store, form.get("cle")).await?;
            actions::tokens::revoke(store, &actor, &token, now).await
        };
        return match revoked.await {
            Ok(()) => answer::see_other("/jetons?fait=tokens_now_revoked"),
            Err(error) => console.tokens_refused(&viewer, error, TokensPage::default()).await,
        };
    }
    let typed = TokensPage::typed(|name| form.get(name), |name| form.has(name));
    let scopes = Scopes::of(Scope::ALL.into_iter().filter(|it| form.has(&format!("droit-{}", it.as_str()))));
    // Not a number: out of range.
    let days = form.get("jours").trim().parse().unwrap_or(0);
    match actions::tokens::add(store, &actor, form.get("nom"), scopes, days, now).await {
        Ok(made) => {
            let page = TokensPage { done: Some("tokens_added"), secret: Some(made.secret), ..TokensPage::default() };
            console.tokens(&viewer, StatusCode::OK, page).await
        }
        Err(error) => console.tokens_refused(&viewer, error, typed).await,
    }
}

impl Console {
    async fn tokens_refused(&self, viewer: &Viewer, error: ActionError, page: TokensPage) -> Answer {
        match error {
            ActionError::Refused(refusal) => {
                let page = TokensPage { refused: Some(refusal.in_french()), ..page };
                self.tokens(viewer, status_of(&refusal), page).await
            }
            error => self.not_done(viewer, error),
        }
    }

    async fn tokens(&self, viewer: &Viewer, status: StatusCode, page: TokensPage) -> Answer {
        let (zone, now) = (self.config().zone, self.now());
        let tokens = match self.store().tokens().await {
            Ok(tokens) => tokens,
            Err(error) => return self.unavailable(Some(viewer), &error),
        };
        let row = |it: &crate::store::api::Token| TokenRow {
            token: TokenView::new(it, zone, now),
            expires: When::new(it.expires_at, now, zone),
            used: it.used_at.map(|at| When::new(at, now, zone)),
        };
        let page = TokensPage {
            tokens: tokens.iter().map(row).collect(),
            scopes: Scope::ALL.map(Scope::as_str).to_vec(),
            api: self.config().console.address("api/v1"),
            days: if page.days.is_empty() { actions::tokens::MOST_DAYS.to_string() } else { page.days },
            ..page
        };
        self.shown(status, Some(viewer), "", "tokens", &page)
    }
}

/// A form that is wrong is 422; what changed meanwhile is 409.
fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Api(
            ApiRefusal::NoTokenName
            | ApiRefusal::NoScope
            | ApiRefusal::ExpiryOutOfRange { .. }
            | ApiRefusal::NotAWebAddress(_)
            | ApiRefusal::NotHttps
            | ApiRefusal::NotPublic
            | ApiRefusal::NoEvent,
        ) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::CONFLICT,
    }
}

#[derive(Debug, Serialize)]
struct WebhookRow {
    webhook: WebhookView,
    since: Option<When>,
    former_until: Option<When>,
}

#[derive(Debug, Default, Serialize)]
struct WebhooksPage {
    webhooks: Vec<WebhookRow>,
    events: Vec<&'static str>,
    refused: Option<String>,
    done: Option<&'static str>,
    /// Shown once.
    secret: Option<String>,
    url: String,
    chosen: Vec<&'static str>,
    again: bool,
}

impl WebhooksPage {
    fn typed<'a>(get: impl Fn(&str) -> &'a str, has: impl Fn(&str) -> bool) -> Self {
        let chosen = Event::ALL.map(Event::as_str).into_iter().filter(|it| has(&format!("evenement-{it}"))).collect();
        Self { url: get("url").to_owned(), chosen, ..Self::default() }
    }
}

pub(super) async fn show_webhooks(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    asked: Asked,
    typed: Option<Extension<Typed>>,
) -> Answer {
    let page = match &typed {
        Some(it) => WebhooksPage { again: true, ..WebhooksPage::typed(|name| it.get(name), |name| it.has(name)) },
        None => WebhooksPage { done: done_of(&asked), ..WebhooksPage::default() },
    };
    console.webhooks(&viewer, StatusCode::OK, page).await
}

pub(super) async fn act_webhooks(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    client: Client,
    form: Form,
) -> Answer {
    let typed = match form.get("faire") {
        "ajouter" => WebhooksPage::typed(|name| form.get(name), |name| form.has(name)),
        _ => WebhooksPage::default(),
    };
    match console.change_webhook(&viewer, &client, &form).await {
        Ok(Outcome::Secret(done, secret)) => {
            let page = WebhooksPage { done: Some(done), secret: Some(secret), ..WebhooksPage::default() };
            console.webhooks(&viewer, StatusCode::OK, page).await
        }
        Ok(Outcome::Seen(path)) => answer::see_other(&path),
        Err(ActionError::Refused(refusal)) => {
            let page = WebhooksPage { refused: Some(refusal.in_french()), ..typed };
            console.webhooks(&viewer, status_of(&refusal), page).await
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

enum Outcome {
    /// The key of what was done, and what is shown once.
    Secret(&'static str, String),
    /// The page that says it.
    Seen(String),
}

#[derive(Debug, Serialize)]
struct AnswersPage {
    row: WebhookRow,
    attempts: Vec<AttemptRow>,
    done: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct AttemptRow {
    attempt: AttemptView,
    at: When,
    /// It is of an event that can be sent again.
    is_event: bool,
}

pub(super) async fn show_webhook(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<String>,
    asked: Asked,
) -> Answer {
    let read = async {
        let found = console.store().endpoints().await?.into_iter().find(|it| it.id == id);
        let attempts = console.store().webhook_attempts(&id).await?;
        Ok::<_, crate::store::StoreError>(found.map(|it| (it, attempts)))
    };
    let (endpoint, attempts) = match read.await {
        Ok(Some(found)) => found,
        Ok(None) => return console.nowhere(&viewer),
        Err(error) => return console.unavailable(Some(&viewer), &error),
    };
    let (zone, now) = (console.config().zone, console.now());
    let attempts = attempts.iter().map(|it| AttemptRow {
        attempt: AttemptView::new(it, zone),
        at: When::new(it.at, now, zone),
        is_event: it.message.is_some(),
    });
    let page = AnswersPage { row: console.webhook_row(&endpoint), attempts: attempts.collect(), done: done_of(&asked) };
    console.page(&viewer, "", "webhook", &page)
}

impl Console {
    async fn change_webhook(&self, viewer: &Viewer, client: &Client, form: &Form) -> Result<Outcome, ActionError> {
        let (engine, actor) = (&self.engine, self.actor(viewer, client));
        if form.get("faire") == "ajouter" {
            let events = Event::ALL.into_iter().filter(|it| form.has(&format!("evenement-{}", it.as_str())));
            let added = actions::webhooks::add(engine, &actor, form.get("url"), Events::of(events)).await?;
            return Ok(Outcome::Secret("webhooks_added", added.secret));
        }
        let endpoint = actions::webhooks::find(engine, form.get("cle")).await?;
        let own = |done: &str| Outcome::Seen(format!("/webhooks/{}?fait={done}", endpoint.id));
        match form.get("faire") {
            "essayer" => {
                let attempt = actions::webhooks::test(engine, &actor, &endpoint).await?;
                Ok(own(if attempt.is_delivered() { "webhooks_tested" } else { "webhooks_test_failed" }))
            }
            "renvoyer" => {
                actions::webhooks::send_again(engine, &actor, &endpoint, form.get("reponse")).await?;
                Ok(own("webhooks_sent_again"))
            }
            "secret" => {
                let secret = actions::webhooks::rotate(engine, &actor, &endpoint).await?;
                Ok(Outcome::Secret("webhooks_rotated", secret))
            }
            "desactiver" => {
                actions::webhooks::disable(engine, &actor, &endpoint).await?;
                Ok(own("webhooks_now_disabled"))
            }
            "reactiver" => {
                actions::webhooks::enable(engine, &actor, &endpoint).await?;
                Ok(own("webhooks_enabled"))
            }
            "retirer" => {
                actions::webhooks::remove(engine, &actor, &endpoint).await?;
                Ok(Outcome::Seen("/webhooks?fait=webhooks_removed".to_owned()))
            }
            _ => Err(Refusal::NothingSaid.into()),
        }
    }

    fn webhook_row(&self, it: &Endpoint) -> WebhookRow {
        let (zone, now) = (self.config().zone, self.now());
        WebhookRow {
            webhook: WebhookView::new(it, zone, now),
            since: it.since().map(|at| When::new(at, now, zone)),
            former_until: it.former_until(now).map(|at| When::new(at, now, zone)),
        }
    }

    async fn webhooks(&self, viewer: &Viewer, status: StatusCode, page: WebhooksPage) -> Answer {
        let endpoints = match self.store().endpoints().await {
            Ok(endpoints) => endpoints,
            Err(error) => return self.unavailable(Some(viewer), &error),
        };
        let page = WebhooksPage {
            webhooks: endpoints.iter().map(|it| self.webhook_row(it)).collect(),
            events: Event::ALL.map(Event::as_str).to_vec(),
            ..page
        };
        self.shown(status, Some(viewer), "", "webhooks", &page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boxes_of_the_forms_are_kept_over_a_login() {
        let scopes: Vec<_> = Scope::ALL.iter().map(|it| format!("droit-{}", it.as_str())).collect();
        assert_eq!(TOKEN_KEEPS.others[1..], scopes);
        let events: Vec<_> = Event::ALL.iter().map(|it| format!("evenement-{}", it.as_str())).collect();
        assert_eq!(WEBHOOK_KEEPS.others, events);
    }
}
