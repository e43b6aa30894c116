//! Editions and their orders: counted against the stock, also with concurrent orders; announced once.

use crate::support::ledger::{HOUR, Ledger, address, at, contact, hash, new_issue};
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::{
        edition::{
            Announcement, Edition, EditionFile, EditionKind, Handover, ORDERS, Online, Order, OrderState, Printed, Wish,
        },
        issue::{IssueKey, NewIssue, RecipientScope},
        partner::SuppressionReason,
        segment::Segment,
    },
    store::{
        EditionForm, EditionSaved, Erased, FileChange, Frozen, Kept, LogFilter, MOST_REVISIONS, OccurrenceState,
        Ordered, Reopened,
    },
};
use std::sync::Arc;

const PARIS: chrono_tz::Tz = chrono_tz::Europe::Paris;

fn edition(copies: u32, pack: u32) -> Edition {
    Edition {
        slug: "carte-2027".to_owned(),
        title: "Carte touristique".to_owned(),
        kind: EditionKind::Map,
        languages: vec!["fr".to_owned()],
        pages: None,
        summary: "Une carte.".to_owned(),
        online: Some(Online::Pdf),
        printed: Some(Printed { copies, pack, max_packs: None }),
        valid_until: None,
        words: "La carte est là.".to_owned(),
        post: None,
        reminder_after_days: None,
    }
}

fn cover(byte: u8) -> Vec<(EditionFile, Vec<u8>)> {
    vec![(EditionFile::Cover, vec![byte; 3])]
}

fn wish(packs: u32) -> Wish {
    Wish { packs, handover: Handover::Delivery, remark: "Fermé le lundi".to_owned() }
}

/// So many packs of ten, and the ids of so many contacts.
async fn stocked(db: &Ledger, packs: u32, contacts: usize) -> Vec<String> {
    db.partners(contacts).await;
    assert_eq!(db.store.keep_edition(&edition(packs * 10, 10), &cover(1), at(0)).await.unwrap(), Kept::Added);
    db.store.contacts().await.unwrap().into_iter().map(|it| it.id).collect()
}

async fn left(db: &Ledger) -> u32 {
    db.store.edition("carte-2027").await.unwrap().unwrap().left()
}

async fn order_of(db: &Ledger, contact: &str) -> Option<Order> {
    db.store.look_at_order("carte-2027", contact).await.unwrap().unwrap().2
}

fn announcement(leaves_at: i64) -> Announcement {
    Announcement {
        issue: IssueKey::new("editions", "carte-2027"),
        edition: "carte-2027".to_owned(),
        segment: Some("commune = \"Auch\"".to_owned()),
        leaves_at: at(leaves_at),
        by: "Claire".to_owned(),
    }
}

async fn what_is_added_again_is_brought_up_to_date_and_its_orders_stay(db: Ledger) {
    let contacts = stocked(&db, 4, 1).await;
    let (store, slug) = (&db.store, "carte-2027");
    let mut files = cover(1);
    files.push((EditionFile::Pdf, b"%PDF-".to_vec()));
    let before = |changed_files| Kept::Before { edition: Box::new(edition(40, 10)), changed_files };
    assert_eq!(store.keep_edition(&edition(40, 10), &cover(1), at(1)).await.unwrap(), before(vec![]));
    assert_eq!(store.keep_edition(&edition(40, 10), &files, at(1)).await.unwrap(), before(vec![EditionFile::Pdf]));
    assert_eq!(store.edition_file(slug, EditionFile::Pdf).await.unwrap().as_deref(), Some(&b"%PDF-"[..]));
    assert_eq!(store.keep_edition(&edition(40, 10), &cover(1), at(1)).await.unwrap(), before(vec![EditionFile::Pdf]));
    assert_eq!(store.edition_file(slug, EditionFile::Pdf).await.unwrap(), None);

    store.order(slug, &contacts[0], &wish(3), at(2)).await.unwrap();
    for refused in [edition(29, 10), edition(40, 5), Edition { printed: None, ..edition(40, 10) }] {
        assert_eq!(store.keep_edition(&refused, &cover(1), at(3)).await.unwrap(), Kept::Refused { ordered: 3 });
    }
    assert_eq!(store.keep_edition(&edition(39, 10), &cover(2), at(3)).await.unwrap(), before(vec![EditionFile::Cover]));
    let stocked = store.edition(slug).await.unwrap().unwrap();
    assert_eq!((stocked.edition, stocked.ordered, stocked.changed_at), (edition(39, 10), 3, at(3)));
    assert_eq!((left(&db).await, store.editions().await.unwrap().len()), (0, 1));
}

