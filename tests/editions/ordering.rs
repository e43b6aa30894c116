//! The page by which one orders: whole or not at all, never more than there is, and nobody else's.

use super::{ANNE, MARIE, Open, PAUL, add, ask, mails, office, way_to_order};
use crate::support::{
    browser::visit,
    house::{BOTH, House, On, Relay, STAFF, until},
};
use mail_parser::Message;
use std::fmt::Write as _;

fn announced(on: On, printed: u32) -> (House, Relay) {
    let relay = Relay::start();
    let house = office(on, &relay);
    add(&house, printed, "").expect(0);
    house.semainier(&["announce", "carte-2027"]).expect(0);
    (house, relay)
}

#[test]
fn an_invalid_form_is_shown_again_with_its_values() {
    let (house, relay) = announced(On::Sqlite, 1000);
    let (open, way) = (Open::at(&house), way_to_order(&relay, MARIE));
    let before = house.everything();
    let long = "x".repeat(501);
    let page =
        open.post(&way, &format!("action=order&packs=beaucoup&remark={long}")).expect(422, "n’est pas enregistrée");
    let html = page.text();
    for part in [
        "<title>Erreur",
        "role=\"alert\"",
        "href=\"#paquets\"",
        "href=\"#remise\"",
        "href=\"#remarque\"",
        "value=\"beaucoup\"",
        "aria-describedby=\"paquets-aide paquets-erreur\" aria-invalid=\"true\"",
        "id=\"paquets-erreur\"",
        "aria-describedby=\"remise-erreur\"",
        &long,
    ] {
        assert!(html.contains(part), "{part} is not in\n{html}");
    }
    open.post(&way, "action=order&packs=21&handover=pick_up").expect(422, "Il ne reste que 20 paquets.");
    open.post(&way, "").expect(422, "Écrivez un nombre de paquets, de 1 à 20.");
    open.post(&way, "action=cancel").expect(200, "Vous n’avez pas de commande en cours");
    // Everything in it is text, whoever wrote it.
    let evil = "action=order&packs=%3Cb%3E&handover=pick_up&remark=%3Cscript%3Ealert(1)%3C/script%3E";
    let page = open.post(&way, evil);
    assert!(
        page.status == 422 && !page.text().contains("<script") && !page.text().contains("<b>\""),
        "{}",
        page.text()
    );
    assert_eq!(house.everything(), before, "nothing was changed");
    let too_large = open.post(&way, &format!("action=order&packs=1&handover=pick_up&remark={}", "x".repeat(20_000)));
    assert_eq!(too_large.status, 413);
    for method in ["PUT", "DELETE", "OPTIONS"] {
        assert_eq!(ask(open.host(), method, &way, "").status, 405, "{method}");
    }
}

#[test]
fn an_exhausted_stock_is_shown_and_replenished_by_a_cancellation() {
    for on in BOTH {
        let (house, relay) = announced(on, 100);
        let open = Open::at(&house);
        let [marie, paul, anne] = [MARIE, PAUL, ANNE].map(|it| way_to_order(&relay, it));
        let order = |packs: u32| format!("action=order&packs={packs}&handover=pick_up");
        open.post(&marie, &order(1)).expect(200, "C’est fait");
        open.post(&paul, &order(2)).expect(422, "Il ne reste qu’un paquet.");
        open.post(&paul, &order(1)).expect(200, "C’est fait");
        let page = open.get(&anne).expect(200, "Épuisé : tous les exemplaires sont commandés.");
        assert!(!page.text().contains("<form"), "{}", page.text());
        open.post(&anne, &order(1)).expect(409, "Épuisé");
        open.get(&paul).expect(200, "Épuisé : il ne reste que ce que vous avez commandé.");
        house.semainier(&["editions", "--json"]).expect(0).expect_said(&["\"left\": 0"]);

        open.post(&marie, "action=cancel").expect(200, "votre commande est annulée");
        until("the end is confirmed too", || {
            mails(&relay, MARIE).iter().any(|it| it.subject().unwrap().starts_with("Commande annulée"))
        });
        open.post(&anne, &order(1)).expect(200, "C’est fait");
        open.get(&marie).expect(200, "Épuisé : tous");
        let csv = house.semainier(&["orders", "--csv"]).expect(0).stdout;
        assert!(csv.contains(";'=Étoile;"), "no cell is a formula: {csv}");
        open.serve.stop();
    }
}

