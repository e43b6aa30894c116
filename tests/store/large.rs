//! What keeps a ledger of ten million deliveries fast, shown on a small one: query plans, and maintained sums.

use crate::support::{
    ledger::{HOUR, Ledger, address, at, contact, finished, hash, new_issue},
    postgres::Database,
};
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::{
        delivery::{DeliveryId, Outcome, Resolution, State},
        edition::ORDERS,
        issue::{IssueKey, IssueState, NewIssue, RecipientScope},
        lane::{LaneTrouble, Pace},
        partner::SuppressionReason,
    },
    store::{self, Access, LogFilter, LoggedDelivery},
};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, SqlSafeStr, SqliteConnection,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::SqliteConnectOptions,
};
use std::collections::HashSet;

/// Every combination of the conditions of `log`.
fn filters(issue: &IssueKey) -> Vec<LogFilter> {
    let mut filters = vec![LogFilter { limit: Some(100), ..LogFilter::default() }];
    for condition in [
        |filter: &mut LogFilter, issue: &IssueKey| filter.issue = Some(issue.clone()),
        |filter: &mut LogFilter, _: &IssueKey| filter.address_key = Some(address(2).key()),
        |filter: &mut LogFilter, _: &IssueKey| filter.state = Some(State::Sent),
        |filter: &mut LogFilter, _: &IssueKey| filter.since = Some(at(2)),
    ] {
        let mut with = filters.clone();
        with.iter_mut().for_each(|filter| condition(filter, issue));
        filters.extend(with);
    }
    filters
}

async fn sent_and_waiting(db: &Ledger) -> IssueKey {
    let key = db.frozen(7).await;
    db.store.freeze_issue(&new_issue("2026-W29"), at(1)).await.unwrap();
    for (n, claim) in (2..).zip(db.claim(3, at(2)).await) {
        db.store.mark_in_data(std::slice::from_ref(&claim), at(n)).await.unwrap();
        db.store.finish_attempts(&[finished(&claim, Outcome::Accepted, at(n))]).await.unwrap();
    }
    key
}

async fn no_page_of_the_log_reads_more_than_it_shows(db: Ledger) {
    let key = sent_and_waiting(&db).await;
    if db.store.kind() == "postgres" {
        // On a table of one page it would not take an index, nor mind to sort: it is to say whether it could do without.
        for way in ["seqscan", "bitmapscan", "sort"] {
            db.sql(&format!(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET enable_{way} = off', current_database()); END $$"
            ))
            .await;
        }
    }
    let reader = db.another().await;
    for filter in filters(&key) {
        let after = reader.log(&filter).await.unwrap().first().map(LoggedDelivery::mark);
        assert!(after.is_some(), "{filter:?} shows nothing");
        for filter in [filter.clone(), LogFilter { after, ..filter }] {
            let plans = reader.explain_log(&filter).await.unwrap();
            assert!(plans.len() > 1, "the issues, and their pages: {plans:?}");
            for plan in &plans {
                assert!(!scans_deliveries(plan), "{filter:?}\n{plan}");
            }
            for plan in &plans[1..] {
                assert!(by_index(plan) || of_claims(plan), "{filter:?}\n{plan}");
            }
        }
    }
}

/// SQLite says `SCAN` where it reads a table or an index from one end to the other, `SEARCH` where it goes to a place.
fn scans_deliveries(plan: &str) -> bool {
    let whole = |line: &str| line.starts_with("SCAN d") || line.contains("Seq Scan on deliveries");
    plan.lines().any(|line| whole(line.trim()))
}

/// The claims are few: they may be read whole, and put in order. What says so is the order they are asked in.
fn of_claims(plan: &str) -> bool {
    plan.contains("SCAN c") || plan.contains("Sort Key: c.since")
}

/// It goes to a place of an index, and what it finds there lies in the order that is wanted.
fn by_index(plan: &str) -> bool {
    let searches = plan.lines().any(|line| line.contains("SEARCH d USING INDEX") || line.contains("Index Cond:"));
    searches && !plan.contains("TEMP B-TREE") && !plan.contains("Sort")
}

