//! What each kind of source returns, and the order in which the methods for WordPress are tried.

use std::time::Duration;

use chrono::{DateTime, Utc};
use semainier::collect::fetch::FetchError;
use semainier::collect::source::{CollectError, Missed, Rung, Source};
use semainier::domain::article::Article;

use super::local_fetcher;
use super::web::{Post, Reply, Web};

const SEARCH: &str = "Que faire à Auch cette semaine";
const TITLE: &str = "Que faire à Auch cette semaine&nbsp;? L&rsquo;agenda du 12 au 18&nbsp;juillet";
const PLAIN_TITLE: &str = "Que faire à Auch cette semaine\u{a0}? L’agenda du 12 au 18\u{a0}juillet";
const CONTENT: &str = "<h3>Lundi 12 juillet</h3><ul><li>à 10h30, visite guidée</li></ul>";
const REST: &str = "/wp-json/wp/v2/posts";

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn now() -> DateTime<Utc> {
    utc("2027-07-10T06:00:00Z")
}

fn this_week() -> Post {
    Post::new(TITLE, "2027-07-09T15:12:08", CONTENT)
}

fn last_week() -> Post {
    Post::new("Que faire à Auch cette semaine ? Du 5 au 11 juillet", "2027-07-02T15:00:00", "<p>Lundi 5</p>")
}

fn wordpress(web: &Web) -> Source {
    Source::Wordpress { url: web.url("/"), search: SEARCH.to_owned() }
}

async fn articles(web: &Web) -> Result<Vec<Article>, CollectError> {
    wordpress(web).articles(local_fetcher(), now()).await
}

async fn one_article(web: &Web) -> Article {
    let mut articles = articles(web).await.expect("an article");
    assert_eq!(articles.len(), 1, "{articles:?}");
    articles.remove(0)
}

/// What each rung said where none had the article.
async fn tried(web: &Web) -> Vec<(Rung, Missed)> {
    match articles(web).await {
        Err(CollectError::NoArticle { tried, .. }) => tried.0,
        other => panic!("expected no article, got {other:?}"),
    }
}

fn page_of(title: &str, content: &str) -> Reply {
    Reply::html(format!("<title>x</title><body><h1>{title}</h1><div class='entry-content'>{content}</div></body>"))
}

// The ladder

#[tokio::test]
async fn the_api_gives_the_articles_newest_first() {
    let web = Web::wordpress(vec![last_week(), this_week(), Post::new("Autre chose", "2027-07-10T05:00:00", SEARCH)]);
    let found = articles(&web).await.unwrap();
    assert_eq!(found.len(), 2);
    let expected = Article {
        title: PLAIN_TITLE.to_owned(),
        url: Some(web.url(&format!("/blog/{}/", this_week().slug)).to_string()),
        published: utc("2027-07-09T15:12:08Z"),
        modified: Some(utc("2027-07-09T15:12:08Z")),
        html: CONTENT.to_owned(),
    };
    assert_eq!(found[0], expected);
    assert_eq!(found[1].published, utc("2027-07-02T15:00:00Z"));
    let [request] = web.requests().try_into().expect("one request is enough");
    assert_eq!(request.path, REST);
    assert_eq!(request.query("search"), Some(SEARCH));
    assert_eq!(request.query("per_page"), Some("5"));
    assert_eq!(request.query("_fields"), Some("id,date,date_gmt,modified_gmt,slug,link,title,content,featured_media"));
}

