//! What one line of the article is: the heading of a day, a section, a town, the footer, or words.
//!
//! Judges a line alone, without what stands around it; `outline` does that.

use super::communes;
use super::days::{self, Mention, Recurrence, Spec, Weekdays};
use super::hours;
use super::html::{Line, Shape};
use super::marks::{Meaning, marks};
use super::money;
use super::text::{Kind, Token, Words, folded, is_bullet, is_space, tokens};
use super::words::{DETAILS, THEMES, is_function};

/// A line that says which day it is about, at its beginning.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DayLine {
    pub(super) spec: Spec,
    pub(super) form: Form,
    /// Byte where the words after the date begin.
    pub(super) rest: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `Lundi 12 juillet`, also with a label: `Mercredi 14 juillet – Fête nationale :`
    Heading,
    /// `Mardi 18 juillet : visite…`
    RunIn,
    /// `Samedi 24 juin à 9 h 30, randonnée`: the date of this item only.
    Inside,
}

/// The day the line begins with, if it does.
pub(super) fn day_line(line: &Line) -> Option<DayLine> {
    let words = Words::of(&line.text);
    let tokens = &words.tokens;
    let first = tokens.iter().position(|token| token.kind != Kind::Sign)?;
    if first > 3 {
        return None;
    }
    let date = days::date(tokens, first)?;
    let numbered = has_number(&date.what);
    let rest = tokens.get(date.to).map_or(line.text.len(), |token| token.start);
    let of = |form| Some(DayLine { spec: date.what.clone(), form, rest });
    let Some(next) = tokens.get(date.to) else { return of(Form::Heading) };
    let rest_tokens = &tokens[date.to..];
    let no_words = rest_tokens.iter().all(|token| !matches!(token.kind, Kind::Word | Kind::Number));
    if no_words {
        return of(Form::Heading);
    }
    let timed = says_time(rest_tokens);
    let separated = next.is_any(&[":", "-", ".", "(", "\n", "|", "/", ";", "!", "•", ">", "→"]);
    let label = rest_tokens.iter().filter(|token| token.kind == Kind::Word).count() <= 8 && !timed && separated;
    let ends_as_label = tokens.last().is_some_and(|last| last.is(":"))
        || (next.is("(") && tokens.last().is_some_and(|last| last.is(")")));
    if label && (line.shape.stands_out() || ends_as_label) {
        return of(Form::Heading);
    }
    if line.shape.heading > 0 && numbered && !timed {
        return of(Form::Heading);
    }
    if separated && next.is_any(&[":", "-", ".", "\n", "|", "•", ">", "→"]) {
        // `Samedi. Il fait beau` is prose; `Samedi : marché` and a table row are not.
        let firm = numbered || next.is_any(&[":", "\n", "|"]) || (next.is("-") && tokens[first].capital);
        return if firm { of(Form::RunIn) } else { None };
    }
    let hour_follows = says_time(&tokens[date.to..tokens.len().min(date.to + 6)]);
    (hour_follows || (numbered && (line.bullet || line.in_list || next.is(","))) || (numbered && timed))
        .then_some(())?;
    of(Form::Inside)
}

fn says_time(tokens: &[Token]) -> bool {
    (0..tokens.len()).any(|at| hours::duration(tokens, at).is_none() && hours::time(tokens, at).is_some())
}

pub(super) fn has_number(spec: &Spec) -> bool {
    let numbered = |mention: &Mention| mention.day.is_some();
    match spec {
        Spec::List(mentions) => mentions.iter().all(numbered),
        Spec::Range(a, b) => numbered(a) && numbered(b),
    }
}

/// Where a day begins in the middle of a paragraph: `…06 80. Jeudi 20 juillet : visite…`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct InnerDay {
    pub(super) spec: Spec,
    /// Byte where the date begins, and where the words after it begin.
    pub(super) at: usize,
    pub(super) rest: usize,
    /// `:` or `.` after it: a heading within the line; else only a date with an hour.
    pub(super) firm: bool,
}

