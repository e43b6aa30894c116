//! The relay as configured: `smtp://…`, `smtps://…` or `capture:DIR`, parsed once.
//!
//! Never shows the password, and refuses to send one over an unencrypted connection.

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use std::{
    fmt,
    path::PathBuf,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// The relay that accepts our mail.
#[derive(Debug, Clone)]
pub enum Relay {
    Smtp(SmtpRelay),
    /// No relay: each message becomes a file in this directory.
    Capture(PathBuf),
}

#[derive(Debug, Clone)]
pub struct SmtpRelay {
    /// A name, or an address without brackets.
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub login: Option<Login>,
    pub chunking: Chunking,
    /// What EHLO says we are; `None`: [`super::hello`].
    pub hello: Option<String>,
}

/// Whether messages are sent with BDAT if the relay supports CHUNKING (RFC 3030), which saves a round trip. Not if the
/// configuration says `chunking=no`; and no more, for the lifetime of the daemon, once the relay turned out not to
/// support BDAT, or its replies to it could not be distinguished from others.
#[derive(Debug, Clone)]
pub struct Chunking(Arc<AtomicBool>);

impl Chunking {
    fn new(wanted: bool) -> Self {
        Self(Arc::new(AtomicBool::new(wanted)))
    }

    pub(super) fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// For all connections opened from now on.
    pub(super) fn end(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// How the connection is protected. In all cases a password is only sent under TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte (`smtps://`).
    Implicit,
    /// STARTTLS is required.
    Required,
    /// STARTTLS if the relay offers it.
    Opportunistic,
    None,
}

#[derive(Debug, Clone)]
pub struct Login {
    pub user: String,
    pub password: SecretString,
}

/// Why a text is not a valid relay: what was expected, without repeating a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRelay {
    #[error("expected smtp://HOST:PORT, smtps://HOST:PORT or capture:DIRECTORY")]
    Scheme,
    #[error("expected a host after the scheme, as in smtps://USER:PASSWORD@mail.example.org:465")]
    Host,
    #[error("expected a port between 1 and 65535")]
    Port,
    #[error("expected USER:PASSWORD before @; characters such as @ : / % are written %40 %3A %2F %25")]
    Login,
    #[error("a user without a password: write USER:PASSWORD@, or set relay_password or relay_password_file")]
    NoPassword,
    #[error("expected tls=none, tls=starttls or tls=required, got {0:?}")]
    Tls(String),
    #[error("smtps:// is TLS from the first byte: remove tls=…")]
    TlsTwice,
    #[error("a password is never sent in clear: use smtps:// or tls=required instead of tls=none")]
    PasswordInClear,
    #[error("expected chunking=no, or nothing: BDAT is used where the relay announces it, got {0:?}")]
    Chunking(String),
    #[error("expected nothing after the port but ?tls=… and chunking=no, got {0:?}")]
    Unknown(String),
    #[error("expected a directory after capture:")]
    Directory,
}

impl FromStr for Relay {
    type Err = InvalidRelay;

    fn from_str(text: &str) -> Result<Self, InvalidRelay> {
        Self::parse(text, None)
    }
}

impl Relay {
    /// `password` is for a user without one in `text`; it comes from a file, so that it is not in the configuration.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn parse(text: &str, password: Option<&SecretString>) -> Result<Self, InvalidRelay> {
        let text = text.trim();
        if let Some(directory) = text.strip_prefix("capture:") {
            return if directory.is_empty() {
                Err(InvalidRelay::Directory)
            } else {
                Ok(Relay::Capture(directory.into()))
            };
        }
        let (implicit, rest) = match text.split_once("://") {
            Some(("smtp", rest)) => (false, rest),
            Some(("smtps", rest)) => (true, rest),
            _ => return Err(InvalidRelay::Scheme),
        };
        let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
        let place = place.strip_suffix('/').unwrap_or(place);
        // The last @: an unescaped @ in a password still leaves the host intact.
        let (login, host_port) = match place.rsplit_once('@') {
            Some((login, host_port)) => (Some(parse_login(login, password)?), host_port),
            None => (None, place),
        };
        if let Some((_, path)) = host_port.split_once('/') {
            return Err(InvalidRelay::Unknown(format!("/{path}")));
        }
        let (host, port) = parse_place(host_port)?;
        let (tls, chunking) = parse_query(query)?;
        let tls = parse_tls(implicit, login.is_some(), tls)?;
        if login.is_some() && tls == Tls::None {
            return Err(InvalidRelay::PasswordInClear);
        }
        let port = port.unwrap_or(match (implicit, &login) {
            (true, _) => 465,
            (false, Some(_)) => 587,
            (false, None) => 25,
        });
        Ok(Relay::Smtp(SmtpRelay { host, port, tls, login, chunking, hello: None }))
    }
}

