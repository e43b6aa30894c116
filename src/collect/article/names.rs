//! Names that the markup sets apart from the rest of an item: the term of a definition, bold words before a bar, the first
//! cell of a row.
//!
//! While an article is read such a name stands between two private signs, like a quotation: no day, hour, price or place is
//! read in it (`Dimanche à Valparaiso`, `Midi et quart`), and it is the title whatever its words. [`plain`] takes the signs
//! out of what is printed.

use super::days::Spec;
use super::html::{Line, Page};
use super::lines::{day_line, footer, has_number, says_date, section, timing, without_bullet};
use super::marks::{Meaning, marks};
use super::place_field::{names_a_venue, place_field};
use super::practical::says_only_when;
use super::text::{Kind, Token, Words};
use super::towns::lone_name;

pub(super) const OPEN: char = '\u{E000}';
pub(super) const CLOSE: char = '\u{E001}';

/// The text without the signs.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(*c, OPEN | CLOSE)).collect()
}

pub(super) fn named(name: &str) -> String {
    format!("{OPEN}{}{CLOSE}", name.trim())
}

/// Where the name that opens at token `at` ends.
pub(super) fn name_at(tokens: &[Token], at: usize) -> Option<usize> {
    const LONGEST: usize = 40;
    let is = |token: &Token, sign: char| token.kind == Kind::Sign && token.fold.starts_with(sign);
    if !is(&tokens[at], OPEN) {
        return None;
    }
    let ahead = tokens.iter().enumerate().skip(at + 1).take(LONGEST);
    ahead.take_while(|(_, token)| token.kind != Kind::Break).find(|(_, token)| is(token, CLOSE)).map(|(i, _)| i + 1)
}

/// Whether a name begins at token `at`.
pub(super) fn begins_at(words: &Words<'_>, at: usize) -> bool {
    words.tokens.get(at).is_some() && name_at(&words.tokens, at).is_some()
}

/// The name that an item begins with, with its signs.
pub(super) fn leading_name(text: &str) -> Option<&str> {
    let text = &text[without_bullet(text).0..];
    text.starts_with(OPEN).then(|| text.find(CLOSE).map(|end| &text[..end + CLOSE.len_utf8()])).flatten()
}

/// Sets the names of a page apart.
pub(super) fn set_apart(page: &mut Page) {
    name_definitions(page.lines_mut());
    page.join("\n", |_, next| next.goes_on);
    page.lines_mut().iter_mut().for_each(name_before_a_bar);
}

const LONGEST_PLACE: usize = 80;

/// `<dt>Messe de la Sainte-Barbe</dt><dd>Samedi 4 à 18 h 30…</dd>`: one item, whose name is the term.
fn name_definitions(lines: &mut [Line]) {
    let mut at = 0;
    while at < lines.len() {
        let to = (at + 1..lines.len()).find(|next| !lines[*next].definition).unwrap_or(lines.len());
        let says = |line: &Line| timing(&line.text).says || says_date(&line.text) || recurs(&line.text);
        // `<dt>Toutes les heures de 11 h à 17 h</dt>` says when, `<dt>Salle des fêtes</dt>` where.
        let place = is_bare_place(&Words::of(&lines[at].text)) && lines[at].text.len() <= LONGEST_PLACE;
        let heads = lines[at].term && to > at + 1 && footer(&lines[at]).is_none() && !timing(&lines[at].text).says;
        if !heads || !place && !is_name(&lines[at].text) || !lines[at + 1..to].iter().any(says) {
            at += 1;
            continue;
        }
        let name = if place { lines[at].text.clone() } else { named(&lines[at].text) };
        if !place {
            lines[at].insert(0, &OPEN.to_string());
            lines[at].text.push(CLOSE);
        }
        lines[at].bullet = true;
        let mut block = lines[at + 1].block;
        for line in &mut lines[at + 1..to] {
            line.goes_on = line.block == block;
            if line.block != block {
                // Another definition of the term.
                block = line.block;
                line.insert(0, &format!("{name}\n"));
                line.bullet = true;
            }
        }
        at = to;
    }
}

fn recurs(text: &str) -> bool {
    marks(&Words::of(text)).iter().any(|mark| matches!(mark.meaning, Meaning::Recurs(_) | Meaning::Until(_)))
}

/// `<b>Réparer plutôt que jeter</b> · mar. 15 avril · 18 h – 21 h`: bold words before a bar, where the rest says when.
fn name_before_a_bar(line: &mut Line) {
    let lead = line.lead;
    if lead == 0 || lead >= line.text.len() || line.text.contains('\n') || !line.text.is_char_boundary(lead) {
        return;
    }
    let (start, _) = without_bullet(&line.text[..lead]);
    let (name, rest) = (&line.text[start..lead], &line.text[lead..]);
    // `<b>18 h 30</b> | Feu d'artifice, musique à 18 h` begins with its hour.
    if says_only_when(name) && name.contains(|c: char| c.is_ascii_digit()) {
        return;
    }
    // `<b>L'Eau qui dort</b> (1 h 38) · ven. 18`
    let behind = rest.trim_start();
    let behind = behind.strip_prefix('(').and_then(|inner| inner.split_once(')')).map_or(behind, |(_, behind)| behind);
    let barred = behind.trim_start().starts_with(['·', '|']);
    let dated = says_numbered_date(rest);
    let sentence = name.trim_end().len() - usize::from(name.trim_end().ends_with(['.', '!', '?']));
    if dated && is_rubric(&name[..sentence], rest) {
        line.insert(if name.trim_end().ends_with('.') { start + sentence } else { lead }, &CLOSE.to_string());
        line.insert(start, &OPEN.to_string());
        return;
    }
    if (dated || timing(rest).says) && is_name(&name[..sentence]) && where_follows(&name[sentence..], rest) {
        line.insert(start + sentence, &CLOSE.to_string());
        line.insert(start, &OPEN.to_string());
        return;
    }
    let when = dated || timing(rest).says && !says_date(name);
    if start == 0 && when && is_name(name) && (barred || is_all_that_is_told(name, rest)) {
        line.insert(lead, &CLOSE.to_string());
        line.insert(0, &OPEN.to_string());
    }
}

