//! `semainier extract`: what is understood of an article.

use super::tables::table;
use super::{Context, Ended, show};
use crate::collect::article::{self, Reading};
use crate::collect::source::Source;
use crate::compose::rows::{Row, rows, status_word};
use crate::domain::{
    agenda::{Agenda, Item, Provenance, Week},
    french,
};
use crate::issue;
use anyhow::Context as _;
use chrono::NaiveDate;
use comfy_table::Table;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A file (HTML or text) or the address of a page
    #[arg(value_name = "FILE|URL")]
    source: String,
    /// The day it was published: it fixes the year of « vendredi 12 ». Default: what the document says of itself
    #[arg(long, value_name = "DATE")]
    published: Option<NaiveDate>,
    /// The week it should be of, such as 2027-W28
    #[arg(long)]
    week: Option<Week>,
    /// With what the structured sources of this mailing announce, and where each line came from
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
        if let Some(mailing) = &args.merge {
            let week = agenda.week.context("no day was recognised: there is no week to merge into")?;
            let added = issue::agenda::add_listings(&app, app.mailing(mailing)?, week, &mut agenda).await;
            added.map_err(|hold| anyhow::anyhow!("{hold}"))?;
        }
        match args.json {
            true => show::json(&agenda)?,
            false => people(&article.title, &agenda),
        }
    }
    Ok(Ended::Done)
}

fn people(title: &str, agenda: &Agenda) {
    show::line(title);
    show::line(agenda.week.map_or("no day was recognised".to_owned(), french::week));
    for day in &agenda.days {
        block(&french::day(day.date), &day.items);
    }
    for daily in &agenda.daily {
        block(&format!("toute la semaine ({})", french::weekdays(&daily.days)), std::slice::from_ref(&daily.item));
    }
    block("expositions", &agenda.exhibitions);
    block("sous aucun jour", &agenda.unplaced);
    for warning in &agenda.warnings {
        show::line(format!("! {warning}"));
    }
    show::line(format!("{} events", agenda.event_count()));
}

fn block(heading: &str, items: &[Item]) {
    if items.is_empty() {
        return;
    }
    show::line(format!("\n{heading}"));
    let mut table = table(["time", "what", "where", "price", "more"]);
    for item in items {
        for row in rows(item) {
            add(&mut table, row, item.provenance.as_ref().map(from));
        }
    }
    show::line(table);
}

/// `← Le calendrier`, or `+ Le calendrier` of what the article has and the source completed.
fn from(provenance: &Provenance) -> String {
    format!("{} {}", if provenance.completes { "+" } else { "←" }, provenance.source)
}

fn add(table: &mut Table, row: Row, from: Option<String>) {
    let status = status_word(row.status).map(|word| format!("[{word}] ")).unwrap_or_default();
    let mark = if row.as_written { "? " } else { "" };
    let more = [row.phone, row.until, row.note, row.link, from].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    table.add_row([
        row.time,
        format!("{mark}{status}{}", row.title),
        row.place.unwrap_or_default(),
        row.price.unwrap_or_default(),
        more,
    ]);
}
