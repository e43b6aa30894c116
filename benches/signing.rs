//! What a DKIM signature costs: RSA of 2048 bits, messages of 20 kB and of 400 kB. The goal is 3 ms for the larger one.
//!
//! `cargo bench --bench signing`; needs openssl, which makes the key.

#![allow(
    clippy::allow_attributes,
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a measurement that cannot go on says so by panicking"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use semainier::{
    config::Config,
    domain::{
        email::EmailAddress,
        message::{Message, Shared},
    },
    toml_reader::Overrides,
};
use std::{path::Path, process::Command, sync::Arc};

fn signing(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    assert!(Command::new("openssl").args(["genrsa", "-out"]).arg(&key).arg("2048").status().unwrap().success());
    let text = format!("[[dkim]]\ndomain = \"office.example\"\nselector = \"s1\"\nkey_file = \"{}\"\n", key.display());
    let keys = Config::parse(Some(Path::new("semainier.toml")), &text, &Overrides::default()).unwrap().dkim;
    let names = keys.for_sender("office.example");
    let sender = EmailAddress::parse("retours@office.example").unwrap();
    let line = format!("{}\r\n", "QWdlbmRh".repeat(9) + "QWdl");
    let mut group = criterion.benchmark_group("a signature");
    for kilobytes in [20, 400] {
        let body = line.repeat(kilobytes * 1000 / line.len());
        let shared = Arc::new(Shared::new(vec![body.into_bytes().into()]));
        let head = b"To: hotel@auch.example\r\nMessage-ID: <1@office.example>\r\nFrom: partenaires@office.example\r\n\
                     Subject: Que faire cette semaine\r\nDate: Sat, 04 Jul 2026 06:00:00 +0000\r\n\r\n";
        let message = Message::woven(sender.clone(), &shared, |_, out| out.extend_from_slice(head));
        group.throughput(Throughput::Bytes(message.len() as u64));
        group.bench_function(format!("{kilobytes} kB"), |bencher| {
            bencher.iter(|| keys.sign(message.clone(), &names).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, signing);
criterion_main!(benches);
