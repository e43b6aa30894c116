//! Orders in the console: by telephone, handed over, cancelled, printed and downloaded.

use super::EVIL;
use super::editing::open;
use super::entering::{Browser, CLAIRE, Office, hidden};
use crate::editions::{ANNE, MARIE, Open, PAUL, add, mails};
use crate::support::house::{BOTH, On, Relay, until};

fn person(office: &Office, address: &str) -> String {
    office.house.text(&format!("SELECT id FROM contacts WHERE email_key = '{address}'"))
}

fn place(browser: &mut Browser<'_>, contact: &str, packs: &str, seen: &str) -> super::Reply {
    let fields = [
        ("edition", "carte-2027"),
        ("contact", contact),
        ("paquets", packs),
        ("remise", "delivery"),
        ("remarque", "Sonner\r\nà gauche"),
        ("vu_alors", seen),
    ];
    browser.post("/commandes/nouvelle", &fields)
}

#[test]
fn an_order_by_telephone_is_found_placed_and_confirmed_with_who_took_it() {
    for on in BOTH {
        let relay = Relay::start();
        let office = open(on, &relay);
        add(&office.house, 1000, "").expect(0);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        browser.get("/commandes").expect(200, &["Commande par téléphone", "Aucune commande dans cet état"]);
        browser.get("/commandes/nouvelle?q=personne").expect(200, &["Personne de ce nom dans la liste"]);
        let found = browser.get("/commandes/nouvelle?edition=carte-2027&q=pre+pavie");
        let found = found.expect(200, &["1 personne trouvée", "Gîte du Pré", "Pavie · marie@gite.example"]);
        let marie = person(&office, MARIE);
        let html = found.text().replace("&#x2f;", "/");
        let link = html.split("href=\"").find(|it| it.contains("contact=")).unwrap().split('"').next().unwrap();
        let form = browser.get(&link.replace("&amp;", "&"));
        let form = form.expect(200, &["Gîte du Pré, Marie, Pavie", "Exemplaires d’un paquet : 50 ; au plus 20."]);
        assert_eq!(hidden(&form.text(), "contact"), marie);
        for packs in ["", "0", "21", "beaucoup"] {
            let wrong = place(&mut browser, &marie, packs, "");
            wrong.expect(422, &["Écrivez un nombre de paquets, de 1 à 20.", "Sonner à gauche"]);
        }
        let mut placed = String::new();
        for _ in 0..2 {
            let done = place(&mut browser, &marie, "3", "");
            assert_eq!(done.status, 303, "{}", done.words());
            assert!(done.header("location").starts_with("/commandes?fait=placed&commande="), "a second click too");
            placed = done.header("location").to_owned();
        }
        browser
            .get(&placed)
            .expect(200, &["La commande est enregistrée", "3 paquets (150 exemplaires)", "prise par Claire"]);
        assert_eq!(office.house.number("SELECT count(*) FROM orders WHERE taken_by = 'Claire' AND revision = 1"), 1);
        assert_eq!(office.house.number("SELECT ordered FROM editions"), 3);
        // Another form that was opened before shows the order that came in.
        let stale = place(&mut browser, &marie, "5", "");
        let stale = stale.expect(409, &["est arrivée depuis", "que celle-ci remplacera : 3 paquets (150 exemplaires)"]);
        let seen = hidden(&stale.text(), "vu_alors");
        let changed = place(&mut browser, &marie, "5", &seen);
        assert!(changed.header("location").contains("fait=changed"), "{}", changed.words());
        // The mail says who took it; an order that the partner places says nothing of the kind.
        let daemon = Open::at(&office.house);
        until("the order is confirmed", || !mails(&relay, MARIE).is_empty());
        let mail = mails(&relay, MARIE).pop().unwrap();
        assert!(mail.subject().unwrap().starts_with("Commande modifiée"), "{:?}", mail.subject());
        assert!(mail.body_text(0).unwrap().contains("Prise par téléphone par : Claire"), "{:?}", mail.body_text(0));
        assert!(mail.body_html(0).unwrap().contains("Prise par téléphone par"));
        drop(daemon);
        // Somebody who is gone, and an edition without stock.
        let gone = place(&mut browser, "nobody", "1", "");
        gone.expect(422, &["Cette personne n’est plus dans la liste"]);
        office.house.sql("UPDATE editions SET ordered = packs");
        browser.get("/commandes/nouvelle").expect(200, &["Aucune édition imprimée ne peut être commandée"]);
        // What was typed meanwhile is not lost; an order that there is can still be made smaller.
        let paul = person(&office, PAUL);
        place(&mut browser, &paul, "1", "").expect(409, &["il n’en reste plus", "Sonner à gauche"]);
        let form = browser.get(&format!("/commandes/nouvelle?edition=carte-2027&contact={marie}"));
        let seen = hidden(&form.expect(200, &["au plus 5"]).text(), "vu_alors");
        let smaller = place(&mut browser, &marie, "4", &seen);
        assert!(smaller.header("location").contains("fait=changed"), "{}", smaller.words());
        // An order that was cancelled and placed again is another one.
        let seen =
            hidden(&browser.get(&format!("/commandes/nouvelle?edition=carte-2027&contact={marie}")).text(), "vu_alors");
        office.house.sql("UPDATE orders SET id = 'abcdefgh'");
        place(&mut browser, &marie, "2", &seen).expect(409, &["est arrivée depuis"]);
    }
}

