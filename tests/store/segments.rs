//! A segment matches the same contacts in memory and in both databases.

use crate::support::ledger::{Ledger, at, contact, new_issue};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::{
        partner::{Field, NewContact, labels_text},
        segment::Segment,
    },
    store::Frozen,
};

/// Few words, so that expressions meet partners; some that would hurt a statement that is not parameterised.
const WORDS: [&str; 8] =
    ["", "Auch", "auch", "hébergement", "Accueil Vélo", "O'Neill", "\"); DROP TABLE partners; --", "%_\\"];
const TEXTS: [&str; 9] =
    ["name", "function", "establishment", "category", "commune", "street", "website", "label", "subscribed"];

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn expression() -> impl Strategy<Value = String> {
    let field = || prop::sample::select(TEXTS.to_vec());
    let leaf = prop_oneof![
        (field(), prop::sample::select(vec!["=", "!="]), word())
            .prop_map(|(f, op, w)| format!("{f} {op} {}", quoted(&w))),
        (field(), prop::sample::select(vec!["in", "not in"]), prop::collection::vec(word(), 1..4)).prop_map(
            |(f, op, words)| {
                let words: Vec<_> = words.iter().map(|w| quoted(w)).collect();
                format!("{f} {op} ({})", words.join(","))
            }
        ),
        (prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]), 0..=5_u8)
            .prop_map(|(op, n)| format!("stars {op} {n}")),
        Just("subscribed = \"agenda\"".to_owned()),
        Just("address = \"Partenaire000003@gite.example\"".to_owned()),
        Just("language in ('fr', 'EN')".to_owned()),
        Just("insee = 32013".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|it| format!("not ({it})")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("({})", all.join(" and "))),
            prop::collection::vec(inner, 2..4).prop_map(|any| format!("({})", any.join(" or "))),
        ]
    })
}

fn partner() -> impl Strategy<Value = Vec<(Field, String)>> {
    let text = |field| word().prop_map(move |word| (field, word));
    (
        text(Field::Name),
        text(Field::Function),
        text(Field::Establishment),
        text(Field::Category),
        text(Field::Commune),
        text(Field::Street),
        text(Field::Website),
        prop::collection::vec(word(), 0..3),
        0..=5_u8,
        prop::sample::select(vec!["fr", "en"]),
    )
        .prop_map(|(a, b, c, d, e, f, g, labels, stars, language)| {
            let more = [
                (Field::Labels, labels_text(&labels)),
                (Field::Stars, stars.to_string()),
                (Field::Language, language.to_owned()),
                (Field::Insee, if stars > 2 { "32013" } else { "" }.to_owned()),
            ];
            [a, b, c, d, e, f, g].into_iter().chain(more).collect()
        })
}

async fn a_segment_means_the_same_in_sql_as_in_memory(db: Ledger) {
    // The same cases on both databases, and at every run.
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut some = |n: usize| -> Vec<NewContact> {
        let people = prop::collection::vec(partner(), n).new_tree(&mut runner).unwrap().current();
        let person = |(n, fields): (usize, Vec<(Field, String)>)| {
            let mut person = contact(n);
            fields.into_iter().for_each(|(field, text)| person.fields.set(field, text));
            person
        };
        people.into_iter().enumerate().map(person).collect()
    };
    let people = some(40);
    db.store
        .import_contacts(&people[..25], &["agenda".to_owned(), "Auch".to_owned()], "a", false, at(0))
        .await
        .unwrap();
    db.store.import_contacts(&people[25..], &[], "a", false, at(0)).await.unwrap();
    let all = db.store.contacts().await.unwrap();
    assert_eq!(all.len(), 40);
    let (mut some_match, mut none_match) = (0, 0);
    for _ in 0..300 {
        let text = expression().new_tree(&mut runner).unwrap().current();
        let segment = Segment::parse(&text).unwrap_or_else(|why| panic!("{text}: {why}"));
        let expected: Vec<_> = all.iter().filter(|it| segment.matches(it)).cloned().collect();
        let found = db.store.contacts_of(Some(&segment)).await.unwrap();
        assert_eq!(found, expected, "{text}");
        *(if found.is_empty() { &mut none_match } else { &mut some_match }) += 1;
    }
    assert!(some_match > 100 && none_match > 10, "the cases say nothing: {some_match} {none_match}");
}

async fn a_mailing_goes_to_whoever_is_subscribed_and_meant(db: Ledger) {
    let mut people: Vec<_> = (1..=4).map(contact).collect();
    people[1].fields.set(Field::Labels, labels_text(&["Accueil Vélo".to_owned()]));
    people[2].fields.set(Field::Labels, labels_text(&["Accueil Vélo".to_owned()]));
    db.store.import_contacts(&people[..2], &["agenda".to_owned()], "a", false, at(0)).await.unwrap();
    db.store.import_contacts(&people[2..], &["newsletter".to_owned()], "a", false, at(0)).await.unwrap();
    let mut issue = new_issue("2026-W28");
    issue.segment = Some(Segment::parse("label = 'Accueil Vélo' or name = 'nobody'").unwrap());
    assert_eq!(db.store.freeze_issue(&issue, at(0)).await.unwrap(), Frozen::Now { recipients: 1 });
    let log = db.store.log(&Default::default()).await.unwrap();
    assert_eq!((log[0].name.as_str(), log[0].establishment.as_str()), ("Personne 2", "Gîte n° 2"));
}

on_both_databases! {
    a_segment_means_the_same_in_sql_as_in_memory
    a_mailing_goes_to_whoever_is_subscribed_and_meant
}
