//! « Adresses à réparer »: whom to call, under which number, and what the server said.

use super::entering::{Browser, CLAIRE, Office};
use crate::support::house::{BOTH, House, Relay};
use semainier::{domain::delivery::DeliveryId, tokens::Tokens};

/// A bounce of the delivery to this address.
fn bounce(house: &House, address: &str, diagnostic: &str) {
    let id = house.delivery(address).id;
    let token = Tokens::new("a secret for tests".to_owned().into()).return_token(&DeliveryId(id));
    let text = format!(
        "From: MAILER-DAEMON@relay.test\nTo: retours+{token}@ot.test\nMessage-ID: <{address}>\n\
        Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nno\n\
        --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; relay.test\n\n\
        Final-Recipient: rfc822; {address}\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; {diagnostic}\n\n--b--\n"
    );
    house.write("bounce.eml", text);
    house.semainier(&["inbound", "read", "bounce.eml"]).expect(0).expect_said(&["bounce"]);
}

#[test]
fn addresses_that_take_nothing_are_listed_by_establishment_with_the_telephone_number() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay).set("console.bind", "127.0.0.1:0");
        let list = "email;nom;etablissement;commune;telephone\nmort@z.test;Éloïse;Hôtel Zola;Auch;05 62 00 00 01\n\
            plein@a.test;Marc;Gîte Albert;Pavie;05 62 00 00 02\nbon@b.test;Zoé;Musée;Auch;05 62 00 00 03\n";
        house.write("liste.csv", list);
        house.semainier(&["partners", "import", "liste.csv"]).expect(0);
        house.run().expect(0);
        let office = Office::open(house);
        let claire = office.member(CLAIRE, "lecture");
        let mut browser = Browser::of(&office, &claire);
        let path = "/partenaires/a-reparer";
        browser.get(path).expect(200, &["Aucune adresse à réparer"]);
        browser.get("/partenaires").expect(200, &["Adresses à réparer"]);
        bounce(&office.house, "mort@z.test", "550 5.1.1 <mort@z.test>: no such user");
        bounce(&office.house, "plein@a.test", "552 5.2.2 mailbox full");
        let page = browser.get(path).expect(
            200,
            &[
                "2 adresses à réparer",
                "Hôtel Zola",
                "05 62 00 00 01",
                "cette adresse n’existe pas (ou plus)",
                "Arrêtés",
                "Gîte Albert",
                "boîte pleine",
                "Nouvel essai",
            ],
        );
        let text = page.text();
        assert!(!text.contains("Musée") && text.contains("href=\"tel:0562000001\""), "{}", page.words());
        assert!(text.find("Gîte Albert").unwrap() < text.find("Hôtel Zola").unwrap(), "by establishment");
        // The person's page says it, too.
        let person = office.house.text("SELECT id FROM contacts WHERE email_key = 'mort@z.test'");
        let person = browser.get(&format!("/partenaires/contacts/{person}"));
        person.expect(
            200,
            &["Retour", "accepté par le relais, puis revenu : cette adresse n’existe pas", "adresse morte"],
        );
        browser.get("/journal").expect(200, &["accepté par le relais, puis revenu : boîte pleine"]);
        // Once the office has taken it back, it is tried again, and no longer listed as stopped.
        office.house.semainier(&["partners", "lift", "mort@z.test", "--why", "rappelé"]).expect(0);
        let text = browser.get(path).expect(200, &["1 adresse à réparer"]).text();
        assert!(!text.contains("Hôtel Zola"));
    }
}
