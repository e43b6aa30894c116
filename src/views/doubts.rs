//! What a person should look at in a reading: lines without a day, lines that were not understood, sentences printed as written.

use crate::compose::rows::rows;
use crate::domain::agenda::{Item, Unplaced};

/// Why a line needs checking, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    NoDay,
    TwoReadings,
    BeforeTheDays,
    OtherWeek,
    NotAnEvent,
    NotUnderstood,
    AsWritten,
}

impl Doubt {
    /// `None`: everything in the line is certain.
    pub fn of(item: &Item) -> Option<Self> {
        match item.unplaced {
            Some(Unplaced::NoDay) => Some(Doubt::NoDay),
            Some(Unplaced::TwoReadings) => Some(Doubt::TwoReadings),
            Some(Unplaced::BeforeTheDays) => Some(Doubt::BeforeTheDays),
            Some(Unplaced::OtherWeek) => Some(Doubt::OtherWeek),
            Some(Unplaced::NotAnEvent) => Some(Doubt::NotAnEvent),
            None if item.events.is_empty() => Some(Doubt::NotUnderstood),
            None if rows(item).iter().any(|row| row.as_written) => Some(Doubt::AsWritten),
            None => None,
        }
    }

    /// Of an item among those without a day, whoever wrote it.
    pub fn of_unplaced(item: &Item) -> Self {
        Self::of(&Item { unplaced: item.unplaced.or(Some(Unplaced::NoDay)), ..item.clone() }).unwrap_or(Doubt::NoDay)
    }

    pub fn in_english(self) -> &'static str {
        match self {
            Doubt::NoDay => "no day is given",
            Doubt::TwoReadings => "its words and its heading name different days",
            Doubt::BeforeTheDays => "comes before the first day",
            Doubt::OtherWeek => "is in another week",
            Doubt::NotAnEvent => "announces nothing to attend, not printed",
            Doubt::NotUnderstood => "not understood, printed as written",
            Doubt::AsWritten => "no certain title, the sentence is printed",
        }
    }

    /// The key of its text in the console.
    pub fn key(self) -> &'static str {
        match self {
            Doubt::NoDay => "doubt_no_day",
            Doubt::TwoReadings => "doubt_two_readings",
            Doubt::BeforeTheDays => "doubt_before_the_days",
            Doubt::OtherWeek => "doubt_other_week",
            Doubt::NotAnEvent => "doubt_not_an_event",
            Doubt::NotUnderstood => "doubt_not_understood",
            Doubt::AsWritten => "doubt_as_written",
        }
    }
}
