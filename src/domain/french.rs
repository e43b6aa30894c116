//! Dates and hours as French readers expect them, on paper and in mail.
//!
//! Pure words: it owns no layout and must never look at a clock or a locale of the machine.

use chrono::{Datelike, Days, NaiveDate, NaiveTime, Timelike};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::agenda::Week;

/// The space that never ends a line.
pub const NBSP: char = '\u{a0}';
/// Thinner, before ; ! ?
pub const NARROW_NBSP: char = '\u{202f}';

const WEEKDAYS: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
/// From January.
pub const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// `lundi`
pub fn weekday(date: NaiveDate) -> &'static str {
    WEEKDAYS[date.weekday().num_days_from_monday() as usize]
}

/// `juillet`
pub fn month(date: NaiveDate) -> &'static str {
    MONTHS[date.month0() as usize]
}

/// `1er`, `6`
pub fn day_number(date: NaiveDate) -> String {
    match date.day() {
        1 => "1er".to_owned(),
        n => n.to_string(),
    }
}

/// `6 juillet`
pub fn day_and_month(date: NaiveDate) -> String {
    format!("{} {}", day_number(date), month(date))
}

/// `lundi 6 juillet`
pub fn day(date: NaiveDate) -> String {
    format!("{} {}", weekday(date), day_and_month(date))
}

/// `lundi 6 juillet 2026`
pub fn full_day(date: NaiveDate) -> String {
    format!("{} {}", day(date), date.year())
}

/// `du lundi 6 au dimanche 12 juillet 2026`; the month and the year of the Monday are written where they differ.
pub fn week(week: Week) -> String {
    let (first, last) = (week.monday(), week.sunday());
    let from = if first.year() != last.year() {
        full_day(first)
    } else if first.month() != last.month() {
        day(first)
    } else {
        format!("{} {}", weekday(first), day_number(first))
    };
    format!("du {from} au {}", full_day(last))
}

/// `14 h 30`, `9 h`, `0 h`: no break inside.
pub fn hour(time: NaiveTime) -> String {
    match time.minute() {
        0 => format!("{}{NBSP}h", time.hour()),
        minute => format!("{}{NBSP}h{NBSP}{minute:02}", time.hour()),
    }
}

/// `14 h – 18 h`: may break after the dash only.
pub fn hours(start: NaiveTime, end: NaiveTime) -> String {
    format!("{}{NBSP}– {}", hour(start), hour(end))
}

/// The days of one week on which something takes place: `tous les jours`, `du lundi au vendredi`,
/// `mardi, jeudi et samedi`, `tous les jours sauf le mardi`.
pub fn weekdays(days: &[NaiveDate]) -> String {
    let mut days = days.to_vec();
    days.sort_unstable();
    days.dedup();
    let one_week = days.iter().all(|&day| Week::of(day) == Week::of(days[0]));
    let names: Vec<_> = days.iter().map(|&day| weekday(day)).collect();
    let unbroken = days.windows(2).all(|pair| pair[1] == pair[0] + Days::new(1));
    match names.as_slice() {
        [] => String::new(),
        _ if !one_week => days.iter().map(|&date| day(date)).collect::<Vec<_>>().join(", "),
        all if all.len() == 7 => "tous les jours".to_owned(),
        six if six.len() == 6 && !unbroken => {
            let absent = WEEKDAYS.into_iter().find(|name| !six.contains(name)).unwrap_or_default();
            format!("tous les jours sauf le {absent}")
        }
        [first, .., last] if unbroken && names.len() > 2 => format!("du {first} au {last}"),
        [only] => (*only).to_owned(),
        [most @ .., last] => format!("{} et {last}", most.join(", ")),
    }
}

/// The first letter upper-cased, the rest as written. An address stays as it is.
pub fn capitalized(text: &str) -> String {
    if text.split_whitespace().next().is_some_and(|word| word.contains("://") || word.contains('@')) {
        return text.to_owned();
    }
    // The first letter may stand behind a quotation mark: « visite guidée ».
    let at = text.find(char::is_alphanumeric).unwrap_or(text.len());
    let (opening, rest) = text.split_at(at);
    let mut letters = rest.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{opening}{first}{}", letters.as_str())
}

