//! F1: opt-outs are kept by hashes, and mean nothing under another secret. The ledger knows its own.

use crate::support::house::{BOTH, House, MONDAY, NEXT_AT, NEXT_MONDAY, On, Relay, article};

const OUT: &str = "parti@gite.example";

/// Two partners, one of whom asked to be left alone; the secret was made by the program, or is in a file.
fn house(on: On, relay: &Relay) -> House {
    let house = House::on(on).relay(relay).without("secret");
    let house = match on {
        On::Sqlite => house,
        On::Postgres => {
            house.write("secret", "the secret of the office\n");
            house.set("secret_file", "secret")
        }
    };
    house.import(&[OUT, "reste@gite.example"]);
    house.semainier(&["partners", "suppress", OUT]).expect(0);
    house
}

fn file_of(on: On) -> &'static str {
    match on {
        On::Sqlite => "semainier.secret",
        On::Postgres => "secret",
    }
}

/// Nothing is imported, frozen or sent, and each refusal names `file`; looking goes on.
fn assert_refused(house: &House, relay: &Relay, file: &str) {
    house.write("more.csv", "email\nnouveau@gite.example\n");
    let put_back = format!("restore {}", house.path(file).display());
    house.write("article.html", article(MONDAY));
    for args in [
        &["partners", "import", "more.csv"][..],
        &["partners", "import", "more.csv", "--dry-run"],
        &["partners", "suppress", "reste@gite.example"],
        &["run", "agenda", "--at", "2027-07-10T08:00", "--article", "article.html", "--yes"],
        &["serve"],
    ] {
        house.semainier(args).expect(1).expect_said(&[&put_back, "Nothing was imported, frozen or sent"]);
    }
    house.semainier(&["status"]).expect(4).expect_said(&["no daemon is running"]);
    for args in [&["issues"][..], &["log"], &["partners", "list"], &["lanes"], &["orders"]] {
        house.semainier(args).expect(0);
    }
    assert_eq!(house.number("SELECT count(*) FROM contacts"), 2);
    assert_eq!(house.number("SELECT count(*) FROM issues"), 0);
    assert_eq!(relay.to_partners(), 0);
}

#[test]
fn trial_f1_another_secret_is_refused_and_the_file_to_restore_is_named() {
    for on in BOTH {
        let relay = Relay::start();
        let house = house(on, &relay);
        let right = std::fs::read(house.path(file_of(on))).unwrap();
        house.write(file_of(on), "a secret of another ledger");
        assert_refused(&house, &relay, file_of(on));
        // With the right one everything goes on, and the opt-out is known.
        house.write(file_of(on), right);
        house.run().expect(0);
        house.assert_states(&[("sent", 1), ("suppressed", 1)]);
    }
}

#[test]
fn trial_f1_a_lost_secret_is_never_replaced_by_a_new_one() {
    for on in BOTH {
        let relay = Relay::start();
        let house = house(on, &relay);
        std::fs::remove_file(house.path(file_of(on))).unwrap();
        assert_refused(&house, &relay, file_of(on));
        assert!(!house.path(file_of(on)).exists(), "{on:?}: none was made");
    }
}

/// The documented backup of before: the database alone, in an empty folder.
#[test]
fn trial_f1_a_database_restored_without_its_secret_is_refused() {
    let relay = Relay::start();
    let before = house(On::Sqlite, &relay);
    let after = House::new().relay(&relay).without("secret");
    before.sql(&format!("VACUUM INTO '{}'", after.path("semainier.db").display()));
    assert_refused(&after, &relay, "semainier.secret");
    std::fs::copy(before.path("semainier.secret"), after.path("semainier.secret")).unwrap();
    after.semainier(&["partners", "import", "more.csv"]).expect(0);
    assert_eq!(after.number("SELECT count(*) FROM suppressions"), 1);
}

