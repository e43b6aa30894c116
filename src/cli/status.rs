//! `semainier status`: what goes on.

use super::{Context, Ended, show};
use crate::status;
use crate::store::Access;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 4 when something waits for a person (a paused or held issue, an unknown delivery, no daemon), else 0.
With --json, one object; instants are RFC 3339, what may be missing is null:
  now           the instant it was read at
  daemons[]     host, pid, version, alive, started_at, seen_at,
                relay: null, or {trouble, left_alone_until} while this daemon leaves the relay alone
  next[]        mailing, issue, at, deadline
  issues[]      those not over: key, state, reason, expires_at, recipients,
                counts: {queued, claimed, in_data, sent, failed, unknown, suppressed, expired, cancelled}
  lanes[]       families of recipients that are not open: name, state (slow, suspended, paused), why, since, until,
                only_issue (the issue it holds for, null: all), step (suspensions in a row before), per_minute
  waiting[]     what waits for a person: issue (empty for the daemon itself), why, help
  last[]        the last occurrences of each mailing: mailing, scheduled_for, state, reason, issue
  owed_notices  words to staff that could not be sent yet")]
pub(super) struct Args {
    /// One object, its keys below
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    let status = status::read(&engine).await?;
    match args.json {
        true => show::json(&status.json())?,
        false => show::line(status.text()),
    }
    Ok(if status.waiting().is_empty() { Ended::Done } else { Ended::WaitsForAPerson })
}