#[tokio::test]
async fn articles_are_sorted_by_date_whatever_the_sites_order() {
    let web = Web::start();
    let (old, new) = (last_week().as_json("https://office.example"), this_week().as_json("https://office.example"));
    web.route(REST, Reply::json(format!("[{old},{new}]")));
    let found = articles(&web).await.unwrap();
    assert_eq!(found[0].title, PLAIN_TITLE);
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn a_recorded_answer_of_the_api_is_read() {
    let web = Web::start();
    web.route(REST, Reply::json(include_str!("../samples/wordpress_posts.json")));
    let article = one_article(&web).await;
    assert_eq!(
        article.title,
        "Que faire à Auch cette semaine\u{a0}? L’agenda du 12 au 18\u{a0}juillet – «\u{a0}à la fraîche\u{a0}»"
    );
    assert_eq!(article.published, utc("2027-07-09T15:12:08Z"));
    assert_eq!(article.modified, Some(utc("2027-07-10T06:03:41Z")));
    assert!(article.html.contains("marché à la ferme à Pavie<br />et à 21&nbsp;h"), "{}", article.html);
}

#[tokio::test]
async fn a_blog_in_a_subfolder_is_queried_there() {
    let web = Web::start();
    let source = Source::Wordpress { url: web.url("/blog?x=1"), search: SEARCH.to_owned() };
    let _ = source.articles(local_fetcher(), now()).await;
    assert_eq!(web.paths(), ["/blog/wp-json/wp/v2/posts", "/blog/", "/blog/feed/", "/blog/", "/blog/"]);
}

#[tokio::test]
async fn a_closed_api_falls_back_to_the_query_route_the_feed_and_the_pages() {
    let web = Web::wordpress(vec![this_week()]);
    for status in [401, 403, 404, 410] {
        web.route(REST, Reply::status(status));
        assert_eq!(one_article(&web).await.html, CONTENT, "{status}");
    }
    assert_eq!(web.requests().last().unwrap().query("rest_route"), Some("/wp/v2/posts"));

    web.route("/?rest_route", Reply::status(403));
    let by_feed = one_article(&web).await;
    assert_eq!(web.paths().last().unwrap(), "/feed/");
    assert_eq!((by_feed.title.as_str(), by_feed.html.as_str()), (PLAIN_TITLE, CONTENT));
    assert_eq!(by_feed.published, utc("2027-07-09T15:12:08Z"));

    web.route("/feed/", Reply::status(404));
    let by_page = one_article(&web).await;
    assert_eq!((by_page.title.as_str(), by_page.html.as_str()), (PLAIN_TITLE.replace('\u{a0}', " ").as_str(), CONTENT));
    assert_eq!(by_page.published, utc("2027-07-09T15:12:08Z"));
    assert_eq!(by_page.url, Some(web.url(&format!("/blog/{}/", this_week().slug)).to_string()));
}

#[tokio::test]
async fn e07_html_instead_of_json_falls_back_to_the_next_route() {
    let web = Web::wordpress(vec![this_week()]);
    web.route(REST, Reply::html("<!DOCTYPE html><title>Connexion</title>"));
    assert_eq!(one_article(&web).await.html, CONTENT);
    web.route(REST, Reply::json("\n<br />\n<b>Warning</b>: [{}]"));
    assert_eq!(one_article(&web).await.html, CONTENT);
}

#[tokio::test]
async fn e07_invalid_json_is_rejected() {
    let web = Web::wordpress(vec![this_week()]);
    let post = this_week().as_json("").to_string();
    let twice = post.replacen("\"title\":", "\"title\":{\"rendered\":\"autre\"},\"title\":", 1);
    for (broken, said) in [
        (format!("[{post},{}", &post[..post.len() / 2]), "JSON cut off before its end"),
        (format!("[{post},"), "JSON cut off before its end"),
        (format!("[{twice}]"), "1 unreadable page"),
        ("[{}]".to_owned(), "1 unreadable page"),
        ("{\"code\":\"rest_forbidden\"}".to_owned(), "not the JSON of posts"),
        ("null".to_owned(), "not the JSON of posts"),
        (String::new(), "JSON cut off before its end"),
        ("[".repeat(50_000), "not the JSON of posts"),
    ] {
        web.route(REST, Reply::json(broken.clone())).route("/?rest_route", Reply::json(broken));
        assert_eq!(one_article(&web).await.html, CONTENT, "the feed has it");
        web.route("/feed/", Reply::status(404)).route("/", Reply::html("<p>rien</p>"));
        let tried = tried(&web).await;
        assert_eq!(tried[0].1.to_string(), said);
        assert_eq!(tried[1].1.to_string(), said);
        let closed = Web::wordpress(vec![this_week()]);
        web.route("/feed/", Reply::rss(feed_of(&closed).await));
    }
}

#[tokio::test]
async fn fr30_an_odd_post_does_not_hide_the_others() {
    let web = Web::wordpress(vec![this_week()]);
    let post = this_week().as_json("").to_string();
    for odd in ["{}", "null", "{\"id\":1,\"title\":false}", "7"] {
        web.route(REST, Reply::json(format!("[{odd},{post}]")));
        assert_eq!(one_article(&web).await.html, CONTENT, "{odd}");
    }
}

async fn feed_of(web: &Web) -> String {
    local_fetcher().page(&web.url("/feed/")).await.unwrap().text
}

#[tokio::test]
async fn e06_a_failing_site_is_not_queried_by_the_next_route() {
    for status in [429, 500, 502, 503] {
        let web = Web::wordpress(vec![this_week()]);
        web.route(REST, Reply::status(status).header("Retry-After", "60"));
        let error = articles(&web).await.unwrap_err();
        assert!(matches!(&error, CollectError::Fetch { source: FetchError::Status { .. }, .. }), "{error:?}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
        assert_eq!(web.paths(), [REST]);
    }
}

#[tokio::test]
async fn a_failure_on_a_later_route_stops_too_and_lists_the_previous_attempts() {
    let web = Web::wordpress(vec![]);
    web.route(REST, Reply::status(403)).route("/feed/", Reply::html("x").cut_off());
    let error = articles(&web).await.unwrap_err();
    assert!(matches!(&error, CollectError::Fetch { source: FetchError::Interrupted { .. }, .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "could not fetch from the source (tried before: REST API: {} answered 403; REST API by rest_route: no article)",
            web.url(REST)
        )
    );
    assert_eq!(error.in_french(), format!("la réponse du site {} est incomplète ou abîmée", web.host()));
    assert_eq!(web.paths(), [REST, "/", "/feed/"]);
}

#[tokio::test]
async fn an_unreachable_site_is_tried_only_once() {
    let gone = Web::start().url("/");
    let source = Source::Wordpress { url: gone, search: SEARCH.to_owned() };
    let error = source.articles(local_fetcher(), now()).await.unwrap_err();
    assert!(matches!(&error, CollectError::Fetch { source: FetchError::Connect { .. }, tried } if tried.0.is_empty()));
}

#[tokio::test]
async fn e11_a_missing_article_is_reported_with_the_result_of_every_route() {
    let web = Web::wordpress(vec![Post::new("Autre chose", "2027-07-10T05:00:00", SEARCH)]);
    web.route(REST, Reply::status(403)).route("/feed/", Reply::html("<p>pas un flux</p>"));
    let error = articles(&web).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "no article titled \"{SEARCH}\" on 127.0.0.1: REST API: {} answered 403; REST API by rest_route: 1 article \
             of another title; feed: not a feed; pages: no article",
            web.url(REST)
        )
    );
    assert_eq!(
        error.in_french(),
        format!(
            "aucun article «\u{a0}{SEARCH}\u{a0}» n’a été trouvé sur 127.0.0.1 (API WordPress\u{a0}: le site {} a répondu \
             403 (accès refusé)\u{a0}; API WordPress sans permaliens\u{a0}: 1 article d’un autre titre\u{a0}; flux RSS\u{a0}: \
             ce n’est pas un flux RSS\u{a0}; pages du site\u{a0}: aucun article)",
            web.host()
        )
    );
}

#[tokio::test]
async fn e11_a_protected_or_empty_post_is_not_an_article() {
    let web = Web::wordpress(vec![this_week().protected()]);
    web.route("/", Reply::html("<p>rien</p>")).route("/feed/", Reply::status(404));
    web.route("/?rest_route", Reply::json("[]"));
    assert_eq!(tried(&web).await[0].1.to_string(), "1 protected article");
    let empty = Post::new(TITLE, "2027-07-09T15:12:08", "<p>&nbsp;</p><p> </p>");
    web.publish(empty);
    assert_eq!(tried(&web).await[0].1.to_string(), "1 empty article");
    web.publish(this_week());
    assert_eq!(one_article(&web).await.html, CONTENT, "published in the meantime");
}

#[tokio::test]
async fn e12_a_post_without_a_readable_date_is_not_guessed_at() {
    let web = Web::start();
    let mut post = this_week().as_json("https://office.example");
    post["date_gmt"] = "0000-00-00T00:00:00".into();
    post["date"] = serde_json::Value::Null;
    web.route(REST, Reply::json(format!("[{post}]")));
    assert_eq!(tried(&web).await[0].1.to_string(), "1 undated article");
    post["date_gmt"] = "1970-01-01T00:00:00".into();
    post["link"] = "javascript:alert(1)".into();
    web.route(REST, Reply::json(format!("[{post}]")));
    let article = one_article(&web).await;
    assert_eq!(article.published, utc("1970-01-01T00:00:00Z"), "as written: the gates judge it");
    assert_eq!(article.url, None);
}

// The feed

#[tokio::test]
async fn a_recorded_feed_is_read_and_other_articles_are_ignored() {
    let web = Web::start();
    web.route("/feed/", Reply::rss(include_str!("../samples/rss_content_encoded.xml")));
    let article = one_article(&web).await;
    assert_eq!(article.title, "Que faire à Auch cette semaine ? L’agenda du 12 au 18 juillet");
    assert_eq!(
        article.url.as_deref(),
        Some("https://office.example/blog/que-faire-a-auch-cette-semaine-12-18-juillet/")
    );
    assert_eq!(article.published, utc("2027-07-09T15:12:08Z"));
    assert!(article.html.contains("petit marché &amp; dégustation à Jégun"), "{}", article.html);
}

#[tokio::test]
async fn a_feed_of_summaries_leads_to_the_page() {
    let web = Web::start();
    let item = |content: &str| {
        Reply::rss(format!(
            "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><title>Blog</title>\
             <item><title>{SEARCH}</title><link>/blog/un/</link><pubDate>Fri, 09 Jul 2027 15:12:08 +0000</pubDate>\
             <description>C’est l’été [&#8230;]</description>{content}</item></channel></rss>"
        ))
    };
    web.route("/blog/un/", page_of("Un autre titre", CONTENT));
    for summary in ["", "<content:encoded>C’est l’été &lt;p&gt;[&amp;#8230;]&lt;/p&gt;</content:encoded>"] {
        web.route("/feed/", item(summary));
        let article = one_article(&web).await;
        assert_eq!((article.title.as_str(), article.html.as_str()), (SEARCH, CONTENT));
        assert_eq!(article.published, utc("2027-07-09T15:12:08Z"), "the feed knows it, the page does not");
        assert_eq!(article.url, Some(web.url("/blog/un/").to_string()));
    }
    web.route("/blog/un/", Reply::status(404));
    assert_eq!(tried(&web).await[2].1.to_string(), "1 unreadable page");
    web.route("/blog/un/", Reply::status(503));
    assert!(matches!(articles(&web).await, Err(CollectError::Fetch { .. })));
}

#[tokio::test]
async fn e08_a_feed_in_windows_1252_is_decoded_once() {
    let web = Web::start();
    let feed = format!(
        "<?xml version=\"1.0\" encoding=\"windows-1252\"?><rss version='2.0' \
         xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><title>Été</title><item><title>{SEARCH}</title>\
         <pubDate>Fri, 09 Jul 2027 15:12:08 +0000</pubDate><content:encoded>fête au cœur d’Auch</content:encoded>\
         </item></channel></rss>"
    );
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(&feed);
    web.route("/feed/", Reply::new(200, "application/rss+xml", bytes.into_owned()));
    assert_eq!(one_article(&web).await.html, "fête au cœur d’Auch");
}

/// A feed whose article is `content`, after a document type of its own.
fn feed_with(doctype: &str, content: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>{doctype}<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'>\
         <channel><title>x</title><item><title>{SEARCH}</title><pubDate>Fri, 09 Jul 2027 15:12:08 +0000</pubDate>\
         <content:encoded>{content}</content:encoded></item></channel></rss>"
    )
}

