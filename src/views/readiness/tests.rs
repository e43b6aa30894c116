//! Tests of the verdict, and fixtures for the tests of other views.

use super::*;
use crate::domain::{
    issue::{Counts, Frozen, Stage},
    notice::Notice,
};
use crate::store::RelayLeftAlone;
use crate::store::webhooks::DisabledWhy;
use chrono_tz::Tz;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const ZONE: Tz = Tz::Europe__Paris;

/// Whose relay is in trouble for ten minutes.
pub fn daemon(seen_at: &str) -> Daemon {
    let relay = RelayLeftAlone {
        trouble: "auth: 535 no".to_owned(),
        since: at("2026-07-04T05:55:00Z"),
        until: at("2026-07-04T06:10:00Z"),
    };
    Daemon {
        owner: "a".to_owned(),
        host: "bureau".to_owned(),
        pid: 7,
        version: "0.1.0".to_owned(),
        started_at: at("2026-07-03T10:00:00Z"),
        seen_at: at(seen_at),
        relay: Some(relay),
    }
}

fn well() -> Vec<Daemon> {
    vec![Daemon { relay: None, ..daemon("2026-07-04T06:04:30Z") }]
}

pub fn issue(stage: Stage, unknown: u64) -> IssueSummary {
    IssueSummary {
        key: key(),
        mailing: "agenda".to_owned(),
        stage,
        scheduled_for: at("2026-07-04T06:00:00Z"),
        expires_at: at("2026-07-04T18:00:00Z"),
        subject: None,
        counts: Counts { unknown, sent: 3, ..Counts::default() },
        resumed: None,
        canary: None,
        half_approved_by: None,
    }
}

fn key() -> IssueKey {
    IssueKey::new("agenda", "2026-W28")
}

fn frozen() -> Frozen {
    Frozen { at: at("2026-07-04T06:00:00Z"), content_hash: None, approved_by: None }
}

pub fn sending() -> Stage {
    Stage::Sending(frozen())
}

fn held(content_hash: Option<String>) -> Stage {
    Stage::Held { reason: "aucun article".to_owned(), content_hash }
}

/// Saturday, five minutes after the hour.
pub fn facts(daemons: Vec<Daemon>) -> Facts {
    Facts {
        now: at("2026-07-04T06:05:00Z"),
        daemons,
        issues: vec![],
        lanes: vec![],
        occurrences: vec![],
        pending_notices: vec![],
        webhooks: Vec::new(),
        refused_us: None,
        mass_bounces: Vec::new(),
        mailboxes: Vec::new(),
        silent: vec![],
        disk: None,
        last_backup: None,
        disk_free_percent: 5,
        backup_max_age: TimeDelta::days(8),
    }
}

fn kinds(facts: &Facts) -> Vec<&'static str> {
    facts.readiness().findings.iter().map(Finding::kind).collect()
}

#[test]
fn required_actions_are_listed_with_the_suggested_command() {
    let of = |daemons: Vec<Daemon>, issue: IssueSummary| Facts { issues: vec![issue], ..facts(daemons) };
    let whys = |facts: Facts| {
        let found = facts.readiness();
        found.waiting().map(|it| (it.in_english(ZONE), it.help(ZONE))).collect::<Vec<_>>()
    };
    assert_eq!(whys(of(well(), issue(sending(), 0))), []);
    let said = whys(of(vec![daemon("2026-07-04T06:01:00Z")], issue(held(None), 0)));
    assert_eq!(said[0].1, "semainier serve");
    let held_until = "correct the article before 2026-07-04T20:00:00+02:00".to_owned();
    assert_eq!(said[1], ("held: aucun article".to_owned(), held_until));
    let hash = || "c0ffee".to_owned();
    let approved = Stage::Approved { content_hash: hash(), by: "Claire".to_owned(), held_for: None };
    assert_eq!(whys(of(well(), issue(approved, 0))), []);
    let help =
        "semainier issues show agenda/2026-W28, then semainier issues approve agenda/2026-W28 --by NAME".to_owned();
    let why = "awaits approval until 2026-07-04T20:00:00+02:00".to_owned();
    for stage in [Stage::AwaitingApproval { content_hash: hash() }, held(Some(hash()))] {
        assert_eq!(whys(of(well(), issue(stage, 0))), [(why.clone(), help.clone())]);
    }
    let said = whys(of(well(), issue(Stage::Paused { frozen: frozen(), reason: None }, 2)));
    assert_eq!(said[0].1, "semainier issues resume agenda/2026-W28");
    assert_eq!(said[1].0, "2 unknown: the relay may or may not have them");
}

