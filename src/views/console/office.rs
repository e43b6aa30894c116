//! Lanes and settings.

use super::{Label, Reading, Tone, When, issue_href};
use crate::config::Config;
use crate::domain::lane::Pace;
use crate::jobs::{Approval, Kind};
use crate::notices::replies::pace_in_french;
use crate::store::StoreError;
use secrecy::ExposeSecret;
use serde::Serialize;
use std::collections::HashSet;

/// A family of recipients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LaneRow {
    pub name: String,
    /// The name as a part of an address.
    pub path: String,
    /// The first of its domains.
    pub domains: String,
    pub label: Label,
    /// In French; empty where it is open.
    pub state: String,
    /// The provider's words, or ours; empty where it is open.
    pub why: String,
    pub since: Option<When>,
    pub until: Option<When>,
    /// The only issue it holds for.
    pub issue: Option<(String, String)>,
    pub connections: usize,
    pub per_minute: Option<u32>,
}

/// All families, those that are not open first.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn lanes(it: &Reading<'_>) -> Result<Vec<LaneRow>, StoreError> {
    let troubles = it.store.lanes().await?;
    let lanes = &it.config.lanes;
    let (mut rows, mut shown) = (Vec::new(), HashSet::new());
    for trouble in troubles.iter().filter(|trouble| trouble.holds(it.now)) {
        shown.insert(trouble.lane.clone());
        let family = lanes.families().iter().find(|family| family.name == trouble.lane);
        let limits = family.map_or(lanes.others(), |family| family.limits);
        let (key, tone) = match trouble.pace {
            Pace::Slow => ("lane_slow", Tone::Calm),
            Pace::Suspended => ("lane_suspended", Tone::Look),
            Pace::Paused => ("lane_paused", Tone::Bad),
        };
        rows.push(LaneRow {
            name: trouble.lane.clone(),
            path: super::escaped(&trouble.lane),
            domains: family.map(|family| domains(&family.domains)).unwrap_or_default(),
            label: Label { key, tone },
            state: pace_in_french(trouble.pace).to_owned(),
            why: trouble.why.clone(),
            since: Some(it.when(trouble.since)),
            until: trouble.until.map(|at| it.when(at)),
            issue: trouble.only_issue.then(|| (trouble.issue.to_string(), issue_href(&trouble.issue))),
            connections: if trouble.pace == Pace::Slow { 1 } else { limits.connections },
            per_minute: trouble.per_minute.or(limits.per_minute),
        });
    }
    rows.extend(lanes.families().iter().filter(|family| !shown.contains(&family.name)).map(|family| LaneRow {
        name: family.name.clone(),
        path: super::escaped(&family.name),
        domains: domains(&family.domains),
        label: Label { key: "lane_open", tone: Tone::Good },
        state: String::new(),
        why: String::new(),
        since: None,
        until: None,
        issue: None,
        connections: family.limits.connections,
        per_minute: family.limits.per_minute,
    }));
    Ok(rows)
}

fn domains(domains: &[String]) -> String {
    let first = domains.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    if domains.len() > 3 { format!("{first}…") } else { first }
}

/// A section of the settings: only what is named here is shown, and of secrets that they are set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Key of its text.
    pub title: &'static str,
    pub lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// As in `semainier.toml`.
    pub key: &'static str,
    pub value: Setting,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "text")]
pub enum Setting {
    Text(String),
    /// A secret, or what may hold one.
    Set,
    NotSet,
}

impl Setting {
    fn of(text: Option<impl Into<String>>) -> Self {
        text.map(Into::into).filter(|text: &String| !text.is_empty()).map_or(Setting::NotSet, Setting::Text)
    }

    fn secret(is_set: bool) -> Self {
        if is_set { Setting::Set } else { Setting::NotSet }
    }
}

