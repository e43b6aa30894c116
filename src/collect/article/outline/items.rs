//! Builds an item: whether the next line belongs to it, and what it is when it ends.

use super::super::days::Weekdays;
use super::super::html::{Line, Link};
use super::super::lines::{
    Form, LONGEST_LINE, Timing, footer, has_number, is_exhibition, says_date, timing, without_bullet,
};
use super::super::marks::{Meaning, marks};
use super::super::practical::{is_dated_practical, is_detail, is_dishes, is_field, is_practical};
use super::super::sentences::{Role, line_role, role, sentences, tells_of_nothing};
use super::super::text::{Kind, Token, Words, folded, is_space};
use super::super::towns::town_run_in;
use super::super::when::{Around, Piece, When, pieces};
use super::super::words::{is_event_noun, is_function};
use super::cards::said_of_each;
use super::nested::town_of;
use super::{Builder, Entry, Under, is_state_alone, tells_of_an_event};
use crate::domain::agenda::{Unplaced, Week};

/// An item that may still grow with the following lines.
pub(super) struct Pending {
    pub(super) entry: Entry,
    pub(super) block: usize,
    pub(super) in_list: bool,
    /// Lists around its first line.
    pub(super) depth: usize,
    pub(super) bullet: bool,
    /// Its first line stands out as a title.
    pub(super) strong: bool,
    pub(super) timed: bool,
    pub(super) only_time: bool,
    /// Its first line is a heading.
    pub(super) headed: bool,
    /// Line number up to which the lines were found to belong to it.
    pub(super) holds_to: usize,
    /// Where its practical line puts it, with that day's words, where it names several days.
    pub(super) dated: Vec<(Under, Option<String>)>,
}

