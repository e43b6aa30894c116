//! Which addresses the HTTP client may connect to: the public internet, and hosts the office allowed by name.
//!
//! A URL comes from a configuration file, and a redirect from whatever server answered: without this rule it could make
//! the daemon read cloud metadata or services of its own machine (SSRF). Contains only the rule; opens no connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::Deserialize;
use url::{Host, Url};

/// Why an address is refused. The text is for logs; [`Refusal::in_french`] is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("only http and https are fetched")]
    Scheme,
    #[error("the address carries a user name or a password")]
    Credentials,
    #[error("the host is a private, local or reserved address")]
    NotPublic,
    #[error("events go over https; plain http is for hosts allowed by name")]
    NotEncrypted,
    #[error("a redirect leads from https to http")]
    Downgrade,
    #[error("a redirect leads nowhere readable")]
    BadRedirect,
}

impl Refusal {
    pub fn in_french(self) -> &'static str {
        match self {
            Self::Scheme => "seules les adresses http et https sont lues",
            Self::Credentials => "l’adresse contient un nom d’utilisateur ou un mot de passe",
            Self::NotPublic => "l’adresse n’est pas sur l’internet public",
            Self::NotEncrypted => "l’adresse n’est pas en https",
            Self::Downgrade => "une redirection mène d’une page sécurisée vers une page qui ne l’est pas",
            Self::BadRedirect => "une redirection ne mène à aucune adresse lisible",
        }
    }
}

/// Checks the URL alone. A host *name* passes here: its addresses are checked when it is resolved.
pub fn check_url(url: &Url) -> Result<(), Refusal> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refusal::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::Credentials);
    }
    Ok(())
}

/// False for a URL whose host is written as an address outside the public internet.
/// `http://2130706433/` and `http://0177.1/` are seen too: `url` has turned them into `127.0.0.1` by now.
pub fn literal_host_is_public(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => is_public(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => is_public(IpAddr::V6(ip)),
        Some(Host::Domain(_)) => true,
        None => false,
    }
}

/// Whether this is an address of the public internet: nothing private, local, reserved, or that wraps another one.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

/// IANA's special-purpose registry, without the globally reachable entries.
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)                 // this network, private, loopback
            | (100, 64..=127, _)             // carrier-grade NAT
            | (169, 254, _)                  // link-local: the metadata service of clouds
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)                // protocol assignments, documentation
            | (192, 88, 99)                  // 6to4 relays
            | (198, 18..=19, _)              // benchmarks
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, _, _) // multicast, reserved, broadcast
    );
    !special
}

/// Only global unicast, 2000::/3, is let through. Everything that embeds an IPv4 address or stays at home is outside
/// of it (::ffff:0:0/96, NAT64 64:ff9b::/96, fc00::/7, fe80::/10, ff00::/8), but for the five named here.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let segments = ip.segments();
    let global_unicast = segments[0] & 0xe000 == 0x2000;
    let special = match segments {
        [0x2001, b, ..] if b < 0x0200 => true, // protocol assignments: Teredo, ORCHID, benchmarks
        [0x2001, 0x0db8, ..] => true,          // documentation
        [0x2002, ..] => true,                  // 6to4 wraps an IPv4 address
        [0x3fff, b, ..] if b < 0x1000 => true, // documentation
        _ => false,
    };
    global_unicast && !special
}

/// Hosts that may be fetched although they are private or loopback: `intranet.office.example`, `127.0.0.1:8080`, `[::1]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct AllowedHosts(Vec<AllowedHost>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct AllowedHost {
    host: Host<String>,
    /// `None`: on any port.
    port: Option<u16>,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected a host or host:port such as intranet.office.example:8080, got {0:?}")]
pub struct InvalidHost(String);

impl AllowedHosts {
    /// Only the public internet.
    pub fn none() -> Self {
        Self::default()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, url: &Url) -> bool {
        let Some(host) = url.host() else { return false };
        let port = url.port_or_known_default();
        self.0.iter().any(|allowed| allowed.host == host && (allowed.port.is_none() || allowed.port == port))
    }
}

impl FromStr for AllowedHost {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || InvalidHost(text.to_owned());
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port.parse().map_err(|_| bad())?)),
            _ => (text, None),
        };
        Ok(Self { host: Host::parse(host).map_err(|_| bad())?, port })
    }
}

impl TryFrom<Vec<String>> for AllowedHosts {
    type Error = InvalidHost;

    fn try_from(hosts: Vec<String>) -> Result<Self, Self::Error> {
        hosts.iter().map(|host| host.parse()).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for AllowedHosts {
    type Err = InvalidHost;

    /// Hosts separated by commas or white space.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hosts = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|host| !host.is_empty());
        hosts.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn public_addresses_are_allowed() {
        for ip in ["1.1.1.1", "8.8.8.8", "100.63.0.1", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["2606:4700:4700::1111", "2001:4860:4860::8888", "2a01:e0a::1", "2001:200::1"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn private_and_embedded_addresses_are_refused() {
        let v4 = "0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.9.9.9 169.254.169.254 172.16.0.1 \
                  172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 \
                  224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255";
        let v6 = ":: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b:1::1 100::1 2001::1 \
                  2001:db8::1 2002:7f00:1::1 3fff::1 fc00::1 fd12::1 fe80::1 fec0::1 ff02::1";
        for ip in v4.split_whitespace().chain(v6.split_whitespace()) {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn every_notation_of_loopback_is_recognised() {
        for text in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://0x7f.1/",
            "http://127.1/",
            "http://①②⑦.0.0.1/",
            "http://127.0.0.1./",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://0/",
        ] {
            assert!(!literal_host_is_public(&url(text)), "{text}");
        }
        assert!(literal_host_is_public(&url("https://office.example/")));
    }

    #[test]
    fn only_http_without_credentials_is_fetched() {
        for text in ["file:///etc/passwd", "ftp://office.example/", "gopher://office.example/", "data:text/html,x"] {
            assert_eq!(check_url(&url(text)), Err(Refusal::Scheme), "{text}");
        }
        assert_eq!(check_url(&url("https://office.example@evil.example/")), Err(Refusal::Credentials));
        assert_eq!(check_url(&url("https://office.example/blog")), Ok(()));
    }

    #[test]
    fn an_allowed_host_with_a_port_is_allowed_on_that_port_only() {
        let allowed: AllowedHosts = "intranet.example, 127.0.0.1:8080 [::1]:80".parse().unwrap();
        for text in
            ["http://intranet.example/", "https://INTRANET.example:8443/", "http://127.0.0.1:8080/x", "http://[::1]/"]
        {
            assert!(allowed.contains(&url(text)), "{text}");
        }
        for text in ["http://127.0.0.1/", "http://127.0.0.1:8081/", "http://[::1]:81/", "http://x.intranet.example/"] {
            assert!(!allowed.contains(&url(text)), "{text}");
        }
        assert!(!AllowedHosts::none().contains(&url("http://localhost/")));
    }

    #[test]
    fn an_invalid_host_is_reported() {
        assert!("https://intranet.example".parse::<AllowedHosts>().is_err());
        assert!("intranet.example:port".parse::<AllowedHosts>().is_err());
    }
}
