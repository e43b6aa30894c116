//! The journal and the list of partners: filters are the address, and pages lose nobody.

use super::{ANNE, Desk, MARIE, PAUL, ZOE, viewer};
use crate::support::house::{BOTH, House, ISSUE, Relay};
use scraper::{Html, Selector};
use semainier::accounts::Language;
use std::collections::BTreeSet;

/// The first cells of the last table's rows.
fn rows(html: &str, table: &str) -> Vec<String> {
    let (document, cells) = (Html::parse_document(html), Selector::parse(&format!("{table} tbody th")).unwrap());
    let rows = document.select(&cells).map(|it| it.text().collect::<String>());
    rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_journal_is_filtered_by_its_address_and_tells_the_relay_in_french() {
    for on in BOTH {
        let desk = Desk::busy(on);
        let of = |query: &str| desk.get(&format!("/journal{query}"));
        let all = of("").expect(200, &["Remis au relais", "Refusé", "Incertain", "Non envoyé"]);
        assert_eq!(rows(&all.text(), "table").len(), 4);
        let failed =
            of("?etat=failed").expect(200, &["cette adresse n’existe pas (ou plus)", "550 5.1.1 OFR_416", PAUL]);
        assert_eq!(rows(&failed.text(), "table").len(), 1);
        of("?etat=unknown").expect(200, &["Le relais l’a peut-être", "coupé après la fin : peut-être parti", ANNE]);
        of(&format!("?envoi={ISSUE}&etat=sent")).expect(200, &[MARIE]);
        of("?envoi=agenda/2020-W01").expect(200, &["Aucun envoi ne répond à ces filtres."]);
        of("?depuis=2027-07-11").expect(200, &["Aucun envoi ne répond"]);
        of("?etat=rien&envoi=%3Cscript%3E&depuis=demain")
            .expect(200, &["Cet état n’existe pas", "agenda/2027-W28", "Cette date n’est pas comprise"]);
        of("?q=isle+jourdain").expect(200, &["1 personne trouvée", "Chez Zoé"]);
        of("?q=GITE").expect(200, &["Gîte du Pré"]);
        of("?q=personne+de+ce+nom").expect(200, &["0 personne trouvée", "Essayez un mot de moins"]);
        of(&format!("?q={PAUL}")).expect(200, &["1 personne trouvée", "Refusé"]);
        let id = desk.house.delivery(MARIE).message_id;
        of(&format!("?q=%3C{id}%3E")).expect(200, &["Remis au relais", MARIE]);
        // Whoever is gone from the list is found by the exact address.
        desk.house.sql(&format!(
            "DELETE FROM subscriptions WHERE contact = (SELECT id FROM contacts WHERE email_key = '{ZOE}')"
        ));
        desk.house.sql(&format!("DELETE FROM contacts WHERE email_key = '{ZOE}'"));
        of(&format!("?q={ZOE}")).expect(200, &["Non envoyé", ZOE]);
    }
}

#[test]
fn the_pages_of_both_lists_lose_nobody_and_show_nobody_twice() {
    const PEOPLE: usize = 123;
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import_many(PEOPLE);
        house.run().expect(0);
        // What was sent was sent now, whatever the hour of the issue.
        let now = semainier::clock::Clock::System.now().to_rfc3339();
        let desk = Desk::open(house, relay, Some(viewer(Language::French)), &now);
        for start in [
            "/partenaires",
            "/journal",
            "/journal?etat=sent",
            &format!("/envois/{ISSUE}/destinataires"),
            "/partenaires?q=gite+auch",
        ] {
            let (mut next, mut seen, mut pages) = (Some(start.to_owned()), BTreeSet::new(), 0);
            while let Some(path) = next {
                let html = desk.get(&path).expect(200, &[]).text();
                for row in rows(&html, "table") {
                    assert!(seen.insert(row.clone()), "{start} shows {row} twice");
                }
                let document = Html::parse_document(&html);
                let more = document.select(&Selector::parse("a[rel=next]").unwrap()).next();
                next = more
                    .map(|link| format!("{}{}", start.split('?').next().unwrap(), link.value().attr("href").unwrap()));
                pages += 1;
            }
            assert_eq!((seen.len(), pages), (PEOPLE, 3), "{start}");
        }
    }
}