async fn pages_of_every_filter_make_up_the_whole_of_it(db: Ledger) {
    let key = sent_and_waiting(&db).await;
    for filter in filters(&key) {
        let whole = db.store.log(&LogFilter { limit: None, ..filter.clone() }).await.unwrap();
        let mut paged: Vec<LoggedDelivery> = Vec::new();
        loop {
            let after = paged.last().map(LoggedDelivery::mark);
            let page = db.store.log(&LogFilter { limit: Some(2), after, ..filter.clone() }).await.unwrap();
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(paged, whole, "{filter:?}");
        let issues: Vec<_> = whole.iter().map(|it| it.issue.as_str()).collect();
        assert!(issues.is_sorted(), "{filter:?}: the first frozen first");
        if filter.state.is_some() || filter.since.is_some() {
            let key_of = |it: &LoggedDelivery| (it.issue.as_str().to_owned(), it.changed_at);
            assert!(whole.iter().map(key_of).is_sorted(), "{filter:?}: by change");
        }
    }
}

async fn issues_frozen_in_the_same_millisecond_keep_apart(db: Ledger) {
    db.frozen(4).await;
    db.store.freeze_issue(&new_issue("2026-W29"), at(0)).await.unwrap();
    for filter in filters(&IssueKey::new("agenda", "2026-W29")).into_iter().filter(|it| it.issue.is_some()) {
        let page = db.store.log(&LogFilter { state: None, since: None, ..filter }).await.unwrap();
        assert!(!page.is_empty() && page.iter().all(|it| it.issue.as_str() == "agenda/2026-W29"));
    }
    let log = db.store.log(&LogFilter::default()).await.unwrap();
    let ids: HashSet<_> = log.iter().map(|it| &it.id).collect();
    assert_eq!((log.len(), ids.len()), (8, 8));
    let issues: Vec<_> = log.iter().map(|it| it.issue.as_str()).collect();
    assert!(issues.is_sorted());
}

async fn the_sums_follow_every_move(db: Ledger) {
    db.partners(8).await;
    db.store.suppress(&hash(8), None, SuppressionReason::Manual, at(0)).await.unwrap();
    let key = db.frozen(8).await;
    let other = new_issue("2026-W29");
    db.store.freeze_issue(&other, at(0)).await.unwrap();
    let right = async || assert_eq!(db.store.miscounted().await.unwrap(), []);
    right().await;
    let claims = db.store.claim_deliveries(Some(&key), "here", 6, at(1)).await.unwrap();
    right().await;
    db.store.release(&claims[5..], at(2)).await.unwrap();
    db.store.suppress(&hash(7), None, SuppressionReason::OptOut, at(2)).await.unwrap();
    right().await;
    db.store.mark_in_data(&claims[..4], at(3)).await.unwrap();
    let ends = [Outcome::Accepted, Outcome::Refused { suppress: true }, Outcome::Deferred { next_at: at(9) }];
    let ends: Vec<_> = claims.iter().zip(ends).map(|(claim, end)| finished(claim, end, at(4))).collect();
    db.store.finish_attempts(&ends).await.unwrap();
    right().await;
    db.store.recover(true, at(5)).await.unwrap();
    right().await;
    db.store.resolve_unknown(&claims[3].id, Resolution::Resend, "Ève", at(6)).await.unwrap();
    right().await;
    let cancel = db.store.set_issue_state(&other.key, &[IssueState::Sending], IssueState::Cancelled, None, at(7));
    assert!(cancel.await.unwrap());
    db.store.expire_deliveries(at(12 * HOUR)).await.unwrap();
    right().await;
    let counts = db.store.issue(&key).await.unwrap().unwrap().counts;
    assert_eq!((counts.sent, counts.failed, counts.suppressed, counts.expired, counts.total()), (1, 1, 2, 4, 8));
}

async fn sums_that_are_not_those_of_the_rows_are_found(db: Ledger) {
    let key = db.frozen(3).await;
    db.sql("UPDATE tallies SET n = n + 1").await;
    let found = db.store.miscounted().await.unwrap();
    assert_eq!((found[0].issue.clone(), found[0].kept.queued, found[0].counted.queued), (key, 4, 3));
    db.sql("UPDATE tallies SET n = n - 1").await;
}

/// Forty issues of two recipients; in the third and in the last but two somebody is refused, and somebody is uncertain.
async fn many_issues(db: &Ledger) -> Vec<IssueKey> {
    db.partners(2).await;
    let mut keys = Vec::new();
    for n in 0..40 {
        let issue = new_issue(&format!("2026-{n:02}"));
        db.store.freeze_issue(&issue, at(n)).await.unwrap();
        let claims = db.store.claim_deliveries(Some(&issue.key), "here", 2, at(n)).await.unwrap();
        db.store.mark_in_data(&claims, at(n)).await.unwrap();
        let outcomes = match n {
            2 | 37 => [Outcome::Refused { suppress: false }, Outcome::Unknown],
            _ => [Outcome::Accepted, Outcome::Accepted],
        };
        let ends: Vec<_> = claims.iter().zip(outcomes).map(|(claim, end)| finished(claim, end, at(n))).collect();
        db.store.finish_attempts(&ends).await.unwrap();
        keys.push(issue.key);
    }
    keys
}

async fn issue19_a_journal_of_many_small_issues_is_complete_in_both_directions(db: Ledger) {
    let keys = many_issues(&db).await;
    for newest_first in [false, true] {
        let in_order = |mut keys: Vec<&IssueKey>| {
            if newest_first {
                keys.reverse();
            }
            keys.into_iter().cloned().collect::<Vec<_>>()
        };
        let all = || LogFilter { newest_first, ..LogFilter::default() };
        let both = keys.iter().flat_map(|key| [key, key]);
        for (filter, expected) in [
            (all(), both.clone().collect()),
            (LogFilter { since: Some(at(35)), ..all() }, both.clone().skip(70).collect()),
            (LogFilter { since: Some(at(99)), ..all() }, vec![]),
            (
                LogFilter { state: Some(State::Sent), ..all() },
                both.filter(|it| **it != keys[2] && **it != keys[37]).collect(),
            ),
            (LogFilter { state: Some(State::Failed), ..all() }, vec![&keys[2], &keys[37]]),
            (LogFilter { state: Some(State::Unknown), since: Some(at(3)), ..all() }, vec![&keys[37]]),
            (LogFilter { state: Some(State::Cancelled), ..all() }, vec![]),
            (LogFilter { state: Some(State::Queued), ..all() }, vec![]),
            (LogFilter { address_key: Some(address(1).key()), ..all() }, keys.iter().collect()),
            (LogFilter { address_key: Some(address(1).key()), issue: Some(keys[5].clone()), ..all() }, vec![&keys[5]]),
        ] {
            let found = |log: &[LoggedDelivery]| log.iter().map(|it| it.issue.clone()).collect::<Vec<_>>();
            let whole = db.store.log(&filter).await.unwrap();
            assert_eq!(found(&whole), in_order(expected), "{filter:?}");
            let mut paged: Vec<LoggedDelivery> = Vec::new();
            loop {
                let after = paged.last().map(LoggedDelivery::mark);
                let page = db.store.log(&LogFilter { limit: Some(7), after, ..filter.clone() }).await.unwrap();
                if page.is_empty() {
                    break;
                }
                paged.extend(page);
            }
            assert_eq!(paged, whole, "{filter:?}, page by page");
        }
    }
}

/// What was sent is looked for only where it may have changed since; what may change an issue that is over is found, too.
async fn issue19_what_changed_after_an_issue_was_over_is_in_the_journal(db: Ledger) {
    let keys = many_issues(&db).await;
    db.store.close_finished_issues(at(60)).await.unwrap();
    let given_up = new_issue("2026-50");
    db.store.freeze_issue(&given_up, at(61)).await.unwrap();
    let claims = db.store.claim_deliveries(Some(&given_up.key), "here", 1, at(62)).await.unwrap();
    db.store.mark_in_data(&claims, at(62)).await.unwrap();
    let end = db.store.set_issue_state(&given_up.key, &[IssueState::Sending], IssueState::Cancelled, None, at(63));
    assert!(end.await.unwrap());
    let doubtful = new_issue("2026-51");
    db.store.freeze_issue(&doubtful, at(64)).await.unwrap();
    let in_doubt = db.store.claim_deliveries(Some(&doubtful.key), "here", 2, at(65)).await.unwrap();
    db.store.mark_in_data(&in_doubt, at(65)).await.unwrap();
    let ends = [Outcome::Unknown, Outcome::Accepted];
    let ends: Vec<_> = in_doubt.iter().zip(ends).map(|(claim, end)| finished(claim, end, at(66))).collect();
    db.store.finish_attempts(&ends).await.unwrap();
    assert_eq!(db.store.close_finished_issues(at(67)).await.unwrap(), std::slice::from_ref(&doubtful.key));
    let late = 5 * HOUR;
    let changed = async |state| {
        let filter = |newest_first| LogFilter { since: Some(at(late)), state, newest_first, ..LogFilter::default() };
        let found: Vec<_> = db.store.log(&filter(false)).await.unwrap().into_iter().map(|it| it.issue).collect();
        let mut backwards: Vec<_> = db.store.log(&filter(true)).await.unwrap().into_iter().map(|it| it.issue).collect();
        backwards.reverse();
        assert_eq!(found, backwards, "{state:?}");
        found
    };
    assert_eq!(changed(Some(State::Sent)).await, []);
    let replies = [&claims[0], &in_doubt[0]].map(|claim| finished(claim, Outcome::Accepted, at(late)));
    assert_eq!(db.store.finish_attempts(&replies).await.unwrap(), [true, true]);
    for (key, resolution) in [(&keys[2], Resolution::Sent), (&keys[37], Resolution::Failed)] {
        let unknown = LogFilter { issue: Some(key.clone()), state: Some(State::Unknown), ..LogFilter::default() };
        let id = db.store.log(&unknown).await.unwrap()[0].id.clone();
        db.store.resolve_unknown(&id, resolution, "Ève", at(late + 1)).await.unwrap();
    }
    assert_eq!(changed(Some(State::Sent)).await, [&keys[2], &given_up.key, &doubtful.key].map(Clone::clone));
    assert_eq!(changed(Some(State::Failed)).await, [keys[37].clone()]);
    assert_eq!(changed(None).await, [&keys[2], &keys[37], &given_up.key, &doubtful.key].map(Clone::clone));
}

async fn issue19_issues_are_read_by_their_keys(db: Ledger) {
    let keys = many_issues(&db).await;
    let asked = [keys[37].clone(), IssueKey::new("agenda", "2030-01"), keys[0].clone()];
    let mut found = db.store.issues_by_key(&asked).await.unwrap();
    found.sort_by(|a, b| a.key.as_str().cmp(b.key.as_str()));
    assert_eq!(found.len(), 2);
    for issue in found {
        let alone = db.store.issue(&issue.key).await.unwrap();
        assert_eq!(Some(issue), alone);
    }
    assert_eq!(db.store.issues_by_key(&[]).await.unwrap(), []);
}

/// A confirmation is an issue with one recipient, and is found by another index than the issues of everybody.
async fn issue19_a_person_s_log_has_their_confirmations_in_the_order_of_freezing(db: Ledger) {
    let key = db.frozen(3).await;
    let contacts = db.store.contacts().await.unwrap();
    let of = |n: usize| contacts.iter().find(|it| it.address.key() == address(n).key()).unwrap().id.clone();
    let mut confirmations = Vec::new();
    for (second, (order, person)) in (1..).zip([("b", 1), ("a", 2), ("c", 1)]) {
        let issue = NewIssue {
            key: IssueKey::new(ORDERS, format_args!("{order}-1")),
            mailing: ORDERS.to_owned(),
            audience: ORDERS.to_owned(),
            whom: RecipientScope::Contact(of(person)),
            ..new_issue("2026-W28")
        };
        db.store.freeze_issue(&issue, at(second)).await.unwrap();
        confirmations.push(issue.key);
    }
    db.store.freeze_issue(&new_issue("2026-W29"), at(9)).await.unwrap();
    let log = async |filter: LogFilter| {
        let log = db.store.log(&LogFilter { address_key: Some(address(1).key()), ..filter }).await.unwrap();
        log.into_iter().map(|it| it.issue).collect::<Vec<_>>()
    };
    let last = IssueKey::new("agenda", "2026-W29");
    let mut expected = vec![key, confirmations[0].clone(), confirmations[2].clone(), last];
    assert_eq!(log(LogFilter::default()).await, expected);
    let one = LogFilter { issue: Some(confirmations[2].clone()), ..LogFilter::default() };
    assert_eq!(log(one).await, [confirmations[2].clone()]);
    let not_theirs = LogFilter { issue: Some(confirmations[1].clone()), ..LogFilter::default() };
    assert_eq!(log(not_theirs).await, []);
    expected.reverse();
    assert_eq!(log(LogFilter { newest_first: true, ..LogFilter::default() }).await, expected);
}

async fn issue19_recipients_are_counted_as_they_are_listed(db: Ledger) {
    db.partners(6).await;
    let also = [contact(5), contact(6), contact(7)];
    db.store.import_contacts(&also, &["newsletter".to_owned()], "test", false, at(0)).await.unwrap();
    // Both kinds of suppressions, of one person twice, and of somebody who is not subscribed.
    for (n, scope) in [(1, None), (1, Some("agenda")), (2, Some("agenda")), (3, Some("newsletter")), (7, None)] {
        db.store.suppress(&hash(n), scope, SuppressionReason::Manual, at(1)).await.unwrap();
    }
    for (mailing, audience, expected) in
        [("agenda", "agenda", 4), ("newsletter", "newsletter", 2), ("rappel", "agenda", 5), ("rappel", "nobody", 0)]
    {
        let counted = db.store.audience_size(mailing, audience, None).await.unwrap();
        let listed = db.store.audience(mailing, audience, None).await.unwrap().len();
        assert_eq!((counted, listed), (expected, usize::try_from(expected).unwrap()), "{mailing} to {audience}");
    }
}

/// Read for « Ce soir » and `status`: without a look at each of the issues that are over.
async fn issue19_open_issues_are_those_not_over_and_those_in_doubt(db: Ledger) {
    let keys = many_issues(&db).await;
    assert_eq!(db.store.close_finished_issues(at(60)).await.unwrap().len(), 40);
    let open = async || {
        let open = db.store.open_issues().await.unwrap();
        open.into_iter().map(|it| it.key).collect::<Vec<_>>()
    };
    assert_eq!(open().await, [keys[37].clone(), keys[2].clone()]);
}

on_both_databases! {
    issue19_a_journal_of_many_small_issues_is_complete_in_both_directions
    issue19_what_changed_after_an_issue_was_over_is_in_the_journal
    issue19_issues_are_read_by_their_keys
    issue19_a_person_s_log_has_their_confirmations_in_the_order_of_freezing
    issue19_recipients_are_counted_as_they_are_listed
    issue19_open_issues_are_those_not_over_and_those_in_doubt
    no_page_of_the_log_reads_more_than_it_shows
    pages_of_every_filter_make_up_the_whole_of_it
    issues_frozen_in_the_same_millisecond_keep_apart
    the_sums_follow_every_move
    sums_that_are_not_those_of_the_rows_are_found
}

/// The ledger as it was before, with a delivery that waits for a person, and one in the hands of a daemon that was killed.
const BEFORE: &str = r#"
INSERT INTO issues (key, mailing, state, scheduled_for, expires_at, created_at, frozen_at)
    VALUES ('agenda/2026-W28', 'agenda', 'done', 1, 2, 1, 1783144800000);
INSERT INTO issue_content VALUES ('agenda/2026-W28', '', '', '{}', '{"domain":"office.example"}');
INSERT INTO deliveries (id, issue, contact_id, recipient_key, address, address_hash, name, establishment, commune,
        message_id, state, attempt, changed_at)
    VALUES ('019f2bb65f0000000001aaaaaaaaaaaa', 'agenda/2026-W28', '7', 'a@gite.example', 'A@gite.example', 'h', 'A', 'Gîte',
        'Auch', 'agenda-2026-w28.019f2bb65f0000000001aaaaaaaaaaaa@office.example', 'unknown', 1, 1783144800001);
INSERT INTO attempts (delivery, n, source, at, phase, outcome)
    VALUES ('019f2bb65f0000000001aaaaaaaaaaaa', 1, 'relay', 1783144800001, 'data', 'unknown');
INSERT INTO deliveries (id, issue, contact_id, recipient_key, address, address_hash, name, establishment, commune,
        message_id, state, attempt, owner, lease_until, changed_at)
    VALUES ('019f2bb65f0000000002aaaaaaaaaaaa', 'agenda/2026-W28', '8', 'b@gite.example', 'B@gite.example', 'i', 'B', 'Gîte',
        'Auch', 'agenda-2026-w28.019f2bb65f0000000002aaaaaaaaaaaa@office.example', 'in_data', 1, 'killed', 5, 1783144800001);
INSERT INTO attempts (delivery, n, source, at, phase, outcome)
    VALUES ('019f2bb65f0000000002aaaaaaaaaaaa', 1, 'relay', 1783144800001, 'data', 'in_flight');
INSERT INTO lanes (lane, pace, why, since, until_at, issue)
    VALUES ('orange', 'paused', 'liste', 1783144800000, NULL, 'agenda/2026-W28');
"#;

fn as_it_was(ledger: &'static str, daemons: &'static str, lanes: &'static str) -> Migrator {
    let migration = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![
        migration(1, "ledger", ledger),
        migration(2, "daemons", daemons),
        migration(3, "lanes", lanes),
    ])
}

