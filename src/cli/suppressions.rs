//! `semainier suppressions`: addresses that receive a mailing, or anything, no more.

use super::{Context, Ended, partners, show, tables};
use crate::domain::email::EmailAddress;
use crate::store::Access;
use crate::views::suppressions;

pub(super) const AFTER_HELP: &str = "\
A suppression is a hash of the address, so that it outlives the contact and an import does not bring it back. A person's own \
opt-out and a complaint can only be taken back by the person, by the link in a mail.";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List who is not written to, since when and why
    List {
        /// An array of {"address","address_hash","establishment","scope","reason","since","why","is_ours"}
        #[arg(long)]
        json: bool,
    },
    /// Stop sending to an address, also if it is not a contact
    Add {
        address: EmailAddress,
        /// Only this mailing [default: all of them]
        #[arg(long)]
        mailing: Option<String>,
        /// The reason, kept with the suppression and in the contact's history
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// Lift a suppression by the office or after a refusal; the person's own opt-out stays
    Remove {
        address: EmailAddress,
        /// Only for this mailing [default: all that can be lifted]
        #[arg(long)]
        mailing: Option<String>,
        /// The reason, kept in the contact's history
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
}

pub(super) async fn run(context: &Context, command: Command) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    match command {
        Command::List { json } => {
            let all = suppressions::all(&engine).await?;
            if json {
                show::json(&all)?;
                return Ok(Ended::Done);
            }
            let mut rows = tables::table(["address", "establishment", "mailing", "reason", "since", "why"], &[0]);
            let number = all.len();
            for it in all {
                let unknown = || format!("(no contact; hash {})", it.address_hash.chars().take(8).collect::<String>());
                rows.add_row([
                    it.address.clone().unwrap_or_else(unknown),
                    it.establishment.unwrap_or_default(),
                    if it.scope == "*" { "all".to_owned() } else { it.scope },
                    tables::reason(it.reason),
                    it.since,
                    it.why,
                ]);
            }
            if number > 0 {
                show::line(tables::text(rows));
            }
            show::line(format!("{number} suppression(s)"));
            Ok(Ended::Done)
        }
        Command::Add { address, mailing, why } => {
            partners::suppress(&engine, &context.actor()?, &address, mailing.as_deref(), &why).await
        }
        Command::Remove { address, mailing, why } => {
            partners::lift(&engine, &context.actor()?, &address, mailing.as_deref(), &why).await
        }
    }
}
