//! Cards: a list of events in which each has a heading, a line that says only when, and its place, or its town alone, on a line
//! of its own. All that stands between two such headings is of the one card: its town, its days and its text are no news for others.
//! So are the chapters of a newspaper that end with `Infos pratiques : samedi 11 décembre, de 10 h à 19 h, halle de Seissan`.

use std::collections::{BTreeMap, HashSet};

use super::super::communes;
use super::super::days;
use super::super::hours;
use super::super::html::{Line, Link};
use super::super::lines::{DayLine, footer, is_exhibition, timing};
use super::super::marks::{Meaning, marks};
use super::super::names::named;
use super::super::place_field::{ends_with_town, place_field};
use super::super::sentences::{Role, role, sentences};
use super::super::text::{Kind, Token, Words, folded};
use super::super::towns::lone_name;
use super::super::when::{Piece, When, pieces};
use super::super::words::{GENRES, PARTS_OF_DAY, THEMES, is_event_noun, is_function, is_venue};
use super::nested::town_of;
use super::{Around, Builder, Entry, Facts, Under, says_status};

/// The lines of a card, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Card {
    title: usize,
    /// The line that says when, and nothing else, and the line after it: its date and its hour may stand in two.
    when: usize,
    when_to: usize,
    category: Option<usize>,
    /// The line after what stands above all that: `Complet`.
    above_to: usize,
    /// The line after its last.
    pub(super) to: usize,
}

/// The cards of an article, by the number of their first line.
pub(super) fn cards(lines: &[Line], read: &[Option<DayLine>], facts: &[Facts]) -> BTreeMap<usize, Card> {
    let listed = (2..=6).map(|level| of_level(lines, read, facts, level)).find(|cards| !cards.is_empty());
    listed.unwrap_or_else(|| chapters(lines, read))
}

/// The chapters that say in a line with its label when they take place.
fn chapters(lines: &[Line], read: &[Option<DayLine>]) -> BTreeMap<usize, Card> {
    const LEAST: usize = 2;
    const MOST_LINES: usize = 8;
    let head = |at: &usize| lines[*at].shape.heading > 1;
    let heads = (0..lines.len()).filter(head).filter(|at| read[*at].is_none());
    let chapter = |title: usize| {
        let to = (title + 1..lines.len()).find(head).unwrap_or(lines.len()).min(title + 1 + MOST_LINES);
        let when = (title + 1..to).find(|at| practical_words(&lines[*at].text) > 0)?;
        // Its own hour is that of what the chapter tells.
        let text = &lines[when].text[practical_words(&lines[when].text)..];
        let words = Words::of(text);
        let date = days::date(&words.tokens, 0)?;
        let near = date.to + 3;
        let hour = (date.to..near).any(|at| hours::time(&words.tokens, at).is_some());
        hour.then_some((title, Card { title, when, when_to: when + 1, category: None, above_to: title, to: when + 1 }))
    };
    let found: BTreeMap<usize, Card> = heads.filter_map(chapter).collect();
    if found.len() >= LEAST { found } else { BTreeMap::new() }
}

/// Where the words begin behind `Infos pratiques :`; 0 where a line does not begin so.
fn practical_words(text: &str) -> usize {
    const LABELS: [&str; 4] = ["infos pratiques", "informations pratiques", "info pratique", "pratique"];
    let Some((label, rest)) = text.split_once(':').filter(|(label, _)| label.len() <= 30) else { return 0 };
    let known = LABELS.contains(&folded(label.trim()).as_str());
    if known { text.len() - rest.trim_start().len() } else { 0 }
}

