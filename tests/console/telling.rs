//! Webhooks: receivers that fail, hang, redirect or are gone; every event at least once, those of one issue in order.

use super::entering::{Browser, CLAIRE, Office};
use crate::support::{
    house::{AT, BOTH, House, ISSUE, NEXT_MONDAY, On, Relay, article, finish},
    web::{Reply, Seen, Web},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::TimeDelta;
use semainier::{
    app::{App, Engine},
    clock::Clock,
    config::Config,
    domain::partner::SuppressionReason,
    store::{
        Access,
        webhooks::{AttemptResult, DisabledWhy, WebhookAttempt},
    },
    toml_reader::Overrides,
    webhooks,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const NOW: &str = "2027-07-10T06:10:00Z";

/// An office that tells a receiver, and the engine of its daemon.
struct Told {
    house: House,
    web: Web,
    secret: String,
    engine: Engine,
    clock: Clock,
    runtime: tokio::runtime::Runtime,
    _relay: Relay,
}

impl Told {
    fn on(on: On, events: &str) -> Self {
        let (web, relay) = (Web::start(), Relay::start());
        let house = House::on(on).relay(&relay).set("fetch.allow", json!([web.host()]));
        let house = house.set("console.url", "https://console.ot.test").set("console.bind", "127.0.0.1:0");
        let url = web.url("/hook").to_string();
        let secret = house.semainier(&["webhooks", "add", &url, "--events", events]).expect(0).stdout.trim().to_owned();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let clock = Clock::manual(NOW.parse().unwrap());
        let engine = runtime.block_on(open(&house, &clock));
        Self { house, web, secret, engine, clock, runtime, _relay: relay }
    }

    fn pass(&self) {
        self.runtime.block_on(webhooks::pass(&self.engine)).unwrap();
    }

    fn tick(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// Type and subject of each request so far.
    fn heard(&self) -> Vec<(String, String)> {
        self.web.requests().iter().map(|seen| of(&body(seen))).collect()
    }

    fn issue(&self, key: &str, state: &str) {
        let frozen = if matches!(state, "paused" | "done") { "1" } else { "NULL" };
        self.house.sql(&format!(
            "INSERT INTO issues (key, mailing, state, reason, scheduled_for, expires_at, created_at, frozen_at)
            VALUES ('{key}', 'agenda', '{state}', 'le relais refuse marie@gite.example', 1, 2, 1, {frozen});"
        ));
    }

    fn state(&self, key: &str, state: &str) {
        self.house.sql(&format!("UPDATE issues SET state = '{state}', frozen_at = 1 WHERE key = '{key}';"));
    }

    fn endpoint(&self) -> Value {
        let listed = self.house.semainier(&["webhooks", "list", "--json"]).expect(0).stdout;
        serde_json::from_str::<Value>(&listed).unwrap()[0].clone()
    }

    fn id(&self) -> String {
        self.endpoint()["id"].as_str().unwrap().to_owned()
    }
}

async fn open(house: &House, clock: &Clock) -> Engine {
    let path = house.path("semainier.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let config = Config::parse(Some(&path), &text, &Overrides::default()).unwrap();
    App::new(config, clock.clone()).unwrap().open(Access::Shared).await.unwrap()
}

fn body(seen: &Seen) -> Value {
    serde_json::from_slice(&seen.body).unwrap()
}

fn of(body: &Value) -> (String, String) {
    let data = &body["data"];
    let subject = ["issue", "order", "contact"].into_iter().find_map(|name| data[name].as_str()).unwrap_or_default();
    (body["type"].as_str().unwrap().to_owned(), subject.to_owned())
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(event, subject)| ((*event).to_owned(), (*subject).to_owned())).collect()
}

/// RFC 2104, written out: shares nothing with the program but the hash function.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |byte: u8| block.map(|it| it ^ byte).to_vec();
    let inner = Sha256::digest([&pad(0x36)[..], text].concat());
    Sha256::digest([&pad(0x5c)[..], &inner].concat()).to_vec()
}

/// As the specification of Standard Webhooks 1.0 says: of the id, the timestamp and the body, with dots between them.
fn is_signed_with(secret: &str, seen: &Seen) -> bool {
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let header = |name: &str| seen.headers[name].clone();
    let signed = [header("webhook-id"), header("webhook-timestamp"), String::from_utf8(seen.body.clone()).unwrap()];
    let expected = format!("v1,{}", BASE64_STANDARD.encode(hmac(&key, signed.join(".").as_bytes())));
    header("webhook-signature").split(' ').any(|it| it == expected)
}

#[test]
fn what_happens_is_told_with_a_signature_and_without_addresses() {
    assert_eq!(hmac(b"Jefe", b"what do ya want for nothing?")[..4], [0x5b, 0xdc, 0xc1, 0x46], "RFC 4231, 4.3");
    for on in BOTH {
        let told = Told::on(on, "all");
        told.web.route("/hook", Reply::json("{}"));
        told.house.import(&["marie@gite.example"]);
        // The real way: an article of another week is held, the right one leaves.
        told.house.run_at(AT, &article(NEXT_MONDAY)).expect(3);
        told.house.run().expect(0);
        let store = &told.engine.store;
        told.runtime.block_on(async {
            let address = semainier::domain::email::EmailAddress::parse("marie@gite.example").unwrap();
            let hash = told.engine.tokens().await.unwrap().address_hash(&address);
            store.suppress(&hash, None, SuppressionReason::Manual, told.clock.now()).await.unwrap();
            store.suppress(&hash, None, SuppressionReason::OptOut, told.clock.now()).await.unwrap();
        });
        told.pass();
        let contact = told.house.text("SELECT id FROM contacts");
        let (mut heard, mut expected) =
            (told.heard(), pairs(&[("issue.held", ISSUE), ("issue.done", ISSUE), ("contact.opted_out", &contact)]));
        let issue = |all: &[(String, String)]| all.iter().filter(|it| it.1 == ISSUE).cloned().collect::<Vec<_>>();
        assert_eq!(issue(&heard), issue(&expected), "in order");
        heard.sort();
        expected.sort();
        assert_eq!(heard, expected);
        let mut ids = std::collections::BTreeSet::new();
        for seen in told.web.requests() {
            assert!(is_signed_with(&told.secret, &seen), "{:?}", seen.headers);
            assert!(!is_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &seen));
            assert_eq!((&*seen.method, &*seen.headers["content-type"]), ("POST", "application/json"));
            assert_eq!(seen.headers["webhook-timestamp"], told.clock.now().timestamp().to_string());
            assert!(ids.insert(seen.headers["webhook-id"].clone()));
            let body = body(&seen);
            assert!(!body.to_string().contains('@'), "{body}");
            let url = body["data"]["url"].as_str().unwrap();
            assert!(url.starts_with("https://console.ot.test/"), "{url}");
            if body["type"] == "issue.done" {
                assert_eq!((&body["data"]["counts"]["sent"], &body["data"]["recipients"]), (&json!(1), &json!(1)));
            }
        }
        told.pass();
        assert_eq!(told.web.requests().len(), 3, "each once");
        assert_eq!(told.endpoint()["state"], "active");
        // A reason with an address in it.
        told.issue("agenda/2027-W40", "paused");
        told.pass();
        let last = body(told.web.requests().last().unwrap()).to_string();
        assert!(last.contains("le relais refuse") && !last.contains("marie@"), "{last}");
    }
}

/// A move, an erasure and a confirmation write what looks like news.
#[test]
fn what_happened_to_no_order_and_no_issue_is_not_told() {
    for on in BOTH {
        let (house, _relay) = super::busy(on);
        house.sql(
            "INSERT INTO webhook_endpoints (id, url, events, secret, created_at, created_by)
            VALUES ('e', 'https://hooks.example/', 'issue.done,order.changed,contact.opted_out', 'whsec_', 1, 'Claire');
            INSERT INTO issues (key, mailing, state, scheduled_for, expires_at, created_at, frozen_at)
            VALUES ('orders/open-1', 'orders', 'sending', 1, 2, 1, 1);
            UPDATE issues SET state = 'done' WHERE key = 'orders/open-1';
            INSERT INTO suppressions (address_hash, scope, reason, since)
            SELECT address_hash, 'agenda', 'opt_out', 1 FROM contacts WHERE email_key = 'marie@gite.example';",
        );
        let told = || house.text("SELECT coalesce(max(event || ' ' || subject), '') FROM webhook_messages");
        let marie = house.text("SELECT id FROM contacts WHERE email_key = 'marie@gite.example'");
        assert_eq!(told(), format!("contact.opted_out contact:{marie}"), "{on:?}");
        house.sql("DELETE FROM webhook_messages;");
        house.semainier(&["partners", "move", "marie@gite.example", "marie@hotel.example"]).expect(0);
        assert_eq!(
            (house.number("SELECT count(*) FROM suppressions WHERE reason = 'opt_out'"), told()),
            (2, String::new())
        );
        // Of the orders of an erased person only one changes: the open one is cancelled.
        house.semainier(&["partners", "erase", super::PAUL]).expect(0);
        house.sql("DELETE FROM webhook_messages WHERE event = 'contact.opted_out';");
        assert_eq!(
            (house.number("SELECT count(*) FROM webhook_messages"), told()),
            (1, "order.changed order:open".to_owned())
        );
        house.sql("UPDATE orders SET packs = 3 WHERE id = 'delivered';");
        assert_eq!(house.number("SELECT count(*) FROM webhook_messages"), 2, "a change of an order is");
    }
}

#[test]
fn a_receiver_that_fails_gets_the_same_bytes_again_and_the_rest_of_the_issue_waits() {
    for on in BOTH {
        let told = Told::on(on, "issue.held,issue.paused,issue.done");
        told.web.routes(
            "/hook",
            [Reply::status(500), Reply::redirect("/elsewhere"), Reply::status(503), Reply::json("{}")],
        );
        told.web.route("/elsewhere", Reply::json("{}"));
        told.issue("agenda/2027-W40", "held");
        told.pass();
        told.state("agenda/2027-W40", "paused");
        told.state("agenda/2027-W40", "done");
        told.pass();
        assert_eq!(told.heard(), pairs(&[("issue.held", "agenda/2027-W40")]), "the others wait for the first");
        told.tick(TimeDelta::seconds(4));
        told.pass();
        assert_eq!(told.heard().len(), 1, "not before five seconds");
        told.tick(TimeDelta::seconds(1));
        told.pass();
        told.tick(TimeDelta::minutes(5));
        told.pass();
        assert_eq!((told.heard().len(), told.endpoint()["state"].clone()), (3, json!("failing")));
        // Another issue does not wait.
        told.issue("agenda/2027-W41", "held");
        told.pass();
        assert_eq!(told.heard().last(), pairs(&[("issue.held", "agenda/2027-W41")]).last());
        told.tick(TimeDelta::minutes(30));
        told.pass();
        let first = "agenda/2027-W40";
        let of_first: Vec<_> = told.heard().into_iter().filter(|it| it.1 == first).map(|it| it.0).collect();
        assert_eq!(of_first, ["issue.held", "issue.held", "issue.held", "issue.held", "issue.paused", "issue.done"]);
        let all = told.web.requests();
        assert!(all.iter().all(|seen| seen.path == "/hook"), "no redirect is followed");
        let held: Vec<_> =
            all.iter().filter(|seen| of(&body(seen)) == ("issue.held".to_owned(), first.to_owned())).collect();
        assert!(
            held.iter()
                .all(|seen| seen.body == held[0].body && seen.headers["webhook-id"] == held[0].headers["webhook-id"])
        );
        assert!(held.iter().all(|seen| is_signed_with(&told.secret, seen)));
        assert_eq!((told.endpoint()["state"].clone(), told.endpoint()["pending"].clone()), (json!("active"), json!(0)));
        let log = told.house.semainier(&["webhooks", "log", &told.id(), "--json"]).expect(0).stdout;
        let log: Vec<Value> = serde_json::from_str(&log).unwrap();
        let statuses: Vec<_> = log.iter().rev().map(|it| it["status"].as_u64().unwrap()).collect();
        assert_eq!(statuses[..3], [500, 302, 503], "{log:?}");
        // Sent again by a person: the same event, with the same id.
        told.house
            .semainier(&["webhooks", "resend", &told.id(), log.last().unwrap()["id"].as_str().unwrap()])
            .expect(0);
        told.pass();
        let again = told.web.requests().last().unwrap().clone();
        assert_eq!((&again.body, &again.headers["webhook-id"]), (&held[0].body, &held[0].headers["webhook-id"]));
    }
}

#[test]
fn after_three_days_or_a_410_a_receiver_is_told_nothing_and_staff_are_told() {
    for on in BOTH {
        let told = Told::on(on, "all");
        told.web.route("/hook", Reply::status(500));
        told.issue("agenda/2027-W40", "held");
        for _ in 0..100 {
            told.pass();
            told.tick(TimeDelta::hours(1));
        }
        assert_eq!(told.heard().len(), 10, "5 s, 5 min, 30 min, 2 h, 5 h, 10 h, then daily, to three days");
        let endpoint = told.endpoint();
        assert_eq!(
            (&endpoint["state"], &endpoint["why"], &endpoint["pending"]),
            (&json!("disabled"), &json!("failing"), &json!(1))
        );
        let status: Value = serde_json::from_str(&told.house.semainier(&["status", "--json"]).stdout).unwrap();
        let found = status["waiting"].as_array().unwrap().iter().find(|it| it["kind"] == "webhook_off").unwrap();
        assert!(
            found["why"].as_str().unwrap().contains("127.0.0.1") && !found["why"].as_str().unwrap().contains("/hook")
        );
        // What happens meanwhile is not told; what was owed is, once somebody enables it.
        told.issue("agenda/2027-W41", "held");
        told.web.route("/hook", Reply::json("{}"));
        told.house.semainier(&["webhooks", "enable", &told.id()]).expect(0);
        told.pass();
        assert_eq!(told.heard()[10..], pairs(&[("issue.held", "agenda/2027-W40")]));
        told.web.route("/hook", Reply::status(410));
        told.issue("agenda/2027-W42", "held");
        told.pass();
        assert_eq!((&told.endpoint()["state"], &told.endpoint()["why"]), (&json!("disabled"), &json!("gone")));
    }
}

#[test]
fn a_receiver_that_hangs_is_left_after_a_while_and_a_private_one_never_asked() {
    let told = Told::on(On::Sqlite, "issue.held");
    told.web.routes("/hook", [Reply::silence(), Reply::endless("x"), Reply::json("{}")]);
    told.issue("agenda/2027-W40", "held");
    let started = Clock::monotonic();
    told.pass();
    assert!(started.elapsed().as_secs() < 40, "{:?}", started.elapsed());
    let attempts = || -> Vec<Value> {
        serde_json::from_str(&told.house.semainier(&["webhooks", "log", &told.id(), "--json"]).expect(0).stdout)
            .unwrap()
    };
    assert_eq!(attempts()[0]["status"], Value::Null);
    told.tick(TimeDelta::seconds(5));
    told.pass();
    assert_eq!(attempts()[0]["delivered"], true, "the status is the answer, however long its body goes on");
    assert!(attempts()[0]["said"].as_str().unwrap().len() <= 500);
    // So is an answer whose body never comes: the receiver has the event.
    told.web.route("/hook", Reply::json("{}").drip(std::time::Duration::from_secs(60)));
    told.issue("agenda/2027-W41", "held");
    let started = Clock::monotonic();
    told.pass();
    assert!(started.elapsed().as_secs() < 15, "{:?}", started.elapsed());
    assert_eq!((&attempts()[0]["status"], &attempts()[0]["delivered"]), (&json!(200), &json!(true)));
    for (url, why) in [
        ("http://127.0.0.1:1/hook", "https"),
        ("https://127.0.0.1/hook", "not public"),
        ("https://[::1]/hook", "not public"),
        ("https://169.254.169.254/latest", "not public"),
        ("https://user:pass@hooks.example/", "not an address of the web"),
        ("file:///etc/passwd", "not an address of the web"),
    ] {
        told.house.semainier(&["webhooks", "add", url]).expect(1).expect_said(&[why]);
    }
    // Allowed when it was added, and no more: it is not asked.
    let house = told.house.set("fetch.allow", json!(["elsewhere.example"]));
    let before = told.web.requests().len();
    let test = house.semainier(&["webhooks", "test", &id_of(&house)]);
    test.expect(1);
    assert_eq!(told.web.requests().len(), before);
}

fn id_of(house: &House) -> String {
    house.text("SELECT id FROM webhook_endpoints")
}

#[test]
fn both_secrets_sign_while_they_are_changed() {
    let told = Told::on(On::Sqlite, "all");
    told.web.route("/hook", Reply::json("{}"));
    let rotated = || told.house.semainier(&["webhooks", "rotate", &told.id()]).expect(0).stdout.trim().to_owned();
    // Twice in a day: whoever has not changed over yet still has the first one.
    let (second, new) = (rotated(), rotated());
    // The command's clock is the machine's.
    let day_after = (told.clock.now() + TimeDelta::days(1)).timestamp_millis();
    told.house.sql(&format!("UPDATE webhook_endpoints SET former_until = {day_after};"));
    told.issue("agenda/2027-W40", "held");
    told.pass();
    let seen = told.web.requests().pop().unwrap();
    assert!([&new, &second, &told.secret].into_iter().all(|secret| is_signed_with(secret, &seen)));
    told.tick(TimeDelta::days(1));
    told.issue("agenda/2027-W41", "held");
    told.pass();
    let seen = told.web.requests().pop().unwrap();
    assert!(is_signed_with(&new, &seen) && !is_signed_with(&told.secret, &seen));
}

#[test]
fn two_daemons_tell_each_event_once_and_in_order() {
    for on in BOTH {
        let told = Told::on(on, "all");
        told.web.route("/hook", Reply::json("{}").after(std::time::Duration::from_millis(20)));
        let keys: Vec<_> = (30..38).map(|week| format!("agenda/2027-W{week}")).collect();
        for key in &keys {
            told.issue(key, "held");
            told.state(key, "paused");
            told.state(key, "done");
        }
        told.runtime.block_on(async {
            let other = open(&told.house, &told.clock).await;
            let (one, two) = tokio::join!(webhooks::pass(&told.engine), webhooks::pass(&other));
            one.unwrap();
            two.unwrap();
        });
        // A pass ends when nothing is due for it: what the other one had in hand then has a successor.
        told.pass();
        let heard = told.heard();
        for key in &keys {
            let of_key: Vec<_> = heard.iter().filter(|it| it.1 == *key).map(|it| it.0.as_str()).collect();
            assert_eq!(of_key, ["issue.held", "issue.paused", "issue.done"], "{key}");
        }
        assert_eq!(heard.len(), 24);
    }
}

#[test]
fn an_answer_that_comes_after_the_lease_settles_nothing() {
    for on in BOTH {
        let told = Told::on(on, "all");
        told.issue("agenda/2027-W40", "held");
        let store = &told.engine.store;
        told.runtime.block_on(async {
            let claim = async || {
                let now = told.clock.now();
                store.claim_events(now + TimeDelta::minutes(1), now).await.unwrap()
            };
            let slow = claim().await;
            assert_eq!((slow.len(), claim().await.len()), (1, 0));
            told.tick(TimeDelta::seconds(61));
            let next = claim().await;
            assert_eq!(slow[0].id, next[0].id);
            let attempt = WebhookAttempt {
                id: "a".to_owned(),
                message: Some(slow[0].id.clone()),
                event: slow[0].event.clone(),
                subject: slow[0].subject.clone(),
                at: told.clock.now(),
                ms: 61_000,
                status: Some(500),
                said: String::new(),
            };
            let off = AttemptResult::Disabled(DisabledWhy::Failing);
            assert!(!store.settle_event(&slow[0], &attempt, off, told.clock.now()).await.unwrap());
            let attempt = WebhookAttempt { id: "b".to_owned(), status: Some(200), ..attempt };
            let settled = store.settle_event(&next[0], &attempt, AttemptResult::Delivered, told.clock.now()).await;
            assert!(settled.unwrap());
        });
        assert_eq!((&told.endpoint()["state"], &told.endpoint()["pending"]), (&json!("active"), &json!(0)));
    }
}

#[test]
fn a_daemon_that_dies_after_the_answer_tells_it_again_with_the_same_id() {
    for on in BOTH {
        let told = Told::on(on, "all");
        told.web.route("/hook", Reply::json("{}"));
        told.issue("agenda/2027-W40", "held");
        let mut command = told.house.command(&["serve"]);
        command.env("SEMAINIER_FAILPOINT", "webhook_answered");
        let daemon = command.spawn().unwrap();
        let died = finish(daemon, &["serve"]);
        assert_eq!(told.heard().len(), 1, "{died:?}");
        assert_eq!(told.endpoint()["pending"], 1, "nobody wrote down that it was taken");
        told.house.sql("UPDATE webhook_messages SET leased_until = 1;");
        told.house.serve_until("it is told again", || {
            told.house.number("SELECT count(*) FROM webhook_messages WHERE closed_at IS NULL") == 0
        });
        let all = told.web.requests();
        assert_eq!(all.len(), 2);
        assert_eq!((&all[0].body, &all[0].headers["webhook-id"]), (&all[1].body, &all[1].headers["webhook-id"]));
    }
}

#[test]
fn who_administers_makes_tokens_and_webhooks_in_the_console() {
    let web = Web::start();
    web.route("/hook", Reply::json("{}"));
    let house = House::new().set("console.bind", "127.0.0.1:0").set("fetch.allow", json!([web.host()]));
    let office = Office::open(house);
    let claire = office.member(CLAIRE, "administration,lecture");
    let mut browser = Browser::of(&office, &claire);
    browser.get("/jetons").expect(200, &["Aucun jeton"]);
    browser
        .post("/jetons", &[("faire", "creer"), ("nom", "Site"), ("jours", "30")])
        .expect(422, &["au moins un droit"]);
    let scope = ("droit-read:status", "1");
    browser
        .post("/jetons", &[("faire", "creer"), ("nom", "Site"), ("jours", "400"), scope])
        .expect(422, &["365 jours"]);
    let made = browser.post("/jetons", &[("faire", "creer"), ("nom", "Site"), ("jours", "30"), scope]);
    let secret = made.text().split("sem_").nth(1).map(|it| it[..43].to_owned()).unwrap();
    made.expect(200, &["une fois", "Site", "Jamais"]);
    let page = browser.get("/jetons").expect(200, &["Site", "read:status", "Valable"]).text();
    assert!(!page.contains(&secret), "shown once");
    let id = super::entering::hidden(&page, "cle");
    let revoked = browser.post("/jetons", &[("faire", "revoquer"), ("cle", &id)]);
    assert_eq!((revoked.status, revoked.header("location")), (303, "/jetons?fait=tokens_now_revoked"));
    browser.get("/jetons?fait=tokens_now_revoked").expect(200, &["Le jeton est révoqué", "Révoqué"]);
    browser.post("/jetons", &[("faire", "revoquer"), ("cle", &id)]).expect(409, &["déjà révoqué"]);

    browser.get("/webhooks").expect(200, &["Aucun webhook"]);
    let event = ("evenement-issue.held", "1");
    let url = web.url("/hook").to_string();
    browser
        .post("/webhooks", &[("faire", "ajouter"), ("url", "https://10.0.0.1/"), event])
        .expect(422, &["pas publique"]);
    browser.post("/webhooks", &[("faire", "ajouter"), ("url", &url)]).expect(422, &["au moins un événement"]);
    let made =
        browser.post("/webhooks", &[("faire", "ajouter"), ("url", &url), event]).expect(200, &["whsec_", "issue.held"]);
    assert!(made.text().contains("whsec_"));
    let id = id_of(&office.house);
    let page = browser.get(&format!("/webhooks/{id}")).expect(200, &["Rien n’a encore été envoyé"]).text();
    assert!(!page.contains("whsec_"), "shown once");
    let own = |done: &str| format!("/webhooks/{id}?fait={done}");
    let act = |browser: &mut Browser, what: &str| browser.post("/webhooks", &[("faire", what), ("cle", &id)]);
    assert_eq!(act(&mut browser, "essayer").header("location"), own("webhooks_tested"));
    assert_eq!(web.requests().len(), 1);
    browser.get(&own("webhooks_tested")).expect(200, &["L’essai est bien arrivé", "semainier.test", "200"]);
    web.route("/hook", Reply::status(500));
    assert_eq!(act(&mut browser, "essayer").header("location"), own("webhooks_test_failed"));
    act(&mut browser, "secret").expect(200, &["whsec_"]);
    assert_eq!(act(&mut browser, "desactiver").header("location"), own("webhooks_now_disabled"));
    act(&mut browser, "desactiver").expect(409, &["désactivé"]);
    assert_eq!(act(&mut browser, "reactiver").header("location"), own("webhooks_enabled"));
    browser
        .post("/webhooks", &[("faire", "renvoyer"), ("cle", &id), ("reponse", "x")])
        .expect(409, &["rien à renvoyer"]);
    assert_eq!(act(&mut browser, "retirer").header("location"), "/webhooks?fait=webhooks_removed");
    act(&mut browser, "retirer").expect(409, &["n’existe pas"]);
    browser.get(&format!("/webhooks/{id}")).expect(404, &[]);
    browser.get("/trace").expect(200, &["a créé un jeton", "a retiré un webhook"]);
    // The password is asked for again before anything is changed, and what was typed is there after it.
    office.tick(3600);
    let asked = browser.post("/jetons", &[("faire", "creer"), ("nom", "Plus tard"), ("jours", "30"), scope]);
    assert!(asked.status == 200 && asked.text().contains("Plus tard"), "{}", asked.text());
    assert_eq!(office.house.number("SELECT count(*) FROM api_tokens"), 1);
}
