//! The words of one line, split by day, each stretch with its place.

use chrono::{Datelike, NaiveDate};

use super::super::clock::clock;
use super::super::communes;
use super::super::days::{self, Recurrence, Weekdays};
use super::super::html::Line;
use super::super::lines::{LONGEST_LINE, has_number, is_exhibition, theme_run_in, timing, without_bullet};
use super::super::marks::{Meaning, marks, quotation};
use super::super::names::{self, leading_name};
use super::super::place_field::names_a_venue;
use super::super::practical::{is_dated_practical, is_field, is_practical};
use super::super::sentences::sentences;
use super::super::text::{Kind, Token, Words, is_space};
use super::super::towns::{TownRunIn, is_listed_word, ordinary_town_run_in, town_run_in};
use super::super::when::{Around, Piece, When, pieces};
use super::{Builder, Under, tells_of_an_event};
use crate::domain::agenda::Unplaced;

impl Builder<'_> {
    /// The words of a line: a new item, more of the last one, or several days' items. Shown from byte `shown` on, read
    /// from byte `from` on.
    pub(super) fn words(&mut self, at: usize, shown: usize, from: usize) {
        let line = &self.lines[at];
        // `3. Une rando aux lampions` as a heading
        let numbered = line.text[from..].trim_start_matches(|c: char| c.is_ascii_digit());
        let number = line.text.len() - from - numbered.len();
        if line.shape.heading > 0 && (1..=2).contains(&number) && numbered.starts_with(['.', ')']) {
            let at_words = from + number + 1;
            self.words_from(at, shown.max(at_words), at_words, false);
            return;
        }
        if let Some((end, rest)) = theme_run_in(&line.text[from..]) {
            self.flush();
            let before = self.theme.replace(line.text[from..from + end].trim_start().to_owned());
            self.words_from(at, shown.max(from), from + rest, true);
            self.flush();
            self.theme = before;
            return;
        }
        self.words_from(at, shown, from, false);
    }

    /// `run_in`: what stands before `from` is the theme of the line, and shown with it; else it is a heading.
    fn words_from(&mut self, at: usize, shown: usize, from: usize, run_in: bool) {
        let line = &self.lines[at];
        let skip = |from: usize| {
            line.text[from..].len()
                - line.text[from..].trim_start_matches([':', '.', ',', '|', ' ', '\n', '\u{a0}']).len()
        };
        let mut from = from + skip(from);
        let heading_before = !run_in && from > 0;
        let mut shown = if heading_before { from } else { shown };
        let (cut, mut signed) = without_bullet(&line.text[from..]);
        from += cut;
        shown = if run_in { shown } else { shown.max(from) };
        signed |= line.bullet && !heading_before;
        if self.under == Under::Exhibitions {
            // `Vernissage mardi 5 à 18 h 30.`: a thing to attend beside the exhibition.
            let around = self.around();
            let (found, _) = pieces(&line.text[from..], &self.calendar, around);
            let attended = found.iter().find(|piece| {
                let text = &line.text[from + piece.shown.0..from + piece.shown.1];
                let starts = marks(&Words::of(text)).iter().any(|mark| matches!(&mark.meaning, Meaning::Times(times) if times.slots.iter().any(|slot| slot.end.is_none())));
                matches!(&piece.when, When::Days(days) if days.len() == 1) && piece.told.is_empty() && starts && names_an_opening(text)
            });
            if let Some(Piece { when: When::Days(days), shown: (start, end), .. }) = attended {
                let (days, start, end) = (days.clone(), from + start, from + end);
                self.piece(at, (shown, start), None, Under::Exhibitions, signed, false);
                self.flush();
                self.piece(at, (start, end), None, Under::Days(days), true, true);
                self.flush();
                self.piece(at, (end, line.text.len()), None, Under::Exhibitions, true, false);
                return;
            }
            self.piece(at, (shown, line.text.len()), None, Under::Exhibitions, signed, false);
            return;
        }
        // `Quand : mardi à 10 h` in the list below a title
        if self.pending.as_ref().is_some_and(|pending| pending.holds_to > at) && is_field(&line.text[from..]) {
            let under = self.under.clone();
            self.piece(at, (shown, line.text.len()), None, under, false, false);
            return;
        }
        // A cell that is a town is that of its row.
        self.row_town = None;
        if let Some((town, rest)) = town_of_cell(line, from) {
            self.row_town = Some(town);
            from = rest;
        }
        let titles = line.shape.heading > 0 || self.is_place_of_an_item(at);
        let of_town =
            town_run_in(&line.text[from..], self.pending.is_none() || !signed).or_else(|| self.ordinary_town(at, from));
        if let Some(run_in) =
            of_town.filter(|run_in| !titles && !names_several_places(&line.text[from + run_in.rest..]))
        {
            self.flush();
            if self.block_lists_towns(at) {
                self.row_town = Some(run_in.town);
            } else {
                (self.town, self.venue) = (Some(run_in.town), None);
            }
            from += run_in.rest;
            from += skip(from);
            // `Ternoux. Animations du 16 au 22. Lundi 16…`: the days stand within the town.
            let rest = Words::of(&line.text[from..]);
            let dated = (0..rest.tokens.len().min(6))
                .any(|at| days::date(&rest.tokens, at).is_some_and(|date| has_number(&date.what)));
            self.towns_outside |= dated && self.out.headed.is_empty();
        }
        // `PAIMPOL et PLOUBAZLANEC – Parade`: of neither alone, and not of the town of the line above.
        if begins_with_two_towns(&line.text[from..]) {
            self.flush();
            (self.town, self.venue) = (None, None);
        }
        if self.row_town.is_none() && !titles {
            self.row_town = town_before_comma(&line.text[from..]);
        }
        if let Some(parts) = listed_exhibitions(&line.text[from..]) {
            self.flush();
            for (index, (start, end)) in parts.into_iter().enumerate() {
                let told = line.text[from + start..from + end].to_owned();
                let start = if index == 0 { shown } else { from + start };
                self.piece(at, (start, from + end), Some(told), Under::Exhibitions, true, true);
                self.flush();
            }
            return;
        }
        if is_exhibition(&line.text[from..]) {
            self.piece(at, (shown, line.text.len()), None, Under::Exhibitions, signed, true);
            return;
        }
        let under = match &self.under {
            Under::Days(days) => Some(days.clone()),
            _ => None,
        };
        let last_when = self.last_when.take();
        let before_line = last_when
            .clone()
            .filter(|_| !self.headed_article && self.lead.day.is_none() && goes_on(&line.text[from..]));
        let below_title = self.pending.as_ref().is_some_and(|pending| pending.strong || pending.holds_to > at);
        if below_title && !signed && is_dated_practical(&line.text[from..]) {
            let under = self.under.clone();
            self.piece(at, (shown, line.text.len()), None, under, false, false);
            return;
        }
        // A line that only continues the item above is not cut by the day it mentions.
        let around = Around { under: under.as_deref(), before: last_when.as_ref(), ..self.around() };
        let (found, warnings) = pieces(&line.text[from..], &self.calendar, around);
        self.out.warnings.extend(warnings);
        let mut found = found;
        if found.len() > 1
            && let Some(when) = self.when_of_a_card(&line.text[from..], under.as_deref())
        {
            found = vec![Piece::whole(when, line.text.len() - from)];
        }
        if let Some(when) = before_line {
            // The line goes on with the day of the one above it.
            for piece in found.iter_mut().take_while(|piece| piece.when == When::Inherited) {
                piece.when = when.clone();
            }
        }
        // A name of its own leads to the days behind it, and `; Vittel, stade, 7 h-17 h` tells of it elsewhere.
        if let Some(name) = leading_name(&line.text[from..]) {
            if let [first, next, ..] = found.as_slice()
                && first.when == When::Inherited
                && !line.text[from + name.len()..from + first.shown.1].chars().any(char::is_alphanumeric)
            {
                let (first, next) = (first.shown, next.shown);
                found.remove(0);
                for piece in found.iter_mut().take_while(|piece| piece.shown == next) {
                    if piece.told.is_empty() {
                        piece.told = vec![piece.shown];
                    }
                    piece.shown.0 = first.0;
                }
            }
            for piece in found.iter_mut().skip(1).filter(|piece| piece.told.is_empty()) {
                piece.told = vec![piece.shown];
            }
            found = found.into_iter().flat_map(|piece| by_town(piece, &line.text[from..], name.len())).collect();
        }
        // `Une trentaine d'exposants s'installent sur la place. Ouvert vendredi de 16 h à 20 h, samedi…`: a sentence without a
        // day, under none, leads to those that have theirs. It is shown with them.
        if let [first, rest @ ..] = found.as_slice()
            && !rest.is_empty()
            && first.when == When::Inherited
            && under.is_none()
            && matches!(self.under, Under::Nowhere(_))
            && !timing(&line.text[from + first.shown.0..from + first.shown.1]).says
        {
            let start = first.shown.0;
            found.remove(0);
            let shown = found[0].shown;
            for piece in found.iter_mut().take_while(|piece| piece.shown == shown) {
                if piece.told.is_empty() {
                    piece.told = vec![piece.shown];
                }
                piece.shown.0 = start;
            }
        }
        let last = found.last().map(|piece| piece.when.clone());
        self.last_when = last.clone().filter(|when| matches!(when, When::Days(_)));
        let whole = found.len() == 1;
        for (index, piece) in found.iter().enumerate() {
            let range =
                if index == 0 { (shown, from + piece.shown.1) } else { (from + piece.shown.0, from + piece.shown.1) };
            let range = if piece.told.is_empty() || index > 0 && found[index - 1].shown != piece.shown {
                range
            } else {
                (if piece.shown.0 == 0 { shown } else { from + piece.shown.0 }, from + piece.shown.1)
            };
            let told = self.told(line, from, piece, index == 0 && range.0 < from);
            let (place, by_words) = self.under_of(piece, &line.text[from..]);
            self.piece(at, range, told, place, signed && index == 0, by_words);
            if !whole {
                self.flush();
            }
        }
        // `Lundi 16 juillet. 9 heures, marché…` in a paragraph heads the lines below it too.
        if let Some(When::Days(days)) = last
            && !self.headed_article
            && self.lead.day.is_none()
            && !line.bullet
            && !run_in
            && leading_name(&line.text).is_none()
            && found.last().is_some_and(|piece| {
                let text = &line.text[from + piece.shown.0..from + piece.shown.1];
                begins_with_date_alone(text) && (found.len() == 1 || begins_with_number(text))
            })
        {
            self.under = Under::Days(days);
        }
    }

    /// The day of a card whose last line says when it is, where its text tells of days and hours as well: `Ouverture jeudi à
    /// 19 h par la parade`, then `Tous les jours de 15 h à 23 h | Domme`.
    fn when_of_a_card(&self, text: &str, under: Option<&[NaiveDate]>) -> Option<When> {
        let last = text.rsplit_once('\n').map(|(_, last)| last)?;
        let practical = last.contains('|') || last.contains(" · ") || is_practical(last);
        if !practical || !timing(last).says || under.is_none() {
            return None;
        }
        let (found, _) = pieces(last, &self.calendar, Around { under, ..self.around() });
        let [only] = found.as_slice() else { return None };
        matches!(only.when, When::Inherited | When::Weekly(_)).then(|| only.when.clone())
    }

    /// `Commercy : 11 h…`, `Étain : 15 h…` in one paragraph: the town of a line is not that of the lines below.
    fn block_lists_towns(&self, at: usize) -> bool {
        let line = &self.lines[at];
        line.bullet && line.in_list || self.lines_beside(at).any(|it| begins_with_a_town(&it.text))
    }

    /// The lines above and below in the same paragraph or list.
    fn lines_beside(&self, at: usize) -> impl Iterator<Item = &Line> {
        let line = &self.lines[at];
        let together = move |it: &&Line| {
            it.block == line.block || line.bullet && it.bullet && it.in_list && line.in_list && it.depth == line.depth
        };
        [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|at| self.lines.get(at)).filter(together)
    }

    /// `Bourg : loto à 20 h` between lines that begin with a town: an ordinary word is one there as well.
    fn ordinary_town(&self, at: usize, from: usize) -> Option<TownRunIn> {
        let mut beside = self.lines_beside(at).peekable();
        beside.peek()?;
        if !beside.all(|it| begins_with_a_town(&it.text)) {
            return None;
        }
        ordinary_town_run_in(&self.lines[at].text[from..])
    }

    /// What is read of a piece, where that is not what is shown.
    pub(super) fn told(&self, line: &Line, from: usize, piece: &Piece, behind_town: bool) -> Option<String> {
        if piece.told.is_empty() {
            return behind_town.then(|| line.text[from + piece.shown.0..from + piece.shown.1].to_owned());
        }
        let parts: Vec<&str> =
            piece.told.iter().map(|(a, b)| line.text[from + a..from + b].trim_matches(is_space)).collect();
        let told = parts.join(" ");
        // The name of the item stands before each of its days.
        let name = leading_name(&line.text).filter(|_| !told.contains(names::OPEN));
        Some(name.map_or(told.clone(), |name| format!("{name}\n{told}")))
    }

    /// The place of a piece, and whether its own words gave it.
    pub(super) fn under_of(&self, piece: &Piece, text: &str) -> (Under, bool) {
        match (&piece.when, &self.under) {
            (When::Inherited, under) => {
                // `fermé le lundi` within « tous les jours ».
                let days = match under {
                    Under::Weekly(section) => Under::Weekly(self.weekly(text, *section)),
                    other => other.clone(),
                };
                (days, matches!(under, Under::Weekly(_)))
            }
            (When::TwoReadings, _) => (Under::Nowhere(Unplaced::TwoReadings), false),
            // `Tous les après-midi` under « Du lundi 22 au vendredi 26 »: those of its days.
            (When::Weekly(days), Under::Days(headed)) if headed.len() > 2 => {
                let among = self.weekly(text, *days);
                let days = headed.iter().copied().filter(|day| among.has(day.weekday())).collect::<Vec<_>>();
                (if days.is_empty() { Under::Weekly(among) } else { Under::Listed(days) }, true)
            }
            // `Chaque après-midi` under « Du lundi au vendredi »
            (When::Weekly(Weekdays::ALL), Under::Weekly(section)) => (Under::Weekly(self.weekly(text, *section)), true),
            (When::Weekly(days), _) => (Under::Weekly(self.weekly(text, *days)), true),
            (When::Days(days), _) if days.len() >= 3 => (Under::Listed(days.clone()), true),
            (When::Days(days), _) => (Under::Days(days.clone()), true),
        }
    }

    /// `sauf le lundi`, `du mardi au samedi`: what an item says within its section.
    fn weekly(&self, text: &str, section: Weekdays) -> Weekdays {
        let mut days = section;
        for mark in marks(&Words::of(text)).iter() {
            if let Meaning::Recurs(Recurrence::Except(closed)) = mark.meaning {
                days = days.without(closed);
            }
        }
        days
    }
}

