//! `[staff_mails]` of a mailing: the mail of the evening before an issue leaves, and the summary afterwards.

use super::Mailing;
use crate::domain::{
    Timestamp,
    schedule::{at_local, is_working_day},
};
use crate::toml_reader::Section;
use chrono::{Days, NaiveTime, TimeDelta};

/// When nothing else is written: the hour of the shipped rehearsal.
const EVE: NaiveTime = hour(17, 0);
const SUMMARY: NaiveTime = hour(8, 30);
/// If the mail of the evening before is not with the relay by this hour, an alert is sent.
const SILENCE: NaiveTime = hour(18, 0);
/// At the earliest so long after the mail was due.
const PATIENCE: TimeDelta = TimeDelta::hours(1);

const fn hour(hour: u32, minute: u32) -> NaiveTime {
    match NaiveTime::from_hms_opt(hour, minute, 0) {
        Some(time) => time,
        None => NaiveTime::MIN,
    }
}

/// Hours of the two mails, in the zone of the mailing. `None`: not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaffMails {
    pub eve: Option<NaiveTime>,
    pub summary: Option<NaiveTime>,
}

/// The mail of the evening before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Eve {
    /// When it is due.
    pub due: Timestamp,
    /// Without it by this instant an alert is sent.
    pub silence: Timestamp,
    /// The rehearsal is then, and its mail is this one.
    pub is_rehearsal: bool,
}

/// Reads the section. `leaves_by_itself`: at the hour of a schedule, without an approval.
pub(super) fn read(section: &Section, leaves_by_itself: bool) -> StaffMails {
    let eve = section.parsed("eve", hour_or_off);
    if matches!(eve, Some(Some(_))) && !leaves_by_itself {
        section.problem(
            "eve",
            "only where approval = \"automatic\" and a schedule says when it leaves; otherwise staff are asked to approve it",
        );
    }
    let summary = section.parsed("summary", hour_or_off).unwrap_or(Some(SUMMARY));
    StaffMails { eve: eve.unwrap_or(Some(EVE)).filter(|_| leaves_by_itself), summary }
}

fn hour_or_off(text: &str) -> Result<Option<NaiveTime>, String> {
    match text {
        "off" => Ok(None),
        text => NaiveTime::parse_from_str(text, "%H:%M")
            .map(Some)
            .map_err(|_| format!("expected an hour such as \"17:00\", or \"off\", found {text:?}")),
    }
}

impl Mailing {
    /// The mail about an occurrence on the evening before; `None` where there is none. A rehearsal on that day is it.
    pub fn eve_of(&self, occurrence: Timestamp) -> Option<Eve> {
        let (hour, zone) = (self.staff_mails.eve?, self.schedule.zone);
        let day = self.day(occurrence) - Days::new(1);
        let rehearsal = self.rehearse.map(|rehearsal| self.schedule.rehearsal_of(occurrence, rehearsal));
        let rehearsal = rehearsal.filter(|at| self.day(*at) == day);
        let due = rehearsal.unwrap_or_else(|| at_local(zone, day, hour));
        let silence = at_local(zone, day, SILENCE).max(due + PATIENCE);
        Some(Eve { due, silence, is_rehearsal: rehearsal.is_some() })
    }

    /// When the summary of an issue is due that was finished then: the first working morning after it.
    pub fn summary_of(&self, finished: Timestamp) -> Option<Timestamp> {
        let (hour, zone) = (self.staff_mails.summary?, self.schedule.zone);
        let days = self.day(finished).iter_days().take(14).filter(|day| is_working_day(*day));
        days.map(|day| at_local(zone, day, hour)).find(|at| *at > finished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::toml_reader::Overrides;
    use std::path::Path;

    fn mailing(more: &str, tail: &str) -> Result<Mailing, String> {
        let config = Config::parse(None, "", &Overrides::default()).unwrap();
        let text = format!(
            "title = 'x'\ntemplate = 'agenda'\nsource = [{{ kind = 'file', path = 'a.html' }}]\n{more}\n\
             [schedule]\ncron = '0 8 * 7,8 SAT'\nzone = 'Europe/Paris'\n{tail}"
        );
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        super::super::parse(Path::new("jobs/agenda.toml"), &text, &config, now).map_err(|why| why.to_string())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_mail_of_the_evening_before_is_the_rehearsal_where_that_is_then() {
        let saturday = at("2026-07-04T06:00:00Z");
        let eve = |more: &str, tail: &str| mailing(more, tail).unwrap().eve_of(saturday);
        let friday =
            |due: &str, silence: &str, is_rehearsal| Some(Eve { due: at(due), silence: at(silence), is_rehearsal });
        assert_eq!(eve("", ""), friday("2026-07-03T15:00:00Z", "2026-07-03T16:00:00Z", false));
        let early = "[staff_mails]\neve = '14:30'";
        assert_eq!(eve("", early), friday("2026-07-03T12:30:00Z", "2026-07-03T16:00:00Z", false));
        assert_eq!(eve("rehearse = 'Fri 18:30'", early), friday("2026-07-03T16:30:00Z", "2026-07-03T17:30:00Z", true));
        assert_eq!(eve("rehearse = '15h'", ""), friday("2026-07-03T15:00:00Z", "2026-07-03T16:00:00Z", true));
        // A rehearsal on another day is another mail.
        assert_eq!(eve("rehearse = 'Wed 17:00'", ""), eve("", ""));
        assert_eq!(eve("rehearse = '2h'", ""), eve("", ""));
        assert_eq!(eve("rehearse = 'Fri 17:00'", "[staff_mails]\neve = 'off'"), None);
    }

    #[test]
    fn the_summary_is_due_on_the_first_working_morning() {
        let agenda = mailing("", "").unwrap();
        for (finished, due) in [
            ("2026-07-04T06:10:00Z", Some("2026-07-06T06:30:00Z")),
            ("2026-07-06T05:00:00Z", Some("2026-07-06T06:30:00Z")),
            ("2026-07-06T06:30:00Z", Some("2026-07-07T06:30:00Z")),
            // The 14th is a holiday.
            ("2026-07-13T09:00:00Z", Some("2026-07-15T06:30:00Z")),
        ] {
            assert_eq!(agenda.summary_of(at(finished)), due.map(at), "{finished}");
        }
        assert_eq!(mailing("", "[staff_mails]\nsummary = 'off'").unwrap().summary_of(at("2026-07-04T06:10:00Z")), None);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let said = mailing("", "[staff_mails]\neve = '25:00'\nsumary = 'off'").unwrap_err();
        assert!(said.contains("staff_mails.eve: expected an hour such as \"17:00\", or \"off\""), "{said}");
        assert!(said.contains("staff_mails.sumary: unknown key; did you mean summary?"), "{said}");
        let said = mailing("approval = 'required'", "[staff_mails]\neve = '17:00'").unwrap_err();
        assert!(said.contains("staff_mails.eve: only where approval = \"automatic\""), "{said}");
        assert_eq!(mailing("approval = 'required'", "").unwrap().eve_of(at("2026-07-04T06:00:00Z")), None);
    }
}
