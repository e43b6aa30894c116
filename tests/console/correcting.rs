//! Correcting the agenda in the console: seen beside the article, corrected by a form, applied at each reading, never lost.

use super::deciding::{everything, post};
use super::{Desk, EVIL, Reply, viewer};
use crate::support::house::{BOTH, House, ISSUE, MONDAY, On, Relay, article_of_days};
use semainier::accounts::{Language, Permission, Roles, Viewer};
use serde_json::Value;

const FRIDAY: &str = "2027-07-09T16:00:00Z";
/// What has no day stands before the days.
const FIRE: &str = "Feu d’artifice à 22h30 au bord du Gers";
const BAL: &str = "à 21h, bal des pompier à Pavie";

/// The article of the week, with a line that has no day.
fn article(fire: &str, bal: &str) -> String {
    let days = article_of_days(MONDAY, |n| {
        let more = if n == 1 { format!("<li>{bal}</li>") } else { String::new() };
        format!("<ul><li>à 1{n}h, visite guidée n° {n} à Auch</li>{more}</ul>")
    });
    format!("<p>{fire}</p>{days}")
}

/// An office whose agenda comes from a file, rehearsed on Friday through the console.
fn office(on: On) -> Desk {
    let relay = Relay::start();
    let house = House::on(on).relay(&relay);
    house.import_many(3);
    let shipped = include_str!("../../jobs/agenda.toml");
    let (head, tail) = shipped.split_once("[[source]]").unwrap();
    let (_, tail) = tail.split_once("[gates]").unwrap();
    let head: String =
        head.lines().filter(|line| !line.starts_with("attach")).map(|line| format!("{line}\n")).collect();
    let site = house.path("site.html");
    house.write("jobs/agenda.toml", format!("{head}[[source]]\nkind = \"file\"\npath = {site:?}\n[gates]{tail}"));
    house.write("site.html", article(FIRE, BAL));
    let desk = Desk::open(house, relay, Some(everything()), FRIDAY);
    rehearse(&desk);
    desk
}

/// The article is read again.
fn rehearse(desk: &Desk) -> Reply {
    let path = format!("/envois/{ISSUE}/repeter");
    super::deciding::decide(desk, &path, &[])
}

fn page(desk: &Desk) -> Reply {
    desk.get(&format!("/envois/{ISSUE}/corriger"))
}

/// The address of the form behind « Corriger » in the row that holds these words.
fn form_of(desk: &Desk, words: &str) -> String {
    let html = scraper::Html::parse_document(&page(desk).text());
    let [rows, link] = ["tr", "a[href*='/corriger/']"].map(|it| scraper::Selector::parse(it).unwrap());
    let row = html.select(&rows).find(|row| row.text().collect::<String>().contains(words));
    let row = row.unwrap_or_else(|| panic!("no row with {words}\n{}", page(desk).words()));
    row.select(&link).next().unwrap().value().attr("href").unwrap().to_owned()
}

/// The fields as the form shows them.
fn fields(desk: &Desk, form: &str) -> Vec<(String, String)> {
    let shown = desk.get(form);
    assert_eq!(shown.status, 200, "{}", shown.words());
    fields_in(&shown)
}

fn fields_in(shown: &Reply) -> Vec<(String, String)> {
    let html = scraper::Html::parse_document(&shown.text());
    let [inputs, selects, chosen] =
        ["form.form input", "form.form select", "option[selected]"].map(|it| scraper::Selector::parse(it).unwrap());
    let attr = |it: scraper::ElementRef<'_>, name: &str| it.value().attr(name).unwrap_or_default().to_owned();
    let inputs =
        html.select(&inputs).filter(|it| attr(*it, "type") != "checkbox" || it.value().attr("checked").is_some());
    let inputs = inputs.map(|it| (attr(it, "name"), attr(it, "value")));
    let selects = html.select(&selects).map(|it| {
        let chosen = it.select(&chosen).next().map(|it| attr(it, "value")).unwrap_or_default();
        (attr(it, "name"), chosen)
    });
    inputs.chain(selects).filter(|(name, _)| name != "jeton").collect()
}

