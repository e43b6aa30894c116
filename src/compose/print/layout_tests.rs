//! Properties of the layout for any agenda: nothing overlaps, leaves its column, or is lost.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, NaiveTime};
use proptest::prelude::*;

use super::{
    Fonts, Format, Logo, Look, Sheet, booklet, imposition, poster,
    shaper::Shaper,
    sheet::{Area, Laid, Outline, Page, Role, Shape, TextRun},
    theme::{SMALLEST, Theme},
};
use crate::domain::{
    agenda::{Agenda, DailyItem, Day, Event, Item, Status, Week},
    office::Office,
};

const MONDAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 7, 6).unwrap();

fn words(longest: usize) -> impl Strategy<Value = String> {
    let word = prop_oneof![
        8 => "[a-zéàœ]{1,11}",
        1 => "[A-ZÉ]{3,18}",
        1 => "[a-z]{20,60}",
        1 => "[0-9]{1,4} (€|h|km)",
        1 => "« [a-z]{2,9} » [:;!?]",
    ];
    prop::collection::vec(word, 1..longest).prop_map(|words| words.join(" "))
}

fn event() -> impl Strategy<Value = Event> {
    let time = prop::option::weighted(0.8, (7..24_u32, prop::sample::select(vec![0, 15, 30])));
    let time = time.prop_map(|time| time.and_then(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0)));
    let status = prop::sample::select(vec![Status::Scheduled, Status::Scheduled, Status::Cancelled, Status::SoldOut]);
    let (place, note) = (prop::option::of(words(7)), prop::option::weighted(0.1, words(30)));
    let fields = (time.clone(), time, words(16), place, note, status, any::<bool>());
    fields.prop_map(|(start, end, title, place, note, status, from)| Event {
        start,
        end: end.filter(|_| !from && start.is_some()),
        title,
        place,
        note,
        status,
        from,
        ..Event::default()
    })
}

fn item() -> impl Strategy<Value = Item> {
    let understood =
        event().prop_map(|event| Item { text: event.title.clone(), events: vec![event], ..Item::default() });
    let as_written = words(40).prop_map(|text| Item { text, ..Item::default() });
    prop_oneof![9 => understood, 1 => as_written]
}

fn agenda() -> impl Strategy<Value = Agenda> {
    let items = |most: usize| prop::collection::vec(item(), 0..most);
    (prop::collection::vec(items(24), 7), items(4), items(4), items(3)).prop_map(
        |(days, daily, exhibitions, unplaced)| {
            let days = (0..).zip(days).map(|(n, items)| Day { date: MONDAY + Days::new(n), items }).collect();
            let daily = daily.into_iter().map(|item| DailyItem { item, days: vec![MONDAY] }).collect();
            Agenda { week: Some(Week::of(MONDAY)), days, daily, exhibitions, unplaced, ..Agenda::default() }
        },
    )
}

/// An office that says little of itself, or much.
fn office(wordy: bool) -> Office {
    let told = |text: &str| wordy.then(|| text.to_owned());
    let name = if wordy {
        "Office de tourisme intercommunal du Grand Auch Cœur de Gascogne et de ses villages"
    } else {
        "Office"
    };
    Office {
        name: name.to_owned(),
        address: told("Maison de Gascogne, rue Gambetta, place Jean-David et place de la République, 32000 Auch"),
        phone: told("05 62 00 11 22 ou 06 00 11 22 33"),
        email: told("contact@office-de-tourisme-grand-auch-coeur-de-gascogne.example"),
        website: told("https://www.office-de-tourisme-grand-auch-coeur-de-gascogne.example/"),
        opening_hours: told("Tous les jours de 9 h 30 à 12 h 30 et de 14 h à 18 h 30, sauf le dimanche après-midi"),
    }
}

fn laid(agenda: &Agenda, online: bool, wordy: bool, theme: Theme) -> [Laid; 4] {
    let information = ["Taxi : 05 62 00 00 00", "Pharmacie de garde : 32 37", "Le marché de Noël a lieu en décembre."];
    let look = Look {
        theme,
        logo: wordy.then(|| Logo::parse(include_bytes!("../../../tests/print/logo.png")).unwrap()),
        information: information.iter().cycle().take(if wordy { 12 } else { 0 }).map(|&text| text.to_owned()).collect(),
        fonts: Fonts::default(),
    };
    let office = office(wordy);
    let long = "Que faire dans le Grand Auch Cœur de Gascogne et dans les villages d’alentour cette semaine";
    let sheet = Sheet {
        agenda,
        week: Week::of(MONDAY),
        office: &office,
        title: if wordy { long } else { "Que faire à Auch cette semaine" },
        online_url: online.then_some("https://exemple.fr/agenda"),
        created: DateTime::UNIX_EPOCH,
        look: &look,
        format: Format::A4,
    };
    let shaper = Shaper::open(&look.fonts).unwrap();
    let (poster, pages) = (|| poster::lay(&sheet, &shaper).unwrap(), || booklet::lay(&sheet, &shaper).unwrap());
    [poster(), poster().enlarged(), pages(), imposition::impose(pages())]
}

