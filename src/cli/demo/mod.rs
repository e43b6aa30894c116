//! `semainier demo`: publishes an agenda from a sample article, approves and sends a newsletter, and announces an edition
//! and takes an order for it, through the same steps as in production. Mails are written into a folder; no network, no
//! server.

use super::{Context, Ended, approval, editions as announcing, files, partners, run, show, tables};
use crate::accounts::{Permission, Roles};
use crate::actions::{Actor, Door, accounts, announce};
use crate::app::{App, Engine};
use crate::clock::Clock;
use crate::config::{Config, Log};
use crate::domain::{
    Timestamp,
    article::Article,
    edition::{Handover, Wish},
    email::EmailAddress,
    newsletter::Editorial,
};
use crate::editions;
use crate::issue::{progress::Step, sending};
use crate::jobs;
use crate::private;
use crate::store::{Access, LogFilter};
use crate::telemetry;
use crate::toml_reader::Overrides;
use crate::views::{self, instant, orders};
use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use std::io;
use std::path::{Path, PathBuf};
use url::Url;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the mails, the PDFs and the ledger are written
    #[arg(long, value_name = "DIR", default_value = "demo-output")]
    dir: PathBuf,
}

const ARTICLE: &str = include_str!("article.html");
const PARTNERS: &str = include_str!("partners.csv");
/// The Saturday before the week of the sample article, at the scheduled time of the built-in mailing.
const SATURDAY: &str = "2027-07-10T06:00:00Z";
const MAILING: &str = "agenda";

const NEWSLETTER: &str = include_str!("newsletter.toml");
const EDITORIAL: &str = include_str!("editorial.md");
/// Three days before the first Tuesday of August, and that Tuesday at the scheduled time of the mailing.
const COMPOSED: &str = "2027-07-31T07:00:00Z";
const TUESDAY: &str = "2027-08-03T07:00:00Z";

/// A Thursday in spring when the map comes back from the printer.
const THURSDAY: &str = "2027-04-08T07:00:00Z";
const EDITION: &str = include_str!("edition/carte-2027.toml");
const COVER: &[u8] = include_bytes!("edition/couverture.jpg");

/// News items, as the communications officer would write them, with their pictures.
#[derive(rust_embed::Embed)]
#[folder = "src/cli/demo/news/"]
struct News;

