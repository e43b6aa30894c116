//! Who decided what: the audit in sentences, newest first. Whoever administers sees all of it, everybody else what they did
//! themselves.

use super::{Reading, When, issue_href};
use crate::accounts::{Permission, Viewer};
use crate::domain::{Timestamp, edition::Edition, issue::IssueKey};
use crate::store::{ActorKind, AuditFilter, AuditRow, StoreError};
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;

/// Rows of one page.
const PAGE: u32 = 50;

/// Every action of the audit; the text of each is `trace_` and its name with `_` for `.`.
pub const ACTIONS: [&str; 68] = [
    "issue.approve",
    "issue.refuse",
    "issue.withdraw",
    "issue.edit",
    "issue.erratum",
    "issue.recompose",
    "issue.rehearse",
    "issue.skip",
    "issue.unskip",
    "issue.pause",
    "issue.resume",
    "issue.cancel",
    "issue.test",
    "issue.test.accepted",
    "issue.test.refused",
    "edition.put",
    "edition.announce",
    "edition.take_back",
    "order.place",
    "order.cancel",
    "orders.hand_over",
    "orders.reopen",
    "orders.export",
    "delivery.resolve",
    "lane.reopen",
    "correction.make",
    "correction.withdraw",
    "exception.waive",
    "exception.article",
    "exception.withdraw",
    "line.dismiss",
    "line.readmit",
    "venue.set",
    "venue.forget",
    "ledger.backup",
    "partners.import",
    "partners.export",
    "contact.add",
    "contact.edit",
    "contact.move",
    "contact.suppress",
    "contact.lift",
    "contact.erase",
    "contact.data",
    "user.add",
    "user.accept",
    "user.reset",
    "user.roles",
    "user.disable",
    "user.enable",
    "user.password",
    "user.second_factor",
    "user.recovery_codes",
    "session.end",
    "session.prove",
    "login",
    "login.recovery_code",
    "token.add",
    "token.revoke",
    "token.first_use",
    "webhook.add",
    "webhook.rotate",
    "webhook.disable",
    "webhook.enable",
    "webhook.remove",
    "webhook.test",
    "webhook.resend",
    "mailing.reread",
];

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Asked<'a> {
    /// As in [`Person::value`].
    pub person: Option<&'a str>,
    pub issue: Option<&'a IssueKey>,
    /// [`Trace::older`] of the page before.
    pub before: Option<&'a str>,
}

/// A page of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trace {
    pub rows: Vec<Row>,
    /// The value of `avant=` of the next page.
    pub older: Option<String>,
    /// The persons one can filter by; empty for viewers who see only their own rows.
    pub persons: Vec<Person>,
    /// Everybody's rows are shown.
    pub all: bool,
}

/// Somebody of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// `user:ID`, `cli:nadine`
    pub value: String,
    pub name: String,
    /// Key of what is said of the kind; empty for somebody with an account.
    pub kind: &'static str,
}

/// One decision: who, what, of what, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub at: When,
    pub by: Person,
    /// Key of the sentence's verb; `trace_other` for an action of a newer version.
    pub what: String,
    /// The action as it is stored.
    pub action: String,
    /// The name of what it is about; empty where the verb says it.
    pub object: String,
    pub href: Option<String>,
    /// Key of the label, and a value: numbers, hashes, reasons.
    pub details: Vec<(&'static str, String)>,
}

/// # Errors
/// When the ledger cannot be read.
pub async fn page(it: &Reading<'_>, viewer: &Viewer, asked: &Asked<'_>) -> Result<Trace, StoreError> {
    let all = viewer.roles.may(Permission::Administer);
    let mut names: HashMap<_, _> =
        it.store.users(it.now).await?.into_iter().map(|user| (user.id.as_str().to_owned(), user.name)).collect();
    names.extend(it.store.tokens().await?.into_iter().map(|token| (token.id, token.name)));
    let own = (ActorKind::User, viewer.user.as_str().to_owned());
    let filter = AuditFilter {
        actor: if all { asked.person.and_then(actor) } else { Some(own) },
        object: asked.issue.map(|key| format!("issue:{key}")),
        before: asked.before.and_then(mark),
        limit: PAGE + 1,
    };
    let mut entries = it.store.audit(&filter).await?;
    let more = entries.len() > PAGE as usize;
    entries.truncate(PAGE as usize);
    let older = entries.last().filter(|_| more);
    let mut persons = Vec::new();
    if all {
        let actors = it.store.audit_actors().await?;
        persons.extend(actors.into_iter().map(|(kind, actor)| person(kind, &actor, &names)));
        persons.sort_by(|a, b| (a.kind, &a.name, &a.value).cmp(&(b.kind, &b.name, &b.value)));
    }
    Ok(Trace {
        older: older.map(|row| format!("{}.{}", row.entry.at.timestamp_millis(), row.id)),
        rows: entries.iter().map(|row| of(it, row, &names)).collect(),
        persons,
        all,
    })
}