fn of_level(lines: &[Line], read: &[Option<DayLine>], facts: &[Facts], level: u8) -> BTreeMap<usize, Card> {
    const LEAST: usize = 3;
    // In a container with its heading the line that says when may tell more: `Sam. 29/04 · 21 h (initiation à 20 h 15)`.
    let beside_its_heading = |at: usize| {
        at > 0 && lines[at].frame > 0 && lines[at - 1].frame == lines[at].frame && lines[at - 1].shape.heading == level
    };
    let plain = |at: usize| {
        lines.get(at).is_some_and(|line| {
            line.shape.heading == 0
                && (says_only_when(&line.text) || beside_its_heading(at) && begins_with_when(&line.text))
        })
    };
    // `Soirée contes` says a part of the day as well.
    let heads: Vec<usize> = (0..lines.len())
        .filter(|at| lines[*at].shape.heading == level && read[*at].is_none())
        .filter(|at| !facts[*at].timing.says || plain(at + 1) || *at > 0 && plain(at - 1))
        .collect();
    if heads.len() < LEAST {
        return BTreeMap::new();
    }
    let below: Vec<usize> = heads.iter().copied().filter(|at| plain(at + 1)).collect();
    let above: Vec<usize> = heads.iter().copied().filter(|at| *at > 0 && plain(at - 1)).collect();
    let is_above = above.len() > below.len();
    let dated = if is_above { above } else { below };
    let with_category = |at: &usize| *at > 0 && !is_above && is_category(&lines[at - 1]);
    let categories = dated.iter().filter(|at| with_category(at)).count() * 3 >= dated.len() * 2;
    // The date and the hour may stand in two lines.
    let when_of = |title: usize| {
        let beside = |at: usize, other: usize| {
            facts[at].says_date != facts[other].says_date
                && facts[at].timing.says != facts[other].timing.says
                && plain(other)
        };
        match title {
            2.. if is_above && beside(title - 1, title - 2) => (title - 2, title),
            _ if is_above => (title - 1, title),
            _ if title + 2 < lines.len() && beside(title + 1, title + 2) => (title + 1, title + 3),
            _ => (title + 1, title + 2),
        }
    };
    let head_of = |at: usize| {
        if is_above { when_of(at).0 } else { at - usize::from(categories && with_category(&at)) }
    };
    // `Complet` at the head of the container of a card, or of each card that says so, is the card's.
    let state_above = |at: usize| at > 0 && facts[at - 1].state_alone && lines[at - 1].shape.heading == 0;
    let states_lead = dated.first().is_some_and(|at| state_above(head_of(*at)));
    // Where each has a container of its own that holds all of it, those are the cards.
    let framed = are_framed(lines, &dated, &when_of, &|at| read[at].is_some());
    let number = |at: usize| lines[at].frame;
    let container = |at: usize| if framed { number(at) } else { 0 };
    let first = |at: usize| {
        let head = head_of(at);
        match container(at) {
            0 => head - usize::from(states_lead && state_above(head)),
            card => (0..head).rev().take_while(|above| number(*above) == card).last().unwrap_or(head),
        }
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
        let to = match container(title) {
            0 => (title + 1..limit).find(ends).unwrap_or(limit),
            card => (title + 1..lines.len()).find(|at| number(*at) != card).unwrap_or(lines.len()),
        };
        longest = longest.max(to - title);
        let (when, when_to) = when_of(title);
        let category = (head_of(title) < title && !is_above).then(|| title - 1);
        out.insert(first(title), Card { title, when, when_to, category, above_to: head_of(title), to });
    }
    let towned = |card: &&Card| {
        (card.title + 1..card.to).any(|at| town_alone(&lines[at]).is_some() || says_place(&lines[at].text))
    };
    let several = dated.len() >= LEAST && dated.len() * 3 >= heads.len() * 2;
    if several && out.values().filter(towned).count() * 2 >= out.len() { out } else { BTreeMap::new() }
}

/// Whether each heading of `dated` stands with its date in a container of its own, and what stands between those is
/// mostly nothing but headings.
fn are_framed(
    lines: &[Line],
    dated: &[usize],
    when_of: &dyn Fn(usize) -> (usize, usize),
    is_day: &dyn Fn(usize) -> bool,
) -> bool {
    let own = dated.iter().all(|at| {
        let frame = lines[*at].frame;
        let (from, to) = when_of(*at);
        let above = (0..from.min(*at)).rev().take_while(|above| lines[*above].frame == frame);
        frame > 0 && lines[from..to].iter().all(|line| line.frame == frame) && !above.into_iter().any(is_day)
    });
    let apart = dated.windows(2).all(|pair| lines[pair[0]].frame != lines[pair[1]].frame);
    let between = |at: &usize| lines[*at].frame > 0 || lines[*at].shape.heading > 0 || is_day(*at);
    // A line between two may be an advertisement; behind most it would be the rest of the card.
    let broken = dated.windows(2).filter(|pair| !(pair[0]..pair[1]).all(|at| between(&at))).count();
    own && apart && broken * 2 < dated.len()
}

/// `Sam. 29/04 · 21 h (initiation à 20 h 15)`: when it is, and the brackets at its end where those tell of another hour.
fn without_brackets(when: &str) -> (&str, &str) {
    let start = when.find('(').filter(|start| when.ends_with(')') && *start > 0).unwrap_or(when.len());
    let (before, brackets) = when.split_at(start);
    let another = timing(before).says && timing(brackets).says && !says_only_when(brackets);
    if another { (before.trim_end(), brackets) } else { (when, "") }
}

/// A line of a card is short.
fn is_short(text: &str) -> bool {
    const LONGEST: usize = 90;
    text.len() <= LONGEST && !text.contains('\n')
}

