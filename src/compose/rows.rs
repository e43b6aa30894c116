//! The agenda line by line: the view of an item that mail and printed page share.
//!
//! Ensures invariant I3 on output: every meaningful word of an item is in its rows. If parsing lost one, the item is
//! printed as written. Must never drop or merge items.

use std::collections::HashSet;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::domain::{
    agenda::{Confidence, DailyItem, Event, Item, PartOfDay, Status},
    characters::one_apostrophe,
    french,
};

/// One line of the agenda: hour in the margin, title, then place, price, phone, note.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// `10 h 30`, `dès 18 h 30`, `21 h – 23 h`, `matin`, `journée`, or empty. Each hour holds together.
    pub time: String,
    pub title: String,
    /// `du mardi au dimanche`, of something that takes place on several days.
    pub days: Option<String>,
    pub place: Option<String>,
    pub price: Option<String>,
    pub phone: Option<String>,
    pub link: Option<String>,
    pub status: Status,
    /// `jusqu’au 31 août`
    pub until: Option<String>,
    pub note: Option<String>,
    /// The title is a sentence of the item as written, or all of it, since nothing shorter was certain.
    pub as_written: bool,
}

/// The rows of one item: one per event, without losing a word of the article.
pub fn rows(item: &Item) -> Vec<Row> {
    rows_on(item, None)
}

/// The rows of several items of one day, sorted by hour. A row without an hour stays after the previous row of the article.
pub fn rows_by_hour<'a>(items: impl IntoIterator<Item = &'a Item>) -> Vec<Row> {
    by_hour(items.into_iter().map(|item| (item, rows(item))))
}

/// The rows of items for several days, sorted by hour.
pub fn daily_rows_by_hour<'a>(daily: impl IntoIterator<Item = &'a DailyItem>) -> Vec<Row> {
    by_hour(daily.into_iter().map(|daily| (&daily.item, daily_rows(daily))))
}

fn by_hour<'a>(items: impl Iterator<Item = (&'a Item, Vec<Row>)>) -> Vec<Row> {
    let mut placed: Vec<(u32, Row)> = Vec::new();
    for (item, rows) in items {
        for (index, row) in rows.into_iter().enumerate() {
            let own = item.events.get(index).and_then(Event::minute_of_day);
            let before = placed.last().map_or(0, |(minute, _)| *minute);
            placed.push((own.unwrap_or(before), row));
        }
    }
    placed.sort_by_key(|(minute, _)| *minute);
    placed.into_iter().map(|(_, row)| row).collect()
}

/// The rows of an item for several days of the week; each names the days, unless it is every day.
pub fn daily_rows(daily: &DailyItem) -> Vec<Row> {
    let days = french::weekdays(&daily.days);
    rows_on(&daily.item, Some(days).filter(|days| !days.is_empty() && days != "tous les jours"))
}

fn rows_on(item: &Item, days: Option<String>) -> Vec<Row> {
    let mut rows: Vec<Row> = item.events.iter().map(row).collect();
    if rows.is_empty() {
        rows.push(Row::default());
    }
    for row in &mut rows {
        row.days.clone_from(&days);
        // What has no name of its own goes by the words of the article.
        if row.title.is_empty() {
            row.title = french::capitalized(&curled(item.text.trim()));
            row.as_written = true;
        }
        if row.as_written {
            leave_out_what_the_title_says(row);
        } else if !item.corrected {
            // `Visite de la tour d’Armagnac`, at the `tour d’Armagnac`.
            row.place.take_if(|place| has_phrase(&row.title, place));
        }
    }
    // For an item about several days, each day prints only the words about it.
    let text = item.read.as_deref().filter(|_| !item.events.is_empty()).unwrap_or(&item.text);
    if !item.corrected
        && !all_words_kept(text, &rows)
        && let Some(last) = rows.last_mut()
    {
        last.note = Some(with_text(last.note.take(), text));
    }
    for row in &mut rows {
        leave_out_what_is_said_twice(row);
    }
    rows
}

