//! Reads a Maildir: every message in `new` and `cur`. What was taken in is moved into the folder `.semainier-done` within it,
//! what is no bounce into `.semainier-other`, for a person to look at; both are Maildirs too, so that a mail program shows them.
//!
//! A file is moved only after what it says is committed, and never deleted. Whoever is killed in between reads it again, and it counts
//! once. Several may read at the same time: a file that another one has moved is left to it.

use super::{Drained, Inbox, MOST_BYTES, Message, Outcome};
use crate::{clock::Clock, failpoint, store::StoreError};
use std::{
    collections::HashSet,
    fs, io,
    io::Read,
    path::{Path, PathBuf},
};
use tokio_util::sync::CancellationToken;

/// Messages that are read and recorded together.
const AT_ONCE: usize = 64;
/// Files that cannot be read or moved, after which a pass gives up.
const MOST_FAILURES: usize = 100;
/// Where messages are moved to: those that were taken in, and those that say nothing to us.
const DONE: &str = ".semainier-done";
const OTHER: &str = ".semainier-other";

/// Why a mailbox cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    #[error("{place}: {why}")]
    File { place: String, why: io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MailboxError {
    fn file(place: &Path) -> impl FnOnce(io::Error) -> Self {
        let place = place.display().to_string();
        |why| Self::File { place, why }
    }
}

/// A file that was read.
struct Mail {
    path: PathBuf,
    message: Message,
}

/// Takes in everything in the Maildir at `root`, until nothing is left or `stop`.
///
/// # Errors
/// When the folder or one of its files cannot be read or moved (the others are), or the ledger cannot be written. What was recorded until
/// then stays recorded.
pub async fn drain(
    inbox: Inbox<'_>,
    root: &Path,
    clock: &Clock,
    stop: &CancellationToken,
) -> Result<Drained, MailboxError> {
    let (mut drained, mut failures) = (Drained::default(), Failures::default());
    // What an earlier reader found and did not come to.
    inbox.act_on_mass_bounces(clock.now()).await?;
    while !stop.is_cancelled() {
        let (folder, known) = (root.to_owned(), failures.names.clone());
        let (mails, failed) = blocking(move || read_some(&folder, &known)).await??;
        failed.into_iter().for_each(|(path, why)| failures.add(&path, why));
        if mails.is_empty() || failures.names.len() > MOST_FAILURES {
            break;
        }
        let (paths, messages): (Vec<_>, Vec<_>) = mails.into_iter().map(|it| (it.path, it.message)).unzip();
        let outcomes = inbox.take(&messages, clock.now()).await?;
        failpoint::reach("after_feedback_recorded");
        outcomes.iter().for_each(|outcome| drained.count(outcome));
        let folder = root.to_owned();
        let failed = blocking(move || {
            let moved = paths.iter().zip(&outcomes).map(|(path, outcome)| (path, move_away(&folder, path, outcome)));
            moved.filter_map(|(path, moved)| Some((path.clone(), moved.err()?))).collect::<Vec<_>>()
        });
        failed.await?.into_iter().for_each(|(path, why)| failures.add(&path, why));
    }
    match failures.first {
        None => Ok(drained),
        Some(failure) => Err(failure),
    }
}

/// Files that were left where they are.
#[derive(Default)]
struct Failures {
    names: HashSet<PathBuf>,
    first: Option<MailboxError>,
}

impl Failures {
    fn add(&mut self, path: &Path, why: io::Error) {
        self.names.insert(path.to_owned());
        self.first.get_or_insert_with(|| MailboxError::file(path)(why));
    }
}

type Failed = Vec<(PathBuf, io::Error)>;

/// Some messages of the folder, but for those in `known`, and what could not be read.
fn read_some(root: &Path, known: &HashSet<PathBuf>) -> Result<(Vec<Mail>, Failed), MailboxError> {
    let (mut mails, mut failed, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for name in ["new", "cur"] {
        let folder = root.join(name);
        for entry in fs::read_dir(&folder).map_err(MailboxError::file(&folder))? {
            let path = entry.map_err(MailboxError::file(&folder))?.path();
            let is_hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
            if is_hidden || known.contains(&path) {
                continue;
            }
            if mails.len() + failed.len() >= AT_ONCE {
                return Ok((mails, failed));
            }
            match read(&path, &mut bytes) {
                Ok(message) => mails.push(Mail { path, message }),
                // Another reader has moved it.
                Err(why) if why.kind() == io::ErrorKind::NotFound => {}
                Err(why) => failed.push((path, why)),
            }
        }
    }
    Ok((mails, failed))
}

fn read(path: &Path, bytes: &mut Vec<u8>) -> io::Result<Message> {
    bytes.clear();
    fs::File::open(path)?.take(MOST_BYTES as u64).read_to_end(bytes)?;
    Ok(Message::read(bytes))
}

fn move_away(root: &Path, path: &Path, outcome: &Outcome) -> io::Result<()> {
    let is_ours = outcome.is_ours();
    let folder = root.join(if is_ours { DONE } else { OTHER });
    for name in ["cur", "new", "tmp"] {
        fs::create_dir_all(folder.join(name))?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unique = name.split(':').next().unwrap_or_default();
    // Marked as seen, but what a person should look at.
    let flags = if is_ours { ":2,S" } else { ":2," };
    let mut to = folder.join("cur").join(format!("{unique}{flags}"));
    // A name is unique in a Maildir; where it was not, nothing is overwritten.
    for n in 1.. {
        if !to.exists() {
            break;
        }
        to = folder.join("cur").join(format!("{unique}.{n}{flags}"));
    }
    match fs::rename(path, to) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
        moved => moved,
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, MailboxError> {
    let failed =
        |why: tokio::task::JoinError| MailboxError::File { place: "a thread".to_owned(), why: io::Error::other(why) };
    tokio::task::spawn_blocking(work).await.map_err(failed)
}