/// Sends the form with some fields changed.
fn send(desk: &Desk, form: &str, shown: &[(String, String)], changed: &[(&str, &str)]) -> Reply {
    let mut all: Vec<(&str, &str)> = shown
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| changed.iter().all(|(it, _)| it != name))
        .collect();
    all.extend(changed);
    post(desk, form.split('?').next().unwrap(), &all)
}

fn correct(desk: &Desk, words: &str, changed: &[(&str, &str)]) -> Reply {
    let form = form_of(desk, words);
    send(desk, &form, &fields(desk, &form), changed)
}

fn agenda(desk: &Desk) -> Value {
    serde_json::from_str(&desk.house.text(&format!("SELECT data FROM issue_content WHERE issue = '{ISSUE}'"))).unwrap()
}

fn issue(desk: &Desk, column: &str) -> String {
    desk.house.text(&format!("SELECT {column} FROM issues WHERE key = '{ISSUE}'"))
}

#[test]
fn a_line_without_a_day_is_placed_in_one_form_and_stays_placed_when_the_article_is_read_again() {
    for on in BOTH {
        let desk = office(on);
        desk.get("/").expect(200, &["n’a pas trouvé son jour"]);
        assert!(desk.get("/").text().replace("&#x2f;", "/").contains(&format!("href=\"/envois/{ISSUE}/corriger\"")));
        page(&desk).expect(
            200,
            &["À vérifier d’abord 1 annonce à vérifier", FIRE, "9 rendez-vous affichés = 9 de l’article + 0"],
        );
        let before = issue(&desk, "content_hash");
        let done = correct(&desk, FIRE, &[("day", "2027-07-14"), ("title", "Feu d’artifice"), ("start", "22:30")]);
        assert_eq!((done.status, done.header("location")), (303, &*format!("/envois/{ISSUE}/corriger?fait=corrected")));
        desk.get(done.header("location")).expect(
            200,
            &[
                "C’est corrigé.",
                "Rien à vérifier",
                "9 rendez-vous affichés = 8 de l’article + 1 corrigé",
                "corrigé par Claire",
            ],
        );
        let is_placed = || {
            let agenda = agenda(&desk);
            assert_eq!(agenda["unplaced"].as_array().map(Vec::len), Some(0), "{on:?}");
            let event = &agenda["days"][2]["items"][1]["events"][0];
            assert_eq!((&event["title"], &event["start"]), (&"Feu d’artifice".into(), &"22:30".into()));
            // The words stay the article's.
            assert_eq!(agenda["days"][2]["items"][1]["text"], FIRE);
        };
        is_placed();
        assert_ne!(issue(&desk, "content_hash"), before);
        let preview = format!("/envois/{ISSUE}/apercu/{}/texte.txt", issue(&desk, "content_hash"));
        assert!(desk.get(&preview).text().contains("Feu d’artifice"));
        // The article is read again, and other lines have changed.
        desk.house.write("site.html", article(FIRE, "à 21h, grand bal à Pavie"));
        assert_eq!(rehearse(&desk).status, 303);
        is_placed();
        desk.get("/").expect(200, &["1 annonce corrigée par Claire."]);
        desk.get(&format!("/envois/{ISSUE}/approuver")).expect(200, &["Corrections 1 annonce corrigée par Claire"]);
        desk.get("/trace").expect(200, &["a corrigé une annonce de l’agenda du 12 au 18 juillet", FIRE]);
        // Without the correction the article speaks.
        let id = desk.house.text("SELECT id FROM corrections");
        let back = post(&desk, &format!("/envois/{ISSUE}/corrections/{id}/retirer"), &[]);
        assert_eq!(back.status, 303);
        page(&desk).expect(200, &["1 annonce à vérifier", "9 de l’article + 0"]);
        assert_eq!(agenda(&desk)["unplaced"][0]["text"], FIRE);
        post(&desk, &format!("/envois/{ISSUE}/corrections/{id}/retirer"), &[])
            .expect(409, &["cette correction a déjà été retirée"]);
    }
}

