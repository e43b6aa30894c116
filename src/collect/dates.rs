//! The parser for dates of feeds, files, pages and databases.
//!
//! Lenient in form, strict in meaning: seconds, offsets and commas may be missing, months may be French or English words,
//! but an ambiguous date is refused. A date without an offset is local French time: our sites are French, and assuming
//! UTC would move midnight.

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::{Europe::Paris, Tz};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Maximum length of a text that is read as a date.
const LONGEST: usize = 100;

/// A date as written: missing parts are not assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub day: NaiveDate,
    pub time: Option<NaiveTime>,
    pub offset: Option<FixedOffset>,
}

/// Whether `3/7/2027` is the third of July.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// It may also be the seventh of March: only unambiguous dates are read.
    Unknown,
    /// The day first, as in France.
    DayFirst,
}

impl Written {
    /// On which clock it was written is `zone`, where it says nothing; without an hour it is the beginning of the day.
    pub fn instant(self, zone: Tz) -> Option<DateTime<Utc>> {
        let wall = self.day.and_time(self.time.unwrap_or(NaiveTime::MIN));
        match self.offset {
            Some(offset) => offset.from_local_datetime(&wall).single().map(|at| at.to_utc()),
            None => to_instant(wall, zone),
        }
    }
}

/// An instant in any of the usual forms; without an hour, the beginning of the day.
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    read(text, Numbers::Unknown)?.instant(Paris)
}

/// What a clock on the wall of `zone` shows, as an instant. An hour that does not exist is one later, one that is twice
/// is the first.
pub fn to_instant(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let later = || zone.from_local_datetime(&wall.checked_add_signed(TimeDelta::hours(1))?).earliest();
    zone.from_local_datetime(&wall).earliest().or_else(later).map(|date| date.to_utc())
}

/// `21:00`, `21:00:00`, `21h30`, `21 h`, `9:30 PM`, or the hour within a date.
pub fn time(text: &str) -> Option<NaiveTime> {
    let words = words(text)?;
    if let Some(read) = read(text, Numbers::DayFirst) {
        return read.time;
    }
    let mut parts = Parts::default();
    words.iter().all(|word| parts.time_word(word)).then_some(())?;
    parts.time().map(|(time, _)| time)
}

/// Any of the forms; `None` for text that is not a date, or is ambiguous.
pub fn read(text: &str, numbers: Numbers) -> Option<Written> {
    let words = words(text)?;
    let mut parts = Parts { numbers: Some(numbers), ..Parts::default() };
    words.iter().all(|word| parts.word(word)).then_some(())?;
    let day = parts.day()?;
    let (time, next_day) = parts.time().unzip();
    // 24:00 is midnight at the end of the day.
    let day = if next_day == Some(true) { day.checked_add_days(Days::new(1))? } else { day };
    let broken_time = time.is_none() && (parts.clock.is_some() || parts.half.is_some());
    (!broken_time && (time.is_some() || parts.offset.is_none())).then_some(Written { day, time, offset: parts.offset })
}

/// In lower case without accents, without the text in brackets, numbers and letters separated unless the word is known.
fn words(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let mut bare = String::with_capacity(text.len());
    let mut depth = 0_u32;
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            ',' | ';' => bare.push(' '),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => bare.push('-'),
            c if c.is_whitespace() => bare.push(' '),
            c => bare.push(c),
        }
    }
    Some(bare.split(' ').map(|word| word.trim_end_matches('.').to_owned()).filter(|word| !word.is_empty()).collect())
}

#[derive(Debug, Clone, Copy, Default)]
struct Parts {
    numbers: Option<Numbers>,
    whole: Option<NaiveDate>,
    month: Option<u32>,
    day: Option<u32>,
    year: Option<i32>,
    /// Hour, minute, second.
    clock: Option<(u32, u32, u32)>,
    /// `Some(true)`: after noon.
    half: Option<bool>,
    offset: Option<FixedOffset>,
    /// An hour whose minutes may follow: `21 h 30`.
    open: bool,
}

impl Parts {
    /// `false` where the word has no meaning in a date.
    fn word(&mut self, word: &str) -> bool {
        self.day_word(word) || self.time_word(word)
    }