async fn a_form_replaces_only_what_it_was_opened_with_and_a_slug_has_one_edition(db: Ledger) {
    let contacts = stocked(&db, 4, 1).await;
    let (store, other) = (&db.store, db.another().await);
    let titled = |title: &str| Edition { title: title.to_owned(), ..edition(40, 10) };
    let keep = [(EditionFile::Cover, FileChange::Keep)];
    let (one, two) = (titled("Une"), titled("Deux"));
    let form = |edition| EditionForm { edition, replaces: Some(("carte-2027", 1)), files: &keep };
    // Of two who save at the same time one is told.
    let (a, b) = (form(&one), form(&two));
    let (first, second) = tokio::join!(store.save_edition(&a, at(1)), other.save_edition(&b, at(1)));
    let pair = [first.unwrap(), second.unwrap()];
    assert!(pair.contains(&EditionSaved::Done) && pair.contains(&EditionSaved::Stale), "{pair:?}");
    assert_eq!(store.edition("carte-2027").await.unwrap().unwrap().revision, 2);
    assert_eq!(store.edition_file("carte-2027", EditionFile::Cover).await.unwrap(), Some(vec![1; 3]));
    // Two new ones that have the same name: one is saved, and not overwritten.
    let [mut one, mut two] = [one, two];
    (one.slug, two.slug) = ("plan".to_owned(), "plan".to_owned());
    let new = |edition| EditionForm { edition, replaces: None, files: &[] };
    let (a, b) = (new(&one), new(&two));
    let (first, second) = tokio::join!(store.save_edition(&a, at(2)), other.save_edition(&b, at(2)));
    let pair = [first.unwrap(), second.unwrap()];
    assert!(pair.contains(&EditionSaved::Done) && pair.contains(&EditionSaved::SlugTaken), "{pair:?}");
    // Another name: free, unless another edition has it, or something refers to the present one.
    let named = |slug: &str| Edition { slug: slug.to_owned(), ..edition(40, 10) };
    let rename = async |from: &str, to: &str, seen: u64| {
        let edition = named(to);
        let form = EditionForm { edition: &edition, replaces: Some((from, seen)), files: &keep };
        store.save_edition(&form, at(3)).await.unwrap()
    };
    assert_eq!(rename("carte-2027", "plan", 2).await, EditionSaved::SlugTaken);
    assert_eq!(rename("carte-2027", "carte", 2).await, EditionSaved::Done);
    assert_eq!(rename("carte-2027", "x", 2).await, EditionSaved::Gone);
    assert_eq!(store.edition_file("carte", EditionFile::Cover).await.unwrap(), Some(vec![1; 3]));
    let seen = store.edition("carte").await.unwrap().unwrap().revision;
    assert_eq!(rename("carte", "carte", seen).await, EditionSaved::Unchanged);
    store.take_order("carte", &contacts[0], &wish(1), Some("Claire"), at(4)).await.unwrap();
    assert_eq!(rename("carte", "autre", seen).await, EditionSaved::SlugFixed);
    let order = store.orders(None).await.unwrap().remove(0);
    assert_eq!((order.taken_by.as_deref(), order.edition.as_str()), (Some("Claire"), "carte"));
    // What the partner changes is the partner's own.
    store.order("carte", &contacts[0], &wish(2), at(5)).await.unwrap();
    assert_eq!(store.order_by_id(&order.id).await.unwrap().unwrap().taken_by, None);
}

