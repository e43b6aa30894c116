//! An SMTP client, driven command by command (docs/adr/0003).
//!
//! lettre's own connection hides in which phase it failed, refuses replies that are not UTF-8, cannot pipeline and copies
//! bodies byte by byte; its pool reuses a connection in an undefined state. So the commands are implemented here, and
//! each has one of three results: success, refused (the connection can be used further), or connection lost, with what is
//! certain about the message. Never sends a password outside TLS; never repeats anything by itself.

use super::{
    OutgoingMessage, Timeouts,
    probe::Probe,
    relay::{Chunking, Login, SmtpRelay, Tls},
    reply::{Answer, no_reply},
    wire::{TransportError, Wire},
};
use crate::domain::pause::PauseReason;
use crate::{
    domain::{
        delivery::{Phase, Reply},
        message::Message,
    },
    failpoint,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::ExposeSecret;
use std::{borrow::Cow, net::IpAddr, time::Duration};
use tokio_rustls::TlsConnector;

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SmtpError {
    /// A definite 4yz or 5yz: the relay does not have the message.
    Refused { phase: Phase, answer: Answer },
    /// The relay cannot accept such a message; nothing was sent.
    Unsupported(Unsupported),
    /// No usable reply. Up to [`Phase::Body`] the relay certainly does not have the message; at [`Phase::Dot`] it may.
    Lost { phase: Phase, why: String },
}

/// Why this relay cannot accept the message, by its EHLO response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsupported {
    TooBig { bytes: usize, most: usize },
    EightBit,
}

impl Unsupported {
    fn why(self) -> String {
        match self {
            Self::TooBig { bytes, most } => format!("the message has {bytes} bytes, the relay takes {most}"),
            Self::EightBit => "the message has 8-bit text, the relay takes none".into(),
        }
    }

    pub fn pause(self) -> PauseReason {
        match self {
            Self::TooBig { bytes, most } => PauseReason::TooBig { bytes, most },
            Self::EightBit => PauseReason::EightBit,
        }
    }
}

impl SmtpError {
    fn lost(phase: Phase) -> impl FnOnce(TransportError) -> Self {
        move |broken| Self::Lost { phase, why: broken.0 }
    }

    pub fn phase(&self) -> Phase {
        match self {
            Self::Refused { phase, .. } | Self::Lost { phase, .. } => *phase,
            Self::Unsupported(_) => Phase::Mail,
        }
    }

    pub fn reply(&self) -> Reply {
        match self {
            Self::Refused { answer, .. } => answer.reply(),
            Self::Unsupported(unsupported) => no_reply(&unsupported.why()),
            Self::Lost { why, .. } => no_reply(why),
        }
    }

    /// A 421 announces that the relay closes.
    pub fn ends_connection(&self) -> bool {
        match self {
            Self::Refused { answer, .. } => answer.code == 421,
            Self::Unsupported(_) => false,
            Self::Lost { .. } => true,
        }
    }
}

/// The relay could not be reached, or refuses us before any recipient was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConnectError {
    pub phase: Phase,
    pub reply: Reply,
}

impl ConnectError {
    fn at(phase: Phase) -> impl FnOnce(TransportError) -> Self {
        move |broken| Self { phase, reply: no_reply(&broken.0) }
    }

    fn said(phase: Phase, answer: &Answer) -> Self {
        Self { phase, reply: answer.reply() }
    }
}

/// The capabilities in the EHLO response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Capabilities {
    /// Maximum message size; `None` if not announced.
    size: Option<usize>,
    takes_size: bool,
    eight_bit: bool,
    pipelining: bool,
    chunking: bool,
    starttls: bool,
    /// AUTH mechanisms, in upper case.
    auth: Vec<String>,
}

impl Capabilities {
    fn from_lines(lines: &[String]) -> Self {
        let mut capabilities = Self::default();
        for line in lines.iter().skip(1) {
            let mut words = line.split([' ', '=']).map(str::to_ascii_uppercase);
            match words.next().as_deref() {
                Some("SIZE") => {
                    capabilities.takes_size = true;
                    capabilities.size = words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
                }
                Some("8BITMIME") => capabilities.eight_bit = true,
                Some("PIPELINING") => capabilities.pipelining = true,
                Some("CHUNKING") => capabilities.chunking = true,
                Some("STARTTLS") => capabilities.starttls = true,
                Some("AUTH") => capabilities.auth.extend(words),
                _ => {}
            }
        }
        capabilities
    }
}

