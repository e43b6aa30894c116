//! Resolves written days to dates, and formats dates.
//!
//! A missing year, month or day is derived from the publication date and the week in the title; a contradiction becomes a
//! warning, never a silent choice.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::days::{Mention, Spec, WEEKDAYS};
use crate::domain::agenda::Week;
use crate::domain::french;

/// What is known about the period of the article.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    pub(super) published: NaiveDate,
    /// The week named by the title, else the week expected.
    pub(super) week: Option<Week>,
    /// The last day that a heading named.
    pub(super) last: Option<NaiveDate>,
    /// The week that most headings agree on, weekday and date. One heading that contradicts itself is read in it.
    pub(super) agreed: Option<Week>,
    /// It says « aujourd’hui », « demain » or « ce soir »: its days are those around the publication.
    pub(super) speaks_of_today: bool,
}

/// The dates of an expression, and warnings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dates {
    pub(super) days: Vec<NaiveDate>,
    pub(super) warnings: Vec<String>,
}

impl Calendar {
    pub(super) fn dates(&self, spec: &Spec) -> Dates {
        let mut out = Dates::default();
        match spec {
            Spec::List(mentions) => {
                let mut mentions = mentions.clone();
                spread_months(&mut mentions);
                let mut calendar = *self;
                for mention in &mentions {
                    if let Some(day) = calendar.day(mention, &mut out.warnings) {
                        calendar.last = Some(day);
                        out.days.push(day);
                    }
                }
            }
            Spec::Range(first, last) => {
                let mut ends = [*first, *last];
                spread_months(&mut ends);
                let first = self.day(&ends[0], &mut out.warnings);
                // The end is resolved after the beginning: `du 30 décembre au 3 janvier`.
                let after = Calendar { published: first.unwrap_or(self.published), last: first, ..*self };
                let last = after.day(&ends[1], &mut out.warnings);
                if let (Some(first), Some(last)) = (first, last) {
                    let last = if last < first { last.with_year(last.year() + 1).unwrap_or(last) } else { last };
                    out.days.extend(first.iter_days().take_while(|day| *day <= last).take(366));
                }
            }
        }
        out.days.sort_unstable();
        out.days.dedup();
        out
    }

    fn day(&self, mention: &Mention, warnings: &mut Vec<String>) -> Option<NaiveDate> {
        if let Some(offset) = mention.offset.filter(|_| mention.day.is_none()) {
            let date = self.published + Days::new(u64::from(offset));
            // An article that was put online the evening before says « aujourd’hui » of the day it is read.
            let named = mention.weekday.filter(|weekday| *weekday != date.weekday());
            return Some(named.map_or(date, |weekday| date + Days::new(days_ahead(date.weekday(), weekday))));
        }
        match (mention.day, mention.month) {
            (Some(day), Some(month)) => self.of_month(day, month, mention, warnings),
            (Some(day), None) => self.of_number(day, mention, warnings),
            (None, _) => mention.weekday.map(|weekday| self.of_weekday(weekday)),
        }
    }

    fn of_month(&self, day: u32, month: u32, mention: &Mention, warnings: &mut Vec<String>) -> Option<NaiveDate> {
        let around = self.published.year();
        let years = match mention.year {
            Some(year) => year..=year,
            None => around - 1..=around + 1,
        };
        let candidates: Vec<NaiveDate> = years.filter_map(|year| NaiveDate::from_ymd_opt(year, month, day)).collect();
        let Some(nearest) = self.nearest(&candidates) else {
            warnings.push(format!("Le {day} {} n’existe pas.", month_name(month)));
            return None;
        };
        let Some(weekday) = mention.weekday else { return Some(nearest) };
        let fitting: Vec<NaiveDate> = candidates.iter().copied().filter(|date| date.weekday() == weekday).collect();
        let agreed = self.agreed.and_then(|week| candidates.iter().copied().find(|date| week.contains(*date)));
        if let Some(date) = agreed.filter(|date| !fitting.contains(date)) {
            warnings.push(disagreement(weekday, date));
            return Some(date);
        }
        Some(self.nearest(&fitting).unwrap_or_else(|| {
            warnings.push(disagreement(weekday, nearest));
            nearest
        }))
    }

