//! An issue that is held: its page says why and what can be done; a person lets it leave against a rule, or chooses another article,
//! for this issue only, by name, and never past the gate of the week.

use super::deciding::{decide, everything, post};
use super::{Desk, Reply, viewer};
use crate::support::house::{BOTH, House, ISSUE, MONDAY, On, Relay, article, article_of_days};
use crate::support::web::{Post, Reply as Page, Web};
use semainier::accounts::{Language, Permission, Roles, Viewer};

const FRIDAY: &str = "2027-07-09T16:00:00Z";
const TITLE: &str = "Que faire à Auch cette semaine ?";
const CALENDAR: &str = "/agenda.ics";

/// So many events in the week.
fn few(events: u64) -> String {
    (0..events).fold(String::new(), |html, n| {
        html + &format!("<h3>{} juillet</h3><ul><li>à 1{n}h, visite guidée n° {n} à Auch</li></ul>", {
            ["Lundi 12", "Mardi 13", "Mercredi 14", "Jeudi 15"][usize::try_from(n).unwrap() % 4]
        })
    })
}

/// So many lines under no day, beside fourteen that have one.
fn lost(lines: u64) -> String {
    let lost: String = (0..lines).map(|n| format!("<li>à 1{n}h, atelier n° {n} à Pavie</li>")).collect();
    format!("{}<h3>Et aussi</h3><ul>{lost}</ul>", article(MONDAY))
}

fn site(html: &str) -> Web {
    Web::wordpress(vec![Post::new(TITLE, "2027-07-08T15:12:08", html)])
}

fn publish(web: &Web, html: &str) {
    web.publish(Post::new(TITLE, "2027-07-08T15:12:08", html));
}

/// An office whose agenda comes from this site, rehearsed on Friday; `more`: at the end of its mailing.
fn office_with(on: On, web: &Web, more: &str) -> Desk {
    let relay = Relay::start();
    let house = House::on(on).site(web).relay(&relay);
    house.import_many(3);
    let job = std::fs::read_to_string(house.path("jobs/agenda.toml")).unwrap();
    house.write("jobs/agenda.toml", format!("{job}\n{more}"));
    let desk = Desk::open(house, relay, Some(everything()), FRIDAY);
    read(&desk);
    desk
}

fn office(on: On, web: &Web) -> Desk {
    office_with(on, web, "")
}

/// The sources are read again by a person.
fn read(desk: &Desk) {
    let done = decide(desk, &format!("/envois/{ISSUE}/repeter"), &[]);
    assert_eq!(done.status, 303, "{}", done.words());
}

fn page(desk: &Desk) -> Reply {
    desk.get(&format!("/envois/{ISSUE}"))
}

fn path(last: &str) -> String {
    format!("/envois/{ISSUE}/{last}")
}

fn issue(desk: &Desk, column: &str) -> String {
    desk.house.text(&format!("SELECT COALESCE({column}, '') FROM issues WHERE key = '{ISSUE}'"))
}

fn in_force(desk: &Desk) -> i64 {
    desk.house.number("SELECT count(*) FROM exceptions WHERE withdrawn_at IS NULL")
}

fn audited(desk: &Desk) -> String {
    desk.house.text("SELECT action FROM audit ORDER BY at DESC, id DESC LIMIT 1")
}

/// The hidden field of the form at this address.
fn seen(desk: &Desk, last: &str) -> String {
    seen_in(&desk.get(&path(last)))
}

fn seen_in(page: &Reply) -> String {
    let html = scraper::Html::parse_document(&page.text());
    let field = scraper::Selector::parse("main input[name='vu_alors']").unwrap();
    let field = html.select(&field).next().unwrap_or_else(|| panic!("no form in {}", page.words()));
    field.value().attr("value").unwrap().to_owned()
}

fn waive(desk: &Desk, fields: &[(&str, &str)]) -> Reply {
    decide(desk, &path("exception"), fields)
}

fn take_back(desk: &Desk) {
    let id = desk.house.text("SELECT id FROM exceptions WHERE withdrawn_at IS NULL");
    let done = post(desk, &path(&format!("exceptions/{id}/retirer")), &[]);
    assert_eq!((done.status, done.header("location")), (303, &*format!("/envois/{ISSUE}?fait=exception_withdrawn")));
}

