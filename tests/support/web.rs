//! A local web site, as correct or as broken as a test needs.
//!
//! It runs on a thread of its own, so that a test may be asynchronous, blocking, or another process.
//! The only pauses are the site's own: a slow body, a response that never comes.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Europe::Paris;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use url::Url;

/// The site. It closes when it is dropped.
pub struct Web {
    address: SocketAddr,
    site: Arc<Mutex<Site>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A request the site got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    /// `/feed/`
    pub path: String,
    /// Decoded, in order.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn query(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// What the site answers.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    etag: Option<String>,
    delay: Duration,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Whole(Vec<u8>),
    /// A byte at a time.
    Drip(Vec<u8>, Duration),
    /// The same over and over, until the client has had enough.
    Endless(Vec<u8>),
    /// Less than the `Content-Length` promises, then the connection closes.
    CutOff(Vec<u8>),
    /// No answer at all, on an open connection.
    Silence,
}

/// A post of the WordPress site. `title` and `content` are HTML, as the API renders them.
#[derive(Debug, Clone)]
pub struct Post {
    pub id: u64,
    pub slug: String,
    pub title: String,
    pub content: String,
    pub published: DateTime<Utc>,
    pub modified: DateTime<Utc>,
    pub protected: bool,
}

#[derive(Default)]
struct Site {
    routes: HashMap<String, VecDeque<Reply>>,
    posts: Option<Vec<Post>>,
    seen: Vec<Seen>,
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, etag: None, delay: Duration::ZERO, body: Body::Whole(body.into()) }
    }

    pub fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "text/html; charset=UTF-8", body)
    }

    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "application/json; charset=UTF-8", body)
    }

    pub fn rss(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "application/rss+xml; charset=UTF-8", body)
    }

    pub fn status(status: u16) -> Self {
        Self::new(status, "text/html; charset=UTF-8", format!("<h1>{status}</h1>"))
    }

    pub fn redirect(to: &str) -> Self {
        Self::status(302).header("Location", to)
    }

    /// Bytes that are gzip already.
    pub fn gzip(content_type: &str, compressed: Vec<u8>) -> Self {
        Self::new(200, content_type, compressed).header("Content-Encoding", "gzip")
    }

    pub fn silence() -> Self {
        Self { body: Body::Silence, ..Self::status(200) }
    }

    pub fn endless(piece: impl Into<Vec<u8>>) -> Self {
        Self { body: Body::Endless(piece.into()), ..Self::html("") }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Answers 304 to whoever has this one already.
    pub fn etag(mut self, etag: &str) -> Self {
        self.etag = Some(etag.to_owned());
        self.header("ETag", etag)
    }

    /// Lets the client wait before the first word.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// A byte, a pause, a byte.
    pub fn drip(mut self, every: Duration) -> Self {
        self.body = Body::Drip(self.body.into_bytes(), every);
        self
    }

    /// Closes the connection before the promised end.
    pub fn cut_off(mut self) -> Self {
        self.body = Body::CutOff(self.body.into_bytes());
        self
    }
}

impl Body {
    fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Whole(bytes) | Self::Drip(bytes, _) | Self::Endless(bytes) | Self::CutOff(bytes) => bytes,
            Self::Silence => Vec::new(),
        }
    }
}

impl Post {
    /// `published` as the API writes it: `2027-07-09T15:12:08`, in UTC.
    pub fn new(title: &str, published: &str, content: &str) -> Self {
        let published: NaiveDateTime = published.parse().expect("a date such as 2027-07-09T15:12:08");
        let kept = title.to_lowercase();
        let slug = kept.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        Self {
            id: 48_000,
            slug: slug.collect::<Vec<_>>().join("-"),
            title: title.to_owned(),
            content: content.to_owned(),
            published: published.and_utc(),
            modified: published.and_utc(),
            protected: false,
        }
    }

    pub fn protected(mut self) -> Self {
        self.protected = true;
        self
    }

    /// As the real API shapes it; a protected post has no content there.
    pub fn as_json(&self, base: &str) -> Value {
        let content = if self.protected { "" } else { &self.content };
        let naive = |date: DateTime<Utc>| date.format("%Y-%m-%dT%H:%M:%S").to_string();
        let local = |date: DateTime<Utc>| date.with_timezone(&Paris).format("%Y-%m-%dT%H:%M:%S").to_string();
        json!({
            "id": self.id,
            "date": local(self.published),
            "date_gmt": naive(self.published),
            "modified": local(self.modified),
            "modified_gmt": naive(self.modified),
            "slug": self.slug,
            "status": "publish",
            "type": "post",
            "link": self.link(base),
            "title": { "rendered": self.title },
            "content": { "rendered": content, "protected": self.protected },
            "excerpt": { "rendered": "<p>Résumé [&hellip;]</p>", "protected": self.protected },
            "featured_media": 0,
            "categories": [12],
        })
    }

