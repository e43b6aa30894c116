//! An IMAP server that does what a test says, in process: folders in memory, TLS, and faults. It checks the client as well: whoever tries
//! to change what it must not (EXPUNGE without UIDs, STORE that replaces flags) makes the test fail.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};

use base64::{Engine, prelude::BASE64_STANDARD};

pub const USER: &str = "retours@lettre.ot.test";
pub const PASSWORD: &str = "geheim \"é\" \\ 7";

#[derive(Debug, Clone)]
pub struct Mail {
    pub uid: u32,
    pub bytes: Arc<Vec<u8>>,
    pub flags: BTreeSet<String>,
}

/// What goes wrong with a message when it is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends in the middle of it.
    Drops,
    /// NO.
    Refused,
    /// BAD.
    Bad,
    /// A literal of 400 MB is announced.
    Huge,
    /// A literal of 3 MB is sent, though less was asked for.
    TooMuch,
    /// An answer that is none.
    Garbage,
    /// A text that the parser of the client panics at.
    Panics,
    /// NIL instead of a text.
    Nil,
    /// Nothing is said of it.
    Omitted,
}

/// How the server speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    None,
    Implicit,
    Starttls,
}

pub struct State {
    pub folders: BTreeMap<String, Vec<Mail>>,
    pub validity: u32,
    next_uid: u32,
    pub capabilities: Vec<&'static str>,
    pub greeting: String,
    pub password: String,
    /// Said instead of letting anybody in.
    pub login_says: Option<String>,
    /// By UID.
    pub faults: BTreeMap<u32, Fault>,
    /// The next fetch of a message loses the connection, once.
    pub drops_once: bool,
    /// After so many moves a new UIDVALIDITY, with other UIDs.
    pub renumbers_after: Option<usize>,
    /// Commands that begin so are answered with these words.
    pub answers: Vec<(&'static str, &'static str)>,
    /// The next MOVE or COPY is refused after another reader has moved its first message (EXPUNGEISSUED), so many times.
    pub contended: usize,
    /// MOVE says OK and does nothing.
    pub pretends: bool,
    pub keywords: bool,
    /// Commands, without passwords.
    pub heard: Vec<String>,
    pub logins: usize,
    moves: usize,
    /// Connections that idle.
    pub idling: usize,
    /// Ends connections.
    pub closes: bool,
    /// What the client must not do.
    pub wrong: Vec<String>,
    /// Sent in clear right behind the answer to STARTTLS.
    pub injects: Option<&'static str>,
}

pub struct Server {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    /// Of `localhost`, to be trusted.
    pub certificate: String,
}

pub const ALL: &[&str] = &["IMAP4rev1", "AUTH=PLAIN", "SASL-IR", "UIDPLUS", "MOVE", "IDLE"];

impl Server {
    pub fn start() -> Self {
        Self::with(Tls::None, ALL)
    }

    pub fn with(tls: Tls, capabilities: &[&'static str]) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let state = State {
            folders: BTreeMap::from([("INBOX".to_owned(), Vec::new())]),
            validity: 7,
            next_uid: 1,
            capabilities: capabilities.to_vec(),
            greeting: "* OK ready".to_owned(),
            password: PASSWORD.to_owned(),
            login_says: None,
            faults: BTreeMap::new(),
            drops_once: false,
            renumbers_after: None,
            answers: Vec::new(),
            contended: 0,
            pretends: false,
            keywords: true,
            heard: Vec::new(),
            logins: 0,
            moves: 0,
            idling: 0,
            closes: false,
            wrong: Vec::new(),
            injects: None,
        };
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (shared, config) = (Arc::clone(&state), Arc::new(config));
        // Ends with the test's process.
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let (state, config) = (Arc::clone(&shared), Arc::clone(&config));
                std::thread::spawn(move || {
                    let _ = Connection::serve(socket, state, tls, &config);
                });
            }
        });
        Self { address, state, certificate: made.cert.pem() }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A message into INBOX; its UID.
    pub fn put(&self, text: impl Into<Vec<u8>>) -> u32 {
        let text = String::from_utf8(text.into()).unwrap().replace("\r\n", "\n").replace('\n', "\r\n");
        self.state().add("INBOX", Arc::new(text.into_bytes()), BTreeSet::new())
    }

    /// Messages in a folder.
    pub fn count(&self, folder: &str) -> usize {
        self.state().folders.get(folder).map_or(0, Vec::len)
    }

    /// UIDs and flags of a folder.
    pub fn flags(&self, folder: &str) -> Vec<(u32, String)> {
        let state = self.state();
        let of = |mail: &Mail| (mail.uid, mail.flags.iter().cloned().collect::<Vec<_>>().join(" "));
        state.folders.get(folder).into_iter().flatten().map(of).collect()
    }

    /// How often somebody tried to log in.
    pub fn logins(&self) -> usize {
        self.state().logins
    }

    /// How often a command was given.
    pub fn heard(&self, begin: &str) -> usize {
        self.state().heard.iter().filter(|it| it.starts_with(begin)).count()
    }

    /// Nothing was done that must not be done.
    #[track_caller]
    pub fn judge(&self) {
        assert_eq!(self.state().wrong, [""; 0]);
    }
}

