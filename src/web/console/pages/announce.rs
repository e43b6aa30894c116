//! Announcing an edition: to whom, when, and the sheet with its numbers. The announcement carries the count that was shown; if it
//! is another one by then, nothing is announced and the sheet says both.

use super::super::{
    again::{Keeps, Typed},
    gate::{Form, GET, POST, Route, route},
};
use super::{Asked, editions::href, filters::Filters};
use crate::accounts::{Permission, Viewer};
use crate::actions::{self, ActionError, Refusal, accounts::login::Client};
use crate::domain::{
    Timestamp,
    edition::EditionFile,
    issue::IssueKey,
    schedule::at_local,
    segment::{Field, Segment},
};
use crate::views::console::{
    editions::{self, AnnounceSheet},
    segment::{self, FILTERS},
};
use crate::web::{
    answer::{self, Answer},
    console::Console,
};
use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
};
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use serde::Serialize;
use std::sync::Arc;

/// « Dans deux minutes » leaves time to withdraw it.
const SOON: TimeDelta = TimeDelta::minutes(2);

const KEEPS: Keeps = Keeps { texts: &["segment", "jour", "heure"], others: &["quand", "vu_alors"] };

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(GET, "/editions/{slug}/annoncer", Permission::Approve, show),
        route(POST, "/editions/{slug}/annoncer", Permission::Approve, announce).keeps(KEEPS),
    ]
}

/// What somebody chose.
#[derive(Debug, Clone, Default, Serialize)]
struct Wanted {
    /// Empty: everybody who is subscribed.
    segment: String,
    /// At an hour that is chosen; else in two minutes.
    later: bool,
    day: String,
    hour: String,
}

/// The lists that its recipients are chosen from. All of them are subscribed to editions, so that is no choice here.
const FIELDS: [Field; 3] = [Field::Category, Field::Commune, Field::Label];

impl Wanted {
    /// The address of the page that shows it.
    fn place(&self, slug: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("segment", self.segment.as_str()),
            ("quand", if self.later { "date" } else { "" }),
            ("jour", &self.day),
            ("heure", &self.hour),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        format!("{}/annoncer?{}", href(slug), query.finish())
    }

    fn of<'a>(get: impl Fn(&str) -> &'a str) -> Self {
        Self {
            segment: get("segment").trim().to_owned(),
            later: get("quand") == "date",
            day: get("jour").trim().to_owned(),
            hour: get("heure").trim().to_owned(),
        }
    }
}

#[derive(Debug, Serialize)]
struct AnnouncePage {
    title: String,
    href: String,
    wanted: Wanted,
    filters: Filters,
    /// Keys of what is missing.
    missing: Vec<&'static str>,
    /// What is wrong with the segment, in English, and the column.
    segment_wrong: Option<(usize, String)>,
    /// The day or the hour is wrong.
    hour_wrong: bool,
    /// Why it cannot be announced, in French.
    refused: Option<String>,
    /// `None`: something is wrong.
    sheet: Option<AnnounceSheet>,
    /// Contacts that were shown, and are others now.
    moved: Option<u64>,
    /// It was typed before a session was over.
    again: bool,
}

impl AnnouncePage {
    fn is_wrong(&self) -> bool {
        self.sheet.is_none() && (self.segment_wrong.is_some() || self.hour_wrong)
    }
}

async fn show(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(slug): Path<String>,
    asked: Asked,
    typed: Option<Extension<Typed>>,
) -> Answer {
    let wanted = match &typed {
        Some(typed) => Wanted::of(|name| typed.get(name)),
        None => Wanted::of(|name| asked.get(name).unwrap_or_default()),
    };
    // What was chosen in the lists is an expression of the address, as for the list of partners.
    if FILTERS.iter().any(|(name, _)| asked.get(name).is_some()) {
        let below = Some(wanted.segment.as_str()).filter(|text| !text.is_empty());
        let segment = segment::filtered(|name| asked.get(name), below).unwrap_or_default();
        return answer::see_other(&Wanted { segment, ..wanted }.place(&slug));
    }
    match console.announcing(&slug, wanted).await {
        Ok(Some((mut page, _, _))) => {
            page.again = typed.is_some();
            let status = if page.is_wrong() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
            console.shown(status, Some(&viewer), "/editions", "announce", &page)
        }
        Ok(None) => console.nowhere(&viewer),
        Err(error) => console.not_done(&viewer, error),
    }
}

