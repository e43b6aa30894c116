//! `semainier tokens`: tokens of the API.

use super::{
    Context, Ended, show,
    tables::{self, table},
};
use crate::accounts::Scopes;
use crate::actions::tokens;
use crate::store::Access;
use crate::views::{instant, integrations};

pub(super) const AFTER_HELP: &str = "\
Scopes, with commas between them: read:status, read:issues, read:log (persons are masked), read:persons (they are not), \
check:article, trigger:reread, orders, write:partners. No scope approves, sends, replaces a list or erases.

  semainier tokens add \"Site web\" --scope check:article,trigger:reread
  semainier tokens revoke \"Site web\"";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a token and print it, once; the ledger keeps its SHA-256 alone
    Add {
        /// Who will use it, such as "Site web"
        name: String,
        /// Scopes with commas between them
        #[arg(long, value_parser = Scopes::parse)]
        scope: Scopes,
        /// How long it is valid, 1 to 365
        #[arg(long, default_value_t = tokens::MOST_DAYS)]
        days: u32,
    },
    /// List tokens
    List {
        /// An array of {"id","name","scopes","state","created_at","created_by","expires_at","used_at","revoked_at"}
        #[arg(long)]
        json: bool,
    },
    /// Let nobody in with a token any more, at once
    Revoke {
        /// Id, or name if it is of one token alone
        token: String,
    },
}

pub(super) async fn run(context: &Context, command: Command) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    let (store, zone, now) = (&*engine.store, engine.app.config.zone, engine.app.clock.now());
    let actor = context.actor()?;
    match command {
        Command::Add { name, scope, days } => {
            let made = tokens::add(store, &actor, &name, scope, days, now).await?;
            show::line(&made.secret);
            show::aside(format!(
                "shown once; valid until {} for {scope}; revoke it with: semainier tokens revoke {}",
                instant(made.token.expires_at, zone),
                made.token.id
            ));
            if engine.app.config.console.bind.is_none() {
                show::aside("console.bind is not set: no API is served until it is");
            }
        }
        Command::List { json } => {
            let all = integrations::tokens(store, zone, now).await?;
            if json {
                show::json(&all)?;
                return Ok(Ended::Done);
            }
            let mut rows = table(["token", "name", "scopes", "state", "expires", "last used"], &[0]);
            for it in all {
                let (scopes, used) = (it.scopes.join(","), it.used_at.unwrap_or_default());
                rows.add_row([it.id, it.name, scopes, it.state.to_owned(), it.expires_at, used]);
            }
            show::line(tables::text(rows));
        }
        Command::Revoke { token } => {
            let token = tokens::find(store, &token).await?;
            tokens::revoke(store, &actor, &token, now).await?;
            show::line(format!("token {} ({}) is revoked", token.id, token.name));
        }
    }
    Ok(Ended::Done)
}
