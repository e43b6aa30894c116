//! What is in the letter, and when there is none: sources, pictures, parts.

use super::room::{Room, at, feed, job, picture};
use crate::support::{
    house::{BOTH, House, Relay, STAFF},
    web::{Reply, Web},
};
use mail_parser::{MessageParser, MimeHeaders};
use serde_json::json;

/// Of a Tuesday that is over, so that a run by hand is in time.
const AT: &str = "2026-11-03T09:00";
const ISSUE: &str = "newsletter/2026-11";

fn recently(days: i64) -> String {
    (semainier::clock::Clock::System.now() - chrono::TimeDelta::days(days)).to_rfc3339()
}

fn house(web: &Web, relay: &Relay, job: &str) -> House {
    house_on(crate::support::house::On::Sqlite, web, relay, job)
}

fn house_on(on: crate::support::house::On, web: &Web, relay: &Relay, job: &str) -> House {
    let house = House::on(on).site(web).relay(relay);
    std::fs::remove_file(house.path("jobs/agenda.toml")).unwrap();
    house.write("jobs/newsletter.toml", job);
    house.import_many(3);
    house
}

fn run(house: &House) -> crate::support::process::Done {
    house.semainier(&["run", "newsletter", "--at", AT, "--yes"])
}

#[test]
fn a_newsletter_without_news_is_held_with_one_notice() {
    for on in BOTH {
        let (web, relay) = (Web::start(), Relay::start());
        feed(&web, &[("ancien", "Une vieille nouvelle", &recently(45))]);
        let house = house_on(on, &web, &relay, &job(&super::room::source(&web)));
        for _ in 0..2 {
            run(&house).expect(3).expect_said(&["rien de nouveau n’a été publié depuis le"]);
        }
        assert_eq!(house.issue()["state"], "held");
        assert_eq!(relay.told_staff().len(), 1);
        // Then there is something, and it is not sent without a word either.
        feed(&web, &[("neuf", "Du neuf", &recently(2))]);
        run(&house).expect(4).expect_said(&["composed, nothing was sent"]);
        assert_eq!((house.issue()["state"].as_str(), relay.to_partners()), (Some("awaiting_approval"), 0));
        house.semainier(&["issues", "approve", ISSUE, "--by", "Claire"]).expect(0);
        run(&house).expect(0).expect_said(&["newsletter/2026-11: done (3 = 3 sent)"]);
        house.judge_at_rest(&relay, 3);
        run(&house).expect(0).expect_said(&["nothing was sent twice"]);
    }
}

#[test]
fn a_source_that_fails_holds_the_issue_or_is_missing_from_it_as_the_mailing_says() {
    for on in BOTH {
        let (web, relay) = (Web::start(), Relay::start());
        feed(&web, &[("neuf", "Du neuf", &recently(2))]);
        web.route("/autre/", Reply::status(503));
        let both = |required: bool| {
            let other =
                format!("[[source]]\nkind = \"feed\"\nurl = \"{}\"\nrequired = {required}\n", web.url("/autre/"));
            job(&format!("{}\n{other}", super::room::source(&web)))
        };
        let house = house_on(on, &web, &relay, &both(true));
        run(&house).expect(3).expect_said(&["une source n’a pas pu être lue", "503"]);
        assert_eq!(house.issue()["state"], "held");

        house.write("jobs/newsletter.toml", both(false));
        run(&house).expect(4);
        let shown = house.semainier(&["issues", "show", ISSUE, "--json"]).expect(0).json();
        let missing = shown["letter"]["missing"][0].as_str().unwrap();
        assert!(missing.contains("une source manque") && missing.contains("503"), "{missing}");
        let asked = relay.seen().accepted.iter().rfind(|it| it.recipient == STAFF).unwrap().bytes.clone();
        let asked = MessageParser::default().parse(&asked).unwrap();
        let text = asked.body_text(0).unwrap().replace('\u{a0}', " ");
        assert!(text.contains("À savoir :") && text.contains("une source manque"), "{text}");
    }
}

