//! Parses one clock time: `21h`, `14 h 30`, `14:30`, midi, `18.30`, `six heures du soir`.

use chrono::{NaiveTime, Timelike};

use super::days::Found;
use super::text::{Kind, Token};

pub(super) fn is(tokens: &[Token], at: usize, words: &[&str]) -> bool {
    tokens.get(at).is_some_and(|token| token.is_any(words))
}

/// Words that end a noun phrase because a time follows.
pub(super) const UNITS_OF_TIME: [&str; 6] = ["nuit", "journee", "matinee", "soiree", "heure", "heures"];

pub(super) const UNITS: [&str; 6] = ["h", "heure", "heures", "hres", "hrs", "hr"];

/// `21h`, `14 h 30`, `14:30`, `midi`.
pub(super) fn clock(tokens: &[Token], at: usize) -> Option<Found<NaiveTime>> {
    let token = tokens.get(at)?;
    match token.fold.as_str() {
        // `Café du Midi`, `canal du Midi`
        "midi" if token.capital && at > 0 && is(tokens, at - 1, &["du"]) => {}
        "midi" if !(at > 0 && is(tokens, at - 1, &["apres", "le"]) || is_afternoon(tokens, at)) => {
            return half_past(tokens, 12, at + 1);
        }
        "minuit" => return half_past(tokens, 0, at + 1),
        _ => {}
    }
    if let Some(found) = spoken(tokens, at) {
        return Some(found);
    }
    let hour = token.number().filter(|hour| *hour <= 24 && token.fold.len() <= 2)?;
    let unit = tokens.get(at + 1)?;
    let minutes = |at: usize| {
        let minutes = tokens.get(at)?.number().filter(|n| *n < 60 && tokens[at].fold.len() == 2)?;
        let other = is(tokens, at + 1, &["€", "euros", "euro", "km", "ans", "h", "heures", "places", "personnes", "%"]);
        (!other).then_some(minutes)
    };
    if unit.is(":") {
        let tight = token.end == unit.start && tokens.get(at + 2).is_some_and(|t| t.start == unit.end);
        return minutes(at + 2).filter(|_| tight).and_then(|minute| found(hour, minute, at + 3));
    }
    if unit.is(".") {
        return dotted(tokens, at, hour);
    }
    if !unit.is_any(&UNITS) {
        return None;
    }
    match minutes(at + 2) {
        Some(minute) => found(hour, minute, at + 3 + usize::from(is(tokens, at + 3, &["mn", "min"]))),
        None => part_of_the_hour(tokens, hour, at + 2).or_else(|| found(hour, 0, at + 2)),
    }
}

/// `10 heures et demie`, `11 h moins le quart`: what stands behind a whole hour.
fn part_of_the_hour(tokens: &[Token], hour: u32, to: usize) -> Option<Found<NaiveTime>> {
    if is(tokens, to, &["et"]) {
        return match () {
            () if is(tokens, to + 1, &["demie", "demi"]) => found(hour, 30, to + 2),
            () if is(tokens, to + 1, &["quart"]) => found(hour, 15, to + 2),
            () => None,
        };
    }
    let quarter = is(tokens, to, &["moins"]) && is(tokens, to + 1, &["le"]) && is(tokens, to + 2, &["quart"]);
    if quarter { found(hour.checked_sub(1)?, 45, to + 3) } else { None }
}

/// `ap.-midi`, `apr. midi`, `ap-midi`: the second half of « après-midi ».
fn is_afternoon(tokens: &[Token], midi: usize) -> bool {
    (midi.saturating_sub(3)..midi)
        .rev()
        .find(|at| !is(tokens, *at, &[".", "-"]))
        .is_some_and(|at| at + 1 < midi && is(tokens, at, &["ap", "apr"]))
}

/// `midi et demi`, `minuit et demie`
fn half_past(tokens: &[Token], hour: u32, to: usize) -> Option<Found<NaiveTime>> {
    let half = is(tokens, to, &["et"]) && is(tokens, to + 1, &["demi", "demie"]);
    if half { found(hour, 30, to + 2) } else { found(hour, 0, to) }
}

