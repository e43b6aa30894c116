use super::*;
use crate::domain::agenda::{Agenda, Day, Item, Unplaced};
use crate::domain::french::folded;
use proptest::{prelude::*, sample::Index};

fn day(n: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, 7, 11 + n).unwrap()
}

/// A line that was understood: the title is its words before the comma.
fn item(text: &str) -> Item {
    let title = text.split(',').next().unwrap_or_default().trim().to_owned();
    Item { text: text.to_owned(), events: vec![Event { title, ..Event::default() }], ..Item::default() }
}

/// Lines under days 1 (Monday) to 7; 0: no day.
fn agenda(lines: &[(u32, &str)]) -> Agenda {
    let mut agenda = Agenda { week: Some(Week::of(day(1))), ..Agenda::default() };
    for (n, text) in lines {
        if *n == 0 {
            let unplaced = Some(Unplaced::NoDay);
            agenda.unplaced.push(Item { unplaced, events: Vec::new(), ..item(text) });
            continue;
        }
        let at = agenda.days.iter().position(|it| it.date >= day(*n)).unwrap_or(agenda.days.len());
        if agenda.days.get(at).is_none_or(|it| it.date != day(*n)) {
            agenda.days.insert(at, Day { date: day(*n), items: Vec::new() });
        }
        agenda.days[at].items.push(item(text));
    }
    agenda
}

fn correction(read: &Agenda, line: &str, patch: Patch) -> Correction {
    let all = lines(read);
    let at = all.iter().position(|it| it.item.text == line).unwrap();
    Correction {
        id: line.to_owned(),
        issue: IssueKey::parse("agenda/2027-W28").unwrap(),
        anchor: anchor_of(&all, at, 0),
        patch,
        why: "doublon".to_owned(),
        by: "Claire".to_owned(),
        at: Timestamp::default(),
    }
}

fn titled(title: &str) -> Patch {
    Patch { title: Some(title.to_owned()), ..Patch::default() }
}

fn to(placement: Placement) -> Patch {
    Patch { placement: Some(placement), ..Patch::default() }
}

fn overlay(corrections: &[Correction]) -> Overlay {
    Overlay { corrections: corrections.to_vec(), dismissals: Vec::new() }
}

/// Day and title of every event; day 0: no day.
fn printed(agenda: &Agenda) -> Vec<(u32, String)> {
    let number = |date: NaiveDate| chrono::Datelike::day(&date) - 11;
    let title = |item: &Item| item.events.first().map_or(item.text.clone(), |event| event.title.clone());
    agenda.items().map(|(date, item)| (date.map_or(0, number), title(item))).collect()
}

const WEEK: [(u32, &str); 5] = [
    (1, "Marché, place de la Libération, 9 h"),
    (2, "Bal des pompier, Pavie, 21 h"),
    (2, "Marché, Vic-Fezensac, 9 h"),
    (6, "Marché, place de la Libération, 9 h"),
    (0, "Feu d’artifice, 22 h 30"),
];

#[test]
fn a_correction_changes_its_line_and_no_other() {
    let read = agenda(&WEEK);
    let all = [
        correction(&read, WEEK[1].1, titled("Bal des pompiers")),
        correction(&read, WEEK[4].1, to(Placement::Day(day(3)))),
        correction(&read, WEEK[2].1, to(Placement::Hidden)),
    ];
    let made = overlay(&all).apply(&read);
    assert_eq!(made.standings, [Standing::Applied, Standing::Applied, Standing::Applied]);
    let expected = [(1, "Marché"), (2, "Bal des pompiers"), (3, ""), (6, "Marché")];
    let printed = printed(&made.agenda);
    assert_eq!(printed, expected.map(|(n, title)| (n, title.to_owned())));
    assert_eq!(
        (made.agenda.corrections.changed, made.agenda.event_count(), made.agenda.corrections.left_out.len()),
        (2, 4, 1)
    );
    assert_eq!(
        (&*made.agenda.corrections.left_out[0].line, &*made.agenda.corrections.left_out[0].by),
        (WEEK[2].1, "Claire")
    );
    // The words stay with what was placed.
    assert_eq!(made.agenda.days[2].items[0].text, WEEK[4].1);
    assert!(made.agenda.days[2].items[0].corrected && made.agenda.unplaced.is_empty());
}

