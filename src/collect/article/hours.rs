//! Parses hours as French articles write them: `21h`, `14 h 30`, `20 heures`, `14:30`, midi, ranges, parts of the day.
//!
//! Also recognises what looks like an hour but is not: durations, ages, distances. A wrong hour sends visitors at the wrong
//! time, so a number is an hour only with its unit.

use chrono::NaiveTime;

use super::clock::{UNITS, clock, found, is};
use super::days::Found;
use super::text::{Kind, Token};
use crate::domain::agenda::PartOfDay;

/// A start, with its end if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) start: NaiveTime,
    pub(super) end: Option<NaiveTime>,
}

/// The meaning of one time phrase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) slots: Vec<Slot>,
    /// `jusqu'à 23 h`, without a start.
    pub(super) end: Option<NaiveTime>,
    pub(super) part: Option<PartOfDay>,
    pub(super) all_day: bool,
    pub(super) approx: bool,
    pub(super) from: bool,
    /// The words say more than the fields can hold (`en fin de matinée`): they stay in the note.
    pub(super) vague: bool,
}

/// `durant 1h15`, `durée 2h`, `visite d'1 h 15`, `3 heures de musique`, `(1h30)` after an hour, `avant 18h`.
pub(super) fn duration(tokens: &[Token], at: usize) -> Option<usize> {
    let token = tokens.get(at)?;
    if token.is_any(&["duree", "durees", "durant", "pendant", "dure", "avant", "compter", "comptez"]) {
        // `durée : environ 1h30`
        let first = (at + 1..at + 4).find(|i| !is(tokens, *i, &[":", "de", "d'", "d", "'", "environ"]))?;
        let first = if is(tokens, first, &["environ"]) { first + 1 } else { first };
        if let Some(clock) = clock(tokens, first) {
            return Some(clock.to);
        }
        return bare_minutes(tokens, first);
    }
    if token.is_any(&["d'"]) && is(tokens, at + 1, &["une"]) && is(tokens, at + 2, &["duree"]) {
        return duration(tokens, at + 2);
    }
    if token.is_any(&["d'", "d"]) {
        let number = if token.is("d") && is(tokens, at + 1, &["'", "’"]) { at + 2 } else { at + 1 };
        if is(tokens, number, &["une"]) && is(tokens, number + 1, &["heure"]) {
            return Some(number + 2);
        }
        return clock(tokens, number).filter(|_| tokens[number].kind == Kind::Number).map(|clock| clock.to);
    }
    if token.is_any(&["en", "de"]) {
        let clock = clock(tokens, at + 1).filter(|_| tokens[at + 1].kind == Kind::Number)?;
        let short = tokens[at + 1].number().is_some_and(|hours| hours <= LONGEST_DURATION);
        let range = token.is("de") && ranges(tokens, at + 1, clock.to);
        return (short && !range).then_some(clock.to).or_else(|| bare_minutes(tokens, at + 1));
    }
    if token.kind == Kind::Number {
        if let Some(to) = bare_minutes(tokens, at) {
            return Some(to);
        }
        // `toutes les 1/2 h`: no hour is written so.
        if token.is("1") && is(tokens, at + 1, &["/"]) && is(tokens, at + 2, &["2"]) && is(tokens, at + 3, &UNITS) {
            return Some(at + 4);
        }
        // `24 heures de trail`, `2h de balade`; but `départ à 9 h de la place`.
        let clock = clock(tokens, at)?;
        // `24h/24`
        if token.is("24") && is(tokens, clock.to, &["/"]) && is(tokens, clock.to + 1, &["24"]) {
            return Some(clock.to + 2);
        }
        // `Drame, 1h48`: the length of a film, since nothing begins at such a minute of the night.
        let odd = chrono::Timelike::minute(&clock.what) % 5 > 0 && token.number().is_some_and(|hours| hours <= 4);
        if odd && tokens.get(at + 1).is_some_and(|unit| unit.is_any(&UNITS)) {
            return Some(clock.to);
        }
        let short = token.number().is_some_and(|hours| hours <= LONGEST_DURATION);
        // `(VOST, 1 h 58)`, `(2 heures, facile)`
        let open =
            (at.saturating_sub(8)..at).rev().take_while(|i| !is(tokens, *i, &[")"])).any(|i| is(tokens, i, &["("]));
        let bracketed =
            open && at > 0 && is(tokens, at - 1, &["(", ","]) && is(tokens, clock.to, &[")", ",", "environ", ";"]);
        if is(tokens, clock.to, &["par"]) || (short && bracketed && !is(tokens, clock.to, &["-"])) {
            return Some(clock.to);
        }
        if short && stands_as_a_duration(tokens, at, clock.to) {
            return Some(clock.to);
        }
        let led = at > 0 && is(tokens, at - 1, &["a", "des", "de", "vers", "-"]);
        let named = at > 0 && is(tokens, at - 1, &["les"]) && is(tokens, at + 1, &["heures", "h"]);
        let walk =
            is(tokens, clock.to, &["de", "d'"]) && is(tokens, clock.to + 1, &["marche", "route", "voiture", "velo"]);
        let of = is(tokens, clock.to, &["de", "d'"]) && !led && !is(tokens, clock.to + 1, &["la", "l'"]);
        // `2 heures et demie à Pavie, départ 9 h`; but `à 2 heures et demie`, `2 h et demie du matin`
        let parted = is(tokens, clock.to - 1, &["demie", "demi", "quart"]) && short && !led;
        let at_night = is(tokens, clock.to, &["du", "de"]) && is_part_of_the_day(tokens, clock.to + 1);
        return (named || walk || of || parted && !at_night).then_some(clock.to);
    }
    None
}