#[test]
fn orders_are_handed_over_several_at_once_and_cancelled_one_by_one() {
    for on in BOTH {
        let relay = Relay::start();
        let office = open(on, &relay);
        add(&office.house, 1000, "").expect(0);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        for address in [MARIE, PAUL, ANNE] {
            let contact = person(&office, address);
            assert_eq!(place(&mut browser, &contact, "2", "").status, 303);
        }
        let ids = [MARIE, PAUL, ANNE]
            .map(|it| office.house.text(&format!("SELECT id FROM orders WHERE recipient_key = '{it}'")));
        let list =
            browser.get("/commandes").expect(200, &["Auch", "Pavie", "Noter les commandes cochées comme remises"]);
        let words = list.words();
        assert!(words.find("Étoile") < words.find("Hôtel de France"), "by establishment: {words}");
        assert!(words.find("Hôtel de France") < words.find("Gîte du Pré"), "by commune: {words}");
        browser.post("/commandes/remises", &[]).expect(422, &["Cochez au moins une commande."]);
        let ticks = ids.clone().map(|id| format!("commande.{id}"));
        let two: Vec<_> = ticks[..2].iter().map(|name| (name.as_str(), "oui")).collect();
        let done = browser.post("/commandes/remises", &two);
        assert_eq!(done.header("location"), "/commandes?fait=handed&n=2&deja=0", "{}", done.words());
        browser.get(done.header("location")).expect(200, &["2 commandes notées comme remises."]);
        let all: Vec<_> = ticks.iter().map(|name| (name.as_str(), "oui")).collect();
        let done = browser.post("/commandes/remises", &all);
        browser.get(done.header("location")).expect(200, &["1 commande notée comme remise ; 2 l’étaient déjà"]);
        let recorded = "SELECT count(*) FROM audit WHERE action = 'orders.hand_over'";
        let n = office.house.number(recorded);
        assert_eq!(browser.post("/commandes/remises", &all).status, 303);
        assert_eq!(office.house.number(recorded), n, "nothing was done");
        browser.post("/commandes/remises", &[("commande.nothing", "oui")]).expect(409, &["commande inconnue"]);
        browser
            .get("/editions/carte-2027")
            .expect(200, &["20 paquets = 0 à livrer ou à retirer + 6 remis + 14 paquets"]);
        let done = browser.post("/commandes/rouvertes", &[&all[..], &[("etat", "delivered")]].concat());
        assert_eq!(done.header("location"), "/commandes?etat=delivered&fait=reopened&n=3&deja=0", "{}", done.words());

        // Cancelling shows what it is about, and looks again.
        let path = format!("/commandes/{}/annuler", ids[0]);
        browser.get(&path).expect(200, &["Gîte du Pré", "Les paquets retournent au stock"]);
        browser.post(&path, &[("vu_alors", "7")]).expect(409, &["a modifié la commande"]);
        for _ in 0..2 {
            let done = browser.post(&path, &[("vu_alors", "1")]);
            assert_eq!(done.header("location"), format!("/commandes?fait=cancelled&commande={}", ids[0]));
        }
        browser.get(&path).expect(200, &["n’est plus en cours"]);
        assert_eq!(office.house.number("SELECT ordered FROM editions"), 4);
        assert_eq!(office.house.number("SELECT count(*) FROM audit WHERE action = 'order.cancel'"), 1);
        assert_eq!(browser.get("/commandes/nothing/annuler").status, 404);
        browser.get("/commandes/tournee").expect(200, &["2 commandes", "À charger", "4 paquets (200 exemplaires)"]);
        // What is fetched at the office is not loaded; a commune is one stop in any spelling.
        let pick_up = "UPDATE orders SET handover = 'pick_up' WHERE recipient_key =";
        office.house.sql(&format!("{pick_up} '{ANNE}'"));
        office.house.sql(&format!("UPDATE orders SET commune = 'AUCH' WHERE recipient_key = '{ANNE}'"));
        let round = browser.get("/commandes/tournee").expect(200, &["2 commandes", "2 paquets (100 exemplaires)"]);
        assert_eq!(round.text().matches("<h2>").count(), 2, "what to load, and one stop: {}", round.words());
    }
}