#[test]
fn twenty_concurrent_orders_never_exceed_the_stock() {
    for on in BOTH {
        let relay = Relay::start();
        let house = office(on, &relay);
        let mut csv = "email;nom;etablissement;commune\n".to_owned();
        for n in 1..=20 {
            let _ = writeln!(csv, "p{n}@many.example;P {n};Gîte n° {n};Auch");
        }
        house.write("partners.csv", csv);
        house.semainier(&["partners", "import", "partners.csv"]).expect(0);
        add(&house, 7 * 50, "").expect(0);
        house.semainier(&["announce", "carte-2027", "--yes"]).expect(0);
        let open = Open::at(&house);
        let ways: Vec<_> = (1..=20).map(|n| way_to_order(&relay, &format!("p{n}@many.example"))).collect();
        let answers: Vec<u16> = std::thread::scope(|scope| {
            let host = open.host();
            let post = |way: &String| ask(host, "POST", way, "action=order&packs=1&handover=delivery").status;
            let threads: Vec<_> = ways.iter().map(|way| scope.spawn(move || post(way))).collect();
            threads.into_iter().map(|it| it.join().unwrap()).collect()
        });
        let count = |status| answers.iter().filter(|it| **it == status).count();
        assert_eq!((count(200), count(409)), (7, 13), "{answers:?}");
        assert_eq!(house.number("SELECT COUNT(*) FROM orders WHERE state = 'open'"), 7);
        assert_eq!(house.number("SELECT ordered FROM editions"), 7);
        let confirmed = || {
            relay.seen().accepted.iter().filter(|it| it.recipient != STAFF && it.message_id.contains("orders-")).count()
        };
        until("each of them is confirmed", || confirmed() == 7);
        open.serve.stop();
        assert_eq!(confirmed(), 7, "once");
    }
}

#[test]
fn a_forged_or_foreign_link_is_not_found() {
    let (house, relay) = announced(On::Sqlite, 1000);
    house.write("guide.toml", std::fs::read_to_string(house.path("carte-2027.toml")).unwrap());
    house.semainier(&["editions", "add", "guide.toml"]).expect(0);
    let open = Open::at(&house);
    let (marie, paul) = (way_to_order(&relay, MARIE), way_to_order(&relay, PAUL));
    let nothing = open.get("/nothing/here");
    let (head, mac) = marie.rsplit_once('.').unwrap();
    let leave = marie.replace("/o/", "/u/");
    let contact = |way: &str| way.trim_start_matches("/o/").split('.').next().unwrap().to_owned();
    for forged in [
        format!("{head}.{}", mac.chars().rev().collect::<String>()),
        marie.replace("carte-2027", "guide"),
        marie.replace(&contact(&marie), &contact(&paul)),
        marie[..marie.len() - 1].to_owned(),
        format!("{head}."),
        head.to_owned(),
        leave,
        "/o/x".to_owned(),
        "/o/%00.%0d%0a.x".to_owned(),
        "/editions/nothing.jpg".to_owned(),
        "/editions/carte-2027.pdf".to_owned(),
        "/editions/carte-2027".to_owned(),
    ] {
        let reply = open.get(&forged);
        assert_eq!((reply.status, reply.text()), (404, nothing.text()), "{forged}");
        let reply = open.post(&forged, "action=order&packs=1&handover=pick_up");
        assert!(matches!(reply.status, 404 | 405), "{forged}: {}", reply.status);
    }
    assert_eq!(house.number("SELECT COUNT(*) FROM orders"), 0);
    assert!(open.get("/editions/carte-2027.jpg").head.contains("content-type: image/jpeg"));
}

#[test]
fn orders_are_refused_after_the_last_day_and_a_database_failure_is_shown() {
    let (house, relay) = announced(On::Sqlite, 1000);
    let (open, way) = (Open::at(&house), way_to_order(&relay, MARIE));
    house.sql("ALTER TABLE orders RENAME TO orders_elsewhere");
    for reply in [open.get(&way), open.post(&way, "action=order&packs=1&handover=pick_up")] {
        assert!(reply.status == 503 && reply.words().contains("rien n’a été changé"), "{}", reply.words());
    }
    house.sql("ALTER TABLE orders_elsewhere RENAME TO orders");
    add(&house, 1000, "valid_until = \"2020-01-01\"")
        .expect(0)
        .expect_said(&["announced before: the mail that was sent stays"]);
    let page = open.get(&way).expect(200, "Cette édition n’est plus valable");
    assert!(!page.text().contains("<form"), "{}", page.text());
    open.post(&way, "action=order&packs=1&handover=pick_up").expect(409, "n’est plus valable");
    assert_eq!(house.number("SELECT COUNT(*) FROM orders"), 0);
}