#[test]
fn a_remark_about_a_line_is_settled_with_it() {
    let mut read = agenda(&WEEK);
    let about = |line: &str| format!("«\u{a0}{line}\u{a0}» ne se trouve sous aucun jour.");
    read.warnings =
        vec![about(WEEK[4].1), about("Feu d’art…"), about("Feux de la Saint-Jean"), "Le titre ment.".to_owned()];
    let made = overlay(&[correction(&read, WEEK[4].1, to(Placement::Day(day(3))))]).apply(&read);
    assert_eq!(made.agenda.warnings, read.warnings[2..]);
    assert_eq!(overlay(&[]).apply(&read).agenda, read);
}

#[test]
fn times_and_fields_are_replaced_and_what_was_read_of_them_is_forgotten() {
    use crate::domain::agenda::PartOfDay;
    let mut read = agenda(&WEEK);
    let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    read.days[1].items[0].events[0] = Event {
        title: "Bal".to_owned(),
        part_of_day: Some(PartOfDay::Evening),
        slots: vec![(time(10), time(12)), (time(14), time(18))],
        price: Some("5 €".to_owned()),
        from: true,
        ..Event::default()
    };
    let patch = Patch {
        end: Some(Set::To(time(20))),
        price: Some(Set::Nothing),
        status: Some(Status::Cancelled),
        ..Patch::default()
    };
    assert!(patch.needs_a_reason() && !titled("x").needs_a_reason());
    let made = overlay(&[correction(&read, WEEK[1].1, patch)]).apply(&read);
    let event = &made.agenda.days[1].items[0].events[0];
    // Opening hours in two pieces stay in two pieces.
    assert_eq!(event.slots, [(time(10), time(12)), (time(14), time(20))]);
    assert!(!event.from && event.start.is_none());
    assert_eq!((event.part_of_day, &event.price, event.status), (None, &None, Status::Cancelled));
}

#[test]
fn one_event_of_a_line_moves_or_goes_and_the_others_stay() {
    let mut read = agenda(&WEEK);
    let other = Event { title: "Concert".to_owned(), ..Event::default() };
    read.days[1].items[0].events.push(other);
    let second = |patch| {
        let mut it = correction(&read, WEEK[1].1, patch);
        it.anchor.event = 1;
        overlay(&[it]).apply(&read)
    };
    let made = second(to(Placement::EveryDay));
    assert_eq!(made.agenda.days[1].items[0].events.len(), 1);
    assert_eq!((made.agenda.daily[0].days.len(), &*made.agenda.daily[0].item.events[0].title), (7, "Concert"));
    let made = second(to(Placement::Hidden));
    assert_eq!((made.agenda.event_count(), made.agenda.corrections.left_out.len()), (read.event_count() - 1, 1));
    assert_eq!(made.agenda.days[1].items[0].events[0].title, "Bal des pompier");
}

#[test]
fn a_line_that_says_it_itself_absorbs_the_correction_and_one_that_says_something_else_is_in_conflict() {
    let read = agenda(&WEEK);
    let bal = correction(&read, WEEK[1].1, titled("Bal des pompiers"));
    let fire = correction(&read, WEEK[4].1, to(Placement::Day(day(3))));
    let after = |n: usize, day: u32, line: &'static str| {
        let mut week = WEEK;
        week[n] = (day, line);
        let read = agenda(&week);
        overlay(&[bal.clone(), fire.clone()]).apply(&read).standings
    };
    assert_eq!(after(1, 2, "Bal des pompiers, Pavie, 21 h")[0], Standing::Absorbed);
    let changed = "Bal des pompier, Pavie, 22 h";
    let section = Section::Day(day(2));
    assert_eq!(after(1, 2, changed)[0], Standing::InConflict { now: changed.to_owned(), section });
    // Case, accents and punctuation are no change.
    assert_eq!(after(1, 2, "BAL des pompier - Pavie ; 21 h")[0], Standing::Applied);
    // To another day with the same words.
    let section = Section::Day(day(4));
    assert_eq!(after(1, 4, WEEK[1].1)[0], Standing::InConflict { now: WEEK[1].1.to_owned(), section });
    // Its author placed it: there, or elsewhere.
    assert_eq!(after(4, 3, WEEK[4].1)[1], Standing::Absorbed);
    assert!(matches!(after(4, 5, WEEK[4].1)[1], Standing::InConflict { .. }));
    assert_eq!(after(4, 5, "Concert d’orgue, cathédrale")[1], Standing::Orphaned);
}

