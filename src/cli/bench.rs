//! `semainier bench`: measurements for developers and for sizing a machine. Hidden from the help.

use super::{Ended, show};
use crate::bench::{self, Delivery, Report, Step, sink};
use crate::clock::Clock;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Measure sending with the real ledger, compared with Postfix's smtp-source on the same relay
    #[command(after_help = "\
Only ratios of one run mean anything: machines differ and drift. Run it several times and take the median.
With --json one object: messages_per_s, yardstick_per_s (null without smtp-source), ratio, cpu_us_per_message, \
peak_rss_mb, database, fsyncs_per_s, freeze_s, recipients, size, connections, each_once (null with --sink).")]
    Delivery(DeliveryArgs),
    /// Run a relay that accepts and counts everything; prints its address on standard output
    Sink(SinkArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct DeliveryArgs {
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    recipients: u64,
    /// Size of a message on the wire: 20k, 400k
    #[arg(long, default_value = "20k", value_parser = size)]
    size: usize,
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=500))]
    connections: u16,
    /// A scratch database; its rows are not removed [default: an SQLite file under $TMPDIR]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// A relay that accepts everything [default: a built-in one]
    #[arg(long, value_name = "ADDR")]
    sink: Option<SocketAddr>,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct SinkArgs {
    #[arg(long, default_value = "127.0.0.1:0")]
    bind: SocketAddr,
    /// Wait before each reply, to simulate a distant relay: 10 means a round trip of 10 ms
    #[arg(long, value_name = "MS", default_value_t = 0)]
    delay_ms: u64,
    /// Do not offer CHUNKING, so that messages are sent with DATA
    #[arg(long)]
    data_only: bool,
}

pub(super) async fn run(command: Command) -> anyhow::Result<Ended> {
    match command {
        Command::Delivery(args) => delivery(args).await,
        Command::Sink(args) => {
            let listener =
                TcpListener::bind(args.bind).await.with_context(|| format!("cannot listen on {}", args.bind))?;
            show::line(listener.local_addr()?);
            let delay = Duration::from_millis(args.delay_ms);
            sink::serve(listener, sink::Manner { delay, data_only: args.data_only }).await;
            Ok(Ended::Done)
        }
    }
}

async fn delivery(args: DeliveryArgs) -> anyhow::Result<Ended> {
    let bench = Delivery {
        recipients: args.recipients,
        size: args.size,
        connections: args.connections.into(),
        database: args.database,
        sink: args.sink,
    };
    let bar = ProgressBar::new(bench.recipients);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    let started = Clock::monotonic();
    let tell = |step: Step| match step {
        Step::Yardstick => bar.set_message("smtp-source"),
        Step::Importing(n) => {
            bar.set_message("importing");
            bar.set_position(n);
        }
        Step::Freezing => bar.set_message("freezing"),
        Step::Sent(n) if n % 256 == 0 || started.elapsed() < Duration::from_secs(1) => {
            bar.set_message("sending");
            bar.set_position(n);
        }
        Step::Sent(_) => {}
    };
    let report = bench::delivery(&bench, &tell).await?;
    bar.finish_and_clear();
    match args.json {
        true => show::json(&serde_json::to_value(&report)?)?,
        false => show::line(in_words(&report)),
    }
    Ok(Ended::Done)
}

fn in_words(it: &Report) -> String {
    let yardstick = match (it.yardstick_per_s, it.ratio) {
        (Some(yardstick), Some(ratio)) => format!("smtp-source {yardstick:.0}/s, ratio {ratio:.2}"),
        _ => "smtp-source is not installed (apt-get install postfix): no ratio".to_owned(),
    };
    format!(
        "{} messages of {} bytes over {} connections, {}: {:.0}/s ({yardstick})\n\
         {:.0} µs CPU a message, peak {:.1} MB, frozen in {:.1} s, disk {:.0} fsyncs/s",
        it.recipients,
        it.size,
        it.connections,
        it.database,
        it.messages_per_s,
        it.cpu_us_per_message,
        it.peak_rss_mb,
        it.freeze_s,
        it.fsyncs_per_s
    )
}

/// Parses `20k`, `400k`, or a number of bytes.
fn size(text: &str) -> Result<usize, String> {
    let (digits, factor) = text.strip_suffix(['k', 'K']).map_or((text, 1), |digits| (digits, 1000));
    let bytes = digits.parse::<usize>().ok().and_then(|n| n.checked_mul(factor));
    bytes.filter(|n| (1000..=20_000_000).contains(n)).ok_or(format!("expected 1k to 20000k, found {text:?}"))
}
