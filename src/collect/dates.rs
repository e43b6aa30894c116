//! Dates as feeds, files and pages write them.
//!
//! One without an offset is French time: sites of this house are French, and a guess of UTC would move midnight.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::{Europe::Paris, Tz};

/// An instant, from whichever of the usual forms; without an hour, the beginning of the day.
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let with_offset =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    if let Ok(date) = with_offset {
        return Some(date.to_utc());
    }
    let written = written(text).or_else(|| text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0));
    match written {
        Some(written) => to_instant(written, Paris),
        None => letter_date(text),
    }
}

/// What a clock on the wall of `zone` shows, as an instant. An hour that does not exist is one later, one that is twice
/// is the first.
pub fn to_instant(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let later = || zone.from_local_datetime(&(wall + chrono::TimeDelta::hours(1))).earliest();
    zone.from_local_datetime(&wall).earliest().or_else(later).map(|date| date.to_utc())
}

/// A date and an hour without an offset: `2027-07-13T21:00`, `2027-07-13 21:00:00`.
pub fn written(text: &str) -> Option<NaiveDateTime> {
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

/// `Fri, 09 Jul 2027 15:12:08 +0000`, as RSS asks; the weekday may be wrong, the zone a name or missing.
fn letter_date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.split_once(',').map_or(text, |(_, rest)| rest).trim();
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let is_french = |zone: &str| matches!(zone, "CET" | "CEST" | "MET" | "MEST");
    if words.len() == 5 && !is_french(words[4]) {
        return DateTime::parse_from_rfc2822(&words.join(" ")).ok().map(|date| date.to_utc());
    }
    words.truncate(4);
    let date = words.join(" ");
    let formats = ["%d %b %Y %H:%M:%S", "%d %b %Y %H:%M"];
    to_instant(formats.iter().find_map(|format| NaiveDateTime::parse_from_str(&date, format).ok())?, Paris)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_however_it_is_written() {
        for text in [
            "2027-07-09T15:12:08Z",
            "2027-07-09T17:12:08+02:00",
            "2027-07-09T17:12:08+0200",
            "2027-07-09T17:12:08",
            "2027-07-09 17:12:08",
            "Fri, 09 Jul 2027 15:12:08 +0000",
            "Fri, 09 Jul 2027 15:12:08 GMT",
            "Mon, 09 Jul 2027 15:12:08 GMT",
            "9 Jul 2027 17:12:08 +0200",
            "Fri, 09 Jul 2027 17:12:08 CEST",
            "Fri, 09 Jul 2027 17:12:08",
        ] {
            assert_eq!(instant(text), "2027-07-09T15:12:08Z".parse().ok(), "{text}");
        }
        assert_eq!(instant("2027-07-09"), "2027-07-08T22:00:00Z".parse().ok());
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "vendredi", "2027-13-01", "Fri, 09 Jul", "09/07/2027", "Fri, 99 Jul 2027 15:12:08 GMT"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn the_hour_that_does_not_exist_is_one_later() {
        assert_eq!(instant("2027-03-28T02:30:00"), "2027-03-28T01:30:00Z".parse().ok());
    }
}
