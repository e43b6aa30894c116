//! Cards: a list of events in which each has a heading, a line that says only when, and the name of its town on a line of its
//! own. All that stands between two such headings is of the one card: its town, its days and its text are no news for others.

use std::collections::{BTreeMap, HashSet};

use super::super::communes;
use super::super::html::{Line, Link};
use super::super::lines::{DayLine, footer, is_exhibition, timing};
use super::super::marks::{Meaning, marks};
use super::super::names::named;
use super::super::sentences::{Role, sentences};
use super::super::text::{Kind, Words};
use super::super::towns::lone_name;
use super::super::when::{Piece, When, pieces};
use super::super::words::{GENRES, PARTS_OF_DAY, THEMES, is_event_noun, is_function, is_venue};
use super::{Around, Builder, Entry, Facts, Under, says_status};

/// The lines of a card, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Card {
    title: usize,
    /// The line that says when, and nothing else.
    when: usize,
    category: Option<usize>,
    /// The line after its last.
    pub(super) to: usize,
}

/// The cards of an article, by the number of their first line.
pub(super) fn cards(lines: &[Line], read: &[Option<DayLine>], facts: &[Facts]) -> BTreeMap<usize, Card> {
    (2..=6).map(|level| of_level(lines, read, facts, level)).find(|cards| !cards.is_empty()).unwrap_or_default()
}

fn of_level(lines: &[Line], read: &[Option<DayLine>], facts: &[Facts], level: u8) -> BTreeMap<usize, Card> {
    const LEAST: usize = 3;
    let heads: Vec<usize> = (0..lines.len())
        .filter(|at| lines[*at].shape.heading == level && read[*at].is_none() && !facts[*at].timing.says)
        .collect();
    if heads.len() < LEAST {
        return BTreeMap::new();
    }
    let plain = |at: usize| lines.get(at).is_some_and(|line| line.shape.heading == 0 && says_only_when(&line.text));
    let below: Vec<usize> = heads.iter().copied().filter(|at| plain(at + 1)).collect();
    let above: Vec<usize> = heads.iter().copied().filter(|at| *at > 0 && plain(at - 1)).collect();
    let is_above = above.len() > below.len();
    let dated = if is_above { above } else { below };
    let with_category = |at: &usize| *at > 0 && !is_above && is_category(&lines[at - 1]);
    let categories = dated.iter().filter(|at| with_category(at)).count() * 3 >= dated.len() * 2;
    let first = |at: usize| {
        if is_above { at - 1 } else { at - usize::from(categories && with_category(&at)) }
    };
    let mut out = BTreeMap::new();
    let mut longest = 0;
    for (index, &title) in dated.iter().enumerate() {
        let limit = dated.get(index + 1).map_or(lines.len().min(title + 1 + longest), |next| first(*next));
        let ends = |at: &usize| {
            lines[*at].shape.heading > 0
                || footer(&lines[*at]).is_some()
                || index + 1 == dated.len() && facts[*at].role == Role::Aside
        };
        let to = (title + 1..limit).find(ends).unwrap_or(limit);
        longest = longest.max(to - title);
        let when = if is_above { title - 1 } else { title + 1 };
        let category = (first(title) < title && !is_above).then(|| title - 1);
        out.insert(first(title), Card { title, when, category, to });
    }
    let towned = |card: &&Card| (card.title + 1..card.to).any(|at| town_alone(&lines[at]).is_some());
    let several = dated.len() >= LEAST && dated.len() * 3 >= heads.len() * 2;
    if several && out.values().filter(towned).count() * 2 >= out.len() { out } else { BTreeMap::new() }
}

