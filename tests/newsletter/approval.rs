//! The whole way through the real program under a false sky: composed three days before, staff asked, approved, sent at its
//! hour as approved; one word changed asks again; nobody's word is no.

use super::room::{ISSUE, Room, at};
use crate::support::{
    house::{BOTH, On},
    process::until,
};
use mail_parser::MimeHeaders;
use semainier::compose::context::Marks;
use semainier::{
    domain::issue::IssueKey,
    issue::content::content_hash,
    store::{self, Access},
};

fn composed(on: On) -> Room {
    let mut room = Room::on(on);
    room.serve();
    room.sky.set(at("2026-07-04T07:00:10Z"));
    until("the newsletter is composed three days before", || room.state().0 == "awaiting_approval");
    until("staff are asked", || room.to_staff().len() == 1);
    room
}

/// The content of the ledger, hashed anew.
fn hash_of_what_is_kept(room: &Room) -> (String, String, Marks) {
    let url = room.house.database_url();
    crate::support::house::block_on(async {
        let store = store::open(&url, Access::Shared).await.unwrap();
        let content = store.content(&IssueKey::parse(ISSUE).unwrap()).await.unwrap().unwrap();
        (content_hash(&content), content.html, Marks::named(&content.envelope.marks))
    })
}

#[test]
fn content_approved_three_days_before_is_sent_unchanged_at_its_hour() {
    for on in BOTH {
        let mut room = composed(on);
        let shown = room.show();
        let hash = shown["content_hash"].as_str().unwrap().to_owned();

        // Staff see the mail itself, what is in it, and how to approve it.
        let asked = room.to_staff().remove(0);
        assert_eq!(asked.subject(), Some("À approuver : La lettre des partenaires (juillet 2026)"));
        let (text, html) = (asked.body_text(0).unwrap(), asked.body_html(0).unwrap());
        for part in [
            "Objet : La lettre des partenaires : juillet 2026",
            "Départ : mardi 7 juillet 2026 à 9 h",
            "Destinataires : 5",
            "Dans l’agglomération d’Auch : 1 actualité, dont 1 avec image",
            "Dans le Gers : 1 actualité, dont 1 avec image",
            &format!("semainier issues approve newsletter/2026-07 --hash {} --by", &hash[..12]),
            &format!("Empreinte : {hash}"),
            "Les visites nocturnes d’Auch reprennent",
        ] {
            assert!(text.replace('\u{a0}', " ").contains(part), "{part:?} is not in\n{text}");
        }
        assert!(
            html.contains("À approuver") && html.contains("Les tournesols ont leur sentier") && html.contains(&hash)
        );
        assert_eq!(asked.parts.iter().filter(|part| part.content_id().is_some()).count(), 2, "both pictures are in it");
        assert!(asked.header("List-Unsubscribe").is_none(), "a letter to staff is not of the list");

        let approve = ["issues", "approve", ISSUE, "--by", "Claire", "--hash", &hash[..12]];
        room.house.semainier(&approve).expect(0).expect_said(&["approved by Claire", "2026-07-07T09:00:00+02:00"]);
        // The site goes on; what is approved does not.
        super::room::feed(&room.web, &[("apres", "Trop tard pour ce numéro", "2026-07-04T09:00:00Z")]);
        let requests = room.web.requests().len();
        room.sky.set(at("2026-07-07T06:59:00Z"));
        room.house.semainier(&["issues", "show", ISSUE]).expect(0).expect_said(&["approved (by Claire)"]);
        assert_eq!(room.relay.to_partners(), 0, "not before its hour");

        // Should the jump fall between two passes, the next one is near.
        room.sky.set(at("2026-07-07T07:00:55Z"));
        until("it leaves at nine", || room.relay.to_partners() == 5);
        until("it is done", || room.state().0 == "done");
        room.stop();
        room.house.judge_at_rest(&room.relay, 5);
        assert_eq!(room.web.requests().len(), requests, "nothing was collected again");
        let (kept, html, marks) = hash_of_what_is_kept(&room);
        assert_eq!((&kept, room.show()["content_hash"].as_str().unwrap()), (&hash, hash.as_str()));
        for mail in room.to_partners() {
            assert_eq!(mail.subject(), Some("La lettre des partenaires\u{a0}: juillet 2026"));
            let unsubscribe = mail.header_raw("List-Unsubscribe").unwrap().trim().trim_matches(['<', '>']).to_owned();
            let received = mail.body_html(0).unwrap().replace("\r\n", "\n");
            assert!(!received.contains("SEMAINIER-"), "F8: a mark is seen");
            let expected = html.replace(&marks.unsubscribe, &unsubscribe);
            let expected: Vec<_> = expected.split(&marks.establishment).collect();
            assert!(expected.iter().all(|piece| received.contains(piece)), "not the approved words");
            assert!(mail.date().unwrap().to_rfc3339().starts_with("2026-07-07T07:0"), "the hour it leaves at");
        }
        let approvals = &room.show()["approvals"];
        assert_eq!((approvals[0]["by"].as_str(), approvals[0]["counts"].as_bool()), (Some("Claire"), Some(true)));
        assert_eq!(room.to_staff().len(), 1, "nothing else to tell");
    }
}