fn billion_laughs() -> String {
    let mut doctype = "<!DOCTYPE rss [<!ENTITY a0 \"ha\">".to_owned();
    for n in 1..=12 {
        doctype.push_str(&format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10)));
    }
    feed_with(&(doctype + "]>"), "&a12;")
}

fn external_entity(at: &str) -> String {
    feed_with(&format!("<!DOCTYPE rss [<!ENTITY x SYSTEM \"{at}\">]>"), "secret: &x;")
}

#[tokio::test]
async fn e09_a_feed_that_declares_entities_is_refused() {
    let web = Web::start();
    for feed in [billion_laughs(), external_entity("file:///etc/hostname"), external_entity(web.url("/x").as_str())] {
        web.route("/feed/", Reply::rss(feed));
        assert_eq!(tried(&web).await[2].1.to_string(), "a feed that declares entities");
    }
    assert!(!web.paths().contains(&"/x".to_owned()), "nothing outside is fetched");
}

#[test]
fn e09_the_feed_parser_itself_expands_nothing() {
    let web = Web::start();
    for feed in [billion_laughs(), external_entity("file:///etc/hostname"), external_entity(web.url("/x").as_str())] {
        let Ok(parsed) = feed_rs::parser::parse(feed.as_bytes()) else { continue };
        let shown = format!("{parsed:?}");
        assert!(shown.len() < 10_000, "expanded to {} bytes", shown.len());
        assert!(!shown.contains("haha"));
    }
    assert!(web.requests().is_empty());
}

