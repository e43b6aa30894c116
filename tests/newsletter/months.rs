//! Two years of newsletters in one ledger: one issue a month, and every piece of news in exactly one of them.

use super::room::job;
use crate::support::town::{Town, at};
use chrono::{Datelike, TimeDelta};
use semainier::domain::{
    Timestamp,
    issue::{IssueKey, IssueState},
    newsletter::Letter,
};
use std::collections::BTreeMap;

/// A file of the office's folder, published at this instant.
fn publish(town: &Town, n: usize, published: Timestamp) {
    let text = format!("---\ntitle: Nouvelle {n}\ndate: {}\n---\nUn texte.\n", published.to_rfc3339());
    std::fs::write(town.dir.path().join(format!("articles/nouvelle-{n}.md")), text).unwrap();
}

/// First Tuesdays at nine in Paris, said without cron.
fn tuesdays() -> Vec<Timestamp> {
    let days = at("2026-01-01T00:00:00Z").date_naive().iter_days().take(730);
    let tuesdays = days.filter(|day| day.weekday() == chrono::Weekday::Tue && day.day() <= 7);
    let nine = |day: chrono::NaiveDate| {
        day.and_hms_opt(9, 0, 0).unwrap().and_local_timezone(chrono_tz::Europe::Paris).unwrap().to_utc()
    };
    tuesdays.map(nine).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_years_have_one_issue_a_month_and_every_news_item_once() {
    let job = job("[[source]]\nkind = \"folder\"\npath = \"ARTICLES\"").replace("\"newsletter\" }", "\"all\" }");
    let town = Town::at("2026-01-01T08:00:00Z", &[("newsletter".to_owned(), job)]).await;
    let tuesdays = tuesdays();
    assert_eq!(tuesdays.len(), 24);
    let (store, mut published) = (&town.engine().store, 0);
    for (n, tuesday) in tuesdays.iter().enumerate() {
        // While it is written, and while it waits: between composition and departure too.
        for before in [TimeDelta::days(12), TimeDelta::days(4), TimeDelta::days(1)] {
            publish(&town, published, *tuesday - before);
            published += 1;
        }
        let key = IssueKey::new("newsletter", format!("{}-{:02}", 2026 + n / 12, n % 12 + 1));
        let composed = *tuesday - TimeDelta::days(3);
        town.pass_at(composed - TimeDelta::minutes(1)).await;
        assert!(store.issue(&key).await.unwrap().is_none(), "not earlier than it says");
        town.pass_at(composed + TimeDelta::minutes(1)).await;
        let issue = store.issue(&key).await.unwrap().unwrap();
        assert_eq!(issue.state(), IssueState::AwaitingApproval, "{key}");
        // Every sixth is forgotten.
        if n % 6 != 5 {
            let hash = issue.content_hash().unwrap();
            assert!(store.approve_issue(&key, hash, "Claire", false, town.clock.now()).await.unwrap());
        }
        for after in [-5, 1, 20, 90, 3 * 1440 + 1] {
            town.pass_at(*tuesday + TimeDelta::minutes(after)).await;
        }
    }
    // The last pieces are of an issue that is not there yet.
    let issues = store.issues().await.unwrap();
    assert_eq!(issues.len(), 24);
    let mut told = BTreeMap::<String, usize>::new();
    for issue in &issues {
        let sent = issue.scheduled_for.month() % 6 != 0;
        let expected = if sent { IssueState::Done } else { IssueState::Expired };
        assert_eq!((issue.state(), issue.counts.sent), (expected, if sent { 2 } else { 0 }), "{}", issue.key);
        if sent {
            let content = store.content(&issue.key).await.unwrap().unwrap();
            let letter: Letter = serde_json::from_str(&content.data).unwrap();
            letter.news().for_each(|item| *told.entry(item.title.clone()).or_default() += 1);
        }
    }
    // December's issue was not approved: its news, and those after November's composition, wait for January's.
    let expected: BTreeMap<_, _> = (0..published - 4).map(|n| (format!("Nouvelle {n}"), 1)).collect();
    assert_eq!(told, expected);
    let occurrences = town.occurrences("newsletter").await;
    assert_eq!(occurrences.iter().map(|it| it.scheduled_for).collect::<Vec<_>>(), tuesdays);
    assert_eq!(town.mails("hotel@auch.example", ""), 20);
    assert_eq!((town.told("-approval-"), town.told("-unapproved"), town.told("-expired")), (24, 4, 4));
}
