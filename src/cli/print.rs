//! `semainier print`: prints an agenda as a PDF, for staff and for other tools.

use super::{Context, Ended, parse_instant, run, show};
use crate::app::App;
use crate::compose::print::{self, Format, Layout, Look, Sheet};
use crate::domain::{
    Timestamp,
    agenda::{Agenda, Week},
};
use crate::issue::{
    Due,
    agenda::{self, Papers},
    corrections,
};
use crate::look;
use anyhow::{Context as _, anyhow, bail};
use std::io::Read;
use std::path::{Path, PathBuf};

pub(super) const AFTER_HELP: &str = "\
Examples:
  semainier extract article.html --json > agenda.json
  semainier print agenda.json --out affiche.pdf
  semainier print agenda.json --layout imposed --theme ink --out livret.pdf
  semainier print agenda --format a3 --out affiche-a3.pdf      the issue that is due, or else the next one, on A3

A booklet of A4 sheets has pages of A5, one of A3 sheets pages of A4. Fold `imposed`: print both sides, turned on the short \
edge, at full size. Colours, logo and practical information: [print] in semainier.toml.
The JSON is the format of `extract --json`; fields may be left out:
  {\"days\": [{\"date\": \"2027-07-12\", \"items\": [{\"events\": [{\"title\": \"Bal\", \"start\": \"21:00\", \"place\": \"Pavie\"}]}]}]}";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An agenda as JSON (`-`: standard input), or a mailing; then its issue that is due, or else the next one, is printed
    #[arg(value_name = "FILE.json|MAILING")]
    source: String,
    /// What to print
    #[arg(long, value_enum, default_value_t = LayoutArg::Poster)]
    layout: LayoutArg,
    /// Paper size [default: print.format for a poster, a4 for a booklet]
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    /// `office`, `ink` (black and white, saves ink), or a theme file [default: print.theme, or office]
    #[arg(long, value_name = "NAME|FILE")]
    theme: Option<String>,
    /// For a mailing, the occurrence [default: the one that is due, or else the next one]; for a file, the date in the PDF
    /// [default: now]
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// For a mailing: use this file instead of fetching the article
    #[arg(long, value_name = "FILE")]
    article: Option<PathBuf>,
    /// For a file: the title [default: Que faire à (commune) cette semaine]
    #[arg(long)]
    title: Option<String>,
    /// For a file: where the agenda is online, for the QR code [default: office.website]
    #[arg(long, value_name = "URL")]
    url: Option<url::Url>,
    /// The PDF to write
    #[arg(long, value_name = "F.pdf")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LayoutArg {
    /// One page to put up on a wall; two with more than about seventy events
    Poster,
    /// Pages in reading order, to publish online
    Booklet,
    /// Pages two-up, to print on both sides and fold
    Imposed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FormatArg {
    A4,
    A3,
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let app = context.app()?;
    let mut look = app.config.print.look.clone();
    if let Some(choice) = &args.theme {
        (look.theme, look.fonts) = look::theme(choice, Path::new(""))?;
    }
    let paper = Paper { look: &look, format: format(&args, &app), layout: layout(args.layout) };
    let is_file = args.source == "-" || args.source.ends_with(".json") || Path::new(&args.source).is_file();
    if is_file {
        return print_file(&app, &args, &paper);
    }
    let mailing = app.mailing(&args.source).with_context(|| {
        format!("{:?} is neither a file nor a mailing; give the JSON that `extract --json` writes", args.source)
    })?;
    if args.title.is_some() || args.url.is_some() {
        bail!("--title and --url are for a file; a mailing has its own (jobs/{}.toml)", mailing.id);
    }
    let occurrence = run::occurrence(&app, mailing, args.at.as_deref())?;
    let article = run::article(&app, args.article.clone(), occurrence).await?;
    let Some(publishes) = mailing.agenda() else { bail!("{} is not an agenda: there is nothing to print", mailing.id) };
    let due = Due::scheduled(mailing, occurrence, mailing.schedule.deadline_of(occurrence));
    let knowledge = corrections::knowledge_without_writing(&app, &due.key()).await;
    match agenda::collect(&app, due, publishes, article, &knowledge).await.outcome {
        Ok(found) => paper.print(Papers::new(&app, due, &found).sheet(), &args.out),
        Err(hold) => {
            show::line(format!("held: {hold}"));
            Ok(Ended::Held)
        }
    }
}

fn print_file(app: &App, args: &Args, paper: &Paper) -> anyhow::Result<Ended> {
    if args.article.is_some() {
        bail!("--article is for a mailing; turn an article into a file with `semainier extract ARTICLE --json`");
    }
    let agenda = read(&args.source)?;
    let week = week(&agenda).ok_or_else(|| {
        anyhow!(
            "{} names neither a week nor a day; write for example \"week\": [\"2027-07-12\", \"2027-07-18\"]",
            args.source
        )
    })?;
    let title = args.title.clone().unwrap_or_else(|| format!("Que faire à {} cette semaine", app.config.commune));
    let office = &app.config.office;
    let online_url = args.url.as_ref().map(url::Url::as_str).or(office.website.as_deref());
    let created: Timestamp = match &args.at {
        Some(text) => parse_instant(text, app.config.zone)?,
        None => app.clock.now(),
    };
    let (look, format) = (paper.look, paper.format);
    paper.print(Sheet { agenda: &agenda, week, office, title: &title, online_url, created, look, format }, &args.out)
}

/// The theme, format and layout to print with.
struct Paper<'a> {
    look: &'a Look,
    format: Format,
    layout: Layout,
}