/// An open SMTP connection between two messages.
pub(super) struct Smtp {
    wire: Wire,
    capabilities: Capabilities,
    chunking: Chunking,
    timeouts: Timeouts,
    /// Number of transactions begun.
    messages: u32,
    /// How the message of the last envelope is framed.
    framing: Framing,
    /// The id of the delivery whose envelope was pipelined behind the previous message, and not yet answered.
    announced: Option<String>,
}

impl Smtp {
    /// Greeting, EHLO, TLS and AUTH according to the relay's settings.
    pub async fn open(relay: &SmtpRelay, tls: &TlsConnector, timeouts: &Timeouts) -> Result<Self, ConnectError> {
        let mut wire =
            Wire::connect(&relay.host, relay.port, timeouts.connect).await.map_err(ConnectError::at(Phase::Connect))?;
        if relay.tls == Tls::Implicit {
            wire = wire.upgrade(&relay.host, tls, timeouts.greeting).await.map_err(ConnectError::at(Phase::Tls))?;
        }
        let greeting = wire.answer(timeouts.greeting).await.map_err(ConnectError::at(Phase::Connect))?;
        if !greeting.is_positive() {
            return Err(ConnectError::said(Phase::Connect, &greeting));
        }
        let name = relay.hello.clone().unwrap_or_else(|| hello(wire.local()));
        let mut capabilities = ehlo(&mut wire, &name, timeouts).await?;
        if matches!(relay.tls, Tls::Required | Tls::Opportunistic) {
            if capabilities.starttls {
                let answer = exchange(&mut wire, "STARTTLS", timeouts.command, Phase::Tls).await?;
                if !answer.is_positive() {
                    return Err(ConnectError::said(Phase::Tls, &answer));
                }
                wire = wire.upgrade(&relay.host, tls, timeouts.greeting).await.map_err(ConnectError::at(Phase::Tls))?;
                // RFC 3207 4.2: forget what was announced before TLS.
                capabilities = ehlo(&mut wire, &name, timeouts).await?;
            } else if relay.tls == Tls::Required {
                return Err(ConnectError { phase: Phase::Tls, reply: no_reply("the relay offers no STARTTLS") });
            }
        }
        if let Some(login) = &relay.login {
            log_in(&mut wire, &capabilities, login, timeouts).await?;
        }
        Ok(Self {
            wire,
            capabilities,
            chunking: relay.chunking.clone(),
            timeouts: timeouts.clone(),
            messages: 0,
            framing: Framing::Dotted,
            announced: None,
        })
    }

    /// Number of messages sent on this connection.
    pub fn messages(&self) -> u32 {
        self.messages
    }

    /// What the relay said in the last EHLO, and how the connection is protected.
    pub fn probe(&self) -> Probe {
        Probe {
            peer: self.wire.peer(),
            encrypted: self.wire.is_encrypted(),
            certificate_ends: self.wire.certificate_ends(),
            size: self.capabilities.size,
            auth: self.capabilities.auth.clone(),
        }
    }

    pub fn announces_ahead(&self) -> bool {
        self.capabilities.pipelining
    }

    /// Whether the envelope of this delivery was pipelined behind the previous message.
    pub fn has_announced(&self, id: &str) -> bool {
        self.announced.as_deref() == Some(id)
    }

    /// MAIL and RCPT, pipelined if the relay allows it (RFC 2920). If they were sent already, only reads the
    /// replies.
    pub async fn envelope(&mut self, outgoing: &OutgoingMessage<'_>) -> Result<(), SmtpError> {
        if self.has_announced(outgoing.id) {
            self.announced = None;
            self.both_agreed().await?;
            // An extra reply was taken for that to MAIL, so the following replies cannot be assigned.
            return match self.wire.is_out_of_turn() {
                None => Ok(()),
                Some(broken) => Err(SmtpError::lost(Phase::Mail)(broken)),
            };
        }
        // Another envelope was pipelined, and that message is not sent now.
        if self.announced.is_some() && !self.reset().await {
            return Err(SmtpError::Lost { phase: Phase::Mail, why: "no answer to RSET".into() });
        }
        self.is_fit(outgoing.message).map_err(SmtpError::Unsupported)?;
        self.messages += 1;
        let limit = self.timeouts.command;
        let [mail, rcpt] = self.commands(outgoing);
        if self.capabilities.pipelining {
            self.wire.say(&format!("{mail}\r\n{rcpt}"), limit).await.map_err(SmtpError::lost(Phase::Mail))?;
            return self.both_agreed().await;
        }
        self.wire.say(&mail, limit).await.map_err(SmtpError::lost(Phase::Mail))?;
        self.agreed(Phase::Mail).await?;
        self.wire.say(&rcpt, limit).await.map_err(SmtpError::lost(Phase::Rcpt))?;
        self.rcpt_agreed().await
    }