/// `marche, 6 km, 2 h 30, départ`, `10h – Pavie : visite, 5 €, 1h30`, `0h45 – dès 3 ans`: a field of its own behind a
/// distance, or at the end of a line that begins its hour before, or before a genre or an age.
fn stands_as_a_duration(tokens: &[Token], at: usize, to: usize) -> bool {
    const FAR: usize = 60;
    let alone = at > 0 && is(tokens, at - 1, &[","]);
    let behind_distance = alone && at > 1 && is(tokens, at - 2, &["km", "kms", "kilometres", "d+"]);
    if behind_distance && (to == tokens.len() || is(tokens, to, &[",", ".", ";", ")", "\n"])) {
        return true;
    }
    let ends = tokens[to..].iter().all(|token| token.kind == Kind::Sign);
    let hour_before = || (at.saturating_sub(FAR)..at.saturating_sub(1)).any(|i| clock(tokens, i).is_some());
    // `séances à 21 h, 23 h, 1 h`: an hour of a list.
    let listed = at > 1 && (clock(tokens, at - 2).is_some() || is(tokens, at - 2, &["h", "heures", "heure"]))
        || at > 3 && tokens[at - 2].kind == Kind::Number && is(tokens, at - 3, &["h", ":"]);
    if alone && ends && !listed && hour_before() {
        return true;
    }
    // The line of a film: `1h10 – dès 5 ans`, `0h45 - documentaire`
    let opens = at == 0 || tokens[at - 1].kind == Kind::Break;
    let film = is(tokens, to + 1, &["des"]) && tokens.get(to + 2).is_some_and(|age| age.kind == Kind::Number)
        || tokens.get(to + 1).is_some_and(|genre| genre.is_any(FILM_GENRES));
    // `Compagnie du Merle – 1h20 – dès 13 ans`
    let aged = at > 1
        && is(tokens, at - 1, &["-", "|", "•", "·"])
        && is(tokens, to + 1, &["des"])
        && film
        && !matches!(tokens[at - 2].kind, Kind::Number)
        && !is(tokens, at - 2, &["h", "heures"]);
    (opens || aged) && is(tokens, to, &["-", ",", "|", "•", "·"]) && film
}

#[rustfmt::skip]
const FILM_GENRES: &[&str] = &[
    "comedie", "drame", "documentaire", "animation", "policier", "thriller", "aventure", "aventures", "fantastique", "horreur",
    "western", "biopic", "romance", "guerre", "historique", "science-fiction",
];

/// Fewer hours, without the word that leads a clock time, may as well be how long something lasts.
const LONGEST_DURATION: u32 = 5;

/// `matin`, `l'après-midi`
fn is_part_of_the_day(tokens: &[Token], at: usize) -> bool {
    is(tokens, at + usize::from(is(tokens, at, &["l'"])), &["matin", "soir", "apres-midi"])
}

