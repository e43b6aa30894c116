//! Announcing an edition in the console: with the numbers that were shown, and taken back in time.

use super::editing::open;
use super::entering::{Browser, CLAIRE, hidden};
use crate::editions::add;
use crate::support::house::{BOTH, On, Relay};

const PATH: &str = "/editions/carte-2027/annoncer";

#[test]
fn an_edition_is_announced_to_as_many_as_were_shown_and_once() {
    for on in BOTH {
        let relay = Relay::start();
        let office = open(on, &relay);
        add(&office.house, 1000, "").expect(0);
        let claire = office.member(CLAIRE, "validation");
        let mut browser = Browser::of(&office, &claire);
        browser.get("/editions/carte-2027").expect(200, &["Pas encore annoncée", "Annoncer"]);
        let sheet = browser.get(PATH).expect(
            200,
            &[
                "sera annoncée à 3 partenaires, dans deux minutes. Une édition ne s’annonce qu’une fois.",
                "autres adresses 3",
            ],
        );
        let seen = hidden(&sheet.text(), "vu_alors");
        // Somebody is added meanwhile: both numbers are said, nothing is announced.
        office.house.write("more.csv", "email;nom\nzoe@ferme.example;Zoé\n");
        office.house.semainier(&["partners", "import", "more.csv"]).expect(0);
        let moved = browser.post(PATH, &[("quand", "bientot"), ("vu_alors", &seen)]);
        let moved = moved.expect(409, &["Les destinataires ne sont plus les mêmes : 3 → 4", "Rien n’est annoncé"]);
        assert_eq!(office.house.number("SELECT count(*) FROM announcements"), 0);
        // So does a change of the edition, with the same number.
        let seen = hidden(&moved.text(), "vu_alors");
        add(&office.house, 1000, "pages = 8\n").expect(0);
        let moved = browser.post(PATH, &[("quand", "bientot"), ("vu_alors", &seen)]);
        let seen = hidden(&moved.expect(409, &["L’édition ou les destinataires ont changé"]).text(), "vu_alors");
        let fields = [("quand", "bientot"), ("vu_alors", seen.as_str())];
        for _ in 0..2 {
            // A second click has the same answer.
            let done = browser.post(PATH, &fields);
            let place = "/editions/carte-2027?fait=announced";
            assert_eq!((done.status, done.header("location")), (303, place), "{}", done.words());
        }
        assert_eq!(office.house.number("SELECT count(*) FROM announcements"), 1);
        assert_eq!(office.house.number("SELECT count(*) FROM audit WHERE action = 'edition.announce'"), 1);
        browser.get("/editions/carte-2027?fait=announced").expect(200, &["C’est annoncé. Elle partira", "par Claire"]);
        browser.get(PATH).expect(200, &["est déjà annoncée, pour le"]);
        // In time it is taken back, and announced again.
        browser.get("/editions/carte-2027/retirer").expect(200, &["partira", "rien ne partira"]);
        let back = browser.post("/editions/carte-2027/retirer", &[]);
        assert_eq!(back.header("location"), "/editions/carte-2027?fait=taken_back", "{}", back.words());
        browser.post("/editions/carte-2027/retirer", &[]).expect(409, &["n’est pas annoncée"]);
        // Chosen from a list, with the hour that was typed; what no list means stays as text.
        let chosen = browser
            .get(&format!("{PATH}?filiere=&commune=Pavie&label=&segment=&quand=date&jour=2099-03-12&heure=09:00"));
        let place = format!("{PATH}?segment=commune+%3D+%22Pavie%22&quand=date&jour=2099-03-12&heure=09%3A00");
        assert_eq!((chosen.status, chosen.header("location")), (303, place.as_str()));
        let finer = browser.get(&format!("{PATH}?commune=Pavie&segment=stars+%3E+2"));
        assert!(finer.header("location").contains("segment=%28stars+%3E+2%29+and+commune+%3D+%22Pavie%22"));
        let sheet = browser.get(&format!("{PATH}?segment=commune+%3D+%22Pavie%22"));
        assert!(sheet.text().contains("<option value=\"Pavie\" selected>"), "{}", sheet.words());
        let sheet = sheet.expect(200, &["sera annoncée à 1 partenaire, dans deux minutes"]);
        let seen = hidden(&sheet.text(), "vu_alors");
        let fields =
            [("segment", "commune = \"Pavie\""), ("quand", "date"), ("jour", "2099-03-12"), ("heure", "09:00")];
        let done = browser.post(PATH, &[&fields[..], &[("vu_alors", seen.as_str())]].concat());
        assert_eq!(done.status, 303, "{}", done.words());
        browser.get("/editions/carte-2027").expect(200, &["12 mars 2099 à 9 h", "commune = \"Pavie\""]);
        assert_eq!(office.house.text("SELECT segment FROM announcements"), "commune = \"Pavie\"");
        // An announced edition keeps what its mail needs.
        let writer = office.member("marc@ot.test", "redaction");
        let mut browser = Browser::of(&office, &writer);
        let form = browser.get("/editions/carte-2027/modifier?etape=2").expect(200, &["Cette édition est annoncée"]);
        let seen = hidden(&form.text(), "vu_alors");
        let bare = [("etape", "2"), ("vu_alors", seen.as_str()), ("printed", "1000"), ("pack", "50"), ("words", "")];
        browser
            .upload("/editions/carte-2027/modifier", &bare, &[])
            .expect(422, &["son message ne peut pas s’en passer"]);
    }
}

