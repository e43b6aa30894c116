//! Mails reveal neither hidden content of an article nor details of the machine.

use crate::support::house::{House, MONDAY, Relay, article};

#[test]
fn e10_scripts_and_hidden_content_of_an_article_are_in_no_mail() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&["a@gite.example"]);
    let image = format!("<img src=\"data:image/png;base64,{}\" alt=\"affiche\">", "A".repeat(2_000_000));
    let hostile = article(MONDAY).replacen(
        "<ul><li>",
        &format!(
            "<script>alert('trouvé')</script><style>p {{ display: none }}</style><iframe src=\"https://e.example\"></iframe>\
             <ul><li onclick=\"alert(1)\">{image}<a href=\"javascript:alert(2)\">réserver ici</a> "
        ),
        1,
    );
    house.run_at(crate::support::house::AT, &hostile).expect(0);
    let bytes = relay.seen().accepted[0].bytes.clone();
    assert!(bytes.len() < 200_000, "{} bytes", bytes.len());
    let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
    for body in [mail.body_html(0).unwrap(), mail.body_text(0).unwrap()] {
        assert!(body.contains("éserver ici"), "what it says is kept");
        for word in ["<script", "alert(", "trouvé", "javascript:", "onclick", "<iframe", "data:image", "AAAAAAAA"] {
            assert!(!body.contains(word), "{word}");
        }
    }
}

#[test]
fn c07_hours_are_in_the_zone_of_the_office_whatever_the_machines_zone() {
    let relay = Relay::start();
    let seen = ["UTC", "Asia/Tokyo", "America/New_York"].map(|zone| {
        let house = House::new().relay(&relay).env("TZ", zone);
        house.import(&["a@gite.example"]);
        house.run().expect(0);
        let next = house.semainier(&["next", "agenda", "--from", "2027-07-01", "--json"]).expect(0).stdout;
        let mail = relay.seen().accepted.pop().unwrap().bytes;
        let mail = mail_parser::MessageParser::default().parse(&mail).unwrap();
        let log = house.semainier(&["log", "--json"]).expect(0).json();
        let at = log[0]["changed_at"].as_str().unwrap().to_owned();
        (next, mail.subject().unwrap().to_owned(), mail.body_text(0).unwrap().into_owned(), at[19..].to_owned())
    });
    assert!(seen[0].0.contains("2027-07-03T08:00:00+02:00"), "{}", seen[0].0);
    let unlike_the_first = seen.iter().find(|it| (&it.0, &it.1, &it.3) != (&seen[0].0, &seen[0].1, &seen[0].3));
    assert_eq!(unlike_the_first, None);
    assert!(seen[0].2.contains("10 h") || seen[0].2.contains("10\u{a0}h"), "{}", seen[0].2);
}
