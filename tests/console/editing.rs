//! The form of an edition: saved page by page, nothing lost by an error, and nothing that is meant to harm gets in.

use super::EVIL;
use super::entering::{Browser, CLAIRE, OURS, Office, hidden, multipart};
use crate::editions::{add, office, picture};
use crate::support::house::{BOTH, On, Relay, block_on};

const PDF: &[u8] = b"%PDF-1.7\n%garbage that nobody parses";
const BROCHURE: &[(&str, &str)] = &[
    ("etape", "1"),
    ("title", "Carte de l’été 2027"),
    ("slug", ""),
    ("kind", "map"),
    ("langue.fr", "oui"),
    ("langue.en", "oui"),
    ("pages", "24"),
    ("summary", "Les villages.\r\nLes musées."),
    ("online", ""),
    ("valid_until", "2099-03-31"),
];

/// An office with partners, and with a console.
pub fn open(on: On, relay: &Relay) -> Office {
    Office::open(office(on, relay).set("console.bind", "127.0.0.1:0"))
}

/// The form's fields as they are shown, some of them changed.
pub fn fields<'a>(html: &str, names: &[&'static str], changed: &[(&'a str, &'a str)]) -> Vec<(String, String)> {
    let document = scraper::Html::parse_document(html);
    let mut all = Vec::new();
    for name in names {
        let select = |text: String| scraper::Selector::parse(&text).unwrap();
        let value = document
            .select(&select(format!("input[name='{name}']")))
            .next()
            .map(|it| it.value().attr("value").unwrap_or_default().to_owned());
        let text = document.select(&select(format!("textarea[name='{name}']"))).next();
        let value = value.or_else(|| text.map(|it| it.text().collect()));
        let chosen = document.select(&select(format!("select[name='{name}'] option[selected]"))).next();
        let value = value.or_else(|| chosen.and_then(|it| it.value().attr("value")).map(str::to_owned));
        let value = changed.iter().find(|(it, _)| it == name).map(|(_, to)| (*to).to_owned()).or(value);
        all.extend(value.map(|value| ((*name).to_owned(), value)));
    }
    all
}