#[test]
fn a_message_meets_the_requirements_of_large_receivers() {
    let (web, relay) = (Web::start(), Relay::start());
    let slugs: Vec<_> =
        (0..30).map(|n| (format!("nouvelle{n}"), format!("Nouvelle n° {n} du Gers"), recently(2))).collect();
    let items: Vec<_> = slugs.iter().map(|(slug, title, at)| (slug.as_str(), title.as_str(), at.as_str())).collect();
    feed(&web, &items);
    // Some pictures are none, and a bomb.
    web.route("/nouvelle0.png", Reply::status(404));
    web.route("/nouvelle1.png", Reply::html("<html>pas une image</html>"));
    let mut bomb = picture();
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    web.route("/nouvelle10.png", Reply::new(200, "image/png", bomb));
    let house = house(&web, &relay, &job(&super::room::source(&web)));
    run(&house).expect(4);
    house.semainier(&["issues", "approve", ISSUE, "--by", "Claire"]).expect(0);
    run(&house).expect(0);

    let seen = relay.seen();
    let raw = &seen.accepted.iter().find(|it| it.recipient != STAFF).unwrap().bytes;
    assert!(raw.len() < 10_000_000, "{} bytes", raw.len());
    assert!(!raw.windows(2).any(|pair| pair[0] != b'\r' && pair[1] == b'\n'), "a bare LF");
    assert!(raw.split(|byte| *byte == b'\n').all(|line| line.len() <= 998));
    let mail = MessageParser::default().parse(raw).unwrap();
    for header in
        ["List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID", "Date", "Message-ID", "MIME-Version"]
    {
        assert!(mail.header(header).is_some(), "{header}");
    }
    let (html, text) = (mail.body_html(0).unwrap(), mail.body_text(0).unwrap());
    assert!(html.len() < 100_000, "{} bytes of HTML", html.len());
    for (_, title, _) in &items {
        // I3: told at length, or by its title; never dropped.
        assert!(text.replace('\u{a0}', " ").contains(title) && html.replace('\u{a0}', " ").contains(title), "{title}");
    }
    // Every picture that is shown is in the message, and nothing is fetched when it is opened.
    let shown: Vec<_> = html.match_indices("src=\"").map(|(at, _)| html[at + 5..].split('"').next().unwrap()).collect();
    let ids: Vec<_> = mail.parts.iter().filter_map(|part| part.content_id()).map(|id| format!("cid:{id}")).collect();
    assert!(!shown.is_empty());
    assert_eq!(shown, ids);
    for part in mail.parts.iter().filter(|part| part.content_id().is_some()) {
        assert!(part.contents().starts_with(&[0xff, 0xd8]), "JPEG, whatever it was");
    }
    drop(seen);
    let letter = &house.semainier(&["issues", "show", ISSUE, "--json"]).expect(0).json()["letter"];
    let missing = letter["missing"].as_array().unwrap();
    assert_eq!(missing.len(), 3, "{missing:?}");
}