    fn is_fit(&self, message: &Message) -> Result<(), Unsupported> {
        match self.capabilities.size.filter(|most| message.len() > *most) {
            Some(most) => Err(Unsupported::TooBig { bytes: message.len(), most }),
            None if !self.capabilities.eight_bit && !message.is_ascii() => Err(Unsupported::EightBit),
            None => Ok(()),
        }
    }

    /// MAIL and RCPT. Addresses are parsed, so they contain no space, angle bracket or line end.
    fn commands(&self, outgoing: &OutgoingMessage<'_>) -> [String; 2] {
        let OutgoingMessage { to, message, .. } = outgoing;
        let size = if self.capabilities.takes_size { format!(" SIZE={}", message.len()) } else { String::new() };
        let body = if message.is_ascii() { "" } else { " BODY=8BITMIME" };
        [format!("MAIL FROM:<{}>{size}{body}", message.sender), format!("RCPT TO:<{to}>")]
    }

    /// Reads the replies to MAIL and RCPT that were pipelined.
    async fn both_agreed(&mut self) -> Result<(), SmtpError> {
        let to_mail = self.agreed(Phase::Mail).await;
        if let Err(SmtpError::Refused { answer, .. }) = &to_mail
            && answer.code != 421
        {
            // The reply to RCPT (503) is still coming and must not be taken for the next one.
            self.wire.answer(self.timeouts.command).await.map_err(SmtpError::lost(Phase::Mail))?;
        }
        to_mail?;
        self.rcpt_agreed().await
    }

    /// If the relay sends one reply too many, each later reply is assigned to the previous command, and the reply about a
    /// recipient is taken for the reply about a message. DATA detects that, because its reply differs (354). With BDAT
    /// the enhanced codes tell them apart (RFC 3463: x.1.z is about an address); if RCPT is answered without one, DATA is
    /// used.
    async fn rcpt_agreed(&mut self) -> Result<(), SmtpError> {
        let answer = self.agreed(Phase::Rcpt).await?;
        let counts = self.capabilities.chunking && self.chunking.is_on() && answer.speaks_of_an_address();
        self.framing = if counts { Framing::Counted } else { Framing::Dotted };
        Ok(())
    }

    async fn agreed(&mut self, phase: Phase) -> Result<Answer, SmtpError> {
        let answer = self.wire.answer(self.timeouts.command).await.map_err(SmtpError::lost(phase))?;
        match answer {
            answer if answer.is_positive() => Ok(answer),
            answer if answer.is_refusal() => Err(SmtpError::Refused { phase, answer }),
            answer => Err(SmtpError::Lost { phase, why: format!("unexpected reply {}", answer.code) }),
        }
    }

    /// Sends the whole message. `Ok` is a 2yz reply to it: the relay has it. Only call it with the marker committed. The
    /// envelope of `next` is pipelined behind it if the relay allows it (RFC 2920 3.1), but nothing of that message.
    pub async fn transfer(
        &mut self,
        message: &Message,
        next: Option<&OutgoingMessage<'_>>,
    ) -> Result<Answer, SmtpError> {
        let framing = self.framing;
        if framing == Framing::Dotted {
            self.data().await?;
        } else if let Some(broken) = self.wire.is_out_of_turn() {
            return Err(SmtpError::lost(Phase::Data)(broken));
        }
        self.body(message, framing, next).await?;
        failpoint::reach("after_dot");
        let answer = self.wire.answer(self.timeouts.dot).await.map_err(SmtpError::lost(Phase::Dot))?;
        match answer {
            answer if framing == Framing::Counted && answer.is_positive() && answer.speaks_of_an_address() => {
                // If this relay always does so, no more deliveries than these become unknown.
                self.chunking.end();
                let why = format!("one reply too many, or an answer to RCPT: {}", answer.reply().text);
                Err(SmtpError::Lost { phase: Phase::Dot, why })
            }
            answer if answer.is_positive() => Ok(answer),
            // Unknown or not implemented: it read the message as commands, and does not have the message.
            answer if framing == Framing::Counted && matches!(answer.code, 500 | 502) => {
                self.chunking.end();
                let why = format!("the relay says CHUNKING and does not know BDAT: {}", answer.reply().text);
                Err(SmtpError::Lost { phase: Phase::Data, why })
            }
            answer if answer.is_refusal() => Err(SmtpError::Refused { phase: Phase::Dot, answer }),
            answer => Err(SmtpError::Lost { phase: Phase::Dot, why: format!("unexpected reply {}", answer.code) }),
        }
    }

