//! A relay that misbehaves on request, in process. It is the judge of every sending test: it records what it accepts
//! before it says 250.
//!
//! The local part of the recipient, up to a `+`, picks the fault:
//! `f450` `f421` `f550` … that code at RCPT (`f552`: mailbox full) · `d452` at DATA · `e554` after the dot · `grey<n>` 451
//! the first n times · `dropdata` `dropmid` `dropdot` closes there, not accepted · `dropafter` accepted, then closes ·
//! `slow<ms>` accepted after that long · `hang` never answers the dot · `multi421` · `garbage` and `long` at RCPT ·
//! `badreply` after the dot, accepted · `again` accepted, and 250 said twice · `odd` accepted, with
//! the code of an address · `latin1` at RCPT · `plain` taken at RCPT
//! without an enhanced code · `sess<n>` accepted n times a connection, then 421 ·
//! `t-<name>` a provider's own words, see [`TEXTS`] · `o-<name>` the same, but once. Anybody else is accepted.

use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// Stage and reply of providers, as they spell them.
pub const TEXTS: &[(&str, &str, &str)] = &[
    ("ofr104", "rcpt", "421 mwinf5c79 ME Trop de connexions. Too many connections, slow down. OFR005_104 [104]"),
    ("lpn109", "rcpt", "421 Veuillez essayer plus tard. LPN003_109"),
    ("ofr505", "rcpt", "421 mwinf5c80 ME Service refuse. Veuillez essayer plus tard. OFR005_505 [505]"),
    ("ofr999", "rcpt", "421 mwinf5c77 ME Service refuse. Veuillez essayer plus tard. OFR_999 [999]"),
    ("lpn514", "dot", "552 5.3.4 Taille limite du message atteinte LPN007_514"),
    ("ofr102", "rcpt", "550 mwinf5c11 ME Client host blocked for spamming issues. OFR006_102 [102]"),
    ("lpn517", "dot", "571 5.7.1 Message refused, DMARC verification Failed LPN007_517"),
    ("ofr405", "rcpt", "501 5.1.0 Emetteur invalide. Invalid Sender. OFR004_405 [405]"),
    ("ofr416", "rcpt", "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]"),
    ("ofr417", "rcpt", "552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]"),
    ("lpn420", "rcpt", "550 5.5.0 Boite du destinataire archivee. Archived recipient. LPN007_420"),
    ("ofr506", "dot", "550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]"),
    ("sfr101", "rcpt", "450 4.7.1 SFR_IN_101"),
    ("gmail26", "dot", "550 5.7.26 This mail has been blocked because the sender is unauthenticated"),
    ("out515", "dot", "550 5.7.515 Access denied, sending domain example-ot.fr does not meet the required level"),
    ("out652", "rcpt", "451 4.7.652 The mail server has exceeded the maximum number of connections (S3115)"),
];

/// Whether the relay says CHUNKING, and whether it means it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunking {
    No,
    Yes,
    /// It says so, and knows no BDAT.
    OnlySaid,
}

#[derive(Clone)]
pub struct Options {
    /// 421 at the greeting beyond so many connections; 0: no limit.
    pub max_connections: usize,
    /// Said instead of 220.
    pub greeting: Option<String>,
    /// Said to every RCPT; `{to}` is the recipient, `{n}` a number that rises.
    pub refuses_everyone: Option<String>,
    /// Says nothing for so long.
    pub banner_delay: Duration,
    pub size: usize,
    pub eight_bit: bool,
    pub pipelining: bool,
    pub chunking: Chunking,
    /// AUTH PLAIN LOGIN is announced; `Some(false)` refuses every try.
    pub auth: Option<bool>,
    /// Said to AUTH PLAIN.
    pub plain_refused: Option<&'static str>,
    /// Announces STARTTLS, then speaks no TLS.
    pub starttls_broken: bool,
    pub starttls: Option<TlsAcceptor>,
    pub implicit_tls: Option<TlsAcceptor>,
    /// What is waited before each reply: the way to a relay far away.
    pub round_trip: Duration,
    /// Keeps no bytes and no digest, for throughput.
    pub count_only: bool,
    /// Keeps the digest of each message, but not its bytes: for many recipients.
    pub digest_only: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_connections: 0,
            greeting: None,
            refuses_everyone: None,
            banner_delay: Duration::ZERO,
            size: 20_000_000,
            eight_bit: true,
            pipelining: true,
            chunking: Chunking::No,
            auth: None,
            plain_refused: None,
            starttls_broken: false,
            starttls: None,
            implicit_tls: None,
            round_trip: Duration::ZERO,
            count_only: false,
            digest_only: false,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Accepted {
    /// Of `MAIL FROM`.
    pub sender: String,
    pub recipient: String,
    pub message_id: String,
    pub sha256: String,
    pub bytes: Vec<u8>,
}

/// What the relay counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Numbers {
    pub accepted: u64,
    pub connections: usize,
    pub live: usize,
    /// Most connections let in at once.
    pub peak: usize,
    /// Messages arriving now, and at most at once.
    pub busy: usize,
    pub busiest: usize,
    pub turned_away: usize,
    pub auth_tries: usize,
    /// Of these, the ones that were not under TLS.
    pub auth_in_clear: usize,
    pub mail_commands: usize,
    pub data_commands: usize,
    pub bdat_commands: usize,
    /// Recipients of a relay that refuses everyone.
    pub refused: usize,
    /// Replies behind which nothing waited: ways to the relay and back.
    pub flights: usize,
}

