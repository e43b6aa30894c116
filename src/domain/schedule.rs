//! When a mailing is due. Pure: from the cron pattern and the mailing's zone to instants.
//!
//! `croner` decides, not the scheduler of the ticker: the latter fixes the UTC offset when a job is created and fires an
//! hour off after every daylight saving change.

use super::{Timestamp, french};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, SubsecRound, TimeDelta, Weekday};
use chrono_tz::Tz;
use croner::{Cron, parser::CronParser};

/// Maximum occurrences per pass (S7): nineteen years of weekly mailings.
const MOST_PER_PASS: usize = 1000;

/// The schedule of a mailing: a cron pattern in a zone, and the handling of late occurrences.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// `None`: no pattern; a person decides when.
    cron: Option<Cron>,
    /// The rule in the person's words.
    written: String,
    pub zone: Tz,
    /// An occurrence noticed later than this is missed (S2).
    pub catch_up: TimeDelta,
    pub coalesce: Coalesce,
    pub deadline: Deadline,
}

/// What to do if several occurrences are noticed in one pass (S3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Coalesce {
    /// Run the newest, record the others as coalesced.
    #[default]
    Latest,
    All,
}

/// The end of an issue's life (S10): the Saturday agenda must not arrive on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// `Sat 20:00`: the first such local time at or after the occurrence.
    At(Weekday, NaiveTime),
    /// `72h`
    After(TimeDelta),
}

/// When an issue is rehearsed: composed and shown to staff before its hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rehearsal {
    /// `Fri 17:00`: the last such local time before the occurrence.
    At(Weekday, NaiveTime),
    /// `15h` before it.
    Before(TimeDelta),
}

/// The decision of a pass about one due instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Run,
    /// Noticed too late: this long after its instant.
    Missed(TimeDelta),
    /// A newer one of the same pass runs instead.
    Coalesced,
}

/// Why a text is not a valid schedule.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCron {
    #[error("not a cron pattern: {0}")]
    Pattern(String),
    #[error("it never comes: no date matches")]
    Never,
}

impl Schedule {
    /// # Errors
    /// If the pattern is invalid or matches no date after `from`.
    pub fn new(
        cron: &str,
        zone: Tz,
        catch_up: TimeDelta,
        coalesce: Coalesce,
        deadline: Deadline,
        from: Timestamp,
    ) -> Result<Self, InvalidCron> {
        let written = cron.to_owned();
        let cron = CronParser::new().parse(cron).map_err(|why| InvalidCron::Pattern(why.to_string()))?;
        let schedule = Self { cron: Some(cron), written, zone, catch_up, coalesce, deadline };
        schedule.next_after(from).ok_or(InvalidCron::Never)?;
        Ok(schedule)
    }

    /// For a mailing that is sent when a person says so.
    pub fn by_word(zone: Tz, catch_up: TimeDelta, deadline: Deadline) -> Self {
        Self { cron: None, written: String::new(), zone, catch_up, coalesce: Coalesce::All, deadline }
    }

