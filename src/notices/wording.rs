//! Every failure in French, worded from data: why an issue is held or paused, what became of an occurrence, what the relay
//! did. Other rooms return values; the sentences are here.

use crate::domain::{
    french::{self, NBSP, day, week as week_in_words},
    hold::{FileTrouble, Hold},
    issue::IssueState,
};
use chrono::NaiveDate;
use std::fmt;

/// A clause without capital and full stop: it follows « retenu : ».
impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = |days: &[NaiveDate]| days.iter().map(|d| day(*d)).collect::<Vec<_>>().join(", ");
        match self {
            Hold::ArticleUnreachable(why) => write!(f, "l’article n’a pas pu être lu{NBSP}: {why}"),
            Hold::ListingsUnreachable(why) => write!(f, "une source d’événements n’a pas pu être lue{NBSP}: {why}"),
            Hold::NoArticle { week } => write!(f, "aucun article trouvé pour la semaine {}", week_in_words(*week)),
            Hold::WrongWeek { wanted, found: Some(found), title } => write!(
                f,
                "l’article «{NBSP}{title}{NBSP}» parle de la semaine {}, et non de la semaine {}",
                week_in_words(*found),
                week_in_words(*wanted)
            ),
            Hold::WrongWeek { found: None, title, .. } => {
                write!(f, "aucun jour n’a été reconnu dans l’article «{NBSP}{title}{NBSP}»")
            }
            Hold::StrayDays { wanted, days: stray } => write!(
                f,
                "l’article annonce des jours hors de la semaine {}{NBSP}: {}",
                week_in_words(*wanted),
                days(stray)
            ),
            Hold::EmptyDays(empty) => write!(f, "rien n’est annoncé sous le titre de ces jours{NBSP}: {}", days(empty)),
            Hold::TooFewEvents { found: 0, .. } => f.write_str("aucun événement dans l’article"),
            Hold::TooFewEvents { found, least } => {
                write!(f, "{found} événement{} seulement dans l’article, il en faut au moins {least}", plural(*found))
            }
            Hold::TooManyUnplaced { unplaced, items } => {
                write!(f, "{unplaced} annonce{} sur {items} n’ont pu être rangées sous aucun jour", plural(*unplaced))
            }
            Hold::NothingNew { since } => {
                write!(f, "rien de nouveau n’a été publié depuis le {}", french::full_day(*since))
            }
            Hold::NewsUnreachable(why) => write!(f, "une source n’a pas pu être lue{NBSP}: {why}"),
            Hold::EditorialUnreadable { file, why } => match why {
                FileTrouble::TooLong => write!(f, "l’éditorial {file} n’est pas lisible{NBSP}: il est trop long"),
                FileTrouble::Unreadable(why) => write!(f, "l’éditorial {file} n’est pas lisible{NBSP}: {why}"),
            },
            Hold::AppointmentsUnreadable(why) => {
                write!(f, "la liste des rendez-vous n’est pas lisible{NBSP}: {why}")
            }
            Hold::NoSuchEdition { slug } => write!(f, "l’édition «{NBSP}{slug}{NBSP}» n’existe pas"),
            Hold::EditionOutOfDate { title } => write!(f, "«{NBSP}{title}{NBSP}» n’est plus valable ce jour-là"),
            Hold::PdfNotServed { title } => write!(
                f,
                "le PDF de «{NBSP}{title}{NBSP}» ne peut pas être lu en ligne{NBSP}: web.bind n’est pas réglé"
            ),
            Hold::Unapproved => f.write_str("personne n’a donné son accord avant l’heure prévue"),
            Hold::Broken(failure) => write!(f, "une erreur technique l’empêche ({failure})"),
        }
    }
}

fn plural(n: usize) -> &'static str {
    if n > 1 { "s" } else { "" }
}

/// A warning in an agenda that goes without one of its sources.
pub(crate) fn made_without(why: &str) -> String {
    format!("Une source manque, l’agenda est fait sans elle{NBSP}: {why}.")
}

/// Why an occurrence of an edition is missed.
pub(crate) const TAKEN_BACK: &str = "une personne a repris l’annonce";

pub(crate) fn paused_by(name: &str) -> String {
    format!("{name} a mis l’envoi en pause")
}

impl IssueState {
    /// As it follows « le numéro est ».
    pub fn in_french(self) -> &'static str {
        match self {
            IssueState::Held => "retenu",
            IssueState::AwaitingApproval => "à approuver",
            IssueState::Sending => "en cours d’envoi",
            IssueState::Paused => "en pause",
            IssueState::Done => "envoyé",
            IssueState::Expired => "périmé",
            IssueState::Cancelled => "annulé",
        }
    }
}
