//! A newsletter: the news since the last issue, arranged in the sections of its mailing. Pure: from gathered material to an
//! ordered letter, without losing a news item (I3).

use super::{
    Timestamp,
    exception::Granted,
    french::{self, NBSP},
    hold::Hold,
    news::NewsItem,
};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The month of an issue; `2026-07` in its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Month {
    pub year: i32,
    /// From 1.
    pub month: u32,
}

impl Month {
    /// The month of that day.
    pub fn of(day: NaiveDate) -> Self {
        Self { year: day.year(), month: day.month() }
    }

    /// `juillet 2026`
    pub fn in_french(self) -> String {
        let name = french::MONTHS.get(self.month.saturating_sub(1) as usize).copied().unwrap_or_default();
        format!("{name} {}", self.year)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// A section of the letter, as the mailing's file orders it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Section {
    /// The editorial. `file`: Markdown; `{period}` in its name stands for the month.
    Editorial {
        file: Option<String>,
    },
    News {
        title: String,
        filter: Filter,
        /// How many are shown with picture and summary; the others with title and link.
        most: usize,
    },
    Partners {
        title: String,
        most: usize,
    },
    Appointments {
        title: String,
        /// A TOML file with `[[appointment]]`.
        file: Option<String>,
        /// How many days ahead appointments are shown.
        within: i64,
    },
    Links {
        title: String,
        links: Vec<Link>,
    },
}

/// Which news belong to a section; without any condition, those that no other section takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub categories: Vec<String>,
    pub communes: Vec<String>,
}

impl Filter {
    /// The section that takes the rest.
    pub fn is_open(&self) -> bool {
        self.categories.is_empty() && self.communes.is_empty()
    }

    /// Matches one of the categories, or one of the communes. If the source names no commune, the title may.
    fn takes(&self, item: &NewsItem) -> bool {
        let category = self.categories.iter().any(|wanted| item.categories.iter().any(|it| same(it, wanted)));
        let commune = self.communes.iter().any(|wanted| match &item.commune {
            Some(commune) => same(commune, wanted),
            None => mentions(&item.title, wanted),
        });
        category || commune
    }
}

fn same(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.trim().replace('’', "'").to_lowercase();
    plain(a) == plain(b)
}

/// As a whole word with the capitals of a name: « Auch », not « gaucher ».
fn mentions(text: &str, name: &str) -> bool {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-');
    let text = text.replace('’', "'");
    let name = name.replace('’', "'");
    text.match_indices(&name)
        .any(|(at, found)| !letter(text[..at].chars().next_back()) && !letter(text[at + found.len()..].chars().next()))
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub title: String,
    pub url: String,
}

/// An event partners are invited to: an éductour, a workshop, a delivery of brochures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    pub day: NaiveDate,
    pub time: Option<NaiveTime>,
    pub title: String,
    pub place: Option<String>,
    pub text: Option<String>,
    pub url: Option<String>,
}

/// An establishment without any contact before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newcomer {
    pub establishment: String,
    pub commune: String,
}

/// The material of an issue, before it is arranged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Material {
    pub news: Vec<NewsItem>,
    pub newcomers: Vec<Newcomer>,
    pub appointments: Vec<Appointment>,
    /// Markdown.
    pub editorial: Option<String>,
    /// What is missing, a sentence in French each.
    pub missing: Vec<String>,
}

/// An editorial as a person wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editorial {
    /// Markdown; empty: there is to be none.
    pub text: String,
    pub by: String,
    pub at: Timestamp,
}

/// The content of an issue before it becomes a mail. Stored in the ledger, so that the editorial can be changed without
/// collecting again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    pub month: Month,
    /// News published after this instant.
    pub since: Timestamp,
    /// Until this one: where the next issue begins.
    pub until: Timestamp,
    pub parts: Vec<Part>,
    /// What is missing, a sentence in French each. For staff.
    pub missing: Vec<String>,
    /// By whose exceptions it is as it is; nothing where the rules of its mailing hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Granted>,
}

