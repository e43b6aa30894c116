//! The gate of the message: what receivers refuse holds every kind of issue, and `lint` says it beforehand.

use crate::editions::{add, office};
use crate::newsletter::room::{Room, at};
use crate::support::{
    house::{AT, BOTH, House, ISSUE, MONDAY, Relay, article, finish},
    process::until,
};
use std::{io::Write, process::Stdio};

/// What a mail program removes, and a filter refuses.
const FORM: &str = "<mj-raw><form action=\"https://ot.test/\"></form></mj-raw></mj-body>";
const REASON: &str = "HTML\u{a0}: un script ou un formulaire s’y trouve (form)";

/// The template of a mail as shipped, with a form at its end.
fn with_a_form(shipped: &str) -> String {
    let changed = shipped.replace("</mj-body>", FORM);
    assert_ne!(changed, shipped);
    changed
}

fn templates(house: House, mail: &str, shipped: &str) -> House {
    house.write(&format!("templates/mail/{mail}/body.mjml"), with_a_form(shipped));
    house.set("templates", "templates")
}

#[test]
fn an_automatic_issue_with_a_faulty_message_is_held_and_leaves_once_it_is_mended() {
    for on in BOTH {
        let relay = Relay::start();
        let shipped = include_str!("../../templates/mail/agenda/body.mjml");
        let house = templates(House::on(on).relay(&relay), "agenda", shipped);
        house.import_many(3);
        for _ in 0..2 {
            house
                .run()
                .expect(3)
                .expect_said(&["held, nothing was sent", "HTML : un script ou un formulaire s’y trouve (form)"]);
        }
        let issue = house.issue();
        assert_eq!((issue["key"].as_str(), issue["state"].as_str()), (Some(ISSUE), Some("held")));
        assert!(issue["reason"].as_str().unwrap().contains(REASON), "{issue}");
        assert_eq!((relay.to_partners(), relay.told_staff().len()), (0, 1), "staff are told once");
        house.semainier(&["lint", "agenda", "--at", AT, "--article", "article.html"]).expect(1).expect_said(&[
            "error: HTML: a script, form, frame or object (form); mail programs remove scripts and forms",
            "agenda: 1 errors, 0 warnings",
        ]);

        std::fs::remove_file(house.path("templates/mail/agenda/body.mjml")).unwrap();
        house.run().expect(0);
        house.judge_at_rest(&relay, 3);
        assert_eq!((relay.to_partners(), relay.told_staff().len()), (3, 2), "held, and resolved");
    }
}

#[test]
fn an_issue_that_needs_approval_is_held_instead_of_shown() {
    let mut room = Room::on(BOTH[0]);
    let shipped = include_str!("../../templates/mail/newsletter/body.mjml");
    room.house = templates(std::mem::replace(&mut room.house, House::new()), "newsletter", shipped);
    room.serve();
    room.sky.set(at("2026-07-04T07:00:10Z"));
    until("the newsletter is held", || room.state().0 == "held");
    assert!(room.state().1.contains(REASON), "{:?}", room.state());
    until("staff are told", || room.to_staff().len() == 1);
    let told = room.to_staff().remove(0);
    assert!(!told.subject().unwrap().contains("approuver"), "{:?}", told.subject());
    room.stop();
}

#[test]
fn approved_content_that_breaks_a_rule_since_is_not_frozen() {
    for on in BOTH {
        let mut room = Room::on(on);
        room.serve();
        room.sky.set(at("2026-07-04T07:00:10Z"));
        until("the newsletter is composed", || room.state().0 == "awaiting_approval");
        let house = &room.house;
        house.semainier(&["issues", "approve", "newsletter/2026-07", "--by", "Claire"]).expect(0);
        // No part of what is approved, but of every message.
        house.sql("UPDATE issue_content SET envelope = replace(CAST(envelope AS text), '\"feedback_id\":\"newsletter:', '\"feedback_id\":\"')");
        room.sky.set(at("2026-07-07T07:00:10Z"));
        until("staff are told", || room.to_staff().len() >= 2);
        let told = room.to_staff().pop().unwrap();
        let text = told.body_text(0).unwrap().into_owned();
        assert!(text.contains("en-tête Feedback-ID"), "{text}");
        assert_eq!((room.relay.to_partners(), room.house.log().len()), (0, 0));
        room.stop();
    }
}

