//! An agenda from an article and a calendar: the article wins; a calendar that fails holds the issue or is left out, and
//! staff are notified either way.

use crate::support::{
    house::{BOTH, House, MONDAY, Relay, article},
    web::{Post, Reply, Web},
};

const CALENDAR: &str = "/agenda.ics";

/// A site with the article of the week.
fn site() -> Web {
    Web::wordpress(vec![Post::new("Que faire à Auch cette semaine ?", "2027-07-09T15:12:08", &article(MONDAY))])
}

/// A calendar with these events: `20270713T183000 Apéro-concert @ Salle, 32550 Pavie`.
fn calendar(events: &[&str]) -> Reply {
    let event = |(n, text): (usize, &&str)| {
        let (start, rest) = text.split_once(' ').unwrap();
        let (title, place) = rest.split_once(" @ ").unwrap();
        let place = place.replace(',', "\\,");
        format!("BEGIN:VEVENT\r\nUID:{n}\r\nDTSTART:{start}\r\nSUMMARY:{title}\r\nLOCATION:{place}\r\nEND:VEVENT\r\n")
    };
    let events: String = events.iter().enumerate().map(event).collect();
    let head = "BEGIN:VCALENDAR\r\nX-WR-CALNAME:Le calendrier de Pavie\r\n";
    Reply::new(200, "text/calendar; charset=utf-8", format!("{head}{events}END:VCALENDAR\r\n"))
}

fn house(on: crate::support::house::On, web: &Web, relay: &Relay, rule: &str) -> House {
    let house = House::on(on).site(web).relay(relay);
    let mailing = std::fs::read_to_string(house.path("jobs/agenda.toml")).unwrap();
    let url = web.url(CALENDAR);
    house.write("jobs/agenda.toml", format!("{mailing}\n[[source]]\nkind = \"ical\"\nurl = \"{url}\"\n{rule}\n"));
    house.import_many(3);
    house
}

#[test]
fn the_mail_has_the_events_of_the_calendar_without_duplicates() {
    for on in BOTH {
        let (web, relay) = (site(), Relay::start());
        web.route(
            CALENDAR,
            calendar(&[
                "20270713T183000 Apéro-concert des Moulins @ Salle, 32550 Pavie",
                "20270713T210000 Concert n° 1 @ Salle, 32550 Pavie",
            ]),
        );
        let house = house(on, &web, &relay, "");
        house.run_from_site().expect(0);
        house.judge_at_rest(&relay, 3);
        let bytes = relay.seen().accepted[0].bytes.clone();
        let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
        let text = mail.body_text(0).unwrap().to_lowercase();
        assert_eq!(text.matches("apéro-concert des moulins").count(), 1, "{text}");
        assert_eq!(text.matches("concert n° 1").count() + text.matches("concert n°\u{a0}1").count(), 1, "{text}");
        assert!(relay.told_staff().is_empty());
    }
}

#[test]
fn a_calendar_that_fails_holds_the_issue_until_it_is_back() {
    let (web, relay) = (site(), Relay::start());
    web.routes(CALENDAR, [Reply::status(503), calendar(&[])]);
    let house = house(BOTH[0], &web, &relay, "");
    house.run_from_site().expect(3);
    let reason = house.issue()["reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("une source d’événements n’a pas pu être lue\u{a0}: le site 127.0.0.1"), "{reason}");
    assert!(reason.contains("503"), "{reason}");
    assert_eq!((relay.to_partners(), relay.told_staff().len()), (0, 1));
    house.run_from_site().expect(0);
    assert_eq!(relay.to_partners(), 3);
}

#[test]
fn an_optional_calendar_may_fail_with_one_notice() {
    for on in BOTH {
        let (web, relay) = (site(), Relay::start());
        web.routes(
            CALENDAR,
            [Reply::html("<p>maintenance</p>"), calendar(&["20270713T183000 Bal @ Salle, 32550 Pavie"])],
        );
        let house = house(on, &web, &relay, "required = false");
        let done = house.run_from_site().expect(0);
        assert!(done.said().contains("Une source manque, l’agenda est fait sans elle"), "{}", done.said());
        assert_eq!(relay.to_partners(), 3);
        let seen = relay.seen();
        let told: Vec<_> = seen.accepted.iter().filter(|it| it.recipient == crate::support::house::STAFF).collect();
        assert_eq!(told.len(), 1, "told once");
        let mail = mail_parser::MessageParser::default().parse(&told[0].bytes).unwrap();
        assert!(mail.subject().unwrap().starts_with("Parti incomplet"), "{:?}", mail.subject());
        let text = mail.body_text(0).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("est parti sans une de ses sources"), "{text}");
        assert!(text.contains("ce n’est pas un calendrier iCalendar"), "{text}");
        drop(seen);
        // What was frozen stays, though the calendar is back.
        house.run_from_site().expect(0);
        assert_eq!((relay.to_partners(), relay.told_staff().len()), (3, 1));
    }
}

