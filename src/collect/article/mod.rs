//! Placeholder until the grammar is merged.
use crate::domain::agenda::{Agenda, Week};
use chrono::NaiveDate;
pub struct Reading<'a> {
    pub published: NaiveDate,
    pub week: Option<Week>,
    pub home: &'a str,
}
pub fn read(_html: &str, reading: &Reading) -> Agenda {
    Agenda { week: reading.week, ..Agenda::default() }
}
