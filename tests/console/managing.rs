//! Partners as staff work on them: added, changed, moved, unsubscribed, taken out, erased; two persons on one record; and whatever
//! is typed, on both databases.

use super::{
    ANNE, EVIL, MARIE, PAUL, Reply, ZOE, busy,
    entering::{Browser, CLAIRE, OURS, Office},
};
use crate::support::house::{BOTH, On, Relay};
use scraper::{ElementRef, Html, Selector};
use semainier::accounts::Permission;
use serde_json::Value;

/// An office with partners, and a relay that must outlive it.
fn office(on: On) -> (Office, Relay) {
    let (house, relay) = busy(on);
    (Office::open(house.set("console.bind", "127.0.0.1:0")), relay)
}

const ALL_ROLES: &str = "lecture,redaction,administration,export";

fn person(office: &Office, address: &str) -> String {
    let id = office.house.text(&format!("SELECT id FROM contacts WHERE email_key = '{address}'"));
    format!("/partenaires/contacts/{id}")
}

/// What a browser would send with the form that posts there: texts, hidden values, ticked boxes, chosen values.
fn filled(page: &Reply, action: &str) -> Vec<(String, String)> {
    let html = Html::parse_document(&page.text());
    let form = Selector::parse(&format!("form[method=post][action='{action}']")).unwrap();
    let form = html.select(&form).next().unwrap_or_else(|| panic!("no form for {action}: {}", page.words()));
    let all = |selector: &str| form.select(&Selector::parse(selector).unwrap()).collect::<Vec<_>>();
    let named = |it: &ElementRef<'_>| it.value().attr("name").map(str::to_owned);
    let value = |it: &ElementRef<'_>| it.value().attr("value").unwrap_or_default().to_owned();
    let mut fields = Vec::new();
    for it in all("input") {
        let chosen = match it.value().attr("type") {
            Some("checkbox" | "radio") => it.value().attr("checked").is_some(),
            _ => true,
        };
        fields.extend(named(&it).filter(|_| chosen).map(|name| (name, value(&it))));
    }
    for it in all("select") {
        let options: Vec<_> = it.select(&Selector::parse("option").unwrap()).collect();
        let chosen = options.iter().find(|it| it.value().attr("selected").is_some()).or(options.first());
        fields.extend(named(&it).zip(chosen.map(value)));
    }
    fields
}

/// Opens the page, types, and presses the button.
fn act(browser: &mut Browser, path: &str, typed: &[(&str, &str)]) -> Reply {
    let page = browser.get(path).expect(200, &[]);
    press(browser, &page, path, typed)
}