#[test]
fn extract_shows_the_provenance_of_each_line() {
    let (web, relay) = (site(), Relay::start());
    web.route(CALENDAR, calendar(&["20270713T183000 Apéro-concert des Moulins @ Salle, 32550 Pavie"]));
    let house = house(BOTH[0], &web, &relay, "");
    house.write("article.html", article(MONDAY));
    let args = ["extract", "article.html", "--published", "2027-07-09", "--merge", "agenda"];
    house.semainier(&args).expect(0).expect_said(&["Apéro-concert des Moulins", "← Le calendrier de Pavie"]);
    let done = house.semainier(&[&args[..], &["--json"]].concat()).expect(0);
    let agenda: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let items = agenda["days"][1]["items"].as_array().unwrap();
    let added = items.iter().find(|item| !item["provenance"].is_null()).unwrap();
    assert_eq!(added["provenance"], serde_json::json!({ "source": "Le calendrier de Pavie" }));
    assert_eq!(added["text"], "18\u{a0}h\u{a0}30\u{a0}: Apéro-concert des Moulins, Pavie, Salle");
    assert_eq!(items.iter().filter(|item| item.get("provenance").is_none()).count(), 2);
}

#[test]
fn an_unsuitable_source_is_refused_when_the_mailing_is_read() {
    let check = |sources: &str, said: &str| {
        let house = House::new();
        let mailing = std::fs::read_to_string(house.path("jobs/agenda.toml")).unwrap();
        let at = mailing.find("[[source]]").unwrap();
        let gates = mailing.find("[gates]").unwrap();
        house.write("jobs/agenda.toml", format!("{}{sources}\n{}", &mailing[..at], &mailing[gates..]));
        let done = house.semainier(&["check"]).expect(1);
        assert!(done.said().contains(said), "{said:?} is not in\n{}", done.said());
    };
    check("[[source]]\nkind = \"feed\"\n", "source[0].kind: this kind gives news, which this template does not print");
    check("[[source]]\nkind = \"ical\"\n", "an agenda needs a source of its article");
    check("[[source]]\nkind = \"page\"\nrequired = \"oui\"\n", "source[0].required: expected true or false");
    check("[[source]]\nkind = \"page\"\ncategories = [\"a\"]\n", "source[0].categories: unknown key");
}

/// Field report 17: what a source left out stands among the warnings of the issue, by title; the rest goes.
#[test]
fn fr17_omitted_calendar_events_are_listed_by_title_in_the_warnings() {
    let (web, relay) = (site(), Relay::start());
    web.route(
        CALENDAR,
        calendar(&["bientôt Fête du lac @ Plage, 32550 Pavie", "20270713T1830 Apéro @ Salle, 32550 Pavie"]),
    );
    let house = house(crate::support::house::On::Sqlite, &web, &relay, "");
    house.run_from_site().expect(0);
    house.judge_at_rest(&relay, 3);
    let data = house.text("SELECT data FROM issue_content");
    assert!(data.contains("«\u{a0}Fête du lac\u{a0}» (date illisible)") && data.contains("Apéro"), "{data}");
}
