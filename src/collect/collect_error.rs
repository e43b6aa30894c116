//! Why a source returned nothing, and what was tried: in English for logs, in French for staff.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::charset::CharsetError;
use super::fetch_error::{FetchError, Place};
use super::remarks::Remarks;
use crate::apart::Apart;

#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The site or the network failed. Nothing else was tried after that: retry later.
    #[error("could not fetch from the source{}", after(.tried))]
    Fetch {
        /// What had been tried before.
        tried: Tried,
        #[source]
        source: FetchError,
    },
    /// The site answered, but has no such article (yet), or does not publish it.
    #[error("no article titled {search:?} on {site}: {tried}")]
    NoArticle { site: String, search: String, tried: Tried },
    /// No method to read the site returned its posts.
    #[error("no news from {site}: {tried}")]
    NoNews { site: String, tried: Tried },
    /// No method to read the site returned its events.
    #[error("no events from {site}: {tried}")]
    NoEvents { site: String, tried: Tried },
    /// The content is not what this kind of source returns, or incomplete.
    #[error("could not read what {place} gave")]
    Unreadable {
        place: Place,
        #[source]
        source: Box<Missed>,
    },
    /// Parsing panicked or timed out.
    #[error("{source_name} could not be read")]
    Broken {
        source_name: String,
        #[source]
        why: Apart,
    },
    #[error("no event in schema.org terms on {place}")]
    NoListing { place: Place },
    /// A file of a folder that says too little of itself.
    #[error("the file {}: {why}", path.display())]
    FileSays { path: PathBuf, why: FileFault },
    /// The key file of a source.
    #[error("no key in the file {}", path.display())]
    Key {
        path: PathBuf,
        #[source]
        why: KeyFault,
    },
    /// Articles are read from these sites only.
    #[error("the address is of {place}, and articles are read from {} only", sites.join(", "))]
    OtherSite { place: String, sites: Vec<String> },
    #[error("no text in {place}")]
    NoText { place: String },
    #[error("could not read the file {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the file {} is larger than {limit} bytes", path.display())]
    FileTooLarge { path: PathBuf, limit: usize },
    #[error("the file {} has no readable charset", path.display())]
    FileCharset {
        path: PathBuf,
        #[source]
        source: CharsetError,
    },
}

/// Why a key could not be read.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
    #[error("it is empty")]
    Empty,
    #[error("it holds more than a key")]
    NotAKey,
}

impl KeyFault {
    fn in_french(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "il ne peut pas être lu",
            Self::Empty => "il est vide",
            Self::NotAKey => "il contient autre chose qu’une clé",
        }
    }
}

/// What is missing in a Markdown file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    #[error("its front matter does not end")]
    OpenFrontMatter,
    #[error("it has no date")]
    NoDate,
    #[error("its date is not written as 2027-07-09 or 2027-07-09T18:00")]
    BadDate,
    #[error("it has no title")]
    NoTitle,
}

/// The four methods to read a WordPress site, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    Rest,
    /// The same API on a site without pretty permalinks.
    RestRoute,
    Feed,
    Pages,
}

/// The result of a method that returned no article.
#[derive(Debug, thiserror::Error)]
pub enum Missed {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("HTML instead of JSON")]
    NotJson,
    #[error("JSON cut off before its end")]
    CutJson,
    #[error("not the JSON of posts")]
    BadJson(#[source] serde_json::Error),
    #[error("not a feed")]
    BadFeed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There were some, and not one of them could be used.
    #[error("not one record that can be read")]
    NothingReadable(Remarks),
    #[error("a feed cut off before its end")]
    CutFeed,
    #[error("not an iCalendar file")]
    NotCalendar,
    #[error("an iCalendar file cut off before its end")]
    CutCalendar,
    #[error("a feed that declares entities")]
    FeedWithEntities,
    #[error("JSON without the list of records")]
    NotRecords,
    #[error("more pages than a week can have")]
    NoLastPage,
    #[error("{0}")]
    Nothing(Tally),
}

/// What a rung brought that could not be used, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub seen: usize,
    pub other_title: usize,
    pub protected: usize,
    pub empty: usize,
    pub undated: usize,
    pub unreadable: usize,
}

/// The methods that were tried, with their results.
#[derive(Debug, Default)]
pub struct Tried(pub Vec<(Rung, Missed)>);

impl From<FetchError> for CollectError {
    fn from(source: FetchError) -> Self {
        Self::Fetch { tried: Tried::default(), source }
    }
}

impl CollectError {
    pub fn unreadable(url: &url::Url, source: Missed) -> Self {
        match source {
            Missed::Fetch(source) => source.into(),
            source => Self::Unreadable { place: Place::of(url), source: Box::new(source) },
        }
    }