#[test]
fn what_a_person_leaves_out_needs_a_reason_and_is_counted() {
    let desk = office(On::Sqlite);
    let refused = correct(&desk, BAL, &[("day", "hidden"), ("title", "Bal")]);
    assert!(fields_in(&refused).contains(&("title".to_owned(), "Bal".to_owned())), "what was typed is kept");
    refused.expect(422, &["Écrivez le motif"]);
    assert_eq!(desk.house.number("SELECT count(*) FROM corrections"), 0);
    assert_eq!(correct(&desk, BAL, &[("day", "hidden"), ("pourquoi", "doublon")]).status, 303);
    page(&desk).expect(200, &["8 rendez-vous affichés = 8 de l’article + 0 corrigé", "1 retiré"]);
    assert!(!agenda(&desk)["days"].to_string().contains("pompier"));
    // A line that is no event is left out of all that follow, too, with a reason as well.
    correct(&desk, FIRE, &[("day", "never")]).expect(422, &["Écrivez le motif"]);
    assert_eq!(correct(&desk, FIRE, &[("day", "never"), ("pourquoi", "rappel")]).status, 303);
    page(&desk).expect(200, &["Lignes écartées de tous les numéros", FIRE, "Claire : rappel"]);
    assert_eq!(rehearse(&desk).status, 303);
    assert_eq!(agenda(&desk)["unplaced"], Value::Array(Vec::new()));
    assert!(!agenda(&desk)["warnings"].to_string().contains("artifice"));
    let back = post(&desk, &format!("/envois/{ISSUE}/corriger"), &[("ligne", FIRE)]);
    assert_eq!((back.status, agenda(&desk)["unplaced"][0]["text"].as_str()), (303, Some(FIRE)));
}

#[test]
fn a_correction_takes_an_approval_back_and_says_so_before() {
    for on in BOTH {
        let desk = office(on);
        let approve = format!("/envois/{ISSUE}/approuver");
        assert_eq!(super::deciding::decide(&desk, &approve, &[("vu", "oui")]).status, 303);
        assert_eq!(issue(&desk, "state"), "approved");
        let form = form_of(&desk, BAL);
        desk.get(&form).expect(200, &["Claire a approuvé la version actuelle"]);
        assert_eq!(correct(&desk, BAL, &[("title", "Bal des pompiers")]).status, 303);
        assert_eq!(issue(&desk, "state"), "rehearsed", "{on:?}");
        assert_eq!(desk.house.number("SELECT count(*) FROM approvals WHERE withdrawn_at IS NULL"), 0);
        // Approved again, it is exactly what leaves.
        assert_eq!(super::deciding::decide(&desk, &approve, &[("vu", "oui")]).status, 303);
        assert_eq!(agenda(&desk)["days"][1]["items"][1]["events"][0]["title"], "Bal des pompiers");
        // Too late once it is frozen.
        desk.house.sql(&format!("UPDATE issues SET frozen_at = 1, state = 'sending' WHERE key = '{ISSUE}'"));
        page(&desk).expect(200, &["ne peut plus être modifié"]);
        let late = send(&desk, &form, &fields(&desk, &form), &[("title", "Autre bal")]);
        late.expect(409, &["il ne peut plus être modifié", "Ce que vous avez écrit est gardé"]);
        assert_eq!(desk.house.number("SELECT count(*) FROM corrections"), 1);
    }
}