#[test]
fn few_events_leave_with_a_name_and_the_number_typed_and_hold_again_below_it() {
    for on in BOTH {
        let web = site(&few(4));
        let desk = office(on, &web);
        page(&desk).expect(
            200,
            &[
                "4 événements seulement dans l’article, il en faut au moins 5",
                "Ce que semainier a vu",
                TITLE,
                "Jour par jour",
                "visite guidée n° 2",
                "Ce qu’il faut",
                "Plus d’événements, ou qu’une personne accepte ce nombre",
                "Quand il réessaie",
                "il reste 1 jour",
                "Ce que vous pouvez faire",
                "Partir quand même, avec ces événements seulement : 4",
                "Répéter maintenant",
            ],
        );
        desk.get(&path("exception")).expect(200, &["Tapez le nombre", "(4)", "La semaine de l’article reste vérifiée"]);
        waive(&desk, &[("nombre", "5"), ("pourquoi", "fête annulée")]).expect(422, &["Tapez exactement le nombre"]);
        let wrong = waive(&desk, &[("nombre", ""), ("pourquoi", " ")]);
        wrong.expect(422, &["Tapez exactement le nombre affiché.", "Écrivez le motif."]);
        assert_eq!(in_force(&desk), 0);
        let done = waive(&desk, &[("nombre", "4"), ("pourquoi", "fête annulée")]);
        assert_eq!((done.status, done.header("location")), (303, &*format!("/envois/{ISSUE}?fait=waived")));
        let by_name = "4 événements au lieu de 5, accepté par Claire (fête annulée)";
        desk.get(done.header("location"))
            .expect(200, &["composé avec elle", by_name, "Revenir sur cette exception", "décidé par Claire"]);
        assert_eq!((issue(&desk, "state").as_str(), audited(&desk).as_str()), ("rehearsed", "exception.waive"));
        // Everybody who looks at it sees by whose word it is as it is.
        let hash = issue(&desk, "content_hash");
        desk.get("/").expect(200, &[&format!("Par exception : {by_name}.")]);
        desk.get(&path("approuver")).expect(200, &[&format!("Par exception {by_name}")]);
        desk.get(&path(&format!("apercu/{hash}"))).expect(200, &[by_name]);
        desk.get(&path("histoire"))
            .expect(200, &["Exception décidée par", "Claire, 4 événements au lieu de 5 (fête annulée)"]);
        desk.get("/trace").expect(200, &["a décidé une exception", "fête annulée", "événements : 4"]);
        // Read again: four still pass, three do not.
        read(&desk);
        assert_eq!(issue(&desk, "state"), "rehearsed", "{on:?}");
        publish(&web, &few(3));
        read(&desk);
        assert_eq!(issue(&desk, "state"), "held");
        assert!(issue(&desk, "reason").starts_with("3 événements seulement"), "{}", issue(&desk, "reason"));
        // Approved, and taken back: the approval goes with it, and the issue is held at once.
        publish(&web, &few(4));
        read(&desk);
        assert_eq!(decide(&desk, &path("approuver"), &[("vu", "oui")]).status, 303);
        assert_eq!(issue(&desk, "state"), "approved");
        take_back(&desk);
        assert_eq!((issue(&desk, "state").as_str(), audited(&desk).as_str()), ("held", "exception.withdraw"));
        assert_eq!(desk.house.number("SELECT count(*) FROM approvals WHERE withdrawn_at IS NULL"), 0);
        desk.get(&path("histoire")).expect(200, &["Exception retirée par"]);
        decide(&desk, &path("approuver"), &[("vu", "oui")]).expect(409, &["vient d’être modifié"]);
    }
}

#[test]
fn what_moved_since_it_was_shown_is_not_waived_and_the_new_number_is_said() {
    for on in BOTH {
        let web = site(&few(4));
        let desk = office(on, &web);
        let read_then = seen(&desk, "exception");
        publish(&web, &few(3));
        read(&desk);
        let late = post(
            &desk,
            &path("exception"),
            &[("vu_alors", &read_then), ("nombre", "4"), ("pourquoi", "fête <b>annulée</b>")],
        );
        assert_eq!(seen_in(&late), seen(&desk, "exception"), "the form is for what holds it now");
        assert!(late.text().contains("fête &lt;b&gt;annulée"), "what was typed is kept");
        late.expect(409, &["la situation a changé, et rien n’a été fait", "3 événements seulement", "(3)"]);
        for forged in ["", "{}", r#"{"rule":"source","source":"x"}"#, r#"{"rule":"too_few","found":3,"least":4}"#] {
            post(&desk, &path("exception"), &[("vu_alors", forged), ("nombre", "3"), ("pourquoi", "x")])
                .expect(409, &["rien n’a été fait"]);
        }
        assert_eq!(in_force(&desk), 0, "{on:?}");
        // Another reason altogether.
        let read_then = seen(&desk, "exception");
        publish(&web, &article("2027-07-05"));
        read(&desk);
        let late = post(&desk, &path("exception"), &[("vu_alors", &read_then), ("nombre", "3"), ("pourquoi", "x")]);
        late.expect(409, &["une raison qu’aucune exception ne change", "et non de la semaine"]);
        assert_eq!(in_force(&desk), 0);
    }
}

