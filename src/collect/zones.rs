//! Time zones of a calendar: by IANA name, by Windows name, or by the rules in the file.
//!
//! An unknown zone is read as local time, which is reported.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use std::rc::Rc;

use super::content_lines::{Component, ContentLine};
use super::dates::to_instant;

/// Observances of a zone that are looked at; a real one has two, or one for each change in its history.
const MOST_OBSERVANCES: usize = 200;

/// Where a clock hangs.
#[derive(Debug, Clone)]
pub enum Zone {
    Known(Tz),
    /// By the rules of the file's own VTIMEZONE.
    Own(Rc<OwnZone>),
}

/// A VTIMEZONE: when it went over to which offset.
#[derive(Debug, PartialEq, Eq)]
pub struct OwnZone {
    observances: Vec<Observance>,
}

#[derive(Debug, PartialEq, Eq)]
struct Observance {
    /// Its first beginning, on the clock before it.
    start: NaiveDateTime,
    from: TimeDelta,
    to: TimeDelta,
    yearly: Option<Yearly>,
    until: Option<i32>,
    more: Vec<NaiveDateTime>,
}

/// The day of a year on which the clock is set.
#[derive(Debug, PartialEq, Eq)]
struct Yearly {
    month: u32,
    weekday: Option<(i32, Weekday)>,
    monthdays: Vec<u32>,
}

impl Zone {
    pub fn instant(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self {
            Self::Known(zone) => to_instant(wall, *zone),
            Self::Own(own) => wall.checked_sub_signed(own.offset(wall)?).map(|at| at.and_utc()),
        }
    }

    /// What the clock shows at this instant.
    pub fn wall(&self, at: DateTime<Utc>) -> Option<NaiveDateTime> {
        match self {
            Self::Known(zone) => Some(at.with_timezone(zone).naive_local()),
            Self::Own(own) => {
                // By the offset of about that hour, and again by that of the hour found.
                let about = at.naive_utc().checked_add_signed(own.offset(at.naive_utc())?)?;
                at.naive_utc().checked_add_signed(own.offset(about)?)
            }
        }
    }
}

impl OwnZone {
    /// `None` of a zone without a single rule that is understood.
    pub fn of(parts: &[Component]) -> Option<Self> {
        let observances: Vec<_> = parts.iter().take(MOST_OBSERVANCES).filter_map(Observance::of).collect();
        (!observances.is_empty()).then_some(Self { observances })
    }

    fn offset(&self, wall: NaiveDateTime) -> Option<TimeDelta> {
        let begun = self.observances.iter().filter_map(|it| Some((it.latest(wall)?, it.to)));
        let first = || self.observances.iter().min_by_key(|it| it.start).map(|it| it.from);
        begun.max_by_key(|(at, _)| *at).map(|(_, to)| to).or_else(first)
    }
}

impl Observance {
    fn of(lines: &Component) -> Option<Self> {
        let value = |name: &str| lines.iter().find(|line| line.name == name).map(|line| line.value.trim());
        let rule = value("RRULE").unwrap_or_default().to_ascii_uppercase();
        let start = local(value("DTSTART")?)?;
        let part = |key: &str| {
            rule.split(';').find_map(|part| part.split_once('=').filter(|(name, _)| name.trim() == key).map(|it| it.1))
        };
        let until = part("UNTIL").and_then(|until| until.trim().get(..4)?.parse().ok());
        let yearly = (part("FREQ") == Some("YEARLY")).then(|| Yearly {
            month: part("BYMONTH").and_then(|month| month.trim().parse().ok()).unwrap_or(start.month()),
            weekday: part("BYDAY").and_then(ranked_weekday),
            monthdays: part("BYMONTHDAY").map_or_else(
                || if part("BYDAY").is_some() { Vec::new() } else { vec![start.day()] },
                |days| days.split(',').filter_map(|day| day.trim().parse().ok()).collect(),
            ),
        });
        let more = lines.iter().filter(|line| line.name == "RDATE");
        let more = more.flat_map(|line| line.value.split(',')).filter_map(|text| local(text.trim()));
        Some(Self {
            start,
            from: offset(value("TZOFFSETFROM")?)?,
            to: offset(value("TZOFFSETTO")?)?,
            yearly,
            until,
            more: more.take(MOST_OBSERVANCES).collect(),
        })
    }