async fn announce(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(slug): Path<String>,
    client: Client,
    form: Form,
) -> Answer {
    let wanted = Wanted::of(|name| form.get(name));
    let (mut page, segment, at) = match console.announcing(&slug, wanted).await {
        Ok(Some(page)) => page,
        Ok(None) => return console.nowhere(&viewer),
        Err(error) => return console.not_done(&viewer, error),
    };
    let done = || answer::see_other(&format!("{}?fait=announced", href(&slug)));
    let (Some(sheet), Some(at)) = (&page.sheet, at) else {
        // A second click: it is announced as this form says.
        if let Some(at) = at
            && console.is_announced(&viewer, &slug, segment.as_ref(), at, page.wanted.later).await
        {
            return done();
        }
        let status = if page.is_wrong() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::CONFLICT };
        return console.shown(status, Some(&viewer), "/editions", "announce", &page);
    };
    if let Some(before) = sheet.moved_from(form.get("vu_alors")) {
        page.moved = Some(before);
        return console.shown(StatusCode::CONFLICT, Some(&viewer), "/editions", "announce", &page);
    }
    let (engine, actor) = (&console.engine, console.actor(&viewer, &client));
    let announced = async {
        let plan = actions::announce::plan(engine, &slug, segment.as_ref(), Some(at)).await?;
        actions::announce::announce(engine, &actor, &plan).await
    };
    match announced.await {
        Ok(_) => {
            console.wake.notify_one();
            done()
        }
        Err(ActionError::Refused(_))
            if console.is_announced(&viewer, &slug, segment.as_ref(), at, page.wanted.later).await =>
        {
            done()
        }
        Err(ActionError::Refused(refusal)) => {
            (page.refused, page.sheet) = (Some(refusal.in_french()), None);
            console.shown(StatusCode::CONFLICT, Some(&viewer), "/editions", "announce", &page)
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

impl Console {
    /// The page, with the segment and the instant as far as they are understood.
    async fn announcing(
        self: &Arc<Self>,
        slug: &str,
        wanted: Wanted,
    ) -> actions::Result<Option<(AnnouncePage, Option<Segment>, Option<Timestamp>)>> {
        let Some(stocked) = self.store().edition(slug).await? else { return Ok(None) };
        let it = self.reading();
        let sizes = self.store().edition_file_sizes(slug).await?;
        let has_cover = sizes.iter().any(|(file, _)| *file == EditionFile::Cover);
        let mut page = AnnouncePage {
            title: stocked.edition.title.clone(),
            href: href(slug),
            missing: editions::missing(&stocked.edition, has_cover),
            segment_wrong: None,
            hour_wrong: false,
            refused: None,
            sheet: None,
            moved: None,
            again: false,
            filters: Filters::default(),
            wanted,
        };
        let segment = match page.wanted.segment.as_str() {
            "" => None,
            text => match Segment::parse(text) {
                Ok(segment) => Some(segment),
                Err(why) => {
                    page.segment_wrong = Some((why.column, why.message));
                    None
                }
            },
        };
        let values = self.values().await?;
        page.filters = Filters::new(&values, &FIELDS, segment.as_ref());
        let zone = editions::edition_mailing(&it).map_or(self.config().zone, |mailing| mailing.schedule.zone);
        let at = match page.wanted.later {
            false => Some(it.now + SOON),
            true => {
                let day = page.wanted.day.parse::<NaiveDate>().ok();
                let hour = NaiveTime::parse_from_str(&page.wanted.hour, "%H:%M").ok();
                day.zip(hour).map(|(day, hour)| at_local(zone, day, hour))
            }
        };
        page.hour_wrong = at.is_none();
        let (Some(at), None) = (at, &page.segment_wrong) else { return Ok(Some((page, segment, at))) };
        if !page.missing.is_empty() {
            return Ok(Some((page, segment, Some(at))));
        }
        match actions::announce::plan(&self.engine, slug, segment.as_ref(), Some(at)).await {
            Ok(plan) => {
                let mailing = &plan.mailing;
                let audience = self.store().audience(&mailing.id, &mailing.audience, mailing.segment.as_ref()).await?;
                let lanes = actions::announce::by_lane(&self.engine.app, &audience);
                page.sheet = Some(AnnounceSheet::new(&it, mailing, &stocked, at, lanes));
            }
            Err(ActionError::Refused(Refusal::HourIsOver)) => page.hour_wrong = true,
            Err(ActionError::Refused(refusal)) => page.refused = Some(refusal.in_french()),
            Err(error) => return Err(error),
        }
        Ok(Some((page, segment, Some(at))))
    }

    /// Whether the viewer announced it already, to the same contacts and for this hour.
    async fn is_announced(
        &self,
        viewer: &Viewer,
        slug: &str,
        segment: Option<&Segment>,
        at: Timestamp,
        later: bool,
    ) -> bool {
        let Some(mailing) = editions::edition_mailing(&self.reading()) else { return false };
        let known = self.store().announcement(&IssueKey::new(&mailing.id, slug)).await;
        let Ok(Some(known)) = known else { return false };
        let near = match later {
            // Another edition at the same instant puts it off by a second.
            true => (TimeDelta::zero()..TimeDelta::minutes(1)).contains(&(known.leaves_at - at)),
            false => (TimeDelta::zero()..=SOON).contains(&(at - known.leaves_at)),
        };
        near && known.by == viewer.name && known.segment == segment.map(ToString::to_string)
    }
}
