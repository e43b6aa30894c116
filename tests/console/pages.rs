//! Every page as a whole: its HTML, its links, its words, its headers; and nothing of what comes from outside becomes HTML.

use super::{Desk, EVIL, NOW, PAUL, ask, busy, viewer};
use crate::support::house::{BOTH, House, ISSUE, On, Relay};
use scraper::{Html, Selector};
use semainier::accounts::{Language, Permission, Roles, Viewer};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The whole console from its home, link by link.
fn crawl(desk: &Desk) -> BTreeMap<String, String> {
    let (mut seen, mut next) = (BTreeMap::new(), vec!["/".to_owned(), "/reglages".to_owned()]);
    while let Some(path) = next.pop() {
        // Needs an account, which this viewer has not: see `entering`.
        if seen.contains_key(&path) || path == "/moi" {
            continue;
        }
        let reply = desk.get(&path);
        // What an issue without kept content would show.
        let outdated = path.contains("/apercu/c0ffee");
        assert_eq!(reply.status, if outdated { 404 } else { 200 }, "{path}");
        if !reply.header("content-type").starts_with("text/html")
            || path.split('?').next().is_some_and(|it| it.ends_with("/mail.html"))
        {
            seen.insert(path, String::new());
            continue;
        }
        let html = reply.text();
        check(&path, &html);
        for (selector, name) in [
            ("a[href]", "href"),
            ("iframe[src]", "src"),
            ("img[src]", "src"),
            ("link[href]", "href"),
            ("script[src]", "src"),
        ] {
            for element in Html::parse_document(&html).select(&Selector::parse(selector).unwrap()) {
                let link = element.value().attr(name).unwrap();
                let whole = match link {
                    _ if link.starts_with('#') => continue,
                    // Away from here, and said so: an article, an edition online.
                    _ if link.starts_with("https://") && element.value().attr("rel") == Some("noreferrer") => continue,
                    _ if link.starts_with('?') => format!("{}{link}", path.split('?').next().unwrap()),
                    _ => link.to_owned(),
                };
                assert!(whole.starts_with('/') && !whole.starts_with("//"), "{path} leads away: {whole}");
                next.push(whole);
            }
        }
        seen.insert(path, html);
    }
    seen
}

/// What any page must be, for a person with a keyboard, a screen reader, or a telephone.
fn check(path: &str, html: &str) {
    let document = Html::parse_document(html);
    assert!(document.errors.is_empty(), "{path}: {:?}\n{html}", document.errors);
    let all = |selector: &str| document.select(&Selector::parse(selector).unwrap()).collect::<Vec<_>>();
    for once in [
        "h1",
        "main#contenu",
        "title",
        "header",
        "footer",
        "html[lang]",
        "a.skip[href='#contenu']",
        "nav[aria-label] a[aria-current='page']",
    ] {
        let n = all(once).len();
        let section = path == "/reglages" || path.contains("/apercu/c0ffee");
        let tabs = path.matches('/').count() >= 3 && path.starts_with("/envois/") && !path.contains("/corriger");
        let expected = match once {
            "nav[aria-label] a[aria-current='page']" if section => 0,
            "nav[aria-label] a[aria-current='page']" if tabs => 2,
            _ => 1,
        };
        assert_eq!(n, expected, "{path}: {once}");
    }
    assert_eq!(all("table").len(), all("table > caption").len(), "{path}: a table without a caption");
    assert!(all("th:not([scope])").is_empty(), "{path}: a th without a scope");
    assert!(
        all("[style], style, script:not([src]), [onclick], [onerror], [onload]").is_empty(),
        "{path}: something inline"
    );
    assert_eq!(all("script").len(), 1, "{path}");
    assert!(all("img:not([src^='/']), img:not([alt])").is_empty(), "{path}: a picture from outside, or without words");
    assert!(all("iframe:not([sandbox]), iframe:not([title])").is_empty(), "{path}");
    let ids: Vec<_> = all("[id]").iter().map(|it| it.value().attr("id").unwrap().to_owned()).collect();
    assert_eq!(ids.len(), ids.iter().collect::<HashSet<_>>().len(), "{path}: an id twice {ids:?}");
    for field in all("input:not([type='hidden']), select, progress") {
        let named = field.value().attr("aria-label").is_some();
        let labelled = field.value().attr("id").is_some_and(|id| !all(&format!("label[for='{id}']")).is_empty());
        assert!(named || labelled, "{path}: a field without a label");
    }
    for label in all(".label") {
        let words: String = label.text().collect();
        assert!(words.chars().any(char::is_alphabetic), "{path}: a state by colour alone");
    }
    for time in all("time") {
        let at = time.value().attr("datetime").unwrap_or_default();
        assert!(chrono::DateTime::parse_from_rfc3339(at).is_ok(), "{path}: {at}");
    }
    let mut level = 1;
    for heading in all("h1, h2, h3, h4") {
        let own: u32 = heading.value().name()[1..].parse().unwrap();
        assert!(own <= level + 1, "{path}: a heading is skipped");
        level = own;
    }
    for text in all("main").iter().flat_map(|main| main.text()) {
        assert!(!text.contains("{{") || text.contains("7*7"), "{path}: {text}");
        assert!(!text.contains("49&lt"), "{path}: {text}");
    }
}