async fn a_contact_has_one_open_order_and_saying_it_again_changes_it(db: Ledger) {
    let contacts = stocked(&db, 10, 2).await;
    let (store, slug, me) = (&db.store, "carte-2027", contacts[0].as_str());
    assert_eq!(store.order(slug, me, &wish(3), at(1)).await.unwrap(), Ordered::New);
    assert_eq!(store.order(slug, me, &wish(3), at(2)).await.unwrap(), Ordered::Before, "a second click");
    let first = order_of(&db, me).await.unwrap();
    assert_eq!((first.revision, first.changed_at, first.by.establishment.as_str()), (1, at(1), "Gîte n° 1"));
    assert_eq!(store.unconfirmed_orders().await.unwrap(), std::slice::from_ref(&first));
    store.order_confirmed(&first).await.unwrap();
    assert_eq!(store.unconfirmed_orders().await.unwrap(), []);

    let other = Wish { handover: Handover::PickUp, remark: String::new(), packs: 9 };
    assert_eq!(store.order(slug, me, &other, at(3)).await.unwrap(), Ordered::Changed);
    let changed = order_of(&db, me).await.unwrap();
    assert_eq!((changed.id.as_str(), changed.revision, &changed.wish), (first.id.as_str(), 2, &other));
    assert_eq!(changed.confirmation().to_string(), format!("orders/{}-2", first.id));
    assert_eq!(store.unconfirmed_orders().await.unwrap(), [changed]);
    store.order_confirmed(&first).await.unwrap();
    assert_eq!(
        store.unconfirmed_orders().await.unwrap().len(),
        1,
        "what was said last is not confirmed by what came before"
    );

    assert_eq!(store.order(slug, &contacts[1], &wish(2), at(4)).await.unwrap(), Ordered::TooMany { left: 1 });
    assert_eq!(
        store.order(slug, me, &wish(11), at(4)).await.unwrap(),
        Ordered::TooMany { left: 10 },
        "mine count as left"
    );
    assert!(store.cancel_order(slug, me, at(5)).await.unwrap());
    assert!(!store.cancel_order(slug, me, at(6)).await.unwrap());
    assert_eq!((order_of(&db, me).await, left(&db).await), (None, 10));
    assert_eq!(store.order(slug, me, &wish(1), at(7)).await.unwrap(), Ordered::New, "and a new one has another id");
    assert_ne!(order_of(&db, me).await.unwrap().id, first.id);
    for (edition, contact) in [("nothing", me), (slug, "nobody")] {
        assert_eq!(store.order(edition, contact, &wish(1), at(8)).await.unwrap(), Ordered::NotKnown);
    }
    assert!(store.look_at_order("nothing", me).await.unwrap().is_none());
    assert!(store.look_at_order(slug, "nobody").await.unwrap().unwrap().1.is_none());
}

async fn twenty_concurrent_orders_never_exceed_the_stock(db: Ledger) {
    let contacts = stocked(&db, 7, 20).await;
    let other = db.another().await;
    let (stores, contacts) = ([Arc::clone(&db.store), other], Arc::new(contacts));
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let (store, contacts) = (Arc::clone(&stores[n % 2]), Arc::clone(&contacts));
            tokio::spawn(async move { store.order("carte-2027", &contacts[n], &wish(1), at(1)).await.unwrap() })
        })
        .collect();
    let mut got = Vec::new();
    for task in tasks {
        got.push(task.await.unwrap());
    }
    assert_eq!(got.iter().filter(|it| **it == Ordered::New).count(), 7, "{got:?}");
    assert!(got.iter().all(|it| matches!(it, Ordered::New | Ordered::TooMany { left: 0 })), "{got:?}");
    assert_eq!((left(&db).await, db.store.orders(None).await.unwrap().len()), (0, 7));
}