    /// The first due instant after `instant`, to the second.
    pub fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        let local = instant.with_timezone(&self.zone);
        let next = self.cron.as_ref()?.find_next_occurrence(&local, false).ok()?;
        Some(next.trunc_subsecs(0).to_utc())
    }

    /// The due instants after `instant`, without end.
    pub fn after(&self, instant: Timestamp) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next_after(instant), |last| self.next_after(*last))
    }

    /// The last due instant at or before `instant`, looking back at most 400 days.
    pub fn last_until(&self, instant: Timestamp) -> Option<Timestamp> {
        let local = instant.with_timezone(&self.zone);
        let last = self.cron.as_ref()?.find_previous_occurrence(&local, true).ok()?.trunc_subsecs(0).to_utc();
        (instant - last <= TimeDelta::days(400)).then_some(last)
    }

    /// S1 to S3: what to do with each instant in `(cursor, now]`, oldest first.
    pub fn decide(&self, cursor: Timestamp, now: Timestamp) -> Vec<(Timestamp, Decision)> {
        let due: Vec<_> = self.after(cursor).take_while(|t| *t <= now).take(MOST_PER_PASS).collect();
        let newest_in_time = due.iter().rposition(|t| now - *t <= self.catch_up);
        let decision = |n: usize, t: Timestamp| match newest_in_time {
            _ if now - t > self.catch_up => Decision::Missed(now - t),
            Some(newest) if self.coalesce == Coalesce::Latest && n != newest => Decision::Coalesced,
            _ => Decision::Run,
        };
        due.iter().enumerate().map(|(n, t)| (*t, decision(n, *t))).collect()
    }

    /// The future instants within `lead`.
    pub fn ahead(&self, now: Timestamp, lead: TimeDelta) -> impl Iterator<Item = Timestamp> {
        self.after(now).take_while(move |at| *at - now <= lead).take(MOST_PER_PASS)
    }

    /// Whether the current pattern has this instant; without a pattern every given instant is due.
    pub fn is_due_at(&self, instant: Timestamp) -> bool {
        self.cron.is_none() || self.next_after(instant - TimeDelta::seconds(1)) == Some(instant)
    }

    /// S7: whether there may be more than [`Self::decide`] returned; the next pass continues after the last of them.
    pub fn is_cut_off(&self, decided: &[(Timestamp, Decision)]) -> bool {
        decided.len() >= MOST_PER_PASS
    }

    /// The deadline of that occurrence.
    pub fn deadline_of(&self, occurrence: Timestamp) -> Timestamp {
        match self.deadline {
            Deadline::After(delay) => occurrence + delay,
            Deadline::At(weekday, time) => {
                let local = occurrence.with_timezone(&self.zone);
                let days = u64::from((7 + weekday.num_days_from_monday() - local.weekday().num_days_from_monday()) % 7);
                let on = |days| at_local(self.zone, local.date_naive() + Days::new(days), time);
                let first = on(days);
                if first < occurrence { on(days + 7) } else { first }
            }
        }
    }

    /// When the rehearsal of that occurrence is due.
    pub fn rehearsal_of(&self, occurrence: Timestamp, rehearsal: Rehearsal) -> Timestamp {
        match rehearsal {
            Rehearsal::Before(lead) => occurrence - lead,
            Rehearsal::At(weekday, time) => {
                let local = occurrence.with_timezone(&self.zone);
                let days = u64::from((7 + local.weekday().num_days_from_monday() - weekday.num_days_from_monday()) % 7);
                let on = |days| at_local(self.zone, local.date_naive() - Days::new(days), time);
                let last = on(days);
                if last < occurrence { last } else { on(days + 7) }
            }
        }
    }

    /// The next occurrence, if its rehearsal is due. Not those after it: a schedule of every minute has many within a week.
    pub fn to_rehearse(&self, now: Timestamp, rehearsal: Rehearsal) -> Option<Timestamp> {
        self.next_after(now).filter(|at| self.rehearsal_of(*at, rehearsal) <= now)
    }

    /// `2026-07-04T08:00+02:00[Europe/Paris]`
    pub fn label(&self, instant: Timestamp) -> String {
        label(instant, self.zone)
    }

    /// Day of month and weekday, if the pattern restricts both without asking for days that are both (`+TUE`): cron takes either,
    /// so `0 9 1-7 * TUE` matches the first seven days of the month and every Tuesday.
    pub fn either_day(&self) -> Option<(&str, &str)> {
        let fields: Vec<_> = self.written.split_ascii_whitespace().collect();
        // With seconds there is one more before.
        let [.., day, _, weekday] = fields[..] else { return None };
        let any = |field: &str| matches!(field, "*" | "?");
        (!any(day) && !any(weekday) && !weekday.starts_with('+')).then_some((day, weekday))
    }

    /// As the ledger keeps it, normalised; empty without a pattern.
    pub fn cron(&self) -> &str {
        self.cron.as_ref().map_or("", Cron::as_str)
    }
}

/// `2026-07-04T08:00+02:00[Europe/Paris]`, with seconds only if they are not zero.
pub fn label(instant: Timestamp, zone: Tz) -> String {
    let local = instant.with_timezone(&zone);
    let time = if local.timestamp() % 60 == 0 { "%H:%M" } else { "%H:%M:%S" };
    format!("{}[{}]", local.format(&format!("%Y-%m-%dT{time}%:z")), zone.name())
}

/// Monday to Friday, and not a public holiday in France.
pub fn is_working_day(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !french::is_public_holiday(day)
}

/// The instant of a local time; if the clocks skip it, the first instant after the gap; if they repeat it, the first of
/// the two.
pub fn at_local(zone: Tz, date: NaiveDate, time: NaiveTime) -> Timestamp {
    let wanted = date.and_time(time);
    let minute = TimeDelta::minutes(1);
    let candidates = std::iter::successors(Some(wanted), |t| Some(*t + minute)).take(24 * 60);
    let mut found = candidates.filter_map(|local| local.and_local_timezone(zone).earliest());
    found.next().map_or_else(|| wanted.and_utc(), |local: DateTime<Tz>| local.to_utc())
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