/// Trial F23: an issue that somebody approved looks approved wherever it is listed, and one that nobody approved does not.
#[test]
fn trial_f23_an_approved_issue_is_listed_as_approved_by_whom() {
    for on in BOTH {
        let room = composed(on);
        let listed = || room.house.semainier(&["issues"]).expect(0).stdout;
        let json = || room.house.semainier(&["issues", "--json"]).expect(0).json()[0].clone();
        let line = |text: &str| text.lines().find(|line| line.contains(ISSUE)).unwrap().to_owned();
        let before = line(&listed());
        assert!(before.contains("awaiting_approval") && before.contains("not approved yet"), "{before}");
        assert!(!before.contains("nobody"), "{before}");
        room.house.semainier(&["issues", "approve", ISSUE, "--by", "Claire"]).expect(0);
        let after = line(&listed());
        assert!(after.contains("approved") && after.contains("by Claire"), "{after}");
        assert!(!after.contains("awaiting") && !after.contains("not approved"), "{after}");
        assert_eq!((json()["state"].as_str(), json()["approved_by"].as_str()), (Some("approved"), Some("Claire")));
        let shown = room.house.semainier(&["issues", "show", ISSUE]).expect(0);
        shown.expect_said(&["approved (by Claire)"]);
        let status = room.house.semainier(&["status"]);
        assert!(!status.said().contains("awaiting_approval"), "{}", status.said());
    }
}

#[test]
fn a_change_after_the_approval_needs_a_new_one_and_nothing_is_sent_without() {
    for on in BOTH {
        let mut room = composed(on);
        let before = room.show()["content_hash"].as_str().unwrap().to_owned();
        room.house.semainier(&["issues", "approve", ISSUE, "--by", "Claire"]).expect(0);

        room.edit("Bel été à **tous** !").expect(4).expect_said(&["staff are asked"]);
        let shown = room.show();
        assert_ne!(shown["content_hash"], before.as_str());
        assert_eq!(shown["approved_by"], serde_json::Value::Null, "an approval is of other bytes");
        assert_eq!(
            (shown["approvals"][0]["by"].as_str(), shown["approvals"][0]["counts"].as_bool()),
            (Some("Claire"), Some(false))
        );
        room.sky.set(at("2026-07-04T07:02:10Z"));
        until("staff are asked again", || room.to_staff().len() == 2);
        let asked = room.to_staff().remove(1);
        let text = asked.body_text(0).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("a changé : ce qui avait été approuvé ne vaut plus"), "{text}");
        assert!(text.contains("Bel été à tous !"), "{text}");
        let stale = ["issues", "approve", ISSUE, "--by", "Claire", "--hash", &before[..12]];
        room.house.semainier(&stale).expect(1).expect_said(&["has changed"]);

        room.sky.set(at("2026-07-07T07:00:10Z"));
        until("it is held at its hour", || room.state().0 == "held");
        assert_eq!(room.state().1, "personne n’a donné son accord avant l’heure prévue");
        until("and told", || room.to_staff().len() == 3);
        assert!(room.to_staff()[2].subject().unwrap().starts_with("Pas approuvé"));
        let status = room.house.semainier(&["status"]).expect(4);
        assert!(status.stdout.contains("semainier issues show"), "{}", status.stdout);

        room.sky.set(at("2026-07-10T07:00:10Z"));
        until("its deadline is over", || room.state().0 == "expired");
        until("and told again", || room.to_staff().len() == 4);
        assert!(room.to_staff()[3].subject().unwrap().starts_with("Non envoyé"));
        room.house
            .semainier(&["issues", "approve", ISSUE, "--by", "Claire"])
            .expect(1)
            .expect_said(&["nothing to approve"]);
        room.edit("Trop tard").expect(1);
        room.stop();
        assert_eq!((room.relay.to_partners(), room.house.log().len()), (0, 0));
    }
}

