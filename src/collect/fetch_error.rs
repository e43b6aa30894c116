//! Failures to fetch a page, classified by what the caller should do.
//!
//! Texts in English for logs and in French for staff. Never shows a query string, a user name or a password: they may
//! contain keys.

use std::error::Error;
use std::time::Duration;

use url::Url;

use super::address::Refusal;
use super::charset::CharsetError;

type Cause = Box<dyn Error + Send + Sync>;

/// Why a page could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("{place} is not fetched: {why}")]
    Refused { place: Place, why: Refusal },
    #[error("the name of {place} could not be resolved")]
    Dns {
        place: Place,
        #[source]
        source: Cause,
    },
    #[error("could not connect to {place}")]
    Connect {
        place: Place,
        #[source]
        source: Cause,
    },
    #[error("no secure connection to {place}")]
    Tls {
        place: Place,
        #[source]
        source: Cause,
    },
    #[error("{place} timed out ({phase})")]
    Timeout { place: Place, phase: Phase },
    /// The answer stopped before its end, or its compression is broken.
    #[error("the answer of {place} was cut off or damaged")]
    Interrupted {
        place: Place,
        #[source]
        source: Cause,
    },
    #[error("{place} is larger than {limit} bytes")]
    TooLarge { place: Place, limit: usize },
    #[error("{place} was reached after more than {limit} redirects")]
    TooManyRedirects { place: Place, limit: usize },
    #[error("{place} was reached twice on the way of redirects")]
    RedirectLoop { place: Place },
    #[error("{place} answered {code}")]
    Status { place: Place, code: u16, retry_after: Option<Duration> },
    #[error("{place} has no readable charset")]
    Charset {
        place: Place,
        #[source]
        source: CharsetError,
    },
}

/// Which timeout expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Connect,
    /// Nothing came for too long.
    Idle,
    /// Something came, but all of it together took too long.
    Total,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Idle => "waiting for an answer",
            Self::Total => "the whole fetch",
        })
    }
}

/// A URL as it may be shown: scheme, host and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    host: String,
    shown: String,
}

