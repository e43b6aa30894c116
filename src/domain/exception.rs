//! What a person decides about one issue against the rules of its mailing: to go without a source that fails, with fewer events, with
//! lines that have no day, or from another article. Never against the gate of the week, nor for an empty day (I4).
//!
//! An exception is as narrow as what the person saw: so many events, so many lines, this source, this address. Applying is pure.

use super::{Timestamp, agenda::Agenda, gates::Gates, hold::Hold, issue::IssueKey};
use serde::{Deserialize, Serialize};

/// A rule that is set aside, with the numbers that were shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// This source may fail, as if it were not `required`.
    Source { source: String },
    /// `found` events are enough; the mailing asks for `least`.
    TooFew { found: usize, least: usize },
    /// So many lines may have no day, of so many.
    TooManyUnplaced { unplaced: usize, items: usize },
    /// Read instead of what the sources find.
    Article { url: String, title: String },
}

/// The kinds of [`Rule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Source,
    TooFew,
    TooManyUnplaced,
    Article,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Source, Kind::TooFew, Kind::TooManyUnplaced, Kind::Article];

    /// As it is stored, and in keys of texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Source => "source",
            Kind::TooFew => "too_few",
            Kind::TooManyUnplaced => "too_many_unplaced",
            Kind::Article => "article",
        }
    }

    /// What it changes is what is read, not only what is accepted of it: an earlier reading counts no more.
    pub fn is_of_reading(self) -> bool {
        matches!(self, Kind::Source | Kind::Article)
    }
}

impl Rule {
    /// The rule by which it is held, where a person may set that aside.
    pub fn of(hold: &Hold) -> Option<Self> {
        match hold {
            Hold::ArticleUnreachable(unread) | Hold::ListingsUnreachable(unread) | Hold::NewsUnreachable(unread) => {
                Some(Self::Source { source: unread.source.clone()? })
            }
            // Nothing at all is empty, not small.
            Hold::TooFewEvents { found, least } if *found > 0 => Some(Self::TooFew { found: *found, least: *least }),
            Hold::TooManyUnplaced { unplaced, items } => {
                Some(Self::TooManyUnplaced { unplaced: *unplaced, items: *items })
            }
            _ => None,
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Source { .. } => Kind::Source,
            Self::TooFew { .. } => Kind::TooFew,
            Self::TooManyUnplaced { .. } => Kind::TooManyUnplaced,
            Self::Article { .. } => Kind::Article,
        }
    }

    /// Of one kind, exceptions for different targets count together.
    pub fn target(&self) -> &str {
        match self {
            Self::Source { source } => source,
            _ => "",
        }
    }

    /// The number that a person types to say that they have read it.
    pub fn number(&self) -> Option<usize> {
        match self {
            Self::TooFew { found, .. } => Some(*found),
            Self::TooManyUnplaced { unplaced, .. } => Some(*unplaced),
            Self::Source { .. } | Self::Article { .. } => None,
        }
    }
}

/// An exception of one issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    pub id: String,
    pub issue: IssueKey,
    pub rule: Rule,
    /// Empty if no reason was given.
    pub why: String,
    pub by: String,
    pub at: Timestamp,
    pub withdrawn: Option<Withdrawn>,
}

/// It counts no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    /// Who took it back, or replaced it by another one.
    pub by: String,
    pub at: Timestamp,
}

/// An exception without which an issue would not be as it is: for those who look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Granted {
    pub rule: Rule,
    pub by: String,
    /// Empty if no reason was given.
    pub why: String,
}

impl From<&Exception> for Granted {
    fn from(it: &Exception) -> Self {
        Self { rule: it.rule.clone(), by: it.by.clone(), why: it.why.clone() }
    }
}

/// The exceptions of an issue that count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InForce {
    all: Vec<Exception>,
    /// How often exceptions of the issue were made or withdrawn.
    pub changes: u64,
    /// How often those of [`Kind::is_of_reading`].
    pub of_reading: u64,
}

impl InForce {
    /// `all`: of the issue, with those that were withdrawn.
    pub fn of(all: Vec<Exception>) -> Self {
        let count = |which: &dyn Fn(&Exception) -> bool| {
            all.iter().filter(|it| which(it)).map(|it| 1 + u64::from(it.withdrawn.is_some())).sum()
        };
        let (changes, of_reading) = (count(&|_| true), count(&|it| it.rule.kind().is_of_reading()));
        Self { all: all.into_iter().filter(|it| it.withdrawn.is_none()).collect(), changes, of_reading }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Exception> {
        self.all.iter()
    }

    /// By which this source may fail.
    pub fn excuse(&self, source: &str) -> Option<&Exception> {
        self.all.iter().find(|it| matches!(&it.rule, Rule::Source { source: excused } if excused == source))
    }

    /// The address of the article that is read instead of what the sources find.
    pub fn article(&self) -> Option<(&Exception, &str)> {
        self.all.iter().find_map(|it| match &it.rule {
            Rule::Article { url, .. } => Some((it, url.as_str())),
            _ => None,
        })
    }

    /// The gates of this issue.
    pub fn gates(&self, gates: Gates) -> Gates {
        self.all.iter().fold(gates, |gates, it| match it.rule {
            Rule::TooFew { found, .. } => Gates { min_events: gates.min_events.min(found.max(1)), ..gates },
            Rule::TooManyUnplaced { unplaced, .. } => Gates { allowed_unplaced: unplaced, ..gates },
            Rule::Source { .. } | Rule::Article { .. } => gates,
        })
    }

    /// Those without which the gates of the mailing would hold this agenda.
    pub fn used(&self, agenda: &Agenda, gates: Gates) -> Vec<Granted> {
        let needed = |it: &&Exception| match it.rule {
            Rule::TooFew { .. } => agenda.event_count() < gates.min_events,
            Rule::TooManyUnplaced { .. } => gates.has_too_many_unplaced(agenda),
            Rule::Source { .. } | Rule::Article { .. } => false,
        };
        self.all.iter().filter(needed).map(Granted::from).collect()
    }
}

/// What was seen at a reading: for a person who decides about an issue that is held.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    pub seen_at: Timestamp,
    pub articles: Vec<SeenArticle>,
}

