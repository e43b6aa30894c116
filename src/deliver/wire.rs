//! The socket below an SMTP connection: lines in, bytes out, each with its own time limit.
//!
//! Owns TCP_NODELAY, TLS, the limits on replies, and the number of bytes of a message that were really handed to the socket,
//! on which the unknown state depends. After any error, or a cancelled call, it must not be used again.

use super::{
    probe::end_of_certificate,
    reply::{Answer, LONGEST_LINE},
};
use crate::domain::{Timestamp, delivery::keep};
use crate::{failpoint, trust};
use std::{
    fmt,
    io::{self, IoSlice},
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

/// Bytes per slice handed to the socket, and slices at once (Linux accepts 1,024). Few under test, so that a process can be
/// killed in the middle of a message; enough for a small one to be sent at once.
const SLICE: usize = if cfg!(feature = "failpoints") { 400 } else { usize::MAX };
const SLICES: usize = if cfg!(feature = "failpoints") { 8 } else { 1024 };

const RELAY: trust::Role = trust::Role {
    name: "relay",
    host_key: "relay",
    ca_key: "relay_ca_file",
    other_port: "use smtp:// (STARTTLS, port 587 or 25) instead of smtps:// (port 465), or the other way round",
};

/// Why the connection is unusable. In English: it is stored in the ledger like the relay's replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TransportError(pub String);

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TransportError {
    fn closed() -> Self {
        Self("the relay closed the connection".into())
    }

    fn silent(limit: Duration) -> Self {
        Self(format!("no answer within {} s", limit.as_secs_f32()))
    }

    fn too_long() -> Self {
        Self(format!("a reply line of more than {LONGEST_LINE} characters"))
    }

    fn io(error: &io::Error) -> Self {
        Self(format!("connection: {error}"))
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) struct Wire {
    stream: Box<dyn Stream>,
    encrypted: bool,
    /// Our own address.
    local: Option<IpAddr>,
    peer: Option<IpAddr>,
    /// When the certificate that the relay presented ends.
    certificate_ends: Option<Timestamp>,
    /// Bytes read but not yet consumed as lines.
    input: Vec<u8>,
}

impl Wire {
    /// Connects to the first address of the host that answers; `limit` is per address.
    pub async fn connect(host: &str, port: u16, limit: Duration) -> Result<Self, TransportError> {
        let addresses: Vec<SocketAddr> = match timeout(limit, lookup_host((host, port))).await {
            Ok(Ok(found)) => found.collect(),
            Ok(Err(error)) => return Err(TransportError(format!("cannot find {host}: {error}"))),
            Err(_) => return Err(TransportError(format!("cannot find {host} within {} s", limit.as_secs_f32()))),
        };
        let mut broken = TransportError(format!("{host} has no address"));
        for address in addresses {
            match timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Otherwise Nagle's algorithm and delayed ACKs cost 40 ms per message.
                    stream.set_nodelay(true).map_err(|error| TransportError::io(&error))?;
                    let local = stream.local_addr().ok().map(|address| address.ip());
                    let input = Vec::with_capacity(1024);
                    return Ok(Self {
                        stream: Box::new(stream),
                        encrypted: false,
                        local,
                        peer: Some(address.ip()),
                        certificate_ends: None,
                        input,
                    });
                }
                Ok(Err(error)) => broken = TransportError(format!("{address}: {error}")),
                Err(_) => broken = TransportError(format!("{address}: no connection within {} s", limit.as_secs_f32())),
            }
        }
        Err(broken)
    }

    /// Starts TLS. Plaintext that the relay sent after its last reply would be read as if it came under TLS (response
    /// injection), so it closes the connection.
    pub async fn upgrade(self, host: &str, tls: &TlsConnector, limit: Duration) -> Result<Self, TransportError> {
        if !self.input.is_empty() {
            return Err(TransportError("the relay went on in clear after STARTTLS".into()));
        }
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| TransportError(format!("{host} is no name for TLS")))?;
        match timeout(limit, tls.connect(name, self.stream)).await {
            Ok(Ok(stream)) => {
                let presented = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                let certificate_ends = presented.and_then(|it| end_of_certificate(it));
                Ok(Self { stream: Box::new(stream), encrypted: true, certificate_ends, ..self })
            }
            Ok(Err(error)) => Err(TransportError(trust::in_words(RELAY, host, &error))),
            Err(_) => Err(TransportError::silent(limit)),
        }
    }

    /// Our own address, where the system says it.
    pub fn local(&self) -> Option<IpAddr> {
        self.local
    }

    /// The relay's address.
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    pub fn certificate_ends(&self) -> Option<Timestamp> {
        self.certificate_ends
    }

    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Reads one complete reply.
    pub async fn answer(&mut self, limit: Duration) -> Result<Answer, TransportError> {
        timeout(limit, self.read_answer()).await.unwrap_or_else(|_| Err(TransportError::silent(limit)))
    }

    async fn read_answer(&mut self) -> Result<Answer, TransportError> {
        let mut answer = Answer::default();
        let mut taken = 0;
        loop {
            while let Some(end) = memchr::memchr(b'\n', &self.input[taken..]) {
                if end > LONGEST_LINE {
                    return Err(TransportError::too_long());
                }
                let complete = answer.push_line(&self.input[taken..taken + end]).map_err(TransportError)?;
                taken += end + 1;
                if complete {
                    self.input.drain(..taken);
                    return Ok(answer);
                }
            }
            if self.input.len() - taken > LONGEST_LINE {
                return Err(TransportError::too_long());
            }
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) => return Err(TransportError::closed()),
                Ok(_) => {}
                Err(error) => return Err(TransportError::io(&error)),
            }
        }
    }

    /// Sends a command, or several at once. The line end is added.
    ///
    /// A reply that is there before the command was sent would be assigned to it, and every later one to the following
    /// command: a 250 for a message that was refused.
    pub async fn say(&mut self, command: &str, limit: Duration) -> Result<(), TransportError> {
        if let Some(broken) = self.is_out_of_turn() {
            return Err(broken);
        }
        let line = format!("{command}\r\n");
        let all = async {
            self.stream.write_all(line.as_bytes()).await?;
            self.stream.flush().await
        };
        match timeout(limit, all).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(TransportError::io(&error)),
            Err(_) => Err(TransportError::silent(limit)),
        }
    }

    /// Set if the relay sent an unexpected reply.
    pub fn is_out_of_turn(&self) -> Option<TransportError> {
        let said = (!self.input.is_empty()).then(|| keep(&String::from_utf8_lossy(&self.input)))?;
        Some(TransportError(format!("the relay spoke out of turn: {said}")))
    }

    /// Writes the pieces one after the other, without copying them together; `limit` is per write to the socket. `handed`
    /// grows by the bytes written, also on failure: this tells whether a lost connection has certainly lost the message.
    pub async fn hand(&mut self, pieces: &[&[u8]], handed: &mut usize, limit: Duration) -> Result<(), TransportError> {
        let mut slices: Vec<_> = pieces.iter().flat_map(|piece| piece.chunks(SLICE)).map(IoSlice::new).collect();
        let mut rest = &mut slices[..];
        while !rest.is_empty() {
            let at_once = rest.len().min(SLICES);
            match timeout(limit, self.stream.write_vectored(&rest[..at_once])).await {
                Ok(Ok(0)) => return Err(TransportError::closed()),
                Ok(Ok(n)) => {
                    *handed += n;
                    IoSlice::advance_slices(&mut rest, n);
                }
                Ok(Err(error)) => return Err(TransportError::io(&error)),
                Err(_) => return Err(TransportError::silent(limit)),
            }
            if !rest.is_empty() {
                failpoint::reach("mid_body");
            }
        }
        Ok(())
    }

    /// Under TLS, written bytes may still be in our own buffer.
    pub async fn flush(&mut self, limit: Duration) -> Result<(), TransportError> {
        match timeout(limit, self.stream.flush()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(TransportError::io(&error)),
            Err(_) => Err(TransportError::silent(limit)),
        }
    }
}
