//! « Importer une liste »: what it would change is shown, and exactly that is done, once.

use super::{
    EVIL, Reply,
    entering::{Browser, CLAIRE, Office, hidden},
};
use crate::support::house::{BOTH, House, On};
use rust_xlsxwriter::Workbook;
use std::io::{Cursor, Write};
use zip::{ZipWriter, write::SimpleFileOptions};

const PATH: &str = "/partenaires/importer";
const FIELDS: &[(&str, &str)] = &[("source", "adhérents 2027"), ("base", "interet"), ("envoi-agenda", "oui")];

/// The list of sixty as an office really keeps it, with invented names: a title and notes above the header, two columns of addresses,
/// two addresses in a cell, a row without one, one that is wrong, a hidden row, remarks, a sheet of archives, and a total.
fn sixty() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("Adhérents").unwrap();
    let text = |sheet: &mut rust_xlsxwriter::Worksheet, row: u32, cells: &[&str]| {
        for (column, cell) in cells.iter().enumerate() {
            sheet.write_string(row, u16::try_from(column).unwrap(), *cell).unwrap();
        }
    };
    text(sheet, 0, &["LISTE DES PARTENAIRES 2027"]);
    text(sheet, 1, &["mise à jour : 3 mars", "", "NE PAS DIFFUSER"]);
    let header =
        ["Établissement", "Ville", "CP", "Nom", "Adresse mail 1", "Adresse mail 2", "Tél.", "Filière", "Observations"];
    text(sheet, 3, &header);
    for n in 0..60 {
        let (first, second) = match n {
            7 => (format!("accueil{n}@gite.example ; direction{n}@gite.example"), String::new()),
            8 => (format!("mailto:accueil{n}@gite.example"), format!("second{n}@gite.example")),
            9 => (String::new(), String::new()),
            10 => ("accueil arobase gite.example".to_owned(), String::new()),
            _ => (format!("accueil{n}@gite.example"), String::new()),
        };
        let row = 4 + n;
        let house = format!("Gîte du Pré n° {n}");
        text(
            sheet,
            row,
            &[
                &house,
                "Auch",
                "32000",
                &format!("Camille {n}"),
                &first,
                &second,
                "05 62 00 00 00",
                "Hébergement",
                "NPAI ?",
            ],
        );
        if n == 11 {
            sheet.set_row_hidden(row).unwrap();
        }
    }
    text(sheet, 64, &["TOTAL", "", "", "", "60"]);
    workbook.add_worksheet().set_name("Archives").unwrap().set_hidden(true);
    workbook.save_to_buffer().unwrap()
}

fn office(on: On) -> Office {
    Office::open(House::on(on).set("console.bind", "127.0.0.1:0"))
}

/// Uploads a list; its page.
fn draft(browser: &mut Browser, fields: &[(&str, &str)], name: &str, file: &[u8]) -> String {
    let reply = browser.upload(PATH, fields, &[("fichier", name, file)]);
    assert_eq!(reply.status, 303, "{}", reply.words());
    reply.header("location").to_owned()
}

fn confirm(browser: &mut Browser, path: &str, more: &[(&str, &str)]) -> Reply {
    let seen = hidden(&browser.get(path).text(), "vu_alors");
    browser.post(path, &[&[("que", "confirmer"), ("vu_alors", seen.as_str())], more].concat())
}

fn contacts(office: &Office) -> i64 {
    office.house.number("SELECT count(*) FROM contacts")
}