/// Clauses at the ends of a note that only repeat the rest of the row, and whole parts that do.
fn leave_out_what_is_said_twice(row: &mut Row) {
    let Some(note) = row.note.take() else { return };
    let mut said = shown_words(row);
    let mut kept: Vec<&str> = Vec::new();
    for part in note.split(" · ") {
        let adds = |clause: &&(usize, usize)| {
            let words = content_words(&part[clause.0..clause.1]);
            words.iter().any(|word| !said.contains(word) && !says_status(row.status, word))
        };
        let clauses = clauses(part);
        // `tous les jours` has only function words but a meaning; `départ` alone has none.
        let is_silent = content_words(part).is_empty() && tokens(part).iter().any(|word| says_time(word));
        let adding = clauses.iter().find(adds).zip(clauses.iter().rfind(adds));
        let part = match adding {
            Some((first, last)) => part[first.0..last.1].trim(),
            None if is_silent => part,
            None => continue,
        };
        said.extend(words(part));
        kept.push(part);
    }
    row.note = Some(kept.join(" · ")).filter(|note| !note.is_empty());
}

/// The clauses of a text as ranges of bytes, cut at its commas, colons and dashes outside brackets and quotes. A full
/// stop belongs to the clause it ends, another sign to none.
fn clauses(text: &str) -> Vec<(usize, usize)> {
    let (mut clauses, mut from, mut depth) = (Vec::new(), 0, 0_i32);
    for (at, c) in text.char_indices() {
        let after = at + c.len_utf8();
        let spaced = text[after..].starts_with(char::is_whitespace);
        match c {
            '(' | '«' | '“' => depth += 1,
            ')' | '»' | '”' => depth -= 1,
            ',' | ';' | ':' | '–' | '—' | '-' | '.' | '!' | '?' if depth <= 0 && spaced => {
                // A full stop belongs to what it ends.
                clauses.push((from, if matches!(c, '.' | '!' | '?') { after } else { at }));
                from = after;
            }
            _ => {}
        }
    }
    clauses.push((from, text.len()));
    clauses
}

/// A sentence as written contains its place, price and telephone number.
fn leave_out_what_the_title_says(row: &mut Row) {
    let said = words(&row.title);
    for detail in [&mut row.place, &mut row.price, &mut row.phone, &mut row.until] {
        detail.take_if(|detail| words(detail).is_subset(&said));
    }
}

/// Whether the text has these words, in their order.
fn has_phrase(text: &str, phrase: &str) -> bool {
    let (text, phrase) = (tokens(text), tokens(phrase));
    !phrase.is_empty() && text.windows(phrase.len()).any(|some| some == phrase)
}

/// `Annulé`, `Reporté`, `Complet`; nothing for an event as planned.
pub fn status_word(status: Status) -> Option<&'static str> {
    match status {
        Status::Scheduled => None,
        Status::Cancelled => Some("Annulé"),
        Status::Postponed => Some("Reporté"),
        Status::SoldOut => Some("Complet"),
    }
}

fn row(event: &Event) -> Row {
    Row {
        time: time(event),
        title: french::capitalized(&curled(event.title.trim())),
        days: None,
        place: shown(&event.place),
        price: shown(&event.price),
        phone: shown(&event.phone),
        link: event.link.clone(),
        status: event.status,
        until: until(event),
        note: shown(&event.note),
        as_written: event.evidence.title.is_some_and(|title| title.confidence == Confidence::AsWritten),
    }
}

fn shown(text: &Option<String>) -> Option<String> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(curled)
}

/// The typographic apostrophe, whatever the article uses.
fn curled(text: &str) -> String {
    text.replace('\'', "’")
}