// The pages

#[tokio::test]
async fn the_front_page_is_read_if_the_search_finds_nothing() {
    let web = Web::start();
    web.route(
        "/?s",
        Reply::html(format!("<a href='/?s=x'>{SEARCH}</a> <a href='https://autre.example/a'>{SEARCH}</a>")),
    );
    let front = format!("<a href='/contact'>Contact</a><a href='/une'>{SEARCH} !</a><a href='/une#haut'>{SEARCH}</a>");
    web.route("/", Reply::html(front)).route("/une", page_of(SEARCH, CONTENT));
    let article = one_article(&web).await;
    assert_eq!(article.html, CONTENT);
    assert_eq!(article.published, now(), "the page tells no date");
    assert_eq!(web.paths(), [REST, "/", "/feed/", "/", "/", "/une"]);
}

#[tokio::test]
async fn a_link_whose_target_does_not_match_is_not_used() {
    let web = Web::start();
    web.route("/", Reply::html(format!("<a href='/une'>{SEARCH}</a>")));
    web.route("/une", page_of("Page introuvable", CONTENT));
    // The search and the front page are the same here, so it is met twice.
    assert_eq!(tried(&web).await[3].1.to_string(), "2 articles of another title");
}

// The other kinds

#[tokio::test]
async fn a_plain_page_is_an_article_with_its_own_date() {
    let web = Web::start();
    let head = "<meta property='article:published_time' content='2027-07-09T17:12:08+02:00'>";
    web.route("/agenda", Reply::html(format!("{head}<h1>Agenda</h1><main>{CONTENT}</main>")));
    let source = Source::Page { url: web.url("/agenda") };
    let articles = source.articles(local_fetcher(), now()).await.unwrap();
    let expected = Article {
        title: "Agenda".to_owned(),
        url: Some(web.url("/agenda").to_string()),
        published: utc("2027-07-09T15:12:08Z"),
        modified: None,
        html: CONTENT.to_owned(),
    };
    assert_eq!(articles, [expected]);
}

