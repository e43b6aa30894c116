//! Dates and hours as French readers expect them, on paper and in mail.
//!
//! Pure text functions: no layout, no clock, no locale of the machine.

use chrono::{Datelike, Days, NaiveDate, NaiveTime, Timelike};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{Timestamp, agenda::Week};
use chrono_tz::Tz;

/// The non-breaking space.
pub const NBSP: char = '\u{a0}';
/// The narrow one, before ; ! ?
pub const NARROW_NBSP: char = '\u{202f}';

/// The plural ending of a regular noun: French has the singular for 0 and 1.
pub fn plural(n: u64) -> &'static str {
    if n > 1 { "s" } else { "" }
}

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

/// `12 juillet 2027`
pub fn date(day: NaiveDate) -> String {
    format!("{} {}", day_and_month(day), day.year())
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

/// `du lundi 6 au dimanche 12 juillet 2026`; the month and the year of the Monday are written only if they differ.
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

/// `14 h 30`, `9 h`, `0 h`, with non-breaking spaces.
pub fn hour(time: NaiveTime) -> String {
    match time.minute() {
        0 => format!("{}{NBSP}h", time.hour()),
        minute => format!("{}{NBSP}h{NBSP}{minute:02}", time.hour()),
    }
}

/// `samedi 4 juillet 2026 à 20 h`
pub fn date_and_hour(at: Timestamp, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    format!("{} à {}", full_day(local.date_naive()), hour(local.time()))
}

/// `demain à 8 h`, `hier à 14 h 05`, `samedi à 8 h` within the next six days, `samedi 4 juillet à 8 h`; with the year when it
/// is another one than that of `now`.
pub fn near(at: Timestamp, now: Timestamp, zone: Tz) -> String {
    let (local, today) = (at.with_timezone(&zone), now.with_timezone(&zone).date_naive());
    let date = local.date_naive();
    let day = match date.signed_duration_since(today).num_days() {
        0 => "aujourd’hui".to_owned(),
        1 => "demain".to_owned(),
        -1 => "hier".to_owned(),
        2..=6 => weekday(date).to_owned(),
        _ if date.year() == today.year() => format!("le {}", self::day(date)),
        _ => format!("le {}", full_day(date)),
    };
    format!("{day} à {}", hour(local.time()))
}

/// `20 000`, with narrow non-breaking spaces.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let head = digits.len() % 3;
    let groups = std::iter::once(&digits[..head]).chain((head..digits.len()).step_by(3).map(|at| &digits[at..at + 3]));
    groups.filter(|group| !group.is_empty()).collect::<Vec<_>>().join("\u{202f}")
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

/// The name of a commune that came in capitals, as it is written: `PREIGNAN`, `L'ISLE-JOURDAIN`, `ST-CLAR`,
/// `BARRAN CEDEX`. Any other is kept.
pub fn commune(name: &str) -> String {
    let name = name.trim();
    if name.chars().any(char::is_lowercase) || !name.chars().any(char::is_alphabetic) {
        return name.to_owned();
    }
    let name = name.split(" CEDEX").next().unwrap_or(name).to_lowercase().replace('\'', "’");
    let mut written = String::with_capacity(name.len());
    for word in name.split_inclusive([' ', '-', '’']) {
        let bare = word.trim_end_matches([' ', '-', '’']);
        let small = !written.is_empty()
            && matches!(
                bare,
                "d" | "de"
                    | "des"
                    | "du"
                    | "en"
                    | "et"
                    | "l"
                    | "la"
                    | "le"
                    | "les"
                    | "lès"
                    | "sous"
                    | "sur"
                    | "à"
                    | "au"
                    | "aux"
            );
        let long = match bare {
            "st" => word.replacen("st", "saint", 1),
            "ste" => word.replacen("ste", "sainte", 1),
            _ => word.to_owned(),
        };
        written.push_str(&if small { long } else { capitalized(&long) });
    }
    written
}

/// `5 €`, `de 5 à 8 €`, `4,50 €`, `gratuit`: amounts in euros.
pub fn price_range(least: f64, most: f64) -> String {
    let euros = |amount: f64| {
        if amount.fract() == 0.0 { format!("{amount}") } else { format!("{amount:.2}").replace('.', ",") }
    };
    if most <= 0.0 {
        "gratuit".to_owned()
    } else if least >= most {
        format!("{}{NBSP}€", euros(most))
    } else {
        format!("de {} à {}{NBSP}€", euros(least), euros(most))
    }
}

/// A French holiday by its name in databases: `QUATORZE_JUILLET`, `LUNDI_DE_PAQUES`.
pub fn holiday(name: &str, year: i32) -> Option<NaiveDate> {
    let fixed = |month, day| NaiveDate::from_ymd_opt(year, month, day);
    let from_easter = |days: i64| easter(year)?.checked_add_signed(chrono::TimeDelta::days(days));
    match name {
        "PREMIER_JANVIER" => fixed(1, 1),
        "PREMIER_MAI" => fixed(5, 1),
        "HUIT_MAI" => fixed(5, 8),
        "QUATORZE_JUILLET" => fixed(7, 14),
        "QUINZE_AOUT" => fixed(8, 15),
        "PREMIER_NOVEMBRE" | "TOUSSAINT" => fixed(11, 1),
        "ONZE_NOVEMBRE" => fixed(11, 11),
        "VINGT_CINQ_DECEMBRE" | "NOEL" => fixed(12, 25),
        "VENDREDI_SAINT" => from_easter(-2),
        "PAQUES" | "DIMANCHE_DE_PAQUES" => from_easter(0),
        "LUNDI_DE_PAQUES" | "LUNDI_PAQUES" => from_easter(1),
        "ASCENSION" | "JEUDI_ASCENSION" => from_easter(39),
        "PENTECOTE" | "DIMANCHE_DE_PENTECOTE" => from_easter(49),
        "LUNDI_DE_PENTECOTE" | "LUNDI_PENTECOTE" => from_easter(50),
        _ => None,
    }
}

/// The eleven public holidays of the whole of France (Code du travail, art. L3133-1).
pub fn is_public_holiday(day: NaiveDate) -> bool {
    const NAMES: [&str; 11] = [
        "PREMIER_JANVIER",
        "LUNDI_DE_PAQUES",
        "PREMIER_MAI",
        "HUIT_MAI",
        "ASCENSION",
        "LUNDI_DE_PENTECOTE",
        "QUATORZE_JUILLET",
        "QUINZE_AOUT",
        "TOUSSAINT",
        "ONZE_NOVEMBRE",
        "NOEL",
    ];
    NAMES.iter().any(|name| holiday(name, day.year()) == Some(day))
}

/// Easter Sunday, by the anonymous Gregorian algorithm.
fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let n = h + l - 7 * ((a + 11 * h + 22 * l) / 451) + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(n / 31).ok()?, u32::try_from(n % 31 + 1).ok()?)
}

