//! `semainier check`: everything that can be wrong before it matters.

use super::{Context, Ended, next, show};
use crate::compose::{context, page};
use crate::issue::newsletter;
use crate::jobs::Kind;
use crate::secret::read_link_keys;
use anyhow::bail;
use secrecy::ExposeSecret;

pub(super) async fn run(ctx: &Context) -> anyhow::Result<Ended> {
    let app = ctx.app()?;
    let file = app.config.file.as_ref().map_or("built-in defaults".to_owned(), |f| f.display().to_string());
    show::line(format!("configuration: {file}"));
    let mut wrong = Vec::new();
    if app.config.relay.is_some() {
        match app.relay() {
            Ok(relay) => show::line(format!("relay: {relay}")),
            Err(why) => wrong.push(format!("{why:#}")),
        }
    }
    wrong.extend(app.config.secret_place().problem());
    if let Some(why) = app.config.link_keys_file.as_deref().and_then(|path| read_link_keys(path).err()) {
        wrong.push(why.to_string());
    }
    // Of a Postgres URL the scheme only: the rest may hold a password.
    let database = app.config.database.expose_secret();
    show::line(format!("database: {}", if database.starts_with("sqlite") { database } else { "postgres" }));
    for (name, samples) in context::check_all(&app.templates)? {
        show::line(format!("template {name}: {samples} samples rendered"));
    }
    for (name, samples) in page::check_all(&app.templates)? {
        show::line(format!("page {name}: {samples} samples rendered"));
    }
    show::line(format!("mailings: {}", app.mailings.len()));
    for mailing in &app.mailings {
        next::show_next(&app, mailing, app.clock.now(), 3);
        if let Kind::Newsletter(publishes) = &mailing.kind {
            let lists = newsletter::check_lists(&publishes.sections)?;
            lists.iter().for_each(|(file, n)| show::line(format!("  {n} appointments in {file}")));
        }
    }
    for warning in app.config.warnings() {
        show::line(format!("warning: {warning}"));
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    show::line("all is well");
    Ok(Ended::Done)
}
