//! Where the console for staff listens, and under which address people reach it: section `[console]`.

use crate::toml_reader::Section;
use std::net::SocketAddr;
use url::Url;

/// The console. Closed until there is an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsoleSettings {
    /// Where `serve` listens; without it there is no console.
    pub bind: Option<SocketAddr>,
    /// The address people type; `None`: that of `bind`, which is on loopback then.
    pub url: Option<Url>,
}

impl ConsoleSettings {
    /// Reads the section `[console]`. `others`: addresses of the other listeners; `public`: where partners reach their pages.
    pub fn read(section: &Section, others: &[Option<SocketAddr>], public: &Url) -> Self {
        let bind: Option<SocketAddr> = section.parsed("bind", |text| {
            text.parse().map_err(|_| "expected an address and a port such as \"127.0.0.1:8090\"")
        });
        if bind.is_some_and(|bind| bind.port() != 0 && others.contains(&Some(bind))) {
            section.problem("bind", "expected another address than those of web.bind and metrics.bind");
        }
        let url = section.parsed("url", console_url);
        if bind.is_some_and(|bind| !bind.ip().is_loopback()) && !section.has("url") {
            section
                .problem("url", "missing; write the address people type, such as \"https://console.office.example\"");
        }
        if url.as_ref().is_some_and(|url| !is_local(url) && url.host_str() == public.host_str()) {
            section.problem("url", "expected another host than that of public_url: pages of partners share no cookies");
        }
        Self { bind, url }
    }

    /// The address of a page; `path` without a slash before it.
    pub fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.origin(self.bind))
    }

    /// It listens, and something before it has the certificate.
    pub fn is_behind_a_proxy(&self) -> bool {
        self.bind.is_some() && self.url.as_ref().is_some_and(|url| url.scheme() == "https")
    }

    /// Scheme, host and port. `bound`: where the listener is, if `bind` leaves the port to the system.
    pub fn origin(&self, bound: Option<SocketAddr>) -> String {
        match (&self.url, bound.or(self.bind)) {
            (Some(url), _) => url.origin().ascii_serialization(),
            (None, Some(bound)) => format!("http://{bound}"),
            (None, None) => "http://127.0.0.1".to_owned(),
        }
    }
}

fn is_local(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// https, or loopback: elsewhere browsers send no `Sec-Fetch-Site`, and passwords could be read on the way.
fn console_url(text: &str) -> Result<Url, &'static str> {
    let expected = "expected an address without a path such as https://console.office.example";
    let url: Url = text.parse().map_err(|_| expected)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(expected);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_local(&url) => Ok(url),
        "http" => {
            Err("expected https: passwords could be read on the way (http only on loopback, or through an SSH tunnel)")
        }
        _ => Err(expected),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::toml_reader::Overrides;

    fn said(text: &str) -> String {
        let path = std::path::Path::new("/srv/semainier.toml");
        match Config::parse(Some(path), text, &Overrides::default()) {
            Ok(config) => config.console.address("invitation/x"),
            Err(problems) => problems.to_string(),
        }
    }

    #[test]
    fn the_console_is_reached_over_https_or_on_loopback() {
        let at = |url: &str| said(&format!("[console]\nbind = \"127.0.0.1:8090\"\nurl = \"{url}\""));
        assert_eq!(at("https://console.office.test"), "https://console.office.test/invitation/x");
        assert_eq!(at("http://localhost:9000/"), "http://localhost:9000/invitation/x");
        assert_eq!(said("[console]\nbind = \"127.0.0.1:8090\""), "http://127.0.0.1:8090/invitation/x");
        for (url, words) in [
            ("http://console.office.test", "console.url: expected https"),
            ("http://192.168.1.2:8090", "console.url: expected https"),
            ("https://console.office.test/console", "without a path"),
            ("https://me@console.office.test", "without a path"),
            ("console.office.test", "expected an address"),
        ] {
            assert!(at(url).contains(words), "{url}: {}", at(url));
        }
    }

    #[test]
    fn it_has_a_host_and_a_listener_of_its_own() {
        let own = said("public_url = \"https://a.test\"\n[console]\nurl = \"https://a.test:8443\"");
        assert!(own.contains("another host than that of public_url"), "{own}");
        let twice = said("[web]\nbind = \"127.0.0.1:8080\"\n[console]\nbind = \"127.0.0.1:8080\"");
        assert!(twice.contains("console.bind: expected another address"), "{twice}");
        let open = said("[console]\nbind = \"0.0.0.0:8090\"");
        assert!(open.contains("console.url: missing"), "{open}");
    }
}