fn runs(page: &Page) -> Vec<&TextRun> {
    let runs = page.marks.iter().filter_map(|mark| match &mark.shape {
        Shape::Text(run) => Some(run),
        Shape::Fill { .. } | Shape::Logo(_) => None,
    });
    runs.collect()
}

/// What letters really cover: from the capitals to the descenders.
fn body(run: &TextRun) -> Area {
    Area { x: run.x, y: run.y - run.size * 0.7, width: run.width, height: run.size * 0.9 }
}

fn overlap(a: &Area, b: &Area) -> bool {
    let slack = 0.05;
    a.x + slack < b.right() && b.x + slack < a.right() && a.y + slack < b.bottom() && b.y + slack < a.bottom()
}

/// The columns of a page, from the bands of its headings: all of them start one.
fn columns(page: &Page) -> Vec<(f32, f32)> {
    let mut columns: Vec<(f32, f32)> = Vec::new();
    for mark in &page.marks {
        let Shape::Fill { areas, color } = &mark.shape else { continue };
        let is_band = [Theme::OFFICE.heading, Theme::OFFICE.group].contains(color) && areas.len() == 1;
        if is_band && (10.0..60.0).contains(&areas[0].height) {
            let column = (areas[0].x, areas[0].right());
            if !columns.iter().any(|known| (known.0 - column.0).abs() < 0.1) {
                columns.push(column);
            }
        }
    }
    columns
}

/// The elements that stand under a list: hours, titles, details.
fn in_lists(outline: &Outline) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for (id, element) in outline.elements.iter().enumerate() {
        if element.role == Role::List || found.contains(&id) {
            found.extend(&element.children);
        }
    }
    found
}

fn check_page(page: &Page, of: &str) -> Result<(), TestCaseError> {
    let runs = runs(page);
    for (n, run) in runs.iter().enumerate() {
        let area = body(run);
        prop_assert!(run.size >= SMALLEST - 0.01, "{of}: {:?} is set in {} points", run.text.text, run.size);
        prop_assert!(
            area.x > 14.0 && area.right() < page.paper.width - 14.0,
            "{of}: {:?} leaves the page",
            run.text.text
        );
        prop_assert!(
            area.y > 14.0 && area.bottom() < page.paper.height - 14.0,
            "{of}: {:?} leaves the page",
            run.text.text
        );
        for other in &runs[n + 1..] {
            let (a, b) = (&run.text.text, &other.text.text);
            prop_assert!(!overlap(&area, &body(other)), "{of}: {a:?} and {b:?} overlap: {area:?} {:?}", body(other));
        }
    }
    Ok(())
}

/// Every glyph of every paragraph stands on a page once, save the separators at the ends of lines.
fn check_conserved(laid: &Laid, of: &str) -> Result<(), TestCaseError> {
    let mut parts: BTreeMap<usize, Vec<&TextRun>> = BTreeMap::new();
    for mark in laid.pages.iter().flat_map(|page| &page.marks) {
        if let (Some(element), Shape::Text(run)) = (mark.element, &mark.shape) {
            parts.entry(element).or_default().push(run);
        }
    }
    for runs in parts.values_mut() {
        runs.sort_by_key(|run| run.glyphs.start);
        let mut at = 0;
        for run in runs.iter() {
            let gap = run.glyphs.start.checked_sub(at);
            prop_assert!(gap.is_some_and(|gap| gap <= 2), "{of}: part of {:?} is lost or doubled", run.text.text);
            at = run.glyphs.end;
        }
        prop_assert_eq!(at, runs[0].text.glyphs.len(), "{}: the end of {:?} is lost", of, &runs[0].text.text);
    }
    let elements = &laid.outline.elements;
    let leaves = elements.iter().enumerate().filter(|(_, element)| element.children.is_empty());
    for (id, element) in leaves.filter(|(_, element)| !matches!(element.role, Role::Figure { .. } | Role::Document)) {
        prop_assert!(parts.contains_key(&id), "{of}: a {:?} is nowhere", element.role);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn boxes_never_overlap_or_leave_their_column_and_nothing_is_lost(agenda in agenda(), online: bool, wordy: bool, ink: bool) {
        let forms = ["poster", "poster on A3", "booklet", "imposed"];
        let theme = if ink { Theme::INK } else { Theme::OFFICE };
        for (laid, of) in laid(&agenda, online, wordy, theme).iter().zip(forms) {
            check_conserved(laid, of)?;
            for page in &laid.pages {
                check_page(page, of)?;
            }
        }
    }

    #[test]
    fn every_line_of_an_entry_stays_in_one_column(agenda in agenda()) {
        let [poster, _, booklet, _] = laid(&agenda, true, false, Theme::OFFICE);
        for laid in [poster, booklet] {
            let entries = in_lists(&laid.outline);
            for page in &laid.pages {
                let columns = columns(page);
                for mark in &page.marks {
                    let (Some(element), Shape::Text(run)) = (mark.element, &mark.shape) else { continue };
                    let inside = |&(left, right): &(f32, f32)| run.x >= left - 0.1 && run.x + run.width <= right + 0.1;
                    let kept = !entries.contains(&element) || columns.iter().any(inside);
                    prop_assert!(kept, "{:?} leaves its column", run.text.text);
                }
            }
        }
    }
}