/// Whether the hours at `at`, which end before `to`, begin a range: `de 2 h à 5 h`. `de 2 h à Pavie` does not, nor does
/// `balade de 2 h à 9 h 30`.
fn ranges(tokens: &[Token], at: usize, to: usize) -> bool {
    const LONGEST_WALK: u32 = 3;
    const FIRST_START: u32 = 9;
    let next = match () {
        () if is(tokens, to, &["a", "-"]) => to + 1,
        () if is(tokens, to, &["jusqu'"]) && is(tokens, to + 1, &["a"]) => to + 2,
        () => return false,
    };
    let walk = tokens[at].number().is_some_and(|hours| hours <= LONGEST_WALK);
    clock(tokens, next).is_some_and(|end| !walk || chrono::Timelike::hour(&end.what) < FIRST_START)
}

fn bare_minutes(tokens: &[Token], at: usize) -> Option<usize> {
    tokens.get(at)?.number()?;
    is(tokens, at + 1, &["minutes", "min", "mn", "minute"]).then_some(at + 2)
}

/// Whether a phrase of time can begin with this word.
fn may_begin(token: &Token) -> bool {
    match token.kind {
        Kind::Number => true,
        Kind::Break => false,
        Kind::Sign => token.is("@"),
        Kind::Word => matches!(
            token.fold.as_str(),
            "a" | "des"
                | "de"
                | "d'"
                | "du"
                | "vers"
                | "entre"
                | "jusqu'"
                | "jusque"
                | "depuis"
                | "environ"
                | "autour"
                | "aux"
                | "sur"
                | "horaires"
                | "horaire"
                | "heure"
                | "le"
                | "la"
                | "l'"
                | "en"
                | "dans"
                | "toute"
                | "tout"
                | "cette"
                | "cet"
                | "ce"
                | "au"
                | "fin"
                | "debut"
                | "milieu"
                | "durant"
                | "pendant"
                | "tombee"
                | "nuit"
                | "une"
                | "midi"
                | "minuit"
                | "matin"
                | "matinee"
                | "soir"
                | "soiree"
                | "apres"
                | "apres-midi"
                | "journee"
                | "deux"
                | "trois"
                | "quatre"
                | "cinq"
                | "six"
                | "sept"
                | "huit"
                | "neuf"
                | "dix"
                | "onze"
                | "douze"
                | "treize"
                | "quatorze"
                | "quinze"
                | "seize"
                | "dix-sept"
                | "dix-huit"
                | "dix-neuf"
                | "vingt"
                | "vingt-et-une"
                | "vingt-deux"
                | "vingt-trois"
                | "vingt-quatre"
        ),
    }
}

/// The time phrase that begins at token `at`, with its leading words (`à partir de 9 h`).
pub(super) fn time(tokens: &[Token], at: usize) -> Option<Found<Times>> {
    // Most words begin no time phrase: reject them before the forms are tried.
    if !may_begin(tokens.get(at)?) {
        return None;
    }
    part_of_day(tokens, at).or_else(|| hours(tokens, at))
}

#[derive(Clone, Copy, PartialEq)]
enum Lead {
    At,
    From,
    About,
    Between,
    Until,
    Of,
    None,
}

fn lead(tokens: &[Token], at: usize) -> (Lead, usize) {
    let words = |words: &[&str]| words.iter().enumerate().all(|(i, word)| is(tokens, at + i, &[word]));
    const LEADS: [(&[&str], Lead); 22] = [
        (&["a", "partir", "de"], Lead::From),
        (&["a", "partir", "d'"], Lead::From),
        (&["a", "compter", "de"], Lead::From),
        (&["des"], Lead::From),
        (&["a", "environ"], Lead::About),
        (&["autour", "de"], Lead::About),
        (&["vers"], Lead::About),
        (&["aux", "alentours", "de"], Lead::About),
        (&["aux", "environs", "de"], Lead::About),
        (&["sur", "les", "coups", "de"], Lead::About),
        (&["environ"], Lead::About),
        (&["jusqu'", "a"], Lead::Until),
        (&["jusque"], Lead::Until),
        (&["entre"], Lead::Between),
        (&["de"], Lead::Of),
        (&["depuis"], Lead::From),
        (&["horaires", ":"], Lead::None),
        (&["horaire", ":"], Lead::None),
        (&["heure", ":"], Lead::None),
        (&["@"], Lead::At),
        (&["le", "midi", "a"], Lead::At),
        (&["a"], Lead::At),
    ];
    LEADS.iter().find(|(seq, _)| words(seq)).map_or((Lead::None, at), |(seq, lead)| (*lead, at + seq.len()))
}

