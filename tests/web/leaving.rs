//! Unsubscribing: one click, immediate, permanent, and never by accident.

use super::Open;
use crate::support::house::{BOTH, House, NEXT_AT, NEXT_MONDAY, On, Relay, article};

const FORM: &str = "application/x-www-form-urlencoded";
const MARIE: &str = "marie@gite.example";
const PAUL: &str = "paul@gite.example";

/// The next week's issue, and who got it.
fn next_issue_goes_to((house, relay): (House, Relay)) -> Vec<String> {
    let before = relay.seen().accepted.len();
    house.run_at(NEXT_AT, &article(NEXT_MONDAY)).expect(0);
    relay.seen().accepted[before..].iter().map(|it| it.recipient.clone()).collect()
}

#[test]
fn w02_one_click_unsubscribes_and_is_idempotent() {
    for on in BOTH {
        let mut open = Open::with(on, &[MARIE, PAUL], false);
        let way_out = open.way_out(MARIE);
        let multipart =
            "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
        for (content_type, body) in [
            (FORM, "List-Unsubscribe=One-Click"),
            (FORM, "List-Unsubscribe=One-Click&utm_source=mail&x=%FF"),
            ("multipart/form-data; boundary=b", multipart),
        ] {
            let reply = open.post(&way_out, content_type, body);
            assert_eq!(reply.status, 200, "{}", reply.text());
            assert_eq!((reply.header("location"), reply.header("set-cookie")), ("", ""));
            assert!(
                reply.words().contains("vous ne recevrez plus « Que faire à Auch cette semaine »"),
                "{}",
                reply.words()
            );
            assert_eq!(reply.header("cache-control"), "no-store");
            assert_eq!(reply.header("x-robots-tag"), "noindex, nofollow");
        }
        open.serve.hear("unsubscribed from agenda");
        let token = way_out.rsplit('.').next().unwrap();
        for line in &open.serve.log {
            assert!(!line.contains(token) && !line.contains("marie@"), "{line}");
        }
        let log = open.house.semainier(&["log", "--address", MARIE]).expect(0);
        log.expect_said(&[&format!("{MARIE} gets nothing of agenda since "), ": opt out"]);
        assert_eq!(next_issue_goes_to(open.close()), [PAUL]);
    }
}

#[test]
fn the_links_of_a_test_change_nothing_and_say_so() {
    let open = Open::with(On::Sqlite, &[MARIE, PAUL], false);
    let before = open.house.everything();
    for path in ["/u/essai", "/o/essai"] {
        assert!(open.get(path).words().contains("Ce lien vient d’un message d’essai"));
        let reply = open.post(path, FORM, "List-Unsubscribe=One-Click&packs=2");
        assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"));
        assert!(reply.words().contains("Rien n’a été changé"), "{}", reply.words());
    }
    assert_eq!(open.get("/u/essais").status, 404);
    assert_eq!(before, open.house.everything());
    assert_eq!(next_issue_goes_to(open.close()).len(), 2);
}

#[test]
fn w01_get_requests_change_nothing() {
    let open = Open::with(On::Sqlite, &[MARIE, PAUL], false);
    let way_out = open.way_out(MARIE);
    for method in ["GET", "HEAD", "GET", "OPTIONS", "PUT", "DELETE"] {
        let reply = open.ask(method, &way_out, &[], b"");
        let expected = if matches!(method, "GET" | "HEAD") { 200 } else { 405 };
        assert_eq!(reply.status, expected, "{method}");
    }
    let page = open.get(&way_out);
    assert!(page.words().contains("Vous recevez « Que faire à Auch cette semaine »"), "{}", page.words());
    assert!(!page.text().contains("<script") && !page.text().contains(MARIE), "{}", page.text());
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"));
    assert_eq!(next_issue_goes_to(open.close()).len(), 2);
}

#[test]
fn w03_a_forged_link_is_not_found_without_details() {
    let open = Open::with(On::Sqlite, &[MARIE], false);
    let way_out = open.way_out(MARIE);
    let nothing = open.get("/nothing/here");
    assert_eq!(nothing.status, 404);
    let (head, mac) = way_out.rsplit_once('.').unwrap();
    let turned: String = mac.chars().rev().collect();
    for forged in [
        format!("{head}.{turned}"),
        way_out[..way_out.len() - 1].to_owned(),
        way_out.replace(".agenda.", ".newsletter."),
        "/u/x".to_owned(),
        "/u/a.b.AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        "/u/%00.%0d%0a.x".to_owned(),
        "/v/agenda.2027-W28.AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
    ] {
        for method in ["GET", "POST"] {
            let reply = open.ask(method, &forged, &[("Content-Type", FORM)], b"List-Unsubscribe=One-Click");
            if reply.status == 405 {
                continue; // there is nothing to post to an issue
            }
            assert_eq!((reply.status, reply.body.as_slice()), (404, nothing.body.as_slice()), "{method} {forged}");
        }
    }
    assert_eq!(next_issue_goes_to(open.close()), [MARIE]);
}

