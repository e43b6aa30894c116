//! Failures on our side: between claim and marker, a database that cannot be written, panics in our code.

use crate::support::{ledger::Ledger, office::Office, smtp::Options};
use semainier::domain::{
    delivery::{Phase, State},
    issue::IssueState,
};
use tokio_util::sync::CancellationToken;

on_both_databases! {
    o8_nothing_is_sent_after_an_opt_out
    an_expired_lease_is_not_marked_and_sent_later
    an_issue_paused_meanwhile_sends_nothing_more
    d08_a_marker_that_cannot_be_written_sends_nothing
    k11_a_result_is_written_when_the_database_is_back
    f11_a_panic_affects_no_other_delivery_and_a_second_one_fails_it
    markers_and_results_of_all_connections_are_written_together
}

async fn o8_nothing_is_sent_after_an_opt_out(ledger: Ledger) {
    let addresses = ["optsout@x.example", "a@x.example"];
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.suppressed), (1, 1));
    assert_eq!(office.state("optsout@x.example").await, State::Suppressed);
    assert_eq!((office.relay.numbers().data_commands, office.relay.numbers().connections), (1, 1));
}

async fn an_expired_lease_is_not_marked_and_sent_later(ledger: Ledger) {
    let office = Office::writing_to(ledger, &["late@x.example"], Options::default()).await;
    assert_eq!(office.send().await.sent, 1);
    let row = office.row("late@x.example").await;
    assert_eq!((row.state, row.attempts.len()), (State::Sent, 1));
    assert_eq!((office.relay.numbers().mail_commands, office.relay.numbers().data_commands), (2, 1));
}

async fn an_issue_paused_meanwhile_sends_nothing_more(ledger: Ledger) {
    let office = Office::writing_to(ledger, &["paused@x.example", "b@x.example"], Options::default()).await;
    let summary = office.send().await;
    assert!(summary.sent <= 1);
    assert_eq!(office.state("paused@x.example").await, State::Queued);
    assert_eq!(office.issue().await.state(), IssueState::Paused);
}

/// A trigger that refuses a change of `table` to what is `moment` on either database, until it is lifted.
async fn refuse(ledger: &Ledger, table: &str, moment: &str) {
    if ledger.store.kind() == "sqlite" {
        let sql = format!(
            "CREATE TRIGGER refuse BEFORE UPDATE ON {table} WHEN NEW.{moment}
             BEGIN SELECT RAISE(ABORT, 'asked to fail'); END"
        );
        ledger.sql(&sql).await;
    } else {
        let sql = format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'asked to fail'; END $$;
             CREATE TRIGGER refuse BEFORE UPDATE ON {table} FOR EACH ROW WHEN (NEW.{moment})
                EXECUTE FUNCTION refuse()"
        );
        ledger.sql(&sql).await;
    }
}

async fn allow(ledger: &Ledger, table: &str) {
    let on = if ledger.store.kind() == "sqlite" { String::new() } else { format!(" ON {table}") };
    ledger.sql(&format!("DROP TRIGGER refuse{on}")).await;
}

async fn d08_a_marker_that_cannot_be_written_sends_nothing(ledger: Ledger) {
    let office = Office::writing_to(ledger, &["a@x.example", "b@x.example"], Options::default()).await;
    refuse(&office.ledger, "claims", "marked_at IS NOT NULL").await;
    assert!(office.try_send(&CancellationToken::new(), &|_| {}).await.is_err());
    office.check().await;
    assert_eq!((office.counts().await.queued, office.relay.numbers().data_commands), (2, 0));
    allow(&office.ledger, "claims").await;
    assert_eq!(office.send().await.sent, 2);
}

async fn k11_a_result_is_written_when_the_database_is_back(ledger: Ledger) {
    let office = Office::writing_to(ledger, &["a@x.example", "b@x.example"], Options::default()).await;
    refuse(&office.ledger, "deliveries", "state = 'sent'").await;
    let back = async {
        while office.relay.accepted("a@x.example") + office.relay.accepted("b@x.example") == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(office.counts().await.in_data, 1);
        allow(&office.ledger, "deliveries").await;
    };
    let stop = CancellationToken::new();
    let (result, ()) = tokio::join!(office.try_send(&stop, &|_| {}), back);
    office.check().await;
    let counts = office.counts().await;
    match result {
        // The database was down at the first try: nothing more was claimed. What was announced already may have been marked
        // as soon as it was back.
        Err(_) => assert!(counts.sent >= 1 && counts.sent + counts.queued == 2, "{counts:?}"),
        Ok(summary) => assert_eq!((summary.sent, counts.sent), (2, 2)),
    }
}

async fn f11_a_panic_affects_no_other_delivery_and_a_second_one_fails_it(ledger: Ledger) {
    let addresses = ["panic@x.example", "a@x.example", "nocompose@x.example"];
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.failed, summary.deferred), (1, 2, 2));
    for address in ["panic@x.example", "nocompose@x.example"] {
        let row = office.row(address).await;
        assert_eq!((row.state, row.attempts.len(), row.attempts[1].phase), (State::Failed, 2, Phase::Connect));
        assert!(row.attempts[1].text.as_deref().unwrap().starts_with("internal"), "{row:?}");
        assert!(!office.suppressed(address).await);
    }
}

async fn markers_and_results_of_all_connections_are_written_together(ledger: Ledger) {
    let addresses = (0..300).map(|n| format!("a{n}@x.example")).collect::<Vec<_>>();
    let addresses = addresses.iter().map(String::as_str).collect::<Vec<_>>();
    let mut office = Office::writing_to(ledger, &addresses, Options::default()).await;
    office.settings.connections = 8;
    let heard = std::sync::atomic::AtomicUsize::new(0);
    let progress = |_: &_| {
        heard.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    };
    let summary = office.try_send(&CancellationToken::new(), &progress).await.unwrap();
    office.check().await;
    assert_eq!((summary.sent, heard.into_inner()), (300, 300));
    assert!(office.relay.numbers().peak <= 8);
}
