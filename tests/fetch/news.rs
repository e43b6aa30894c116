//! News from each kind of source, with realistic and malformed responses.

use chrono::{DateTime, Utc};
use semainier::collect::fetch::{CharsetError, FetchError};
use semainier::collect::source::{CollectError, Missed, Provides, Source};
use semainier::domain::news::{NewsItem, Picture};

use super::local_fetcher;
use super::web::{Reply, Web};

const REST: &str = "/wp-json/wp/v2/posts";
const RSS: &str = include_str!("../samples/rss_content_encoded.xml");
const ATOM: &str = include_str!("../samples/sources/atom_feed.xml");
const POSTS: &str = include_str!("../samples/wordpress_posts.json");

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// What was published from July on until the 10th.
async fn news(source: &Source) -> Result<Vec<NewsItem>, CollectError> {
    assert_eq!(source.provides(), Provides::News);
    source
        .news(local_fetcher(), utc("2027-07-01T00:00:00Z"), utc("2027-07-10T12:00:00Z"))
        .await
        .map(|found| found.items)
}

fn feed(web: &Web) -> Source {
    Source::Feed { url: web.url("/feed/"), lang: None }
}

fn posts(web: &Web, categories: &[&str]) -> Source {
    Source::Posts { url: web.url("/"), categories: categories.iter().map(|it| (*it).to_owned()).collect(), lang: None }
}

fn titles(items: &[NewsItem]) -> Vec<&str> {
    items.iter().map(|item| item.title.as_str()).collect()
}

/// The real answer of the API, its posts sorted under « Que faire cette semaine ».
fn posts_with_terms() -> String {
    let terms = r#""wp:term": [[{ "id": 12, "name": "Que faire cette semaine", "slug": "que-faire", "taxonomy": "category" }],
        [{ "id": 3, "name": "été", "slug": "ete", "taxonomy": "post_tag" }]], "wp:featuredmedia": ["#;
    let embedded = POSTS.rsplit_once("\"wp:featuredmedia\": [").unwrap();
    format!("{}{terms}{}", embedded.0, embedded.1)
}

#[tokio::test]
async fn a_feed_gives_its_news_newest_first_as_plain_text() {
    let web = Web::start();
    web.route("/feed/", Reply::rss(RSS));
    let items = news(&feed(&web)).await.unwrap();
    let [column, other] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(column.title, "Que faire à Auch cette semaine ? L’agenda du 12 au 18 juillet");
    assert_eq!(column.id, "https://office.example/?p=48213");
    assert_eq!(
        column.url.as_deref(),
        Some("https://office.example/blog/que-faire-a-auch-cette-semaine-12-18-juillet/")
    );
    assert_eq!((column.published, column.modified), (utc("2027-07-09T15:12:08Z"), None));
    // The description was cut (`[…]`), so the text speaks; entities are decoded once, lines are not glued.
    assert!(
        column.summary.starts_with("C’est l’été\u{a0}!\n\nLundi 12 juillet – à 10h30, visite guidée."),
        "{}",
        column.summary
    );
    assert!(column.summary.ends_with("petit marché & dégustation à Jégun"), "{}", column.summary);
    assert_eq!(column.categories, ["Que faire cette semaine"]);
    assert_eq!(column.source, "Blog – Office de démonstration");
    assert_eq!(other.summary, "Résumé seul : le site publie « extrait » et non « texte complet ».");
}

#[tokio::test]
async fn an_atom_feed_has_absolute_links_and_decoded_titles() {
    let web = Web::start();
    web.route("/feed/", Reply::new(200, "application/atom+xml", ATOM));
    let items = news(&feed(&web)).await.unwrap();
    assert_eq!(titles(&items), ["L’agenda du 12 au 18 juillet"]);
    let whole = web.url("/blog/que-faire-a-auch-cette-semaine-12-18-juillet/").to_string();
    assert_eq!(items[0].url, Some(whole));
    assert_eq!(items[0].summary, "Lundi 12 juillet\n\nà 10h30, visite guidée.");
    assert_eq!(items[0].modified, Some(utc("2027-07-10T06:03:41Z")));
}