#[test]
fn the_list_for_a_spreadsheet_calculates_nothing_and_is_recorded() {
    let relay = Relay::start();
    let office = open(On::Sqlite, &relay);
    add(&office.house, 1000, "").expect(0);
    for address in [MARIE, ANNE] {
        let args = ["orders", "place", "carte-2027", address, "--packs", "2", "--remark", "=cmd|' /C calc'!A0"];
        office.house.semainier(&args).expect(0);
    }
    office.house.sql(&format!("UPDATE orders SET name = {} WHERE recipient_key = '{MARIE}'", super::quoted(EVIL)));
    let reader = office.member("lecture@ot.test", "lecture");
    let mut browser = Browser::of(&office, &reader);
    assert!(!browser.get("/commandes").words().contains("CSV"));
    assert_eq!(browser.post("/commandes/tournee.csv", &[]).status, 403);
    let claire = office.member(CLAIRE, "redaction");
    let mut browser = Browser::of(&office, &claire);
    assert_eq!(browser.get("/commandes/tournee.csv").status, 405, "looking downloads nothing");
    let list = browser.post("/commandes/tournee.csv", &[("edition", "carte-2027"), ("etat", "open")]);
    assert_eq!((list.status, list.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert!(list.header("content-disposition").starts_with("attachment; filename=\"commandes-carte-2027.csv\""));
    let csv = list.text();
    // An establishment is called =Étoile.
    assert!(csv.contains(";'=Étoile;") && csv.contains("'=cmd|") && !csv.contains(";=cmd"), "{csv}");
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let printed = office.house.semainier(&["orders", "--csv"]).expect(0).stdout;
    assert_eq!(csv.trim(), printed.trim(), "as on the command line");
    let audit = office.house.text("SELECT detail FROM audit WHERE action = 'orders.export'");
    assert_eq!(audit, "{\"contacts\":2}");
    browser.get("/trace").expect(200, &["a téléchargé la liste des commandes"]);
    browser.post("/commandes/tournee.csv", &[("edition", "rien")]).expect(404, &[]);
}