#[test]
fn m20_the_list_of_sixty_as_an_office_keeps_it_is_looked_at_and_imported_once() {
    for on in BOTH {
        let office = office(on);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        browser.get("/partenaires").expect(200, &["Importer une liste"]);
        browser.get(PATH).expect(200, &["Rien n’est encore modifié"]);
        let path = draft(&mut browser, FIELDS, "C:\\Listes\\liste été.xlsx", &sixty());
        let page = browser.get(&path).expect(
            200,
            &[
                "Ce que cette liste changerait",
                "liste été.xlsx",
                "Colonnes qui ne sont pas lues : Observations",
                "Feuilles masquées, laissées de côté : Archives",
                "Lignes masquées : 1",
                "Lignes fausses : 1",
                "ligne 15 : « accueil arobase gite.example »",
                "ligne 12 : 2 adresses : 2 contacts d’un même établissement",
                "ligne 14 : sans adresse ; laissée de côté",
                "ligne 65 : un total, pas un contact",
            ],
        );
        assert!(!page.text().contains("value=\"confirmer\""), "a list with a wrong line is not offered");
        assert!(!page.text().contains("Listes"), "the folders of a computer are nobody's business");
        let csv = browser.get(&format!("{path}/refusees.csv"));
        assert!(csv.header("content-disposition").starts_with("attachment"));
        assert!(csv.text().contains("n’est pas une adresse électronique"), "{}", csv.text());
        assert_eq!(contacts(&office), 0);
        assert_eq!(browser.post(&path, &[("que", "laisser")]).status, 303);
        browser.get(&path).expect(200, &["Elles seront laissées de côté", "Ajoutés 59"]);
        let seen = hidden(&browser.get(&path).text(), "vu_alors");
        let fields = [("que", "confirmer"), ("vu_alors", seen.as_str())];
        for _ in 0..2 {
            let done = browser.post(&path, &fields);
            assert_eq!((done.status, done.header("location")), (303, path.as_str()), "{}", done.words());
        }
        browser
            .get(&path)
            .expect(200, &["C’est fait : la liste a été importée", "Ajoutés 59", "Restent désinscrits 0"]);
        assert_eq!(contacts(&office), 59, "{on:?}");
        assert_eq!(office.house.number("SELECT count(*) FROM subscriptions"), 59, "agenda alone");
        let audit = "SELECT count(*) FROM audit WHERE action = 'partners.import' AND detail LIKE '%\"added\":59%'";
        assert_eq!(office.house.number(audit), 1, "{on:?}: once, with its numbers");
        assert_eq!(office.house.number("SELECT count(*) FROM imports WHERE file IS NULL"), 1, "the file is gone");
        assert_eq!(browser.get(&format!("{path}/refusees.csv")).status, 404);
        let phone = "SELECT count(*) FROM partners WHERE phone = '05 62 00 00 00' AND postcode = '32000'";
        assert!(office.house.number(phone) > 50);
    }
}

#[test]
fn m20_what_changed_since_it_was_shown_is_shown_again_and_changes_by_hand_stay() {
    for on in BOTH {
        let office = office(on);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        let csv = "email;nom;structure;ville;tel\na@gite.example;Marie;Gîte;Auch;0562000001\n";
        let path = draft(&mut browser, FIELDS, "liste.csv", csv.as_bytes());
        assert_eq!(confirm(&mut browser, &path, &[]).status, 303);
        let path = draft(&mut browser, FIELDS, "liste.csv", csv.as_bytes());
        let seen = hidden(&browser.get(&path).expect(200, &["ne changerait rien"]).text(), "vu_alors");
        office.house.semainier(&["partners", "edit", "a@gite.example", "--phone", "0562000002"]).expect(0);
        let fields = [("que", "confirmer"), ("vu_alors", seen.as_str())];
        let stale = browser.post(&path, &fields);
        let stale = stale.expect(
            409,
            &["Rien n’a été importé", "Corrigés à la main", "corrigé à la main", "05 62 00 00 02", "05 62 00 00 01"],
        );
        // The same answer again: what it carries is not what was shown meanwhile.
        browser.post(&path, &fields).expect(409, &["Rien n’a été importé"]);
        assert_ne!(hidden(&stale.text(), "vu_alors"), seen);
        let stored =
            |value: &str| office.house.number(&format!("SELECT count(*) FROM partners WHERE phone = '{value}'"));
        assert_eq!(confirm(&mut browser, &path, &[]).status, 303);
        browser.get(&path).expect(200, &["Corrections à la main gardées 1"]);
        assert_eq!(stored("05 62 00 00 02"), 1);
        // Given up for one import.
        let path = draft(&mut browser, FIELDS, "liste.csv", csv.as_bytes());
        assert_eq!(browser.post(&path, &[("que", "ecraser")]).status, 303);
        browser.get(&path).expect(200, &["La liste l’emporte", "Modifiés 1"]);
        assert_eq!(confirm(&mut browser, &path, &[]).status, 303);
        assert_eq!(stored("05 62 00 00 01"), 1);
    }
}