#[tokio::test]
async fn a_plain_page_without_text_is_an_error() {
    let web = Web::start();
    web.route("/", Reply::html("<body><script>app()</script></body>"));
    let error = Source::Page { url: web.url("/") }.articles(local_fetcher(), now()).await.unwrap_err();
    assert_eq!(error.in_french(), format!("{} ne contient aucun texte", web.url("/")));
}

#[tokio::test]
async fn a_file_is_decoded_and_dated_from_the_best_available_source() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("semaine 28.txt");
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode("Lundi 12 juillet\r\n- fête < marché");
    std::fs::write(&path, bytes).unwrap();
    let written = DateTime::<Utc>::from(std::fs::metadata(&path).unwrap().modified().unwrap());
    let read = async |published| {
        let source = Source::File { path: path.clone(), published };
        source.articles(local_fetcher(), now()).await.unwrap().remove(0)
    };
    let article = read(None).await;
    assert_eq!(article.html.trim_end(), "<p>Lundi 12 juillet</p>\n<p>- fête &lt; marché</p>");
    assert_eq!((article.title.as_str(), article.published), ("semaine 28", written));

    let told = utc("2027-07-02T00:00:00Z");
    assert_eq!(read(Some(told)).await.published, told);
    std::fs::write(&path, format!("<h1>Titre</h1><time datetime='2027-07-09T15:00:00Z'></time>{CONTENT}")).unwrap();
    let article = read(None).await;
    assert_eq!((article.title.as_str(), article.published), ("Titre", utc("2027-07-09T15:00:00Z")));
    assert!(article.html.ends_with(CONTENT));
}