/// The unit file's own advice: started with the secret that was made, then `LoadCredential` and `secret_file`.
#[test]
fn trial_f1_another_secret_file_is_refused_and_the_matching_one_is_named() {
    let relay = Relay::start();
    let house = house(On::Sqlite, &relay);
    house.write("credential", "made for LoadCredential");
    let house = house.env("SEMAINIER__SECRET_FILE", "credential");
    assert_refused(&house, &relay, "credential");
    let right = format!("the right one is {}: copy it there", house.path("semainier.secret").display());
    let said = house.semainier(&["partners", "import", "more.csv"]).expect(1);
    said.expect_said(&[&right, "(secret_file, environment)"]);
    std::fs::copy(house.path("semainier.secret"), house.path("credential")).unwrap();
    house.semainier(&["partners", "import", "more.csv"]).expect(0);
}

/// A container that lost its volumes: the database server kept everything, the secret was made anew by a script.
#[test]
fn trial_f1_a_secret_in_the_configuration_is_named_by_its_key() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import(&[OUT]);
        let house = house.set("secret", "another one");
        let said = house.run().expect(1).expect_said(&["restore the value of `secret` (", "semainier.toml:"]).said();
        assert!(!said.contains("another one"));
        assert_eq!(house.number("SELECT count(*) FROM issues"), 0);
    }
}

/// A ledger of before there was a check value takes the first secret for its own, unless its contacts say otherwise.
#[test]
fn trial_f1_an_existing_ledger_stores_its_check_value_at_the_upgrade() {
    for on in BOTH {
        let relay = Relay::start();
        let house = house(on, &relay);
        let forget = "DELETE FROM properties WHERE name = 'secret'";
        let kept = "SELECT count(*) FROM properties WHERE name = 'secret'";
        house.sql(forget);
        let right = std::fs::read(house.path(file_of(on))).unwrap();
        house.write(file_of(on), "a secret of another ledger");
        assert_refused(&house, &relay, file_of(on));
        assert_eq!(house.number(kept), 0, "{on:?}");
        std::fs::remove_file(house.path(file_of(on))).unwrap();
        assert_refused(&house, &relay, file_of(on));
        house.write(file_of(on), right);
        house.semainier(&["status"]).expect(4);
        assert_eq!(house.number(kept), 0, "{on:?}: looking needs no secret");
        house.semainier(&["partners", "import", "more.csv"]).expect(0);
        assert_eq!(house.number(kept), 1, "{on:?}");
        // And where nobody is left to be compared with, the secret is known by it.
        house.sql("DELETE FROM subscriptions; DELETE FROM contacts");
        house.write(file_of(on), "a secret of another ledger");
        house.semainier(&["partners", "import", "more.csv"]).expect(1).expect_said(&["restore "]);
    }
}

#[test]
fn trial_f10_reading_needs_neither_secret_nor_password() {
    for on in BOTH {
        let relay = Relay::start();
        let house = house(on, &relay);
        let house = house.set("relay", "smtps://me@127.0.0.1:1").set("relay_password_file", "gone/relay");
        let house = house.set("secret_file", "gone/secret").set("link_keys_file", "gone/keys");
        for args in [
            &["next"][..],
            &["issues"],
            &["log"],
            &["partners", "list"],
            &["partners", "export"],
            &["lanes"],
            &["orders"],
            &["editions"],
        ] {
            house.semainier(args).expect(0);
        }
        house.semainier(&["status"]).expect(4).expect_said(&["no daemon is running"]);
        // What is wrong is said all at once, beside everything else.
        house.semainier(&["check"]).expect(1).expect_said(&["gone/relay", "gone/secret", "gone/keys", "mailings: 1"]);
        house.run().expect(1).expect_said(&["gone/secret"]);
    }
}

#[test]
fn trial_f1_link_keys_may_change_without_the_secret() {
    let relay = Relay::start();
    let house = house(On::Sqlite, &relay);
    house.write("keys", "0123456789abcdef\nsecret\n");
    let house = house.set("link_keys_file", "keys");
    house.run().expect(0);
    house.write("keys", "fedcba9876543210\n");
    house.run_at(NEXT_AT, &article(NEXT_MONDAY)).expect(0);
    house.assert_states(&[("sent", 2), ("suppressed", 2)]);
    assert_eq!(relay.to_partners(), 2);
}
