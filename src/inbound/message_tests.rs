//! Real messages, messages as providers write them, and anything else.

use super::*;
use crate::domain::feedback::class_of_bounce;
use proptest::prelude::*;
use std::path::Path;

const TOKEN: &str = "a234567bcdefghijklmnopqrstuvwxyzabcdefghij";
const ID: &str = "agenda-2027-W28.0199f3ab57c000000001a1b2c3d4e5f6@ot.test";

fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name);
    let text = std::fs::read(path).unwrap();
    let Ok(text) = String::from_utf8(text.clone()) else { return text };
    let text = text.replace("{{TOKEN}}", &TOKEN.to_uppercase()).replace("{{MESSAGE_ID}}", ID);
    text.replace("{{ADDRESS}}", "gone@partenaire.example").replace("{{N}}", "1").into_bytes()
}

fn only_report(name: &str) -> (Message, RecipientReport) {
    let message = Message::read(&sample(name));
    let Content::Report(recipients) = &message.content else { panic!("{name}: {message:?}") };
    assert_eq!(recipients.len(), 1, "{name}");
    let report = recipients[0].clone();
    (message, report)
}

#[test]
fn the_bounces_of_a_real_postfix_are_read() {
    let quoted = "agenda.2026-W28.0001@lettre.example-ot.fr";
    for (name, action, enhanced, address) in [
        ("dsn/bounce_gone.eml", Action::Failed, "5.1.1", "gone@partenaire.example"),
        ("dsn/bounce_full.eml", Action::Failed, "5.2.2", "full@partenaire.example"),
        ("dsn/bounce_wait.eml", Action::Delayed, "4.4.1", "wait@partenaire.example"),
    ] {
        let (message, report) = only_report(name);
        assert_eq!((report.action, report.said.enhanced.as_deref()), (action, Some(enhanced)), "{name}");
        assert_eq!(report.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(), [address]);
        assert_eq!(message.quoted, [quoted], "{name}");
        assert_eq!(message.sent_at, Some("2026-11-22T21:07:39Z".parse().unwrap()));
    }
    assert_eq!(Message::read(&sample("dsn/autoreply_eloise.eml")).content, Content::AutoReply);
}

#[test]
fn bounces_without_a_proper_report_are_read() {
    for (name, by_token) in
        [("inbound/exchange.eml", true), ("inbound/exchange_fr.eml", false), ("inbound/qmail.eml", true)]
    {
        let (message, report) = only_report(name);
        assert_eq!(report.action, Action::Failed, "{name}");
        assert_eq!(class_of_bounce(&report.said).as_str(), "hard", "{name}: {:?}", report.said);
        assert!(report.addresses.iter().any(|it| it.to_string() == "gone@partenaire.example"), "{name}: {report:?}");
        assert_eq!(message.quoted, [ID], "{name}");
        assert_eq!(message.tokens.contains(&TOKEN.to_owned()), by_token, "{name}");
        assert!(!report.said.text.contains("gone@partenaire.example"), "{name}: masked");
    }
}

#[test]
fn a_complaint_names_the_message_and_an_auto_reply_is_no_bounce() {
    let complaint = Message::read(&sample("inbound/arf_redacted.eml"));
    assert_eq!(complaint.content, Content::Complaint { feedback: super::Complaint::Abuse, recipients: Vec::new() });
    assert_eq!(complaint.quoted, [ID]);
    // It comes from an empty return path, quotes our message, and even a reply code.
    assert_eq!(Message::read(&sample("inbound/vacation_fr.eml")).content, Content::AutoReply);
}

#[test]
fn what_a_person_writes_is_no_bounce_whatever_it_quotes() {
    let bounce = String::from_utf8(sample("inbound/qmail.eml")).unwrap();
    let forwarded = bounce.replace("Return-Path: <>\n", "").replace("MAILER-DAEMON@mx", "nadine@mx");
    assert_ne!(forwarded, bounce);
    assert_eq!(Message::read(forwarded.as_bytes()).content, Content::Other);
    // A notice of the provider that is about no message.
    let notice =
        "Return-Path: <>\nFrom: postmaster@mx.example\nSubject: Quota\n\n550 5.2.2 Your mailbox is nearly full\n";
    assert_eq!(Message::read(notice.as_bytes()).content, Content::Other);
}

