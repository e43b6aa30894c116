//! What was changed by hand, and lists that say otherwise.

use crate::support::ledger::{Ledger, address, at, hash};
use semainier::{
    domain::partner::{Difference, Field, Fields, Import, NewContact, ProtectedField, SuppressionReason},
    store::{ContactEdit, ImportReport},
};

/// An edit by Claire.
async fn edit(db: &Ledger, n: usize, fields: Fields, second: i64) {
    let (key, hash) = (address(n).key(), hash(n));
    let edit = db.store.edit_contact((&key, &hash), None, &fields, "Claire", at(second)).await.unwrap();
    assert!(matches!(edit, ContactEdit::Done(changes) if !changes.is_empty()));
}

async fn list(db: &Ledger, lines: &[NewContact], second: i64) -> ImportReport {
    db.store.import(&Import::new(&lines, &[], "liste.csv"), &|_| {}, at(second)).await.unwrap()
}

async fn phone_of(db: &Ledger, n: usize) -> String {
    let all = db.store.contacts().await.unwrap();
    all.into_iter().find(|it| it.address == address(n)).unwrap().partner.phone
}

fn line(n: usize, establishment: &str, phone: &str) -> NewContact {
    let mut it = NewContact::new(address(n), hash(n), &format!("Personne {n}"), establishment, "Auch");
    it.fields.set(Field::Phone, phone);
    it
}

fn protected(field: &'static str, value: &str, listed: &str, second: i64) -> ProtectedField {
    ProtectedField {
        field,
        value: value.to_owned(),
        listed: listed.to_owned(),
        by: "Claire".to_owned(),
        at: at(second),
    }
}

async fn a_list_does_not_undo_what_was_changed_by_hand_and_ends_its_protection_by_saying_the_same(db: Ledger) {
    let lines = [line(1, "Gîte", "1"), line(2, "Gîte", "1"), line(3, "Musée", "1")];
    list(&db, &lines, 0).await;
    edit(&db, 1, Fields::default().with(Field::Phone, "2").with(Field::Name, "Éloïse"), 1).await;
    // The other contact of the house says the old number too, and so does a new one.
    let mut more = lines.to_vec();
    more.push(line(4, "Gîte", "1"));
    let all = more.as_slice();
    let dry = Import { dry_run: true, ..Import::new(&all, &[], "liste.csv") };
    let would = db.store.import(&dry, &|_| {}, at(2)).await.unwrap();
    let report = list(&db, &more, 3).await;
    assert_eq!((&would.differences, &would.digest), (&report.differences, &report.digest));
    assert_eq!((report.summary.added, report.summary.changed, report.summary.protected), (1, 0, 4));
    let phone = protected("phone", "2", "1", 1);
    let expected = Difference::Protected(address(1), vec![protected("name", "Éloïse", "Personne 1", 1), phone.clone()]);
    assert!(report.differences.contains(&expected), "{report:?}");
    assert!(report.differences.contains(&Difference::Protected(address(2), vec![phone.clone()])));
    for n in [1, 2, 4] {
        assert_eq!(phone_of(&db, n).await, "2", "{n}");
    }
    // The list was mended: it says the same, and from now on it counts.
    let mended: Vec<_> =
        more.iter().map(|it| NewContact { fields: it.fields.clone().with(Field::Phone, "2"), ..it.clone() }).collect();
    let report = list(&db, &mended[..2], 4).await;
    assert_eq!((report.summary.changed, report.summary.protected), (0, 1), "the name alone");
    let report = list(&db, &more[..2], 5).await;
    assert_eq!((report.summary.changed, report.summary.protected), (2, 1), "{report:?}");
    assert_eq!(phone_of(&db, 4).await, "1");
}

async fn a_list_that_is_to_count_undoes_it_and_what_was_shown_is_what_is_written(db: Ledger) {
    let lines = [line(1, "Gîte", "1")];
    list(&db, &lines, 0).await;
    edit(&db, 1, Fields::default().with(Field::Phone, "2"), 1).await;
    let lines = lines.as_slice();
    let whole = Import { overwrite_edits: true, ..Import::new(&lines, &[], "liste.csv") };
    let shown = db.store.import(&Import { dry_run: true, ..whole.clone() }, &|_| {}, at(2)).await.unwrap();
    assert_eq!((shown.summary.changed, shown.summary.protected), (1, 0));
    // Somebody changes it once more in between.
    edit(&db, 1, Fields::default().with(Field::Phone, "3"), 3).await;
    let agreed = Import { expected: Some(&shown.digest), ..whole.clone() };
    let report = db.store.import(&agreed, &|_| {}, at(4)).await.unwrap();
    assert!(report.is_stale && report.digest != shown.digest);
    assert_eq!(phone_of(&db, 1).await, "3");
    let agreed = Import { expected: Some(&report.digest), ..whole };
    assert!(!db.store.import(&agreed, &|_| {}, at(5)).await.unwrap().is_stale);
    assert_eq!(phone_of(&db, 1).await, "1");
    // Nothing is protected any more.
    let other = [line(1, "Gîte", "4")];
    assert_eq!(list(&db, &other, 6).await.summary.protected, 0);
}