async fn a_double_click_in_the_same_moment_is_one_order(db: Ledger) {
    let contacts = stocked(&db, 10, 1).await;
    let other = db.another().await;
    let wish = wish(2);
    let (one, two) = tokio::join!(
        db.store.order("carte-2027", &contacts[0], &wish, at(1)),
        other.order("carte-2027", &contacts[0], &wish, at(1))
    );
    let pair = (one.unwrap(), two.unwrap());
    assert!([(Ordered::New, Ordered::Before), (Ordered::Before, Ordered::New)].contains(&pair), "{pair:?}");
    assert_eq!((left(&db).await, db.store.orders(None).await.unwrap().len()), (8, 1));
}

async fn a_contact_who_changes_an_order_without_end_is_stopped_and_may_still_cancel(db: Ledger) {
    let contacts = stocked(&db, 10, 2).await;
    let (store, slug, me) = (&db.store, "carte-2027", contacts[0].as_str());
    for n in 0..MOST_REVISIONS {
        let ordered = store.order(slug, me, &wish(1 + n % 2), at(n.into())).await.unwrap();
        assert!(matches!(ordered, Ordered::New | Ordered::Changed), "{n}: {ordered:?}");
    }
    assert_eq!(store.order(slug, me, &wish(5), at(99)).await.unwrap(), Ordered::TooOften);
    assert!(store.cancel_order(slug, me, at(100)).await.unwrap());
    assert_eq!(store.order(slug, me, &wish(1), at(101)).await.unwrap(), Ordered::TooOften);
    assert_eq!(store.order(slug, &contacts[1], &wish(10), at(102)).await.unwrap(), Ordered::New, "nobody else is");
}

async fn what_was_handed_over_is_closed_all_of_a_list_or_none(db: Ledger) {
    let contacts = stocked(&db, 10, 2).await;
    let (store, slug) = (&db.store, "carte-2027");
    for contact in &contacts {
        store.order(slug, contact, &wish(1), at(1)).await.unwrap();
    }
    let ids = [order_of(&db, &contacts[0]).await.unwrap().id, order_of(&db, &contacts[1]).await.unwrap().id];
    assert!(ids.iter().all(|id| id.len() == 8 && id.chars().all(|c| c.is_ascii_alphanumeric())), "{ids:?}");
    let with_another = [ids[0].clone(), "nothing".to_owned()];
    assert_eq!(store.close_orders(&with_another, at(2)).await.unwrap(), [Some(OrderState::Open), None]);
    assert_eq!(order_of(&db, &contacts[0]).await.unwrap().state, OrderState::Open, "nothing was done");
    store.cancel_order(slug, &contacts[1], at(2)).await.unwrap();
    let before = store.close_orders(&ids, at(3)).await.unwrap();
    assert_eq!(before, [Some(OrderState::Open), Some(OrderState::Cancelled)]);
    let all = store.orders(Some(slug)).await.unwrap();
    let state = |id: &String| all.iter().find(|it| it.id == *id).unwrap().state;
    assert_eq!((state(&ids[0]), state(&ids[1])), (OrderState::Delivered, OrderState::Cancelled));
    assert_eq!(left(&db).await, 9, "what was handed over is gone");
    assert!(!store.cancel_order(slug, &contacts[0], at(4)).await.unwrap(), "and not to be taken back");
    assert_eq!(store.order(slug, &contacts[0], &wish(1), at(5)).await.unwrap(), Ordered::New, "more may be ordered");
    assert!(store.orders(Some("nothing")).await.unwrap().is_empty());
}

