//! The JSON of an alert, the same for webhook and command; documented in `docs/operations.md`.

use crate::domain::{Timestamp, email::mask_addresses};
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
    let (kind, issue) = key.split_once(':').unwrap_or((key, ""));
    let data = Data {
        kind,
        issue: issue.contains('/').then(|| issue.rsplit(':').next().unwrap_or(issue).to_owned()),
        summary: format!("ended: {key}"),
        summary_fr: format!("Terminé\u{a0}: {key}."),
        ..data(about, key)
    };
    text("semainier.finding.ended", about, data, now)
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
    use crate::domain::issue::IssueKey;

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
