//! Converts opening periods of tourism databases to sessions.
//!
//! Five hundred periods of one day are one exhibition: consecutive days with equal hours become one session.

use std::ops::RangeInclusive;

use chrono::{Days, NaiveDate, NaiveTime};

use crate::domain::listing::Session;

/// How far around the days asked for a period is unrolled: its true end is worth knowing, a thousand years are not.
const HORIZON: Days = Days::new(400);
/// Number of consecutive days from which something is a period; fewer are single dates.
const LASTING: usize = 5;

/// From when to when on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hours {
    pub start: Option<NaiveTime>,
    pub end: Option<NaiveTime>,
}

impl Hours {
    /// Forms write an end equal to the start for a missing end, and midnight to midnight for missing hours.
    pub fn new(start: Option<NaiveTime>, end: Option<NaiveTime>) -> Self {
        match (start, end) {
            (Some(start), Some(end)) if start == end && start == NaiveTime::MIN => Self::default(),
            (Some(start), Some(end)) if start == end => Self { start: Some(start), end: None },
            (None, _) => Self::default(),
            (start, end) => Self { start, end },
        }
    }

    /// An end before the start is after midnight.
    pub fn on(self, day: NaiveDate) -> Session {
        let late = matches!((self.start, self.end), (Some(start), Some(end)) if end < start);
        let end_day = if late { day.succ_opt() } else { None };
        Session { day, start: self.start, end: self.end, end_day }
    }
}

/// The days from first to last that are near enough to `days` to matter. None where the last is before the first.
pub fn unrolled(
    first: NaiveDate,
    last: NaiveDate,
    days: &RangeInclusive<NaiveDate>,
) -> impl Iterator<Item = NaiveDate> {
    let from = days.start().checked_sub_days(HORIZON).map_or(first, |from| first.max(from));
    let to = days.end().checked_add_days(HORIZON).map_or(last, |to| last.min(to));
    from.iter_days().take_while(move |day| *day <= to)
}

/// In order, each once, long unbroken runs of days with equal hours put together.
pub fn collapsed(mut sessions: Vec<Session>) -> Vec<Session> {
    sessions.sort_unstable_by_key(|session| (session.start, session.end, session.end_day.is_some(), session.day));
    sessions.dedup();
    let follows = |a: &Session, b: &Session| {
        a.end_day.is_none()
            && b.end_day.is_none()
            && (a.start, a.end) == (b.start, b.end)
            && a.day.succ_opt() == Some(b.day)
    };
    let mut out = Vec::new();
    for run in sessions.chunk_by(follows) {
        match run {
            [first, .., last] if run.len() >= LASTING => out.push(Session { end_day: Some(last.day), ..*first }),
            few => out.extend(few),
        }
    }
    out.sort_unstable();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn hours(start: &str, end: &str) -> Hours {
        Hours::new(start.parse().ok(), end.parse().ok())
    }

    #[test]
    fn five_hundred_days_in_any_order_are_one_session_and_two_evenings_are_two() {
        let open = hours("14:00:00", "18:00:00");
        let mut days: Vec<Session> = day("2026-03-05").iter_days().take(500).map(|day| open.on(day)).collect();
        days.reverse();
        days.extend([open.on(day("2026-03-05"))]);
        let last = Some(day("2026-03-05") + Days::new(499));
        assert_eq!(collapsed(days), [Session { end_day: last, ..open.on(day("2026-03-05")) }]);
        let evening = hours("21:00:00", "23:30:00");
        assert_eq!(collapsed(vec![evening.on(day("2027-07-14")), evening.on(day("2027-07-13"))]).len(), 2);
    }

    #[test]
    fn placeholder_hours_are_ignored_and_an_end_before_the_start_is_after_midnight() {
        assert_eq!(hours("21:00:00", "21:00:00"), hours("21:00:00", ""));
        assert_eq!((hours("00:00:00", "00:00:00"), hours("", "18:00:00")), (Hours::default(), Hours::default()));
        let late = hours("22:00:00", "02:00:00").on(day("2027-07-13"));
        assert_eq!((late.end_day, late.last_day()), (Some(day("2027-07-14")), day("2027-07-13")));
    }

    #[test]
    fn an_open_ended_period_is_expanded_around_the_week_only() {
        let week = day("2027-07-12")..=day("2027-07-18");
        let all: Vec<_> = unrolled(NaiveDate::MIN, NaiveDate::MAX, &week).collect();
        assert_eq!(all.len(), 807);
        assert_eq!(unrolled(day("2027-07-13"), day("2027-07-12"), &week).count(), 0);
    }
}