async fn an_edition_is_announced_once_and_taken_back_while_nothing_was_made_of_it(db: Ledger) {
    stocked(&db, 1, 1).await;
    let (store, key) = (&db.store, announcement(0).issue);
    store.cursor("editions", "", at(0)).await.unwrap();
    let mut other = edition(10, 10);
    other.slug = "guide-2027".to_owned();
    store.keep_edition(&other, &cover(1), at(0)).await.unwrap();

    assert_eq!(store.announce(&announcement(HOUR), at(HOUR), PARIS, at(1)).await.unwrap(), Some(at(HOUR)));
    assert_eq!(store.announce(&announcement(2), at(2), PARIS, at(1)).await.unwrap(), None, "once");
    let same_hour = Announcement {
        issue: IssueKey::new("editions", "guide-2027"),
        edition: "guide-2027".to_owned(),
        segment: None,
        ..announcement(HOUR)
    };
    assert_eq!(store.announce(&same_hour, at(HOUR), PARIS, at(1)).await.unwrap(), Some(at(HOUR + 1)), "a second later");
    assert_eq!(store.announcement(&key).await.unwrap(), Some(announcement(HOUR)));
    assert!(store.due_occurrences(at(HOUR - 1)).await.unwrap().is_empty());
    let due = store.due_occurrences(at(HOUR)).await.unwrap();
    assert_eq!((due.len(), due[0].issue.as_ref(), due[0].scheduled_for), (1, Some(&key), at(HOUR)));
    assert_eq!(store.edition("carte-2027").await.unwrap().unwrap().announced_for, Some(at(HOUR)));

    assert!(store.take_back(&key, "repris").await.unwrap());
    assert!(!store.take_back(&key, "repris").await.unwrap());
    assert!(store.due_occurrences(at(HOUR)).await.unwrap().is_empty());
    let settled = store.occurrences(Some("editions"), 9).await.unwrap();
    assert!(settled.iter().any(|it| it.state == OccurrenceState::Missed && it.reason.as_deref() == Some("repris")));

    assert!(store.announce(&announcement(3), at(3), PARIS, at(3)).await.unwrap().is_some(), "it may be announced anew");
    let issue = NewIssue { key: key.clone(), mailing: "editions".to_owned(), ..new_issue("x") };
    store.freeze_issue(&issue, at(4)).await.unwrap();
    assert!(!store.take_back(&key, "repris").await.unwrap(), "it left");
    assert_eq!(store.announce(&announcement(5), at(5), PARIS, at(5)).await.unwrap(), None);
    assert_eq!(store.announced().await.unwrap().len(), 1);
}

async fn a_confirmation_goes_to_its_contact_alone_and_a_reminder_to_those_who_did_not_order(db: Ledger) {
    let contacts = stocked(&db, 10, 4).await;
    let (store, first) = (&db.store, announcement(0).issue);
    store.cursor("editions", "", at(0)).await.unwrap();
    store.announce(&announcement(0), at(0), PARIS, at(0)).await.unwrap();
    let sent = NewIssue { key: first.clone(), mailing: "editions".to_owned(), ..new_issue("x") };
    assert_eq!(store.freeze_issue(&sent, at(0)).await.unwrap(), Frozen::Now { recipients: 4 });
    // The fourth did not get it; the first ordered, the second did and thought better of it.
    db.sql("UPDATE deliveries SET state = 'sent', next_at = NULL WHERE address NOT LIKE '%000004@%'").await;
    db.sql("UPDATE deliveries SET state = 'failed', next_at = NULL WHERE state = 'queued'").await;
    store.order("carte-2027", &contacts[0], &wish(1), at(1)).await.unwrap();
    store.order("carte-2027", &contacts[1], &wish(1), at(1)).await.unwrap();
    store.cancel_order("carte-2027", &contacts[1], at(2)).await.unwrap();
    let reminder = NewIssue {
        key: IssueKey::new("editions", "carte-2027-rappel"),
        mailing: "editions".to_owned(),
        whom: RecipientScope::NotOrdered(first),
        ..new_issue("x")
    };
    assert_eq!(store.freeze_issue(&reminder, at(3)).await.unwrap(), Frozen::Now { recipients: 1 });
    // Of no list the person could have left; a dead address stays dead.
    store.suppress(&hash(1), Some("editions"), SuppressionReason::OptOut, at(4)).await.unwrap();
    store.suppress(&hash(2), None, SuppressionReason::Bounce, at(4)).await.unwrap();
    let confirmation = |n: usize| NewIssue {
        key: IssueKey::new(ORDERS, format_args!("{n}-1")),
        mailing: ORDERS.to_owned(),
        audience: ORDERS.to_owned(),
        whom: RecipientScope::Contact(contacts[n].clone()),
        ..new_issue("x")
    };
    for n in [0, 1] {
        assert_eq!(store.freeze_issue(&confirmation(n), at(5)).await.unwrap(), Frozen::Now { recipients: 1 });
    }
    let log = store.log(&LogFilter::default()).await.unwrap();
    let of = |issue: &str| -> Vec<_> {
        let rows = log.iter().filter(|it| it.issue.as_str() == issue);
        rows.map(|it| (it.address.clone(), it.state.as_str())).collect()
    };
    assert_eq!(of("editions/carte-2027-rappel"), [(address(3).to_string(), "queued")]);
    assert_eq!(of("orders/0-1"), [(address(1).to_string(), "queued")]);
    assert_eq!(of("orders/1-1"), [(address(2).to_string(), "suppressed")]);
    let published = store.published_issues(9).await.unwrap();
    assert!(published.iter().all(|it| it.mailing != ORDERS), "nobody else reads a confirmation: {published:?}");
}

