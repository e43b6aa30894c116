//! `semainier inbound`: takes in bounces and complaints that came back by mail.

use super::{Context, Ended, show};
use crate::inbound::{Drained, Ignored, MOST_BYTES, Message, Outcome, imap, maildir};
use crate::store::Access;
use anyhow::{Context as _, bail};
use std::io::Read;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

pub(super) const AFTER_HELP: &str = "\
A message that proves to be about one of our deliveries is recorded with it:
see `semainier log`. A dead address and a complaint are suppressed.
Everything else changes nothing. Nothing is answered, and nothing counts twice.

Exit codes of `read`: 0 taken in, whatever it was;
75 try again later: the ledger or a file could not be read or written.";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Take in one message from standard input, or one from each file: for a pipe of the mail server
    Read {
        /// `-` for standard input
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Read the configured mailboxes once; the daemon does so all the time
    Drain,
}

pub(super) async fn run(context: &Context, command: Command) -> anyhow::Result<Ended> {
    match command {
        // The mail server keeps the message and tries again, whatever is wrong here; any other code would bounce it.
        Command::Read { files } => Ok(read(context, &files).await.unwrap_or_else(|error| {
            show::error(&error);
            Ended::TryAgain
        })),
        Command::Drain => drain(context).await,
    }
}

async fn read(context: &Context, files: &[PathBuf]) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    for file in files {
        let bytes = contents(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let outcomes = engine.inbox().await?.take(&[Message::read(&bytes)], engine.app.clock.now()).await?;
        outcomes.iter().for_each(|outcome| show::line(in_words(outcome)));
    }
    Ok(Ended::Done)
}

async fn drain(context: &Context) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    let settings = &engine.app.config.inbound;
    if settings.names().is_empty() {
        bail!("no mailbox is configured; write maildir = \"…\" under [inbound], or [inbound.imap]");
    }
    let stop = CancellationToken::new();
    let mut ended = Ended::Done;
    if let Some(maildir) = &settings.maildir {
        let drained = maildir::drain(engine.inbox().await?, maildir, &engine.app.clock, &stop).await;
        show_drained(drained.map_err(anyhow::Error::new), &mut ended);
    }
    // One that cannot be read does not keep the other from being read.
    if let Some(settings) = &settings.imap {
        let mut mailbox = imap::Mailbox::new(settings.clone(), imap::Timing::default());
        let drained = mailbox.drain(engine.inbox().await?, &engine.app.clock, &stop).await;
        mailbox.close().await;
        show_drained(drained.with_context(|| format!("{settings} cannot be read")), &mut ended);
    }
    Ok(ended)
}

fn show_drained(drained: anyhow::Result<Drained>, ended: &mut Ended) {
    match drained {
        Ok(Drained { recorded, before, ignored }) => {
            show::line(format!("{recorded} recorded, {before} recorded before, {ignored} ignored"));
        }
        Err(failure) => {
            show::error(&failure);
            *ended = Ended::Failed;
        }
    }
}

/// As much of it as is looked at; the rest of standard input is read and dropped, so that who writes it sees no broken pipe.
fn contents(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        let mut input = std::io::stdin().lock();
        input.by_ref().take(MOST_BYTES as u64).read_to_end(&mut bytes)?;
        std::io::copy(&mut input, &mut std::io::sink())?;
    } else {
        std::fs::File::open(file)?.take(MOST_BYTES as u64).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn in_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Recorded { delivery, kind, class, suppress, withheld } => {
            let class = class.map(|class| format!(", {}", class.as_str())).unwrap_or_default();
            let suppressed = match (suppress, withheld) {
                (Some(_), _) => "; the address is suppressed",
                (None, true) => "; the same came back for many others: the address is not suppressed",
                (None, false) => "",
            };
            format!("{delivery}: {kind}{class}{suppressed}")
        }
        Outcome::Before => "recorded before".to_owned(),
        Outcome::Ignored(why) => format!("ignored: {}", Ignored::in_english(*why)),
    }
}
