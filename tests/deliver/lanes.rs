//! Lanes: each family of recipients is throttled on its own, without delaying the others.

use crate::support::{
    house::{House, Relay},
    ledger::Ledger,
    office::Office,
    smtp::Options,
};
use chrono::TimeDelta;
use semainier::{
    deliver::Summary,
    domain::{
        delivery::State,
        issue::IssueState,
        lane::{Family, LaneTrouble, Lanes, Limits, Pace},
    },
};

on_both_databases! {
    o12_a_family_never_has_more_connections_than_its_lane
    s03_too_many_connections_slows_that_family_only
    a_temporary_block_suspends_its_lane_and_others_continue
    s09_content_refused_three_times_in_a_family_pauses_its_lane
    s10_a_blocklisted_sender_pauses_that_lane
    o8_an_opt_out_frees_its_place_in_the_lane
    s24_a_family_has_its_own_limit_per_connection
    a_rate_limit_is_respected_by_the_queue
    a_restart_does_not_reset_a_rate_limit
    a_lane_suspended_again_waits_longer_also_after_a_restart
    an_acceptance_after_a_suspension_resets_the_next_one
    staff_are_notified_of_a_second_lane_too
    a_message_too_large_for_a_family_stops_that_issue_in_its_lane_only
    reopening_a_lane_takes_effect_during_a_long_run
    a_paused_lane_continues_when_a_person_reopens_it
}

fn addresses(local: &str, domain: &str, n: usize) -> Vec<String> {
    (0..n).map(|n| format!("{local}+{n}@{domain}")).collect()
}

async fn office(ledger: Ledger, addresses: &[String]) -> Office {
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let mut office = Office::writing_to(ledger, &addresses, Options::default()).await;
    office.settings.connections = 6;
    office
}

async fn o12_a_family_never_has_more_connections_than_its_lane(ledger: Ledger) {
    let all = [addresses("slow5", "orange.fr", 20), addresses("slow5", "wanadoo.fr", 20)].concat();
    let office = office(ledger, &all).await;
    assert_eq!(office.send().await.sent, 40);
    let messages = office.relay.seen().accepted.len();
    assert_eq!((messages, office.relay.numbers().busiest), (40, 2), "two at once, of one family with two domains");
}

async fn s03_too_many_connections_slows_that_family_only(ledger: Ledger) {
    let first = ["t-ofr104@orange.fr".to_owned()];
    let office = office(ledger, &[&first[..], &addresses("slow5", "orange.fr", 20)].concat()).await;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.deferred, summary.breaker), (20, 1, None));
    let lanes = office.ledger.store.lanes().await.unwrap();
    assert_eq!((lanes[0].lane.as_str(), lanes[0].pace), ("orange", Pace::Slow));
    assert!(lanes[0].why.contains("104") && lanes[0].until == Some(lanes[0].since + TimeDelta::hours(1)));
}

async fn a_temporary_block_suspends_its_lane_and_others_continue(ledger: Ledger) {
    let first = ["t-ofr505@orange.fr".to_owned()];
    let all = [&first[..], &addresses("u", "orange.fr", 10), &addresses("v", "hotel.example", 10)].concat();
    let mut office = office(ledger, &all).await;
    office.settings.connections = 1;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.failed, summary.paused.len()), (10, 0, 0), "{summary:?}");
    assert_eq!(office.counts().await.queued, 11);
    // Nobody's attempt was counted but that of the one who asked; and a restart has not forgotten.
    let tried = office.log().await.iter().filter(|row| row.state == State::Queued && !row.attempts.is_empty()).count();
    assert_eq!(tried, 1);
    office.clock.advance(TimeDelta::minutes(30));
    assert_eq!(office.send().await.tried(), 0);
    office.clock.advance(TimeDelta::minutes(31));
    assert_eq!(office.send().await.sent, 10);
    let pending = office.ledger.store.pending_notices().await.unwrap();
    assert_eq!((pending.len(), &*pending[0].notice.kind()), (1, "lane-suspended-orange"));
    assert!(pending[0].notice.text().starts_with("orange demande d’attendre"), "{}", pending[0].notice.text());
}

async fn s09_content_refused_three_times_in_a_family_pauses_its_lane(ledger: Ledger) {
    let all = [addresses("e554", "orange.fr", 3), addresses("a", "orange.fr", 3), addresses("b", "hotel.example", 3)];
    let mut office = office(ledger, &all.concat()).await;
    office.settings.connections = 1;
    // `a+…` comes before `e554+…`: what is refused comes last, and the next issue meets the pause.
    let summary = office.send().await;
    assert_eq!((summary.failed, summary.paused.len()), (3, 0));
    assert_eq!(office.ledger.store.lanes().await.unwrap()[0].pace, Pace::Paused);
    office.another_issue().await;
    assert_eq!(office.send().await.sent, 3, "those of the other domain");
    assert!(!office.suppressed("e554+0@orange.fr").await);
    assert_eq!(office.issue().await.state(), IssueState::Sending);
}

