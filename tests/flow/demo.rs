//! `semainier demo`.

use crate::support::house::{Done, House, finish};
use mail_parser::{MessageParser, MimeHeaders};
use std::path::Path;
use std::process::{Command, Stdio};

fn names(dir: &Path, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
    entries.filter(|name| name.ends_with(ending)).collect()
}

/// In a network namespace without any interface, where the machine lets us make one.
fn without_network(house: &House, args: &[&str]) -> Done {
    let can = |flags: &[&str]| {
        Command::new("unshare").args(flags).arg("true").stderr(Stdio::null()).status().is_ok_and(|it| it.success())
    };
    let flags = [&["-n"][..], &["-r", "-n"]].into_iter().find(|flags| can(flags));
    let Some(flags) = flags else { return house.semainier(args) };
    let plain = house.command(args);
    let mut command = Command::new("unshare");
    command.args(flags).arg("--").arg(plain.get_program()).args(plain.get_args());
    command.current_dir(house.path("")).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(command.spawn().unwrap(), args)
}

#[test]
fn the_demo_needs_no_network_and_writes_mails_poster_booklet_and_ledger() {
    let house = House::new();
    std::fs::remove_file(house.path("semainier.toml")).unwrap();
    let done = without_network(&house, &["demo"]).expect(0);
    for part in [
        "agenda/2027-W28: done (12 = 12 sent)",
        "newsletter/2027-08: done (12 = 12 sent)",
        "editions/carte-2027: done (12 = 12 sent)",
        "demo-output/newsletter/body.html",
        "demo-output/edition/body.html",
        "demo-output/outbox",
        "demo-output/poster.pdf",
        "le-daroles",
    ] {
        assert!(done.stdout.contains(part), "{part:?} is not in\n{}", done.stdout);
    }
    let dir = house.path("demo-output");
    assert!(std::fs::metadata(dir.join("semainier.db")).unwrap().len() > 0);
    for pdf in ["poster.pdf", "booklet.pdf"] {
        assert!(std::fs::read(dir.join(pdf)).unwrap().starts_with(b"%PDF"), "{pdf}");
    }
    let mails = names(&dir.join("outbox"), ".eml");
    assert_eq!(
        mails.len(),
        12 + 12 + 1 + 12 + 1,
        "agendas, newsletters, one to staff, announcements, and a confirmation"
    );
    let mut kinds = [0, 0, 0, 0, 0];
    for mail in mails {
        let bytes = std::fs::read(dir.join("outbox").join(mail)).unwrap();
        let mail = MessageParser::default().parse(&bytes).unwrap();
        let text = mail.body_text(0).unwrap().replace('\u{a0}', " ");
        let pictures = mail.parts.iter().filter(|part| part.content_id().is_some()).count();
        if mail.subject().unwrap().starts_with("À approuver") {
            assert!(text.contains("semainier issues approve newsletter/2027-08") && pictures == 3, "{text}");
            kinds[2] += 1;
        } else if mail.subject().unwrap().starts_with("La lettre") {
            assert!(text.contains("Les tournesols ont leur sentier") && text.contains("Mardi 17 août"), "{text}");
            assert_eq!(pictures, 3);
            kinds[1] += 1;
        } else if mail.subject().unwrap().starts_with("Carte touristique 2027") {
            assert!(text.contains("/o/") && pictures == 2, "{text}");
            kinds[3] += 1;
        } else if mail.subject().unwrap().starts_with("Commande enregistrée") {
            assert!(text.contains("2 paquets (100 exemplaires)"), "{text}");
            kinds[4] += 1;
        } else {
            assert_eq!(mail.attachment_count(), 2);
            assert!(text.contains("du lundi 12 au dimanche 18 juillet 2027"));
            kinds[0] += 1;
        }
    }
    assert_eq!(kinds, [12, 12, 1, 12, 1]);
}

#[test]
fn a_second_demo_starts_over_and_keeps_other_files() {
    let house = House::new();
    let mine = house.write("there/letter.txt", "keep me");
    for _ in 0..2 {
        house.semainier(&["demo", "--dir", "there"]).expect(0).expect_said(&["12 added", "12 = 12 sent"]);
        assert_eq!(names(&house.path("there/outbox"), ".eml").len(), 38);
    }
    assert_eq!(std::fs::read_to_string(mine).unwrap(), "keep me");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let house = House::new();
    house.write("file", "");
    house.semainier(&["demo", "--dir", "file/below"]).expect(1).expect_said(&["cannot prepare file/below"]);
}

#[test]
fn the_demo_ignores_the_configuration_of_the_machine() {
    let house = House::new().env("SEMAINIER__RELAY", "smtp://127.0.0.1:9?tls=none");
    house.write("semainier.toml", "this is no TOML");
    house.semainier(&["demo"]).expect(0).expect_said(&["12 = 12 sent"]);
}
