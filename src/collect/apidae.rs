//! Apidae, by its API v002 (`agenda/detaille/list-objets-touristiques`).
//!
//! The key must be sent in the query, and the response repeats it: neither is ever stored or shown.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json as object};
use url::Url;

use super::collect_error::{CollectError, Missed};
use super::fetch::Fetcher;
use super::html_to_text::{summary, web_address};
use super::lenient_json::{self, MOST_PAGES, Read, Tray, at, each, line, prose, raw, walk};
use super::periods::{Hours, collapsed, unrolled};
use super::remarks::Harvest;
use super::sessions::title_and_status;
use super::wordpress_api::json;
use crate::domain::{french, listing::Listing, listing::Session, news::Picture};

const PER_PAGE: usize = 200;
const PHONE: i64 = 201;
const SITE: i64 = 205;
const FIELDS: [&str; 9] = [
    "id",
    "nom",
    "ouverture",
    "informationsFeteEtManifestation",
    "presentation",
    "localisation",
    "informations",
    "descriptionTarif",
    "illustrations",
];

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "numFound")]
    found: usize,
    /// Absent if empty.
    #[serde(rename = "objetsTouristiques", default)]
    objects: Vec<Value>,
}

pub async fn listings(
    api: &Url,
    project: u64,
    selections: &[u64],
    key_file: &Path,
    fetcher: &Fetcher,
    days: &RangeInclusive<NaiveDate>,
) -> Result<Harvest<Listing>, CollectError> {
    let key = lenient_json::key(key_file).await?;
    let mut shown = api.clone();
    shown.set_path("/api/v002/agenda/detaille/list-objets-touristiques");
    let mut tray = Tray::default();
    let mut first = 0;
    for _ in 0..MOST_PAGES {
        let query = object!({
            "projetId": project, "apiKey": key.expose_secret(), "selectionIds": selections,
            "dateDebut": days.start(), "dateFin": days.end(), "first": first, "count": PER_PAGE,
            "order": "IDENTIFIANT", "locales": ["fr"], "responseFields": FIELDS,
        });
        let mut url = shown.clone();
        url.query_pairs_mut().append_pair("query", &query.to_string());
        let page = fetcher.page_with_key(&url, None).await?;
        let answer: Answer = json(&page).map_err(|source| CollectError::unreadable(&shown, source.without_text()))?;
        for event in &answer.objects {
            tray.put(listing(event, days, api));
        }
        first += answer.objects.len();
        if first >= answer.found {
            return tray.within(&shown, days);
        }
        if answer.objects.is_empty() {
            return Err(CollectError::unreadable(&shown, Missed::CutJson));
        }
    }
    Err(CollectError::unreadable(&shown, Missed::NoLastPage))
}

fn listing(event: &Value, days: &RangeInclusive<NaiveDate>, base: &Url) -> Read {
    let read = || {
        let (title, status) = title_and_status(&line(at(event, "nom"))?);
        let opening = at(event, "ouverture")?;
        let closed: Vec<NaiveDate> =
            each(at(opening, "fermeturesExceptionnelles")).flat_map(|closing| closed_days(closing, days)).collect();
        let mut sessions = Vec::new();
        for period in each(at(opening, "periodesOuvertures")) {
            sessions.extend(sessions_of(period, days)?);
        }
        sessions.retain(|session| !closed.contains(&session.day));
        let contact = |kind: i64| {
            let is_of = |way: &&Value| walk(way, "type.id").and_then(Value::as_i64) == Some(kind);
            raw(at(each(walk(event, "informations.moyensCommunication")).find(is_of)?, "coordonnees")?)
        };
        let text =
            walk(event, "presentation.descriptifCourt").or_else(|| walk(event, "presentation.descriptifDetaille"));
        let free = walk(event, "descriptionTarif.indicationTarif").and_then(Value::as_str) == Some("GRATUIT");
        let price = prose(walk(event, "descriptionTarif.tarifsEnClair")).map(|text| text.replace("\n\n", ", "));
        let picture = walk(event, "illustrations.traductionFichiers.url").and_then(raw);
        let facts = at(event, "informationsFeteEtManifestation");
        let labels = |key| each(facts.and_then(|facts| at(facts, key))).filter_map(|value| line(Some(value)));
        Some(Listing {
            id: format!("apidae:{}", raw(at(event, "id")?)?),
            title,
            description: prose(text).map(|text| summary(&text)).unwrap_or_default(),
            sessions: collapsed(sessions),
            venue: facts.and_then(|facts| line(at(facts, "nomLieu"))),
            commune: line(walk(event, "localisation.adresse.commune.nom")).map(|name| french::commune(&name)),
            price: price.or_else(|| free.then(|| "Gratuit".to_owned())),
            phone: contact(PHONE).map(|number| lenient_json::phone(&number)),
            url: contact(SITE).and_then(|link| web_address(&link, base)),
            image: picture
                .and_then(|link| web_address(&link, base))
                .map(|url| Picture { url, alt: line(walk(event, "illustrations.nom")).unwrap_or_default() }),
            status,
            categories: labels("typesManifestation").chain(labels("themes")).collect(),
            source: "Apidae".to_owned(),
        })
    };
    Read::of(at(event, "nom"), read())
}