#[test]
fn a_neighbour_that_resembles_a_line_is_not_taken_for_it_when_the_line_is_gone() {
    let read = agenda(&WEEK);
    let market = correction(&read, WEEK[0].1, titled("Grand marché"));
    let vic = correction(&read, WEEK[2].1, to(Placement::Hidden));
    // Monday's market is gone; Saturday's, in the same words, and the one of Vic stay.
    let left = agenda(&WEEK[1..]);
    let made = overlay(&[market, vic.clone()]).apply(&left);
    assert_eq!(made.standings, [Standing::Orphaned, Standing::Applied]);
    // What was to disappear has disappeared.
    let left = agenda(&[WEEK[0], WEEK[1], WEEK[3], WEEK[4]]);
    assert_eq!(overlay(&[vic]).apply(&left).standings, [Standing::Absorbed]);
}

#[test]
fn of_equal_lines_the_one_that_was_meant_is_changed_and_another_number_of_them_is_a_conflict() {
    let twice = [(1, "Visite guidée, 10 h"), (1, "Visite guidée, 10 h"), (2, "Bal, 21 h")];
    let read = agenda(&twice);
    let mut second = correction(&read, "Visite guidée, 10 h", titled("Visite du trésor"));
    second.anchor = anchor_of(&lines(&read), 1, 0);
    assert_ne!(second.anchor.name(), anchor_of(&lines(&read), 0, 0).name());
    for (at, _) in twice.iter().enumerate() {
        assert_eq!(named(&lines(&read), &anchor_of(&lines(&read), at, 0).name()), Some((at, 0)));
    }
    assert_eq!(named(&lines(&read), "2027-07-12.00000000.0.0"), None);
    let made = overlay(std::slice::from_ref(&second)).apply(&read);
    let titles: Vec<String> = printed(&made.agenda).into_iter().map(|(_, title)| title).collect();
    assert_eq!(titles, ["Visite guidée", "Visite du trésor", "Bal"]);
    let once = overlay(&[second]).apply(&agenda(&twice[1..]));
    assert!(matches!(once.standings[0], Standing::InConflict { .. }));
}

#[test]
fn a_correction_never_moves_anything_out_of_the_week() {
    let read = agenda(&WEEK);
    let far = correction(&read, WEEK[1].1, to(Placement::Day(day(9))));
    assert!(!far.patch.fits(read.week.unwrap()));
    let made = overlay(&[far]).apply(&read);
    assert!(matches!(made.standings[0], Standing::InConflict { .. }));
    assert_eq!(made.agenda, read);
}

#[test]
fn a_heading_without_lines_stays_unless_a_person_emptied_it() {
    let mut read = agenda(&WEEK);
    read.days.push(Day { date: day(7), items: Vec::new() });
    let moved = correction(&read, WEEK[0].1, to(Placement::Day(day(6))));
    let dates = |agenda: &Agenda| agenda.days.iter().map(|it| it.date).collect::<Vec<_>>();
    assert_eq!(dates(&overlay(&[moved]).apply(&read).agenda), [day(2), day(6), day(7)]);
}

#[test]
fn case_accents_and_signs_can_be_corrected() {
    let read = agenda(&[(2, "Fete du VILLAGE, 5, Pavie")]);
    let patch = Patch { price: Some(Set::To("5 €".to_owned())), ..titled("Fête du village") };
    let it = correction(&read, "Fete du VILLAGE, 5, Pavie", patch);
    let made = overlay(std::slice::from_ref(&it)).apply(&read);
    assert_eq!(made.standings, [Standing::Applied]);
    assert_eq!(printed(&made.agenda), [(2, "Fête du village".to_owned())]);
    // Blanks are no difference.
    let mut said = read.clone();
    said.days[0].items[0].events[0] =
        Event { title: "Fête  du village".to_owned(), price: Some("5 €".to_owned()), ..Event::default() };
    assert_eq!(overlay(&[it]).apply(&said).standings, [Standing::Absorbed]);
}