    async fn data(&mut self) -> Result<(), SmtpError> {
        let lost_at_data = || SmtpError::lost(Phase::Data);
        self.wire.say("DATA", self.timeouts.data).await.map_err(lost_at_data())?;
        let answer = self.wire.answer(self.timeouts.data).await.map_err(lost_at_data())?;
        match answer {
            answer if answer.is_refusal() => Err(SmtpError::Refused { phase: Phase::Data, answer }),
            answer if answer.code == 354 => Ok(()),
            answer => Err(SmtpError::Lost { phase: Phase::Data, why: format!("unexpected reply {}", answer.code) }),
        }
    }

    /// Sends the message with the given framing.
    ///
    /// The relay considers a message complete only with its last byte, that of `CRLF . CRLF` or of the announced size; while
    /// any byte of it was not handed to the socket, the message certainly did not arrive.
    async fn body(
        &mut self,
        message: &Message,
        framing: Framing,
        next: Option<&OutgoingMessage<'_>>,
    ) -> Result<(), SmtpError> {
        let next = next.filter(|next| self.announces_ahead() && self.is_fit(next.message).is_ok());
        let announcement = next.map(|next| self.commands(next).map(|command| command + "\r\n").concat());
        let last = message.pieces().filter_map(|piece| piece.last()).last();
        let end: &[u8] = if last.is_none_or(|last| *last == b'\n') { b"" } else { b"\r\n" };
        let bdat;
        let mut flight: Vec<&[u8]> = Vec::new();
        match framing {
            Framing::Counted => {
                bdat = format!("BDAT {} LAST\r\n", message.len() + end.len());
                flight.push(bdat.as_bytes());
                flight.extend(message.pieces());
                flight.push(end);
            }
            Framing::Dotted => {
                let mut before = b'\n';
                for piece in message.pieces() {
                    flight.extend(dot_stuffed(piece, before));
                    before = piece.last().copied().unwrap_or(before);
                }
                flight.extend([end, b".\r\n"]);
            }
        }
        let whole = flight.iter().map(|piece| piece.len()).sum();
        flight.extend(announcement.as_deref().map(str::as_bytes));
        let (mut handed, limit) = (0, self.timeouts.block);
        match self.wire.hand(&flight, &mut handed, limit).await {
            Ok(()) => {
                self.announced = next.map(|next| next.id.to_owned());
                self.messages += u32::from(next.is_some());
                self.wire.flush(limit).await.map_err(SmtpError::lost(Phase::Dot))
            }
            // All of it was sent, what follows was not: the relay may have the message, and its reply may still come.
            Err(_) if handed >= whole => Ok(()),
            Err(broken) => {
                // A relay that closes early has often sent the reason.
                match self.wire.answer(self.timeouts.farewell).await {
                    Ok(answer) if answer.is_refusal() => Err(SmtpError::Refused { phase: Phase::Body, answer }),
                    _ => Err(SmtpError::Lost { phase: Phase::Body, why: broken.0 }),
                }
            }
        }
    }

    /// Ends a transaction that was refused, or pipelined and not used, so that the connection can be used for the next
    /// message. `false`: it cannot.
    pub async fn reset(&mut self) -> bool {
        let limit = self.timeouts.command;
        self.forget_announced(limit).await
            && self.wire.say("RSET", limit).await.is_ok()
            && self.wire.answer(limit).await.is_ok_and(|answer| answer.is_positive())
    }

