//! Unsubscribing and choosing mailings: GET shows the page, POST changes something.
//!
//! Mail scanners open every link, some in a real browser, so a GET changes nothing (it would unsubscribe whole offices).
//! A mail program's one-click POST comes without cookies or session and is answered with 200, never with a redirect (RFC
//! 8058 3.1, 3.2).

use crate::compose::page::{ChoiceLine, LeavePage};
use crate::domain::partner::Choices;
use crate::store::StoreError;
use crate::web::{
    Site,
    answer::{self, Answer, Keep},
};
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use std::collections::HashSet;
use std::sync::Arc;
use tracing::info;

/// What a POST asks for.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    /// Our button, a mail program's one-click, or anything else posted to an unsubscribe link.
    Leave,
    Return,
    /// Only these mailings, of those the contact is subscribed to.
    Choose(HashSet<String>),
}

impl Wish {
    fn read(content_type: &str, body: &[u8]) -> Self {
        // A multipart body is only ever `List-Unsubscribe=One-Click`.
        if content_type.starts_with("multipart/") {
            return Wish::Leave;
        }
        let fields: Vec<_> = url::form_urlencoded::parse(body).collect();
        let action = fields.iter().find(|(name, _)| name == "action").map(|(_, value)| value.as_ref());
        match action {
            Some("return") => Wish::Return,
            Some("choose") => {
                let chosen = fields.iter().filter(|(name, _)| name == "mailing").map(|(_, value)| value.to_string());
                Wish::Choose(chosen.collect())
            }
            _ => Wish::Leave,
        }
    }
}

pub(super) async fn show(State(site): State<Arc<Site>>, Path(token): Path<String>) -> Answer {
    let Some((contact, mailing)) = site.tokens.check_unsubscribe(&token) else { return site.nowhere() };
    site.leave_page(contact, mailing, None).await
}

pub(super) async fn act(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let Some((contact, mailing)) = site.tokens.check_unsubscribe(&token) else { return site.nowhere() };
    let content_type = answer::content_type(&headers);
    match site.fulfil(contact, mailing, Wish::read(content_type, &body)).await {
        Ok(done) => site.leave_page(contact, mailing, Some(done)).await,
        Err(error) => site.broken(&error.into()),
    }
}

impl Site {
    /// Executes the request; returns what was done, in words.
    async fn fulfil(&self, contact: &str, mailing: &str, wish: Wish) -> Result<String, StoreError> {
        let title = self.title(mailing);
        match wish {
            Wish::Leave => {
                self.store.opt_out(contact, mailing, self.clock.now()).await?;
                info!(mailing, "unsubscribed from {mailing}");
                Ok(format!("C’est fait\u{a0}: vous ne recevrez plus «\u{a0}{title}\u{a0}»."))
            }
            Wish::Return => {
                self.store.opt_in(contact, mailing, self.clock.now()).await?;
                info!(mailing, "resubscribed to {mailing}");
                Ok(format!("C’est fait\u{a0}: vous recevrez de nouveau «\u{a0}{title}\u{a0}»."))
            }
            Wish::Choose(chosen) => {
                let known = self.store.choices(contact).await?.map(|choices| choices.mailings).unwrap_or_default();
                for choice in known {
                    match (chosen.contains(&choice.mailing), choice.receives) {
                        (true, false) => drop(self.store.opt_in(contact, &choice.mailing, self.clock.now()).await?),
                        (false, true) => drop(self.store.opt_out(contact, &choice.mailing, self.clock.now()).await?),
                        _ => {}
                    }
                }
                info!("somebody chose");
                Ok("C’est fait\u{a0}: vos choix sont enregistrés.".to_owned())
            }
        }
    }

    async fn leave_page(&self, contact: &str, mailing: &str, done: Option<String>) -> Answer {
        match self.store.choices(contact).await {
            Ok(Some(choices)) => {
                let page = self.leave_words(&choices, mailing, done);
                self.shown(StatusCode::OK, &page, Keep::Never)
            }
            // The contact was deleted: nothing is sent to them any more.
            Ok(None) => {
                let text =
                    "Cette adresse n’est plus dans nos fichiers\u{a0}: vous ne recevrez plus nos messages.".to_owned();
                self.message(StatusCode::OK, "Vous êtes désinscrit", vec![text])
            }
            Err(error) => self.broken(&error.into()),
        }
    }

    fn leave_words(&self, choices: &Choices, mailing: &str, done: Option<String>) -> LeavePage {
        let this = choices.mailings.iter().find(|choice| choice.mailing == mailing);
        let lines = choices.mailings.iter().map(|choice| ChoiceLine {
            mailing: choice.mailing.clone(),
            title: self.title(&choice.mailing).to_owned(),
            receives: choice.receives,
        });
        LeavePage {
            title: "Vos abonnements".to_owned(),
            done,
            mailing: self.title(mailing).to_owned(),
            address: choices.address.masked(),
            receives: this.is_some_and(|choice| choice.receives),
            may_return: this.is_some_and(|choice| choice.may_return),
            choices: if choices.mailings.len() > 1 { lines.collect() } else { Vec::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_post_unsubscribes_except_for_the_two_other_buttons() {
        let read = |body: &str| Wish::read("application/x-www-form-urlencoded", body.as_bytes());
        for body in ["List-Unsubscribe=One-Click", "action=leave", "", "x=%FF&action=fly", "mailing=agenda"] {
            assert_eq!(read(body), Wish::Leave, "{body}");
        }
        assert_eq!(Wish::read("multipart/form-data; boundary=b", b"--b\r\naction=return"), Wish::Leave);
        assert_eq!(read("action=return"), Wish::Return);
        let chosen = HashSet::from(["agenda".to_owned(), "newsletter".to_owned()]);
        assert_eq!(read("action=choose&mailing=agenda&mailing=newsletter"), Wish::Choose(chosen));
        assert_eq!(read("action=choose"), Wish::Choose(HashSet::new()));
    }
}