    fn of_number(&self, day: u32, mention: &Mention, warnings: &mut Vec<String>) -> Option<NaiveDate> {
        let fits =
            |date: &NaiveDate| date.day() == day && mention.weekday.is_none_or(|weekday| date.weekday() == weekday);
        if let Some(date) = self.week.and_then(|week| week.days().find(fits)) {
            return Some(date);
        }
        let from = self.last.unwrap_or(self.published);
        let forward = |fits: &dyn Fn(&NaiveDate) -> bool| from.iter_days().take(100).find(|date| fits(date));
        let back = || from.checked_sub_days(Days::new(10)).and_then(|start| start.iter_days().take(10).find(fits));
        // A weekday that fits ten days back beats one that fits months ahead: an article published on the Tuesday.
        match (forward(&fits), back()) {
            (Some(ahead), Some(behind)) if (ahead - from).num_days() > 31 => Some(behind),
            (Some(ahead), _) => Some(ahead),
            (None, Some(behind)) => Some(behind),
            (None, None) => {
                let in_week = self.week.and_then(|week| week.days().find(|date| date.day() == day));
                let date = in_week.or_else(|| forward(&|date: &NaiveDate| date.day() == day))?;
                warnings.extend(mention.weekday.map(|weekday| disagreement(weekday, date)));
                Some(date)
            }
        }
    }

    fn of_weekday(&self, weekday: Weekday) -> NaiveDate {
        let week = self.week.or(self.last.map(Week::of));
        let in_week = week.and_then(|week| week.days().find(|date| date.weekday() == weekday));
        in_week.unwrap_or_else(|| {
            // An article published on a Saturday is about the coming week; on other days « samedi » is the next one.
            if matches!(self.published.weekday(), Weekday::Sat | Weekday::Sun) && !self.speaks_of_today {
                let week = Week::after(self.published);
                return week.days().find(|date| date.weekday() == weekday).unwrap_or(self.published);
            }
            let ahead = Days::new(days_ahead(self.published.weekday(), weekday));
            self.published.checked_add_days(ahead).unwrap_or(self.published)
        })
    }

    fn nearest(&self, dates: &[NaiveDate]) -> Option<NaiveDate> {
        let near = self.week.map_or(self.published, Week::monday);
        dates.iter().copied().min_by_key(|date| (*date - near).num_days().abs())
    }
}

/// Days from one weekday forward to the next `to`, 0 to 6.
fn days_ahead(from: Weekday, to: Weekday) -> u64 {
    u64::from((7 + to.num_days_from_monday() - from.num_days_from_monday()) % 7)
}

/// `1er, 2 et 3 décembre`: the month applies to all. `29 au 4 août`: the 29 is in July.
fn spread_months(mentions: &mut [Mention]) {
    for at in (1..mentions.len()).rev() {
        let next = mentions[at];
        let this = &mut mentions[at - 1];
        if let (Some(day), None, Some(next_day), Some(month)) = (this.day, this.month, next.day, next.month) {
            this.month = Some(if day <= next_day { month } else { (month + 10) % 12 + 1 });
            this.year = next.year.map(|year| if day > next_day && month == 1 { year - 1 } else { year });
        }
    }
    for at in 1..mentions.len() {
        let before = mentions[at - 1];
        let this = &mut mentions[at];
        if let (Some(day), None, Some(day_before), Some(month)) = (this.day, this.month, before.day, before.month) {
            this.month = Some(if day >= day_before { month } else { month % 12 + 1 });
            this.year = before.year.map(|year| if day < day_before && month == 12 { year + 1 } else { year });
        }
    }
}

