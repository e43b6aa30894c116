//! What the client fetches, what it refuses, and when it stops.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use semainier::collect::fetch::{
    AllowedHosts, CharsetError, FetchError, FetchLimits, Fetched, Fetcher, Page, PageCache, Phase, Refusal,
};

use url::Url;

use super::web::{Reply, Web};
use super::{fetcher_for, fetcher_with_names, local_fetcher, patient, short};

async fn page(web: &Web, path: &str) -> Result<Page, FetchError> {
    fetcher_for(web, patient()).page(&web.url(path)).await
}

async fn page_in_a_hurry(web: &Web, path: &str) -> FetchError {
    fetcher_for(web, short()).page(&web.url(path)).await.expect_err("this one must not be had")
}

/// Nothing allowed but the public internet.
fn stranger() -> Fetcher {
    Fetcher::new(patient(), AllowedHosts::none(), "semainier-test").unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_page_has_its_address_type_and_validators() {
    let web = Web::start();
    let reply = Reply::html("été").etag("\"v1\"").header("Last-Modified", "Fri, 09 Jul 2027 15:12:08 GMT");
    web.route("/ancien", Reply::redirect("/nouveau?x=1")).route("/nouveau", reply);
    let page = page(&web, "/ancien").await.unwrap();
    assert_eq!(page.text, "été");
    assert_eq!(page.url, web.url("/nouveau?x=1"));
    assert_eq!(page.content_type.as_deref(), Some("text/html"));
    assert_eq!(page.validators.etag.as_deref(), Some("\"v1\""));
    assert_eq!(page.validators.last_modified.as_deref(), Some("Fri, 09 Jul 2027 15:12:08 GMT"));
    let seen = &web.requests()[0];
    assert_eq!(seen.headers["user-agent"], "semainier-test");
    assert!(seen.headers["accept-language"].starts_with("fr"));
}

#[tokio::test]
async fn a_compressed_page_is_read() {
    let web = Web::start();
    web.route("/", Reply::gzip("text/html; charset=utf-8", gzip("fête ".repeat(1000).as_bytes())));
    assert_eq!(page(&web, "/").await.unwrap().text, "fête ".repeat(1000));
}

#[tokio::test]
async fn e01_an_endless_body_is_rejected_at_the_limit() {
    let web = Web::start();
    web.route("/", Reply::endless("<p>encore</p>".repeat(100)));
    let error = page(&web, "/").await.unwrap_err();
    assert!(matches!(error, FetchError::TooLarge { limit: 0x1_0000, .. }), "{error:?}");
}

#[tokio::test]
async fn e01_a_body_announced_as_too_large_is_not_read() {
    let web = Web::start();
    // The promise alone is enough: of the body nothing ever comes.
    web.route("/", Reply::html(vec![b'x'; 40 << 10]).cut_off());
    assert!(matches!(page(&web, "/").await, Err(FetchError::TooLarge { .. })));
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_read() {
    let web = Web::start();
    web.route("/", Reply::html(vec![b'x'; 64 << 10])).route("/more", Reply::html(vec![b'x'; (64 << 10) + 1]));
    assert_eq!(page(&web, "/").await.unwrap().text.len(), 64 << 10);
    assert!(matches!(page(&web, "/more").await, Err(FetchError::TooLarge { .. })));
}

#[tokio::test]
async fn e02_a_very_slow_body_runs_into_the_total_timeout() {
    let web = Web::start();
    web.route("/", Reply::html(vec![b'x'; 1000]).drip(Duration::from_millis(10)));
    let error = page_in_a_hurry(&web, "/").await;
    assert!(matches!(error, FetchError::Timeout { phase: Phase::Total, .. }), "{error:?}");
    assert!(error.is_temporary());
    assert!(error.in_french().ends_with("répond trop lentement (délai dépassé)"), "{}", error.in_french());
}

#[tokio::test]
async fn e02_a_silent_site_runs_into_the_idle_timeout() {
    let web = Web::start();
    web.route("/", Reply::silence()).route("/stops", Reply::html("xx").drip(Duration::from_secs(60)));
    for path in ["/", "/stops"] {
        let error = page_in_a_hurry(&web, path).await;
        assert!(matches!(error, FetchError::Timeout { phase: Phase::Idle, .. }), "{path}: {error:?}");
    }
}

#[tokio::test]
async fn e02_a_missing_tls_handshake_runs_into_the_connect_timeout() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let limits = FetchLimits { connect: Duration::from_millis(100), ..patient() };
    let fetcher = Fetcher::new(limits, "127.0.0.1".parse().unwrap(), "semainier-test").unwrap();
    let error = fetcher.page(&url).await.unwrap_err();
    assert!(matches!(error, FetchError::Timeout { phase: Phase::Connect, .. }), "{error:?}");
}

#[tokio::test]
async fn e02_the_total_timeout_includes_redirects() {
    let web = Web::start();
    // Each answer comes in good time, but not all four of them.
    let slow = |reply: Reply| reply.after(Duration::from_millis(150));
    web.route("/", slow(Reply::redirect("/1"))).route("/1", slow(Reply::redirect("/2")));
    web.route("/2", slow(Reply::redirect("/3"))).route("/3", slow(Reply::html("enfin")));
    let limits = FetchLimits { idle: Duration::from_secs(20), ..short() };
    let error = fetcher_for(&web, limits).page(&web.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Timeout { phase: Phase::Total, .. }), "{error:?}");
}

