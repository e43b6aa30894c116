//! Limits for one client: connections per address, and time to accept what is written to it.

use std::collections::HashMap;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// Counts connections by client address.
#[derive(Debug)]
pub(super) struct Crowd {
    at_most: usize,
    /// Only clients that are connected now.
    seats: Mutex<HashMap<IpAddr, usize>>,
}

/// A counted connection, until it is dropped.
#[derive(Debug)]
pub(super) struct ConnectionPermit(Option<(Arc<Crowd>, IpAddr)>);

impl Crowd {
    pub(super) fn new(at_most: usize) -> Self {
        Self { at_most, seats: Mutex::default() }
    }

    /// Admits a connection; `None` if its address has reached the limit. Without an address it is not counted.
    pub(super) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Option<ConnectionPermit> {
        let Some(network) = address.map(network) else { return Some(ConnectionPermit(None)) };
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = seats.entry(network).or_default();
        if *taken >= self.at_most {
            return None;
        }
        *taken += 1;
        Some(ConnectionPermit(Some((Arc::clone(self), network))))
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let Some((crowd, network)) = &self.0 else { return };
        let mut seats = crowd.seats.lock().unwrap_or_else(PoisonError::into_inner);
        match seats.get_mut(network) {
            Some(taken) if *taken > 1 => *taken -= 1,
            _ => {
                seats.remove(network);
            }
        }
    }
}

/// The address that is counted: for IPv6 the /64 network, since one client has all its 2^64 addresses.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// A stream whose writes fail if the peer accepts nothing for a while.
pub(super) struct Unstalled<S> {
    stream: S,
    at_most: Duration,
    /// Set while a write is pending.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Unstalled<S> {
    pub(super) fn new(stream: S, at_most: Duration) -> Self {
        Self { stream, at_most, timer: None }
    }

    /// The result of a write; a pending one fails after the time limit.
    fn in_time<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.timer = None;
            return written;
        }
        let at_most = self.at_most;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(at_most)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Unstalled<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Unstalled<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.in_time(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l7_connections_are_limited_per_address_and_per_ipv6_network() {
        let crowd = Arc::new(Crowd::new(2));
        let admit = |text: &str| crowd.admit(Some(text.parse().unwrap()));
        let (one, _two) = (admit("192.0.2.1").unwrap(), admit("192.0.2.1").unwrap());
        assert!(admit("192.0.2.1").is_none());
        assert!(admit("192.0.2.2").is_some());
        drop(one);
        assert!(admit("192.0.2.1").is_some());
        let _v6 = (admit("2001:db8:1:2::1").unwrap(), admit("2001:db8:1:2:ffff::2").unwrap());
        assert!(admit("2001:db8:1:2::3").is_none());
        assert!(admit("2001:db8:1:3::3").is_some());
        // A trusted proxy is not counted.
        let all: Vec<_> = (0..100).map(|_| crowd.admit(None)).collect();
        assert!(all.iter().all(Option::is_some));
    }

    #[test]
    fn clients_without_connections_are_forgotten() {
        let crowd = Arc::new(Crowd::new(2));
        drop((0..=255).map(|n| crowd.admit(Some(IpAddr::from([192, 0, 2, n])))).collect::<Vec<_>>());
        assert!(crowd.seats.lock().unwrap().is_empty());
    }
}