#[test]
fn content_without_a_correction_that_closed_a_gate_cannot_be_approved() {
    for on in BOTH {
        let desk = office(on);
        // Nine events, and nine are needed: one that is left out closes the gate.
        let path = desk.house.path("jobs/agenda.toml");
        let job = std::fs::read_to_string(&path).unwrap();
        let strict = job.replace("min_events           = 5", "min_events           = 9");
        assert_ne!(strict, job);
        desk.house.write("jobs/agenda.toml", strict);
        let strict = desk.again(everything(), FRIDAY);
        let left_out = correct(&strict, BAL, &[("day", "hidden"), ("pourquoi", "doublon")]);
        assert_eq!(left_out.status, 303);
        assert_eq!(issue(&strict, "state"), "held", "{on:?}");
        page(&strict).expect(200, &["Ce numéro est retenu : 8 événements seulement"]);
        let approve = format!("/envois/{ISSUE}/approuver");
        super::deciding::decide(&strict, &approve, &[("vu", "oui")]).expect(409, &["vient d’être modifié"]);
        assert_eq!(strict.house.number("SELECT count(*) FROM approvals"), 0);
    }
}

#[test]
fn an_announcement_that_changed_under_its_correction_holds_the_issue_until_a_person_decides() {
    for on in BOTH {
        let desk = office(on);
        assert_eq!(correct(&desk, BAL, &[("title", "Bal des pompiers")]).status, 303);
        let later = "à 22h, bal des pompier à Pavie";
        desk.house.write("site.html", article(FIRE, later));
        assert_eq!(rehearse(&desk).status, 303);
        assert_eq!(issue(&desk, "state"), "held", "{on:?}");
        assert!(issue(&desk, "reason").contains("a changé depuis sa correction"));
        page(&desk)
            .expect(200, &["À décider : l’annonce a changé", BAL, later, "Garder ou adapter", "Retirer la correction"]);
        let html = page(&desk).text().replace("&#x2f;", "/").replace("&amp;", "&");
        let adapt =
            html.split("href=\"").find(|it| it.contains("?adapter=")).unwrap().split('"').next().unwrap().to_owned();
        let shown = fields(&desk, &adapt);
        let value = |name: &str| shown.iter().find(|(it, _)| it == name).unwrap().1.clone();
        assert_eq!((value("title"), value("start")), ("Bal des pompiers".to_owned(), "22:00".to_owned()));
        assert_eq!(send(&desk, &adapt, &shown, &[]).status, 303);
        page(&desk).expect(200, &["9 rendez-vous affichés = 8 de l’article + 1 corrigé"]);
        assert_eq!(issue(&desk, "state"), "rehearsed");
        assert_eq!(agenda(&desk)["days"][1]["items"][1]["events"][0]["start"], "22:00");
        // Its author mends it: the correction changes nothing any more.
        desk.house.write("site.html", article(FIRE, "à 22h, bal des pompiers à Pavie"));
        assert_eq!(rehearse(&desk).status, 303);
        page(&desk).expect(200, &["Corrections qui ne servent plus", "l’article a été corrigé depuis"]);
        // Gone: not held, its author is told.
        desk.house.write("site.html", article(FIRE, "à 15h, loto des aînés à Mirande"));
        assert_eq!(rehearse(&desk).status, 303);
        assert_eq!(issue(&desk, "state"), "rehearsed");
        page(&desk).expect(200, &["l’annonce n’est plus dans l’article"]);
        assert!(agenda(&desk)["warnings"].to_string().contains("corrigée par Claire, n’est plus dans l’article"));
    }
}