#[test]
fn lines_without_a_day_leave_at_exactly_the_number_that_was_read() {
    for on in BOTH {
        let web = site(&lost(8));
        let desk = office(on, &web);
        page(&desk).expect(200, &["8 annonces sur 22", "Ranger les annonces", "avec ces annonces sans jour : 8"]);
        assert_eq!(waive(&desk, &[("nombre", "8"), ("pourquoi", "ateliers libres")]).status, 303);
        assert_eq!(issue(&desk, "state"), "rehearsed", "{on:?}");
        publish(&web, &lost(9));
        read(&desk);
        assert!(issue(&desk, "reason").starts_with("9 annonces sur 23"), "{}", issue(&desk, "reason"));
        publish(&web, &lost(7));
        read(&desk);
        assert_eq!(issue(&desk, "state"), "rehearsed", "fewer are better");
    }
}

#[test]
fn an_issue_leaves_without_a_source_that_was_named_and_is_read_again_when_that_is_taken_back() {
    for on in BOTH {
        let web = site(&article(MONDAY));
        let (calendar, other) = (web.url(CALENDAR), web.url("/autre.ics"));
        web.route(CALENDAR, Page::status(503))
            .route("/autre.ics", Page::new(200, "text/calendar", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"));
        let sources = format!(
            "[[source]]\nkind = \"ical\"\nurl = \"{calendar}\"\n[[source]]\nkind = \"ical\"\nurl = \"{other}\"\n"
        );
        let desk = office_with(on, &web, &sources);
        page(&desk).expect(200, &["a répondu 503", "Partir sans cette source : 127.0.0.1 (2)", "Elle est nécessaire"]);
        let done = waive(&desk, &[("pourquoi", "en panne jusqu’à lundi")]);
        assert_eq!(done.header("location"), format!("/envois/{ISSUE}?fait=waived_unread"), "{}", done.words());
        read(&desk);
        assert_eq!(issue(&desk, "state"), "rehearsed", "{on:?}");
        page(&desk).expect(
            200,
            &[
                "sans la source 127.0.0.1 (2), accepté par Claire (en panne jusqu’à lundi)",
                "Une source manque, Claire a décidé de partir sans elle",
            ],
        );
        // Another source is another exception.
        web.route("/autre.ics", Page::status(500));
        read(&desk);
        page(&desk).expect(200, &["a répondu 500", "Partir sans cette source : 127.0.0.1 (3)"]);
        web.route("/autre.ics", Page::new(200, "text/calendar", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"));
        read(&desk);
        assert_eq!(issue(&desk, "state"), "rehearsed");
        take_back(&desk);
        assert_eq!((issue(&desk, "state").as_str(), issue(&desk, "content_hash").as_str()), ("held", ""));
        page(&desk).expect(200, &["les sources vont être relues"]);
        desk.get(&path("corriger")).expect(200, &["Rien n’a encore été lu"]);
        read(&desk);
        assert!(issue(&desk, "reason").contains("503"), "{}", issue(&desk, "reason"));
    }
}

#[test]
fn the_week_stray_days_and_empty_days_cannot_be_waived() {
    let gap = article_of_days(MONDAY, |n| match n {
        3 => String::new(),
        _ => "<ul><li>à 10h, visite guidée à Auch</li></ul>".to_owned(),
    });
    let stray = format!("{}<h3>Mardi 20 juillet</h3><ul><li>à 21h, concert à Pavie</li></ul>", article(MONDAY));
    for (html, said) in [
        (article("2027-07-05"), "Personne ne peut faire partir celui d’une autre semaine"),
        (stray, "Que l’article n’annonce que les jours de sa semaine"),
        (gap, "Qu’il y ait une annonce sous chaque jour titré"),
        ("<p>Rien.</p>".to_owned(), "Un article de la bonne semaine"),
    ] {
        let desk = office(On::Sqlite, &site(&html));
        page(&desk).expect(200, &[said]);
        assert!(!page(&desk).text().contains("/exception"), "{said}");
        desk.get(&path("exception")).expect(409, &["une raison qu’aucune exception ne change"]);
        for seen in [r#"{"rule":"too_few","found":4,"least":5}"#, r#"{"rule":"article","url":"x","title":"x"}"#] {
            let fields = [("vu_alors", seen), ("nombre", "4"), ("pourquoi", "x")];
            assert_eq!(post(&desk, &path("exception"), &fields).status, 409, "{said}");
        }
        assert_eq!(in_force(&desk), 0);
    }
}

#[test]
fn another_article_of_the_site_is_chosen_from_those_that_were_seen_or_by_its_address() {
    for on in BOTH {
        let web = site(&article("2027-07-05"));
        web.publish(Post::new("Le programme d’Auch", "2027-07-07T10:00:00", &article(MONDAY)));
        let desk = office(on, &web);
        page(&desk)
            .expect(200, &["et non de la semaine", "Choisir un autre article", "lundi 5 juillet", "14 annonces"]);
        desk.get(&path("article")).expect(
            200,
            &["Articles trouvés sur le site", TITLE, "Pas retenu : l’article", "Sur ce site seulement : 127.0.0.1"],
        );
        decide(&desk, &path("article"), &[]).expect(422, &["Choisissez un article, ou donnez son adresse."]);
        // Of another site, or led to one, or no article: refused in clear words, and nothing is kept.
        let foreign = site(&article(MONDAY));
        web.route("/ailleurs", Page::redirect(foreign.url("/blog/que-faire-auch-cette-semaine/").as_str()));
        for (address, status, said) in [
            (
                foreign.url("/blog/que-faire-auch-cette-semaine/").to_string(),
                422,
                "les articles ne sont lus que sur 127.0.0.1",
            ),
            ("https://example.org/article".to_owned(), 422, "l’adresse mène à example.org"),
            ("file:///etc/passwd".to_owned(), 422, "les articles ne sont lus que sur"),
            ("n’importe quoi".to_owned(), 422, "les articles ne sont lus que sur"),
            (web.url("/nulle-part").to_string(), 422, "a répondu 404"),
            (web.url("/ailleurs").to_string(), 422, "l’article n’a pas été retenu"),
        ] {
            let fields = [("adresse", address.as_str()), ("pourquoi", "le bon")];
            let refused = decide(&desk, &path("article"), &fields);
            assert!(refused.text().contains("value=\"le bon\""), "what was typed is kept");
            refused.expect(status, &[said]);
        }
        assert_eq!(in_force(&desk), 0, "{on:?}");
        // Of another week: chosen, held all the same, and said so.
        let other_week = web.url("/blog/que-faire-auch-cette-semaine/").to_string();
        let done = decide(&desk, &path("article"), &[("candidat", &other_week)]);
        assert_eq!(done.header("location"), format!("/envois/{ISSUE}?fait=article_held"), "{}", done.words());
        desk.get(done.header("location")).expect(200, &["mais il retient le numéro", "et non de la semaine"]);
        read(&desk);
        assert_eq!(issue(&desk, "state"), "held");
        // The right one, in its place.
        let right = web.url("/blog/le-programme-d-auch/").to_string();
        let done = decide(
            &desk,
            &path("article"),
            &[("candidat", &other_week), ("adresse", &right), ("pourquoi", "titre changé")],
        );
        assert_eq!(done.header("location"), format!("/envois/{ISSUE}?fait=article"), "{}", done.words());
        assert_eq!((in_force(&desk), audited(&desk).as_str()), (1, "exception.article"));
        read(&desk);
        assert_eq!(issue(&desk, "state"), "rehearsed");
        let by_name = "article « Le programme d’Auch », choisi par Claire (titre changé)";
        page(&desk).expect(200, &[by_name]);
        desk.get("/").expect(200, &[by_name]);
        desk.get(&path("histoire")).expect(200, &["Article choisi par"]);
        // Its author moves it to another week: the gate is shut for it as for any.
        web.publish(Post::new("Le programme d’Auch", "2027-07-07T10:00:00", &article("2027-07-19")));
        read(&desk);
        page(&desk).expect(200, &["Le programme d’Auch", "et non de la semaine"]);
        web.publish(Post::new("Le programme d’Auch", "2027-07-07T10:00:00", &article(MONDAY)));
        read(&desk);
        assert_eq!(post(&desk, &path("article/retirer"), &[]).status, 303);
        assert_eq!((in_force(&desk), issue(&desk, "state").as_str()), (0, "held"));
        read(&desk);
        assert!(issue(&desk, "reason").contains("lundi 5"), "the sources speak again: {}", issue(&desk, "reason"));
        post(&desk, &path("article/retirer"), &[]).expect(409, &["n’est plus en vigueur"]);
    }
}

#[test]
fn the_command_line_does_the_same() {
    for on in BOTH {
        let web = site(&few(4));
        let desk = office(on, &web);
        let house = &desk.house;
        let waive = ["issues", "waive", ISSUE, "--gate", "too-few", "--why", "fête annulée", "--by", "Nadine"];
        house.semainier(&[&waive[..], &["--number", "5"]].concat()).expect(1).expect_said(&["the number is 4"]);
        house.semainier(&waive).expect(1).expect_said(&["the number is 4"]);
        let source = ["issues", "waive", ISSUE, "--gate", "source", "--why", "x"];
        house.semainier(&source).expect(1).expect_said(&["held otherwise than you saw", "4 événements"]);
        assert_eq!(in_force(&desk), 0);
        house.semainier(&[&waive[..], &["--number", "4"]].concat()).expect(0).expect_said(&["composed again"]);
        let shown = house.semainier(&["issues", "show", ISSUE, "--json"]).json();
        let exception = &shown["exceptions"][0];
        assert_eq!((exception["rule"].as_str(), exception["found"].as_u64()), (Some("too_few"), Some(4)), "{shown}");
        assert_eq!((exception["by"].as_str(), exception["why"].as_str()), (Some("Nadine"), Some("fête annulée")));
        house.semainier(&["issues", "show", ISSUE]).expect_said(&["exception by Nadine", "4 events instead of 5"]);
        house.semainier(&["issues", "waive", ISSUE, "--gate", "too-few", "--undo"]).expect(3);
        house
            .semainier(&["issues", "waive", ISSUE, "--gate", "too-few", "--undo"])
            .expect(1)
            .expect_said(&["no exception of the kind too-few is in force"]);
        assert_eq!(issue(&desk, "state"), "held");
        // The commands have the clock of the machine.
        let audited =
            |action: &str| desk.house.number(&format!("SELECT count(*) FROM audit WHERE action = '{action}'"));
        assert_eq!((audited("exception.waive"), audited("exception.withdraw")), (1, 1), "{on:?}");
        // Another article: only where one is missing.
        let right = web.url("/blog/le-programme-d-auch/").to_string();
        house.semainier(&["issues", "article", ISSUE, &right]).expect(1).expect_said(&["no exception changes"]);
        publish(&web, &article("2027-07-05"));
        read(&desk);
        web.publish(Post::new("Le programme d’Auch", "2027-07-07T10:00:00", &article(MONDAY)));
        house.semainier(&["issues", "article", ISSUE, "https://example.org/x"]).expect(1).expect_said(&["example.org"]);
        house.semainier(&["issues", "article", ISSUE, &right]).expect(0).expect_said(&["Le programme d’Auch"]);
        read(&desk);
        assert_eq!(issue(&desk, "state"), "rehearsed");
        house.semainier(&["issues", "article", ISSUE, "--undo"]).expect(0).expect_said(&["within a minute"]);
        assert_eq!(issue(&desk, "state"), "held");
    }
}

#[test]
fn who_may_see_the_page_and_not_decide_is_offered_nothing_that_is_refused() {
    let desk = office(On::Sqlite, &site(&few(4)));
    let reader = Viewer { roles: Roles::of([Permission::See]), ..viewer(Language::French) };
    let desk = desk.again(reader, FRIDAY);
    let shown = page(&desk).expect(200, &["Ce qu’il faut", "Voir l’article et l’agenda"]);
    assert!(!shown.text().contains(&path("exception")) && !shown.text().contains(&path("article")));
    assert_eq!(desk.get(&path("exception")).status, 403);
    assert_eq!(desk.get(&path("article")).status, 403);
    // In English, too.
    let english = Viewer { language: Language::English, ..everything() };
    let desk = desk.again(english, FRIDAY);
    page(&desk).expect(200, &["What semainier saw", "More events, or that a person accepts", "What you can do"]);
    desk.get(&path("exception")).expect(200, &["Type the number", "Leave with few events"]);
}
