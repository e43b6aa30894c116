//! Which venue is in which commune: what is kept, and what a person changes.

use crate::support::ledger::{Ledger, at};
use semainier::domain::venue::{Origin, VenueStatement};

fn said(venue: &str, commune: &str, origin: Origin, seconds: i64) -> VenueStatement {
    VenueStatement {
        venue: venue.to_owned(),
        name: venue.to_uppercase(),
        commune: commune.to_owned(),
        origin,
        said_in: "agenda/2026-W28".to_owned(),
        said_at: at(seconds),
    }
}

async fn a_statement_is_kept_once_and_the_last_word_of_a_person_counts(db: Ledger) {
    let store = &db.store;
    assert_eq!(store.venues().await.unwrap(), []);
    let article = said("feniere", "Pavie", Origin::Article, 1);
    let listing = said("feniere", "Jegun", Origin::Listing, 1);
    store.learn_venues(&[article.clone(), listing.clone()]).await.unwrap();
    store.learn_venues(&[said("feniere", "Pavie", Origin::Article, 9)]).await.unwrap();
    assert_eq!(store.venues().await.unwrap(), [listing.clone(), article.clone()], "as first said");

    store.set_venue(&said("feniere", "Duran", Origin::Person, 2)).await.unwrap();
    let last = said("feniere", "Auch", Origin::Person, 3);
    store.set_venue(&last).await.unwrap();
    assert_eq!(store.venues().await.unwrap(), [last, listing, article]);
}

async fn what_is_forgotten_is_gone_and_only_that(db: Ledger) {
    let store = &db.store;
    let other = said("mouzon", "Auch", Origin::Article, 1);
    let these = [said("feniere", "Jegun", Origin::Article, 1), said("feniere", "Pavie", Origin::Person, 1)];
    store.learn_venues(&these).await.unwrap();
    store.learn_venues(std::slice::from_ref(&other)).await.unwrap();
    assert_eq!(store.forget_venue("feniere").await.unwrap(), 2);
    assert_eq!(store.forget_venue("feniere").await.unwrap(), 0);
    assert_eq!(store.venues().await.unwrap(), [other]);
}

on_both_databases! {
    a_statement_is_kept_once_and_the_last_word_of_a_person_counts
    what_is_forgotten_is_gone_and_only_that
}