#[test]
fn every_page_is_whole_and_every_link_leads_to_one_and_nothing_is_changed() {
    for on in BOTH {
        let desk = Desk::busy(on);
        let before = desk.house.everything();
        let seen = crawl(&desk);
        assert!(seen.len() > 60, "{:?}", seen.keys());
        for part in [
            "/envois",
            "/journal",
            "/a-venir",
            "/partenaires",
            "/voies",
            "/editions",
            "/commandes",
            "/reglages",
            "/envois/agenda/2027-W28/destinataires",
            "/envois/agenda/2027-W28/suivi",
            "/envois/agenda/2027-W28/histoire",
            "/envois/agenda/2027-W30",
        ] {
            assert!(seen.contains_key(part), "{part} is linked from nowhere: {:?}", seen.keys());
        }
        assert!(seen.keys().any(|path| path.starts_with("/partenaires/contacts/")));
        // What comes from outside was there, on each kind of page, and is text.
        for page in [
            "/",
            "/envois",
            "/envois/agenda/2027-W28",
            "/journal",
            "/a-venir",
            "/partenaires",
            "/voies",
            "/commandes",
            "/reglages",
            "/envois/agenda/2027-W32/histoire",
        ] {
            let html = &seen[page];
            assert!(html.contains("&lt;script&gt;alert(1)"), "{page} does not show what is written: {html}");
        }
        for (path, html) in &seen {
            // The cover of an edition is ours.
            let pictures = html.replace("<img class=\"cover\" src=", "");
            assert!(!html.contains("<script>") && !pictures.contains("<img"), "{path}: {html}");
        }
        assert_eq!(desk.house.everything(), before, "looking changes nothing");
    }
}

#[test]
fn the_pages_are_whole_in_english_too() {
    let (house, relay) = busy(On::Sqlite);
    let desk = Desk::open(house, relay, Some(viewer(Language::English)), NOW);
    let seen = crawl(&desk);
    assert!(seen["/"].contains("<html lang=\"en\">") && seen["/"].contains("What waits for you"));
    assert!(seen["/envois"].contains("Held: not approved") || seen["/envois"].contains("To be approved"));
    assert!(!seen["/"].contains("Ce qui vous attend"));
}

