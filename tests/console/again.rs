//! A session that is over costs nobody what was typed: the form comes back filled in after the login, to the same person, and
//! nothing is done before the button is pressed again.

use super::{
    EVIL, Reply,
    entering::{Browser, CLAIRE, Member, OURS, Office, PASSWORD},
};
use crate::support::house::{BOTH, House, On, block_on};
use scraper::{Html, Selector};
use semainier::{store::AuditFilter, web::console::kept_fields};

const SHEET: &str = "/envois/agenda/2027-W28/ne-pas-envoyer";
const WHY: &str = "Le marché est annulé,\r\nla mairie l’a dit : « trop de vent ».";

fn office(on: On) -> Office {
    let house = House::on(on).set("console.bind", "127.0.0.1:0");
    house.import(&["un@gite.example"]);
    Office::open(house)
}

/// Name and value of every field of the form that is sent there, as a browser sends them.
fn fields(page: &Reply, action: &str) -> Vec<(String, String)> {
    let html = Html::parse_document(&page.text());
    let selector = Selector::parse(&format!(
        "form[action='{action}'] input:not([type='checkbox']), form[action='{action}'] textarea"
    ))
    .unwrap();
    let all = html.select(&selector);
    all.filter_map(|it| {
        let text = || it.text().collect::<String>();
        let value = it.value().attr("value").map_or_else(text, str::to_owned);
        Some((it.value().attr("name")?.to_owned(), value.replace("\r\n", "\n").replace('\n', "\r\n")))
    })
    .collect()
}

/// Fills in the form of the page and presses its button.
fn press(browser: &mut Browser, page: &Reply, action: &str, typed: &[(&str, &str)]) -> Reply {
    let mut all = fields(page, action);
    for (name, value) in typed {
        all.retain(|(known, _)| known != name);
        all.push(((*name).to_owned(), (*value).to_owned()));
    }
    let all: Vec<_> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.send("POST", action, &all, OURS)
}

/// Both steps of a login, from the page that says that the session is over.
fn log_in_from(office: &Office, browser: &mut Browser, page: &Reply, member: &Member) -> Reply {
    let wrong = press(browser, page, "/connexion", &[("adresse", &member.address), ("mot-de-passe", "faux")]);
    assert_eq!(wrong.status, 422, "{}", wrong.words());
    let first = press(browser, &wrong, "/connexion", &[("adresse", &member.address), ("mot-de-passe", PASSWORD)]);
    assert_eq!(first.status, 200, "{}", first.words());
    assert!(!first.text().contains(PASSWORD));
    office.tick(30);
    let wrong = press(browser, &first, "/connexion/code", &[("code", "000000")]);
    assert_eq!(wrong.status, 422, "{}", wrong.words());
    press(browser, &wrong, "/connexion/code", &[("code", &office.code(&member.secret))])
}

fn skips(office: &Office) -> i64 {
    office.house.number("SELECT count(*) FROM skips")
}

#[test]
fn what_was_typed_comes_back_after_the_login_and_nothing_is_done_before_the_button() {
    for on in BOTH {
        let office = office(on);
        let claire = office.member(CLAIRE, "validation");
        let mut browser = Browser::of(&office, &claire);
        let sheet = browser.get(SHEET).expect(200, &["Motif"]);
        office.tick(9 * 3600);
        let over = press(&mut browser, &sheet, SHEET, &[("pourquoi", WHY)]);
        let over = over.expect(401, &["session est terminée", "rien n’a été fait", "trop de vent"]);
        assert_eq!(over.header("cache-control"), "no-store");
        let back = log_in_from(&office, &mut browser, &over, &claire);
        let back = back.expect(200, &["Ce que vous aviez saisi est repris", "trop de vent"]);
        assert!(fields(&back, SHEET).contains(&("pourquoi".to_owned(), WHY.to_owned())), "{:?}", fields(&back, SHEET));
        assert_eq!(skips(&office), 0, "{on:?}: only shown");
        let audit = block_on(office.store.audit(&AuditFilter { limit: 50, ..AuditFilter::default() })).unwrap();
        assert!(audit.iter().all(|row| row.entry.action != "issue.skip"));
        let done = press(&mut browser, &back, SHEET, &[]);
        assert_eq!((done.status, skips(&office)), (303, 1), "{}", done.words());
    }
}

/// A box that was cleared stays so, in both forms that have the boxes of the mailings.
#[test]
fn the_mailings_that_were_chosen_come_back_as_they_were() {
    let house = House::on(On::Sqlite).set("console.bind", "127.0.0.1:0");
    house.import(&["un@gite.example"]);
    let second = std::fs::read_to_string(house.path("jobs/agenda.toml")).unwrap();
    house.write("jobs/second.toml", second.replace("subscribed = \"agenda\"", "subscribed = \"second\""));
    let office = Office::open(house);
    let claire = office.member(CLAIRE, "redaction");
    for (path, typed) in
        [("/partenaires/importer", ("source", "adhérents")), ("/partenaires/ajouter", ("name", "Jeanne"))]
    {
        let mut browser = Browser::of(&office, &claire);
        let page = browser.get(path);
        let boxes = |page: &Reply| {
            let html = Html::parse_document(&page.text());
            let all = Selector::parse("input[name^='envoi-']").unwrap();
            let all = html
                .select(&all)
                .map(|it| (it.value().attr("name").unwrap().to_owned(), it.value().attr("checked").is_some()));
            all.collect::<Vec<_>>()
        };
        let named = |agenda, second| [("envoi-agenda".to_owned(), agenda), ("envoi-second".to_owned(), second)];
        assert_eq!(boxes(&page), named(true, true), "{path}");
        office.tick(9 * 3600);
        let over = press(&mut browser, &page, path, &[typed, ("envoi-second", "oui")]).expect(401, &[typed.1]);
        let back = log_in_from(&office, &mut browser, &over, &claire).expect(200, &["Ce que vous aviez saisi"]);
        assert_eq!(boxes(&back), named(false, true), "{path}");
    }
}