/// A section with its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Part {
    /// The place of the editorial, even if there is none yet.
    Editorial {
        markdown: Option<String>,
    },
    News {
        title: String,
        stories: Vec<Story>,
        others: Vec<NewsItem>,
    },
    Partners {
        title: String,
        newcomers: Vec<Newcomer>,
        /// How many more there are.
        more: usize,
    },
    Appointments {
        title: String,
        appointments: Vec<Appointment>,
    },
    Links {
        title: String,
        links: Vec<Link>,
    },
}

/// A news item that is shown in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    #[serde(flatten)]
    pub item: NewsItem,
    /// Content-ID of its picture among the inline parts, if it could be fetched.
    pub picture: Option<String>,
}

impl Letter {
    /// Puts each news item into the first section whose conditions it meets, else into the open one; newest first. An
    /// item that two sources have is shown once. Past appointments are left out.
    pub fn arrange(
        month: Month,
        (since, until): (Timestamp, Timestamp),
        today: NaiveDate,
        sections: &[Section],
        material: Material,
    ) -> Self {
        let mut news = material.news;
        news.sort_by(|a, b| b.published.cmp(&a.published).then_with(|| a.title.cmp(&b.title)));
        let mut kept: Vec<NewsItem> = Vec::with_capacity(news.len());
        for item in news {
            if !kept.iter().any(|before| is_same(before, &item)) {
                kept.push(item);
            }
        }
        let takes = |filter: &Filter, item: &NewsItem| !filter.is_open() && filter.takes(item);
        let home = |item: &NewsItem| {
            let filters = || sections.iter().enumerate().filter_map(|(n, s)| Some((n, s.filter()?)));
            let chosen = filters().find(|(_, filter)| takes(filter, item));
            chosen.or_else(|| filters().find(|(_, filter)| filter.is_open())).map(|(n, _)| n)
        };
        let homes: Vec<_> = kept.iter().map(home).collect();
        let part = |(n, section): (usize, &Section)| match section {
            Section::Editorial { .. } => Part::Editorial { markdown: material.editorial.clone() },
            Section::News { title, most, .. } => {
                let here = kept.iter().zip(&homes).filter(|(_, home)| **home == Some(n)).map(|(item, _)| item.clone());
                let mut stories: Vec<_> = here.collect();
                let others = stories.split_off(stories.len().min(*most));
                let stories = stories.into_iter().map(|item| Story { item, picture: None }).collect();
                Part::News { title: title.clone(), stories, others }
            }
            Section::Partners { title, most } => {
                let all = &material.newcomers;
                let newcomers = all.iter().take(*most).cloned().collect();
                Part::Partners { title: title.clone(), newcomers, more: all.len().saturating_sub(*most) }
            }
            Section::Appointments { title, within, .. } => {
                let coming = |it: &&Appointment| (0..=*within).contains(&(it.day - today).num_days());
                let mut appointments: Vec<_> = material.appointments.iter().filter(coming).cloned().collect();
                appointments.sort_by_key(|it| (it.day, it.time));
                Part::Appointments { title: title.clone(), appointments }
            }
            Section::Links { title, links } => Part::Links { title: title.clone(), links: links.clone() },
        };
        let parts = sections.iter().enumerate().map(part).collect();
        Self { month, since, until, parts, missing: material.missing, exceptions: Vec::new() }
    }

    /// All news in it, in the order of the letter.
    pub fn news(&self) -> impl Iterator<Item = &NewsItem> {
        self.parts.iter().flat_map(|part| {
            let (stories, others): (&[Story], &[NewsItem]) = match part {
                Part::News { stories, others, .. } => (stories, others),
                _ => (&[], &[]),
            };
            stories.iter().map(|story| &story.item).chain(others)
        })
    }

    pub fn stories_mut(&mut self) -> impl Iterator<Item = &mut Story> {
        self.parts.iter_mut().flat_map(|part| match part {
            Part::News { stories, .. } => stories.iter_mut(),
            _ => [].iter_mut(),
        })
    }

    /// The editorial's Markdown.
    pub fn editorial(&self) -> Option<&str> {
        self.parts.iter().find_map(|part| match part {
            Part::Editorial { markdown } => markdown.as_deref(),
            _ => None,
        })
    }