/// Upper-cases the first letter. A text that begins with an address is unchanged.
pub fn capitalized(text: &str) -> String {
    if text.split_whitespace().next().is_some_and(|word| word.contains("://") || word.contains('@')) {
        return text.to_owned();
    }
    // The first letter may follow a quotation mark: « visite guidée ».
    let at = text.find(char::is_alphanumeric).unwrap_or(text.len());
    let (opening, rest) = text.split_at(at);
    let mut letters = rest.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{opening}{first}{}", letters.as_str())
}

/// Inserts non-breaking spaces where a French line must not break: before `;`, `!`, `?`, `:`, `»`, `€`, after `«`, between
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

/// What belongs to the preceding number.
fn is_unit(word: &str) -> bool {
    const UNITS: &str = "h heure heures min mn minutes km m cm ha kg g l cl an ans jour jours place places pers \
        personnes euro euros bis ter rue place avenue allée allées boulevard bd quai chemin route impasse er e \
        janvier février mars avril mai juin juillet août septembre octobre novembre décembre";
    let bare = word.trim_end_matches(|c: char| !c.is_alphanumeric());
    UNITS.split_whitespace().any(|unit| unit == bare)
}

/// Lower case without accents, a single space for anything else: equal for two spellings of a name.
pub fn folded(text: &str) -> String {
    let letters: String = text
        .chars()
        .map(super::characters::one_apostrophe)
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
    fn hours_are_non_breaking() {
        let time = |h, m| NaiveTime::from_hms_opt(h, m, 0).unwrap();
        assert_eq!(hour(time(14, 30)), "14\u{a0}h\u{a0}30");
        assert_eq!(hour(time(9, 5)), "9\u{a0}h\u{a0}05");
        assert_eq!(hours(time(21, 0), time(23, 0)), "21\u{a0}h\u{a0}– 23\u{a0}h");
    }

    #[test]
    fn an_instant_is_told_from_where_one_stands() {
        let said = |at: &str| near(at.parse().unwrap(), "2027-07-09T20:00:00Z".parse().unwrap(), Tz::Europe__Paris);
        // 22 h in Paris: what is 22 h 30 UTC is tomorrow there.
        assert_eq!(said("2027-07-09T22:30:00Z"), "demain à 0\u{a0}h\u{a0}30");
        assert_eq!(said("2027-07-09T06:00:00Z"), "aujourd’hui à 8\u{a0}h");
        assert_eq!(said("2027-07-08T06:00:00Z"), "hier à 8\u{a0}h");
        assert_eq!(said("2027-07-14T06:00:00Z"), "mercredi à 8\u{a0}h");
        assert_eq!(said("2027-07-17T06:00:00Z"), "le samedi 17 juillet à 8\u{a0}h");
        assert_eq!(said("2026-07-04T06:00:00Z"), "le samedi 4 juillet 2026 à 8\u{a0}h");
    }

    #[test]
    fn weekdays_are_abbreviated_to_ranges() {
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
    fn a_commune_in_capitals_gets_its_usual_spelling() {
        let check = |name: &str, expect: &str| assert_eq!(commune(name), expect);
        check("PREIGNAN", "Preignan");
        check("L'ISLE-JOURDAIN", "L’Isle-Jourdain");
        check("CASTELNAU-D'ARBIEU", "Castelnau-d’Arbieu");
        check("LA ROMIEU", "La Romieu");
        check("ST-CLAR", "Saint-Clar");
        check("AUCH CEDEX 9", "Auch");
        check("CASTÉRA-VERDUZAN", "Castéra-Verduzan");
        check("Castelnau-d'Arbieu", "Castelnau-d'Arbieu");
    }

    #[test]
    fn movable_holidays_are_computed() {
        let check = |name, year, expect: &str| assert_eq!(holiday(name, year), Some(date(expect)));
        check("PAQUES", 2026, "2026-04-05");
        check("PAQUES", 2027, "2027-03-28");
        check("ASCENSION", 2027, "2027-05-06");
        check("LUNDI_DE_PENTECOTE", 2027, "2027-05-17");
        check("QUINZE_AOUT", 2027, "2027-08-15");
        assert_eq!(holiday("JOUR_DE_LA_LUNE", 2027), None);
    }

    #[test]
    fn amounts_are_abbreviated() {
        assert_eq!((price_range(5.0, 8.0), price_range(4.5, 4.5)), ("de 5 à 8\u{a0}€".into(), "4,50\u{a0}€".into()));
        assert_eq!(price_range(0.0, 0.0), "gratuit");
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
