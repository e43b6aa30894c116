//! Every decision and its record in the audit are one transaction: where the record cannot be written nothing is decided.

use super::possible::{Desk, ISSUE, decide_it, put, sql};
use crate::support::town::STAFF;
use semainier::{
    actions::{self, Actor, Door, may::Act},
    app::Engine,
    domain::{
        email::EmailAddress,
        issue::{IssueKey, IssueState},
    },
    store::AuditFilter,
};

/// A state in which each can be decided, and the name of its record.
const DECISIONS: [(Act, IssueState, &str); 8] = [
    (Act::Approve, IssueState::AwaitingApproval, "issue.approve"),
    (Act::Refuse, IssueState::AwaitingApproval, "issue.refuse"),
    (Act::Withdraw, IssueState::Approved, "issue.withdraw"),
    (Act::Skip, IssueState::AwaitingApproval, "issue.skip"),
    (Act::Unskip, IssueState::AwaitingApproval, "issue.unskip"),
    (Act::Pause, IssueState::Sending, "issue.pause"),
    (Act::Resume, IssueState::Paused, "issue.resume"),
    (Act::Stop, IssueState::Paused, "issue.cancel"),
];

async fn recorded(engine: &Engine) -> Vec<String> {
    let filter = AuditFilter { limit: 50, ..AuditFilter::default() };
    engine.store.audit(&filter).await.unwrap().into_iter().map(|row| row.entry.action).collect()
}

/// What a decision changes.
async fn state(engine: &Engine) -> String {
    let key = IssueKey::parse(ISSUE).unwrap();
    let (issue, store) = (engine.store.issue(&key).await.unwrap().unwrap(), &engine.store);
    let approvals = store.approvals(&key).await.unwrap().into_iter().filter(|it| it.withdrawn_at.is_none()).count();
    let (refusals, skips) = (store.refusals(&key).await.unwrap().len(), store.skips().await.unwrap().len());
    format!("{}, {approvals} approvals, {refusals} refusals, {skips} skips", issue.state().as_str())
}

#[tokio::test]
async fn a_decision_and_its_record_are_kept_both_or_neither() {
    for postgres in [false, true] {
        let desk = Desk::on(postgres).await;
        let engine = desk.asking_for_approval(true);
        for (act, from, action) in DECISIONS {
            let case = format!("{act:?}, postgres {postgres}");
            let mut before = format!("DELETE FROM audit; {}", put(from, true));
            if act == Act::Unskip {
                before += &format!("INSERT INTO skips VALUES ('{ISSUE}', 'fête', 'Marc', 1);");
            }
            sql(&desk.url, &before).await;
            let untouched = state(&engine).await;
            // The record is refused, after the change was made.
            sql(&desk.url, "ALTER TABLE audit RENAME TO out_of_reach").await;
            decide_it(&engine, act).await.expect_err(&case);
            sql(&desk.url, "ALTER TABLE out_of_reach RENAME TO audit").await;
            assert_eq!(state(&engine).await, untouched, "{case}");
            assert!(recorded(&engine).await.is_empty(), "{case}");

            decide_it(&engine, act).await.unwrap_or_else(|why| panic!("{case}: {why:?}"));
            assert_ne!(state(&engine).await, untouched, "{case}");
            assert_eq!(recorded(&engine).await, [action], "{case}");
            // What is refused leaves no record.
            if act != Act::Approve && act != Act::Refuse {
                decide_it(&engine, act).await.expect_err(&case);
                assert_eq!(recorded(&engine).await, [action], "{case}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_done_about_a_partner_a_lane_or_a_venue_is_kept_with_its_record_or_not_at_all() {
    for postgres in [false, true] {
        let desk = Desk::on(postgres).await;
        let engine = &desk.engine;
        let claire = Actor::new("Claire", Door::Console).unwrap();
        let address = |text: &str| EmailAddress::parse(text).unwrap();
        let (gite, other) = (address("gite@pavie.example"), address(STAFF));
        let lane = "INSERT INTO lanes VALUES ('orange', '', 'paused', 'non', 1, NULL, 'agenda/2026-W28', 0, NULL)";
        sql(&desk.url, &format!("DELETE FROM audit; {lane}")).await;
        let actions = ["lane.reopen", "contact.suppress", "contact.lift", "contact.move", "venue.set", "contact.erase"];
        for action in actions {
            let act = async || match action {
                "lane.reopen" => actions::lanes::reopen(engine, &claire, "orange").await.map(drop),
                "contact.suppress" => actions::partners::suppress(engine, &claire, &gite, None, "").await.map(drop),
                "contact.lift" => actions::partners::lift(engine, &claire, &gite, None, "au téléphone").await.map(drop),
                "contact.move" => actions::partners::move_to(engine, &claire, &gite, &other).await,
                "venue.set" => actions::venues::set(engine, &claire, "la Fenière", "Auch").await.map(drop),
                _ => actions::partners::erase(engine, &claire, &other).await.map(drop),
            };
            let before = recorded(engine).await.len();
            sql(&desk.url, "ALTER TABLE audit RENAME TO out_of_reach").await;
            act().await.expect_err(action);
            sql(&desk.url, "ALTER TABLE out_of_reach RENAME TO audit").await;
            assert_eq!(recorded(engine).await.len(), before, "{action}");
            // It was not done: it can be done still.
            act().await.unwrap_or_else(|why| panic!("{action}, postgres {postgres}: {why:?}"));
            assert_eq!(recorded(engine).await.len(), before + 1, "{action}, postgres {postgres}");
            assert!(recorded(engine).await.contains(&action.to_owned()));
        }
    }
}
