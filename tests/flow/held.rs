//! Held issues: nothing is sent, and staff get a mail when an issue is held and when that ends.

use crate::support::{
    house::{AT, BOTH, House, ISSUE, MONDAY, NEXT_MONDAY, Relay, STAFF, article, article_of_days, finish},
    web::{Post, Reply, Web},
};
use std::process::{Command, Stdio};
use std::time::Duration;

const TITLE: &str = "Que faire à Auch cette semaine ?";
const REST: &str = "/wp-json/wp/v2/posts";

fn post(article: &str) -> Post {
    Post::new(TITLE, "2027-07-09T15:12:08", article)
}

/// Runs, and expects the issue to be held for this reason, nothing frozen, nobody written to but staff, once.
fn assert_held(house: &House, relay: &Relay, because: &str) {
    house.import_many(3);
    for _ in 0..2 {
        let done = house.run_from_site().expect(3);
        assert!(done.stdout.contains("held, nothing was sent"), "{}", done.said());
    }
    let issue = house.issue();
    let reason = issue["reason"].as_str().unwrap();
    assert!(reason.contains(because), "{because:?} is not in {reason:?}");
    assert_eq!(issue["key"], ISSUE);
    assert_eq!((issue["state"].as_str(), &issue["frozen_at"]), (Some("held"), &serde_json::Value::Null));
    assert_eq!(issue["recipients"], 0);
    assert!(house.log().is_empty());
    let told = relay.told_staff();
    assert_eq!(told.len(), 1, "staff are told once: {told:?}");
    assert_eq!(relay.to_partners(), 0);
}

/// The reason for which an article is held.
fn assert_article_is_held(article: &str, because: &str) {
    let (web, relay) = (Web::wordpress(vec![post(article)]), Relay::start());
    assert_held(&House::new().site(&web).relay(&relay), &relay, because);
}

#[test]
fn an_article_of_another_week_is_held_with_one_notice_and_sent_once_corrected() {
    for on in BOTH {
        let (web, relay) = (Web::wordpress(vec![post(&article("2027-07-05"))]), Relay::start());
        let house = House::on(on).site(&web).relay(&relay);
        assert_held(&house, &relay, "parle de la semaine du lundi 5 au dimanche 11 juillet");

        web.publish(post(&article(MONDAY)));
        house.run_from_site().expect(0).expect_said(&["agenda/2027-W28: done (3 = 3 sent)"]);
        house.judge_at_rest(&relay, 3);
        assert_eq!(relay.to_partners(), 3);
        let told = relay.told_staff();
        assert_eq!(told.len(), 2, "once held, once resolved: {told:?}");
        house.run_from_site().expect(0);
        assert_eq!(relay.told_staff().len(), 2);
        assert_eq!(house.issue()["reason"], serde_json::Value::Null, "what is resolved has no reason any more");
    }
}