impl Place {
    pub fn of(url: &Url) -> Self {
        let mut host = url.host_str().unwrap_or_default().to_owned();
        if let Some(port) = url.port() {
            host = format!("{host}:{port}");
        }
        // `data:` and its like have no host, and their path is their content.
        let shown = match url.host() {
            Some(_) => format!("{}://{host}{}", url.scheme(), url.path()),
            None => format!("{}:…", url.scheme()),
        };
        Self { host, shown }
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    /// Without a secret that is part of its path.
    pub fn hiding(mut self, secret: &str) -> Self {
        self.shown = self.shown.replace(secret, "…");
        self
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl FetchError {
    /// Without a secret that is part of the address's path.
    pub fn hiding(mut self, secret: &str) -> Self {
        match &mut self {
            Self::Refused { place, .. }
            | Self::Dns { place, .. }
            | Self::Connect { place, .. }
            | Self::Tls { place, .. }
            | Self::Timeout { place, .. }
            | Self::Interrupted { place, .. }
            | Self::TooLarge { place, .. }
            | Self::TooManyRedirects { place, .. }
            | Self::RedirectLoop { place }
            | Self::Status { place, .. }
            | Self::Charset { place, .. } => *place = place.clone().hiding(secret),
        }
        self
    }

    pub fn place(&self) -> &Place {
        match self {
            Self::Refused { place, .. }
            | Self::Dns { place, .. }
            | Self::Connect { place, .. }
            | Self::Tls { place, .. }
            | Self::Timeout { place, .. }
            | Self::Interrupted { place, .. }
            | Self::TooLarge { place, .. }
            | Self::TooManyRedirects { place, .. }
            | Self::RedirectLoop { place }
            | Self::Status { place, .. }
            | Self::Charset { place, .. } => place,
        }
    }

    /// The site or the network failed: the same request may work later; another one now would only add load.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Dns { .. } | Self::Connect { .. } | Self::Tls { .. } => true,
            Self::Timeout { .. } | Self::Interrupted { .. } => true,
            Self::Status { code, .. } => matches!(code, 408 | 425 | 429 | 500..=599),
            Self::Refused { .. } | Self::TooLarge { .. } | Self::Charset { .. } => false,
            Self::TooManyRedirects { .. } | Self::RedirectLoop { .. } => false,
        }
    }

    /// How long the site asked us to stay away; at most a day.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// One sentence for staff, without its full stop.
    pub fn in_french(&self) -> String {
        let host = self.place().host();
        match self {
            Self::Refused { why, .. } => format!("l’adresse {host} n’est pas lue\u{a0}: {}", why.in_french()),
            Self::Dns { .. } => format!("le nom {host} est introuvable sur l’internet"),
            Self::Connect { .. } => format!("la connexion au site {host} est impossible"),
            Self::Tls { .. } => format!("la connexion sécurisée au site {host} a échoué (certificat ou HTTPS)"),
            Self::Timeout { phase: Phase::Total, .. } => {
                format!("le site {host} répond trop lentement (délai dépassé)")
            }
            Self::Timeout { .. } => format!("le site {host} ne répond pas (délai dépassé)"),
            Self::Interrupted { .. } => format!("la réponse du site {host} est incomplète ou abîmée"),
            Self::TooLarge { limit, .. } => {
                format!("la page du site {host} est trop grosse (plus de {})", size_in_french(*limit))
            }
            Self::TooManyRedirects { limit, .. } => {
                format!("le site {host} renvoie plus de {limit}\u{a0}fois d’une adresse à une autre")
            }
            Self::RedirectLoop { .. } => format!("le site {host} renvoie sans fin d’une adresse à une autre"),
            Self::Status { code, .. } => format!("le site {host} a répondu {code} ({})", status_in_french(*code)),
            Self::Charset { source, .. } => {
                format!("la page du site {host} est illisible\u{a0}: {}", source.in_french())
            }
        }
    }
}

fn size_in_french(bytes: usize) -> String {
    match bytes {
        0..0x400 => format!("{bytes}\u{a0}octets"),
        0x400..0x10_0000 => format!("{}\u{a0}Ko", bytes >> 10),
        _ => format!("{}\u{a0}Mo", bytes >> 20),
    }
}

fn status_in_french(code: u16) -> &'static str {
    match code {
        401 => "identification demandée",
        403 => "accès refusé",
        404 => "page introuvable",
        408 => "délai dépassé",
        410 => "page supprimée",
        429 => "trop de demandes\u{a0}; nouvel essai plus tard",
        451 => "page retirée pour une raison légale",
        500 => "erreur interne du site",
        502..=504 => "site momentanément indisponible",
        501 | 505..=599 => "erreur du site",
        400..=499 => "demande refusée",
        _ => "réponse inattendue",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Place {
        Place::of(&url.parse().unwrap())
    }

    fn status(code: u16) -> FetchError {
        FetchError::Status {
            place: place("https://office.example/wp-json/wp/v2/posts?key=hush"),
            code,
            retry_after: None,
        }
    }

    #[test]
    fn an_error_shows_no_key() {
        let place = place("https://me:hush@office.example:8443/flux?key=hush#hush");
        assert_eq!(place.to_string(), "https://office.example:8443/flux");
        let error = FetchError::Timeout { place, phase: Phase::Idle };
        for text in [error.to_string(), error.in_french(), status(403).to_string(), format!("{:?}", status(403))] {
            assert!(!text.contains("hush"), "{text}");
        }
        assert_eq!(Place::of(&"data:text/html,hush".parse().unwrap()).to_string(), "data:…");
    }

    #[test]
    fn the_error_has_a_french_sentence_for_staff() {
        assert_eq!(status(404).in_french(), "le site office.example a répondu 404 (page introuvable)");
        let slow = FetchError::Timeout { place: place("https://office.example/"), phase: Phase::Idle };
        assert_eq!(slow.in_french(), "le site office.example ne répond pas (délai dépassé)");
        let large = FetchError::TooLarge { place: place("https://office.example/"), limit: 10 << 20 };
        assert_eq!(large.in_french(), "la page du site office.example est trop grosse (plus de 10\u{a0}Mo)");
    }

    #[test]
    fn server_errors_are_temporary_and_refusals_are_permanent() {
        for code in [408, 429, 500, 503] {
            assert!(status(code).is_temporary(), "{code}");
        }
        for code in [304, 400, 401, 403, 404, 410] {
            assert!(!status(code).is_temporary(), "{code}");
        }
    }
}
