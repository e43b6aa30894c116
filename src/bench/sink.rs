//! A relay that accepts and counts everything: as little work per message as possible, but a correct SMTP server with
//! PIPELINING, CHUNKING and a record of recipients.

use anyhow::{Context, bail};
use memchr::memmem;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const END: &[u8] = b"\r\n.\r\n";

/// What it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub accepted: u64,
    /// Different recipients, counted by a hash.
    pub distinct: u64,
}

#[derive(Debug, Default)]
struct Seen {
    accepted: u64,
    recipients: HashSet<u64>,
}

/// The behaviour of the relay.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Delay before each reply, to simulate distance.
    pub delay: Duration,
    /// Do not offer CHUNKING: messages are sent with DATA.
    pub data_only: bool,
}

/// Serves until the process ends.
pub async fn serve(listener: TcpListener, manner: Manner) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        tokio::spawn(converse(stream, Talk::new(Arc::clone(&seen), manner)));
    }
}

/// Asks a sink of this kind for its counts.
///
/// # Errors
/// If it does not answer like one.
pub async fn ask(sink: SocketAddr) -> anyhow::Result<Count> {
    let mut stream = TcpStream::connect(sink).await?;
    stream.write_all(b"XCOUNT\r\nQUIT\r\n").await?;
    let mut said = String::new();
    stream.read_to_string(&mut said).await?;
    let line = said.lines().find_map(|line| line.strip_prefix("250 count ")).context("this sink does not count")?;
    let numbers: Vec<u64> = line.split(' ').filter_map(|n| n.parse().ok()).collect();
    let [accepted, distinct] = numbers[..] else { bail!("the sink counts strangely: {line}") };
    Ok(Count { accepted, distinct })
}

async fn converse(mut stream: TcpStream, mut talk: Talk) -> std::io::Result<()> {
    let delay = talk.manner.delay;
    stream.write_all(b"220 sink ESMTP\r\n").await?;
    let (mut input, mut answers) = (Vec::with_capacity(1 << 17), Vec::with_capacity(256));
    loop {
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        let over = talk.take(&mut input, &mut answers);
        if !answers.is_empty() {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            stream.write_all(&answers).await?;
            answers.clear();
        }
        if over {
            return Ok(());
        }
    }
}

struct Talk {
    seen: Arc<Mutex<Seen>>,
    manner: Manner,
    message: Option<Ends>,
    recipient: u64,
}

/// Where the incoming message ends.
enum Ends {
    AtDot,
    /// After so many bytes more.
    After(usize),
}

impl Talk {
    fn new(seen: Arc<Mutex<Seen>>, manner: Manner) -> Self {
        Self { seen, manner, message: None, recipient: 0 }
    }

    /// Consumes complete input; `true`: the client leaves.
    fn take(&mut self, input: &mut Vec<u8>, answers: &mut Vec<u8>) -> bool {
        let mut at = 0;
        loop {
            let rest = &input[at..];
            if let Some(ends) = &mut self.message {
                let end = match ends {
                    Ends::AtDot => memmem::find(rest, END).map(|at| at + END.len()),
                    Ends::After(bytes) => (*bytes <= rest.len()).then_some(*bytes),
                };
                let Some(end) = end else {
                    match ends {
                        // Everything except what may be the beginning of the end.
                        Ends::AtDot => at = input.len().saturating_sub(END.len() - 1).max(at),
                        Ends::After(bytes) => {
                            *bytes -= rest.len();
                            at = input.len();
                        }
                    }
                    break;
                };
                at += end;
                self.message = None;
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.accepted += 1;
                seen.recipients.insert(self.recipient);
                answers.extend_from_slice(b"250 2.0.0 taken\r\n");
                continue;
            }
            let Some(end) = memchr::memchr(b'\n', rest) else { break };
            let line = &rest[..end];
            at += end + 1;
            let verb = line.get(..4).unwrap_or(line).to_ascii_uppercase();
            let answer: &[u8] = match &verb[..] {
                b"EHLO" => {
                    answers.extend_from_slice(b"250-sink\r\n250-PIPELINING\r\n");
                    if !self.manner.data_only {
                        answers.extend_from_slice(b"250-CHUNKING\r\n");
                    }
                    b"250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 SIZE 0\r\n"
                }
                b"RCPT" => {
                    let mut hash = DefaultHasher::new();
                    line.hash(&mut hash);
                    self.recipient = hash.finish();
                    b"250 2.1.5 ok\r\n"
                }
                b"DATA" => {
                    self.message = Some(Ends::AtDot);
                    b"354 go\r\n"
                }
                // Only whole messages, as we send them.
                b"BDAT" => {
                    self.message = counted(line).map(Ends::After);
                    if self.message.is_some() { b"" } else { b"501 5.5.4 BDAT bytes LAST\r\n" }
                }
                b"QUIT" => {
                    answers.extend_from_slice(b"221 bye\r\n");
                    return true;
                }
                b"XCOU" => {
                    let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                    answers.extend_from_slice(
                        format!("250 count {} {}\r\n", seen.accepted, seen.recipients.len()).as_bytes(),
                    );
                    b""
                }
                _ => b"250 2.0.0 ok\r\n",
            };
            answers.extend_from_slice(answer);
        }
        input.drain(..at);
        false
    }
}

/// The number of `BDAT number LAST`.
fn counted(line: &[u8]) -> Option<usize> {
    let words = std::str::from_utf8(line).ok()?.split_ascii_whitespace().collect::<Vec<_>>();
    let [_, bytes, "LAST"] = words[..] else { return None };
    bytes.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_does_not_depend_on_how_the_data_is_split() {
        let one = |n: usize| {
            format!("MAIL FROM:<a@b.fr>\r\nRCPT TO:<p{n}@b.fr>\r\nDATA\r\nSubject: x\r\n\r\n..\r\n.x\r\n\r\n.\r\n")
        };
        let counted = "MAIL FROM:<a@b.fr>\r\nRCPT TO:<p3@b.fr>\r\nBDAT 9 LAST\r\n.\r\nQUIT\r\n".to_owned();
        let whole = [one(1), one(2), counted, one(2), "QUIT\r\n".to_owned()].concat().into_bytes();
        for size in [1, 2, 3, 7, 64, whole.len()] {
            let seen = Arc::new(Mutex::new(Seen::default()));
            let mut talk = Talk::new(Arc::clone(&seen), Manner::default());
            let (mut input, mut answers, mut over) = (Vec::new(), Vec::new(), false);
            for piece in whole.chunks(size) {
                input.extend_from_slice(piece);
                over |= talk.take(&mut input, &mut answers);
            }
            let seen = seen.lock().unwrap();
            assert_eq!((seen.accepted, seen.recipients.len(), over), (4, 3, true), "pieces of {size}");
            assert_eq!(String::from_utf8_lossy(&answers).matches("250 2.0.0 taken").count(), 4);
        }
    }
}