#[test]
fn what_cannot_be_announced_says_why_and_where() {
    let relay = Relay::start();
    let office = open(On::Sqlite, &relay);
    add(&office.house, 1000, "").expect(0);
    let claire = office.member(CLAIRE, "validation");
    let mut browser = Browser::of(&office, &claire);
    let wrong = browser.get(&format!("{PATH}?segment=commune+%3D"));
    let wrong = wrong.expect(422, &["Ce segment n’est pas compris. Colonne", "À qui"]);
    assert!(wrong.text().contains("<details open>"), "the text that is wrong is shown");
    for (day, hour) in [("", ""), ("2001-01-01", "09:00"), ("2099-02-30", "09:00"), ("2099-03-12", "25:00")] {
        let reply = browser.get(&format!("{PATH}?quand=date&jour={day}&heure={hour}"));
        let reply = reply.expect(422, &["Choisissez un jour et une heure à venir."]);
        assert!(!reply.text().contains("name=\"vu_alors\""), "{day} {hour}");
        let fields = [("quand", "date"), ("jour", day), ("heure", hour), ("vu_alors", "3.1")];
        browser.post(PATH, &fields).expect(422, &["Choisissez un jour et une heure à venir."]);
    }
    browser.get(&format!("{PATH}?segment=commune+%3D+%22Nulle+part%22")).expect(200, &["Personne ne la recevrait"]);
    office.house.sql("DELETE FROM edition_files");
    let missing = browser.get(PATH).expect(200, &["Elle ne peut pas encore être annoncée", "la couverture"]);
    assert!(missing.text().replace("&#x2f;", "/").contains("href=\"/editions/carte-2027/modifier#cover\""));
    browser.post(PATH, &[("quand", "bientot"), ("vu_alors", "3.1")]).expect(409, &["la couverture"]);
    let said = office.house.semainier(&["announce", "carte-2027"]).expect(1);
    assert!(said.stderr.contains("il manque à"), "{}", said.stderr);
    assert_eq!(browser.get("/editions/nulle-part/annoncer").status, 404);
    assert_eq!(office.house.number("SELECT count(*) FROM announcements"), 0);
    // A writer prepares, and does not announce.
    let writer = office.member("marc@ot.test", "redaction");
    let mut marc = Browser::of(&office, &writer);
    assert_eq!(marc.get(PATH).status, 403);
    assert!(!marc.get("/editions/carte-2027").words().contains("Annoncer"));
}

#[test]
fn a_test_of_an_edition_goes_to_oneself_before_it_is_announced() {
    for on in BOTH {
        let relay = Relay::start();
        let office = open(on, &relay);
        add(&office.house, 1000, "").expect(0);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        let done = browser.post("/editions/carte-2027/essai", &[("adresse", "x@else.example")]);
        let place = "/editions/carte-2027/apercu?fait=tested";
        assert_eq!((done.status, done.header("location")), (303, place), "{}", done.words());
        browser.get(place).expect(200, &["L’essai est remis au relais"]);
        let seen = relay.seen().accepted.clone();
        assert_eq!(seen.iter().map(|it| it.recipient.as_str()).collect::<Vec<_>>(), [CLAIRE]);
        let mail = mail_parser::MessageParser::default().parse(&seen[0].bytes).unwrap();
        assert!(mail.subject().unwrap().starts_with("[Essai] "), "{:?}", mail.subject());
        assert!(mail.body_text(0).unwrap().contains("/o/essai"), "{:?}", mail.body_text(0));
        assert_eq!(office.house.number("SELECT count(*) FROM issues"), 0);
        for _ in 0..9 {
            assert_eq!(browser.post("/editions/carte-2027/essai", &[]).status, 303);
        }
        browser.post("/editions/carte-2027/essai", &[]).expect(409, &["vous avez demandé 10 essais aujourd’hui"]);
    }
}