#[tokio::test]
async fn only_new_entries_not_dated_in_the_future_are_news() {
    let web = Web::start();
    web.route("/feed/", Reply::rss(RSS));
    let between = |since: &'static str, now: &'static str| {
        let source = feed(&web);
        async move { source.news(local_fetcher(), utc(since), utc(now)).await.unwrap().items.len() }
    };
    assert_eq!(between("2027-07-08T08:00:00Z", "2027-07-09T15:12:08Z").await, 1, "after the one, up to the other");
    assert_eq!(between("2027-07-08T07:59:59Z", "2027-07-09T15:12:07Z").await, 1);
    assert_eq!(between("2027-07-09T15:12:08Z", "2027-08-01T00:00:00Z").await, 0);
}

#[tokio::test]
async fn posts_come_with_their_categories_and_their_featured_image() {
    let web = Web::start();
    web.route(REST, Reply::json(posts_with_terms()));
    let items = news(&posts(&web, &["Que faire cette semaine"])).await.unwrap();
    let [post] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(
        post.title,
        "Que faire à Auch cette semaine\u{a0}? L’agenda du 12 au 18\u{a0}juillet – «\u{a0}à la fraîche\u{a0}»"
    );
    assert_eq!((post.published, post.modified), (utc("2027-07-09T15:12:08Z"), Some(utc("2027-07-10T06:03:41Z"))));
    assert_eq!(post.categories, ["Que faire cette semaine"]);
    let url = "https://office.example/wp-content/uploads/2027/07/place.jpg".to_owned();
    assert_eq!(post.image, Some(Picture { url, alt: "Place ensoleillée".to_owned() }));
    assert!(post.summary.starts_with("C’est l’été\u{a0}! Voici votre agenda du lundi au dimanche"), "{}", post.summary);
    let [request] = web.requests().try_into().expect("one request is enough");
    assert_eq!(request.query("after"), Some("2027-06-30T00:00:00"), "a day early: the site's clock is its own");
    assert_eq!(request.query("_embed"), Some("wp:featuredmedia,wp:term"));

    for (wanted, found) in [("que-faire", 1), ("QUE FAIRE", 1), ("patrimoine", 0), ("été", 0)] {
        assert_eq!(news(&posts(&web, &[wanted])).await.unwrap().len(), found, "{wanted}");
    }
}

#[tokio::test]
async fn protected_posts_are_not_news() {
    let web = Web::start();
    web.route(REST, Reply::json(POSTS.replace("\"protected\": false", "\"protected\": true")));
    assert_eq!(news(&posts(&web, &[])).await.unwrap(), []);
}

