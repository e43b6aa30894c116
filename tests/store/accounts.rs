//! Accounts, sessions and failures as the ledger keeps them.

use crate::support::ledger::{Ledger, at};
use semainier::{
    accounts::{Language, Permission, Roles, UserId},
    domain::email::EmailAddress,
    store::{
        ActorKind, AuditEntry, AuditFilter, Changed, Counter, NewFactor, NewInvitation, NewSession, NewUser, Purpose,
        Stage,
    },
};

fn entry(action: &str) -> AuditEntry {
    AuditEntry {
        at: at(0),
        kind: ActorKind::Cli,
        actor: "root".to_owned(),
        action: action.to_owned(),
        object: "user:x".to_owned(),
        detail: "{}".to_owned(),
        request_id: None,
        network: None,
    }
}

fn invitation(token: &str) -> NewInvitation {
    NewInvitation { token_hash: token.to_owned(), purpose: Purpose::New, expires_at: at(100) }
}

async fn member(db: &Ledger, name: &str, roles: &str) -> UserId {
    let id = UserId(name.to_owned());
    let user = NewUser {
        id: id.clone(),
        name: name.to_owned(),
        address: EmailAddress::parse(&format!("{name}@ot.test")).unwrap(),
        roles: Roles::parse(roles).unwrap(),
        language: Language::French,
        created_by: "root".to_owned(),
    };
    assert!(db.store.add_user(&user, &invitation(&format!("i-{name}")), &entry("add"), at(0)).await.unwrap());
    let taken = NewUser { id: UserId("other".to_owned()), ..user };
    assert!(!db.store.add_user(&taken, &invitation("j"), &entry("add"), at(0)).await.unwrap());
    let factor = NewFactor { secret: "S".to_owned(), step: 5, codes: vec!["c1".to_owned(), "c2".to_owned()] };
    let accept = |token: String| {
        let (store, factor) = (&db.store, &factor);
        async move { store.accept_invitation(&token, "hash", Some(factor), &entry("accept"), at(1)).await.unwrap() }
    };
    assert!(!accept("nothing".to_owned()).await);
    assert!(accept(format!("i-{name}")).await);
    assert!(!accept(format!("i-{name}")).await, "once");
    id
}

fn session(token: &str, user: &UserId) -> NewSession {
    NewSession {
        token_hash: token.to_owned(),
        user: user.clone(),
        stage: Stage::Full,
        kept: false,
        opened_at: at(10),
        expires_at: at(1000),
        idle_until: at(100),
        proved_at: at(10),
        label: String::new(),
        network: String::new(),
    }
}

async fn two_administrators_at_once_do_not_both_go(db: Ledger) {
    let (a, b) = (member(&db, "a", "administration").await, member(&db, "b", "administration").await);
    let other = db.another().await;
    let (e, f) = (entry("disable"), entry("roles"));
    let reader = Roles::of([Permission::See]);
    let (one, two) = tokio::join!(db.store.disable_user(&a, &e, at(2)), other.set_roles(&b, reader, &f));
    let mut results = [one.unwrap(), two.unwrap()].map(|it| format!("{it:?}"));
    results.sort();
    assert_eq!(results, ["Done", "LastAdministrator"]);
    let audit = db.store.audit(&AuditFilter { limit: 10, ..AuditFilter::default() }).await.unwrap();
    assert_eq!(
        audit.iter().filter(|it| it.entry.action != "add" && it.entry.action != "accept").count(),
        1,
        "only what was done"
    );
}

async fn sessions_end_with_what_they_rest_on(db: Ledger) {
    let id = member(&db, "a", "validation").await;
    let store = &db.store;
    let open = async |token: &str, replaced: Option<&str>| {
        assert!(store.open_session(&session(token, &id), replaced, None, at(10)).await.unwrap());
    };
    let is_open = async |token: &str, now: i64| store.session(token, at(now)).await.unwrap().is_some();
    open("one", None).await;
    open("two", Some("one")).await;
    assert!(!is_open("one", 11).await && is_open("two", 11).await);
    assert!(is_open("two", 99).await && !is_open("two", 100).await, "idle");
    store.touch_session("two", at(2000), at(90)).await.unwrap();
    assert!(is_open("two", 999).await && !is_open("two", 1000).await, "the end of all");
    assert_eq!(store.sessions_of(&id, at(11)).await.unwrap().len(), 1);
    store.know_device("d", &id, at(11)).await.unwrap();
    // The next one clears away what is over.
    db.sql("UPDATE sessions SET expires_at = 5 WHERE token_hash = 'two'").await;
    open("three", None).await;
    assert!(!store.end_session("two", &entry("end")).await.unwrap(), "gone");
    assert!(!store.set_password(&id, "another", "new", &entry("password")).await.unwrap());
    assert!(is_open("three", 11).await && store.is_known_device("d", &id).await.unwrap());
    assert!(store.set_password(&id, "hash", "new", &entry("password")).await.unwrap());
    assert!(!is_open("three", 11).await && !store.is_known_device("d", &id).await.unwrap());
    open("four", None).await;
    let roles = Roles::parse("lecture").unwrap();
    assert_eq!(store.set_roles(&id, roles, &entry("roles")).await.unwrap(), Changed::Done);
    assert_eq!(store.set_roles(&id, roles, &entry("roles")).await.unwrap(), Changed::Same);
    assert!(!is_open("four", 11).await);
    open("five", None).await;
    assert_eq!(store.disable_user(&id, &entry("disable"), at(12)).await.unwrap(), Changed::Done);
    assert!(!is_open("five", 12).await);
    assert!(!store.open_session(&session("six", &id), None, None, at(12)).await.unwrap(), "disabled");
    assert_eq!(store.reset_user(&id, &invitation("k"), &entry("reset"), at(12)).await.unwrap(), Changed::Disabled);
    assert_eq!(store.enable_user(&id, &entry("enable")).await.unwrap(), Changed::Done);
    assert!(store.has_active_user().await.unwrap());
    open("seven", None).await;
    assert_eq!(store.reset_user(&id, &invitation("k"), &entry("reset"), at(12)).await.unwrap(), Changed::Done);
    assert!(!is_open("seven", 12).await && !store.has_active_user().await.unwrap());
    assert!(!store.open_session(&session("eight", &id), None, None, at(12)).await.unwrap(), "reset");
    assert!(
        store.invited("k", at(99)).await.unwrap().is_some() && store.invited("k", at(100)).await.unwrap().is_none()
    );
    let nobody = UserId("nobody".to_owned());
    assert_eq!(store.disable_user(&nobody, &entry("disable"), at(12)).await.unwrap(), Changed::NotKnown);
}