/// `Expos à voir : « Filets bleus » à Pavie ; « Lego » à Auch, jusqu'au 30`: several in one line, each with its name.
fn listed_exhibitions(text: &str) -> Option<Vec<(usize, usize)>> {
    const FAR: usize = 80;
    if text.len() > LONGEST_LINE {
        return None;
    }
    let words = Words::of(text);
    let first = words.tokens.iter().position(|token| token.kind != super::super::text::Kind::Sign)?;
    if !words.is(first, &["expo", "expos", "exposition", "expositions"]) {
        return None;
    }
    let colon = (first..words.tokens.len().min(FAR)).find(|at| words.is(*at, &[":"]))?;
    let opens = |at: usize| words.is(at, &["«", "\""]);
    let mut starts: Vec<usize> = vec![colon + 1];
    let mut at = colon + 1;
    while at < words.tokens.len() {
        if let Some(to) = quotation(&words.tokens, at) {
            at = to;
            continue;
        }
        if words.is(at, &[";"]) {
            starts.push(at + 1);
        }
        at += 1;
    }
    let named = starts.iter().all(|at| opens(*at));
    (named && starts.len() > 1).then(|| {
        let ends = starts[1..].iter().map(|at| words.tokens[at - 1].start).chain([text.len()]);
        starts.iter().zip(ends).map(|(at, end)| (words.tokens[*at].start, end)).collect()
    })
}