/// An article that a source had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenArticle {
    pub title: String,
    pub url: Option<String>,
    pub published: Timestamp,
    /// Days found in it, and the number of lines under each.
    pub days: Vec<(chrono::NaiveDate, usize)>,
    /// Why it was not taken; `None`: it was.
    pub hold: Option<Hold>,
}

/// Why an issue is held now, as data.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldFor {
    pub hold: Hold,
    /// In French, as it stands at the issue.
    pub reason: String,
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::agenda::{Day, Item, Week};
    use crate::domain::gates::check;
    use crate::domain::hold::Unread;

    fn exception(rule: Rule, withdrawn: bool) -> Exception {
        let at = Timestamp::UNIX_EPOCH;
        let (by, why) = ("Claire".to_owned(), "fête annulée".to_owned());
        let withdrawn = withdrawn.then(|| Withdrawn { by: by.clone(), at });
        Exception { id: "x".into(), issue: IssueKey::new("agenda", "2026-W28"), rule, why, by, at, withdrawn }
    }

    fn agenda(events: usize, unplaced: usize) -> Agenda {
        let item = || Item { text: "Bal à 21 h".to_owned(), ..Item::default() };
        let date = "2026-07-06".parse().unwrap();
        Agenda {
            week: Some(Week::of(date)),
            days: vec![Day { date, items: vec![item(); events] }],
            unplaced: vec![item(); unplaced],
            ..Agenda::default()
        }
    }

    fn held(agenda: &Agenda, exceptions: &InForce) -> Option<Hold> {
        let week = Week::of("2026-07-06".parse().unwrap());
        check(agenda, "Que faire", week, exceptions.gates(Gates::default())).err()
    }

    #[test]
    fn few_events_are_enough_down_to_the_number_that_was_seen() {
        let four = InForce::of(vec![exception(Rule::TooFew { found: 4, least: 5 }, false)]);
        for (events, passes) in [(5, true), (4, true), (3, false), (0, false)] {
            assert_eq!(held(&agenda(events, 0), &four).is_none(), passes, "{events}");
        }
        assert_eq!(held(&agenda(4, 0), &InForce::default()), Some(Hold::TooFewEvents { found: 4, least: 5 }));
        let one = InForce::of(vec![exception(Rule::TooFew { found: 0, least: 5 }, false)]);
        assert!(held(&agenda(0, 0), &one).is_some(), "nothing never passes");
        assert_eq!(four.used(&agenda(4, 0), Gates::default()).len(), 1);
        assert!(four.used(&agenda(5, 0), Gates::default()).is_empty(), "it is not needed any more");
    }

    #[test]
    fn lines_without_a_day_pass_up_to_the_number_that_was_seen() {
        let three = InForce::of(vec![exception(Rule::TooManyUnplaced { unplaced: 3, items: 10 }, false)]);
        for (unplaced, passes) in [(2, true), (3, true), (4, false)] {
            assert_eq!(held(&agenda(7, unplaced), &three).is_none(), passes, "{unplaced}");
        }
        assert!(held(&agenda(7, 3), &InForce::default()).is_some());
        assert_eq!(three.used(&agenda(7, 3), Gates::default()).len(), 1);
    }

    #[test]
    fn what_was_withdrawn_counts_as_a_change_only() {
        let rules = [Rule::Source { source: "a".into() }, Rule::TooFew { found: 4, least: 5 }];
        let all = rules.into_iter().map(|rule| exception(rule, true)).collect();
        let none = InForce::of(all);
        assert_eq!((none.iter().count(), none.changes, none.of_reading), (0, 4, 2));
        assert!(none.excuse("a").is_none() && none.article().is_none());
        assert_eq!(none.gates(Gates::default()), Gates::default());
        let one = InForce::of(vec![exception(Rule::Source { source: "a".into() }, false)]);
        assert!(one.excuse("a").is_some() && one.excuse("b").is_none());
        assert_eq!(one.gates(Gates::default()), Gates::default());
    }

    #[test]
    fn the_week_and_empty_days_are_never_set_aside() {
        let week = Week::of("2026-07-06".parse().unwrap());
        let days = vec!["2026-07-06".parse().unwrap()];
        for hold in [
            Hold::WrongWeek { wanted: week, found: None, title: "Que faire".into() },
            Hold::StrayDays { wanted: week, days: days.clone() },
            Hold::EmptyDays(days),
            Hold::NoArticle { week },
            Hold::TooFewEvents { found: 0, least: 5 },
            Hold::CorrectionsInConflict { lines: vec!["bal".into()] },
            Hold::ArticleUnreachable(Unread { source: None, why: "illisible".into() }),
            Hold::DoesNotFit,
            Hold::Broken("panne".into()),
        ] {
            assert_eq!(Rule::of(&hold), None, "{hold}");
        }
        let hold = Hold::ListingsUnreachable(Unread { source: Some("Apidae".into()), why: "en panne".into() });
        assert_eq!(Rule::of(&hold), Some(Rule::Source { source: "Apidae".into() }));
    }
}
