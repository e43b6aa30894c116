//! Events that receivers outside can be told of, and when an attempt to tell one is repeated.

use super::{
    Timestamp,
    word_set::{Word, WordSet},
};
use chrono::TimeDelta;

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
            Event::IssueAwaitingApproval => "issue.awaiting_approval",
            Event::IssuePaused => "issue.paused",
            Event::IssueDone => "issue.done",
            Event::OrderChanged => "order.changed",
            Event::ContactOptedOut => "contact.opted_out",
        }
    }
}

/// A set of events; never empty in a receiver.
pub type Events = WordSet<Event>;

impl Word for Event {
    const ALL: &'static [Self] = &Event::ALL;
    const PLURAL: &'static str = "events";
    const EVERY: Option<&'static str> = Some("all");

    fn as_str(self) -> &'static str {
        Event::as_str(self)
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
