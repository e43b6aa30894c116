//! The printed page seen from outside: what a reader, a printer and a screen reader get.

mod command;
mod golden;
mod paper;
mod pictures;
mod sample;

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex},
};

use self::paper::{Paper, squeezed};
use semainier::{
    compose::{
        print::{Format, Layout, Logo, Look, Printed, Sheet, Theme, print},
        rows::{Row, rows, status_word},
    },
    domain::{
        agenda::{Agenda, Item},
        french,
    },
};

const FORMS: [(&str, Layout); 3] =
    [("poster", Layout::Poster), ("booklet", Layout::Booklet), ("imposed", Layout::Imposed)];

fn printed(layout: Layout, agenda: &Agenda) -> Printed {
    print(layout, &sample::sheet(agenda, &sample::office(), &Look::default())).unwrap()
}

/// In black and white with a logo and practical information, on that paper.
fn dressed(layout: Layout, agenda: &Agenda, format: Format) -> Printed {
    let (office, look) = (sample::office(), sample::dressed());
    print(layout, &Sheet { format, ..sample::sheet(agenda, &office, &look) }).unwrap()
}

/// One form of the sample agenda of that size. Printed once for all tests.
fn sample_paper(form: &'static str, count: usize) -> Paper {
    static PRINTED: Mutex<BTreeMap<(&str, usize), Printed>> = Mutex::new(BTreeMap::new());
    let printed = || {
        let (_, layout) = FORMS.into_iter().find(|(name, _)| *name == form).unwrap();
        printed(layout, &sample::agenda(count))
    };
    Paper::of(PRINTED.lock().unwrap().entry((form, count)).or_insert_with(printed).clone())
}

/// Every form of agendas of several sizes, and of the hostile one. Printed once for all tests.
fn papers() -> impl Iterator<Item = (String, Agenda, Paper)> {
    static PRINTED: LazyLock<Vec<(String, Agenda, Printed)>> = LazyLock::new(all_printed);
    PRINTED.iter().map(|(name, agenda, printed)| (name.clone(), agenda.clone(), Paper::of(printed.clone())))
}

fn all_printed() -> Vec<(String, Agenda, Printed)> {
    let mut all = Vec::new();
    for (form, layout) in FORMS {
        for count in [0, 1, 10, 20, 60, 70, 120] {
            all.push((format!("{form} of {count}"), sample::agenda(count), sample_paper(form, count).printed));
        }
        let hostile = sample::hostile();
        all.push((format!("{form} of hostile"), hostile.clone(), printed(layout, &hostile)));
    }
    for count in [1, 60] {
        let agenda = sample::agenda(count);
        all.push((format!("a3 of {count}"), agenda.clone(), dressed(Layout::Poster, &agenda, Format::A3)));
        all.push((format!("ink booklet of {count}"), agenda.clone(), dressed(Layout::Booklet, &agenda, Format::A4)));
    }
    all
}

/// What must be heard of an agenda, in this order.
fn expected(agenda: &Agenda) -> Vec<String> {
    let mut pieces = Vec::new();
    for day in &agenda.days {
        pieces.push(french::capitalized(&french::day(day.date)));
        day.items.iter().for_each(|item| pieces.extend(of_item(item)));
    }
    let asides = agenda.daily.iter().map(|daily| &daily.item).chain(&agenda.exhibitions).chain(&agenda.unplaced);
    asides.for_each(|item| pieces.extend(of_item(item)));
    pieces
}

fn of_item(item: &Item) -> Vec<String> {
    let pieces = |row: Row| {
        let first = [Some(row.time), Some(row.title), status_word(row.status).map(str::to_owned)];
        // The first letter of the details is a capital.
        let details =
            [row.until, row.place, row.price, row.phone].map(|detail| detail.map(|text| text[1..].to_owned()));
        first.into_iter().chain(details).flatten().collect::<Vec<_>>()
    };
    rows(item).into_iter().flat_map(pieces).collect()
}

fn assert_in_order(spoken: &str, pieces: &[String], of: &str) {
    let mut at = 0;
    for piece in pieces.iter().map(|piece| squeezed(piece)) {
        match spoken[at..].find(&piece) {
            Some(found) => at += found + piece.len(),
            None => panic!(
                "{of}: {piece:?} is not heard after {:?}",
                spoken[..at].chars().rev().take(60).collect::<String>().chars().rev().collect::<String>()
            ),
        }
    }
}