async fn s10_a_blocklisted_sender_pauses_that_lane(ledger: Ledger) {
    let first = ["t-ofr102@orange.fr".to_owned()];
    let all = [&first[..], &addresses("u", "orange.fr", 5), &addresses("v", "hotel.example", 5)].concat();
    let mut office = office(ledger, &all).await;
    office.settings.connections = 1;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.failed, summary.paused.len()), (5, 0, 0));
    assert_eq!(office.counts().await.queued, 6);
    let pending = office.ledger.store.pending_notices().await.unwrap();
    assert!(pending[0].notice.text().contains("liste de blocage"), "{}", pending[0].notice.text());
    assert!(!office.suppressed("t-ofr102@orange.fr").await);
}

async fn o8_an_opt_out_frees_its_place_in_the_lane(ledger: Ledger) {
    let mut office = office(ledger, &["optsout@orange.fr".to_owned(), "b@orange.fr".to_owned()]).await;
    let limits = Limits { connections: 1, ..Limits::DEFAULT };
    office.settings.lanes = Lanes::new(Vec::new(), limits);
    office.settings.connections = 1;
    let sending = tokio::time::timeout(std::time::Duration::from_secs(20), office.send());
    let summary = sending.await.expect("the only place of the lane comes free");
    assert_eq!((summary.sent, summary.suppressed), (1, 1));
}

async fn s24_a_family_has_its_own_limit_per_connection(ledger: Ledger) {
    let mut office = office(ledger, &addresses("a", "icloud.com", 11)).await;
    office.settings.connections = 1;
    assert_eq!(office.send().await.sent, 11);
    assert_eq!(office.relay.numbers().connections, 3, "five, five and one");
}

async fn a_rate_limit_is_respected_by_the_queue(ledger: Ledger) {
    let mut office = office(ledger, &addresses("a", "slow.example", 4)).await;
    let limits = Limits { per_minute: Some(10), ..Limits::DEFAULT };
    let family = Family { name: "slow".to_owned(), domains: vec!["slow.example".to_owned()], limits };
    office.settings.lanes = Lanes::new(vec![family], Limits::DEFAULT);
    let mut sent = vec![office.send().await.sent];
    for _ in 0..3 {
        office.clock.advance(TimeDelta::seconds(6));
        sent.push(office.send().await.sent);
    }
    assert_eq!(sent, [1, 1, 1, 1]);
}

async fn a_restart_does_not_reset_a_rate_limit(ledger: Ledger) {
    let mut office = office(ledger, &addresses("a", "fast.example", 60)).await;
    let limits = Limits { per_minute: Some(600), ..Limits::DEFAULT };
    let family = Family { name: "fast".to_owned(), domains: vec!["fast.example".to_owned()], limits };
    office.settings.lanes = Lanes::new(vec![family], Limits::DEFAULT);
    let mut sent = 0;
    // Each is a process of its own. In a second ten may go; a bucket for each would make it thirty.
    for _ in 0..3 {
        sent += office.send().await.sent;
        office.clock.advance(TimeDelta::milliseconds(300));
    }
    assert_eq!(sent, 3);
}

async fn a_lane_suspended_again_waits_longer_also_after_a_restart(ledger: Ledger) {
    let office = office(ledger, &["t-ofr999@orange.fr".to_owned()]).await;
    let mut waits = Vec::new();
    for _ in 0..4 {
        // A process of its own each time: what it knows of the last time is in the ledger.
        assert_eq!(office.send().await.deferred, 1);
        let lane = office.ledger.store.lanes().await.unwrap().remove(0);
        let until = lane.until.unwrap();
        waits.push(((until - lane.since).num_hours(), lane.step));
        assert!(office.row("t-ofr999@orange.fr").await.next_at.unwrap() >= until, "it need not be claimed before");
        office.clock.advance(office.wait("t-ofr999@orange.fr").await);
    }
    assert_eq!(waits, [(1, 0), (2, 1), (4, 2), (4, 3)]);
}

async fn an_acceptance_after_a_suspension_resets_the_next_one(ledger: Ledger) {
    let all = ["t-ofr999@orange.fr".to_owned(), "u@orange.fr".to_owned()];
    let mut office = office(ledger, &all).await;
    office.settings.connections = 1;
    assert_eq!((office.send().await.deferred, office.counts().await.queued), (1, 2));
    office.clock.advance(TimeDelta::minutes(61));
    assert_eq!(office.send().await.sent, 1);
    assert_eq!(office.ledger.store.lanes().await.unwrap(), [], "forgotten");
    office.clock.advance(TimeDelta::minutes(15));
    assert_eq!(office.send().await.deferred, 1);
    let lane = office.ledger.store.lanes().await.unwrap().remove(0);
    assert_eq!((lane.step, lane.until), (0, Some(lane.since + TimeDelta::hours(1))));
}

