//! In French an issue is called what people call it; its key stands in addresses and commands.

use super::{Desk, NOW, busy, viewer};
use crate::support::house::On;
use semainier::accounts::{Language, Permission, Roles, Viewer};

/// A key of an issue in what is read.
fn key_in(words: &str) -> Option<&str> {
    words.split_whitespace().find(|word| {
        word.split_once('/').is_some_and(|(mailing, period)| {
            let letters = |it: &str| !it.is_empty() && it.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            letters(mailing.trim_start_matches(['(', '«'])) && period.starts_with("20")
        })
    })
}

#[test]
fn the_pages_that_are_read_name_issues_in_words() {
    let (house, relay) = busy(On::Sqlite);
    let everything = Viewer { roles: Roles::of(Permission::ALL), ..viewer(Language::French) };
    let desk = Desk::open(house, relay, Some(everything), NOW);
    for path in [
        "/",
        "/a-venir?semaines=12",
        "/envois",
        "/envois/agenda/2027-W25/reprendre",
        "/envois/agenda/2027-W26/pause",
        "/envois/agenda/2027-W32/approuver",
        "/envois/agenda/2027-W28/incertains",
    ] {
        let reply = desk.get(path);
        let words = reply.words();
        assert_eq!(key_in(&words), None, "{path}: {words}");
    }
    desk.get("/").expect(200, &["L’envoi de l’agenda du 21 au 27 juin est en pause"]);
    desk.get("/envois").expect(200, &["du 12 au 18 juillet"]);
    assert!(key_in("Pour (agenda/2027-W28), on ignore").is_some() && key_in("9 h/jour").is_none());
}