#[tokio::test]
async fn fr33_of_a_site_in_several_languages_one_is_read() {
    let web = Web::start();
    let post = |id: u32, path: &str, more: &str| {
        format!(
            r#"{{"id":{id},"link":"https://o.example/{path}","date_gmt":"2027-07-09T15:00:00","title":{{"rendered":"Post {id}"}},"content":{{"rendered":"<p>Texte.</p>"}}{more}}}"#
        )
    };
    let all = [
        post(1, "cathedrale", ""),
        post(2, "en/cathedral", ""),
        post(3, "cathedral", r#","lang":"en""#),
        post(4, "cathedrale-4", r#","lang":"fr""#),
        post(5, "catedral", r#","wpml_current_locale":"es_ES""#),
    ];
    web.route(REST, Reply::json(format!("[{}]", all.join(","))));
    let of =
        |lang: Option<&str>| Source::Posts { url: web.url("/"), categories: vec![], lang: lang.map(str::to_owned) };
    let read = async |source: Source| {
        let mut titles: Vec<_> = news(&source).await.unwrap().into_iter().map(|item| item.title).collect();
        titles.sort();
        titles
    };
    assert_eq!(read(of(None)).await.len(), 5);
    assert_eq!(read(of(Some("fr"))).await, ["Post 1", "Post 4"]);
    assert_eq!(read(of(Some("en"))).await, ["Post 1", "Post 2", "Post 3"], "what says nothing may be of any");
    // By the feed too.
    let entry = |n: u32, lang: &str| {
        format!(
            r#"<entry><id>urn:{n}</id><title>Entrée {n}</title><updated>2027-07-09T15:00:00Z</updated>
            <link href="https://o.example/{n}"/><content type="html" xml:lang="{lang}">Texte.</content></entry>"#
        )
    };
    let atom = format!(
        r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>O</title><id>urn:o</id><updated>2027-07-09T15:00:00Z</updated>{}{}</feed>"#,
        entry(1, "fr-FR"),
        entry(2, "en")
    );
    web.route("/feed/", Reply::new(200, "application/atom+xml", atom.as_str()));
    assert_eq!(read(Source::Feed { url: web.url("/feed/"), lang: Some("fr".to_owned()) }).await, ["Entrée 1"]);
    let web = Web::start();
    web.route("/feed/", Reply::new(200, "application/atom+xml", atom.as_str()));
    let posts = Source::Posts { url: web.url("/"), categories: vec![], lang: Some("fr".to_owned()) };
    assert_eq!(read(posts).await, ["Entrée 1"], "where the API is shut");
}

#[tokio::test]
async fn fr30_each_post_is_parsed_separately_with_its_first_valid_date() {
    let web = Web::start();
    let post = |id: u32, more: &str| {
        format!(
            r#"{{"id":{id},"link":"https://o.example/{id}","title":{{"rendered":"Post {id}"}},"content":{{"rendered":"<p>[et_pb_text]Texte.[/et_pb_text]</p>","protected":false}},{more}}}"#
        )
    };
    let posts_of = [
        post(1, r#""date_gmt":"2027-07-09T15:00:00""#),
        post(2, r#""date_gmt":null,"date":"2027-07-09T17:00:00""#),
        post(3, r#""date_gmt":"-0001-11-30T00:00:00","date":"2027-07-09T17:00:00""#),
        post(
            4,
            r#""date_gmt":"2027-07-09T15:00:00","_embedded":{"wp:term":[[{"name":null,"taxonomy":"category"}],{"code":"x"}]}"#,
        ),
        post(5, r#""date_gmt":"0000-00-00T00:00:00""#),
        r#"{"id":"six","title":{"rendered":"Six"}}"#.to_owned(),
    ];
    web.route(REST, Reply::json(format!("[{}]", posts_of.join(","))));
    let found =
        posts(&web, &[]).news(local_fetcher(), utc("2027-07-01T00:00:00Z"), utc("2027-07-10T12:00:00Z")).await.unwrap();
    assert_eq!(found.items.len(), 4, "{found:?}");
    assert!(
        found.items.iter().all(|item| item.published == utc("2027-07-09T15:00:00Z") && item.summary == "Texte."),
        "{found:?}"
    );
    let told = found.remarks.in_french("o.example");
    assert_eq!(
        told,
        [
            "o.example, laissés de côté\u{a0}: «\u{a0}Post 5\u{a0}» (date illisible), «\u{a0}Six\u{a0}» (fiche illisible)."
        ]
    );
}

#[tokio::test]
async fn more_posts_than_a_page_holds_are_all_read() {
    let web = Web::start();
    let post = POSTS.trim().trim_start_matches('[').trim_end_matches(']').trim();
    let page = |ids: std::ops::Range<u32>| {
        let posts: Vec<_> = ids.map(|id| post.replace("\"id\": 48213", &format!("\"id\": {id}"))).collect();
        Reply::json(format!("[{}]", posts.join(",")))
    };
    web.routes(REST, [page(0..50), page(50..100), Reply::status(400)]);
    let fetcher = super::fetcher_for(&web, super::FetchLimits { max_bytes: 1 << 20, ..super::patient() });
    let found = posts(&web, &[]).news(&fetcher, utc("2027-07-01T00:00:00Z"), utc("2027-07-10T12:00:00Z")).await;
    assert_eq!(found.unwrap().items.len(), 100);
    assert_eq!(
        web.requests().iter().map(|it| it.query("page").unwrap().to_owned()).collect::<Vec<_>>(),
        ["1", "2", "3"]
    );
}

#[tokio::test]
async fn a_closed_api_falls_back_to_the_query_route_then_to_the_feed() {
    let web = Web::start();
    web.route(REST, Reply::status(401)).route("/", Reply::json(posts_with_terms()));
    assert_eq!(news(&posts(&web, &["que-faire"])).await.unwrap().len(), 1);
    web.route("/", Reply::html("<!DOCTYPE html><title>Accueil</title>")).route("/feed/", Reply::rss(RSS));
    let items = news(&posts(&web, &["Que faire cette semaine"])).await.unwrap();
    assert_eq!(items.len(), 1, "the feed knows categories by name: {items:?}");
    web.route("/feed/", Reply::status(404));
    let error = news(&posts(&web, &[])).await.unwrap_err();
    assert!(matches!(&error, CollectError::NoNews { .. }), "{error:?}");
    let said = error.in_french();
    for part in ["les actualités de 127.0.0.1", "401", "une page HTML au lieu de données", "404"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[tokio::test]
async fn e06_a_failing_site_is_not_queried_by_another_route() {
    let web = Web::start();
    web.route(REST, Reply::status(503));
    assert!(matches!(
        news(&posts(&web, &[])).await,
        Err(CollectError::Fetch { source: FetchError::Status { .. }, .. })
    ));
    assert_eq!(web.paths(), [REST]);
}

#[tokio::test]
async fn e01_a_huge_feed_is_rejected() {
    let web = Web::start();
    web.route("/feed/", Reply::endless(RSS));
    let error = news(&feed(&web)).await.unwrap_err();
    assert!(matches!(&error, CollectError::Fetch { source: FetchError::TooLarge { .. }, .. }), "{error:?}");
}

#[tokio::test]
async fn e07_a_truncated_feed_or_another_format_is_rejected() {
    let web = Web::start();
    for body in [&RSS[..RSS.len() / 2], &RSS[..RSS.len() - 9], "<!DOCTYPE html><title>Maintenance</title>", ""] {
        web.route("/feed/", Reply::rss(body));
        let error = news(&feed(&web)).await.unwrap_err();
        assert!(matches!(&error, CollectError::Unreadable { .. }), "{error:?}");
        assert!(error.in_french().starts_with("la réponse du site 127.0.0.1"), "{}", error.in_french());
    }
    web.route("/feed/", Reply::rss(RSS).cut_off());
    assert!(matches!(news(&feed(&web)).await, Err(CollectError::Fetch { source: FetchError::Interrupted { .. }, .. })));
}

#[tokio::test]
async fn e08_a_feed_is_read_in_its_own_charset_or_not_at_all() {
    let web = Web::start();
    let latin = RSS.replace("UTF-8", "windows-1252");
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(&latin);
    web.route("/feed/", Reply::new(200, "application/rss+xml", bytes.into_owned()));
    assert_eq!(news(&feed(&web)).await.unwrap().len(), 2);
    let mut mixed = RSS.as_bytes().to_vec();
    let at = RSS.find("été").unwrap();
    mixed[at] = b' ';
    web.route("/feed/", Reply::rss(mixed));
    let error = news(&feed(&web)).await.unwrap_err();
    let is_charset =
        matches!(&error, CollectError::Fetch { source: FetchError::Charset { source: CharsetError::Mixed, .. }, .. });
    assert!(is_charset, "{error:?}");
}

#[tokio::test]
async fn e09_entities_of_the_document_are_refused() {
    let web = Web::start();
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE rss [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>";
    web.route("/feed/", Reply::rss(RSS.replacen("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", bomb, 1)));
    let error = news(&feed(&web)).await.unwrap_err();
    assert!(
        matches!(&error, CollectError::Unreadable { source, .. } if matches!(**source, Missed::FeedWithEntities)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_folder_of_markdown_is_news_and_errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("marche.md", "---\ntitle: Le marché déménage\ndate: 2027-07-09\n---\nDès *samedi*.");
    write("demain.md", "---\ntitle: Trop tôt\ndate: 2027-07-11\n---\nDemain.");
    write("brouillon.md", "---\ntitle: Pas fini\nbrouillon: oui\n---\n…");
    write("photo.jpg", "not text");
    std::fs::create_dir(folder.path().join("dossier.md")).unwrap();
    let source = Source::Folder { path: folder.path().to_owned() };
    let items = news(&source).await.unwrap();
    assert_eq!(titles(&items), ["Le marché déménage"]);
    assert_eq!((items[0].id.as_str(), items[0].summary.as_str()), ("marche.md", "Dès samedi."));

    // One that says too little of itself is told, and stops nothing.
    write("sans-date.md", "# Titre\n\nTexte.");
    assert_eq!(titles(&news(&source).await.unwrap()), ["Le marché déménage"]);
    let (since, now) = (utc("2027-07-01T00:00:00Z"), utc("2027-07-10T12:00:00Z"));
    let told = source.news(local_fetcher(), since, now).await.unwrap().remarks.in_french("dossier");
    assert_eq!(told, ["dossier, laissé de côté\u{a0}: «\u{a0}sans-date.md\u{a0}» (sans date)."]);
    let sound = ["marche", "demain"];
    let moved = |from: &str, to: &str| {
        let path = |name: &str, end: &str| folder.path().join(format!("{name}.{end}"));
        sound.iter().for_each(|name| std::fs::rename(path(name, from), path(name, to)).unwrap());
    };
    moved("md", "txt");
    let error = news(&source).await.unwrap_err();
    assert!(error.in_french().ends_with("sans-date.md\u{a0}: sa date manque"), "{}", error.in_french());
    moved("txt", "md");
    std::fs::remove_file(folder.path().join("sans-date.md")).unwrap();
    std::fs::write(folder.path().join("ancien.md"), b"---\ntitle: \xE9t\xE9\ndate: 2027-07-08\n---\n\xC0 voir.")
        .unwrap();
    assert_eq!(titles(&news(&source).await.unwrap()), ["Le marché déménage", "été"]);
    let nowhere = Source::Folder { path: folder.path().join("nulle-part") };
    assert!(matches!(news(&nowhere).await, Err(CollectError::File { .. })));
}

#[test]
fn trial_f21_the_weekly_article_is_not_news() {
    let url = |text: &str| text.parse().unwrap();
    let agenda = Source::Wordpress {
        url: url("https://www.office.example/"),
        search: "Que faire à Auch cette semaine".to_owned(),
    };
    let title = "Que faire à Auch cette semaine ? Du 12 au 18 juillet";
    let posts = Source::Posts { url: url("https://office.example/"), categories: vec![], lang: None };
    assert!(agenda.has_as_article(&posts, title));
    assert!(agenda.has_as_article(&Source::Feed { url: url("https://office.example/feed/"), lang: None }, title));
    assert!(!agenda.has_as_article(&posts, "Le marché déménage"));
    assert!(!agenda.has_as_article(&Source::Feed { url: url("https://gers.example/feed/"), lang: None }, title));
    assert!(!posts.has_as_article(&posts, title));
}
