//! `semainier partners`: the contacts that receive the mailings.

mod import;
mod one;

use super::{Context, Ended, show, tables};
use crate::actions::{self, Actor, partners::Erasure};
use crate::app::Engine;
use crate::domain::{
    email::EmailAddress,
    partner::Contact,
    segment::{Field, Segment},
};
use crate::partners::export;
use crate::private;
use crate::store::Access;
use crate::views::{dossier, suppressions};
use anyhow::{Context as _, bail};
use std::io::Write;
use std::path::{Path, PathBuf};

pub(super) use import::import_bytes;
pub(super) use one::{lift, suppress};

pub(super) const AFTER_HELP: &str = "\
A partner is an establishment; its contacts receive the mailings they are subscribed to.

  semainier partners import liste.xlsx --dry-run     show what would change; nothing is written
  semainier partners import liste.xlsx               all of it, or nothing
  semainier partners import liste.csv --replace      contacts that are not in the file are removed
  semainier partners import liste.xlsx --skip-invalid   the valid lines; the others, with reasons, in liste-reste.csv
  semainier partners add a@gite.example --establishment \"Gîte du Pré\" --why \"appel du 3 juillet\"
  semainier partners edit a@gite.example --phone \"05 62 00 00 00\"
  semainier partners move a@gite.example b@gite.example    another address for the same person
  semainier partners suppress a@gite.example --mailing agenda --why \"par téléphone\"   stop mailing them
  semainier partners lift a@gite.example --why \"erreur de frappe\"   undo that; the person's own opt-out stays
  semainier partners list --where 'category in (\"hébergement\", \"restauration\") and label = \"Accueil Vélo\"'
  semainier partners list --where 'stars >= 3 and not (commune = \"Auch\" or subscribed = \"agenda\")'
  semainier partners export --out liste.xlsx         the import can read it again
  semainier partners export --contact a@gite.example all data about one person
  semainier partners erase a@gite.example            delete the person; keep anonymous totals and suppressions

Files: CSV (UTF-8 or Windows-1252; ; , or tab) or XLSX, the header in one of the first ten lines, columns in any order, \
recognised by their headers: email (adresse mail, courriel, mail 1, mail 2), prénom, nom, fonction, langue, établissement, \
catégorie (filière), adresse, code postal, commune, code INSEE, labels, étoiles, site web, téléphone, latitude, longitude; or a \
column for one label, with a cross. Other columns are listed and ignored. A missing column leaves the stored values. Lines \
without an address and a total below the list are skipped; hidden sheets and rows are ignored. A mailbox that is listed under \
two establishments is one contact of both.

