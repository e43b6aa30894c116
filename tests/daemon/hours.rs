//! S1 to S10 through the daemon's own pass: what is sent, what is not, and who is notified.

use crate::support::town::{Town, article, at, mailing};
use chrono::TimeDelta;
use semainier::{
    domain::{
        agenda::Week,
        issue::{IssueKey, IssueState},
    },
    store::OccurrenceState,
};

const AGENDA: &str = "cron = '0 8 * 7,8 SAT'\ncatch_up = '12h'\ndeadline = 'Sat 20:00'\nretry = '15min'";

async fn agenda_town() -> Town {
    let town = Town::at("2026-07-01T08:00:00Z", &[mailing("agenda", AGENDA)]).await;
    town.publish_for("agenda", at("2026-07-04T06:00:00Z"));
    town
}

#[tokio::test]
async fn on_saturday_at_eight_the_agenda_is_sent_once_without_notices() {
    let town = agenda_town().await;
    town.pass_at(at("2026-07-04T05:59:59Z")).await;
    assert_eq!(town.diary("agenda").await, [""; 0]);
    town.live_until(at("2026-07-04T12:00:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!(town.diary("agenda").await, ["2026-07-04T08:00 done"]);
    let issue = town.issue("agenda/2026-W28").await.unwrap();
    assert_eq!((issue.state(), issue.counts.sent, issue.counts.total()), (IssueState::Done, 2, 2));
    assert_eq!((town.mails("hotel@auch.example", ""), town.told("agenda")), (1, 0));
}

#[tokio::test]
async fn c06_an_occurrence_is_sent_three_hours_late_and_missed_with_a_notice_thirty_hours_late() {
    let town = agenda_town().await;
    town.pass_at(at("2026-07-04T09:00:00Z")).await;
    assert_eq!(town.diary("agenda").await, ["2026-07-04T08:00 done"]);

    town.pass_at(at("2026-07-12T12:00:00Z")).await;
    let (state, reason) = town.last("agenda").await;
    assert_eq!(state, OccurrenceState::Missed);
    assert_eq!(reason, "le service n’a pu s’en occuper que 30 h après l’heure prévue");
    assert_eq!(town.told("agenda-2026-w29-missed"), 1);
    assert!(town.issue("agenda/2026-W29").await.is_none());
}

#[tokio::test]
async fn a_missing_article_is_retried_with_a_notice_and_expires_at_the_deadline() {
    let town = agenda_town().await;
    town.nothing_published("agenda");
    town.pass_at(at("2026-07-04T06:00:00Z")).await;
    assert_eq!(town.issue("agenda/2026-W28").await.unwrap().state(), IssueState::Held);
    town.live_until(at("2026-07-04T17:59:00Z"), TimeDelta::minutes(20)).await;
    assert_eq!((town.told("w28-held"), town.told("w28-expired")), (1, 0));
    town.live_until(at("2026-07-04T18:01:00Z"), TimeDelta::minutes(1)).await;
    assert_eq!(town.issue("agenda/2026-W28").await.unwrap().state(), IssueState::Expired);
    assert_eq!(town.last("agenda").await.0, OccurrenceState::Missed);
    assert_eq!(town.told("w28-expired"), 1);
    // Too late: it is of no use any more.
    town.publish_for("agenda", at("2026-07-04T06:00:00Z"));
    town.live_until(at("2026-07-05T12:00:00Z"), TimeDelta::hours(1)).await;
    assert_eq!((town.mails("hotel@auch.example", ""), town.told("agenda")), (0, 2));
}

#[tokio::test]
async fn a_late_article_is_sent_and_the_end_of_the_hold_is_notified() {
    let town = agenda_town().await;
    // Last week's is still there.
    town.publish("agenda", &article(Week::of("2026-06-29".parse().unwrap())));
    town.pass_at(at("2026-07-04T06:00:00Z")).await;
    let held = town.issue("agenda/2026-W28").await.unwrap();
    assert!(held.reason().unwrap().contains("parle de la semaine du lundi 29 juin"));
    town.publish_for("agenda", at("2026-07-04T06:00:00Z"));
    town.live_until(at("2026-07-04T06:14:00Z"), TimeDelta::minutes(1)).await;
    assert_eq!(town.mails("hotel@auch.example", ""), 0, "not before the next try");
    town.live_until(at("2026-07-04T06:16:00Z"), TimeDelta::minutes(1)).await;
    assert_eq!((town.mails("hotel@auch.example", ""), town.told("w28-held"), town.told("w28-resolved")), (1, 1, 1));
}

#[tokio::test]
async fn s6_an_edited_schedule_never_fires_for_the_past_and_repeats_no_issue() {
    let mut town = agenda_town().await;
    town.pass_at(at("2026-07-04T06:00:00Z")).await;
    // At half past eight somebody wants nine: the agenda is out already.
    town.clock.advance(TimeDelta::minutes(30));
    town.reschedule("agenda", &AGENDA.replace("0 8", "0 9")).await;
    town.live_until(at("2026-07-04T08:00:00Z"), TimeDelta::minutes(15)).await;
    assert_eq!(town.diary("agenda").await, ["2026-07-04T08:00 done", "2026-07-04T09:00 done"]);
    assert_eq!(town.mails("hotel@auch.example", ""), 1);

    // The week after, at ten, somebody wants eleven, then seven: that hour is over, and stays so.
    town.publish_for("agenda", at("2026-07-11T06:00:00Z"));
    town.reschedule("agenda", &AGENDA.replace("0 8", "0 11")).await;
    town.live_until(at("2026-07-11T08:00:00Z"), TimeDelta::hours(1)).await;
    town.reschedule("agenda", &AGENDA.replace("0 8", "0 7")).await;
    town.live_until(at("2026-07-11T20:00:00Z"), TimeDelta::hours(1)).await;
    let diary = ["2026-07-04T08:00 done", "2026-07-04T09:00 done", "2026-07-04T11:00 done"];
    assert_eq!(town.diary("agenda").await, diary);
    assert_eq!((town.mails("hotel@auch.example", ""), town.told("agenda")), (1, 0));
}

#[tokio::test]
async fn a_late_occurrence_after_an_edit_raises_no_alarm_if_its_issue_was_sent() {
    let mut town = agenda_town().await;
    town.pass_at(at("2026-07-04T06:00:00Z")).await;
    town.reschedule("agenda", &AGENDA.replace("0 8", "0 9")).await;
    town.pass_at(at("2026-07-04T06:30:00Z")).await;
    // The machine was off over nine o'clock and the whole day.
    town.pass_at(at("2026-07-05T12:00:00Z")).await;
    assert_eq!(town.last("agenda").await, (OccurrenceState::Done, "ce numéro était déjà parti".to_owned()));
    assert_eq!(town.told("agenda"), 0);
}

#[tokio::test]
async fn c01_a_clock_two_days_ahead_sends_no_burst_and_c02_two_hours_back_repeats_nothing() {
    let daily = mailing("daily", "cron = '0 8 * * *'\ncatch_up = '12h'\ndeadline = '10h'");
    let town = Town::at("2026-07-04T05:00:00Z", &[daily]).await;
    town.publish_for("daily", at("2026-07-06T06:00:00Z"));
    town.pass_at(at("2026-07-06T06:30:00Z")).await;
    assert_eq!(
        town.diary("daily").await,
        ["2026-07-04T08:00 missed", "2026-07-05T08:00 missed", "2026-07-06T08:00 done"]
    );
    assert_eq!(town.mails("hotel@auch.example", ""), 1);
    let before = town.occurrences("daily").await;
    town.pass_at(at("2026-07-06T04:30:00Z")).await;
    town.live_until(at("2026-07-06T10:00:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!(town.occurrences("daily").await, before);
    assert_eq!(town.mails("hotel@auch.example", ""), 1);
    // And time goes on.
    town.publish_for("daily", at("2026-07-13T06:00:00Z"));
    town.live_until(at("2026-07-13T06:30:00Z"), TimeDelta::hours(1)).await;
    assert_eq!(town.last("daily").await.0, OccurrenceState::Done);
}

#[tokio::test]
async fn s3_after_a_long_downtime_the_newest_is_sent_and_the_others_are_reported() {
    let weekly = mailing("weekly", "cron = '0 8 * * MON'\ncatch_up = '30d'\ndeadline = '10d'");
    let town = Town::at("2026-06-30T08:00:00Z", &[weekly]).await;
    town.publish_for("weekly", at("2026-07-20T06:00:00Z"));
    town.pass_at(at("2026-07-21T08:00:00Z")).await;
    assert_eq!(
        town.diary("weekly").await,
        ["2026-07-06T08:00 coalesced", "2026-07-13T08:00 coalesced", "2026-07-20T08:00 done"]
    );
    assert_eq!((town.told("w29-missed"), town.told("w30-missed"), town.told("missed")), (1, 1, 2));
}

#[tokio::test]
async fn with_coalesce_all_every_occurrence_is_published_in_order() {
    let weekly = mailing("weekly", "cron = '0 8 * * MON'\ncatch_up = '30d'\ndeadline = '20d'\ncoalesce = 'all'");
    let town = Town::at("2026-06-30T08:00:00Z", &[weekly]).await;
    town.publish_for("weekly", at("2026-07-06T06:00:00Z"));
    town.pass_at(at("2026-07-14T08:00:00Z")).await;
    assert_eq!(town.diary("weekly").await, ["2026-07-06T08:00 done", "2026-07-13T08:00 pending"]);
    town.publish_for("weekly", at("2026-07-13T06:00:00Z"));
    town.live_until(at("2026-07-14T09:00:00Z"), TimeDelta::minutes(1)).await;
    assert_eq!(town.diary("weekly").await, ["2026-07-06T08:00 done", "2026-07-13T08:00 done"]);
    assert_eq!(town.mails("hotel@auch.example", ""), 2);
}

#[tokio::test]
async fn a_held_issue_that_a_person_cancels_is_not_tried_again() {
    let town = agenda_town().await;
    town.nothing_published("agenda");
    town.pass_at(at("2026-07-04T06:00:00Z")).await;
    let key = IssueKey::new("agenda", "2026-W28");
    let now = town.clock.now();
    town.engine().store.set_issue_state(&key, &[IssueState::Held], IssueState::Cancelled, None, now).await.unwrap();
    town.publish_for("agenda", at("2026-07-04T06:00:00Z"));
    town.live_until(at("2026-07-04T10:00:00Z"), TimeDelta::minutes(15)).await;
    let cancelled = (OccurrenceState::Missed, "une personne a annulé ce numéro".to_owned());
    assert_eq!((town.last("agenda").await, town.mails("hotel@auch.example", "")), (cancelled, 0));
}

#[tokio::test]
async fn a_removed_mailing_leaves_no_open_occurrence() {
    let town = agenda_town().await;
    town.nothing_published("agenda");
    town.pass_at(at("2026-07-04T06:00:00Z")).await;
    town.reload(|app| app.mailings.clear()).await;
    town.live_until(at("2026-07-04T07:00:00Z"), TimeDelta::minutes(15)).await;
    assert_eq!(town.last("agenda").await, (OccurrenceState::Missed, "l’envoi n’est plus configuré".to_owned()));
}

#[tokio::test]
async fn a_pass_that_finds_nothing_writes_nothing() {
    let town = agenda_town().await;
    let file = town.dir.path().join("semainier.db-wal");
    let written = || (file.metadata().unwrap().len(), file.metadata().unwrap().modified().unwrap());
    town.pass_at(at("2026-07-01T08:01:00Z")).await;
    let before = written();
    town.live_until(at("2026-07-01T09:00:00Z"), TimeDelta::minutes(1)).await;
    assert_eq!(written(), before);
}

#[tokio::test]
async fn l6_invalid_links_and_bidirectional_controls_are_removed() {
    let town = Town::at("2026-07-04T05:00:00Z", &[mailing("agenda", AGENDA)]).await;
    let html = article(Week::after("2026-07-04".parse().unwrap()));
    let evil = "<li>à 22h, <a href='JaVaScRiPt:alert(1)'>bal&#x202e; rock</a> à Pavie</li>\
                <li>à 23h, <a href='//evil.example/x'>bal&#x2028;folk</a> à Pavie</li>\
                <li>à 23h30, <a href='https://good.example/x'>bal&#x2066; musette</a> à Pavie</li></ul>";
    town.publish("agenda", &html.replacen("</ul>", evil, 1));
    town.pass_at(at("2026-07-04T06:00:00Z")).await;
    assert_eq!(town.issue("agenda/2026-W28").await.unwrap().state(), IssueState::Done);
    let content = town.engine().store.content(&IssueKey::parse("agenda/2026-W28").unwrap()).await.unwrap().unwrap();
    let all = [content.subject, content.html, content.text, content.data].concat();
    assert!(all.contains("good.example") && all.to_lowercase().contains("musette"));
    for trace in ["alert", "evil.example", "\u{202e}", "\u{2066}", "\u{2028}", "\\u202e", "\\u2028"] {
        assert!(!all.to_lowercase().contains(trace), "{trace:?} is in {all}");
    }
}
