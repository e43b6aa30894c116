//! French texts for every failure, made from data: why an issue is held or paused, the outcome of an occurrence, failures of
//! the relay. Other modules return values; the sentences are here.

use crate::apart::Apart;
use crate::domain::{
    Timestamp,
    delivery::Phase,
    french::{self, NBSP, day, plural, week as week_in_words},
    hold::{FileTrouble, Hold},
    issue::IssueKey,
    issue::IssueState,
    issue_name::IssueName,
    lane::Pace,
    lint::Finding,
    notice::{Cure, Notice},
    pause::{Doubt, PauseReason, SenderFault},
};
use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;
use std::fmt;

/// Stands for the recipient's establishment in previews.
pub(crate) const SAMPLE_ESTABLISHMENT: &str = "Établissement d’exemple";

/// Faults of a message that are named; the others are counted.
const FAULTS_SHOWN: usize = 3;

/// A page may have no title.
fn article(title: &str) -> String {
    match title {
        "" => "l’article".to_owned(),
        title => format!("l’article «{NBSP}{title}{NBSP}»"),
    }
}

/// A clause without capital and full stop; it follows « retenu : ».
impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = |days: &[NaiveDate]| days.iter().map(|d| day(*d)).collect::<Vec<_>>().join(", ");
        match self {
            Hold::ArticleUnreachable(why) => write!(f, "l’article n’a pas pu être lu{NBSP}: {why}"),
            Hold::ListingsUnreachable(why) => write!(f, "une source d’événements n’a pas pu être lue{NBSP}: {why}"),
            Hold::NoArticle { week } => write!(f, "aucun article trouvé pour la semaine {}", week_in_words(*week)),
            Hold::WrongWeek { wanted, found: Some(found), title } => write!(
                f,
                "{} parle de la semaine {}, et non de la semaine {}",
                article(title),
                week_in_words(*found),
                week_in_words(*wanted)
            ),
            Hold::WrongWeek { found: None, title, .. } => {
                write!(f, "aucun jour n’a été reconnu dans {}", article(title))
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
                write!(
                    f,
                    "{found} événement{} seulement dans l’article, il en faut au moins {least}",
                    plural(*found as u64)
                )
            }
            Hold::TooManyUnplaced { unplaced, items } => {
                write!(
                    f,
                    "{unplaced} annonce{} sur {items} n’ont pu être rangées sous aucun jour",
                    plural(*unplaced as u64)
                )
            }
            Hold::CorrectionsInConflict { lines } => {
                let first = lines.first().map(String::as_str).unwrap_or_default();
                let more = match lines.len().saturating_sub(1) {
                    0 => String::new(),
                    n => format!(" et {n} autre{}", plural(n as u64)),
                };
                write!(
                    f,
                    "l’annonce «{NBSP}{first}{NBSP}»{more} a changé depuis sa correction{NBSP}: il faut garder, adapter ou \
                     retirer la correction"
                )
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
            Hold::EditionIncomplete { title, missing } => {
                let missing: Vec<_> = missing.iter().map(|it| it.in_french()).collect();
                write!(f, "il manque à «{NBSP}{title}{NBSP}»{NBSP}: {}", missing.join(", "))
            }
            Hold::PdfNotServed { title } => write!(
                f,
                "le PDF de «{NBSP}{title}{NBSP}» ne peut pas être lu en ligne{NBSP}: web.bind n’est pas réglé"
            ),
            Hold::DoesNotFit => write!(
                f,
                "il y a trop d’événements pour l’affiche ou le livret{NBSP}: retirez-en, ou faites enlever les documents \
                 joints de cet envoi (attach)"
            ),
            Hold::MessageFaulty { faults } => {
                let shown = faults.iter().take(FAULTS_SHOWN).map(Finding::in_french).collect::<Vec<_>>();
                let more = match faults.len().saturating_sub(FAULTS_SHOWN) {
                    0 => String::new(),
                    n => format!("{NBSP}; et {n} autre{0} défaut{0}", plural(n as u64)),
                };
                write!(
                    f,
                    "le message a un défaut que les messageries refusent ou qu’un destinataire ne doit pas voir{NBSP}: {}{more}",
                    shown.join(&format!("{NBSP}; "))
                )
            }
            Hold::Unapproved => f.write_str("personne n’a donné son accord avant l’heure prévue"),
            Hold::Broken(failure) => write!(f, "une erreur technique l’empêche ({failure})"),
        }
    }
}

