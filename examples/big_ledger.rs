//! A ledger as large as it may get: an issue of SIZE recipients is frozen, SEND of them are claimed, marked and finished;
//! copies of it, sent, make the ledger TOTAL deliveries large; another issue is frozen on top of them; and then everything
//! that people and daemons ask of such a ledger is timed. The figures of docs/store.md are made with this.
//!
//! ```text
//! SIZE=1000000 TOTAL=10000000 cargo run --release --example big_ledger -- sqlite:///var/tmp/big.db
//! SIZE=1000000 TOTAL=10000000 cargo run --release --example big_ledger -- postgres://me@localhost/big
//! ```
//!
//! The database is to be empty, and is left behind. `PLANS=1` also shows how each page of the log is read.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that cannot go on says so by panicking, and its result is what it prints"
)]

use chrono::TimeDelta;
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::{
        Timestamp,
        delivery::{Finished, Outcome, Phase, Reply, State},
        email::EmailAddress,
        issue::{Basis, Content, Envelope, IssueKey, IssueState, NewIssue, RecipientScope},
        partner::{NewContact, SuppressionReason},
    },
    store::{self, Access, LogFilter, Store},
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, sqlite::SqliteConnectOptions};
use std::time::{Duration, Instant};

/// Deliveries that go through claim, marker and result in one commit each.
const BATCH: u32 = 500;
/// Times each question is asked; the median is shown.
const TIMES: usize = 5;

fn at(minutes: i64) -> Timestamp {
    chrono::DateTime::from_timestamp(1_783_144_800, 0).unwrap() + TimeDelta::minutes(minutes)
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).expect("sqlite://PATH or postgres://USER@HOST/DATABASE");
    let (size, total) = (number("SIZE", 1_000_000), number("TOTAL", 1_000_000));
    let store = store::open(&url, Access::Exclusive).await.unwrap();
    let store = &*store;
    println!("{} {size} recipients an issue, {total} deliveries", store.kind());
    import(store, size).await;

    let issues = total.div_ceil(size).max(2);
    freeze(store, 0).await;
    send(store, 0, number("SEND", 100_000)).await;
    let begun = Cost::begin();
    fill(&url, issues).await;
    println!("{:<40} {}", "fill", begun.end());
    freeze(store, issues - 1).await;
    send(store, issues - 1, number("SEND", 100_000)).await;
    questions(store, issues).await;
    work(store, issues).await;
}

async fn freeze(store: &dyn Store, n: usize) {
    let begun = Cost::begin();
    store.freeze_issue(&issue(n), at(n as i64)).await.unwrap();
    println!("{:<40} {}", format!("freeze issue {n}"), begun.end());
}

/// Behind the store's back: what was the first issue becomes the issues between it and the last, all of them sent.
async fn fill(url: &str, issues: usize) {
    let mut statements = Vec::new();
    for n in 1..issues - 1 {
        let (first, key, now) = (issue(0).key, issue(n).key, at(n as i64).timestamp_millis());
        statements.push(format!(
            "INSERT INTO issues (key, mailing, state, scheduled_for, expires_at, created_at, frozen_at, closed_at, subject,
                content_hash, message_domain)
            SELECT '{key}', mailing, 'done', {now}, expires_at, {now}, {now}, {now}, subject, content_hash, message_domain
            FROM issues WHERE key = '{first}'"
        ));
        statements.push(format!(
            "INSERT INTO deliveries (id, issue, contact_id, recipient_key, address, address_hash, name, establishment,
                commune, state, attempt, changed_at)
            SELECT '{now:012x}' || substr(id, 13), '{key}', contact_id, recipient_key, address, address_hash, name,
                establishment, commune, CASE WHEN substr(id, 18, 3) = 'fff' THEN 'failed' ELSE 'sent' END, 1, {now}
            FROM deliveries WHERE issue = '{first}' ORDER BY id"
        ));
        statements.push(format!(
            "INSERT INTO tallies (issue, keeper, state, n)
            SELECT issue, 0, state, count(*) FROM deliveries WHERE issue = '{key}' GROUP BY issue, state"
        ));
    }
    if let Some(path) = url.strip_prefix("sqlite://") {
        let options = SqliteConnectOptions::new().filename(path).pragma("cache_size", "-65536");
        let mut connection = options.connect().await.unwrap();
        for statement in statements {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        }
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        for statement in statements {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        }
        sqlx::raw_sql("VACUUM ANALYZE deliveries").execute(&mut connection).await.unwrap();
    }
}

