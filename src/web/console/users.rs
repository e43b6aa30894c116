//! « Comptes »: who may do what, for those who administer. What changes an account asks for the password again.

use super::{
    Console,
    again::{Keeps, Typed},
    gate::Form,
};
use crate::accounts::{Permission, Roles, Viewer};
use crate::actions::accounts::login::Client;
use crate::actions::{
    ActionError,
    accounts::{self, Invitation},
};
use crate::domain::email::EmailAddress;
use crate::views::accounts::UserView;
use crate::views::console::When;
use crate::web::answer::Answer;
use axum::{Extension, extract::State, http::StatusCode};
use serde::Serialize;
use std::sync::Arc;

/// The new account's fields.
pub(super) const KEEPS: Keeps = Keeps {
    texts: &["nom", "adresse"],
    others: &[
        "role-lecture",
        "role-redaction",
        "role-validation",
        "role-exploitation",
        "role-administration",
        "role-export",
    ],
};

#[derive(Debug, Default, Serialize)]
struct UsersPage {
    users: Vec<UserView>,
    /// Every role.
    roles: Vec<&'static str>,
    /// The account of the viewer.
    own: String,
    /// Why something was not done, in French.
    refused: Option<String>,
    /// Text key of the completed action.
    done: Option<&'static str>,
    invitation: Option<Link>,
    /// A new account as it was typed.
    new: New,
    /// It was typed in an earlier session.
    again: bool,
}

/// A new account that is not made yet.
#[derive(Debug, Serialize)]
struct New {
    name: String,
    address: String,
    roles: Vec<&'static str>,
}

impl Default for New {
    fn default() -> Self {
        Self { name: String::new(), address: String::new(), roles: vec![Permission::See.as_str()] }
    }
}

impl New {
    /// `has`: whether the form has this field; `get`: its text.
    fn typed<'a>(get: impl Fn(&str) -> &'a str, has: impl Fn(&str) -> bool) -> Self {
        let roles = Permission::ALL.map(Permission::as_str).into_iter();
        let roles = roles.filter(|role| has(&format!("role-{role}"))).collect();
        Self { name: get("nom").to_owned(), address: get("adresse").to_owned(), roles }
    }
}

/// A link to hand over, shown once.
#[derive(Debug, Serialize)]
struct Link {
    url: String,
    until: When,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    typed: Option<Extension<Typed>>,
) -> Answer {
    let page = match &typed {
        Some(it) => {
            UsersPage { new: New::typed(|name| it.get(name), |name| it.has(name)), again: true, ..UsersPage::default() }
        }
        None => UsersPage::default(),
    };
    console.users(&viewer, StatusCode::OK, page).await
}

pub(super) async fn act(State(console): State<Arc<Console>>, viewer: Viewer, client: Client, form: Form) -> Answer {
    match console.change(&viewer, &client, &form).await {
        Ok((done, invitation)) => {
            let zone = console.config().zone;
            let invitation = invitation.map(|it| Link {
                url: format!("{}/{}", console.origin.as_deref().unwrap_or_default(), it.path),
                until: When::new(it.expires_at, console.now(), zone),
            });
            let page = UsersPage { done: Some(done), invitation, ..UsersPage::default() };
            console.users(&viewer, StatusCode::OK, page).await
        }
        Err(ActionError::Refused(refusal)) => {
            let new = match form.get("faire") {
                "ajouter" => New::typed(|name| form.get(name), |name| form.has(name)),
                _ => New::default(),
            };
            let page = UsersPage { refused: Some(refusal.in_french()), new, ..UsersPage::default() };
            console.users(&viewer, StatusCode::CONFLICT, page).await
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

impl Console {
    async fn change(
        &self,
        viewer: &Viewer,
        client: &Client,
        form: &Form,
    ) -> Result<(&'static str, Option<Invitation>), ActionError> {
        let (store, actor, now) = (self.store(), self.actor(viewer, client), self.now());
        let roles = Roles::of(Permission::ALL.into_iter().filter(|role| form.has(&format!("role-{}", role.as_str()))));
        let needs_roles = matches!(form.get("faire"), "ajouter" | "roles");
        if needs_roles && roles.is_empty() {
            return Err(crate::actions::Refusal::NoRole.into());
        }
        if form.get("faire") == "ajouter" {
            let address =
                EmailAddress::parse(form.get("adresse").trim()).map_err(|_| crate::actions::Refusal::NoAddress)?;
            let invitation = accounts::add(store, &actor, address, form.get("nom"), roles, now).await?;
            return Ok(("users_added", Some(invitation)));
        }
        let user = accounts::find(store, form.get("compte"), now).await?;
        match form.get("faire") {
            "roles" => accounts::set_roles(store, &actor, &user, roles, now).await.map(|_| ("users_roles", None)),
            "desactiver" => accounts::disable(store, &actor, &user, now).await.map(|_| ("users_now_disabled", None)),
            "reactiver" => accounts::enable(store, &actor, &user, now).await.map(|_| ("users_enabled", None)),
            "sessions" => {
                accounts::end_sessions(store, &actor, &user.id, None, now).await.map(|_| ("users_ended", None))
            }
            "reinitialiser" if user.id != viewer.user => {
                accounts::reset(store, &actor, &user, now).await.map(|it| ("users_reset", Some(it)))
            }
            _ => Err(crate::actions::Refusal::NothingSaid.into()),
        }
    }

    async fn users(&self, viewer: &Viewer, status: StatusCode, page: UsersPage) -> Answer {
        let users = match crate::views::accounts::users(self.store(), self.config().zone, self.now()).await {
            Ok(users) => users,
            Err(error) => return self.unavailable(Some(viewer), &error),
        };
        let roles = Permission::ALL.map(Permission::as_str).to_vec();
        let page = UsersPage { users, roles, own: viewer.user.0.clone(), ..page };
        self.shown(status, Some(viewer), "", "users", &page)
    }
}