/// What the configuration says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// The file it was read from.
    pub file: Option<String>,
    pub sections: Vec<Section>,
    pub mailings: Vec<MailingRow>,
    /// What runs, but not as an office would want it. In English, as `check` says it.
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailingRow {
    pub id: String,
    pub title: String,
    /// Key of a text.
    pub kind: &'static str,
    pub cron: String,
    pub zone: String,
    pub next: Option<When>,
    pub approval: bool,
    pub segment: String,
}

pub fn settings(it: &Reading<'_>) -> Settings {
    let config = it.config;
    let line = |key, value| Line { key, value };
    let text = |text: &str| Setting::of(Some(text));
    let sections = vec![
        Section {
            title: "settings_office",
            lines: vec![
                line("office.name", text(&config.office.name)),
                line("office.address", Setting::of(config.office.address.clone())),
                line("office.phone", Setting::of(config.office.phone.clone())),
                line("office.email", Setting::of(config.office.email.clone())),
                line("office.website", Setting::of(config.office.website.clone())),
                line("office.commune", text(&config.commune)),
                line("zone", text(config.zone.name())),
                line("public_url", text(config.public_url.as_str())),
            ],
        },
        Section {
            title: "settings_mail",
            lines: vec![
                line("sender.name", text(&config.sender.name)),
                line("sender.address", text(&config.sender.address.to_string())),
                line("sender.reply_to", Setting::of(config.sender.reply_to.as_ref().map(ToString::to_string))),
                line("sender.return_path", Setting::of(config.sender.return_path.as_ref().map(ToString::to_string))),
                line(
                    "dkim",
                    Setting::of(Some(
                        config.dkim.iter().map(|key| key.name.record_name()).collect::<Vec<_>>().join(", "),
                    )),
                ),
                line(
                    "staff",
                    Setting::of(Some(config.staff.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))),
                ),
                line("relay", relay(config)),
                line("relay_password", Setting::secret(config.relay_password.is_some())),
                line("delivery.connections", text(&config.delivery.connections.to_string())),
            ],
        },
        Section {
            title: "settings_machine",
            lines: vec![
                line("database", text(if config.database_file().is_some() { "sqlite" } else { "postgres" })),
                line("secret", Setting::secret(config.secret.is_some() || config.database_file().is_some())),
                line("link_keys_file", Setting::secret(config.link_keys_file.is_some())),
                line("jobs", Setting::of(config.jobs.as_ref().map(|path| path.display().to_string()))),
                line("templates", Setting::of(config.templates.as_ref().map(|path| path.display().to_string()))),
                line("web.bind", Setting::of(config.web.bind.map(|bind| bind.to_string()))),
            ],
        },
    ];
    let mailings = it.mailings.iter().map(|mailing| MailingRow {
        id: mailing.id.clone(),
        title: mailing.title.clone(),
        kind: match mailing.kind {
            Kind::Agenda(_) => "kind_agenda",
            Kind::Newsletter(_) => "kind_newsletter",
            Kind::Edition => "kind_edition",
        },
        cron: mailing.schedule.cron().to_owned(),
        zone: mailing.schedule.zone.name().to_owned(),
        next: mailing.schedule.next_after(it.now).map(|at| When::new(at, it.now, mailing.schedule.zone)),
        approval: mailing.approval == Approval::Required,
        segment: mailing.segment.as_ref().map(ToString::to_string).unwrap_or_default(),
    });
    Settings {
        file: config.file.as_ref().map(|path| path.display().to_string()),
        sections,
        mailings: mailings.collect(),
        warnings: config.warnings(),
    }
}

/// Scheme, host and port: the rest may hold a password.
fn relay(config: &Config) -> Setting {
    let Some(relay) = &config.relay else { return Setting::NotSet };
    let relay = relay.expose_secret();
    match relay.parse::<url::Url>() {
        Ok(url) if url.host_str().is_some() => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Setting::Text(format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default()))
        }
        _ => Setting::Text(format!("{}:…", relay.split(':').next().unwrap_or_default())),
    }
}