#[test]
fn of_two_people_who_correct_one_line_the_second_sees_both_and_loses_nothing() {
    for on in BOTH {
        let desk = office(on);
        let form = form_of(&desk, BAL);
        // Both open the form; Marc saves first.
        let shown = fields(&desk, &form);
        assert_eq!(send(&desk, &form, &shown, &[("title", "Bal du 13 juillet")]).status, 303);
        desk.house.sql("UPDATE corrections SET made_by = 'Marc'");
        let late =
            send(&desk, &form, &shown, &[("title", "Bal des pompiers"), ("price", "5 €"), ("pourquoi", "faute")]);
        let again = fields_in(&late);
        late.expect(
            409,
            &[
                "Marc vient de corriger cette annonce",
                "Marc : Titre : Bal du 13 juillet",
                "Ce que vous avez écrit est gardé",
            ],
        );
        let value = |name: &str| again.iter().find(|(it, _)| it == name).unwrap().1.as_str();
        assert_eq!((value("title"), value("price"), value("pourquoi")), ("Bal des pompiers", "5 €", "faute"));
        assert_eq!(agenda(&desk)["days"][1]["items"][1]["events"][0]["title"], "Bal du 13 juillet");
        // Saved once more, knowing that: it replaces Marc's, which stays in the ledger.
        assert_eq!(send(&desk, &form, &again, &[]).status, 303);
        let event = &agenda(&desk)["days"][1]["items"][1]["events"][0];
        assert_eq!((&event["title"], &event["price"]), (&"Bal des pompiers".into(), &"5 €".into()), "{on:?}");
        assert_eq!(desk.house.number("SELECT count(*) FROM corrections WHERE withdrawn_at IS NOT NULL"), 1);
    }
}

#[test]
fn a_correction_teaches_where_a_venue_is() {
    let desk = office(On::Sqlite);
    let place = "Pavie, la Fenière";
    let done = correct(&desk, BAL, &[("place", place), ("retenir", "oui")]);
    assert_eq!((done.status, done.header("location").ends_with("fait=taught")), (303, true));
    assert_eq!(desk.house.text("SELECT commune FROM venues WHERE origin = 'person'"), "Pavie");
    assert_eq!(agenda(&desk)["days"][1]["items"][1]["events"][0]["place"], place);
    // A name that every town has is not remembered, and that is said; the correction is saved.
    let done = correct(&desk, "visite guidée n° 3", &[("place", "Pavie, salle des fêtes"), ("retenir", "oui")]);
    assert!(done.header("location").ends_with("fait=not_taught"));
    assert_eq!(desk.house.number("SELECT count(*) FROM venues WHERE origin = 'person'"), 1);
    assert_eq!(desk.house.number("SELECT count(*) FROM corrections"), 2);
}

#[test]
fn a_correction_opens_no_gate_of_the_week_and_holds_nothing_that_cannot_be() {
    let desk = office(On::Sqlite);
    for (field, value, said) in [
        ("day", "2027-07-21", "Cette valeur n’est pas possible"),
        ("day", "demain", "Cette valeur n’est pas possible"),
        ("start", "25:00", "Cette valeur n’est pas possible"),
        ("status", "perdu", "Cette valeur n’est pas possible"),
        ("link", "javascript:alert(1)", "Écrivez une adresse complète"),
        ("price", "", "Rien n’est différent"),
    ] {
        correct(&desk, BAL, &[(field, value)]).expect(422, &[said]);
    }
    assert_eq!(desk.house.number("SELECT count(*) FROM corrections"), 0);
    // The article of another week is held whatever was corrected.
    assert_eq!(correct(&desk, BAL, &[("title", "Bal")]).status, 303);
    desk.house.write("site.html", crate::support::house::article("2027-07-05"));
    assert_eq!(rehearse(&desk).status, 303);
    assert!(issue(&desk, "reason").contains("et non de la semaine"), "{}", issue(&desk, "reason"));
    // What was read before is still there.
    page(&desk).expect(200, &[BAL]);
    assert_eq!(desk.get(&format!("/envois/{ISSUE}/corriger/2027-07-13.00000000.0.0")).status, 404);
    assert_eq!(desk.get("/envois/newsletter/2027-08/corriger").status, 404);
    assert_eq!(desk.get("/envois/agenda/2031-W01/corriger").status, 404);
}

