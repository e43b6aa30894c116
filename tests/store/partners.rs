//! Imports, subscriptions, suppressions.

use crate::support::ledger::{Ledger, address, at, contact, hash, new_issue};
use semainier::{
    domain::{
        delivery::State,
        partner::{Field, ImportSummary, SuppressionReason},
    },
    store::Frozen,
};

fn mailings(names: &[&str]) -> Vec<String> {
    names.iter().map(|it| (*it).to_owned()).collect()
}

async fn an_import_adds_changes_and_leaves(db: Ledger) {
    let agenda = mailings(&["agenda"]);
    let contacts = [contact(1), contact(2)];
    let summary = db.store.import_contacts(&contacts, &agenda, "a.csv", false, at(0)).await.unwrap();
    assert_eq!(summary, ImportSummary { added: 2, ..Default::default() });

    let mut moved = contact(2);
    moved.fields.set(Field::Commune, "Pavie");
    let contacts = [contact(1), moved, contact(3)];
    let both = mailings(&["newsletter", "agenda"]);
    let summary = db.store.import_contacts(&contacts, &both, "b.csv", false, at(60)).await.unwrap();
    assert_eq!(summary, ImportSummary { added: 1, changed: 1, unchanged: 1, ..Default::default() });

    let known = db.store.contacts().await.unwrap();
    let seen: Vec<_> = known.iter().map(|it| (it.address.to_string(), it.partner.commune.as_str(), it.since)).collect();
    let expected = [(1, "Auch", at(0)), (2, "Pavie", at(0)), (3, "Auch", at(60))];
    assert_eq!(seen, expected.map(|(n, commune, since)| (address(n).to_string(), commune, since)));
    assert!(known.iter().all(|it| it.subscriptions == ["agenda", "newsletter"]));
}

async fn two_lines_of_one_person_are_one_contact(db: Ledger) {
    let mut again = contact(1);
    again.address = address(1).to_string().to_uppercase().parse().unwrap();
    again.fields.set(Field::Name, "La même");
    let contacts = [contact(1), again];
    let summary = db.store.import_contacts(&contacts, &mailings(&["agenda"]), "a.csv", false, at(0)).await.unwrap();
    assert_eq!(summary, ImportSummary { added: 1, ..Default::default() });
    let known = db.store.contacts().await.unwrap();
    assert_eq!(known.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["La même"]);
}

async fn a_dry_run_tells_and_changes_nothing(db: Ledger) {
    let agenda = mailings(&["agenda"]);
    let summary = db.store.import_contacts(&[contact(1)], &agenda, "a.csv", true, at(0)).await.unwrap();
    assert_eq!(summary, ImportSummary { added: 1, ..Default::default() });
    assert_eq!(db.store.contacts().await.unwrap(), []);
}

async fn an_import_is_all_or_nothing(db: Ledger) {
    // Something goes wrong with the very last line.
    db.sql("CREATE UNIQUE INDEX no_namesakes ON contacts (name)").await;
    let mut contacts: Vec<_> = (1..=1500).map(contact).collect();
    contacts[1499].fields = contact(1).fields;
    db.store.import_contacts(&contacts, &mailings(&["agenda"]), "a.csv", false, at(0)).await.unwrap_err();
    assert_eq!(db.store.contacts().await.unwrap(), []);
}

async fn an_ended_subscription_is_not_brought_back(db: Ledger) {
    db.partners(2).await;
    db.sql("UPDATE subscriptions SET ended_at = 1 WHERE contact = (SELECT min(contact) FROM subscriptions)").await;
    db.partners(2).await;
    let issue = new_issue("2026-W28");
    assert_eq!(db.store.freeze_issue(&issue, at(0)).await.unwrap(), Frozen::Now { recipients: 1 });
    let subscribed = db.store.contacts().await.unwrap();
    assert_eq!(subscribed.iter().filter(|it| it.subscriptions.is_empty()).count(), 1);
}

async fn a_suppressed_person_stays_suppressed_through_an_import(db: Ledger) {
    let everywhere = SuppressionReason::OptOut;
    db.store.suppress(&hash(1), None, everywhere, at(0)).await.unwrap();
    db.store.suppress(&hash(2), Some("agenda"), everywhere, at(0)).await.unwrap();
    db.store.suppress(&hash(3), Some("newsletter"), everywhere, at(0)).await.unwrap();
    let contacts = [contact(1), contact(2), contact(3)];
    let agenda = mailings(&["agenda"]);
    let summary = db.store.import_contacts(&contacts, &agenda, "a.csv", false, at(1)).await.unwrap();
    assert_eq!(summary, ImportSummary { added: 3, suppressed: 2, ..Default::default() });

    let issue = new_issue("2026-W28");
    assert_eq!(db.store.freeze_issue(&issue, at(2)).await.unwrap(), Frozen::Now { recipients: 3 });
    assert_eq!(db.states().await, [State::Suppressed, State::Suppressed, State::Queued]);
}

async fn an_opt_out_takes_what_is_queued_and_the_first_reason_stays(db: Ledger) {
    let key = db.frozen(3).await;
    db.store.suppress(&hash(1), Some("newsletter"), SuppressionReason::OptOut, at(1)).await.unwrap();
    db.store.suppress(&hash(2), Some("agenda"), SuppressionReason::OptOut, at(1)).await.unwrap();
    db.store.suppress(&hash(3), None, SuppressionReason::OptOut, at(1)).await.unwrap();
    db.store.suppress(&hash(3), None, SuppressionReason::Complaint, at(2)).await.unwrap();
    assert_eq!(db.states().await, [State::Queued, State::Suppressed, State::Suppressed]);
    let counts = db.store.issue(&key).await.unwrap().unwrap().counts;
    assert_eq!((counts.queued, counts.suppressed, counts.total()), (1, 2, 3));
    // Fails on a second row, or on another reason.
    db.sql("UPDATE suppressions SET since = since / (CASE reason WHEN 'complaint' THEN 0 ELSE 1 END)").await;
}

on_both_databases! {
    an_import_adds_changes_and_leaves
    two_lines_of_one_person_are_one_contact
    a_dry_run_tells_and_changes_nothing
    an_import_is_all_or_nothing
    an_ended_subscription_is_not_brought_back
    a_suppressed_person_stays_suppressed_through_an_import
    an_opt_out_takes_what_is_queued_and_the_first_reason_stays
}