pub const FIRST: &[&str] =
    &["etape", "vu_alors", "vu_champs", "title", "slug", "kind", "pages", "summary", "online", "valid_until"];

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn an_edition_is_made_on_two_pages_each_saved_by_itself() {
    for on in BOTH {
        let relay = Relay::start();
        let office = open(on, &relay);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        browser.get("/editions").expect(200, &["Aucune édition encore", "Nouvelle édition"]);
        browser.get("/editions/nouvelle").expect(200, &["1. La brochure", "JPEG, PNG ou WebP, 8 Mo au plus"]);
        // A draft without cover and without anything online is saved.
        let done = browser.upload("/editions/nouvelle", BROCHURE, &[("cover", "", b""), ("pdf", "", b"")]);
        let place = "/editions/carte-de-l-ete-2027/modifier?etape=2&fait=saved";
        assert_eq!((done.status, done.header("location")), (303, place), "{}", done.words());
        browser.get(place).expect(200, &["C’est enregistré.", "2. Tirage et textes à partager"]);
        let page = "/editions/carte-de-l-ete-2027";
        browser
            .get(page)
            .expect(200, &["Pour l’annoncer, il manque : la couverture, l’adresse en ligne ou le PDF, le texte"]);
        // The same title again has a name of its own.
        let again = browser.upload("/editions/nouvelle", BROCHURE, &[]);
        assert_eq!(again.header("location"), "/editions/carte-de-l-ete-2027-2/modifier?etape=2&fait=saved");

        // Paper and words; the packs are counted.
        let form = browser.get(&format!("{page}/modifier?etape=2")).text();
        let paper = [
            ("etape", "2"),
            ("vu_alors", &hidden(&form, "vu_alors")),
            ("printed", "20 000"),
            ("pack", "50"),
            ("words", "Elle est arrivée."),
            ("reminder_after_days", "14"),
        ];
        let done = browser.upload(&format!("{page}/modifier"), &paper, &[]);
        assert_eq!(done.header("location"), format!("{page}?fait=saved"), "{}", done.words());
        browser.get(&format!("{page}/modifier?etape=2")).expect(200, &["= 400 paquets"]);
        browser.get(page).expect(
            200,
            &["400 paquets = 0 à livrer ou à retirer + 0 remis + 400 paquets restants", "Les villages. Les musées."],
        );
        // The first page again, with a cover and a PDF; the second stays as it is.
        let form = browser.get(&format!("{page}/modifier")).text();
        let shown = fields(&form, FIRST, &[]);
        let both = [borrowed(&shown), vec![("langue.fr", "oui")]].concat();
        let cover = picture();
        let files: &[(&str, &str, &[u8])] = &[("cover", "a.svg", &cover), ("pdf", "b.html", PDF)];
        let done = browser.upload(&format!("{page}/modifier"), &both, files);
        assert_eq!(done.status, 303, "{}", done.words());
        let shown = browser.get(page).expect(200, &["carte, français", "24 pages", "Elle est arrivée.", "400 paquets"]);
        assert!(!shown.words().contains("il manque"), "{}", shown.words());
        let jpeg = browser.get(&format!("{page}/couverture.jpg"));
        assert!(jpeg.body.starts_with(b"\xff\xd8\xff") && jpeg.header("content-type") == "image/jpeg");
        let pdf = browser.get(&format!("{page}/brochure.pdf"));
        assert_eq!((pdf.body.as_slice(), pdf.header("content-type")), (PDF, "application/pdf"));
        // The command line knows the same edition, and the mail is made of it.
        office.house.semainier(&["editions"]).expect(0).expect_said(&["Carte de l’été 2027"]);
        browser.get(&format!("{page}/apercu")).expect(200, &["Le message de l’annonce", "Carte de l’été 2027"]);
        let mail = browser.get(&format!("{page}/apercu/mail.html"));
        assert!(
            mail.header("content-security-policy").ends_with("sandbox"),
            "{}",
            mail.header("content-security-policy")
        );
        assert_eq!(browser.get(&format!("{page}/apercu/message.eml")).header("content-type"), "message/rfc822");
        assert_eq!(office.house.number("SELECT count(*) FROM audit WHERE action = 'edition.put'"), 4);
        // An address does not replace the PDF unseen.
        let form = browser.get(&format!("{page}/modifier")).text();
        let shown = fields(&form, FIRST, &[("online", "https://ot.test/carte")]);
        let both = [borrowed(&shown), vec![("langue.fr", "oui")]].concat();
        let path = format!("{page}/modifier");
        browser.upload(&path, &both, &[]).expect(422, &["Il y a une adresse et un PDF", "retirez le PDF"]);
        assert_eq!(browser.get(&format!("{page}/brochure.pdf")).status, 200);
        // Nothing new is no change.
        let form = browser.get(&format!("{page}/modifier")).text();
        let shown = fields(&form, FIRST, &[]);
        let same = [borrowed(&shown), vec![("langue.fr", "oui")]].concat();
        let done = browser.upload(&format!("{page}/modifier"), &same, &[]);
        assert!(done.header("location").ends_with("fait=unchanged"), "{}", done.words());
    }
}

