//! Clients that are slow, greedy or many.

use super::{Open, connect};
use crate::support::house::On;
use std::{fs, io::Write};

const MARIE: &str = "marie@gite.example";

/// The most resident memory of a process so far, in kB. Counted loosely: what was given back may be missing in the next look.
fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn a_slow_loris_and_a_huge_upload_do_not_affect_others() {
    let open = Open::with(On::Sqlite, &[MARIE], false);
    let way_out = open.way_out(MARIE);
    open.get("/agenda");
    let before = memory(open.serve.pid());
    // Two hundred clients that never come to the end of their head.
    let mut slow: Vec<_> = (0..200).map(|_| connect(&open.host)).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /agenda HTTP/1.1\r\nHost: a\r\nX-Slow: ").unwrap();
    }
    // A hundred megabytes: refused by its length, or broken off on the way.
    let mut upload = connect(&open.host);
    let head = format!("POST {way_out} HTTP/1.1\r\nHost: a\r\nContent-Length: 104857600\r\n\r\n");
    upload.write_all(head.as_bytes()).unwrap();
    let piece = vec![b'x'; 1 << 20];
    let sent = (0..100).take_while(|_| upload.write_all(&piece).is_ok()).count();
    assert!(sent < 100, "all of it was taken");
    assert_eq!(open.get("/agenda").status, 200);
    assert!(open.get(&way_out).words().contains("Vous recevez"), "what was broken off changed something");
    let grown = memory(open.serve.pid()).saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} kB more");
}

#[test]
fn ten_thousand_bad_links_do_not_grow_memory_or_log() {
    let open = Open::with(On::Sqlite, &[MARIE], false);
    let mut stream = connect(&open.host);
    open.get("/agenda");
    let before = memory(open.serve.pid());
    for hundred in 0..100 {
        let mut asked = Vec::new();
        for n in 0..100 {
            let method = if n % 2 == 0 { "GET" } else { "POST" };
            write!(asked, "{method} /u/c{hundred}.agenda.AAAAAAAAAAAAAAAAAAA{n:03} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                .unwrap();
        }
        stream.write_all(&asked).unwrap();
        let mut found = 0;
        let mut text = String::new();
        while found < 100 {
            let mut piece = [0; 65536];
            let n = std::io::Read::read(&mut stream, &mut piece).unwrap();
            assert!(n > 0, "the connection ended after {found}");
            text.push_str(&String::from_utf8_lossy(&piece[..n]));
            found = text.matches("HTTP/1.1 404").count();
            assert!(!text.contains("HTTP/1.1 200"));
        }
    }
    let grown = memory(open.serve.pid()).saturating_sub(before);
    assert!(grown < 8 * 1024, "{grown} kB more");
    let ended = open.serve.stop();
    assert!(!ended.said("AAAAAAAAAA"), "a token is in the log");
    assert_eq!(ended.code, Some(0));
}
