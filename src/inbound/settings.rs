//! `[inbound]` of the configuration: where bounces arrive.

use super::imap;
use crate::toml_reader::Section;
use std::path::{Path, PathBuf};

/// The names of mailboxes in the ledger.
pub const MAILDIR: &str = "maildir";
pub const IMAP: &str = "imap";

/// Where bounces arrive, and when a mailbox that takes nothing is given up.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// A Maildir that the daemon reads every minute: a folder with `new` and `cur`.
    pub maildir: Option<PathBuf>,
    /// `[inbound.imap]`: a mailbox that the daemon keeps open.
    pub imap: Option<imap::Settings>,
    /// An address is suppressed after this many issues in a row that its mailbox did not take, full or not to be reached.
    pub soft_limit: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { maildir: None, imap: None, soft_limit: 5 }
    }
}

impl Settings {
    /// Reads the section; relative paths begin at `base`.
    pub fn read(section: &Section, base: &Path) -> Self {
        let default = Self::default();
        let imap = section.section("imap");
        let settings = Self {
            maildir: section.parsed("maildir", |text| maildir(&base.join(text))),
            imap: imap::Settings::read(&imap, base),
            soft_limit: section
                .whole("soft_limit", 1..=50)
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(default.soft_limit),
        };
        imap.finish();
        settings
    }

    /// The names of the mailboxes that are configured, as they stand in the ledger.
    pub fn names(&self) -> Vec<&'static str> {
        let all = [(MAILDIR, self.maildir.is_some()), (IMAP, self.imap.is_some())];
        all.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name).collect()
    }
}

/// The folder need not exist yet, for the mail server makes it with the first message; a file is none.
fn maildir(path: &Path) -> Result<PathBuf, String> {
    match path.exists() && !path.is_dir() {
        true => Err(format!("expected a Maildir, a folder with new and cur in it; {} is none", path.display())),
        false => Ok(path.to_owned()),
    }
}