#[test]
fn the_pages_about_partners_are_whole_for_whoever_may_do_everything_in_both_languages() {
    for (language, on) in [(Language::French, On::Sqlite), (Language::English, On::Postgres)] {
        let (house, relay) = busy(on);
        let all = Viewer { roles: Roles::of(Permission::ALL), form_token: "t".to_owned(), ..viewer(language) };
        let desk = Desk::open(house, relay, Some(all), NOW);
        let ids = ["paul@hotel.example", "zoe@wanadoo.fr", "anne@musee.example"]
            .map(|it| desk.house.text(&format!("SELECT id FROM contacts WHERE email_key = '{it}'")));
        let mut paths: Vec<String> = ["", "/ajouter", "/exporter", "/segment", "/segment?ou=commune", "?ou=(stars"]
            .iter()
            .map(|it| format!("/partenaires{it}"))
            .collect();
        for id in &ids {
            let parts = ["", "/modifier", "/adresse", "/opposition", "/reabonner", "/donnees", "/effacer"];
            paths.extend(parts.iter().map(|part| format!("/partenaires/contacts/{id}{part}")));
        }
        for path in &paths {
            let html = desk.get(path).expect(200, &[]).text();
            check(path, &html);
            assert!(!html.contains("<script>") && !html.contains("<img"), "{path}: {html}");
        }
        let person = desk.get(&format!("/partenaires/contacts/{}", ids[0])).text();
        for link in ["modifier", "adresse", "opposition", "donnees", "effacer"] {
            assert!(person.contains(&format!("/{link}\"")), "{link}");
        }
    }
}

#[test]
fn an_empty_office_is_told_what_to_do_on_each_page() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        // Makes the ledger.
        house.semainier(&["issues"]).expect(0);
        let desk = Desk::open(house, relay, Some(viewer(Language::French)), NOW);
        desk.get("/").expect(200, &["Pour commencer", "semainier partners import", "Le programme ne tourne pas"]);
        desk.get("/envois").expect(200, &["Rien n’a encore été préparé"]);
        desk.get("/journal").expect(200, &["Rien n’est parti ces 30 derniers jours"]);
        desk.get("/partenaires").expect(200, &["La liste est vide", "semainier partners import"]);
        desk.get("/editions").expect(200, &["Aucune édition encore"]);
        desk.get("/commandes").expect(200, &["Aucune commande"]);
        desk.get("/voies").expect(200, &["orange", "Ouverte"]);
        desk.get("/a-venir").expect(200, &["Que faire à Auch cette semaine", "Prévu"]);
        crawl(&desk);
    }
}

#[test]
fn each_part_of_the_sum_leads_to_exactly_its_rows() {
    for on in BOTH {
        let desk = Desk::busy(on);
        let page = desk.get(&format!("/envois/{ISSUE}"));
        let document = Html::parse_document(&page.text());
        let links: Vec<_> = document.select(&Selector::parse(".sum a").unwrap()).collect();
        assert_eq!(links.len(), 5, "the total, sent, suppressed, failed and unknown: {}", page.words());
        let mut numbers = Vec::new();
        for link in &links {
            let words: String = link.text().collect();
            let n: usize = words.split_whitespace().next().unwrap().parse().unwrap();
            let rows = desk.get(link.value().attr("href").unwrap());
            let rows = Html::parse_document(&rows.text());
            assert_eq!(rows.select(&Selector::parse("tbody tr").unwrap()).count(), n, "{words}");
            numbers.push(n);
        }
        assert_eq!(numbers[0], numbers[1..].iter().sum::<usize>(), "{numbers:?}");
    }
}

#[test]
fn tonight_is_one_sentence_with_its_reasons_and_what_waits() {
    for on in BOTH {
        let desk = Desk::busy(on);
        let home = desk.get("/").expect(
            200,
            &[
                "Ce qui vous attend",
                "Les 14 prochains jours",
                "on ignore si un message est arrivé",
                "orange",
                "Le service tourne.",
            ],
        );
        assert!(
            home.text().contains("href=\"&#x2f;journal?envoi=agenda%2F2027%2DW28&amp;etat=unknown\""),
            "{}",
            home.text()
        );
        desk.get("/a-venir?semaines=12").expect(
            200,
            &[
                "Manqué",
                "Remplacé par le suivant",
                "Ne part pas, c’est voulu",
                "En attente, nouvel essai",
                "Prêt, part à son heure",
            ],
        );
    }
    // An evening when all is well.
    let relay = Relay::start();
    let house = House::on(On::Sqlite).relay(&relay);
    house.import(&["marie@gite.example", "paul@hotel.example"]);
    house.sql(&format!(
        "INSERT INTO daemons (owner, host, pid, version, started_at, seen_at) VALUES ('d', 'h', 7, '1', 1, {});",
        super::millis("2027-07-07T18:00:00Z")
    ));
    let desk = Desk::open(house, relay, Some(viewer(Language::French)), "2027-07-07T18:00:00Z");
    desk.get("/").expect(200, &["Rien ne part d’ici demain soir.", "samedi à 8 h à 2 partenaires"]);
}