pub(super) fn inner_days(text: &str) -> Vec<InnerDay> {
    let tokens = tokens(text);
    let mut out = Vec::new();
    let mut at = 1;
    while at < tokens.len() {
        let sentence = tokens[at - 1].is_sentence_end() || tokens[at - 1].is_any(&["•", "|", "*"]);
        let named = days::weekday(&tokens[at]).is_some() && tokens[at].capital;
        let found =
            if sentence && named { days::date(&tokens, at).filter(|date| has_number(&date.what)) } else { None };
        let Some(date) = found else {
            at += 1;
            continue;
        };
        let next = tokens.get(date.to);
        let firm = next.is_some_and(|next| next.is_any(&[":", ".", "-", "\n"]));
        let timed = says_time(&tokens[date.to..tokens.len().min(date.to + 5)]);
        if let Some(next) = next
            && (firm || timed || next.is(","))
        {
            out.push(InnerDay { spec: date.what, at: tokens[at].start, rest: next.start, firm });
        }
        at = date.to;
    }
    out
}

/// A heading that is no day.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Section {
    Exhibitions,
    Daily(Weekdays),
    Town(String),
    Theme,
}

pub(super) fn section(line: &Line) -> Option<Section> {
    const LONGEST_HEADING: usize = 80;
    if line.text.len() > LONGEST_HEADING || line.text.contains('\n') {
        return None;
    }
    let words = Words::of(&line.text);
    let tokens = &words.tokens;
    let first = tokens.iter().position(|token| token.kind != Kind::Sign)?;
    let content: Vec<&Token> =
        tokens.iter().filter(|token| matches!(token.kind, Kind::Word | Kind::Number) && !is_function(token)).collect();
    let ends_with_colon = tokens.last().is_some_and(|last| last.is(":"));
    let stands_out = line.shape.stands_out()
        || ends_with_colon
        || (first..tokens.len()).filter(|at| tokens[*at].kind == Kind::Word).all(|at| words.shouts(at));
    let ends = |to: usize| tokens[to..].iter().all(|token| token.kind == Kind::Sign);
    if let Some(found) = days::recurrence(tokens, first)
        && let Recurrence::On(days) = found.what
        && ends(found.to)
    {
        return Some(Section::Daily(days));
    }
    let whole_week = [
        "toute la semaine",
        "tout au long de la semaine",
        "en continu",
        "et toute la semaine",
        "toute la semaine egalement",
    ];
    let plain = folded(line.text.trim_matches(|c: char| !c.is_alphanumeric()));
    if whole_week.contains(&plain.as_str()) {
        return Some(Section::Daily(Weekdays::ALL));
    }
    // Commas, hours and quotes belong to items, not to headings.
    let heading_like = !tokens.iter().any(|token| token.is_any(&[",", "«", "\"", "€"])) && !says_time(tokens);
    if !heading_like {
        return None;
    }
    let exhibitions = content.iter().take(3).any(|token| token.is_any(&["expositions", "expos"]))
        || (content.len() <= 2 && content.first().is_some_and(|token| token.is_any(&["exposition", "expo"])));
    if exhibitions
        && content.len() <= 6
        && (stands_out || content.len() <= 3)
        && !words.tokens.iter().any(|token| token.is("jusqu'"))
    {
        return Some(Section::Exhibitions);
    }
    let named = first + usize::from(tokens[first].is("a"));
    if let Some((name, to)) = communes::known(tokens, named).filter(|(_, to)| ends(*to)) {
        let _ = to;
        return Some(Section::Town(name.to_owned()));
    }
    let theme = !content.is_empty() && content.iter().all(|token| token.is_any(THEMES));
    (stands_out && theme && !line.bullet).then_some(Section::Theme)
}

/// A name alone on a line, which may be a town no list knows.
pub(super) fn lone_name(line: &Line) -> Option<String> {
    let words = Words::of(&line.text);
    let named: Vec<&Token> = words.tokens.iter().filter(|token| token.kind != Kind::Sign).collect();
    let all_names =
        !named.is_empty() && named.len() <= 3 && named.iter().all(|token| token.kind == Kind::Word && token.capital);
    let text = line.text.trim_matches(|c: char| !c.is_alphanumeric());
    all_names.then(|| text.to_owned())
}

/// The look of a heading line, to find others of its kind.
pub(super) fn look(line: &Line) -> (Shape, bool) {
    (line.shape, !line.text.chars().any(char::is_lowercase))
}