/// From [`Person::value`].
fn actor(text: &str) -> Option<(ActorKind, String)> {
    let (kind, actor) = text.split_once(':')?;
    Some((ActorKind::ALL.into_iter().find(|it| it.as_str() == kind)?, actor.to_owned()))
}

fn mark(text: &str) -> Option<(Timestamp, String)> {
    let (millis, id) = text.split_once('.')?;
    Some((Timestamp::from_timestamp_millis(millis.parse().ok()?)?, id.to_owned()))
}

fn person(kind: ActorKind, actor: &str, names: &HashMap<String, String>) -> Person {
    Person {
        value: format!("{}:{actor}", kind.as_str()),
        name: names
            .get(actor)
            .filter(|_| matches!(kind, ActorKind::User | ActorKind::Token))
            .cloned()
            .unwrap_or_else(|| actor.to_owned()),
        kind: match kind {
            ActorKind::User => "",
            ActorKind::Cli => "trace_by_cli",
            ActorKind::Token => "trace_by_token",
            ActorKind::Daemon => "trace_by_daemon",
        },
    }
}

fn of(it: &Reading<'_>, row: &AuditRow, names: &HashMap<String, String>) -> Row {
    let entry = &row.entry;
    let what = match ACTIONS.contains(&entry.action.as_str()) {
        true => format!("trace_{}", entry.action.replace('.', "_")),
        false => "trace_other".to_owned(),
    };
    let (kind, id) = entry.object.split_once(':').unwrap_or((&entry.object, ""));
    let (object, href) = match kind {
        "issue" => (id.to_owned(), IssueKey::parse(id).ok().map(|key| place_of(it, &key, &entry.action))),
        "edition" => (id.to_owned(), Some(format!("/editions/{}", super::escaped(id)))),
        "lane" => (id.to_owned(), Some("/voies".to_owned())),
        "venue" => (id.to_owned(), None),
        "order" => (id.to_owned(), Some("/commandes".to_owned())),
        // What somebody did to their own account.
        "user" if entry.kind == ActorKind::User && entry.actor == id => (String::new(), None),
        "mailing" => (it.title(id).to_owned(), None),
        "token" if entry.kind == ActorKind::Token => (String::new(), None),
        "token" => (names.get(id).cloned().unwrap_or_else(|| id.to_owned()), None),
        "user" => (names.get(id).cloned().unwrap_or_else(|| id.to_owned()), None),
        _ => (String::new(), None),
    };
    Row {
        at: it.when(entry.at),
        by: person(entry.kind, &entry.actor, names),
        what,
        action: entry.action.clone(),
        object,
        href,
        details: details(it, &entry.detail),
    }
}

/// An announcement, and a test before it, are found on the page of the edition: there may be no issue of it.
fn place_of(it: &Reading<'_>, key: &IssueKey, action: &str) -> String {
    let is_before = action.starts_with("edition.") || action.starts_with("issue.test");
    // An erratum is tested before there is a page of it.
    if let Some(corrected) = key.corrected().filter(|_| is_before) {
        return issue_href(&corrected);
    }
    match super::editions::edition_mailing(it).filter(|mailing| is_before && mailing.id == key.mailing()) {
        Some(_) => format!("/editions/{}", super::escaped(Edition::slug_of(key))),
        None => issue_href(key),
    }
}

/// What is worth reading of the stored detail: the key of a text, and what follows it, if anything does.
fn details(it: &Reading<'_>, detail: &str) -> Vec<(&'static str, String)> {
    const SHOWN: [(&str, &str); 18] = [
        ("hash", "trace_version"),
        ("line", "trace_line"),
        ("source", "trace_source"),
        ("found", "trace_found"),
        ("unplaced", "trace_unplaced"),
        ("title", "trace_article"),
        ("url", "trace_address"),
        ("why", "trace_why"),
        ("mailing", "trace_mailing"),
        ("roles", "trace_roles"),
        ("after", "trace_roles"),
        ("packs", "trace_packs"),
        ("contacts", "trace_contacts"),
        ("orders", "trace_orders"),
        ("as", "trace_format"),
        ("scopes", "trace_scopes"),
        ("events", "trace_events"),
        ("host", "trace_host"),
    ];
    let Ok(Value::Object(detail)) = serde_json::from_str::<Value>(detail) else { return Vec::new() };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let shown = SHOWN.into_iter().filter_map(|(name, key)| {
        let value = Some(text(detail.get(name)?)).filter(|value| !value.is_empty())?;
        Some(match (name, value.as_str()) {
            ("mailing", _) => (key, it.title(&value).to_owned()),
            ("as", "sent") => ("trace_as_sent", String::new()),
            ("as", "failed") => ("trace_as_failed", String::new()),
            ("as", "resend") => ("trace_as_resend", String::new()),
            _ => (key, value),
        })
    });
    shown.collect()
}
