//! F1, F19: a whole ledger goes from one database to the other, and it is proved that all of it arrived.

use crate::support::{
    house::{BOTH, House, ISSUE, On, Relay},
    ledger::{Ledger, at, new_issue},
};
use semainier::domain::{delivery::Phase, issue::IssueState};
use semainier::store::{self, Access, keep};
use std::collections::BTreeMap;

/// Something in every table: what the program wrote, and by hand what takes longer to bring about.
async fn full(ledger: &Ledger) {
    let key = ledger.frozen(7).await;
    let claims = ledger.claim(2, at(1)).await;
    assert_eq!(claims.len(), 2);
    for period in ["2026-W29", "2026-W30"] {
        ledger.store.freeze_issue(&new_issue(period), at(2)).await.unwrap();
    }
    let from = [IssueState::Sending];
    ledger.store.set_issue_state(&key, &from, IssueState::Paused, Some("« pause »"), at(3)).await.unwrap();
    let states = ["sent", "failed", "unknown", "suppressed", "expired", "cancelled"];
    for (n, state) in (1..).zip(states) {
        let sql = format!(
            "UPDATE deliveries SET state = '{state}', next_at = NULL, attempt = 1, deferrals = {n}
                WHERE issue = 'agenda/2026-W29' AND address LIKE 'Partenaire00000{n}@%';
            INSERT INTO attempts (delivery, n, source, at, phase, code, enhanced, text, outcome)
                SELECT id, 1, 'relay', {n}, '{}', NULL, NULL, 'réponse ''{n}''', 'accepted' FROM deliveries
                WHERE issue = 'agenda/2026-W29' AND address LIKE 'Partenaire00000{n}@%'",
            Phase::Dot.as_str()
        );
        ledger.sql(&sql).await;
    }
    ledger
        .sql(
            "INSERT INTO mailings VALUES ('agenda', '0 8 * 7,8 SAT Europe/Paris', 9007199254740993);
            INSERT INTO occurrences VALUES ('agenda', 1, 'à 8 h', 'missed', NULL, NULL, 2),
                ('agenda', 3, '', 'pending', 'raison', 'agenda/2026-W28', 4);
            INSERT INTO skips VALUES ('agenda/2026-W29', 'fête annulée', 'Éloïse', 6);
            INSERT INTO findings VALUES ('relay', 7);
            INSERT INTO alerts VALUES ('a1', 'webhook', 'relay', '{}', 8, 9, 1, NULL, NULL);
            INSERT INTO approvals VALUES ('agenda/2026-W28', 'c0ffee', 'Éloïse', 5, 6);
            INSERT INTO refusals VALUES ('agenda/2026-W28', 'c0ffee', 'withdrawn', 'Éloïse', 6, 'une erreur');
            INSERT INTO editorials VALUES ('newsletter/2026-07', 'Bonjour
                à tous 🎉', 'Claire', 6);
            INSERT INTO inline_parts SELECT issue, n, 'cid', media_type, bytes FROM attachments;
            INSERT INTO affiliations SELECT c.id, p.id FROM contacts c CROSS JOIN partners p WHERE c.partner <> p.id;
            INSERT INTO former_addresses SELECT id, 'ancien@gite.example', 'h' FROM contacts;
            INSERT INTO contact_edits SELECT id, 'name', 'Éloïse', 'Claire', 23 FROM contacts;
            INSERT INTO partner_edits SELECT id, 'phone', '05 62 00 00 00', 'Claire', 24 FROM partners;
            INSERT INTO suppressions VALUES ('h1', '*', 'opt_out', 7, ''), ('h1', 'agenda', 'manual', 8, 'à la retraite');
            INSERT INTO notices (id, issue, kind, text, created_at, sent_at) VALUES ('n1', 'agenda/2026-W28', 'held', 'x', 9, NULL);
            INSERT INTO pages (url, etag, last_modified, content_type, text, fetched_at)
                VALUES ('https://office.example/', NULL, '', 'text/html', '<p>été</p>', 10);
            INSERT INTO daemons (owner, host, pid, version, started_at, seen_at) VALUES ('o', 'h', 1, '0', 1, 2);
            INSERT INTO lanes (lane, only_issue, pace, why, since, until_at, issue, step, per_minute)
                VALUES ('orange', '', 'paused', '550 5.7.1', 11, NULL, 'agenda/2026-W28', 2, 30);
            INSERT INTO content_refusals VALUES ('agenda/2026-W28', '', 3);
            INSERT INTO editions (slug, definition, packs, ordered, added_at, changed_at) VALUES ('carte-2027', '{}', 9, 2, 12, 13);
            INSERT INTO announcements VALUES ('editions/carte-2027', 'carte-2027', '', 14, 15, 'Claire');
            INSERT INTO content_authors VALUES ('agenda/2026-W28', 'c0ffee', 'Claire');
            INSERT INTO orders (id, edition, contact_id, recipient_key, address, name, establishment, commune, street, packs,
                    handover, remark, state, revision, ordered_at, changed_at)
                VALUES ('o1', 'carte-2027', 'c', 'k', 'a@b.fr', 'n', 'e', 'Auch', '', 2, 'delivery', 'Fermé', 'open', 1, 16, 17);
            INSERT INTO users (id, name, address, address_key, roles, created_at, created_by, totp_step)
                VALUES ('u1', 'Éloïse', 'Eloise@office.example', 'eloise@office.example', 'lecture,administration', 1, 'root', 18);
            INSERT INTO recovery_codes VALUES ('u1', 'h', NULL);
            INSERT INTO sessions (token_hash, id, user_id, stage, created_at, seen_at, expires_at, idle_until, proved_at)
                VALUES ('t', 's1', 'u1', 'full', 1, 2, 3, 4, 5);
            INSERT INTO known_devices VALUES ('d', 'u1', 6);
            INSERT INTO invitations VALUES ('i', 'u1', 'new', 1, 2, NULL);
            INSERT INTO login_failures VALUES ('k', 3, 4, 5);
            INSERT INTO audit (id, at, actor, kind, action, object) VALUES ('a1', 1, 'root', 'cli', 'user.add', 'user:u1');
            INSERT INTO venues VALUES ('feniere', 'la Fenière', 'L''Isle-Jourdain', 'article', 'agenda/2026-W28', 19);
            INSERT INTO past_content VALUES ('agenda/2026-W28', 'h0', 'Avant', '<p>é</p>', 'é', '{}', '{}');
            INSERT INTO readings VALUES ('agenda/2026-W28', 20, 'Que faire', NULL, '{}', '[]', 3, 2, 1);
            INSERT INTO exceptions VALUES ('e1', 'agenda/2026-W28', 'too_few', '', '{}', 'fête', 'Éloïse', 23, NULL, NULL);
            INSERT INTO holds VALUES ('agenda/2026-W28', 'trop peu', '{}', 24);
            INSERT INTO sightings VALUES ('agenda/2026-W28', 25, '[]');
            INSERT INTO canaries VALUES ('agenda/2026-W28', 'd-canary');
            INSERT INTO mass_bounces VALUES ('agenda/2026-W28', '', '550 non', '550 non', 7, 26, NULL);
            INSERT INTO corrections VALUES ('c1', 'agenda/2026-W28', 't', '{}', '{}', 'doublon', 'Éloïse', 21, NULL, NULL);
            INSERT INTO dismissals VALUES ('agenda', 'ouvert de 9 h', 'Ouvert de 9 h', 'horaires', 'Éloïse', 22);
            INSERT INTO api_tokens VALUES ('t1', 'site', 'h', 'read:status,read:issues', 27, 'Éloïse', 28, NULL, 29);
            INSERT INTO api_requests VALUES ('t1', 'k', 'f', 30, 200, '{}');
            INSERT INTO rereads VALUES ('agenda', 31);
            INSERT INTO webhook_endpoints VALUES ('e1', 'https://site.example/', 'order.changed', 's', NULL, NULL, 32, 'Éloïse', NULL, NULL, NULL);
            INSERT INTO webhook_messages VALUES ('m1', 'e1', 1, 'order.changed', 'order:o1', 'open', '{}', 33, 1, 34, NULL, NULL);
            INSERT INTO webhook_attempts VALUES ('w1', 'e1', 'm1', 'order.changed', 'order:o1', 35, 12, 500, 'é');
            INSERT INTO feedback VALUES ('f0', 'd1', 'h1', 'bounce', 'hard', 550, '5.1.1', 'adresse refusée', 'return_path', 37, 38, '550 adresse refusée', 'gite.example');
            INSERT INTO mailboxes VALUES ('maildir', 39, 40, 'disparue');
            INSERT INTO properties (name, value) VALUES ('secret', 'a check value')",
        )
        .await;
    let blob = if ledger.url.starts_with("sqlite") { "x'00ff0a'" } else { "'\\x00ff0a'" };
    ledger.sql(&format!("INSERT INTO edition_files VALUES ('carte-2027', 'cover', 'image/jpeg', {blob})")).await;
    ledger.sql(&format!("INSERT INTO edition_uploads VALUES ('f1', 'u1', 'cover', {blob}, 36)")).await;
    let file = format!(
        "INSERT INTO past_files VALUES ('agenda/2026-W28', 'h0', 'attachment', 1, 'plan.pdf', 'application/pdf', {blob})"
    );
    ledger.sql(&file).await;
    let upload = format!(
        "INSERT INTO imports VALUES ('i1', 'u1', 25, 26, 'liste été.csv', 'h', {blob}, '{{}}', 'draft', '{{}}', 'd', NULL)"
    );
    ledger.sql(&upload).await;
}

async fn empty(on: On) -> Ledger {
    match on {
        On::Sqlite => Ledger::sqlite().await,
        On::Postgres => Ledger::postgres().await,
    }
}

/// Its store closed, as by a daemon that stopped; the place stays.
async fn closed(ledger: Ledger) -> (String, impl Sized) {
    let Ledger { store, url, back_door, _place } = ledger;
    drop((store, back_door));
    (url, _place)
}

fn sums(moved: &[keep::MovedTable]) -> BTreeMap<&'static str, (u64, String)> {
    moved.iter().map(|table| (table.name, (table.rows, table.checksum.clone()))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trial_f19_a_complete_ledger_is_migrated_there_and_back() {
    for (on, other) in [(On::Sqlite, On::Postgres), (On::Postgres, On::Sqlite)] {
        let ledger = empty(on).await;
        full(&ledger).await;
        let (from, _from) = closed(ledger).await;
        let (to, _to) = closed(empty(other).await).await;
        let (back, _back) = closed(empty(on).await).await;
        let there = keep::move_all(&from, &to, at(100)).await.unwrap();
        for table in &there {
            assert!(table.rows > 0, "{on:?}: nothing of {} was tried", table.name);
        }
        let again = keep::move_all(&to, &back, at(200)).await.unwrap();
        let (mut there, mut again) = (sums(&there), sums(&again));
        // Where it was moved from is marked, and nothing else differs.
        there.remove("properties");
        again.remove("properties");
        assert_eq!(there, again, "{on:?}");
        let store = store::open(&back, Access::Exclusive).await.unwrap();
        assert_eq!(store.miscounted().await.unwrap(), []);
        assert_eq!(store.secret_check().await.unwrap().as_deref(), Some("a check value"));
        assert_eq!(store.distrust().await.unwrap(), None, "what arrived is the ledger");
        let left = store::open(&from, Access::Exclusive).await.unwrap();
        assert_eq!(left.distrust().await.unwrap(), Some(store::Distrust::Moved { at: at(100) }));
    }
}

#[test]
fn trial_f19_a_migrated_ledger_continues_and_the_old_one_sends_nothing() {
    for on in BOTH {
        let relay = Relay::start();
        let old = House::on(on).set("relay", Relay::nowhere());
        let new = House::on(if on == On::Sqlite { On::Postgres } else { On::Sqlite }).relay(&relay);
        old.import(&["parti@gite.example", "un@gite.example"]);
        old.semainier(&["partners", "suppress", "parti@gite.example"]).expect(0);
        old.run().expect(1);
        let (from, to) = (old.database_url(), new.database_url());
        let migrate = ["migrate", "--from", &from, "--to", &to];
        let said = old.semainier(&migrate).expect(0);
        said.expect_said(&["both databases are identical", " deliveries", "The secret stays the same"]);
        new.serve_until("it is sent", || relay.to_partners() == 1);
        new.assert_states(&[("sent", 1), ("suppressed", 1)]);
        // A second time it is not empty; and the one that was left pauses what it shows as waiting.
        old.semainier(&migrate).expect(1).expect_said(&["is not empty"]);
        let old = old.relay(&relay);
        old.serve_until("it is paused", || old.number("SELECT count(*) FROM issues WHERE state = 'paused'") == 1);
        assert_eq!(relay.to_partners(), 1, "{on:?}: nobody twice");
        let reason = old.issue()["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains("a été déplacée ailleurs"), "{reason}");
        assert_eq!(old.issue()["key"], ISSUE);
    }
}

#[test]
fn trial_f19_an_incomplete_migration_is_rolled_back() {
    for on in BOTH {
        let old = House::on(on).set("relay", Relay::nowhere());
        let new = House::on(if on == On::Sqlite { On::Postgres } else { On::Sqlite });
        old.import(&["un@gite.example", "deux@gite.example"]);
        let (from, to) = (old.database_url(), new.database_url());
        for spoiled in [
            "UPDATE contacts SET name = 'x' WHERE address = 'un@gite.example'",
            "DELETE FROM subscriptions",
            "UPDATE contacts SET function = name, name = function",
        ] {
            let mut command = old.command(&["migrate", "--from", &from, "--to", &to]);
            command.env("SEMAINIER_SPOIL_MOVE", spoiled);
            let done = crate::support::house::Done::from(command.output().unwrap()).expect(1);
            done.expect_said(&["the copy differs from the source", "contacts"].map(
                |it| match spoiled.contains("DELETE") {
                    true if it == "contacts" => "subscriptions",
                    _ => it,
                },
            ));
            assert_eq!(new.number("SELECT count(*) FROM contacts"), 0, "{on:?}");
            assert_eq!(old.number("SELECT count(*) FROM properties WHERE name = 'moved'"), 0);
        }
        old.semainier(&["migrate", "--from", &from, "--to", &to]).expect(0);
    }
}

#[test]
fn trial_f19_a_ledger_in_use_is_neither_source_nor_target_of_a_migration() {
    for on in BOTH {
        let relay = Relay::start();
        let busy = House::on(on).relay(&relay);
        busy.import(&["un@gite.example"]);
        let idle = House::on(if on == On::Sqlite { On::Postgres } else { On::Sqlite });
        let (one, two) = (busy.database_url(), idle.database_url());
        let mut daemon = busy.serve();
        daemon.hear("semainier started");
        let in_use = if on == On::Sqlite { "another semainier already works on" } else { "stop its daemons" };
        idle.semainier(&["status"]);
        for (from, to) in [(&one, &two), (&two, &one)] {
            idle.semainier(&["migrate", "--from", from, "--to", to]).expect(1).expect_said(&[in_use]);
        }
        daemon.stop();
        idle.semainier(&["migrate", "--from", &one, "--to", &two]).expect(0);
    }
    let house = House::new();
    let said = house.semainier(&["migrate", "--from", "sqlite://none.db", "--to", "sqlite://b.db"]).expect(1);
    said.expect_said(&["there is no such file"]);
    assert!(!house.path("b.db").exists());
}