#[test]
fn nobody_sees_anything_without_the_permission_and_the_console_is_closed_without_a_viewer() {
    let (house, relay) = busy(On::Sqlite);
    let paths = [
        "/",
        "/envois",
        "/envois/agenda/2027-W28",
        "/envois/agenda/2027-W28/suivi",
        "/envois/agenda/2027-W28/suivi/flux",
        "/envois/agenda/2027-W28/apercu/x",
        "/envois/agenda/2027-W28/apercu/x/mail.html",
        "/journal",
        "/partenaires",
        "/partenaires/contacts/x",
        "/voies",
        "/editions",
        "/commandes",
        "/reglages",
        "/a-venir",
        "//",
        "/ENVOIS",
        "/%2Fjournal",
        "/envois/",
        "/nothing",
    ];
    let closed = Desk::open(house, relay, None, NOW);
    for path in paths {
        let reply = closed.get(path).expect(401, &["La console est fermée", "semainier users add"]);
        assert!(!reply.text().contains("gite"), "{path}");
    }
    let (house, relay) = busy(On::Sqlite);
    let nobody = Viewer { roles: Roles::default(), ..viewer(Language::French) };
    let refused = Desk::open(house, relay, Some(nobody), NOW);
    for path in paths.iter().take(15) {
        refused.get(path).expect(403, &["Accès refusé"]);
    }
    let allowed = Viewer { roles: Roles::of([Permission::Approve]), ..viewer(Language::French) };
    let (house, relay) = busy(On::Sqlite);
    let allowed = Desk::open(house, relay, Some(allowed), NOW);
    for path in ["//", "/ENVOIS", "/%2Fjournal", "/envois/", "/nothing", "/envois/agenda/2020-W01", "/envois/a b/c"] {
        allowed.get(&path.replace(' ', "%20")).expect(404, &["Page introuvable"]);
    }
    allowed.get("/").expect(200, &[]);
    for method in ["POST", "PUT", "DELETE"] {
        // It comes from no page of the console; with what a browser sends it is 405, see `matrix`.
        assert_eq!(ask(&allowed.host, method, "/envois").status, 403, "{method}");
    }
}

#[test]
fn a_page_keeps_to_itself_and_says_so_to_the_browser() {
    let desk = Desk::busy(On::Sqlite);
    let page = desk.get("/");
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ] {
        assert!(policy.contains(part), "{part} is not in {policy}");
    }
    assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "same-origin"));
    let hash = desk.house.text(&format!("SELECT content_hash FROM issues WHERE key = '{ISSUE}'"));
    let preview = format!("/envois/{ISSUE}/apercu/{hash}");
    let mail = desk.get(&format!("{preview}/mail.html"));
    assert_eq!(mail.status, 200);
    assert!(mail.text().contains("visite guidée") || mail.text().contains("isite guid"), "{}", mail.text());
    let policy = mail.header("content-security-policy");
    assert!(
        policy.contains("frame-ancestors 'self'") && policy.ends_with("sandbox") && !policy.contains("script"),
        "{policy}"
    );
    assert!(
        !mail.text().contains("SEMAINIER-") && !mail.text().replace("/u/essai", "").contains("/u/"),
        "nothing of one person"
    );
    let raw = desk.get(&format!("{preview}/message.eml"));
    assert_eq!((raw.status, raw.header("content-type")), (200, "message/rfc822"));
    let text = desk.get(&format!("{preview}/texte.txt"));
    assert_eq!((text.status, text.header("content-type")), (200, "text/plain; charset=utf-8"));
    desk.get(&format!("/envois/{ISSUE}/apercu/0ther/mail.html")).expect(404, &["Ce n’est plus la version actuelle"]);
    desk.get(&format!("{preview}/document-9")).expect(404, &[]);
}

