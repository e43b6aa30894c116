//! The JSON of an alert, the same for webhook and command; documented in `docs/operations.md`.

use crate::domain::{Timestamp, email::mask_addresses, issue::IssueKey, issue_name::IssueName};
use crate::views::{
    instant,
    readiness::{Finding, Severity},
};
use chrono_tz::Tz;
use serde::Serialize;

/// What all alerts of this installation share.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub office: &'a str,
    pub zone: Tz,
}

#[derive(Serialize)]
struct Payload<'a> {
    /// `semainier.finding.raised`, `semainier.finding.ended`, `semainier.test`
    r#type: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    office: &'a str,
    host: String,
    /// The same for the beginning and the end of a finding.
    key: &'a str,
    /// See [`Finding::KINDS`]; also `ledger` and `test`.
    kind: &'a str,
    severity: Severity,
    issue: Option<String>,
    since: Option<String>,
    summary: String,
    summary_fr: String,
    help: String,
}

pub(super) fn raised(about: &About, finding: &Finding, now: Timestamp) -> String {
    let (zone, key) = (about.zone, finding.key());
    let data = Data {
        kind: finding.kind(),
        severity: finding.severity(),
        issue: finding.issue().map(ToString::to_string),
        since: finding.since().map(|at| instant(at, zone)),
        summary: finding.in_english(zone),
        summary_fr: finding.in_french(zone),
        help: finding.help(zone),
        ..data(about, &key)
    };
    text("semainier.finding.raised", about, data, now)
}

pub(super) fn ended(about: &About, key: &str, now: Timestamp) -> String {
    let (kind, rest) = key.split_once(':').unwrap_or((key, ""));
    let issue = rest.contains('/').then(|| rest.rsplit(':').next().unwrap_or(rest));
    let data = Data {
        kind,
        issue: issue.map(str::to_owned),
        summary: format!("ended: {key}"),
        summary_fr: ended_in_french(kind, rest, issue.and_then(|key| IssueKey::parse(key).ok())),
        ..data(about, key)
    };
    text("semainier.finding.ended", about, data, now)
}

/// `rest`: of the key, after the kind.
fn ended_in_french(kind: &str, rest: &str, issue: Option<IssueKey>) -> String {
    let name = issue.as_ref().map(IssueName::new);
    match (kind, name) {
        ("held", Some(name)) => format!("{} n’est plus {}.", name.first(), name.agreed("retenu")),
        ("awaiting_approval", Some(name)) => format!("{} n’attend plus d’accord.", name.first()),
        ("paused", Some(name)) => format!("L’envoi {} n’est plus en pause.", name.of()),
        ("unknown", Some(name)) => format!("Pour {name}, il n’y a plus rien à trancher."),
        ("silence", Some(name)) => format!("Le message de la veille sur {name} n’est plus en retard."),
        ("lane_paused", _) => {
            format!("L’envoi vers {} n’est plus arrêté.", rest.split(':').next().unwrap_or_default())
        }
        ("disk_nearly_full", _) => "Le disque du serveur a de nouveau de la place.".to_owned(),
        ("backup_old", _) => "Une sauvegarde récente existe de nouveau.".to_owned(),
        ("webhook_off", _) => "Un webhook désactivé est de nouveau actif, ou retiré.".to_owned(),
        ("refused_us", _) => "Plus aucun retour récent ne dit que nos messages sont refusés.".to_owned(),
        ("mass_bounced", _) => "Plus aucun retour en masse dans les derniers jours.".to_owned(),
        ("mailbox_unread", _) => "La boîte des retours est de nouveau lue.".to_owned(),
        ("no_daemon", _) => "Le programme tourne de nouveau.".to_owned(),
        ("relay", _) => "Le serveur d’envoi accepte de nouveau les messages.".to_owned(),
        ("notices_pending", _) => "Plus aucun message à l’équipe n’est en retard.".to_owned(),
        ("ledger", _) => "La base de données répond de nouveau.".to_owned(),
        _ => format!("Terminé\u{a0}: {kind}."),
    }
}

pub(super) fn test(about: &About, now: Timestamp) -> String {
    let data = Data {
        summary: "test alert".to_owned(),
        summary_fr: "Ceci est un essai d’alerte.".to_owned(),
        ..data(about, "test")
    };
    text("semainier.test", about, data, now)
}

/// An outage of the database.
pub(super) fn ledger(about: &About, why: &str, since: Timestamp, now: Timestamp) -> String {
    let data = Data {
        severity: Severity::Critical,
        since: Some(instant(since, about.zone)),
        summary: format!("the database is not available: {why}"),
        summary_fr: "La base de données ne répond pas\u{a0}: rien ne part.".to_owned(),
        help: "semainier check".to_owned(),
        ..data(about, "ledger")
    };
    text("semainier.finding.raised", about, data, now)
}

fn data<'a>(about: &About<'a>, key: &'a str) -> Data<'a> {
    Data {
        office: about.office,
        host: hostname::get().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        key,
        kind: key,
        severity: Severity::Notice,
        issue: None,
        since: None,
        summary: String::new(),
        summary_fr: String::new(),
        help: String::new(),
    }
}

fn text(r#type: &'static str, about: &About, data: Data, now: Timestamp) -> String {
    // Relays and sources may quote addresses.
    let masked = |text: &str| mask_addresses(text);
    let data = Data { summary: masked(&data.summary), summary_fr: masked(&data.summary_fr), ..data };
    let payload = Payload { r#type, timestamp: instant(now, about.zone), data };
    serde_json::to_string(&payload).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_in_words() {
        let key = |text| Some(IssueKey::parse(text).unwrap());
        let said = |kind, rest, issue| ended_in_french(kind, rest, issue);
        assert_eq!(
            said("held", "newsletter/2027-08", key("newsletter/2027-08")),
            "La lettre d’août 2027 n’est plus retenue."
        );
        assert_eq!(said("lane_paused", "orange", None), "L’envoi vers orange n’est plus arrêté.");
        for kind in Finding::KINDS {
            let said = said(kind, "agenda/2027-W28", key("agenda/2027-W28"));
            assert!(!said.contains("2027-W28") || kind == "lane_paused", "{said}");
        }
    }

    #[test]
    fn addresses_are_masked_and_the_ended_alert_has_the_same_key() {
        let about = About { office: "Office", zone: Tz::Europe__Paris };
        let (issue, now) = (IssueKey::new("agenda", "2026-W28"), Timestamp::UNIX_EPOCH);
        let reason = "550 <marie.dupont@gite.example> refuse".to_owned();
        let finding = Finding::Paused { issue, reason };
        let raised: serde_json::Value = serde_json::from_str(&raised(&about, &finding, now)).unwrap();
        let ended: serde_json::Value = serde_json::from_str(&ended(&about, &finding.key(), now)).unwrap();
        assert!(!raised.to_string().contains("dupont") && raised.to_string().contains("refuse"), "{raised}");
        assert_eq!(raised["type"], "semainier.finding.raised");
        for key in ["key", "kind", "issue"] {
            assert_eq!(raised["data"][key], ended["data"][key], "{key}");
        }
        assert_eq!((&raised["data"]["kind"], &raised["data"]["issue"]), (&"paused".into(), &"agenda/2026-W28".into()));
    }
}