/// A warning in an agenda that was composed without one of its sources.
pub(crate) fn made_without(why: &str) -> String {
    format!("Une source manque, l’agenda est fait sans elle{NBSP}: {why}.")
}

/// The same with a required source, by somebody's exception.
pub(crate) fn went_without(why: &str, by: &str) -> String {
    format!("Une source manque, {by} a décidé de partir sans elle{NBSP}: {why}.")
}

/// Of an issue whose content was dropped: what it was read by no longer counts.
pub(crate) fn to_be_read_again(by: &str) -> String {
    format!("{by} est revenu sur une exception{NBSP}: les sources vont être relues")
}

/// A warning in an agenda: the line of a correction is gone.
pub(crate) fn orphaned(line: &str, by: &str) -> String {
    format!("L’annonce «{NBSP}{line}{NBSP}», corrigée par {by}, n’est plus dans l’article.")
}

/// What is wrong with one source, by its name.
pub(crate) fn of_source(name: &str, why: &str) -> String {
    format!("{name}{NBSP}: {why}")
}

/// Why an occurrence of an edition is missed.
pub(crate) const TAKEN_BACK: &str = "une personne a repris l’annonce";

pub(crate) fn paused_by(name: &str) -> String {
    format!("{name} a mis l’envoi en pause")
}

impl IssueState {
    /// Follows « le numéro est ».
    pub fn in_french(self) -> &'static str {
        match self {
            IssueState::Held => "retenu",
            IssueState::AwaitingApproval => "à approuver",
            IssueState::Rehearsed => "répété",
            IssueState::Approved => "approuvé",
            IssueState::Sending => "en cours d’envoi",
            IssueState::Paused => "en pause",
            IssueState::Done => "envoyé",
            IssueState::Expired => "périmé",
            IssueState::Cancelled => "annulé",
        }
    }
}

impl Apart {
    /// For a communications officer; without its full stop.
    pub fn in_french(&self) -> String {
        match self {
            Apart::Panicked(_) => "une erreur technique a arrêté sa lecture".to_owned(),
            Apart::TooLong(_) => "sa lecture prend trop de temps".to_owned(),
            Apart::NoThread(_) => "la machine n’a plus de ressources pour sa lecture".to_owned(),
        }
    }
}

impl fmt::Display for PauseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PauseReason::InDoubt { unknown, because } => {
                let because = match because {
                    Doubt::RelayWasSilent => "le relais n’a pas répondu après le dernier octet",
                    Doubt::ProcessDied => "le service s’est arrêté pendant que le relais les prenait",
                };
                write!(f, "{unknown} envois sont incertains{NBSP}: {because}. L’envoi est suspendu.")
            }
            PauseReason::TakenForSpam => write!(
                f,
                "plusieurs destinataires ont refusé ce message comme indésirable. L’envoi est suspendu{NBSP}: relisez-le \
                 avant de reprendre."
            ),
            PauseReason::EveryoneRefused { said } => write!(
                f,
                "tous les destinataires sont refusés l’un après l’autre de la même façon («{NBSP}{said}{NBSP}»). C’est sans \
                 doute nous, ou notre relais, que l’on refuse{NBSP}: ces envois sont remis en attente et l’envoi est suspendu."
            ),
            PauseReason::FirstRefused { refused } => write!(
                f,
                "les {refused} premiers destinataires ont tous été refusés{NBSP}: rien d’autre n’est parti. Ces envois sont \
                 remis en attente et l’envoi est suspendu."
            ),
            PauseReason::MassBounced { recipients, said } => {
                write!(f, "{}. L’envoi est suspendu.", mass_bounced(*recipients, said, None))
            }
            PauseReason::NobodyReached { refused } => {
                let who = match refused {
                    1 => "le seul destinataire a été refusé".to_owned(),
                    n => format!("les {n} destinataires ont tous été refusés"),
                };
                write!(
                    f,
                    "{who}{NBSP}: personne n’a reçu ce numéro. Ces envois sont remis en attente et l’envoi est suspendu."
                )
            }
            PauseReason::TooBig { bytes, most } => {
                write!(f, "le message pèse {bytes} octets et le relais n’en accepte que {most}. L’envoi est suspendu.")
            }
            PauseReason::EightBit => {
                f.write_str("le message contient des caractères que le relais n’accepte pas. L’envoi est suspendu.")
            }
            PauseReason::SenderFault { fault, said } => write!(
                f,
                "{fault} («{NBSP}{said}{NBSP}»). C’est notre configuration qui est en cause, pas les \
                 destinataires{NBSP}: l’envoi est suspendu."
            ),
        }
    }
}

