//! The only HTTP client.
//!
//! Has every limit: allowed addresses, time, size. The only module that uses `reqwest`. No caching except conditional
//! requests, no retries: the caller decides when to ask again.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use super::address::{AllowedHosts, InvalidHost, Refusal};
use super::address::{check_url, is_public, literal_host_is_public};
use super::charset;
pub use super::charset::CharsetError;
pub use super::fetch_error::{FetchError, Phase, Place};

/// Upper limit for Retry-After: longer than a mailing's deadline is pointless.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The time and memory limits of one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    pub connect: Duration,
    /// The longest silence, before the answer or within it.
    pub idle: Duration,
    /// All of it, redirects included.
    pub total: Duration,
    /// Of the body, once decompressed.
    pub max_bytes: usize,
    pub max_redirects: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(20),
            total: Duration::from_secs(60),
            max_bytes: 10 << 20,
            max_redirects: 10,
        }
    }
}

/// Names answered from here instead of the DNS, like a hosts file: for demonstrations and tests.
/// The addresses are checked as if the DNS had given them.
pub type KnownNames = BTreeMap<String, Vec<IpAddr>>;

/// Where pages are kept between two fetches, so that an unchanged one need not be sent again (RFC 9110 13.1).
#[async_trait]
pub trait PageCache: Send + Sync + Debug {
    async fn kept(&self, url: &Url) -> Option<Page>;

    /// A page that cannot be kept is only fetched again.
    async fn keep(&self, page: &Page);
}

/// Fetches pages of the public internet, and of hosts the office allowed by name.
#[derive(Debug, Clone)]
pub struct Fetcher {
    limits: FetchLimits,
    allowed: AllowedHosts,
    /// Goes to public addresses only.
    public: Client,
    /// Connects to any address: used for allowed hosts only. Not created if none is allowed.
    anywhere: Option<Client>,
    page_cache: Option<Arc<dyn PageCache>>,
}

#[derive(Debug, thiserror::Error)]
#[error("could not prepare the HTTP client")]
pub struct FetcherError(#[source] Box<dyn Error + Send + Sync>);

/// A header's name, in lower case, and the key it carries.
pub type HeaderKey<'a> = (&'static str, &'a SecretString);

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The page is still the one the validators were taken from.
    NotModified,
    Body(Page),
}

/// A page, decoded to text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where it was in the end, after the redirects.
    pub url: Url,
    pub text: String,
    /// Without its parameters, in lower case: `text/html`.
    pub content_type: Option<String>,
    pub validators: Validators,
}

/// A file as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawFile {
    /// Where it was in the end, after the redirects.
    pub url: Url,
    pub bytes: Vec<u8>,
    /// Without its parameters, in lower case: `image/jpeg`.
    pub content_type: Option<String>,
}

/// An answer to [`Fetcher::post`], whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub status: u16,
    /// The beginning of the body.
    pub said: String,
}

/// Bytes of the answer to a POST that are read.
const MOST_SAID: usize = 2048;
/// For the rest of an answer, once its status is there.
const SAID_WITHIN: Duration = Duration::from_secs(2);

/// Validators for a later conditional request ("not modified").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

