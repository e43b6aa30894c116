//! An oracle for the schedules: every minute of ten years is looked at, in the zone's own database, by a reading of the
//! pattern that knows nothing of ours. What it takes from us is the rule for the changes of clocks: one fixed time that
//! the clocks skip comes at the end of the gap, and one that they repeat at its first pass; a pattern with several hours
//! or minutes, or a `*`, follows the wall.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use semainier::domain::schedule::{Coalesce, Deadline, Schedule};
use std::collections::BTreeSet;

const YEARS: std::ops::Range<i32> = 2024..2034;

/// What a pattern means, said in Rust.
struct Rule {
    cron: &'static str,
    minutes: &'static [u32],
    hours: &'static [u32],
    day: fn(NaiveDate) -> bool,
}

const RULES: &[Rule] = &[
    Rule { cron: "0 8 * 7,8 SAT", minutes: &[0], hours: &[8], day: summer_saturday },
    Rule { cron: "0 9 * * TUE#1", minutes: &[0], hours: &[9], day: first_tuesday },
    Rule { cron: "30 2 * * *", minutes: &[30], hours: &[2], day: any },
    Rule { cron: "0,59 0,1,2,3 * * *", minutes: &[0, 59], hours: &[0, 1, 2, 3], day: any },
    Rule { cron: "30 1-3 * * SUN", minutes: &[30], hours: &[1, 2, 3], day: sunday },
    Rule { cron: "*/30 2 * * *", minutes: &[0, 30], hours: &[2], day: any },
    Rule { cron: "15 */6 L * *", minutes: &[15], hours: &[0, 6, 12, 18], day: last_day },
    Rule { cron: "0,20,40 2 * * *", minutes: &[0, 20, 40], hours: &[2], day: any },
    Rule { cron: "45 23 1-7 * TUE", minutes: &[45], hours: &[23], day: first_week_or_tuesday },
    Rule { cron: "0 12 29 2 *", minutes: &[0], hours: &[12], day: leap_day },
];

fn any(_: NaiveDate) -> bool {
    true
}

fn summer_saturday(date: NaiveDate) -> bool {
    (date.month() == 7 || date.month() == 8) && date.weekday() == Weekday::Sat
}

fn first_tuesday(date: NaiveDate) -> bool {
    date.weekday() == Weekday::Tue && date.day() <= 7
}

fn first_week_or_tuesday(date: NaiveDate) -> bool {
    date.weekday() == Weekday::Tue || date.day() <= 7
}

fn sunday(date: NaiveDate) -> bool {
    date.weekday() == Weekday::Sun
}

fn last_day(date: NaiveDate) -> bool {
    date.succ_opt().is_some_and(|next| next.day() == 1)
}

fn leap_day(date: NaiveDate) -> bool {
    (date.month(), date.day()) == (2, 29)
}

/// The rules as tables: a bit a rule, by the day and by the minute of the day.
struct Tables {
    first_day: NaiveDate,
    days: Vec<u32>,
    minutes: Vec<u32>,
    /// Those with one fixed time.
    fixed: u32,
}

impl Tables {
    fn new() -> Self {
        let bits = |means: &dyn Fn(&Rule) -> bool| {
            RULES.iter().enumerate().map(|(n, rule)| u32::from(means(rule)) << n).sum::<u32>()
        };
        // A day more on either side: the zones are not where UTC is.
        let first_day = NaiveDate::from_ymd_opt(YEARS.start - 1, 12, 31).unwrap();
        let days = first_day.iter_days().take_while(|day| day.year() <= YEARS.end);
        Self {
            first_day,
            days: days.map(|day| bits(&|rule| (rule.day)(day))).collect(),
            minutes: (0..1440)
                .map(|m| bits(&|r| r.minutes.contains(&(m % 60)) && r.hours.contains(&(m / 60))))
                .collect(),
            fixed: bits(&|rule| rule.minutes.len() == 1 && rule.hours.len() == 1),
        }
    }

    /// The rules that mean this minute of the wall, counted from the first day.
    fn mean(&self, local: usize) -> u32 {
        self.days[local / 1440] & self.minutes[local % 1440]
    }

    /// Every minute of every year, as it goes by in the zone.
    fn due(&self, zone: Tz) -> Vec<BTreeSet<DateTime<Utc>>> {
        let mut due = vec![BTreeSet::new(); RULES.len()];
        let (begin, end) = (start(zone, YEARS.start), start(zone, YEARS.end));
        let origin = self.first_day.and_time(NaiveTime::MIN).and_utc();
        let mut instant = begin;
        let mut latest = None;
        while instant < end {
            // The zone is asked once a quarter of an hour: no offset changes in between.
            let offset = chrono::Offset::fix(&zone.offset_from_utc_datetime(&instant.naive_utc())).local_minus_utc();
            let first = usize::try_from((instant - origin).num_minutes() + i64::from(offset) / 60).unwrap();
            for minute in 0..15 {
                let local = first + minute;
                let last = latest.unwrap_or(local - 1);
                let mut mean = self.mean(local);
                if local <= last {
                    mean &= !self.fixed;
                }
                for skipped in last + 1..local {
                    mean |= self.mean(skipped) & self.fixed;
                }
                latest = Some(last.max(local));
                while mean != 0 {
                    let rule = usize::try_from(mean.trailing_zeros()).unwrap();
                    due[rule].insert(instant + TimeDelta::minutes(i64::try_from(minute).unwrap()));
                    mean &= mean - 1;
                }
            }
            instant += TimeDelta::minutes(15);
        }
        due
    }
}

fn start(zone: Tz, year: i32) -> DateTime<Utc> {
    let local = NaiveDate::from_ymd_opt(year, 1, 1).unwrap().and_time(NaiveTime::MIN);
    local.and_local_timezone(zone).earliest().unwrap().to_utc()
}

fn ours(rule: &Rule, zone: Tz) -> BTreeSet<DateTime<Utc>> {
    let hours = TimeDelta::hours(12);
    let before = start(zone, YEARS.start) - TimeDelta::seconds(1);
    let schedule = Schedule::new(rule.cron, zone, hours, Coalesce::Latest, Deadline::After(hours), before).unwrap();
    let end = start(zone, YEARS.end);
    schedule.after(before).take_while(|t| *t < end).collect()
}

#[test]
fn ten_years_minute_by_minute_agree_with_the_due_occurrences() {
    let tables = Tables::new();
    for zone in [Tz::Europe__Paris, Tz::America__New_York] {
        for (rule, oracle) in RULES.iter().zip(tables.due(zone)) {
            let ours = ours(rule, zone);
            let missing: Vec<_> = oracle.difference(&ours).take(3).collect();
            let extra: Vec<_> = ours.difference(&oracle).take(3).collect();
            let said = format!("{} in {zone}: not due {missing:?}, too many {extra:?}", rule.cron);
            assert!(missing.is_empty() && extra.is_empty() && !ours.is_empty(), "{said}");
        }
    }
}
