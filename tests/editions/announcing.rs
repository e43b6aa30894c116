//! From the word of a person to the order of a partner, on both databases, over a real relay and a real page.

use super::{ANNE, MARIE, Open, PAUL, add, links, mails, office, way_to_order};
use crate::support::house::{BOTH, On, Relay, STAFF, until};
use mail_parser::MimeHeaders;

#[test]
fn an_edition_reaches_its_audience_and_orders_are_confirmed_and_listed_for_the_round() {
    for on in BOTH {
        let relay = Relay::start();
        let house = office(on, &relay);
        add(&house, 1000, "").expect(0);
        let lodging = ["announce", "carte-2027", "--segment", "category = \"hébergement\""];

        let before = house.everything();
        let rehearsal = house.semainier(&[&lodging[..], &["--dry-run", "--out", "look"]].concat()).expect(0);
        rehearsal.expect_said(&["would go to 2 contacts", "others", "look/message.eml", "look/image-2.jpg"]);
        assert_eq!(house.everything(), before, "a rehearsal changes nothing");
        house.semainier(&lodging).expect(0).expect_said(&["editions/carte-2027: done (2 = 2 sent)"]);
        house.semainier(&lodging).expect(1).expect_said(&["was announced already", "2 = 2 sent"]);
        house.semainier(&["announce", "carte-2027", "--cancel"]).expect(1).expect_said(&["is done"]);
        assert!(mails(&relay, ANNE).is_empty(), "she is not meant");

        let mail = mails(&relay, MARIE).pop().unwrap();
        assert_eq!(mail.subject(), Some("Carte touristique 2027\u{a0}: à partager et à commander"));
        let pictures: Vec<_> = mail.parts.iter().filter_map(|part| part.content_id().map(str::to_owned)).collect();
        let html = mail.body_html(0).unwrap().replace("&#x2f;", "/");
        assert_eq!(pictures.len(), 2, "the cover and the code");
        assert!(pictures.iter().all(|id| html.contains(&format!("cid:{id}"))), "{pictures:?}");
        assert!(!html.contains("SEMAINIER") && !html.contains("src=\"http"), "{html}");
        for part in [
            "en français, anglais",
            "La carte est arrivée.",
            "https://ot.test/carte-2027",
            "Les villages &amp;\u{a0}les musées",
        ] {
            assert!(html.contains(part), "{part} is not in\n{html}");
        }

        let mut open = Open::at(&house);
        let before = house.everything();
        let all = links(&mail);
        assert_eq!(all.len(), 4, "to order, to leave, the picture, and the mail online: {all:?}");
        for link in &all {
            for _ in 0..2 {
                assert_eq!((open.get(link).status, open.head(link).status), (200, 200), "{link}");
            }
        }
        assert_eq!(house.everything(), before, "looking changes nothing");

        let (marie, paul) = (way_to_order(&relay, MARIE), way_to_order(&relay, PAUL));
        assert_ne!(marie, paul);
        let page = open.get(&marie).expect(200, "Il reste 20 paquets (1 000 exemplaires).");
        assert!(page.words().contains("Vous commandez pour Gîte du Pré"), "{}", page.words());
        assert!(!page.text().contains(MARIE) && !page.text().contains("<script"), "{}", page.text());
        for header in ["cache-control: no-store", "x-robots-tag: noindex", "referrer-policy: no-referrer"] {
            assert!(page.head.contains(header), "{header}: {}", page.head);
        }
        let order = "action=order&packs=3&handover=delivery&remark=Ferm%C3%A9+le+lundi";
        open.post(&marie, order).expect(200, "C’est fait : votre commande est enregistrée.");
        open.post(&marie, order).expect(200, "rien n’a changé");
        open.post(&paul, "action=order&packs=1&handover=pick_up&remark=").expect(200, "C’est fait");
        until("both are confirmed", || mails(&relay, MARIE).len() == 2 && mails(&relay, PAUL).len() == 2);
        let confirmation = mails(&relay, MARIE).pop().unwrap();
        assert_eq!(confirmation.subject(), Some("Commande enregistrée\u{a0}: Carte touristique 2027"));
        let text = confirmation.body_text(0).unwrap();
        for part in
            ["3 paquets (150 exemplaires)", "livraison lors de la tournée (2, chemin du Pré, Pavie)", "Fermé le lundi"]
        {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(confirmation.header("List-Unsubscribe").is_none(), "an answer is of no list");
        assert_eq!(way_to_order(&relay, MARIE), marie, "and leads back to the order");

        open.post(&marie, &order.replace("packs=3", "packs=2")).expect(200, "votre commande est modifiée");
        until("the change is confirmed", || mails(&relay, MARIE).len() == 3);
        assert!(mails(&relay, MARIE)[2].subject().unwrap().starts_with("Commande modifiée"));
        open.serve.hear("orders/");
        let token = marie.rsplit('.').next().unwrap();
        for line in &open.serve.log {
            assert!(!line.contains(token) && !line.contains("marie@") && !line.contains("Marie"), "{line}");
        }

        let csv = house.semainier(&["orders", "--edition", "carte-2027", "--csv"]).expect(0).stdout;
        let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(';').collect()).collect();
        let of_the_round: Vec<_> = rows[1..].iter().map(|row| (row[0], row[1], row[6], row[7])).collect();
        assert_eq!(of_the_round, [("Auch", "Hôtel de France", "1", "50"), ("Pavie", "Gîte du Pré", "2", "100")]);
        house
            .semainier(&["orders"])
            .expect(0)
            .expect_said(&["2 open orders, 3 packs (150 copies) to hand over; 17 packs left"]);
        let id = rows[2].last().unwrap().to_uppercase();
        house.semainier(&["orders", "delivered", &id, "nothing"]).expect(1).expect_said(&["there is no order nothing"]);
        house.semainier(&["orders", "delivered", &id]).expect(0).expect_said(&["is delivered"]);
        house.semainier(&["orders", "delivered", &id]).expect(0).expect_said(&["was delivered before"]);
        assert_eq!(house.semainier(&["orders", "--json"]).expect(0).json().as_array().unwrap().len(), 1);
        assert_eq!(house.semainier(&["orders", "--all", "--json"]).expect(0).json().as_array().unwrap().len(), 2);

        // What is public says nothing of anybody.
        let archive = open.get("/archives");
        assert!(
            archive.text().contains("Carte touristique") && !archive.text().contains("Commande"),
            "{}",
            archive.text()
        );
        let view =
            archive.text().split("https://partenaires.ot.test").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let online = open.get(&view);
        assert!(
            online.text().contains("mailto:bonjour@ot.test") && !online.text().contains("/o/"),
            "{}",
            online.text()
        );

        let person = house.semainier(&["partners", "export", "--contact", MARIE]).expect(0).json();
        assert_eq!(person["orders"][0]["packs"].as_u64(), Some(2), "{person}");
        assert_eq!(person["orders"][0]["remark"], "Fermé le lundi");
        house.semainier(&["partners", "erase", MARIE]).expect(0);
        let person = house.semainier(&["partners", "export", "--contact", MARIE]).expect(0).json();
        assert_eq!(person["orders"], serde_json::json!([]));
        open.get(&marie).expect(200, "n’est plus dans nos fichiers");
        open.post(&marie, order).expect(200, "n’est plus dans nos fichiers");
        let rest = house.everything().into_values().collect::<Vec<_>>().join("\n");
        for trace in ["Fermé", "Gîte du Pré", "marie@"] {
            assert!(!rest.contains(trace), "{trace} is left in\n{rest}");
        }
        open.serve.stop();
    }
}

