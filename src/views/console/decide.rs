//! What a person can decide about an issue, and the sheet that is read before: its numbers, and what they are compared with when
//! the decision comes back.

use super::{Reading, When, editorial, issue_href};
use crate::accounts::Permission;
use crate::actions::issues::may_edit;
pub use crate::actions::may::{Act, Subject, may};
use crate::app::Engine;
use crate::domain::issue::{ContentRefusal, IssueKey, IssueState, IssueSummary, RefusalKind};
use crate::issue::{approval::short, audience, edition};
use crate::notices::tonight::{corrected, exceptions};
use crate::views::console::tonight::Known;
use serde::Serialize;
use std::borrow::Cow;

/// Whether the sheet asks for words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Words {
    None,
    Optional,
    Required,
}

impl Act {
    /// Its route.
    pub fn route(self) -> &'static str {
        match self {
            Act::Approve => "/envois/{mailing}/{period}/approuver",
            Act::Refuse => "/envois/{mailing}/{period}/refuser",
            Act::Withdraw => "/envois/{mailing}/{period}/retirer-accord",
            Act::Skip => "/envois/{mailing}/{period}/ne-pas-envoyer",
            Act::Unskip => "/envois/{mailing}/{period}/envoyer-quand-meme",
            Act::Rehearse => "/envois/{mailing}/{period}/repeter",
            Act::Recompose => "/envois/{mailing}/{period}/recomposer",
            Act::Pause => "/envois/{mailing}/{period}/pause",
            Act::Resume => "/envois/{mailing}/{period}/reprendre",
            Act::Stop => "/envois/{mailing}/{period}/arreter",
        }
    }

    /// The page of its sheet.
    pub fn href(self, key: &IssueKey) -> String {
        let last = self.route().rsplit('/').next().unwrap_or_default();
        format!("{}/{last}", issue_href(key))
    }

    pub fn permission(self) -> Permission {
        match self {
            Act::Approve | Act::Refuse | Act::Withdraw | Act::Skip | Act::Unskip => Permission::Approve,
            Act::Rehearse | Act::Recompose => Permission::Write,
            Act::Pause | Act::Resume | Act::Stop => Permission::Operate,
        }
    }

    pub fn words(self) -> Words {
        match self {
            Act::Refuse | Act::Skip => Words::Required,
            Act::Withdraw => Words::Optional,
            _ => Words::None,
        }
    }
}

/// Approving an issue that leaves by itself: from then on it is what leaves, whatever the site says.
pub const FREEZE: &str = "freeze";

/// Key of the decision's texts: [`Act::as_str`], or [`FREEZE`].
fn wording(act: Act, issue: Option<&IssueSummary>) -> &'static str {
    match act {
        Act::Approve if issue.is_some_and(IssueSummary::is_rehearsed) => FREEZE,
        act => act.as_str(),
    }
}

/// A decision that can be made by viewers with its permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// Of its texts.
    pub key: &'static str,
    /// Its sheet.
    pub href: String,
    /// A role's word.
    pub permission: &'static str,
}

/// What is known of an issue; an edition goes to those it was announced to. `None`: nothing of this name was, is or is to come.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn subject<'a>(engine: &'a Engine, key: &IssueKey) -> anyhow::Result<Option<Subject<'a>>> {
    let subject = Subject::read(engine, key).await?;
    if subject.issue.is_none() && subject.occurrence.is_none() {
        return Ok(None);
    }
    let mailing = match engine.app.mailing(key.mailing()) {
        Ok(mailing) => edition::mailing_for(engine, mailing, Some(key)).await?,
        Err(_) => None,
    };
    Ok(Some(Subject { mailing, ..subject }))
}

/// What can be decided now.
pub fn choices(subject: &Subject<'_>) -> Vec<Choice> {
    let possible = Act::ALL.into_iter().filter(|act| may(*act, subject).is_ok());
    let sheets = possible.map(|act| Choice {
        key: wording(act, subject.issue.as_ref()),
        href: act.href(&subject.key),
        permission: act.permission().as_str(),
    });
    let letter = may_edit(subject).is_ok().then(|| Choice {
        key: "edit",
        href: editorial::href(&subject.key),
        permission: Permission::Write.as_str(),
    });
    sheets.chain(letter).collect()
}