fn press(browser: &mut Browser, page: &Reply, path: &str, typed: &[(&str, &str)]) -> Reply {
    let mut fields = filled(page, path);
    for (name, value) in typed {
        fields.retain(|(known, _)| known != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.send("POST", path, &fields, OURS)
}

/// The page that the answer leads to.
fn follow(browser: &mut Browser, reply: &Reply) -> Reply {
    assert_eq!(reply.status, 303, "{}", reply.words());
    browser.get(reply.header("location"))
}

fn value(page: &Reply, name: &str) -> String {
    let html = Html::parse_document(&page.text());
    let field = Selector::parse(&format!("main [name='{name}']")).unwrap();
    html.select(&field).next().unwrap().value().attr("value").unwrap_or_default().to_owned()
}

#[test]
fn a_partner_who_telephones_is_added_once_and_nothing_that_was_typed_is_lost() {
    for on in BOTH {
        let (office, _relay) = office(on);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        let add = "/partenaires/ajouter";
        browser.get("/partenaires").expect(200, &["Ajouter un partenaire"]);
        let wrong = [("adresse", "nouveau"), ("establishment", "Gîte Neuf"), ("stars", "sept"), ("origine", " ")];
        let page = act(&mut browser, add, &wrong)
            .expect(422, &["n’est pas comprise", "Indiquez d’où vient l’adresse", "de 1 à 5"]);
        let kept = ["adresse", "establishment", "stars"].map(|name| value(&page, name));
        assert_eq!(kept, ["nouveau", "Gîte Neuf", "sept"]);
        let typed = [
            ("adresse", "Nouveau@Gite.example"),
            ("origine", "appel du 3 juillet"),
            ("name", "Jeanne"),
            ("establishment", "Gîte du Pré ééé"),
            ("commune", "Pavie"),
            ("phone", "0562999999"),
            ("stars", "3"),
        ];
        let done = act(&mut browser, add, &typed);
        let page = follow(&mut browser, &done).expect(
            200,
            &["établissement déjà connu", "Jeanne", "appel du 3 juillet", "Gîte du Pré", "05 62 00 00 01"],
        );
        assert!(!page.words().contains("05 62 99 99 99"), "a known telephone is not overwritten: {}", page.words());
        let stars = "SELECT CAST(stars AS TEXT) FROM partners WHERE name LIKE 'Gîte du Pr%'";
        assert_eq!(office.house.text(stars), "3", "what was unknown is filled in");
        // A double click is one partner; other words for the same address are refused, and stay.
        act(&mut browser, add, &[("name", "Une autre"), typed[0], typed[1]])
            .expect(409, &["déjà dans la liste", "Rien n’a été changé"]);
        let again = act(&mut browser, add, &[typed[0], typed[1], typed[2]]);
        assert_eq!(again.header("location"), done.header("location").replace("added_kept", "added"));
        browser.get("/partenaires?q=jeanne").expect(200, &["1 personne trouvée"]);
        // Nobody is written to against an earlier word.
        office.house.semainier(&["partners", "suppress", "ancien@gite.example", "--why", "ne veut plus"]).expect(0);
        let page = act(&mut browser, add, &[("adresse", "ancien@gite.example"), ("origine", "carte de visite")]);
        let page = page.expect(409, &["ne doit plus recevoir", "écarté par l’office (ne veut plus)"]);
        assert_eq!(value(&page, "origine"), "carte de visite");
        let done = press(&mut browser, &page, add, &[("quand_meme", "1")]);
        follow(&mut browser, &done).expect(200, &["reste sans envois", "Ne reçoit pas", "ne veut plus", "Rien"]);
        assert_eq!(office.house.text("SELECT COUNT(*) || '' FROM audit WHERE action = 'contact.add'"), "2");
    }
}

#[test]
fn two_persons_on_one_partner_lose_no_word() {
    for on in BOTH {
        let (office, _relay) = office(on);
        let claire = office.member(CLAIRE, "redaction");
        let paul = person(&office, PAUL);
        office
            .house
            .semainier(&[
                "partners",
                "add",
                "accueil@gite.example",
                "--establishment",
                "Gîte du Pré ééé",
                "--commune",
                "Pavie",
                "--why",
                "test",
            ])
            .expect(0);
        let (marie, desk) = (person(&office, MARIE), person(&office, "accueil@gite.example"));
        let mut browser = Browser::of(&office, &claire);
        let edit = format!("{marie}/modifier");
        let first = browser.get(&edit).expect(200, &["1 autre adresse appartient à cet établissement"]);
        // A colleague changes the establishment by its other contact, and another one the name.
        let done = act(&mut browser, &format!("{desk}/modifier"), &[("phone", "05 62 11 11 11")]);
        follow(&mut browser, &done).expect(200, &["C’est enregistré", "05 62 11 11 11"]);
        let done = act(&mut browser, &edit, &[("name", "Éloïse Dupré")]);
        follow(&mut browser, &done).expect(200, &["Éloïse Dupré", "Claire a modifié un contact"]);
        let mine = [("name", "Éloïse D."), ("website", "gite.example"), ("labels", "accueil velo, Bio")];
        let stale = press(&mut browser, &first, &edit, &mine).expect(
            409,
            &["Quelqu’un a modifié cette fiche", "Éloïse Dupré", "Éloïse D.", "05 62 00 00 01", "05 62 11 11 11"],
        );
        let form = ["name", "website", "labels", "phone"].map(|name| value(&stale, name));
        assert_eq!(form, ["Éloïse D.", "gite.example", "accueil velo, Bio", "05 62 11 11 11"]);
        assert_eq!(
            office.house.text(&format!("SELECT name FROM contacts WHERE email_key = '{MARIE}'")),
            "Éloïse Dupré"
        );
        let done = press(&mut browser, &stale, &edit, &[]);
        follow(&mut browser, &done).expect(200, &["C’est enregistré", "Éloïse D.", "05 62 11 11 11"]);
        let labels = "SELECT labels FROM partners WHERE name LIKE 'Gîte du Pr%'";
        assert_eq!(office.house.text(labels), r#"["Accueil Vélo","Bio"]"#);
        // The same form once more changes nothing, and neither does one that nobody touched.
        press(&mut browser, &stale, &edit, &[]).expect(409, &["Quelqu’un a modifié"]);
        let done = act(&mut browser, &edit, &[]);
        follow(&mut browser, &done).expect(200, &["Rien n’était à changer"]);
        // A form without a version is never right.
        browser.post(&edit, &[("name", "x")]).expect(409, &["Quelqu’un a modifié"]);
        // What is not understood is named, and the rest stays.
        let page = act(&mut browser, &format!("{paul}/modifier"), &[("position", "ici"), ("function", "Gérant")]);
        let page = page.expect(422, &["deux nombres"]);
        assert_eq!([value(&page, "position"), value(&page, "function")], ["ici", "Gérant"]);
        // Whoever comes from the command line at the same moment is seen, too.
        let open = browser.get(&edit);
        office.house.semainier(&["partners", "edit", MARIE, "--function", "Gérante"]).expect(0);
        press(&mut browser, &open, &edit, &[("function", "Patronne")]).expect(409, &["Gérante", "Patronne"]);
        browser.get("/partenaires/contacts/nobody/modifier").expect(404, &["Personne introuvable"]);
    }
}

#[test]
fn whatever_is_typed_about_a_person_is_shown_as_text() {
    for on in BOTH {
        let (office, _relay) = office(on);
        let claire = office.member(CLAIRE, ALL_ROLES);
        let mut browser = Browser::of(&office, &claire);
        let marie = person(&office, MARIE);
        let fields =
            ["name", "function", "establishment", "category", "street", "postcode", "commune", "phone", "labels"];
        let typed: Vec<_> = fields.iter().map(|name| (*name, EVIL)).collect();
        let done = act(&mut browser, &format!("{marie}/modifier"), &typed);
        follow(&mut browser, &done).expect(200, &["C’est enregistré"]);
        let evil = [("portee", "*"), ("raison", "autre"), ("precisions", EVIL)];
        let done = act(&mut browser, &format!("{marie}/opposition"), &evil);
        follow(&mut browser, &done).expect(200, &[]);
        let add = [("adresse", EVIL), ("origine", EVIL), ("name", EVIL), ("insee", EVIL), ("website", EVIL)];
        let query = url::form_urlencoded::byte_serialize(EVIL.as_bytes()).collect::<String>();
        let replies = [
            browser.get(&marie),
            browser.get(&format!("{marie}/modifier")),
            browser.get(&format!("{marie}/adresse")),
            act(&mut browser, &format!("{marie}/adresse"), &[("adresse", EVIL)]),
            browser.get(&format!("{marie}/reabonner")),
            act(&mut browser, &format!("{marie}/reabonner"), &[("portee", EVIL), ("pourquoi", EVIL)]),
            browser.get(&format!("{marie}/donnees")),
            act(&mut browser, &format!("{marie}/effacer"), &[("adresse", EVIL)]),
            act(&mut browser, &format!("{marie}/modifier"), &[("vu_alors", EVIL), ("name", EVIL)]),
            act(&mut browser, "/partenaires/ajouter", &add),
            browser.get(&format!("/partenaires?q={query}")),
            browser.get(&format!("/partenaires?ou={query}")),
            browser.get(&format!("/partenaires/segment?ou={query}")),
            browser.get(&format!("/partenaires/segment?ou=name%3D%22{}", &query[3..])),
            browser.get(&format!("/partenaires/exporter?q={query}&ou={query}")),
            browser.get("/partenaires"),
            browser.get("/trace"),
        ];
        for (n, reply) in replies.iter().enumerate() {
            let html = reply.text();
            assert!([200, 409, 422].contains(&reply.status), "{n}: {}", reply.status);
            assert!(!html.contains("<script>alert") && !html.contains("<img"), "{n}: {html}");
            assert!(!html.contains("49&amp;lt"), "{n}: an expression of a template was evaluated: {html}");
            assert!(Html::parse_document(&html).errors.is_empty(), "{n}: {:?}", Html::parse_document(&html).errors);
        }
    }
}

#[test]
fn an_address_is_changed_with_its_history_and_never_to_somebody_elses() {
    for on in BOTH {
        let (office, _relay) = office(on);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        let marie = person(&office, MARIE);
        let path = format!("{marie}/adresse");
        let open = browser.get(&path).expect(200, &[MARIE, "L’historique, les abonnements"]);
        for wrong in ["", "marie", MARIE] {
            press(&mut browser, &open, &path, &[("adresse", wrong)]).expect(422, &["une autre adresse électronique"]);
        }
        let taken = press(&mut browser, &open, &path, &[("adresse", PAUL)]).expect(409, &["est déjà celle de"]);
        assert_eq!(value(&taken, "adresse"), PAUL);
        let barred = press(&mut browser, &open, &path, &[("adresse", "libre@gite.example")]);
        follow(&mut browser, &barred).expect(200, &["L’adresse est changée", "libre@gite.example", "Remis au relais"]);
        // The page of before is no longer true.
        press(&mut browser, &open, &path, &[("adresse", "encore@gite.example")])
            .expect(409, &["La fiche a changé", "libre@gite.example"]);
        office.house.semainier(&["partners", "suppress", "ferme@gite.example", "--mailing", "agenda"]).expect(0);
        let page = act(&mut browser, &path, &[("adresse", "ferme@gite.example")]).expect(409, &["hérite de ce refus"]);
        let done = press(&mut browser, &page, &path, &[("quand_meme", "1")]);
        follow(&mut browser, &done).expect(200, &["ferme@gite.example", "écarté par l’office"]);
    }
}

#[test]
fn who_telephones_is_unsubscribed_with_the_reason_and_only_the_offices_word_is_taken_back() {
    for on in BOTH {
        let (office, _relay) = office(on);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        let marie = person(&office, MARIE);
        // Two messages wait for her.
        office.house.sql(&format!(
            "INSERT INTO deliveries (id, issue, contact_id, recipient_key, address, address_hash, name, establishment,
                    commune, state, next_at, changed_at)
                SELECT 'w' || i.key, i.key, d.contact_id, d.recipient_key, d.address, d.address_hash, '', '', '',
                    'queued', 0, 0
                FROM issues i JOIN deliveries d ON d.recipient_key = '{MARIE}' AND d.issue = 'agenda/2027-W28'
                WHERE i.key IN ('agenda/2027-W25', 'agenda/2027-W26')"
        ));
        let path = format!("{marie}/opposition");
        let open = browser.get(&path).expect(200, &["2 messages en attente ne partiront pas", "demandé par téléphone"]);
        press(&mut browser, &open, &path, &[("portee", "rien")]).expect(422, &["Choisissez les envois"]);
        press(&mut browser, &open, &path, &[("raison", "x")]).expect(422, &["Choisissez une raison"]);
        press(&mut browser, &open, &path, &[("raison", "autre")]).expect(422, &["Écrivez la raison"]);
        let typed = [("portee", "*"), ("raison", "telephone"), ("precisions", "trop de messages")];
        let done = press(&mut browser, &open, &path, &typed);
        let why = "écarté par l’office (demandé par téléphone, trop de messages)";
        let page =
            follow(&mut browser, &done).expect(200, &["ces envois ne partiront plus", why, "Lui écrire de nouveau"]);
        assert!(
            page.words().contains("écarté par l’office : demandé par téléphone"),
            "in the history: {}",
            page.words()
        );
        let waiting =
            format!("SELECT COUNT(*) || '' FROM deliveries WHERE recipient_key = '{MARIE}' AND state = 'queued'");
        assert_eq!(office.house.text(&waiting), "0");
        let dossier = office.house.semainier(&["partners", "export", "--contact", MARIE]).expect(0).stdout;
        assert!(dossier.contains("demandé par téléphone, trop de messages"), "{dossier}");
        assert!(
            !office
                .house
                .text(
                    "SELECT detail FROM audit WHERE action = 'contact.suppress'
            ORDER BY at DESC LIMIT 1"
                )
                .contains("téléphone"),
            "the words are erased with the person"
        );
        // A form of before: somebody decided already.
        press(&mut browser, &open, &path, &typed).expect(409, &["La fiche a changé"]);
        browser.get(&path).expect(200, &["ne reçoit déjà plus rien"]);
        // And back, with a reason.
        let back = format!("{marie}/reabonner");
        act(&mut browser, &back, &[]).expect(422, &["gardée dans l’historique"]);
        let done = act(&mut browser, &back, &[("pourquoi", "elle a rappelé")]);
        follow(&mut browser, &done).expect(200, &["ces envois reprennent", "réabonné par l’office : elle a rappelé"]);
        // One mailing alone.
        let done = act(&mut browser, &path, &[("portee", "agenda"), ("raison", "courriel")]);
        follow(&mut browser, &done).expect(200, &["demandé par courriel"]);
        let done = act(&mut browser, &back, &[("portee", "agenda"), ("pourquoi", "erreur")]);
        follow(&mut browser, &done).expect(200, &["ces envois reprennent"]);
        // The person's own word is the person's own.
        let hash = office.house.text(&format!("SELECT address_hash FROM contacts WHERE email_key = '{MARIE}'"));
        office.house.sql(&format!(
            "INSERT INTO suppressions (address_hash, scope, reason, since) VALUES ('{hash}', '*', 'opt_out', 1)"
        ));
        browser.get(&marie).expect(200, &["elle seule peut y revenir"]);
        let page = browser.get(&back).expect(200, &["La personne elle-même a refusé"]);
        assert!(!page.text().contains("action=\"/partenaires"), "no form");
        browser
            .post(&back, &[("portee", "*"), ("pourquoi", "x"), ("vu_alors", "*=opt_out@1")])
            .expect(409, &["seule cette personne peut y revenir"]);
        assert_eq!(
            office.house.text(&format!("SELECT COUNT(*) || '' FROM suppressions WHERE address_hash = '{hash}'")),
            "1"
        );
    }
}

#[test]
fn all_data_are_read_and_taken_and_an_erasure_says_what_it_does_and_leaves_no_word() {
    for on in BOTH {
        let (office, _relay) = office(on);
        let admin = office.member(CLAIRE, ALL_ROLES);
        let mut browser = Browser::of(&office, &admin);
        let paul = person(&office, PAUL);
        let suppressed = [("portee", "*"), ("raison", "autre"), ("precisions", "parti chez Durand")];
        let done = act(&mut browser, &format!("{paul}/opposition"), &suppressed);
        assert_eq!(done.status, 303);
        browser
            .get(&format!("{paul}/donnees"))
            .expect(200, &[PAUL, "parti chez Durand", "Refusé", "2 paquets (100 exemplaires)", "intérêt légitime"]);
        let taken = browser.post(&format!("{paul}/donnees"), &[]);
        let disposition = taken.header("content-disposition").to_owned();
        assert!(taken.status == 200 && disposition.starts_with("attachment"), "{} {disposition}", taken.status);
        let json: Value = serde_json::from_slice(&taken.body).unwrap();
        assert_eq!(json["address"], PAUL);
        assert_eq!(
            (json["orders"].as_array().unwrap().len(), json["suppressions"][0]["reason"].as_str()),
            (3, Some("manual"))
        );
        assert_eq!(json["suppressions"][0]["why"], "parti chez Durand");
        assert!(json["deliveries"][0]["attempts"][0]["text"].as_str().unwrap().contains("OFR_416"));
        assert_eq!(office.house.text("SELECT COUNT(*) || '' FROM audit WHERE action = 'contact.data'"), "1");

        let path = format!("{paul}/effacer");
        let open = browser.get(&path).expect(
            200,
            &["1 envoi restera compté sans nom", "1 commande ouverte sera annulée", "L’adresse restera bloquée"],
        );
        press(&mut browser, &open, &path, &[("adresse", ANNE)]).expect(422, &["Ce n’est pas l’adresse"]);
        // Something happened meanwhile.
        office.house.sql("UPDATE orders SET state = 'delivered' WHERE id = 'open'");
        let stale = press(&mut browser, &open, &path, &[("adresse", PAUL)]);
        let stale = stale.expect(409, &["La fiche a changé", "Aucune commande n’est ouverte"]);
        assert_eq!(value(&stale, "adresse"), PAUL);
        // A message is being sent to the address.
        office.house.sql(&format!(
            "INSERT INTO claims (delivery, issue, address_hash, attempt, owner, since, lease_until)
            SELECT id, issue, address_hash, 1, 'd', 0, 9999999999999 FROM deliveries WHERE recipient_key = '{PAUL}'"
        ));
        press(&mut browser, &stale, &path, &[]).expect(409, &["réessayez dans une minute"]);
        office.house.sql("DELETE FROM claims");
        // A while after the login the password is asked for first, and what was typed comes back.
        office.tick(15 * 60);
        let asked = press(&mut browser, &stale, &path, &[]).expect(200, &["mot de passe"]);
        let again = press(&mut browser, &asked, "/moi/confirmer", &[("present", super::entering::PASSWORD)]);
        let again = again.expect(200, &["Ce que vous aviez saisi est repris"]);
        assert_eq!(value(&again, "adresse"), PAUL);
        let done = press(&mut browser, &again, &path, &[]);
        follow(&mut browser, &done).expect(200, &["La personne est effacée"]);
        browser.get(&paul).expect(404, &["Personne introuvable"]);
        let everything = format!("{:?}", office.house.everything());
        for word in [PAUL, "parti chez Durand"] {
            assert!(!everything.contains(word), "{word} is still there");
        }
        browser.get(&format!("/partenaires?q={PAUL}")).expect(200, &["Personne ne répond"]);
    }
}

#[test]
fn the_list_is_filtered_by_an_expression_in_its_address_and_taken_out_with_a_record() {
    for on in BOTH {
        let (office, _relay) = office(on);
        let (reader, claire) = (office.member("lea@ot.test", "lecture,redaction"), office.member(CLAIRE, ALL_ROLES));
        let mut browser = Browser::of(&office, &reader);
        for (query, who) in [
            ("q=gite+PRE", "Gîte du Pré"),
            ("q=isle-jourdain", "Chez Zoé"),
            ("q=0562000001", "Gîte du Pré"),
            ("q=%2B33+5+62+00+00+01", "Gîte du Pré"),
            ("q=zoe%40wanadoo.fr", "Chez Zoé"),
        ] {
            browser.get(&format!("/partenaires?{query}")).expect(200, &["1 personne trouvée", who]);
        }
        let chosen = browser.get("/partenaires?q=&filiere=h%C3%A9bergement&commune=Pavie&label=&envoi=agenda");
        assert_eq!(chosen.status, 303);
        let to = chosen.header("location").to_owned();
        assert!(to.contains("?ou=category+%3D+%22h%C3%A9bergement%22+and+commune"), "{to}");
        let page = browser.get(&to).expect(200, &["1 personne trouvée", "Gîte du Pré", "message accepté"]);
        let html = Html::parse_document(&page.text());
        let selected = Selector::parse("select option[selected]").unwrap();
        let selected: Vec<_> = html.select(&selected).filter_map(|it| it.value().attr("value")).collect();
        assert_eq!(selected, ["hébergement", "Pavie", "agenda"]);
        let carried = browser.get("/partenaires?ou=stars+%3C+3+or+commune+%3D+%22Auch%22");
        let carried = carried.expect(200, &["Seuls ceux qui répondent à", "personnes trouvées"]);
        assert!(carried.text().contains("type=\"hidden\" name=\"ou\""));
        let wrong = browser.get("/partenaires?ou=commune+Auch").expect(200, &["à partir du caractère 9"]);
        assert!(!wrong.words().contains("trouvée"), "{}", wrong.words());
        // Who may not take the list out does not see how.
        assert!(!browser.get("/partenaires").text().contains("/partenaires/exporter"));
        assert_eq!(browser.get("/partenaires/exporter").status, 403);

        let mut browser = Browser::of(&office, &claire);
        let path = "/partenaires/exporter";
        let all = browser.get(path).expect(200, &["4 personnes trouvées", "noté dans « Décisions »"]);
        office.house.semainier(&["partners", "add", "cinq@gite.example", "--why", "test"]).expect(0);
        office.console.forget_list();
        press(&mut browser, &all, path, &[("format", "csv")]).expect(409, &["La liste a changé", "5 personnes"]);
        let some = browser.get("/partenaires/exporter?ou=commune+%3D+%22pavie%22").expect(200, &["1 personne trouvée"]);
        let csv = press(&mut browser, &some, path, &[("format", "csv")]);
        let text = csv.text();
        assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8"));
        assert!(text.starts_with('\u{feff}') && text.contains(MARIE) && !text.contains(PAUL), "{text}");
        office.house.sql(&format!("UPDATE contacts SET name = '=1+1' WHERE email_key = '{ZOE}'"));
        let all = browser.get(path);
        let csv = press(&mut browser, &all, path, &[("format", "csv")]).text();
        assert!(csv.contains(";'=1+1;") && csv.lines().count() >= 6, "{csv}");
        let xlsx = press(&mut browser, &all, path, &[("format", "xlsx")]);
        assert!(xlsx.body.starts_with(b"PK") && xlsx.header("content-disposition").contains(".xlsx"));
        let records =
            r#"SELECT COUNT(*) || '' FROM audit WHERE action = 'partners.export' AND detail LIKE '%"contacts":5%'"#;
        assert_eq!(office.house.text(records), "2");
        browser.get("/trace").expect(200, &["a téléchargé la liste des partenaires", "contacts : 5"]);
        office.tick(15 * 60);
        let asked = press(&mut browser, &some, path, &[("format", "csv")]);
        asked.expect(200, &["mot de passe"]);
        assert!(!semainier::accounts::Roles::parse("administration").unwrap().may(Permission::Export));
    }
}

#[test]
fn a_segment_is_built_from_rows_or_text_and_counted() {
    for on in BOTH {
        let (office, _relay) = office(on);
        let claire = office.member(CLAIRE, "lecture");
        let mut browser = Browser::of(&office, &claire);
        browser.get("/partenaires/segment").expect(200, &["Composer un segment", "Groupe 1", "filière"]);
        let rows = "lien=toutes&g0=une&g0c0=commune&g0o0=%3D&g0v0=Auch+%3B+Pavie&g0c1=category&g0o1=%3D&g0v1=restauration\
                    &g1=toutes&g1c0=name&g1o0=%21%3D&g1v0=Personne";
        let made = browser.get(&format!("/partenaires/segment?{rows}"));
        assert_eq!(made.status, 303);
        let page = browser.get(made.header("location"));
        let said = "3 contacts de 3 établissements, dont 1 qui ne reçoit rien";
        let page = page.expect(200, &[said, "Voir ces partenaires"]);
        let text = "(commune in (\"Auch\", \"Pavie\") or category = \"restauration\") and name != \"Personne\"";
        let html = Html::parse_document(&page.text());
        let area: String =
            html.select(&Selector::parse("textarea#ou").unwrap()).next().unwrap().text().collect::<String>();
        assert_eq!(area.trim_start_matches('\n'), text);
        assert_eq!(value(&page, "g0v0"), "Auch; Pavie");
        let counted = browser.get(&format!("/partenaires/segment/compte?{rows}"));
        let json: Value = serde_json::from_slice(&counted.body).unwrap();
        assert_eq!(json["said"].as_str().unwrap().replace('\u{a0}', " "), said);
        assert_eq!(json["text"], text);
        // What was typed into the rows stays, if it means nothing.
        let nonsense = "lien=toutes&g0c0=category&g0o0=%3E%3D&g0v0=gîte";
        let page = browser.get(&format!("/partenaires/segment?{nonsense}")).expect(200, &["n’est pas comprise"]);
        assert_eq!(value(&page, "g0v0"), "gîte");
        let counted = browser.get(&format!("/partenaires/segment/compte?{nonsense}"));
        assert!(counted.text().contains("n’est pas comprise, à partir du caractère"), "{}", counted.text());
        let wrong = browser.get("/partenaires/segment?ou=commune+%3D+Auch");
        wrong.expect(200, &["à partir du caractère 11", "expected a text"]);
        let more = browser.get("/partenaires/segment?ou=not+%28stars+%3D+3+and+stars+%3D+4%29");
        more.expect(200, &["ne tient pas dans les lignes", "4 contacts"]);
        // The values that exist are offered with their number.
        let html = browser.get("/partenaires/segment").text();
        assert!(html.contains("value=\"restauration\" label=\"filière\u{a0}: restauration (1)\""), "{html}");
    }
}

/// As many partners as a département has, and five issues that all of them got.
#[test]
fn a_list_of_twenty_thousand_partners_is_searched_and_filtered() {
    const PARTNERS: usize = 20_000;
    for on in BOTH {
        let relay = Relay::start();
        let house = crate::support::house::House::on(on).relay(&relay).set("console.bind", "127.0.0.1:0");
        let communes = ["Auch", "Pavie", "Preignan", "L’Isle-Jourdain", "Condom", "Lectoure", "Mirande", "Nogaro"];
        let mut csv = "email;nom;etablissement;commune;catégorie;téléphone;labels\n".to_owned();
        for n in 0..PARTNERS {
            let (commune, category) = (communes[n % communes.len()], ["hébergement", "restauration"][n % 2]);
            csv +=
                &format!("p{n}@gite.example;Nom {n};Gîte n° {n};{commune};{category};05 62 {n:06};Bio, Accueil Vélo\n");
        }
        house.write("partners.csv", csv);
        house.semainier(&["partners", "import", "partners.csv"]).expect(0);
        house.sql(
            &(1..=5)
                .map(|n| {
                    format!(
                        "INSERT INTO issues (key, mailing, state, scheduled_for, expires_at, created_at, frozen_at, closed_at)
                            VALUES ('agenda/2027-W0{n}', 'agenda', 'done', {n}, {n}, {n}, {n}, {n});
                        INSERT INTO deliveries (id, issue, contact_id, recipient_key, address, address_hash, name,
                                establishment, commune, state, changed_at)
                            SELECT '{n}' || id, 'agenda/2027-W0{n}', id, email_key, address, address_hash, '', '', '', 'sent', {n}
                            FROM contacts;"
                    )
                })
                .collect::<String>(),
        );
        let office = Office::open(house);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        let one = person(&office, "p77@gite.example");
        browser.get("/partenaires").expect(200, &["20 000 personnes"]);
        for path in [
            "/partenaires",
            "/partenaires?q=gite+n+777",
            "/partenaires?q=05+62+01+23",
            "/partenaires?ou=category+%3D+%22hebergements%22+and+commune+%3D+%22auch%22+and+label+%3D+%22bio%22",
            "/partenaires/segment?ou=commune+%21%3D+%22auch%22+and+subscribed+%3D+%22agenda%22",
            &one,
            &format!("{one}/opposition"),
            &format!("{one}/donnees"),
        ] {
            browser.get(path).expect(200, &[]);
        }
    }
}

#[test]
fn of_two_edits_of_one_establishment_at_the_same_instant_one_is_refused() {
    for on in BOTH {
        let (office, _relay) = office(on);
        let claire = office.member(CLAIRE, "redaction");
        let add =
            ["partners", "add", "accueil@gite.example", "--establishment", "Gîte du Pré ééé", "--commune", "Pavie"];
        office.house.semainier(&[&add[..], &["--why", "test"]].concat()).expect(0);
        let mut browser = Browser::of(&office, &claire);
        let paths = [MARIE, "accueil@gite.example"].map(|it| format!("{}/modifier", person(&office, it)));
        for round in 0..8 {
            let pages = paths.each_ref().map(|path| browser.get(path));
            let mut answers: Vec<u16> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..2)
                    .map(|n| {
                        let (mut other, jar) = (Browser::new(&office), browser.jar.clone());
                        other.jar = jar;
                        let (page, path) = (&pages[n], &paths[n]);
                        scope.spawn(move || {
                            press(&mut other, page, path, &[("phone", &format!("05 62 00 0{n} 0{round}"))]).status
                        })
                    })
                    .collect();
                threads.into_iter().map(|it| it.join().unwrap()).collect()
            });
            answers.sort_unstable();
            assert_eq!(answers, [303, 409], "{on:?} {round}");
        }
    }
}