#[test]
fn the_same_message_has_one_hash_whichever_way_it_came() {
    let lf = sample("dsn/bounce_gone.eml");
    let crlf = String::from_utf8(lf.clone()).unwrap().replace('\n', "\r\n");
    let piped =
        [b"X-Original-To: retours@ot.test\nDelivered-To: x@y\n".to_vec(), lf.clone(), b"\n\n".to_vec()].concat();
    let hash = Message::read(&lf).hash;
    assert_eq!([Message::read(crlf.as_bytes()).hash, Message::read(&piped).hash], [hash.clone(), hash.clone()]);
    assert_ne!(Message::read(&sample("dsn/bounce_full.eml")).hash, hash);
    let other = String::from_utf8(lf).unwrap().replace("Status: 5.1.1", "Status: 5.2.2");
    assert_ne!(Message::read(other.as_bytes()).hash, hash);
}

/// Reads it where a recursion would not end well.
fn read_on_a_small_stack(bytes: Vec<u8>) -> Message {
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    thread.spawn(move || Message::read(&bytes)).unwrap().join().unwrap()
}

#[test]
fn s31_a_message_of_any_depth_and_size_is_read_within_bounds() {
    let nested = "Content-Type: message/rfc822\n\n";
    for text in [
        nested.repeat(MOST_NESTED),
        nested.repeat(200_000),
        "Content-Type: multipart/digest; boundary=a\n\n--a\n\n".repeat(100_000),
        (0..20_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")).collect(),
        "a: b\n".repeat(1_000_000),
        "@".repeat(3_000_000),
        format!("Return-Path: <>\n\n{}", "550 5.1.1 a@b.example <".repeat(200_000)),
        format!("To: {}@x.example\n\n", "a".repeat(2_000_000)),
    ] {
        let message = read_on_a_small_stack(text.into_bytes());
        assert!(message.tokens.len() <= MOST_NAMES && message.quoted.len() <= MOST_NAMES);
        if let Content::Report(recipients) = message.content {
            assert!(recipients.iter().map(|it| it.addresses.len()).sum::<usize>() <= MOST_RECIPIENTS * 3);
        }
    }
}

const SAMPLES: [&str; 8] = [
    "dsn/bounce_gone.eml",
    "dsn/bounce_wait.eml",
    "dsn/autoreply_eloise.eml",
    "inbound/exchange.eml",
    "inbound/exchange_fr.eml",
    "inbound/qmail.eml",
    "inbound/arf_redacted.eml",
    "inbound/vacation_fr.eml",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = Message::read(&bytes);
    }

    /// A real message, cut, with some bytes changed, or with a piece of another in it.
    #[test]
    fn any_damaged_message_is_read(
        (a, b) in (0..SAMPLES.len(), 0..SAMPLES.len()),
        (cut, at, from, length) in (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..400_usize),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let (mut message, other) = (sample(SAMPLES[a]), sample(SAMPLES[b]));
        let from = from.index(other.len());
        let piece = other[from..(from + length).min(other.len())].to_vec();
        let at = at.index(message.len());
        message.splice(at..at, piece);
        for (at, byte) in changes {
            let at = at.index(message.len());
            message[at] = byte;
        }
        message.truncate(cut.index(message.len() * 2).max(1));
        let read = Message::read(&message);
        prop_assert!(read.tokens.len() <= MOST_NAMES && read.quoted.len() <= MOST_NAMES);
        if let Content::Report(recipients) = &read.content {
            prop_assert!(!recipients.is_empty() && recipients.len() <= MOST_RECIPIENTS);
            for it in recipients {
                prop_assert!(it.said.text.chars().count() <= 1_000 && it.said.code.is_some());
            }
        }
    }
}
