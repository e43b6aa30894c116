//! Lanes, editions, orders, settings.

use super::{Label, Reading, Tone, When, issue_href, people::order_label, person_href};
use crate::config::Config;
use crate::domain::{
    Timestamp,
    edition::{OrderState, packs_in_french},
    french,
    lane::Pace,
};
use crate::jobs::{Approval, Kind};
use crate::notices::replies::pace_in_french;
use crate::store::{OrdersFilter, StoreError};
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

/// An edition with its stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EditionRow {
    pub slug: String,
    pub title: String,
    pub kind: &'static str,
    pub languages: String,
    /// Packs; `None` if it is not printed.
    pub stock: Option<Stock>,
    /// `12 juillet 2027`
    pub valid_until: Option<String>,
    pub outdated: bool,
    pub announced: Option<When>,
    /// The issue that announces it; `None` where nothing is made of it yet.
    pub issue_href: Option<String>,
    pub orders_href: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stock {
    pub packs: u32,
    pub ordered: u32,
    pub left: u32,
    /// Copies per pack.
    pub pack: u32,
    /// Less than a tenth is left.
    pub low: bool,
}

/// # Errors
/// When the ledger cannot be read.
pub async fn editions(it: &Reading<'_>) -> Result<Vec<EditionRow>, StoreError> {
    let today = it.now.with_timezone(&it.config.zone).date_naive();
    let row = |stocked: &crate::domain::edition::EditionStock| {
        let edition = &stocked.edition;
        let left = stocked.left();
        EditionRow {
            slug: edition.slug.clone(),
            title: edition.title.clone(),
            kind: edition.kind.in_french(),
            languages: edition.languages_in_french(),
            stock: edition.printed.map(|printed| Stock {
                packs: stocked.packs(),
                ordered: stocked.ordered,
                left,
                pack: printed.pack,
                low: u64::from(left) * 10 < u64::from(stocked.packs()),
            }),
            valid_until: edition.valid_until.map(french::date),
            outdated: !edition.is_current(today),
            announced: stocked.announced_for.map(|at| it.when(at)),
            issue_href: None,
            orders_href: format!("/commandes?edition={}", edition.slug),
        }
    };
    let mut rows: Vec<_> = it.store.editions().await?.iter().map(row).collect();
    let mailing = it.mailings.iter().find(|mailing| mailing.is_of_editions());
    for row in rows.iter_mut().filter(|row| row.announced.is_some()) {
        let Some(mailing) = mailing else { break };
        let key = crate::domain::issue::IssueKey::new(&mailing.id, &row.slug);
        row.issue_href = it.store.issue(&key).await?.map(|issue| issue_href(&issue.key));
    }
    Ok(rows)
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderRow {
    pub id: String,
    pub edition: String,
    pub who: String,
    pub name: String,
    pub street: String,
    pub href: Option<String>,
    pub quantity: String,
    pub handover: &'static str,
    pub remark: String,
    pub label: Label,
    pub ordered_at: When,
}

/// The orders of one commune: a stop of the round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stop {
    pub commune: String,
    pub rows: Vec<OrderRow>,
}

/// A page of orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Orders {
    pub stops: Vec<Stop>,
    /// Slug and title of every edition, for the filter.
    pub editions: Vec<(String, String)>,
    pub more: Option<String>,
}

/// Orders of one page: those of a round, as a rule.
const ORDERS: u32 = 300;

/// What `apres=` holds.
fn order_mark(text: &str) -> Option<(Timestamp, String)> {
    let (millis, id) = text.split_once('.')?;
    Some((Timestamp::from_timestamp_millis(millis.parse().ok()?)?, id.to_owned()))
}

/// # Errors
/// When the ledger cannot be read.
pub async fn orders(
    it: &Reading<'_>,
    edition: Option<&str>,
    state: OrderState,
    after: Option<&str>,
) -> Result<Orders, StoreError> {
    let editions = it.store.editions().await?;
    let filter = OrdersFilter {
        edition: edition.map(str::to_owned),
        state,
        after: after.and_then(order_mark),
        limit: ORDERS + 1,
    };
    let mut orders = it.store.orders_page(&filter).await?;
    let more = orders.len() > ORDERS as usize;
    orders.truncate(ORDERS as usize);
    let more = orders.last().filter(|_| more).map(|it| format!("{}.{}", it.ordered_at.timestamp_millis(), it.id));
    orders.sort_by_cached_key(|order| {
        [&order.by.commune, &order.by.establishment, &order.edition, &order.id].map(|text| french::folded(text))
    });
    let mut stops: Vec<Stop> = Vec::new();
    for order in &orders {
        let of = editions.iter().find(|it| it.edition.slug == order.edition);
        let pack = of.and_then(|it| it.edition.printed).map_or(1, |printed| printed.pack);
        let address = order.by.address.to_string();
        let who = [&order.by.establishment, &order.by.name, &address].into_iter().find(|text| !text.is_empty());
        let row = OrderRow {
            id: order.id.clone(),
            edition: of.map_or(&order.edition, |it| &it.edition.title).clone(),
            who: who.cloned().unwrap_or_default(),
            name: order.by.name.clone(),
            street: order.by.street.clone(),
            href: person_href(&order.by.contact_id),
            quantity: packs_in_french(order.wish.packs, pack),
            handover: order.wish.handover.in_french(),
            remark: order.wish.remark.clone(),
            label: order_label(order.state),
            ordered_at: it.when(order.ordered_at),
        };
        match stops.last_mut().filter(|stop| stop.commune == order.by.commune) {
            Some(stop) => stop.rows.push(row),
            None => stops.push(Stop { commune: order.by.commune.clone(), rows: vec![row] }),
        }
    }
    let editions = editions.into_iter().map(|it| (it.edition.slug, it.edition.title)).collect();
    Ok(Orders { stops, editions, more })
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
