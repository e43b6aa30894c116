//! The machine: the database, write access beside it, the addresses to listen on.

use super::{Level, Report, chain, mailing_file};
use crate::accounts::Permission;
use crate::app::App;
use crate::store::{self, Access, Probed};
use secrecy::ExposeSecret;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

/// Lower ports need privileges, which the shipped unit drops.
const FIRST_FREE_PORT: u16 = 1024;

pub(super) async fn look(app: &App, report: &mut Report) {
    let url = app.config.database.expose_secret();
    match url.strip_prefix("sqlite://") {
        Some(path) if !Path::new(path).exists() => absent(app, Path::new(path), report),
        _ => database(app, url, report).await,
    }
    if let Some(folder) = app.config.state_directory().filter(|folder| folder.is_dir()) {
        match write_in(&folder) {
            Ok(()) => report.well(format!("{} can be written", folder.display())),
            Err(why) => {
                report.setting(app, Level::Error, "database", format!("{} cannot be written: {why}", folder.display()));
            }
        }
    }
    if let Some(maildir) = &app.config.inbound.maildir {
        mailbox(app, maildir, report);
    }
    for (key, address) in [
        ("web.bind", app.config.web.bind),
        ("metrics.bind", app.config.metrics.bind),
        ("console.bind", app.config.console.bind),
    ] {
        if let Some(address) = address {
            listener(app, key, address, report).await;
        }
    }
}

/// The database is created at the first start, if possible.
fn absent(app: &App, path: &Path, report: &mut Report) {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    second_person(app, 0, report);
    if folder.is_dir() {
        return report.well(format!("database: {} will be created", path.display()));
    }
    // systemd creates the directory of the service. If its parent is missing too, the path is probably a mistake.
    let level = if folder.parent().is_some_and(Path::is_dir) { Level::Warning } else { Level::Error };
    let message =
        format!("the folder {} does not exist; create it (under systemd, StateDirectory= does)", folder.display());
    report.setting(app, level, "database", message);
}

async fn database(app: &App, url: &str, report: &mut Report) {
    // Of a Postgres URL the scheme only: the rest may hold a password.
    let shown = if url.starts_with("sqlite") { url } else { "postgres" };
    match store::probe(url).await {
        Err(error) => report.setting(app, Level::Error, "database", chain(&error)),
        Ok(Probed::Empty) => {
            report.well(format!("database: {shown} is available; its tables will be created"));
            second_person(app, 0, report);
        }
        Ok(Probed::Behind(migrations)) => {
            report.well(format!("database: {shown} is available; {migrations} migrations will run at the next start"));
        }
        Ok(Probed::Current) => {
            report.well(format!("database: {shown} is available and up to date"));
            let asked = async {
                audiences(app, url, report).await?;
                approvers(app, url, report).await
            };
            if let Err(error) = asked.await {
                report.setting(app, Level::Error, "database", chain(&error));
            }
        }
    }
}

async fn audiences(app: &App, url: &str, report: &mut Report) -> Result<(), store::StoreError> {
    let store = store::open(url, Access::Shared).await?;
    for mailing in &app.mailings {
        match store.audience_size(&mailing.id, &mailing.audience, mailing.segment.as_ref()).await? {
            0 => report.find(
                Level::Warning,
                "",
                "",
                format!(
                    "nobody receives {}: semainier partners import FILE --mailing {}",
                    mailing.id, mailing.audience
                ),
            ),
            n => report.well(format!("{n} recipients of {}", mailing.id)),
        }
    }
    Ok(())
}

async fn approvers(app: &App, url: &str, report: &mut Report) -> Result<(), store::StoreError> {
    let users = store::open(url, Access::Shared).await?.users(app.clock.now()).await?;
    let active = users.iter().filter(|user| user.disabled_at.is_none() && user.has_password);
    second_person(app, active.filter(|user| user.roles.may(Permission::Approve)).count(), report);
    Ok(())
}

/// Where a second person is required there must be two. `approvers`: active accounts that may approve.
fn second_person(app: &App, approvers: usize, report: &mut Report) {
    for mailing in app.mailings.iter().filter(|mailing| mailing.second_person && approvers < 2) {
        let message = format!(
            "expected two active accounts that may approve, found {approvers}: semainier users add ADDRESS --name NAME --role {}",
            Permission::Approve.as_str()
        );
        report.find(Level::Error, mailing_file(app, &mailing.id), "second_person", message);
    }
}

/// Messages are read in its folders and moved within it.
fn mailbox(app: &App, maildir: &Path, report: &mut Report) {
    for folder in ["new", "cur"].map(|name| maildir.join(name)) {
        match std::fs::read_dir(&folder) {
            Ok(_) => {}
            Err(why) => {
                let message = format!("bounces cannot be read: {}: {why}", folder.display());
                return report.setting(app, Level::Warning, "inbound.maildir", message);
            }
        }
    }
    match write_in(maildir) {
        Ok(()) => report.well(format!("bounces are read from {}", maildir.display())),
        Err(why) => {
            let message = format!("messages cannot be moved within {}: {why}", maildir.display());
            report.setting(app, Level::Error, "inbound.maildir", message);
        }
    }
}

/// Creates and removes a file.
fn write_in(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(format!(".semainier-check-{}", std::process::id()));
    std::fs::File::create_new(&path)?;
    std::fs::remove_file(path)
}

/// An address in use by our own daemon is no problem.
async fn listener(app: &App, key: &str, address: SocketAddr, report: &mut Report) {
    match TcpListener::bind(address).map(drop) {
        Ok(()) if address.port() != 0 && address.port() < FIRST_FREE_PORT => {
            let message = format!(
                "{address}: a port below {FIRST_FREE_PORT} needs privileges, which deploy/semainier.service drops"
            );
            report.setting(app, Level::Warning, key, message);
        }
        Ok(()) => report.well(format!("{key}: {address} is free")),
        Err(why) if why.kind() == ErrorKind::AddrInUse && serves(app).await => {
            report.well(format!("{key}: {address} is in use, and a daemon is running"));
        }
        Err(why) => report.setting(app, Level::Error, key, format!("{address}: {why}")),
    }
}

/// Whether a daemon of this ledger is alive.
async fn serves(app: &App) -> bool {
    let url = app.config.database.expose_secret();
    if !matches!(store::probe(url).await, Ok(Probed::Current)) {
        return false;
    }
    let Ok(store) = store::open(url, Access::Shared).await else { return false };
    let now = app.clock.now();
    let daemons = store.daemons().await.unwrap_or_default();
    daemons.iter().any(|daemon| now - daemon.seen_at <= crate::views::readiness::ALIVE)
}
