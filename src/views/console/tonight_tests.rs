use super::*;
use crate::domain::issue::{Counts, Stage};
use crate::views::readiness::fixtures;

const ZONE: Tz = Tz::Europe__Paris;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Friday evening; the agenda leaves on Saturday at eight.
fn friday() -> Before {
    let now = at("2026-07-03T18:00:00Z");
    let daemon = crate::store::Daemon { relay: None, ..fixtures::daemon("2026-07-03T17:59:30Z") };
    Before {
        now,
        zone: ZONE,
        facts: Facts { now, ..fixtures::facts(vec![daemon]) },
        relay: true,
        staff: 2,
        doubtful: false,
        next: vec![agenda()],
    }
}

fn agenda() -> Next {
    Next {
        key: IssueKey::new("agenda", "2026-W28"),
        title: "Que faire à Auch".to_owned(),
        at: at("2026-07-04T06:00:00Z"),
        rehearsal: None,
        issue: Some(issue(Stage::Rehearsed { content_hash: "c0ffee".to_owned() })),
        content: Some(Known {
            events: Some(41),
            unplaced: 0,
            warnings: 0,
            documents: 2,
            html_bytes: 40_000,
            corrections: Corrections::default(),
            exceptions: Vec::new(),
        }),
        asked: None,
        skip: None,
        audience: 214,
        before: Some(210),
        sending: None,
    }
}

fn issue(stage: Stage) -> IssueSummary {
    IssueSummary {
        key: IssueKey::new("agenda", "2026-W28"),
        mailing: "agenda".to_owned(),
        stage,
        scheduled_for: at("2026-07-04T06:00:00Z"),
        expires_at: at("2026-07-04T18:00:00Z"),
        subject: None,
        counts: Counts::default(),
        resumed: None,
        canary: None,
        half_approved_by: None,
    }
}

fn answer(before: &Before) -> (Level, String) {
    let verdict = before.verdict();
    let worst = verdict.items.first().filter(|_| verdict.level > Level::Good);
    let worst = worst.map(|item| item.sentence(before.now, ZONE)).unwrap_or_default();
    let (answer, details) = wording::verdict(verdict.level, verdict.departure.as_ref(), &worst, None, before.now, ZONE);
    (verdict.level, format!("{answer} {details}"))
}

#[test]
fn one_may_sleep_when_everything_is_looked_at_and_well() {
    let (level, said) = answer(&friday());
    assert_eq!(level, Level::Good);
    assert!(
        said.starts_with("Vous pouvez dormir. «\u{a0}Que faire à Auch\u{a0}» part demain à 8\u{a0}h à 214"),
        "{said}"
    );
}

#[test]
fn the_worst_check_decides_and_says_why() {
    let mut unplaced = friday();
    unplaced.next[0].content = Some(Known { unplaced: 3, warnings: 3, ..agenda().content.unwrap() });
    let (level, said) = answer(&unplaced);
    assert_eq!(level, Level::Look);
    assert!(said.contains("3 annonces n’ont pas trouvé leur jour") && said.contains("214 partenaires"), "{said}");
    assert!(!said.contains("remarques"), "each line without a day is told once");

    let asked = Some(("Bruno".to_owned(), "il manque le marché.".to_owned()));
    let asked = Before { next: vec![Next { asked, ..agenda() }], ..friday() };
    let (level, said) = answer(&asked);
    assert_eq!(level, Level::Look);
    assert!(said.contains("Bruno a demandé une correction\u{a0}: il manque le marché. "), "{said}");

    let mut unread = friday();
    (unread.next[0].issue, unread.next[0].content) = (None, None);
    assert_eq!(answer(&unread).0, Level::NotKnown);

    let mut held = friday();
    let stage = Stage::Held { reason: "l’article parle d’une autre semaine".to_owned(), content_hash: None };
    held.facts.issues = vec![issue(stage.clone())];
    held.next[0].issue = Some(issue(stage));
    let (level, said) = answer(&held);
    assert_eq!(level, Level::WillNotGo);
    assert!(said.starts_with("Il ne partira pas en l’état.") && said.contains("une autre semaine"), "{said}");

    let mut silent = friday();
    silent.facts.daemons.clear();
    assert_eq!(answer(&silent).0, Level::WillNotGo);
    let nobody = Before { next: vec![Next { audience: 0, ..agenda() }], ..friday() };
    assert_eq!(answer(&nobody).0, Level::WillNotGo);
    let fewer = Before { next: vec![Next { audience: 150, ..agenda() }], ..friday() };
    assert_eq!(answer(&fewer).0, Level::Look);
}

#[test]
fn what_waits_for_next_week_does_not_stop_tonight() {
    let mut before = friday();
    let stage = Stage::Held { reason: "rien".to_owned(), content_hash: None };
    let later = at("2026-07-07T07:00:00Z");
    before.facts.issues =
        vec![IssueSummary { key: IssueKey::new("newsletter", "2026-07"), scheduled_for: later, ..issue(stage) }];
    assert_eq!(answer(&before).0, Level::Look);
}

#[test]
fn what_a_person_does_not_want_to_leave_is_no_alarm() {
    let skip = Skip {
        issue: IssueKey::new("agenda", "2026-W28"),
        why: "fermeture".to_owned(),
        by: "Claire".to_owned(),
        at: at("2026-07-03T10:00:00Z"),
    };
    let before = Before { next: vec![Next { skip: Some(skip), issue: None, content: None, ..agenda() }], ..friday() };
    let verdict = before.verdict();
    assert_eq!(verdict.level, Level::Good);
    assert!(verdict.items.iter().any(|item| item.sentence(before.now, ZONE).contains("Claire ne veut pas")));
}
