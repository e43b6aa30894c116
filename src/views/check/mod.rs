//! `semainier check`: whether the service can work as configured.
//!
//! Opens the database, writes a file beside it, connects and logs in to the relay without sending a message, reads the site and
//! every source, and reports values of the shipped example. Each finding names the file and the key. Changes nothing.

mod network;
mod place;
mod settings;

use crate::app::App;
use serde::Serialize;
use std::fmt;

/// An error keeps the service from working; a warning does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Error,
    Warning,
}

/// A problem of the configuration or its surroundings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub level: Level,
    /// The file; empty if the message names it.
    pub place: String,
    /// The key in that file, such as `office.website`; empty if the message names it.
    pub key: String,
    pub message: String,
}

/// `error: semainier.toml: relay: connect: …`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        write!(f, "{level}: ")?;
        for part in [&self.place, &self.key].into_iter().filter(|part| !part.is_empty()) {
            write!(f, "{part}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// The result of all checks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What passed, one line each.
    pub well: Vec<String>,
    /// Errors first.
    pub findings: Vec<Finding>,
}

impl Report {
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|it| it.level == level).count()
    }

    fn well(&mut self, line: impl Into<String>) {
        self.well.push(line.into());
    }

    /// A finding in the configuration file.
    fn setting(&mut self, app: &App, level: Level, key: &str, message: impl Into<String>) {
        self.find(level, settings_file(app), key, message);
    }

    fn find(&mut self, level: Level, place: impl Into<String>, key: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding { level, place: place.into(), key: key.into(), message: message.into() });
    }
}

/// Runs all checks. `offline`: without the relay, the site and the sources.
pub async fn check(app: &App, offline: bool) -> Report {
    let mut report = Report::default();
    settings::look(app, &mut report);
    place::look(app, &mut report).await;
    if !offline {
        network::ask(app, &mut report).await;
    }
    report.findings.sort_by_key(|finding| finding.level);
    report
}

/// The machine alone: database, folder, listeners.
pub(super) async fn place(app: &App) -> Report {
    let mut report = Report::default();
    place::look(app, &mut report).await;
    report.findings.sort_by_key(|finding| finding.level);
    report
}

fn settings_file(app: &App) -> String {
    app.config.file.as_ref().map_or_else(|| "environment".to_owned(), |file| file.display().to_string())
}

/// The file of a mailing.
fn mailing_file(app: &App, mailing: &str) -> String {
    let folder = app.config.jobs.as_ref().map_or_else(|| "built-in jobs".to_owned(), |jobs| jobs.display().to_string());
    format!("{folder}/{mailing}.toml")
}

/// Whether a host is reserved for examples (RFC 2606), as in the shipped files.
fn is_example(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let mut labels = host.rsplit('.');
    matches!(
        (labels.next(), labels.next()),
        (Some("example" | "invalid"), _) | (Some("com" | "net" | "org"), Some("example"))
    )
}

/// An error with its causes, on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in std::iter::successors(Some(error), |it| it.source()).map(ToString::to_string) {
        if !said.iter().any(|before| before.contains(&cause)) {
            said.push(cause);
        }
    }
    said.join(": ").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_example_hosts_are_recognised_as_examples() {
        for host in ["example.org", "www.Example.com.", "lettre.example.net", "partenaires.office.example"] {
            assert!(is_example(host), "{host}");
        }
        for host in ["auch-tourisme.com", "example.fr", "myexample.org", "localhost", "ot.test", ""] {
            assert!(!is_example(host), "{host}");
        }
    }

    #[test]
    fn a_finding_is_one_line_with_file_and_key() {
        let finding = |place: &str, key: &str| Finding {
            level: Level::Error,
            place: place.to_owned(),
            key: key.to_owned(),
            message: "no answer".to_owned(),
        };
        assert_eq!(finding("a.toml", "relay").to_string(), "error: a.toml: relay: no answer");
        assert_eq!(finding("", "").to_string(), "error: no answer");
    }
}
