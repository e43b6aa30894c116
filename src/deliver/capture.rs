//! `capture:DIR`: the relay that is a directory. One `.eml` file a delivery, for demonstrations and for looking before
//! sending. Written whole or not at all, and a delivery that comes again writes the same file again.

use super::Letter;
use std::{
    collections::HashMap,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Between the address and the id in a file's name; a [`slug`] has no such sign.
const SEPARATOR: char = '_';

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
            if let Some((_, id)) = stem.rsplit_once(SEPARATOR) {
                capture.names.insert(id.to_owned(), name);
            }
        }
        Ok(capture)
    }

    /// On disk when it returns: as durable as a relay's 250.
    pub fn write(&mut self, letter: &Letter) -> io::Result<String> {
        let id = slug(letter.id);
        let name = match self.names.get(&id) {
            Some(name) => name.clone(),
            None => format!("{:04}-{}{SEPARATOR}{id}.eml", self.next, slug(&letter.to.key())),
        };
        let unfinished = self.directory.join(format!(".{name}.part"));
        let mut file = File::create(&unfinished)?;
        file.write_all(&letter.message.head)?;
        file.write_all(&letter.message.tail)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, self.directory.join(&name))?;
        File::open(&self.directory)?.sync_all()?;
        if self.names.insert(id, name.clone()).is_none() {
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
    use crate::domain::{email::EmailAddress, message::Message};

    #[test]
    fn a_delivery_that_comes_again_writes_its_own_file_again_also_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let address = |text: &str| EmailAddress::parse(text).unwrap();
        let write = |capture: &mut Capture, n: u32, head: &str| {
            let tail = b"tail\r\n".as_slice().into();
            let message = Message { sender: address("office@auch.example"), head: head.into(), tail };
            let to = address(&format!("hotel{n}@auch.example"));
            capture.write(&Letter { id: &format!("id-{n}"), to: &to, message: &message }).unwrap()
        };
        let mut capture = Capture::open(directory.path()).unwrap();
        let first = write(&mut capture, 1, "a\r\n");
        assert_eq!(first, "0001-hotel1-auch-example_id-1.eml");
        write(&mut capture, 2, "b\r\n");
        assert_eq!(write(&mut capture, 1, "c\r\n"), first);
        let mut capture = Capture::open(directory.path()).unwrap();
        assert_eq!(write(&mut capture, 1, "d\r\n"), first);
        assert!(write(&mut capture, 3, "e\r\n").starts_with("0003-"));
        assert_eq!(std::fs::read(directory.path().join(first)).unwrap(), b"d\r\ntail\r\n");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 3);
    }
}
