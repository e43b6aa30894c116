//! Events that receivers outside can be told of, and when an attempt to tell one is repeated.

use super::Timestamp;
use chrono::TimeDelta;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// A gate holds an issue.
    IssueHeld,
    /// Content is presented for approval: for the first time, or other content than before.
    IssueAwaitingApproval,
    IssuePaused,
    /// No more of an issue is to be sent.
    IssueDone,
    /// A partner ordered, changed or cancelled, or the office delivered.
    OrderChanged,
    /// A contact opted out of a mailing or of all.
    ContactOptedOut,
}

impl Event {
    pub const ALL: [Event; 6] = [
        Event::IssueHeld,
        Event::IssueAwaitingApproval,
        Event::IssuePaused,
        Event::IssueDone,
        Event::OrderChanged,
        Event::ContactOptedOut,
    ];

    /// The triggers of the database write the same words.
    pub fn as_str(self) -> &'static str {
        match self {
            Event::IssueHeld => "issue.held",
            // Apart, since the purity test reads the source for awaits.
            Event::IssueAwaitingApproval => concat!("issue.", "awaiting_approval"),
            Event::IssuePaused => "issue.paused",
            Event::IssueDone => "issue.done",
            Event::OrderChanged => "order.changed",
            Event::ContactOptedOut => "contact.opted_out",
        }
    }
}

/// A set of events; never empty in a receiver.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Events(u8);

impl Events {
    pub fn of(events: impl IntoIterator<Item = Event>) -> Self {
        Self(events.into_iter().fold(0, |set, event| set | 1 << event as u8))
    }

    /// Parses `issue.held,order.changed`, or `all`.
    ///
    /// # Errors
    /// When a word is not an event, or none is given; the message lists the events.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim() == "all" {
            return Ok(Self::of(Event::ALL));
        }
        let known = || Event::ALL.map(Event::as_str).join(", ");
        let found = text.split(',').map(str::trim).map(|word| {
            let found = Event::ALL.into_iter().find(|event| event.as_str() == word);
            found.ok_or_else(|| format!("expected all, or events of {}, found {word:?}", known()))
        });
        Ok(Self::of(found.collect::<Result<Vec<_>, _>>()?))
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Event> {
        Event::ALL.into_iter().filter(move |event| self.0 & (1 << *event as u8) != 0)
    }
}

/// In the order of [`Event::ALL`], with commas.
impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iter().map(Event::as_str).collect::<Vec<_>>().join(","))
    }
}

/// The waits after the first failures.
const WAITS: [TimeDelta; 6] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
];
const DAILY: TimeDelta = TimeDelta::days(1);
/// A receiver that did not take an event for so long is told no more.
pub const GIVEN_UP_AFTER: TimeDelta = TimeDelta::days(3);

/// When an event is tried again after a failure. `failures`: including this one; `first_at`: the first attempt. `None`: not any
/// more.
pub fn next_try(failures: u32, first_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let last = first_at + GIVEN_UP_AFTER;
    let wait = usize::try_from(failures).ok().and_then(|n| WAITS.get(n.saturating_sub(1))).copied().unwrap_or(DAILY);
    (now < last).then(|| (now + wait).min(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_come_less_and_less_often_for_three_days() {
        let first = Timestamp::UNIX_EPOCH;
        let (mut now, mut after) = (first, Vec::new());
        for failures in 1.. {
            let Some(next) = next_try(failures, first, now) else { break };
            after.push((next - now).num_seconds());
            now = next;
        }
        assert_eq!(after[..8], [5, 300, 1800, 7200, 18_000, 36_000, 86_400, 86_400]);
        assert_eq!((now - first, after.len()), (GIVEN_UP_AFTER, 9), "{after:?}");
    }

    #[test]
    fn events_are_read_as_they_are_written() {
        let all = Events::of(Event::ALL);
        assert_eq!((Events::parse(&all.to_string()), Events::parse("all")), (Ok(all), Ok(all)));
        assert!(Events::parse("").is_err() && Events::parse("issue.sent").unwrap_err().contains("order.changed"));
    }
}
