//! `semainier partners`: the people the mailings go to.

mod import;

use super::{Context, Ended, show, tables};
use crate::actions::{self, partners::Erasure};
use crate::app::Engine;
use crate::domain::{email::EmailAddress, segment::Segment};
use crate::partners::export;
use crate::store::{Access, LogFilter};
use crate::views::{log, orders::OrderView};
use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};

pub(super) use import::import_bytes;

pub(super) const AFTER_HELP: &str = "\
A partner is an establishment; its contacts receive the mailings they are subscribed to.

  semainier partners import liste.xlsx --dry-run     what would change: nothing is written
  semainier partners import liste.xlsx               all of it, or nothing
  semainier partners import liste.csv --replace      the file is the whole list: who is not in it goes
  semainier partners list --where 'category in (\"hébergement\", \"restauration\") and label = \"Accueil Vélo\"'
  semainier partners list --where 'stars >= 3 and not (commune = \"Auch\" or subscribed = \"agenda\")'
  semainier partners export --out liste.xlsx         the import reads it again
  semainier partners export --contact a@gite.example all that is kept of one person
  semainier partners erase a@gite.example            the person goes; sums and the bar against writing stay

Files: CSV (UTF-8 or Windows-1252; ; , or tab) or XLSX, columns in any order, known by their headers: email, prénom, nom,
fonction, langue, établissement, catégorie (filière), adresse, commune, code INSEE, labels, étoiles, site web, latitude,
longitude; or a column for one label, with a cross. A column that is not there leaves what is known.

--where: name function language address establishment category commune insee street website label subscribed, with
= != in (…) not in (…); stars with = != < <= > >= in; and, or, not, ( ). Texts stand in \"…\" or '…', as they are written.";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add and update contacts from a CSV or an XLSX; all or nothing
    Import(import::Args),
    /// Show the contacts and what they receive
    List {
        /// Only those: `category = "hébergement" and label = "Accueil Vélo"`
        #[arg(long = "where", value_name = "SEGMENT")]
        segment: Option<String>,
        /// An array of {"email","name","function","establishment","category","commune","labels","subscriptions"}
        #[arg(long)]
        json: bool,
    },
    /// Write the list to a file that the import reads again, or one person's whole data
    Export {
        /// Ends in .csv or .xlsx [default: CSV on standard output]
        #[arg(long, value_name = "FILE", conflicts_with = "contact")]
        out: Option<PathBuf>,
        /// Only those
        #[arg(long = "where", value_name = "SEGMENT", conflicts_with = "contact")]
        segment: Option<String>,
        /// All that is kept of this person, as JSON (GDPR art. 15)
        #[arg(long, value_name = "ADDRESS")]
        contact: Option<EmailAddress>,
    },
    /// Remove a person for good (GDPR art. 17); only a fingerprint stays, so that nobody writes there again
    Erase { address: EmailAddress },
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
        Command::Import(args) => import::run(&engine, &context.actor()?, args).await,
        Command::List { segment, json } => list(&engine, segment.as_deref(), json).await,
        Command::Export { contact: Some(address), .. } => export_person(&engine, &address).await,
        Command::Export { out, segment, .. } => export_list(&engine, out.as_deref(), segment.as_deref()).await,
        Command::Erase { address } => {
            match actions::partners::erase(&engine, &context.actor()?, &address).await? {
                Erasure::Done { deliveries } => {
                    show::line(format!(
                        "{address} is erased; {deliveries} deliveries keep their state and lost their person"
                    ));
                    show::line("The address is suppressed by its fingerprint: no import brings mail to it again.");
                }
                Erasure::NotKnown => {
                    show::line(format!("{address} was not known; it is suppressed by its fingerprint all the same"))
                }
            }
            Ok(Ended::Done)
        }
        Command::Suppress { address, mailing } => {
            actions::partners::suppress(&engine, &context.actor()?, &address, mailing.as_deref()).await?;
            show::line(format!("{address} receives {} no more", mailing.as_deref().unwrap_or("any mailing")));
            Ok(Ended::Done)
        }
    }
}

/// The expression with a mark beneath what is wrong with it.
pub(super) fn parse_segment(text: Option<&str>, option: &str) -> anyhow::Result<Option<Segment>> {
    let Some(text) = text else { return Ok(None) };
    match Segment::parse(text) {
        Ok(segment) => Ok(Some(segment)),
        Err(why) => bail!("{option}: {why}\n  {text}\n  {:>width$}", '^', width = why.column),
    }
}

async fn list(engine: &Engine, segment: Option<&str>, as_json: bool) -> anyhow::Result<Ended> {
    let contacts = engine.store.contacts_of(parse_segment(segment, "--where")?.as_ref()).await?;
    if as_json {
        show::json(&contacts.iter().map(export::listed).collect::<Vec<_>>())?;
    } else {
        show::line(tables::contacts_table(&contacts));
        show::line(format!("{} contacts", contacts.len()));
    }
    Ok(Ended::Done)
}

async fn export_list(engine: &Engine, out: Option<&Path>, segment: Option<&str>) -> anyhow::Result<Ended> {
    let contacts = engine.store.contacts_of(parse_segment(segment, "--where")?.as_ref()).await?;
    let Some(out) = out else {
        show::line(String::from_utf8(export::csv(&contacts)?)?.trim_end());
        return Ok(Ended::Done);
    };
    let bytes = match out.extension().map(|e| e.to_ascii_lowercase()) {
        Some(extension) if extension == "xlsx" => export::xlsx(&contacts)?,
        Some(extension) if extension == "csv" => export::csv(&contacts)?,
        _ => bail!("{}: expected a file that ends in .csv or .xlsx", out.display()),
    };
    std::fs::write(out, bytes).with_context(|| format!("cannot write {}", out.display()))?;
    show::line(format!("{} contacts in {}", contacts.len(), out.display()));
    Ok(Ended::Done)
}

async fn export_person(engine: &Engine, address: &EmailAddress) -> anyhow::Result<Ended> {
    let dossier = engine.store.dossier(&address.key(), &engine.tokens.address_hash(address)).await?;
    let log = engine.store.log(&LogFilter { address_key: Some(address.key()), ..Default::default() }).await?;
    let zone = engine.app.config.zone;
    let editions = engine.store.editions().await?;
    let orders: Vec<_> = dossier.orders.iter().map(|order| OrderView::new(order, &editions, zone)).collect();
    let (deliveries, orders) = (serde_json::to_value(log::page(&log, zone))?, serde_json::to_value(orders)?);
    show::json(&export::person(&address.to_string(), &dossier, &deliveries, &orders))?;
    Ok(Ended::Done)
}