#[test]
fn staff_are_notified_in_french_of_the_problem_and_the_deadline() {
    let (web, relay) = (Web::wordpress(vec![post(&article(NEXT_MONDAY))]), Relay::start());
    let house = House::new().site(&web).relay(&relay);
    house.run_from_site().expect(3);
    let bytes = relay.seen().accepted[0].bytes.clone();
    let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
    let text = mail.body_text(0).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["du lundi 19 au dimanche 25 juillet", "toutes les 15 minutes", "Que faire à Auch cette semaine"] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn a_refused_staff_address_does_not_repeat_notices_to_others() {
    let (web, relay) = (Web::wordpress(vec![]), Relay::start());
    let staff = serde_json::json!(["f550@ot.test", STAFF, "t-ofr416@ot.test"]);
    let house = House::new().site(&web).relay(&relay).set("staff", staff);
    for _ in 0..3 {
        house.run_from_site().expect(3);
    }
    assert_eq!(relay.told_staff().len(), 1);
    assert_eq!(relay.numbers().mail_commands, 3, "each address is tried once");
}

#[test]
fn a_site_without_such_an_article_is_held() {
    let (web, relay) = (Web::wordpress(vec![]), Relay::start());
    assert_held(&House::new().site(&web).relay(&relay), &relay, "aucun article");
}

#[test]
fn an_empty_day_among_full_ones_is_held() {
    let with_a_gap = article_of_days(MONDAY, |n| match n {
        3 => String::new(),
        _ => "<ul><li>à 10h, visite guidée à Auch</li></ul>".to_owned(),
    });
    assert_article_is_held(&with_a_gap, "rien n’est annoncé sous le titre de ces jours\u{a0}: jeudi 15 juillet");
}

#[test]
fn too_few_events_are_held() {
    let meagre = "<h3>Lundi 12 juillet</h3><ul><li>à 10h, visite guidée à Auch</li></ul>\
                  <h3>Mardi 13 juillet</h3><ul><li>à 21h, concert à Pavie</li></ul>";
    assert_article_is_held(meagre, "2 événements seulement dans l’article, il en faut au moins 5");
}

#[test]
fn too_many_announcements_under_no_day_are_held() {
    let lost = format!(
        "{}<h3>Et aussi</h3><ul>{}</ul>",
        article(MONDAY),
        (0..8).map(|n| format!("<li>à 1{n}h, atelier n° {n} à Pavie</li>")).collect::<String>()
    );
    assert_article_is_held(&lost, "n’ont pu être rangées sous aucun jour");
}

#[test]
fn e12_a_day_of_another_week_among_the_right_ones_is_held() {
    let stray = format!("{}<h3>Mardi 20 juillet</h3><ul><li>à 21h, concert à Pavie</li></ul>", article(MONDAY));
    assert_article_is_held(&stray, "mardi 20 juillet");
}

#[test]
fn e11_an_article_that_names_no_day_is_held() {
    assert_article_is_held("<p>Cet été, il se passe toujours quelque chose.</p>", "aucun");
}

#[test]
fn e01_e02_e06_e07_a_source_that_fails_is_held_with_the_reason_in_french() {
    let html = || Reply::html("<html><body><p>Bonjour</p></body></html>");
    let everywhere = |reply: Reply| {
        let web = Web::start();
        for path in [REST, "/", "/feed/", "/?rest_route", "/?s"] {
            web.route(path, reply.clone());
        }
        web
    };
    let cases = [
        (
            "404",
            Web::start(),
            "(API WordPress, API WordPress sans permaliens, flux RSS\u{a0}: le site {} a répondu 404 (page introuvable)\u{a0}; ",
        ),
        ("500", everywhere(Reply::status(500)), "a répondu 500 (erreur interne du site)"),
        ("silence", everywhere(Reply::silence()), "délai dépassé"),
        ("HTML instead of JSON", everywhere(html()), "une page HTML au lieu de données"),
        ("cut off", everywhere(Reply::json("[{\"id\": 1, ").cut_off()), "incomplète"),
        ("50 MiB", everywhere(Reply::json(vec![b' '; 50 << 20])), "trop grosse (plus de 10\u{a0}Mo)"),
        ("without end", everywhere(Reply::endless("<p>encore</p>".repeat(5000))), "trop grosse (plus de 10\u{a0}Mo)"),
    ];
    for (what, web, because) in cases {
        let relay = Relay::start();
        let patience = if what == "silence" { "1s" } else { "20s" };
        let house = House::new().site(&web).relay(&relay).set("fetch.timeout", patience);
        println!("{what}");
        assert_held(&house, &relay, &because.replace("{}", &web.host()));
    }
}

#[test]
fn e02_a_slow_site_is_abandoned_after_the_timeout() {
    let (web, relay) = (Web::start(), Relay::start());
    web.route(REST, Reply::json("[]".repeat(1000)).drip(Duration::from_millis(100)));
    let house = House::new().site(&web).relay(&relay).set("fetch.timeout", "1s");
    assert_held(&house, &relay, "délai dépassé");
}

#[test]
fn a_site_that_does_not_exist_is_held() {
    let relay = Relay::start();
    let house = House::new().relay(&relay).set("office.website", "http://office.invalid").set("fetch.timeout", "5s");
    assert_held(&house, &relay, "office.invalid");
}

#[test]
fn a_local_address_that_is_not_allowed_is_not_read() {
    let (web, relay) = (Web::wordpress(vec![post(&article(MONDAY))]), Relay::start());
    let house = House::new().relay(&relay).set("office.website", web.url("/").to_string());
    assert_held(&house, &relay, "n’est pas lue\u{a0}: l’adresse n’est pas sur l’internet public");
    assert!(web.requests().is_empty());
}

/// The words of a wrongly declared page are read as they were meant, or the page is not read: no « Ã© » ever leaves.
#[test]
fn e08_a_page_with_a_wrong_charset_is_never_sent_garbled() {
    let page =
        format!("<html><head><title>{TITLE}</title></head><body><h1>{TITLE}</h1>{}</body></html>", article(MONDAY));
    let (windows, _, _) = encoding_rs::WINDOWS_1252.encode(&page);
    for (declared, bytes) in [
        ("text/html; charset=UTF-8", windows.to_vec()),
        ("text/html; charset=ISO-8859-1", page.clone().into_bytes()),
        ("text/html", windows.to_vec()),
    ] {
        let (web, relay) = (Web::start(), Relay::start());
        web.route("/agenda", Reply::new(200, declared, bytes));
        let house = House::new().site(&web).relay(&relay);
        let job = std::fs::read_to_string(house.path("jobs/agenda.toml")).unwrap();
        let job =
            job.replace("kind   = \"wordpress\"", &format!("kind = \"page\"\nurl = {:?}", web.url("/agenda").as_str()));
        let job = job.lines().filter(|line| !line.starts_with("search")).collect::<Vec<_>>().join("\n");
        house.write("jobs/agenda.toml", job);
        house.import(&["accueil@gite.example"]);
        let done = house.run_from_site();
        assert!(matches!(done.code, Some(0 | 3)), "{declared}: {}", done.said());
        if done.code == Some(0) {
            let bytes = relay.seen().accepted[0].bytes.clone();
            let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
            let text = mail.body_text(0).unwrap().into_owned();
            assert!(text.contains("Visite guidée n° 1"), "{declared}: {text}");
            assert!(!text.contains('Ã') && !text.contains('\u{fffd}'), "{declared}: {text}");
        }
    }
}

#[test]
fn without_network_the_issue_is_held_and_the_notice_stays_pending() {
    let relay = Relay::start();
    let house = House::new()
        .relay(&relay)
        .set("office.website", "http://127.0.0.1:9")
        .set("fetch.allow", serde_json::json!(["127.0.0.1:9"]))
        .set("fetch.timeout", "5s");
    let args = ["run", "agenda", "--at", AT, "--yes"];
    let plain = house.command(&args);
    let mut command = Command::new("unshare");
    command.args(["-r", "-n", "--"]).arg(plain.get_program()).args(plain.get_args()).current_dir(house.path(""));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let possible = Command::new("unshare").args(["-r", "-n", "true"]).stderr(Stdio::null()).status();
    if !possible.is_ok_and(|it| it.success()) {
        eprintln!("this machine makes no network namespaces: not tested");
        return;
    }
    finish(command.spawn().unwrap(), &args).expect(3).expect_said(&["la connexion au site 127.0.0.1:9 est impossible"]);
    assert_eq!(relay.told_staff().len(), 0);
    // The network is back, the site still is not: what was owed is said, once.
    house.run_from_site().expect(3);
    assert_eq!(relay.told_staff().len(), 1);
}

#[test]
fn a_held_issue_can_be_cancelled_and_stays_so() {
    let (web, relay) = (Web::wordpress(vec![]), Relay::start());
    let house = House::new().site(&web).relay(&relay);
    house.import_many(2);
    house.run_from_site().expect(3);
    house.semainier(&["issues", "cancel", ISSUE]).expect(0);
    assert_eq!(house.issue()["state"], "cancelled");
    web.publish(post(&article(MONDAY)));
    house.run_from_site().expect(1).expect_said(&["issue agenda/2027-W28 is cancelled: no more of it is sent"]);
    assert_eq!(house.issue()["state"], "cancelled", "a person's word holds");
    assert_eq!(relay.told_staff().len(), 1, "nothing is resolved");
    assert_eq!(relay.to_partners(), 0);
}

/// What a person can still do is said, by the command that sends and by the one that resumes.
#[test]
fn an_expired_held_issue_shows_the_reason_and_what_can_be_done() {
    let (web, relay) = (Web::wordpress(vec![]), Relay::start());
    let house = House::new().site(&web).relay(&relay);
    house.import_many(2);
    house.run_from_site().expect(3);
    house.sql("UPDATE issues SET state = 'expired', expires_at = 1815242400000");
    web.publish(post(&article(MONDAY)));
    let words = [
        "issue agenda/2027-W28 is expired: no more of it is sent",
        "It was held until 2027-07-10T20:00:00+02:00 (l’article n’a pas pu être lu",
        "sent to nobody",
        "`semainier preview agenda --at 2027-07-10T08:00 --out DIR` writes its mail and documents",
    ];
    house.run_from_site().expect(1).expect_said(&words);
    house.semainier(&["issues", "resume", ISSUE]).expect(1).expect_said(&words);
    assert_eq!(relay.to_partners(), 0);
    house.semainier(&["preview", "agenda", "--at", "2027-07-10T08:00", "--out", "by-hand"]).expect(0);
    assert!(house.path("by-hand/message.eml").exists());
}
