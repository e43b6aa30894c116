//! The daemon dies at each named point (K3 to K9), as by `kill -9`: a child process aborts there, the relay keeps
//! running, and the next start recovers. Needs the feature `failpoints`.

use crate::support::{
    ledger::Ledger,
    office::{Office, deliverer},
    smtp::Options,
};
use semainier::{
    clock::Clock,
    deliver::Settings,
    domain::delivery::State,
    store::{self, Access},
};
use std::process::Command;
use tokio_util::sync::CancellationToken;

on_both_databases! {
    f01_f02_f03_k3_after_a_kill_before_the_marker_each_recipient_gets_one_mail
    f04_k4_k5_marked_but_unsent_is_unknown
    f05_f06_k6_k7_k9_answered_but_unrecorded_is_unknown
    k8_a_recorded_result_is_final
    a_kill_at_every_fail_point_keeps_the_invariants
}

const POINTS: [&str; 8] = [
    "before_claim",
    "after_claim",
    "after_rcpt",
    "after_mark_in_data",
    "mid_body",
    "after_dot",
    "after_reply",
    "after_finish",
];
const PARTNERS: [&str; 4] = ["a@x.example", "b@x.example", "c@x.example", "d@x.example"];

/// Not a test of its own: the daemon that dies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(url) = std::env::var("SEMAINIER_TEST_CHILD_STORE") else { return };
    let relay = std::env::var("SEMAINIER_TEST_CHILD_RELAY").unwrap();
    let connections = std::env::var("SEMAINIER_TEST_CHILD_CONNECTIONS").unwrap().parse().unwrap();
    let store = store::open(&url, Access::Shared).await.unwrap();
    let clock = Clock::manual(crate::support::ledger::at(0));
    let settings = Settings { connections, ..Settings::default() };
    let deliverer = deliverer(&store, &relay, &clock, &settings, &body(), "the first daemon");
    deliverer.deliver(None, &CancellationToken::new(), &|_| {}).await.unwrap();
}

fn body() -> std::sync::Arc<[u8]> {
    b"une ligne de texte\r\n".repeat(300).into()
}

/// Lets a daemon send until it dies at `failpoint`; `false` when it never came there.
async fn dies(office: &Office, failpoint: &str) -> bool {
    let postgres = office.ledger.store.kind() == "postgres";
    if postgres {
        let ours = "DROP TABLE IF EXISTS ours;
            CREATE TABLE ours AS SELECT pid FROM pg_stat_activity WHERE datname = current_database()";
        office.ledger.sql(ours).await;
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["deliver::kills::child", "--exact", "--nocapture"])
        .env("SEMAINIER_FAILPOINT", failpoint)
        .env("SEMAINIER_TEST_CHILD_STORE", &office.ledger.url)
        .env("SEMAINIER_TEST_CHILD_RELAY", &office.url)
        .env("SEMAINIER_TEST_CHILD_CONNECTIONS", office.settings.connections.to_string())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let status = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap().status).await.unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status).is_some(), !status.success(), "{status}");
    // The relay is another process in life: it needs a moment to see that nobody is there any more.
    while office.relay.numbers().live > 0 {
        tokio::task::yield_now().await;
    }
    // So does Postgres: a commit that was on its way still lands.
    if postgres {
        let wait = "DO $$ BEGIN
            WHILE EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                AND pid <> pg_backend_pid() AND pid NOT IN (SELECT pid FROM ours)) LOOP
                PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
            END LOOP;
        END $$";
        office.ledger.sql(wait).await;
    }
    !status.success()
}

async fn office(ledger: Ledger, connections: usize) -> Office {
    let mut office = Office::writing_to(ledger, &PARTNERS, Options::default()).await;
    office.body = body();
    office.settings.connections = connections;
    office
}

/// A new start: recovery, then whatever is due.
async fn restart(office: &Office) {
    let recovered = office.ledger.store.recover(true, office.clock.now()).await.unwrap();
    assert!(recovered.unknown <= office.settings.connections as u64, "O7: {recovered:?}");
    office.send().await;
}

async fn f01_f02_f03_k3_after_a_kill_before_the_marker_each_recipient_gets_one_mail(ledger: Ledger) {
    let office = office(ledger, 1).await;
    for point in ["before_claim", "after_claim", "after_rcpt"] {
        assert!(dies(&office, point).await, "{point}");
        assert_eq!(office.relay.numbers().accepted, 0, "{point}");
        office.ledger.store.recover(true, office.clock.now()).await.unwrap();
    }
    restart(&office).await;
    assert_eq!(office.counts().await.sent, 4);
}

async fn f04_k4_k5_marked_but_unsent_is_unknown(ledger: Ledger) {
    let office = office(ledger, 1).await;
    for (point, unknown) in [("after_mark_in_data", 1), ("mid_body", 2)] {
        assert!(dies(&office, point).await, "{point}");
        let recovered = office.ledger.store.recover(true, office.clock.now()).await.unwrap();
        assert_eq!((recovered.unknown, office.relay.numbers().accepted), (1, 0), "{point}");
        assert_eq!(office.counts().await.unknown, unknown);
    }
    restart(&office).await;
    assert_eq!(office.counts().await.sent, 2);
}

async fn f05_f06_k6_k7_k9_answered_but_unrecorded_is_unknown(ledger: Ledger) {
    let office = office(ledger, 1).await;
    for (point, accepted) in [("after_dot", 1), ("after_reply", 2)] {
        assert!(dies(&office, point).await, "{point}");
        let recovered = office.ledger.store.recover(true, office.clock.now()).await.unwrap();
        assert_eq!((recovered.unknown, office.relay.numbers().accepted), (1, accepted), "{point}");
    }
    restart(&office).await;
    let counts = office.counts().await;
    assert_eq!((counts.sent, counts.unknown, office.relay.numbers().accepted), (2, 2, 4));
}

async fn k8_a_recorded_result_is_final(ledger: Ledger) {
    let office = office(ledger, 1).await;
    assert!(dies(&office, "after_finish").await);
    assert_eq!(office.counts().await.sent, 1);
    restart(&office).await;
    let counts = office.counts().await;
    // The next one may have been marked by the same write.
    assert!(counts.unknown <= 1 && counts.sent + counts.unknown == 4, "{counts:?}");
    assert_eq!(office.relay.numbers().accepted, counts.sent);
}

/// The first, second, … visit of each point, three connections side by side, until a run ends without dying.
async fn a_kill_at_every_fail_point_keeps_the_invariants(ledger: Ledger) {
    let mut deaths = 0;
    let mut office = office(ledger, 3).await;
    for point in POINTS {
        for visit in 1.. {
            let died = dies(&office, &format!("{point}:{visit}")).await;
            office.ledger.store.recover(true, office.clock.now()).await.unwrap();
            office.check().await;
            if !died {
                break;
            }
            deaths += 1;
            restart(&office).await;
            assert_eq!(office.counts().await.queued, 0);
            office.another_issue().await;
        }
    }
    assert!(deaths >= POINTS.len(), "{deaths}");
    assert!(office.log().await.iter().any(|it| it.state == State::Sent));
}