/// `du samedi 14 h au dimanche 14 h`: it begins on the first day; the other is when it ends.
fn from_day_to_day(tokens: &[Token], at: usize) -> Option<Found<Times>> {
    let weekday = |at: usize| tokens.get(at).and_then(super::days::weekday);
    let mut first = at + 1;
    if !is(tokens, at, &["du", "de"]) || weekday(first).is_none() {
        return None;
    }
    first += 1 + usize::from(is(tokens, first + 1, &["a"]));
    let start = clock(tokens, first)?;
    if !is(tokens, start.to, &["au", "a"]) || weekday(start.to + 1).is_none() {
        return None;
    }
    let second = start.to + 2 + usize::from(is(tokens, start.to + 2, &["a"]));
    let end = clock(tokens, second)?;
    let slots = vec![Slot { start: start.what, end: Some(end.what) }];
    Some(Found { what: Times { slots, ..Times::default() }, to: end.to })
}

fn hours(tokens: &[Token], at: usize) -> Option<Found<Times>> {
    if let Some(found) = from_day_to_day(tokens, at) {
        return Some(found);
    }
    let (lead, mut first) = lead(tokens, at);
    if lead == Lead::None && first > at {
        first += usize::from(is(tokens, first, &["de"]));
    }
    // A unit or a figure before the number means it is the tail of something else: `05 62 00 10 h`.
    // The figures of a date are no such thing: `mardi 14/9 18 h 30`, `14 septembre 2027 18 h`.
    let dated = at > 2 && is(tokens, at - 2, &["/"])
        || at > 0 && tokens[at - 1].number().is_some_and(|n| (2000..2100).contains(&n));
    let numbers = at > 0 && tokens[at - 1].kind == Kind::Number && tokens[at].kind == Kind::Number;
    let tail = lead == Lead::None && numbers && !dated;
    if tail {
        return None;
    }
    // `environ 2 heures et demie`, `environ 2 h de marche`
    if lead == Lead::About && is(tokens, first - 1, &["environ"]) && duration(tokens, first).is_some() {
        return None;
    }
    let mut out = Times { approx: lead == Lead::About, from: lead == Lead::From, ..Times::default() };
    // `les grands patienteront jusqu'à 20 h 30`: then it begins.
    let waits = at > 0
        && is(
            tokens,
            at - 1,
            &["patienter", "patientera", "patienteront", "attendre", "attendra", "attendront", "patientez"],
        );
    if lead == Lead::Until && !waits {
        let end = clock(tokens, first)?;
        out.end = Some(end.what);
        return Some(Found { what: out, to: end.to });
    }
    let (slot, mut to) = slot(tokens, first, lead)?;
    out.slots.push(slot);
    // `de 10 h à 12 h et de 14 h à 18 h`, `à 10 h, à 11 h 30 et à 15 h`
    while let Some(next) = joint(tokens, to) {
        let (lead, first) = self::lead(tokens, next);
        if matches!(lead, Lead::About | Lead::Until) {
            break;
        }
        // `de 20 h à 22 h, 3 h de musique` is no third hour.
        if duration(tokens, first).is_some() {
            break;
        }
        let Some((slot, end)) = self::slot(tokens, first, lead) else { break };
        // `18 h et 20 h – 20 h complet`: the same hour again says more of it.
        if slot.end.is_none() && out.slots.contains(&slot) {
            break;
        }
        out.slots.push(slot);
        to = end;
    }
    // `17 février @ 9 h 00 - 18 février @ 18 h 00`: it begins on the first day; the other is when it ends.
    if let [Slot { end: end @ None, .. }] = out.slots.as_mut_slice()
        && is(tokens, at, &["@"])
        && is(tokens, to, &["-"])
        && let Some(day) = super::days::date(tokens, to + 1)
        && is(tokens, day.to, &["@"])
        && let Some(last) = clock(tokens, day.to + 1)
    {
        *end = Some(last.what);
        to = last.to;
    }
    if let [Slot { end: end @ None, .. }] = out.slots.as_mut_slice() {
        let until = to + usize::from(is(tokens, to, &["et", ","]));
        if let (Lead::Until, first) = self::lead(tokens, until)
            && let Some(clock) = clock(tokens, first)
        {
            *end = Some(clock.what);
            to = clock.to;
        }
    }
    to = hour_of_the_day(tokens, to, &mut out);
    // `à 20 h 30. au boulodrome`: the dot is the abbreviation's.
    let next = tokens.get(to + 1);
    if is(tokens, to, &["."]) && next.is_some_and(|next| next.kind == Kind::Word && !next.capital) {
        to += 1;
    }
    Some(Found { what: out, to })
}