impl Numbers {
    fn refused(&mut self) -> usize {
        self.refused += 1;
        self.refused
    }
}

#[derive(Default)]
pub struct Seen {
    pub accepted: Vec<Accepted>,
    numbers: Numbers,
    grey: HashMap<String, u32>,
}

pub struct SmtpRelay {
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    listener: JoinHandle<()>,
}

impl Drop for SmtpRelay {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl SmtpRelay {
    pub async fn start(options: Options) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), options).await
    }

    /// Where another one was, for instance: a relay that comes back.
    pub async fn start_at(address: SocketAddr, options: Options) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (options, shared) = (Arc::new(options), Arc::clone(&seen));
        let listener = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&options), Arc::clone(&shared)));
            }
        });
        Self { address, seen, listener }
    }

    /// Goes away; another may take its place.
    pub async fn end(mut self) -> SocketAddr {
        self.listener.abort();
        let _ = (&mut self.listener).await;
        self.address
    }

    pub fn url(&self) -> String {
        format!("smtp://{}?tls=none", self.address)
    }

    /// Its ledger; not to be held while it works.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    pub fn numbers(&self) -> Numbers {
        self.seen().numbers
    }

    /// How often it took a message for this recipient.
    pub fn accepted(&self, recipient: &str) -> usize {
        self.seen().accepted.iter().filter(|a| a.recipient == recipient).count()
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The client is gone, or the relay hangs up.
struct Over;
type Step<T> = Result<T, Over>;

struct Talk {
    stream: BufReader<Box<dyn Stream>>,
    options: Arc<Options>,
    seen: Arc<Mutex<Seen>>,
    encrypted: bool,
    taken: u32,
    /// Of the latest `MAIL FROM`.
    sender: String,
}

async fn serve(stream: TcpStream, options: Arc<Options>, seen: Arc<Mutex<Seen>>) {
    let _ = stream.set_nodelay(true);
    let allowed = {
        let mut seen = seen.lock().unwrap();
        seen.numbers.connections += 1;
        let allowed = options.max_connections == 0 || seen.numbers.live < options.max_connections;
        if allowed {
            seen.numbers.live += 1;
            seen.numbers.peak = seen.numbers.peak.max(seen.numbers.live);
        } else {
            seen.numbers.turned_away += 1;
        }
        allowed
    };
    let stream: Option<Box<dyn Stream>> = match &options.implicit_tls {
        Some(acceptor) => acceptor.accept(stream).await.ok().map(|stream| Box::new(stream) as Box<dyn Stream>),
        None => Some(Box::new(stream)),
    };
    if let Some(stream) = stream {
        let encrypted = options.implicit_tls.is_some();
        let stream = BufReader::with_capacity(1 << 16, stream);
        let mut talk = Talk { stream, options, seen: Arc::clone(&seen), encrypted, taken: 0, sender: String::new() };
        let _ = talk.converse(allowed).await;
        let _ = talk.stream.get_mut().shutdown().await;
    }
    if allowed {
        seen.lock().unwrap().numbers.live -= 1;
    }
}

impl Talk {
    async fn say(&mut self, line: &str) -> Step<()> {
        self.say_bytes(format!("{line}\r\n").as_bytes()).await
    }

    async fn say_bytes(&mut self, bytes: &[u8]) -> Step<()> {
        if self.stream.buffer().is_empty() {
            self.seen.lock().unwrap().numbers.flights += 1;
            tokio::time::sleep(self.options.round_trip).await;
        }
        let stream = self.stream.get_mut();
        stream.write_all(bytes).await.map_err(|_| Over)?;
        stream.flush().await.map_err(|_| Over)
    }

    async fn line(&mut self) -> Step<Vec<u8>> {
        let mut line = Vec::with_capacity(128);
        match self.stream.read_until(b'\n', &mut line).await {
            Ok(n) if n > 0 => Ok(line),
            _ => Err(Over),
        }
    }

    fn ehlo(&self) -> String {
        let options = &self.options;
        let mut words = vec!["faults.test".to_owned()];
        words.extend(options.pipelining.then(|| "PIPELINING".to_owned()));
        words.extend((options.chunking != Chunking::No).then(|| "CHUNKING".to_owned()));
        words.extend(options.eight_bit.then(|| "8BITMIME".to_owned()));
        let tls = !self.encrypted && (options.starttls_broken || options.starttls.is_some());
        words.extend(tls.then(|| "STARTTLS".to_owned()));
        words.extend(options.auth.map(|_| "AUTH PLAIN LOGIN".to_owned()));
        words.push(format!("SIZE {}", options.size));
        let last = words.len() - 1;
        words
            .iter()
            .enumerate()
            .map(|(n, w)| format!("250{}{w}", if n == last { ' ' } else { '-' }))
            .collect::<Vec<_>>()
            .join("\r\n")
    }

    async fn converse(&mut self, allowed: bool) -> Step<()> {
        tokio::time::sleep(self.options.banner_delay).await;
        if !allowed {
            return self.say("421 mwinf5c79 ME Trop de connexions. Too many connections. OFR004_104 [104]").await;
        }
        if let Some(greeting) = self.options.greeting.clone() {
            return self.say(&greeting).await;
        }
        self.say("220 faults.test ESMTP").await?;
        let mut recipient: Option<String> = None;
        let mut sender = false;
        loop {
            let line = self.line().await?;
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let verb = text.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" | "HELO" => {
                    let words = self.ehlo();
                    self.say(&words).await?;
                }
                "STARTTLS" => {
                    self.say("220 go").await?;
                    let Some(acceptor) = self.options.starttls.clone() else {
                        return self.say("not tls at all").await;
                    };
                    let (ours, _) = tokio::io::duplex(1);
                    let plain = std::mem::replace(self.stream.get_mut(), Box::new(ours));
                    let secure = acceptor.accept(plain).await.map_err(|_| Over)?;
                    self.stream = BufReader::new(Box::new(secure));
                    self.encrypted = true;
                }
                "AUTH" => self.auth(&text).await?,
                "MAIL" => {
                    self.seen.lock().unwrap().numbers.mail_commands += 1;
                    if sender {
                        self.say("503 5.5.0 Sender already specified").await?;
                    } else {
                        (sender, recipient) = (true, None);
                        self.sender = between(&text, '<', '>').to_owned();
                        self.say("250 2.1.0 ok").await?;
                    }
                }
                "RCPT" => {
                    let address = text.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    if !sender {
                        self.say("503 5.5.1 MAIL first").await?;
                    } else if self.rcpt(&address).await? {
                        recipient = Some(address);
                    }
                }
                "DATA" => match recipient.take() {
                    Some(recipient) => {
                        // A refused DATA leaves the transaction open until RSET, as Postfix does.
                        sender = number(fault(&recipient), "d").is_some();
                        self.hold(1);
                        let taken = self.data(&recipient).await;
                        self.hold(-1);
                        taken?;
                    }
                    None => self.say("554 5.5.1 no valid recipients").await?,
                },
                "BDAT" if self.options.chunking == Chunking::Yes => {
                    self.hold(1);
                    let taken = self.bdat(&text, recipient.take()).await;
                    self.hold(-1);
                    // After a refused BDAT nothing but RSET is taken (RFC 3030 2).
                    sender = !taken?;
                }
                "RSET" => {
                    (sender, recipient) = (false, None);
                    self.say("250 2.0.0 ok").await?;
                }
                "NOOP" => self.say("250 2.0.0 ok").await?,
                "QUIT" => return self.say("221 2.0.0 bye").await,
                _ => self.say("500 5.5.1 what").await?,
            }
        }
    }

    /// A message begins to arrive, or its reply was given.
    fn hold(&self, by: isize) {
        let numbers = &mut self.seen.lock().unwrap().numbers;
        numbers.busy = numbers.busy.saturating_add_signed(by);
        numbers.busiest = numbers.busiest.max(numbers.busy);
    }

    async fn auth(&mut self, text: &str) -> Step<()> {
        {
            let mut seen = self.seen.lock().unwrap();
            seen.numbers.auth_tries += 1;
            seen.numbers.auth_in_clear += usize::from(!self.encrypted);
        }
        if let Some(refusal) =
            self.options.plain_refused.filter(|_| text.to_ascii_uppercase().starts_with("AUTH PLAIN"))
        {
            return self.say(refusal).await;
        }
        let prompts = match text.to_ascii_uppercase().as_str() {
            "AUTH LOGIN" => 2,
            "AUTH PLAIN" => 1,
            _ => 0,
        };
        for _ in 0..prompts {
            self.say("334 ").await?;
            self.line().await?;
        }
        let good = self.options.auth == Some(true);
        self.say(if good { "235 2.7.0 ok" } else { "535 5.7.8 authentication failed" }).await
    }

    /// What a provider says to this recipient: always, or once.
    fn words(&self, address: &str, stage: &str) -> Option<&'static str> {
        let (always, name) = match fault(address).split_at_checked(2)? {
            ("t-", name) => (true, name),
            ("o-", name) => (false, name),
            _ => return None,
        };
        let words = text_of(name, stage)?;
        let mut seen = self.seen.lock().unwrap();
        let times = seen.grey.entry(address.to_owned()).or_default();
        *times += 1;
        (always || *times == 1).then_some(words)
    }

    /// `true`: the recipient is taken.
    async fn rcpt(&mut self, address: &str) -> Step<bool> {
        let key = fault(address);
        if let Some(refusal) = self.options.refuses_everyone.clone() {
            let n = self.seen.lock().unwrap().numbers.refused();
            self.say(&refusal.replace("{to}", address).replace("{n}", &n.to_string())).await?;
            return Ok(false);
        }
        if let Some(code) = number(key, "f").filter(|code| *code >= 100) {
            let reply = match code {
                450 => format!("450 4.2.0 <{address}> mailbox busy"),
                421 => "421 4.7.0 try again later".to_owned(),
                550 => format!("550 5.1.1 <{address}> user unknown"),
                552 => text_of("ofr417", "rcpt").unwrap_or_default().to_owned(),
                _ => format!("{code} {}.0.0 fault at RCPT", code / 100),
            };
            self.say(&reply).await?;
            return if code == 421 { Err(Over) } else { Ok(false) };
        }
        if let Some(reply) = self.words(address, "rcpt") {
            self.say(reply).await?;
            return if reply.starts_with("421") { Err(Over) } else { Ok(false) };
        }
        if let Some(times) = number(key, "grey") {
            let again = {
                let mut seen = self.seen.lock().unwrap();
                let count = seen.grey.entry(address.to_owned()).or_default();
                *count += 1;
                *count > times
            };
            if !again {
                self.say("451 4.7.1 Greylisted, try again in 5 minutes").await?;
                return Ok(false);
            }
        }
        match key {
            "multi421" => {
                self.say("421-4.7.0 slow down\r\n421 4.7.0 closing").await?;
                return Err(Over);
            }
            "garbage" => {
                self.say_bytes(b"\x00\xff hello\r\n").await?;
                return Ok(false);
            }
            "latin1" => {
                self.say_bytes(b"550 5.1.1 Boite ferm\xe9e, destinataire inconnu\r\n").await?;
                return Ok(false);
            }
            "plain" => self.say("250 ok").await?,
            "long" => self.say(&format!("250 {}", "x".repeat(4000))).await?,
            _ => self.say("250 2.1.5 ok").await?,
        }
        Ok(true)
    }

    /// `true`: the message was taken.
    async fn bdat(&mut self, text: &str, recipient: Option<String>) -> Step<bool> {
        self.seen.lock().unwrap().numbers.bdat_commands += 1;
        let words = text.split(' ').collect::<Vec<_>>();
        let (&[_, size, "LAST"], Some(recipient)) = (&words[..], recipient) else {
            self.say("503 5.5.1 no valid recipients").await?;
            return Err(Over);
        };
        let mut bytes = vec![0; size.parse().map_err(|_| Over)?];
        let key = fault(&recipient);
        match key {
            "dropdata" => return Err(Over),
            "dropmid" => {
                self.stream.read_exact(&mut bytes[..500]).await.map_err(|_| Over)?;
                return Err(Over);
            }
            _ => self.stream.read_exact(&mut bytes).await.map_err(|_| Over)?,
        };
        if let Some(code) = number(key, "d") {
            self.say(&format!("{code} {}.3.0 fault at BDAT", code / 100)).await?;
            return Ok(false);
        }
        let before = self.taken;
        self.arrived(&recipient, bytes).await?;
        Ok(self.taken > before)
    }

    async fn data(&mut self, recipient: &str) -> Step<()> {
        self.seen.lock().unwrap().numbers.data_commands += 1;
        let key = fault(recipient);
        if let Some(code) = number(key, "d") {
            return self.say(&format!("{code} {}.3.0 fault at DATA", code / 100)).await;
        }
        if key == "dropdata" {
            return Err(Over);
        }
        self.say("354 go").await?;
        let mut bytes = Vec::new();
        let mut lines = 0;
        loop {
            let line = self.line().await?;
            if line == b".\r\n" {
                break;
            }
            lines += 1;
            if key == "dropmid" && lines > 5 {
                return Err(Over);
            }
            bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        self.arrived(recipient, bytes).await
    }

    /// A whole message: it is taken, or not, and the relay says so, or not.
    async fn arrived(&mut self, recipient: &str, bytes: Vec<u8>) -> Step<()> {
        let key = fault(recipient);
        if let Some(code) = number(key, "e") {
            return self.say(&format!("{code} {}.7.1 fault after the dot", code / 100)).await;
        }
        if let Some(reply) = self.words(recipient, "dot") {
            return self.say(reply).await;
        }
        match key {
            "dropdot" => return Err(Over),
            // Until the client hangs up.
            "hang" => return self.line().await.and(Err(Over)),
            _ => {}
        }
        if let Some(millis) = number(key, "slow") {
            tokio::time::sleep(Duration::from_millis(u64::from(millis))).await;
        }
        self.accept(recipient, bytes);
        match key {
            "dropafter" => return Err(Over),
            "odd" => return self.say("250 2.1.5 taken").await,
            "badreply" => return self.say_bytes(b"\x00\xff hello\r\n").await,
            "again" => return self.say_bytes(b"250 2.0.0 queued\r\n250 2.0.0 queued\r\n").await,
            _ => {}
        }
        self.say("250 2.0.0 queued").await?;
        if number(key, "sess").is_some_and(|most| self.taken >= most) {
            self.say("421 4.7.0 Too many messages for this session").await?;
            return Err(Over);
        }
        Ok(())
    }

    fn accept(&mut self, recipient: &str, bytes: Vec<u8>) {
        self.taken += 1;
        let mut seen = self.seen.lock().unwrap();
        seen.numbers.accepted += 1;
        if self.options.count_only {
            return;
        }
        let message_id = String::from_utf8_lossy(&bytes)
            .lines()
            .find_map(|line| line.to_ascii_lowercase().starts_with("message-id:").then(|| line[11..].trim().to_owned()))
            .unwrap_or_default();
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let bytes = if self.options.digest_only { Vec::new() } else { bytes };
        let (sender, recipient) = (self.sender.clone(), recipient.to_owned());
        seen.accepted.push(Accepted { sender, recipient, message_id, sha256, bytes });
    }
}

fn between(text: &str, from: char, to: char) -> &str {
    text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or("", |(inner, _)| inner)
}

fn fault(address: &str) -> &str {
    address.split(['@', '+']).next().unwrap_or_default()
}

/// The `450` of `f450`.
fn number(key: &str, prefix: &str) -> Option<u32> {
    key.strip_prefix(prefix)?.parse().ok()
}

fn text_of(name: &str, stage: &str) -> Option<&'static str> {
    TEXTS.iter().find(|(n, s, _)| *n == name && *s == stage).map(|(_, _, reply)| *reply)
}
