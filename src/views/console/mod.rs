//! What the pages of the console show, as data: instants with their words, states with their labels, sums whose parts lead to
//! their rows. Sentences are French; labels are keys of `templates/console/fr.toml` and `en.toml`.

pub mod coming;
pub mod correct;
pub mod decide;
pub mod editions;
pub mod editorial;
pub mod exceptions;
pub mod held;
pub mod imports;
pub mod issue;
pub mod journal;
pub mod month;
pub mod office;
pub mod orders;
pub mod people;
pub mod person;
pub mod preview;
pub mod recent;
pub mod repair;
pub mod segment;
pub mod tonight;
pub mod trace;

use crate::config::Config;
use crate::domain::{
    Timestamp,
    delivery::State,
    french,
    issue::{Counts, IssueKey, IssueState, IssueSummary},
};
use crate::jobs::Mailing;
use crate::store::{Store, StoreError};
use crate::views::instant;
use chrono::{Datelike, NaiveDate, Timelike};
use chrono_tz::Tz;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use recent::Recent;
use serde::Serialize;

/// Where a view reads: the ledger, the settings, and the instant it is for.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    pub store: &'a dyn Store,
    pub config: &'a Config,
    pub mailings: &'a [Mailing],
    pub now: Timestamp,
    /// Sizes that were counted a moment ago; `None`: each is counted.
    pub sizes: Option<&'a Recent<u64>>,
}

impl Reading<'_> {
    /// Of the mailing, or of the office if the mailing is no longer configured.
    pub fn zone_of(&self, mailing: &str) -> Tz {
        self.mailings.iter().find(|it| it.id == mailing).map_or(self.config.zone, |it| it.schedule.zone)
    }

    /// The title of a mailing; its id if it is no longer configured.
    pub fn title<'b>(&'b self, mailing: &'b str) -> &'b str {
        self.mailings.iter().find(|it| it.id == mailing).map_or(mailing, |it| it.title.as_str())
    }

    /// The present number of recipients of a mailing.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn audience_size(&self, mailing: &Mailing) -> Result<u64, StoreError> {
        let count = self.store.audience_size(&mailing.id, &mailing.audience, mailing.segment.as_ref());
        match self.sizes {
            None => count.await,
            Some(sizes) => sizes.get(&mailing.id, count).await,
        }
    }

    /// An issue, open or finished. `open`: those that are known to be open.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    async fn issue(&self, open: &[IssueSummary], key: &IssueKey) -> Result<Option<IssueSummary>, StoreError> {
        match open.iter().find(|issue| issue.key == *key) {
            Some(issue) => Ok(Some(issue.clone())),
            None => self.store.issue(key).await,
        }
    }

    /// In the zone of the office.
    pub fn when(&self, at: Timestamp) -> When {
        When::new(at, self.now, self.config.zone)
    }
}

/// An instant: in words from where one stands, in full, and for machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct When {
    /// `2026-07-04T08:00:00+02:00`
    pub iso: String,
    /// `demain à 8 h`
    pub fr: String,
    /// `tomorrow at 8:00`
    pub en: String,
    /// `samedi 4 juillet 2026 à 8 h (Europe/Paris)`
    pub full: String,
}

impl When {
    pub fn new(at: Timestamp, now: Timestamp, zone: Tz) -> Self {
        Self {
            iso: instant(at, zone),
            fr: french::near(at, now, zone),
            en: in_english(at, now, zone),
            full: format!("{} ({})", french::date_and_hour(at, zone), zone.name()),
        }
    }
}

/// `tomorrow at 8:00`, `Saturday at 8:00` within the next six days, `Saturday 4 July at 8:00`.
fn in_english(at: Timestamp, now: Timestamp, zone: Tz) -> String {
    let (local, today) = (at.with_timezone(&zone), now.with_timezone(&zone).date_naive());
    let day = match local.date_naive().signed_duration_since(today).num_days() {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        -1 => "yesterday".to_owned(),
        2..=6 => local.format("%A").to_string(),
        _ if local.year() == today.year() => local.format("%A %-d %B").to_string(),
        _ => local.format("%A %-d %B %Y").to_string(),
    };
    format!("{day} at {}:{:02}", local.hour(), local.minute())
}

/// `Semaine du lundi 6 au dimanche 12 juillet 2026`: what rows of a list are grouped under.
pub fn week_of(at: Timestamp, zone: Tz) -> String {
    let day: NaiveDate = at.with_timezone(&zone).date_naive();
    format!("Semaine {}", french::week(crate::domain::agenda::Week::of(day)))
}

/// The page of an issue.
pub fn issue_href(key: &IssueKey) -> String {
    format!("/envois/{key}")
}

/// The rows of the journal with this state.
pub fn journal_href(key: &IssueKey, state: Option<State>) -> String {
    let state = state.map(|state| format!("&etat={}", state.as_str())).unwrap_or_default();
    format!("/journal?envoi={}{state}", escaped(key.as_str()))
}

/// The page of a person; `None` where the delivery no longer names one.
pub fn person_href(contact_id: &str) -> Option<String> {
    (!contact_id.is_empty()).then(|| format!("/partenaires/contacts/{}", escaped(contact_id)))
}