async fn finds_what_it_held(url: &str) {
    let store = store::open(url, Access::Exclusive).await.unwrap();
    let log = store.log(&LogFilter { state: Some(State::Unknown), ..LogFilter::default() }).await.unwrap();
    assert_eq!(log[0].message_id, "agenda-2026-w28.019f2bb65f0000000001aaaaaaaaaaaa@office.example");
    assert_eq!(
        (log.len(), log[0].attempts.len(), log[0].changed_at),
        (1, 1, at(0) + chrono::TimeDelta::milliseconds(1))
    );
    assert_eq!(store.miscounted().await.unwrap(), []);
    let id = DeliveryId("019f2bb65f0000000001aaaaaaaaaaaa".to_owned());
    store.resolve_unknown(&id, Resolution::Sent, "Ève", at(1)).await.unwrap();
    let counts = store.issues().await.unwrap()[0].counts;
    assert_eq!((counts.sent, counts.in_data, counts.claimed, counts.total()), (1, 1, 0, 2));
    let killed = async |state| {
        let log = store.log(&LogFilter { state: Some(state), ..LogFilter::default() }).await.unwrap();
        let attempts = log[0].attempts.iter().map(|it| (it.at, it.outcome.clone())).collect::<Vec<_>>();
        (log.len(), attempts)
    };
    let marked_at = at(0) + chrono::TimeDelta::milliseconds(1);
    assert_eq!(killed(State::InData).await, (1, vec![(marked_at, "in_flight".to_owned())]));
    store.recover(true, at(1)).await.unwrap();
    assert_eq!(killed(State::Unknown).await, (1, vec![(marked_at, "unknown".to_owned())]));
    assert_eq!(store.miscounted().await.unwrap(), []);
    let lanes = store.lanes().await.unwrap();
    let lane = |it: &LaneTrouble| (it.lane.clone(), it.pace, it.until, it.only_issue, it.step, it.per_minute);
    assert_eq!(lanes.iter().map(lane).collect::<Vec<_>>(), [("orange".to_owned(), Pace::Paused, None, false, 0, None)]);
}