#[test]
fn every_event_is_read_under_its_day_and_in_order() {
    for count in [1, 10, 60, 120] {
        let agenda = sample::agenda(count);
        for (form, _) in FORMS {
            let spoken = sample_paper(form, count).spoken();
            assert_in_order(&spoken, &expected(&agenda), &format!("{form} of {count}"));
        }
    }
}

#[test]
fn every_word_can_be_copied_with_its_accents() {
    for (name, agenda, paper) in papers().filter(|(name, ..)| !name.contains("hostile")) {
        let copied = paper.copied();
        for piece in expected(&agenda) {
            for word in piece.split_whitespace() {
                assert!(copied.contains(word), "{name}: {word:?} cannot be copied");
            }
        }
    }
}

#[test]
fn hostile_text_is_printed_without_unprintable_characters() {
    let agenda = sample::hostile();
    for (form, layout) in FORMS {
        let paper = Paper::of(printed(layout, &agenda));
        let spoken = paper.spoken();
        let glued = spoken.replace(' ', "");
        for text in [
            "Anticonstitutionnellement-hexakosioihexekontahexaphobiquement-vôtre-et-sans-aucune-espace",
            "ttps://www.office-gascogne.example/agenda/2026/07/une-adresse-tres-longue?avec=des&parametres=sans&fin=1",
            "GRANDLOTODESANCIENSCOMBATTANTSDELACOMMUNEDESAINT-JEAN-POUTGEETDESESENVIRONS",
            "Fêtedel’étéàlacampagne",
            "Lignecoupéeentrois",
            "Concertinverséisolé",
            "Fêtedelamusique",
            "Soiréegrasetfullwidth№1",
            "Ñandú,Dvořák,Kārlis,Ελλάδα,Москва,Þór,ffi",
            "«Citation»:«imbriquée»;vraiment?oui!100%·5€–fin",
            "Rendez-vousnuméro39",
            &"mot".repeat(1499),
            &"A".repeat(900),
        ] {
            assert!(glued.contains(text), "{form}: {text:?} is lost");
        }
        assert!(paper.printed.warnings.iter().any(|warning| warning.contains('🎉')), "{:?}", paper.printed.warnings);
    }
}

#[test]
fn no_letter_is_replaced_or_missing() {
    for (name, _, paper) in papers() {
        let raw = paper.copied() + &paper.spoken();
        let bad = |c: char| matches!(c, '\u{fffd}' | '\0' | '\u{fb00}'..='\u{fb06}' | '\u{e000}'..='\u{f8ff}');
        assert!(!raw.contains(bad), "{name}: {:?}", raw.matches(bad).collect::<Vec<_>>());
    }
}

#[test]
fn fonts_are_embedded_subset_and_mapped_to_unicode() {
    for (name, _, paper) in papers() {
        let fonts = paper.ask("pdffonts", &["{}"]);
        let fonts: Vec<_> = fonts.lines().skip(2).collect();
        assert_eq!(fonts.len(), 2, "{name}: {fonts:?}");
        for font in fonts {
            let tag = font.split('+').next().unwrap();
            assert!(tag.len() == 6 && tag.chars().all(|c| c.is_ascii_uppercase()), "{name}: {font}");
            assert!(font.contains("CID TrueType") && font.contains("yes yes yes"), "{name}: {font}");
        }
    }
}

