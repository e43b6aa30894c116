//! `semainier users`: the accounts of the console.

use super::{
    Context, Ended, show,
    tables::{self, table},
};
use crate::accounts::Roles;
use crate::actions::accounts::{self, Invitation};
use crate::app::Engine;
use crate::domain::email::EmailAddress;
use crate::store::{Access, User};
use crate::views::{accounts as views, instant};

pub(super) const AFTER_HELP: &str = "\
Roles, with commas between them: lecture (see everything), redaction (texts, editions, orders, partners), validation (approve, \
announce), exploitation (pause, resume, settle), administration (accounts). Accounts with one of the last three need a second \
factor. An invitation is a link that sets the password: hand it over personally; it works once, within 24 hours.

  semainier users add claire@office.example --name Claire --role validation,administration
  semainier users reset claire@office.example     password or telephone lost: a new link
  semainier users disable claire@office.example   somebody left: no login, all sessions end";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add an account and print its invitation
    Add {
        address: String,
        /// How the person is called in the console
        #[arg(long)]
        name: String,
        /// Roles with commas between them
        #[arg(long, default_value = "lecture", value_parser = Roles::parse)]
        role: Roles,
    },
    /// List accounts
    List {
        /// An array of {"id","name","address","roles","state","second_factor","recovery_codes","sessions","seen_at","created_at","created_by"}
        #[arg(long)]
        json: bool,
    },
    /// Give an account these roles instead of the present ones; its sessions end
    Roles {
        /// Address or id
        account: String,
        #[arg(value_parser = Roles::parse)]
        roles: Roles,
    },
    /// Take password, second factor and sessions away, and print a new invitation
    Reset { account: String },
    /// Let nobody log in with an account any more; its sessions end
    Disable { account: String },
    /// Let an account log in again
    Enable { account: String },
    /// List the open sessions of an account, or end them
    Sessions {
        account: String,
        /// End all of them
        #[arg(long)]
        end: bool,
        /// An array of {"id","device","network","created_at","seen_at","expires_at"}
        #[arg(long, conflicts_with = "end")]
        json: bool,
    },
}

pub(super) async fn run(context: &Context, command: Command) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    let (store, zone, now) = (&*engine.store, engine.app.config.zone, engine.app.clock.now());
    let actor = context.actor()?;
    match command {
        Command::Add { address, name, role } => {
            let address = EmailAddress::parse(&address)?;
            let invitation = accounts::add(store, &actor, address.clone(), &name, role, now).await?;
            show::line(format!("{name} ({address}) has an account: {role}"));
            handed_over(&engine, &invitation);
        }
        Command::List { json } => {
            let users = views::users(store, zone, now).await?;
            if json {
                show::json(&users)?;
                return Ok(Ended::Done);
            }
            let mut rows = table(["account", "name", "roles", "state", "second factor", "sessions", "last seen"], &[0]);
            for user in users {
                rows.add_row([
                    user.address,
                    user.name,
                    user.roles.join(","),
                    user.state.to_owned(),
                    if user.second_factor { "yes" } else { "no" }.to_owned(),
                    user.sessions.to_string(),
                    user.seen_at.unwrap_or_default(),
                ]);
            }
            show::line(tables::text(rows));
        }
        Command::Roles { account, roles } => {
            let user = accounts::find(store, &account, now).await?;
            match accounts::set_roles(store, &actor, &user, roles, now).await? {
                true => show::line(format!("{} has the roles {roles}; its sessions ended", user.address)),
                false => show::line(format!("{} had these roles already", user.address)),
            }
            if lacks_second_factor(&user, roles) {
                show::line(format!(
                    "these roles need a second factor, which the account has not: semainier users reset {}",
                    user.address
                ));
            }
        }
        Command::Reset { account } => {
            let user = accounts::find(store, &account, now).await?;
            let invitation = accounts::reset(store, &actor, &user, now).await?;
            show::line(format!("{} was reset; its sessions ended", user.address));
            handed_over(&engine, &invitation);
        }
        Command::Disable { account } => {
            let user = accounts::find(store, &account, now).await?;
            match accounts::disable(store, &actor, &user, now).await? {
                true => show::line(format!("{} is disabled; its sessions ended", user.address)),
                false => show::line(format!("{} was disabled already", user.address)),
            }
        }
        Command::Enable { account } => {
            let user = accounts::find(store, &account, now).await?;
            match accounts::enable(store, &actor, &user, now).await? {
                true => show::line(format!("{} may log in again", user.address)),
                false => show::line(format!("{} is not disabled", user.address)),
            }
        }
        Command::Sessions { account, end, json } => {
            let user = accounts::find(store, &account, now).await?;
            if end {
                let ended = accounts::end_sessions(store, &actor, &user.id, None, now).await?;
                show::line(format!("{ended} sessions of {} ended", user.address));
                return Ok(Ended::Done);
            }
            let sessions = views::sessions(store, &user.id, zone, now).await?;
            if json {
                show::json(&sessions)?;
                return Ok(Ended::Done);
            }
            let mut rows = table(["device", "network", "since", "last seen", "ends"], &[]);
            for it in sessions {
                rows.add_row([it.device, it.network, it.created_at, it.seen_at, it.expires_at]);
            }
            show::line(tables::text(rows));
        }
    }
    Ok(Ended::Done)
}

fn lacks_second_factor(user: &User, roles: Roles) -> bool {
    roles.need_second_factor() && user.has_password && !user.has_second_factor
}

fn handed_over(engine: &Engine, invitation: &Invitation) {
    let config = &engine.app.config;
    show::line(config.console.address(&invitation.path));
    show::line(format!("valid once, until {}", instant(invitation.expires_at, config.zone)));
    if config.console.bind.is_none() {
        show::line("console.bind is not set: no console is served until it is");
    }
}