#[test]
fn a_person_can_resubscribe_and_choose_mailings() {
    for on in BOTH {
        let open = Open::with(on, &[MARIE], false);
        let way_out = open.way_out(MARIE);
        open.house.sql(
            "INSERT INTO subscriptions (contact, mailing, basis, source, since)
             SELECT id, 'newsletter', 'legitimate_interest', 'test', 0 FROM contacts",
        );
        let page = open.post(&way_out, FORM, "action=choose&mailing=newsletter");
        assert!(page.words().contains("vos choix sont enregistrés"), "{}", page.words());
        assert!(page.words().contains("ne reçoit pas « Que faire à Auch cette semaine »"), "{}", page.words());
        assert_eq!(page.text().matches(" checked").count(), 1, "{}", page.text());
        let page = open.post(&way_out, FORM, "action=return");
        assert!(page.words().contains("vous recevrez de nouveau"), "{}", page.words());
        assert_eq!(page.text().matches(" checked").count(), 2);
        // What the relay said is not for the person to undo.
        open.house.sql("INSERT INTO suppressions (address_hash, scope, reason, since) SELECT address_hash, '*', 'bounce', 0 FROM contacts");
        let page = open.post(&way_out, FORM, "action=return");
        assert!(page.words().contains("ne reçoit pas"), "{}", page.words());
        assert!(!page.text().contains("value=\"return\""), "{}", page.text());
    }
}

#[test]
fn w04_an_opt_out_while_the_message_is_queued_is_respected() {
    for on in BOTH {
        let open = Open::with(on, &[MARIE, PAUL], false);
        let way_out = open.way_out(MARIE);
        // The next issue waits: its relay is away.
        let (house, relay) = open.close();
        let house = house.set("relay", Relay::nowhere());
        house.run_at(NEXT_AT, &article(NEXT_MONDAY));
        let open = Open::house(house, relay);
        assert_eq!(open.house.states().get("queued"), Some(&2));
        assert_eq!(open.post(&way_out, FORM, "List-Unsubscribe=One-Click").status, 200);
        assert_eq!(open.house.states().get("suppressed"), Some(&1), "at once");
        let (house, relay) = open.close();
        let house = house.set("relay", relay.url());
        house.sql("UPDATE deliveries SET next_at = 0 WHERE next_at IS NOT NULL");
        house.semainier(&["run", "agenda", "--at", NEXT_AT, "--yes"]).expect(0);
        house.assert_states(&[("sent", 3), ("suppressed", 1)]);
        assert_eq!(relay.accepted(MARIE), 1);
        house.judge_at_rest(&relay, 2);
    }
}

#[test]
fn w06_an_unavailable_database_is_reported_and_never_as_success() {
    let open = Open::with(On::Sqlite, &[MARIE, PAUL], false);
    let way_out = open.way_out(MARIE);
    open.house.sql("ALTER TABLE contacts RENAME TO contacts_elsewhere");
    for reply in [open.get(&way_out), open.post(&way_out, FORM, "List-Unsubscribe=One-Click")] {
        assert_eq!(reply.status, 503);
        assert!(reply.words().contains("rien n’a été changé") && !reply.words().contains("C’est fait"));
        assert!(reply.text().contains("mailto:bonjour@ot.test"), "{}", reply.text());
    }
    open.house.sql("ALTER TABLE contacts_elsewhere RENAME TO contacts");
    assert_eq!(open.post(&way_out, FORM, "List-Unsubscribe=One-Click").status, 200);
}

/// The mail is older than the machine: its link opens by the secret, or the keys of links, that the backup brought.
#[test]
fn trial_f1_one_click_in_an_old_mail_still_works_after_a_restore_elsewhere() {
    for (on, keys) in [(On::Sqlite, None), (On::Sqlite, Some("0123456789abcdef\n")), (On::Postgres, None)] {
        let relay = Relay::start();
        let machine = || {
            let house = House::on(on).relay(&relay).without("secret").set("web.bind", "127.0.0.1:0");
            let house = if on == On::Postgres { house.set("secret_file", "secret") } else { house };
            if keys.is_some() { house.set("link_keys_file", "keys") } else { house }
        };
        let (old, new) = (machine(), machine());
        old.write("secret", "the secret of the office\n");
        if let Some(keys) = keys {
            old.write("keys", keys);
        }
        old.import(&[MARIE, PAUL]);
        old.run().expect(0);
        old.semainier(&["backup", "b"]).expect(0);
        new.semainier(&["restore", &old.path("b").display().to_string()]).expect(0);
        let open = Open::house(new, relay);
        let way_out = open.way_out(MARIE);
        let reply = open.post(&way_out, FORM, "List-Unsubscribe=One-Click");
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(next_issue_goes_to(open.close()), [PAUL], "{on:?}");
    }
}
