//! A stream that ends with an error before a single response of the server fills the memory: the parser behind it keeps a response until it
//! is complete, and makes room for a literal of whatever size the server announces.

use crate::inbound::MOST_BYTES;
use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes of one literal. Of a message no more than [`MOST_BYTES`] are asked for.
const MOST_OF_A_LITERAL: usize = MOST_BYTES;
/// Bytes of one response, with its literals.
const MOST_OF_A_RESPONSE: usize = MOST_BYTES + (64 << 10);

/// A connection to a server.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// The stream, with what was read of the current response.
pub(super) struct Bounded {
    inner: Box<dyn Stream>,
    meter: Meter,
}

impl Bounded {
    pub fn new(inner: impl Stream + 'static) -> Self {
        Self { inner: Box::new(inner), meter: Meter::default() }
    }
}

/// The server announced, or sent, more than is kept.
#[derive(Debug, thiserror::Error)]
#[error("an answer of more than {MOST_OF_A_RESPONSE} bytes")]
pub(super) struct TooLarge;

/// Counts the bytes of a response (RFC 3501 2.2.2): lines, each of which may end with `{n}`, the announcement of a literal of n bytes.
#[derive(Debug, Default)]
struct Meter {
    /// Bytes of this response so far.
    bytes: usize,
    /// Bytes of the literal that are still to come.
    literal: usize,
    ending: Ending,
}

/// How much of `{n}`, CR, LF was read.
#[derive(Debug, Default, Clone, Copy)]
enum Ending {
    #[default]
    None,
    Open(usize),
    Closed(usize),
    Return(usize),
}

impl Meter {
    fn count(&mut self, mut input: &[u8]) -> Result<(), TooLarge> {
        while let Some(byte) = input.first() {
            if self.literal > 0 {
                let skipped = self.literal.min(input.len());
                self.literal -= skipped;
                self.add(skipped)?;
                input = &input[skipped..];
                continue;
            }
            self.add(1)?;
            input = &input[1..];
            self.ending = match (self.ending, byte) {
                (_, b'{') => Ending::Open(0),
                (Ending::Open(n), b'0'..=b'9') => {
                    Ending::Open(n.saturating_mul(10).saturating_add(usize::from(byte - b'0')))
                }
                (Ending::Open(n), b'}') => Ending::Closed(n),
                (Ending::Closed(n), b'\r') => Ending::Return(n),
                (Ending::Return(n), b'\n') if n > MOST_OF_A_LITERAL => return Err(TooLarge),
                (Ending::Return(n), b'\n') => {
                    self.literal = n;
                    Ending::None
                }
                (_, b'\n') => {
                    self.bytes = 0;
                    Ending::None
                }
                _ => Ending::None,
            };
        }
        Ok(())
    }

    fn add(&mut self, bytes: usize) -> Result<(), TooLarge> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MOST_OF_A_RESPONSE { Err(TooLarge) } else { Ok(()) }
    }
}

impl fmt::Debug for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bounded").field("meter", &self.meter).finish_non_exhaustive()
    }
}

impl AsyncRead for Bounded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        Poll::Ready(
            self.meter.count(&buf.filled()[before..]).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why)),
        )
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the pieces it comes in.
    fn is_kept(input: &[u8]) -> bool {
        let kept = |size: usize| {
            let mut meter = Meter::default();
            input.chunks(size).all(|piece| meter.count(piece).is_ok())
        };
        let all = [kept(1), kept(7), kept(4096), kept(input.len().max(1))];
        assert!(all.iter().all(|it| *it == all[0]), "{all:?}");
        all[0]
    }

    #[test]
    fn a_response_is_bounded_and_the_next_one_counts_anew() {
        let message = |n: usize| [format!("* 1 FETCH (BODY[] {{{n}}}\r\n").into_bytes(), vec![b'x'; n]].concat();
        let whole = [message(MOST_BYTES), b" UID 3)\r\n".to_vec()].concat();
        assert!(is_kept(&whole.repeat(3)));
        assert!(!is_kept(&message(MOST_BYTES + 1)[..60]), "when it is announced, not when it is there");
        assert!(!is_kept(b"* 1 FETCH (BODY[] {99999999999999999999999}\r\n"));
        assert!(!is_kept(&[whole[..whole.len() - 3].to_vec(), message(MOST_BYTES)].concat()), "two literals in one");
        assert!(!is_kept(&b"* SEARCH 1 2 3".repeat(100_000)), "a line without an end");
        // What stands in a literal announces nothing.
        assert!(is_kept(b"* 1 FETCH (BODY[] {11}\r\n{99999999}\r\n)\r\n* OK\r\n"));
    }
}