    fn day_word(&mut self, word: &str) -> bool {
        // `2027-07-13t21:00`, `20270713t2100z`
        if let Some((day, time)) =
            word.split_once('t').filter(|(day, _)| day.len() >= 8 && day.starts_with(|c: char| c.is_ascii_digit()))
            && let Some(day) = self.whole_day(day)
        {
            return self.set_day(day) && self.time_word(time);
        }
        if let Some(day) = self.whole_day(word) {
            return self.set_day(day);
        }
        if let Some(month) = month(word) {
            return once(&mut self.month, month) && self.whole.is_none();
        }
        if is_weekday(word) {
            return true;
        }
        // `20-nov-2026`
        if let [day, name, year] = word.split('-').collect::<Vec<_>>().as_slice()
            && let Some(month) = month(name)
        {
            return once(&mut self.month, month) && self.day_word(day) && self.day_word(year);
        }
        let number = word.strip_suffix("er").or_else(|| word.strip_suffix("th")).or_else(|| word.strip_suffix("st"));
        let number = number.or_else(|| word.strip_suffix("nd")).or_else(|| word.strip_suffix("rd")).unwrap_or(word);
        let Ok(n) = number.parse::<u32>() else { return false };
        if self.open || self.whole.is_some() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return false;
        }
        match number.len() {
            1 | 2 if self.day.is_none() => once(&mut self.day, n),
            4 => i32::try_from(n).is_ok_and(|n| once(&mut self.year, n)),
            // `20 Nov 26`
            2 if self.month.is_some() => i32::try_from(2000 + n).is_ok_and(|n| once(&mut self.year, n)),
            _ => false,
        }
    }

    fn set_day(&mut self, day: NaiveDate) -> bool {
        once(&mut self.whole, day) && self.month.is_none() && self.day.is_none() && self.year.is_none()
    }

    /// `2027-07-13`, `20270713`, `2027/07/13`, `13/07/2027`, `13.07.2027`
    fn whole_day(&self, word: &str) -> Option<NaiveDate> {
        if word.len() == 8 && word.bytes().all(|b| b.is_ascii_digit()) {
            return NaiveDate::from_ymd_opt(word[..4].parse().ok()?, word[4..6].parse().ok()?, word[6..].parse().ok()?);
        }
        let sign = ['-', '/', '.'].into_iter().find(|sign| word.contains(*sign))?;
        let numbers: Vec<&str> = word.split(sign).collect();
        let [first, second, third] = numbers.as_slice() else { return None };
        let digits =
            |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if first.len() == 4 && digits(first, 4) && digits(second, 2) && digits(third, 2) {
            return NaiveDate::from_ymd_opt(first.parse().ok()?, second.parse().ok()?, third.parse().ok()?);
        }
        if third.len() != 4 || !digits(third, 4) || !digits(first, 2) || !digits(second, 2) {
            return None;
        }
        let (day, month, year): (u32, u32, i32) = (first.parse().ok()?, second.parse().ok()?, third.parse().ok()?);
        let may_be_two = self.numbers != Some(Numbers::DayFirst) && day <= 12 && month <= 12 && day != month;
        // `11/20/2026` can only be the twentieth of November.
        let (day, month) =
            if month > 12 && self.numbers != Some(Numbers::DayFirst) { (month, day) } else { (day, month) };
        NaiveDate::from_ymd_opt(year, month, day).filter(|_| !may_be_two)
    }

    /// `21:00`, `21:00:00.5+02:00`, `21h30`, `21`, `h`, `30`, `pm`, `+0200`, `gmt+2`, `cest`
    fn time_word(&mut self, word: &str) -> bool {
        match word {
            "a" | "at" | "de" | "des" | "le" | "the" | "-" => return true,
            "am" | "a.m" | "pm" | "p.m" => return once(&mut self.half, word.starts_with('p')),
            "h" | "heures" | "heure" => return self.open,
            _ => {}
        }
        if let Some(known) = zone(word) {
            return match known {
                Some(offset) => once(&mut self.offset, offset),
                None => true,
            };
        }
        if self.open {
            self.open = false;
            if let (Some((hour, 0, 0)), Ok(minute)) = (self.clock, word.trim_end_matches("min").parse::<u32>()) {
                self.clock = Some((hour, minute, 0));
                return word.len() <= 5;
            }
        }
        let end = word.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | 'h' | '.')).unwrap_or(word.len());
        let (clock, rest) = word.split_at(end);
        if !self.set_clock(clock) {
            return false;
        }
        match rest {
            "" | "min" | "mn" => true,
            "am" | "pm" | "a.m" | "p.m" => once(&mut self.half, rest.starts_with('p')),
            rest => matches!(zone(rest), Some(Some(offset)) if once(&mut self.offset, offset)),
        }
    }

    fn set_clock(&mut self, text: &str) -> bool {
        let number = |text: &str| {
            ((1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()))
                .then(|| text.parse::<u32>().ok())
                .flatten()
        };
        let text = text.split_once('.').map_or(text, |(whole, _)| whole);
        let clock = if !text.contains([':', 'h']) {
            match text.len() {
                // An hour alone: its `h` follows.
                1 | 2 if text.bytes().all(|b| b.is_ascii_digit()) => {
                    self.open = true;
                    number(text).map(|hour| (hour, 0, 0))
                }
                4 | 6 if text.bytes().all(|b| b.is_ascii_digit()) => {
                    let second =
                        text.get(4..).map_or(Some(0), |text| if text.is_empty() { Some(0) } else { number(text) });
                    number(&text[..2]).zip(number(&text[2..4])).zip(second).map(|((h, m), s)| (h, m, s))
                }
                _ => None,
            }
        } else {
            let mut numbers = text.split([':', 'h']);
            let hour = numbers.next().and_then(number);
            let rest: Vec<&str> = numbers.collect();
            match rest.as_slice() {
                // `21h`
                [""] if text.ends_with('h') => {
                    self.open = true;
                    hour.map(|hour| (hour, 0, 0))
                }
                [minute] => hour.zip(number(minute)).map(|(h, m)| (h, m, 0)),
                [minute, second] => hour.zip(number(minute)).zip(number(second)).map(|((h, m), s)| (h, m, s)),
                _ => None,
            }
        };
        clock.is_some_and(|clock| once(&mut self.clock, clock))
    }

    fn day(&self) -> Option<NaiveDate> {
        self.whole.or_else(|| NaiveDate::from_ymd_opt(self.year?, self.month?, self.day?))
    }

    /// And whether it is the end of the day.
    fn time(&self) -> Option<(NaiveTime, bool)> {
        let (hour, minute, second) = self.clock?;
        let hour = match self.half {
            None => hour,
            Some(_) if !(1..=12).contains(&hour) => return None,
            Some(after_noon) => hour % 12 + if after_noon { 12 } else { 0 },
        };
        // A leap second is the last one of its minute here.
        let second = if second == 60 { 59 } else { second };
        match (hour, minute, second) {
            (24, 0, 0) => Some((NaiveTime::MIN, true)),
            _ => NaiveTime::from_hms_opt(hour, minute, second).map(|time| (time, false)),
        }
    }
}

