//! `semainier extract`: shows how an article is read.

use super::tables::{self, table};
use super::{Context, Ended, show};
use crate::collect::article::{self, Reading};
use crate::collect::source::Source;
use crate::compose::rows::{Row, daily_rows, rows, status_word};
use crate::domain::{
    agenda::{Agenda, Item, Provenance, Week},
    exception::InForce,
    french,
};
use crate::issue;
use crate::views::doubts::Doubt;
use anyhow::Context as _;
use chrono::NaiveDate;
use comfy_table::{ColumnConstraint, Table, Width};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A file (HTML or text) or the URL of a page
    #[arg(value_name = "FILE|URL")]
    source: String,
    /// The day of publication, which decides the year of « vendredi 12 » [default: taken from the document]
    #[arg(long, value_name = "DATE")]
    published: Option<NaiveDate>,
    /// The week it should be about, such as 2027-W28
    #[arg(long)]
    week: Option<Week>,
    /// Merge the events of this mailing's sources, and show where each line came from
    #[arg(long, value_name = "MAILING")]
    merge: Option<String>,
    /// The agenda as one object: week, days, daily, exhibitions, unplaced, warnings
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let app = context.app()?;
    let source = match args.source.parse::<url::Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Source::Page { url },
        _ => Source::File { path: args.source.into(), published: None },
    };
    let articles = source.articles(&app.fetcher, app.clock.now()).await?;
    for article in &articles {
        let published = article.published.with_timezone(&app.config.zone).date_naive();
        let reading = Reading {
            published: args.published.unwrap_or(published),
            week: args.week,
            home: &app.config.commune,
            venues: &app.config.venues,
        };
        let mut agenda = article::read(&article.html, &reading);
        article::complete_links(&mut agenda, article.url.as_deref());
        if let Some(mailing) = &args.merge {
            let week = agenda.week.context("no day was recognised: there is no week to merge into")?;
            let added =
                issue::agenda::add_listings(&app, app.mailing(mailing)?, week, &mut agenda, &InForce::default()).await;
            added.map_err(|hold| anyhow::anyhow!("{hold}"))?;
        }
        match args.json {
            true => show::json(&agenda)?,
            false => people(&article.title, &agenda),
        }
    }
    Ok(Ended::Done)
}

/// Lines that need checking first, then every line of the article beside what was understood of it.
fn people(title: &str, agenda: &Agenda) {
    show::line(title);
    show::line(agenda.week.map_or("no day was recognised".to_owned(), french::week));
    let to_check = to_check(agenda);
    show::line(format!("{} events, {} to check", agenda.event_count(), to_check.len()));
    if !to_check.is_empty() {
        show::line("\nto check");
        let mut table = table(["under", "article", "why"], &[]);
        if let Some(column) = table.column_mut(1) {
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(WIDEST)));
        }
        for it in to_check {
            table.add_row([it.under, it.text.to_owned(), it.why.in_english().to_owned()]);
        }
        show::line(tables::text(table));
    }
    for day in &agenda.days {
        block(&french::day(day.date), day.items.iter().map(|item| (item, rows(item))));
    }
    block("plusieurs jours", agenda.daily.iter().map(|daily| (&daily.item, daily_rows(daily))));
    block("expositions", agenda.exhibitions.iter().map(|item| (item, rows(item))));
    for warning in &agenda.warnings {
        show::line(format!("! {warning}"));
    }
}

/// Maximum width of a text column if the terminal width is unknown, in characters.
const WIDEST: u16 = 60;

/// A line of the article that needs checking.
struct Checked<'a> {
    under: String,
    text: &'a str,
    why: Doubt,
}

/// Lines without a day first, then lines that were not understood, then sentences printed as written.
fn to_check(agenda: &Agenda) -> Vec<Checked<'_>> {
    let unplaced = agenda.unplaced.iter().map(|item| Checked {
        under: "no day".to_owned(),
        text: &item.text,
        why: Doubt::of_unplaced(item),
    });
    let dated = agenda.days.iter().flat_map(|day| day.items.iter().map(|item| (french::day(day.date), item)));
    let daily = agenda.daily.iter().map(|daily| (french::weekdays(&daily.days), &daily.item));
    let lasting = agenda.exhibitions.iter().map(|item| ("expositions".to_owned(), item));
    let printed = dated.chain(daily).chain(lasting).filter_map(|(under, item)| {
        let why = Doubt::of(item)?;
        let text = if why == Doubt::AsWritten { item.read.as_deref().unwrap_or(&item.text) } else { &item.text };
        Some(Checked { under, text, why })
    });
    let mut printed: Vec<_> = printed.collect();
    printed.sort_by_key(|it| it.why);
    unplaced.chain(printed).collect()
}

fn block<'a>(heading: &str, items: impl Iterator<Item = (&'a Item, Vec<Row>)>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    show::line(format!("\n{heading}"));
    let mut table = table(["article", "time", "what", "where", "price", "more"], &[]);
    for wide in [0, 2, 5] {
        if let Some(column) = table.column_mut(wide) {
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(WIDEST)));
        }
    }
    for (item, rows) in items {
        for (index, row) in rows.into_iter().enumerate() {
            // The line of the article is shown once, beside the first event read from it.
            let article = if index == 0 { item.text.as_str() } else { "" };
            add(&mut table, article, row, item.provenance.as_ref().map(from));
        }
    }
    show::line(tables::text(table));
}

/// `← Le calendrier` for an item from a calendar; `+ Le calendrier` for one of the article that a calendar completed.
fn from(provenance: &Provenance) -> String {
    format!("{} {}", if provenance.completes { "+" } else { "←" }, provenance.source)
}

fn add(table: &mut Table, article: &str, row: Row, from: Option<String>) {
    let status = status_word(row.status).map(|word| format!("[{word}] ")).unwrap_or_default();
    let mark = if row.as_written { "? " } else { "" };
    let more = [row.days, row.phone, row.until, row.note, row.link, from];
    table.add_row([
        article.to_owned(),
        row.time,
        format!("{mark}{status}{}", row.title),
        row.place.unwrap_or_default(),
        row.price.unwrap_or_default(),
        more.into_iter().flatten().collect::<Vec<_>>().join(" · "),
    ]);
}
