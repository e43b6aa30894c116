//! A test of an issue: its kept content as partners would get it, handed to the relay for one member of staff. It is no delivery:
//! the ledger counts none, the audit has it.

use super::{Actor, Refusal, Result, on};
use crate::accounts::UserId;
use crate::app::Engine;
use crate::compose::{
    context,
    mime::{Mime, To},
};
use crate::deliver::{Deliverer, NotHandedOver, OutgoingMessage};
use crate::domain::{
    Timestamp,
    delivery::Phase,
    email::EmailAddress,
    issue::{Content, IssueKey},
    message::Message,
    schedule::at_local,
};
use crate::issue::{approval::short, content::content_hash};
use crate::notices::replies::{Meaning, meaning_of};
use anyhow::Context;
use chrono::NaiveTime;
use serde_json::json;
use std::time::Duration;
use tracing::{info, warn};

/// Tests of one person within a day of the office.
pub const MOST: u32 = 10;
/// Actions in the audit: asked for, and what the relay said then.
pub const ASKED: &str = "issue.test";
pub const ACCEPTED: &str = "issue.test.accepted";
pub const REFUSED: &str = "issue.test.refused";
/// In front of the subject.
pub const MARK: &str = "[Essai] ";
/// In the place of the token in personal links: their pages say that it is a test.
pub const TOKEN: &str = "essai";
/// The whole conversation with the relay: shorter than that of a delivery, which nobody waits for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Who gets a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    address: EmailAddress,
    name: String,
    /// `None`: in `staff`, without an account.
    user: Option<UserId>,
}

impl Addressee {
    /// The address of an account.
    ///
    /// # Errors
    /// A refusal when there is no such account, or it is disabled; or a database that cannot be read.
    pub async fn account(engine: &Engine, user: &UserId) -> Result<Self> {
        let found = engine.store.credentials(user, engine.app.clock.now()).await?;
        let found = found.ok_or_else(|| Refusal::NoSuchAccount(user.0.clone()))?.user;
        if found.disabled_at.is_some() {
            return Err(Refusal::AccountDisabled(user.0.clone()).into());
        }
        Ok(Self { address: found.address, name: found.name, user: Some(found.id) })
    }

    /// An address that belongs to staff: of an active account, or in `staff` of the configuration.
    ///
    /// # Errors
    /// A refusal when it does not; or a database that cannot be read.
    pub async fn staff(engine: &Engine, address: &EmailAddress) -> Result<Self> {
        let found = engine.store.credentials_by_address(&address.key(), engine.app.clock.now()).await?;
        if let Some(found) = found.map(|it| it.user).filter(|it| it.disabled_at.is_none()) {
            return Ok(Self { address: found.address, name: found.name, user: Some(found.id) });
        }
        match engine.app.config.staff.iter().find(|it| it.key() == address.key()) {
            Some(address) => Ok(Self { address: address.clone(), name: String::new(), user: None }),
            None => Err(Refusal::NotStaff(address.clone()).into()),
        }
    }
}

/// What became of a test.
#[derive(Debug)]
pub enum Tested {
    Accepted {
        at: Timestamp,
    },
    /// Not answered yet; the audit will have the outcome.
    Waiting,
    Refused {
        /// In French, a clause.
        words: String,
        error: NotHandedOver,
    },
}

/// Hands a test of the content that is kept now to the relay. `patience`: how long the caller waits for the relay's answer; the
/// conversation goes on without, up to [`PATIENCE`].
///
/// # Errors
/// A refusal: nothing is composed, it is no mail to a list, no relay is configured, or the actor has had [`MOST`] tests today.
/// Or a database that cannot be read or written, or content that makes no message.
pub async fn send(
    engine: &Engine,
    actor: &Actor,
    key: &IssueKey,
    to: &Addressee,
    patience: Duration,
) -> Result<Tested> {
    let store = &engine.store;
    if engine.app.config.relay.is_none() {
        return Err(Refusal::NoRelay.into());
    }
    let issue = store.issue(key).await?.ok_or_else(|| Refusal::NotComposedYet(key.clone()))?;
    let (Some(hash), Some(content)) = (issue.content_hash(), store.content(key).await?) else {
        return Err(Refusal::NotComposedYet(key.clone()).into());
    };
    if !content.envelope.is_of_a_list() {
        return Err(Refusal::NotOfAList(key.clone()).into());
    }
    hand(engine, actor, key, content, hash, to, patience).await
}

