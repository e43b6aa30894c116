//! A connection to the server: its protection, the login, and commands with their answers.
//!
//! Of the library only the reading of answers is used. Commands are written here, because its own end a FETCH that the server refused, or
//! that the connection broke off, as if there were no more messages, and because it hands a password to the log at the level `trace`
//! (`telemetry.rs` keeps all of its output out of the log: it contains messages).

use super::{
    ImapError, Settings, Timing, Tls,
    answer::Answer,
    bounded::{Bounded, Stream, TooLarge},
    names,
};
use crate::trust;
use async_imap::Client;
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::FutureExt;
use secrecy::{ExposeSecret, SecretString};
use std::{collections::HashSet, io, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

/// How long the last command may take.
const GOODBYE: Duration = Duration::from_secs(3);
/// Responses to one command, after which the server is not listened to any more.
const MOST_RESPONSES: usize = 100_000;

const ROLE: trust::Role = trust::Role {
    name: "server",
    host_key: "inbound.imap.host",
    ca_key: "inbound.imap.ca_file",
    other_port: "write tls = \"starttls\" (port 143) instead of \"implicit\" (port 993) under [inbound.imap], or the other way round",
};

type Result<T> = std::result::Result<T, ImapError>;

/// A command that was sent, by its tag.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    tag: String,
    /// What it is for, in errors: `reading messages`.
    what: &'static str,
}

/// After an error that is no [`ImapError::Refused`] it must not be used again.
pub(super) struct Connection {
    client: Client<Bounded>,
    commands: u32,
    /// In capital letters: `MOVE`, `AUTH=PLAIN`.
    capabilities: HashSet<String>,
    /// Messages in the selected folder, as the server last said.
    pub exists: u32,
    /// Of these, how many were there at the last look that found nothing new; rather too few than too many.
    pub seen: u32,
    answer: Duration,
}

impl Connection {
    /// Connects, with TLS as configured, and logs in.
    pub async fn open(settings: &Settings, password: &SecretString, timing: &Timing) -> Result<Self> {
        let socket = connect(settings, timing.connect).await?;
        let mut connection = match settings.tls {
            Tls::Implicit => Self::over(encrypt(settings, socket, timing).await?, timing),
            Tls::Starttls | Tls::None => Self::over(socket, timing),
        };
        let is_logged_in = match connection.next("the greeting").await? {
            Answer::Notice(_) => false,
            // Before TLS it may be anybody's (RFC 9051 11.4).
            Answer::PreAuth if settings.tls != Tls::Starttls => true,
            Answer::Bye(said) => return Err(ImapError::Busy(said)),
            _ => return Err(ImapError::Unreadable("the greeting")),
        };
        if settings.tls == Tls::Starttls {
            connection = connection.start_tls(settings, timing).await?;
        }
        connection.ask_capabilities().await?;
        if !is_logged_in {
            connection.log_in(&settings.user, password).await?;
            // RFC 3501 6.2.3: they may be others now.
            connection.ask_capabilities().await?;
        }
        Ok(connection)
    }

    fn over(stream: impl Stream + 'static, timing: &Timing) -> Self {
        Self {
            client: Client::new(Bounded::new(stream)),
            commands: 0,
            capabilities: HashSet::new(),
            exists: 0,
            seen: 0,
            answer: timing.answer,
        }
    }

    /// What the server sent in clear behind its answer is dropped with the parser's buffer, and what it announced is asked again: nobody
    /// on the way can put words into its mouth.
    async fn start_tls(mut self, settings: &Settings, timing: &Timing) -> Result<Self> {
        match self.command("starting TLS", "STARTTLS", |_| {}).await {
            Ok(()) => {}
            Err(ImapError::Refused { said, .. }) => return Err(ImapError::NoStarttls(said)),
            Err(why) => return Err(why),
        }
        let stream = encrypt(settings, self.client.into_inner(), timing).await?;
        Ok(Self::over(stream, timing))
    }