/// `9 h du soir`, `10 h le matin`, `précises`
fn hour_of_the_day(tokens: &[Token], mut to: usize, times: &mut Times) -> usize {
    if is(tokens, to, &["du"]) && is(tokens, to + 1, &["matin", "soir"]) {
        if is(tokens, to + 1, &["soir"]) {
            for slot in &mut times.slots {
                slot.start = evening(slot.start);
                slot.end = slot.end.map(evening);
            }
        }
        to += 2;
    }
    if is(tokens, to, &["precises", "precise", "pile"]) {
        to += 1;
    }
    if is(tokens, to, &["environ"])
        && !is(tokens, to + 1, &["km"])
        && tokens.get(to + 1).is_none_or(|t| t.kind != Kind::Number)
    {
        times.approx = true;
        to += 1;
    }
    to
}

fn evening(time: NaiveTime) -> NaiveTime {
    use chrono::Timelike;
    if (1..12).contains(&time.hour()) { time.with_hour(time.hour() + 12).unwrap_or(time) } else { time }
}

fn joint(tokens: &[Token], at: usize) -> Option<usize> {
    if !is(tokens, at, &[",", "et", "puis", "ou", "&", "/", "-"]) {
        return None;
    }
    let next = at + 1;
    Some(next + usize::from(is(tokens, next, &["et", "puis", "ou"])))
}

/// A clock time, or two joined as a range. `de 6 à 12 h` has its unit once.
fn slot(tokens: &[Token], at: usize, lead: Lead) -> Option<(Slot, usize)> {
    let end_of = |to: usize| -> Option<Found<NaiveTime>> {
        let joins = is(tokens, to, &["a", "-", "/", "→", ">"]) || (lead == Lead::Between && is(tokens, to, &["et"]));
        let next = to + 1;
        // `10h/12h` is a range, `20h30 / 22h30` are two starts.
        let loose = is(tokens, to, &["/"]) && tokens[to].start > tokens[to - 1].end;
        let joins = joins && !loose;
        if joins { clock(tokens, next) } else { None }
    };
    // `21 h à 15 h` is no range: what lasts over midnight ends in the morning.
    let sound = |start: NaiveTime, end: NaiveTime| {
        end > start || chrono::Timelike::hour(&end) <= 8 || chrono::Timelike::hour(&start) >= 23
    };
    if let Some(start) = clock(tokens, at) {
        return Some(match end_of(start.to).filter(|end| sound(start.what, end.what)) {
            Some(end) => (Slot { start: start.what, end: Some(end.what) }, end.to),
            None => (Slot { start: start.what, end: None }, start.to),
        });
    }
    let hour = tokens.get(at)?.number().filter(|n| *n <= 24 && tokens[at].fold.len() <= 2)?;
    let start = found(hour, 0, at + 1)?;
    let end = end_of(start.to)?;
    (tokens[end.to - 1].kind != Kind::Word || tokens[start.to + 1].kind == Kind::Number)
        .then_some((Slot { start: start.what, end: Some(end.what) }, end.to))
}