#[test]
fn what_was_typed_and_sent_is_not_lost_by_an_error() {
    for on in BOTH {
        let relay = Relay::start();
        let office = open(on, &relay);
        let [claire, marc] = [CLAIRE, "marc@ot.test"].map(|address| office.member(address, "redaction"));
        let mut browser = Browser::of(&office, &claire);
        let cover = picture();
        let wrong: Vec<_> = BROCHURE
            .iter()
            .map(|(name, value)| match *name {
                "title" => (*name, ""),
                "pages" => (*name, "beaucoup"),
                _ => (*name, *value),
            })
            .collect();
        let files: &[(&str, &str, &[u8])] = &[("cover", "a.png", &cover), ("pdf", "b.pdf", b"PK no PDF")];
        let shown = browser.upload("/editions/nouvelle", &wrong, files).expect(
            422,
            &[
                "À corriger",
                "Titre : Écrivez quelques mots.",
                "Écrivez un nombre entier, de 1 à 2 000.",
                "Ce fichier n’est pas un PDF.",
                "Reçue, pas encore enregistrée",
            ],
        );
        let html = shown.text();
        assert!(html.contains("value=\"beaucoup\"") && html.contains("Les villages."), "{html}");
        assert!(html.contains("id=\"pages-erreur\"") && html.contains("aria-invalid=\"true\""), "{html}");
        let id = hidden(&html, "recu.cover");
        let kept = browser.get(&format!("/fichiers/{id}"));
        assert!(kept.body.starts_with(b"\xff\xd8\xff"), "the cover, scaled down");
        assert_eq!(Browser::of(&office, &marc).get(&format!("/fichiers/{id}")).status, 404, "nobody else's");
        // The second attempt needs no file.
        let right = [BROCHURE, &[("recu.cover", id.as_str())]].concat();
        let done = browser.upload("/editions/nouvelle", &right, &[("pdf", "b.pdf", PDF)]);
        assert_eq!(done.status, 303, "{}", done.words());
        assert_eq!(office.house.number("SELECT count(*) FROM edition_files"), 2);
        // An address and a PDF at once are refused with both kept.
        let twice: Vec<_> = BROCHURE
            .iter()
            .map(|(name, value)| if *name == "online" { (*name, "https://ot.test/x") } else { (*name, *value) })
            .collect();
        let shown = browser.upload("/editions/nouvelle", &twice, &[("pdf", "b.pdf", PDF)]);
        let shown = shown.expect(422, &["Il y a une adresse et un PDF", "PDF reçu"]);
        assert!(shown.text().contains("https:&#x2f;&#x2f;ot.test&#x2f;x"), "{}", shown.text());
        // One that was received can be given up.
        let received = hidden(&shown.text(), "recu.pdf");
        let given_up = [&twice[..], &[("recu.pdf", received.as_str()), ("retirer-pdf", "oui")]].concat();
        let done = browser.upload("/editions/nouvelle", &given_up, &[]);
        assert_eq!(done.status, 303, "{}", done.words());
        assert_eq!(office.house.number("SELECT count(*) FROM edition_files"), 2, "no PDF of the second one");
        // What is saved is not kept a second time; what was kept is asked for when it is gone.
        assert_eq!(office.house.number("SELECT count(*) FROM edition_uploads WHERE name = 'cover'"), 0, "{on:?}");
        let gone = [BROCHURE, &[("recu.cover", id.as_str())]].concat();
        browser.upload("/editions/nouvelle", &gone, &[]).expect(422, &["Ce fichier n’est plus gardé"]);
        // A reserved word is another one's address.
        let title: Vec<_> =
            BROCHURE.iter().map(|(name, value)| (*name, if *name == "title" { "Nouvelle" } else { *value })).collect();
        let done = browser.upload("/editions/nouvelle", &title, &[]);
        assert!(done.header("location").starts_with("/editions/nouvelle-2/"), "{}", done.words());
        // What nobody claims is gone a day later.
        office.tick(25 * 3600);
        let mut browser = Browser::of(&office, &claire);
        assert_eq!(browser.get(&format!("/fichiers/{id}")).status, 404);
        browser.upload("/editions/nouvelle", &wrong, &[("cover", "a.png", &cover)]).expect(422, &[]);
        block_on(office.store.expire_edition_uploads(office.clock.now())).unwrap();
        assert_eq!(office.house.number("SELECT count(*) FROM edition_uploads"), 1);
        // Of one account only the newest ten are kept.
        for _ in 0..12 {
            browser.upload("/editions/nouvelle", &wrong, &[("cover", "a.png", &cover)]).expect(422, &[]);
        }
        assert_eq!(office.house.number("SELECT count(*) FROM edition_uploads"), 10);
    }
}