/// `Lundi 2 avril - 10:00`, `Tous les jours sauf le mardi, à 11 h`, `Du 10 mars au 30 juin`
fn says_only_when(text: &str) -> bool {
    const LONGEST: usize = 90;
    if text.len() > LONGEST || text.contains('\n') {
        return false;
    }
    let words = Words::of(text);
    let known = marks(&words);
    let when = |at: &usize| {
        known.iter().any(|mark| {
            (mark.from..mark.to).contains(at)
                && matches!(
                    mark.meaning,
                    Meaning::Dates(_) | Meaning::Recurs(_) | Meaning::Until(_) | Meaning::Times(_)
                )
        })
    };
    let content = || {
        let said = |at: &usize| matches!(words.tokens[*at].kind, Kind::Word | Kind::Number);
        (0..words.tokens.len()).filter(said)
    };
    let other = |at: usize| {
        let token = &words.tokens[at];
        is_function(token)
            || token.is_any(PARTS_OF_DAY)
            || token.is_any(&["date", "dates", "horaire", "horaires", "quand", "heure"])
    };
    content().any(|at| when(&at)) && content().all(|at| when(&at) || other(at))
}

/// `Jeune public`, `Exposition`
fn is_category(line: &Line) -> bool {
    const MOST_WORDS: usize = 3;
    const OTHERS: [&str; 8] = ["jeune", "public", "nature", "famille", "sport", "exposition", "divers", "terroir"];
    let words = Words::of(&line.text);
    let known = words
        .tokens
        .iter()
        .any(|token| is_event_noun(token) || token.is_any(THEMES) || token.is_any(GENRES) || token.is_any(&OTHERS));
    let bare = words.tokens.iter().all(|token| token.kind == Kind::Word || token.is_any(&["/", "&", "-", ","]));
    line.shape.heading == 0 && known && bare && line.text.split(' ').count() <= MOST_WORDS && !says_status(&line.text)
}

/// The commune that a line names, and nothing else.
fn town_alone(line: &Line) -> Option<String> {
    lone_name(line).filter(|name| line.shape.heading == 0 && !communes::departments(name).is_empty())
}

