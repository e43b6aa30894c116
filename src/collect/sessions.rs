//! Shared by sources of listings: sessions from start and end, states in titles, communes in addresses.
//!
//! Nothing is guessed: an hour must be in the source, a commune must follow a postcode.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use regex::Regex;

use super::html_to_text::one_line;
use super::remarks::{Remark, Remarks};
use super::title::plain_title;
use crate::domain::{
    agenda::Status,
    listing::{Listing, Session},
};

/// A start or an end, in the mailing's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Hour(NaiveDateTime),
    /// The source gives no hour; as an end the day is included.
    Day(NaiveDate),
}

impl Moment {
    pub fn day(self) -> NaiveDate {
        match self {
            Self::Hour(at) => at.date(),
            Self::Day(day) => day,
        }
    }
}

/// From start to end. Forms write an end before the start, or at the same minute, for a missing end.
pub fn session(start: Moment, end: Option<Moment>) -> Session {
    let end_day = end.map(Moment::day).filter(|last| *last > start.day());
    let (Moment::Hour(from), to) = (start, end) else {
        return Session { day: start.day(), start: None, end: None, end_day };
    };
    let Some(Moment::Hour(to)) = to.filter(|to| !matches!(to, Moment::Hour(to) if *to <= from)) else {
        return Session { day: from.date(), start: Some(from.time()), end: None, end_day };
    };
    let minute_before_midnight = NaiveTime::from_hms_opt(23, 59, 0).is_some_and(|last| to.time() >= last);
    // Midnight to midnight is a whole day, whichever way it is written.
    if from.time() == NaiveTime::MIN && (minute_before_midnight || to.time() == NaiveTime::MIN) {
        let last = if minute_before_midnight { to.date() } else { to.date().pred_opt().unwrap_or(to.date()) };
        return session(Moment::Day(from.date()), Some(Moment::Day(last)));
    }
    let end = Some(to.time()).filter(|_| !minute_before_midnight);
    Session { day: from.date(), start: Some(from.time()), end, end_day }
}

/// Those with a name and a session on one of `days`, other sessions left out, the earliest first. Those without a name are
/// reported.
pub fn within(mut listings: Vec<Listing>, days: &RangeInclusive<NaiveDate>, remarks: &mut Remarks) -> Vec<Listing> {
    for listing in &mut listings {
        listing.sessions.retain(|session| session.touches(days));
        listing.sessions.sort_unstable();
        listing.sessions.dedup();
    }
    listings.retain(|listing| !listing.sessions.is_empty());
    let nameless = listings.iter().filter(|listing| listing.title.is_empty()).count();
    (0..nameless).for_each(|_| remarks.add("", Remark::NoTitle));
    listings.retain(|listing| !listing.title.is_empty());
    listings.sort_by(|a, b| (&a.sessions, &a.title, &a.id).cmp(&(&b.sessions, &b.title, &b.id)));
    listings
}

/// A title in plain words, and the state some offices can only write into it: `[ANNULÉ] Apéro-concert`.
pub fn title_and_status(html: &str) -> (String, Status) {
    #[expect(clippy::expect_used, reason = "a constant pattern, compiled by the tests of this file")]
    static STATE: LazyLock<Regex> = LazyLock::new(|| {
        let word = "(?P<annul>annul[ée]e?s?)|(?P<report>report[ée]e?s?)|(?P<full>complet(?:e|s|es)?)";
        let marked = format!(
            r"(?i)^\s*(?:[\[(*]+\s*(?:{word})\s*[\])*]+\s*[:–-]?|(?:{})\s*[:–!-])\s*",
            word.replace("?P<", "?P<b")
        );
        Regex::new(&marked).expect("valid")
    });
    let title = one_line(&plain_title(html));
    let Some(found) = STATE.captures(&title) else { return (title, Status::Scheduled) };
    let is = |name: &str| found.name(name).is_some() || found.name(&format!("b{name}")).is_some();
    let status = if is("annul") {
        Status::Cancelled
    } else if is("report") {
        Status::Postponed
    } else {
        Status::SoldOut
    };
    let rest = title[found.get(0).map_or(0, |all| all.end())..].to_owned();
    if rest.is_empty() { (title, Status::Scheduled) } else { (rest, status) }
}