#[test]
fn an_approval_after_the_hour_sends_at_once() {
    let mut room = composed(On::Sqlite);
    room.sky.set(at("2026-07-07T07:00:10Z"));
    until("it is held at its hour", || room.state().0 == "held");
    room.edit("Avec un mot d’excuse.").expect(4);
    assert_eq!(room.state().0, "awaiting_approval");
    room.house.semainier(&["issues", "approve", ISSUE, "--by", "Claire"]).expect(0).expect_said(&["it leaves now"]);
    // The daemon looks every minute of its sky.
    room.sky.set(at("2026-07-07T07:02:10Z"));
    until("it leaves", || room.relay.to_partners() == 5);
    until("it is done", || room.state().0 == "done");
    room.stop();
    let mails = room.to_partners();
    assert!(mails[0].body_text(0).unwrap().contains("Avec un mot d’excuse."));
}

#[test]
fn an_approved_issue_whose_message_has_a_fault_at_its_hour_is_shown_as_held() {
    for on in BOTH {
        let mut room = composed(on);
        room.house.semainier(&["issues", "approve", ISSUE, "--by", "Claire"]).expect(0);
        // As with a rule of the check that came with a new version.
        room.house.sql("UPDATE issue_content SET html = replace(html, '</body>', '<script>1</script></body>')");
        room.sky.set(at("2026-07-07T07:00:10Z"));
        until("it is held at its hour", || room.state().0 == "held");
        assert!(room.state().1.starts_with("le message a un défaut"), "{:?}", room.state());
        until("staff are told", || room.to_staff().iter().any(|mail| mail.subject().unwrap().starts_with("Retenu")));
        room.stop();
        assert_eq!(room.relay.to_partners(), 0);
        let shown = room.show();
        assert_eq!(shown["approvals"][0]["by"], "Claire", "{on:?}: what she said is not lost");
    }
}

#[test]
fn a_cancelled_issue_stays_cancelled() {
    let mut room = composed(On::Sqlite);
    room.house.semainier(&["issues", "cancel", ISSUE]).expect(0);
    room.house.semainier(&["issues", "approve", ISSUE, "--by", "Claire"]).expect(1).expect_said(&["is cancelled"]);
    room.sky.set(at("2026-07-07T07:00:10Z"));
    let settled = "SELECT COUNT(*) FROM occurrences WHERE state = 'missed'";
    until("its hour was looked at", || room.house.number(settled) == 1);
    room.stop();
    assert_eq!((room.state().0.as_str(), room.relay.to_partners()), ("cancelled", 0));
}