/// One line of a sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Of its label: `fact_KEY`.
    pub key: &'static str,
    pub value: Value,
    /// A decision is refused if it has changed since the sheet was read.
    #[serde(skip)]
    pinned: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    Number(u64),
    When(When),
    /// A name, or a sentence in French.
    Text(String),
    /// Key of a text.
    Key(&'static str),
}

impl Value {
    /// For comparison, and for machines.
    fn written(&self) -> Cow<'_, str> {
        match self {
            Value::Number(n) => n.to_string().into(),
            Value::When(when) => Cow::Borrowed(&when.iso),
            Value::Text(text) => Cow::Borrowed(text),
            Value::Key(key) => Cow::Borrowed(key),
        }
    }
}

/// What is read before a decision.
#[derive(Debug, Clone, Serialize)]
pub struct Sheet {
    /// Key of its texts.
    pub wording: &'static str,
    /// Nobody approves what they have not looked at.
    pub to_be_looked_at: bool,
    pub key: IssueKey,
    pub title: String,
    /// Where the decision is sent.
    pub action: String,
    /// The page of the issue; « À venir » before there is one.
    pub back: String,
    pub facts: Vec<Fact>,
    /// The pinned facts, as the form carries them.
    pub seen: String,
    /// The number of the button: recipients, or messages that wait.
    pub n: Option<u64>,
    pub words: Words,
    /// Address of the mail's preview, where the decision is about content.
    pub preview: Option<String>,
    /// Its documents: name and address.
    pub documents: Vec<(String, String)>,
    /// Corrections asked for in the same content.
    pub refusals: Vec<RefusalLine>,
    /// The whole hash of the content it is about.
    #[serde(skip)]
    pub hash: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusalLine {
    pub by: String,
    pub at: When,
    pub why: String,
}

impl RefusalLine {
    pub(super) fn new(it: &Reading<'_>, mailing: &str, said: ContentRefusal) -> Self {
        Self { at: When::new(said.at, it.now, it.zone_of(mailing)), by: said.by, why: said.why }
    }
}

/// A pinned fact that is not what the person read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    pub key: &'static str,
    /// As it was read.
    pub before: String,
    pub now: Value,
}