    /// Whether the server announced it.
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    async fn ask_capabilities(&mut self) -> Result<()> {
        let mut found = HashSet::new();
        let each = |answer| {
            if let Answer::Capabilities(all) = answer {
                found.extend(all);
            }
        };
        self.command("asking what the server can do", "CAPABILITY", each).await?;
        self.capabilities = found;
        Ok(())
    }

    async fn log_in(&mut self, user: &str, password: &SecretString) -> Result<()> {
        const WHAT: &str = "the login";
        let done = if self.can("AUTH=PLAIN") {
            // RFC 4616: in UTF-8, which LOGIN cannot carry.
            let plain = BASE64_STANDARD.encode(format!("\0{user}\0{}", password.expose_secret()));
            if self.can("SASL-IR") {
                self.command(WHAT, &format!("AUTHENTICATE PLAIN {plain}"), |_| {}).await
            } else {
                self.authenticate(WHAT, &plain).await
            }
        } else if self.can("LOGINDISABLED") {
            return Err(ImapError::NoLogin);
        } else {
            let quoted = names::quoted(user).zip(names::quoted(password.expose_secret()));
            let (user, password) = quoted.ok_or(ImapError::NoLogin)?;
            self.command(WHAT, &format!("LOGIN {user} {password}"), |_| {}).await
        };
        match done {
            // RFC 5530: these pass by themselves, and are not about the password.
            Err(ImapError::Refused { said, .. })
                if ["[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]"].iter().any(|it| said.starts_with(it)) =>
            {
                Err(ImapError::Busy(said))
            }
            Err(ImapError::Refused { said, .. }) => Err(ImapError::LoginRefused(said)),
            other => other,
        }
    }

    async fn authenticate(&mut self, what: &'static str, plain: &str) -> Result<()> {
        let sent = self.begin(what, "AUTHENTICATE PLAIN").await?;
        let mut answered = false;
        loop {
            match self.step(&sent).await? {
                Answer::Continue => {
                    // Once: whoever asks again wants something else.
                    self.write(if answered { "*" } else { plain }).await?;
                    answered = true;
                }
                Answer::Done { .. } => return Ok(()),
                _ => {}
            }
        }
    }

    /// Sends a command, and hands on what comes back, to the end.
    pub async fn command(&mut self, what: &'static str, text: &str, mut each: impl FnMut(Answer)) -> Result<()> {
        let sent = self.begin(what, text).await?;
        for _ in 0..MOST_RESPONSES {
            let answer = self.step(&sent).await?;
            let is_done = matches!(answer, Answer::Done { .. });
            each(answer);
            if is_done {
                return Ok(());
            }
        }
        Err(ImapError::Unreadable(what))
    }

    /// Sends a command; its answers are read with [`Self::step`].
    pub async fn begin(&mut self, what: &'static str, text: &str) -> Result<Sent> {
        self.commands += 1;
        let tag = format!("s{}", self.commands);
        self.write(&format!("{tag} {text}")).await?;
        Ok(Sent { tag, what })
    }

    /// Sends a line.
    pub async fn write(&mut self, line: &str) -> Result<()> {
        let line = format!("{line}\r\n");
        let stream = self.client.get_mut();
        let all = async {
            stream.write_all(line.as_bytes()).await?;
            stream.flush().await
        };
        match timeout(self.answer, all).await {
            Ok(written) => written.map_err(|why| broken("a command", &why)),
            Err(_) => Err(ImapError::Lost { what: "a command", why: "the server takes nothing".to_owned() }),
        }
    }

    /// The next response to a command, which is done with [`Answer::Done`].
    pub async fn step(&mut self, sent: &Sent) -> Result<Answer> {
        match self.next(sent.what).await? {
            Answer::Done { tag, result: Err(said), .. } if tag == sent.tag => {
                Err(ImapError::Refused { what: sent.what, said })
            }
            // Of a command that was given up.
            Answer::Done { tag, .. } if tag != sent.tag => Ok(Answer::Other),
            Answer::Bye(said) => Err(goodbye(sent.what, &said)),
            answer => Ok(answer),
        }
    }

