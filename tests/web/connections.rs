//! What one client may take of connections and time, and what the framework answers by itself.

use super::{ask, connect, read};
use crate::support::town::{self, furnish, mailing};
use semainier::{
    clock::Clock,
    web::{Limits, Pages, Site, serve},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The pages of an office that published nothing, with limits of the test's own.
struct Served {
    host: String,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
    /// For sockets of the test with a window of their own.
    runtime: tokio::runtime::Runtime,
}

impl Served {
    fn with(limits: Limits) -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        let stop = CancellationToken::new();
        let until = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let dir = tempfile::tempdir().unwrap();
                let yearly = mailing("letter", "cron = '0 8 1 1 *'");
                let config = furnish(dir.path(), &[yearly], None, "capture:outbox", "");
                let engine = town::engine(&config, Clock::System).await;
                let pages = Pages::new(Site::new(&engine, Arc::new(Notify::new())).await.unwrap(), limits);
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap().to_string()).unwrap();
                serve(Arc::new(pages), listener, limits, until).await;
            });
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { host: told.recv().unwrap(), stop, thread: Some(thread), runtime }
    }

    fn raw(&self, request: &str) -> super::Reply {
        let mut stream = connect(&self.host);
        stream.write_all(request.as_bytes()).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        read(&all)
    }

    /// Clients that ask for more than the systems on both sides keep for them, and read nothing.
    fn deaf(&self, n: usize) -> Vec<TcpStream> {
        let page = ask(&self.host, "GET", "/archives", &[], b"").text();
        let style = page.split('"').find(|it| it.starts_with("/static/style-")).unwrap();
        let requests = format!("GET {style} HTTP/1.1\r\nHost: a\r\n\r\n").repeat(3000);
        let one = |_| {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(2048).unwrap();
            let stream = socket.connect(self.host.parse().unwrap());
            let mut stream = self.runtime.block_on(stream).unwrap().into_std().unwrap();
            // As much as it takes at once.
            let _ = stream.write(requests.as_bytes());
            stream
        };
        (0..n).map(one).collect()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
        let _ = self.thread.take().unwrap().join();
    }
}

/// Whether the other side closed it: what is left is read first.
fn is_closed(mut stream: &TcpStream) -> bool {
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut piece = vec![0; 1 << 16];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(why) => return !matches!(why.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
        }
    }
}

#[test]
fn m1_clients_that_read_nothing_are_disconnected_and_pages_stay_available() {
    let limits = Limits { connections: 40, stalled: Duration::from_secs(1), ..Limits::default() };
    let served = Served::with(limits);
    // More than there is room for; the probe waits behind them until they are left.
    let deaf = served.deaf(48);
    let begun = Clock::monotonic();
    let reply = ask(&served.host, "GET", "/healthz", &[], b"");
    assert_eq!(reply.status, 200);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    std::thread::sleep(Duration::from_secs(2));
    let left = deaf.iter().filter(|stream| is_closed(stream)).count();
    assert_eq!(left, 48);
}

#[test]
fn m1_every_connection_ends_at_its_time_limit() {
    let limits =
        Limits { connection: Duration::from_secs(1), last_answer: Duration::from_secs(1), ..Limits::default() };
    let served = Served::with(limits);
    // One that asks again and again is told that this was the last answer.
    let (mut stream, mut asked) = (connect(&served.host), 0);
    let closed = loop {
        if stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").is_err() {
            break true;
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => break true,
            Ok(n) if String::from_utf8_lossy(&piece[..n]).to_lowercase().contains("connection: close") => break true,
            Ok(_) => asked += 1,
        }
        if asked > 1000 {
            break false;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(closed && asked > 5, "{asked}");
    // One that sends its body a byte at a time.
    let mut slow = connect(&served.host);
    slow.write_all(b"POST /u/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n").unwrap();
    let begun = Clock::monotonic();
    while slow.write_all(b"x").is_ok() && begun.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn l7_half_open_requests_of_one_address_leave_room_for_others() {
    let limits = Limits { connections: 64, per_address: 16, loopback_counts: true, ..Limits::default() };
    let served = Served::with(limits);
    let mut half_open: Vec<_> = (0..100).map(|_| connect(&served.host)).collect();
    for stream in &mut half_open {
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    }
    // Sixteen stay; each of the others is closed at once, and takes nobody's place.
    let closed = half_open.iter().skip(16).filter(|stream| is_closed(stream)).count();
    assert_eq!(closed, 84);
    drop(half_open);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(ask(&served.host, "GET", "/healthz", &[], b"").status, 200);
}

#[test]
fn l7_a_local_proxy_has_no_connection_limit() {
    let served = Served::with(Limits { per_address: 2, ..Limits::default() });
    let mut all: Vec<_> = (0..50).map(|_| connect(&served.host)).collect();
    for stream in &mut all {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    }
    for stream in &mut all {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(read(&answer).status, 200);
    }
}

#[test]
fn l3_every_answer_of_the_framework_has_the_security_headers() {
    let served = Served::with(Limits::default());
    let host = "Host: a\r\nConnection: close\r\n";
    let large = "x".repeat(20_000);
    let requests = [
        (400, format!("GET /u/%ff HTTP/1.1\r\n{host}\r\n")),
        (405, format!("DELETE /archives HTTP/1.1\r\n{host}\r\n")),
        (413, format!("POST /u/x HTTP/1.1\r\n{host}Content-Length: 20000\r\n\r\n{large}")),
        (404, format!("GET /nowhere/at/all/here HTTP/1.1\r\n{host}\r\n")),
        (400, "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned()),
    ];
    for (status, request) in requests {
        let reply = served.raw(&request);
        let line = request.lines().next().unwrap();
        assert!(reply.status == status || status == 413 && reply.status == 404, "{line}: {}", reply.status);
        assert!(reply.header("content-security-policy").contains("default-src 'none'"), "{line}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{line}");
        assert_eq!(reply.header("referrer-policy"), "no-referrer", "{line}");
        assert_eq!(reply.header("cache-control"), "no-store", "{line}");
    }
}

#[test]
fn l3_a_request_names_its_host_once() {
    let served = Served::with(Limits::default());
    let status = |head: &str| served.raw(&format!("GET /healthz {head}\r\nConnection: close\r\n\r\n")).status;
    assert_eq!(status("HTTP/1.1\r\nHost: partenaires.office.example"), 200);
    assert_eq!(status("HTTP/1.1\r\nHost: 127.0.0.1:8080"), 200);
    assert_eq!(status("HTTP/1.1\r\nHost: [::1]:8080"), 200);
    assert_eq!(status("HTTP/1.1\r\nHost:"), 200);
    assert_eq!(status("HTTP/1.0"), 200);
    assert_eq!(status("HTTP/1.1"), 400);
    assert_eq!(status("HTTP/1.1\r\nHost: a\r\nHost: b"), 400);
    assert_eq!(status("HTTP/1.1\r\nHost: a\r\nHost: a"), 400);
    assert_eq!(status("HTTP/1.0\r\nHost: a\r\nHost: a"), 400);
    assert_eq!(status("HTTP/1.1\r\nHost: a b/c"), 400);
}