#[test]
fn an_approval_alerts_only_when_its_hour_is_near() {
    let facts = |now| Facts {
        now: at(now),
        issues: vec![issue(Stage::AwaitingApproval { content_hash: "c0ffee".to_owned() }, 0)],
        ..facts(vec![Daemon { seen_at: at(now), ..well().remove(0) }])
    };
    for (now, severity, alerts) in
        [("2026-07-03T06:00:00Z", Severity::Warning, false), ("2026-07-04T03:00:00Z", Severity::Critical, true)]
    {
        let verdict = facts(now).readiness();
        let found = &verdict.findings[0];
        assert_eq!((found.severity(), found.alerts()), (severity, alerts), "{found:?}");
        assert_eq!(verdict.waiting().count(), 1, "{now}");
    }
}

#[test]
fn a_paused_lane_needs_a_person_and_a_suspended_one_does_not() {
    let lane = |pace, until| LaneTrouble {
        lane: "orange".to_owned(),
        pace,
        why: "liste de blocage".to_owned(),
        since: at("2026-07-04T06:00:00Z"),
        until,
        issue: key(),
        only_issue: false,
        step: 0,
        per_minute: None,
    };
    let of = |lane| Facts { lanes: vec![lane], ..facts(well()) };
    assert_eq!(kinds(&of(lane(Pace::Suspended, Some(at("2026-07-04T07:00:00Z"))))), [""; 0]);
    let found = of(lane(Pace::Paused, None)).readiness().findings.remove(0);
    assert_eq!((found.kind(), found.help(ZONE).as_str()), ("lane_paused", "semainier lanes resume orange"));
}

/// Trial F5: seen nowhere but in the log.
#[test]
fn trial_f05_a_failing_relay_and_unsent_notices_require_action_after_five_minutes() {
    let since = |minutes: i64| at("2026-07-04T06:05:00Z") - TimeDelta::minutes(minutes);
    let relay = |minutes| {
        let mut daemon = daemon("2026-07-04T06:04:30Z");
        daemon.relay.as_mut().unwrap().since = since(minutes);
        facts(vec![daemon])
    };
    assert_eq!(kinds(&relay(4)), [""; 0]);
    let verdict = relay(5).readiness();
    assert_eq!((verdict.blockers(), verdict.waiting().count()), (vec!["relay"], 1));
    assert_eq!(verdict.findings[0].since(), Some(since(5)));
    // One of two daemons gets through.
    let mut two = relay(60);
    two.daemons.push(Daemon { owner: "b".to_owned(), ..well().remove(0) });
    assert_eq!(kinds(&two), [""; 0]);
    // A daemon that is gone has no say about the relay.
    let mut gone = relay(60);
    gone.daemons[0].seen_at = since(4);
    assert_eq!(kinds(&gone), ["no_daemon"]);

    let pending = |minutes| PendingNotice {
        id: "held:agenda/2026-W28".to_owned(),
        issue: key(),
        notice: Notice::Unapproved,
        created_at: since(minutes),
    };
    let notices = |minutes| Facts { pending_notices: vec![pending(1), pending(minutes)], ..facts(well()) };
    assert_eq!(kinds(&notices(4)), [""; 0]);
    let verdict = notices(30).readiness();
    assert_eq!(verdict.findings, [Finding::NoticesPending { count: 1, since: since(30) }]);
    assert!(verdict.blockers().is_empty(), "the daemon works");
}