    /// When it last began, at this hour.
    fn latest(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        let years = [wall.year(), wall.year() - 1, self.until.unwrap_or(wall.year())];
        let yearly = years.into_iter().filter(|year| self.until.is_none_or(|until| *year <= until));
        let yearly = yearly.filter_map(|year| Some(self.yearly.as_ref()?.in_year(year)?.and_time(self.start.time())));
        let all = std::iter::once(self.start).chain(self.more.iter().copied()).chain(yearly);
        all.filter(|at| *at >= self.start && *at <= wall).max()
    }
}

impl Yearly {
    fn in_year(&self, year: i32) -> Option<NaiveDate> {
        let first = NaiveDate::from_ymd_opt(year, self.month, 1)?;
        let next = first.checked_add_months(chrono::Months::new(1))?;
        let in_month = || first.iter_days().take_while(|day| *day < next);
        match self.weekday {
            None => self.monthdays.first().and_then(|day| NaiveDate::from_ymd_opt(year, self.month, *day)),
            Some((0, weekday)) => in_month().find(|day| {
                day.weekday() == weekday && (self.monthdays.is_empty() || self.monthdays.contains(&day.day()))
            }),
            Some((rank, weekday)) if rank > 0 => {
                let first = in_month().find(|day| day.weekday() == weekday)?;
                first.checked_add_days(Days::new(7 * u64::try_from(rank - 1).ok()?)).filter(|day| *day < next)
            }
            Some((rank, weekday)) => {
                let last = in_month().filter(|day| day.weekday() == weekday).last()?;
                last.checked_sub_days(Days::new(7 * u64::try_from(-rank - 1).ok()?)).filter(|day| *day >= first)
            }
        }
    }
}

/// `-1SU`, `2MO`, `SU`
pub fn ranked_weekday(text: &str) -> Option<(i32, Weekday)> {
    let text = text.trim();
    let (rank, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let rank = match rank.trim() {
        "" => 0,
        rank => {
            rank.strip_prefix('+').unwrap_or(rank).parse::<i32>().ok().filter(|rank| *rank != 0 && rank.abs() <= 53)?
        }
    };
    let weekday = match name.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    };
    Some((rank, weekday))
}

fn local(text: &str) -> Option<NaiveDateTime> {
    let read = super::dates::read(text, super::dates::Numbers::DayFirst)?;
    Some(read.day.and_time(read.time.unwrap_or_default()))
}

/// `+0200`, `-013045`
fn offset(text: &str) -> Option<TimeDelta> {
    let (sign, digits) = match text.trim().split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    let number = |range: std::ops::Range<usize>| digits.get(range).map_or(Some(0), |text| text.parse::<i64>().ok());
    let seconds = number(0..2)? * 3600 + digits.get(2..4).map_or(Some(0), |it| it.parse().ok())? * 60;
    let seconds = seconds + digits.get(4..6).map_or(Some(0), |it| it.parse::<i64>().ok())?;
    (seconds <= 18 * 3600).then(|| TimeDelta::seconds(sign * seconds))
}

/// A zone by its name: IANA's, also in another case, behind a prefix (`/example.org/Europe/Paris`) or in brackets; or the one
/// of Windows, also as Outlook shows it: `(UTC+01:00) Brussels, Copenhagen, Madrid, Paris`.
pub fn named(name: &str) -> Option<Tz> {
    let name = name.trim().trim_matches(['"', '\'']);
    let in_any_case =
        |name: &str| chrono_tz::TZ_VARIANTS.into_iter().find(|zone| zone.name().eq_ignore_ascii_case(name));
    let iana = |name: &str| name.parse::<Tz>().ok().or_else(|| in_any_case(name));
    let behind = name.match_indices('/').map(|(at, _)| &name[at + 1..]);
    if let Some(zone) = std::iter::once(name).chain(behind).find_map(iana) {
        return Some(zone);
    }
    let windows = WINDOWS.iter().find(|(windows, _)| windows.eq_ignore_ascii_case(name));
    let shown = || SHOWN.iter().find(|(city, _)| name.starts_with('(') && name.contains(city));
    windows.or_else(shown).and_then(|(_, zone)| zone.parse().ok())
}