/// For a part of an address.
pub fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// How a state is shown: its text has this key, and its colour and sign follow the tone. Never by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Label {
    pub key: &'static str,
    pub tone: Tone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// As it should be.
    Good,
    /// Under way, or to come.
    Calm,
    /// A person should look.
    Look,
    /// A person has to do something.
    Bad,
    /// Over, and nothing follows.
    Past,
}

/// The words of section "Words and states": one per state of an issue, and two more for what a state alone does not say.
pub fn label_of(issue: &IssueSummary) -> Label {
    let (key, tone) = match issue.state() {
        IssueState::Held | IssueState::AwaitingApproval if issue.half_approved_by.is_some() => {
            ("issue_half_approved", Tone::Bad)
        }
        IssueState::Held if issue.needs_approval() => ("issue_held_unapproved", Tone::Bad),
        IssueState::Held => ("issue_held", Tone::Bad),
        IssueState::AwaitingApproval => ("issue_awaiting_approval", Tone::Bad),
        IssueState::Rehearsed => ("issue_rehearsed", Tone::Calm),
        IssueState::Approved => ("issue_approved", Tone::Calm),
        IssueState::Sending => ("issue_sending", Tone::Calm),
        IssueState::Paused => ("issue_paused", Tone::Bad),
        IssueState::Done if issue.counts.unknown > 0 => ("issue_done_unknown", Tone::Look),
        IssueState::Done => ("issue_done", Tone::Good),
        IssueState::Expired => ("issue_expired", Tone::Past),
        IssueState::Cancelled => ("issue_cancelled", Tone::Past),
    };
    Label { key, tone }
}

/// `attempted`: whether the relay was asked before.
pub fn label_of_delivery(state: State, attempted: bool) -> Label {
    let (key, tone) = match state {
        State::Queued if attempted => ("delivery_retried", Tone::Calm),
        State::Queued => ("delivery_queued", Tone::Calm),
        State::Claimed => ("delivery_claimed", Tone::Calm),
        State::InData => ("delivery_in_data", Tone::Calm),
        State::Sent => ("delivery_sent", Tone::Good),
        State::Failed => ("delivery_failed", Tone::Bad),
        State::Unknown => ("delivery_unknown", Tone::Look),
        State::Suppressed => ("delivery_suppressed", Tone::Past),
        State::Expired => ("delivery_expired", Tone::Past),
        State::Cancelled => ("delivery_cancelled", Tone::Past),
    };
    Label { key, tone }
}

/// `214 = 190 remis + 12 en attente + …`: the sum of I1, whose parts lead to exactly their rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sum {
    pub total: u64,
    /// Deliveries that no longer move by themselves.
    pub ended: u64,
    pub href: String,
    /// Those that are not empty, in the order of a delivery's life; all of them with `every`.
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    pub state: State,
    pub n: u64,
    pub label: Label,
    pub href: String,
}

impl Sum {
    pub fn new(key: &IssueKey, counts: &Counts) -> Self {
        let mut sum = Self::every(key, counts);
        sum.parts.retain(|part| part.n > 0);
        sum
    }

    /// With the empty parts, which may fill while somebody watches.
    pub fn every(key: &IssueKey, counts: &Counts) -> Self {
        const ORDER: [State; 9] = [
            State::Sent,
            State::Queued,
            State::Claimed,
            State::InData,
            State::Suppressed,
            State::Failed,
            State::Unknown,
            State::Expired,
            State::Cancelled,
        ];
        let mut counts = *counts;
        let part = |state| Part {
            state,
            n: *counts.of(state),
            label: label_of_delivery(state, false),
            href: journal_href(key, Some(state)),
        };
        let parts = ORDER.map(part).to_vec();
        Self { total: counts.total(), ended: counts.ended(), href: journal_href(key, None), parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_sum_leads_to_its_rows_and_they_add_up() {
        let key = IssueKey::new("agenda", "2026-W28");
        let counts = Counts { sent: 190, queued: 10, claimed: 2, suppressed: 9, failed: 3, ..Counts::default() };
        let sum = Sum::new(&key, &counts);
        assert_eq!(sum.total, sum.parts.iter().map(|part| part.n).sum::<u64>());
        assert_eq!(sum.parts.iter().map(|part| part.n).collect::<Vec<_>>(), [190, 10, 2, 9, 3]);
        assert_eq!(sum.parts[0].href, "/journal?envoi=agenda%2F2026%2DW28&etat=sent");
        assert_eq!(Sum::every(&key, &counts).parts.len(), State::ALL.len());
    }

    #[test]
    fn an_instant_is_told_in_both_languages() {
        let now = "2026-07-03T18:00:00Z".parse().unwrap();
        let when = When::new("2026-07-04T06:00:00Z".parse().unwrap(), now, Tz::Europe__Paris);
        assert_eq!((when.fr.as_str(), when.en.as_str()), ("demain à 8\u{a0}h", "tomorrow at 8:00"));
        assert_eq!(when.iso, "2026-07-04T08:00:00+02:00");
    }
}