    /// Replaces every editorial; `false` if this letter has no place for one.
    pub fn set_editorial(&mut self, text: Option<&str>) -> bool {
        let mut placed = false;
        for part in &mut self.parts {
            if let Part::Editorial { markdown } = part {
                *markdown = text.map(str::to_owned);
                placed = true;
            }
        }
        placed
    }

    /// Its contents, one line per section, for the person who approves: `Dans le Gers : 4 actualités`.
    pub fn contents(&self) -> Vec<String> {
        let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n > 1 { many } else { one });
        let line = |part: &Part| match part {
            Part::Editorial { markdown: Some(text) } => {
                let words = count(text.split_whitespace().count(), "mot", "mots");
                format!("Éditorial{NBSP}: {words}")
            }
            Part::Editorial { markdown: None } => format!("Éditorial{NBSP}: aucun"),
            Part::News { title, stories, others } => {
                let pictures = stories.iter().filter(|story| story.picture.is_some()).count();
                let news = count(stories.len() + others.len(), "actualité", "actualités");
                let pictures = count(pictures, "avec image", "avec image");
                format!("{title}{NBSP}: {news}, dont {pictures}")
            }
            Part::Partners { title, newcomers, more } => {
                let n = newcomers.len() + more;
                format!("{title}{NBSP}: {}", count(n, "établissement", "établissements"))
            }
            Part::Appointments { title, appointments } => {
                format!("{title}{NBSP}: {}", count(appointments.len(), "rendez-vous", "rendez-vous"))
            }
            Part::Links { title, links } => format!("{title}{NBSP}: {}", count(links.len(), "lien", "liens")),
        };
        self.parts.iter().map(line).collect()
    }
}

impl Section {
    pub fn filter(&self) -> Option<&Filter> {
        match self {
            Section::News { filter, .. } => Some(filter),
            _ => None,
        }
    }
}

/// The same page, or the same words: a site's feed and its API return the same items.
fn is_same(a: &NewsItem, b: &NewsItem) -> bool {
    let address = |item: &NewsItem| item.url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
    let by_address = address(a).zip(address(b)).is_some_and(|(a, b)| a == b);
    let by_id = a.source == b.source && a.id == b.id;
    by_id || by_address || (same(&a.title, &b.title) && a.published.date_naive() == b.published.date_naive())
}

