//! Reads a mailbox by IMAP (RFC 3501, 9051): every message of one folder, in batches. What was taken in is moved into one folder of the
//! mailbox, what says nothing to us into another, for a person to look at.
//!
//! - A message is moved only after what it says is committed ([`super::Inbox::take`]), and never deleted: MOVE (RFC 6851), or COPY and then
//!   UID EXPUNGE of exactly what was copied (UIDPLUS, RFC 4315); where a server can neither, it stays and gets a keyword.
//! - Whoever is killed in between reads it again, and it counts once. Several may read at the same time: a message that another one has
//!   moved is not there any more. Where both put it away at once there may be two copies: Dovecot on a Maildir copies for MOVE, too.
//! - No UID is remembered from one connection to the next, so that a new UIDVALIDITY changes nothing.
//! - A message that cannot be fetched, whatever the server does about it, is left where it is, and the others are read.
//! - Of a message [`super::MOST_BYTES`] are asked for, and the server cannot make us keep more ([`bounded`]).
//!
//! Several rules protect the account: no password in clear but to this machine, and [`ImapError::is_lasting`] for whoever tries again.

mod answer;
mod bounded;
mod connection;
mod drain;
mod names;
mod settings;
mod wait;

pub use settings::{Purpose, Settings, Tls};

use self::{
    answer::{Answer, Code},
    connection::Connection,
};
use super::MOST_BYTES;
use crate::store::StoreError;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// How long is waited, for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// For a connection to one address, and for TLS.
    pub connect: Duration,
    /// For each response.
    pub answer: Duration,
    /// IDLE is ended and begun again so often. RFC 2177 asks for less than 29 minutes; routers forget a silent connection earlier.
    pub idle: Duration,
    /// Between two looks where the server knows no IDLE.
    pub poll: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            answer: Duration::from_secs(120),
            idle: Duration::from_secs(9 * 60),
            poll: Duration::from_secs(60),
        }
    }
}

/// Why a mailbox cannot be read. No text in it contains an address or a password.
#[derive(Debug, thiserror::Error)]
pub enum ImapError {
    /// No connection.
    #[error("{0}")]
    Connect(String),
    #[error("{0}")]
    Tls(String),
    /// STARTTLS was refused.
    #[error("the server offers no STARTTLS: {0}")]
    NoStarttls(String),
    /// The server does not want us now.
    #[error("the server does not let us in now: {0}")]
    Busy(String),
    #[error("the password cannot be read: {0}")]
    Password(std::io::Error),
    /// The login was refused: to try it again and again would lock the account.
    #[error("{LOGIN_REFUSED}: {0}")]
    LoginRefused(String),
    #[error("the server offers no login with this password: neither AUTH=PLAIN nor LOGIN")]
    NoLogin,
    /// A command was refused.
    #[error("{what} was refused: {said}")]
    Refused { what: &'static str, said: String },
    #[error("{what}: {why}")]
    Lost { what: &'static str, why: String },
    #[error("{0}: the server's answer cannot be read")]
    Unreadable(&'static str),
    #[error("{0}: the server's answer is larger than what was asked for")]
    TooLarge(&'static str),
    /// Neither MOVE nor UIDPLUS, and no keywords.
    #[error(
        "messages can neither be moved nor marked: the server has neither MOVE nor UIDPLUS, and allows no keywords"
    )]
    CannotMark,
    #[error("the folder {0:?} can only be read")]
    ReadOnly(String),
    /// The server says that all went well, and the messages are still there.
    #[error("messages that were read, and moved or marked, are still there")]
    StillThere,
    /// Messages that could not be read were left.
    #[error("{count} messages were left: {first}")]
    Left { count: usize, first: Box<ImapError> },
    #[error("a thread ended early")]
    Thread,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How [`ImapError::LoginRefused`] begins, also in the ledger, where [`is_login_refused`] looks for it.
const LOGIN_REFUSED: &str = "the login is refused";

/// Whether a trouble, as it was recorded, is one that a person has to end.
pub fn is_login_refused(trouble: &str) -> bool {
    trouble.contains(LOGIN_REFUSED)
}

impl ImapError {
    /// Whether it lasts until a person does something, and trying again does harm: providers lock an account after some wrong passwords.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::LoginRefused(_) | Self::NoLogin)
    }

    /// Whether the command was refused because somebody else has moved some of the messages (RFC 5530 3, EXPUNGEISSUED).
    fn is_of_another_reader(&self) -> bool {
        matches!(self, Self::Refused { said, .. } if said.starts_with("[EXPUNGEISSUED]"))
    }
}

type Result<T> = std::result::Result<T, ImapError>;

/// How messages leave the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// MOVE.
    Move,
    /// COPY, `\Deleted`, UID EXPUNGE.
    Copy,
    /// They stay, with a keyword.
    Mark,
}

/// What a server offers, for a person who wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Messages in the folder.
    pub messages: u32,
    pub way: Way,
    /// New messages are announced; otherwise the folder is looked into every minute.
    pub idle: bool,
}

/// A folder, as SELECT shows it.
#[derive(Debug, Default)]
struct Selected {
    validity: u32,
    /// Keywords of ours may be set.
    keywords: bool,
    read_only: bool,
}

/// The names of our folders on the server, encoded and quoted.
#[derive(Debug, Clone)]
struct Folders {
    done: String,
    other: String,
}

/// A connection that is logged in, with the folders of ours.
struct Session {
    connection: Connection,
    way: Way,
    folders: Folders,
}

