//! Why a source gave no article, and what was tried: in English for logs, in French for the office.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::charset::CharsetError;
use super::fetch_error::FetchError;

#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The site or the way to it is in trouble. Nothing else was tried after that: to be asked again later.
    #[error("could not fetch from the source{}", after(.tried))]
    Fetch {
        /// What had been tried before.
        tried: Tried,
        #[source]
        source: FetchError,
    },
    /// The site answered, and has no such article (yet), or keeps it from us.
    #[error("no article titled {search:?} on {site}: {tried}")]
    NoArticle { site: String, search: String, tried: Tried },
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

/// The four ways into a WordPress site, from the best to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    Rest,
    /// The same API on a site without pretty permalinks.
    RestRoute,
    Feed,
    Pages,
}

/// What a rung had to say instead of an article.
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
    #[error("a feed that declares entities")]
    FeedWithEntities,
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

/// The rungs that were tried, and what each said.
#[derive(Debug, Default)]
pub struct Tried(pub Vec<(Rung, Missed)>);

impl From<FetchError> for CollectError {
    fn from(source: FetchError) -> Self {
        Self::Fetch { tried: Tried::default(), source }
    }
}

impl CollectError {
    /// How long the site asked us to stay away, where it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Fetch { source, .. } => source.retry_after(),
            _ => None,
        }
    }

    /// For a communications officer; without its full stop.
    pub fn in_french(&self) -> String {
        match self {
            Self::Fetch { source, .. } => source.in_french(),
            Self::NoArticle { site, search, tried } => {
                format!("aucun article «\u{a0}{search}\u{a0}» n’a été trouvé sur {site} ({})", tried.in_french())
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
            Self::FeedWithEntities => "flux refusé par sécurité (entités XML)".to_owned(),
            Self::Nothing(tally) => tally.in_french(),
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
