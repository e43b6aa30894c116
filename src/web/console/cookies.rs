//! The two cookies of the console: the session, and the browser that is known.
//!
//! On https their names begin with `__Host-`, so that no other host can set them, and they are `Secure`. On plain http, which is
//! allowed on loopback only, Chromium would take them as well, but Safari stores no `Secure` cookie, and without `Secure` no
//! browser takes the prefix: there they have neither.

use crate::accounts::session;
use crate::web::answer::Answer;
use axum::http::{HeaderMap, HeaderValue, header};

pub(super) const SESSION: [&str; 2] = ["semainier", "__Host-semainier"];
pub(super) const DEVICE: [&str; 2] = ["semainier-device", "__Host-semainier-device"];

/// Of a token: 256 bits in Base64.
const LENGTH: usize = 43;

/// The value of a cookie; `None` unless it is there once, as long as ours are.
pub(super) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let pairs = all.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    let mut values = pairs.filter(|(found, _)| *found == name).map(|(_, value)| value);
    let value = values.next().filter(|value| value.len() == LENGTH && value.is_ascii())?;
    values.next().is_none().then_some(value)
}

/// How long the browser keeps a cookie.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lasts {
    /// Until it is closed.
    Window,
    /// As long as a session of somebody who stays logged in.
    Kept,
    Year,
    /// It is deleted.
    No,
}

pub(super) fn set(answer: &mut Answer, name: &str, value: &str, lasts: Lasts) {
    let age = match lasts {
        Lasts::Window => String::new(),
        Lasts::Kept => format!("; Max-Age={}", session::KEPT.num_seconds()),
        Lasts::Year => format!("; Max-Age={}", 365 * 24 * 3600),
        Lasts::No => "; Max-Age=0".to_owned(),
    };
    let secure = if name.starts_with("__Host-") { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_once_and_whole() {
        let token = crate::accounts::code::token();
        let read_of = |text: &str| {
            let headers = HeaderMap::from_iter([(header::COOKIE, text.parse().unwrap())]);
            read(&headers, "semainier").map(str::to_owned)
        };
        assert_eq!(read_of(&format!("a=b; semainier={token}; c=d")), Some(token.clone()));
        for bad in ["semainier=short".to_owned(), format!("semainier={token}; semainier={token}"), format!("x={token}")]
        {
            assert_eq!(read_of(&bad), None, "{bad}");
        }
    }
}