impl fmt::Display for SenderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SenderFault::RelayRefuses => "le relais refuse nos messages, quel que soit le destinataire",
            SenderFault::Blocklisted => "l’adresse de notre serveur est sur une liste de blocage",
            SenderFault::NameNotRecognised => "le nom de notre serveur (PTR, HELO) n’est pas reconnu",
            SenderFault::NotAuthenticated => "l’authentification de nos messages (SPF, DKIM, DMARC) est refusée",
            SenderFault::SenderRefused => "notre adresse d’expédition est refusée",
            SenderFault::MessageTooBig => "le message est trop lourd",
            SenderFault::LoginWanted => "le relais demande une autre identification",
            SenderFault::CommandRefused => "le relais n’accepte pas notre façon de lui parler",
            SenderFault::AccountBlocked => "notre compte auprès du relais est bloqué ou épuisé",
            SenderFault::TakenForSpam => "le message est pris pour un courrier indésirable",
        })
    }
}

/// Why a lane needs a decision: the servers of a family refuse our mail.
pub(crate) fn lane_refuses(fault: SenderFault, said: &str) -> String {
    format!("{fault} («{NBSP}{said}{NBSP}»)")
}

/// Messages came back in the same words for so many recipients that they are not at fault; a sentence without full stop.
pub(crate) fn mass_bounced(recipients: u64, said: &str, family: Option<&str>) -> String {
    let (whose, ask) = match family {
        None => ("la cause est à notre relais ou chez nous", "demandez à qui gère le relais pourquoi il les renvoie"),
        Some(_) => ("la cause est chez ce fournisseur ou chez nous", "demandez-lui pourquoi il les renvoie"),
    };
    let from = family.map(|family| format!(" de {family}")).unwrap_or_default();
    format!(
        "{recipients} messages sont revenus{from} avec les mêmes mots («{NBSP}{said}{NBSP}»). Pour autant de destinataires, \
         {whose}, pas chez eux{NBSP}: aucune adresse n’est écartée. Avant le prochain envoi, {ask}"
    )
}

/// Why a lane needs a decision: the provider returned nearly all that it was given.
pub(crate) fn lane_returns(recipients: u64, said: &str) -> String {
    format!("{recipients} messages en sont revenus avec les mêmes mots («{NBSP}{said}{NBSP}»)")
}

/// Why a lane needs a decision: content was refused as spam too often.
pub(crate) fn lane_takes_it_for_spam() -> String {
    format!("ce message y est pris pour un courrier indésirable{NBSP}: relisez-le avant de rouvrir")
}

/// The notice about a stopped lane. `is_family`: otherwise it stands for all other domains, with one notice for all.
pub(crate) fn lane_stopped(lane: &str, pace: Pace, why: &str, is_family: bool) -> String {
    if pace == Pace::Paused {
        return format!(
            "les envois vers {lane} sont arrêtés{NBSP}: {why}. Les autres continuent{NBSP}; ceux-ci reprendront quand une \
             personne aura rouvert cette voie"
        );
    }
    let others = match is_family {
        true => String::new(),
        false => format!(
            "{NBSP}; d’autres domaines qui le demanderaient aussi ne vous seront plus annoncés pour ce numéro \
             (`semainier lanes` les montre)"
        ),
    };
    format!(
        "{lane} demande d’attendre («{NBSP}{why}{NBSP}»). Ces envois-là reprendront d’eux-mêmes{NBSP}; les autres \
         continuent{others}"
    )
}