/// Makes ring the process's crypto provider. Idempotent.
pub fn install_crypto_provider() {
    // An error means that somebody was first, and then there is nothing to do.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Fetcher {
    pub fn new(limits: FetchLimits, allowed: AllowedHosts, user_agent: &str) -> Result<Self, FetcherError> {
        Self::with_names(limits, allowed, user_agent, KnownNames::new())
    }

    pub fn with_names(
        limits: FetchLimits,
        allowed: AllowedHosts,
        user_agent: &str,
        names: KnownNames,
    ) -> Result<Self, FetcherError> {
        install_crypto_provider();
        let names = Arc::new(names);
        let client = |reach| {
            let resolver = Resolver { names: Arc::clone(&names), reach };
            client(&limits, user_agent, resolver).map_err(|error| FetcherError(error.into()))
        };
        let public = client(Reach::Public)?;
        let anywhere = if allowed.is_empty() { None } else { Some(client(Reach::Anywhere)?) };
        Ok(Self { limits, allowed, public, anywhere, page_cache: None })
    }

    pub fn limits(&self) -> &FetchLimits {
        &self.limits
    }

    /// The page at `url`; with `validators`, only if it has changed since they were had.
    pub async fn get(&self, url: &Url, validators: Option<&Validators>) -> Result<Fetched, FetchError> {
        self.get_with(url, validators, None).await
    }

    /// The page at `url`, which asks for a key in this header or has one in its address: never kept on the page_cache, and the
    /// header goes to no other site.
    pub async fn page_with_key(&self, url: &Url, key: Option<HeaderKey<'_>>) -> Result<Page, FetchError> {
        match self.get_with(url, None, key).await? {
            Fetched::Body(page) => Ok(page),
            Fetched::NotModified => Err(FetchError::Status { place: Place::of(url), code: 304, retry_after: None }),
        }
    }

    async fn get_with(
        &self,
        url: &Url,
        validators: Option<&Validators>,
        key: Option<HeaderKey<'_>>,
    ) -> Result<Fetched, FetchError> {
        let everything = async {
            match self.follow(url, validators, key).await? {
                None => Ok(Fetched::NotModified),
                Some((url, response)) => self.read(url, response).await.map(Fetched::Body),
            }
        };
        self.in_time(url, everything).await
    }

    /// The bytes at `url`, of any type: a picture. The same limits apply.
    pub async fn file(&self, url: &Url) -> Result<RawFile, FetchError> {
        let everything = async {
            // Without conditions no server answers "not modified".
            let unexpected = || FetchError::Status { place: Place::of(url), code: 304, retry_after: None };
            let (url, mut response) = self.follow(url, None, None).await?.ok_or_else(unexpected)?;
            let bytes = self.body(&url, &mut response).await?;
            let (content_type, _) = content_type(response.headers());
            Ok(RawFile { url, bytes, content_type })
        };
        self.in_time(url, everything).await
    }

    async fn in_time<T>(
        &self,
        url: &Url,
        everything: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        match tokio::time::timeout(self.limits.total, everything).await {
            Ok(fetched) => fetched,
            Err(_) => Err(FetchError::Timeout { place: Place::of(url), phase: Phase::Total }),
        }
    }

    /// Caches pages in this store from now on, and makes conditional requests.
    pub fn set_page_cache(&mut self, page_cache: Arc<dyn PageCache>) {
        self.page_cache = Some(page_cache);
    }

    /// The page at `url` as it is now: sent again, or kept and said to be unchanged.
    pub async fn page(&self, url: &Url) -> Result<Page, FetchError> {
        let kept = match &self.page_cache {
            Some(page_cache) => page_cache.kept(url).await.filter(|page| page.validators != Validators::default()),
            None => None,
        };
        let unexpected = || FetchError::Status { place: Place::of(url), code: 304, retry_after: None };
        match (self.get(url, kept.as_ref().map(|page| &page.validators)).await?, kept) {
            (Fetched::NotModified, kept) => kept.ok_or_else(unexpected),
            (Fetched::Body(page), _) => {
                // After a redirect the validators belong to another address.
                if let Some(page_cache) = self.page_cache.as_ref().filter(|_| page.url == *url) {
                    page_cache.keep(&page).await;
                }
                Ok(page)
            }
        }
    }

    /// Follows redirects manually, so that each new address is checked like the first. `None`: not modified.
    async fn follow(
        &self,
        start: &Url,
        validators: Option<&Validators>,
        key: Option<HeaderKey<'_>>,
    ) -> Result<Option<(Url, Response)>, FetchError> {
        let mut url = start.clone();
        let mut seen = HashSet::new();
        for _ in 0..=self.limits.max_redirects {
            // The same address again, without a cookie that could make it another page: it never ends.
            if !seen.insert(url.clone()) {
                return Err(FetchError::RedirectLoop { place: Place::of(&url) });
            }
            let key = key.filter(|_| url.origin() == start.origin());
            let response = self.ask(&url, validators, key).await?;
            let status = response.status();
            if status == StatusCode::NOT_MODIFIED && validators.is_some() {
                return Ok(None);
            }
            if is_redirect(status) {
                url = next_stop(&url, response.headers().get(header::LOCATION))
                    .map_err(|why| FetchError::Refused { place: Place::of(&url), why })?;
                continue;
            }
            if !status.is_success() {
                let retry_after = retry_after(response.headers());
                return Err(FetchError::Status { place: Place::of(&url), code: status.as_u16(), retry_after });
            }
            return Ok(Some((url, response)));
        }
        Err(FetchError::TooManyRedirects { place: Place::of(start), limit: self.limits.max_redirects })
    }

    async fn ask(
        &self,
        url: &Url,
        validators: Option<&Validators>,
        key: Option<HeaderKey<'_>>,
    ) -> Result<Response, FetchError> {
        let client = self.client_for(url)?;
        let mut headers = validators.map(Validators::as_headers).unwrap_or_default();
        if let Some((name, key)) = key
            && let Ok(mut value) = HeaderValue::from_str(key.expose_secret())
        {
            // A request that is printed shows "Sensitive".
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        client.get(url.clone()).headers(headers).send().await.map_err(|error| sort_out(url, error))
    }

    /// Posts this JSON once, under the same rules about where one may go. No redirect is followed: the answer is what came back.
    /// `within`: until the status is there, instead of the limit for pages.
    ///
    /// # Errors
    /// The address is refused, or there was no answer in time.
    pub async fn post(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: String,
        within: Duration,
    ) -> Result<Posted, FetchError> {
        self.may_post(url)?;
        let client = self.client_for(url)?;
        let mut request = client.post(url.clone()).header(header::CONTENT_TYPE, "application/json").body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let timeout = |_| FetchError::Timeout { place: Place::of(url), phase: Phase::Total };
        let sent = tokio::time::timeout(within, request.send()).await.map_err(timeout)?;
        let mut response = sent.map_err(|error| sort_out(url, error))?;
        let (status, mut bytes) = (response.status().as_u16(), Vec::new());
        // The status is the answer; an answer whose rest does not come is one all the same.
        let rest = async {
            while bytes.len() < MOST_SAID {
                let Ok(Some(chunk)) = response.chunk().await else { break };
                bytes.extend_from_slice(&chunk);
            }
        };
        let _ = tokio::time::timeout(SAID_WITHIN, rest).await;
        bytes.truncate(MOST_SAID);
        Ok(Posted { status, said: String::from_utf8_lossy(&bytes).into_owned() })
    }

    /// Whether something may be posted there, as far as that is known before its name is resolved: https to a public address, or to a
    /// host that the office allowed by name.
    ///
    /// # Errors
    /// The address is refused.
    pub fn may_post(&self, url: &Url) -> Result<(), FetchError> {
        if url.scheme() == "http" && !self.allowed.contains(url) {
            return Err(FetchError::Refused { place: Place::of(url), why: Refusal::NotEncrypted });
        }
        self.client_for(url).map(|_| ())
    }

    fn client_for(&self, url: &Url) -> Result<&Client, FetchError> {
        let refused = |why| FetchError::Refused { place: Place::of(url), why };
        check_url(url).map_err(refused)?;
        match &self.anywhere {
            Some(anywhere) if self.allowed.contains(url) => Ok(anywhere),
            _ if literal_host_is_public(url) => Ok(&self.public),
            _ => Err(refused(Refusal::NotPublic)),
        }
    }

    /// Reads the body to its end or to the limit. A body over the limit is an error: half an agenda must never
    /// count as a whole one.
    async fn body(&self, url: &Url, response: &mut Response) -> Result<Vec<u8>, FetchError> {
        let limit = self.limits.max_bytes;
        let too_large = || FetchError::TooLarge { place: Place::of(url), limit };
        if response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        // Chunks come decompressed, so a small file that unpacks into a huge one is stopped here too.
        while let Some(chunk) = response.chunk().await.map_err(|error| sort_out(url, error))? {
            if bytes.len() + chunk.len() > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    async fn read(&self, url: Url, mut response: Response) -> Result<Page, FetchError> {
        let bytes = self.body(&url, &mut response).await?;
        let headers = response.headers();
        let (content_type, label) = content_type(headers);
        let text = charset::decode(&bytes, label.as_deref())
            .map_err(|source| FetchError::Charset { place: Place::of(&url), source })?;
        let validators = Validators::of(headers);
        Ok(Page { url, text, content_type, validators })
    }
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        Self { etag: text_of(headers, header::ETAG), last_modified: text_of(headers, header::LAST_MODIFIED) }
    }

    fn as_headers(&self) -> HeaderMap {
        let pairs = [(header::IF_NONE_MATCH, &self.etag), (header::IF_MODIFIED_SINCE, &self.last_modified)];
        pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name, HeaderValue::from_str(value.as_deref()?).ok()?)))
            .collect()
    }
}