#[tokio::test]
async fn e03_a_gzip_bomb_is_stopped_at_the_decompressed_limit() {
    let web = Web::start();
    let bomb = gzip(&vec![0x20; 4 << 20]);
    assert!(bomb.len() < 8 << 10, "small on the wire: {}", bomb.len());
    web.route("/", Reply::gzip("text/html", bomb));
    assert!(matches!(page(&web, "/").await, Err(FetchError::TooLarge { .. })));
}

#[tokio::test]
async fn e03_corrupt_compression_is_an_error() {
    let web = Web::start();
    let mut cut = gzip("fête ".repeat(1000).as_bytes());
    cut.truncate(cut.len() - 9);
    web.route("/cut", Reply::gzip("text/html", cut)).route("/lie", Reply::gzip("text/html", b"<p>plain</p>".to_vec()));
    for path in ["/cut", "/lie"] {
        let error = page(&web, path).await.unwrap_err();
        assert!(matches!(error, FetchError::Interrupted { .. }), "{path}: {error:?}");
    }
}

#[tokio::test]
async fn e04_a_redirect_to_a_private_address_is_refused() {
    let (web, other) = (Web::start(), Web::start());
    other.route("/", Reply::html("secret"));
    for to in [
        other.url("/").as_str(),
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://localhost/",
    ] {
        web.route("/", Reply::redirect(to));
        let error = page(&web, "/").await.unwrap_err();
        assert!(matches!(error, FetchError::Refused { why: Refusal::NotPublic, .. }), "{to}: {error:?}");
        assert!(!error.is_temporary());
    }
    assert!(other.requests().is_empty(), "nobody may even knock");
}

#[tokio::test]
async fn e04_a_redirect_to_another_scheme_is_refused() {
    let web = Web::start();
    for to in ["file:///etc/passwd", "ftp://office.example/", "data:text/html,x", "javascript:alert(1)"] {
        web.route("/", Reply::redirect(to));
        let error = page(&web, "/").await.unwrap_err();
        assert!(matches!(error, FetchError::Refused { why: Refusal::Scheme, .. }), "{to}: {error:?}");
    }
    web.route("/", Reply::redirect("http://me:hush@office.example/"));
    assert!(matches!(page(&web, "/").await, Err(FetchError::Refused { why: Refusal::Credentials, .. })));
    web.route("/", Reply::status(301));
    assert!(matches!(page(&web, "/").await, Err(FetchError::Refused { why: Refusal::BadRedirect, .. })));
}

#[tokio::test]
async fn e04_fr31_a_redirect_loop_is_detected() {
    let web = Web::start();
    web.route("/", Reply::redirect("/fr/")).route("/fr/", Reply::redirect("/"));
    assert!(matches!(page(&web, "/").await, Err(FetchError::RedirectLoop { .. })));
    assert_eq!(web.requests().len(), 2);
}

#[tokio::test]
async fn fr31_the_usual_number_of_redirects_is_followed() {
    let web = Web::start();
    for n in 0..5 {
        web.route(&format!("/{n}"), Reply::redirect(&format!("/{}", n + 1)));
    }
    web.route("/5", Reply::html("là"));
    let limits = FetchLimits { max_redirects: FetchLimits::default().max_redirects, ..super::patient() };
    let fetcher = super::fetcher_for(&web, limits);
    assert_eq!(fetcher.page(&web.url("/0")).await.unwrap().text, "là");
}