#[test]
fn m20_a_list_belongs_to_who_uploaded_it_and_waits_a_day() {
    let office = office(On::Sqlite);
    let (claire, marc) =
        (office.member(CLAIRE, "redaction"), office.member("marc@ot.test", "redaction,administration"));
    let (mut browser, mut other) = (Browser::of(&office, &claire), Browser::of(&office, &marc));
    let csv = "email;nom\na@gite.example;Marie\n".as_bytes();
    let path = draft(&mut browser, FIELDS, "liste.csv", csv);
    for page in [path.clone(), format!("{path}/flux"), format!("{path}/refusees.csv")] {
        other.get(&page).expect(404, &["Liste introuvable"]);
    }
    let seen = hidden(&browser.get(&path).text(), "vu_alors");
    for what in ["confirmer", "abandonner", "laisser"] {
        other.post(&path, &[("que", what), ("vu_alors", &seen)]).expect(404, &["Liste introuvable"]);
    }
    let given_up = draft(&mut browser, FIELDS, "liste.csv", csv);
    assert_eq!(
        browser.post(&given_up, &[("que", "abandonner")]).header("location"),
        "/partenaires/importer?fait=abandonne"
    );
    browser.get(&given_up).expect(404, &["Liste introuvable"]);
    // Five wait at most.
    for _ in 0..4 {
        draft(&mut browser, FIELDS, "liste.csv", csv);
    }
    browser.upload(PATH, FIELDS, &[("fichier", "liste.csv", csv)]).expect(409, &["5 listes attendent déjà"]);
    office.tick(25 * 3600);
    let mut browser = Browser::of(&office, &claire);
    browser.get(&path).expect(404, &["plus de 24 heures"]);
    browser.post(&path, &[("que", "confirmer"), ("vu_alors", &seen)]).expect(404, &["Liste introuvable"]);
    draft(&mut browser, FIELDS, "liste.csv", csv);
    assert_eq!(office.house.number("SELECT count(*) FROM imports"), 1, "what expired is deleted");
    assert_eq!(contacts(&office), 0);
}

#[test]
fn m20_a_whole_list_takes_an_administrator_the_password_and_the_number() {
    for on in BOTH {
        let office = office(on);
        office.house.import(&["a@gite.example", "b@gite.example", "c@gite.example"]);
        let (claire, marc) =
            (office.member(CLAIRE, "redaction"), office.member("marc@ot.test", "redaction,administration"));
        let csv = "email;nom;etablissement;commune\na@gite.example;Éloïse 0;Gîte n° 0;Auch\n".as_bytes();
        let whole = [FIELDS, &[("entiere", "oui")]].concat();
        let mut browser = Browser::of(&office, &claire);
        assert_eq!(browser.upload(PATH, &whole, &[("fichier", "liste.csv", csv)]).status, 403);
        let mut browser = Browser::of(&office, &marc);
        let path = draft(&mut browser, &whole, "liste.csv", csv);
        browser
            .get(&path)
            .expect(200, &["Retirés 2 sur 3", "Tapez le nombre de contacts retirés : 2", "b@gite.example"]);
        confirm(&mut browser, &path, &[]).expect(422, &["Ce n’est pas le nombre"]);
        confirm(&mut browser, &path, &[("nombre", "3")]).expect(422, &["Ce n’est pas le nombre"]);
        assert_eq!(contacts(&office), 3);
        // Ten minutes later it asks for the password first.
        office.tick(11 * 60);
        let asked = confirm(&mut browser, &path, &[("nombre", "2")]);
        assert_eq!((asked.status, contacts(&office)), (200, 3));
        assert!(asked.text().contains("name=\"present\""), "{}", asked.words());
        let mut browser = Browser::of(&office, &marc);
        assert_eq!(confirm(&mut browser, &path, &[("nombre", "2")]).status, 303);
        assert_eq!(contacts(&office), 1, "{on:?}");
    }
}