fn disagreement(weekday: Weekday, date: NaiveDate) -> String {
    format!(
        "L’article écrit « {} {} », mais le {} est un {}\u{a0}: date à vérifier.",
        weekday_name(weekday),
        french::day_and_month(date),
        french::date(date),
        weekday_name(date.weekday()),
    )
}

pub(super) fn weekday_name(weekday: Weekday) -> &'static str {
    WEEKDAYS[weekday.num_days_from_monday() as usize].0
}

pub(super) fn month_name(month: u32) -> &'static str {
    french::MONTHS.get(month.wrapping_sub(1) as usize).copied().unwrap_or_default()
}

/// `mardi 13`
pub(super) fn short_date(date: NaiveDate) -> String {
    let day = if date.day() == 1 { "1er".to_owned() } else { date.day().to_string() };
    format!("{} {day}", weekday_name(date.weekday()))
}

#[cfg(test)]
mod tests {
    use super::super::days::date;
    use super::super::text::tokens;
    use super::*;

    fn calendar(published: &str) -> Calendar {
        Calendar { published: published.parse().unwrap(), week: None, last: None, agreed: None, speaks_of_today: false }
    }

    fn check(calendar: Calendar, text: &str, expected: &[&str]) {
        let found = date(&tokens(text), 0).unwrap_or_else(|| panic!("no date in {text:?}"));
        let dates: Vec<String> = calendar.dates(&found.what).days.iter().map(ToString::to_string).collect();
        assert_eq!(dates, expected, "{text}");
    }

    #[test]
    fn every_notation_of_a_day_is_parsed() {
        let summer = calendar("2027-07-09");
        for (text, expected) in [
            ("Lundi 12 juillet", &["2027-07-12"][..]),
            ("MARDI 13", &["2027-07-13"]),
            ("Vendredi 1er octobre", &["2027-10-01"]),
            ("14 JUILLET:", &["2027-07-14"]),
            ("Jeudi", &["2027-07-15"]),
            ("Samedi 17 et dimanche 18 juillet", &["2027-07-17", "2027-07-18"]),
            ("Les 1er, 2 et 3 décembre", &["2027-12-01", "2027-12-02", "2027-12-03"]),
            ("mercredis 14, 21 et 28 juillet", &["2027-07-14", "2027-07-21", "2027-07-28"]),
            ("Vendredi 30, samedi 31 et dimanche 1er août", &["2027-07-30", "2027-07-31", "2027-08-01"]),
            ("du vendredi 16 au dimanche 18 juillet", &["2027-07-16", "2027-07-17", "2027-07-18"]),
            ("Du 30 au 1er août", &["2027-07-30", "2027-07-31", "2027-08-01"]),
            ("16-17 juillet", &["2027-07-16", "2027-07-17"]),
            ("mardi 13/07 : visite", &["2027-07-13"]),
            ("13/07/2027", &["2027-07-13"]),
            ("mardi 13/7 – piscine", &["2027-07-13"]),
            ("samedi 17/18 juillet", &["2027-07-17", "2027-07-18"]),
            ("samedi 10/11 juillet", &["2027-07-10", "2027-07-11"]),
        ] {
            check(summer, text, expected);
        }
    }

    #[test]
    fn the_weekday_determines_the_year() {
        check(calendar("2026-12-30"), "Vendredi 1er janvier", &["2027-01-01"]);
        check(calendar("2027-01-02"), "Jeudi 31 décembre", &["2026-12-31"]);
        check(
            calendar("2026-12-28"),
            "Du 30 décembre au 2 janvier",
            &["2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"],
        );
        check(calendar("2027-07-09"), "Lundi 13 juillet", &["2026-07-13"]);
    }

    #[test]
    fn a_contradicting_weekday_is_a_warning() {
        let found = date(&tokens("Lundi 15 juillet 2027"), 0).unwrap();
        let dates = calendar("2027-07-09").dates(&found.what);
        assert_eq!(
            dates.warnings,
            ["L’article écrit « lundi 15 juillet », mais le 15 juillet 2027 est un jeudi\u{a0}: date à vérifier."]
        );
    }
}
