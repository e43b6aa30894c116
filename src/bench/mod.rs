//! Measures sending end to end: the real ledger, claim, marker and result, and real messages, to a relay that only
//! counts; compared with Postfix's `smtp-source` with as many connections and messages of the same size to the same
//! relay, because only ratios within a run mean anything. For developers and for sizing a machine.

mod probe;
pub mod sink;

use crate::clock::Clock;
use crate::deliver::{Deliverer, Settings};
use crate::domain::{
    Timestamp,
    delivery::Finished,
    email::EmailAddress,
    issue::{Attachment, Basis, Content, Envelope, IssueKey, NewIssue, RecipientScope},
    lane::{Lanes, Limits},
    partner::NewContact,
};
use crate::outbox::FrozenOutbox;
use crate::signing::Keys;
use crate::store::testing::Shortcuts;
use crate::store::{self, Access, Store};
use crate::tokens::Tokens;
use anyhow::{Context, bail, ensure};
use serde::Serialize;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

/// Maximum messages of the yardstick.
const YARDSTICK_MESSAGES: u64 = 20_000;
/// Contacts per import batch.
const CHUNK: u64 = 2_000;

/// The parameters of a measurement.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub recipients: u64,
    /// Bytes of a message on the wire, about.
    pub size: usize,
    pub connections: usize,
    /// `None`: a temporary SQLite file.
    pub database: Option<String>,
    /// `None`: our own counting relay in a separate process.
    pub sink: Option<SocketAddr>,
}

/// One JSON object; its keys are a contract.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub messages_per_s: f64,
    /// `smtp-source -d` with as many connections and as large messages to the same relay, before and after; `None` where
    /// it is not installed.
    pub yardstick_per_s: Option<f64>,
    pub ratio: Option<f64>,
    /// User and system time of this process, the database's part of it included on SQLite.
    pub cpu_us_per_message: f64,
    /// Of this process while it sent.
    pub peak_rss_mb: f64,
    /// `sqlite` or `postgres`
    pub database: &'static str,
    /// Flushes of 4 kB a second where the database lies, or would: the disk decides.
    pub fsyncs_per_s: f64,
    /// From nothing to every delivery queued.
    pub freeze_s: f64,
    pub recipients: u64,
    pub size: usize,
    pub connections: usize,
    /// Whether our own sink got each message once; `None` with another one.
    pub each_once: Option<bool>,
}

/// What is being done, for a person who waits.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    Yardstick,
    Importing(u64),
    Freezing,
    Sent(u64),
}

/// # Errors
/// When the database or the relay cannot be reached, or not every message was sent.
pub async fn delivery(bench: &Delivery, tell: &(dyn Fn(Step) + Send + Sync)) -> anyhow::Result<Report> {
    let folder = probe::Folder::new()?;
    let fsyncs_per_s = probe::fsyncs_per_s(folder.path())?;
    let own_sink = match bench.sink {
        Some(_) => None,
        None => Some(OwnSink::start().await?),
    };
    let address = bench.sink.or(own_sink.as_ref().map(|sink| sink.address)).context("there is no sink")?;
    tell(Step::Yardstick);
    let before = yardstick(bench, address).await?;

    let url = bench.database.clone();
    let url = url.unwrap_or_else(|| format!("sqlite://{}", folder.path().join("bench.db").display()));
    let store = store::open(&url, Access::Exclusive).await?;
    let clock = Clock::System;
    let mailing = format!("bench-{}", uuid::Uuid::now_v7().simple());
    import(&*store, bench.recipients, &mailing, clock.now(), tell).await?;
    tell(Step::Freezing);
    let frozen = Clock::monotonic();
    let issue = issue(&mailing, bench.size, clock.now());
    store.freeze_issue(&issue, clock.now()).await?;
    let freeze_s = frozen.elapsed().as_secs_f64();
    let accepted_before = count(own_sink.as_ref()).await?;

    let deliverer = deliverer(bench, Arc::clone(&store), clock, address)?;
    probe::forget_peak();
    let (cpu, begun, sent) = (probe::cpu()?, Clock::monotonic(), AtomicU64::new(0));
    let progress = |_: &Finished| tell(Step::Sent(sent.fetch_add(1, Ordering::Relaxed) + 1));
    let summary = deliverer.deliver(Some(&issue.key), &CancellationToken::new(), &progress).await?;
    let took = begun.elapsed().as_secs_f64();
    let (cpu, peak_rss_mb) = (probe::cpu()? - cpu, probe::peak_rss_mb());
    ensure!(summary.sent == bench.recipients, "only {} of {} were sent: {summary:?}", summary.sent, bench.recipients);

    let each_once = count(own_sink.as_ref()).await?.zip(accepted_before).map(|(after, before)| {
        after.accepted - before.accepted == bench.recipients && after.distinct - before.distinct == bench.recipients
    });
    tell(Step::Yardstick);
    let after = yardstick(bench, address).await?;
    let messages_per_s = bench.recipients as f64 / took;
    let yardstick_per_s = before.zip(after).map(|(before, after)| f64::midpoint(before, after));
    Ok(Report {
        messages_per_s,
        yardstick_per_s,
        ratio: yardstick_per_s.map(|yardstick| messages_per_s / yardstick),
        cpu_us_per_message: cpu.as_secs_f64() * 1e6 / bench.recipients as f64,
        peak_rss_mb,
        database: store.kind(),
        fsyncs_per_s,
        freeze_s,
        recipients: bench.recipients,
        size: bench.size,
        connections: bench.connections,
        each_once,
    })
}