fn time(event: &Event) -> String {
    if event.slots.len() > 1 {
        let slots: Vec<_> = event.slots.iter().map(|&(start, end)| french::hours(start, end)).collect();
        return slots.join(", ");
    }
    match (event.start, event.end) {
        (Some(start), Some(end)) => french::hours(start, end),
        (Some(start), None) if event.from => format!("dès {}", french::hour(start)),
        (Some(start), None) if event.approx => format!("vers {}", french::hour(start)),
        (Some(start), None) => french::hour(start),
        (None, Some(end)) => format!("jusqu’à {}", french::hour(end)),
        (None, None) if event.all_day => "journée".to_owned(),
        (None, None) => event.part_of_day.map(part_of_day).unwrap_or_default().to_owned(),
    }
}

fn part_of_day(part: PartOfDay) -> &'static str {
    match part {
        PartOfDay::Morning => "matin",
        PartOfDay::Noon => "midi",
        PartOfDay::Afternoon => "après-midi",
        PartOfDay::Evening => "soirée",
        PartOfDay::Night => "nuit",
    }
}

fn until(event: &Event) -> Option<String> {
    // The article's own words if they are vague: `fin juillet` promises less than the 31st.
    if let Some(text) = shown(&event.until_text) {
        let already_said = text.starts_with("jusqu") || text.starts_with("tou");
        let joint = if text.starts_with("début") { "jusqu’au" } else { "jusqu’à" };
        return Some(if already_said { text } else { format!("{joint} {text}") });
    }
    if let Some(date) = event.until {
        return Some(format!("jusqu’au {}", french::day_and_month(date)));
    }
    // An end after midnight is only an hour; an end on another day at a later hour needs its day.
    let end_day = event.end_day.filter(|_| event.end.is_none() || event.end > event.start)?;
    Some(format!("jusqu’au {}", french::day(end_day)))
}

fn with_text(note: Option<String>, text: &str) -> String {
    match note {
        Some(note) if !words(text).is_superset(&words(&note)) => format!("{note} · {}", curled(text)),
        _ => curled(text),
    }
}

fn all_words_kept(text: &str, rows: &[Row]) -> bool {
    let kept: HashSet<String> = rows.iter().flat_map(shown_words).collect();
    let said = |word: &String| rows.iter().any(|row| says_status(row.status, word) || says_days(row, word));
    content_words(text).iter().all(|word| kept.contains(word) || said(word))
}

fn shown_words(row: &Row) -> HashSet<String> {
    let optional = [&row.days, &row.place, &row.price, &row.phone, &row.until, &row.note];
    optional.into_iter().flatten().chain([&row.time, &row.title]).flat_map(|text| words(text)).collect()
}

/// `annulée`, `reporté`, `complets` are expressed by the status.
fn says_status(status: Status, word: &str) -> bool {
    status_word(status).is_some_and(|said| word.starts_with(&fold(said)))
}

/// `sauf le lundi` is expressed by the days on which it takes place.
fn says_days(row: &Row, word: &str) -> bool {
    row.days.is_some() && word == "sauf"
}

/// The words with meaning: without articles, prepositions and the words of dates and hours.
fn content_words(text: &str) -> HashSet<String> {
    let tokens = tokens(text);
    let dated = numbers_of_dates(&tokens);
    let carries_meaning = |&(at, word): &(usize, &String)| !dated.contains(&at) && !is_connective(word);
    tokens.iter().enumerate().filter(carries_meaning).map(|(_, word)| singular(word)).collect()
}

fn words(text: &str) -> HashSet<String> {
    tokens(text).iter().map(|word| singular(word)).collect()
}

/// Case, accents, ligatures and apostrophes folded; split where letters meet digits, so that `20h30` is `20`, `h`, `30`.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut previous = None;
    for c in fold(text).chars() {
        let kind = c.is_alphanumeric().then_some(c.is_numeric());
        match tokens.last_mut() {
            Some(word) if kind.is_some() && kind == previous => word.push(c),
            _ if kind.is_some() => tokens.push(c.to_string()),
            _ => {}
        }
        previous = kind;
    }
    tokens
}

