//! Answers and what every answer says: what a browser may do with it, and who may keep it.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::io::Write;

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// A mail shown as it was sent has its styles in place, as mail must; it may do nothing but be read.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'none'; \
                           base-uri 'none'; frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox";

/// Who may keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// It is somebody's: no cache, no search engine.
    Never,
    /// The same for everyone, and may be a few minutes old.
    Minutes,
    /// Its address changes when it does.
    Forever,
}

impl Keep {
    fn words(self) -> &'static str {
        match self {
            Keep::Never => "no-store",
            Keep::Minutes => "public, max-age=300",
            Keep::Forever => "public, max-age=31536000, immutable",
        }
    }
}

pub(super) type Answer = Response<Body>;

pub(super) const HTML: &str = "text/html; charset=utf-8";
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// A page of ours.
pub(super) fn page(status: StatusCode, html: String, keep: Keep) -> Answer {
    let mut answer = Response::new(Body::from(html));
    *answer.status_mut() = status;
    set(&mut answer, header::CONTENT_TYPE, HTML);
    dress(&mut answer, keep, POLICY);
    answer
}

/// What kind of body a request says it has; nothing where it says none.
pub(super) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

pub(super) fn text(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    set(&mut answer, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    dress(&mut answer, Keep::Never, POLICY);
    answer
}

pub(super) fn nothing(keep: Keep) -> Answer {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    dress(&mut answer, keep, POLICY);
    answer
}

pub(super) fn elsewhere(path: &str) -> Answer {
    let mut answer = text(StatusCode::FOUND, "");
    set(&mut answer, header::LOCATION, path);
    answer
}

fn dress(answer: &mut Answer, keep: Keep, policy: &'static str) {
    set(answer, header::CONTENT_SECURITY_POLICY, policy);
    set(answer, header::CACHE_CONTROL, keep.words());
    set(answer, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // An address of ours may hold a token: no other site is told of it.
    set(answer, header::REFERRER_POLICY, "no-referrer");
    set(answer, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if keep == Keep::Never {
        set(answer, ROBOTS, "noindex, nofollow");
    }
}

/// What the framework answers by itself (405, 413, a path that is no UTF-8) says what every answer says.
pub(super) fn dress_undressed(answer: &mut Answer) {
    if !answer.headers().contains_key(header::CONTENT_SECURITY_POLICY) {
        dress(answer, Keep::Never, POLICY);
    }
}

pub(super) fn set(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// A public answer made once: its bytes, packed as well where that helps, and its validator.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    media_type: &'static str,
    bytes: Bytes,
    gzip: Option<Bytes>,
    etag: String,
    /// As a browser shall name it on the disk.
    file_name: Option<String>,
    /// It was a mail, and has the policy of one.
    mail: bool,
}

impl Kept {
    pub(super) fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        let hash: String = Sha256::digest(&bytes).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let gzip = (media_type != "application/pdf").then(|| packed(&bytes)).flatten();
        Self { media_type, bytes: bytes.into(), gzip, etag: format!("\"{hash}\""), file_name: None, mail: false }
    }

    /// A mail as it was sent, to be read in a browser.
    pub(super) fn mail(html: String) -> Self {
        Self { mail: true, ..Self::new(HTML, html.into_bytes()) }
    }

    pub(super) fn named(self, name: &str) -> Self {
        Self { file_name: Some(name.to_owned()), ..self }
    }

    /// What it takes in memory.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + self.gzip.as_ref().map_or(0, Bytes::len)
    }

    /// The whole, or that the one there is still good (RFC 9110 13.1.2).
    pub(super) fn answer(&self, asked: &HeaderMap, keep: Keep) -> Answer {
        let mut answer = Response::new(Body::empty());
        dress(&mut answer, keep, if self.mail { MAIL_POLICY } else { POLICY });
        if self.mail {
            set(&mut answer, ROBOTS, "noindex");
        }
        set(&mut answer, header::ETAG, &self.etag);
        set(&mut answer, header::VARY, "accept-encoding");
        let says = |name, word: &str| {
            let values = asked.get_all(name).iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|part| {
                let part = part.trim();
                part.strip_prefix("W/").unwrap_or(part) == word
            })
        };
        if says(header::IF_NONE_MATCH, &self.etag) {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            return answer;
        }
        set(&mut answer, header::CONTENT_TYPE, self.media_type);
        if let Some(name) = &self.file_name {
            set(&mut answer, header::CONTENT_DISPOSITION, &disposition(name));
        }
        let packed = self.gzip.as_ref().filter(|_| says(header::ACCEPT_ENCODING, "gzip"));
        if packed.is_some() {
            set(&mut answer, header::CONTENT_ENCODING, "gzip");
        }
        *answer.body_mut() = Body::from(packed.unwrap_or(&self.bytes).clone());
        answer
    }
}

/// Shown in the browser, and kept under its name: ASCII for the old ones, UTF-8 for the others (RFC 6266).
fn disposition(name: &str) -> String {
    let ascii: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || ".- ".contains(c) { c } else { '-' }).collect();
    let utf8 = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("inline; filename=\"{ascii}\"; filename*=UTF-8''{utf8}")
}

fn packed(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    let packed = encoder.finish().ok()?;
    (packed.len() < bytes.len()).then(|| packed.into())
}
