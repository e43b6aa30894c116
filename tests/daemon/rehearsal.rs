//! F3: a coming issue is rehearsed, frozen as rehearsed, skipped, cancelled.

use crate::support::town::{STAFF, Town, article, at, mailing};
use chrono::TimeDelta;
use semainier::{
    actions::{
        Actor, Door,
        issues::{self, Rehearsed},
        reread::reread,
    },
    domain::{
        Timestamp,
        agenda::Week,
        issue::{IssueKey, IssueState},
    },
    store::OccurrenceState,
};

const AGENDA: &str = "cron = '0 8 * 7,8 SAT'\ncatch_up = '12h'\ndeadline = 'Sat 20:00'\nretry = '15min'";
const ISSUE: &str = "agenda/2026-W28";

fn key() -> IssueKey {
    IssueKey::parse(ISSUE).unwrap()
}

fn claire() -> Actor {
    Actor::new("Claire", Door::CommandLine).unwrap()
}

fn saturday() -> Timestamp {
    at("2026-07-04T06:00:00Z")
}

/// On Wednesday, with an article for the coming week; rehearsed on Friday at 17:00.
async fn rehearsing_town() -> Town {
    let (name, text) = mailing("agenda", AGENDA);
    let text = text.replace("template =", "rehearse = 'Fri 17:00'\ntemplate =");
    let town = Town::at("2026-07-01T08:00:00Z", &[(name, text)]).await;
    town.publish_for("agenda", saturday());
    town
}

impl Town {
    /// The author changes one line of the article.
    fn the_article_changes(&self) {
        let week = Week::after(saturday().date_naive());
        let text = article(week).replacen("à 21h, concert à Pavie", "à 22h, concert à Pavie", 1);
        std::fs::write(self.dir.path().join("articles/agenda.html"), text).unwrap();
    }

    async fn state(&self) -> IssueState {
        self.issue(ISSUE).await.unwrap().state()
    }
}