#[test]
fn a_form_that_was_opened_before_a_change_changes_nothing_and_says_what_changed() {
    for on in BOTH {
        let relay = Relay::start();
        let office = open(on, &relay);
        add(&office.house, 1000, "").expect(0);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        let path = "/editions/carte-2027/modifier";
        let form = browser.get(path).text();
        let mine = fields(&form, FIRST, &[("title", "Carte de Claire"), ("slug", "carte-2027")]);
        let mine = [borrowed(&mine), vec![("langue.fr", "oui"), ("langue.en", "oui")]].concat();
        add(&office.house, 1000, "pages = 12\n").expect(0);
        let stale = browser.upload(path, &mine, &[]).expect(
            409,
            &["Cette édition a changé depuis que vous l’avez ouverte", "pages : – → 12", "Rien n’a été enregistré"],
        );
        assert!(stale.text().contains("value=\"Carte de Claire\""), "{}", stale.text());
        assert_eq!(office.house.number("SELECT count(*) FROM editions WHERE definition LIKE '%Claire%'"), 0);
        // Pressing again saves it, knowing.
        let shown = fields(&stale.text(), FIRST, &[]);
        let again = [borrowed(&shown), vec![("langue.fr", "oui"), ("langue.en", "oui")]].concat();
        assert_eq!(browser.upload(path, &again, &[]).status, 303);
        assert_eq!(office.house.number("SELECT count(*) FROM editions WHERE definition LIKE '%Claire%'"), 1);

        // Its name in addresses changes as long as nothing refers to it.
        let form = browser.get(path).text();
        let renamed = fields(&form, FIRST, &[("slug", "carte-de-claire")]);
        let renamed = [borrowed(&renamed), vec![("langue.fr", "oui")]].concat();
        let done = browser.upload(path, &renamed, &[]);
        assert!(done.header("location").starts_with("/editions/carte-de-claire/"), "{}", done.words());
        assert_eq!(browser.get("/editions/carte-2027").status, 404);
        assert_eq!(browser.get("/editions/carte-de-claire/couverture.jpg").status, 200);
        browser.upload(path, &renamed, &[]).expect(409, &["n’existe plus sous ce nom"]);
        // Ordered packs stay printed, and the name stays.
        office.house.semainier(&["orders", "place", "carte-de-claire", "marie@gite.example", "--packs", "3"]).expect(0);
        let path = "/editions/carte-de-claire/modifier";
        let form = browser.get(&format!("{path}?etape=2")).text();
        let seen = hidden(&form, "vu_alors");
        let fewer = [("etape", "2"), ("vu_alors", seen.as_str()), ("printed", "100"), ("pack", "50")];
        browser.upload(path, &fewer, &[]).expect(422, &["3 paquets sont commandés : il ne peut pas y en avoir moins"]);
        let form = browser.get(path).expect(200, &["ce nom ne change plus"]).text();
        let other = fields(&form, FIRST, &[("slug", "autre"), ("title", "Autre")]);
        let other = [borrowed(&other), vec![("langue.fr", "oui")]].concat();
        assert_eq!(browser.upload(path, &other, &[]).status, 303);
        assert_eq!(browser.get("/editions/carte-de-claire").status, 200, "renamed in its title alone");
    }
}

/// A PNG that claims these dimensions.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut png = picture();
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = flate2_crc(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    png
}

