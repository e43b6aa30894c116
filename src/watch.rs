//! Settings of monitoring: `[alert]` and `[metrics]` of the configuration.

use crate::secret::Credential;
use crate::toml_reader::{Raw, Section};
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use std::net::SocketAddr;
use url::Url;

/// A second channel to people beside mail, and thresholds of findings.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    pub webhook: Option<Webhook>,
    /// A program and its arguments, run without a shell. Empty: none.
    pub command: Vec<String>,
    /// Time limit of the webhook and of the command.
    pub timeout: TimeDelta,
    /// A finding is reported below this percentage of free space; 0: never.
    pub disk_free_percent: u8,
    /// A finding is reported if the last backup is older.
    pub backup_max_age: TimeDelta,
}

/// The receiver of alerts.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// `https`, or `http` to loopback.
    pub url: Url,
    /// Signs what is posted; see [`Webhook::key`].
    pub secret: Credential,
}

impl Webhook {
    /// The key of the signature (Standard Webhooks 1.0).
    ///
    /// # Errors
    /// If the file cannot be read, or the value is not a key.
    pub fn key(&self) -> Result<SecretSlice<u8>, String> {
        let secret = self.secret.read().map_err(|why| why.to_string())?;
        signing_key(&secret).map_err(str::to_owned)
    }
}

/// The endpoint for Prometheus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Not that of the public pages. `None`: no metrics are served.
    pub bind: Option<SocketAddr>,
}

impl Default for Alert {
    fn default() -> Self {
        Self {
            webhook: None,
            command: Vec::new(),
            timeout: TimeDelta::seconds(30),
            disk_free_percent: 5,
            backup_max_age: TimeDelta::days(8),
        }
    }
}

impl Alert {
    /// Reads the section `[alert]`; `secret` is its `webhook_secret`, in place or in a file.
    pub fn read(section: &Section, secret: Option<Credential>) -> Self {
        let default = Self::default();
        let url = section.parsed("webhook", webhook_url);
        if let Some(Credential::Given { value, .. }) = &secret
            && let Err(why) = signing_key(value)
        {
            section.problem("webhook_secret", why);
        }
        if url.is_some() && secret.is_none() {
            section.problem("webhook", "expected webhook_secret_file too: alerts are signed");
        }
        Self {
            webhook: url.zip(secret).map(|(url, secret)| Webhook { url, secret }),
            command: section.value("command", command).unwrap_or_default(),
            timeout: section.duration("timeout").unwrap_or(default.timeout),
            disk_free_percent: section
                .whole("disk_free_percent", 0..=100)
                .and_then(|n| u8::try_from(n).ok())
                .unwrap_or(default.disk_free_percent),
            backup_max_age: section.duration("backup_max_age").unwrap_or(default.backup_max_age),
        }
    }

    /// Whether any channel is configured.
    pub fn is_on(&self) -> bool {
        self.webhook.is_some() || !self.command.is_empty()
    }
}

impl Metrics {
    /// Reads the section `[metrics]`. `pages`: the address of the public pages.
    pub fn read(section: &Section, pages: Option<SocketAddr>) -> Self {
        let bind: Option<SocketAddr> = section.parsed("bind", |text| {
            text.parse().map_err(|_| "expected an address and a port such as \"127.0.0.1:9108\"")
        });
        if bind.is_some_and(|bind| bind.port() != 0 && Some(bind) == pages) {
            section.problem("bind", "expected another address than that of the pages (web.bind)");
        }
        Self { bind }
    }
}

/// The receiver is the operator's, so its address may be private. Without TLS others could read and replay alerts.
fn webhook_url(text: &str) -> Result<Url, &'static str> {
    let expected = "expected an address such as https://alerts.office.example/hook";
    let url: Url = text.parse().map_err(|_| expected)?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => Ok(url),
        "http" if local => Ok(url),
        "http" => Err("expected https, because alerts could be read and replayed otherwise"),
        _ => Err(expected),
    }
}

/// `whsec_` and base64 of 24 to 64 bytes, as Standard Webhooks 1.0 has it.
fn signing_key(text: &SecretString) -> Result<SecretSlice<u8>, &'static str> {
    let text = text.expose_secret().trim();
    let key = BASE64_STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok();
    key.filter(|key| (24..=64).contains(&key.len()))
        .map(SecretSlice::from)
        .ok_or("expected whsec_ and base64 of 24 to 64 bytes; `openssl rand -base64 32` makes such a key")
}

fn command(raw: Raw) -> Result<Vec<String>, String> {
    let command = raw.texts()?;
    match command.first() {
        Some(program) if program.starts_with('/') => Ok(command),
        _ => {
            Err("expected an absolute path of a program, and its arguments, [\"/usr/local/bin/page\", \"…\"]"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml_reader::{File, Overrides};

    fn read(text: &str) -> (Alert, Metrics, String) {
        let overrides = Overrides::default();
        let file = File::parse("s.toml", text, &overrides);
        let root = file.root();
        let (section, metrics) = (root.section("alert"), root.section("metrics"));
        let given = |value: String| Credential::Given { value: value.into(), place: "s.toml".to_owned() };
        let alert = Alert::read(&section, section.text("webhook_secret").map(given));
        let metrics = Metrics::read(&metrics, "127.0.0.1:80".parse().ok());
        let problems = file.problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        (alert, metrics, problems)
    }

    #[test]
    fn a_webhook_is_signed_and_a_command_needs_no_shell() {
        let (alert, metrics, problems) = read(
            "[alert]\nwebhook = 'https://a.example/x'\nwebhook_secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'\n\
             command = ['/bin/page', 'me']\n[metrics]\nbind = '127.0.0.1:9108'",
        );
        assert_eq!(problems, "");
        assert_eq!(alert.webhook.as_ref().unwrap().key().unwrap().expose_secret().len(), 24);
        assert!(alert.is_on() && alert.command == ["/bin/page", "me"] && metrics.bind.is_some());
        assert!(!format!("{alert:?}").contains("MfKQ"), "{alert:?}");
        assert!(!read("").0.is_on());
    }

    #[test]
    fn problems_are_reported_with_their_key() {
        for (text, said) in [
            ("webhook = 'https://a.example'", "alert.webhook: expected webhook_secret_file too"),
            ("webhook = 'http://a.example'", "alert.webhook: expected https"),
            ("webhook = 'http://127.0.0.1:1'\nwebhook_secret = 'short'", "alert.webhook_secret: expected whsec_"),
            ("command = ['page']", "alert.command: expected an absolute path of a program"),
            ("command = []", "alert.command: expected an absolute path of a program"),
            ("disk_free_percent = 101", "alert.disk_free_percent: expected 0 to 100"),
        ] {
            let problems = read(&format!("[alert]\n{text}")).2;
            assert!(problems.contains(said), "{said} not in {problems}");
        }
        let problems = read("[metrics]\nbind = '127.0.0.1:80'").2;
        assert!(problems.contains("metrics.bind: expected another address"), "{problems}");
    }
}