#[test]
fn what_was_typed_comes_back_to_the_same_person_alone() {
    let office = office(On::Sqlite);
    let (claire, marc) = (office.member(CLAIRE, "validation"), office.member("marc@ot.test", "validation"));
    let mut browser = Browser::of(&office, &claire);
    let sheet = browser.get(SHEET);
    // Ended elsewhere, not by the clock.
    office.house.semainier(&["users", "sessions", CLAIRE, "--end"]).expect(0);
    let over = press(&mut browser, &sheet, SHEET, &[("pourquoi", WHY)]).expect(401, &["trop de vent"]);
    let shown = log_in_from(&office, &mut browser, &over, &marc).expect(200, &["avec un autre compte"]);
    assert!(!shown.text().contains("trop de vent"));
    assert!(browser.is_in(), "Marc is logged in all the same");
    assert_eq!(skips(&office), 0);
}

#[test]
fn a_form_left_open_in_another_window_is_filled_in_again_under_the_new_session() {
    for on in BOTH {
        let office = office(on);
        let (claire, marc) = (office.member(CLAIRE, "validation"), office.member("marc@ot.test", "validation"));
        let mut browser = Browser::of(&office, &claire);
        let sheet = browser.get(SHEET);
        office.tick(60);
        browser.log_in(&claire);
        let again = press(&mut browser, &sheet, SHEET, &[("pourquoi", WHY)]);
        let again = again.expect(409, &["Ce que vous aviez saisi est repris", "trop de vent"]);
        assert_eq!(skips(&office), 0);
        let theirs = Browser::of(&office, &marc).get(SHEET);
        press(&mut browser, &theirs, SHEET, &[("pourquoi", WHY)]).expect(403, &[]);
        assert_eq!(press(&mut browser, &again, SHEET, &[]).status, 303);
        assert_eq!(skips(&office), 1, "{on:?}");
    }
}

#[test]
fn what_comes_back_is_text_and_leads_nowhere_else() {
    let office = office(On::Sqlite);
    let claire = office.member(CLAIRE, "administration,validation");
    let mut browser = Browser::of(&office, &claire);
    let (sheet, me) = (browser.get(SHEET), browser.get("/moi"));
    let users = browser.get("/utilisateurs");
    office.tick(9 * 3600);
    let over = press(&mut browser, &sheet, SHEET, &[("pourquoi", EVIL)]).expect(401, &[]);
    assert!(!over.text().contains("<script>alert") && !over.text().contains("<img"), "{}", over.text());
    // Secrets are not in the page.
    let secret = [("present", PASSWORD), ("nouveau", "six poules rousses"), ("encore", "six poules rousses")];
    let over = press(&mut browser, &me, "/moi/mot-de-passe", &secret).expect(401, &["session est terminée"]);
    assert!(!over.text().contains("poules") && !over.text().contains(PASSWORD));
    let over = press(&mut browser, &users, "/utilisateurs", &[("nom", "Zoé"), ("adresse", "zoe@ot.test")]);
    let back = log_in_from(&office, &mut browser, &over, &claire).expect(200, &["Ce que vous aviez saisi est repris"]);
    assert!(fields(&back, "/utilisateurs").contains(&("nom".to_owned(), "Zoé".to_owned())));
    assert_eq!(office.house.number("SELECT count(*) FROM users"), 1);
    // What needs the password again does not lose it either.
    office.tick(601);
    let users = browser.get("/utilisateurs");
    let asked = press(&mut browser, &users, "/utilisateurs", &[("nom", "Zoé"), ("adresse", "zoe@ot.test")]);
    let asked = asked.expect(200, &["mot de passe"]);
    let wrong = press(&mut browser, &asked, "/moi/confirmer", &[("present", "faux")]);
    let back = press(&mut browser, &wrong.expect(422, &[]), "/moi/confirmer", &[("present", PASSWORD)]);
    let back = back.expect(200, &["Ce que vous aviez saisi est repris"]);
    assert!(fields(&back, "/utilisateurs").contains(&("adresse".to_owned(), "zoe@ot.test".to_owned())));
    assert_eq!(office.house.number("SELECT count(*) FROM users"), 1);
    // Nothing but forms of ours.
    office.tick(9 * 3600);
    for path in ["//evil.example/x", "https://evil.example/", "/moi/mot-de-passe", "/deconnexion", "/envois/x"] {
        let mut browser = Browser::new(&office);
        let fields = [
            ("adresse", CLAIRE),
            ("mot-de-passe", PASSWORD),
            ("retour", path),
            ("repris.pourquoi", "mot"),
            ("repris.nouveau", "mot"),
        ];
        let first = browser.send("POST", "/connexion", &fields, OURS);
        assert_eq!((first.status, first.header("location")), (303, "/connexion/code?vers=0"), "{path}");
    }
}

/// By the declaration of the routes: a field that holds a secret is on no list.
#[test]
fn no_secret_is_among_the_fields_that_come_back() {
    let kept = kept_fields();
    assert!(kept.iter().any(|(_, keeps)| keeps.texts.contains(&"pourquoi")));
    for (path, keeps) in kept {
        for name in keeps.texts.iter().chain(keeps.others) {
            assert!(
                !["jeton", "mot-de-passe", "present", "nouveau", "encore", "code", "secret", "session"].contains(name),
                "{path}: {name}"
            );
        }
    }
}
