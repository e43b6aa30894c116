//! Commands for a single contact, for example when a partner telephones.

use super::super::{Ended, show};
use crate::actions::{
    self, Actor,
    partners::{Edited, Reopened},
};
use crate::app::Engine;
use crate::domain::email::EmailAddress;
use crate::domain::partner::{Field, Fields};
use crate::partners::columns;
use anyhow::anyhow;

/// Fields of a contact, with the same values as the columns of a list. Fields that are not given stay as they are.
#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct FieldArgs {
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    function: Option<String>,
    /// fr, en
    #[arg(long)]
    language: Option<String>,
    #[arg(long)]
    establishment: Option<String>,
    #[arg(long)]
    category: Option<String>,
    #[arg(long)]
    commune: Option<String>,
    #[arg(long)]
    insee: Option<String>,
    #[arg(long)]
    street: Option<String>,
    #[arg(long)]
    postcode: Option<String>,
    #[arg(long)]
    phone: Option<String>,
    /// Separated by commas
    #[arg(long)]
    labels: Option<String>,
    #[arg(long)]
    stars: Option<String>,
    #[arg(long)]
    website: Option<String>,
    /// Latitude,longitude
    #[arg(long)]
    position: Option<String>,
}

impl FieldArgs {
    fn fields(self) -> anyhow::Result<Fields> {
        let said = [
            (Field::Name, self.name),
            (Field::Function, self.function),
            (Field::Language, self.language),
            (Field::Establishment, self.establishment),
            (Field::Category, self.category),
            (Field::Commune, self.commune),
            (Field::Insee, self.insee),
            (Field::Street, self.street),
            (Field::Postcode, self.postcode),
            (Field::Phone, self.phone),
            (Field::Labels, self.labels),
            (Field::Stars, self.stars),
            (Field::Website, self.website),
            (Field::Position, self.position),
        ];
        let mut fields = Fields::default();
        for (field, text) in said {
            let Some(text) = text else { continue };
            let column = columns::Column::Field(field);
            let text = columns::clean(&column, &text).and_then(|text| columns::value(field, &text));
            fields.set(field, text.map_err(|why| anyhow!("--{}: {why}", field.as_str()))?);
        }
        Ok(fields)
    }
}

pub(super) async fn add(
    engine: &Engine,
    actor: &Actor,
    address: &EmailAddress,
    fields: FieldArgs,
    mailings: &[String],
    why: &str,
) -> anyhow::Result<Ended> {
    let added = actions::partners::add(engine, actor, address, fields.fields()?, mailings, why).await?;
    show::line(format!("{address} is added, subscribed to {}", added.mailings.join(", ")));
    if !added.kept.is_empty() {
        let kept = added.kept.join(", ");
        show::line(format!(
            "The establishment was known and keeps its {kept}; `semainier partners edit` changes that."
        ));
    }
    if added.is_barred {
        show::line("This address is suppressed, and stays so; `semainier partners export --contact` shows why.");
    }
    Ok(Ended::Done)
}

pub(super) async fn edit(
    engine: &Engine,
    actor: &Actor,
    address: &EmailAddress,
    fields: FieldArgs,
) -> anyhow::Result<Ended> {
    let edited = actions::partners::edit(engine, actor, address, None, &fields.fields()?).await?;
    let changes = if let Edited::Done(changes) = edited { changes } else { Vec::new() };
    if changes.is_empty() {
        show::line(format!("{address}: nothing changed"));
    } else {
        show::line(format!("~ {address}"));
        changes.iter().for_each(|(field, was, is)| show::line(format!("    {field}: {was:?} becomes {is:?}")));
    }
    Ok(Ended::Done)
}

pub(in crate::cli) async fn suppress(
    engine: &Engine,
    actor: &Actor,
    address: &EmailAddress,
    mailing: Option<&str>,
    why: &str,
) -> anyhow::Result<Ended> {
    let is_known = actions::partners::suppress(engine, actor, address, mailing, why).await?;
    show::line(format!("{address} receives {} no more", mailing.unwrap_or("any mailing")));
    if !is_known {
        show::line(format!(
            "{address} is not a known contact: check the spelling (semainier partners list). It is suppressed nevertheless; \
             to undo that: semainier partners lift {address} --why TEXT"
        ));
    }
    Ok(Ended::Done)
}

pub(in crate::cli) async fn lift(
    engine: &Engine,
    actor: &Actor,
    address: &EmailAddress,
    mailing: Option<&str>,
    why: &str,
) -> anyhow::Result<Ended> {
    let Reopened { scopes, kept } = actions::partners::lift(engine, actor, address, mailing, why).await?;
    let what = scopes.iter().map(|scope| if scope == "*" { "all mailings" } else { scope }).collect::<Vec<_>>();
    show::line(format!("the suppression of {} for {address} is lifted", what.join(", ")));
    if kept > 0 {
        show::line("The person's own opt-out stays: only the person can take it back, by the link in a mail.");
    }
    Ok(Ended::Done)
}

pub(super) async fn move_to(
    engine: &Engine,
    actor: &Actor,
    from: &EmailAddress,
    to: &EmailAddress,
) -> anyhow::Result<Ended> {
    actions::partners::move_to(engine, actor, from, to).await?;
    show::line(format!("{from} is now {to}, with its subscriptions and opt-outs"));
    Ok(Ended::Done)
}
