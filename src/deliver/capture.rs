//! `capture:DIR`: a relay that writes one `.eml` file per delivery into a directory, for demonstrations and for review. A
//! file is written completely or not at all, readable by its owner only; a repeated delivery overwrites the same file.

use super::OutgoingMessage;
use crate::private;
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

pub(super) struct Capture {
    directory: PathBuf,
}

impl Capture {
    /// Creates the directory if it is missing.
    pub fn open(directory: &Path) -> io::Result<Self> {
        private::create_folder(directory)?;
        Ok(Self { directory: directory.to_owned() })
    }

    /// Flushed to disk when it returns: as durable as a relay's 250.
    pub fn write(&self, outgoing: &OutgoingMessage) -> io::Result<String> {
        let name = format!("{}_{}.eml", slug(&outgoing.to.key()), slug(outgoing.id));
        let unfinished = self.directory.join(format!(".{name}.part"));
        let mut file = private::create(&unfinished)?;
        outgoing.message.pieces().try_for_each(|piece| file.write_all(piece))?;
        file.sync_all()?;
        std::fs::rename(&unfinished, self.directory.join(&name))?;
        File::open(&self.directory)?.sync_all()?;
        Ok(name)
    }
}

/// `hotel@auch.example` -> `hotel-auch-example`: valid on every file system.
fn slug(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        email::EmailAddress,
        message::{Message, Shared},
    };
    use std::sync::Arc;

    #[test]
    fn a_repeated_delivery_overwrites_its_own_file_also_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let address = |text: &str| EmailAddress::parse(text).unwrap();
        let shared = Arc::new(Shared::new(vec![b"tail\r\n".as_slice().into()]));
        let write = |n: u32, head: &str| {
            let own = |_, out: &mut Vec<u8>| out.extend_from_slice(head.as_bytes());
            let message = Message::woven(address("office@auch.example"), &shared, own);
            let to = address(&format!("hotel{n}@auch.example"));
            let capture = Capture::open(directory.path()).unwrap();
            capture.write(&OutgoingMessage { id: &format!("id/{n}"), to: &to, message: &message }).unwrap()
        };
        let first = write(1, "a\r\n");
        assert_eq!(first, "hotel1-auch-example_id-1.eml");
        write(2, "b\r\n");
        assert_eq!(write(1, "c\r\n"), first);
        assert_eq!(std::fs::read(directory.path().join(first)).unwrap(), b"c\r\ntail\r\n");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
    }
}