#[test]
fn a_disk_that_is_nearly_full_and_an_old_backup_are_findings() {
    let disk = |free| Facts { disk: Some((PathBuf::from("/var/lib"), Disk { free, size: 1000 })), ..facts(well()) };
    assert_eq!(kinds(&disk(50)), [""; 0]);
    assert_eq!(kinds(&disk(49)), ["disk_nearly_full"]);
    assert_eq!(kinds(&Facts { disk_free_percent: 0, ..disk(0) }), [""; 0], "switched off");
    let backup = |days| Facts { last_backup: Some(facts(vec![]).now - TimeDelta::days(days)), ..facts(well()) };
    assert_eq!(kinds(&backup(8)), [""; 0]);
    assert_eq!(kinds(&backup(9)), ["backup_old"]);
}

#[test]
fn the_record_of_a_backup_is_an_instant_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(last_backup(folder.path()), None);
    for (text, instant) in [
        ("2026-07-04T08:00:00+02:00\n", Some("2026-07-04T06:00:00Z")),
        ("2026-07-04T06:00:00Z", Some("2026-07-04T06:00:00Z")),
        ("yesterday", None),
        ("", None),
    ] {
        std::fs::write(folder.path().join(BACKUP_RECORD), text).unwrap();
        assert_eq!(last_backup(folder.path()), instant.map(at), "{text:?}");
    }
    assert!(Disk::of(folder.path()).is_some_and(|disk| disk.size > 0 && disk.free <= disk.size));
    assert_eq!(Disk::of(Path::new("/nowhere/at/all")), None);
}

#[test]
fn a_missed_occurrence_is_reported_for_three_days_without_requiring_action() {
    let missed = |now| Facts {
        now: at(now),
        occurrences: vec![Occurrence {
            mailing: "agenda".to_owned(),
            scheduled_for: at("2026-07-04T06:00:00Z"),
            local: "2026-07-04T08:00+02:00[Europe/Paris]".to_owned(),
            state: OccurrenceState::Missed,
            reason: Some("trop tard".to_owned()),
            issue: None,
            next_try: at("2026-07-04T06:00:00Z"),
        }],
        ..facts(vec![Daemon { seen_at: at(now), ..well().remove(0) }])
    };
    let verdict = missed("2026-07-06T06:00:00Z").readiness();
    assert_eq!((verdict.findings.len(), verdict.waiting().count()), (1, 0));
    assert!(verdict.findings[0].alerts());
    assert_eq!(kinds(&missed("2026-07-08T06:00:00Z")), [""; 0]);
}

#[test]
fn a_mailbox_that_refuses_the_login_is_a_finding_at_once_and_any_other_trouble_after_a_day() {
    let with = |trouble: &str, since: &str| {
        let failing = Some((at(since), trouble.to_owned()));
        let mailbox = MailboxState { name: "imap".to_owned(), read_at: None, failing };
        Facts { mailboxes: vec![mailbox], ..facts(well()) }
    };
    let refused = with("the login is refused: [AUTHENTICATIONFAILED] no", "2026-07-04T06:05:00Z");
    assert_eq!(kinds(&refused), ["mailbox_unread"]);
    let found = &refused.readiness().findings[0];
    assert!(found.in_french(ZONE).contains("refuse le mot de passe") && found.help(ZONE).contains("password_file"));
    assert_eq!(kinds(&with("no answer", "2026-07-03T06:06:00Z")), [""; 0]);
    assert_eq!(kinds(&with("no answer", "2026-07-03T06:05:00Z")), ["mailbox_unread"]);
}