/// `None` if the period is invalid.
fn sessions_of(period: &Value, days: &RangeInclusive<NaiveDate>) -> Option<Vec<Session>> {
    let hour = |key| lenient_json::time(&raw(at(period, key)?)?);
    let hours = Hours::new(hour("horaireOuverture"), hour("horaireFermeture"));
    let rule = Rule::of(period)?;
    let day = |key| lenient_json::date(&raw(at(period, key)?)?);
    let mut open = BTreeSet::new();
    for (first, last) in spans(day("dateDebut")?, day("dateFin"), at(period, "tousLesAns"), days) {
        open.extend(unrolled(first, last, days).filter(|day| rule.is_open(*day)));
    }
    // Beside the rule, and open all the same.
    open.extend(
        each(at(period, "ouverturesExceptionnelles"))
            .filter_map(|day| lenient_json::date(&raw(at(day, "dateOuverture")?)?)),
    );
    Some(open.into_iter().map(|day| hours.on(day)).collect())
}

/// The period, or what it is in each year around the days asked for.
fn spans(
    first: NaiveDate,
    last: Option<NaiveDate>,
    yearly: Option<&Value>,
    days: &RangeInclusive<NaiveDate>,
) -> Vec<(NaiveDate, NaiveDate)> {
    let last = last.unwrap_or(first);
    if yearly.and_then(Value::as_bool) != Some(true) {
        return vec![(first, last)];
    }
    let moved = |day: NaiveDate, year: i32| day.with_year(year).or_else(|| day.pred_opt()?.with_year(year));
    let length = last.year() - first.year();
    let years = days.start().year() - 1 - length.clamp(0, 1)..=days.end().year();
    years.filter_map(|year| Some((moved(first, year)?, moved(last, year + length)?))).collect()
}

/// On which days of its period something is open.
enum Rule {
    Every,
    On(Vec<Weekday>),
    Except(Vec<Weekday>),
    /// The first Sunday of a month; no rank is the last.
    Ranked(Vec<(Weekday, Option<u32>)>),
}

impl Rule {
    fn of(period: &Value) -> Option<Self> {
        let daily = || {
            let days = each(at(period, "ouverturesJournalieres")).map(|day| weekdays(at(day, "jour")?.as_str()?));
            Some(days.collect::<Option<Vec<_>>>()?.concat())
        };
        match at(period, "type").and_then(Value::as_str) {
            Some("OUVERTURE_SEMAINE") => Some(Self::On(daily()?)),
            Some("OUVERTURE_SAUF") => Some(Self::Except(daily()?)),
            Some("OUVERTURE_MOIS") => {
                let mut ranked = Vec::new();
                for day in each(at(period, "ouverturesJourDuMois")) {
                    let rank = match at(day, "jourDuMois")?.as_str()? {
                        "D_1ER" => Some(1),
                        "D_2EME" => Some(2),
                        "D_3EME" => Some(3),
                        "D_4EME" => Some(4),
                        "D_DERNIER" => None,
                        _ => return None,
                    };
                    ranked.extend(weekdays(at(day, "jour")?.as_str()?)?.into_iter().map(|weekday| (weekday, rank)));
                }
                Some(Self::Ranked(ranked))
            }
            Some("OUVERTURE_TOUS_LES_JOURS") | None => Some(Self::Every),
            Some(_) => None,
        }
    }

    fn is_open(&self, day: NaiveDate) -> bool {
        match self {
            Self::Every => true,
            Self::On(open) => open.contains(&day.weekday()),
            Self::Except(closed) => !closed.contains(&day.weekday()),
            Self::Ranked(ranked) => ranked.iter().any(|(weekday, rank)| {
                let is_last = || day.checked_add_days(Days::new(7)).is_none_or(|next| next.month() != day.month());
                *weekday == day.weekday() && rank.map_or_else(is_last, |rank| (day.day() - 1) / 7 + 1 == rank)
            }),
        }
    }
}

fn weekdays(name: &str) -> Option<Vec<Weekday>> {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    let names = ["LUNDI", "MARDI", "MERCREDI", "JEUDI", "VENDREDI", "SAMEDI", "DIMANCHE"];
    let all = [Mon, Tue, Wed, Thu, Fri, Sat, Sun];
    if name == "TOUS" {
        return Some(all.to_vec());
    }
    names.iter().position(|known| *known == name).map(|n| vec![all[n]])
}

/// A date, or a holiday by its name, in each of the years asked for.
fn closed_days(closing: &Value, days: &RangeInclusive<NaiveDate>) -> Vec<NaiveDate> {
    if let Some(day) = at(closing, "dateFermeture").and_then(raw).and_then(|text| lenient_json::date(&text)) {
        return vec![day];
    }
    let Some(name) = at(closing, "dateSpeciale").and_then(Value::as_str) else { return Vec::new() };
    (days.start().year() - 1..=days.end().year() + 1).filter_map(|year| french::holiday(name, year)).collect()
}