#[test]
fn another_announcement_that_says_the_same_absorbs_nothing() {
    let read = agenda(&[(2, "Visite guidée de la cathédrale, 15 h")]);
    let moved = correction(&read, "Visite guidée de la cathédrale, 15 h", to(Placement::Day(day(3))));
    // The line changed, and a new one that resembles it stands where the correction would put it.
    let now = agenda(&[(2, "Visite guidée de la cathédrale, 16 h"), (3, "Visite guidée de la tour, 15 h")]);
    let made = overlay(&[moved]).apply(&now);
    assert!(matches!(&made.standings[0], Standing::InConflict { now, .. } if now.contains("cathédrale")));
}

#[test]
fn of_two_corrections_of_a_changed_line_each_is_decided() {
    let mut read = agenda(&WEEK);
    let two = |agenda: &mut Agenda| {
        let other = Event { title: "Concert".to_owned(), ..Event::default() };
        agenda.days[1].items[0].events.push(other);
    };
    two(&mut read);
    let first = correction(&read, WEEK[1].1, titled("Bal des pompiers"));
    let mut second = correction(&read, WEEK[1].1, to(Placement::Hidden));
    second.anchor = anchor_of(&lines(&read), 1, 1);
    let mut week = WEEK;
    week[1].1 = "Bal des pompier, Pavie, 22 h";
    let mut now = agenda(&week);
    two(&mut now);
    let both = overlay(&[first.clone(), second.clone()]).apply(&now);
    assert!(both.standings.iter().all(|it| matches!(it, Standing::InConflict { .. })));
    // The first is adapted to what the line is now; the second still waits for a person.
    let adapted = Correction { anchor: anchor_of(&lines(&now), 1, 0), ..first };
    let made = overlay(&[adapted, second]).apply(&now);
    assert_eq!(made.standings[0], Standing::Applied);
    assert!(matches!(made.standings[1], Standing::InConflict { .. }));
}

#[test]
fn a_line_that_is_left_out_of_every_issue_is_not_printed_whatever_was_corrected_in_it_and_its_day_stays_empty() {
    let read = agenda(&[(1, "Office ouvert, 9 h"), (2, "Bal, 21 h")]);
    let it = correction(&read, "Office ouvert, 9 h", titled("Ouverture"));
    let dismissal = Dismissal {
        mailing: "agenda".to_owned(),
        line: "Office ouvert, 9 h".to_owned(),
        why: "horaires".to_owned(),
        by: "Marc".to_owned(),
        at: Timestamp::default(),
    };
    let made = Overlay { corrections: vec![it], dismissals: vec![dismissal] }.apply(&read);
    assert_eq!(printed(&made.agenda), [(2, "Bal".to_owned())]);
    // A gate looks at days without announcements.
    assert_eq!(made.agenda.days.iter().map(|it| it.items.len()).collect::<Vec<_>>(), [0, 1]);
    nothing_is_lost(&read, &made);
}

#[test]
fn words_that_no_field_holds_stay_with_an_event_that_is_printed() {
    let event = |title: &str| Event { title: title.to_owned(), ..Event::default() };
    let two = Item {
        text: "visite, atelier, au profit du Téléthon".to_owned(),
        events: vec![event("visite"), event("atelier")],
        ..Item::default()
    };
    let words = Some("au profit du Téléthon".to_owned());
    let notes = |patches: &[(usize, &Patch)]| -> Vec<Option<String>> {
        patched(&two, patches).events.into_iter().map(|event| event.note).collect()
    };
    let with = |patch: Patch| Patch { remainder: words.clone(), ..patch };
    assert_eq!(notes(&[(0, &with(titled("Visite")))]), [None, words.clone()]);
    assert_eq!(notes(&[(1, &with(titled("Atelier")))]), [None, words.clone()]);
    // The last is left out: the words go to the other.
    assert_eq!(notes(&[(1, &with(to(Placement::Hidden)))]), [words.clone(), None]);
    // A note that a person wrote stays.
    let written = Patch { note: Some(Set::To("complet".to_owned())), ..titled("Atelier") };
    assert_eq!(notes(&[(1, &with(written))])[1].as_deref(), Some("complet"));
    let emptied = Patch { note: Some(Set::Nothing), ..titled("Atelier") };
    assert_eq!(notes(&[(1, &with(emptied))])[1], None);
}