fn parse_login(text: &str, password: Option<&SecretString>) -> Result<Login, InvalidRelay> {
    let decode = |part: &str| percent_decode_str(part).decode_utf8().map(String::from).map_err(|_| InvalidRelay::Login);
    match (text.split_once(':'), password) {
        (Some((user, password)), _) if !user.is_empty() && !password.is_empty() => {
            Ok(Login { user: decode(user)?, password: decode(password)?.into() })
        }
        (None, Some(password)) if !text.is_empty() => Ok(Login { user: decode(text)?, password: password.clone() }),
        (None, None) if !text.is_empty() => Err(InvalidRelay::NoPassword),
        _ => Err(InvalidRelay::Login),
    }
}

/// `mail.example.org:587`, `192.0.2.1`, `[2001:db8::1]:25`
fn parse_place(text: &str) -> Result<(String, Option<u16>), InvalidRelay> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']').ok_or(InvalidRelay::Host)?;
            let address: std::net::Ipv6Addr = address.parse().map_err(|_| InvalidRelay::Host)?;
            let port = if after.is_empty() { None } else { Some(after.strip_prefix(':').ok_or(InvalidRelay::Port)?) };
            (address.to_string(), port)
        }
        None => {
            let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
            match url::Host::parse(host) {
                Ok(host @ (url::Host::Domain(_) | url::Host::Ipv4(_))) => (host.to_string(), port),
                _ => return Err(InvalidRelay::Host),
            }
        }
    };
    let port = match port.map(str::parse::<u16>) {
        None => None,
        Some(Ok(port)) if port > 0 => Some(port),
        Some(_) => return Err(InvalidRelay::Port),
    };
    Ok((host, port))
}

/// `tls=…&chunking=no`: the TLS mode, and the rest.
fn parse_query(query: Option<&str>) -> Result<(Option<&str>, Chunking), InvalidRelay> {
    let (mut tls, mut chunking) = (None, true);
    for part in query.unwrap_or_default().split('&').filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("tls", word)) => tls = Some(word),
            Some(("chunking", "no")) => chunking = false,
            Some(("chunking", other)) => return Err(InvalidRelay::Chunking(other.to_owned())),
            _ => return Err(InvalidRelay::Unknown(format!("?{part}"))),
        }
    }
    Ok((tls, Chunking::new(chunking)))
}

fn parse_tls(implicit: bool, with_login: bool, word: Option<&str>) -> Result<Tls, InvalidRelay> {
    match (implicit, word) {
        (true, None) => Ok(Tls::Implicit),
        (true, Some(_)) => Err(InvalidRelay::TlsTwice),
        (false, Some("none")) => Ok(Tls::None),
        (false, Some("starttls")) => Ok(Tls::Opportunistic),
        (false, Some("required")) => Ok(Tls::Required),
        (false, Some(other)) => Err(InvalidRelay::Tls(other.to_owned())),
        (false, None) if with_login => Ok(Tls::Required),
        (false, None) => Ok(Tls::Opportunistic),
    }
}