/// The same of an edition that is not announced yet: of the mail as it would leave now.
///
/// # Errors
/// As [`send`]; or a refusal if the edition is not ready to be announced.
pub async fn send_edition(
    engine: &Engine,
    actor: &Actor,
    slug: &str,
    to: &Addressee,
    patience: Duration,
) -> Result<Tested> {
    if engine.app.config.relay.is_none() {
        return Err(Refusal::NoRelay.into());
    }
    let (key, content) = super::announce::rehearse(engine, slug).await?;
    let hash = content_hash(&content);
    hand(engine, actor, &key, content, &hash, to, patience).await
}

/// The same of an erratum that is not sent yet: of the mail as it would leave now.
///
/// # Errors
/// As [`send`]; or a refusal if there can be no erratum with these words.
pub async fn send_erratum(
    engine: &Engine,
    actor: &Actor,
    (of, words): (&IssueKey, &str),
    to: &Addressee,
    patience: Duration,
) -> Result<Tested> {
    if engine.app.config.relay.is_none() {
        return Err(Refusal::NoRelay.into());
    }
    let erratum = super::erratum::compose(engine, of, words).await?;
    hand(engine, actor, &erratum.key, erratum.content, &erratum.hash, to, patience).await
}

async fn hand(
    engine: &Engine,
    actor: &Actor,
    key: &IssueKey,
    content: Content,
    hash: &str,
    to: &Addressee,
    patience: Duration,
) -> Result<Tested> {
    let (store, now) = (&engine.store, engine.app.clock.now());
    let whom = to.user.as_ref().map_or("staff".to_owned(), |user| format!("user:{}", user.0));
    let asked = Asked {
        actor: actor.clone(),
        key: key.clone(),
        to: to.address.clone(),
        message: message(engine, key, content, to, now).await?,
        deliverer: engine.deliverer().await?,
        detail: json!({"hash": short(hash), "to": whom}),
    };
    let zone = engine.app.config.zone;
    let today = at_local(zone, now.with_timezone(&zone).date_naive(), NaiveTime::MIN);
    let entry = actor.entry(ASKED, on(key), &asked.detail, now);
    if !store.record_within(&entry, today, MOST).await? {
        return Err(Refusal::TestedTooOften { most: MOST }.into());
    }
    // In a task of its own: the outcome is recorded even if the request ends before the relay answers.
    let engine = engine.clone();
    let handing = tokio::spawn(async move { asked.hand_over(&engine).await });
    match tokio::time::timeout(patience, handing).await {
        Ok(done) => Ok(done.context("handing a test to the relay failed")?),
        Err(_) => Ok(Tested::Waiting),
    }
}

/// A test that is counted, and not handed over yet.
struct Asked {
    actor: Actor,
    key: IssueKey,
    to: EmailAddress,
    message: Message,
    deliverer: Deliverer,
    detail: serde_json::Value,
}

impl Asked {
    async fn hand_over(self, engine: &Engine) -> Tested {
        let Self { actor, key, to, message, deliverer, mut detail } = self;
        let id = format!("essai-{}", key.slug());
        let letter = OutgoingMessage { id: &id, to: &to, message: &message };
        let error = match tokio::time::timeout(PATIENCE, deliverer.hand_over(&letter)).await {
            Ok(Ok(())) => {
                actor.audit(engine, ACCEPTED, on(&key), detail).await;
                info!(issue = %key, door = %actor.door, "a test of {key} was accepted by the relay");
                return Tested::Accepted { at: engine.app.clock.now() };
            }
            Ok(Err(error)) => error,
            Err(_) => {
                let text = format!("no answer within {} seconds", PATIENCE.as_secs());
                NotHandedOver { phase: Phase::Dot, code: None, text }
            }
        };
        let words = words(&error);
        detail["phase"] = error.phase.as_str().into();
        detail["code"] = error.code.into();
        detail["words"] = words.as_str().into();
        actor.audit(engine, REFUSED, on(&key), detail).await;
        // The relay's own words may name the address (I7).
        warn!(issue = %key, phase = error.phase.as_str(), code = error.code, "a test of {key} was not accepted by the relay");
        Tested::Refused { words, error }
    }
}