#[test]
fn an_editorial_can_be_written_before_composing_and_in_an_editor() {
    let mut room = Room::on(On::Sqlite);
    room.edit("Un mot d’avance.").expect(0).expect_said(&["not composed yet"]);
    room.serve();
    room.sky.set(at("2026-07-04T07:00:10Z"));
    until("it is composed", || room.state().0 == "awaiting_approval");
    let letter = &room.show()["letter"];
    assert_eq!(letter["parts"][0]["markdown"], "Un mot d’avance.");

    let args = ["issues", "edit", ISSUE];
    let edit = |house: &crate::support::house::House, program: &str| {
        let child = house.command(&args).env("EDITOR", program).spawn().unwrap();
        crate::support::process::finish(child, &args)
    };
    edit(&room.house, "true").expect(0).expect_said(&["nothing was changed"]);
    edit(&room.house, "false").expect(1).expect_said(&["nothing was changed"]);
    edit(&room.house, "sed -i s/avance/demain/").expect(4);
    assert_eq!(room.show()["letter"]["parts"][0]["markdown"], "Un mot d’demain.");
    room.house.semainier(&args).expect(1).expect_said(&["set EDITOR"]);
    room.stop();
    // What is refused is not lost.
    room.house.semainier(&["issues", "cancel", ISSUE]).expect(0);
    let refused = edit(&room.house, "sed -i s/demain/plus/").expect(1);
    let said = refused.said();
    let draft = said.split_whitespace().find(|word| word.contains("semainier-editorial-")).expect("a path");
    let draft = std::path::Path::new(draft.trim_end_matches(':'));
    assert_eq!(std::fs::read_to_string(draft).unwrap(), "Un mot d’plus.");
    std::fs::remove_file(draft).unwrap();
}

/// Composed by hand at its hour, on a machine where no daemon ran before: none of its occurrences is this issue's.
fn composed_by_hand(on: On) -> Room {
    let mut room = Room::on(on);
    room.sky.set(at("2026-07-07T07:10:00Z"));
    room.house.semainier(&["run", "newsletter", "--yes"]).expect(4).expect_said(&["is sent once somebody approves it"]);
    assert_eq!((room.state().0.as_str(), room.to_staff().len()), ("awaiting_approval", 1));
    room.sky.set(at("2026-07-08T10:00:00Z"));
    room.serve();
    until("the daemon knows the mailing", || room.house.number("SELECT COUNT(*) FROM mailings") == 1);
    room
}

#[test]
fn a_manually_composed_issue_expires_at_its_deadline_with_one_notice() {
    for on in BOTH {
        let mut room = composed_by_hand(on);
        room.sky.set(at("2026-07-10T06:59:00Z"));
        std::thread::sleep(std::time::Duration::from_secs(2));
        assert_eq!(room.state().0, "awaiting_approval", "not before its deadline");
        room.sky.set(at("2026-07-10T07:00:55Z"));
        until("its deadline is over", || room.state().0 == "expired");
        assert_eq!(room.state().1, "personne n’a donné son accord avant l’heure prévue");
        let missed = "SELECT COUNT(*) FROM occurrences WHERE state = 'missed' AND issue = 'newsletter/2026-07'";
        assert_eq!(room.house.number(missed), 1);
        until("staff are told", || room.to_staff().len() == 2);
        assert!(room.to_staff()[1].subject().unwrap().starts_with("Non envoyé"));
        // A day and a start later nobody hears of it again.
        room.stop();
        room.sky.set(at("2026-07-11T10:00:55Z"));
        room.serve();
        std::thread::sleep(std::time::Duration::from_secs(3));
        room.stop();
        assert_eq!((room.to_staff().len(), room.relay.to_partners(), room.state().0.as_str()), (2, 0, "expired"));
    }
}