#[test]
fn m20_upload_bombs_and_other_files_are_refused_in_words() {
    let office = office(On::Sqlite);
    let claire = office.member(CLAIRE, "redaction");
    let mut browser = Browser::of(&office, &claire);
    let archive = |name: &str, bytes: &[u8]| {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        zip.start_file("xl/workbook.xml", options).unwrap();
        zip.write_all(b"<workbook/>").unwrap();
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
        zip.finish().unwrap().into_inner()
    };
    let bomb = archive("xl/worksheets/sheet1.xml", &vec![b' '; 70 << 20]);
    assert!(bomb.len() < 1 << 20);
    let texts = br#"<sst count="1" uniqueCount="18446744073709551615">"#;
    for (file, words) in [
        (bomb, "décompressé, ce fichier XLSX dépasse 64 Mo"),
        (archive("xl/sharedStrings.xml", texts), "plus de textes qu’une liste"),
        (archive("xl/vbaProject.bin", b"x"), "contient des macros"),
        (archive("../../etc/cron.d/x", b"x"), "un nom qui mène hors de lui"),
        (vec![0xd0, 0xcf, 0x11, 0xe0, 0, 0], "un ancien fichier Excel (.xls)"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), "ce n’est pas un fichier de texte"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec(),
            "aucune colonne d’adresses",
        ),
        (b"PK\x03\x04".to_vec(), "ne peut pas être lu"),
        (b"nom;ville\nx;y\n".to_vec(), "aucune colonne d’adresses"),
        (Vec::new(), "Choisissez un fichier"),
    ] {
        let reply = browser.upload(PATH, FIELDS, &[("fichier", "liste.xlsx", &file)]).expect(422, &[words]);
        assert!(reply.text().contains("value=\"adhérents 2027\""), "what was typed stays");
    }
    browser
        .upload(PATH, &FIELDS[1..], &[("fichier", "liste.csv", b"email\na@b.fr\n")])
        .expect(422, &["Indiquez d’où viennent"]);
    browser
        .upload(PATH, &FIELDS[..2], &[("fichier", "liste.csv", b"email\na@b.fr\n")])
        .expect(422, &["au moins un envoi"]);
    let large = vec![b'x'; 21 << 20];
    browser.upload(PATH, FIELDS, &[("fichier", "liste.csv", &large)]).expect(422, &["Ce fichier dépasse 20 Mo"]);
    assert_eq!(office.house.number("SELECT count(*) FROM imports"), 0);
    // Other forms take no more than they did.
    assert_eq!(browser.upload("/moi/langue", &[], &[("fichier", "x", &large[..200 << 10])]).status, 413);
    assert!(browser.is_in());
}

#[test]
fn an_empty_cell_is_said_to_delete_and_values_are_shown_as_people_write_them() {
    for on in BOTH {
        let office = office(on);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        let list = |phone: &str, labels: &str| {
            format!("email;structure;ville;tel;labels\na@gite.example;Gîte;Auch;{phone};{labels}\n")
        };
        let path = draft(&mut browser, FIELDS, "liste.csv", list("0562000001", "Bio, Accueil Vélo").as_bytes());
        assert_eq!(confirm(&mut browser, &path, &[]).status, 303);
        browser.get("/partenaires?q=gite").expect(200, &["1 personne trouvée"]);
        browser.get(PATH).expect(200, &["Une cellule vide efface"]);
        let path = draft(&mut browser, FIELDS, "liste.csv", list("", "Bio").as_bytes());
        let page = browser.get(&path);
        let page = page.expect(200, &["05 62 00 00 01", "vide : la valeur sera effacée", "Accueil Vélo, Bio"]);
        assert!(!page.text().contains("[&quot;Bio"), "{}", page.words());
        assert_eq!(confirm(&mut browser, &path, &[]).status, 303);
        assert_eq!(office.house.number("SELECT count(*) FROM partners WHERE phone = ''"), 1, "{on:?}");
    }
}

#[test]
fn a_formula_in_a_header_or_a_cell_is_harmless_in_the_file_of_refused_lines() {
    let office = office(On::Sqlite);
    let claire = office.member(CLAIRE, "redaction");
    let mut browser = Browser::of(&office, &claire);
    let csv = b"email;=1+1;nom\npas une adresse;=2+2;Marie\na@gite.example;x;y\n";
    let path = draft(&mut browser, FIELDS, "liste.csv", csv);
    let csv = browser.get(&format!("{path}/refusees.csv")).text();
    assert!(csv.contains(";'=1+1;") && csv.contains(";'=2+2;"), "{csv}");
}