/// A part given twice is not a date.
fn once<T>(slot: &mut Option<T>, value: T) -> bool {
    let is_first = slot.is_none();
    if is_first {
        *slot = Some(value);
    }
    is_first
}

/// The offset, or none where the name is of the clock on our wall.
fn zone(word: &str) -> Option<Option<FixedOffset>> {
    let hours = |hours: i32| FixedOffset::east_opt(hours * 3600).map(Some);
    match word {
        "z" | "ut" | "utc" | "gmt" => return hours(0),
        "cet" | "cest" | "met" | "mest" | "mez" | "mesz" => return Some(None),
        "est" => return hours(-5),
        "edt" => return hours(-4),
        "cst" => return hours(-6),
        "cdt" => return hours(-5),
        "mst" => return hours(-7),
        "mdt" => return hours(-6),
        "pst" => return hours(-8),
        "pdt" => return hours(-7),
        _ => {}
    }
    let text = word.strip_prefix("gmt").or_else(|| word.strip_prefix("utc")).unwrap_or(word);
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "0"),
    };
    let number = |text: &str| {
        (text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<i32>().ok()).flatten()
    };
    let seconds = sign * (number(hours).filter(|n| *n <= 14)? * 3600 + number(minutes).filter(|n| *n < 60)? * 60);
    FixedOffset::east_opt(seconds).map(Some)
}

/// By its name or the beginning of it, in French or English.
fn month(word: &str) -> Option<u32> {
    const NAMES: [&[&str]; 12] = [
        &["janvier", "january"],
        &["fevrier", "february", "fev", "feb"],
        &["mars", "march"],
        &["avril", "april", "avr", "apr"],
        &["mai", "may"],
        &["juin", "june", "jun"],
        &["juillet", "july", "jul"],
        &["aout", "august", "aug"],
        &["septembre", "september"],
        &["octobre", "october"],
        &["novembre", "november"],
        &["decembre", "december"],
    ];
    // « jui » could be two.
    let is =
        |name: &&str| *name == word || (word.len() >= 3 && word != "jui" && word != "ju" && name.starts_with(word));
    let found = NAMES.iter().position(|names| names.iter().any(&is))?;
    u32::try_from(found + 1).ok()
}