#[test]
fn files_are_valid_small_and_have_metadata() {
    for (name, _, paper) in papers() {
        paper.ask("qpdf", &["--check", "{}"]);
        let most = if name.contains("120") || name.contains("hostile") { 80_000 } else { 60_000 };
        assert!(paper.printed.pdf.len() <= most, "{name}: {} bytes", paper.printed.pdf.len());
        assert!(paper.info("Title").starts_with("Que faire à Auch cette semaine, du lundi 6 au dimanche 12"), "{name}");
        assert_eq!(paper.info("Author"), sample::office().name);
        assert_eq!((paper.info("Tagged"), paper.info("PDF version")), ("yes".into(), "1.7".into()), "{name}");
        assert!(paper.ask("qpdf", &["--json", "{}"]).contains(r#""/Lang": "u:fr-FR""#), "{name}");
    }
}

#[test]
fn number_and_size_of_pages_are_as_documented() {
    for (name, _, paper) in papers() {
        let (pages, size) = (paper.printed.pages, paper.info("Page size"));
        assert_eq!(paper.info("Pages"), pages.to_string());
        let (right_count, expected) = match name.split(' ').next().unwrap() {
            "poster" => (
                pages == if name.contains("120") || name.contains("hostile") { 2 } else { 1 },
                "595.276 x 841.89 pts (A4)",
            ),
            "booklet" | "ink" => (pages % 4 == 0, "419.528 x 595.276 pts"),
            "a3" => (pages == 1, "841.89 x 1190.55 pts (A3)"),
            _ => (pages % 2 == 0, "841.89 x 595.276 pts (A4)"),
        };
        assert!(right_count, "{name}: {pages} pages");
        assert_eq!(size, expected, "{name}");
    }
}

#[test]
fn a_poster_is_one_page_up_to_seventy_events_and_numbered_beyond() {
    let one = sample_paper("poster", 70);
    assert_eq!(one.printed.pages, 1);
    let two = sample_paper("poster", 110);
    assert_eq!(two.printed.pages, 2);
    assert!(two.copied().contains("1/2") && two.copied().contains("2/2") && !one.copied().contains("1/1"));
}

#[test]
fn the_qr_code_leads_to_the_agenda_online() {
    for count in [0, 1, 10, 60] {
        assert_eq!(sample_paper("poster", count).qr_codes(1), [sample::URL], "poster of {count}");
        assert_eq!(sample_paper("booklet", count).qr_codes(1), [sample::URL], "booklet of {count}");
    }
}

#[test]
fn without_an_online_address_there_is_no_qr_code_and_no_empty_page() {
    let (office, look) = (sample::office(), Look::default());
    for (form, layout) in FORMS {
        let agenda = sample::agenda(1);
        let sheet = Sheet { online_url: None, ..sample::sheet(&agenda, &office, &look) };
        let paper = Paper::of(print(layout, &sheet).unwrap());
        assert!(!paper.ask("pdfinfo", &["-struct-text", "{}"]).contains("Figure"), "{form}");
        for page in 1..=paper.printed.pages {
            assert!(!paper.copied_from(page, (0, 900), 900).is_empty(), "{form}: page {page} is empty");
        }
    }
}

#[test]
fn no_page_of_a_booklet_is_empty() {
    for count in [0, 1, 2, 3, 7, 33, 61, 119] {
        let paper = sample_paper("booklet", count);
        for page in 1..=paper.printed.pages {
            assert!(paper.copied_from(page, (0, 420), 596).len() > 20, "page {page} of {count} events");
        }
        assert!(paper.spoken().contains("Informations pratiques"));
    }
}

#[test]
fn a_folded_booklet_shows_its_pages_in_order() {
    for count in [1, 20, 60, 120] {
        let (pages, sheets) = (sample_paper("booklet", count), sample_paper("imposed", count));
        let n = pages.printed.pages;
        assert_eq!(sheets.printed.pages * 2, n);
        for i in 0..n / 4 {
            let sides = [(2 * i + 1, n - 2 * i, 2 * i + 1), (2 * i + 2, 2 * i + 2, n - 2 * i - 1)];
            for (side, left, right) in sides {
                let page = |number| pages.copied_from(number, (0, 420), 596);
                assert_eq!(sheets.copied_from(side, (0, 421), 596), page(left), "left of side {side} of {count}");
                assert_eq!(sheets.copied_from(side, (421, 421), 596), page(right), "right of side {side} of {count}");
            }
        }
        let preferences = sheets.ask("qpdf", &["--json", "{}"]);
        assert!(preferences.contains("/DuplexFlipShortEdge"));
    }
}

#[test]
fn a_day_of_the_booklet_is_kept_on_one_page_if_possible() {
    let spoken = sample_paper("booklet", 60).copied();
    assert!(!spoken.contains("(suite)"));
}

#[test]
fn the_same_sheet_gives_the_same_bytes() {
    for agenda in [sample::agenda(60), sample::hostile()] {
        for (form, layout) in FORMS {
            assert_eq!(printed(layout, &agenda), printed(layout, &agenda), "{form}");
        }
    }
}

/// Prints in a process of its own, for the test below.
#[test]
fn another_process_prints() {
    let Some(path) = std::env::var_os("PRINT_TO") else { return };
    let pages = FORMS.map(|(_, layout)| printed(layout, &sample::agenda(20)).pdf);
    std::fs::write(path, pages.concat()).unwrap();
}

#[test]
fn a_fresh_process_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pages");
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", "print::another_process_prints"]).env("PRINT_TO", &path).output().unwrap();
    assert!(output.status.success());
    let pages = FORMS.map(|(_, layout)| printed(layout, &sample::agenda(20)).pdf);
    assert!(std::fs::read(path).unwrap() == pages.concat());
}

#[test]
fn pages_match_their_reviewed_pictures() {
    let dressed = |layout, count, format| Paper::of(dressed(layout, &sample::agenda(count), format));
    let pages = [
        ("poster-10", sample_paper("poster", 10), 1),
        ("poster-60", sample_paper("poster", 60), 1),
        ("poster-120", sample_paper("poster", 120), 2),
        ("poster-ink-20", dressed(Layout::Poster, 20, Format::A4), 1),
        ("booklet-20-cover", sample_paper("booklet", 20), 1),
        ("booklet-60-page", sample_paper("booklet", 60), 2),
        ("imposed-60-sheet", sample_paper("imposed", 60), 1),
        ("booklet-ink-20-back", dressed(Layout::Booklet, 20, Format::A4), 4),
    ];
    let wrong: Vec<_> =
        pages.iter().filter_map(|(name, paper, page)| golden::check(name, paper, *page).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut names: Vec<_> = pages.iter().map(|(name, ..)| (*name).to_owned()).collect();
    names.sort();
    assert_eq!(golden::kept(), names, "every kept picture is compared");
    // The comparison sees one event more.
    let other = golden::Picture::of(&sample_paper("poster", 11), 1);
    assert!(golden::Picture::of(&pages[0].1, 1).difference(&other) > 0.005);
}

#[test]
fn on_a3_everything_is_larger_by_the_square_root_of_two_and_can_still_be_clicked() {
    let agenda = sample::agenda(60);
    let [small, large] = [Format::A4, Format::A3].map(|format| Paper::of(dressed(Layout::Poster, &agenda, format)));
    assert_eq!(small.spoken(), large.spoken());
    let areas = |paper: &Paper| {
        let document = lopdf::Document::load_mem(&paper.printed.pdf).unwrap();
        let annotations = document.page_iter().flat_map(|page| document.get_page_annotations(page).unwrap());
        let area = |link: &lopdf::Dictionary| link.get(b"Rect").unwrap().as_array().unwrap().clone();
        annotations.flat_map(area).map(|side| side.as_float().unwrap()).collect::<Vec<_>>()
    };
    let (small, large) = (areas(&small), areas(&large));
    assert!(!small.is_empty() && small.len() == large.len());
    assert!(small.iter().zip(&large).all(|(a, b)| (b / a - 2_f32.sqrt()).abs() < 1e-3));
}

#[test]
fn a_logo_is_visible_and_has_alternative_text() {
    let agenda = sample::agenda(10);
    for layout in [Layout::Poster, Layout::Booklet, Layout::Imposed] {
        let paper = Paper::of(dressed(layout, &agenda, Format::A4));
        let images = paper.ask("pdfimages", &["-list", "{}"]);
        assert!(images.contains("image") && images.contains("smask"), "{images}");
        assert!(paper.ask("qpdf", &["--json", "{}"]).contains("Logo : Office de tourisme Grand Auch"));
    }
    let jpeg = Look { logo: Logo::parse(include_bytes!("logo.jpg")).ok(), ..Look::default() };
    let office = sample::office();
    let paper = Paper::of(print(Layout::Poster, &sample::sheet(&agenda, &office, &jpeg)).unwrap());
    let passed_through = include_bytes!("logo.jpg");
    assert!(paper.printed.pdf.windows(passed_through.len()).any(|bytes| bytes == passed_through));
}

#[test]
fn the_ink_theme_has_no_filled_areas() {
    let agenda = sample::agenda(20);
    let ink = |look: &Look| {
        let office = sample::office();
        let sheet = Sheet { online_url: None, ..sample::sheet(&agenda, &office, look) };
        let pgm = Paper::of(print(Layout::Poster, &sheet).unwrap()).rastered(1, 60);
        let dark: u64 = pgm.iter().skip(15).map(|&pixel| u64::from(255 - pixel)).sum();
        dark as f64 / (255.0 * pgm.len() as f64)
    };
    let (black, blue) = (ink(&Look { theme: Theme::INK, ..Look::default() }), ink(&Look::default()));
    assert!(black < 0.08 && black < 0.5 * blue, "{black} of the page is ink, {blue} in colour");
}

#[test]
fn practical_information_is_on_the_spare_page() {
    let spoken = Paper::of(dressed(Layout::Booklet, &sample::agenda(20), Format::A4)).spoken();
    let lines = ["Informations pratiques", "Pharmacie de garde", "composez le 32 37", "Le marché de plein vent"];
    assert_in_order(&spoken, &lines.map(str::to_owned), "booklet");
}

#[test]
fn links_are_clickable_and_have_descriptions() {
    let agenda = sample::agenda(60);
    let linked = agenda.items().flat_map(|(_, item)| &item.events).filter_map(|event| event.link.clone());
    let linked: Vec<_> = linked.chain([sample::URL.to_owned()]).collect();
    for (form, _) in FORMS {
        let paper = sample_paper(form, 60);
        let urls = paper.ask("pdfinfo", &["-url", "{}"]);
        for url in &linked {
            assert_eq!(urls.lines().filter(|line| line.ends_with(url.as_str())).count(), 1, "{form}: {url}");
        }
        let document = lopdf::Document::load_mem(&paper.printed.pdf).unwrap();
        for page in document.page_iter() {
            for annotation in document.get_page_annotations(page).unwrap() {
                for key in ["Contents", "StructParent", "QuadPoints", "Rect"] {
                    assert!(annotation.has(key.as_bytes()), "{form}: a link without {key}");
                }
            }
        }
    }
    let booklet = sample_paper("booklet", 60).ask("pdfinfo", &["-url", "{}"]);
    assert!(booklet.contains("mailto:contact@office-gascogne.example"));
    assert!(booklet.contains("https://www.office-gascogne.example\n"));
}

#[test]
fn bookmarks_follow_the_days() {
    for (form, _) in FORMS {
        let paper = sample_paper(form, 60);
        let document = lopdf::Document::load_mem(&paper.printed.pdf).unwrap();
        let titles: Vec<_> = document.get_toc().unwrap().toc.into_iter().map(|entry| entry.title).collect();
        let days: Vec<_> = titles.iter().filter_map(|title| title.split(' ').next()).take(7).collect();
        assert_eq!(days, ["Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi", "Dimanche"], "{form}");
    }
}

#[test]
fn cancelled_postponed_and_sold_out_are_printed_as_words() {
    let spoken = sample_paper("poster", 60).spoken();
    for word in ["Annulé", "Reporté", "Complet"] {
        assert!(spoken.contains(word), "{word}");
    }
}

#[test]
fn a_week_with_nothing_says_so() {
    for (form, layout) in FORMS {
        let spoken = Paper::of(printed(layout, &Agenda::default())).spoken();
        assert!(spoken.contains("Aucun rendez-vous n’est annoncé cette semaine."), "{form}");
    }
}

#[test]
fn groups_that_have_no_day_come_under_their_own_heading() {
    let spoken = sample_paper("poster", 60).spoken();
    let headings = ["Dimanche 12 juillet", "Plusieurs jours cette semaine", "Expositions", "À noter aussi"];
    assert_in_order(&spoken, &headings.map(str::to_owned), "poster");
    assert!(spoken.contains("Du mardi au dimanche · Auch, départ place Salinis"));
    assert!(spoken.contains("Jusqu’au 31 août"));
}