    fn link(&self, base: &str) -> String {
        format!("{base}{}", self.path())
    }

    fn path(&self) -> String {
        format!("/blog/{}/", self.slug)
    }

    /// A page as a theme lays it out, with a site around the article.
    fn page(&self) -> String {
        format!(
            "<!DOCTYPE html><html lang=\"fr-FR\"><head><meta charset=\"UTF-8\"><title>{title} - Office</title>\
             <meta property=\"article:published_time\" content=\"{published}\"></head>\
             <body><nav><a href=\"/\">Accueil</a></nav><main><article><h1 class=\"entry-title\">{title}</h1>\
             <div class=\"entry-content\">{content}</div></article></main><footer>Mentions légales</footer></body></html>",
            title = self.title,
            published = self.published.to_rfc3339(),
            content = self.content,
        )
    }
}

impl Web {
    /// A site where nothing is: 404 for everything, until there are routes.
    pub fn start() -> Self {
        let listener = StdListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a non-blocking socket");
        let address = listener.local_addr().expect("an address");
        let site = Arc::new(Mutex::new(Site::default()));
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&site);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            // Dropping the runtime ends the answers that would never end.
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, served) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, site, stop: Some(stop), thread: Some(thread) }
    }

    /// A site that answers like WordPress: the posts by both doors of the API, by the feed, by search and as pages.
    pub fn wordpress(posts: Vec<Post>) -> Self {
        let web = Self::start();
        web.site().posts = Some(posts);
        web
    }

    /// What `path` answers from now on. A path may name a parameter that must be there: `/?s`, `/?rest_route`.
    /// Comes before what WordPress would answer.
    pub fn route(&self, path: &str, reply: Reply) -> &Self {
        self.routes(path, [reply])
    }

    /// One answer after the other; the last one stays.
    pub fn routes(&self, path: &str, replies: impl IntoIterator<Item = Reply>) -> &Self {
        self.site().routes.insert(path.to_owned(), replies.into_iter().collect());
        self
    }

    /// Puts one more post on the site, or a new version of the one with the same slug.
    pub fn publish(&self, post: Post) -> &Self {
        let mut site = self.site();
        let posts = site.posts.get_or_insert_default();
        posts.retain(|other| other.slug != post.slug);
        posts.push(post);
        drop(site);
        self
    }

    pub fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.host()).parse().expect("a URL")
    }

    /// `127.0.0.1:34567`
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Seen> {
        self.site().seen.clone()
    }

    /// Their paths, for a short comparison.
    pub fn paths(&self) -> Vec<String> {
        self.site().seen.iter().map(|seen| seen.path.clone()).collect()
    }

    fn site(&self) -> MutexGuard<'_, Site> {
        lock(&self.site)
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(site: &Mutex<Site>) -> MutexGuard<'_, Site> {
    site.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn serve(listener: StdListener, site: Arc<Mutex<Site>>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    while let Ok((stream, _)) = listener.accept().await {
        let site = Arc::clone(&site);
        // A client that goes away in the middle is one of the things tests are about.
        tokio::spawn(async move {
            let _ = converse(stream, &site).await;
        });
    }
}

async fn converse(stream: TcpStream, site: &Mutex<Site>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let Some(seen) = read_request(&mut stream).await? else { return Ok(()) };
    let reply = lock(site).answer(&seen);
    lock(site).seen.push(seen);
    write_reply(&mut stream, reply).await?;
    stream.shutdown().await
}