/// The relay as a whole failed at this instant.
pub(crate) fn relay_failed(at: Timestamp, zone: Tz, phase: Phase, code: Option<u16>, said: &str) -> String {
    let what = match (phase, code) {
        (Phase::Connect, None) => "le relais de messagerie est injoignable",
        (Phase::Tls, _) => "la connexion chiffrée avec le relais de messagerie ne s’établit pas",
        (Phase::Auth, _) => "le relais de messagerie refuse notre identification",
        (_, Some(421)) => "le relais de messagerie demande d’attendre",
        _ => "le relais de messagerie ne prend pas nos messages pour le moment",
    };
    let code = code.map(|code| format!("{code} ")).unwrap_or_default();
    let at = french::date_and_hour(at, zone);
    format!("{at}, {what} ({code}{said}). Rien n’est perdu{NBSP}: l’envoi reprendra de lui-même.")
}

/// Why everything is paused where the ledger is older than it should be; `last`: the last write of this machine.
pub(crate) fn behind(last: Timestamp, zone: Tz) -> String {
    format!(
        "la base de données ne sait rien du dernier envoi ({}){NBSP}: elle semble restaurée d’une sauvegarde. {GONE}",
        french::date_and_hour(last, zone)
    )
}

/// Why everything is paused after a backup was restored, then where that is known.
pub(crate) fn restored(at: Option<Timestamp>, zone: Tz) -> String {
    let when = at.map(|at| format!(" le {}", french::date_and_hour(at, zone))).unwrap_or_default();
    format!("la base de données a été restaurée d’une sauvegarde{when}. {GONE}")
}

const GONE: &str =
    "Ce qui est parti et les désinscriptions reçues depuis n’y figurent plus. Vérifiez avant de reprendre.";

/// Why everything is paused where the ledger lives in another database since then.
pub(crate) fn moved(at: Timestamp, zone: Tz) -> String {
    format!(
        "la base de données a été déplacée ailleurs le {}{NBSP}: ce qui est parti et les désinscriptions reçues depuis n’y \
         figurent pas. Vérifiez avant de reprendre.",
        french::date_and_hour(at, zone)
    )
}

// Reasons for the state of an occurrence.
pub(crate) const ALREADY_FROZEN: &str = "ce numéro était déjà parti";
pub(crate) const SAME_ISSUE_LATER: &str = "le même numéro part à une heure plus récente";
pub(crate) const NEWER_INSTEAD: &str = "un numéro plus récent part à sa place";
pub(crate) const NOT_CONFIGURED: &str = "l’envoi n’est plus configuré";
pub(crate) const CANCELLED: &str = "une personne a annulé ce numéro";
pub(crate) const DEADLINE_OF_ISSUE_PASSED: &str = "l’heure limite de ce numéro était passée";
pub(crate) const NOBODY_BEFORE_THE_DEADLINE: &str = "l’heure limite est passée sans que personne ne l’ait reçu";
pub(crate) const DEADLINE_PASSED: &str = "l’heure limite est passée";
pub(crate) const RESCHEDULED: &str = "l’horaire de l’envoi a changé entre-temps";
pub(crate) const REHEARSED: &str = "répété, part à son heure sauf si une personne l’arrête";

/// A person does not want this issue to leave.
pub(crate) fn skipped_by(name: &str, why: &str) -> String {
    match why {
        "" => format!("{name} ne veut pas que ce numéro parte"),
        why => format!("{name} ne veut pas que ce numéro parte{NBSP}: {why}"),
    }
}

pub(crate) const AWAITS_APPROVAL: &str = "une personne doit donner son accord";

pub(crate) fn noticed_late(late: TimeDelta) -> String {
    let late = match late.num_hours() {
        0 => format!("{} min", late.num_minutes()),
        hours @ 1..48 => format!("{hours} h"),
        hours => format!("{} jours", hours / 24),
    };
    format!("le service n’a pu s’en occuper que {late} après l’heure prévue")
}