#[test]
fn without_public_pages_orders_are_placed_by_mail() {
    let relay = Relay::start();
    let mut house = office(On::Sqlite, &relay);
    add(&house, 1000, "").expect(0);
    house = house.without("web.bind");
    house.semainier(&["announce", "carte-2027"]).expect(0);
    let mail = mails(&relay, MARIE).pop().unwrap();
    let (html, text) = (mail.body_html(0).unwrap().replace("&#x2f;", "/"), mail.body_text(0).unwrap());
    assert!(html.contains("mailto:bonjour@ot.test?subject=Commande"), "{html}");
    assert!(text.contains("bonjour@ot.test") && !text.contains("/o/") && !html.contains("/o/"), "{text}");
    assert_eq!(links(&mail).len(), 1, "nothing but the way out");
}

#[test]
fn while_the_daemon_holds_the_ledger_it_sends_the_announcement() {
    let relay = Relay::start();
    let house = office(On::Sqlite, &relay);
    add(&house, 1000, "").expect(0);
    let open = Open::at(&house);
    house
        .semainier(&["announce", "carte-2027"])
        .expect(0)
        .expect_said(&["is sent by the running daemon within a minute"]);
    until("it leaves", || relay.to_partners() == 3);
    until("it is done", || house.issue()["state"] == "done");
    open.serve.stop();
    house.judge_at_rest(&relay, 3);
    assert_eq!(house.number("SELECT COUNT(*) FROM occurrences WHERE mailing = 'editions' AND state = 'done'"), 1);
}

#[test]
fn with_approval_of_editions_nothing_is_sent_before_it() {
    let relay = Relay::start();
    let house = office(On::Sqlite, &relay);
    let job = include_str!("../../jobs/editions.toml").replace("\"automatic\" ", "\"required\" ");
    house.write("jobs/editions.toml", job);
    add(&house, 1000, "").expect(0);
    let meant = ["announce", "carte-2027", "--segment", "commune = \"Auch\""];
    house.semainier(&meant).expect(4).expect_said(&["nothing was sent", "issues approve editions/carte-2027"]);
    let asked = mails(&relay, STAFF).pop().unwrap();
    let text = asked.body_text(0).unwrap();
    assert!(text.contains("Destinataires : 2") && text.contains("Carte touristique 2027"), "{text}");
    assert_eq!(relay.to_partners(), 0);
    house.semainier(&["issues", "approve", "editions/carte-2027", "--by", "Claire"]).expect(0);
    house.serve_until("it leaves", || relay.to_partners() == 2);
    house.judge_at_rest(&relay, 2);
    assert!(mails(&relay, MARIE).is_empty());
}

#[test]
fn f12_an_announcement_to_many_needs_confirmation() {
    let relay = Relay::start();
    let house = office(On::Sqlite, &relay);
    add(&house, 1000, "").expect(0);
    let lines: String = (0..30).map(|n| format!("p{n}@gite.example;P;Gîte {n};Auch;hébergement;\n")).collect();
    house.write("many.csv", format!("email;nom;etablissement;commune;categorie;adresse\n{lines}"));
    house.semainier(&["partners", "import", "many.csv"]).expect(0);
    let size = 33;
    for more in [&[][..], &["--at", "2027-04-02T10:00"]] {
        let announce = [&["announce", "carte-2027"][..], more].concat();
        let done = house.semainier(&announce).expect(1);
        for words in [&format!("will be sent to {size} contacts"), "nothing was sent or scheduled", "add --yes"] {
            assert!(done.stderr.contains(words), "{words} is not in {}", done.stderr);
        }
    }
    assert_eq!(relay.seen().accepted.len(), 0);
    house.semainier(&["announce", "carte-2027", "--cancel"]).expect(1);
    house.semainier(&["announce", "carte-2027", "--yes"]).expect(0);
    assert_eq!(relay.seen().accepted.len(), size);
}
