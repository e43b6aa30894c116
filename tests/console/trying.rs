//! Those who guess: how long they wait, that nobody else waits with them, and that nothing tells them who has an account.

use super::entering::{Browser, CLAIRE, OURS, Office, PASSWORD};
use crate::support::house::{BOTH, House, On};

const NOBODY: &str = "personne@ot.test";

#[test]
fn who_guesses_waits_longer_each_time_and_whoever_is_known_does_not_wait() {
    for on in BOTH {
        let office = Office::on(on);
        let claire = office.member(CLAIRE, "validation");
        let mut known = Browser::of(&office, &claire);
        let mut stranger = Browser::new(&office);
        for _ in 0..3 {
            stranger.password(CLAIRE, "faux mot de passe").expect(422, &["ne sont pas les bons"]);
        }
        // Even the right password is not looked at, and costs no work.
        let runs = office.console.password_runs();
        let refused = stranger.password(CLAIRE, PASSWORD).expect(429, &["Trop d’essais", "Rien n’a été vérifié"]);
        assert_eq!(refused.header("retry-after"), "2");
        assert_eq!(office.console.password_runs(), runs);
        // 1, 2, 4 … seconds.
        for wait in [1, 2, 4, 8, 16, 32] {
            office.tick(wait - 1);
            if wait > 1 {
                assert_eq!(stranger.password(CLAIRE, "faux").status, 429, "before {wait} seconds");
            }
            office.tick(1);
            assert_eq!(stranger.password(CLAIRE, "faux").status, 422, "after {wait} seconds");
        }
        // She is known in her own browser, although nobody waits there in her place.
        let token = known.token();
        known
            .send("POST", "/deconnexion", &[("jeton", &token)], OURS)
            .expect(200, &["La session de ce poste est fermée"]);
        assert!(!known.is_in());
        known.log_in(&claire);
        assert!(known.is_in());
        assert_eq!(stranger.password(CLAIRE, "faux").status, 429, "the stranger still waits");
        // Her own errors count, by themselves.
        let token = known.token();
        known.send("POST", "/deconnexion", &[("jeton", &token)], OURS);
        for _ in 0..3 {
            assert_eq!(known.password(CLAIRE, "faux").status, 422);
        }
        assert_eq!(known.password(CLAIRE, PASSWORD).status, 429);
    }
}

#[test]
fn second_factors_are_not_guessed_either_and_a_network_waits_as_a_whole() {
    for on in BOTH {
        let office = Office::on(on);
        let claire = office.member(CLAIRE, "validation");
        let mut stranger = Browser::new(&office);
        assert_eq!(stranger.password(CLAIRE, PASSWORD).status, 303);
        for _ in 0..3 {
            assert_eq!(stranger.code("123456").status, 422);
        }
        assert_eq!(stranger.code(&office.code(&claire.secret)).status, 429);
        // Whoever has the password tries no faster with another half login.
        let mut again = Browser::new(&office);
        assert_eq!(again.password(CLAIRE, PASSWORD).status, 303);
        assert_eq!(again.code("123456").status, 429);

        // Many names from one network.
        let mut spraying = Browser::new(&office);
        let mut looked_at = 0;
        for n in 0..30 {
            looked_at += u32::from(spraying.password(&format!("n{n}@ot.test"), PASSWORD).status == 422);
        }
        assert!(looked_at <= 10, "{looked_at} of one network at once");
    }
}

/// A name without account is answered like a wrong password, after the same work; so is one that is disabled.
#[test]
fn nothing_tells_who_has_an_account() {
    for on in BOTH {
        let office = Office::on(on);
        office.member(CLAIRE, "validation");
        office.member("marc@ot.test", "lecture");
        office.add("invite@ot.test", "lecture");
        office.house.semainier(&["users", "disable", "marc@ot.test"]).expect(0);
        let answer = |address: &str, password: &str| {
            let runs = office.console.password_runs();
            let reply = Browser::new(&office).password(address, password);
            let html = match address {
                "" => reply.text().replace("value=\"\"", "value=\"NAME\""),
                name => reply.text().replace(name, "NAME"),
            };
            (reply.status, html, office.console.password_runs() - runs)
        };
        let wrong = answer(CLAIRE, "faux mot de passe");
        assert_eq!((wrong.0, wrong.2), (422, 1));
        for (address, password) in [
            (NOBODY, PASSWORD),
            ("marc@ot.test", PASSWORD),
            ("invite@ot.test", PASSWORD),
            ("no address", PASSWORD),
            ("", ""),
        ] {
            assert_eq!(answer(address, password), wrong, "{address}");
        }
        // They wait alike, too: the network does not, here.
        office.tick(3600 * 25);
        for address in [CLAIRE, NOBODY] {
            let statuses: Vec<_> = (0..4).map(|_| answer(address, "faux").0).collect();
            assert_eq!(statuses, [422, 422, 422, 429], "{address}");
        }
        // What was typed as a name is not kept as it was typed.
        assert!(!office.house.everything().iter().any(|(table, rows)| table == "login_failures" && rows.contains('@')));
    }
}

/// Tries at once are counted before they are looked at.
#[test]
fn guessing_in_parallel_is_no_faster() {
    for on in BOTH {
        let office = Office::on(on);
        office.member(CLAIRE, "validation");
        let runs = office.console.password_runs();
        std::thread::scope(|scope| {
            for n in 0..16 {
                let office = &office;
                scope.spawn(move || Browser::new(office).password(CLAIRE, &format!("faux mot de passe {n}")));
            }
        });
        assert_eq!(office.console.password_runs() - runs, 3, "{on:?}");
    }
}

#[test]
fn on_https_the_cookies_belong_to_this_host_alone() {
    let house = House::on(On::Sqlite).set("console.bind", "127.0.0.1:0").set("console.url", "https://console.ot.test");
    let office = Office::open(house);
    let path = office.add(CLAIRE, "lecture");
    let mut browser = Browser::new(&office);
    let host = [("Host", "console.ot.test"), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(browser.get(&path).status, 421, "under another name there is nothing");
    let fields = [("nouveau", PASSWORD), ("encore", PASSWORD)];
    assert_eq!(browser.send("POST", &path, &fields, &host).status, 200);
    let fields = [("adresse", CLAIRE), ("mot-de-passe", PASSWORD)];
    let reply = browser.send("POST", "/connexion", &fields, &host);
    assert_eq!((reply.status, reply.header("location")), (303, "/"), "who only reads needs no second factor");
    assert_eq!(browser.set.len(), 2);
    for cookie in &browser.set {
        assert!(cookie.starts_with("__Host-semainier"), "{cookie}");
        assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}

/// Whoever asks: no more logins are looked at in a second than the machine can hash.
#[test]
fn logins_are_bounded_for_all_together() {
    let office = Office::open_with(House::on(On::Sqlite).set("console.bind", "127.0.0.1:0"), Some(2));
    office.add(CLAIRE, "lecture");
    office.house.sql("UPDATE users SET password = 'none'");
    let statuses: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|n| (n, &office))
            .map(|(n, office)| {
                scope.spawn(move || Browser::new(office).password(&format!("n{n}@ot.test"), PASSWORD).status)
            })
            .collect();
        tries.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(statuses.contains(&422) && statuses.contains(&429), "{statuses:?}");
}