#[test]
fn settings_show_what_is_set_and_no_secret() {
    for on in BOTH {
        let (house, relay) = busy(on);
        let password = house.write("relay.password", "hunter2hunter2");
        let house = house.set("relay_password_file", password.display().to_string());
        let desk = Desk::open(house, relay, Some(viewer(Language::French)), NOW);
        let page = desk.get("/reglages").expect(
            200,
            &["défini", "sqlite"].map(|it| if on == On::Postgres && it == "sqlite" { "postgres" } else { it }),
        );
        for secret in ["a secret for tests", "hunter2", "postgres://", "relay.password"] {
            assert!(!page.text().contains(secret), "{secret}");
        }
    }
}

#[test]
fn without_the_database_every_page_says_what_did_not_happen() {
    for on in BOTH {
        let desk = Desk::busy(on);
        let paths: BTreeSet<_> = crawl(&desk).into_keys().filter(|path| !path.starts_with("/static/")).collect();
        for table in
            ["deliveries", "issues", "contacts", "editions", "lanes", "orders", "issue_content", "subscription_changes"]
        {
            desk.house.sql(&format!("ALTER TABLE {table} RENAME TO {table}_elsewhere"));
        }
        let mut broken = 0;
        for path in paths.iter().filter(|path| path.as_str() != "/reglages") {
            let reply = desk.get(path);
            // The search is kept in memory; a page that needs no table is fine.
            assert!(matches!(reply.status, 503 | 200), "{path}: {}", reply.status);
            if reply.status == 503 {
                broken += 1;
                reply.expect(503, &["La base ne répond pas. Rien ne part, rien n’est perdu."]);
            }
        }
        assert!(broken * 10 > paths.len() * 9, "{broken} of {}", paths.len());
    }
}

#[test]
fn a_person_is_told_in_one_timeline() {
    for on in BOTH {
        let desk = Desk::busy(on);
        let id = desk.house.text(&format!("SELECT id FROM contacts WHERE email_key = '{PAUL}'"));
        let page = desk.get(&format!("/partenaires/contacts/{id}"));
        let page = page.expect(
            200,
            &[
                PAUL,
                "Abonné",
                "intérêt légitime",
                "Refusé",
                "cette adresse n’existe pas",
                "À livrer ou à retirer",
                "2 paquets (100 exemplaires)",
                "550 5.1.1 OFR_416",
            ],
        );
        assert!(page.words().contains(&EVIL[..20]), "{}", page.words());
        let zoe = desk.house.text("SELECT id FROM contacts WHERE email_key = 'zoe@wanadoo.fr'");
        desk.get(&format!("/partenaires/contacts/{zoe}"))
            .expect(200, &["Ne reçoit pas", "écarté par l’office", "Non envoyé"]);
        desk.get("/partenaires/contacts/nobody").expect(404, &["Personne introuvable"]);
    }
}

#[test]
fn an_issue_that_left_before_its_hour_is_shown_as_sent_and_the_next_one_is_what_leaves() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import_many(3);
        house.run().expect(0);
        let desk = Desk::open(house, relay, Some(viewer(Language::French)), "2027-07-09T16:00:00Z");
        let home = desk.get("/").expect(200, &["demain à 8 h", "Parti", "le samedi 17 juillet à 8 h", "Prévu"]);
        assert_eq!(home.words().matches("Parti ").count(), 1, "{}", home.words());
        assert!(!home.words().contains("Rien n’est composé encore"), "it left already: {}", home.words());
    }
}

#[test]
fn an_issue_that_was_cancelled_does_not_leave_and_that_is_what_tonight_says() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import_many(3);
        let at = super::millis("2027-07-10T06:00:00Z");
        house.sql(&format!(
            "INSERT INTO issues (key, mailing, state, scheduled_for, expires_at, created_at, closed_at)
                VALUES ('{ISSUE}', 'agenda', 'cancelled', {at}, {at}, {at}, {at})"
        ));
        let desk = Desk::open(house, relay, Some(viewer(Language::French)), "2027-07-09T16:00:00Z");
        desk.get("/").expect(200, &["Ce numéro est annulé : il ne partira pas.", "Annulé"]);
    }
}