impl Builder<'_> {
    /// The item of a card, and what its text tells of another day.
    pub(super) fn card(&mut self, card: Card) {
        self.flush();
        let lines = self.lines;
        let town_at = (card.title + 1..card.to).find(|at| town_alone(&lines[*at]).is_some());
        let town = town_at.and_then(|at| town_alone(&lines[at]));
        let category = card.category.map(|at| lines[at].text.as_str());
        let (found, warnings) = pieces(&lines[card.when].text, &self.calendar, self.around());
        self.out.warnings.extend(warnings);
        let when = &lines[card.when].text;
        let days = match &self.under {
            Under::Days(days) => Some(days.clone()),
            _ => None,
        };
        // What the text tells of another hour, on a day that it names.
        let mut beside: Vec<(usize, (usize, usize), Under)> = Vec::new();
        for at in (card.title + 1..card.to).filter(|at| *at != card.when && Some(*at) != town_at) {
            let words = Words::of(&lines[at].text);
            for (from, to) in sentences(&words) {
                let text = words.slice(from, to);
                if !timing(text).says || !names_a_day(text) || self.facts[at].practical {
                    continue;
                }
                let of_card: Vec<_> = found.iter().flat_map(days_of).collect();
                let around = Around { under: days.as_deref().or(Some(&of_card)), ..self.around() };
                let (told, _) = pieces(text, &self.calendar, around);
                if let [Piece { when: When::Days(days), .. }] = told.as_slice()
                    && days.len() == 1
                    && super::super::sentences::role(&words, from, to) == Role::Tells
                    && text.split(' ').count() > 2
                {
                    let (from, to) = (words.tokens[from].start, words.tokens[to - 1].end);
                    beside.push((at, (from, to), Under::Days(days.clone())));
                }
            }
        }
        let title = lines[card.title].text.trim();
        let name = match says_status(title) || town_alone(&lines[card.title]).is_some() {
            true => title.to_owned(),
            false => named(title),
        };
        let mut entry = Entry { titled: true, placed_by_words: true, ..Entry::of("", Vec::new()) };
        let add = |entry: &mut Entry, at: usize, from: usize, to: usize| {
            if !entry.text.is_empty() {
                entry.text.push('\n');
            }
            let offset = entry.text.len();
            entry.text += &lines[at].text[from..to];
            let links = lines[at].links.iter().filter(|link| link.end <= to && link.start >= from);
            let moved = |link: &Link| Link { start: link.start - from, end: link.end - from, href: link.href.clone() };
            entry.links.extend(links.map(|link| moved(link).moved(offset)));
        };
        add(&mut entry, card.title, 0, lines[card.title].text.len());
        add(&mut entry, card.when, 0, when.len());
        let mut body = String::new();
        for at in (card.title + 1..card.to).filter(|at| *at != card.when) {
            let mut from = 0;
            for (_, (start, end), _) in beside.iter().filter(|(line, ..)| *line == at) {
                if lines[at].text[from..*start].chars().any(char::is_alphanumeric) {
                    add(&mut entry, at, from, *start);
                    body = body + "\n" + lines[at].text[from..*start].trim();
                }
                from = *end;
            }
            if lines[at].text[from..].chars().any(char::is_alphanumeric) {
                add(&mut entry, at, from, lines[at].text.len());
                if Some(at) != town_at && !leads_to_a_page(&lines[at]) {
                    body = body + "\n" + lines[at].text[from..].trim();
                }
            }
        }
        let shown = category.is_some_and(|text| {
            Words::of(text).tokens.iter().any(|token| token.is_any(&["exposition", "expositions", "expo", "expos"]))
        });
        if let Some(at) = card.category {
            add(&mut entry, at, 0, lines[at].text.len());
            // `Atelier`, `Cinéma`: no place of the card.
            if !Words::of(&lines[at].text).tokens.iter().any(is_venue) {
                body = body + "\n" + &lines[at].text;
            }
        }
        entry.town = town.clone().or_else(|| self.town.clone());
        let exhibition = shown && !timing(when).says || is_exhibition(&entry.text);
        let several = found.len() > 1;
        for piece in &found {
            let (under, by_words) = self.under_of(piece, when);
            let ranges = if piece.told.is_empty() { vec![piece.shown] } else { piece.told.clone() };
            let said: Vec<&str> = ranges.iter().map(|(from, to)| when[*from..*to].trim()).collect();
            let said = if several { said.join(" ") } else { when.clone() };
            let under = if exhibition { Under::Exhibitions } else { under };
            let told = Some(format!("{name}\n{said}{body}"));
            self.out.entries.push(Entry { under, told, placed_by_words: by_words, ..entry.clone() });
            if exhibition {
                break;
            }
        }
        for (at, (from, to), under) in beside {
            let text = lines[at].text[from..to].trim();
            let town = entry.town.clone();
            self.out.entries.push(Entry { under, town, placed_by_words: true, ..Entry::of(text, Vec::new()) });
        }
    }
}

fn days_of(piece: &Piece) -> Vec<chrono::NaiveDate> {
    match &piece.when {
        When::Days(days) => days.clone(),
        _ => Vec::new(),
    }
}

fn names_a_day(text: &str) -> bool {
    marks(&Words::of(text)).iter().any(|mark| matches!(mark.meaning, Meaning::Dates(_)))
}

/// `En savoir plus`, a link and nothing else.
fn leads_to_a_page(line: &Line) -> bool {
    const WORDS: [&str; 8] =
        ["en savoir", "lire la", "voir le", "voir la", "plus d'info", "voir plus", "details", "decouvrir"];
    let text = super::super::text::folded(line.text.trim());
    let linked = line.links.iter().any(|link| link.start == 0 && link.end >= line.text.trim_end().len());
    linked && WORDS.iter().any(|start| text.starts_with(start))
}

/// The lines that are within cards.
pub(super) fn within(cards: &BTreeMap<usize, Card>) -> HashSet<usize> {
    cards.iter().flat_map(|(from, card)| *from..card.to).collect()
}
