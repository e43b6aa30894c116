//! `second_person`: two persons stand for what leaves, through the actions of the command line and the console.

use crate::support::{
    house::{BOTH, House},
    town::{Town, at, mailing},
};
use chrono::TimeDelta;
use semainier::{
    actions::{Actor, Door, issues},
    domain::issue::{IssueKey, IssueState},
};

const AGENDA: &str = "cron = '0 8 * 7,8 SAT'\ncatch_up = '12h'\ndeadline = 'Sat 20:00'\nretry = '15min'";
const ISSUE: &str = "agenda/2026-W28";

#[tokio::test]
async fn an_issue_leaves_once_a_second_person_has_approved_it() {
    let (name, text) = mailing("agenda", AGENDA);
    let text =
        text.replace("template =", "approval = 'required'\nsecond_person = true\ncompose_before = '2d'\ntemplate =");
    let town = Town::at("2026-07-01T08:00:00Z", &[(name, text)]).await;
    town.publish_for("agenda", at("2026-07-04T06:00:00Z"));
    town.live_until(at("2026-07-03T10:00:00Z"), TimeDelta::hours(1)).await;
    let key = IssueKey::parse(ISSUE).unwrap();
    let approve = async |name: &str, door: Door| {
        let who = Actor::new(name, door).unwrap();
        issues::approve(&town.engine(), &who, &key, None).await.unwrap()
    };
    let first = approve("Claire", Door::CommandLine).await;
    assert!(first.needs_second && !first.leaves_now);
    assert_eq!(
        (first.issue.state(), first.issue.half_approved_by.as_deref()),
        (IssueState::AwaitingApproval, Some("Claire"))
    );
    assert!(approve(" CLAIRE", Door::Console).await.needs_second, "she is not two");
    town.live_until(at("2026-07-04T08:00:00Z"), TimeDelta::minutes(30)).await;
    let held = town.issue(ISSUE).await.unwrap();
    assert_eq!((held.state(), town.mails("hotel@auch.example", "")), (IssueState::Held, 0));
    let by = held.half_approved_by.unwrap_or_default();
    assert_eq!(by.to_lowercase(), "claire", "her word is kept");
    let second = approve("Marc", Door::Console).await;
    assert!(!second.needs_second && second.leaves_now);
    town.live_until(at("2026-07-04T09:00:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!((town.issue(ISSUE).await.unwrap().state(), town.mails("hotel@auch.example", "")), (IssueState::Done, 1));
}

#[test]
fn check_refuses_a_second_person_where_there_are_not_two() {
    for on in BOTH {
        let house = House::on(on);
        let job = std::fs::read_to_string(house.path("jobs/agenda.toml")).unwrap();
        house.write("jobs/agenda.toml", format!("second_person = true\n{job}"));
        let done = house.semainier(&["check", "--offline"]);
        assert!(
            format!("{}{}", done.stdout, done.stderr).contains("second_person: only where approval = \"required\"")
        );
        let job = job.replace("approval   = \"automatic\"", "approval   = \"required\"\nsecond_person = true");
        house.write("jobs/agenda.toml", job);
        house.import_many(1);
        let problem =
            |n: usize| format!("agenda.toml: second_person: expected two active accounts that may approve, found {n}");
        house.semainier(&["check", "--offline"]).expect(1).expect_said(&[&problem(0)]);
        for (name, roles) in [("claire", "validation"), ("marc", "validation,lecture"), ("zoe", "lecture")] {
            house.semainier(&["users", "add", &format!("{name}@ot.test"), "--name", name, "--role", roles]).expect(0);
        }
        house.semainier(&["check", "--offline"]).expect(1).expect_said(&[&problem(0)]);
        house.sql("UPDATE users SET password = 'x'; UPDATE users SET disabled_at = 1 WHERE name = 'marc'");
        house.semainier(&["check", "--offline"]).expect(1).expect_said(&[&problem(1)]);
        house.sql("UPDATE users SET disabled_at = NULL");
        let done = house.semainier(&["check", "--offline"]);
        assert!(!done.stdout.contains("second_person"), "{}", done.stdout);
    }
}