/// # Errors
/// Whether there is nothing to send: no news, and no editorial for this month.
pub fn check(letter: &Letter, zone: Tz) -> Result<(), Hold> {
    if letter.news().next().is_none() && letter.editorial().is_none() {
        let since: DateTime<Tz> = letter.since.with_timezone(&zone);
        return Err(Hold::NothingNew { since: since.date_naive() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn item(id: &str, title: &str, commune: Option<&str>, category: &str) -> NewsItem {
        NewsItem {
            id: id.to_owned(),
            title: title.to_owned(),
            url: Some(format!("https://office.example/{id}/")),
            published: at("2026-07-01T08:00:00Z"),
            modified: None,
            summary: String::new(),
            image: None,
            categories: vec![category.to_owned()],
            commune: commune.map(str::to_owned),
            source: "office.example".to_owned(),
        }
    }

    fn news(title: &str, categories: &[&str], communes: &[&str], most: usize) -> Section {
        let texts = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect();
        let filter = Filter { categories: texts(categories), communes: texts(communes) };
        Section::News { title: title.to_owned(), filter, most }
    }

    fn arrange(sections: &[Section], material: Material) -> Letter {
        let july = Month { year: 2026, month: 7 };
        let (since, until) = (at("2026-06-02T07:00:00Z"), at("2026-07-04T07:00:00Z"));
        Letter::arrange(july, (since, until), "2026-07-07".parse().unwrap(), sections, material)
    }

    fn titles(letter: &Letter) -> Vec<Vec<String>> {
        let titles = |part: &Part| match part {
            Part::News { stories, others, .. } => stories
                .iter()
                .map(|s| s.item.title.clone())
                .chain(others.iter().map(|o| format!("+{}", o.title)))
                .collect(),
            _ => vec![],
        };
        letter.parts.iter().map(titles).collect()
    }

    #[test]
    fn each_piece_of_news_is_in_exactly_one_part() {
        // The open section comes first in the letter, and still takes only what no other section does.
        let sections = [news("Gers", &[], &[], 2), news("Auch", &["Grand Auch"], &["Auch", "L’Isle-Arné"], 9)];
        let all = vec![
            item("1", "Marché de Lectoure", Some("Lectoure"), "Vie locale"),
            item("2", "La cathédrale d’Auch rouvre", None, ""),
            item("3", "Un gaucher au musée", None, ""),
            item("4", "Fête", Some("auch"), ""),
            item("5", "Randonnée", Some("Condom"), "grand auch"),
            item("6", "Auchan ouvre", None, ""),
            item("7", "Bal", Some("L'Isle-Arné"), ""),
        ];
        let letter = arrange(&sections, Material { news: all.clone(), ..Material::default() });
        assert_eq!(
            titles(&letter),
            [
                vec!["Auchan ouvre", "Marché de Lectoure", "+Un gaucher au musée"],
                vec!["Bal", "Fête", "La cathédrale d’Auch rouvre", "Randonnée"]
            ]
        );
        assert_eq!(letter.news().count(), all.len());
    }

    #[test]
    fn news_of_two_sources_is_listed_once_and_the_newest_first() {
        let sections = [news("Gers", &[], &[], 9)];
        let first = item("1", "Bal", None, "");
        let by_feed = NewsItem { source: "flux".to_owned(), id: "x".to_owned(), ..first.clone() };
        let by_title = NewsItem { url: None, id: "y".to_owned(), title: "bal".to_owned(), ..first.clone() };
        let newer = NewsItem { published: first.published + TimeDelta::days(1), ..item("2", "Concert", None, "") };
        let news = vec![first, by_feed, by_title, newer];
        assert_eq!(titles(&arrange(&sections, Material { news, ..Material::default() })), [vec!["Concert", "Bal"]]);
    }

    #[test]
    fn appointments_come_in_their_order_and_never_when_they_are_over() {
        let appointment = |day: &str, title: &str| Appointment {
            day: day.parse().unwrap(),
            time: None,
            title: title.to_owned(),
            place: None,
            text: None,
            url: None,
        };
        let appointments = vec![
            appointment("2026-08-01", "Atelier"),
            appointment("2026-07-06", "Hier"),
            appointment("2026-07-07", "Aujourd’hui"),
            appointment("2027-01-01", "Loin"),
        ];
        let section = Section::Appointments { title: "Rendez-vous".to_owned(), file: None, within: 60 };
        let letter = arrange(&[section], Material { appointments, ..Material::default() });
        let Part::Appointments { appointments, .. } = &letter.parts[0] else { panic!("{letter:?}") };
        assert_eq!(appointments.iter().map(|it| it.title.as_str()).collect::<Vec<_>>(), ["Aujourd’hui", "Atelier"]);
    }

    #[test]
    fn a_month_without_news_is_held_unless_somebody_wrote_an_editorial() {
        let sections = [Section::Editorial { file: None }, news("Gers", &[], &[], 9)];
        let mut letter = arrange(&sections, Material::default());
        let held = check(&letter, Tz::Europe__Paris).unwrap_err().to_string();
        assert_eq!(held, "rien de nouveau n’a été publié depuis le mardi 2 juin 2026");
        assert!(letter.set_editorial(Some("Bonne année")));
        assert_eq!(check(&letter, Tz::Europe__Paris), Ok(()));
        assert_eq!(letter.contents(), ["Éditorial\u{a0}: 2 mots", "Gers\u{a0}: 0 actualité, dont 0 avec image"]);
    }

    #[test]
    fn a_month_is_worded_in_common_french() {
        let month = Month::of("2026-08-04".parse().unwrap());
        assert_eq!((month.to_string(), month.in_french()), ("2026-08".to_owned(), "août 2026".to_owned()));
    }
}
