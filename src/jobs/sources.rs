//! Reads the sources of a mailing: one table `[[source]]` each, with the keys of its kind.

use super::{SourceRule, web_address, word};
use crate::collect::source::{Provides, Source};
use crate::collect::tourinsoft::Fields;
use crate::config::Config;
use crate::toml_reader::Section;
use std::path::PathBuf;
use url::Url;

/// The values of `kind`. The list is that of [`Source`].
#[derive(Clone, Copy)]
enum SourceKind {
    Wordpress,
    Page,
    File,
    Feed,
    Posts,
    Folder,
    Ical,
    EventsCalendar,
    JsonLd,
    Openagenda,
    Datatourisme,
    DatatourismeFlux,
    Apidae,
    Tourinsoft,
    TourinsoftV3,
}

const KINDS: [(&str, SourceKind); 15] = [
    ("wordpress", SourceKind::Wordpress),
    ("page", SourceKind::Page),
    ("file", SourceKind::File),
    ("feed", SourceKind::Feed),
    ("posts", SourceKind::Posts),
    ("folder", SourceKind::Folder),
    ("ical", SourceKind::Ical),
    ("events_calendar", SourceKind::EventsCalendar),
    ("json_ld", SourceKind::JsonLd),
    ("openagenda", SourceKind::Openagenda),
    ("datatourisme", SourceKind::Datatourisme),
    ("datatourisme_flux", SourceKind::DatatourismeFlux),
    ("apidae", SourceKind::Apidae),
    ("tourinsoft", SourceKind::Tourinsoft),
    ("tourinsoft_v3", SourceKind::TourinsoftV3),
];

/// `provides`: what a mailing of this template uses; another source would never be read.
pub(super) fn read_source(section: Section, config: &Config, provides: &[Provides]) -> Option<SourceRule> {
    let url = |section: &Section| {
        let given = section.parsed("url", web_address);
        given.or_else(|| (!section.has("url")).then(|| config.website()))
    };
    let kind = section.required("kind", "\"wordpress\"", |raw| word(&raw.text()?, &KINDS))?;
    let path = |example| section.required("path", example, |raw| raw.text()).map(PathBuf::from);
    let source = match kind {
        SourceKind::Wordpress => {
            let search = section.required("search", "\"Que faire à Auch cette semaine\"", |raw| raw.text());
            url(&section).zip(search).map(|(url, search)| Source::Wordpress { url, search })
        }
        SourceKind::Page => url(&section).map(|url| Source::Page { url }),
        SourceKind::File => path("\"article.html\"").map(|path| Source::File { path, published: None }),
        SourceKind::Feed => {
            let lang = section.parsed("lang", language);
            url(&section).map(|url| Source::Feed { url, lang })
        }
        SourceKind::Posts => {
            let categories = section.texts("categories").unwrap_or_default();
            let lang = section.parsed("lang", language);
            url(&section).map(|url| Source::Posts { url, categories, lang })
        }
        SourceKind::Folder => path("\"actualites\"").map(|path| Source::Folder { path }),
        SourceKind::Ical => {
            let given = section.parsed("url", calendar_address);
            let url = given.or_else(|| (!section.has("url")).then(|| config.website()));
            url.map(|url| Source::Ical { url })
        }
        SourceKind::EventsCalendar => url(&section).map(|url| Source::EventsCalendar { url }),
        SourceKind::JsonLd => url(&section).map(|url| Source::JsonLd { url }),
        SourceKind::DatatourismeFlux => path("\"flux\"").map(|path| Source::DatatourismeFlux { path }),
        SourceKind::Openagenda | SourceKind::Datatourisme | SourceKind::Apidae => read_api(&section, kind),
        SourceKind::Tourinsoft | SourceKind::TourinsoftV3 => read_tourinsoft(&section, kind),
    };
    let required = section.truth("required").unwrap_or(true);
    if let Some(source) = &source
        && !provides.contains(&source.provides())
    {
        section.problem("kind", refusal(source.provides()));
    }
    section.finish();
    source.map(|source| SourceRule { source, required })
}

/// As [`web_address`]; `webcal:` and `webcals:`, which calendars are subscribed by, are HTTPS.
fn calendar_address(text: &str) -> Result<Url, String> {
    let scheme = |name: &str| text.get(..name.len()).filter(|it| it.eq_ignore_ascii_case(name));
    match scheme("webcal://").or_else(|| scheme("webcals://")) {
        Some(scheme) => web_address(&format!("https://{}", &text[scheme.len()..])),
        None => web_address(text),
    }
}

/// A code of ISO 639-1.
fn language(text: &str) -> Result<String, String> {
    let is_code = text.len() == 2 && text.chars().all(|c| c.is_ascii_lowercase());
    is_code.then(|| text.to_owned()).ok_or_else(|| format!("expected a language such as \"fr\"; found {text:?}"))
}

