//! What the office does for one contact: the partner who telephones.

use super::super::{Ended, show};
use crate::app::Engine;
use crate::domain::email::EmailAddress;
use crate::domain::partner::{Basis, Contact, Difference, Field, Fields, Import, NewContact, SuppressionReason};
use crate::partners::columns;
use crate::store::{Lifted, Moved};
use anyhow::{anyhow, bail};

/// What may be said of a contact, as the columns of a list say it. What is not said stays.
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
    /// Parted by commas
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

/// The contact with this address, if it is known.
async fn known(engine: &Engine, address: &EmailAddress) -> anyhow::Result<Option<Contact>> {
    Ok(engine.store.dossier(&address.key(), &engine.tokens.address_hash(address)).await?.contact)
}

pub(super) async fn add(
    engine: &Engine,
    address: EmailAddress,
    fields: FieldArgs,
    mailings: Vec<String>,
    why: &str,
) -> anyhow::Result<Ended> {
    for id in &mailings {
        engine.app.mailing(id)?;
    }
    if known(engine, &address).await?.is_some() {
        bail!("{address} is known already; change it with: semainier partners edit {address}");
    }
    let mailings = match mailings.is_empty() {
        true => engine.app.mailings.iter().map(|mailing| mailing.audience.clone()).collect(),
        false => mailings,
    };
    let summary = put(engine, &address, fields.fields()?, &mailings, why).await?;
    show::line(format!("{address} is added, subscribed to {}", mailings.join(", ")));
    if summary.suppressed > 0 {
        show::line(
            "It stands against mail to this address, and that stays: semainier partners export --contact says why.",
        );
    }
    Ok(Ended::Done)
}

pub(super) async fn edit(engine: &Engine, address: EmailAddress, fields: FieldArgs) -> anyhow::Result<Ended> {
    let Some(before) = known(engine, &address).await? else {
        bail!("{address} is not known; add it with: semainier partners add {address} --why TEXT");
    };
    let mut fields = fields.fields()?;
    if Field::ALL.iter().all(|field| fields.get(*field).is_none()) {
        bail!("nothing to change was said; see semainier partners edit --help");
    }
    // Name and commune together are which establishment is meant: what is not said of them is as it was.
    let is_said = |field| fields.get(field).is_some();
    if is_said(Field::Establishment) != is_said(Field::Commune)
        || Field::ALL.iter().any(|it| it.is_of_partner() && is_said(*it))
    {
        for (field, text) in [(Field::Establishment, &before.partner.name), (Field::Commune, &before.partner.commune)] {
            if fields.get(field).is_none() {
                fields.set(field, text.as_str());
            }
        }
    }
    put(engine, &address, fields, &[], "").await?;
    Ok(Ended::Done)
}

async fn put(
    engine: &Engine,
    address: &EmailAddress,
    fields: Fields,
    mailings: &[String],
    source: &str,
) -> anyhow::Result<crate::domain::partner::ImportSummary> {
    let also = match known(engine, address).await? {
        // Its further establishments stay: nothing is said of them here.
        Some(contact) => contact.others.iter().map(|it| fields_of(&it.name, &it.commune)).collect(),
        None => Vec::new(),
    };
    let contact =
        NewContact { address_hash: engine.tokens.address_hash(address), address: address.clone(), fields, also };
    let contacts = [contact];
    let import =
        Import { contacts: &contacts, mailings, source, basis: Basis::default(), replace: false, dry_run: false };
    let report = engine.store.import(&import, &|_| {}, engine.app.clock.now()).await?;
    for difference in &report.differences {
        if let Difference::Changed(address, changes) = difference {
            show::line(format!("~ {address}"));
            changes.iter().for_each(|(field, was, is)| show::line(format!("    {field}: {was:?} becomes {is:?}")));
        }
    }
    if report.summary.unchanged > 0 {
        show::line(format!("{address}: nothing is another than before"));
    }
    Ok(report.summary)
}

fn fields_of(establishment: &str, commune: &str) -> Fields {
    Fields::default().with(Field::Establishment, establishment).with(Field::Commune, commune)
}

pub(super) async fn suppress(engine: &Engine, address: &EmailAddress, mailing: Option<&str>) -> anyhow::Result<Ended> {
    let is_known = known(engine, address).await?.is_some();
    let hash = engine.tokens.address_hash(address);
    engine.store.suppress(&hash, mailing, SuppressionReason::Manual, engine.app.clock.now()).await?;
    show::line(format!("{address} receives {} no more", mailing.unwrap_or("any mailing")));
    if !is_known {
        show::line(format!(
            "{address} is not among the contacts: look whether it is written right (semainier partners list). It is barred all \
             the same; semainier partners lift {address} --why TEXT takes that back"
        ));
    }
    Ok(Ended::Done)
}

pub(super) async fn lift(
    engine: &Engine,
    address: &EmailAddress,
    mailing: Option<&str>,
    why: &str,
) -> anyhow::Result<Ended> {
    if why.trim().is_empty() {
        bail!("--why: expected the reason, which is kept");
    }
    let hash = engine.tokens.address_hash(address);
    match engine.store.lift(&hash, mailing, why.trim(), engine.app.clock.now()).await? {
        Lifted::Done { scopes, kept } => {
            let what = scopes.iter().map(|scope| if scope == "*" { "all mailings" } else { scope }).collect::<Vec<_>>();
            show::line(format!("nothing of the office's stands against {} to {address} any more", what.join(", ")));
            if kept > 0 {
                show::line("What the person said stays: only the person takes it back, by the link in a mail.");
            }
            Ok(Ended::Done)
        }
        Lifted::Nothing => bail!("nothing stands against mail to {address}"),
        Lifted::PersonsOwn => {
            bail!("{address} asked not to be written to; only the person takes that back, by the link in a mail")
        }
    }
}

pub(super) async fn move_to(engine: &Engine, from: &EmailAddress, to: &EmailAddress) -> anyhow::Result<Ended> {
    let (key, hash) = (from.key(), engine.tokens.address_hash(from));
    let to_hash = engine.tokens.address_hash(to);
    match engine.store.move_contact((&key, &hash), to, &to_hash, engine.app.clock.now()).await? {
        Moved::Done => {
            show::line(format!("{from} is {to} from now on, with its subscriptions and what the person said"));
            Ok(Ended::Done)
        }
        Moved::NotKnown => bail!("{from} is not known; see semainier partners list"),
        Moved::Taken => bail!("{to} is another contact already; erase or edit one of the two"),
        Moved::UnderWay => bail!("a message to {from} is being sent; nothing was changed. Try again in a minute"),
    }
}