/// Pressed twice, and once more after going back: over a real browser, from the link of the mail as it came.
#[test]
fn w05_an_order_in_a_browser_is_one_order_with_scripts_and_without() {
    let (house, relay) = announced(On::Sqlite, 1000);
    let open = Open::at(&house);
    for (who, scripts, packs, handover) in [(MARIE, "on", "2", "delivery"), (PAUL, "off", "3", "pick_up")] {
        let way = way_to_order(&relay, who);
        let shown = visit("order", open.host(), &[&way, scripts, packs, handover]);
        assert!(shown.contains("Votre commande est enregistrée : rien n’a changé."), "{shown}");
        assert!(shown.contains(&format!("{packs} paquets")), "{shown}");
    }
    open.get(&way_to_order(&relay, ANNE)).expect(200, "Il reste 15 paquets");
    let orders = house.semainier(&["orders", "--json"]).expect(0).json();
    let packs: Vec<_> = orders.as_array().unwrap().iter().map(|it| it["packs"].as_u64().unwrap()).collect();
    assert_eq!(packs, [3, 2], "in the order of the communes");
}

#[test]
fn trial_f22_nobody_takes_the_whole_stock_and_staff_hear_of_orders() {
    for on in BOTH {
        let relay = Relay::start();
        let house = office(on, &relay);
        add(&house, 20_000, "").expect(0);
        house.semainier(&["announce", "carte-2027"]).expect(0);
        let open = Open::at(&house);
        let [marie, paul] = [MARIE, PAUL].map(|it| way_to_order(&relay, it));
        open.get(&marie).expect(200, "vous pouvez en commander de 1 à 20.");
        let limit = "Une commande est de 20 paquets au plus : s’il vous en faut davantage, écrivez-nous.";
        open.post(&marie, "action=order&packs=400&handover=pick_up").expect(422, limit);
        open.post(&marie, "action=order&packs=21&handover=pick_up").expect(422, limit);
        assert_eq!(house.number("SELECT COUNT(*) FROM orders"), 0);
        open.post(&marie, "action=order&packs=20&handover=pick_up&remark=Merci").expect(200, "C’est fait");

        // The first is told at once.
        let told = || mails(&relay, STAFF);
        until("staff hear of the order", || told().len() == 1);
        let first = &told()[0];
        assert_eq!(first.subject().unwrap(), "Nouvelle commande : Carte touristique 2027 (Gîte du Pré, Pavie)");
        let words = |mail: &Message| mail.body_text(0).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        let text = words(first);
        for part in [
            "20 paquets (1 000 exemplaires), retrait",
            "Remarque : Merci",
            "il reste 380 paquets (19 000 exemplaires).",
        ] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        // What follows is collected, and is neither late nor lost.
        // One by one: changes of one order between two passes of the daemon are confirmed once.
        let pending = "SELECT COUNT(*) FROM notices WHERE kind = 'ordered' AND sent_at IS NULL";
        until("the first notice is recorded", || house.number(pending) == 0);
        let changes = [
            (&paul, "action=order&packs=1&handover=delivery", "C’est fait"),
            (&paul, "action=order&packs=2&handover=delivery", "C’est fait"),
            (&marie, "action=cancel", "annulée"),
        ];
        for (confirmed, (way, form, answer)) in (1..).zip(changes) {
            open.post(way, form).expect(200, answer);
            until("the change is confirmed", || house.number(pending) == confirmed);
        }
        assert_eq!(house.semainier(&["status", "--json"]).json()["pending_notices"], 0);
        assert_eq!(told().len(), 1);
        house.sql("UPDATE notices SET sent_at = sent_at - 3600000 WHERE sent_at IS NOT NULL");
        until("an hour later they are told", || told().len() == 2);
        let second = &told()[1];
        assert_eq!(second.subject().unwrap(), "2 commandes d’éditions");
        let text = words(second);
        assert!(text.contains("Commande annulée : Carte") && text.contains("Nouvelle commande : Carte"), "{text}");
        assert!(text.contains("Hôtel de France, Auch 2 paquets"), "{text}");
        until("that is recorded", || house.number(pending) == 0);
        open.serve.stop();
        assert_eq!(told().len(), 2, "once");
    }
}