const OFFICE: &str = "
public_url = 'https://partenaires.office.example'
staff = ['communication@office.example']
[office]
name = 'Office de tourisme Grand Auch Cœur de Gascogne'
address = '3, place de la République, 32000 Auch'
phone = '05 62 00 00 00'
email = 'bonjour@office.example'
website = 'https://office.example'
opening_hours = 'Du lundi au samedi de 9 h à 18 h 30, le dimanche de 10 h à 13 h'
[sender]
name = 'Office de tourisme Grand Auch'
address = 'partenaires@office.example'
[web]
bind = '127.0.0.1:8080'
[console]
bind = '127.0.0.1:8081'
";

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let dir = &args.dir;
    clear(dir).with_context(|| format!("cannot prepare {}", dir.display()))?;
    let text = format!("database = 'sqlite://semainier.db'\nrelay = 'capture:outbox'\n{OFFICE}");
    let file = dir.join("semainier.toml");
    // Kept so that the pages can be served afterwards.
    private::write(&file, text.as_bytes()).with_context(|| format!("cannot write {}", file.display()))?;
    let config = Config::parse(Some(&file), &text, &Overrides::default())?;
    let saturday: Timestamp = SATURDAY.parse()?;
    let format = context.log_format.unwrap_or(config.log.format);
    telemetry::init(&Log { format, ..config.log.clone() }, "error");
    let engine = App::new(config.clone(), Clock::starting_at(saturday))?.open(Access::Exclusive).await?;

    show::line(format!("A Saturday morning at the office: {}\n", instant(saturday, engine.app.config.zone)));
    partners::import_bytes(&engine, PARTNERS.as_bytes(), "demo").await?;
    let article = Article {
        title: "Que faire à Auch cette semaine ?".to_owned(),
        url: Some("https://office.example/que-faire-a-auch-cette-semaine/".to_owned()),
        published: saturday - TimeDelta::hours(14),
        modified: None,
        html: ARTICLE.to_owned(),
    };
    let mailing = engine.app.mailing(MAILING)?;
    let key = mailing.issue_key(saturday);
    let ended = run::publish(&engine, mailing, saturday, Some(article)).await?;

    let Some(content) = engine.store.content(&key).await? else { bail!("nothing was frozen") };
    for (attachment, name) in content.attachments.iter().zip(["poster.pdf", "booklet.pdf"]) {
        let path = dir.join(name);
        private::write(&path, &attachment.bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let log = engine.store.log(&LogFilter::default()).await?;
    show::line(tables::text(tables::log_table(&views::log::page(&log, engine.app.config.zone))));
    drop(engine);
    newsletter(&config, dir).await?;
    edition(&config, dir).await?;
    let path = |name: &str| dir.join(name).display().to_string();
    show::line(format!(
        "Look at:\n  {}   the mails, for any mail program\n  {}        the poster (A4)\n  {}       the booklet \
         (A4, both sides, turned on the short edge, folded)\n  {}   the newsletter, for a browser\n  {}      the announcement of a map, for a browser\n  \
         {}      the ledger",
        path("outbox/*.eml"),
        path("poster.pdf"),
        path("booklet.pdf"),
        path("newsletter/body.html"),
        path("edition/body.html"),
        path("semainier.db"),
    ));
    pages(&config, &file).await?;
    Ok(ended)
}

/// Prints how to open the pages, with a partner's personal links.
async fn pages(config: &Config, file: &Path) -> anyhow::Result<()> {
    let Some(bind) = config.web.bind else { return Ok(()) };
    let engine = App::new(config.clone(), Clock::starting_at(SATURDAY.parse()?))?.open(Access::Exclusive).await?;
    let Some(partner) = engine.store.contacts().await?.into_iter().next() else { bail!("there are no partners") };
    let here: Url = format!("http://{bind}").parse()?;
    let (tokens, name) = (engine.tokens().await?, &partner.partner.name);
    let edition = engine.store.editions().await?.into_iter().next().context("there is no edition")?;
    show::line(format!(
        "\nThe pages that partners see: semainier serve --config {}\n  http://{bind}/agenda     the week: documents, \
         calendar\n  http://{bind}/archives   what was sent\n  {}\n      where {name} orders the map\n  {}\n      \
         where {name} leaves the agenda",
        file.display(),
        tokens.order_url(&here, &partner.id, &edition.edition.slug),
        tokens.unsubscribe_url(&here, &partner.id, MAILING),
    ));
    console(&engine).await
}

/// Makes an account for the console, which needs no second factor, and prints its invitation.
async fn console(engine: &Engine) -> anyhow::Result<()> {
    // The invitation is opened today, whatever the date of the sample is.
    let (store, now) = (&*engine.store, Clock::System.now());
    let (actor, roles) = (Actor::new("demo", Door::CommandLine)?, Roles::of([Permission::See, Permission::Write]));
    let claire = EmailAddress::parse("claire@office.example")?;
    let invitation = accounts::add(store, &actor, claire, "Claire Dupont", roles, now).await?;
    show::line(format!(
        "\nThe console for staff, by the same command; choose a password for claire@office.example here (valid once, for a \
         day):\n  {}\n  an account that may approve, pause and stop, with a second factor: semainier users add marc@office.example \
         --name Marc --role validation,exploitation",
        engine.app.config.console.address(&invitation.path),
    ));
    Ok(())
}

/// Composes the newsletter on Saturday, approves it, and sends it on Tuesday.
async fn newsletter(config: &Config, dir: &Path) -> anyhow::Result<()> {
    let folder = dir.join("actualites");
    for name in News::iter() {
        let bytes = News::get(&name).map(|file| file.data.into_owned()).unwrap_or_default();
        files::one(&folder, &name, &bytes)?;
    }
    private::write(&dir.join("rendez-vous.toml"), include_bytes!("rendez-vous.toml"))?;

    let tuesday: Timestamp = TUESDAY.parse()?;
    let engine = newsletter_engine(config, &folder, COMPOSED.parse()?).await?;
    let mailing = engine.app.mailing("newsletter")?;
    let key = mailing.issue_key(tuesday);
    show::line(format!("\nThree days before the newsletter: {}\n", instant(COMPOSED.parse()?, mailing.schedule.zone)));
    let editorial = Editorial { text: EDITORIAL.to_owned(), by: "Claire".to_owned(), at: engine.app.clock.now() };
    engine.store.write_editorial(&key, None, &editorial).await?;
    run::publish(&engine, mailing, tuesday, None).await?;
    approval::show(&engine, key.as_str(), None, false).await?;
    approval::approve(&engine, &Actor::new("Claire", Door::CommandLine)?, key.as_str(), None).await?;
    drop(engine);

    show::line(format!("\nTuesday: {}\n", instant(tuesday, config.zone)));
    let engine = newsletter_engine(config, &folder, tuesday).await?;
    run::publish(&engine, engine.app.mailing("newsletter")?, tuesday, None).await?;
    if let Some(content) = engine.store.content(&key).await? {
        files::write(&engine.app, &key, &content, &dir.join("newsletter"))?;
    }
    show::line("");
    Ok(())
}

/// Adds an edition, announces it, takes an order from one partner and confirms it.
async fn edition(config: &Config, dir: &Path) -> anyhow::Result<()> {
    let thursday: Timestamp = THURSDAY.parse()?;
    show::line(format!("\nThe map of the year is printed: {}\n", instant(thursday, config.zone)));
    files::one(dir, "couverture.jpg", COVER)?;
    let file = files::one(dir, "carte-2027.toml", EDITION.as_bytes())?;
    let engine = App::new(config.clone(), Clock::starting_at(thursday))?.open(Access::Exclusive).await?;
    let added = editions::read(Path::new(&file))?;
    let slug = &added.edition.slug;
    let actor = Actor::new("demo", Door::CommandLine)?;
    announcing::add(&engine, &actor, &added).await?;
    let plan = announce::plan(&engine, slug, None, None).await?;
    announce::announce(&engine, &actor, &plan).await?;
    announcing::send_now(&engine, &plan).await?;
    if let Some(content) = engine.store.content(&plan.key).await? {
        files::write(&engine.app, &plan.key, &content, &dir.join("edition"))?;
    }
    let Some(partner) = engine.store.contacts().await?.into_iter().next() else { bail!("there are no partners") };
    let wish = Wish { packs: 2, handover: Handover::Delivery, remark: "Fermé le lundi".to_owned() };
    engine.store.order(slug, &partner.id, &wish, engine.app.clock.now()).await?;
    editions::confirm_orders(&engine).await?;
    let (stop, quiet) = (tokio_util::sync::CancellationToken::new(), |_: Step<'_>| {});
    sending::deliver(&engine, &engine.deliverer().await?, None, &stop, &quiet).await?;
    show::line(format!("{} orders by the link in its mail, and gets a confirmation:", partner.partner.name));
    let orders = orders::read(&engine, None, true).await?.map(|it| it.orders).unwrap_or_default();
    show::line(tables::text(tables::orders_table(&orders)));
    show::line("");
    Ok(())
}

async fn newsletter_engine(config: &Config, folder: &Path, at: Timestamp) -> anyhow::Result<Engine> {
    let mut app = App::new(config.clone(), Clock::starting_at(at))?;
    let text = NEWSLETTER.replace("FOLDER", &format!("{:?}", folder.display().to_string()));
    let mailing = jobs::parse(Path::new("newsletter.toml"), &text, &app.config, at)?;
    app.mailings.retain(|other| other.id != mailing.id);
    app.mailings.push(mailing);
    app.open(Access::Exclusive).await
}

/// Removes the files of an earlier demo, and nothing else.
fn clear(dir: &Path) -> io::Result<()> {
    private::create_folder(&dir.join("outbox"))?;
    let ours = |name: &str| {
        name.starts_with("semainier.")
            || matches!(name, "poster.pdf" | "booklet.pdf" | "carte-2027.toml" | "couverture.jpg")
    };
    let mail = |name: &str| name.ends_with(".eml");
    let clear = |dir: &Path, ours: &dyn Fn(&str) -> bool| -> io::Result<()> {
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            if ours(&entry.file_name().to_string_lossy()) && entry.file_type()?.is_file() {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    };
    clear(dir, &ours)?;
    clear(&dir.join("outbox"), &mail)
}
