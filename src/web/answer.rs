//! HTTP responses and their common headers: content security policy and caching.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::io::Write;

/// Nothing from other hosts, nothing inline, not in a frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// A mail in the browser has inline styles, like every mail; nothing else is allowed.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'none'; \
                           base-uri 'none'; frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox";

/// The pages of the console: its own script and style, frames of its own, and no text may become HTML in a script.
const CONSOLE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                              frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                              require-trusted-types-for 'script'; trusted-types 'none'";
/// A mail as the console shows it, in a frame of its own page: no script, no link leads anywhere, no origin.
const PREVIEW_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; \
                              frame-ancestors 'self'; sandbox";

/// Who may cache a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Personal: no cache, no search engine.
    Never,
    /// Public, may be a few minutes old.
    Minutes,
    /// Its URL changes with its content.
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

/// An HTML page.
pub(super) fn page(status: StatusCode, html: String, keep: Keep) -> Answer {
    let mut answer = Response::new(Body::from(html));
    *answer.status_mut() = status;
    set(&mut answer, header::CONTENT_TYPE, HTML);
    dress(&mut answer, keep, POLICY);
    answer
}

/// A page of the console.
pub(super) fn console(status: StatusCode, html: String) -> Answer {
    let mut answer = page(status, html, Keep::Never);
    console_headers(&mut answer, CONSOLE_POLICY);
    answer
}

/// A mail as the console shows it to somebody whose mail program loads no pictures.
const BARE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; \
                           frame-ancestors 'self'; sandbox";
/// A picture of a page: outlines and a logo, nothing that runs or loads.
const PICTURE_POLICY: &str =
    "default-src 'none'; style-src 'none'; img-src data:; base-uri 'none'; frame-ancestors 'none'; sandbox";

/// A mail, without its pictures.
pub(super) fn bare_mail(html: String) -> Answer {
    let mut answer = preview(HTML, html.into_bytes(), None);
    set(&mut answer, header::CONTENT_SECURITY_POLICY, BARE_POLICY);
    answer
}

/// A picture of a page, as SVG.
pub(super) fn picture(svg: String) -> Answer {
    let mut answer = preview("image/svg+xml", svg.into_bytes(), None);
    set(&mut answer, header::CONTENT_SECURITY_POLICY, PICTURE_POLICY);
    answer
}

/// A file to be saved.
pub(super) fn download(media_type: &str, bytes: Vec<u8>, file_name: &str) -> Answer {
    let mut answer = preview(media_type, bytes, None);
    set(&mut answer, header::CONTENT_DISPOSITION, &disposition("attachment", file_name));
    answer
}

/// A part of an issue, shown within the console.
pub(super) fn preview(media_type: &str, bytes: Vec<u8>, file_name: Option<&str>) -> Answer {
    let mut answer = Response::new(Body::from(bytes));
    set(&mut answer, header::CONTENT_TYPE, media_type);
    if let Some(name) = file_name {
        set(&mut answer, header::CONTENT_DISPOSITION, &disposition("inline", name));
    }
    dress(&mut answer, Keep::Never, PREVIEW_POLICY);
    console_headers(&mut answer, PREVIEW_POLICY);
    answer
}

/// Data for the console's own script.
pub(super) fn console_json(data: &impl serde::Serialize) -> Answer {
    let mut answer = json(StatusCode::OK, "application/json", data);
    dress(&mut answer, Keep::Never, CONSOLE_POLICY);
    console_headers(&mut answer, CONSOLE_POLICY);
    answer
}

/// Events of the console, one after the other.
pub(super) fn events(mut answer: Answer) -> Answer {
    dress(&mut answer, Keep::Never, CONSOLE_POLICY);
    console_headers(&mut answer, CONSOLE_POLICY);
    answer
}

/// After a form of the console: the browser asks for this page, and a reload sends nothing twice.
pub(super) fn see_other(path: &str) -> Answer {
    let mut answer = console(StatusCode::SEE_OTHER, String::new());
    set(&mut answer, header::LOCATION, path);
    answer
}

fn console_headers(answer: &mut Answer, policy: &str) {
    set(answer, header::CONTENT_SECURITY_POLICY, policy);
    // With no-referrer browsers send `Origin: null` with our own forms; addresses of the console hold no secret.
    set(answer, header::REFERRER_POLICY, "same-origin");
    set(answer, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
}

/// The media type of a request body; empty if there is none.
pub(super) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

pub(super) fn text(status: StatusCode, text: impl Into<Body>) -> Answer {
    let mut answer = Response::new(text.into());
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
    // Our URLs may contain a token: send no referrer.
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

/// A cached public response: its bytes, compressed too if that helps, and its ETag.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    media_type: &'static str,
    bytes: Bytes,
    gzip: Option<Bytes>,
    etag: String,
    /// The file name for a download.
    file_name: Option<String>,
    /// It is a mail, with the policy for mails.
    mail: bool,
}

impl Kept {
    pub(super) fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        let hash: String = Sha256::digest(&bytes).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let gzip = (media_type != "application/pdf").then(|| packed(&bytes)).flatten();
        Self { media_type, bytes: bytes.into(), gzip, etag: format!("\"{hash}\""), file_name: None, mail: false }
    }

    /// A mail as it was sent, shown in a browser.
    pub(super) fn mail(html: String) -> Self {
        Self { mail: true, ..Self::new(HTML, html.into_bytes()) }
    }

    pub(super) fn named(self, name: &str) -> Self {
        Self { file_name: Some(name.to_owned()), ..self }
    }

    /// Its size in memory.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + self.gzip.as_ref().map_or(0, Bytes::len)
    }

    /// The whole response, or 304 (RFC 9110 13.1.2).
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
            set(&mut answer, header::CONTENT_DISPOSITION, &disposition("inline", name));
        }
        let packed = self.gzip.as_ref().filter(|_| says(header::ACCEPT_ENCODING, "gzip"));
        if packed.is_some() {
            set(&mut answer, header::CONTENT_ENCODING, "gzip");
        }
        *answer.body_mut() = Body::from(packed.unwrap_or(&self.bytes).clone());
        answer
    }
}

/// `kind`: `inline` or `attachment`. The file name is ASCII for old browsers, UTF-8 for the others (RFC 6266).
fn disposition(kind: &str, name: &str) -> String {
    let ascii: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || ".- ".contains(c) { c } else { '-' }).collect();
    let utf8 = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{utf8}")
}

fn packed(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    let packed = encoder.finish().ok()?;
    (packed.len() < bytes.len()).then(|| packed.into())
}

/// An answer of the API.
pub(super) fn json(status: StatusCode, media_type: &str, body: &impl serde::Serialize) -> Answer {
    let mut answer = Response::new(Body::from(serde_json::to_vec(body).unwrap_or_default()));
    *answer.status_mut() = status;
    set(&mut answer, header::CONTENT_TYPE, media_type);
    dress(&mut answer, Keep::Never, POLICY);
    answer
}
