//! Findings in words: English for operators, French for the office, and what to do.

use super::Finding;
use crate::domain::{
    Timestamp,
    french::{NBSP, date_and_hour},
    issue_name::IssueName,
};
use crate::inbound::imap;
use crate::notices::wording::mass_bounced;
use crate::store::webhooks::DisabledWhy;
use crate::views::instant;
use chrono_tz::Tz;

impl Finding {
    /// A clause for operators.
    pub fn in_english(&self, zone: Tz) -> String {
        let at = |it: &Timestamp| instant(*it, zone);
        match self {
            Finding::NoDaemon { .. } => "no daemon is running: nothing is sent".to_owned(),
            Finding::RelayTrouble { trouble, since } => {
                format!("the relay has accepted no mail since {}: {trouble}", at(since))
            }
            Finding::NoticesPending { count, since } => {
                format!("{count} notices to staff could not be sent, the oldest is of {}", at(since))
            }
            Finding::Silence { issue, due, leaves_at } => format!(
                "the mail to staff about {issue}, which leaves at {}, was due at {} and could not be sent",
                at(leaves_at),
                at(due)
            ),
            Finding::DiskNearlyFull { place, disk } => {
                format!("{} is nearly full: {} left ({} %)", place.display(), disk.free_in_words(), disk.free_percent())
            }
            Finding::BackupOld { last } => format!("the last backup is of {}", at(last)),
            Finding::Held { reason, .. } => format!("held: {reason}"),
            Finding::AwaitingApproval { until, .. } => format!("awaits approval until {}", at(until)),
            Finding::Paused { reason, .. } => format!("paused: {reason}"),
            Finding::Unknown { count, .. } => format!("{count} unknown: the relay may or may not have them"),
            Finding::LanePaused { lane, only_issue: true, why, .. } => {
                format!("this issue is stopped in lane {lane}: {why}")
            }
            Finding::LanePaused { lane, why, .. } => format!("lane {lane} is paused: {why}"),
            Finding::WebhookOff { host, since, why: DisabledWhy::Gone, .. } => {
                format!("the webhook at {host} said that it is gone (410); it has been disabled since {}", at(since))
            }
            Finding::WebhookOff { host, since, .. } => {
                format!("the webhook at {host} takes no events; it has been disabled since {}", at(since))
            }
            Finding::RefusedUs { count, since, said } => {
                format!("{count} bounces since {} say that we are refused, not the recipients: {said}", at(since))
            }
            Finding::MassBounced { family, count, said, .. } => {
                let whose =
                    family.as_ref().map_or_else(|| "the relay".to_owned(), |family| format!("the servers of {family}"));
                format!(
                    "{count} messages came back in the same words: {whose} or we are at fault, and no address is suppressed: {said}"
                )
            }
            Finding::MailboxUnread { since, trouble } => {
                format!("the mailbox of bounces has not been read since {}: {trouble}", at(since))
            }
            Finding::Missed { mailing, occurrence, reason } => {
                format!("{mailing} of {occurrence} was not sent: {reason}")
            }
        }
    }