async fn who_is_meant_is_counted_as_a_freeze_would(db: Ledger) {
    db.partners(3).await;
    db.store.suppress(&hash(2), None, SuppressionReason::OptOut, at(1)).await.unwrap();
    let meant = |segment: Option<&str>| {
        let segment = segment.map(|text| Segment::parse(text).unwrap());
        let store = Arc::clone(&db.store);
        async move { store.audience("agenda", "agenda", segment.as_ref()).await.unwrap() }
    };
    assert_eq!(meant(None).await, [address(1), address(3)]);
    let both = Segment::parse("commune = \"Auch\" or stars > 3")
        .unwrap()
        .and(Segment::parse("name = \"Personne 3\"").unwrap());
    assert_eq!(meant(Some(&both.to_string())).await, [address(3)], "as written, and as joined");
    assert_eq!(db.store.audience("agenda", "agenda", Some(&both)).await.unwrap(), [address(3)]);
    assert_eq!(db.store.audience("agenda", "editions", None).await.unwrap(), []);
}

async fn who_is_erased_leaves_sums_without_a_person_and_gives_open_orders_back(db: Ledger) {
    let contacts = stocked(&db, 10, 2).await;
    let (store, slug, me) = (&db.store, "carte-2027", contacts[0].as_str());
    store.order(slug, me, &wish(2), at(1)).await.unwrap();
    let delivered = order_of(&db, me).await.unwrap();
    store.close_orders(std::slice::from_ref(&delivered.id), at(2)).await.unwrap();
    store.order(slug, me, &wish(3), at(3)).await.unwrap();
    let open = order_of(&db, me).await.unwrap();
    let confirmation = NewIssue {
        key: open.confirmation(),
        mailing: ORDERS.to_owned(),
        whom: RecipientScope::Contact(me.to_owned()),
        ..new_issue("x")
    };
    store.freeze_issue(&confirmation, at(4)).await.unwrap();
    let dossier = store.dossier(&address(1).key(), &hash(1)).await.unwrap();
    assert_eq!(dossier.orders.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [&delivered.id, &open.id]);

    assert_eq!(store.erase(&address(1).key(), &hash(1), at(5)).await.unwrap(), Erased::Done { deliveries: 1 });
    assert_eq!(store.dossier(&address(1).key(), &hash(1)).await.unwrap().orders, []);
    let orders = store.orders(None).await.unwrap();
    assert_eq!(orders.iter().map(|it| it.state).collect::<Vec<_>>(), [OrderState::Delivered, OrderState::Cancelled]);
    let said = format!("{orders:?}");
    for word in ["Personne", "Gîte", "Auch", "Fermé", "000001", me] {
        assert!(!said.contains(word), "{word} in {said}");
    }
    let content = store.content(&confirmation.key).await.unwrap().unwrap();
    assert_eq!((content.html.as_str(), content.text.as_str()), ("", ""));
    assert_eq!(left(&db).await, 8, "what was handed over stays counted");
    assert_eq!(store.unconfirmed_orders().await.unwrap(), []);
    assert_eq!(store.order(slug, me, &wish(1), at(6)).await.unwrap(), Ordered::NotKnown);
    // Somebody else is not touched.
    store.import_contacts(&[contact(2)], &["agenda".to_owned()], "test", false, at(7)).await.unwrap();
    assert_eq!(store.order(slug, &contacts[1], &wish(8), at(8)).await.unwrap(), Ordered::New);
}