#[test]
fn a_correction_of_what_is_no_event_counts_once_it_is_printed() {
    let mut read = agenda(&[(2, "Bal, 21 h"), (0, "Office ouvert, 9 h")]);
    read.unplaced[0].unplaced = Some(Unplaced::NotAnEvent);
    let made = |patch| overlay(&[correction(&read, "Office ouvert, 9 h", patch)]).apply(&read).agenda;
    let titled = made(titled("Portes ouvertes"));
    assert_eq!((titled.event_count(), titled.corrections.changed), (1, 0));
    let placed = made(to(Placement::Day(day(3))));
    assert_eq!((placed.event_count(), placed.corrections.changed), (2, 1));
}

#[test]
fn a_line_that_is_no_event_is_left_out_wherever_it_stands_and_counted() {
    let read = agenda(&WEEK);
    let it = Dismissal {
        mailing: "agenda".to_owned(),
        line: "MARCHÉ : place de la Libération, 9h".replace("9h", "9 h"),
        why: String::new(),
        by: "Marc".to_owned(),
        at: Timestamp::default(),
    };
    let made = Overlay { corrections: Vec::new(), dismissals: vec![it] }.apply(&read);
    assert_eq!(made.agenda.corrections.left_out.len(), 2);
    assert_eq!(made.agenda.event_count(), read.event_count() - 2);
}

#[test]
fn a_correction_is_read_back_as_it_was_written() {
    let read = agenda(&WEEK);
    let patch = Patch {
        placement: Some(Placement::Day(day(3))),
        start: Some(Set::To(NaiveTime::from_hms_opt(22, 30, 0).unwrap())),
        place: Some(Set::Nothing),
        ..titled("Feu")
    };
    let it = correction(&read, WEEK[4].1, patch);
    let patch = serde_json::to_string(&it.patch).unwrap();
    assert_eq!(serde_json::from_str::<Patch>(&patch).unwrap(), it.patch);
    let anchor = serde_json::to_string(&it.anchor).unwrap();
    assert_eq!(serde_json::from_str::<Anchor>(&anchor).unwrap(), it.anchor);
    for section in ["2027-07-14", "daily", "exhibitions", "unplaced"] {
        assert_eq!(section.parse::<Section>().unwrap().to_string(), section);
    }
    assert!("2027-7".parse::<Section>().unwrap_err().to_string().starts_with("expected a date such as"));
}

const TITLES: [&str; 8] = [
    "Bal des pompiers",
    "Marché gourmand",
    "Concert de guitare",
    "Visite de la tour",
    "Vide-greniers",
    "Loto",
    "Randonnée des coteaux",
    "Marché",
];
const TOWNS: [&str; 5] = ["Auch", "Pavie", "Mirande", "Jegun", "Duran"];

/// Any line of an agenda, with its day.
fn any_line() -> impl Strategy<Value = (u32, String)> {
    (0..8u32, 0..TITLES.len(), 0..TOWNS.len(), 8..23u32)
        .prop_map(|(day, title, town, hour)| (day, format!("{}, {}, {hour} h", TITLES[title], TOWNS[town])))
}

fn of(lines: &[(u32, String)]) -> Agenda {
    agenda(&lines.iter().map(|(day, text)| (*day, text.as_str())).collect::<Vec<_>>())
}

/// What the author of an article does to it.
#[derive(Debug, Clone)]
enum Edit {
    Add((u32, String)),
    Remove(Index),
    Move(Index, u32),
    /// Another hour.
    Change(Index, u32),
}

fn any_edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        any_line().prop_map(Edit::Add),
        any::<Index>().prop_map(Edit::Remove),
        (any::<Index>(), 0..8u32).prop_map(|(at, day)| Edit::Move(at, day)),
        (any::<Index>(), 8..23u32).prop_map(|(at, hour)| Edit::Change(at, hour)),
    ]
}

