//! What ends a session: logging out, and everything that takes a right or a secret away; wherever it is done, and streams too.

use super::entering::{Browser, CLAIRE, Office, PASSWORD, hidden};
use crate::support::house::{BOTH, ISSUE, Relay};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

const MARC: &str = "marc@ot.test";

#[test]
fn whatever_takes_a_right_away_ends_the_sessions() {
    for on in BOTH {
        let office = Office::on(on);
        let claire = office.member(CLAIRE, "administration");
        let marc = office.member(MARC, "validation");
        let mut admin = Browser::of(&office, &claire);

        // A password: the browser it was changed in goes on under a new session, the other one does not.
        let (mut one, mut two) = (Browser::of(&office, &marc), Browser::of(&office, &marc));
        let before = one.jar["semainier"].clone();
        let fields = [("present", "faux"), ("nouveau", "six poules rousses"), ("encore", "six poules rousses")];
        one.post("/moi/mot-de-passe", &fields).expect(422, &["mot de passe actuel n’est pas le bon"]);
        let fields = [("present", PASSWORD), ("nouveau", "six poules rousses"), ("encore", "six poules rousses")];
        let done = one.post("/moi/mot-de-passe", &fields);
        assert_eq!((done.status, done.header("location")), (303, "/moi?fait=password"));
        one.get("/moi?fait=password").expect(200, &["Le mot de passe est changé"]);
        assert!(!two.is_in());
        let after = one.jar.insert("semainier".to_owned(), before).unwrap();
        assert!(!one.is_in(), "the session it was changed in has another name now");
        one.jar.insert("semainier".to_owned(), after);
        assert!(admin.is_in(), "others go on");
        assert_eq!(two.password(MARC, PASSWORD).status, 422, "the old password opens nothing");

        // Roles, by the command line.
        office.house.semainier(&["users", "roles", MARC, "lecture,validation"]).expect(0);
        assert!(!one.is_in());
        let log_in = |browser: &mut Browser| {
            office.tick(3600);
            assert_eq!(browser.password(MARC, "six poules rousses").status, 303);
            assert_eq!(browser.code(&office.code(&marc.secret)).status, 303);
            assert!(browser.is_in());
        };
        log_in(&mut one);
        office.house.semainier(&["users", "roles", MARC, "validation,lecture"]).expect(0).expect_said(&["already"]);
        assert!(one.is_in(), "nothing was changed");

        // By an administrator in the console, who proves first who she is.
        let mut admin = Browser::of(&office, &claire);
        let id = office.user(MARC).id.0;
        office.tick(601);
        let asked = admin.post("/utilisateurs", &[("compte", &id), ("faire", "desactiver")]);
        assert_eq!(asked.header("location"), "/moi/confirmer?vers=users");
        assert!(one.is_in(), "not yet");
        admin.post("/moi/confirmer", &[("vers", "users"), ("present", "faux")]).expect(422, &[]);
        let before = admin.jar["semainier"].clone();
        let proved = admin.post("/moi/confirmer", &[("vers", "users"), ("present", PASSWORD)]);
        assert_eq!(proved.header("location"), "/utilisateurs");
        assert_ne!(admin.jar["semainier"], before, "a new session at each step up");
        let fields = [("compte", id.as_str()), ("faire", "roles"), ("role-exploitation", "1")];
        admin.post("/utilisateurs", &fields).expect(200, &["Les rôles sont changés"]);
        assert!(!one.is_in());
        let prove = |admin: &mut Browser| {
            assert_eq!(admin.post("/moi/confirmer", &[("vers", "users"), ("present", PASSWORD)]).status, 303);
        };
        log_in(&mut one);
        prove(&mut admin);
        admin.post("/utilisateurs", &[("compte", &id), ("faire", "sessions")]).expect(200, &[]);
        assert!(!one.is_in());
        log_in(&mut one);
        prove(&mut admin);
        admin.post("/utilisateurs", &[("compte", &id), ("faire", "desactiver")]).expect(200, &["Désactivé"]);
        assert!(!one.is_in());
        office.tick(3600);
        assert_eq!(one.password(MARC, "six poules rousses").status, 422, "disabled");
        let mut admin = Browser::of(&office, &claire);
        admin.post("/utilisateurs", &[("compte", &id), ("faire", "reactiver")]).expect(200, &[]);
        log_in(&mut one);

        // A reset takes both secrets, and its link sets new ones.
        let mut admin = Browser::of(&office, &claire);
        let page =
            admin.post("/utilisateurs", &[("compte", &id), ("faire", "reinitialiser")]).expect(200, &["une fois"]);
        assert!(!one.is_in());
        let html = page.text().replace("&#x2f;", "/");
        let link = html.split("/invitation/").nth(1).unwrap().split('<').next().unwrap();
        office.tick(3600);
        assert_eq!(one.password(MARC, "six poules rousses").status, 422);
        let marc = office.accept(&format!("/invitation/{link}"), MARC);
        let mut one = Browser::of(&office, &marc);
        assert!(one.is_in());
        // Another telephone: other sessions end, this one goes on.
        let mut two = Browser::of(&office, &marc);
        let secret = hidden(&one.get("/moi/second-facteur").text(), "secret");
        one.post("/moi/second-facteur", &[("secret", &secret), ("code", "000000")]).expect(422, &[]);
        let code = office.code(&secret);
        one.post("/moi/second-facteur", &[("secret", &secret), ("code", &code)]).expect(200, &["Codes de secours"]);
        assert!(one.is_in() && !two.is_in());
        one.post("/moi/codes", &[]).expect(200, &["une fois"]);

        // One's own list of sessions.
        let marc = super::entering::Member { secret, ..marc };
        let mut two = Browser::of(&office, &marc);
        let page = one.get("/moi").expect(200, &["Ce poste", "Fermer", "Firefox, Linux"]).text();
        let other = hidden(&page, "session");
        assert!(two.is_in());
        assert_eq!(one.post("/moi/sessions", &[("session", &other)]).status, 303);
        assert!(!two.is_in() && one.is_in());
        // Nobody closes a session of somebody else.
        let mut admin = Browser::of(&office, &claire);
        let theirs = office.house.text(&format!(
            "SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.address = '{CLAIRE}' ORDER BY s.id DESC LIMIT 1"
        ));
        one.post("/moi/sessions", &[("session", &theirs)]);
        assert!(admin.is_in());
    }
}