fn flate2_crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn uploads_that_are_meant_to_harm_are_refused_with_words() {
    let relay = Relay::start();
    let office = open(On::Sqlite, &relay);
    let claire = office.member(CLAIRE, "redaction");
    let mut browser = Browser::of(&office, &claire);
    let path = "/editions/nouvelle";
    let jpeg = include_bytes!("../print/logo.jpg");
    let large = vec![b'x'; 9 << 20];
    for (cover, words) in [
        (bomb(100_000, 100_000), "elle est trop grande"),
        (bomb(11_000, 11_000), "elle est trop grande"),
        (b"GIF89a".to_vec(), "ce n’est pas une image JPEG, PNG ou WebP lisible"),
        (b"<svg onload=alert(1)>".to_vec(), "ce n’est pas une image JPEG, PNG ou WebP lisible"),
        (b"%PDF-1.7".to_vec(), "ce n’est pas une image"),
        (jpeg[..jpeg.len() / 2].to_vec(), "le fichier est coupé avant la fin"),
        (large.clone(), "Ce fichier est trop lourd : 8 Mo au plus."),
    ] {
        let shown = browser.upload(path, BROCHURE, &[("cover", "a.png", &cover)]).expect(422, &[words]);
        assert!(shown.text().contains("Carte de l’été 2027"), "what was typed is kept");
    }
    for (pdf, words) in [
        (b"PK\x03\x04".to_vec(), "Ce fichier n’est pas un PDF."),
        (b"\xef\xbb\xbf%PDF-1.7".to_vec(), "Ce fichier n’est pas un PDF."),
        (vec![b'x'; 21 << 20], "Ce fichier est trop lourd : 20 Mo au plus."),
    ] {
        browser.upload(path, BROCHURE, &[("pdf", "a.pdf", &pdf)]).expect(422, &[words]);
    }
    // Forms that are no form, or far too many of one.
    let token = browser.token();
    let fields = [&[("jeton", token.as_str())], BROCHURE].concat();
    let whole = multipart(&fields, &[("pdf", "a.pdf", PDF)]);
    let kind = "multipart/form-data; boundary=LIMIT";
    for cut in [whole.len() - 12, whole.len() / 2, 40] {
        let reply = browser.send_bytes("POST", path, kind, &whole[..cut], OURS);
        reply.expect(400, &["Formulaire incomplet", "Rien n’a été fait"]);
    }
    assert_eq!(browser.send_bytes("POST", path, "multipart/form-data", &whole, OURS).status, 400);
    let many: Vec<String> = (0..100).map(|n| format!("f{n}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), "x")).collect();
    browser.upload(path, &many, &[]).expect(413, &["Rien n’a été fait"]);
    let long = "x".repeat(70_000);
    browser.upload(path, &[("summary", long.as_str())], &[]).expect(413, &["Rien n’a été fait"]);
    // Without its token, from elsewhere, or on a route that takes no files.
    assert_eq!(browser.send_bytes("POST", path, kind, &multipart(BROCHURE, &[]), OURS).status, 403);
    assert_eq!(browser.send_bytes("POST", path, kind, &whole, &[("Sec-Fetch-Site", "cross-site")]).status, 403);
    assert_eq!(browser.send_bytes("POST", "/commandes/nouvelle", kind, &whole, OURS).status, 403);
    assert_eq!(office.house.number("SELECT count(*) FROM editions"), 0);
    // Nobody is logged in: what was typed is carried through the login, the file is not.
    let mut nobody = Browser::new(&office);
    let shown = nobody.send_bytes("POST", path, kind, &multipart(&fields, &[("pdf", "a.pdf", &large)]), OURS);
    assert_eq!(shown.status, 401, "{}", shown.words());
    assert!(shown.text().contains("repris.title") && shown.text().contains("Carte de l’été 2027"), "{}", shown.text());
}

#[test]
fn whatever_is_written_into_an_edition_is_text_on_every_page() {
    let relay = Relay::start();
    let office = open(On::Sqlite, &relay);
    let claire = office.member(CLAIRE, "redaction,validation");
    let mut browser = Browser::of(&office, &claire);
    let cover = picture();
    let title = EVIL.replace("{{ 7*7 }}", "{{ 7*7 }} é");
    let evil: Vec<_> = BROCHURE
        .iter()
        .map(|(name, value)| match *name {
            "title" | "summary" => (*name, title.as_str()),
            "slug" => (*name, "carte-2027"),
            "online" => (*name, "https://ot.test/\"><script>alert(1)</script>"),
            _ => (*name, *value),
        })
        .collect();
    let done = browser.upload("/editions/nouvelle", &evil, &[("cover", "\"><script>.png", &cover)]);
    assert_eq!(done.status, 303, "{}", done.words());
    let paper = [
        ("etape", "2"),
        ("vu_alors", "1"),
        ("printed", "1000"),
        ("pack", "50"),
        ("words", title.as_str()),
        ("post", title.as_str()),
    ];
    let done = browser.upload("/editions/carte-2027/modifier", &paper, &[]);
    assert_eq!(done.status, 303, "{}", done.words());
    office
        .house
        .semainier(&["orders", "place", "carte-2027", "marie@gite.example", "--packs", "1", "--remark", EVIL])
        .expect(0);
    let id = office.house.text("SELECT id FROM orders");
    let cancel = format!("/commandes/{id}/annuler");
    for path in [
        "/editions",
        "/editions/carte-2027",
        "/editions/carte-2027/modifier",
        "/editions/carte-2027/modifier?etape=2",
        "/editions/carte-2027/apercu",
        "/editions/carte-2027/apercu?vue=texte",
        "/editions/carte-2027/annoncer",
        "/commandes",
        "/commandes/tournee",
        "/commandes/nouvelle?edition=carte-2027&q=marie",
        &cancel,
    ] {
        let reply = browser.get(path);
        let html = reply.text();
        assert_eq!(reply.status, 200, "{path}: {}", reply.words());
        for tag in ["<script>alert", "<img src=x", "<b>", "49 é"] {
            assert!(!html.contains(tag), "{tag} in {path}:\n{html}");
        }
        assert!(reply.header("content-security-policy").contains("require-trusted-types-for 'script'"), "{path}");
    }
}