on_both_databases! {
    l8_a_forwarded_link_never_takes_more_than_one_order
    trial_f14_delivered_orders_can_be_reopened_all_or_none
    trial_f14_an_order_and_a_reopening_at_once_leave_one_open_order
    what_is_added_again_is_brought_up_to_date_and_its_orders_stay
    a_form_replaces_only_what_it_was_opened_with_and_a_slug_has_one_edition
    a_contact_has_one_open_order_and_saying_it_again_changes_it
    twenty_concurrent_orders_never_exceed_the_stock
    a_double_click_in_the_same_moment_is_one_order
    a_contact_who_changes_an_order_without_end_is_stopped_and_may_still_cancel
    what_was_handed_over_is_closed_all_of_a_list_or_none
    an_edition_is_announced_once_and_taken_back_while_nothing_was_made_of_it
    a_confirmation_goes_to_its_contact_alone_and_a_reminder_to_those_who_did_not_order
    who_is_meant_is_counted_as_a_freeze_would
    who_is_erased_leaves_sums_without_a_person_and_gives_open_orders_back
}

/// `orders delivered` typed for the wrong round is taken back: nothing else changes, and what cannot be open stays as it is.
async fn trial_f14_delivered_orders_can_be_reopened_all_or_none(db: Ledger) {
    let contacts = stocked(&db, 10, 3).await;
    let (store, slug) = (&db.store, "carte-2027");
    let mut ids = Vec::new();
    for (contact, packs) in contacts.iter().zip([2, 3, 1]) {
        store.order(slug, contact, &wish(packs), at(1)).await.unwrap();
        ids.push(order_of(&db, contact).await.unwrap().id);
    }
    store.close_orders(&ids[..2], at(2)).await.unwrap();
    let [first, second, third] = [&ids[0], &ids[1], &ids[2]].map(Clone::clone);
    let state = |id: String| async move {
        store.orders(None).await.unwrap().into_iter().find(|order| order.id == id).map(|order| order.state)
    };
    // One of them is unknown: nothing is done.
    let mixed = [first.clone(), "nothing".to_owned()];
    assert_eq!(store.reopen_orders(&mixed, at(3)).await.unwrap(), [Reopened::Done, Reopened::NotKnown]);
    assert_eq!(state(first.clone()).await, Some(OrderState::Delivered));

    let both = [first.clone(), third.clone()];
    assert_eq!(store.reopen_orders(&both, at(3)).await.unwrap(), [Reopened::Done, Reopened::Before]);
    let open = order_of(&db, &contacts[0]).await.unwrap();
    assert_eq!((open.id.as_str(), open.state, open.wish.packs), (first.as_str(), OrderState::Open, 2));
    assert_eq!(left(&db).await, 4, "delivered packs were counted, and open ones are");
    // The partner can change and cancel it again, and the sums hold.
    assert_eq!(store.order(slug, &contacts[0], &wish(1), at(4)).await.unwrap(), Ordered::Changed);
    assert!(store.cancel_order(slug, &contacts[0], at(5)).await.unwrap());
    assert_eq!(left(&db).await, 6);
    assert_eq!(store.reopen_orders(&[first], at(6)).await.unwrap(), [Reopened::Cancelled]);

    // Who has ordered again since keeps one open order; who was erased has none.
    store.order(slug, &contacts[1], &wish(1), at(7)).await.unwrap();
    let other = order_of(&db, &contacts[1]).await.unwrap().id;
    let asked = [second.clone()];
    assert_eq!(store.reopen_orders(&asked, at(8)).await.unwrap(), [Reopened::OtherIsOpen(other)]);
    store.erase(&address(2).key(), &hash(2), at(9)).await.unwrap();
    assert_eq!(store.reopen_orders(&asked, at(10)).await.unwrap(), [Reopened::Erased]);
    assert_eq!(state(second).await, Some(OrderState::Delivered));
}