async fn import(store: &dyn Store, size: usize) {
    for from in (0..size).step_by(50_000) {
        let contact = |n: usize| {
            let address = EmailAddress::parse(&format!("Partenaire{n:07}@gite.example")).unwrap();
            // Scattered, as a keyed hash is.
            let hash = format!("{:032x}{:032x}", scattered(n), n);
            NewContact::new(address, hash, &format!("Personne {n}"), &format!("Gîte n° {n}"), "Auch")
        };
        let contacts: Vec<_> = (from..size.min(from + 50_000)).map(contact).collect();
        store.import_contacts(&contacts, &["agenda".to_owned()], "bench", false, at(0)).await.unwrap();
    }
}

fn scattered(n: usize) -> u128 {
    (n as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

async fn send(store: &dyn Store, n: usize, most: usize) {
    let (issue, now) = (issue(n).key, at(n as i64));
    let begun = Cost::begin();
    let mut sent = 0;
    while sent < most {
        let claims = store.claim_deliveries(Some(&issue), "bench", BATCH, now).await.unwrap();
        if claims.is_empty() {
            break;
        }
        store.mark_in_data(&claims, now).await.unwrap();
        let finished = claims.into_iter().map(|claim| {
            sent += 1;
            let (code, outcome) = match sent % 1_000 {
                0 => (Some(550), Outcome::Refused { suppress: false }),
                1 if sent < 3_000 => (None, Outcome::Unknown),
                _ => (Some(250), Outcome::Accepted),
            };
            let reply = Reply { code, enhanced: Some("2.0.0".to_owned()), text: "2.0.0 Ok: queued as 4AB1".to_owned() };
            Finished { claim, phase: Phase::Dot, reply, outcome, at: now }
        });
        store.finish_attempts(&finished.collect::<Vec<_>>()).await.unwrap();
    }
    println!("{:<40} {}", format!("claim, mark and finish {sent}"), begun.end());
}

async fn questions(store: &dyn Store, issues: usize) {
    let all = || LogFilter { limit: Some(100), ..LogFilter::default() };
    let (first, middle, last) = (issue(0).key, issue(issues / 2).key, issue(issues - 1).key);
    let person = EmailAddress::parse("partenaire0000777@gite.example").unwrap().key();
    let recent = Some(at(issues as i64 - 1));
    let pages: Vec<(&str, LogFilter)> = vec![
        ("all", all()),
        ("issue", LogFilter { issue: Some(middle.clone()), ..all() }),
        ("address", LogFilter { address_key: Some(person.clone()), ..all() }),
        ("address, issue", LogFilter { address_key: Some(person.clone()), issue: Some(middle.clone()), ..all() }),
        (
            "address, state, since",
            LogFilter { address_key: Some(person), state: Some(State::Sent), since: recent, ..all() },
        ),
        ("state sent", LogFilter { state: Some(State::Sent), ..all() }),
        ("state queued", LogFilter { state: Some(State::Queued), ..all() }),
        ("state failed", LogFilter { state: Some(State::Failed), ..all() }),
        ("state unknown", LogFilter { state: Some(State::Unknown), ..all() }),
        ("state cancelled (none)", LogFilter { state: Some(State::Cancelled), ..all() }),
        ("issue, state sent", LogFilter { issue: Some(last.clone()), state: Some(State::Sent), ..all() }),
        ("issue, state queued (none)", LogFilter { issue: Some(first), state: Some(State::Queued), ..all() }),
        ("issue, state failed", LogFilter { issue: Some(middle.clone()), state: Some(State::Failed), ..all() }),
        ("since", LogFilter { since: recent, ..all() }),
        ("since (nothing)", LogFilter { since: Some(at(1_000_000)), ..all() }),
        ("since, state failed", LogFilter { since: recent, state: Some(State::Failed), ..all() }),
        ("issue, since", LogFilter { issue: Some(middle.clone()), since: Some(at(0)), ..all() }),
        ("issue, since (nothing)", LogFilter { issue: Some(middle), since: Some(at(1_000_000)), ..all() }),
        ("issue, state, since", LogFilter { issue: Some(last), state: Some(State::Sent), since: recent, ..all() }),
    ];
    for (name, filter) in pages {
        let mut page = store.log(&filter).await.unwrap();
        let rows = page.len();
        time(&format!("log: {name} ({rows})"), || store.log(&filter)).await;
        if let Some(end) = page.pop() {
            let next = LogFilter { after: Some(end.mark()), ..filter.clone() };
            time("log:   and the page after", || store.log(&next)).await;
        }
        if std::env::var_os("PLANS").is_some() {
            println!("{}", store.explain_log(&filter).await.unwrap().concat());
        }
    }
    let key = issue(0).key;
    time("one issue with its counts", || store.issue(&key)).await;
    time("issues", || store.issues()).await;
    time("open_issues (status)", || store.open_issues()).await;
    time("next_due", || store.next_due(None)).await;
    let begun = Cost::begin();
    let miscounted = store.miscounted().await.unwrap();
    assert_eq!(miscounted, []);
    println!("{:<40} {}", "miscounted: every row counted", begun.end());
}

async fn work(store: &dyn Store, issues: usize) {
    let now = at(issues as i64);
    for limit in [1, 100] {
        time(&format!("claim {limit}"), || store.claim_deliveries(None, "bench", limit, now)).await;
    }
    time("close_finished_issues", || store.close_finished_issues(now)).await;
    time("expire_deliveries, nothing to expire", || store.expire_deliveries(now)).await;
    time("recover, nothing to recover", || store.recover(false, now)).await;
    let hash = format!("{:032x}{:032x}", scattered(123), 123);
    time("suppress", || store.suppress(&hash, None, SuppressionReason::OptOut, now)).await;
    let begun = Cost::begin();
    let released = store.recover(true, now).await.unwrap().released;
    println!("{:<40} {}", format!("recover {released}"), begun.end());
    let begun = Cost::begin();
    let key = issue(issues - 1).key;
    store.set_issue_state(&key, &[IssueState::Sending], IssueState::Cancelled, None, now).await.unwrap();
    let cancelled = store.issue(&key).await.unwrap().unwrap().counts.cancelled;
    println!("{:<40} {}", format!("cancel {cancelled}"), begun.end());
}

async fn time<T, F: Future<Output = store::Result<T>>>(name: &str, ask: impl Fn() -> F) {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        ask().await.unwrap();
        times.push(begun.elapsed());
    }
    times.sort();
    println!("{name:<40} {:>9.2} ms", times[TIMES / 2].as_secs_f64() * 1_000.0);
}

/// Time on the clock, and of the processor in this process: on SQLite all of the work, on Postgres the client's part.
struct Cost {
    begun: Instant,
    processor: Duration,
}

impl Cost {
    fn begin() -> Self {
        Self { begun: Instant::now(), processor: processor() }
    }

    fn end(self) -> String {
        let (wall, processor) = (self.begun.elapsed(), processor() - self.processor);
        let (wall, processor) = (wall.as_secs_f64(), processor.as_secs_f64());
        format!("{wall:>9.2} s, {processor:>6.2} s of the processor, peak {} MB", peak_mb())
    }
}

/// Of this process, user and system, in ticks of 10 ms.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|it| it.parse::<u64>().ok()).unwrap_or_default();
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn issue(n: usize) -> NewIssue {
    NewIssue {
        key: IssueKey::new("agenda", n),
        mailing: "agenda".to_owned(),
        audience: "agenda".to_owned(),
        segment: None,
        whom: RecipientScope::Audience,
        composed_at: at(n as i64),
        second_person: false,
        author: None,
        basis: Basis::Sources,
        scheduled_for: at(n as i64),
        expires_at: at(n as i64) + TimeDelta::days(365),
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
                edition: None,
                article_url: None,
                marks: String::new(),
                dkim: Vec::new(),
            },
        },
        content_hash: String::new(),
    }
}