/// The file's own, where one has this name.
pub fn of_lines(lines: &Component) -> Option<Tz> {
    let line = |name: &str| lines.iter().find(|line: &&ContentLine| line.name == name);
    line("X-LIC-LOCATION").and_then(|line| named(&line.value))
}

/// A city of the words by which Outlook shows a zone.
const SHOWN: [(&str, &str); 8] = [
    ("Paris", "Europe/Paris"),
    ("Berlin", "Europe/Berlin"),
    ("Sarajevo", "Europe/Warsaw"),
    ("Belgrade", "Europe/Budapest"),
    ("London", "Europe/London"),
    ("Athens", "Europe/Bucharest"),
    ("Helsinki", "Europe/Kiev"),
    ("Universal", "Etc/UTC"),
];

/// Names of Windows, by CLDR's windowsZones (territory 001), with the two spellings that are seen of Central Europe.
const WINDOWS: [(&str, &str); 142] = [
    ("AUS Central Standard Time", "Australia/Darwin"),
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("Afghanistan Standard Time", "Asia/Kabul"),
    ("Alaskan Standard Time", "America/Anchorage"),
    ("Aleutian Standard Time", "America/Adak"),
    ("Altai Standard Time", "Asia/Barnaul"),
    ("Arab Standard Time", "Asia/Riyadh"),
    ("Arabian Standard Time", "Asia/Dubai"),
    ("Arabic Standard Time", "Asia/Baghdad"),
    ("Argentina Standard Time", "America/Buenos_Aires"),
    ("Astrakhan Standard Time", "Europe/Astrakhan"),
    ("Atlantic Standard Time", "America/Halifax"),
    ("Aus Central W. Standard Time", "Australia/Eucla"),
    ("Azerbaijan Standard Time", "Asia/Baku"),
    ("Azores Standard Time", "Atlantic/Azores"),
    ("Bahia Standard Time", "America/Bahia"),
    ("Bangladesh Standard Time", "Asia/Dhaka"),
    ("Belarus Standard Time", "Europe/Minsk"),
    ("Bougainville Standard Time", "Pacific/Bougainville"),
    ("Canada Central Standard Time", "America/Regina"),
    ("Cape Verde Standard Time", "Atlantic/Cape_Verde"),
    ("Caucasus Standard Time", "Asia/Yerevan"),
    ("Cen. Australia Standard Time", "Australia/Adelaide"),
    ("Central America Standard Time", "America/Guatemala"),
    ("Central Asia Standard Time", "Asia/Almaty"),
    ("Central Brazilian Standard Time", "America/Cuiaba"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Central Pacific Standard Time", "Pacific/Guadalcanal"),
    ("Central Standard Time", "America/Chicago"),
    ("Central Standard Time (Mexico)", "America/Mexico_City"),
    ("Chatham Islands Standard Time", "Pacific/Chatham"),
    ("China Standard Time", "Asia/Shanghai"),
    ("Cuba Standard Time", "America/Havana"),
    ("Dateline Standard Time", "Etc/GMT+12"),
    ("E. Africa Standard Time", "Africa/Nairobi"),
    ("E. Australia Standard Time", "Australia/Brisbane"),
    ("E. Europe Standard Time", "Europe/Chisinau"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("Easter Island Standard Time", "Pacific/Easter"),
    ("Eastern Standard Time", "America/New_York"),
    ("Eastern Standard Time (Mexico)", "America/Cancun"),
    ("Egypt Standard Time", "Africa/Cairo"),
    ("Ekaterinburg Standard Time", "Asia/Yekaterinburg"),
    ("FLE Standard Time", "Europe/Kiev"),
    ("Fiji Standard Time", "Pacific/Fiji"),
    ("GMT Standard Time", "Europe/London"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("Georgian Standard Time", "Asia/Tbilisi"),
    ("Greenland Standard Time", "America/Godthab"),
    ("Greenwich Standard Time", "Atlantic/Reykjavik"),
    ("Haiti Standard Time", "America/Port-au-Prince"),
    ("Hawaiian Standard Time", "Pacific/Honolulu"),
    ("India Standard Time", "Asia/Calcutta"),
    ("Iran Standard Time", "Asia/Tehran"),
    ("Israel Standard Time", "Asia/Jerusalem"),
    ("Jordan Standard Time", "Asia/Amman"),
    ("Kaliningrad Standard Time", "Europe/Kaliningrad"),
    ("Kamchatka Standard Time", "Asia/Kamchatka"),
    ("Korea Standard Time", "Asia/Seoul"),
    ("Libya Standard Time", "Africa/Tripoli"),
    ("Line Islands Standard Time", "Pacific/Kiritimati"),
    ("Lord Howe Standard Time", "Australia/Lord_Howe"),
    ("Magadan Standard Time", "Asia/Magadan"),
    ("Magallanes Standard Time", "America/Punta_Arenas"),
    ("Marquesas Standard Time", "Pacific/Marquesas"),
    ("Mauritius Standard Time", "Indian/Mauritius"),
    ("Middle East Standard Time", "Asia/Beirut"),
    ("Montevideo Standard Time", "America/Montevideo"),
    ("Morocco Standard Time", "Africa/Casablanca"),
    ("Mountain Standard Time", "America/Denver"),
    ("Mountain Standard Time (Mexico)", "America/Mazatlan"),
    ("Myanmar Standard Time", "Asia/Rangoon"),
    ("N. Central Asia Standard Time", "Asia/Novosibirsk"),
    ("Namibia Standard Time", "Africa/Windhoek"),
    ("Nepal Standard Time", "Asia/Katmandu"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("Newfoundland Standard Time", "America/St_Johns"),
    ("Norfolk Standard Time", "Pacific/Norfolk"),
    ("North Asia East Standard Time", "Asia/Irkutsk"),
    ("North Asia Standard Time", "Asia/Krasnoyarsk"),
    ("North Korea Standard Time", "Asia/Pyongyang"),
    ("Omsk Standard Time", "Asia/Omsk"),
    ("Pacific SA Standard Time", "America/Santiago"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Pacific Standard Time (Mexico)", "America/Tijuana"),
    ("Pakistan Standard Time", "Asia/Karachi"),
    ("Paraguay Standard Time", "America/Asuncion"),
    ("Qyzylorda Standard Time", "Asia/Qyzylorda"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Russia Time Zone 10", "Asia/Srednekolymsk"),
    ("Russia Time Zone 11", "Asia/Kamchatka"),
    ("Russia Time Zone 3", "Europe/Samara"),
    ("Russian Standard Time", "Europe/Moscow"),
    ("SA Eastern Standard Time", "America/Cayenne"),
    ("SA Pacific Standard Time", "America/Bogota"),
    ("SA Western Standard Time", "America/La_Paz"),
    ("SE Asia Standard Time", "Asia/Bangkok"),
    ("Saint Pierre Standard Time", "America/Miquelon"),
    ("Sakhalin Standard Time", "Asia/Sakhalin"),
    ("Samoa Standard Time", "Pacific/Apia"),
    ("Sao Tome Standard Time", "Africa/Sao_Tome"),
    ("Saratov Standard Time", "Europe/Saratov"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("South Africa Standard Time", "Africa/Johannesburg"),
    ("South Sudan Standard Time", "Africa/Juba"),
    ("Sri Lanka Standard Time", "Asia/Colombo"),
    ("Sudan Standard Time", "Africa/Khartoum"),
    ("Syria Standard Time", "Asia/Damascus"),
    ("Taipei Standard Time", "Asia/Taipei"),
    ("Tasmania Standard Time", "Australia/Hobart"),
    ("Tocantins Standard Time", "America/Araguaina"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("Tomsk Standard Time", "Asia/Tomsk"),
    ("Tonga Standard Time", "Pacific/Tongatapu"),
    ("Transbaikal Standard Time", "Asia/Chita"),
    ("Turkey Standard Time", "Europe/Istanbul"),
    ("Turks And Caicos Standard Time", "America/Grand_Turk"),
    ("US Eastern Standard Time", "America/Indianapolis"),
    ("US Mountain Standard Time", "America/Phoenix"),
    ("UTC", "Etc/UTC"),
    ("UTC+12", "Etc/GMT-12"),
    ("UTC+13", "Etc/GMT-13"),
    ("UTC-02", "Etc/GMT+2"),
    ("UTC-08", "Etc/GMT+8"),
    ("UTC-09", "Etc/GMT+9"),
    ("UTC-11", "Etc/GMT+11"),
    ("Ulaanbaatar Standard Time", "Asia/Ulaanbaatar"),
    ("Venezuela Standard Time", "America/Caracas"),
    ("Vladivostok Standard Time", "Asia/Vladivostok"),
    ("Volgograd Standard Time", "Europe/Volgograd"),
    ("W. Australia Standard Time", "Australia/Perth"),
    ("W. Central Africa Standard Time", "Africa/Lagos"),
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("W. Mongolia Standard Time", "Asia/Hovd"),
    ("West Asia Standard Time", "Asia/Tashkent"),
    ("West Bank Standard Time", "Asia/Hebron"),
    ("West Pacific Standard Time", "Pacific/Port_Moresby"),
    ("Yakutsk Standard Time", "Asia/Yakutsk"),
    ("Yukon Standard Time", "America/Whitehorse"),
    ("Paris, Madrid", "Europe/Paris"),
    ("Heure d’Europe centrale", "Europe/Paris"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fr12_every_name_of_windows_is_a_zone() {
        for (name, zone) in WINDOWS.iter().chain(&SHOWN) {
            assert!(zone.parse::<Tz>().is_ok(), "{name}: {zone}");
        }
        for (name, zone) in [
            ("GMT Standard Time", "Europe/London"),
            ("romance standard time", "Europe/Paris"),
            ("/freeassociation.sourceforge.net/Europe/Paris", "Europe/Paris"),
            ("europe/paris", "Europe/Paris"),
            ("(UTC+01:00) Bruxelles, Copenhague, Madrid, Paris", "Europe/Paris"),
            ("\"Europe/Paris\"", "Europe/Paris"),
            ("Eastern Standard Time", "America/New_York"),
        ] {
            assert_eq!(named(name).map(|zone| zone.name()), Some(zone), "{name}");
        }
        assert_eq!(named("Customized Time Zone"), None);
    }

    #[test]
    fn fr12_a_zone_follows_its_own_rules() {
        let part = |text: &str| {
            let line = |line: &str| {
                let (name, value) = line.split_once(':').unwrap();
                ContentLine { name: name.to_owned(), params: vec![], value: value.to_owned() }
            };
            text.lines().map(line).collect::<Component>()
        };
        let standard = part(
            "DTSTART:16010101T030000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
        );
        let daylight = part(
            "DTSTART:16010101T020000\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
        );
        let zone = Zone::Own(Rc::new(OwnZone::of(&[standard, daylight]).unwrap()));
        let london = Zone::Known(Tz::Europe__London);
        for wall in [
            "2027-07-13T20:00:00",
            "2027-01-13T20:00:00",
            "2027-03-28T12:00:00",
            "2027-10-31T12:00:00",
            "2027-03-27T23:00:00",
        ] {
            let wall = wall.parse().unwrap();
            let at = zone.instant(wall).unwrap();
            assert_eq!(at, london.instant(wall).unwrap(), "{wall}");
            assert_eq!(zone.wall(at), Some(wall));
        }
        let fixed = part("DTSTART:19700101T000000\nTZOFFSETFROM:+0400\nTZOFFSETTO:+0400");
        let fixed = Zone::Own(Rc::new(OwnZone::of(&[fixed]).unwrap()));
        let wall = "2027-07-13T20:00:00".parse().unwrap();
        assert_eq!(fixed.instant(wall), "2027-07-13T16:00:00Z".parse().ok());
        assert!(OwnZone::of(&[part("DTSTART:x\nTZOFFSETTO:+0100")]).is_none());
    }
}