impl Builder<'_> {
    /// A stretch of a line: a new item, or more of the one before it.
    pub(super) fn piece(
        &mut self,
        at: usize,
        (start, to): (usize, usize),
        told: Option<String>,
        under: Under,
        signed: bool,
        by_words: bool,
    ) {
        let line = &self.lines[at];
        let raw = &line.text[start..to];
        let lead = raw.len() - raw.trim_start_matches(|c: char| is_space(c) || matches!(c, ',' | ';' | '.')).len();
        let start = start + lead;
        let text = line.text[start..to].trim_end();
        if !text.chars().any(char::is_alphanumeric) {
            return;
        }
        let links = links_within(line, start, start + text.len());
        if told.is_none() && under != Under::Exhibitions && self.looks_ahead(text) {
            self.flush();
            let under = Under::Nowhere(Unplaced::OtherWeek);
            self.out.entries.push(Entry { under, ..Entry::of(text, links) });
            return;
        }
        let bullet = std::mem::take(&mut self.bullet_waits) || signed;
        let time = timing(text);
        let strong = line.shape.strong && !self.ignore_strong;
        // A list within an item holds its details.
        let nested = told.is_none()
            && self.pending.as_ref().is_some_and(|pending| {
                line.depth > pending.depth && pending.entry.under == under && !time.says && is_detail(text)
            });
        let state = bullet
            && told.is_none()
            && self.is_state_of_pending(at, text)
            && self
                .pending
                .as_ref()
                .is_some_and(|pending| pending.entry.under == under && pending.in_list == line.in_list);
        if nested || state || !bullet && told.is_none() && self.joins(at, text, time, strong, &under) {
            self.join(line, text, links, time, strong);
            return;
        }
        self.flush();
        // A bold sentence is an introduction, not a title.
        let sentence = text.ends_with(['.', '!']) && text.split(' ').count() > 8;
        // `7. Une marche aux lampions` as a heading
        let numbered = line.shape.heading > 0
            && line.text[..start].chars().all(|c| c.is_ascii_digit() || is_space(c) || matches!(c, '.' | ')'));
        let whole = start == 0 || numbered;
        let title = !bullet && !time.says && (line.shape.heading > 0 || strong && !sentence) && whole;
        let under = if title && self.leaves_the_days(line) {
            self.under = Under::Nowhere(Unplaced::NoDay);
            self.under.clone()
        } else {
            under
        };
        let holds_to = if told.is_none() && start + text.len() >= line.text.trim_end().len() {
            self.title_holds_to(at, text, bullet, time)
        } else {
            at
        };
        let mut entry = Entry {
            under,
            told,
            town: (self.row_town.clone())
                .or_else(|| self.town_of_chapter(at))
                .or_else(|| self.town.clone())
                .or_else(|| self.usual_town_for(text)),
            venue: self.venue.clone(),
            theme: self.theme.clone(),
            chapter: self.theme.is_some() && self.is_chapter(at),
            placed_by_words: by_words,
            heading: title && line.shape.heading > 0,
            titled: title || holds_to > at,
            ..Entry::of(text, links)
        };
        if let Some(category) = self.category.take() {
            entry.text.push('\n');
            entry.text += &category;
        }
        self.pending = Some(Pending {
            entry,
            block: line.block,
            in_list: line.in_list,
            depth: line.depth,
            bullet,
            strong: title,
            timed: time.says,
            only_time: time.only,
            headed: line.shape.heading > 0,
            holds_to,
            dated: Vec::new(),
        });
    }

    /// `La semaine prochaine : festival du 18 au 22 août`, `Notez déjà le 16 juin, date de la Nuit des feux`: what comes
    /// after the week of the article.
    fn looks_ahead(&self, text: &str) -> bool {
        #[rustfmt::skip]
        const LATER: [&str; 9] = [
            "la semaine prochaine", "le mois prochain", "le week-end prochain", "semaine prochaine", "prochainement",
            "bientot", "et la semaine prochaine", "et bientot", "a venir",
        ];
        #[rustfmt::skip]
        const NOTE: [&str; 12] = [
            "notez", "a noter", "retenez", "reservez", "save the date", "d'ores et deja", "prochain rendez-vous",
            "prochaine date", "et en ", "et le mois", "a vos agendas", "prenez date",
        ];
        const LONGEST: usize = 400;
        if text.len() > LONGEST {
            return false;
        }
        let plain = folded(text.trim_start_matches(|c: char| !c.is_alphanumeric()));
        let begins = |list: &[&str]| {
            list.iter().any(|start| {
                plain
                    .strip_prefix(start)
                    .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric) || start.ends_with(' '))
            })
        };
        let later = begins(&LATER);
        if !later && !begins(&NOTE) {
            return false;
        }
        let found = marks(&Words::of(text));
        let dates = found.iter().filter_map(|mark| match &mark.meaning {
            Meaning::Dates(spec) if has_number(spec) => Some(self.calendar.dates(spec).days),
            _ => None,
        });
        let days: Vec<_> = dates.flatten().collect();
        let week = self.calendar.week.or_else(|| self.out.headed.last().map(|day| Week::of(*day)));
        let elsewhere = week.is_some_and(|week| days.iter().all(|day| !week.contains(*day)));
        elsewhere && (later || !days.is_empty())
    }

    /// The line after the last one of a title with its text below: `Ternoux, sur les pas des tisserands`, a sentence,
    /// `Rendez-vous à 10 h à la Maison du Lin`. `at` where the line is no such title.
    fn title_holds_to(&self, at: usize, text: &str, bullet: bool, time: Timing) -> usize {
        const MOST_LINES: usize = 5;
        const MOST_FIELDS: usize = 8;
        let plain = |line: &Line| {
            let unmarked = !line.bullet && !without_bullet(&line.text).1 && line.shape.heading == 0;
            unmarked && !line.text.contains('\n') || is_field(&line.text)
        };
        if bullet
            || time.says
            || !plain(&self.lines[at]) && self.lines[at].shape.heading == 0
            || text.split(' ').count() > 14
        {
            return at;
        }
        let fields = self.fields_to(at);
        if fields > at {
            return fields;
        }
        for next in at + 1..self.lines.len().min(at + MOST_LINES) {
            let line = &self.lines[next];
            let practical = self.facts[next].dated_practical;
            let day = !practical && self.read[next].as_ref().is_some_and(|day| day.form != Form::Inside);
            let strong = line.shape.strong && !self.ignore_strong;
            if day || !plain(line) || strong || footer(line).is_some() || self.section_of(next, line).is_some() {
                return at;
            }
            let facts = self.facts[next];
            if facts.timing.says
                && !practical
                && self.lines[at].shape.heading > 0
                && !facts.says_date
                && !facts.practical
            {
                // The text of an article's chapter may tell of hours; its practical line says the day.
                continue;
            }
            if facts.timing.says {
                let fields =
                    self.lines[next + 1..].iter().take(MOST_FIELDS).take_while(|line| is_field(&line.text)).count();
                return if practical || facts.practical { next + 1 + fields } else { at };
            }
            // `Autres représentations les 5 et 6 février.` above the line that says when
            let more = self.lines.get(next + 1).is_some_and(|it| it.block == line.block && plain(it))
                && self.facts[next + 1].dated_practical;
            if facts.says_date && !practical && !more {
                return at;
            }
        }
        at
    }

    /// The line after the last one of a title with fields below it in its paragraph: `Brocante`, `Horaires : 9 h-18 h`,
    /// `Lieu : place Gambetta`, `Buvette`. `at` where it has none.
    fn fields_to(&self, at: usize) -> usize {
        const MOST_LINES: usize = 12;
        let line = &self.lines[at];
        let of_block = |next: &usize| {
            let other = &self.lines[*next];
            other.block == line.block && !other.bullet && other.shape.heading == 0 && footer(other).is_none()
        };
        let to = (at + 1..self.lines.len().min(at + MOST_LINES)).find(|next| !of_block(next));
        let to = to.unwrap_or(self.lines.len().min(at + MOST_LINES));
        let field = |next: usize| next < to && is_field(&self.lines[next].text);
        if !field(at + 1) {
            return at;
        }
        // Another title, with fields of its own.
        let title = |next: &usize| !field(*next) && field(next + 1) && !is_detail(&self.lines[*next].text);
        (at + 2..to).find(title).unwrap_or(to)
    }

    /// Where a practical line below a title puts it.
    fn dated(&mut self, text: &str) -> Vec<(Under, Option<String>)> {
        if !is_dated_practical(text) {
            return Vec::new();
        }
        let text = text.split('\n').next_back().unwrap_or(text);
        let text = text
            .split_once(if is_field(text) { &[':', '?'][..] } else { &[':'] })
            .filter(|(label, _)| label.split(' ').count() <= 3 && !label.chars().any(|c| c.is_ascii_digit()))
            .map_or(text, |(_, rest)| rest);
        let around = Around { of_a_card: true, ..self.around() };
        let (found, warnings) = pieces(text, &self.calendar, around);
        self.out.warnings.extend(warnings);
        let dated: Vec<Piece> = found.into_iter().filter(|piece| piece.when != When::Inherited).collect();
        let several = dated.len() > 1;
        let said = said_of_each(&dated, text);
        dated.iter().zip(said).map(|(piece, said)| (self.under_of(piece, text).0, several.then_some(said))).collect()
    }

    fn join(&mut self, line: &Line, text: &str, links: Vec<Link>, time: Timing, strong: bool) {
        let dated = self.dated(text);
        let Some(pending) = &mut self.pending else { return };
        // `Quand : vendredi 16 h, samedi 10 h` under « Tout le week-end »
        let of_section = matches!(pending.entry.under, Under::Weekly(_)) && is_field(text);
        if pending.dated.is_empty() && (!pending.entry.placed_by_words || of_section) {
            pending.dated = dated;
        }
        pending.entry.text.push('\n');
        let offset = pending.entry.text.len();
        pending.entry.text += text;
        if let Some(told) = &mut pending.entry.told {
            told.push('\n');
            told.push_str(text);
        }
        pending.entry.links.extend(links.into_iter().map(|link| link.moved(offset)));
        pending.entry.heading = false;
        pending.entry.titled |= pending.strong || pending.bullet && self.bullets_are_titles;
        pending.timed |= time.says;
        pending.only_time &= time.only;
        pending.block = line.block;
        pending.strong &= strong || pending.strong;
    }

    /// A heading of the days' own rank that names no day ends them: « Bon à savoir ».
    pub(super) fn leaves_the_days(&self, line: &Line) -> bool {
        self.day_level > 0 && line.shape.heading > 0 && line.shape.heading <= self.day_level
    }

    /// Whether a line without a bullet is more of the item before it.
    fn joins(&self, at: usize, text: &str, time: Timing, strong: bool, under: &Under) -> bool {
        let line = &self.lines[at];
        let Some(pending) = &self.pending else { return false };
        if self.facts[at].state_alone && self.states_lead {
            return false;
        }
        if pending.holds_to > at || self.is_state_of_pending(at, text) && pending.entry.under == *under {
            return true;
        }
        if pending.strong && pending.dated.is_empty() && is_dated_practical(text) && line.shape.heading == 0 {
            return true;
        }
        if pending.entry.under != *under && !pending.entry.placed_by_words {
            return false;
        }
        if line.shape.heading > 0 {
            return false;
        }
        if pending.in_list && line.in_list {
            return !(time.starts && pending.timed) || pending.only_time;
        }
        if pending.in_list != line.in_list {
            return false;
        }
        if pending.strong {
            // A title line with its text below it.
            let fields = || line.block != pending.block && self.fields_to(at) > at;
            let beside = self.lines.get(at + 1).is_some_and(|next| next.block == line.block);
            let card = beside
                && pending.timed
                && line.block != pending.block
                && self.facts[at + 1].dated_practical
                && self.title_holds_to(at, text, false, time) > at;
            let row = text.contains('|') && time.says && !time.starts && pending.timed && line.block != pending.block;
            let another_title =
                card || row || fields() || strong || (time.starts && pending.timed && !is_practical(text));
            return !another_title;
        }
        if pending.bullet && self.bullets_are_titles {
            return !strong;
        }
        if is_detail(text) || !line.shape.stands_out() && self.is_below_a_meal(text) {
            return true;
        }
        if line.block == pending.block
            && !time.starts
            && !says_date(text)
            && !begins_with_event(text)
            && self.tells_one_thing(at)
        {
            return true;
        }
        // A sentence without an hour and without anything to attend tells more of the line above it.
        let sentence = text.ends_with(['.', '!', '…', '?']) && !time.says && !says_date(text);
        if is_exhibition(text) || pending.entry.under == Under::Exhibitions && says_until(text) {
            return false;
        }
        let recurs = pending.entry.under != *under && matches!(under, Under::Weekly(_) | Under::Listed(_));
        if recurs && !is_detail(text) {
            return false;
        }
        if sentence && pending.timed && !line.shape.stands_out() && !tells_of_an_event(text) && !self.ends_the_day(at) {
            return true;
        }
        pending.only_time && (line.block == pending.block || pending.headed)
    }

    /// Whether the line stands in a paragraph of its own between two headings.
    fn is_chapter(&self, at: usize) -> bool {
        const MOST_LINES: usize = 4;
        let line = &self.lines[at];
        let other = |at: &usize| self.lines[*at].block != line.block;
        let above = (at.saturating_sub(MOST_LINES)..at).rev().find(other);
        let below = (at..self.lines.len().min(at + MOST_LINES)).find(other);
        let heads = |at: usize| self.lines[at].shape.heading > 1;
        line.shape.heading == 0 && !line.bullet && above.is_some_and(heads) && below.is_none_or(heads)
    }

    /// `5. Patiner en plein air à Gérardmer`: the town that the heading of a paragraph of its own names.
    fn town_of_chapter(&self, at: usize) -> Option<String> {
        let heading = self.theme.as_deref().filter(|_| self.is_chapter(at))?;
        // `Marciac : avant-goût de jazz`
        town_of(heading).or_else(|| town_run_in(heading, false).filter(|run_in| run_in.known).map(|run_in| run_in.town))
    }

    /// Whether the paragraph of the line begins with its one hour, and the paragraphs beside it with theirs: then all its lines
    /// tell of one thing.
    fn tells_one_thing(&self, at: usize) -> bool {
        const MOST_LINES: usize = 6;
        let block = self.lines[at].block;
        let of_block = |at: &usize| self.lines[*at].block == block;
        let first = (at.saturating_sub(MOST_LINES)..at).rev().take_while(of_block).last().unwrap_or(at);
        let to = (at..self.lines.len().min(at + MOST_LINES)).find(|at| !of_block(at));
        let starts = |at: usize| self.facts[at].timing.starts;
        let heads = |at: usize| self.read[at].is_some() || self.lines[at].shape.heading > 0;
        let beside = |at: Option<usize>| at.is_none_or(|at| starts(at) || heads(at));
        let above = first.checked_sub(1).map(|above| {
            let block = self.lines[above].block;
            (above.saturating_sub(MOST_LINES)..=above)
                .rev()
                .take_while(|at| self.lines[*at].block == block)
                .last()
                .unwrap_or(above)
        });
        let before = above.is_some_and(starts) || to.is_some_and(starts);
        first < at
            && starts(first)
            && (first + 1..to.unwrap_or(at + 1)).all(|at| !starts(at))
            && before
            && beside(above)
            && beside(to.filter(|to| *to < self.lines.len()))
    }

    /// `Annulé.`, `Concert annulé` below an item that tells of a concert: its state.
    fn is_state_of_pending(&self, at: usize, text: &str) -> bool {
        let Some(pending) = self.pending.as_ref().filter(|_| !self.states_lead) else { return false };
        // A state of one kind of thing: `Concert annulé` is not that of a film.
        let named = || {
            let words = Words::of(text);
            let [noun, state] = words.tokens.iter().filter(|token| token.kind == Kind::Word).collect::<Vec<_>>()[..]
            else {
                return false;
            };
            is_event_noun(noun)
                && is_state_alone(&text[state.start..])
                && Words::of(&pending.entry.text).tokens.iter().any(|token| token.fold == noun.fold)
        };
        self.facts[at].state_alone && is_state_alone(text) || text.split(' ').count() == 2 && named()
    }

    /// Whether the line holds the dishes of the meal above it.
    fn is_below_a_meal(&self, text: &str) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.timed && is_dishes(text, &pending.entry.text))
    }

    /// Whether no other item of the day follows: then a sentence may as well be the article's farewell.
    fn ends_the_day(&self, at: usize) -> bool {
        const FAR: usize = 12;
        (at + 1..self.lines.len().min(at + FAR)).all(|next| !self.facts[next].timing.says)
    }

    pub(super) fn flush(&mut self) {
        let Some(Pending { mut entry, timed, dated, .. }) = self.pending.take() else { return };
        if let Some((under, told)) = dated.first() {
            // The other fields are of each day.
            let mut lines = entry.text.split('\n');
            let title = lines.next().unwrap_or_default().to_owned();
            let fields: String = lines
                .filter(|line| is_field(line) && !says_date(line) && !is_dated_practical(line))
                .fold(String::new(), |all, line| all + "\n" + line);
            let tell = |told: &str| format!("{title}\n{told}{fields}");
            // One title, several days with hours of their own: an entry a day.
            for (under, told) in dated.iter().skip(1) {
                let told = told.as_ref().map(|told| tell(told));
                self.out.entries.push(Entry { under: under.clone(), told, placed_by_words: true, ..entry.clone() });
            }
            entry.told = told.as_ref().map(|told| tell(told));
            entry.under = under.clone();
            entry.placed_by_words = true;
            self.out.entries.push(entry);
            return;
        }
        if matches!(entry.under, Under::Nowhere(_)) && entry.heading {
            // A heading that only looked like an item sorts the items below it.
            self.theme = Some(entry.text);
            return;
        }
        let nowhere = entry.under == Under::Nowhere(Unplaced::NoDay);
        if nowhere && !timed && !says_date(&entry.text) && !self.headed_article {
            return;
        }
        if line_role(&Words::of(&entry.text)) != Role::Tells
            && !matches!(entry.under, Under::Exhibitions)
            && !tells_of_nothing(&entry.text)
        {
            entry.under = Under::Nowhere(Unplaced::NotAnEvent);
        }
        // A card of an exhibition under « Toute la semaine ».
        let card = entry.under == Under::Weekly(Weekdays::ALL) && !entry.placed_by_words && is_exhibition(&entry.text);
        // `Expo « Bêtes de pierre », entrée libre` under « Tout le week-end »
        let of_section = matches!(entry.under, Under::Weekly(_)) && entry.under == self.under && !timed;
        if card || of_section && begins_with_exhibition(&entry) {
            entry.under = Under::Exhibitions;
        }
        // `Chaque vendredi, Sophie et Mathias vous disent où sortir`: nothing to attend, and no hour.
        if matches!(entry.under, Under::Weekly(_))
            && entry.placed_by_words
            && !timed
            && !tells_of_an_event(&entry.text)
            && self.under != Under::Weekly(Weekdays::ALL)
        {
            entry.under = Under::Nowhere(Unplaced::NoDay);
        }
        // `Bien sûr, la buvette est ouverte. Bonne semaine à tous !`: the farewell below the last day.
        if matches!(entry.under, Under::Days(_)) && !timed && !says_date(&entry.text) && is_farewell(&entry.text) {
            entry.under = Under::Nowhere(Unplaced::NotAnEvent);
        }
        self.out.entries.push(entry);
    }
}

