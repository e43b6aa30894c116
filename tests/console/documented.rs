//! `docs/security.md` is true of the tests it names, and of what every page has.

use super::entering::{Browser, CLAIRE, Office};
use crate::support::house::On;
use std::path::Path;

fn sources(dir: &Path, all: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|it| it == "rs") {
            *all += &std::fs::read_to_string(path).unwrap();
        }
    }
}

#[test]
fn the_security_page_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    ["src", "tests"].iter().for_each(|dir| sources(&root.join(dir), &mut all));
    let page = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    // Names of tests are sentences; other words in code marks are short.
    let named: Vec<_> = page.split('`').skip(1).step_by(2).filter(|it| it.matches('_').count() >= 4).collect();
    assert!(named.len() > 50, "{}", named.len());
    for name in named {
        assert!(all.contains(&format!("fn {name}(")), "there is no test {name}");
    }
    // Every row of a table ends with a test or says why there is none.
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ASVS"));
    for row in rows {
        let last = row.trim_end_matches('|').rsplit('|').next().unwrap().trim();
        assert!(last.starts_with('`') || ["reason given", "not for the console"].contains(&last), "{row}");
    }
}

#[test]
fn every_page_of_somebody_logged_in_has_the_way_out() {
    let office = Office::on(On::Sqlite);
    let claire = office.member(CLAIRE, "administration,validation,exploitation,redaction,lecture");
    let mut browser = Browser::of(&office, &claire);
    for path in [
        "/",
        "/envois",
        "/a-venir",
        "/journal",
        "/partenaires",
        "/partenaires/a-reparer",
        "/trace",
        "/moi",
        "/moi/session",
        "/nothing",
        "/utilisateurs",
        "/jetons",
        "/webhooks",
    ] {
        let html = browser.get(path).text();
        assert!(html.contains("action=\"/deconnexion\""), "{path}");
    }
}
