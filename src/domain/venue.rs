//! In which commune a venue is, as it was said: by an article, by a data base, by a person.

use crate::domain::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Article,
    /// A structured source.
    Listing,
    /// Counts alone: what the others say of the venue is not looked at.
    Person,
}

impl Origin {
    pub const ALL: [Origin; 3] = [Origin::Article, Origin::Listing, Origin::Person];

    pub fn as_str(self) -> &'static str {
        match self {
            Origin::Article => "article",
            Origin::Listing => "listing",
            Origin::Person => "person",
        }
    }
}

/// That a venue is in a commune.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueStatement {
    /// What the reader of articles makes of the name (`venue_key`): equal for all its spellings.
    pub venue: String,
    /// As written.
    pub name: String,
    pub commune: String,
    pub origin: Origin,
    /// The key of the issue; empty for a person.
    pub said_in: String,
    pub said_at: Timestamp,
}

/// The commune of each venue that is certain, by [`VenueStatement::venue`].
pub type KnownVenues = BTreeMap<String, String>;

/// What the statements agree on: the word of a person, else the commune that all others name. Two communes for one venue are
/// none, because the wrong town is worse than no town.
pub fn agreed(statements: &[VenueStatement]) -> KnownVenues {
    let mut said: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for it in statements {
        let (persons, others) = said.entry(&it.venue).or_default();
        let said = if it.origin == Origin::Person { persons } else { others };
        said.insert(&it.commune);
    }
    let certain = said.into_iter().filter_map(|(venue, (persons, others))| {
        let communes = if persons.is_empty() { others } else { persons };
        let [commune] = communes.into_iter().collect::<Vec<_>>()[..] else { return None };
        Some((venue.to_owned(), commune.to_owned()))
    });
    certain.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_communes_for_one_venue_are_none_and_a_person_decides() {
        let said = |venue: &str, commune: &str, origin| VenueStatement {
            venue: venue.to_owned(),
            name: venue.to_owned(),
            commune: commune.to_owned(),
            origin,
            said_in: String::new(),
            said_at: Timestamp::default(),
        };
        let (article, listing, person) = (Origin::Article, Origin::Listing, Origin::Person);
        let mut all = vec![said("feniere", "Pavie", article), said("feniere", "Pavie", listing)];
        all.push(said("mouzon", "Auch", article));
        all.push(said("mouzon", "Jegun", listing));
        let found = |all: &[VenueStatement]| agreed(all).into_iter().collect::<Vec<_>>();
        let pavie = ("feniere".to_owned(), "Pavie".to_owned());
        assert_eq!(found(&all), std::slice::from_ref(&pavie));
        all.push(said("mouzon", "Duran", person));
        assert_eq!(found(&all), [pavie, ("mouzon".to_owned(), "Duran".to_owned())]);
    }
}