fn fold(text: &str) -> String {
    let text = text.chars().map(one_apostrophe);
    let bare: String = text.nfkd().filter(|&c| !is_combining_mark(c)).flat_map(char::to_lowercase).collect();
    bare.replace('œ', "oe").replace('æ', "ae")
}

fn singular(word: &str) -> String {
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 => stem.to_owned(),
        _ => word.to_owned(),
    }
}

const CONNECTIVES: &str = "le la les l un une des du de d a au aux en et ou sur sous dans par pour avec chez vers \
    entre ce cet cette ces jusque jusqu qu rv rdv rendez vous tel telephone tarif tarifs depart puis chaque suivi suivie suivis suivies est sont \
    devant derriere";
const TIME_WORDS: &str = "h heure heures min mn minutes 00 midi minuit matin matinee apres soir soiree nuit jour \
    journee tombee toute tout tous toutes debut fin autour environ des partir depuis lundi mardi mercredi jeudi vendredi \
    samedi dimanche lundis mardis mercredis jeudis vendredis samedis dimanches janvier fevrier mars avril mai juin \
    juillet aout septembre octobre novembre decembre er";
const DATE_WORDS: &str = "lundi mardi mercredi jeudi vendredi samedi dimanche janvier fevrier mars avril mai juin \
    juillet aout septembre octobre novembre decembre";

fn is_connective(word: &str) -> bool {
    CONNECTIVES.split_whitespace().any(|known| known == word) || says_time(word)
}

fn says_time(word: &str) -> bool {
    TIME_WORDS.split_whitespace().any(|known| known == word)
}