#[test]
fn the_sections_follow_the_order_of_the_file_with_their_content() {
    let (web, relay) = (Web::start(), Relay::start());
    feed(
        &web,
        &[("nocturnes", "Les visites nocturnes d’Auch", &recently(2)), ("bal", "Un bal à Condom", &recently(3))],
    );
    let job = job(&super::room::source(&web))
        .replace("# file = \"editorial/{period}.md\"", "file = \"editorial/{period}.md\"")
        .replace("# file   = \"rendez-vous.toml\"", "file = \"rendez-vous.toml\"");
    let house = house(&web, &relay, &job);
    house.write("editorial/2026-11.md", "Le mot de *novembre*.");
    house.write("editorial/2026-10.md", "Le mot d’octobre.");
    let soon = (semainier::clock::Clock::System.now() + chrono::TimeDelta::days(9)).date_naive();
    house.write("rendez-vous.toml", format!("[[appointment]]\ndate = \"{soon}\"\ntime = \"14:30\"\ntitle = \"Éductour\"\nplace = \"Lectoure\"\n[[appointment]]\ndate = \"2026-01-02\"\ntitle = \"Passé\"\n"));
    house.semainier(&["preview", "newsletter", "--at", AT, "--out", "apercu"]).expect(0);
    let text = std::fs::read_to_string(house.path("apercu/body.txt")).unwrap();
    let parts = [
        "Le mot de novembre.",
        "DANS L’AGGLOMÉRATION D’AUCH",
        "Les visites nocturnes d’Auch",
        "DANS LE GERS",
        "Un bal à Condom",
        "LES PROCHAINS RENDEZ-VOUS",
        "Éductour",
        "14 h 30 · Lectoure",
    ];
    let places: Vec<_> = parts.iter().map(|part| text.find(part).unwrap_or_else(|| panic!("{part}\n{text}"))).collect();
    assert!(places.is_sorted(), "{places:?}\n{text}");
    assert!(!text.contains("octobre") && !text.contains("Passé"), "{text}");
    let html = std::fs::read_to_string(house.path("apercu/body.html")).unwrap();
    assert!(html.contains("src=\"image-1.jpg\"") && house.path("apercu/image-1.jpg").exists());
    assert!(house.issues().is_empty(), "a preview records nothing");

    house.write("rendez-vous.toml", "[[appointment]]\ndate = \"bientôt\"\n");
    let held = house.semainier(&["preview", "newsletter", "--at", AT, "--out", "apercu"]).expect(3);
    assert!(held.stdout.contains("la liste des rendez-vous n’est pas lisible"), "{}", held.stdout);
}

#[test]
fn new_partners_are_listed_from_the_second_issue_on() {
    let mut room = Room::on(crate::support::house::On::Sqlite);
    room.serve();
    room.sky.set(at("2026-07-04T07:00:10Z"));
    crate::support::process::until("composed", || room.state().0 == "awaiting_approval");
    let titles = |parts: &serde_json::Value| {
        parts.as_array().unwrap().iter().find(|part| part["kind"] == "partners").unwrap()["newcomers"].clone()
    };
    assert_eq!(titles(&room.show()["letter"]["parts"]), json!([]));
    room.house.semainier(&["issues", "approve", super::room::ISSUE, "--by", "Claire"]).expect(0);
    // Between composition and departure: a partner, and a piece of news.
    room.house.write(
        "new.csv",
        "email;nom;etablissement;commune\nbonjour@deux-rives.example;;Le Jardin des Deux Rives;Auch\n",
    );
    room.house.semainier(&["partners", "import", "new.csv"]).expect(0);
    feed(
        &room.web,
        &[
            ("entre", "Entre les deux", "2026-07-05T08:00:00Z"),
            ("nocturnes", "Les visites nocturnes d’Auch reprennent", "2026-06-30T08:00:00Z"),
        ],
    );
    room.sky.set(at("2026-07-07T07:00:10Z"));
    crate::support::process::until("sent", || room.state().0 == "done");

    room.sky.set(at("2026-08-01T07:00:10Z"));
    crate::support::process::until("the next is composed", || room.house.issues().len() == 2);
    let next = room.house.semainier(&["issues", "show", "newsletter/2026-08", "--json"]).expect(0).json();
    let parts = &next["letter"]["parts"];
    assert_eq!(titles(parts), json!([{ "establishment": "Le Jardin des Deux Rives", "commune": "Auch" }]));
    let news: Vec<_> =
        parts.as_array().unwrap().iter().filter_map(|part| part["stories"].as_array()).flatten().collect();
    assert_eq!(
        news.iter().map(|it| it["title"].as_str().unwrap()).collect::<Vec<_>>(),
        ["Entre les deux"],
        "nothing is lost, nothing twice"
    );
    room.stop();
}