#[test]
fn m20_nothing_in_a_file_becomes_html() {
    for on in BOTH {
        let office = office(on);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        let field = format!("\"{}\"", EVIL.replace('"', "\"\""));
        let line = |name: &str| {
            format!("email;nom;ville;{field}\na@gite.example;{name};{field};{field}\n{field};{field};x;y\n")
        };
        let fields = [("source", EVIL), ("envoi-agenda", "oui"), ("laisser", "oui")];
        let name = EVIL.replace(['"', '/'], "");
        let path = draft(&mut browser, &fields, &name, line("Marie").as_bytes());
        let check = |reply: &Reply| {
            let html = reply.text();
            assert!(!html.contains("<script>alert") && !html.contains("<img src=x"), "{html}");
            assert!(html.contains("&lt;script&gt;"));
        };
        check(&browser.get(&path));
        check(&browser.get(PATH));
        assert_eq!(confirm(&mut browser, &path, &[]).status, 303);
        check(&browser.get(&path));
        let path = draft(&mut browser, &fields, &name, line(&field).as_bytes());
        check(&browser.get(&path));
    }
}

/// A hundred thousand under `SEMAINIER_LONG`; as many lines as make several pieces of work otherwise.
#[test]
fn m20_a_long_list_is_imported_in_the_background_with_its_progress() {
    for on in BOTH {
        let lines = if std::env::var_os("SEMAINIER_LONG").is_some() { 100_000 } else { 5_000 };
        let office = office(on);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        let mut csv = "email;nom;etablissement;commune;telephone\n".to_owned();
        csv.extend((0..lines).map(|n| format!("p{n}@gite.example;Camille {n};Gîte {n};Auch;0562{n:06}\n")));
        let path = draft(&mut browser, FIELDS, "liste.csv", csv.as_bytes());
        // The stream ends when the work does.
        let settled = |browser: &mut Browser| {
            let stream = browser.get(&format!("{path}/flux")).text();
            assert!(stream.contains("\"over\":true"), "{stream}");
        };
        settled(&mut browser);
        browser.get(&path).expect(200, &["Ajoutés", "Seuls les mille premiers", "Page 1 / 10"]);
        browser.get(&format!("{path}?page=10")).expect(200, &["Page 10 / 10", "Page précédente"]);
        assert_eq!(confirm(&mut browser, &path, &[]).status, 303);
        settled(&mut browser);
        browser.get(&path).expect(200, &["C’est fait"]);
        assert_eq!(contacts(&office), lines, "{on:?}");
    }
}

#[test]
fn m20_an_import_that_was_cut_off_leaves_everything_as_it_was_and_says_so() {
    for on in BOTH {
        let office = office(on);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        let path = draft(&mut browser, FIELDS, "liste.csv", b"email;nom\na@gite.example;Marie\n");
        let seen = hidden(&browser.get(&path).text(), "vu_alors");
        // What a daemon leaves that stopped midway: the transaction is gone, the state is not.
        office.house.sql("UPDATE imports SET state = 'running'");
        browser.get(&path).expect(200, &["Interrompu avant la fin", "rien n’est modifié"]);
        browser.get(PATH).expect(200, &["Interrompue"]);
        let given_up = draft(&mut browser, FIELDS, "autre.csv", b"email;nom\na@gite.example;Marie\n");
        office.house.sql("UPDATE imports SET state = 'running' WHERE file_name = 'autre.csv'");
        browser.get(&given_up).expect(200, &["Abandonner cette liste"]);
        assert_eq!(
            browser.post(&given_up, &[("que", "abandonner")]).header("location"),
            format!("{PATH}?fait=abandonne")
        );
        browser.get(&given_up).expect(404, &["Liste introuvable"]);
        assert_eq!(browser.post(&path, &[("que", "confirmer"), ("vu_alors", &seen)]).status, 303);
        assert_eq!(contacts(&office), 0, "it is not simply begun once more");
        assert_eq!(browser.post(&path, &[("que", "comparer")]).status, 303);
        assert_eq!(confirm(&mut browser, &path, &[]).status, 303);
        browser.get(&path).expect(200, &["C’est fait"]);
        assert_eq!(contacts(&office), 1, "{on:?}");
    }
}
