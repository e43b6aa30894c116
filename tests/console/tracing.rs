//! « Décisions »: who sees what of the audit, in sentences, page by page.

use super::entering::{Browser, CLAIRE, Office};
use crate::support::house::{BOTH, ISSUE};
use semainier::views::console::trace::ACTIONS;

const MARC: &str = "marc@ot.test";

/// An office in which two persons and a command line have decided something.
fn office_with_decisions(office: &Office) {
    let (claire, marc) = (office.user(CLAIRE).id, office.user(MARC).id);
    let mut n = 0;
    let mut entry = |kind: &str, actor: &str, action: &str, object: &str, detail: &str| {
        n += 1;
        let at = 1_815_000_000_000_i64 + n * 60_000;
        office.house.sql(&format!(
            "INSERT INTO audit (id, at, actor, kind, action, object, detail)
             VALUES ('{n:04}', {at}, '{actor}', '{kind}', '{action}', '{object}', '{detail}')"
        ));
    };
    let issue = format!("issue:{ISSUE}");
    entry("cli", "nadine", "issue.pause", "issue:agenda/2027-W20", "{}");
    entry("user", claire.as_str(), "issue.approve", &issue, r#"{"hash":"4c81d9b6a652"}"#);
    entry("user", marc.as_str(), "issue.skip", &issue, r#"{"why":"<b>Fête</b> annulée"}"#);
    entry(
        "user",
        claire.as_str(),
        "user.roles",
        &format!("user:{}", marc.as_str()),
        r#"{"before":"x","after":"lecture"}"#,
    );
    entry("user", marc.as_str(), "future.thing", "planet:mars", "no json");
    for _ in 0..60 {
        entry("user", claire.as_str(), "lane.reopen", "lane:orange", "{}");
    }
}

#[test]
fn administration_sees_every_decision_in_a_sentence_and_others_their_own() {
    for on in BOTH {
        let office = Office::on(on);
        let claire = office.member(CLAIRE, "administration");
        let marc = office.member(MARC, "validation");
        office.house.sql(&format!("UPDATE users SET name = 'Marc' WHERE address = '{MARC}'"));
        office_with_decisions(&office);
        let name = |address: &str| office.user(address).name;
        let (hers, his) = (name(CLAIRE), name(MARC));

        let mut browser = Browser::of(&office, &claire);
        let first = browser.get("/trace");
        let html = scraper::Html::parse_document(&first.text());
        let rows = scraper::Selector::parse("ol.timeline li").unwrap();
        assert_eq!(html.select(&rows).count(), 50, "a page");
        first.expect(200, &[&format!("{hers} a rouvert la voie orange .").replace(" .", "")]);
        let next = scraper::Selector::parse("a[rel='next']").unwrap();
        let older = html.select(&next).next().unwrap().value().attr("href").unwrap().to_owned();
        let second = browser.get(&format!("/trace{older}"));
        assert!(!second.text().contains("<b>Fête</b>"), "escaped");
        second.expect(
            200,
            &[
                &format!("{hers} a approuvé l’envoi de l’agenda du 12 au 18 juillet , version 4c81d9b6a652."),
                &format!("{his} a décidé de ne pas faire partir l’envoi de l’agenda du 12 au 18 juillet , motif : <b>Fête</b> annulée."),
                &format!("{hers} a changé les rôles de {his}, rôles : lecture."),
                &format!("{his} a fait autre chose : future.thing."),
                "nadine (ligne de commande) a mis en pause l’envoi de l’agenda du 17 au 23 mai",
            ],
        );
        // By issue, and by person: both are the address.
        let of_issue = browser.get(&format!("/trace?envoi={ISSUE}"));
        let said = of_issue.expect(200, &["a approuvé l’envoi", "a décidé de ne pas faire partir"]).words();
        assert!(!said.contains("a rouvert"), "{said}");
        let said = browser.get("/trace?qui=cli:nadine").expect(200, &["a mis en pause"]).words();
        assert!(!said.contains("a approuvé") && !said.contains("a rouvert"), "{said}");
        // What cannot be read is left out, and that is said.
        browser.get("/trace?envoi=nothing").expect(200, &["le filtre est laissé de côté", "a rouvert"]);
        browser.get(&format!("/trace?envoi={ISSUE}&qui=cli:nobody&avant=x")).expect(200, &["Aucune décision"]);

        // Whoever does not administer sees their own, whatever the address says.
        let mut browser = Browser::of(&office, &marc);
        let foreign = format!("/trace?qui=user:{}", office.user(CLAIRE).id.as_str());
        for path in ["/trace", foreign.as_str(), "/trace?qui=cli:nadine"] {
            let said =
                browser.get(path).expect(200, &["a décidé de ne pas faire partir", "Vos propres décisions"]).words();
            for other in ["a approuvé", "a rouvert", "nadine", "a changé les rôles"] {
                assert!(!said.contains(other), "{path}: {other} is in\n{said}");
            }
        }
    }
}

/// Whatever is written to the audit has a sentence.
#[test]
fn every_action_of_the_source_has_a_sentence() {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/actions"))];
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
            if file.is_dir() {
                folders.push(file);
                continue;
            }
            let source = std::fs::read_to_string(&file).unwrap();
            for word in source.split('"').skip(1).step_by(2) {
                let is_action = word.split_once('.').is_some_and(|(kind, what)| {
                    let kinds = [
                        "issue", "edition", "order", "orders", "delivery", "lane", "partners", "contact", "user",
                        "venue", "session",
                    ];
                    let letters = |it: &str| !it.is_empty() && it.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                    kinds.contains(&kind) && letters(what)
                });
                if is_action {
                    found += 1;
                    assert!(ACTIONS.contains(&word), "{word} of {} has no sentence", file.display());
                }
            }
        }
    }
    assert!(found > 25, "{found}");
}