#[test]
fn hostile_words_stay_words_in_a_correction() {
    let desk = office(On::Sqlite);
    let all = ["title", "place", "price", "phone", "note", "pourquoi"].map(|field| (field, EVIL));
    assert_eq!(correct(&desk, BAL, &all).status, 303);
    for shown in [page(&desk), desk.get(&form_of(&desk, BAL)), desk.get("/trace")] {
        let text = shown.text();
        assert!(shown.status == 200 && !text.contains("<script>alert") && !text.contains("<img src=x"), "{text}");
    }
    // The audit names the line and the reason, without addresses (I7).
    let address = [("note", "écrire à anne@musee.example"), ("pourquoi", "voir anne@musee.example")];
    assert_eq!(correct(&desk, "visite guidée n° 3", &address).status, 303);
    assert_eq!(desk.house.number("SELECT count(*) FROM audit WHERE detail LIKE '%anne@%'"), 0);
    assert_eq!(desk.house.number("SELECT count(*) FROM audit WHERE detail LIKE '%\"why\":\"voir %'"), 1);
    let mail = desk.get(&format!("/envois/{ISSUE}/apercu/{}/mail.html", issue(&desk, "content_hash"))).text();
    assert!(mail.contains("&lt;script&gt;") && !mail.contains("<script>alert"));
}

#[test]
fn somebody_who_only_reads_sees_the_page_and_cannot_correct() {
    let desk = office(On::Sqlite);
    let form = form_of(&desk, BAL);
    let reader = Viewer { roles: Roles::of([Permission::See]), ..viewer(Language::English) };
    let (host, stop, thread) = super::serve(desk.house.path("semainier.toml"), Some(reader), FRIDAY);
    let shown = super::ask(&host, "GET", &format!("/envois/{ISSUE}/corriger"));
    assert!(!shown.text().replace("&#x2f;", "/").contains("/corriger/"), "no form is offered");
    shown.expect(200, &["Article and agenda", "To check first", "Before the first day of the article"]);
    assert_eq!(super::ask(&host, "GET", &form).status, 403);
    stop.cancel();
    thread.join().unwrap();
}

#[test]
fn the_command_line_corrects_with_the_same_words() {
    let desk = office(On::Sqlite);
    let list = || desk.house.semainier(&["corrections", "list", ISSUE, "--json"]).expect(0).json();
    let line = list()["lines"][0].clone();
    assert_eq!((&line["text"], &line["doubt"]), (&FIRE.into(), &"comes before the first day".into()));
    let target = line["events"][0]["target"].as_str().unwrap().to_owned();
    desk.house.semainier(&["corrections", "set", ISSUE, &target, "--day", "hidden"]).expect(1).expect_said(&["--why"]);
    desk.house
        .semainier(&["corrections", "set", ISSUE, &target, "--day", "2027-07-14", "--title", "Feu d’artifice"])
        .expect(0)
        .expect_said(&["composed again"]);
    assert_eq!(list()["changed"], 1);
    desk.house
        .semainier(&["corrections", "list", ISSUE])
        .expect(0)
        .expect_said(&["9 events = 8 as read + 1 corrected"]);
    let id = desk.house.text("SELECT id FROM corrections");
    desk.house.semainier(&["corrections", "withdraw", ISSUE, &id]).expect(0);
    desk.house.semainier(&["corrections", "dismiss", ISSUE, &target, "--why", "rappel"]).expect(0);
    assert_eq!(list()["printed"], 8);
    desk.house.semainier(&["corrections", "readmit", ISSUE, FIRE]).expect(0);
    assert_eq!(list()["printed"], 9);
    let actions = desk
        .house
        .text("SELECT group_concat(action, ' ') FROM (SELECT action FROM audit WHERE action LIKE '%.%' AND object LIKE 'issue:%' AND kind = 'cli' ORDER BY id)");
    assert_eq!(actions, "correction.make correction.withdraw line.dismiss line.readmit");
}