impl State {
    fn add(&mut self, folder: &str, bytes: Arc<Vec<u8>>, flags: BTreeSet<String>) -> u32 {
        let uid = self.next_uid;
        self.next_uid += 1;
        self.folders.get_mut(folder).unwrap().push(Mail { uid, bytes, flags });
        uid
    }

    fn renumber(&mut self) {
        self.validity += 1;
        self.next_uid = 1;
        for mails in self.folders.values_mut() {
            for mail in mails {
                mail.uid = self.next_uid;
                self.next_uid += 1;
            }
        }
    }
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

struct Connection {
    stream: Box<dyn Stream>,
    socket: TcpStream,
    input: Vec<u8>,
    state: Arc<Mutex<State>>,
    selected: Option<String>,
    read_only: bool,
}

/// `"a \"b\""` and atoms.
fn words(text: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (mut word, mut chars) = (String::new(), quoted.char_indices());
            let mut end = quoted.len();
            while let Some((at, c)) = chars.next() {
                match c {
                    '\\' => word.extend(chars.next().map(|(_, c)| c)),
                    '"' => {
                        end = at + 1;
                        break;
                    }
                    c => word.push(c),
                }
            }
            found.push(word);
            rest = quoted[end..].trim_start();
        } else {
            let end = rest.find(' ').unwrap_or(rest.len());
            found.push(rest[..end].to_owned());
            rest = rest[end..].trim_start();
        }
    }
    found
}

fn is_in(set: &str, n: u32) -> bool {
    set.split(',').any(|range| {
        let (a, b) = range.split_once(':').unwrap_or((range, range));
        (a.parse::<u32>().unwrap()..=b.parse::<u32>().unwrap()).contains(&n)
    })
}

impl Connection {
    fn serve(socket: TcpStream, state: Arc<Mutex<State>>, tls: Tls, config: &Arc<ServerConfig>) -> io::Result<()> {
        socket.set_nodelay(true)?;
        let plain = socket.try_clone()?;
        let mut it =
            Self { stream: Box::new(plain), socket, input: Vec::new(), state, selected: None, read_only: false };
        if tls == Tls::Implicit {
            it.encrypt(config)?;
        }
        let greeting = it.state().greeting.clone();
        it.say(&greeting)?;
        if greeting.starts_with("* BYE") {
            return Ok(());
        }
        let mut is_encrypted = tls != Tls::Starttls;
        while let Some(line) = it.line(None)? {
            let (tag, command) = line.split_once(' ').unwrap();
            let is_answered = it.state().answers.iter().any(|(begin, _)| *begin == "STARTTLS");
            if command.eq_ignore_ascii_case("STARTTLS") && !is_encrypted && !is_answered {
                let injected = it.state().injects.unwrap_or_default();
                it.heard("STARTTLS");
                it.send(format!("{tag} OK begin\r\n{injected}").as_bytes())?;
                it.encrypt(config)?;
                is_encrypted = true;
            } else if !it.command(tag, command, is_encrypted)? {
                break;
            }
        }
        Ok(())
    }

