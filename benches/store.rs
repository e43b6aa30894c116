//! What a mailing costs the ledger: freezing, claiming, and the two commits of each batch of messages. On SQLite, on the
//! disk of the directory for temporary files: the commits wait for it.

#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that cannot go on says so by panicking, and its result is what it prints"
)]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::{
        Timestamp,
        delivery::{Claim, Finished, Outcome, Phase, Reply},
        email::EmailAddress,
        issue::{Basis, Content, Envelope, IssueKey, NewIssue, RecipientScope},
        partner::NewContact,
    },
    store::{self, Access, Store},
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use tokio::runtime::Runtime;

const RECIPIENTS: usize = 10_000;

fn now() -> Timestamp {
    chrono::DateTime::from_timestamp(1_783_144_800, 0).unwrap_or_default()
}

struct Ledger {
    store: Arc<dyn Store>,
    issues: AtomicU32,
    _dir: tempfile::TempDir,
}

impl Ledger {
    async fn with_partners(n: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("semainier.db").display());
        let store = store::open(&url, Access::Exclusive).await.unwrap();
        let contact = |n| {
            let address = EmailAddress::parse(&format!("partenaire{n}@gite.example")).unwrap();
            let (name, establishment) = (format!("Personne {n}"), format!("Gîte n° {n}"));
            NewContact::new(address, format!("{n:064x}"), &name, &establishment, "Auch")
        };
        let contacts: Vec<_> = (0..n).map(contact).collect();
        store.import_contacts(&contacts, &["agenda".to_owned()], "bench", false, now()).await.unwrap();
        Self { store, issues: AtomicU32::new(0), _dir: dir }
    }

    async fn freeze(&self) {
        let n = self.issues.fetch_add(1, Ordering::Relaxed);
        self.store.freeze_issue(&issue(n), now()).await.unwrap();
    }

    async fn claim(&self, limit: usize) -> Vec<Claim> {
        loop {
            let claims = self.store.claim_deliveries(None, "bench", limit as u32, now()).await.unwrap();
            if claims.len() == limit {
                return claims;
            }
            self.freeze().await;
        }
    }

    async fn send(&self, claims: Vec<Claim>) {
        self.store.mark_in_data(&claims, now()).await.unwrap();
        let accepted = |claim| Finished {
            claim,
            phase: Phase::Dot,
            reply: Reply { code: Some(250), enhanced: Some("2.0.0".to_owned()), text: "queued".to_owned() },
            outcome: Outcome::Accepted,
            at: now(),
        };
        let finished: Vec<_> = claims.into_iter().map(accepted).collect();
        self.store.finish_attempts(&finished).await.unwrap();
    }
}

fn issue(n: u32) -> NewIssue {
    NewIssue {
        key: IssueKey::new("agenda", n),
        mailing: "agenda".to_owned(),
        audience: "agenda".to_owned(),
        segment: None,
        whom: RecipientScope::Audience,
        scheduled_for: now(),
        expires_at: now() + chrono::TimeDelta::hours(12),
        content: Content {
            subject: "Que faire à Auch".to_owned(),
            html: String::new(),
            text: String::new(),
            attachments: vec![],
            inline: vec![],
            data: "{}".to_owned(),
            envelope: Envelope {
                from_name: String::new(),
                from_address: String::new(),
                reply_to: None,
                return_path: String::new(),
                domain: "office.example".to_owned(),
                list_id: String::new(),
                list_name: String::new(),
                feedback_id: String::new(),
                date_ms: 0,
                public_url: "https://office.example/".to_owned(),
                article_url: None,
                edition: None,
                marks: String::new(),
                dkim: Vec::new(),
            },
        },
        content_hash: String::new(),
        composed_at: now(),
        second_person: false,
        author: None,
        basis: Basis::Sources,
    }
}

fn store(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let ledger = runtime.block_on(Ledger::with_partners(RECIPIENTS));

    let mut group = c.benchmark_group("freeze");
    group.sample_size(10).throughput(Throughput::Elements(RECIPIENTS as u64));
    group.bench_function(BenchmarkId::from_parameter(RECIPIENTS), |b| b.iter(|| runtime.block_on(ledger.freeze())));
    group.finish();

    let mut group = c.benchmark_group("claim");
    group.throughput(Throughput::Elements(100));
    group.bench_function(BenchmarkId::from_parameter(100), |b| b.iter(|| runtime.block_on(ledger.claim(100))));
    group.finish();

    let mut group = c.benchmark_group("mark and finish");
    for batch in [1, 10, 100] {
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::from_parameter(batch), |b| {
            b.iter_batched(
                || runtime.block_on(ledger.claim(batch)),
                |claims| runtime.block_on(ledger.send(claims)),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, store);
criterion_main!(benches);