/// `Repas garbure 12 €`; a whole sentence may tell more of the line above it: `Vin chaud et chocolat pour tous.`
fn begins_with_event(text: &str) -> bool {
    let words = Words::of(text);
    let first = words.tokens.iter().find(|token| token.kind != Kind::Sign && !is_function(token));
    first.is_some_and(is_event_noun) && !text.ends_with('.')
}

/// `La Chapelle : expo « Bêtes de pierre »`
fn begins_with_exhibition(entry: &Entry) -> bool {
    const FAR: usize = 12;
    let words = Words::of(entry.told.as_deref().unwrap_or(&entry.text));
    let shown = |token: &Token| token.is_any(&["exposition", "expo"]);
    let noun = words.tokens.iter().take(FAR).find(|token| is_event_noun(token) || shown(token));
    let recurs = || marks(&words).iter().any(|mark| matches!(mark.meaning, Meaning::Recurs(_) | Meaning::Dates(_)));
    noun.is_some_and(shown) && !recurs()
}

fn is_farewell(text: &str) -> bool {
    if text.len() > LONGEST_LINE {
        return false;
    }
    let words = Words::of(text);
    let aside = sentences(&words).into_iter().any(|(from, to)| role(&words, from, to) == Role::Aside);
    aside && !words.tokens.iter().any(|token| is_event_noun(token) || token.is_any(&["«", "\""]))
}

fn says_until(text: &str) -> bool {
    marks(&Words::of(text)).iter().any(|mark| matches!(mark.meaning, Meaning::Until(_)))
}

pub(super) fn links_within(line: &Line, from: usize, to: usize) -> Vec<Link> {
    let within = line.links.iter().filter(|link| link.end > from && link.start < to);
    within
        .map(|link| Link { start: link.start.max(from) - from, end: link.end.min(to) - from, href: link.href.clone() })
        .collect()
}