impl Sheet {
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn read(it: &Reading<'_>, subject: &Subject<'_>, act: Act) -> anyhow::Result<Self> {
        let (key, issue) = (&subject.key, subject.issue.as_ref());
        let zone = it.zone_of(key.mailing());
        let when = |at| Value::When(When::new(at, it.now, zone));
        let mut facts = Vec::new();
        let mut add = |key, value, pinned| facts.push(Fact { key, value, pinned });
        add("state", Value::Key(issue.map_or("coming_planned", |issue| super::label_of(issue).key)), true);
        let counts = issue.map(|issue| issue.counts).unwrap_or_default();
        let frozen = issue.is_some_and(|issue| issue.frozen().is_some());
        let (mut n, mut preview, mut documents, mut refusals) = (None, None, Vec::new(), Vec::new());
        if let Some(at) = subject.at().filter(|_| !frozen) {
            // An erratum has no hour.
            let leaves_at = if key.corrected().is_some() { Value::Key("fact_once_approved") } else { when(at) };
            add("leaves_at", leaves_at, true);
        }
        if let (Some(mailing), false) = (subject.mailing.as_deref(), frozen) {
            let audience = audience::size(it.store, mailing, key).await?;
            add("recipients", Value::Number(audience), act == Act::Approve);
            n = Some(audience).filter(|_| act == Act::Approve);
        }
        if frozen {
            let waiting = counts.queued + counts.claimed + counts.in_data;
            // While it is being sent the numbers move with every second.
            let still = issue.is_some_and(|issue| issue.state() != IssueState::Sending);
            add("sent", Value::Number(counts.sent), still);
            add("waiting", Value::Number(waiting), still);
            n = Some(waiting);
        }
        if let Some(issue) = issue {
            if let Some(reason) = issue.reason() {
                add("reason", Value::Text(reason.to_owned()), false);
            }
            if matches!(act, Act::Approve | Act::Resume) {
                add("deadline", when(issue.expires_at), true);
            }
            let approved_by = issue.approved_by().filter(|_| matches!(act, Act::Withdraw | Act::Recompose));
            if let Some(by) = approved_by.or(issue.half_approved_by.as_deref()) {
                add("approved_by", Value::Text(by.to_owned()), false);
            }
        }
        if let Some(skip) = &subject.skip {
            add("skipped_by", Value::Text(skip.by.clone()), false);
            add("why", Value::Text(skip.why.clone()), false);
        }
        let hash = issue.and_then(IssueSummary::content_hash).map(str::to_owned);
        let about_content = matches!(act, Act::Approve | Act::Refuse | Act::Withdraw | Act::Recompose);
        if let Some(hash) = hash.as_deref().filter(|_| about_content) {
            add("version", Value::Text(short(hash).to_owned()), true);
            if let Some(content) = it.store.content_summary(key).await? {
                let known = Known::of(&content);
                for (key, n) in [
                    ("events", known.events.unwrap_or_default()),
                    ("unplaced", known.unplaced),
                    ("warnings", known.warnings.saturating_sub(known.unplaced)),
                ] {
                    if n > 0 {
                        add(key, Value::Number(n as u64), false);
                    }
                }
                if !known.corrections.is_empty() {
                    add("corrections", Value::Text(corrected(&known.corrections)), false);
                }
                if !known.exceptions.is_empty() {
                    add("exceptions", Value::Text(exceptions(&known.exceptions)), true);
                }
                let base = format!("{}/apercu/{hash}", issue_href(key));
                preview = Some(format!("{base}/mail.html"));
                documents = (1..)
                    .zip(&content.attachments)
                    .map(|(n, it)| (it.name.clone(), format!("{base}/document-{n}")))
                    .collect();
            }
            let asked = |it: &ContentRefusal| it.content_hash == hash && it.kind == RefusalKind::Refused;
            let of_this = it.store.refusals(key).await?.into_iter().filter(asked);
            refusals = of_this.map(|said| RefusalLine::new(it, key.mailing(), said)).collect();
        }
        let mut seen = url::form_urlencoded::Serializer::new(String::new());
        for fact in facts.iter().filter(|fact| fact.pinned) {
            seen.append_pair(fact.key, &fact.value.written());
        }
        Ok(Self {
            wording: wording(act, issue),
            to_be_looked_at: act == Act::Approve && preview.is_some(),
            title: issue.and_then(|it| it.subject.clone()).unwrap_or_else(|| it.title(key.mailing()).to_owned()),
            action: act.href(key),
            back: if issue.is_some() { issue_href(key) } else { "/a-venir".to_owned() },
            key: key.clone(),
            seen: seen.finish(),
            facts,
            n,
            words: act.words(),
            preview,
            documents,
            refusals,
            hash,
        })
    }

    /// Pinned facts that are not what `seen` says. Whatever was not read at all has moved, too.
    pub fn moved(&self, seen: &str) -> Vec<Moved> {
        let seen: Vec<(Cow<'_, str>, Cow<'_, str>)> = url::form_urlencoded::parse(seen.as_bytes()).take(20).collect();
        let pinned = self.facts.iter().filter(|fact| fact.pinned);
        pinned
            .filter_map(|fact| {
                let before = seen.iter().find(|(key, _)| key == fact.key).map(|(_, value)| value.clone());
                let moved = before.as_deref() != Some(&*fact.value.written());
                moved.then(|| Moved {
                    key: fact.key,
                    before: before.unwrap_or_default().into_owned(),
                    now: fact.value.clone(),
                })
            })
            .collect()
    }
}