/// What does not belong to the agenda.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Footer {
    /// One line between two items: an advertisement.
    Stray,
    /// The agenda is over, unless a later day of its week still comes.
    Close,
    /// Comments: nothing after counts.
    End,
}

pub(super) fn footer(line: &Line) -> Option<Footer> {
    const STRAY: [&str; 9] = [
        "publicite",
        "advertisement",
        "annonce",
        "facebook",
        "twitter",
        "instagram",
        "imprimer",
        "lire aussi",
        "credit photo",
    ];
    const CLOSE: [&str; 27] = [
        "suggestion d'article",
        "suggestions d'article",
        "articles similaires",
        "article similaire",
        "a lire aussi",
        "a lire egalement",
        "sur le meme sujet",
        "vous aimerez aussi",
        "vous aimerez peut-etre",
        "dans la meme rubrique",
        "partager",
        "partagez",
        "article precedent",
        "article suivant",
        "navigation de l'article",
        "etiquettes",
        "mots-cles",
        "tous droits reserves",
        "mentions legales",
        "©",
        "bonne semaine",
        "bon week-end",
        "belle semaine",
        "a bientot",
        "a la semaine prochaine",
        "inscrivez-vous a la newsletter",
        "inscrivez-vous a notre newsletter",
    ];
    const END: [&str; 5] = [
        "commentaires",
        "laisser un commentaire",
        "laissez un commentaire",
        "poster un commentaire",
        "ajouter un commentaire",
    ];
    const LONGEST: usize = 300;
    if line.text.len() > LONGEST {
        return None;
    }
    let text = folded(line.text.trim_start_matches(|c: char| is_bullet(c) || is_space(c) || c == '>' || c == '↓'));
    let begins = |list: &[&str]| {
        list.iter().any(|start| {
            text.strip_prefix(start)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()) || start.ends_with("article"))
        })
    };
    let counted = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    if (begins(&END) && text.len() < 80)
        || (counted.len() < text.len() && ["commentaire", "commentaires"].contains(&counted))
    {
        return Some(Footer::End);
    }
    if says_time(&tokens(&line.text)) {
        return None;
    }
    if begins(&STRAY) && text.len() < 80 {
        return Some(Footer::Stray);
    }
    let whole_agenda = ["retrouvez", "consultez", "decouvrez", "voir", "tout", "toute", "pour", "plus", "l'agenda"]
        .iter()
        .any(|start| text.starts_with(start))
        && (text.contains("agenda")
            || text.contains("programme complet")
            || text.contains("toutes les manifestations")
            || text.contains("toutes les animations"))
        && !text.starts_with("pour les");
    (begins(&CLOSE) || whole_agenda).then_some(Footer::Close)
}

/// A line of nothing but a bullet sign: its words are on the next.
pub(super) fn is_lone_bullet(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| is_bullet(c) || is_space(c))
}

/// The line without the bullet sign it begins with; and whether there was one.
pub(super) fn without_bullet(text: &str) -> (usize, bool) {
    let rest = text.trim_start_matches(|c: char| is_bullet(c) || is_space(c));
    let cut = text.len() - rest.len();
    (cut, cut > 0)
}

/// Details of the item before it: `Tarif : 5 €`, `Réservation au 05…`, a price alone.
pub(super) fn is_detail(text: &str) -> bool {
    let words = Words::of(text);
    let Some(first) = words.tokens.iter().position(|token| token.kind != Kind::Sign) else { return true };
    if words.is(first, &["rdv", "rv", "rendez-vous"]) {
        return words.is(first + 1, &["a", "au", "aux", "devant", ":", "sur", "place", "salle", "dans"]);
    }
    if words.is(first, &DETAILS) {
        // `Info jeunes : forum` would be an event; a detail has its sign, figure or preposition at once.
        return words.tokens.get(first + 1).is_none_or(|next| {
            next.kind != Kind::Word
                || is_function(next)
                || next.is_any(&[
                    "libre",
                    "gratuite",
                    "gratuit",
                    "obligatoire",
                    "conseillee",
                    "unique",
                    "reduit",
                    "souhaitee",
                ])
        }) || money::price(&words.tokens, first).is_some();
    }
    let marks = marks(&words);
    let told = |at: usize| {
        marks.iter().any(|mark| {
            (mark.from..mark.to).contains(&at)
                && matches!(mark.meaning, Meaning::Price | Meaning::Phone(_) | Meaning::Opaque)
        })
    };
    (0..words.tokens.len())
        .all(|at| words.tokens[at].kind != Kind::Word && words.tokens[at].kind != Kind::Number || told(at))
}