/// `Samedi 29 avril, départs entre 9 h et 11 h`, `Sam. 29/04 · 21 h (initiation à 20 h 15)`: a date first, and an hour.
fn begins_with_when(text: &str) -> bool {
    if !is_short(text) {
        return false;
    }
    let words = Words::of(text);
    let known = marks(&words);
    let first = (0..words.tokens.len()).find(|at| !is_function(&words.tokens[*at]));
    let dates = |meaning: &Meaning| matches!(meaning, Meaning::Dates(_) | Meaning::Recurs(_) | Meaning::Until(_));
    let begins =
        known.iter().any(|mark| dates(&mark.meaning) && first.is_some_and(|at| (mark.from..mark.to).contains(&at)));
    begins && known.iter().any(|mark| matches!(mark.meaning, Meaning::Times(_)))
}

/// `Lundi 2 avril - 10:00`, `Tous les jours sauf le mardi, à 11 h`, `Du 10 mars au 30 juin`
fn says_only_when(text: &str) -> bool {
    if !is_short(text) {
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

/// `Ferme du Tertre, Naveil`: a venue and its town, and nothing else.
fn says_place(text: &str) -> bool {
    if !is_short(text) {
        return false;
    }
    let words = Words::of(text);
    let end = words.tokens.len();
    place_field(&words, 0, end).is_some_and(|place| place.commune.is_some()) || ends_with_town(&words, 0, end).is_some()
}

impl Builder<'_> {
    /// The item of the card that begins at line `from`, and what its text tells of another day.
    pub(super) fn card(&mut self, from: usize, card: Card) {
        self.flush();
        let lines = self.lines;
        let town_at = (card.title + 1..card.to).find(|at| town_alone(&lines[*at]).is_some());
        let town = town_at.and_then(|at| town_alone(&lines[at]));
        let category = card.category.map(|at| lines[at].text.as_str());
        let said: Vec<&str> = lines[card.when..card.when_to].iter().map(|line| line.text.as_str()).collect();
        let when = said.join(" ");
        let (when, beside_it) = without_brackets(&when[practical_words(&when)..]);
        let (found, warnings) = pieces(when, &self.calendar, Around { of_a_card: true, ..self.around() });
        self.out.warnings.extend(warnings);
        let is_chapter = practical_words(&lines[card.when].text) > 0;
        let of_when = |at: &usize| (card.when..card.when_to).contains(at);
        let beside = self.told_beside(card, town_at, &found);
        let title = unnumbered(lines[card.title].text.trim());
        let name = match is_chapter || says_status(title) || town_alone(&lines[card.title]).is_some() {
            true => title.to_owned(),
            false => named(title),
        };
        let mut entry = Entry { titled: true, placed_by_words: true, ..Entry::of("", Vec::new()) };
        let add = |entry: &mut Entry, at: usize, from: usize, to: usize| append(entry, &lines[at], (from, to));
        add(
            &mut entry,
            card.title,
            lines[card.title].text.len() - unnumbered(&lines[card.title].text).len(),
            lines[card.title].text.len(),
        );
        (card.when..card.when_to).for_each(|at| add(&mut entry, at, 0, lines[at].text.len()));
        let mut body = String::new();
        (from..card.above_to).for_each(|at| {
            add(&mut entry, at, 0, lines[at].text.len());
            body.push('\n');
            body += &lines[at].text;
        });
        for at in (card.title + 1..card.to).filter(|at| !of_when(at)) {
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
        // Its place stands between them.
        if !beside_it.is_empty() {
            body = body + "\n" + beside_it;
        }
        // `En savoir plus` leads to the page of the thing.
        if !entry.links.iter().any(|link| link.start < title.len())
            && let Some(at) = (from..card.to).find(|at| leads_to_a_page(&lines[*at]))
            && let Some(link) = lines[at].links.first()
        {
            entry.links.insert(0, Link { start: 0, end: title.len(), href: link.href.clone() });
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
        let of_heading = || town_of(title).filter(|_| is_chapter);
        entry.town = town.clone().or_else(of_heading).or_else(|| self.town.clone());
        let exhibition = shown && !timing(when).says || is_exhibition(&entry.text);
        let several = found.len() > 1;
        let each = said_of_each(&found, when);
        for (piece, said) in found.iter().zip(each) {
            let (under, by_words) = self.under_of(piece, when);
            let said = if several { said } else { when.to_owned() };
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

    /// What the text of a card tells of another hour, on a day that it names: the line, the bytes, and the day. In a chapter also on its
    /// one day: `À 15 h 30, la conservatrice propose une visite`.
    fn told_beside(&self, card: Card, town_at: Option<usize>, found: &[Piece]) -> Vec<(usize, (usize, usize), Under)> {
        let lines = self.lines;
        let is_chapter = practical_words(&lines[card.when].text) > 0;
        let days = match &self.under {
            Under::Days(days) => Some(days.as_slice()),
            _ => None,
        };
        let of_card: Vec<_> = found.iter().flat_map(days_of).collect();
        let around = || Around { under: days.or(Some(of_card.as_slice())), ..self.around() };
        let mut beside = Vec::new();
        let of_when = |at: &usize| (card.when..card.when_to).contains(at);
        let others = (card.title + 1..card.to).filter(|at| !of_when(at) && Some(*at) != town_at);
        for at in others.filter(|at| !self.facts[*at].practical) {
            let words = Words::of(&lines[at].text);
            for (from, to) in sentences(&words) {
                let text = words.slice(from, to);
                let tells = |token: &Token| is_event_noun(token) && !is_venue(token);
                let attended = is_chapter && words.tokens[from..to].iter().any(tells);
                if !timing(text).says || !names_a_day(text) && !attended {
                    continue;
                }
                let (told, _) = pieces(text, &self.calendar, around());
                let days = match told.as_slice() {
                    [Piece { when: When::Inherited, .. }] if attended => of_card.clone(),
                    [Piece { when: When::Days(days), .. }] => days.clone(),
                    _ => continue,
                };
                if days.len() == 1 && role(&words, from, to) == Role::Tells && text.split(' ').count() > 2 {
                    let (from, to) = (words.tokens[from].start, words.tokens[to - 1].end);
                    beside.push((at, (from, to), Under::Days(days)));
                }
            }
        }
        beside
    }
}

/// Some bytes of a line as the next line of an entry, with its links.
fn append(entry: &mut Entry, line: &Line, (from, to): (usize, usize)) {
    if !entry.text.is_empty() {
        entry.text.push('\n');
    }
    let offset = entry.text.len();
    entry.text += &line.text[from..to];
    let links = line.links.iter().filter(|link| link.end <= to && link.start >= from);
    let moved = |link: &Link| Link { start: link.start - from, end: link.end - from, href: link.href.clone() };
    entry.links.extend(links.map(|link| moved(link).moved(offset)));
}

/// What a line that says when says of each of its days. Of `vendredi à 20 h et samedi à 18 h, au Dôme` what stands behind the
/// last hour is of each.
pub(super) fn said_of_each(found: &[Piece], when: &str) -> Vec<String> {
    let words_of = |piece: &Piece| {
        let ranges = if piece.told.is_empty() { vec![piece.shown] } else { piece.told.clone() };
        ranges.iter().map(|(from, to)| when[*from..*to].trim()).collect::<Vec<_>>().join(" ")
    };
    let mut said: Vec<String> = found.iter().map(words_of).collect();
    // `samedi 29, 20 h 30, dimanche 30, 14 h 30, centre culturel`: hours may stand between commas.
    let shared = said.last().and_then(|last| {
        let commas = last.match_indices(", ").map(|(at, _)| at);
        commas.filter(|at| says_only_when(&last[..*at])).last().map(|at| last[at + 2..].to_owned())
    });
    if let Some(shared) = shared.filter(|rest| found.len() > 1 && rest.chars().any(char::is_alphabetic)) {
        let (_, others) = said.split_last_mut().unwrap_or((&mut String::new(), &mut []));
        for other in others.iter_mut().filter(|other| says_only_when(other)) {
            let bare = other.trim_end_matches([',', ' ']).len();
            other.truncate(bare);
            *other += ", ";
            *other += &shared;
        }
    }
    said
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

/// `5. Rire un bon coup` without its number.
fn unnumbered(title: &str) -> &str {
    let rest = title.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = title.len() - rest.len();
    rest.strip_prefix(['.', ')']).filter(|_| (1..=2).contains(&number)).map_or(title, str::trim_start)
}

/// `En savoir plus`, a link and nothing else.
fn leads_to_a_page(line: &Line) -> bool {
    const WORDS: [&str; 8] =
        ["en savoir", "lire la", "voir le", "voir la", "plus d'info", "voir plus", "details", "decouvrir"];
    let text = folded(line.text.trim());
    let linked = line.links.iter().any(|link| link.start == 0 && link.end >= line.text.trim_end().len());
    linked && WORDS.iter().any(|start| text.starts_with(start))
}

/// The lines that are within cards.
pub(super) fn within(cards: &BTreeMap<usize, Card>) -> HashSet<usize> {
    cards.iter().flat_map(|(from, card)| *from..card.to).collect()
}
