//! Why an issue is held instead of frozen. Worded in French in [`crate::notices::wording`].

use super::{agenda::Week, edition::Missing, lint::Finding};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why an issue is held: nothing of it is sent until the cause is fixed, or a person decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// No article could be fetched.
    ArticleUnreachable(Unread),
    /// A required source of listings failed.
    ListingsUnreachable(Unread),
    /// The sources answered, but have no matching article.
    NoArticle {
        week: Week,
    },
    /// There are articles, but none for this week; the newest is for `found`.
    WrongWeek {
        wanted: Week,
        found: Option<Week>,
        title: String,
    },
    /// Days of other weeks among those of the wanted one.
    StrayDays {
        wanted: Week,
        days: Vec<NaiveDate>,
    },
    /// Days whose heading has no items.
    EmptyDays(Vec<NaiveDate>),
    TooFewEvents {
        found: usize,
        least: usize,
    },
    TooManyUnplaced {
        unplaced: usize,
        items: usize,
    },
    /// Lines that changed after a person corrected them, in their present words: only a person knows what is right now.
    CorrectionsInConflict {
        lines: Vec<String>,
    },
    /// Neither news nor an editorial since the last newsletter.
    NothingNew {
        since: NaiveDate,
    },
    /// A required source of news failed.
    NewsUnreachable(Unread),
    EditorialUnreadable {
        file: String,
        why: FileTrouble,
    },
    AppointmentsUnreadable(String),
    NoSuchEdition {
        slug: String,
    },
    EditionOutOfDate {
        title: String,
    },
    /// The edition lacks what its mail needs.
    EditionIncomplete {
        title: String,
        missing: Vec<Missing>,
    },
    /// The edition is to be read as a PDF on our pages, which are not served.
    PdfNotServed {
        title: String,
    },
    /// More events than a poster or a booklet has room for, however small.
    DoesNotFit,
    /// The message that recipients would get breaks rules that receivers enforce; never empty.
    MessageFaulty {
        faults: Vec<Finding>,
    },
    /// Not approved before its scheduled time.
    Unapproved,
    /// An unexpected failure of composing.
    Broken(String),
}

impl Hold {
    /// All values of [`Hold::kind`].
    pub const KINDS: [&str; 21] = [
        "article_unreachable",
        "listings_unreachable",
        "no_article",
        "wrong_week",
        "stray_days",
        "empty_days",
        "no_events",
        "too_few",
        "too_many_unplaced",
        "corrections_in_conflict",
        "nothing_new",
        "news_unreachable",
        "editorial_unreadable",
        "appointments_unreadable",
        "no_such_edition",
        "edition_out_of_date",
        "edition_incomplete",
        "pdf_not_served",
        "does_not_fit",
        "message_faulty",
        "broken",
    ];

    /// In keys of texts. `None`: it is presented, and waits for a person alone.
    pub fn kind(&self) -> Option<&'static str> {
        Some(match self {
            Hold::ArticleUnreachable(_) => "article_unreachable",
            Hold::ListingsUnreachable(_) => "listings_unreachable",
            Hold::NoArticle { .. } => "no_article",
            Hold::WrongWeek { .. } => "wrong_week",
            Hold::StrayDays { .. } => "stray_days",
            Hold::EmptyDays(_) => "empty_days",
            Hold::TooFewEvents { found: 0, .. } => "no_events",
            Hold::TooFewEvents { .. } => "too_few",
            Hold::TooManyUnplaced { .. } => "too_many_unplaced",
            Hold::CorrectionsInConflict { .. } => "corrections_in_conflict",
            Hold::NothingNew { .. } => "nothing_new",
            Hold::NewsUnreachable(_) => "news_unreachable",
            Hold::EditorialUnreadable { .. } => "editorial_unreadable",
            Hold::AppointmentsUnreadable(_) => "appointments_unreadable",
            Hold::NoSuchEdition { .. } => "no_such_edition",
            Hold::EditionOutOfDate { .. } => "edition_out_of_date",
            Hold::EditionIncomplete { .. } => "edition_incomplete",
            Hold::PdfNotServed { .. } => "pdf_not_served",
            Hold::DoesNotFit => "does_not_fit",
            Hold::MessageFaulty { .. } => "message_faulty",
            Hold::Unapproved => return None,
            Hold::Broken(_) => "broken",
        })
    }

    /// The sources have no article of the week, as far as is known: a person may choose another one.
    pub fn lacks_an_article(&self) -> bool {
        matches!(self, Hold::NoArticle { .. } | Hold::WrongWeek { .. } | Hold::ArticleUnreachable(_))
    }
}

/// What could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// The name of the required source that failed, unique in its mailing; `None`: not a single source alone.
    pub source: Option<String>,
    /// The reason, in French.
    pub why: String,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// Why a file of the office cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileTrouble {
    TooLong,
    Unreadable(String),
}
