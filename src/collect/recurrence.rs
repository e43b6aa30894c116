//! Recurrence rules (RFC 5545, 3.3.10): whether a day belongs to a series, and how many came before it.
//!
//! Without COUNT only the requested days are evaluated, so that an unbounded rule that began thirty years ago is cheap. With
//! COUNT the days are counted from the first, within a limit of steps.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc, Weekday};
use std::collections::BTreeSet;

use super::dates::{self, Numbers};
use super::zones::{Zone, ranked_weekday};

/// Hours a day: an event of people has one, a visit some.
const MOST_TIMES: usize = 48;
/// Values of one part of a rule.
const MOST_VALUES: usize = 400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A rule that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    frequency: Frequency,
    interval: i64,
    count: Option<u64>,
    until: Option<Until>,
    months: Vec<u32>,
    monthdays: Vec<i32>,
    yeardays: Vec<i32>,
    weeks: Vec<i32>,
    weekdays: Vec<(i32, Weekday)>,
    positions: Vec<i32>,
    hours: Vec<u32>,
    minutes: Vec<u32>,
    week_start: Weekday,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Until {
    Day(NaiveDate),
    Wall(NaiveDateTime),
    Instant(DateTime<Utc>),
}

/// Too many steps: the rule was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heavy;

impl Rule {
    /// Blanks and unknown parts are ignored. `None` if it is not a rule of days: then the event takes place
    /// once, and that is reported.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            months: Vec::new(),
            monthdays: Vec::new(),
            yeardays: Vec::new(),
            weeks: Vec::new(),
            weekdays: Vec::new(),
            positions: Vec::new(),
            hours: Vec::new(),
            minutes: Vec::new(),
            week_start: Weekday::Mon,
        };
        let mut has_frequency = false;
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((key, value)) = part.split_once('=') else { continue };
            let value = value.trim();
            match key.trim().to_ascii_uppercase().as_str() {
                "FREQ" => {
                    has_frequency = true;
                    rule.frequency = match value.to_ascii_uppercase().as_str() {
                        "DAILY" => Frequency::Daily,
                        "WEEKLY" => Frequency::Weekly,
                        "MONTHLY" => Frequency::Monthly,
                        "YEARLY" => Frequency::Yearly,
                        _ => return None,
                    };
                }
                "INTERVAL" => rule.interval = value.parse().ok().filter(|n| (1..100_000).contains(n))?,
                "COUNT" => rule.count = Some(value.parse().ok().filter(|n| *n > 0)?),
                "UNTIL" => rule.until = Some(until(value)?),
                "BYMONTH" => rule.months = numbers(value, 1..=12)?,
                "BYMONTHDAY" => rule.monthdays = numbers(value, -31..=31)?,
                "BYYEARDAY" => rule.yeardays = numbers(value, -366..=366)?,
                "BYWEEKNO" => rule.weeks = numbers(value, -53..=53)?,
                "BYSETPOS" => rule.positions = numbers(value, -366..=366)?,
                "BYHOUR" => rule.hours = numbers(value, 0..=23)?,
                "BYMINUTE" => rule.minutes = numbers(value, 0..=59)?,
                "BYDAY" => {
                    rule.weekdays = value.split(',').take(MOST_VALUES).map(ranked_weekday).collect::<Option<_>>()?;
                }
                // Several seconds in a minute are not opening hours.
                "BYSECOND" if value.contains(',') => return None,
                "WKST" => rule.week_start = ranked_weekday(value)?.1,
                _ => {}
            }
        }
        has_frequency.then_some(rule)
    }

    /// The times on the days from `from` to `to` at which a series that began at `first` on the clock of `zone` takes
    /// place by this rule. `first` itself is one of them if it `counts`, whatever the rule says. `steps`: those that are
    /// left, for the whole file.
    ///
    /// # Errors
    /// When they are used up.
    pub fn between(
        &self,
        first: NaiveDateTime,
        zone: Option<&Zone>,
        counts: bool,
        (from, to): (NaiveDate, NaiveDate),
        steps: &mut u64,
    ) -> Result<Vec<NaiveDateTime>, Heavy> {
        let last = self.last_wall(zone);
        let is_over = |at: &NaiveDateTime| last.is_some_and(|last| *at > last);
        let times = self.times(first.time());
        let mut found = Vec::new();
        let (mut day, mut counted) = (if self.count.is_some() { first.date() } else { from.max(first.date()) }, 0_u64);
        // The set of a period is the same for all its days.
        let mut period = None;
        while day <= to && last.is_none_or(|last| day <= last.date()) {
            *steps = steps.checked_sub(1).ok_or(Heavy)?;
            let is_on = self.is_on(day, first.date(), &mut period, steps)?;
            // Hours before the first one on its day are not part of the recurrence.
            let own = (day == first.date() && counts).then_some(first);
            let ruled = times.iter().map(|time| day.and_time(*time));
            let ruled = ruled.filter(|at| is_on && (*at > first || *at == first && !counts));
            for at in own.into_iter().chain(ruled).filter(|at| !is_over(at)) {
                counted += 1;
                if self.count.is_some_and(|count| counted > count) {
                    return Ok(found);
                }
                if day >= from {
                    found.push(at);
                }
            }
            let Some(next) = day.succ_opt() else { break };
            day = next;
        }
        Ok(found)
    }

    fn times(&self, own: NaiveTime) -> Vec<NaiveTime> {
        if self.hours.is_empty() && self.minutes.is_empty() {
            return vec![own];
        }
        use chrono::Timelike;
        let hours = if self.hours.is_empty() { vec![own.hour()] } else { self.hours.clone() };
        let minutes = if self.minutes.is_empty() { vec![own.minute()] } else { self.minutes.clone() };
        let times: BTreeSet<NaiveTime> = hours
            .iter()
            .flat_map(|hour| minutes.iter().filter_map(|minute| NaiveTime::from_hms_opt(*hour, *minute, own.second())))
            .take(MOST_TIMES)
            .collect();
        times.into_iter().collect()
    }

    /// The last hour of the series, on its own clock.
    fn last_wall(&self, zone: Option<&Zone>) -> Option<NaiveDateTime> {
        match self.until? {
            Until::Day(day) => day.and_hms_opt(23, 59, 59),
            Until::Wall(wall) => Some(wall),
            Until::Instant(at) => match zone {
                Some(zone) => zone.wall(at),
                None => Some(at.naive_utc()),
            },
        }
    }

    fn is_on(
        &self,
        day: NaiveDate,
        first: NaiveDate,
        period: &mut Option<Period>,
        steps: &mut u64,
    ) -> Result<bool, Heavy> {
        if !self.is_in_turn(day, first) || !self.passes(day, first) {
            return Ok(false);
        }
        if self.positions.is_empty() {
            return Ok(true);
        }
        let (start, end) = self.period_of(day);
        if period.as_ref().is_none_or(|period| period.start != start) {
            let mut days = Vec::new();
            for day in start.iter_days().take_while(|day| *day < end) {
                *steps = steps.checked_sub(1).ok_or(Heavy)?;
                if self.passes(day, first) {
                    days.push(day);
                }
            }
            *period = Some(Period { start, days });
        }
        let days = period.as_ref().map(|period| period.days.as_slice()).unwrap_or_default();
        let picked = |position: i32| {
            let at = usize::try_from(position.unsigned_abs()).ok()?;
            if position > 0 { days.get(at - 1) } else { days.get(days.len().checked_sub(at)?) }
        };
        Ok(self.positions.iter().any(|position| *position != 0 && picked(*position) == Some(&day)))
    }

    /// Whether its day, week, month or year is one of every nth.
    fn is_in_turn(&self, day: NaiveDate, first: NaiveDate) -> bool {
        let months = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month0());
        let apart = match self.frequency {
            Frequency::Daily => (day - first).num_days(),
            Frequency::Weekly => match (self.week_of(day), self.week_of(first)) {
                (Some(a), Some(b)) => (a - b).num_days() / 7,
                _ => return false,
            },
            Frequency::Monthly => months(day) - months(first),
            Frequency::Yearly => i64::from(day.year()) - i64::from(first.year()),
        };
        apart % self.interval == 0
    }

    fn week_of(&self, day: NaiveDate) -> Option<NaiveDate> {
        day.checked_sub_days(Days::new(u64::from(day.weekday().days_since(self.week_start))))
    }

    fn period_of(&self, day: NaiveDate) -> (NaiveDate, NaiveDate) {
        let ends = match self.frequency {
            Frequency::Daily => day.succ_opt().map(|end| (day, end)),
            Frequency::Weekly => {
                self.week_of(day).and_then(|start| Some((start, start.checked_add_days(Days::new(7))?)))
            }
            Frequency::Monthly => {
                day.with_day(1).and_then(|start| Some((start, start.checked_add_months(chrono::Months::new(1))?)))
            }
            Frequency::Yearly => NaiveDate::from_ymd_opt(day.year(), 1, 1)
                .and_then(|start| Some((start, NaiveDate::from_ymd_opt(day.year() + 1, 1, 1)?))),
        };
        ends.unwrap_or((day, day))
    }

    /// Whether the day matches all BY… parts; missing parts are taken from the first day.
    fn passes(&self, day: NaiveDate, first: NaiveDate) -> bool {
        if !self.months.is_empty() && !self.months.contains(&day.month()) {
            return false;
        }
        let length = month_length(day);
        let from_end = |n: i32, all: i32| if n < 0 { all + 1 + n } else { n };
        let number = |n: u32| i32::try_from(n).unwrap_or_default();
        let is_monthday = || self.monthdays.iter().any(|n| *n != 0 && from_end(*n, length) == number(day.day()));
        let year_length = if day.leap_year() { 366 } else { 365 };
        let is_yearday = || self.yeardays.iter().any(|n| *n != 0 && from_end(*n, year_length) == number(day.ordinal()));
        let is_week = || {
            let week = day.iso_week();
            let all = NaiveDate::from_ymd_opt(week.year(), 12, 28).map_or(52, |day| number(day.iso_week().week()));
            self.weeks.iter().any(|n| *n != 0 && from_end(*n, all) == number(week.week()))
        };
        let is_plain_weekday = || self.weekdays.iter().any(|(_, weekday)| *weekday == day.weekday());
        match self.frequency {
            Frequency::Daily => {
                (self.monthdays.is_empty() || is_monthday()) && (self.weekdays.is_empty() || is_plain_weekday())
            }
            Frequency::Weekly if self.weekdays.is_empty() => day.weekday() == first.weekday(),
            Frequency::Weekly => is_plain_weekday(),
            Frequency::Monthly => match (self.monthdays.is_empty(), self.weekdays.is_empty()) {
                (true, true) => day.day() == first.day(),
                (false, true) => is_monthday(),
                (no_monthdays, false) => {
                    (no_monthdays || is_monthday()) && self.is_ranked(number(day.day()), length, day.weekday())
                }
            },
            Frequency::Yearly => {
                let named = [&self.monthdays, &self.yeardays, &self.weeks].iter().any(|part| !part.is_empty());
                if !named && self.weekdays.is_empty() {
                    return day.day() == first.day() && (!self.months.is_empty() || day.month() == first.month());
                }
                let weekday = match (self.weekdays.is_empty(), self.weeks.is_empty()) {
                    (true, true) => true,
                    // A week by its number, and no day of it: that of the first.
                    (true, false) => {
                        !self.monthdays.is_empty() || !self.yeardays.is_empty() || day.weekday() == first.weekday()
                    }
                    (false, false) => is_plain_weekday(),
                    (false, true) if !self.months.is_empty() => {
                        self.is_ranked(number(day.day()), length, day.weekday())
                    }
                    (false, true) => self.is_ranked(number(day.ordinal()), year_length, day.weekday()),
                };
                (self.monthdays.is_empty() || is_monthday())
                    && (self.yeardays.is_empty() || is_yearday())
                    && (self.weeks.is_empty() || is_week())
                    && weekday
            }
        }
    }

    /// The second Sunday of what has `all` days, of which this is day `n`.
    fn is_ranked(&self, n: i32, all: i32, weekday: Weekday) -> bool {
        self.weekdays.iter().any(|(rank, name)| {
            *name == weekday
                && match rank {
                    0 => true,
                    rank if *rank > 0 => (n - 1) / 7 + 1 == *rank,
                    rank => (all - n) / 7 + 1 == -rank,
                }
        })
    }
}