pub(crate) fn approved_and_waiting(by: &str) -> String {
    format!("approuvé par {by}, part à son heure")
}

/// One approval is not enough.
pub(crate) fn half_approved(by: &str) -> String {
    format!("Approuvé par {by}\u{202f}; il faut une seconde personne")
}

pub(crate) fn waits_for(before: &IssueKey) -> String {
    format!("l’envoi du numéro précédent ({}) n’est pas terminé", IssueName::new(before))
}

pub(crate) fn expired_though_approved(by: &str) -> String {
    format!("l’heure limite est passée, bien que {by} ait donné son accord")
}

/// What staff are told when content is refused.
pub(crate) fn refused_by(by: &str, why: &str) -> String {
    format!("{by} demande une correction{NBSP}: {}", why.trim().trim_end_matches('.'))
}

/// What staff are told when an approval is taken back.
pub(crate) fn withdrawn_by(by: &str, why: &str) -> String {
    match why.trim().trim_end_matches('.') {
        "" => format!("{by} a retiré son accord"),
        why => format!("{by} a retiré son accord{NBSP}: {why}"),
    }
}

// What a newsletter is sent without.

pub(crate) fn source_missing(why: &str) -> String {
    format!("une source manque{NBSP}: {why}")
}

pub(crate) fn picture_missing(title: &str, why: &str) -> String {
    format!("l’image de «{NBSP}{title}{NBSP}» manque{NBSP}: {why}")
}

pub(crate) const PICTURES_TOO_HEAVY: &str = "le message serait trop lourd";
pub(crate) const PICTURE_ADDRESS: &str = "son adresse n’en est pas une";
pub(crate) const PICTURE_NOT_READ: &str = "elle n’a pas pu être lue";

pub(crate) fn picture_unreadable(path: &std::path::Path, why: &std::io::Error) -> String {
    format!("le fichier {} n’est pas lisible{NBSP}: {why}", path.display())
}

pub(crate) fn picture_too_big(path: &std::path::Path) -> String {
    format!("le fichier {} est trop gros", path.display())
}

/// The sentence of a notice without its full stop, which the template adds.
pub(crate) fn of_notice(notice: &Notice) -> String {
    match notice {
        Notice::Unapproved => Hold::Unapproved.to_string(),
        Notice::Resolved(Cure::ArticleComplete) => "L’article est maintenant complet".to_owned(),
        Notice::Resolved(Cure::EditionReady) => "L’édition peut partir".to_owned(),
        Notice::Resolved(Cure::Approved) => "Une personne a donné son accord".to_owned(),
        Notice::Changed { .. } => "L’article a changé depuis la répétition".to_owned(),
        other => other.text().trim_end_matches('.').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_failure_is_described_by_its_phase() {
        let at = "2026-07-04T06:05:00Z".parse().unwrap();
        let words = |phase, code| relay_failed(at, Tz::Europe__Paris, phase, code, "non");
        assert!(
            words(Phase::Connect, None)
                .contains("samedi 4 juillet 2026 à 8\u{a0}h\u{a0}05, le relais de messagerie est injoignable (non)")
        );
        assert!(words(Phase::Auth, Some(535)).contains("refuse notre identification (535 non)"));
        assert!(words(Phase::Connect, Some(421)).contains("demande d’attendre (421 non)"));
    }

    #[test]
    fn an_article_without_a_title_is_not_quoted() {
        let hold = |title: &str| {
            let wanted = "2026-W27".parse().unwrap();
            Hold::WrongWeek { wanted, found: None, title: title.to_owned() }.to_string()
        };
        assert_eq!(hold(""), "aucun jour n’a été reconnu dans l’article");
        assert_eq!(hold("À Auch"), "aucun jour n’a été reconnu dans l’article «\u{a0}À Auch\u{a0}»");
    }

    #[test]
    fn a_delay_is_worded_in_a_suitable_unit() {
        let said = |minutes| noticed_late(TimeDelta::minutes(minutes));
        assert!(
            said(59).contains(" 59 min ") && said(26 * 60).contains(" 26 h ") && said(72 * 60).contains(" 3 jours ")
        );
    }
}