/// `en matinée`, `toute la journée`, `à la tombée de la nuit`, `le soir`.
fn part_of_day(tokens: &[Token], at: usize) -> Option<Found<Times>> {
    #[rustfmt::skip]
    const LEADS: [&str; 22] = [
        "en", "dans", "toute", "tout", "la", "le", "l'", "cette", "cet", "ce", "au", "fin", "debut", "milieu", "de",
        "d'", "durant", "pendant", "a", "tombee", "nuit", "une",
    ];
    const LONGEST_LEAD: usize = 6;
    let mut head = at;
    while head < at + LONGEST_LEAD && is(tokens, head, &LEADS) {
        head += 1;
    }
    let led = |words: &[&str]| tokens[at..head].iter().any(|t| t.is_any(words));
    let vague = led(&["fin", "debut", "milieu"]);
    let of = |part| Times { part: Some(part), vague, ..Times::default() };
    let token = tokens.get(head);
    let word = token.map_or("", |t| t.fold.as_str());
    let firm = led(&["en", "dans", "toute", "cette", "ce", "cet", "durant", "pendant", "fin", "debut", "milieu"]);
    // `Matin – petit marché`, `Après-midi : loto` at the head of a line
    let sign = tokens.get(at + 1).is_some_and(|sign| {
        let blank = sign.start > tokens[at].end && tokens.get(at + 2).is_some_and(|next| next.start > sign.end);
        sign.is(":") || sign.is("-") && blank
    });
    let hour = tokens.get(at + 2).is_some_and(|next| next.kind == Kind::Number);
    let heads = head == at && sign && !hour && (at == 0 || tokens[at - 1].kind == Kind::Break);
    let what = match word {
        "matin" | "matinee" if heads => of(PartOfDay::Morning),
        "apres-midi" if heads => of(PartOfDay::Afternoon),
        "soir" if heads => of(PartOfDay::Evening),
        "matinee" if firm => of(PartOfDay::Morning),
        "matin" if led(&["le", "ce", "au"]) && !led(&["tout"]) => of(PartOfDay::Morning),
        "apres-midi" if firm || led(&["l'"]) => of(PartOfDay::Afternoon),
        "apres" if is(tokens, head + 1, &["midi"]) && (firm || led(&["l'"])) => {
            return Some(Found { what: of(PartOfDay::Afternoon), to: head + 2 });
        }
        "soiree" if firm => of(PartOfDay::Evening),
        "soir" if led(&["le", "ce", "au"]) => of(PartOfDay::Evening),
        "midi" if led(&["le", "ce"]) && head == at + 1 => of(PartOfDay::Noon),
        "journee"
            if led(&["toute", "en", "dans", "durant", "pendant"])
                || (led(&["la"]) && head == at + 1 && is(tokens, head + 1, &[",", ":"])) =>
        {
            Times { all_day: true, ..Times::default() }
        }
        _ => return night(tokens, at),
    };
    // `le soir même`
    Some(Found { what, to: head + 1 + usize::from(is(tokens, head + 1, &["meme"])) })
}

fn night(tokens: &[Token], at: usize) -> Option<Found<Times>> {
    const FORMS: [&[&str]; 8] = [
        &["a", "la", "tombee", "de", "la", "nuit"],
        &["a", "la", "tombee", "du", "jour"],
        &["a", "la", "nuit", "tombee"],
        &["a", "la", "nuit", "tombante"],
        &["des", "la", "nuit", "tombee"],
        &["des", "la", "tombee", "de", "la", "nuit"],
        &["toute", "la", "nuit"],
        &["dans", "la", "nuit"],
    ];
    let form = FORMS.iter().find(|form| form.iter().enumerate().all(|(i, word)| is(tokens, at + i, &[word])))?;
    Some(Found { what: Times { part: Some(PartOfDay::Night), ..Times::default() }, to: at + form.len() })
}

#[cfg(test)]
mod tests {
    use super::super::text::tokens;
    use super::*;

    /// What the first time phrase of `text` says: `10:00-12:00 14:00-18:00 from`.
    fn said(text: &str) -> String {
        let tokens = tokens(text);
        let mut at = 0;
        while at < tokens.len() {
            if let Some(to) = duration(&tokens, at) {
                at = to;
                continue;
            }
            if let Some(Found { what, .. }) = time(&tokens, at) {
                let hm = |t: NaiveTime| t.format("%H:%M").to_string();
                let mut words: Vec<String> = what
                    .slots
                    .iter()
                    .map(|slot| slot.end.map_or(hm(slot.start), |end| format!("{}-{}", hm(slot.start), hm(end))))
                    .collect();
                words.extend(what.end.map(|end| format!("-{}", hm(end))));
                words.extend(what.part.map(|part| format!("{part:?}")));
                words.extend(what.all_day.then(|| "day".to_owned()));
                words.extend(what.approx.then(|| "about".to_owned()));
                words.extend(what.from.then(|| "from".to_owned()));
                return words.join(" ");
            }
            at += 1;
        }
        String::new()
    }

