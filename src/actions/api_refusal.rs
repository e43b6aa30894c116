//! Refusals about tokens, webhooks and the API, with texts for both interfaces.

use crate::domain::{Timestamp, french::NBSP};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiRefusal {
    NoTokenName,
    NoScope,
    /// It lasts a day at least and a year at most.
    ExpiryOutOfRange {
        most_days: u32,
    },
    NoSuchToken(String),
    /// It was revoked before, or does not exist.
    TokenNotOpen(String),
    NotAWebAddress(String),
    /// Plain http to a host that `fetch.allow` does not name.
    NotHttps,
    /// A private address, to a host that `fetch.allow` does not name.
    NotPublic,
    NoEvent,
    TooManyWebhooks {
        most: usize,
    },
    NoSuchWebhook(String),
    /// It is disabled.
    WebhookDisabled(String),
    WebhookNotDisabled(String),
    /// The attempt is of a test, of an event that still waits, or too long ago.
    NothingToSendAgain,
    /// Its issues are editions: there are no sources to be read.
    NotCollected(String),
    /// It was asked for a moment ago.
    RereadTooOften {
        next: Timestamp,
    },
}

impl ApiRefusal {
    pub(super) fn in_english(&self) -> String {
        match self {
            Self::NoTokenName => "expected a name for the token, such as the program that will use it".to_owned(),
            Self::NoScope => "choose at least one scope".to_owned(),
            Self::ExpiryOutOfRange { most_days } => format!("a token lasts between 1 and {most_days} days"),
            Self::NoSuchToken(given) => format!("there is no token {given:?}; `semainier tokens list` shows them"),
            Self::TokenNotOpen(name) => format!("token {name:?} was revoked before"),
            Self::NotAWebAddress(given) => format!("{given:?} is not an address of the web"),
            Self::NotHttps => {
                "expected an https address; plain http is accepted for hosts named in fetch.allow only".to_owned()
            }
            Self::NotPublic => {
                "the address is not public; name its host in fetch.allow if events may go there".to_owned()
            }
            Self::NoEvent => "choose at least one event".to_owned(),
            Self::TooManyWebhooks { most } => format!("there are {most} webhooks already; remove one first"),
            Self::NoSuchWebhook(given) => {
                format!("there is no webhook {given:?}; `semainier webhooks list` shows them")
            }
            Self::WebhookDisabled(id) => format!("webhook {id} is disabled; enable it first"),
            Self::WebhookNotDisabled(id) => format!("webhook {id} is not disabled"),
            Self::NothingToSendAgain => {
                "nothing to send again: it was a test, it still waits for its next attempt, or it is too long ago"
                    .to_owned()
            }
            Self::NotCollected(id) => format!("mailing {id:?} is of editions, which have no sources to read again"),
            Self::RereadTooOften { .. } => "it was asked for less than a minute ago".to_owned(),
        }
    }

    pub(super) fn in_french(&self) -> String {
        match self {
            Self::NoTokenName => "donnez un nom au jeton, par exemple celui du programme qui s’en servira".to_owned(),
            Self::NoScope => "choisissez au moins un droit".to_owned(),
            Self::ExpiryOutOfRange { most_days } => format!("un jeton vaut entre 1 et {most_days}{NBSP}jours"),
            Self::NoSuchToken(_) => "ce jeton n’existe pas".to_owned(),
            Self::TokenNotOpen(name) => format!("le jeton «{NBSP}{name}{NBSP}» était déjà révoqué"),
            Self::NotAWebAddress(given) => format!("«{NBSP}{given}{NBSP}» n’est pas une adresse du web"),
            Self::NotHttps => "l’adresse doit commencer par https".to_owned(),
            Self::NotPublic => format!(
                "cette adresse n’est pas publique{NBSP}: la personne qui gère le serveur peut autoriser cet hôte \
                 (fetch.allow)"
            ),
            Self::NoEvent => "choisissez au moins un événement".to_owned(),
            Self::TooManyWebhooks { most } => format!("il y a déjà {most}{NBSP}webhooks{NBSP}: retirez-en un d’abord"),
            Self::NoSuchWebhook(_) => "ce webhook n’existe pas".to_owned(),
            Self::WebhookDisabled(_) => format!("ce webhook est désactivé{NBSP}: réactivez-le d’abord"),
            Self::WebhookNotDisabled(_) => "ce webhook n’est pas désactivé".to_owned(),
            Self::NothingToSendAgain => {
                "rien à renvoyer : c’était un essai, un nouvel essai est déjà prévu, ou c’est trop ancien"
                    .replace(" :", &format!("{NBSP}:"))
            }
            Self::NotCollected(_) => "cet envoi est celui des éditions, qui n’ont pas de source à relire".to_owned(),
            Self::RereadTooOften { .. } => "une relecture a été demandée il y a moins d’une minute".to_owned(),
        }
    }
}