#[tokio::test]
async fn an_older_ledger_keeps_its_data_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("semainier.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let ledger = include_str!("../../migrations/sqlite/0001_ledger.sql");
    let daemons = include_str!("../../migrations/sqlite/0002_daemons.sql");
    let lanes = include_str!("../../migrations/sqlite/0003_lanes.sql");
    as_it_was(ledger, daemons, lanes).run(&mut connection).await.unwrap();
    sqlx::raw_sql(BEFORE).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let url = format!("sqlite://{}", path.display());
    finds_what_it_held(&url).await;
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut connection).await.unwrap();
    assert!(broken.is_empty(), "the attempts still know their delivery");
    let orphan =
        "INSERT INTO attempts (delivery, n, source, at, phase, outcome) VALUES ('x', 1, 'relay', 1, 'data', 'unknown')";
    sqlx::raw_sql(AssertSqlSafe(orphan)).execute(&mut connection).await.unwrap_err();
}

#[tokio::test]
async fn an_older_ledger_keeps_its_data_on_postgres() {
    let database = Database::create().await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let ledger = include_str!("../../migrations/postgres/0001_ledger.sql");
    let daemons = include_str!("../../migrations/postgres/0002_daemons.sql");
    let lanes = include_str!("../../migrations/postgres/0003_lanes.sql");
    as_it_was(ledger, daemons, lanes).run(&mut connection).await.unwrap();
    sqlx::raw_sql(BEFORE).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    finds_what_it_held(&database.url).await;
}

/// Then Postgres writes a marker beside its row, and touches no index (HOT): docs/adr/0010.
#[tokio::test]
async fn no_index_contains_a_column_that_a_marker_changes_on_postgres() {
    let db = Ledger::postgres().await;
    let mut connection = PgConnection::connect(&db.url).await.unwrap();
    let select = "SELECT indexdef FROM pg_indexes WHERE tablename = 'claims'";
    let indexes: Vec<String> = sqlx::query_scalar(select).fetch_all(&mut connection).await.unwrap();
    assert_eq!(indexes.len(), 1, "that of the key: {indexes:?}");
    for index in indexes {
        assert!(!index.contains("marked_at") && !index.contains("lease_until"), "{index}");
    }
}