/// As it leaves, but for the mark in the subject, the time, and personal links, which lead to pages that change nothing.
async fn message(
    engine: &Engine,
    key: &IssueKey,
    mut content: Content,
    to: &Addressee,
    now: Timestamp,
) -> anyhow::Result<Message> {
    let public_url: url::Url =
        content.envelope.public_url.parse().context("the public address stored with the issue is invalid")?;
    context::fill_view(&mut content, &engine.tokens().await?.view_url(&public_url, key));
    content.subject.insert_str(0, MARK);
    content.envelope.date_ms = now.timestamp_millis();
    let message_id = format!("essai.{}.{}@{}", key.slug(), uuid::Uuid::now_v7(), content.envelope.domain);
    let [unsubscribe_url, order_url] = links(&public_url);
    // Encoding documents takes a while.
    let (to, keys) = (to.clone(), engine.app.config.dkim.clone());
    let made = crate::issue::content::on_a_blocking_thread(move || {
        let to = To {
            address: &to.address,
            name: &to.name,
            establishment: "",
            message_id: &message_id,
            unsubscribe_url: &unsubscribe_url,
            order_url: &order_url,
        };
        let mime = Mime::new(content)?;
        anyhow::Ok(keys.sign(mime.message(to)?, mime.signing_keys())?)
    });
    made.await?
}

/// What stands for the personal links to unsubscribe and to order: pages of the public site that say what they are.
pub fn links(public_url: &url::Url) -> [String; 2] {
    let base = public_url.as_str().trim_end_matches('/');
    [format!("{base}/u/{TOKEN}"), format!("{base}/o/{TOKEN}")]
}

/// The relay's answer to the person who asked, in French.
fn words(error: &NotHandedOver) -> String {
    match meaning_of(error.phase, error.code, None, &error.text) {
        Meaning::NoSuchAddress | Meaning::MailboxAbandoned => "l’adresse de ce compte est refusée".to_owned(),
        Meaning::MailboxFull => "la boîte de ce compte est pleine".to_owned(),
        Meaning::Unusual => "réponse inhabituelle".to_owned(),
        meaning => meaning.in_french(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_links_of_a_test_lead_to_pages_that_say_so_also_below_a_path() {
        let of = |url: &str| links(&url.parse().unwrap());
        assert_eq!(of("https://a.fr/"), ["https://a.fr/u/essai", "https://a.fr/o/essai"]);
        assert_eq!(of("https://a.fr/lettre"), ["https://a.fr/lettre/u/essai", "https://a.fr/lettre/o/essai"]);
    }

    #[test]
    fn a_refused_test_is_told_to_its_owner_and_not_as_of_a_partner() {
        let said =
            |phase, code: u16, text: &str| words(&NotHandedOver { phase, code: Some(code), text: text.to_owned() });
        assert_eq!(said(Phase::Rcpt, 550, "5.1.1 no such user"), "l’adresse de ce compte est refusée");
        assert_eq!(said(Phase::Rcpt, 452, "mailbox full"), "la boîte de ce compte est pleine");
        assert_eq!(said(Phase::Auth, 535, "5.7.8 no"), "mot de passe du relais refusé");
        let away = NotHandedOver { phase: Phase::Connect, code: None, text: "connection refused".to_owned() };
        assert_eq!(words(&away), "le relais n’a pas répondu");
    }
}