#[tokio::test]
async fn three_redirects_are_followed_and_four_are_not() {
    let web = Web::start();
    web.route("/4", Reply::redirect("/3")).route("/3", Reply::redirect("2")).route("/2", Reply::redirect("/1"));
    web.route("/1", Reply::html("là"));
    assert_eq!(page(&web, "/3").await.unwrap().text, "là");
    web.route("/1", Reply::redirect("/0")).route("/0", Reply::html("trop loin"));
    assert!(matches!(page(&web, "/3").await, Ok(page) if page.text == "trop loin"));
    assert!(matches!(page(&web, "/4").await, Err(FetchError::TooManyRedirects { .. })));
}

#[tokio::test]
async fn e04_a_local_address_is_refused_without_a_redirect_too() {
    let web = Web::start();
    web.route("/", Reply::html("secret"));
    let (port, stranger) = (web.port(), stranger());
    for url in
        [format!("http://127.0.0.1:{port}/"), format!("http://localhost:{port}/"), format!("http://0x7f.1:{port}/")]
    {
        let error = stranger.page(&url.parse().unwrap()).await.unwrap_err();
        assert!(matches!(error, FetchError::Refused { why: Refusal::NotPublic, .. }), "{url}: {error:?}");
    }
    assert!(web.requests().is_empty());
}

#[tokio::test]
async fn e04_a_public_name_with_a_private_address_is_refused_unless_allowed() {
    let web = Web::start();
    web.route("/", Reply::html("chez nous"));
    let url = format!("http://office.example:{}/", web.port()).parse().unwrap();
    let error = fetcher_with_names(&["office.example"], "").page(&url).await.unwrap_err();
    assert!(matches!(error, FetchError::Refused { why: Refusal::NotPublic, .. }), "{error:?}");
    let other_port = fetcher_with_names(&["office.example"], "office.example:1").page(&url).await;
    assert!(matches!(other_port, Err(FetchError::Refused { .. })));
    assert!(web.requests().is_empty());
    let page = fetcher_with_names(&["office.example"], "office.example").page(&url).await.unwrap();
    assert_eq!(page.text, "chez nous");
    assert_eq!(web.requests()[0].headers["host"], format!("office.example:{}", web.port()));
}

#[tokio::test]
async fn e04_an_allowed_host_does_not_allow_its_neighbours() {
    let (web, other) = (Web::start(), Web::start());
    let fetcher = fetcher_with_names(&["office.example", "autre.example"], "office.example");
    web.route("/", Reply::redirect(&format!("http://autre.example:{}/", other.port())));
    let url = format!("http://office.example:{}/", web.port()).parse().unwrap();
    assert!(matches!(fetcher.page(&url).await, Err(FetchError::Refused { why: Refusal::NotPublic, .. })));
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn e05_not_modified_is_not_an_error() {
    let web = Web::start();
    web.route("/", Reply::html("v1").etag("\"v1\""));
    let fetcher = fetcher_for(&web, patient());
    let first = fetcher.page(&web.url("/")).await.unwrap();
    let again = fetcher.get(&web.url("/"), Some(&first.validators)).await.unwrap();
    assert_eq!(again, Fetched::NotModified);
    web.route("/", Reply::html("v2").etag("\"v2\""));
    let changed = fetcher.get(&web.url("/"), Some(&first.validators)).await.unwrap();
    assert!(matches!(changed, Fetched::Body(page) if page.text == "v2"));
}

/// A shelf with one board.
#[derive(Debug, Default)]
struct Board(Mutex<Option<Page>>);

#[async_trait::async_trait]
impl PageCache for Board {
    async fn kept(&self, url: &Url) -> Option<Page> {
        self.0.lock().unwrap().clone().filter(|page| page.url == *url)
    }

    async fn keep(&self, page: &Page) {
        *self.0.lock().unwrap() = Some(page.clone());
    }
}

#[tokio::test]
async fn e05_an_unchanged_page_comes_from_the_cache_and_a_changed_one_replaces_it() {
    let web = Web::start();
    web.route("/", Reply::html("v1").etag("\"v1\""));
    let mut fetcher = fetcher_for(&web, patient());
    fetcher.set_page_cache(Arc::new(Board::default()));
    for text in ["v1", "v1"] {
        assert_eq!(fetcher.page(&web.url("/")).await.unwrap().text, text);
    }
    web.route("/", Reply::html("v2").etag("\"v2\""));
    assert_eq!(fetcher.page(&web.url("/")).await.unwrap().text, "v2");
    let asked: Vec<_> = web.requests().iter().map(|seen| seen.headers.get("if-none-match").cloned()).collect();
    assert_eq!(asked, [None, Some("\"v1\"".to_owned()), Some("\"v1\"".to_owned())]);
}

#[tokio::test]
async fn e05_an_unrequested_not_modified_is_an_error() {
    let web = Web::start();
    web.route("/", Reply::status(304));
    let fetched = fetcher_for(&web, patient()).get(&web.url("/"), None).await;
    assert!(matches!(fetched, Err(FetchError::Status { code: 304, .. })), "{fetched:?}");
}

#[tokio::test]
async fn e06_retry_after_of_a_failing_site_is_respected() {
    let web = Web::start();
    web.route("/", Reply::status(429).header("Retry-After", "120")).route("/500", Reply::status(500));
    let error = page(&web, "/").await.unwrap_err();
    assert!(error.is_temporary());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(120)));
    let error = page(&web, "/500?key=hush").await.unwrap_err();
    assert!(error.is_temporary());
    assert_eq!(error.retry_after(), None);
    assert_eq!(error.to_string(), format!("{} answered 500", web.url("/500")));
    assert_eq!(error.in_french(), format!("le site {} a répondu 500 (erreur interne du site)", web.host()));
}