/// The spaces at which a French line must not break made unbreakable: before `;`, `!`, `?`, `:`, `»`, `€`, after `«`, between
/// a number and its unit, inside a telephone number.
pub fn held_together(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let mut held = String::with_capacity(text.len() + 8);
    for (at, word) in words.iter().enumerate() {
        held.push_str(word);
        if let Some(next) = words.get(at + 1) {
            held.push(joint(word, next));
        }
    }
    held
}

/// The space between two words.
fn joint(word: &str, next: &str) -> char {
    let digits_end = word.ends_with(|c: char| c.is_ascii_digit());
    let digits_begin = next.starts_with(|c: char| c.is_ascii_digit());
    let hour_or_minutes = |word: &str| word == "h" || word.ends_with("\u{a0}h");
    match next.chars().next() {
        Some(';' | '!' | '?') => NARROW_NBSP,
        Some(':' | '»' | '€' | '%' | '·' | '–' | '—') => NBSP,
        _ if word.ends_with('«') => NBSP,
        _ if digits_end && digits_begin => NBSP,
        _ if hour_or_minutes(word) && digits_begin => NBSP,
        _ if (digits_end || word == "1er") && is_unit(next) => NBSP,
        _ if matches!(word, "n°" | "N°" | "no" | "M." | "Mme" | "Dr" | "St" | "Ste" | "&") => NBSP,
        _ => ' ',
    }
}

/// What belongs to the number before it.
fn is_unit(word: &str) -> bool {
    const UNITS: &str = "h heure heures min mn minutes km m cm ha kg g l cl an ans jour jours place places pers \
        personnes euro euros bis ter rue place avenue allée allées boulevard bd quai chemin route impasse er e \
        janvier février mars avril mai juin juillet août septembre octobre novembre décembre";
    let bare = word.trim_end_matches(|c: char| !c.is_alphanumeric());
    UNITS.split_whitespace().any(|unit| unit == bare)
}

/// Small letters without accents, one blank for anything else: what two writings of one name have in common.
pub fn folded(text: &str) -> String {
    let letters: String = text
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .flat_map(char::to_lowercase)
        .collect();
    letters.replace('œ', "oe").replace('æ', "ae").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn dates(text: &str) -> Vec<NaiveDate> {
        text.split(' ').map(|day| date(&format!("2026-07-{day}"))).collect()
    }

    #[test]
    fn a_week_names_what_differs_between_its_ends() {
        let check = |day: &str, expect: &str| assert_eq!(week(Week::of(date(day))), expect);
        check("2026-07-06", "du lundi 6 au dimanche 12 juillet 2026");
        check("2026-06-29", "du lundi 29 juin au dimanche 5 juillet 2026");
        check("2026-12-28", "du lundi 28 décembre 2026 au dimanche 3 janvier 2027");
        check("2026-06-01", "du lundi 1er au dimanche 7 juin 2026");
    }

    #[test]
    fn hours_hold_together() {
        let time = |h, m| NaiveTime::from_hms_opt(h, m, 0).unwrap();
        assert_eq!(hour(time(14, 30)), "14\u{a0}h\u{a0}30");
        assert_eq!(hour(time(9, 5)), "9\u{a0}h\u{a0}05");
        assert_eq!(hours(time(21, 0), time(23, 0)), "21\u{a0}h\u{a0}– 23\u{a0}h");
    }

    #[test]
    fn weekdays_are_said_the_short_way() {
        let check = |days: &str, expect: &str| assert_eq!(weekdays(&dates(days)), expect);
        check("06 07 08 09 10 11 12", "tous les jours");
        check("06 07 08 09 10", "du lundi au vendredi");
        check("06 08 09 10 11 12", "tous les jours sauf le mardi");
        check("07 08 09 10 11 12", "du mardi au dimanche");
        check("07 09 11", "mardi, jeudi et samedi");
        check("11 12", "samedi et dimanche");
        check("10", "vendredi");
        assert_eq!(weekdays(&[]), "");
    }

    #[test]
    fn the_first_letter_is_capitalized_even_behind_a_quotation_mark() {
        assert_eq!(capitalized("visite guidée"), "Visite guidée");
        assert_eq!(capitalized("« élan » de danse"), "« Élan » de danse");
        assert_eq!(capitalized("œuvres"), "Œuvres");
        assert_eq!(capitalized("https://exemple.fr"), "https://exemple.fr");
        assert_eq!(capitalized("…"), "…");
        assert_eq!(capitalized(""), "");
    }
}