/// Where the numbers of `du 22 au 26 juillet 2026` stand: they say a day, as the heading above the row does.
fn numbers_of_dates(tokens: &[String]) -> HashSet<usize> {
    let is = |at: usize, list: &str| list.split_whitespace().any(|known| tokens[at] == known);
    let number = |at: usize| tokens[at].chars().all(char::is_numeric);
    let mut found = HashSet::new();
    for at in (0..tokens.len()).filter(|&at| is(at, DATE_WORDS)) {
        let before = (0..at).rev().take_while(|&at| number(at) || is(at, "er du au et le les") || is(at, DATE_WORDS));
        found.extend(before.filter(|&at| number(at)));
        found.extend((at + 1..tokens.len()).take_while(|&at| number(at)).take(1));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{NaiveDate, NaiveTime};
    use proptest::prelude::*;

    fn at(hour: u32, minute: u32) -> Option<NaiveTime> {
        NaiveTime::from_hms_opt(hour, minute, 0)
    }

    fn item(text: &str, events: Vec<Event>) -> Item {
        Item { text: text.to_owned(), events, ..Item::default() }
    }

    #[test]
    fn an_item_that_was_not_understood_is_one_row_as_written() {
        let rows = rows(&item("marché de nuit, ambiance garantie", vec![]));
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].title, "Marché de nuit, ambiance garantie");
        assert!(rows[0].as_written && rows[0].time.is_empty());
    }

    #[test]
    fn times_are_written_in_common_french() {
        let check = |event: Event, expect: &str| assert_eq!(row(&event).time.replace(french::NBSP, " "), expect);
        let event = Event::default;
        check(Event { start: at(10, 30), ..event() }, "10 h 30");
        check(Event { start: at(18, 30), from: true, ..event() }, "dès 18 h 30");
        check(Event { start: at(21, 0), end: at(23, 0), ..event() }, "21 h – 23 h");
        let slots = [(at(10, 0), at(12, 0)), (at(14, 0), at(18, 0))];
        let slots = slots.map(|(start, end)| (start.unwrap(), end.unwrap())).to_vec();
        check(Event { start: at(10, 0), end: at(18, 0), slots, ..event() }, "10 h – 12 h, 14 h – 18 h");
        check(Event { start: at(12, 0), approx: true, ..event() }, "vers 12 h");
        check(Event { part_of_day: Some(PartOfDay::Evening), ..event() }, "soirée");
        check(Event { all_day: true, ..event() }, "journée");
        check(event(), "");
    }

    #[test]
    fn the_end_of_an_exhibition_is_printed() {
        let until = NaiveDate::from_ymd_opt(2026, 8, 31);
        assert_eq!(row(&Event { until, ..Event::default() }).until.as_deref(), Some("jusqu’au 31 août"));
        let vague = |text: &str| row(&Event { until_text: Some(text.to_owned()), ..Event::default() }).until;
        assert_eq!(vague("fin juillet").as_deref(), Some("jusqu’à fin juillet"));
        assert_eq!(vague("début janvier").as_deref(), Some("jusqu’au début janvier"));
        assert_eq!(vague("tout l’été").as_deref(), Some("tout l’été"));
    }

    #[test]
    fn words_in_a_field_are_not_repeated_in_the_note() {
        let event = Event {
            start: at(20, 30),
            title: "concert de l’Ensemble Œdipe".into(),
            place: Some("Pavie, église".into()),
            price: Some("5 €".into()),
            ..Event::default()
        };
        let text = "samedi 24 juin à 20h30 : concert de l'ensemble Œdipe à l'église de Pavie (5 €)";
        assert_eq!(rows(&item(text, vec![event]))[0].note, None);
    }

    #[test]
    fn fr52_an_apostrophe_of_any_kind_is_no_letter_of_a_word() {
        for breton in ["cʼhoari", "c'hoari", "c’hoari", "c‘hoari", "c`hoari", "cˈhoari"] {
            let event = Event { start: at(20, 30), title: "c’hoari ha kan".into(), ..Event::default() };
            let text = format!("à 20h30 : {breton} ha kan");
            assert_eq!(rows(&item(&text, vec![event]))[0].note, None, "{breton}");
        }
        let event = Event { title: "n° 5, demi-finale ½".into(), ..Event::default() };
        assert_eq!(rows(&item("n° 5, demi-finale 1⁄2", vec![event]))[0].note, None);
    }

    #[test]
    fn an_event_on_several_days_lists_them_and_names_an_exception_once() {
        let event = Event { start: at(15, 0), title: "visite du trésor".into(), ..Event::default() };
        let days = (13..=18).filter_map(|day| NaiveDate::from_ymd_opt(2027, 7, day)).collect();
        let item = item("à 15h sauf le lundi, visite du trésor", vec![event]);
        let row = &daily_rows(&DailyItem { item: item.clone(), days })[0];
        assert_eq!((row.days.as_deref(), row.note.as_deref()), (Some("du mardi au dimanche"), None));
        // On its own the exception must not be lost.
        assert!(rows(&item)[0].note.is_some());
    }

    #[test]
    fn if_a_word_would_be_lost_the_text_is_printed_as_written() {
        let event = Event { start: at(20, 30), title: "concert".into(), ..Event::default() };
        let rows = rows(&item("à 20h30 concert au profit du Téléthon", vec![event]));
        assert_eq!(rows[0].note.as_deref(), Some("à 20h30 concert au profit du Téléthon"));
    }

    #[test]
    fn numbers_are_content_unless_they_say_a_day_or_an_hour() {
        let words = content_words("du 22 au 26 juillet 2026 dès 20h00 les 40 ans du club");
        assert_eq!(words, ["20", "40", "ans", "club"].map(str::to_owned).into());
    }

    #[test]
    fn the_rows_of_a_day_are_sorted_by_hour_and_those_without_hour_keep_their_order() {
        let event = |title: &str, start| Event { title: title.to_owned(), start, ..Event::default() };
        let items = [
            item("bal à 21 h", vec![event("bal", at(21, 0))]),
            item("buvette", vec![event("buvette", None)]),
            item("messe à 10 h et loto à 15 h", vec![event("messe", at(10, 0)), event("loto", at(15, 0))]),
            item("after à 1 h", vec![event("after", at(1, 0))]),
            item("foire", vec![Event { all_day: true, ..event("foire", None) }]),
            item("jeux le matin", vec![Event { part_of_day: Some(PartOfDay::Morning), ..event("jeux", None) }]),
        ];
        let titles: Vec<String> = rows_by_hour(&items).into_iter().map(|row| row.title).collect();
        assert_eq!(titles, ["Foire", "Jeux", "Messe", "Loto", "Bal", "Buvette", "After"]);
    }

    #[test]
    fn a_note_keeps_only_the_clauses_that_say_something_new() {
        let event = |note: &str| Event {
            title: "marché".into(),
            place: Some("Gimont, halle".into()),
            price: Some("entrée libre".into()),
            note: Some(note.into()),
            ..Event::default()
        };
        for (note, kept) in [
            ("entrée libre", None),
            ("halle, entrée libre · miel et vins", Some("miel et vins")),
            ("Marché à la halle, sur inscription, entrée libre", Some("sur inscription")),
            ("miel, halle, vins", Some("miel, halle, vins")),
            ("Départ · tous les jours", Some("tous les jours")),
        ] {
            assert_eq!(rows(&item("marché", vec![event(note)]))[0].note.as_deref(), kept, "{note}");
        }
    }

    #[test]
    fn a_place_that_the_title_names_is_not_repeated() {
        let place_of = |title: &str, place: &str| {
            let event = Event { title: title.into(), place: Some(place.into()), ..Event::default() };
            rows(&item(&format!("{title} {place}"), vec![event]))[0].place.clone()
        };
        assert_eq!(place_of("visite de la tour d'Armagnac", "tour d’Armagnac"), None);
        assert_eq!(place_of("visite de la cathédrale", "Auch, cathédrale").as_deref(), Some("Auch, cathédrale"));
        assert_eq!(place_of("fête des voisins du Garros", "Garros, fête").as_deref(), Some("Garros, fête"));
    }

    #[test]
    fn a_sentence_as_written_does_not_repeat_its_place_and_price() {
        use crate::domain::agenda::{Evidence, Trace};
        let title = Some(Trace { confidence: Confidence::AsWritten, span: None });
        let event = Event {
            title: "On danse à la halle de Pavie pour 5 €".into(),
            place: Some("Pavie, halle".into()),
            price: Some("5 €".into()),
            phone: Some("05 62 00 00 00".into()),
            evidence: Evidence { title, ..Evidence::default() },
            ..Event::default()
        };
        let row = &rows(&item("On danse à la halle de Pavie pour 5 €", vec![event]))[0];
        assert_eq!((&row.place, &row.price, row.phone.is_some()), (&None, &None, true));
    }

    proptest! {
        #[test]
        fn every_content_word_of_an_item_stands_in_its_rows(
            vocabulary in prop::collection::vec("[a-zéèœ]{1,9}|[0-9]{1,4}|[A-Z]{2,5}|20h30|1er|juillet", 1..14),
            kept in prop::collection::vec((any::<prop::sample::Index>(), 0..5_usize), 0..20),
            events in 0..4_usize,
        ) {
            let mut parsed = vec![Event::default(); events];
            for (word, field) in kept.iter().map(|(index, field)| (index.get(&vocabulary), field)) {
                let Some(event) = parsed.first_mut() else { break };
                let slot = match field {
                    0 => { event.title.push(' '); event.title.push_str(word); continue }
                    1 => &mut event.place,
                    2 => &mut event.price,
                    3 => &mut event.phone,
                    _ => &mut event.note,
                };
                *slot = Some(slot.take().map_or(word.clone(), |text| text + " " + word));
            }
            let item = item(&vocabulary.join(" "), parsed);
            let rows = rows(&item);
            prop_assert_eq!(rows.len(), item.events.len().max(1));
            let shown: HashSet<String> = rows.iter().flat_map(shown_words).collect();
            for word in content_words(&item.text) {
                prop_assert!(shown.contains(&word), "{} is lost from {:?}", word, rows);
            }
        }
    }
}
