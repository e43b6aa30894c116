//! Imports, subscriptions, suppressions.

use crate::support::ledger::{Ledger, address, at, contact, finished, hash, new_issue};
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::{
        delivery::{Outcome, State},
        partner::{
            Basis, Difference, Dossier, Field, Fields, Import, ImportSummary, NewContact, NewContacts,
            SubscriptionChange, SuppressionReason,
        },
        segment::{self, Segment},
    },
    store::{self, Access, Erased, Frozen},
};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

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

async fn l10_a_list_is_read_page_by_page_with_all_that_belongs_to_each_contact(db: Ledger) {
    db.partners(7).await;
    let mut two = contact(2);
    two.also.push(Fields::default().with(Field::Establishment, "Table du Pré").with(Field::Commune, "Auch"));
    db.store.import_contacts(&[two], &mailings(&["newsletter"]), "b.csv", false, at(1)).await.unwrap();
    db.store.suppress(&hash(3), Some("agenda"), SuppressionReason::Manual, at(2)).await.unwrap();
    let all = db.store.contacts().await.unwrap();
    assert_eq!((all.len(), all[1].others.len(), all[1].subscriptions.len(), all[2].barred.len()), (7, 1, 2, 1));
    let everybody = Segment::parse("commune = \"auch\"").unwrap();
    for segment in [None, Some(&everybody)] {
        let (mut read, mut after, mut sizes) = (Vec::new(), None, Vec::new());
        loop {
            let page = db.store.contacts_page(segment, after.as_deref(), 3).await.unwrap();
            sizes.push(page.len());
            let Some(last) = page.last() else { break };
            after = Some(last.address.key());
            read.extend(page);
        }
        assert_eq!((sizes, &read), (vec![3, 3, 1, 0], &all), "{segment:?}");
    }
    // What is read of a page belongs to its contacts alone.
    assert_eq!(db.store.contacts_page(None, Some(&all[0].address.key()), 1).await.unwrap(), [all[1].clone()]);
}

/// Contacts that are made when they are asked for, counted.
#[derive(Debug, Default)]
struct Made {
    since_progress: AtomicUsize,
    most: AtomicUsize,
}

impl NewContacts for Made {
    fn count(&self) -> usize {
        2_500
    }

    fn key(&self, index: usize) -> String {
        address(index).key()
    }

    fn contact(&self, index: usize) -> NewContact {
        let made = self.since_progress.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(made, Ordering::SeqCst);
        contact(index)
    }
}