#[test]
fn an_announced_edition_with_a_faulty_message_is_held() {
    for on in BOTH {
        let relay = Relay::start();
        let shipped = include_str!("../../templates/mail/edition/body.mjml");
        let house = templates(office(on, &relay), "edition", shipped);
        add(&house, 1000, "").expect(0);
        house
            .semainier(&["announce", "carte-2027", "--dry-run", "--out", "look"])
            .expect(0)
            .expect_said(&["the issue would be held: HTML: a script, form"]);
        let done = house.semainier(&["announce", "carte-2027", "--yes"]);
        assert!(done.said().contains(REASON), "{}", done.said());
        assert_eq!((relay.to_partners(), house.log().len()), (0, 0));
    }
}

/// Not one warning, so that a new one is seen.
#[test]
fn the_shipped_mailings_keep_to_every_rule() {
    let house = House::new().with_the_shipped_mailing().set("sender.return_path", "rebonds@lettre.ot.test");
    house.write("article.html", article(MONDAY));
    let args = ["lint", "agenda", "--at", AT, "--article", "article.html"];
    let found = house.semainier(&[&args[..], &["--json"]].concat()).expect(0).json();
    assert_eq!((found["errors"].as_u64(), found["warnings"].as_u64()), (Some(0), Some(0)), "{found:#}");
    house.semainier(&["preview", "agenda", "--at", AT, "--article", "article.html", "--out", "look"]).expect(0);
    house.semainier(&["lint", "look/message.eml"]).expect(0).expect_said(&["look/message.eml: no problems found"]);
    let room = Room::on(BOTH[0]);
    let found = room.house.semainier(&["lint", "newsletter", "--at", "2026-07-07T09:00", "--json"]).expect(0).json();
    assert_eq!(found["errors"], 0, "{found:#}");
    // The test's own site is not https.
    let others = found["findings"].as_array().unwrap().iter().filter(|it| it["severity"] == "warning");
    assert!(others.clone().all(|it| it["rule"] == "http_link"), "{found:#}");
}

#[test]
fn lint_judges_files_and_standard_input_without_a_configuration() {
    let house = House::new();
    house.write("bad.eml", "From: a@b.example\nTo: c@d.example\nSubject: été\n\nBonjour\n");
    std::fs::remove_file(house.path("semainier.toml")).unwrap();
    let done = house.semainier(&["lint", "bad.eml"]).expect(1);
    done.expect_said(&[
        "error: line 1: a CR or LF alone: lines end in CRLF; RFC 5321 2.3.8",
        "error: Date: this header is missing",
        "error: line 3: bytes that are not ASCII in a header",
        "warning: Auto-Submitted: without Auto-Submitted",
    ]);
    let found = house.semainier(&["lint", "bad.eml", "--to", "list", "--json"]).expect(1).json();
    let is_named = |rule: &str| found["findings"].as_array().unwrap().iter().any(|it| it["rule"] == rule);
    assert!(is_named("list_header_missing") && is_named("bare_line_break"), "{found:#}");
    house.semainier(&["lint", "missing.eml"]).expect(1).expect_said(&["cannot read missing.eml"]);

    let good = "From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\nDate: Sat, 10 Jul 2027 08:00:00 +0200\r\n\
        Message-ID: <1@b.example>\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n\r\nBonjour\r\n";
    let args = ["lint", "-"];
    let mut child = house.command(&args).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(good.as_bytes()).unwrap();
    finish(child, &args).expect(0).expect_said(&["-: no problems found"]);
}