    /// NOOP (RFC 5321 4.1.1.9), with no envelope pipelined.
    pub async fn noop(&mut self) -> Result<(), Reply> {
        let limit = self.timeouts.command;
        self.wire.say("NOOP", limit).await.map_err(|broken| no_reply(&broken.0))?;
        let answer = self.wire.answer(limit).await.map_err(|broken| no_reply(&broken.0))?;
        if answer.is_positive() { Ok(()) } else { Err(answer.reply()) }
    }

    /// Sends QUIT without waiting long.
    pub async fn quit(&mut self) {
        let limit = self.timeouts.farewell;
        if self.forget_announced(limit).await && self.wire.say("QUIT", limit).await.is_ok() {
            let _ = self.wire.answer(limit).await;
        }
    }

    /// Discards the replies to a pipelined envelope, so that they are not assigned to the next command. `false`: they did
    /// not come.
    async fn forget_announced(&mut self, limit: Duration) -> bool {
        self.announced.take().is_none()
            || (self.wire.answer(limit).await.is_ok_and(|answer| answer.code != 421)
                && self.wire.answer(limit).await.is_ok_and(|answer| answer.code != 421))
    }
}

/// How the end of a message is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// DATA: by a line with a dot.
    Dotted,
    /// BDAT: by the number of its bytes (RFC 3030).
    Counted,
}

/// The pieces of `part` with dot stuffing (RFC 5321 4.5.2). `before` is the preceding byte. A bare LF counts as a line
/// end too, since some relays accept it as one (SMTP smuggling).
fn dot_stuffed(part: &[u8], before: u8) -> impl Iterator<Item = &[u8]> {
    let first_is_dot = before == b'\n' && part.first() == Some(&b'.');
    let lines = memchr::memmem::find_iter(part, b"\n.").map(|at| at + 1);
    let mut cuts = first_is_dot.then_some(0).into_iter().chain(lines);
    let mut from = 0;
    let mut done = false;
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        let dot = cuts.next();
        done = dot.is_none();
        // Up to and including the dot; the next piece begins with the same dot.
        let piece = &part[from..dot.map_or(part.len(), |dot| dot + 1)];
        from = dot.unwrap_or(part.len());
        Some(piece)
    })
}

async fn exchange(wire: &mut Wire, command: &str, limit: Duration, phase: Phase) -> Result<Answer, ConnectError> {
    wire.say(command, limit).await.map_err(ConnectError::at(phase))?;
    wire.answer(limit).await.map_err(ConnectError::at(phase))
}

/// What EHLO says where nothing is configured: the name of this machine, or its address where that name has no dot. Many
/// relays refuse a bare name (RFC 5321 4.1.4; Postfix: `reject_non_fqdn_helo_hostname`).
pub fn hello(local: Option<IpAddr>) -> String {
    let name = hostname::get().ok().and_then(|name| name.into_string().ok());
    match (name.filter(|name| is_full_name(name)), local) {
        (Some(name), _) => name,
        (None, Some(IpAddr::V6(address))) => format!("[IPv6:{address}]"),
        (None, Some(IpAddr::V4(address))) => format!("[{address}]"),
        (None, None) => "[127.0.0.1]".to_owned(),
    }
}

fn is_full_name(name: &str) -> bool {
    let label = |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    name.contains('.') && name.split('.').all(label)
}

async fn ehlo(wire: &mut Wire, name: &str, timeouts: &Timeouts) -> Result<Capabilities, ConnectError> {
    let command = format!("EHLO {name}");
    let answer = exchange(wire, &command, timeouts.command, Phase::Ehlo).await?;
    if answer.is_positive() {
        Ok(Capabilities::from_lines(&answer.lines))
    } else {
        Err(ConnectError::said(Phase::Ehlo, &answer))
    }
}