#[test]
fn the_last_administrator_stays_one_and_everything_is_on_record() {
    for on in BOTH {
        let office = Office::on(on);
        let claire = office.member(CLAIRE, "administration,lecture");
        // Invited is not active.
        office.add(MARC, "administration");
        for args in [&["users", "disable", CLAIRE][..], &["users", "roles", CLAIRE, "lecture"]] {
            office.house.semainier(args).expect(1).expect_said(&["last active account with the role administration"]);
        }
        let mut admin = Browser::of(&office, &claire);
        let id = office.user(CLAIRE).id.0;
        let fields = [("compte", id.as_str()), ("faire", "desactiver")];
        admin.post("/utilisateurs", &fields).expect(409, &["dernier compte actif qui administre"]);
        admin.post("/utilisateurs", &[("compte", &id), ("faire", "reinitialiser")]).expect(409, &[]);
        assert!(admin.is_in());
        let fields = [("faire", "ajouter"), ("adresse", CLAIRE), ("nom", "x"), ("role-lecture", "1")];
        admin.post("/utilisateurs", &fields).expect(409, &["a déjà un compte"]);
        let fields = [("faire", "ajouter"), ("adresse", "zoe@ot.test"), ("nom", "<b>Zoé</b>"), ("role-lecture", "1")];
        let page = admin.post("/utilisateurs", &fields).expect(200, &["Le compte est créé", "<b>Zoé</b>"]);
        assert!(!page.text().contains("<b>Zoé"), "escaped");
        // A second one who is active, and the first may go.
        office.house.semainier(&["users", "roles", MARC, "lecture"]).expect(0);
        let paul = office.member("paul@ot.test", "administration");
        office.house.semainier(&["users", "disable", CLAIRE]).expect(0);
        assert!(!admin.is_in());
        let mut admin = Browser::of(&office, &paul);
        admin.get("/utilisateurs").expect(200, &["Désactivé", "Invité, pas encore ouvert"]);
        let said = office.house.semainier(&["users", "list", "--json"]).expect(0).json();
        let state = |address: &str| {
            let all = said.as_array().unwrap();
            all.iter().find(|it| it["address"] == address).unwrap()["state"].as_str().unwrap().to_owned()
        };
        assert_eq!([CLAIRE, MARC, "paul@ot.test"].map(state), ["disabled", "invited", "active"]);
        let sessions = office.house.semainier(&["users", "sessions", "paul@ot.test", "--json"]).expect(0).json();
        assert_eq!((sessions.as_array().unwrap().len(), &sessions[0]["device"]), (1, &"Firefox, Linux".into()));

        let count = |sql: &str| office.house.number(&format!("SELECT count(*) FROM audit WHERE {sql}"));
        assert_eq!(count("action = 'user.add' AND kind = 'cli'"), 3);
        assert_eq!(
            count(&format!("action = 'user.add' AND kind = 'user' AND actor = '{id}' AND network = '127.0.0.0/24'")),
            1
        );
        assert_eq!(count("action = 'user.disable'"), 1, "what was refused is not there");
        assert_eq!(count("request_id IS NULL AND kind = 'user'"), 0);
        assert_eq!(count("actor LIKE '%@%' OR object LIKE '%@%' OR detail LIKE '%@%'"), 0);
    }
}