--where: name function language address establishment category commune insee street website phone postcode label \
subscribed, with = != in (…) not in (…); stars with = != < <= > >= in; and, or, not, ( ). Texts are in \"…\" or '…'; case, \
accents and the plural are ignored.";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Import contacts from a CSV or XLSX file; all or nothing
    Import(import::Args),
    /// List the contacts and what they receive
    List {
        /// Filter expression, e.g. `category = "hébergement" and label = "Accueil Vélo"`
        #[arg(long = "where", value_name = "SEGMENT")]
        segment: Option<String>,
        /// An array of {"email","name","function","establishment","category","commune","labels","postcode","phone",
        /// "other_establishments","subscriptions","barred"}
        #[arg(long)]
        json: bool,
    },
    /// Export the list as a file that `import` reads, or all data about one person
    Export {
        /// Ends in .csv or .xlsx [default: CSV on standard output]
        #[arg(long, value_name = "FILE", conflicts_with = "contact")]
        out: Option<PathBuf>,
        /// Filter expression, as for `list`
        #[arg(long = "where", value_name = "SEGMENT", conflicts_with = "contact")]
        segment: Option<String>,
        /// All data stored about this person, as JSON (GDPR art. 15)
        #[arg(long, value_name = "ADDRESS")]
        contact: Option<EmailAddress>,
    },
    /// Delete a person for good (GDPR art. 17); a keyed hash of the address stays, so that it is never mailed again
    Erase { address: EmailAddress },
    /// Stop mailing an address (for one mailing, or for all)
    Suppress {
        address: EmailAddress,
        #[arg(long)]
        mailing: Option<String>,
        /// The reason, kept with the suppression and in the contact's history
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        why: String,
    },
    /// Lift a suppression by the office or after a refusal by the relay; the person's own opt-out stays
    Lift {
        address: EmailAddress,
        /// Only for this mailing [default: all that can be lifted]
        #[arg(long)]
        mailing: Option<String>,
        /// The reason, kept in the contact's history
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// Add one contact, like an import of one line
    Add {
        address: EmailAddress,
        #[command(flatten)]
        fields: one::FieldArgs,
        /// Subscribe to these mailings only [default: all of them]
        #[arg(long, value_name = "MAILING", value_delimiter = ',')]
        mailing: Vec<String>,
        /// Where the address comes from, kept with each subscription (GDPR art. 14)
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// Change the data of one contact or its establishment
    Edit {
        address: EmailAddress,
        #[command(flatten)]
        fields: one::FieldArgs,
    },
    /// List the contacts from whom nothing has come for years: no order, no choice of mailings
    Silent {
        #[arg(long, default_value_t = suppressions::SILENT_YEARS, value_parser = clap::value_parser!(u32).range(1..=50))]
        years: u32,
        /// An array of {"address","name","establishment","since","heard"}
        #[arg(long)]
        json: bool,
    },
    /// Change the address of a contact: subscriptions and history are kept, the old address is not suppressed
    Move { from: EmailAddress, to: EmailAddress },
}

pub(super) async fn run(context: &Context, command: Command) -> anyhow::Result<Ended> {
    let engine = || context.engine(Access::Shared);
    match command {
        // The file is read before the ledger is opened.
        Command::Import(args) => import::run(context, args).await,
        Command::List { segment, json } => list(&engine().await?, segment.as_deref(), json).await,
        Command::Export { contact: Some(address), .. } => export_person(&engine().await?, &address).await,
        Command::Export { out, segment, .. } => export_list(&engine().await?, out.as_deref(), segment.as_deref()).await,
        Command::Erase { address } => erase(&engine().await?, &context.actor()?, &address).await,
        Command::Suppress { address, mailing, why } => {
            one::suppress(&engine().await?, &context.actor()?, &address, mailing.as_deref(), &why).await
        }
        Command::Lift { address, mailing, why } => {
            one::lift(&engine().await?, &context.actor()?, &address, mailing.as_deref(), &why).await
        }
        Command::Add { address, fields, mailing, why } => {
            one::add(&engine().await?, &context.actor()?, &address, fields, &mailing, &why).await
        }
        Command::Edit { address, fields } => one::edit(&engine().await?, &context.actor()?, &address, fields).await,
        Command::Silent { years, json } => silent(&engine().await?, years, json).await,
        Command::Move { from, to } => one::move_to(&engine().await?, &context.actor()?, &from, &to).await,
    }
}

async fn silent(engine: &Engine, years: u32, as_json: bool) -> anyhow::Result<Ended> {
    let contacts = suppressions::silent(engine, years).await?;
    if as_json {
        show::json(&contacts)?;
        return Ok(Ended::Done);
    }
    let number = contacts.len();
    let mut rows = tables::table(["address", "name", "establishment", "known since", "last heard of"], &[0]);
    for it in contacts {
        rows.add_row([it.address, it.name, it.establishment, it.since, it.heard.unwrap_or_else(|| "never".to_owned())]);
    }
    if number > 0 {
        show::line(tables::text(rows));
        show::line(
            "Ask them whether they still want to be written to, then erase who does not answer: semainier partners erase",
        );
    }
    show::line(format!("{number} contact(s) without a sign of life for {years} year(s)"));
    Ok(Ended::Done)
}

async fn erase(engine: &Engine, actor: &Actor, address: &EmailAddress) -> anyhow::Result<Ended> {
    match actions::partners::erase(engine, actor, address).await? {
        Erasure::Done { deliveries } => {
            show::line(format!(
                "{address} is erased; {deliveries} deliveries keep their state without the personal data"
            ));
            show::line("The address is suppressed by its keyed hash: an import cannot bring it back.");
        }
        Erasure::NotKnown => {
            show::line(format!("{address} was not known; it is suppressed by its keyed hash nevertheless"))
        }
    }
    Ok(Ended::Done)
}

/// Parses the expression; the error has a mark below the wrong position.
pub(super) fn parse_segment(text: Option<&str>, option: &str) -> anyhow::Result<Option<Segment>> {
    let Some(text) = text else { return Ok(None) };
    match Segment::parse(text) {
        Ok(segment) => Ok(Some(segment)),
        Err(why) => bail!("{option}: {why}\n  {text}\n  {:>width$}", '^', width = why.column),
    }
}

/// Contacts that are in memory at once.
const PAGE: u32 = 1_000;

/// Calls `each` with the contacts that match, page by page, and returns their number. If no contact matches, it is called once with
/// an empty page, and the values that exist in the fields of the expression are printed.
async fn each_page(
    engine: &Engine,
    segment: Option<&str>,
    mut each: impl FnMut(&[Contact]) -> anyhow::Result<()>,
) -> anyhow::Result<usize> {
    let segment = parse_segment(segment, "--where")?;
    let (mut number, mut after) = (0, None);
    loop {
        let page = engine.store.contacts_page(segment.as_ref(), after.as_deref(), PAGE).await?;
        if number == 0 || !page.is_empty() {
            each(&page)?;
        }
        number += page.len();
        match page.last() {
            Some(last) if page.len() == PAGE as usize => after = Some(last.address.key()),
            _ => break,
        }
    }
    if let Some(segment) = segment.filter(|_| number == 0) {
        show_known_values(engine, &segment).await?;
    }
    Ok(number)
}

/// Prints the values that exist in the fields of a segment that matches no contact.
pub(super) async fn show_known_values(engine: &Engine, segment: &Segment) -> anyhow::Result<()> {
    const MOST: usize = 20;
    show::aside(format!("no contact matches {segment}"));
    for field in segment.fields().into_iter().filter(|field| *field != Field::Address) {
        let values = engine.store.values_of(field).await?;
        let said: Vec<String> = values
            .iter()
            .filter(|(value, _)| !value.is_empty())
            .take(MOST)
            .map(|(value, n)| format!("{value:?} ({n})"))
            .collect();
        let more = if values.len() > MOST { ", …" } else { "" };
        match said.is_empty() {
            true => show::aside(format!("  {}: no contact has a value", field.as_str())),
            false => show::aside(format!("  {} is one of {}{more}", field.as_str(), said.join(", "))),
        }
    }
    Ok(())
}

async fn list(engine: &Engine, segment: Option<&str>, as_json: bool) -> anyhow::Result<Ended> {
    let mut list = show::JsonList::default();
    let number = each_page(engine, segment, |page| {
        match as_json {
            true => page.iter().try_for_each(|contact| list.add(&export::listed(contact)))?,
            // One table per page: column widths are computed from its rows.
            false => show::line(tables::text(tables::contacts_table(page))),
        }
        Ok(())
    });
    let number = number.await?;
    match as_json {
        true => list.end(),
        false => show::line(format!("{number} contacts")),
    }
    Ok(Ended::Done)
}

async fn export_list(engine: &Engine, out: Option<&Path>, segment: Option<&str>) -> anyhow::Result<Ended> {
    let mut is_first = true;
    let Some(out) = out else {
        each_page(engine, segment, |page| {
            show::line(String::from_utf8(export::csv(page, std::mem::take(&mut is_first))?)?.trim_end());
            Ok(())
        })
        .await?;
        return Ok(Ended::Done);
    };
    let cannot = || format!("cannot write {}", out.display());
    let number = match out.extension().map(|e| e.to_ascii_lowercase()) {
        Some(extension) if extension == "xlsx" => {
            let mut workbook = export::Xlsx::new()?;
            let number = each_page(engine, segment, |page| Ok(workbook.add(page)?)).await?;
            private::write(out, &workbook.bytes()?).with_context(cannot)?;
            number
        }
        Some(extension) if extension == "csv" => {
            let mut file = private::create(out).with_context(cannot)?;
            let write = |page: &[Contact]| {
                let lines = export::csv(page, std::mem::take(&mut is_first))?;
                file.write_all(&lines).with_context(cannot)
            };
            each_page(engine, segment, write).await?
        }
        _ => bail!("{}: expected a file that ends in .csv or .xlsx", out.display()),
    };
    show::line(format!("{number} contacts in {}", out.display()));
    Ok(Ended::Done)
}

async fn export_person(engine: &Engine, address: &EmailAddress) -> anyhow::Result<Ended> {
    show::json(&dossier::person(engine, address).await?)?;
    Ok(Ended::Done)
}
