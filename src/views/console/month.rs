//! What is to come as a month of a calendar: the rows of the list, under their days.

use super::coming::Coming;
use crate::domain::{Timestamp, agenda::Week, french, newsletter::Month};
use chrono::{Datelike, Days, Months, NaiveDate};
use chrono_tz::Tz;
use serde::Serialize;

/// Months before and after the present one that can be shown.
const FAR: u32 = 12;

/// A month, by weeks from Monday to Sunday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grid {
    /// `juillet 2027`
    pub fr: String,
    /// `July 2027`
    pub en: String,
    /// The months beside it, as in addresses; `None` where the calendar ends.
    pub previous: Option<String>,
    pub next: Option<String>,
    pub weeks: Vec<Vec<Day>>,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Day {
    pub n: u32,
    /// `lundi 12 juillet`, to be read aloud.
    pub fr: String,
    /// `Monday 12 July`
    pub en: String,
    /// It belongs to the month; the others fill the first and the last week and are empty.
    pub own: bool,
    pub today: bool,
    pub rows: Vec<Entry>,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub row: Coming,
    /// Its hour: `8 h`
    pub fr: String,
    /// `8:00`
    pub en: String,
}

/// The month that was asked for, or else this one. `asked`: `2027-07`.
pub fn asked_for(asked: Option<&str>, now: Timestamp, zone: Tz) -> NaiveDate {
    let this = first_of(now.with_timezone(&zone).date_naive());
    let asked = asked.and_then(|text| format!("{text}-01").parse::<NaiveDate>().ok());
    asked.filter(|month| is_shown(*month, this)).unwrap_or(this)
}

/// The instants between which it lies.
pub fn bounds(month: NaiveDate, zone: Tz) -> (Timestamp, Timestamp) {
    let midnight = |day: NaiveDate| {
        // Where clocks skip midnight, the day begins an hour later.
        let local = (0..3).find_map(|hour| day.and_hms_opt(hour, 0, 0)?.and_local_timezone(zone).earliest());
        local.map_or(Timestamp::UNIX_EPOCH, |it| it.to_utc())
    };
    (midnight(month), midnight(month + Months::new(1)))
}

impl Grid {
    /// `rows`: those of other months are left out.
    pub fn new(month: NaiveDate, rows: &[Coming], now: Timestamp, zone: Tz) -> Self {
        let today = now.with_timezone(&zone).date_naive();
        let this = first_of(today);
        let beside = |month: NaiveDate| is_shown(month, this).then(|| Month::of(month).to_string());
        let last = month + Months::new(1) - Days::new(1);
        let entry = |row: &Coming| {
            let time = row.instant.with_timezone(&zone).time();
            Entry { fr: french::hour(time), en: time.format("%-H:%M").to_string(), row: row.clone() }
        };
        let cell = |day: NaiveDate| {
            let own = first_of(day) == month;
            let of_day = |row: &&Coming| own && row.instant.with_timezone(&zone).date_naive() == day;
            Day {
                n: day.day(),
                fr: french::day(day),
                en: day.format("%A %-d %B").to_string(),
                own,
                today: day == today,
                rows: rows.iter().filter(of_day).map(entry).collect(),
            }
        };
        let mut weeks = Vec::new();
        let mut week = Week::of(month);
        while week.monday() <= last {
            weeks.push(week.days().map(cell).collect());
            week = week.next();
        }
        Self {
            fr: Month::of(month).in_french(),
            en: month.format("%B %Y").to_string(),
            previous: beside(month - Months::new(1)),
            next: beside(month + Months::new(1)),
            weeks,
        }
    }
}

fn first_of(day: NaiveDate) -> NaiveDate {
    day - Days::new(u64::from(day.day0()))
}

fn is_shown(month: NaiveDate, this: NaiveDate) -> bool {
    month >= this - Months::new(FAR) && month <= this + Months::new(FAR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::console::{Label, Tone, When};

    const ZONE: Tz = Tz::Europe__Paris;

    fn row(at: &str) -> Coming {
        let at: Timestamp = at.parse().unwrap();
        Coming {
            at: When::new(at, at, ZONE),
            instant: at,
            title: "Que faire".to_owned(),
            key: None,
            href: None,
            label: Label { key: "coming_planned", tone: Tone::Calm },
            reason: String::new(),
            recipients: None,
            choices: Vec::new(),
        }
    }

    #[test]
    fn a_month_has_whole_weeks_and_each_row_stands_under_its_day_once() {
        let now = "2027-07-09T16:00:00Z".parse().unwrap();
        // The first is at midnight in Paris, when it is June elsewhere.
        let rows = [
            row("2027-06-30T22:00:00Z"),
            row("2027-07-10T06:00:00Z"),
            row("2027-07-31T21:59:59Z"),
            row("2027-07-31T22:00:00Z"),
        ];
        let month = asked_for(None, now, ZONE);
        let grid = Grid::new(month, &rows, now, ZONE);
        assert_eq!((grid.fr.as_str(), grid.en.as_str()), ("juillet 2027", "July 2027"));
        assert_eq!((grid.previous.as_deref(), grid.next.as_deref()), (Some("2027-06"), Some("2027-08")));
        assert!(grid.weeks.iter().all(|week| week.len() == 7));
        let days: Vec<_> = grid.weeks.iter().flatten().collect();
        assert_eq!(days.iter().filter(|day| day.own).count(), 31);
        let with: Vec<_> = days.iter().filter(|day| !day.rows.is_empty()).map(|day| (day.n, day.own)).collect();
        assert_eq!(with, [(1, true), (10, true), (31, true)]);
        assert_eq!(days.iter().find(|day| day.today).unwrap().fr, "vendredi 9 juillet");
        let hours: Vec<_> =
            days.iter().flat_map(|day| &day.rows).map(|it| (it.fr.replace('\u{a0}', " "), it.en.clone())).collect();
        assert_eq!(hours[1], ("8 h".to_owned(), "8:00".to_owned()));
        let (from, to) = bounds(month, ZONE);
        assert_eq!((from, to), (rows[0].instant, rows[3].instant));
    }

    #[test]
    fn the_calendar_ends_a_year_away_and_takes_no_nonsense() {
        let now = "2027-07-09T16:00:00Z".parse().unwrap();
        let of = |text| Month::of(asked_for(Some(text), now, ZONE)).to_string();
        assert_eq!(["2027-12", "2028-07", "2026-07"].map(of), ["2027-12", "2028-07", "2026-07"]);
        for bad in ["2028-08", "2026-06", "9999999-01", "2027-13", "juillet", "", "-2027-07"] {
            assert_eq!(of(bad), "2027-07", "{bad}");
        }
        let last = Grid::new(asked_for(Some("2028-07"), now, ZONE), &[], now, ZONE);
        assert_eq!((last.previous.as_deref(), last.next), (Some("2028-06"), None));
    }
}
