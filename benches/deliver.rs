//! How fast mail leaves: messages a second through the real ledger, marker and result durable, to a relay in the same
//! process that only counts. Beside it an fsync probe, because the disk decides.
//!
//! `cargo bench --bench deliver -- [messages] [connections] [kilobytes]`; the ledger is made under `$TMPDIR`, or on the
//! Postgres that `SEMAINIER_BENCH_POSTGRES` names.

#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that cannot go on says so by panicking, and its result is what it prints"
)]

use async_trait::async_trait;
use semainier::store::testing::Shortcuts;
use semainier::{
    clock::Clock,
    deliver::{Deliverer, MessageError, Outbox, Settings},
    domain::{
        delivery::Claim,
        email::EmailAddress,
        message::{Message, Shared},
        partner::NewContact,
    },
    store::{self, Access, Store},
};
use std::{
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};
use support::{
    ledger,
    smtp::{Options, SmtpRelay},
};
use tokio_util::sync::CancellationToken;

#[path = "../tests/support/mod.rs"]
mod support;

struct Ready {
    sender: EmailAddress,
    tail: Arc<Shared>,
}

#[async_trait]
impl Outbox for Ready {
    async fn message(&self, claim: &Claim) -> Result<Message, MessageError> {
        let to = &claim.recipient.address;
        let head = format!("Message-ID: <{}>\r\nTo: {to}\r\nSubject: agenda\r\n\r\n", claim.message_id);
        Ok(Message::woven(self.sender.clone(), &self.tail, |_, out| out.extend_from_slice(head.as_bytes())))
    }
}

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let number = |n: usize, default| numbers.get(n).copied().unwrap_or(default);
    let (messages, connections, kilobytes) = (number(0, 20_000), number(1, 8), number(2, 20));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("fsync: {:.0}/s", fsyncs_a_second());
    for _ in 0..3 {
        let took = runtime.block_on(run(messages, connections, kilobytes));
        println!(
            "{messages} messages of {kilobytes} kB over {connections} connections: {:.0}/s",
            messages as f64 / took.as_secs_f64()
        );
    }
}

async fn run(messages: usize, connections: usize, kilobytes: usize) -> Duration {
    let directory = tempfile::tempdir().unwrap();
    let url = std::env::var("SEMAINIER_BENCH_POSTGRES")
        .unwrap_or_else(|_| format!("sqlite://{}", directory.path().join("bench.db").display()));
    let store: Arc<dyn Store> = store::open(&url, Access::Exclusive).await.unwrap();
    let mailing = format!("agenda{}", std::process::id());
    let contacts: Vec<NewContact> = (0..messages).map(ledger::contact).collect();
    store.import_contacts(&contacts, &["agenda".into(), mailing], "bench", false, ledger::at(0)).await.unwrap();
    let issue = ledger::new_issue("2026-W28");
    store.freeze_issue(&issue, ledger::at(0)).await.unwrap();
    let relay = SmtpRelay::start(Options { count_only: true, ..Options::default() }).await;
    let outbox = Ready {
        sender: EmailAddress::parse("bounce@office.example").unwrap(),
        tail: Arc::new(Shared::new(vec![
            b"Une ligne de soixante-dix signes, comme en ont les corps de message...\r\n"
                .repeat(kilobytes * 1000 / 72)
                .into(),
        ])),
    };
    let settings = Settings { connections, messages_per_connection: u32::MAX, ..Settings::default() };
    let clock = Clock::manual(ledger::at(0));
    let relay_url = relay.url().parse().unwrap();
    let deliverer =
        Deliverer::new(Arc::clone(&store), Arc::new(outbox), relay_url, clock, settings, "bench".into()).unwrap();
    let begun = Instant::now();
    let summary = deliverer.deliver(None, &CancellationToken::new(), &|_| {}).await.unwrap();
    let took = begun.elapsed();
    assert_eq!(summary.sent as usize, messages);
    assert_eq!(relay.numbers().accepted as usize, messages);
    took
}

fn fsyncs_a_second() -> f64 {
    let mut file = tempfile::tempfile().unwrap();
    let begun = Instant::now();
    for _ in 0..200 {
        file.write_all(&[0; 4096]).unwrap();
        file.sync_data().unwrap();
    }
    200.0 / begun.elapsed().as_secs_f64()
}
