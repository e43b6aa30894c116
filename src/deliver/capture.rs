//! `capture:DIR`: the relay that is a directory. One `.eml` file a delivery, for demonstrations and for looking before
//! sending. Written whole or not at all, and a delivery that comes again writes the same file again.

use crate::domain::{delivery::Claim, message::Message};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Delivery ids are UUID texts.
const UUID_LENGTH: usize = 36;

pub(super) struct Capture {
    directory: PathBuf,
    /// File name by delivery id.
    names: HashMap<String, String>,
    next: u32,
}

impl Capture {
    /// Makes the directory where it is not there, and reads which deliveries it already holds.
    pub fn open(directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let mut capture = Self { directory: directory.to_owned(), names: HashMap::new(), next: 1 };
        for entry in std::fs::read_dir(directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let Some(stem) = name.strip_suffix(".eml") else { continue };
            let Some(number) = stem.split('-').next().and_then(|n| n.parse::<u32>().ok()) else { continue };
            capture.next = capture.next.max(number.saturating_add(1));
            let id = stem.len().checked_sub(UUID_LENGTH).and_then(|at| stem.get(at..));
            if let Some(id) = id {
                capture.names.insert(id.to_owned(), name);
            }
        }
        Ok(capture)
    }

    /// On disk when it returns: as durable as a relay's 250.
    pub fn write(&mut self, claim: &Claim, message: &Message) -> io::Result<String> {
        let name = match self.names.get(&claim.id.0) {
            Some(name) => name.clone(),
            None => format!("{:04}-{}-{}.eml", self.next, slug(&claim.recipient.address.key()), claim.id),
        };
        let unfinished = self.directory.join(format!(".{name}.part"));
        let mut file = File::create(&unfinished)?;
        file.write_all(&message.head)?;
        file.write_all(&message.tail)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, self.directory.join(&name))?;
        File::open(&self.directory)?.sync_all()?;
        if self.names.insert(claim.id.0.clone(), name.clone()).is_none() {
            self.next += 1;
        }
        Ok(name)
    }
}

/// `hotel@auch.example` -> `hotel-auch-example`: what every file system takes.
fn slug(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Timestamp,
        delivery::{DeliveryId, Recipient},
        email::EmailAddress,
        issue::IssueKey,
    };

    fn claim(n: u32) -> Claim {
        let address = EmailAddress::parse(&format!("hotel{n}@auch.example")).unwrap();
        let text = String::new;
        Claim {
            id: DeliveryId(format!("0190c2a4-0000-7000-8000-{n:012}")),
            issue: IssueKey::parse("agenda/2026-W28").unwrap(),
            attempt: 1,
            owner: text(),
            lease_until: Timestamp::UNIX_EPOCH,
            recipient: Recipient { address, name: text(), establishment: text(), commune: text(), contact_id: text() },
            message_id: text(),
            deferrals: 0,
        }
    }

    #[test]
    fn a_delivery_that_comes_again_writes_its_own_file_again_also_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let sender = EmailAddress::parse("office@auch.example").unwrap();
        let message =
            |head: &str| Message { sender: sender.clone(), head: head.into(), tail: b"tail\r\n".as_slice().into() };
        let mut capture = Capture::open(directory.path()).unwrap();
        let first = capture.write(&claim(1), &message("a\r\n")).unwrap();
        assert_eq!(first, "0001-hotel1-auch-example-0190c2a4-0000-7000-8000-000000000001.eml");
        capture.write(&claim(2), &message("b\r\n")).unwrap();
        assert_eq!(capture.write(&claim(1), &message("c\r\n")).unwrap(), first);
        let mut capture = Capture::open(directory.path()).unwrap();
        assert_eq!(capture.write(&claim(1), &message("d\r\n")).unwrap(), first);
        assert!(capture.write(&claim(3), &message("e\r\n")).unwrap().starts_with("0003-"));
        assert_eq!(std::fs::read(directory.path().join(first)).unwrap(), b"d\r\ntail\r\n");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 3);
    }
}