/// A mailbox, connected or not.
pub struct Mailbox {
    settings: Settings,
    timing: Timing,
    session: Option<Session>,
    /// The password that was refused.
    refused: Option<SecretString>,
}

impl Mailbox {
    /// Connects to nothing yet.
    pub fn new(settings: Settings, timing: Timing) -> Self {
        Self { settings, timing, session: None, refused: None }
    }

    /// What it was made of.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether the file has another password than the one that was refused.
    pub fn has_new_password(&self) -> bool {
        let Some(refused) = &self.refused else { return false };
        self.settings.password.read().is_ok_and(|now| now.expose_secret() != refused.expose_secret())
    }

    /// Ends the connection, if there is one.
    pub async fn close(&mut self) {
        if let Some(session) = self.session.take() {
            session.connection.close().await;
        }
    }

    async fn open(&mut self) -> Result<Connection> {
        let password = self.settings.password.read().map_err(ImapError::Password)?;
        let opened = Connection::open(&self.settings, &password, &self.timing).await;
        self.refused = matches!(opened, Err(ImapError::LoginRefused(_))).then_some(password);
        opened
    }

    /// The session, opened if there is none.
    async fn session(&mut self) -> Result<&mut Session> {
        let session = match self.session.take() {
            Some(session) => session,
            None => {
                let mut connection = self.open().await?;
                let way = way(&connection);
                let mut folders = Folders { done: String::new(), other: String::new() };
                if way != Way::Mark {
                    folders.done = folder(&mut connection, self.settings.done.as_deref(), Purpose::Done).await?;
                    folders.other = folder(&mut connection, self.settings.other.as_deref(), Purpose::Other).await?;
                }
                Session { connection, way, folders }
            }
        };
        Ok(self.session.insert(session))
    }
}

/// Logs in and looks into the folder, without changing anything.
///
/// # Errors
/// What a reader would meet.
pub async fn probe(settings: &Settings, timing: &Timing) -> Result<Probe> {
    let mut mailbox = Mailbox::new(settings.clone(), timing.clone());
    let mut connection = mailbox.open().await?;
    let selected = select(&mut connection, "EXAMINE", &settings.folder).await?;
    let way = way(&connection);
    if way == Way::Mark && !selected.keywords {
        return Err(ImapError::CannotMark);
    }
    let probe = Probe { messages: connection.exists, way, idle: connection.can("IDLE") };
    connection.close().await;
    Ok(probe)
}

fn way(connection: &Connection) -> Way {
    match (connection.can("MOVE"), connection.can("UIDPLUS")) {
        (true, _) => Way::Move,
        (false, true) => Way::Copy,
        (false, false) => Way::Mark,
    }
}

/// SELECT or EXAMINE. EXAMINE finds every folder read-only.
async fn select(connection: &mut Connection, verb: &str, folder: &str) -> Result<Selected> {
    connection.exists = 0;
    // Without a list of flags all can be set (RFC 3501 7.1).
    let mut selected = Selected { keywords: true, ..Selected::default() };
    let each = |answer| {
        let (Answer::Notice(code) | Answer::Done { code, .. }) = answer else { return };
        match code {
            Code::UidValidity(n) => selected.validity = n,
            Code::ReadOnly => selected.read_only = true,
            Code::Keywords(may) => selected.keywords = may,
            Code::Other => {}
        }
    };
    let command = format!("{verb} {}", wire_name(folder));
    connection.command("opening the folder of bounces", &command, each).await?;
    Ok(selected)
}

/// As it stands in a command.
fn wire_name(folder: &str) -> String {
    // What is encoded can be quoted.
    names::quoted(&names::encoded(folder)).unwrap_or_default()
}

/// A folder of ours, made if it is missing. One that nobody named may have to be below INBOX, as with Courier.
async fn folder(connection: &mut Connection, given: Option<&str>, purpose: Purpose) -> Result<String> {
    let name = wire_name(given.unwrap_or(purpose.folder()));
    match exists_or_is_made(connection, &name).await {
        Err(ImapError::Refused { .. }) if given.is_none() => {
            let mut delimiter = None;
            let each = |answer| {
                if let Answer::Folder { delimiter: Some(found), .. } = answer {
                    delimiter = Some(found);
                }
            };
            connection.command("looking for folders", "LIST \"\" \"\"", each).await?;
            let below = wire_name(&format!("INBOX{}{}", delimiter.as_deref().unwrap_or("."), purpose.folder()));
            exists_or_is_made(connection, &below).await?;
            Ok(below)
        }
        made => made.map(|()| name),
    }
}

async fn exists_or_is_made(connection: &mut Connection, name: &str) -> Result<()> {
    if is_there(connection, name).await? {
        return Ok(());
    }
    match connection.command("making a folder", &format!("CREATE {name}"), |_| {}).await {
        Ok(()) => {
            // So that mail programs show it; who cannot, shows all.
            match connection.command("subscribing to a folder", &format!("SUBSCRIBE {name}"), |_| {}).await {
                Ok(()) | Err(ImapError::Refused { .. }) => Ok(()),
                Err(why) => Err(why),
            }
        }
        // Another reader was faster.
        Err(refused @ ImapError::Refused { .. }) => {
            if is_there(connection, name).await? {
                Ok(())
            } else {
                Err(refused)
            }
        }
        Err(why) => Err(why),
    }
}

async fn is_there(connection: &mut Connection, name: &str) -> Result<bool> {
    let mut found = false;
    let each = |answer| found |= matches!(answer, Answer::Folder { is_selectable: true, .. });
    connection.command("looking for folders", &format!("LIST \"\" {name}"), each).await?;
    Ok(found)
}