    fn encrypt(&mut self, config: &Arc<ServerConfig>) -> io::Result<()> {
        let tls = ServerConnection::new(Arc::clone(config)).unwrap();
        self.stream = Box::new(StreamOwned::new(tls, self.socket.try_clone()?));
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn heard(&self, command: &str) {
        self.state().heard.push(command.to_owned());
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        self.send(format!("{line}\r\n").as_bytes())
    }

    /// `Some("")`: none came within that time.
    fn line(&mut self, wait: Option<Duration>) -> io::Result<Option<String>> {
        self.socket.set_read_timeout(wait)?;
        loop {
            if let Some(end) = self.input.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                return Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()));
            }
            let mut some = [0; 4096];
            match self.stream.read(&mut some) {
                Ok(0) => return Ok(None),
                Ok(n) => self.input.extend_from_slice(&some[..n]),
                Err(why) if matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Ok(Some(String::new()));
                }
                Err(why) => return Err(why),
            }
        }
    }

    /// `false`: it is over.
    fn command(&mut self, tag: &str, command: &str, is_encrypted: bool) -> io::Result<bool> {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let is_login = ["LOGIN", "AUTHENTICATE"].contains(&verb);
        self.heard(if is_login { verb } else { command });
        let answer = {
            let state = self.state();
            if state.closes {
                return Ok(false);
            }
            state.answers.iter().find(|(begin, _)| command.starts_with(begin)).map(|(_, answer)| *answer)
        };
        if let Some(answer) = answer {
            self.say(&answer.replace("TAG", tag))?;
            return Ok(!answer.starts_with("* BYE"));
        }
        match verb {
            "CAPABILITY" => {
                let mut all = self.state().capabilities.join(" ");
                if !is_encrypted {
                    all = "IMAP4rev1 STARTTLS LOGINDISABLED".to_owned();
                }
                self.say(&format!("* CAPABILITY {all}"))?;
            }
            "LOGIN" | "AUTHENTICATE" => return self.log_in(tag, verb, rest, is_encrypted),
            "LIST" => self.list(&words(rest))?,
            "CREATE" => {
                let name = words(rest).remove(0);
                self.state().folders.entry(name).or_default();
            }
            "SUBSCRIBE" | "NOOP" => {}
            "SELECT" | "EXAMINE" => return self.select(tag, verb, &words(rest)[0]),
            "IDLE" => return self.idle(tag),
            "LOGOUT" => {
                self.say("* BYE until soon")?;
                self.say(&format!("{tag} OK"))?;
                return Ok(false);
            }
            "UID" => return self.uid(tag, rest),
            _ => {
                self.state().wrong.push(command.to_owned());
                self.say(&format!("{tag} BAD what?"))?;
                return Ok(true);
            }
        }
        self.say(&format!("{tag} OK done"))?;
        Ok(true)
    }

    fn log_in(&mut self, tag: &str, verb: &str, rest: &str, is_encrypted: bool) -> io::Result<bool> {
        self.state().logins += 1;
        if !is_encrypted {
            self.state().wrong.push("a login in clear".to_owned());
        }
        let (user, password) = if verb == "LOGIN" {
            let words = words(rest);
            (words[0].clone(), words[1].clone())
        } else {
            let encoded = match rest.split_once(' ') {
                Some((_, initial)) => initial.to_owned(),
                None => {
                    self.say("+ ")?;
                    self.line(None)?.unwrap_or_default()
                }
            };
            let plain = String::from_utf8(BASE64_STANDARD.decode(encoded).unwrap()).unwrap();
            let parts: Vec<_> = plain.split('\0').collect();
            (parts[1].to_owned(), parts[2].to_owned())
        };
        let refusal = {
            let state = self.state();
            let is_right = user == USER && password == state.password;
            let wrong = || (!is_right).then(|| format!("[AUTHENTICATIONFAILED] {USER} is not let in"));
            state.login_says.clone().or_else(wrong)
        };
        match refusal {
            Some(words) => self.say(&format!("{tag} NO {words}"))?,
            None => self.say(&format!("{tag} OK welcome"))?,
        }
        Ok(true)
    }

    fn list(&mut self, words: &[String]) -> io::Result<()> {
        if words[1].is_empty() {
            return self.say("* LIST (\\Noselect) \".\" \"\"");
        }
        let is_there = self.state().folders.contains_key(&words[1]);
        if is_there { self.say(&format!("* LIST () \".\" \"{}\"", words[1].replace('"', "\\\""))) } else { Ok(()) }
    }

    fn select(&mut self, tag: &str, verb: &str, name: &str) -> io::Result<bool> {
        let found = {
            let state = self.state();
            let keywords = if state.keywords { "\\*" } else { "" };
            state.folders.get(name).map(|mails| (mails.len(), state.validity, keywords))
        };
        let Some((exists, validity, keywords)) = found else {
            self.selected = None;
            self.say(&format!("{tag} NO [NONEXISTENT] no such folder"))?;
            return Ok(true);
        };
        self.selected = Some(name.to_owned());
        self.read_only = verb == "EXAMINE";
        let mode = if self.read_only { "READ-ONLY" } else { "READ-WRITE" };
        self.say(&format!(
            "* FLAGS (\\Seen \\Deleted)\r\n* {exists} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY {validity}] valid\r\n\
             * OK [PERMANENTFLAGS (\\Seen \\Deleted {keywords})] allowed\r\n{tag} OK [{mode}] selected"
        ))?;
        Ok(true)
    }

    fn idle(&mut self, tag: &str) -> io::Result<bool> {
        let folder = self.selected.clone().unwrap();
        let mut before = self.state().folders[&folder].len();
        self.say("+ idling")?;
        self.state().idling += 1;
        loop {
            let line = self.line(Some(Duration::from_millis(5)))?;
            if line.as_deref() == Some("DONE") {
                self.heard("DONE");
                break;
            }
            let (now, closes) = {
                let state = self.state();
                (state.folders[&folder].len(), state.closes)
            };
            if line.is_none() || closes {
                self.state().idling -= 1;
                return Ok(false);
            }
            if now != before {
                before = now;
                self.say(&format!("* {now} EXISTS"))?;
            }
        }
        self.state().idling -= 1;
        self.say(&format!("{tag} OK idled"))?;
        Ok(true)
    }

    fn uid(&mut self, tag: &str, command: &str) -> io::Result<bool> {
        let folder = self.selected.clone().unwrap();
        let words = words(command);
        let set = words[1].clone();
        if words[0] != "SEARCH" && words[0] != "FETCH" && self.read_only {
            self.state().wrong.push(format!("{command} in a folder opened for reading"));
        }
        match words[0].as_str() {
            "SEARCH" => {
                let found: Vec<String> = {
                    let state = self.state();
                    let numbered = state.folders[&folder].iter().zip(1..).filter(|(_, n)| is_in(&set, *n));
                    let has_not = |mail: &Mail, flag: &str| !mail.flags.contains(flag);
                    let fits = |mail: &Mail| {
                        has_not(mail, "\\Deleted")
                            && command.split("UNKEYWORD ").skip(1).all(|rest| has_not(mail, rest.trim()))
                    };
                    numbered.filter(|(mail, _)| fits(mail)).map(|(mail, _)| mail.uid.to_string()).collect()
                };
                self.say(format!("* SEARCH {}", found.join(" ")).trim_end())?;
            }
            "FETCH" => return self.fetch(tag, &folder, &set, command),
            "STORE" => {
                let mut state = self.state();
                if words[2] != "+FLAGS.SILENT" {
                    state.wrong.push(command.to_owned());
                }
                let flags: Vec<String> = words[3..]
                    .iter()
                    .map(|it| it.trim_matches(['(', ')']).to_owned())
                    .filter(|it| !it.is_empty())
                    .collect();
                let mails = state.folders.get_mut(&folder).unwrap();
                for mail in mails.iter_mut().filter(|it| is_in(&set, it.uid)) {
                    mail.flags.extend(flags.iter().cloned());
                }
            }
            "COPY" | "MOVE" => {
                let to = words[2].clone();
                if !self.state().folders.contains_key(&to) {
                    self.say(&format!("{tag} NO [TRYCREATE] no such folder"))?;
                    return Ok(true);
                }
                if self.state().contended > 0 {
                    let mut state = self.state();
                    state.contended -= 1;
                    let mails = state.folders.get_mut(&folder).unwrap();
                    let first = mails.iter().position(|it| is_in(&set, it.uid)).unwrap();
                    let moved = mails.remove(first);
                    state.add(&to, moved.bytes, moved.flags);
                    drop(state);
                    self.say(&format!("{tag} NO [EXPUNGEISSUED] some are gone"))?;
                    return Ok(true);
                }
                let mut state = self.state();
                if !state.pretends {
                    let mails = state.folders.get_mut(&folder).unwrap();
                    let those: Vec<Mail> = mails.iter().filter(|it| is_in(&set, it.uid)).cloned().collect();
                    if words[0] == "MOVE" {
                        mails.retain(|it| !is_in(&set, it.uid));
                    }
                    for mail in those {
                        state.add(&to, mail.bytes, mail.flags);
                    }
                    state.moves += 1;
                    if state.renumbers_after == Some(state.moves) {
                        state.renumber();
                    }
                }
            }
            "EXPUNGE" => {
                let mails = &mut self.state();
                let mails = mails.folders.get_mut(&folder).unwrap();
                mails.retain(|it| !(is_in(&set, it.uid) && it.flags.contains("\\Deleted")));
            }
            _ => self.state().wrong.push(command.to_owned()),
        }
        self.say(&format!("{tag} OK done"))?;
        Ok(true)
    }

    fn fetch(&mut self, tag: &str, folder: &str, set: &str, command: &str) -> io::Result<bool> {
        let most =
            command.split_once("<0.").and_then(|(_, rest)| rest.split_once('>')).map(|(n, _)| n.parse().unwrap());
        let Some(most) = most.filter(|_| command.contains("BODY.PEEK[]")) else {
            self.state().wrong.push(command.to_owned());
            return Ok(false);
        };
        let wanted: Vec<(usize, Mail)> = {
            let state = self.state();
            let numbered = state.folders[folder].iter().cloned().enumerate();
            numbered.filter(|(_, mail)| is_in(set, mail.uid)).collect()
        };
        for (n, mail) in wanted {
            let n = n + 1;
            let fault = {
                let mut state = self.state();
                let once = std::mem::take(&mut state.drops_once);
                if once { Some(Fault::Drops) } else { state.faults.get(&mail.uid).copied() }
            };
            let bytes: &[u8] = &mail.bytes[..mail.bytes.len().min(most)];
            let uid = mail.uid;
            let head = |length: usize| format!("* {n} FETCH (UID {uid} BODY[]<0> {{{length}}}\r\n").into_bytes();
            match fault {
                None => self.send(&[head(bytes.len()), bytes.to_vec(), b")\r\n".to_vec()].concat())?,
                Some(Fault::Drops) => {
                    self.send(&[head(bytes.len()), bytes[..bytes.len() / 2].to_vec()].concat())?;
                    return Ok(false);
                }
                Some(Fault::Refused) => {
                    self.say(&format!("{tag} NO [SERVERBUG] the index is broken"))?;
                    return Ok(true);
                }
                Some(Fault::Bad) => {
                    self.say(&format!("{tag} BAD no"))?;
                    return Ok(true);
                }
                Some(Fault::Huge) => {
                    self.send(&[head(400 << 20), vec![b'x'; 1 << 20]].concat())?;
                    return Ok(false);
                }
                Some(Fault::TooMuch) => self.send(&[head(3 << 20), vec![b'x'; 3 << 20], b")\r\n".to_vec()].concat())?,
                Some(Fault::Garbage) => self.say("* 1 FETCH (UID )))) geheim@privat.example")?,
                Some(Fault::Panics) => self.say("* OK [ALERT]é")?,
                Some(Fault::Nil) => self.say(&format!("* {n} FETCH (UID {uid} BODY[]<0> NIL)"))?,
                Some(Fault::Omitted) => {}
            }
            // Others change flags in the meantime.
            if n % 7 == 0 {
                self.say(&format!("* {n} FETCH (FLAGS (\\Answered))"))?;
            }
        }
        self.say(&format!("{tag} OK fetched"))?;
        Ok(true)
    }
}