#[test]
fn a_missing_mail_of_the_evening_before_is_a_finding_once_a_daemon_could_have_sent_it() {
    let silent = |pending: Option<&str>| Facts {
        silent: vec![Silent {
            issue: key(),
            due: at("2026-07-03T15:00:00Z"),
            leaves_at: at("2026-07-04T06:00:00Z"),
            pending_since: pending.map(at),
        }],
        ..facts(well())
    };
    let finding = silent(Some("2026-07-04T06:00:00Z")).readiness().findings.remove(0);
    assert_eq!((finding.key().as_str(), finding.severity()), ("silence:agenda/2026-W28", Severity::Critical));
    assert!(finding.alerts() && finding.in_french(ZONE).contains("vendredi 3 juillet 2026 à 17"));
    assert_eq!(kinds(&silent(Some("2026-07-04T06:00:01Z"))), [""; 0], "it is being sent");
    // Nothing is pending: the daemon did not get so far, unless it has just started.
    assert_eq!(kinds(&silent(None)), ["silence"]);
    let young = Daemon { started_at: at("2026-07-04T06:00:01Z"), ..well().remove(0) };
    assert_eq!(kinds(&Facts { daemons: vec![young], ..silent(None) }), [""; 0]);
}

/// Every kind there is.
fn all() -> Vec<Finding> {
    let now = facts(vec![]).now;
    let why = || "liste de blocage".to_owned();
    vec![
        Finding::NoDaemon { last_seen: None },
        Finding::RelayTrouble { trouble: "auth: 535 no".to_owned(), since: now },
        Finding::NoticesPending { count: 2, since: now },
        Finding::Silence { issue: key(), due: now, leaves_at: now },
        Finding::DiskNearlyFull { place: PathBuf::from("/var/lib"), disk: Disk { free: 1 << 20, size: 1 << 30 } },
        Finding::BackupOld { last: now },
        Finding::Held { issue: key(), reason: why(), until: now },
        Finding::AwaitingApproval { issue: key(), until: now, soon: true },
        Finding::Paused { issue: key(), reason: why() },
        Finding::Unknown { issue: key(), count: 2 },
        Finding::LanePaused { lane: "orange".to_owned(), issue: key(), only_issue: false, why: why() },
        Finding::WebhookOff {
            id: "w".to_owned(),
            host: "agence.example".to_owned(),
            since: now,
            why: DisabledWhy::Failing,
        },
        Finding::RefusedUs { count: 2, since: now, said: "5.7.1 DMARC".to_owned() },
        Finding::MassBounced {
            issue: key(),
            family: Some("orange".to_owned()),
            count: 60,
            since: now,
            said: "550 5.1.1".to_owned(),
        },
        Finding::MailboxUnread { since: now, trouble: "no such folder".to_owned() },
        Finding::Missed { mailing: "agenda".to_owned(), occurrence: "2026-07-04".to_owned(), reason: why() },
    ]
}

#[test]
fn a_webhook_that_is_gone_is_not_said_to_be_silent() {
    let off = |why| Finding::WebhookOff {
        id: "w".to_owned(),
        host: "agence.example".to_owned(),
        since: Timestamp::UNIX_EPOCH,
        why,
    };
    let said = |why| off(why).in_french(ZONE);
    assert!(said(DisabledWhy::Gone).contains("n’existe plus (410)"));
    assert!(said(DisabledWhy::Failing).contains("ne répond plus"));
}

#[test]
fn every_finding_is_worded_in_both_languages_and_has_a_unique_key() {
    let all = all();
    assert_eq!(all.iter().map(Finding::kind).collect::<Vec<_>>(), Finding::KINDS);
    let keys: std::collections::BTreeSet<_> = all.iter().map(Finding::key).collect();
    assert_eq!(keys.len(), all.len());
    for finding in all {
        let (french, english) = (finding.in_french(ZONE), finding.in_english(ZONE));
        assert!(french.ends_with('.') && !french.contains(" :") && !french.contains(" %"), "{french}");
        assert!(!english.is_empty() && !english.ends_with('.') && !finding.help(ZONE).is_empty(), "{finding:?}");
    }
}