    #[test]
    fn every_notation_of_an_hour_is_parsed() {
        for (text, expected) in [
            ("à 21h", "21:00"),
            ("à 16h30, visite", "16:30"),
            ("21 h", "21:00"),
            ("14 h 30", "14:30"),
            ("20 heures", "20:00"),
            ("à 20 heures 30", "20:30"),
            ("14:30", "14:30"),
            ("20H30", "20:30"),
            ("à minuit", "00:00"),
            ("autour de midi", "12:00 about"),
            ("vers 10h", "10:00 about"),
            ("de 10 h à 12 h 30 et de 14 h à 18 h", "10:00-12:30 14:00-18:00"),
            ("10h-12h / 14h-18h", "10:00-12:00 14:00-18:00"),
            ("14 h – 19 h", "14:00-19:00"),
            ("de 6 à 12 h", "06:00-12:00"),
            ("9-12h", "09:00-12:00"),
            ("de 12h à 1h", "12:00-01:00"),
            ("23h30 à minuit", "23:30-00:00"),
            ("entre 10h et 12h", "10:00-12:00"),
            ("à 10 h, à 11 h 30 et à 15 h", "10:00 11:30 15:00"),
            ("dès 20h", "20:00 from"),
            ("à partir de 9 h", "09:00 from"),
            ("dès 18h et jusqu'à minuit", "18:00-00:00 from"),
            ("jusqu’à 23h", "-23:00"),
            ("à 9 h du soir", "21:00"),
            ("à 10 heures et demie", "10:30"),
            ("à onze heures moins le quart", "10:45"),
            ("à 2 heures et demie", "02:30"),
            ("messe de onze heures", "11:00"),
            ("concert de quatorze heures trente", "14:30"),
            ("2 heures et demie du matin", "02:30"),
            ("de 2 h à 5 h", "02:00-05:00"),
            ("de 5 h à 12 h", "05:00-12:00"),
            ("de 2 à 5 h", "02:00-05:00"),
            ("balade de 2 h à 9 h 30", "09:30"),
            ("2 heures et demie à Pavie, départ 9 h", "09:00"),
            ("10 heures et demie, bal", "10:30"),
            ("de dix heures à midi", "10:00-12:00"),
            ("de dix-huit heures à vingt heures", "18:00-20:00"),
            ("mardi 14/9 18h30", "18:30"),
            ("14 septembre 2027 18 h", "18:00"),
            ("en matinée", "Morning"),
            ("toute la matinée", "Morning"),
            ("dans l’après-midi", "Afternoon"),
            ("en soirée", "Evening"),
            ("ce soir", "Evening"),
            ("le midi", "Noon"),
            ("À la tombée de la nuit", "Night"),
            ("Toute la journée", "day"),
            ("à 21h 10 €", "21:00"),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_that_look_like_hours_are_not_hours() {
        for text in [
            "durant 1h15 ou un peu plus",
            "durée 2h",
            "durée : environ 1h30",
            "visite d’1 h 15",
            "dès 8 ans",
            "de 6 à 12 ans",
            "32 km",
            "2020 Selecta",
            "à 7-77",
            "3 heures de musique",
            "balade de 2h",
            "45 minutes",
            "la soirée est musicale",
            "avant 18h",
            "50 habitants",
            "après-midi récréative",
            "d'une heure",
            "dix heures de marche",
            "une course de dix heures",
            "visite de deux heures",
            "2 heures et demie à Pavie",
            "randonnée de 2 heures et quart",
            "de 2 h à Pavie",
            "visite de 3 heures à la grange",
            "environ 2 heures et demie",
            "environ 2 h de marche",
            "de dix heures à Pavie",
            "balade, 1 h et quart",
        ] {
            assert_eq!(said(text), "", "{text}");
        }
    }
}