#[tokio::test]
async fn missing_too_large_and_binary_files_have_different_errors() {
    let folder = tempfile::tempdir().unwrap();
    let error = async |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Source::File { path, published: None }.articles(local_fetcher(), now()).await.unwrap_err()
    };
    assert!(matches!(error("large", &[b'x'; (64 << 10) + 1]).await, CollectError::FileTooLarge { .. }));
    assert!(matches!(error("binary", b"PK\0\0").await, CollectError::FileCharset { .. }));
    assert!(matches!(error("empty", b" \n").await, CollectError::NoText { .. }));
    for path in [folder.path().join("nowhere"), folder.path().to_owned(), "/dev/null".into()] {
        let error = Source::File { path, published: None }.articles(local_fetcher(), now()).await.unwrap_err();
        assert!(matches!(error, CollectError::File { .. }), "{error:?}");
    }
}

// The mailing's file

#[derive(Debug, serde::Deserialize)]
struct Mailing {
    source: Vec<Source>,
}

fn parsed(line: &str) -> Result<Source, String> {
    let mailing: Result<Mailing, _> = toml::from_str(&format!("source = [{line}]"));
    mailing.map(|mut mailing| mailing.source.remove(0)).map_err(|error| error.to_string())
}

#[test]
fn a_source_is_written_in_one_line() {
    let url = "https://office.example".parse().unwrap();
    assert_eq!(
        parsed(r#"{ kind = "wordpress", url = "https://office.example", search = "Que faire à Auch cette semaine" }"#),
        Ok(Source::Wordpress { url, search: SEARCH.to_owned() })
    );
    let url = "http://office.example/agenda".parse().unwrap();
    assert_eq!(parsed(r#"{ kind = "page", url = "http://office.example/agenda" }"#), Ok(Source::Page { url }));
    assert_eq!(
        parsed(r#"{ kind = "file", path = "semaine.html", published = "2027-07-09T15:12:08Z" }"#),
        Ok(Source::File { path: "semaine.html".into(), published: Some(utc("2027-07-09T15:12:08Z")) })
    );
}

#[test]
fn problems_of_a_source_are_reported_when_the_file_is_read() {
    for (line, said) in [
        (r#"{ kind = "wordpres", url = "https://office.example" }"#, "unknown variant `wordpres`"),
        (r#"{ kind = "page", url = "https://office.example", serch = "x" }"#, "unknown field `serch`"),
        (r#"{ kind = "wordpress", url = "https://office.example" }"#, "missing field `search`"),
        (r#"{ kind = "wordpress", url = "https://office.example", search = " ? " }"#, "words of the article's title"),
        (r#"{ kind = "page", url = "office.example" }"#, "relative URL without a base"),
        (r#"{ kind = "page", url = "file:///etc/passwd" }"#, "only http and https are fetched"),
        (r#"{ kind = "page", url = "https://me:hush@office.example" }"#, "a user name or a password"),
    ] {
        let error = parsed(line).unwrap_err();
        assert!(error.contains(said), "{line}: {error}");
    }
}
