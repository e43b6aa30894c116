//! `semainier partners`: the people the mailings go to.

use super::{Context, Ended, show};
use crate::app::Engine;
use crate::domain::{
    email::EmailAddress,
    partner::{NewContact, SuppressionReason},
};
use crate::partners::import;
use crate::report;
use crate::store::Access;
use anyhow::Context as _;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add and update contacts from a CSV (`email;nom;etablissement;commune`); all or nothing
    Import {
        file: PathBuf,
        /// Say what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Subscribe them to these mailings only [default: all of them]
        #[arg(long, value_name = "MAILING", value_delimiter = ',')]
        mailing: Vec<String>,
    },
    /// Show the contacts and what they receive
    List {
        /// An array of {"email","name","establishment","commune","subscriptions"}
        #[arg(long)]
        json: bool,
    },
    /// Write to this address no more (from this mailing, or from all)
    Suppress {
        address: EmailAddress,
        #[arg(long)]
        mailing: Option<String>,
    },
}

pub(super) async fn run(context: &Context, command: Command) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    match command {
        Command::Import { file, dry_run, mailing } => import(&engine, &file, dry_run, mailing).await,
        Command::List { json } => list(&engine, json).await,
        Command::Suppress { address, mailing } => {
            if let Some(id) = &mailing {
                engine.app.mailing(id)?;
            }
            let hash = engine.tokens.address_hash(&address);
            let now = engine.app.clock.now();
            engine.store.suppress(&hash, mailing.as_deref(), SuppressionReason::Manual, now).await?;
            show::line(format!("{address} receives {} no more", mailing.as_deref().unwrap_or("any mailing")));
            Ok(Ended::Done)
        }
    }
}

async fn import(engine: &Engine, file: &Path, dry_run: bool, mailings: Vec<String>) -> anyhow::Result<Ended> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    for id in &mailings {
        engine.app.mailing(id)?;
    }
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    import_bytes(engine, &bytes, &name, dry_run, mailings).await.with_context(|| file.display().to_string())
}

/// Imports a CSV that is already in memory, and says what it did.
pub(super) async fn import_bytes(
    engine: &Engine,
    bytes: &[u8],
    source: &str,
    dry_run: bool,
    mailings: Vec<String>,
) -> anyhow::Result<Ended> {
    let parsed = import::parse(bytes)?;
    for duplicate in &parsed.duplicates {
        show::aside(format!(
            "line {}: the address stands in line {} already; kept once",
            duplicate.line, duplicate.first
        ));
    }
    let mailings = match mailings.is_empty() {
        true => engine.app.mailings.iter().map(|m| m.audience.clone()).collect(),
        false => mailings,
    };
    let contacts: Vec<_> = parsed
        .lines
        .into_iter()
        .map(|line| NewContact {
            address_hash: engine.tokens.address_hash(&line.address),
            address: line.address,
            name: line.name,
            establishment: line.establishment,
            commune: line.commune,
        })
        .collect();
    let now = engine.app.clock.now();
    let summary = engine.store.import_contacts(&contacts, &mailings, source, dry_run, now).await?;
    let would = if dry_run { "would be " } else { "" };
    show::line(format!(
        "{} contacts ({}, separated by {:?}): {} {would}added, {} {would}changed, {} unchanged, {} opted out and stay so",
        contacts.len(),
        parsed.charset,
        parsed.delimiter,
        summary.added,
        summary.changed,
        summary.unchanged,
        summary.suppressed
    ));
    Ok(Ended::Done)
}

async fn list(engine: &Engine, as_json: bool) -> anyhow::Result<Ended> {
    let contacts = engine.store.contacts().await?;
    if as_json {
        let one = |contact: &crate::domain::partner::Contact| {
            json!({
                "email": contact.address.to_string(),
                "name": contact.name,
                "establishment": contact.establishment,
                "commune": contact.commune,
                "subscriptions": contact.subscriptions,
            })
        };
        show::json(&contacts.iter().map(one).collect::<Vec<_>>())?;
    } else {
        show::line(report::contacts_table(&contacts));
        show::line(format!("{} contacts", contacts.len()));
    }
    Ok(Ended::Done)
}