fn edited(lines: &mut Vec<(u32, String)>, edit: &Edit, spare: Option<&(u32, String)>) {
    let allowed = |line: &(u32, String)| spare.is_none_or(|spare| folded(&spare.1) != folded(&line.1));
    let pick = |lines: &[(u32, String)], at: &Index| {
        let n = at.index(lines.len().max(1));
        lines.get(n).filter(|line| allowed(line)).map(|_| n)
    };
    match edit {
        Edit::Add(line) if allowed(line) => lines.push(line.clone()),
        Edit::Add(_) => {}
        Edit::Remove(at) => drop(pick(lines, at).map(|n| lines.remove(n))),
        Edit::Move(at, day) => {
            if let Some(n) = pick(lines, at) {
                lines[n].0 = *day;
            }
        }
        Edit::Change(at, hour) => {
            if let Some(n) = pick(lines, at) {
                let words = lines[n].1.rsplit_once(", ").unwrap().0.to_owned();
                let line = (lines[n].0, format!("{words}, {hour} h"));
                if allowed(&line) {
                    lines[n] = line;
                }
            }
        }
    }
}

fn any_patch() -> impl Strategy<Value = Patch> {
    prop_oneof![
        Just(titled("Un autre titre")),
        (1..8u32).prop_map(|n| to(Placement::Day(day(n)))),
        Just(to(Placement::Hidden)),
        Just(to(Placement::EveryDay)),
        Just(Patch { place: Some(Set::To("Lectoure, halle".to_owned())), ..Patch::default() }),
    ]
}

/// Every event of the reading is printed, or was left out by a person.
fn nothing_is_lost(read: &Agenda, made: &Corrected) {
    assert_eq!(made.agenda.event_count() + made.agenda.corrections.left_out.len(), read.event_count());
    let mut words: Vec<String> = read.items().map(|(_, item)| item.text.clone()).collect();
    for (_, item) in made.agenda.items() {
        let at = words.iter().position(|text| *text == item.text).expect("a line of the article");
        words.remove(at);
    }
    let mut left_out: Vec<&str> = made.agenda.corrections.left_out.iter().map(|it| &*it.line).collect();
    for text in words {
        let at = left_out.iter().position(|it| *it == text).expect("left out by a person");
        left_out.remove(at);
    }
}

proptest! {
    /// The article changes around a line that was corrected: ten readings later the correction stands as at first.
    #[test]
    fn a_correction_survives_whatever_happens_around_its_line(
        mut lines in prop::collection::vec(any_line(), 1..15),
        at: Index,
        patch in any_patch(),
        edits in prop::collection::vec(prop::collection::vec(any_edit(), 0..6), 10),
    ) {
        let read = of(&lines);
        let line = lines[at.index(lines.len())].clone();
        let it = correction(&read, &line.1, patch);
        let it = overlay(&[it]);
        let first = it.apply(&read);
        nothing_is_lost(&read, &first);
        for edits in &edits {
            for edit in edits {
                edited(&mut lines, edit, Some(&line));
            }
            let read = of(&lines);
            let made = it.apply(&read);
            nothing_is_lost(&read, &made);
            prop_assert_eq!(&made.standings, &first.standings);
        }
    }

    /// The line itself may change, move or go: whatever becomes of the correction, it touches no line with other words.
    #[test]
    fn a_correction_touches_no_line_with_other_words(
        mut lines in prop::collection::vec(any_line(), 1..15),
        at: Index,
        patch in any_patch(),
        edits in prop::collection::vec(any_edit(), 0..25),
    ) {
        let read = of(&lines);
        let line = lines[at.index(lines.len())].clone();
        let it = correction(&read, &line.1, patch);
        for edit in &edits {
            edited(&mut lines, edit, None);
        }
        let read = of(&lines);
        let made = overlay(std::slice::from_ref(&it)).apply(&read);
        nothing_is_lost(&read, &made);
        for (_, item) in made.agenda.items().filter(|(_, item)| item.corrected) {
            prop_assert_eq!(folded(&item.text), folded(&it.anchor.line));
        }
        for withdrawn in &made.agenda.corrections.left_out {
            prop_assert_eq!(folded(&withdrawn.line), folded(&it.anchor.line));
        }
        if made.standings != [Standing::Applied] {
            prop_assert_eq!(&made.agenda.days, &read.days);
            prop_assert_eq!((&made.agenda.daily, &made.agenda.unplaced), (&read.daily, &read.unplaced));
        }
        prop_assert_eq!(made.agenda.week, read.week);
        prop_assert!(made.agenda.days.iter().all(|day| read.week.unwrap().contains(day.date)));
    }
}