/// `<b>Metal Vôge.</b> Gérardmer, salle Jeanne-d'Arc, ven. 13, 21 h`: a stop, within the bold words or behind them, then the
/// town, or a day and the town, or an hour and the town.
fn where_follows(stop: &str, rest: &str) -> bool {
    let rest = rest.trim_start();
    let behind = rest.strip_prefix('.').filter(|_| stop.trim().is_empty());
    if behind.is_none() && stop.trim() != "." {
        return false;
    }
    let words = Words::of(behind.unwrap_or(rest).trim_start());
    let date = super::days::date(&words.tokens, 0).filter(|date| words.is(date.to, &[":"])).map(|date| date.to + 1);
    // `22 h 30 à Bergerac (quai Salvette), 23 h à Nontron`
    let hour = super::clock::clock(&words.tokens, 0).filter(|hour| words.is(hour.to, &["a"])).map(|hour| hour.to + 1);
    let town = super::communes::written(&words, hour.or(date).unwrap_or(0));
    town.is_some_and(|(_, to)| words.is(to, &[",", "("]) && (hour.is_some() || says_numbered_date(words.text)))
}

/// `<b>Thé dansant.</b> — Dimanche 15, de 14 h 30 à 19 h`: what is announced, a dash, and a rest that names no work.
fn is_rubric(name: &str, rest: &str) -> bool {
    const OFFICES: [&str; 3] = ["permanence", "permanences", "avis"];
    let words = Words::of(name);
    let dashed = rest.trim_start().trim_start_matches('.').trim_start().starts_with(['—', '–', '-']);
    let office = words.is(0, &OFFICES);
    dashed && !office && is_name(name) && !timing(name).says && !rest.contains(['«', '"', '“'])
}

/// `<b>Et si on tricotait une forêt ?</b> ven. 15 de 15 h à 17 h`: bold words of some length, and a rest that names nothing one attends.
fn is_all_that_is_told(name: &str, rest: &str) -> bool {
    const LEAST_WORDS: usize = 2;
    let (words, other) = (Words::of(name), Words::of(rest));
    let content =
        words.tokens.iter().filter(|token| token.kind == Kind::Word && !super::words::is_function(token)).count();
    let first = other.tokens.first();
    let parted = first.is_some_and(|token| token.kind == Kind::Sign && token.is_any(&[",", ":", "-", "("]))
        || super::days::date(&other.tokens, 0).is_some()
        || super::days::recurrence(&other.tokens, 0).is_some();
    let tells = |token: &Token| {
        super::words::is_event_noun(token) && !super::words::is_venue(token) || token.is_any(&["«", "\""])
    };
    let sentence = name.trim_end().ends_with('.');
    content >= LEAST_WORDS && parted && !sentence && !timing(name).says && !other.tokens.iter().any(tells)
}

fn says_numbered_date(text: &str) -> bool {
    let numbered = |spec: &Spec| has_number(spec);
    marks(&Words::of(text)).iter().any(|mark| match &mark.meaning {
        Meaning::Dates(spec) => numbered(spec),
        Meaning::Recurs(_) => true,
        _ => false,
    })
}

/// Whether the words can be the name of a thing, and are no day, town, section, place or state.
pub(super) fn is_name(text: &str) -> bool {
    const LONGEST: usize = 140;
    if text.len() > LONGEST || !text.chars().any(char::is_alphabetic) || text.contains([OPEN, CLOSE]) {
        return false;
    }
    let line = Line { text: text.to_owned(), ..Line::default() };
    let words = Words::of(text);
    let states = marks(&words).iter().any(|mark| mark.from == 0 && matches!(mark.meaning, Meaning::Status(_)));
    let town = || lone_name(&line).is_some_and(|name| !super::communes::departments(&name).is_empty());
    let dated = day_line(&line).is_some() && !is_phrase_with_a_day(&words);
    !dated && section(&line).is_none() && !states && !town() && !is_bare_place(&words)
}

/// `Dimanche à Valparaiso`, `Lundi de Pâques`: words that begin with a day and go on without a sign.
fn is_phrase_with_a_day(words: &Words<'_>) -> bool {
    words.tokens.get(1).is_some_and(|next| next.kind == Kind::Word && super::days::month(next).is_none())
}

fn is_bare_place(words: &Words<'_>) -> bool {
    use super::words::{WHAT_AND_WHERE, is_event_noun, is_venue};
    let head = words.tokens.iter().find(|token| token.kind == Kind::Word && !super::words::is_function(token));
    let tells =
        words.tokens.iter().any(|token| is_event_noun(token) && !is_venue(token) || token.is_any(&["«", "!", "?"]));
    let end = words.tokens.len();
    // `Salle des fêtes` is where, `Théâtre de rue` what.
    let sure = || names_a_venue(words, 0, end);
    let both = |head: &Token| head.is_any(WHAT_AND_WHERE);
    let venue = head.is_some_and(|head| is_venue(head) && (!tells && !both(head) || sure()));
    venue && place_field(words, 0, end).is_some()
}
