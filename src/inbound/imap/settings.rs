//! `[inbound.imap]` of the configuration: the mailbox of a provider in which bounces arrive.

use crate::{secret::Credential, toml_reader::Section, trust::Authorities};
use std::{fmt, net::IpAddr, path::Path};

/// The keys of the section.
const KEYS: [&str; 9] =
    ["host", "port", "tls", "user", "password_file", "ca_file", "folder", "done_folder", "other_folder"];
/// Characters of a name of a folder. Servers allow some hundreds of bytes.
const LONGEST_NAME: usize = 100;

/// A mailbox at a provider, and where in it messages are and go to. `Debug` shows no password.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// A name, or an address without brackets.
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub user: String,
    /// Always in a file, which is read at each login.
    pub password: Credential,
    /// Trusted beside the system's.
    pub authorities: Authorities,
    /// Where bounces arrive.
    pub folder: String,
    /// What was taken in goes there. `None`: [`Purpose::Done`]'s own name, wherever the server lets us make it.
    pub done: Option<String>,
    /// What says nothing to us goes there, for a person. `None`: as `done`.
    pub other: Option<String>,
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte: `imaps`, RFC 8314.
    Implicit,
    /// STARTTLS is required (RFC 9051 6.2.1).
    Starttls,
    /// None, to a server on this machine only.
    None,
}

/// What a folder of ours is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Messages that were taken in.
    Done,
    /// Messages that say nothing to us, for a person to look at.
    Other,
}

impl Purpose {
    /// The folder's name, where none is configured.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Done => "semainier-done",
            Self::Other => "semainier-other",
        }
    }

    /// The mark of such messages where they cannot be moved.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Done => "$SemainierDone",
            Self::Other => "$SemainierOther",
        }
    }
}

impl Settings {
    /// Reads the section; relative paths begin at `base`. `None` where nothing of it is written, or where there is a problem.
    pub fn read(section: &Section, base: &Path) -> Option<Self> {
        if !KEYS.iter().any(|key| section.has(key)) {
            // Whoever mistyped the only key reads which ones there are.
            KEYS.iter().for_each(|key| drop(section.text(key)));
            return None;
        }
        let host = section.required("host", "\"imap.example.org\"", |raw| host(&raw.line()?));
        let tls = section.parsed("tls", tls).unwrap_or(Tls::Implicit);
        let usual = if tls == Tls::Implicit { 993 } else { 143 };
        let port = section.whole("port", 1..=65_535).and_then(|n| u16::try_from(n).ok()).unwrap_or(usual);
        let user = section.required("user", "\"retours@lettre.example.org\"", |raw| some(raw.line()?));
        let file = section.required("password_file", "\"/run/credentials/semainier.service/imap\"", |raw| raw.line());
        let place = section.place("password_file");
        let authorities = section.parsed("ca_file", |text| Authorities::read(&base.join(text))).unwrap_or_default();
        let folder = section.value("folder", |raw| name(raw.line()?)).unwrap_or_else(|| "INBOX".to_owned());
        let done = section.value("done_folder", |raw| name(raw.line()?));
        let other = section.value("other_folder", |raw| name(raw.line()?));
        if tls == Tls::None && host.as_deref().is_some_and(|host| !is_here(host)) {
            let message = "a password is never sent in clear: only a server on this machine may be read without TLS";
            section.problem("tls", message);
        }
        let own = |given: &Option<String>, purpose: Purpose| given.clone().unwrap_or(purpose.folder().to_owned());
        let (done_name, other_name) = (own(&done, Purpose::Done), own(&other, Purpose::Other));
        for (key, found, others) in
            [("done_folder", &done_name, [&folder, &other_name]), ("other_folder", &other_name, [&folder, &done_name])]
        {
            if let Some(same) = others.into_iter().find(|it| is_same(it, found)) {
                let message = format!("expected a folder of its own, {same:?} is used for something else");
                section.problem(if section.has(key) { key } else { "folder" }, message);
                break;
            }
        }
        let password = Credential::File { path: base.join(file?), place };
        Some(Self { host: host?, port, tls, user: user?, password, authorities, folder, done, other })
    }

    /// `imap.example.org:993`
    pub fn place(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.folder, self.place())
    }
}

fn host(text: &str) -> Result<String, String> {
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if text.parse::<IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    match url::Host::parse(text) {
        Ok(url::Host::Domain(name)) => Ok(name),
        _ => Err("expected a host name such as \"imap.example.org\", without imaps:// and without a port".to_owned()),
    }
}

fn tls(text: &str) -> Result<Tls, &'static str> {
    match text {
        "implicit" => Ok(Tls::Implicit),
        "starttls" => Ok(Tls::Starttls),
        "none" => Ok(Tls::None),
        _ => Err("expected \"implicit\" (port 993), \"starttls\" (port 143), or \"none\" on this machine"),
    }
}

fn some(text: String) -> Result<String, String> {
    match text.trim().is_empty() {
        true => Err("expected the name that the mailbox is opened with, usually its address".to_owned()),
        false => Ok(text),
    }
}

/// Patterns of LIST are no names.
fn name(text: String) -> Result<String, String> {
    let fits = !text.trim().is_empty() && text.chars().count() <= LONGEST_NAME && !text.contains(['*', '%']);
    match fits {
        true => Ok(text),
        false => Err(format!("expected the name of a folder, of at most {LONGEST_NAME} characters, without * and %")),
    }
}

/// INBOX is the only name without regard to case (RFC 9051 5.1).
fn is_same(a: &str, b: &str) -> bool {
    a == b || a.eq_ignore_ascii_case("INBOX") && b.eq_ignore_ascii_case("INBOX")
}

/// Whether the host is this machine, whatever the DNS says.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}
