//! A failure of one mailing, relay or member of staff does not affect the others.

use crate::support::{
    smtp::{Options, SmtpRelay},
    town::{STAFF, Town, at, mailing},
};
use chrono::TimeDelta;
use semainier::{
    domain::{delivery::State, issue::IssueState},
    store::{LogFilter, OccurrenceState},
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

const MONDAYS: &str = "cron = '0 8 * * MON'\ncatch_up = '8d'\ndeadline = '10d'\nretry = '15min'";

/// Behind the store's back.
async fn sql(town: &Town, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(town.dir.path().join("semainier.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_mailing_that_cannot_be_composed_is_held_with_a_notice_and_stops_no_other() {
    let town = Town::at("2026-07-01T08:00:00Z", &[mailing("a", MONDAYS), mailing("b", MONDAYS)]).await;
    for name in ["a", "b"] {
        town.publish_for(name, at("2026-07-06T06:00:00Z"));
    }
    sql(
        &town,
        "CREATE TRIGGER broken BEFORE INSERT ON issue_content WHEN NEW.issue LIKE 'a/%'
        BEGIN SELECT RAISE(ABORT, 'out of order'); END",
    )
    .await;
    town.pass_at(at("2026-07-06T06:00:00Z")).await;
    assert_eq!((town.last("a").await.0, town.last("b").await.0), (OccurrenceState::Pending, OccurrenceState::Done));
    let held = town.issue("a/2026-W29").await.unwrap();
    assert_eq!(held.state(), IssueState::Held);
    assert!(held.reason().unwrap().starts_with("une erreur technique l’empêche"));
    town.live_until(at("2026-07-06T07:00:00Z"), TimeDelta::minutes(5)).await;
    assert_eq!((town.told("a-2026-w29-held"), town.told("b-")), (1, 0));

    sql(&town, "DROP TRIGGER broken").await;
    town.live_until(at("2026-07-06T07:20:00Z"), TimeDelta::minutes(5)).await;
    assert_eq!((town.last("a").await.0, town.told("a-2026-w29-resolved")), (OccurrenceState::Done, 1));
}

#[tokio::test]
async fn a_schedule_that_cannot_be_recorded_is_retried_and_stops_no_other() {
    let town = Town::at("2026-07-01T08:00:00Z", &[mailing("a", MONDAYS), mailing("b", MONDAYS)]).await;
    for name in ["a", "b"] {
        town.publish_for(name, at("2026-07-06T06:00:00Z"));
    }
    sql(
        &town,
        "CREATE TRIGGER broken BEFORE INSERT ON occurrences WHEN NEW.mailing = 'a'
        BEGIN SELECT RAISE(ABORT, 'out of order'); END",
    )
    .await;
    town.pass_at(at("2026-07-06T06:00:00Z")).await;
    assert_eq!((town.diary("a").await.len(), town.last("b").await.0), (0, OccurrenceState::Done));
    sql(&town, "DROP TRIGGER broken").await;
    town.pass_at(at("2026-07-06T06:01:00Z")).await;
    assert_eq!(town.last("a").await.0, OccurrenceState::Done);
}

#[tokio::test]
async fn a_restarted_daemon_respects_a_suspended_lane() {
    let relay = SmtpRelay::start(Options::default()).await;
    let partners = ["hotel@auch.example", "o-ofr505@orange.fr", "u@orange.fr", "v@wanadoo.fr"];
    let mut town = Town::with_relay("2026-07-01T08:00:00Z", &[mailing("m", MONDAYS)], &relay.url(), &partners).await;
    town.publish_for("m", at("2026-07-06T06:00:00Z"));
    town.pass_at(at("2026-07-06T06:00:00Z")).await;
    let partners_with_it = || {
        let seen = relay.seen();
        let mut all: Vec<_> = seen.accepted.iter().map(|it| it.recipient.clone()).filter(|it| it != STAFF).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(partners_with_it(), ["hotel@auch.example"]);
    let asked = || relay.numbers().mail_commands;
    let before = asked();

    // A start is no excuse, and neither is another one.
    for _ in 0..2 {
        town = town.restarted().await;
        town.live_until(town.clock.now() + TimeDelta::minutes(29), TimeDelta::minutes(5)).await;
    }
    assert_eq!((partners_with_it().len(), asked()), (1, before), "they were not even named to the relay");
    town.live_until(at("2026-07-06T07:01:00Z"), TimeDelta::minutes(1)).await;
    assert_eq!(partners_with_it(), ["hotel@auch.example", "u@orange.fr", "v@wanadoo.fr"]);
    town.live_until(at("2026-07-06T07:15:00Z"), TimeDelta::minutes(5)).await;
    assert_eq!(partners_with_it().len(), 4, "the one that was refused too, after its own wait");
    assert_eq!(town.issue("m/2026-W29").await.unwrap().state(), IssueState::Done);
}

#[tokio::test]
async fn s9_an_issue_waits_until_the_previous_one_is_sent() {
    let relay = SmtpRelay::start(Options::default()).await;
    let partners = ["hotel@auch.example", "f450@pavie.example"];
    let town = Town::with_relay("2026-07-01T08:00:00Z", &[mailing("m", MONDAYS)], &relay.url(), &partners).await;
    town.publish_for("m", at("2026-07-06T06:00:00Z"));
    town.live_until(at("2026-07-13T05:00:00Z"), TimeDelta::hours(6)).await;
    assert_eq!(town.issue("m/2026-W29").await.unwrap().state(), IssueState::Sending, "one is deferred again and again");

    town.publish_for("m", at("2026-07-13T06:00:00Z"));
    town.live_until(at("2026-07-16T05:00:00Z"), TimeDelta::hours(6)).await;
    let (state, reason) = town.last("m").await;
    assert_eq!(state, OccurrenceState::Pending);
    assert_eq!(reason, "l’envoi du numéro précédent (l’agenda du 13 au 19 juillet (m)) n’est pas terminé");
    assert_eq!(relay.accepted("hotel@auch.example"), 1);
    // The deadline of the first is over: what it still owes expires, and the second leaves.
    town.live_until(at("2026-07-16T07:00:00Z"), TimeDelta::minutes(10)).await;
    assert_eq!(town.issue("m/2026-W29").await.unwrap().counts.expired, 1);
    assert_eq!((town.last("m").await.0, relay.accepted("hotel@auch.example")), (OccurrenceState::Done, 2));
}

#[tokio::test]
async fn s9_the_wait_for_the_previous_issue_is_bounded_by_the_deadline() {
    let relay = SmtpRelay::start(Options::default()).await;
    let schedule = MONDAYS.replace("catch_up = '8d'", "catch_up = '6h'");
    let partners = ["f450@pavie.example"];
    let town = Town::with_relay("2026-07-01T08:00:00Z", &[mailing("m", &schedule)], &relay.url(), &partners).await;
    town.publish_for("m", at("2026-07-06T06:00:00Z"));
    town.live_until(at("2026-07-13T11:00:00Z"), TimeDelta::hours(3)).await;
    assert_eq!(town.last("m").await.0, OccurrenceState::Pending);
    town.live_until(at("2026-07-13T13:00:00Z"), TimeDelta::minutes(30)).await;
    let (state, reason) = town.last("m").await;
    assert_eq!(state, OccurrenceState::Missed);
    assert!(reason.contains("n’est pas terminé"));
    // Staff and partners have the same relay here; what staff are sent is in its ledger.
    assert_eq!(relay.accepted(crate::support::town::STAFF), 1);
}

#[tokio::test]
async fn an_unavailable_relay_opens_the_circuit_with_one_notice_per_issue_and_loses_nothing() {
    let relay = SmtpRelay::start(Options { greeting: Some("421 4.3.2 away".to_owned()), ..Options::default() }).await;
    let partners = ["hotel@auch.example", "gite@pavie.example"];
    let mailings = [mailing("a", MONDAYS), mailing("b", MONDAYS)];
    let town = Town::with_relay("2026-07-01T08:00:00Z", &mailings, &relay.url(), &partners).await;
    for name in ["a", "b"] {
        town.publish_for(name, at("2026-07-06T06:00:00Z"));
    }
    town.live_until(at("2026-07-06T09:00:00Z"), TimeDelta::minutes(1)).await;
    // Half an hour of doubling, then a quarter of an hour each: not once a minute.
    let tries = relay.numbers().connections;
    assert!((8..=20).contains(&tries), "{tries} in three hours");
    let daemon = &town.engine().store.daemons().await.unwrap();
    assert_eq!(daemon.len(), 0, "nobody beats in a pass");
    town.daemon.beat().await;
    let seen = &town.engine().store.daemons().await.unwrap()[0];
    assert!(seen.relay.as_ref().unwrap().trouble.contains("421"), "{seen:?}");
    let log = town.engine().store.log(&LogFilter::default()).await.unwrap();
    assert!(log.iter().all(|it| it.state == State::Queued && it.attempts.is_empty()));
    let pending = town.engine().store.pending_notices().await.unwrap();
    let pending: Vec<_> = pending.iter().map(|it| (it.issue.as_str(), it.notice.name())).collect();
    assert_eq!(pending, [("a/2026-W29", "relay"), ("b/2026-W29", "relay")]);

    // It comes back at the same address.
    let relay = SmtpRelay::start_at(relay.end().await, Options::default()).await;
    town.live_until(at("2026-07-06T09:20:00Z"), TimeDelta::minutes(1)).await;
    for partner in partners {
        assert_eq!(relay.accepted(partner), 2, "{partner}");
    }
    assert_eq!(relay.accepted(crate::support::town::STAFF), 2);
    assert_eq!(town.issue("a/2026-W29").await.unwrap().state(), IssueState::Done);
}

#[tokio::test]
async fn deliveries_waiting_for_the_relay_expire_at_their_deadline() {
    let relay = SmtpRelay::start(Options { greeting: Some("421 4.3.2 away".to_owned()), ..Options::default() }).await;
    let schedule = "cron = '0 8 * * MON'\ncatch_up = '2h'\ndeadline = '3h'";
    let partners = ["hotel@auch.example"];
    let town = Town::with_relay("2026-07-01T08:00:00Z", &[mailing("a", schedule)], &relay.url(), &partners).await;
    town.publish_for("a", at("2026-07-06T06:00:00Z"));
    town.live_until(at("2026-07-06T08:59:00Z"), TimeDelta::minutes(10)).await;
    assert_eq!(town.issue("a/2026-W29").await.unwrap().counts.queued, 1);
    town.live_until(at("2026-07-06T09:01:00Z"), TimeDelta::minutes(1)).await;
    let issue = town.issue("a/2026-W29").await.unwrap();
    assert_eq!((issue.state(), issue.counts.expired, issue.counts.total()), (IssueState::Expired, 1, 1));
    assert!(issue.reason().unwrap().contains("sans que personne ne l’ait reçu"), "{issue:?}");
}

#[tokio::test]
async fn a_dead_staff_address_does_not_block_notices_to_others() {
    let relay = SmtpRelay::start(Options::default()).await;
    let town =
        Town::with_relay("2026-07-01T08:00:00Z", &[mailing("a", MONDAYS)], &relay.url(), &["hotel@auch.example"]).await;
    let staff = ["f550@office.example", "chef@office.example"];
    town.reload(|app| app.config.staff = staff.map(|it| it.parse().unwrap()).to_vec()).await;
    town.live_until(at("2026-07-06T09:00:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!(relay.accepted("chef@office.example"), 1);
    assert!(town.engine().store.pending_notices().await.unwrap().is_empty());
}