fn client(limits: &FetchLimits, user_agent: &str, resolver: Resolver) -> Result<Client, reqwest::Error> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("text/html, application/json, application/xml, */*;q=0.8"));
    headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("fr, *;q=0.5"));
    Client::builder()
        .user_agent(user_agent)
        .default_headers(headers)
        .connect_timeout(limits.connect)
        .read_timeout(limits.idle)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // A proxy would resolve the names itself, and where we end up would be its decision.
        .no_proxy()
        .dns_resolver(resolver)
        .build()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Public,
    Anywhere,
}

/// Resolves a name once; the connection uses this result, so that a second DNS answer cannot change it.
#[derive(Debug, Clone)]
struct Resolver {
    names: Arc<KnownNames>,
    reach: Reach,
}

/// A name has addresses, but none that is allowed.
#[derive(Debug, thiserror::Error)]
#[error("the name has no public address")]
struct NoPublicAddress;

impl Resolver {
    async fn addresses(self, name: String) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
        let found: Vec<SocketAddr> = match self.names.get(&name) {
            Some(known) => known.iter().map(|ip| SocketAddr::new(*ip, 0)).collect(),
            None => tokio::net::lookup_host((name, 0)).await?.collect(),
        };
        let may_be_gone_to = |address: &SocketAddr| self.reach == Reach::Anywhere || is_public(address.ip());
        let checked: Vec<SocketAddr> = found.into_iter().filter(may_be_gone_to).collect();
        if checked.is_empty() { Err(NoPublicAddress.into()) } else { Ok(checked) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.clone().addresses(name.as_str().to_owned());
        Box::pin(async move { Ok(Box::new(addresses.await?.into_iter()) as Addrs) })
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect leads. Whether one may go there is asked again when it is asked.
fn next_stop(from: &Url, location: Option<&HeaderValue>) -> Result<Url, Refusal> {
    // WordPress writes accents of a path as they are, in UTF-8.
    let location = location.and_then(|value| std::str::from_utf8(value.as_bytes()).ok()).ok_or(Refusal::BadRedirect)?;
    let to = from.join(location).map_err(|_| Refusal::BadRedirect)?;
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(Refusal::Downgrade);
    }
    Ok(to)
}

/// `Retry-After` in seconds, or as a date against the site's own clock, which is the one it was reckoned by.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text_of(headers, header::RETRY_AFTER)?;
    let wait = match value.trim().parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = DateTime::parse_from_rfc2822(value.trim()).ok()?;
            let now = DateTime::parse_from_rfc2822(text_of(headers, header::DATE)?.trim()).ok()?;
            (until - now).to_std().unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// `text/html` and `utf-8` out of `Content-Type: text/html; charset="UTF-8"`.
fn content_type(headers: &HeaderMap) -> (Option<String>, Option<String>) {
    let Some(value) = text_of(headers, header::CONTENT_TYPE) else { return (None, None) };
    let value = value.to_ascii_lowercase();
    let mut parts = value.split(';').map(str::trim);
    let kind = parts.next().filter(|kind| !kind.is_empty()).map(str::to_owned);
    let charset = parts.find_map(|part| Some(part.strip_prefix("charset")?.trim_start().strip_prefix('=')?.trim()));
    (kind, charset.map(|label| label.trim_matches(['"', '\'']).to_owned()))
}

fn text_of(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Finds in the client's error what it means for the caller.
fn sort_out(url: &Url, error: reqwest::Error) -> FetchError {
    let place = Place::of(url);
    // Its text would show the query string.
    let error = error.without_url();
    if chain(&error).any(|cause| cause.is::<NoPublicAddress>()) {
        FetchError::Refused { place, why: Refusal::NotPublic }
    } else if error.is_timeout() {
        FetchError::Timeout { place, phase: if error.is_connect() { Phase::Connect } else { Phase::Idle } }
    } else if error.is_dns() {
        FetchError::Dns { place, source: error.into() }
    } else if chain(&error).any(is_tls) {
        FetchError::Tls { place, source: error.into() }
    } else if error.is_connect() {
        FetchError::Connect { place, source: error.into() }
    } else {
        FetchError::Interrupted { place, source: error.into() }
    }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    // An `io::Error` hides what it carries from `source()`, and here one may carry another.
    match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(carried) => is_tls(carried),
        None => cause.is::<rustls::Error>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_redirect_never_leaves_https() {
        let from = url("https://office.example/blog/");
        let next = |location: &'static str| next_stop(&from, Some(&HeaderValue::from_static(location)));
        assert_eq!(next("../autre?x=1").unwrap(), url("https://office.example/autre?x=1"));
        assert_eq!(next("//www.office.example/").unwrap(), url("https://www.office.example/"));
        assert_eq!(next("http://office.example/"), Err(Refusal::Downgrade));
        assert_eq!(next("http://["), Err(Refusal::BadRedirect));
        assert_eq!(next_stop(&from, None), Err(Refusal::BadRedirect));
        let accent = HeaderValue::from_bytes("/fête/".as_bytes()).unwrap();
        assert_eq!(next_stop(&from, Some(&accent)).unwrap(), url("https://office.example/f%C3%AAte/"));
    }

    #[test]
    fn retry_after_is_read_in_both_its_forms() {
        let wait = |pairs: &[(HeaderName, &'static str)]| retry_after(&headers(pairs));
        assert_eq!(wait(&[(header::RETRY_AFTER, "120")]), Some(Duration::from_secs(120)));
        let date = (header::DATE, "Sat, 10 Jul 2027 06:00:00 GMT");
        assert_eq!(
            wait(&[(header::RETRY_AFTER, "Sat, 10 Jul 2027 06:05:00 GMT"), date.clone()]),
            Some(Duration::from_secs(300))
        );
        assert_eq!(wait(&[(header::RETRY_AFTER, "Sat, 10 Jul 2027 05:00:00 GMT"), date]), Some(Duration::ZERO));
        assert_eq!(wait(&[(header::RETRY_AFTER, "18446744073709551615")]), Some(LONGEST_RETRY_AFTER));
        assert_eq!(wait(&[(header::RETRY_AFTER, "soon")]), None);
        assert_eq!(wait(&[]), None);
    }

    #[test]
    fn the_content_type_gives_kind_and_charset() {
        let read = |value: &'static str| content_type(&headers(&[(header::CONTENT_TYPE, value)]));
        let pair = |kind: &str, charset: &str| (Some(kind.to_owned()), Some(charset.to_owned()));
        assert_eq!(read("text/html; charset=UTF-8"), pair("text/html", "utf-8"));
        assert_eq!(read("Application/RSS+XML ;  Charset = \"iso-8859-1\""), pair("application/rss+xml", "iso-8859-1"));
        assert_eq!(read("text/html"), (Some("text/html".to_owned()), None));
    }

    #[tokio::test]
    async fn the_resolver_returns_only_checked_addresses() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let names = KnownNames::from([
            ("mixed.example".to_owned(), vec![ip("10.0.0.1"), ip("8.8.8.8"), ip("::ffff:127.0.0.1")]),
            ("home.example".to_owned(), vec![ip("127.0.0.1")]),
        ]);
        let ask = |reach, name: &str| Resolver { names: Arc::new(names.clone()), reach }.addresses(name.to_owned());
        let only_public = ask(Reach::Public, "mixed.example").await.unwrap();
        assert_eq!(only_public, [SocketAddr::new(ip("8.8.8.8"), 0)]);
        assert!(ask(Reach::Public, "home.example").await.unwrap_err().is::<NoPublicAddress>());
        assert!(ask(Reach::Public, "localhost").await.unwrap_err().is::<NoPublicAddress>());
        assert_eq!(ask(Reach::Anywhere, "home.example").await.unwrap().len(), 1);
    }
}