impl Paper<'_> {
    fn print(&self, sheet: Sheet, out: &Path) -> anyhow::Result<Ended> {
        let printed = print::print(self.layout, &Sheet { look: self.look, format: self.format, ..sheet })?;
        std::fs::write(out, &printed.pdf).with_context(|| format!("cannot write {}", out.display()))?;
        for warning in &printed.warnings {
            show::aside(warning);
        }
        let pages = if printed.pages == 1 { "page" } else { "pages" };
        show::line(format!("{}: {} {pages}, {} kB", out.display(), printed.pages, printed.pdf.len().div_ceil(1000)));
        Ok(Ended::Done)
    }
}

fn layout(layout: LayoutArg) -> Layout {
    match layout {
        LayoutArg::Poster => Layout::Poster,
        LayoutArg::Booklet => Layout::Booklet,
        LayoutArg::Imposed => Layout::Imposed,
    }
}

fn format(args: &Args, app: &App) -> Format {
    match args.format {
        Some(FormatArg::A4) => Format::A4,
        Some(FormatArg::A3) => Format::A3,
        None if args.layout == LayoutArg::Poster => app.config.print.format,
        None => Format::A4,
    }
}

/// Reads a file, which must contain exactly one agenda.
fn read(name: &str) -> anyhow::Result<Agenda> {
    let text = match name {
        "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        path => std::fs::read_to_string(path),
    };
    let text = text.with_context(|| format!("cannot read {name}; make one with `semainier extract ARTICLE --json`"))?;
    // `extract` writes one value per article.
    let agendas = serde_json::Deserializer::from_str(&text).into_iter().collect::<Result<Vec<Agenda>, _>>();
    let agendas =
        agendas.with_context(|| format!("{name} is not an agenda as written by `semainier extract ARTICLE --json`"))?;
    match <[Agenda; 1]>::try_from(agendas) {
        Ok([agenda]) => Ok(agenda),
        Err(none) if none.is_empty() => bail!("{name} is empty; make one with `semainier extract ARTICLE --json`"),
        Err(many) => bail!("{name} contains {} agendas; keep only one of them", many.len()),
    }
}

fn week(agenda: &Agenda) -> Option<Week> {
    agenda.week.or_else(|| agenda.days.iter().map(|day| day.date).min().map(Week::of))
}