/// The commune of an address in one line: `Avenue Hoche, Auch, 32000, France`, `Stade, 32000 Auch`.
pub fn commune_in(address: &str) -> Option<String> {
    let parts: Vec<&str> = address.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let at = parts.iter().position(|part| postcode(part).is_some())?;
    let beside = postcode(parts[at])?;
    let name = if beside.is_empty() { at.checked_sub(1).map(|before| parts[before])? } else { beside };
    // A number or a street is not a commune.
    name.chars().all(|c| c.is_alphabetic() || " -'’.".contains(c)).then(|| one_line(name))
}

/// The text after a leading postcode: `Auch` of `32000 Auch`, nothing of `32000`.
fn postcode(text: &str) -> Option<&str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = (digits == 5).then(|| &text[5..])?;
    let is_apart = rest.is_empty() || rest.starts_with(' ');
    is_apart.then(|| rest.trim().trim_end_matches("CEDEX").trim_end_matches("Cedex").trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(text: &str) -> Moment {
        Moment::Hour(text.parse().unwrap())
    }

    fn day(text: &str) -> Moment {
        Moment::Day(text.parse().unwrap())
    }

    /// `13 21:00-23:30`, with the last day where there is one.
    fn shown(session: Session) -> String {
        let time = |time: Option<NaiveTime>| time.map(|it| it.format("%H:%M").to_string()).unwrap_or_default();
        let last = session.end_day.map(|day| day.format(" to %d").to_string()).unwrap_or_default();
        format!("{} {}-{}{last}", session.day.format("%d"), time(session.start), time(session.end))
    }

    #[test]
    fn a_session_is_built_from_the_fields_of_the_source() {
        let check = |start, end, expected: &str| assert_eq!(shown(session(start, end)), expected);
        check(hour("2027-07-13T21:00:00"), Some(hour("2027-07-13T23:30:00")), "13 21:00-23:30");
        check(hour("2027-07-13T21:00:00"), Some(hour("2027-07-14T02:00:00")), "13 21:00-02:00 to 14");
        check(hour("2027-07-13T21:00:00"), Some(hour("2027-07-13T21:00:00")), "13 21:00-");
        check(hour("2027-07-13T21:00:00"), Some(hour("2027-07-13T23:59:59")), "13 21:00-");
        check(hour("2027-07-13T21:00:00"), Some(day("2027-07-13")), "13 21:00-");
        check(hour("2027-07-13T21:00:00"), None, "13 21:00-");
        check(hour("2027-07-01T00:00:00"), Some(hour("2027-07-31T23:59:59")), "01 - to 31");
        check(hour("2027-07-13T00:00:00"), Some(hour("2027-07-14T00:00:00")), "13 -");
        check(day("2027-07-17"), Some(day("2027-07-18")), "17 - to 18");
        check(day("2027-07-17"), Some(day("2027-07-16")), "17 -");
    }

    #[test]
    fn an_end_after_midnight_belongs_to_the_evening_before() {
        let late = session(hour("2027-07-11T21:00:00"), Some(hour("2027-07-12T02:00:00")));
        let monday = "2027-07-12".parse().unwrap();
        assert!(!late.touches(&(monday..=monday)));
        let camp = session(hour("2027-07-11T09:00:00"), Some(hour("2027-07-12T17:00:00")));
        assert!(camp.touches(&(monday..=monday)));
    }

    #[test]
    fn a_state_in_the_title_sets_the_state() {
        let check = |title: &str, expected: (&str, Status)| {
            let (title, status) = title_and_status(title);
            assert_eq!((title.as_str(), status), expected);
        };
        check("[ANNULÉ] Apéro-concert", ("Apéro-concert", Status::Cancelled));
        check("(Annulée) &#8211; Visite", ("Visite", Status::Cancelled));
        check("REPORTÉ : Feu d&rsquo;artifice", ("Feu d’artifice", Status::Postponed));
        check("*COMPLET* Dîner", ("Dîner", Status::SoldOut));
        check("Complet noir", ("Complet noir", Status::Scheduled));
        check("Annulé", ("Annulé", Status::Scheduled));
    }

    #[test]
    fn a_commune_is_read_after_its_postcode() {
        let check = |address: &str, expected: Option<&str>| assert_eq!(commune_in(address).as_deref(), expected);
        check("Halle Verdier, Avenue Hoche, Auch, 32000, France", Some("Auch"));
        check("Stade, 32000 Auch", Some("Auch"));
        check("12 rue X\n32230 Marciac Cedex", Some("Marciac"));
        check("Basse ville, Auch", None);
        check("32000", None);
        check("3 rue de la Paix, 32000", None);
    }
}