async fn codes_are_used_once_and_tries_are_counted_before_they_are_looked_at(db: Ledger) {
    let id = member(&db, "a", "validation").await;
    let store = &db.store;
    let used = [store.use_totp_step(&id, 5), store.use_totp_step(&id, 6), store.use_totp_step(&id, 6)];
    let [a, b, c] = used;
    assert_eq!((a.await.unwrap(), b.await.unwrap(), c.await.unwrap()), (false, true, false));
    let recover = async |hash: &str| store.use_recovery_code(&id, hash, &entry("code"), at(3)).await.unwrap();
    assert!(recover("c1").await && !recover("c1").await && !recover("c3").await);
    assert_eq!(store.users(at(3)).await.unwrap()[0].recovery_codes, 1);

    let account = [Counter { key: "account".to_owned(), free: 1 }];
    let network = [Counter { key: "network".to_owned(), free: 3 }];
    let both = [account[0].clone(), network[0].clone()];
    let count = async |counters: &[Counter], now: i64| store.count_try(counters, at(now)).await.unwrap();
    assert_eq!((count(&both, 10).await, count(&both, 10).await), (None, None));
    assert_eq!(count(&both, 10).await, Some(at(11)), "the second failure costs a second");
    assert_eq!(count(&network, 10).await, None, "and what was not looked at counted for nothing");
    assert_eq!(count(&both, 11).await, None);
    assert_eq!(count(&network, 11).await, Some(at(12)), "four of the network");
    store.try_succeeded(&account, &network, at(11)).await.unwrap();
    assert_eq!(count(&account, 11).await, None);
    assert_eq!(count(&network, 11).await, None, "one was taken back");
    // A day later it is forgotten.
    let day = 86_400;
    assert_eq!((count(&account, 12).await, count(&account, 12).await), (None, Some(at(13))));
    assert_eq!((count(&account, day + 13).await, count(&account, day + 13).await), (None, None));
}

async fn a_limited_action_is_counted_by_account_and_one_after_the_other(db: Ledger) {
    let id = member(&db, "a", "redaction").await;
    let other = db.another().await;
    let of = |actor: &str, second: i64| AuditEntry {
        at: at(second),
        kind: ActorKind::User,
        actor: actor.to_owned(),
        ..entry("issue.test")
    };
    // Of an earlier day, of another action, of somebody else: none of them counts.
    for other in [
        of(id.as_str(), 9),
        AuditEntry { action: "issue.test.accepted".to_owned(), ..of(id.as_str(), 12) },
        of("b", 12),
    ] {
        db.store.record(&other).await.unwrap();
    }
    let (entry, store) = (of(id.as_str(), 12), &db.store);
    assert!(store.record_within(&entry, at(10), 3).await.unwrap());
    let at_once = tokio::join!(
        store.record_within(&entry, at(10), 3),
        other.record_within(&entry, at(10), 3),
        store.record_within(&entry, at(10), 3),
        other.record_within(&entry, at(10), 3),
    );
    let done = [at_once.0, at_once.1, at_once.2, at_once.3].into_iter().filter(|it| *it.as_ref().unwrap()).count();
    assert_eq!(done, 2, "three of four were the limit");
    assert!(!store.record_within(&entry, at(10), 3).await.unwrap());
    assert!(store.record_within(&entry, at(13), 3).await.unwrap(), "since then");
}

on_both_databases! {
    a_limited_action_is_counted_by_account_and_one_after_the_other
    two_administrators_at_once_do_not_both_go
    sessions_end_with_what_they_rest_on
    codes_are_used_once_and_tries_are_counted_before_they_are_looked_at
}
