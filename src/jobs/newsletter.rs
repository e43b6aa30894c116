//! The sections of a newsletter from its file. Settings that would lose news, or send an old editorial again, are
//! refused.

use super::{Newsletter, web_address, word};
use crate::config::Config;
use crate::domain::{
    Timestamp,
    newsletter::{Filter, Link, Month, Section as Part},
    schedule::Schedule,
};
use crate::toml_reader::Section;
use chrono::TimeDelta;
use std::path::Path;

pub(super) fn read(root: &Section, config: &Config) -> Newsletter {
    let sections: Vec<_> = root.sections("section").into_iter().filter_map(|s| read_part(s, config)).collect();
    let count = |is: &dyn Fn(&Part) -> bool| sections.iter().filter(|part| is(part)).count();
    let open = count(&|part| part.filter().is_some_and(Filter::is_open));
    if open != 1 {
        let message = format!(
            "expected one section of kind \"news\" without categories and communes, which takes what no other takes; found {open}"
        );
        root.problem("section", message);
    }
    if count(&|part| matches!(part, Part::Editorial { .. })) > 1 {
        root.problem("section", "expected one section of kind \"editorial\" at the most");
    }
    Newsletter { sections }
}

/// Default number of items of a section.
const MOST: i64 = 8;

fn read_part(section: Section, config: &Config) -> Option<Part> {
    let kinds = [("editorial", 0), ("news", 1), ("partners", 2), ("appointments", 3), ("links", 4)];
    let kind = section.required("kind", "\"news\"", |raw| word(&raw.text()?, &kinds));
    let title = |default: &str| section.line("title").unwrap_or_else(|| default.to_owned());
    let most = |section: &Section| usize::try_from(section.whole("most", 0..=100).unwrap_or(MOST)).unwrap_or_default();
    // Relative to the configuration, like all paths.
    let base = config.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let file = |section: &Section| section.text("file").map(|name| base.join(name).display().to_string());
    let part = match kind? {
        0 => {
            let file = file(&section);
            if file.as_ref().is_some_and(|name| !name.contains("{period}")) {
                section.problem("file", "expected {period} in it, for the month: the same words must not leave twice");
            }
            Part::Editorial { file }
        }
        1 => {
            let filter = Filter {
                categories: section.texts("categories").unwrap_or_default(),
                communes: section.texts("communes").unwrap_or_default(),
            };
            Part::News { title: title("Actualités"), filter, most: most(&section) }
        }
        2 => Part::Partners { title: title("Du nouveau parmi nos partenaires"), most: most(&section) },
        3 => Part::Appointments {
            title: title("Les prochains rendez-vous"),
            file: file(&section),
            within: section.duration("within").unwrap_or(TimeDelta::days(60)).num_days(),
        },
        _ => {
            let links = section.sections("links").into_iter().filter_map(read_link).collect();
            Part::Links { title: title("Liens utiles"), links }
        }
    };
    section.finish();
    Some(part)
}

fn read_link(section: Section) -> Option<Link> {
    let title = section.required("title", "\"L’espace des professionnels\"", |raw| raw.line());
    let url = section.required("url", "\"https://office.example/pro\"", |raw| web_address(&raw.text()?));
    section.finish();
    Some(Link { title: title?, url: url?.to_string() })
}

/// Its key is the month: a second occurrence in a month would be the same issue, and never be sent.
pub(super) fn check_monthly(root: &Section, schedule: &Schedule, now: Timestamp) {
    let months: Vec<_> =
        schedule.after(now).take(13).map(|at| Month::of(at.with_timezone(&schedule.zone).date_naive())).collect();
    if let Some(twice) = months.windows(2).find(|pair| pair[0] == pair[1]) {
        let message =
            format!("expected one occurrence a month, found two in {}: they would be the same issue", twice[0]);
        root.problem("schedule", message);
    }
}