#[test]
fn trial_f22_an_order_by_telephone_has_the_same_bound() {
    for on in BOTH {
        let relay = Relay::start();
        let house = office(on, &relay);
        add(&house, 1000, "max_packs = 3").expect(0);
        let place = |address: &str, packs: &str| {
            house.semainier(&["orders", "place", "carte-2027", address, "--packs", packs, "--remark", "par téléphone"])
        };
        place(MARIE, "4").expect(1).expect_said(&["an order of carte-2027 has at most 3 packs", "max_packs"]);
        place("nobody@gite.example", "1").expect(1).expect_said(&["nobody@gite.example is not known"]);
        house.semainier(&["orders", "place", "guide", MARIE, "--packs", "1"]).expect(1).expect_said(&["no edition"]);
        assert_eq!(house.number("SELECT COUNT(*) FROM orders"), 0);
        place(MARIE, "3").expect(0).expect_said(&["is placed"]);
        place(MARIE, "2").expect(0).expect_said(&["is changed"]);
        place(MARIE, "2").expect(0).expect_said(&["was the same before"]);
        let orders = house.semainier(&["orders", "--json"]).expect(0).json();
        assert_eq!((&orders[0]["packs"], &orders[0]["remark"]), (&2.into(), &"par téléphone".into()));
        house.serve_until("it is confirmed", || mails(&relay, MARIE).len() == 1);
        let id = orders[0]["id"].as_str().unwrap();
        house.semainier(&["orders", "cancel", id]).expect(0).expect_said(&["2 packs are free"]);
        house.semainier(&["orders", "cancel", id]).expect(1).expect_said(&["is cancelled; nothing was changed"]);
        house.semainier(&["orders", "cancel", "nothing"]).expect(1).expect_said(&["no order nothing"]);
        house.semainier(&["editions", "--json"]).expect(0).expect_said(&["\"left\": 20"]);
        // The bound came later: what is ordered may stay, and not grow.
        place(PAUL, "3").expect(0);
        add(&house, 1000, "max_packs = 1").expect(0);
        place(PAUL, "4").expect(1).expect_said(&["at most 3 packs"]);
        place(PAUL, "2").expect(0).expect_said(&["is changed"]);
        place(ANNE, "2").expect(1).expect_said(&["at most 1 pack;"]);
    }
}

/// Trial F14: what was marked as delivered by mistake is open again, and the partner can change it.
#[test]
fn trial_f14_a_delivery_marked_by_mistake_is_undone() {
    for on in BOTH {
        let (house, relay) = announced(on, 1000);
        let open = Open::at(&house);
        let marie = way_to_order(&relay, MARIE);
        open.post(&marie, "action=order&packs=2&handover=pick_up").expect(200, "C’est fait");
        let id = || house.semainier(&["orders", "--json"]).expect(0).json()[0]["id"].as_str().unwrap().to_owned();
        let id = id();
        house.semainier(&["orders", "delivered", &id]).expect(0);
        open.get(&marie).expect(200, "Il reste 18 paquets");
        let typed = id.to_uppercase();
        house.semainier(&["orders", "reopen", &typed, "nothing"]).expect(1).expect_said(&["there is no order nothing"]);
        assert_eq!(house.number("SELECT count(*) FROM orders WHERE state = 'open'"), 0);
        house.semainier(&["orders", "reopen", &typed]).expect(0).expect_said(&[&format!("{id} is open")]);
        house.semainier(&["orders", "reopen", &id]).expect(0).expect_said(&["was already open"]);
        assert_eq!(house.number("SELECT count(*) FROM audit WHERE action = 'orders.reopen'"), 1);
        open.post(&marie, "action=order&packs=3&handover=pick_up").expect(200, "votre commande est modifiée");
        open.post(&marie, "action=cancel").expect(200, "votre commande est annulée");
        house
            .semainier(&["orders", "reopen", &id])
            .expect(1)
            .expect_said(&[&format!("order {id} is cancelled; nothing was changed")]);
        open.serve.stop();
    }
}