fn is_weekday(word: &str) -> bool {
    const NAMES: [&str; 14] = [
        "lundi",
        "mardi",
        "mercredi",
        "jeudi",
        "vendredi",
        "samedi",
        "dimanche",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    word.len() >= 3 && NAMES.iter().any(|name| name.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fr22_every_notation_of_a_date_is_parsed() {
        for text in [
            "2027-07-09T15:12:08Z",
            "2027-07-09T15:12:08.123Z",
            "2027-07-09t15:12:08z",
            "2027-07-09T17:12:08+02:00",
            "2027-07-09T17:12:08+0200",
            "2027-07-09T17:12:08+02",
            "2027-07-09T17:12:08",
            "2027-07-09 17:12:08",
            "2027-07-09 17:12:08 +0200",
            "2027/07/09 17:12:08",
            "20270709T171208",
            "20270709T151208Z",
            "Fri, 09 Jul 2027 15:12:08 +0000",
            "Fri, 09 Jul 2027 15:12:08 GMT",
            "Mon, 09 Jul 2027 15:12:08 GMT",
            "Fri, 09 Jul 2027 10:12:08 EST",
            "9 Jul 2027 17:12:08 +0200",
            "9 Jul 27 17:12:08 +0200",
            "Fri, 09 Jul 2027 17:12:08 CEST",
            "Fri, 09 Jul 2027 17:12:08",
            "ven, 09 juil. 2027 17:12:08 +0200",
            "vendredi 9 juillet 2027 17:12:08",
            "Vendredi 9 juillet 2027 à 17:12:08",
            "Fri, 09 July 2027 17:12:08 +0200",
            "Fri Jul 09 2027 17:12:08 GMT+0200 (heure d’été d’Europe centrale)",
            "Fri Jul  9 17:12:08 2027",
            "July 9, 2027 05:12:08 PM",
            "09-Jul-2027 17:12:08",
        ] {
            assert_eq!(instant(text), "2027-07-09T15:12:08Z".parse().ok(), "{text}");
        }
        for text in [
            "2027-07-13T20:00+02:00",
            "2027-07-13T20:00+02",
            "2027-07-13T18:00Z",
            "2027-07-13T2000",
            "13/07/2027 20:00",
            "13 juillet 2027 à 20h",
            "13 juillet 2027, 20 h 00",
            "mardi 13 juil. 2027 – 20h00",
            "Tue, 13 Jul 2027 08:00 PM",
            "Jul 13, 2027 8:00pm",
            "07/13/2027 8:00 PM",
        ] {
            assert_eq!(instant(text), "2027-07-13T18:00:00Z".parse().ok(), "{text}");
        }
        for text in
            ["2027-07-09", "9 juillet 2027", "Jul 9, 2027", "20270709", "July 9th, 2027", "Thu, 08 Jul 2027 24:00:00"]
        {
            assert_eq!(instant(text), "2027-07-08T22:00:00Z".parse().ok(), "{text}");
        }
        assert_eq!(instant("1er août 2027"), "2027-07-31T22:00:00Z".parse().ok());
    }

    #[test]
    fn invalid_and_ambiguous_dates_are_rejected() {
        for text in [
            "",
            "vendredi",
            "2027-13-01",
            "Fri, 09 Jul",
            "09/07/2027",
            "Fri, 99 Jul 2027 15:12:08 GMT",
            "Fri, 09 Jul 2027 25:12:08 GMT",
            "Fri, 09 Jul 2027 15:12 XYZ",
            "09 Jul 2027 13:00 PM",
            "juillet 2027",
            "9 jui 2027",
            "17",
            "du 9 au 12 juillet 2027",
            "0000-00-00T00:00:00",
            "-0001-11-30T00:00:00",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
        let day = read("09/07/2027", Numbers::DayFirst).unwrap().day;
        assert_eq!(day.to_string(), "2027-07-09");
        assert_eq!(instant(&"9 ".repeat(100)), None);
    }

    #[test]
    fn an_hour_alone_is_read_too() {
        let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0);
        for text in ["21:30", "21:30:00", "21h30", "21 h 30", "9:30 PM", "1899-12-30T21:30:00", "21h30min"] {
            assert_eq!(time(text), at(21, 30), "{text}");
        }
        assert_eq!((time("21h"), time("21 h"), time("9 h 05")), (at(21, 0), at(21, 0), at(9, 5)));
        for text in ["", "midi", "25:00", "21:60", "2027-07-09"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn a_local_time_in_the_dst_gap_is_moved_one_hour_later() {
        assert_eq!(instant("2027-03-28T02:30:00"), "2027-03-28T01:30:00Z".parse().ok());
    }

    proptest::proptest! {
        #[test]
        fn no_text_causes_a_panic(text in "\\PC{0,40}", tail in "[0-9:/hT+.-]{0,24}") {
            let _ = (instant(&text), instant(&tail), time(&tail), read(&tail, Numbers::DayFirst));
        }
    }
}