async fn l10_an_import_has_a_thousand_contacts_in_memory_at_once(db: Ledger) {
    let (made, agenda) = (Made::default(), mailings(&["agenda"]));
    let import = Import::new(&made, &agenda, "a.csv");
    let progress = |_| made.since_progress.store(0, Ordering::SeqCst);
    let report = db.store.import(&import, &progress, at(0)).await.unwrap();
    assert_eq!((report.summary.added, made.most.load(Ordering::SeqCst)), (2_500, 1_000));
    assert_eq!(db.store.contacts().await.unwrap().len(), 2_500);
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

async fn contacts_of_one_establishment_share_it_and_what_a_file_does_not_say_stays(db: Ledger) {
    let said = |n: usize, fields: &[(Field, &str)]| {
        let mut contact = contact(n);
        contact.fields = fields.iter().fold(Fields::default(), |all, (field, text)| all.with(*field, *text));
        contact
    };
    let gite = [(Field::Establishment, "Gîte du Pré"), (Field::Commune, "Auch")];
    let with = |more: &[(Field, &'static str)]| [&gite[..], more].concat();
    let first = said(1, &with(&[(Field::Category, "hébergement"), (Field::Stars, "3")]));
    let import = async |contacts: &[NewContact], now| {
        db.store.import_contacts(contacts, &mailings(&["agenda"]), "a.csv", false, at(now)).await.unwrap()
    };
    import(&[first], 0).await;
    // A second contact of the same house; and the first with nothing but a function.
    import(&[said(2, &with(&[(Field::Stars, "4")])), said(1, &[(Field::Function, "Gérante")])], 1).await;
    let known = db.store.contacts().await.unwrap();
    for contact in &known {
        let partner = (&*contact.partner.name, &*contact.partner.category, contact.partner.stars);
        assert_eq!(partner, ("Gîte du Pré", "hébergement", 4));
    }
    assert_eq!((&*known[0].function, &*known[1].function, &*known[1].language), ("Gérante", "", "fr"));
    // It moves: the house is the same for those the file names, and nobody is left behind in the old one.
    let summary = import(&[1, 2].map(|n| said(n, &[(Field::Commune, "Pavie")])), 2).await;
    assert_eq!(summary, ImportSummary { changed: 2, ..Default::default() });
    let known = db.store.contacts().await.unwrap();
    assert!(known.iter().all(|it| it.partner.commune == "Pavie" && it.partner.category == "hébergement"), "{known:?}");
    db.sql("SELECT 1 / (CASE count(*) WHEN 1 THEN 1 ELSE 0 END) FROM partners").await;
}

/// Also where the second one is in another thousand: by the order of the addresses.
async fn of_two_lines_of_one_house_the_first_that_says_something_counts(db: Ledger) {
    let gite = |n: usize, phone: &str| {
        let mut it = contact(n);
        it.fields = it.fields.with(Field::Establishment, "Gîte").with(Field::Commune, "Auch").with(Field::Phone, phone);
        it
    };
    let mut lines: Vec<_> = (1..=1_500).map(contact).collect();
    lines.sort_by_key(|it| it.address.key());
    let n = |at: usize| (1..=1_500).find(|n| address(*n) == lines[at].address).unwrap();
    let said = [(n(3), ""), (n(500), "1"), (n(501), "2"), (n(1_400), "3"), (n(1_401), "")];
    for (n, phone) in said {
        *lines.iter_mut().find(|it| it.address == address(n)).unwrap() = gite(n, phone);
    }
    let lines = lines.as_slice();
    for second in [0, 1] {
        let report = db.store.import(&Import::new(&lines, &[], "a.csv"), &|_| {}, at(second)).await.unwrap();
        assert_eq!(report.summary.added, if second == 0 { 1_500 } else { 0 });
        let all = db.store.contacts().await.unwrap();
        let phones: HashSet<_> =
            all.iter().filter(|it| it.partner.name == "Gîte").map(|it| it.partner.phone.as_str()).collect();
        assert_eq!(phones, HashSet::from(["1"]));
    }
}

async fn an_erasure_removes_the_offices_words_also_from_former_addresses(db: Ledger) {
    db.partners(1).await;
    db.store.suppress_because(&hash(1), None, "Jeanne est partie", at(1)).await.unwrap();
    let from = (address(1).key(), hash(1));
    db.store.move_contact((&from.0, &from.1), &address(9), &hash(9), "Claire", at(2)).await.unwrap();
    db.store.erase(&address(9).key(), &hash(9), at(3)).await.unwrap();
    for n in [1, 9] {
        let barred = db.store.suppressions_of(&hash(n)).await.unwrap();
        assert!(!barred.is_empty() && barred.iter().all(|it| it.why.is_empty()), "{barred:?}");
    }
}

async fn the_values_of_a_field_are_offered_with_their_contacts(db: Ledger) {
    let at_auch = |n: usize, house: &str| NewContact::new(address(n), hash(n), "", house, "Auch");
    let mut both = at_auch(3, "Gîte");
    both.also = vec![Fields::default().with(Field::Establishment, "Musée").with(Field::Commune, "Auch")];
    let contacts = [at_auch(1, "Gîte"), at_auch(2, "Gîte"), both];
    db.store.import_contacts(&contacts, &mailings(&["agenda"]), "a.csv", false, at(0)).await.unwrap();
    db.store.suppress(&hash(1), None, SuppressionReason::OptOut, at(1)).await.unwrap();
    let values = async |field| db.store.values_of(field).await.unwrap();
    assert_eq!(values(segment::Field::Commune).await, [("Auch".to_owned(), 3)]);
    let houses = [("Gîte".to_owned(), 3), ("Musée".to_owned(), 1)];
    assert_eq!(values(segment::Field::Establishment).await, houses);
    assert_eq!(values(segment::Field::Subscribed).await, [("agenda".to_owned(), 2)], "who receives it");
}

async fn every_change_of_a_subscription_is_kept(db: Ledger) {
    db.partners(2).await;
    db.store.suppress(&hash(1), Some("agenda"), SuppressionReason::OptOut, at(5)).await.unwrap();
    db.store.suppress(&hash(1), Some("agenda"), SuppressionReason::OptOut, at(6)).await.unwrap();
    let one = [contact(1)];
    let one = one.as_slice();
    let none = Import { basis: Basis::Consent, replace: true, ..Import::new(&one, &[], "b.csv") };
    let report = db.store.import(&none, &|_| {}, at(7)).await.unwrap();
    assert_eq!((report.summary.gone, report.known), (1, 2));
    assert_eq!(report.differences, [Difference::Gone(address(2))]);
    let dossier = async |n| db.store.dossier(&address(n).key(), &hash(n)).await.unwrap();
    let said = |dossier: &Dossier| {
        let one = |it: &SubscriptionChange| format!("{} {} {}", it.change, it.mailing, it.source);
        dossier.history.iter().map(one).collect::<Vec<_>>()
    };
    assert_eq!(said(&dossier(1).await), ["subscribed agenda test", "ended agenda opt_out"]);
    // The way back by the same page is kept too; a word against everything is not undone by it.
    let contact = db.store.contacts().await.unwrap().remove(0).id;
    assert!(db.store.opt_in(&contact, "agenda", at(8)).await.unwrap());
    assert!(!db.store.opt_in(&contact, "agenda", at(9)).await.unwrap());
    let back = ["subscribed agenda test", "ended agenda opt_out", "subscribed agenda opt_in"];
    assert_eq!(said(&dossier(1).await), back);
    db.store.suppress(&hash(1), None, SuppressionReason::OptOut, at(10)).await.unwrap();
    assert!(!db.store.opt_in(&contact, "agenda", at(11)).await.unwrap());
    let choice = db.store.choices(&contact).await.unwrap().unwrap().mailings.remove(0);
    assert!(!choice.receives && !choice.may_return);
    let left = dossier(2).await;
    assert_eq!(said(&left), ["subscribed agenda test", "ended agenda b.csv"]);
    assert_eq!(left.contact, None);
}

async fn who_is_being_written_to_is_not_erased_and_who_was_is_without_a_trace(db: Ledger) {
    let key = db.frozen(2).await;
    let claims = db.claim(1, at(0)).await;
    let n = if claims[0].recipient.address == address(1) { 1 } else { 2 };
    let erase = async |n| db.store.erase(&address(n).key(), &hash(n), at(1)).await.unwrap();
    assert_eq!(erase(n).await, Erased::UnderWay);
    assert_eq!(db.store.contacts().await.unwrap().len(), 2, "nothing was done");
    db.store.finish_attempts(&[finished(&claims[0], Outcome::Refused { suppress: false }, at(2))]).await.unwrap();
    assert_eq!(erase(n).await, Erased::Done { deliveries: 1 });
    assert_eq!(erase(3 - n).await, Erased::Done { deliveries: 1 });
    assert_eq!(erase(9).await, Erased::NotKnown);
    let counts = db.store.issue(&key).await.unwrap().unwrap().counts;
    assert_eq!((counts.failed, counts.suppressed, counts.total()), (1, 1, 2));
    let log = db.store.log(&Default::default()).await.unwrap();
    assert!(log.iter().all(|it| it.address == "erased@erased.invalid" && it.name.is_empty()), "{log:?}");
    assert!(log.iter().flat_map(|it| &it.attempts).all(|it| it.text.is_none()));
    assert_eq!(db.store.contacts().await.unwrap(), []);
    // The same person once more: kept, and still not written to.
    let agenda = mailings(&["agenda"]);
    let summary = db.store.import_contacts(&[contact(n)], &agenda, "b.csv", false, at(3)).await.unwrap();
    assert_eq!(summary, ImportSummary { added: 1, suppressed: 1, ..Default::default() });
}

async fn flat_contacts_of_before_become_partners_and_nobody_is_lost(db: Ledger) {
    // Back to the tables before 0004, with people in them; what came later stays.
    let text = if db.store.kind() == "sqlite" { "TEXT" } else { "TEXT COLLATE \"C\"" };
    db.sql(&format!(
        "DROP TABLE affiliations; DROP TABLE subscription_changes; DROP INDEX contacts_by_partner;
        DROP TABLE partner_edits; DROP TABLE contact_edits; DROP TABLE imports;
        ALTER TABLE contacts DROP COLUMN partner; DROP TABLE partners;
        ALTER TABLE contacts DROP COLUMN function; ALTER TABLE contacts DROP COLUMN language;
        ALTER TABLE contacts ADD COLUMN establishment {text} NOT NULL DEFAULT '';
        ALTER TABLE contacts ADD COLUMN commune {text} NOT NULL DEFAULT '';
        DELETE FROM _sqlx_migrations WHERE version IN (4, 20, 37);
        INSERT INTO contacts (id, email_key, address, address_hash, name, establishment, commune, since) VALUES
            ('1', 'a@b.fr', 'A@b.fr', 'x', 'Un', 'Gîte', 'Auch', 7), ('2', 'b@b.fr', 'b@b.fr', 'y', '', 'Gîte', 'Auch', 8),
            ('3', 'c@b.fr', 'c@b.fr', 'z', '', '', '', 9), ('4', 'd@b.fr', 'd@b.fr', 'w', '', '', '', 9);
        INSERT INTO subscriptions (contact, mailing, basis, source, since, ended_at) VALUES
            ('1', 'agenda', 'consent', 'old.csv', 7, NULL), ('2', 'agenda', 'consent', 'old.csv', 8, 11);"
    ))
    .await;
    let Ledger { url, store, back_door, _place } = db;
    drop((store, back_door));
    let store = store::open(&url, Access::Exclusive).await.unwrap();
    let known = store.contacts().await.unwrap();
    let seen: Vec<_> = known.iter().map(|it| (&*it.id, &*it.name, &*it.partner.name, &*it.partner.commune)).collect();
    assert_eq!(seen, [("1", "Un", "Gîte", "Auch"), ("2", "", "Gîte", "Auch"), ("3", "", "", ""), ("4", "", "", "")]);
    assert_eq!((&known[0].subscriptions, &known[1].subscriptions), (&mailings(&["agenda"]), &vec![]));
    assert_eq!(store.dossier("b@b.fr", "y").await.unwrap().history.len(), 2);
}

on_both_databases! {
    of_two_lines_of_one_house_the_first_that_says_something_counts
    an_erasure_removes_the_offices_words_also_from_former_addresses
    the_values_of_a_field_are_offered_with_their_contacts
    l10_a_list_is_read_page_by_page_with_all_that_belongs_to_each_contact
    l10_an_import_has_a_thousand_contacts_in_memory_at_once
    contacts_of_one_establishment_share_it_and_what_a_file_does_not_say_stays
    every_change_of_a_subscription_is_kept
    who_is_being_written_to_is_not_erased_and_who_was_is_without_a_trace
    flat_contacts_of_before_become_partners_and_nobody_is_lost
    an_import_adds_changes_and_leaves
    two_lines_of_one_person_are_one_contact
    a_dry_run_tells_and_changes_nothing
    an_import_is_all_or_nothing
    an_ended_subscription_is_not_brought_back
    a_suppressed_person_stays_suppressed_through_an_import
    an_opt_out_takes_what_is_queued_and_the_first_reason_stays
}