async fn a_renamed_house_keeps_its_name_and_what_was_changed_in_it_goes_with_it(db: Ledger) {
    let lines = [line(1, "Vieux Gîte", "1")];
    list(&db, &lines, 0).await;
    edit(&db, 1, Fields::default().with(Field::Phone, "2"), 1).await;
    edit(&db, 1, Fields::default().with(Field::Establishment, "Nouveau Gîte"), 2).await;
    let report = list(&db, &lines, 3).await;
    let kept = vec![protected("establishment", "Nouveau Gîte", "Vieux Gîte", 2), protected("phone", "2", "1", 1)];
    assert_eq!(report.differences, [Difference::Protected(address(1), kept)]);
    let all = db.store.contacts().await.unwrap();
    assert_eq!((all[0].partner.name.as_str(), all[0].partner.phone.as_str()), ("Nouveau Gîte", "2"));
    // Another spelling of the name is not the old name.
    let other = [line(1, "NOUVEAU GITE", "2")];
    let report = list(&db, &other, 4).await;
    let kept = vec![protected("establishment", "Nouveau Gîte", "NOUVEAU GITE", 2)];
    assert_eq!(report.differences, [Difference::Protected(address(1), kept)]);
    // The list that renames it keeps the number too.
    let other = [line(1, "Nouveau Gîte", "2")];
    assert_eq!(list(&db, &other, 5).await.differences, []);
    edit(&db, 1, Fields::default().with(Field::Phone, "3"), 6).await;
    let renamed = [line(1, "Grand Gîte", "2")];
    list(&db, &renamed, 7).await;
    assert_eq!(phone_of(&db, 1).await, "3");
    list(&db, &renamed, 8).await;
    assert_eq!(phone_of(&db, 1).await, "3");
}

async fn a_list_with_the_former_address_of_somebody_who_moved_means_the_same_person(db: Ledger) {
    let lines = [line(1, "Gîte", "1"), line(2, "Musée", "1")];
    list(&db, &lines, 0).await;
    let (from, to) = ((&*address(1).key(), &*hash(1)), address(9));
    db.store.move_contact(from, &to, &hash(9), "Claire", at(1)).await.unwrap();
    let whole = lines.as_slice();
    let whole = Import { replace: true, ..Import::new(&whole, &[], "liste.csv") };
    let report = db.store.import(&whole, &|_| {}, at(2)).await.unwrap();
    let kept = vec![protected("address", &address(9).to_string(), &address(1).to_string(), 1)];
    assert_eq!(report.differences, [Difference::Protected(address(9), kept)]);
    let all: Vec<_> = db.store.contacts().await.unwrap().into_iter().map(|it| it.address).collect();
    assert_eq!(all, [address(2), address(9)]);
    // The list with the new address is as good; after it the old one is somebody else's.
    list(&db, &[line(9, "Gîte", "1"), line(2, "Musée", "1")], 3).await;
    assert_eq!(list(&db, &lines, 4).await.summary.added, 1);
}

async fn a_list_that_is_to_count_does_not_bring_back_somebody_who_moved_and_left(db: Ledger) {
    let lines = [line(1, "Gîte", "1")];
    list(&db, &lines, 0).await;
    db.store.move_contact((&*address(1).key(), &*hash(1)), &address(9), &hash(9), "Claire", at(1)).await.unwrap();
    db.store.suppress(&hash(9), None, SuppressionReason::OptOut, at(2)).await.unwrap();
    let (listed, agenda) = (&lines[..], ["agenda".to_owned()]);
    let whole = Import { overwrite_edits: true, ..Import::new(&listed, &agenda, "liste.csv") };
    // Also the second time.
    for second in [3, 4] {
        let report = db.store.import(&whole, &|_| {}, at(second)).await.unwrap();
        assert_eq!((report.summary.added, report.summary.suppressed), (0, 1), "{report:?}");
        let all: Vec<_> = db.store.contacts().await.unwrap().into_iter().map(|it| it.address).collect();
        assert_eq!(all, [address(9)]);
    }
}

async fn of_two_who_had_an_address_it_means_the_one_who_moved_last(db: Ledger) {
    list(&db, &[line(1, "Gîte", "1"), line(2, "Musée", "1")], 0).await;
    let moves = async |from: usize, to: usize, second| {
        let from = (address(from).key(), hash(from));
        db.store.move_contact((&from.0, &from.1), &address(to), &hash(to), "Claire", at(second)).await.unwrap();
    };
    moves(2, 8, 1).await;
    moves(1, 2, 2).await;
    moves(2, 9, 3).await;
    let listed = NewContact { address: address(2), address_hash: hash(2), ..line(1, "Gîte", "1") };
    let report = list(&db, &[listed], 4).await;
    let kept = vec![protected("address", &address(9).to_string(), &address(2).to_string(), 3)];
    assert_eq!(report.differences, [Difference::Protected(address(9), kept)]);
}

on_both_databases! {
    a_list_that_is_to_count_does_not_bring_back_somebody_who_moved_and_left
    of_two_who_had_an_address_it_means_the_one_who_moved_last
    a_list_does_not_undo_what_was_changed_by_hand_and_ends_its_protection_by_saying_the_same
    a_list_that_is_to_count_undoes_it_and_what_was_shown_is_what_is_written
    a_renamed_house_keeps_its_name_and_what_was_changed_in_it_goes_with_it
    a_list_with_the_former_address_of_somebody_who_moved_means_the_same_person
}