/// `18.30`: an hour only behind the word that leads one, since it may as well be a price or a date.
fn dotted(tokens: &[Token], at: usize, hour: u32) -> Option<Found<NaiveTime>> {
    let tight = tokens[at].end == tokens.get(at + 1)?.start && tokens.get(at + 2)?.start == tokens[at + 1].end;
    let minute = tokens.get(at + 2)?.number().filter(|n| *n < 60 && tokens[at + 2].fold.len() == 2)?;
    let led = at == 0 && hour >= 6 || at > 0 && is(tokens, at - 1, &["a", "des", "de", "vers", "-", "\n", "•"]);
    let other = is(tokens, at + 3, &[".", "€", "euros", "/"])
        && tokens.get(at + 3).is_some_and(|next| next.start == tokens[at + 2].end)
        && tokens.get(at + 4).is_some_and(|next| next.kind == Kind::Number || next.start == tokens[at + 3].end);
    (tight && led && !other && minute.is_multiple_of(5)).then_some(())?;
    found(hour, minute, at + 3)
}

/// `six heures du soir`, `dix heures et demie`: with the part of the day, or behind `à`.
pub(super) fn spoken(tokens: &[Token], at: usize) -> Option<Found<NaiveTime>> {
    #[rustfmt::skip]
    const NUMBERS: [&str; 24] = [
        "une", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize",
        "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf", "vingt", "vingt-et-une", "vingt-deux",
        "vingt-trois", "vingt-quatre",
    ];
    let mut hour =
        1 + NUMBERS.iter().position(|word| tokens[at].is(word)).and_then(|index| u32::try_from(index).ok())?;
    if !is(tokens, at + 1, &["heures", "heure"]) {
        return None;
    }
    let mut to = at + 2;
    let mut minute = 0;
    if let Some(part) = part_of_the_hour(tokens, hour, to) {
        to = part.to;
        (hour, minute) = (part.what.hour(), part.what.minute());
    } else if is(tokens, to, &["trente"]) {
        (to, minute) = (to + 1, 30);
    }
    let evening = is(tokens, to, &["du"]) && is(tokens, to + 1, &["soir"]);
    let afternoon = is(tokens, to, &["de"]) && is(tokens, to + 1, &["l'"]) && is(tokens, to + 2, &["apres-midi"]);
    let morning = is(tokens, to, &["du"]) && is(tokens, to + 1, &["matin"]);
    // `de dix heures à midi`; `dix heures de marche` is how long.
    let begins = |at: usize| {
        let token = tokens.get(at);
        token.is_some_and(|token| token.kind == Kind::Number || token.is("midi") || token.is_any(&NUMBERS))
    };
    let ranges = at > 0 && is(tokens, at - 1, &["de"]) && is(tokens, to, &["a"]) && begins(to + 1);
    let from = at > 1 && is(tokens, at - 1, &["de"]) && is(tokens, at - 2, &["partir"]);
    // `la messe de onze heures` is when, `une course de dix heures` how long.
    let begun = at > 1
        && is(tokens, at - 1, &["de"])
        && is(tokens, at - 2, &["messe", "messes", "office", "vepres", "seance", "seances", "visite", "concert"])
        && hour >= 8;
    let led = at > 0 && (is(tokens, at - 1, &["a", "des", "vers"]) || from || ranges || begun) && hour >= 6;
    // `Pavie, médiathèque, dix heures : lectures`
    let apart = at > 0 && is(tokens, at - 1, &[",", "-"]) && is(tokens, to, &[":", ","]) && hour >= 6;
    if !(evening || afternoon || morning || led || apart) {
        return None;
    }
    if (evening || afternoon) && hour < 12 {
        hour += 12;
    }
    to += if evening || morning {
        2
    } else if afternoon {
        3
    } else {
        0
    };
    found(hour, minute, to)
}

pub(super) fn found(hour: u32, minute: u32, to: usize) -> Option<Found<NaiveTime>> {
    NaiveTime::from_hms_opt(hour % 24, minute, 0).map(|what| Found { what, to })
}
