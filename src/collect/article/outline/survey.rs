//! Surveys the form of the whole article before its lines are read: which lines have dates, which are towns.

use std::collections::{HashMap, HashSet};

use super::super::communes;
use super::super::days::Spec;
use super::super::html::{Line, Shape};
use super::super::lines::{
    DayLine, Form, LONGEST_LINE, Section, footer, has_number, is_lone_bullet, look, section, without_bullet,
};
use super::super::marks::{Meaning, marks};
use super::super::place_field::{names_a_venue, place_field};
use super::super::places::Place;
use super::super::sentences::Role;
use super::super::text::{Kind, Token, Words, tidy, trimmed};
use super::super::towns::lone_name;
use super::super::words::{THEMES, is_event_noun, is_function, is_venue};
use super::grid::is_grid_header;
use super::{Facts, says_today};

/// A line that dates itself and tells something.
pub(super) fn is_dated_item(line: &Line, facts: Facts) -> bool {
    let times = facts.timing;
    line.shape.heading == 0
        && (line.bullet || line.in_list || without_bullet(&line.text).1 || times.says)
        && (facts.says_date || (days_of_the_week(&line.text) || says_today(&line.text)) && times.says)
        && facts.role == Role::Tells
}

/// Names alone on a line that order the article by town: each has a line with an hour or a bullet below it, and there
/// are several, or the name is that of a commune.
pub(super) fn lone_towns(lines: &[Line], read: &[Option<DayLine>], facts: &[Facts]) -> HashSet<usize> {
    let found: Vec<usize> = (0..lines.len().saturating_sub(1))
        .filter(|at| {
            let (line, next) = (&lines[*at], &lines[at + 1]);
            // `Humour` below the bold title of a card is its category.
            let above = at.checked_sub(1).filter(|above| lines[*above].shape.strong && read[*above].is_none());
            !line.bullet
                && read[*at].is_none()
                && (line.shape.stands_out() || above.is_none())
                && lone_name(line).is_some()
                && read[at + 1].as_ref().is_none_or(|day| day.form != Form::Heading)
                && (facts[at + 1].timing.says || next.bullet || without_bullet(&next.text).1)
        })
        .collect();
    let known = |at: &usize| matches!(section(&lines[*at]), Some(Section::Town(_)));
    let several = found.len() >= 2 && found.iter().all(|at| look(&lines[*at]).0 == look(&lines[found[0]]).0);
    found.into_iter().filter(|at| several || known(at)).collect()
}

/// How headings look that are communes for the most part: the chapters of an article that is ordered by commune.
pub(super) fn commune_looks(lines: &[Line], read: &[Option<DayLine>]) -> HashSet<(Shape, bool)> {
    const LEAST: usize = 2;
    let mut counts: HashMap<(Shape, bool), (usize, usize)> = HashMap::new();
    for (line, _) in lines.iter().zip(read).filter(|(line, day)| line.shape.heading > 0 && day.is_none()) {
        let (towns, all) = counts.entry(look(line)).or_default();
        *towns += usize::from(matches!(section(line), Some(Section::Town(_))));
        *all += 1;
    }
    counts.into_iter().filter(|(_, (towns, all))| *towns >= LEAST && towns * 2 > *all).map(|(look, _)| look).collect()
}

/// `Salle des fêtes de Nedde`, `Lamastre – cinéma Le Foyer`: headings that look alike and name where what stands below
/// them takes place. One alone may as well be a title.
pub(super) fn place_headings(lines: &[Line], read: &[Option<DayLine>], facts: &[Facts]) -> HashMap<usize, Place> {
    const LEAST: usize = 2;
    let says_when = |at: usize| facts[at].timing.says || facts[at].says_date || is_grid_header(&lines[at]);
    let heads = |at: &usize| {
        let (line, below) = (&lines[*at], at + 1);
        let stands_out = line.shape.stands_out() && !line.bullet && line.text.len() <= LONGEST_HEADING;
        stands_out
            && read[*at].is_none()
            && !says_when(*at)
            && below < lines.len()
            && lines[below].shape.heading == 0
            && says_when(below)
    };
    let mut found: HashMap<usize, Place> =
        (0..lines.len()).filter(heads).filter_map(|at| Some((at, place_heading(&lines[at].text)?))).collect();
    let alike = |shape: Shape| {
        let of_shape = || found.iter().filter(|(at, _)| lines[**at].shape == shape);
        of_shape().count() >= LEAST && of_shape().any(|(_, place)| place.commune.is_some())
    };
    let kept: HashSet<usize> = found.keys().copied().filter(|at| alike(lines[*at].shape)).collect();
    found.retain(|at, _| kept.contains(at));
    found
}