async fn log_in(
    wire: &mut Wire,
    capabilities: &Capabilities,
    login: &Login,
    timeouts: &Timeouts,
) -> Result<(), ConnectError> {
    let limit = timeouts.command;
    let refused = |why: &str| ConnectError { phase: Phase::Auth, reply: no_reply(why) };
    if !wire.is_encrypted() {
        return Err(refused("the relay offers no TLS, and a password is never sent in clear"));
    }
    let encode = |text: Cow<'_, str>| BASE64_STANDARD.encode(text.as_bytes());
    let (user, password) = (login.user.as_str(), login.password.expose_secret());
    let offers = |mechanism: &str| capabilities.auth.iter().any(|word| word == mechanism);
    let mut answer = None;
    if offers("PLAIN") {
        let response = encode(format!("\0{user}\0{password}").into());
        answer = Some(exchange(wire, &format!("AUTH PLAIN {response}"), limit, Phase::Auth).await?);
    }
    if offers("LOGIN") && answer.as_ref().is_none_or(refuses_the_mechanism) {
        let mut login = exchange(wire, "AUTH LOGIN", limit, Phase::Auth).await?;
        for secret in [user, password] {
            if login.code != 334 {
                break;
            }
            login = exchange(wire, &encode(secret.into()), limit, Phase::Auth).await?;
        }
        answer = Some(login);
    }
    let Some(answer) = answer else {
        return Err(refused("the relay offers neither AUTH PLAIN nor AUTH LOGIN"));
    };
    if answer.is_positive() { Ok(()) } else { Err(ConnectError::said(Phase::Auth, &answer)) }
}

/// RFC 4954 4: the mechanism is refused, not the password, which was perhaps not looked at. Servers announce PLAIN and mean
/// LOGIN alone. A refused password (535) is never said twice.
fn refuses_the_mechanism(answer: &Answer) -> bool {
    matches!(answer.code, 500..=504 | 534)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuffed(parts: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut last = b'\n';
        for part in parts {
            dot_stuffed(part, last).for_each(|piece| out.extend_from_slice(piece));
            last = part.last().copied().unwrap_or(last);
        }
        out
    }

    #[test]
    fn a_leading_dot_is_doubled_also_across_chunks() {
        for (parts, wire) in [
            (&[&b".a\r\n..\r\nb.\r\n"[..]][..], &b"..a\r\n...\r\nb.\r\n"[..]),
            (&[b"a\r\n", b".b\r\n"], b"a\r\n..b\r\n"),
            (&[b"a", b".b\r\n"], b"a.b\r\n"),
            (&[b"a\r\n", b"", b"."], b"a\r\n.."),
            (&[b"a\n.\r\nMAIL FROM:<x>\r\n"], b"a\n..\r\nMAIL FROM:<x>\r\n"),
            (&[b"."], b".."),
            (&[b""], b""),
        ] {
            assert_eq!(stuffed(parts), wire, "{parts:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn dot_stuffing_is_reversible(text in "([.\r\na]|\r\n){0,40}", cut in 0usize..40) {
            let text = text.as_bytes();
            let (head, tail) = text.split_at(cut.min(text.len()));
            let wire = stuffed(&[head, tail]);
            let mut back = Vec::new();
            for line in wire.split_inclusive(|b| *b == b'\n') {
                proptest::prop_assert!(line != b".\r\n" && line != b".\n");
                back.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
            }
            proptest::prop_assert_eq!(back, text);
        }
    }

    #[test]
    fn ehlo_uses_a_qualified_name_or_an_address_literal() {
        for (name, full) in [("lettre.office.example", true), ("bureau", false), ("bureau.", false), ("a b.fr", false)]
        {
            assert_eq!(is_full_name(name), full, "{name}");
        }
        let said = |address: &str| hello(address.parse().ok());
        for (local, said) in [("192.0.2.1", said("192.0.2.1")), ("IPv6:2001:db8::1", said("2001:db8::1"))] {
            assert!(said == format!("[{local}]") || is_full_name(&said), "{said}");
        }
    }

    #[test]
    fn the_capabilities_of_a_relay_are_parsed() {
        let lines = ["relay.test", "SIZE 1000", "8bitmime", "AUTH=LOGIN PLAIN", "STARTTLS", "CHUNKING", "X-OTHER"]
            .map(String::from);
        let capabilities = Capabilities::from_lines(&lines);
        assert_eq!(
            (capabilities.size, capabilities.takes_size, capabilities.eight_bit, capabilities.pipelining),
            (Some(1000), true, true, false)
        );
        assert!(capabilities.chunking && capabilities.starttls);
        assert_eq!(capabilities.auth, ["LOGIN", "PLAIN"]);
        assert_eq!(Capabilities::from_lines(&["r".into(), "SIZE 0".into()]).size, None);
    }
}