fn begins_with_a_town(text: &str) -> bool {
    town_run_in(text, false).is_some() || town_before_comma(text).is_some()
}

/// `Gérardmer, salle des Armes, 14 h : …`: the commune that a line begins with.
fn town_before_comma(text: &str) -> Option<String> {
    const FAR: usize = 60;
    let end = (0..=text.len().min(FAR)).rev().find(|at| text.is_char_boundary(*at))?;
    let words = Words::of(&text[..end]);
    let (town, to) = communes::written(&words, 0)?;
    let ordinary = to == 1 && is_listed_word(&words.tokens[0]);
    (words.is(to, &[","]) && !ordinary).then_some(town)
}

/// The town of the cell that begins at byte `from`, and where the next cell begins.
fn town_of_cell(line: &Line, from: usize) -> Option<(String, usize)> {
    let rest = line.text.get(from..).filter(|_| !line.cells.is_empty())?;
    let (cell, behind) = rest.split_once('\n')?;
    let words = Words::of(cell);
    let (town, to) = communes::written(&words, 0)?;
    let more = behind.contains('\n') && behind.chars().any(char::is_alphabetic);
    (to == words.tokens.len() && more).then(|| (town, from + cell.len() + 1))
}

/// `Pradines : messe, 18 h. Cathédrale : concert, 21 h.`: each sentence has its own place, so the first is not that of all.
fn names_several_places(text: &str) -> bool {
    const LONGEST_NAME: usize = 6;
    if text.len() > LONGEST_LINE {
        return false;
    }
    let words = Words::of(text);
    sentences(&words).into_iter().skip(1).any(|(from, to)| {
        let colon = (from..to.min(from + LONGEST_NAME)).find(|at| words.is(*at, &[":"]));
        colon.is_some_and(|colon| {
            names_a_venue(&words, from, colon) || communes::written(&words, from).is_some_and(|(_, end)| end == colon)
        })
    })
}