const LONGEST_HEADING: usize = 90;

/// The venue that a heading is, with its town if it says it. A town alone is no such heading.
fn place_heading(text: &str) -> Option<Place> {
    let words = Words::of(text);
    let end = words.tokens.len();
    let thing = |token: &Token| {
        let named = token.capital && token.fold.contains('-');
        is_event_noun(token) && !is_venue(token) && !named || token.is_any(&["«", "\"", "!", "?"])
    };
    let field = place_field(&words, 0, end).filter(|place| place.venue.is_some());
    if let Some(place) = field {
        let sure = place.commune.is_some() || names_a_venue(&words, 0, end);
        let named = |place: Place| {
            // `Salle des fêtes de Nedde`, in Nedde
            let of = place.commune.as_ref().and_then(|commune| {
                let venue = place.venue.as_deref()?;
                [" de ", " d'", " d’", " du "]
                    .iter()
                    .find_map(|of| venue.strip_suffix(commune.as_str())?.strip_suffix(of))
            });
            Place { venue: of.map(str::to_owned).or(place.venue.clone()), ..place }
        };
        return (sure && !words.tokens.iter().any(|token| token.is_any(&["«", "!", "?"]))).then(|| named(place));
    }
    // `Lombez – Le Palace`
    if let Some((town, to)) = communes::written(&words, 0).filter(|(_, to)| words.is(*to, &["-", ":"]))
        && to + 1 < end
    {
        let venue = tidy(trimmed(words.slice(to + 1, end)));
        return (!words.tokens[to..].iter().any(thing)).then(|| Place {
            commune: Some(town),
            venue: Some(venue),
            to: end,
            ..Place::default()
        });
    }
    // `La Bascule, tiers-lieu – Gentioux-Pigerolles`
    let dash = (1..end).rev().find(|at| words.is(*at, &["-", "("]) && words.tokens[*at].kind == Kind::Sign)?;
    let closed = end - usize::from(words.is(end - 1, &[")"]));
    let (town, _) = communes::written(&words, dash + 1).filter(|(_, to)| *to == closed)?;
    let venue = tidy(trimmed(words.slice(0, dash)));
    (!venue.is_empty() && !words.tokens.iter().any(thing)).then(|| Place {
        commune: Some(town),
        venue: Some(venue),
        to: end,
        ..Place::default()
    })
}

/// Whether the lines with a bullet are titles, and what stands between them is text: `► Bal | 21 h`, then a sentence.
pub(super) fn bullets_are_titles(lines: &[Line], read: &[Option<DayLine>]) -> bool {
    let signed = |line: &Line| line.bullet || without_bullet(&line.text).1;
    let titles = (0..lines.len()).filter(|at| signed(&lines[*at]) && !is_lone_bullet(&lines[*at].text)).count();
    let followed = lines
        .windows(2)
        .zip(read.windows(2))
        .filter(|(pair, days)| {
            signed(&pair[0])
                && !is_lone_bullet(&pair[0].text)
                && !signed(&pair[1])
                && days[1].is_none()
                && pair[1].shape.heading == 0
                && !pair[1].in_list
                && footer(&pair[1]).is_none()
        })
        .count();
    titles >= 1 && followed * 5 >= titles * 2
}