/// What a line says about hours, for joining lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Timing {
    pub(super) says: bool,
    pub(super) starts: bool,
    /// Nothing but hours.
    pub(super) only: bool,
}

pub(super) fn timing(text: &str) -> Timing {
    let words = Words::of(text);
    let tokens = &words.tokens;
    let says = says_time(tokens);
    if !says {
        return Timing::default();
    }
    let start = tokens
        .iter()
        .position(|token| token.kind != Kind::Sign && !token.is_any(&["et", "puis", "egalement"]))
        .unwrap_or(0);
    let first = hours::time(tokens, start);
    let only = first.as_ref().is_some_and(|time| tokens[time.to..].iter().all(|token| token.kind == Kind::Sign));
    Timing { says, starts: first.is_some(), only }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Line {
        Line { text: text.to_owned(), ..Line::default() }
    }

    #[test]
    fn a_day_at_the_beginning_of_a_line_is_a_heading_a_run_in_or_a_date() {
        for (text, expected) in [
            ("Lundi 12 juillet", Some(Form::Heading)),
            ("Mercredi 14 juillet – Fête nationale :", Some(Form::Heading)),
            ("VENDREDI", Some(Form::Heading)),
            ("14 JUILLET:", Some(Form::Heading)),
            ("Mardi 23 juillet. 19 heures, marché", Some(Form::RunIn)),
            ("Mardi 18 juillet : visite de la ferme", Some(Form::RunIn)),
            ("Samedi 24 juin à 9 h 30, randonnée", Some(Form::Inside)),
            ("Samedi 7 octobre, à 20h", Some(Form::Inside)),
            ("Mercredi, le feu d’artifice illumine", None),
            ("Samedi. Il fait beau", None),
            ("32 km du 32, randonnée", None),
        ] {
            assert_eq!(day_line(&plain(text)).map(|line| line.form), expected, "{text}");
        }
    }

    #[test]
    fn a_day_in_the_middle_of_a_paragraph_is_found() {
        let found = inner_days("concert au 05 62 00 06 80. Jeudi 15 juillet : visite. Samedi, marché");
        assert_eq!(found.len(), 1);
        assert!(found[0].firm);
    }

    #[test]
    fn headings_that_are_no_days_are_known() {
        let strong = |text: &str| Line { shape: Shape { heading: 4, strong: false }, ..plain(text) };
        assert_eq!(section(&plain("Expositions")), Some(Section::Exhibitions));
        assert_eq!(section(&plain("Tous les jours :")), Some(Section::Daily(Weekdays::ALL)));
        assert_eq!(section(&plain("• AIGNAN")), Some(Section::Town("Aignan".to_owned())));
        assert_eq!(section(&strong("Marchés")), Some(Section::Theme));
        assert_eq!(section(&plain("exposition de peintures à Pavie, de 10h à 12h")), None);
        assert_eq!(section(&strong("Concert de gospel")), None);
    }

    #[test]
    fn the_footer_is_no_event() {
        assert_eq!(footer(&plain("Retrouvez tout l’agenda de l’Office ici.")), Some(Footer::Close));
        assert_eq!(footer(&plain("Publicité")), Some(Footer::Stray));
        assert_eq!(footer(&plain("3 commentaires")), Some(Footer::End));
        assert_eq!(footer(&plain("Retrouvez Les Zicos en concert à 21h")), None);
    }

    #[test]
    fn details_belong_to_the_item_before() {
        for text in
            ["Tarif : 5 €", "Réservation au 05 62 00 00 00", "RDV devant la mairie", "5 € / 3 €", "Entrée libre."]
        {
            assert!(is_detail(text), "{text}");
        }
        for text in ["Rendez-vous littéraire à 18h", "concert à Pavie", "à 10h, visite"] {
            assert!(!is_detail(text), "{text}");
        }
    }
}