/// `L'après-midi, …`, `Le soir, …`, `À midi, …`: a line that goes on with the day of the one before.
fn goes_on(text: &str) -> bool {
    let words = Words::of(text);
    let starts = |list: &[&str]| list.iter().enumerate().all(|(at, word)| words.is(at, &[word]));
    [
        &["l'", "apres-midi"][..],
        &["le", "soir"],
        &["le", "matin"],
        &["a", "midi"],
        &["a", "minuit"],
        &["en", "soiree"],
        &["en", "fin"],
        &["dans", "l'", "apres-midi"],
        &["dans", "la", "soiree"],
        &["en", "matinee"],
        &["le", "meme"],
        &["et", "l'", "apres-midi"],
        &["et", "le", "soir"],
    ]
    .iter()
    .any(|list| starts(list))
}

fn begins_with_two_towns(text: &str) -> bool {
    const LONGEST: usize = 80;
    let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(end, _)| end);
    let words = Words::of(&text[..end]);
    let second = communes::written(&words, 0).filter(|(_, to)| words.is(*to, &["et", "&", "/"])).map(|(_, to)| to + 1);
    second.and_then(|at| communes::written(&words, at)).is_some_and(|(_, to)| words.is(to, &["-", ":", "."]))
}

/// The parts of `Dim. 15 : Rambervillers, centre-ville, dès 6 h ; Vittel, stade, 7 h-17 h`, each of which begins with its town.
fn by_town(piece: Piece, text: &str, name: usize) -> Vec<Piece> {
    let (from, to) = piece.told.first().copied().unwrap_or(piece.shown);
    let from = from.max(name);
    if piece.told.len() > 1 || from >= to || !text[from..to].contains([';', ',']) {
        return vec![piece];
    }
    let words = Words::of(&text[from..to]);
    let said = |token: &Token| matches!(token.kind, Kind::Word | Kind::Number);
    let first = words.tokens.iter().position(said).unwrap_or(0);
    let first =
        days::date(&words.tokens, first).filter(|date| words.is(date.to, &[":"])).map_or(first, |date| date.to + 1);
    let mut starts = vec![first];
    let hour_and_town = |at: usize| {
        let hour = clock(&words.tokens, at).filter(|hour| words.is(hour.to, &["a"]))?;
        communes::written(&words, hour.to + 1)
    };
    // `22 h 30 à Bergerac (quai Salvette), 23 h à Nontron`
    let by_hour = hour_and_town(first).is_some();
    let parted =
        |at: &usize| words.is(*at, &[";"]) || by_hour && words.is(*at, &[","]) && hour_and_town(*at + 1).is_some();
    starts.extend((first..words.tokens.len()).filter(parted).map(|at| at + 1));
    let town = |at: &usize| match by_hour {
        true => hour_and_town(*at).is_some(),
        false => communes::written(&words, *at).is_some_and(|(_, to)| words.is(to, &[","])),
    };
    if !starts.iter().all(town) {
        return vec![piece];
    }
    let ends = starts.iter().skip(1).map(|at| words.tokens[at - 1].start).chain([to - from]);
    let part = |(start, end): (&usize, usize)| {
        let told = (from + words.tokens[*start].start, from + end);
        let shown = if *start == first { (piece.shown.0, told.1) } else { told };
        let mut part = Piece::whole(piece.when.clone(), 0);
        (part.shown, part.told) = (shown, vec![told]);
        part
    };
    starts.iter().zip(ends).map(part).collect()
}

/// Whether a line among the exhibitions names what one attends beside them.
fn names_an_opening(text: &str) -> bool {
    const FAR: usize = 24;
    let words = Words::of(text);
    tells_of_an_event(text)
        || words.tokens.iter().take(FAR).any(|token| token.is_any(&["vernissage", "inauguration", "finissage"]))
}

/// Whether the date it begins with has its number: `Dimanche : …` behind two other days of the line does not head those below.
fn begins_with_number(text: &str) -> bool {
    let words = Words::of(text);
    let first = words.tokens.iter().position(|token| token.kind != super::super::text::Kind::Sign).unwrap_or(0);
    days::date(&words.tokens, first).is_some_and(|date| has_number(&date.what))
}

/// `Lundi 16 juillet. 9 heures, marché`: the date is a sentence, or ends with a colon.
fn begins_with_date_alone(text: &str) -> bool {
    let words = Words::of(text.trim_start());
    days::date(&words.tokens, 0).is_some_and(|date| words.is(date.to, &[".", ":", "-"]))
}