async fn trial_f14_an_order_and_a_reopening_at_once_leave_one_open_order(db: Ledger) {
    let contacts = stocked(&db, 400, 4).await;
    let (store, slug) = (&db.store, "carte-2027");
    for me in contacts.iter().map(String::as_str) {
        store.order(slug, me, &wish(1), at(1)).await.unwrap();
        let mine = [order_of(&db, me).await.unwrap().id];
        store.close_orders(&mine, at(2)).await.unwrap();
        let again = wish(4);
        let (ordered, reopened) = tokio::join!(store.order(slug, me, &again, at(3)), store.reopen_orders(&mine, at(3)));
        // In whatever order they come: no error, and one order is open.
        let (ordered, reopened) = (ordered.unwrap(), reopened.unwrap().remove(0));
        let orders = store.orders(None).await.unwrap();
        let open: Vec<_> = orders
            .iter()
            .filter(|it| it.by.contact_id == me && it.state == OrderState::Open)
            .map(|it| &it.id)
            .collect();
        match reopened {
            Reopened::Done => assert_eq!((ordered, open.as_slice()), (Ordered::Changed, &[&mine[0]][..])),
            Reopened::OtherIsOpen(other) => assert_eq!((ordered, open.as_slice()), (Ordered::New, &[&other][..])),
            result => panic!("{result:?}"),
        }
    }
}

/// The link of a mail that was forwarded: however often and however fast it is used, it holds one order, of the limit at most.
async fn l8_a_forwarded_link_never_takes_more_than_one_order(db: Ledger) {
    let contacts = stocked(&db, 400, 1).await;
    let (store, slug, me) = (&db.store, "carte-2027", contacts[0].as_str());
    let most = store.edition(slug).await.unwrap().unwrap().max_packs(0);
    assert!((1..400).contains(&most), "{most}");
    for packs in [most + 1, 400, 401, u32::MAX] {
        assert_eq!(store.order(slug, me, &wish(packs), at(1)).await.unwrap(), Ordered::OverLimit { most });
    }
    assert_eq!(left(&db).await, 400);
    let at_once: Vec<_> = (1..=most)
        .map(|packs| {
            let (store, me) = (Arc::clone(store), me.to_owned());
            tokio::spawn(async move { store.order(slug, &me, &wish(packs), at(2)).await.unwrap() })
        })
        .collect();
    for order in at_once {
        order.await.unwrap();
    }
    let open = order_of(&db, me).await.unwrap();
    assert!(open.wish.packs <= most);
    assert_eq!(left(&db).await, 400 - open.wish.packs, "one order, whichever came last");
    assert_eq!(store.orders(None).await.unwrap().len(), 1);
    // Cancelled and placed again takes no more; and at some time it is enough.
    let mut last = Ordered::Changed;
    for round in 0..i64::from(MOST_REVISIONS) {
        store.cancel_order(slug, me, at(3 + round)).await.unwrap();
        last = store.order(slug, me, &wish(most), at(3 + round)).await.unwrap();
        assert!(left(&db).await >= 400 - most);
    }
    assert_eq!(last, Ordered::TooOften);
    assert_eq!(left(&db).await, 400);
}
