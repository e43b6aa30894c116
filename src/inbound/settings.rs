//! `[inbound]` of the configuration: where bounces arrive.

use crate::toml_reader::Section;
use std::path::{Path, PathBuf};

/// Where bounces arrive, and when a mailbox that takes nothing is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// A Maildir that the daemon reads every minute: a folder with `new` and `cur`.
    pub maildir: Option<PathBuf>,
    /// An address is suppressed after this many issues in a row that its mailbox did not take, full or not to be reached.
    pub soft_limit: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { maildir: None, soft_limit: 5 }
    }
}

impl Settings {
    /// Reads the section; relative paths begin at `base`.
    pub fn read(section: &Section, base: &Path) -> Self {
        let default = Self::default();
        Self {
            maildir: section.parsed("maildir", |text| maildir(&base.join(text))),
            soft_limit: section
                .whole("soft_limit", 1..=50)
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(default.soft_limit),
        }
    }

    /// Whether the daemon has a mailbox to read.
    pub fn is_on(&self) -> bool {
        self.maildir.is_some()
    }
}

/// The folder need not exist yet, for the mail server makes it with the first message; a file is none.
fn maildir(path: &Path) -> Result<PathBuf, String> {
    match path.exists() && !path.is_dir() {
        true => Err(format!("expected a Maildir, a folder with new and cur in it; {} is none", path.display())),
        false => Ok(path.to_owned()),
    }
}