#[tokio::test]
async fn f3_an_issue_is_rehearsed_for_staff_on_friday_and_sent_on_saturday() {
    let town = rehearsing_town().await;
    town.pass_at(at("2026-07-03T14:59:00Z")).await;
    assert!(town.issue(ISSUE).await.is_none());
    town.live_until(at("2026-07-04T05:59:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!(town.state().await, IssueState::Rehearsed);
    assert_eq!((town.mails("hotel@auch.example", ""), town.told("w28-rehearsed")), (0, 1));
    let mail = town.text_of(STAFF, "w28-rehearsed");
    for part in
        ["Répétition", "issues freeze agenda/2026-W28", "issues skip agenda/2026-W28", "samedi 4 juillet 2026 à 8"]
    {
        assert!(mail.contains(part), "{part} is not in\n{mail}");
    }
    town.live_until(at("2026-07-04T09:00:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!(town.state().await, IssueState::Done);
    assert_eq!((town.mails("hotel@auch.example", ""), town.told("w28-changed")), (1, 0));
    assert_eq!(town.diary("agenda").await, ["2026-07-04T08:00 done"]);
}

#[tokio::test]
async fn a_reread_rehearses_anew_once_also_after_a_restart() {
    let town = rehearsing_town().await;
    town.live_until(at("2026-07-03T16:00:00Z"), TimeDelta::minutes(30)).await;
    let hash = async |town: &Town| town.issue(ISSUE).await.unwrap().content_hash().unwrap().to_owned();
    let first = hash(&town).await;
    town.the_article_changes();
    town.pass_at(at("2026-07-03T16:10:00Z")).await;
    assert_eq!(hash(&town).await, first, "nobody asked");
    town.pass_at(at("2026-07-03T16:20:00Z")).await;
    reread(&town.engine(), &claire(), "agenda").await.unwrap();
    // The daemon is stopped before it comes to it.
    let town = town.restarted().await;
    town.pass_at(at("2026-07-03T16:21:00Z")).await;
    let second = hash(&town).await;
    assert_ne!(second, first);
    // That was that: what wakes it now reads nothing.
    town.publish_for("agenda", saturday());
    let mut waiting = town.occurrences("agenda").await.pop().unwrap();
    waiting.next_try = town.clock.now();
    assert!(town.engine().store.settle_occurrence(&waiting).await.unwrap());
    town.pass_at(at("2026-07-03T16:30:00Z")).await;
    assert_eq!((hash(&town).await, town.state().await), (second, IssueState::Rehearsed));
}

/// The rehearsal was taken out of the file meanwhile: nothing is left that keeps the issue for its hour.
#[tokio::test]
async fn a_reread_never_sends_before_the_hour() {
    let mut town = rehearsing_town().await;
    town.live_until(at("2026-07-03T16:00:00Z"), TimeDelta::minutes(30)).await;
    town.reschedule("agenda", AGENDA).await;
    reread(&town.engine(), &claire(), "agenda").await.unwrap();
    town.live_until(at("2026-07-04T05:59:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!((town.state().await, town.mails("hotel@auch.example", "")), (IssueState::Rehearsed, 0));
    town.live_until(at("2026-07-04T09:00:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!((town.state().await, town.mails("hotel@auch.example", "")), (IssueState::Done, 1));
}

#[tokio::test]
async fn f3_changes_since_the_rehearsal_are_sent_and_reported() {
    let town = rehearsing_town().await;
    town.live_until(at("2026-07-03T16:00:00Z"), TimeDelta::minutes(30)).await;
    town.the_article_changes();
    town.live_until(at("2026-07-04T09:00:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!((town.state().await, town.told("w28-changed")), (IssueState::Done, 1));
    let told = town.text_of(STAFF, "w28-changed");
    assert!(told.contains("− 21 h") && told.contains("+ 22 h") && !told.contains("SEMAINIER"), "{told}");
    assert!(town.text_of("hotel@auch.example", "").contains("22 h"), "the new hour left");
}

#[tokio::test]
async fn f3_approved_rehearsed_content_is_sent_even_if_the_site_changes() {
    let town = rehearsing_town().await;
    town.live_until(at("2026-07-03T16:00:00Z"), TimeDelta::minutes(30)).await;
    let rehearsed = town.issue(ISSUE).await.unwrap().content_hash().unwrap().to_owned();
    issues::approve(&town.engine(), &claire(), &key(), Some(&rehearsed)).await.unwrap();
    town.nothing_published("agenda");
    town.live_until(at("2026-07-04T09:00:00Z"), TimeDelta::minutes(30)).await;
    let issue = town.issue(ISSUE).await.unwrap();
    assert_eq!((issue.state(), issue.content_hash()), (IssueState::Done, Some(&*rehearsed)));
    assert_eq!((issue.approved_by(), town.told("held"), town.told("changed")), (Some("Claire"), 0, 0));
    assert_eq!(town.mails("hotel@auch.example", ""), 1);
}

/// I4: nothing stale leaves by itself; a person may let it.
#[tokio::test]
async fn f3_a_rehearsed_issue_without_an_article_at_its_hour_is_held_and_can_be_approved() {
    let town = rehearsing_town().await;
    town.live_until(at("2026-07-03T16:00:00Z"), TimeDelta::minutes(30)).await;
    town.nothing_published("agenda");
    town.live_until(at("2026-07-04T08:00:00Z"), TimeDelta::minutes(15)).await;
    assert_eq!((town.state().await, town.told("w28-held")), (IssueState::Held, 1));
    assert_eq!(town.mails("hotel@auch.example", ""), 0);
    // The article comes back, and it leaves by itself.
    town.publish_for("agenda", saturday());
    town.live_until(at("2026-07-04T09:00:00Z"), TimeDelta::minutes(15)).await;
    assert_eq!((town.state().await, town.mails("hotel@auch.example", "")), (IssueState::Done, 1));

    let town = rehearsing_town().await;
    town.live_until(at("2026-07-03T16:00:00Z"), TimeDelta::minutes(30)).await;
    town.nothing_published("agenda");
    town.live_until(at("2026-07-04T08:00:00Z"), TimeDelta::minutes(15)).await;
    issues::approve(&town.engine(), &claire(), &key(), None).await.unwrap();
    town.live_until(at("2026-07-04T09:00:00Z"), TimeDelta::minutes(15)).await;
    assert_eq!((town.state().await, town.mails("hotel@auch.example", "")), (IssueState::Done, 1));
}

#[tokio::test]
async fn f3_a_rehearsal_without_an_article_notifies_on_friday_and_keeps_retrying() {
    let town = rehearsing_town().await;
    town.nothing_published("agenda");
    town.live_until(at("2026-07-03T16:00:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!((town.state().await, town.told("w28-held")), (IssueState::Held, 1));
    town.publish_for("agenda", saturday());
    town.live_until(at("2026-07-03T17:00:00Z"), TimeDelta::minutes(15)).await;
    assert_eq!((town.state().await, town.told("w28-rehearsed")), (IssueState::Rehearsed, 1));
    assert_eq!(town.mails("hotel@auch.example", ""), 0, "not before its hour");
    town.live_until(at("2026-07-04T06:30:00Z"), TimeDelta::minutes(15)).await;
    assert_eq!((town.state().await, town.mails("hotel@auch.example", "")), (IssueState::Done, 1));
}

#[tokio::test]
async fn f3_a_coming_issue_can_be_skipped_and_unskipped_until_its_hour() {
    for taken_back in [false, true] {
        let town = rehearsing_town().await;
        issues::skip(&town.engine(), &claire(), &key(), "fête annulée").await.unwrap();
        assert!(issues::skip(&town.engine(), &claire(), &key(), "encore").await.is_err(), "said before");
        town.live_until(at("2026-07-03T18:00:00Z"), TimeDelta::minutes(30)).await;
        if taken_back {
            issues::unskip(&town.engine(), &claire(), &key()).await.unwrap();
        }
        town.live_until(at("2026-07-04T09:00:00Z"), TimeDelta::minutes(30)).await;
        let (state, reason) = town.last("agenda").await;
        assert_eq!(town.mails("hotel@auch.example", ""), usize::from(taken_back));
        match taken_back {
            true => assert_eq!(state, OccurrenceState::Done),
            false => {
                assert_eq!(state, OccurrenceState::Skipped);
                assert!(reason.contains("Claire") && reason.contains("fête annulée"), "{reason}");
            }
        }
        assert!(issues::unskip(&town.engine(), &claire(), &key()).await.is_err(), "its hour is over");
        // The week after is none of it.
        town.publish_for("agenda", at("2026-07-11T06:00:00Z"));
        town.live_until(at("2026-07-11T09:00:00Z"), TimeDelta::hours(1)).await;
        assert_eq!(town.last("agenda").await.0, OccurrenceState::Done);
    }
}

#[tokio::test]
async fn f3_a_rehearsed_issue_that_is_skipped_or_cancelled_is_not_sent() {
    for cancelled in [false, true] {
        let town = rehearsing_town().await;
        town.live_until(at("2026-07-03T16:00:00Z"), TimeDelta::minutes(30)).await;
        match cancelled {
            true => issues::cancel(&town.engine(), &claire(), &key()).await.unwrap(),
            false => issues::skip(&town.engine(), &claire(), &key(), "").await.unwrap(),
        }
        assert!(issues::approve(&town.engine(), &claire(), &key(), None).await.is_err());
        town.live_until(at("2026-07-04T09:00:00Z"), TimeDelta::minutes(30)).await;
        assert_eq!((town.state().await, town.mails("hotel@auch.example", "")), (IssueState::Cancelled, 0));
    }
}

#[tokio::test]
async fn f3_cancelling_an_issue_before_it_is_composed_prevents_sending() {
    let town = rehearsing_town().await;
    issues::cancel(&town.engine(), &claire(), &key()).await.unwrap();
    town.live_until(at("2026-07-04T09:00:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!((town.last("agenda").await.0, town.mails("hotel@auch.example", "")), (OccurrenceState::Skipped, 0));
    let unknown = IssueKey::parse("agenda/2026-W02").unwrap();
    assert!(issues::cancel(&town.engine(), &claire(), &unknown).await.is_err(), "no Saturday of July or August");
}

#[tokio::test]
async fn f3_a_person_can_rehearse_at_any_time() {
    let town = Town::at("2026-07-01T08:00:00Z", &[mailing("agenda", AGENDA)]).await;
    town.publish_for("agenda", saturday());
    let rehearsed = issues::rehearse(&town.engine(), &claire(), &key()).await.unwrap();
    assert!(matches!(rehearsed, Rehearsed::Kept { leaves_at, .. } if leaves_at == saturday()), "{rehearsed:?}");
    town.pass_at(at("2026-07-01T09:00:00Z")).await;
    assert_eq!((town.state().await, town.told("w28-rehearsed")), (IssueState::Rehearsed, 1));
    town.live_until(at("2026-07-04T09:00:00Z"), TimeDelta::hours(1)).await;
    assert_eq!((town.state().await, town.mails("hotel@auch.example", "")), (IssueState::Done, 1));
}