    /// The next response, whatever it is.
    async fn next(&mut self, what: &'static str) -> Result<Answer> {
        let limit = self.answer;
        let late = || ImapError::Lost { what, why: format!("no answer within {} s", limit.as_secs()) };
        timeout(limit, self.read(what)).await.unwrap_or_else(|_| Err(late()))
    }

    /// The next response, however long it takes. May be cancelled.
    pub async fn read(&mut self, what: &'static str) -> Result<Answer> {
        // The parser cuts texts by bytes, and panics within a letter.
        let read = AssertUnwindSafe(self.client.read_response()).catch_unwind();
        let answer = match read.await {
            Ok(Ok(Some(response))) => Answer::read(response.parsed()),
            Ok(Ok(None)) => {
                return Err(ImapError::Lost { what, why: "the server closed the connection".to_owned() });
            }
            Ok(Err(why)) => return Err(broken(what, &why)),
            Err(_panic) => return Err(ImapError::Unreadable(what)),
        };
        match answer {
            Answer::Exists(n) => self.exists = n,
            Answer::Expunge => {
                self.exists = self.exists.saturating_sub(1);
                self.seen = self.seen.saturating_sub(1);
            }
            _ => {}
        }
        Ok(answer)
    }

    /// Says goodbye, and does not wait for the answer.
    pub async fn close(mut self) {
        self.answer = GOODBYE;
        let _ = self.begin("the end", "LOGOUT").await;
    }
}

/// BYE, with these words.
pub(super) fn goodbye(what: &'static str, said: &str) -> ImapError {
    ImapError::Lost { what, why: format!("the server ends the connection: {said}") }
}

/// Of the parser's errors nothing is shown: they quote messages.
fn broken(what: &'static str, why: &io::Error) -> ImapError {
    match why.kind() {
        io::ErrorKind::InvalidData if why.get_ref().is_some_and(|it| it.is::<TooLarge>()) => ImapError::TooLarge(what),
        io::ErrorKind::Other => ImapError::Unreadable(what),
        io::ErrorKind::UnexpectedEof => {
            ImapError::Lost { what, why: "the server closed the connection in the middle of an answer".to_owned() }
        }
        kind => ImapError::Lost { what, why: kind.to_string() },
    }
}

/// To the first address of the host that answers; `limit` is per address.
async fn connect(settings: &Settings, limit: Duration) -> Result<TcpStream> {
    let host = settings.host.as_str();
    let failed = |why: String| Err(ImapError::Connect(why));
    let addresses: Vec<_> = match timeout(limit, lookup_host((host, settings.port))).await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(why)) => return failed(format!("cannot find {host}: {why}")),
        Err(_) => return failed(format!("cannot find {host} within {} s", limit.as_secs())),
    };
    let mut last = format!("{host} has no address");
    for address in addresses {
        // A name that leads elsewhere is not this machine, whatever it is called.
        if settings.tls == Tls::None && !address.ip().is_loopback() {
            last = format!("{host} is not this machine, and nothing is sent there in clear");
            continue;
        }
        match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(why)) => last = format!("{address}: {why}"),
            Err(_) => last = format!("{address}: no connection within {} s", limit.as_secs()),
        }
    }
    failed(last)
}

async fn encrypt<S: Stream + 'static>(
    settings: &Settings,
    stream: S,
    timing: &Timing,
) -> Result<impl Stream + 'static> {
    let host = &settings.host;
    let config = trust::client(&settings.authorities).map_err(|why| ImapError::Tls(format!("TLS: {why}")))?;
    let name =
        ServerName::try_from(host.clone()).map_err(|_| ImapError::Tls(format!("TLS: {host} is no name for TLS")))?;
    match timeout(timing.connect, TlsConnector::from(Arc::new(config)).connect(name, stream)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(why)) => Err(ImapError::Tls(trust::in_words(ROLE, host, &why))),
        Err(_) => Err(ImapError::Tls(format!("TLS: no answer within {} s", timing.connect.as_secs()))),
    }
}