/// An API with a default URL, and a key in a file.
fn read_api(section: &Section, kind: SourceKind) -> Option<Source> {
    let key_file = section.required("key_file", "\"secrets/openagenda\"", |raw| raw.text()).map(PathBuf::from);
    let api = |default: &str| match section.has("url") {
        true => section.parsed("url", web_address),
        false => default.parse().ok(),
    };
    let number = |key, example| {
        let number = |n: i64| u64::try_from(n).map_err(|_| format!("expected a number such as {example}, found {n}"));
        section.required(key, example, |raw| number(raw.whole()?))
    };
    match kind {
        SourceKind::Openagenda => {
            let (url, agenda) = (api("https://api.openagenda.com"), number("agenda", "12345678"));
            Some(Source::Openagenda { url: url?, agenda: agenda?, key_file: key_file? })
        }
        SourceKind::Datatourisme => {
            let url = api("https://api.datatourisme.fr");
            let example = "\"isLocatedAt.address.hasAddressCity.isPartOfDepartment.insee[eq]=32\"";
            let filters = section.required("filters", example, |raw| match raw.text()?.trim() {
                "" => Err("expected a filter, or the events of all France would come".to_owned()),
                filters => Ok(filters.to_owned()),
            });
            Some(Source::Datatourisme { url: url?, filters: filters?, key_file: key_file? })
        }
        _ => {
            let (url, project) = (api("https://api.apidae-tourisme.com"), number("project", "1234"));
            let selections = section.required("selections", "[\"56789\"]", |raw| {
                let number =
                    |text: &String| text.parse::<u64>().map_err(|_| format!("{text:?} is no selection's number"));
                raw.texts()?.iter().map(number).collect::<Result<Vec<_>, _>>()
            });
            Some(Source::Apidae { url: url?, project: project?, selections: selections?, key_file: key_file? })
        }
    }
}

fn read_tourinsoft(section: &Section, kind: SourceKind) -> Option<Source> {
    let example = "\"https://wcf.tourinsoft.com/Syndication/3.0/cdt32/{key}/Objects\"";
    let url = section.required("url", example, |raw| web_address(&raw.text()?));
    let key_file = section.text("key_file").map(PathBuf::from);
    let has_place = url.as_ref().is_some_and(|url| url.path().contains("%7Bkey%7D"));
    if url.is_some() && has_place != key_file.is_some() {
        section.problem("key_file", "expected with {key} in the url, where the syndication's identifier is put in");
    }
    if let SourceKind::Tourinsoft = kind {
        return Some(Source::Tourinsoft { url: url?, key_file });
    }
    let given = section.section("fields");
    let mut fields = Fields::default();
    let texts: [(&str, &mut String); 14] = [
        ("title", &mut fields.title),
        ("description", &mut fields.description),
        ("dates", &mut fields.dates),
        ("start", &mut fields.start),
        ("end", &mut fields.end),
        ("closed_on", &mut fields.closed_on),
        ("venue", &mut fields.venue),
        ("commune", &mut fields.commune),
        ("price", &mut fields.price),
        ("contacts", &mut fields.contacts),
        ("contact_kind", &mut fields.contact_kind),
        ("contact_value", &mut fields.contact_value),
        ("image", &mut fields.image),
        ("categories", &mut fields.categories),
    ];
    for (key, field) in texts {
        if let Some(text) = given.text(key) {
            *field = text;
        }
    }
    fields.opens = given.texts("opens").unwrap_or(fields.opens);
    fields.closes = given.texts("closes").unwrap_or(fields.closes);
    given.finish();
    Some(Source::TourinsoftV3 { url: url?, key_file, fields: Box::new(fields) })
}

/// Why a mailing cannot use a source.
fn refusal(provides: Provides) -> &'static str {
    match provides {
        Provides::Article => "this kind gives the article of a week, which this template does not print",
        Provides::News => "this kind gives news, which this template does not print",
        Provides::Listings => "this kind gives events, which this template does not print",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fr33_fr58_a_language_and_the_address_a_calendar_is_subscribed_by_are_read() {
        let url = |text: &str| calendar_address(text).map(|url| url.to_string());
        for text in ["webcal://office.example/a.ics?b=c", "WebCal://office.example/a.ics?b=c"] {
            assert_eq!(url(text).as_deref(), Ok("https://office.example/a.ics?b=c"), "{text}");
        }
        assert_eq!(url("webcals://office.example/a.ics").as_deref(), Ok("https://office.example/a.ics"));
        assert_eq!(url("http://office.example/a.ics").as_deref(), Ok("http://office.example/a.ics"));
        for text in ["webcal:", "webcal://", "ftp://office.example/a.ics", "office.example/a.ics", "é"] {
            assert!(url(text).is_err(), "{text}");
        }
        assert!(web_address("webcal://office.example/").is_err(), "elsewhere it is a mistake");
        assert_eq!(language("fr").as_deref(), Ok("fr"));
        for text in ["", "FR", "fr-FR", "français", "f"] {
            assert!(language(text).is_err(), "{text}");
        }
    }
}