async fn read_request(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Seen>> {
    // A TLS hello: somebody took us for a secure site, and is told so in clear, as servers do.
    if stream.fill_buf().await?.first() == Some(&0x16) {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await?;
        return Ok(None);
    }
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let url = Url::parse("http://site/").and_then(|base| base.join(target)).expect("a target");
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let query = url.query_pairs().into_owned().collect();
    Ok(Some(Seen { method: method.to_owned(), path: url.path().to_owned(), query, headers, body }))
}

async fn write_reply(stream: &mut BufReader<TcpStream>, reply: Reply) -> std::io::Result<()> {
    let length = match &reply.body {
        Body::Whole(bytes) | Body::Drip(bytes, _) => Some(bytes.len()),
        Body::CutOff(bytes) => Some(bytes.len() * 2 + 1),
        Body::Endless(_) => None,
        Body::Silence => return std::future::pending().await,
    };
    tokio::time::sleep(reply.delay).await;
    let mut head = format!("HTTP/1.1 {} Some Reason\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    if let Some(length) = length {
        let _ = write!(head, "Content-Length: {length}\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    match reply.body {
        Body::Whole(bytes) | Body::CutOff(bytes) => stream.write_all(&bytes).await,
        Body::Drip(bytes, every) => {
            for byte in bytes {
                stream.write_all(&[byte]).await?;
                stream.flush().await?;
                tokio::time::sleep(every).await;
            }
            Ok(())
        }
        Body::Endless(piece) => loop {
            stream.write_all(&piece).await?;
        },
        Body::Silence => Ok(()),
    }
}

impl Site {
    fn answer(&mut self, seen: &Seen) -> Reply {
        let reply = self.routed(seen).or_else(|| self.wordpress(seen)).unwrap_or_else(|| Reply::status(404));
        match &reply.etag {
            Some(etag) if seen.headers.get("if-none-match") == Some(etag) => {
                Reply { status: 304, body: Body::Whole(Vec::new()), ..reply }
            }
            _ => reply,
        }
    }

    fn routed(&mut self, seen: &Seen) -> Option<Reply> {
        let with_parameter = seen.query.iter().map(|(key, _)| format!("{}?{key}", seen.path));
        let key = with_parameter.chain([seen.path.clone()]).find(|key| self.routes.contains_key(key))?;
        let replies = self.routes.get_mut(&key)?;
        if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() }
    }

    fn wordpress(&self, seen: &Seen) -> Option<Reply> {
        let mut posts: Vec<&Post> = self.posts.as_ref()?.iter().collect();
        posts.sort_by_key(|post| std::cmp::Reverse(post.published));
        let base = format!("http://{}", seen.headers.get("host").map_or("localhost", String::as_str));
        match seen.path.as_str() {
            "/wp-json/wp/v2/posts" => Some(rest(&posts, &base, seen)),
            "/" if seen.query("rest_route") == Some("/wp/v2/posts") => Some(rest(&posts, &base, seen)),
            "/feed/" => Some(Reply::rss(feed(&posts, &base))),
            "/" => Some(Reply::html(list(&posts, seen.query("s").unwrap_or_default()))),
            path => posts.iter().find(|post| post.path() == path).map(|post| Reply::html(post.page())),
        }
    }
}

/// Like WordPress: every word of the search somewhere in title or content, only the fields asked for.
fn rest(posts: &[&Post], base: &str, seen: &Seen) -> Reply {
    let per_page = seen.query("per_page").and_then(|n| n.parse().ok()).unwrap_or(10);
    let search = seen.query("search").unwrap_or_default();
    let found: Vec<&&Post> = posts.iter().filter(|post| holds(post, search)).collect();
    let fields: Option<Vec<&str>> = seen.query("_fields").map(|fields| fields.split(',').collect());
    let shaped = found.iter().take(per_page).map(|post| {
        let mut value = post.as_json(base);
        if let (Some(fields), Some(object)) = (&fields, value.as_object_mut()) {
            object.retain(|name, _| fields.contains(&name.as_str()));
        }
        value
    });
    let body = Value::Array(shaped.collect()).to_string();
    let total = found.len();
    Reply::json(body)
        .header("X-WP-Total", &total.to_string())
        .header("X-WP-TotalPages", &total.div_ceil(per_page.max(1)).to_string())
}

fn holds(post: &Post, search: &str) -> bool {
    let text = format!("{} {}", post.title, post.content).to_lowercase();
    search.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

fn feed(posts: &[&Post], base: &str) -> String {
    let item = |post: &&Post| {
        format!(
            "<item><title><![CDATA[{}]]></title><link>{}</link><pubDate>{}</pubDate>\
             <guid isPermaLink=\"false\">{base}/?p={}</guid>\
             <description><![CDATA[<p>Résumé [&#8230;]</p>]]></description>\
             <content:encoded><![CDATA[{}]]></content:encoded></item>",
            post.title,
            post.link(base),
            post.published.to_rfc2822(),
            post.id,
            post.content,
        )
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\" \
         xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>Blog</title>\
         <link>{base}</link><description>Idées</description>{}</channel></rss>",
        posts.iter().filter(|post| !post.protected).take(10).map(item).collect::<String>()
    )
}

fn list(posts: &[&Post], search: &str) -> String {
    let found = posts.iter().filter(|post| holds(post, search));
    let link = |post: &&Post| format!("<article><h2><a href=\"{}\">{}</a></h2></article>", post.path(), post.title);
    format!(
        "<!DOCTYPE html><html lang=\"fr\"><head><meta charset=\"UTF-8\"><title>Office</title></head>\
         <body><h1>Résultats pour {search}</h1><main>{}</main></body></html>",
        found.map(link).collect::<String>()
    )
}
