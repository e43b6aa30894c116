//! Tests of reading the configuration.

use super::*;
use crate::domain::Timestamp;
use crate::inbound::imap::Tls;
use std::collections::{BTreeMap, BTreeSet};

fn problems(text: &str, env: &[(&str, &str)]) -> String {
    let overrides = Overrides::from_env(env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    match Config::parse(Some(Path::new("/srv/semainier.toml")), text, &overrides) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn an_empty_file_is_a_valid_configuration() {
    assert_eq!(problems("", &[]), "");
}

#[test]
fn every_key_may_come_from_the_environment() {
    let overrides = Overrides::from_env(
        [("SEMAINIER__DATABASE", "sqlite://b.db"), ("SEMAINIER__OFFICE__NAME", "OT"), ("SEMAINIER__STAFF", "a@b.fr")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into_iter(),
    );
    let config = Config::parse(Some(Path::new("/srv/semainier.toml")), "database = 'sqlite://a.db'", &overrides);
    let config = config.unwrap();
    assert_eq!(config.database.expose_secret(), "sqlite:///srv/b.db");
    assert_eq!(config.office.name, "OT");
    assert_eq!(config.staff.len(), 1);
}

#[test]
fn all_problems_are_reported_at_once_without_secrets() {
    let said = problems(
        "databse = 'x'\nrelay = 'smtp://me:hunter2@'\nzone = 'Paris'\nstaff = ['nobody']\npublic_url = 'http://a.fr'\n\
         [delivery]\nconnections = 0\n[fetch]\ntimeout = 12",
        &[("SEMAINIER__OFFICE__NAMES", "x")],
    );
    for part in [
        "/srv/semainier.toml:1: databse: unknown key; did you mean database?",
        "/srv/semainier.toml:2: relay: ",
        "/srv/semainier.toml:3: zone: expected the name of a time zone such as Europe/Paris, found \"Paris\"",
        "/srv/semainier.toml:4: staff: \"nobody\": expected one @",
        "/srv/semainier.toml:5: public_url: expected an address",
        "/srv/semainier.toml:7: delivery.connections: expected 1 to 100, found 0",
        "/srv/semainier.toml:9: fetch.timeout: expected text in quotes, found integer",
        "environment: SEMAINIER__OFFICE__NAMES: unknown key; did you mean name?",
    ] {
        assert!(said.contains(part), "{part}\nnot in\n{said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_relay_password_can_be_in_a_separate_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("password"), "hunter2\n").unwrap();
    let text = "relay = 'smtps://me@relay.example'\nrelay_password_file = 'password'";
    let config = Config::parse(Some(&dir.path().join("semainier.toml")), text, &Overrides::default()).unwrap();
    assert_eq!(config.read_relay_password().unwrap().unwrap().expose_secret(), "hunter2");
    assert!(problems("relay = 'smtps://me@relay.example'", &[]).contains("a user without a password"));
}

#[test]
fn l4_a_name_has_only_characters_valid_in_a_header() {
    for (written, found) in [("a\\r\\nBcc: x", "a line break"), ("a\\u0000", "U+0000"), ("a\\u202Eb", "U+202E")] {
        let said = problems(&format!("[sender]\nname = \"{written}\"\n[office]\nname = \"{written}\""), &[]);
        let at = |line: usize, key: &str| format!("semainier.toml:{line}: {key}: ");
        assert!(said.contains(&at(2, "sender.name")) && said.contains(&at(4, "office.name")), "{said}");
        assert_eq!(said.matches(found).count(), 2, "{said}");
    }
    let said = problems("", &[("SEMAINIER__SENDER__NAME", "a\u{1b}b")]);
    assert!(said.contains("SEMAINIER__SENDER__NAME: found the character U+001B"), "{said}");
    let said = problems("[office]\nvenues = [\"a\\u202Eb\"]\nphone = \"1\\n2\"", &[]);
    assert!(said.contains("office.venues: ") && said.contains("office.phone: "), "{said}");
}

#[test]
fn trial_f19_the_database_has_a_password_file_and_a_socket() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("password"), "p@ss/word\n").unwrap();
    let read = |text: &str| Config::parse(Some(&dir.path().join("s.toml")), text, &Overrides::default());
    let url = |text: &str| read(text).unwrap().database.expose_secret().to_owned();
    let file = "database_password_file = 'password'";
    let with = url(&format!("database = 'postgres://me@db.example/ours'\n{file}"));
    assert_eq!(with, "postgres://me:p%40ss%2Fword@db.example/ours");
    let socket = url("database = 'postgres://me@/ours?host=/var/run/postgresql'");
    assert_eq!(socket, "postgres://me@localhost/ours?host=/var/run/postgresql");
    for text in ["database = 'sqlite://a.db'", "", "database = 'postgres://me:p@db.example/ours'"] {
        let said = read(&format!("{text}\n{file}")).unwrap_err().to_string();
        assert!(said.contains("s.toml:1: database: ") || said.contains("only for Postgres"), "{said}");
        assert!(!said.contains("p@ss"), "{said}");
    }
}

#[test]
fn a_lane_is_changed_or_added() {
    let text = "[[lane]]\nname = 'orange'\nper_minute = 30\n[[lane]]\nname = 'region'\ndomains = ['Mairie.fr']\n\
                connections = 1\n[[lane]]\nname = 'others'\nconnections = 3";
    let lanes = Config::parse(None, text, &Overrides::default()).unwrap().lanes;
    let orange = lanes.of("wanadoo.fr");
    assert_eq!((orange.limits.connections, orange.limits.per_minute), (2, Some(30)));
    assert_eq!((lanes.of("mairie.fr").name, lanes.of("mairie.fr").limits.connections), ("region", 1));
    assert_eq!(lanes.of("hotel.example").limits.connections, 3);
    let said = problems("[[lane]]\nname = 'new'\nconections = 0", &[]);
    assert!(said.contains("lane[0].domains: missing") && said.contains("did you mean connections?"), "{said}");
}

#[test]
fn one_domain_in_two_lanes_is_refused_with_both_places() {
    let text = "[[lane]]\nname = 'north'\ndomains = ['mairie.fr', 'a.fr']\n\n\
                [[lane]]\nname = 'south'\nconnections = 1\ndomains = ['b.fr', 'Mairie.fr']\n";
    let said = Config::parse(Some(Path::new("s.toml")), text, &Overrides::default()).unwrap_err().to_string();
    let expected = "s.toml:8: lane[1].domains: mairie.fr is written twice: also in lane \"north\" at s.toml:3; \
                    keep it in one";
    assert!(said.contains(expected), "{said}");
    let said = problems("[[lane]]\nname = 'a'\ndomains = ['x.fr', 'x.fr']", &[]);
    assert!(said.contains("x.fr is written twice"), "{said}");
    let said = problems("[[lane]]\nname = 'orange'\n[[lane]]\nname = 'orange'\nconnections = 1", &[]);
    assert!(said.contains("lane[1].name: the lane \"orange\" is written twice"), "{said}");
    // A built-in lane loses a domain that is listed for another.
    let text = "[[lane]]\nname = 'orange'\ndomains = ['orange.fr', 'sfrbusiness.fr']\nconnections = 1";
    let lanes = Config::parse(None, text, &Overrides::default()).unwrap().lanes;
    assert_eq!((lanes.of("sfrbusiness.fr").name, lanes.of("sfr.fr").name), ("orange", "sfr"));
}

#[test]
fn debug_shows_no_secret() {
    let overrides = Overrides::default();
    let text = "relay = 'smtps://me:hunter2@relay.example'\nsecret = 'hunter3'";
    let shown = format!("{:?}", Config::parse(None, text, &overrides).unwrap());
    assert!(!shown.contains("hunter"), "{shown}");
}

/// Keys by section, as the reader asks for them: what it names when it finds an unknown one.
fn asked(problems: &Problems) -> BTreeMap<String, BTreeSet<String>> {
    let unknown = problems.0.iter().filter_map(|problem| {
        let keys = problem.message.strip_prefix("unknown key; expected one of ")?;
        let section = problem.key.strip_suffix("unheard_of")?.trim_end_matches('.').split('[').next()?;
        Some((section.to_owned(), keys.split(", ").map(str::to_owned).collect()))
    });
    let mut asked = BTreeMap::<String, BTreeSet<String>>::new();
    unknown.for_each(|(section, keys): (_, BTreeSet<_>)| asked.entry(section).or_default().extend(keys));
    // Sections are keys of what they are in, too.
    let sections: Vec<_> = asked.keys().cloned().collect();
    for (section, keys) in &mut asked {
        let within = |key: &String| if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
        keys.retain(|key| !sections.contains(&within(key)));
    }
    asked
}

/// Keys by section, as `docs/configuration.md` lists them.
fn documented(part: &str) -> BTreeMap<String, BTreeSet<String>> {
    let code = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let (mut section, mut found) = (String::new(), BTreeMap::<String, BTreeSet<String>>::new());
    for line in part.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = code(title).first().map(|it| it.replace(['[', ']'], "")).unwrap_or_default();
        } else if let Some(row) = line.strip_prefix("| `") {
            let keys = code(&format!("`{}", row.split(" |").next().unwrap_or_default()));
            found.entry(section.clone()).or_default().extend(keys);
        }
    }
    found
}

#[test]
fn the_reference_lists_every_key_of_the_configuration_and_of_a_mailing() {
    let reference =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md")).unwrap();
    let (file, mailing) = reference.split_once("\n# A mailing\n").unwrap();
    let path = Path::new("/srv/semainier.toml");

    let sections = [
        "office",
        "sender",
        "fetch",
        "delivery",
        "inbound",
        "inbound.imap",
        "print",
        "web",
        "console",
        "alert",
        "metrics",
        "log",
    ];
    let mut text = "unheard_of = 1\n".to_owned();
    text.extend(sections.map(|section| format!("[{section}]\nunheard_of = 1\n")));
    text.push_str("[[dkim]]\nunheard_of = 1\n[[lane]]\nunheard_of = 1\n");
    let problems = Config::parse(Some(path), &text, &Overrides::default()).unwrap_err();
    assert_eq!(documented(file), asked(&problems));

    let config = Config::parse(Some(path), "", &Overrides::default()).unwrap();
    let problems = ["agenda", "newsletter", "edition"].map(|template| {
        let sections = ["audience", "sender", "schedule", "gates", "staff_mails"];
        let sections = sections.map(|section| format!("[{section}]\nunheard_of = 1\n")).concat();
        let text = format!("template = '{template}'\nunheard_of = 1\n{sections}");
        crate::jobs::parse(Path::new("/srv/jobs/a.toml"), &text, &config, Timestamp::MIN_UTC).unwrap_err().0
    });
    let mut asked = asked(&Problems(problems.concat()));
    // Described where their kinds are.
    asked.entry(String::new()).or_default().retain(|key| !["source", "section"].contains(&key.as_str()));
    assert_eq!(documented(mailing), asked);
}

#[test]
fn a_mailbox_by_imap_is_read_with_its_defaults() {
    let text = "[inbound.imap]\nhost = 'imap.example'\nuser = 'retours@ot.example'\npassword_file = 'imap'";
    let config = Config::parse(Some(Path::new("/srv/semainier.toml")), text, &Overrides::default()).unwrap();
    let imap = config.inbound.imap.unwrap();
    assert_eq!((imap.place().as_str(), imap.tls, imap.folder.as_str()), ("imap.example:993", Tls::Implicit, "INBOX"));
    assert!(matches!(imap.password, Credential::File { path, .. } if path == Path::new("/srv/imap")));
    for (more, place) in [("tls = 'starttls'", "imap.example:143"), ("port = 1143", "imap.example:1143")] {
        let config = Config::parse(None, &format!("{text}\n{more}"), &Overrides::default()).unwrap();
        assert_eq!(config.inbound.imap.unwrap().place(), place);
    }
    // From the environment alone.
    let keys =
        ["HOST", "USER", "PASSWORD_FILE"].map(|key| (format!("SEMAINIER__INBOUND__IMAP__{key}"), "::1".to_owned()));
    let config = Config::parse(None, "", &Overrides::from_env(keys.into_iter())).unwrap();
    assert_eq!(config.inbound.imap.unwrap().place(), "[::1]:993");
    assert_eq!(Config::parse(None, "[inbound.imap]", &Overrides::default()).unwrap().inbound.imap, None);
}

#[test]
fn mistakes_in_the_mailbox_by_imap_are_reported_with_their_lines() {
    let whole = "[inbound.imap]\nhost = 'imap.example'\nuser = 'me'\npassword_file = 'imap'";
    for (text, expected) in [
        ("[inbound.imap]\nport = 993", "semainier.toml: inbound.imap.host: missing; write for example host = "),
        ("[inbound.imap]\nhost = 'a.example'", "inbound.imap.user: missing"),
        ("[inbound.imap]\nhost = 'a.example'\nuser = 'me'", "inbound.imap.password_file: missing"),
        ("[inbound.imap]\nhost = 'imaps://a.example:993'", ":2: inbound.imap.host: expected a host name"),
        (&format!("{whole}\npassword = 'hunter2'"), ":5: inbound.imap.password: unknown key; expected one of ca_file,"),
        (&format!("{whole}\nport = 0"), ":5: inbound.imap.port: expected 1 to 65535, found 0"),
        (&format!("{whole}\ntls = 'ssl'"), ":5: inbound.imap.tls: expected \"implicit\" (port 993)"),
        (&format!("{whole}\ntls = 'none'"), ":5: inbound.imap.tls: a password is never sent in clear"),
        (&format!("{whole}\nca_file = 'missing.pem'"), ":5: inbound.imap.ca_file: /srv/missing.pem cannot be read"),
        (&format!("{whole}\nfolder = ''"), ":5: inbound.imap.folder: expected the name of a folder"),
        (&format!("{whole}\ndone_folder = 'a*'"), ":5: inbound.imap.done_folder: expected the name of a folder"),
        (&format!("{whole}\ndone_folder = 'inbox'"), ":5: inbound.imap.done_folder: expected a folder of its own"),
        (&format!("{whole}\nfolder = 'semainier-done'"), ":5: inbound.imap.folder: expected a folder of its own"),
        (
            &format!("{whole}\ndone_folder = 'a'\nother_folder = 'a'"),
            ":5: inbound.imap.done_folder: expected a folder of its own, \"a\" is used",
        ),
    ] {
        let said = problems(text, &[]);
        assert!(said.contains(expected) && !said.contains("hunter2"), "{expected}\nnot in\n{said}");
    }
    assert_eq!(problems(whole, &[]), "");
    assert_eq!(problems(&whole.replace("imap.example'", "localhost'\ntls = 'none'"), &[]), "");
}