async fn staff_are_notified_of_a_second_lane_too(ledger: Ledger) {
    let all = ["t-ofr505@orange.fr", "t-sfr101@sfr.fr", "t-sfr101@a.example", "t-sfr101@b.example"];
    let office = office(ledger, &all.map(str::to_owned)).await;
    assert_eq!(office.send().await.deferred, 4);
    let pending = office.ledger.store.pending_notices().await.unwrap();
    let mut kinds: Vec<_> = pending.iter().map(|it| it.notice.kind()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["lane-suspended", "lane-suspended-orange", "lane-suspended-sfr"]);
}

async fn a_message_too_large_for_a_family_stops_that_issue_in_its_lane_only(ledger: Ledger) {
    let first = ["o-lpn514@laposte.net".to_owned()];
    let all = [&first[..], &addresses("u", "laposte.net", 3), &addresses("v", "hotel.example", 3)].concat();
    let mut office = office(ledger, &all).await;
    office.settings.connections = 1;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.failed, summary.paused.len()), (3, 0, 0), "those of the other domain");
    assert_eq!((office.counts().await.queued, office.issue().await.state()), (4, IssueState::Sending));
    let pending = office.ledger.store.pending_notices().await.unwrap();
    assert!(pending[0].notice.text().contains("trop lourd"), "{}", pending[0].notice.text());
    // The next issue is lighter.
    office.another_issue().await;
    assert_eq!(office.send().await.sent, 4 + 3);
    assert!(office.ledger.store.reopen_lane("laposte").await.unwrap());
    office.clock.advance(TimeDelta::minutes(15));
    assert_eq!(office.send().await.sent, 4, "and the first one, once a person says so");
}

/// Waits for its turn until so many were accepted.
async fn accepted(office: &Office, least: usize) {
    while office.relay.seen().accepted.len() < least {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

fn paused(office: &Office, lane: &str) -> LaneTrouble {
    LaneTrouble {
        lane: lane.to_owned(),
        pace: Pace::Paused,
        why: "liste".to_owned(),
        since: office.clock.now(),
        until: None,
        issue: office.issue.clone(),
        only_issue: false,
        step: 0,
        per_minute: None,
    }
}

async fn reopening_a_lane_takes_effect_during_a_long_run(ledger: Ledger) {
    let all = [addresses("slow30", "hotel.example", 60), addresses("u", "orange.fr", 3), addresses("v", "sfr.fr", 3)];
    let mut office = office(ledger, &all.concat()).await;
    (office.settings.connections, office.settings.claim_batch) = (1, 8);
    office.settings.look_at_lanes = std::time::Duration::from_millis(20);
    let store = &office.ledger.store;
    store.note_lane(&paused(&office, "orange")).await.unwrap();
    let meanwhile = async {
        accepted(&office, 5).await;
        assert!(store.reopen_lane("orange").await.unwrap());
        store.note_lane(&paused(&office, "sfr")).await.unwrap();
    };
    let (summary, ()) = tokio::join!(office.send(), meanwhile);
    assert_eq!(summary.sent, 63, "orange was reopened, sfr was closed");
    let seen = office.relay.seen();
    assert!(!seen.accepted.iter().any(|it| it.recipient.ends_with("sfr.fr")));
}

async fn a_paused_lane_continues_when_a_person_reopens_it(ledger: Ledger) {
    let office = office(ledger, &addresses("a", "orange.fr", 5)).await;
    let store = &office.ledger.store;
    store.note_lane(&paused(&office, "orange")).await.unwrap();
    for _ in 0..3 {
        assert_eq!(office.send().await, Summary::default());
        office.clock.advance(TimeDelta::hours(1));
    }
    assert!(store.reopen_lane("orange").await.unwrap() && !store.reopen_lane("orange").await.unwrap());
    office.clock.advance(TimeDelta::minutes(15));
    assert_eq!(office.send().await.sent, 5);
}

/// Counted by what the program itself says: the log of a process of its own is nobody else's.
#[test]
fn deliveries_wait_for_a_full_lane_without_flooding_the_ledger() {
    let relay = Relay::start();
    let house = House::new().relay(&relay).set("delivery.connections", 6).set("log.level", "debug");
    house.import(&addresses("slow100", "orange.fr", 10));
    let said = house.run().expect(0).said();
    house.judge_at_rest(&relay, 10);
    let asked = said.matches(" claimed ").count();
    assert!((1..150).contains(&asked), "the ledger was asked {asked} times for ten messages\n{said}");
}