    /// The Retry-After of the site, if it sent one.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Fetch { source, .. } => source.retry_after(),
            _ => None,
        }
    }

    /// For staff, without full stop.
    pub fn in_french(&self) -> String {
        match self {
            Self::Fetch { source, .. } => source.in_french(),
            Self::NoArticle { site, search, tried } => {
                format!("aucun article «\u{a0}{search}\u{a0}» n’a été trouvé sur {site} ({})", tried.in_french())
            }
            Self::NoNews { site, tried } => {
                format!("les actualités de {site} n’ont pas pu être lues ({})", tried.in_french())
            }
            Self::NoEvents { site, tried } => {
                format!("les événements de {site} n’ont pas pu être lus ({})", tried.in_french())
            }
            Self::Unreadable { place, source } => {
                format!("la réponse du site {} est inutilisable\u{a0}: {}", place.host(), source.in_french())
            }
            Self::Broken { source_name, why } => format!("{source_name}\u{a0}: {}", why.in_french()),
            Self::NoListing { place } => format!("la page {place} ne décrit aucun événement (schema.org)"),
            Self::FileSays { path, why } => format!("le fichier {}\u{a0}: {}", path.display(), why.in_french()),
            Self::Key { path, why } => {
                format!("la clé de la source manque\u{a0}: le fichier {}, {}", path.display(), why.in_french())
            }
            Self::OtherSite { place, sites } => {
                format!("l’adresse mène à {place}, et les articles ne sont lus que sur {}", sites.join(", "))
            }
            Self::NoText { place } => format!("{place} ne contient aucun texte"),
            Self::File { path, .. } => format!("le fichier {} ne peut pas être lu", path.display()),
            Self::FileTooLarge { path, .. } => format!("le fichier {} est trop gros", path.display()),
            Self::FileCharset { path, source } => {
                format!("le fichier {} est illisible\u{a0}: {}", path.display(), source.in_french())
            }
        }
    }
}

impl FileFault {
    fn in_french(self) -> &'static str {
        match self {
            Self::OpenFrontMatter => "son en-tête n’est pas fermé",
            Self::NoDate => "sa date manque",
            Self::BadDate => "sa date s’écrit 2027-07-09 ou 2027-07-09T18:00",
            Self::NoTitle => "son titre manque",
        }
    }
}

impl Rung {
    fn in_french(self) -> &'static str {
        match self {
            Self::Rest => "API WordPress",
            Self::RestRoute => "API WordPress sans permaliens",
            Self::Feed => "flux RSS",
            Self::Pages => "pages du site",
        }
    }
}

impl std::fmt::Display for Rung {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rest => "REST API",
            Self::RestRoute => "REST API by rest_route",
            Self::Feed => "feed",
            Self::Pages => "pages",
        })
    }
}

impl Missed {
    fn in_french(&self) -> String {
        match self {
            Self::Fetch(error) => error.in_french(),
            Self::NotJson => "une page HTML au lieu de données".to_owned(),
            Self::CutJson => "données incomplètes".to_owned(),
            Self::BadJson(_) => "données inattendues".to_owned(),
            Self::BadFeed(_) => "ce n’est pas un flux RSS".to_owned(),
            Self::NothingReadable(remarks) => remarks.in_short(),
            Self::CutFeed => "flux incomplet".to_owned(),
            Self::NotCalendar => "ce n’est pas un calendrier iCalendar".to_owned(),
            Self::CutCalendar => "calendrier incomplet".to_owned(),
            Self::FeedWithEntities => "flux refusé par sécurité (entités XML)".to_owned(),
            Self::NotRecords => "données inattendues".to_owned(),
            Self::NoLastPage => "des pages sans fin".to_owned(),
            Self::Nothing(tally) => tally.in_french(),
        }
    }

    /// Without what the site wrote, where that can repeat a key.
    pub fn without_text(self) -> Self {
        match self {
            Self::BadJson(_) => Self::NotRecords,
            other => other,
        }
    }
}

impl Tally {
    fn parts(&self, words: [(&'static str, &'static str); 5]) -> String {
        let counts = [self.other_title, self.protected, self.empty, self.undated, self.unreadable];
        let part = |(count, (one, many))| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {many}")),
        };
        counts.into_iter().zip(words).filter_map(part).collect::<Vec<_>>().join(", ")
    }

    fn in_french(&self) -> String {
        let words = [
            ("article d’un autre titre", "articles d’un autre titre"),
            ("article protégé par un mot de passe", "articles protégés par un mot de passe"),
            ("article vide", "articles vides"),
            ("article sans date", "articles sans date"),
            ("page illisible", "pages illisibles"),
        ];
        if self.seen == 0 { "aucun article".to_owned() } else { self.parts(words) }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = [
            ("article of another title", "articles of another title"),
            ("protected article", "protected articles"),
            ("empty article", "empty articles"),
            ("undated article", "undated articles"),
            ("unreadable page", "unreadable pages"),
        ];
        if self.seen == 0 { f.write_str("no article") } else { f.write_str(&self.parts(words)) }
    }
}

impl Tried {
    /// Doors that say the same, one after the other, are named together.
    fn in_french(&self) -> String {
        let mut said: Vec<(Vec<&str>, String)> = Vec::new();
        for (rung, missed) in &self.0 {
            let why = missed.in_french();
            match said.last_mut() {
                Some((rungs, same)) if *same == why => rungs.push(rung.in_french()),
                _ => said.push((vec![rung.in_french()], why)),
            }
        }
        let steps = said.iter().map(|(rungs, why)| format!("{}\u{a0}: {why}", rungs.join(", ")));
        steps.collect::<Vec<_>>().join("\u{a0}; ")
    }
}

impl std::fmt::Display for Tried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let steps = self.0.iter().map(|(rung, missed)| format!("{rung}: {missed}"));
        f.write_str(&steps.collect::<Vec<_>>().join("; "))
    }
}

fn after(tried: &Tried) -> String {
    if tried.0.is_empty() { String::new() } else { format!(" (tried before: {tried})") }
}