fn deliverer(bench: &Delivery, store: Arc<dyn Store>, clock: Clock, sink: SocketAddr) -> anyhow::Result<Deliverer> {
    let settings = Settings {
        connections: bench.connections,
        messages_per_connection: u32::MAX,
        // All recipients are in one domain here, and throttling is not measured.
        lanes: Lanes::new(
            Vec::new(),
            Limits { connections: bench.connections * 2, messages_per_connection: u32::MAX, per_minute: None },
        ),
        ..Settings::default()
    };
    let outbox =
        FrozenOutbox::new(Arc::clone(&store), Tokens::new("a key for the bench".to_owned().into()), Keys::default());
    let relay = format!("smtp://{sink}?tls=none").parse()?;
    let owner = uuid::Uuid::now_v7().to_string();
    Ok(Deliverer::new(store, Arc::new(outbox), relay, clock, settings, owner)?)
}

async fn import(
    store: &dyn Store,
    recipients: u64,
    mailing: &str,
    now: Timestamp,
    tell: &(dyn Fn(Step) + Send + Sync),
) -> anyhow::Result<()> {
    for first in (0..recipients).step_by(CHUNK as usize) {
        tell(Step::Importing(first));
        let chunk = first..(first + CHUNK).min(recipients);
        let contacts = chunk.map(contact).collect::<Result<Vec<_>, _>>()?;
        store.import_contacts(&contacts, &[mailing.to_owned()], "bench", false, now).await?;
    }
    Ok(())
}

fn contact(n: u64) -> anyhow::Result<NewContact> {
    let address = EmailAddress::parse(&format!("partenaire{n:07}@bench.example"))?;
    let hash = format!("bench-{n:07}-hash-of-forty-three-characters-long");
    Ok(NewContact::new(address, hash, &format!("Éloïse Dupont {n}"), &format!("Gîte n° {n}"), "Auch"))
}

/// Half of a small message is text, half HTML; the rest of a large one is an attachment.
fn issue(mailing: &str, size: usize, now: Timestamp) -> NewIssue {
    const LINE: &str = "Une ligne de soixante-dix signes, comme en ont les corps de message.\n";
    let texts = size.min(20_000);
    let text = LINE.repeat((texts / 3 / LINE.len()).max(1));
    let html = format!("<html lang=\"fr\"><body><p>{}</p></body></html>", LINE.repeat((texts / 2 / LINE.len()).max(1)));
    // Base64 makes four bytes, and a little for the line ends, of three.
    let attached = (size - texts) * 73 / 100;
    let bytes: Vec<u8> = (0..attached).map(|n| (n * 31 % 251) as u8).collect();
    let attachment = Attachment { name: "Affiche.pdf".to_owned(), media_type: "application/pdf".to_owned(), bytes };
    NewIssue {
        key: IssueKey::new(mailing, "1"),
        mailing: mailing.to_owned(),
        audience: mailing.to_owned(),
        segment: None,
        whom: RecipientScope::Audience,
        scheduled_for: now,
        expires_at: now + chrono::TimeDelta::days(1),
        composed_at: now,
        second_person: false,
        author: None,
        basis: Basis::Sources,
        content: Content {
            subject: "Que faire à Auch cette semaine".to_owned(),
            html,
            text,
            inline: Vec::new(),
            attachments: if attached > 0 { vec![attachment] } else { Vec::new() },
            data: "{}".to_owned(),
            envelope: Envelope {
                from_name: "Office de tourisme".to_owned(),
                from_address: "partenaires@bench.example".to_owned(),
                reply_to: None,
                return_path: "retours@bench.example".to_owned(),
                domain: "bench.example".to_owned(),
                list_id: "bench.lettre.bench.example".to_owned(),
                list_name: "Bench".to_owned(),
                feedback_id: "bench:1:semainier:bench".to_owned(),
                date_ms: now.timestamp_millis(),
                public_url: "https://bench.example".to_owned(),
                edition: None,
                article_url: None,
                marks: String::new(),
                dkim: Vec::new(),
            },
        },
        content_hash: String::new(),
    }
}

/// Messages per second of Postfix's test sender.
async fn yardstick(bench: &Delivery, sink: SocketAddr) -> anyhow::Result<Option<f64>> {
    let messages = bench.recipients.clamp(1, YARDSTICK_MESSAGES);
    let Some(program) = ["smtp-source", "/usr/sbin/smtp-source"].into_iter().find(|name| is_installed(name)) else {
        return Ok(None);
    };
    let mut command = Command::new(program);
    command.arg("-d").args(["-s", &bench.connections.to_string(), "-m", &messages.to_string()]);
    command.args(["-l", &bench.size.to_string(), "-t", "yardstick@bench.example", &sink.to_string()]);
    let begun = Clock::monotonic();
    let output = command.stdin(Stdio::null()).output().await.context("smtp-source cannot be run")?;
    if !output.status.success() {
        bail!("smtp-source failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(Some(messages as f64 / begun.elapsed().as_secs_f64()))
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// Runs `semainier bench sink` in a separate process, so that its CPU time is not counted. Ends with this.
struct OwnSink {
    address: SocketAddr,
    _child: tokio::process::Child,
}

impl OwnSink {
    async fn start() -> anyhow::Result<Self> {
        use tokio::io::{AsyncBufReadExt, BufReader};
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "sink"]).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("the sink cannot be started")?;
        let stdout = child.stdout.take().context("the sink says nothing")?;
        let line = BufReader::new(stdout).lines().next_line().await?.context("the sink ended at once")?;
        Ok(Self { address: line.trim().parse()?, _child: child })
    }
}

async fn count(sink: Option<&OwnSink>) -> anyhow::Result<Option<sink::Count>> {
    match sink {
        Some(sink) => Ok(Some(sink::ask(sink.address).await?)),
        None => Ok(None),
    }
}
