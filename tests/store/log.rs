//! The log, notices to staff, and kept pages.

use crate::support::ledger::{Ledger, address, at, contact, finished, hash, new_issue};
use semainier::domain::notice::{Cure, Notice};
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::{
        delivery::{Outcome, State},
        issue::IssueKey,
    },
    store::{KeptPage, LogFilter, LoggedDelivery},
};

async fn the_log_shows_what_all_conditions_hold_for(db: Ledger) {
    let key = db.frozen(3).await;
    let next = new_issue("2026-W29");
    db.store.freeze_issue(&next, at(10)).await.unwrap();
    let claims = db.store.claim_deliveries(Some(&key), "here", 1, at(20)).await.unwrap();
    db.store.finish_attempts(&[finished(&claims[0], Outcome::Refused { suppress: false }, at(30))]).await.unwrap();

    let shown = async |filter: LogFilter| db.store.log(&filter).await.unwrap().len();
    let all = LogFilter::default;
    assert_eq!(shown(all()).await, 6);
    assert_eq!(shown(LogFilter { issue: Some(key.clone()), ..all() }).await, 3);
    assert_eq!(shown(LogFilter { state: Some(State::Queued), ..all() }).await, 5);
    assert_eq!(shown(LogFilter { state: Some(State::Failed), ..all() }).await, 1);
    let failed_next = LogFilter { state: Some(State::Failed), issue: Some(next.key), ..all() };
    assert_eq!(shown(failed_next).await, 0);
    assert_eq!(shown(LogFilter { since: Some(at(10)), ..all() }).await, 4);
    assert_eq!(shown(LogFilter { since: Some(at(31)), ..all() }).await, 0);
    let person = LogFilter { address_key: Some(address(2).key()), ..all() };
    assert_eq!(shown(person.clone()).await, 2);
    let log = db.store.log(&LogFilter { issue: Some(key), ..person }).await.unwrap();
    assert_eq!((log[0].name.as_str(), log[0].establishment.as_str()), ("Personne 2", "Gîte n° 2"));
}

async fn the_pages_of_the_log_are_the_log(db: Ledger) {
    db.frozen(11).await;
    db.store.freeze_issue(&new_issue("2026-W29"), at(10)).await.unwrap();
    let all = db.store.log(&LogFilter::default()).await.unwrap();
    assert_eq!(all.len(), 22);
    let mut paged = Vec::new();
    loop {
        let after = paged.last().map(|it: &LoggedDelivery| it.mark());
        let page = db.store.log(&LogFilter { limit: Some(5), after, ..Default::default() }).await.unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
    let issues: Vec<_> = all.iter().map(|it| it.issue.as_str()).collect();
    assert!(issues.is_sorted(), "the oldest first");
}

async fn a_row_that_makes_no_sense_is_named_without_the_address(db: Ledger) {
    db.frozen(1).await;
    db.sql("UPDATE deliveries SET address = 'personne chez gite.example'").await;
    let error = db.store.claim_deliveries(None, "here", 1, at(1)).await.unwrap_err().to_string();
    assert!(error.contains("deliveries.address"), "{error}");
    assert!(!error.contains("gite"), "{error}");
    assert_eq!(db.states().await, [State::Queued], "and the claim is undone");
}

async fn an_error_of_the_database_shows_no_person(db: Ledger) {
    // Postgres quotes the whole row beside its words.
    db.sql("CREATE UNIQUE INDEX no_neighbours ON contacts (address_hash)").await;
    db.partners(1).await;
    let mut same = contact(2);
    same.address_hash = hash(1);
    let error = db.store.import_contacts(&[same], &[], "a.csv", false, at(1)).await.unwrap_err();
    for text in [format!("{error}"), format!("{error:?}")] {
        assert!(text.contains("importing contacts") && !text.contains("gite"), "{text}");
        assert!(!text.contains(&hash(1)), "{text}");
    }
}

async fn staff_are_told_once_of_a_kind(db: Ledger) {
    let key = IssueKey::new("agenda", "2026-W28");
    let queue = async |notice, now| db.store.queue_notice(&key, &notice, now).await.unwrap();
    let held = |reason: &str| Notice::Held { reason: reason.to_owned() };
    assert!(queue(held("mardi est vide"), at(2)).await);
    assert!(!queue(held("mercredi aussi"), at(3)).await);
    assert!(queue(Notice::Resolved(Cure::ArticleComplete), at(1)).await);
    let pending = db.store.pending_notices().await.unwrap();
    let seen: Vec<_> = pending.iter().map(|it| (it.notice.clone(), it.created_at)).collect();
    assert_eq!(seen, [(Notice::Resolved(Cure::ArticleComplete), at(1)), (held("mardi est vide"), at(2))]);
    db.store.notices_sent(&[&pending[1].id], at(4)).await.unwrap();
    assert!(!queue(held("encore"), at(5)).await, "also once it was sent");
    assert_eq!(db.store.pending_notices().await.unwrap(), pending[..1]);
}

async fn a_page_is_kept_as_last_fetched(db: Ledger) {
    let url = "https://office.example/blog/feed";
    assert_eq!(db.store.kept_page(url).await.unwrap(), None);
    let mut page = KeptPage {
        etag: Some("\"a\"".to_owned()),
        last_modified: None,
        content_type: "application/json".to_owned(),
        text: "« Que faire »".to_owned(),
    };
    db.store.keep_page(url, &page, at(0)).await.unwrap();
    assert_eq!(db.store.kept_page(url).await.unwrap().as_ref(), Some(&page));
    page.etag = None;
    page.last_modified = Some("Sat, 04 Jul 2026 06:00:00 GMT".to_owned());
    db.store.keep_page(url, &page, at(1)).await.unwrap();
    assert_eq!(db.store.kept_page(url).await.unwrap(), Some(page));
}

on_both_databases! {
    the_log_shows_what_all_conditions_hold_for
    the_pages_of_the_log_are_the_log
    a_row_that_makes_no_sense_is_named_without_the_address
    an_error_of_the_database_shows_no_person
    staff_are_told_once_of_a_kind
    a_page_is_kept_as_last_fetched
}