/// A backup from between the approval and the hour: what it shows as approved left since.
#[test]
fn d10_an_approved_newsletter_of_a_restored_backup_needs_a_new_approval() {
    let mut room = Room::on(On::Sqlite);
    room.sky.set(at("2026-07-07T07:10:00Z"));
    room.house.semainier(&["run", "newsletter", "--yes"]).expect(4);
    room.house.semainier(&["issues", "approve", ISSUE, "--by", "Claire"]).expect(0);
    let backup = room.house.path("backup.db");
    room.house.sql(&format!("VACUUM INTO '{}'", backup.display()));
    room.house.semainier(&["run", "newsletter", "--yes"]).expect(0);
    assert_eq!(room.relay.to_partners(), 5);
    for side in ["semainier.db-wal", "semainier.db-shm"] {
        let _ = std::fs::remove_file(room.house.path(side));
    }
    std::fs::rename(&backup, room.house.path("semainier.db")).unwrap();
    room.sky.set(at("2026-07-08T10:00:00Z"));
    room.serve();
    until("the daemon knows the mailing", || room.house.number("SELECT COUNT(*) FROM mailings") == 1);
    room.sky.set(at("2026-07-08T10:02:55Z"));
    std::thread::sleep(std::time::Duration::from_secs(3));
    let (state, reason) = room.state();
    assert_eq!((room.relay.to_partners(), state.as_str()), (5, "held"), "nobody twice");
    assert!(reason.contains("elle semble restaurée d’une sauvegarde"), "{reason}");
    // Whoever approves it again has looked.
    room.house.semainier(&["issues", "approve", ISSUE, "--by", "Claire"]).expect(0);
    room.sky.set(at("2026-07-08T10:04:55Z"));
    until("it leaves", || room.relay.to_partners() == 10);
    room.stop();
}

#[test]
fn a_manually_composed_issue_is_sent_once_approved() {
    let mut room = composed_by_hand(On::Sqlite);
    room.house.semainier(&["issues", "approve", ISSUE, "--by", "Claire"]).expect(0).expect_said(&["it leaves now"]);
    room.sky.set(at("2026-07-08T10:02:55Z"));
    until("it leaves", || room.relay.to_partners() == 5);
    until("it is done", || room.state().0 == "done");
    room.stop();
}

#[test]
fn what_one_person_refuses_waits_and_staff_are_told_until_another_approves_it() {
    for on in BOTH {
        let mut room = composed(on);
        let refuse = ["issues", "refuse", ISSUE, "--by", "Marc", "--why"];
        room.house.semainier(&[&refuse[..], &["  "]].concat()).expect(1).expect_said(&["reason"]);
        room.house.semainier(&[&refuse[..], &["Le marché est à 9 h."]].concat()).expect(0).expect_said(&["is refused"]);
        until("staff are told", || room.to_staff().len() == 2);
        let told = room.to_staff().remove(1);
        assert_eq!(told.subject(), Some("À corriger : La lettre des partenaires (juillet 2026)"));
        let text = told.body_text(0).unwrap().split_whitespace().collect::<Vec<_>>().join(" ").replace('\u{a0}', " ");
        assert!(text.contains("n’est pas approuvé : Marc demande une correction : Le marché est à 9 h."), "{text}");
        room.house.semainier(&["issues", "show", ISSUE]).expect(4).expect_said(&["refused by Marc", "à 9 h."]);
        room.house
            .semainier(&["issues", "withdraw", ISSUE, "--by", "Marc"])
            .expect(1)
            .expect_said(&["awaiting_approval"]);

        room.house.semainier(&["issues", "approve", ISSUE, "--by", "Claire"]).expect(0);
        room.house.semainier(&["issues", "withdraw", ISSUE, "--by", "Claire"]).expect(0).expect_said(&["is withdrawn"]);
        until("staff are told", || room.to_staff().len() == 3);
        room.house
            .semainier(&["issues", "show", ISSUE])
            .expect(4)
            .expect_said(&["approved by Claire", "taken back at"]);
        room.sky.set(at("2026-07-07T07:00:55Z"));
        until("it is held at its hour", || room.state().0 == "held");
        assert_eq!(room.relay.to_partners(), 0);
        room.house.semainier(&["issues", "approve", ISSUE, "--by", "Claire"]).expect(0);
        room.sky.set(at("2026-07-07T07:05:55Z"));
        until("it leaves", || room.state().0 == "done");
        assert_eq!(room.relay.to_partners(), 5);
        room.house.semainier(&["issues", "withdraw", ISSUE, "--by", "Claire"]).expect(1).expect_said(&["is done"]);
        room.stop();
    }
}