    /// A sentence for the office.
    pub fn in_french(&self, zone: Tz) -> String {
        let at = |it: &Timestamp| date_and_hour(*it, zone);
        let named = IssueName::new;
        match self {
            Finding::NoDaemon { .. } => format!("Le programme ne tourne pas{NBSP}: rien ne part tout seul."),
            Finding::RelayTrouble { trouble, since } => {
                format!("Le serveur d’envoi n’accepte aucun message depuis le {}{NBSP}: {trouble}.", at(since))
            }
            Finding::NoticesPending { count: 1, since } => {
                format!("Un message à l’équipe n’a pas pu être envoyé depuis le {}.", at(since))
            }
            Finding::NoticesPending { count, since } => {
                format!("{count} messages à l’équipe n’ont pas pu être envoyés, le premier depuis le {}.", at(since))
            }
            Finding::Silence { issue, due, leaves_at } => format!(
                "Le message de la veille sur {}, prévu le {}, n’a pas pu être envoyé à l’équipe{NBSP}: rien ne dit que \
                 le numéro partira le {}.",
                named(issue),
                at(due),
                at(leaves_at)
            ),
            Finding::DiskNearlyFull { disk, .. } => {
                format!("Le disque du serveur est presque plein{NBSP}: il reste {}{NBSP}%.", disk.free_percent())
            }
            Finding::BackupOld { last } => format!("La dernière sauvegarde date du {}.", at(last)),
            Finding::Held { issue, reason, until } => {
                let name = named(issue);
                format!("{} est {} jusqu’au {}{NBSP}: {reason}.", name.first(), name.agreed("retenu"), at(until))
            }
            Finding::AwaitingApproval { issue, until, .. } => {
                format!("{} attend votre accord, possible jusqu’au {}.", named(issue).first(), at(until))
            }
            Finding::Paused { issue, reason } if reason.is_empty() => {
                format!("L’envoi {} est en pause.", named(issue).of())
            }
            Finding::Paused { issue, reason } => {
                format!("L’envoi {} est en pause{NBSP}: {reason}.", named(issue).of())
            }
            Finding::Unknown { issue, count: 1 } => {
                let name = named(issue);
                format!("Pour {name}, on ignore si un message est arrivé{NBSP}: une personne doit trancher.")
            }
            Finding::Unknown { issue, count } => {
                let name = named(issue);
                format!("Pour {name}, on ignore si {count} messages sont arrivés{NBSP}: une personne doit trancher.")
            }
            Finding::LanePaused { lane, why, .. } => format!("L’envoi vers {lane} est arrêté{NBSP}: {why}."),
            Finding::WebhookOff { host, since, why: DisabledWhy::Gone, .. } => format!(
                "Le webhook de {host} a répondu qu’il n’existe plus (410){NBSP}: il est désactivé depuis le {} et ne reçoit \
                 plus rien.",
                at(since)
            ),
            Finding::WebhookOff { host, since, .. } => format!(
                "Le webhook de {host} ne répond plus{NBSP}: il est désactivé depuis le {} et ne reçoit plus rien.",
                at(since)
            ),
            Finding::RefusedUs { count: 1, since, said } => format!(
                "Un retour reçu le {} dit que nos messages sont refusés, quel que soit le destinataire{NBSP}: «{NBSP}{said}{NBSP}».",
                at(since)
            ),
            Finding::RefusedUs { count, since, said } => format!(
                "{count} retours depuis le {} disent que nos messages sont refusés, quels que soient les destinataires{NBSP}: \
                 «{NBSP}{said}{NBSP}».",
                at(since)
            ),
            Finding::MassBounced { issue, family, count, said, .. } => {
                format!("{}{NBSP}: {}.", named(issue).first(), mass_bounced(*count, said, family.as_deref()))
            }
            Finding::MailboxUnread { since, trouble } if imap::is_login_refused(trouble) => format!(
                "La boîte des retours refuse le mot de passe depuis le {}{NBSP}: les adresses mortes et les plaintes ne sont plus vues.",
                at(since)
            ),
            Finding::MailboxUnread { since, .. } => format!(
                "La boîte des retours n’a pas pu être lue depuis le {}{NBSP}: les adresses mortes et les plaintes ne sont plus vues.",
                at(since)
            ),
            Finding::Missed { mailing, occurrence, reason } => {
                format!("L’envoi {mailing} du {occurrence} n’est pas parti{NBSP}: {reason}.")
            }
        }
    }

    /// The suggested command, or what else to do.
    pub fn help(&self, zone: Tz) -> String {
        match self {
            Finding::NoDaemon { .. } => "semainier serve".to_owned(),
            Finding::RelayTrouble { .. } => {
                "semainier check; then relay, relay_password_file in semainier.toml, or the relay itself".to_owned()
            }
            Finding::NoticesPending { .. } | Finding::Silence { .. } => {
                "semainier check; then relay and staff in semainier.toml".to_owned()
            }
            Finding::DiskNearlyFull { place, .. } => format!("free space under {}", place.display()),
            Finding::BackupOld { .. } => "semainier backup DIR".to_owned(),
            Finding::Held { until, .. } => format!("correct the article before {}", instant(*until, zone)),
            Finding::AwaitingApproval { issue, .. } => {
                format!("semainier issues show {issue}, then semainier issues approve {issue} --by NAME")
            }
            Finding::Paused { issue, .. } => format!("semainier issues resume {issue}"),
            Finding::Unknown { issue, .. } => format!("semainier log --issue {issue} --state unknown"),
            Finding::LanePaused { lane, .. } => format!("semainier lanes resume {lane}"),
            Finding::WebhookOff { id, why: DisabledWhy::Gone, .. } => {
                format!("semainier webhooks remove {id}, or enable it if the receiver is back")
            }
            Finding::WebhookOff { id, .. } => {
                format!("semainier webhooks test {id}, then semainier webhooks enable {id}")
            }
            Finding::RefusedUs { .. } => {
                "semainier log --csv shows their words; then SPF, DKIM and DMARC of the sender's domain, with the provider".to_owned()
            }
            Finding::MassBounced { issue, .. } => format!(
                "semainier log --issue {issue} shows their words; ask the relay, or the provider, why it returns them before \
                 the next issue leaves"
            ),
            Finding::MailboxUnread { trouble, .. } if imap::is_login_refused(trouble) => {
                "write the right password into inbound.imap.password_file; it is tried at once".to_owned()
            }
            Finding::MailboxUnread { .. } => "semainier inbound drain; then [inbound] in semainier.toml".to_owned(),
            Finding::Missed { mailing, .. } => format!("semainier run {mailing}, if it is still useful"),
        }
    }
}