/// `RUGBY`, `Les caves ouvertes`, `TOUS LES JOURS OU PRESQUE`: headings of themes whose lines say their own days, or with the
/// headings of days below them.
pub(super) fn sections_of_dated_lines(lines: &[Line], read: &[Option<DayLine>], facts: &[Facts]) -> Vec<usize> {
    const MOST_WORDS: usize = 10;
    const MOST_LINES: usize = 4;
    let heads = |at: usize| {
        let (line, fact) = (&lines[at], facts[at]);
        let shouts = look(line).1 && line.text.chars().filter(|c| c.is_uppercase()).count() > 2;
        (line.shape.heading > 1 || line.shape.heading == 0 && (line.shape.strong || shouts))
            && !line.bullet
            && line.cells.is_empty()
            && !line.text.contains('\n')
            && read[at].is_none()
            && !fact.timing.says
            && !fact.says_date
            && !fact.state_alone
            && line.text.split(' ').count() <= MOST_WORDS
            && !names_one_thing(&line.text)
            && !super::says_status(&line.text)
            && footer(line).is_none()
    };
    // A day is of the line itself, not of a card's field.
    let dated = |at: usize| {
        let line = &lines[at];
        let says_day = facts[at].says_date || days_of_the_week(&line.text);
        line.shape.heading == 0
            && says_day
            && facts[at].timing.says
            && !facts[at].dated_practical
            && !line.text.contains('\n')
    };
    (0..lines.len().saturating_sub(1))
        .filter(|at| {
            let below = at + 1..lines.len().min(at + 1 + MOST_LINES);
            let first = below
                .take_while(|at| !heads(*at) && lines[*at].shape.heading == 0)
                .find(|at| (facts[*at].timing.says || facts[*at].says_date) && facts[*at].role == Role::Tells);
            heads(*at) && !heads(at + 1) && first.is_some_and(dated)
        })
        .collect()
}

/// `Repas du club`, `Bal de la Saint-Jean`: a title, where `Marchés et brocantes` or `Pétanque` is a theme.
fn names_one_thing(text: &str) -> bool {
    let words = Words::of(text);
    let mut content = words.tokens.iter().filter(|token| token.kind == Kind::Word && !is_function(token));
    let singular = |token: &Token| !token.fold.ends_with('s') || token.is_any(&["repas", "concours", "parcours"]);
    let first = content.next().is_some_and(|token| is_event_noun(token) && !token.is_any(THEMES) && singular(token));
    first && content.next().is_some() || words.tokens.iter().any(|token| token.is_any(&["«", "\""]))
}

/// `FÊTE VOTIVE DE PRAYSSAC` above its days: the town of all that follows.
/// And the number of the line with its first day.
pub(super) fn town_of_a_feast(
    lines: &[Line],
    read: &[Option<DayLine>],
    facts: &[Facts],
    at: usize,
) -> Option<(String, usize)> {
    const LONGEST: usize = 60;
    /// Lines between a heading and the first day that may introduce the feast.
    const MOST_BETWEEN: usize = 3;
    const FEASTS: [&str; 10] =
        ["fete", "fetes", "frairie", "foire", "festival", "ducasse", "kermesse", "vogue", "carnaval", "medievales"];
    let line = &lines[at];
    let is_day = |at: &usize| read[*at].as_ref().is_some_and(|day| day.form != Form::Inside);
    let introduces =
        |at: &usize| line.shape.heading > 0 && lines[*at].shape.heading == 0 && !facts[*at].timing.says && !is_day(at);
    let stands_out = look(line).1 || line.shape.stands_out();
    if !stands_out || line.text.len() > LONGEST || line.bullet {
        return None;
    }
    let below = at + 1..lines.len().min(at + 2 + MOST_BETWEEN);
    let first_day = below.clone().find(|at| !introduces(at)).filter(is_day)?;
    let words = Words::of(&line.text);
    let feast = words.tokens.iter().position(|token| token.is_any(&FEASTS))?;
    let of = (feast + 1..words.tokens.len()).find(|at| words.is(*at, &["de", "d'", "a"]))?;
    let (town, to) = communes::written(&words, of + 1)?;
    words.tokens[to..].iter().all(|token| token.kind == Kind::Sign).then_some((town, first_day))
}

/// `GRAND AIR` above `Mer. 22/09, 14 h…`: a heading that ends the exhibitions.
pub(super) fn heads_dated_lines(lines: &[Line], read: &[Option<DayLine>], at: usize) -> bool {
    let numbered = |day: &DayLine| has_number(&day.spec) && matches!(day.spec, Spec::List(_));
    let dated = read.get(at + 1).is_some_and(|day| day.as_ref().is_some_and(numbered));
    lines[at].shape.heading > 0 && dated && section(&lines[at]).is_none()
}

pub(super) fn days_of_the_week(text: &str) -> bool {
    if text.len() > LONGEST_LINE {
        return false;
    }
    marks(&Words::of(text)).iter().any(|mark| matches!(mark.meaning, Meaning::Dates(_) | Meaning::Recurs(_)))
}