/// Without user or password: for logs and screens.
impl fmt::Display for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Relay::Smtp(relay) => relay.fmt(f),
            Relay::Capture(directory) => write!(f, "capture:{}", directory.display()),
        }
    }
}

impl fmt::Display for SmtpRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls == Tls::Implicit { "smtps" } else { "smtp" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn smtp(text: &str) -> SmtpRelay {
        match text.parse() {
            Ok(Relay::Smtp(relay)) => relay,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_relay_is_read_with_the_defaults_of_its_kind() {
        for (text, host, port, tls, login) in [
            ("smtp://localhost", "localhost", 25, Tls::Opportunistic, false),
            ("smtp://127.0.0.1:2525?tls=none", "127.0.0.1", 2525, Tls::None, false),
            ("smtp://u:p@mail.example.org", "mail.example.org", 587, Tls::Required, true),
            ("smtp://u:p@mail.example.org:25/?tls=starttls", "mail.example.org", 25, Tls::Opportunistic, true),
            ("smtps://u:p@mail.example.org", "mail.example.org", 465, Tls::Implicit, true),
            ("smtps://[2001:db8::1]:4650", "2001:db8::1", 4650, Tls::Implicit, false),
            ("smtp://localhost?tls=none&chunking=no", "localhost", 25, Tls::None, false),
            ("smtps://localhost?chunking=no", "localhost", 465, Tls::Implicit, false),
        ] {
            let relay = smtp(text);
            assert_eq!(relay.chunking.is_on(), !text.contains("chunking=no"), "{text}");
            assert_eq!(
                (&*relay.host, relay.port, relay.tls, relay.login.is_some()),
                (host, port, tls, login),
                "{text}"
            );
        }
        assert!(
            matches!("capture:out/mail".parse(), Ok(Relay::Capture(dir)) if dir == std::path::Path::new("out/mail"))
        );
    }

    #[test]
    fn problems_are_reported() {
        for (text, why) in [
            ("mail.example.org", InvalidRelay::Scheme),
            ("http://a", InvalidRelay::Scheme),
            ("smtp://", InvalidRelay::Host),
            ("smtp://a b", InvalidRelay::Host),
            ("smtp://[zz]", InvalidRelay::Host),
            ("smtp://a:0", InvalidRelay::Port),
            ("smtp://a:99999", InvalidRelay::Port),
            ("smtp://user@a", InvalidRelay::NoPassword),
            ("smtp://u:%FF@a", InvalidRelay::Login),
            ("smtp://a?tls=maybe", InvalidRelay::Tls("maybe".into())),
            ("smtp://a?starttls", InvalidRelay::Unknown("?starttls".into())),
            ("smtp://a?chunking=yes", InvalidRelay::Chunking("yes".into())),
            ("smtp://a?tls=none&x=1", InvalidRelay::Unknown("?x=1".into())),
            ("smtp://a/inbox", InvalidRelay::Unknown("/inbox".into())),
            ("smtps://a?tls=none", InvalidRelay::TlsTwice),
            ("smtp://u:p@127.0.0.1?tls=none", InvalidRelay::PasswordInClear),
            ("capture:", InvalidRelay::Directory),
        ] {
            match text.parse::<Relay>() {
                Err(found) => assert_eq!(found, why, "{text}"),
                Ok(relay) => panic!("{text} was read as {relay}"),
            }
        }
    }

    #[test]
    fn a_password_is_decoded_and_never_shown() {
        let relay = smtp("smtp://bureau%40auch.fr:p%2Fss:w%40rd@mail.example.org:587");
        let login = relay.login.as_ref().unwrap();
        assert_eq!((&*login.user, login.password.expose_secret()), ("bureau@auch.fr", "p/ss:w@rd"));
        let shown = format!("{relay} {relay:?}");
        assert!(!shown.contains("p/ss"), "{shown}");
        assert_eq!(relay.to_string(), "smtp://mail.example.org:587");
    }
}