#[derive(Debug)]
struct Period {
    start: NaiveDate,
    days: Vec<NaiveDate>,
}

fn month_length(day: NaiveDate) -> i32 {
    let next = day.with_day(1).and_then(|first| first.checked_add_months(chrono::Months::new(1)));
    next.and_then(|next| next.pred_opt()).map_or(31, |last| i32::try_from(last.day()).unwrap_or(31))
}

fn numbers<T: std::str::FromStr + PartialOrd>(text: &str, within: std::ops::RangeInclusive<T>) -> Option<Vec<T>> {
    let each = text.split(',').take(MOST_VALUES).map(str::trim).filter(|text| !text.is_empty());
    let read = |text: &str| text.strip_prefix('+').unwrap_or(text).parse::<T>().ok().filter(|n| within.contains(n));
    each.map(read).collect()
}

/// The standard wants it in UTC; many write a day or an hour of their own.
fn until(text: &str) -> Option<Until> {
    let read = dates::read(text, Numbers::DayFirst)?;
    Some(match (read.time, read.offset) {
        (None, _) => Until::Day(read.day),
        (Some(time), None) => Until::Wall(read.day.and_time(time)),
        (Some(time), Some(offset)) => {
            let utc =
                read.day.and_time(time).checked_sub_signed(TimeDelta::seconds(offset.local_minus_utc().into()))?;
            Until::Instant(utc.and_utc())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The days of a month of a series that began then, as numbers.
    fn days(rule: &str, first: &str, month: &str) -> Vec<u32> {
        let from: NaiveDate = format!("{month}-01").parse().unwrap();
        let to = from.checked_add_months(chrono::Months::new(1)).unwrap().pred_opt().unwrap();
        let first = format!("{first}T18:00:00").parse().unwrap();
        let rule = Rule::parse(rule).unwrap_or_else(|| panic!("{rule}"));
        rule.between(first, None, true, (from, to), &mut 100_000).unwrap().iter().map(|at| at.day()).collect()
    }

    #[test]
    fn fr19_rules_expand_to_the_expected_days() {
        for (rule, first, month, expected) in [
            ("FREQ=DAILY;COUNT=4", "2027-07-12", "2027-07", vec![12, 13, 14, 15]),
            ("FREQ=DAILY;INTERVAL=10", "2017-01-02", "2027-07", vec![9, 19, 29]),
            ("FREQ=WEEKLY;BYDAY=TU,TH", "2017-01-03", "2027-07", vec![1, 6, 8, 13, 15, 20, 22, 27, 29]),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU", "2027-07-04", "2027-07", vec![4, 18]),
            ("FREQ=WEEKLY; BYDAY=MO, WE", "2027-07-05", "2027-07", vec![5, 7, 12, 14, 19, 21, 26, 28]),
            ("FREQ=WEEKLY;X-FOO=1;BYDAY=TU", "2027-07-06", "2027-07", vec![6, 13, 20, 27]),
            ("FREQ=WEEKLY;UNTIL=2027-07-14", "2027-07-06", "2027-07", vec![6, 13]),
            ("FREQ=WEEKLY;UNTIL=20270713T155959Z", "2027-07-06", "2027-07", vec![6]),
            ("FREQ=MONTHLY;BYDAY=1SU", "2020-01-05", "2027-07", vec![4]),
            ("FREQ=MONTHLY;BYDAY=-1FR", "2020-01-31", "2027-07", vec![30]),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", "2020-01-31", "2027-07", vec![31]),
            ("FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=TU", "2027-07-13", "2027-07", vec![13]),
            ("FREQ=MONTHLY", "2027-01-31", "2027-07", vec![31]),
            ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2027-01-29", "2027-07", vec![30]),
            ("FREQ=YEARLY", "2017-07-14", "2027-07", vec![14]),
            ("FREQ=YEARLY;BYMONTH=7,8", "2017-07-14", "2027-07", vec![14]),
            ("FREQ=YEARLY;BYMONTH=7;BYDAY=2SA", "2017-07-08", "2027-07", vec![10]),
            ("FREQ=YEARLY;BYDAY=2MO;BYSETPOS=1", "2017-01-09", "2027-01", vec![11]),
            ("FREQ=YEARLY;BYWEEKNO=28", "2026-07-06", "2027-07", vec![12]),
            ("FREQ=YEARLY;BYYEARDAY=195", "2017-07-14", "2027-07", vec![14]),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2027-07-13", "2027-07", vec![13]),
            ("FREQ=DAILY;BYHOUR=10,14;COUNT=3", "2027-07-12", "2027-07", vec![12, 13, 13]),
        ] {
            assert_eq!(days(rule, first, month), expected, "{rule}");
        }
        for text in
            ["", "FREQ=HOURLY", "FREQ=WEEKLY;INTERVAL=0", "BYDAY=MO", "FREQ=DAILY;COUNT=x", "FREQ=WEEKLY;BYDAY=XX"]
        {
            assert_eq!(Rule::parse(text), None, "{text}");
        }
    }

    #[test]
    fn fr19_the_cost_of_an_endless_rule_depends_on_the_week_only() {
        let rule = Rule::parse("FREQ=DAILY").unwrap();
        let week = ("2027-07-12".parse().unwrap(), "2027-07-18".parse().unwrap());
        let mut steps = 7;
        let found = rule.between("1970-01-01T08:00:00".parse().unwrap(), None, true, week, &mut steps).unwrap();
        assert_eq!((found.len(), steps), (7, 0));
        let counted = Rule::parse("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2").unwrap();
        assert_eq!(counted.between("0001-01-01T08:00:00".parse().unwrap(), None, true, week, &mut 10_000), Err(Heavy));
    }

    proptest::proptest! {
        #[test]
        fn no_rule_causes_a_panic(text in "FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;(BYDAY|BYMONTHDAY|BYSETPOS|BYWEEKNO|BYYEARDAY|INTERVAL|COUNT|UNTIL|BYMONTH|BYHOUR)=[-0-9A-Z,]{1,6}){0,4}") {
            if let Some(rule) = Rule::parse(&text) {
                let week = ("2027-07-12".parse().unwrap(), "2027-07-18".parse().unwrap());
                let _ = rule.between("2027-01-31T18:00:00".parse().unwrap(), None, true, week, &mut 10_000);
            }
        }
    }
}