#[tokio::test]
async fn e07_a_truncated_body_is_rejected() {
    let web = Web::start();
    web.route("/", Reply::html("<p>la moitié").cut_off());
    let error = page(&web, "/").await.unwrap_err();
    assert!(matches!(error, FetchError::Interrupted { .. }), "{error:?}");
    assert!(error.is_temporary());
}

#[tokio::test]
async fn e08_windows_1252_declared_as_utf_8_is_decoded() {
    let web = Web::start();
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode("<p>L’été à Auch, cœur de ville, 5 €</p>");
    web.route("/", Reply::html(bytes.into_owned()));
    assert_eq!(page(&web, "/").await.unwrap().text, "<p>L’été à Auch, cœur de ville, 5 €</p>");
}

#[tokio::test]
async fn e08_utf_8_declared_as_latin_1_or_with_a_bom_is_decoded() {
    let web = Web::start();
    web.route("/latin", Reply::new(200, "text/html; charset=ISO-8859-1", "été"));
    web.route("/bom", Reply::html("\u{feff}été"));
    web.route("/twice", Reply::html("Ã©tÃ©"));
    for path in ["/latin", "/bom", "/twice"] {
        assert_eq!(page(&web, path).await.unwrap().text, "été", "{path}");
    }
}

#[tokio::test]
async fn e08_a_text_in_two_charsets_and_a_picture_are_rejected() {
    let web = Web::start();
    web.route("/mixed", Reply::html(*b"\xc3\xa9t\xe9"));
    web.route("/image", Reply::new(200, "image/png", *b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
    for (path, why) in [("/mixed", CharsetError::Mixed), ("/image", CharsetError::NotText)] {
        let error = page(&web, path).await.unwrap_err();
        assert!(matches!(&error, FetchError::Charset { source, .. } if *source == why), "{path}: {error:?}");
    }
}

#[tokio::test]
async fn an_unreachable_site_is_distinguished_from_one_without_tls() {
    let gone = Web::start().url("/");
    let fetcher = local_fetcher();
    let error = fetcher.page(&gone).await.unwrap_err();
    assert!(matches!(error, FetchError::Connect { .. }), "{error:?}");

    let web = Web::start();
    let mut secure = web.url("/");
    secure.set_scheme("https").unwrap();
    let error = fetcher.page(&secure).await.unwrap_err();
    assert!(matches!(error, FetchError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn an_unknown_host_is_reported_as_such() {
    // RFC 6761: `invalid` never resolves.
    let error = stranger().page(&"http://office.invalid/?key=hush".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, FetchError::Dns { .. }), "{error:?}");
    assert_eq!(error.in_french(), "le nom office.invalid est introuvable sur l’internet");
    assert!(!format!("{error:?}").contains("hush"));
}