/// A stream is open as long as its session.
#[test]
fn a_stream_ends_within_a_second_of_its_session() {
    for on in BOTH {
        let relay = Relay::start();
        let house = crate::support::house::House::on(on).relay(&relay).set("console.bind", "127.0.0.1:0");
        house.import(&["un@gite.example"]);
        house.run().expect(0);
        house.sql(&format!("UPDATE issues SET state = 'sending', closed_at = NULL WHERE key = '{ISSUE}'"));
        let office = Office::open(house);
        let claire = office.member(CLAIRE, "validation");
        let logout = |browser: &mut Browser| {
            assert_eq!(browser.post("/deconnexion", &[]).status, 200);
        };
        let by_command = |_: &mut Browser| {
            office.house.semainier(&["users", "sessions", CLAIRE, "--end"]).expect(0).expect_said(&["sessions of"]);
        };
        let ends: [&dyn Fn(&mut Browser); 2] = [&logout, &by_command];
        for end in ends {
            let mut browser = Browser::of(&office, &claire);
            let mut stream = TcpStream::connect(&office.host).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            let path = format!("/envois/{ISSUE}/suivi/flux");
            let cookie = &browser.jar["semainier"];
            write!(
                stream,
                "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: semainier={cookie}\r\nConnection: close\r\n\r\n",
                office.host
            )
            .unwrap();
            let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
            assert!(lines.next().unwrap().contains(" 200 "));
            assert!(lines.any(|line| line == "event: counts"));
            end(&mut browser);
            let begun = semainier::clock::Clock::monotonic();
            assert!(!lines.any(|line| line == "event: counts"), "nothing more is told");
            assert!(begun.elapsed() < Duration::from_millis(1200), "{:?}", begun.elapsed());
        }
        assert_eq!(Browser::new(&office).get(&format!("/envois/{ISSUE}/suivi/flux")).status, 303);
    }
}

/// What was ended since the backup stays ended.
#[test]
fn a_restored_backup_brings_accounts_back_and_no_session() {
    for on in BOTH {
        let house = crate::support::house::House::on(on);
        house.semainier(&["users", "add", CLAIRE, "--name", "Claire"]).expect(0);
        house.sql(
            "INSERT INTO sessions (token_hash, id, user_id, stage, created_at, seen_at, expires_at, idle_until, proved_at)
                SELECT 't', 's', id, 'full', 1, 1, 9000000000000, 9000000000000, 1 FROM users;
            INSERT INTO known_devices SELECT 'd', id, 1 FROM users",
        );
        house.semainier(&["backup", "kept"]).expect(0);
        let done = house.semainier(&["restore", "kept", "--replace"]);
        assert!(matches!(done.code, Some(0 | 4)), "{}", done.said());
        let count = |table: &str| house.number(&format!("SELECT count(*) FROM {table}"));
        let counts = ["users", "audit", "sessions", "known_devices", "invitations"].map(count);
        assert_eq!(counts, [1, 1, 0, 0, 0], "{on:?}");
    }
}
