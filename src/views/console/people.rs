//! Contacts: the folded search, a page of the list, and everything about one person in one timeline.

use super::{
    Label, Reading, Tone, When,
    journal::{AttemptView, DeliveryView},
    person_href,
};
use crate::domain::{
    Timestamp,
    edition::{OrderState, packs_in_french},
    french,
    partner::{Barred, Contact},
};
use crate::notices::replies::suppressed_in_french;
use crate::store::{ContactName, LogFilter, StoreError};
use serde::Serialize;
use std::collections::HashMap;

/// Rows of one page.
pub const PAGE: usize = 50;

/// Every contact by what it is looked for, folded: a search without accents, capitals and order of words. Sorted by
/// establishment and name. Kept in memory for a while, since neither database folds texts.
#[derive(Debug, Default)]
pub struct Index(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    /// Folded: establishment, name, commune, address, further establishments.
    text: String,
    id: String,
    address_key: String,
}

impl Index {
    pub fn new(names: Vec<ContactName>) -> Self {
        let mut entries: Vec<_> = names
            .into_iter()
            .map(|it| {
                let text =
                    [&it.establishment, &it.name, &it.commune, &it.address_key, &it.others].map(|it| it.as_str());
                Entry { text: french::folded(&text.join(" ")), id: it.id, address_key: it.address_key }
            })
            .collect();
        entries.sort_by(|a, b| (&a.text, &a.id).cmp(&(&b.text, &b.id)));
        Self(entries)
    }

    /// Ids of the contacts that have all words of `query`, each as the beginning of a word; with the number of all that
    /// have them. From behind the contact `after`.
    pub fn find(&self, query: &str, after: Option<&str>, limit: usize) -> (Vec<String>, usize) {
        let words: Vec<String> = french::folded(query).split_whitespace().map(|word| format!(" {word}")).collect();
        // An address is found as a whole, too: its folded words are those of its parts.
        let matches = |entry: &&Entry| {
            words.iter().all(|word| entry.text.starts_with(&word[1..]) || entry.text.contains(word.as_str()))
        };
        let found: Vec<&Entry> = self.0.iter().filter(matches).collect();
        let from = after.and_then(|id| found.iter().position(|it| it.id == id)).map_or(0, |at| at + 1);
        (found.iter().skip(from).take(limit).map(|it| it.id.clone()).collect(), found.len())
    }

    /// The contact with exactly this address.
    pub fn by_address(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|it| it.address_key == key).map(|it| it.id.as_str())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonRow {
    pub href: String,
    /// The establishment; the name or the address of one without.
    pub who: String,
    pub establishment: String,
    pub name: String,
    pub address: String,
    pub commune: String,
    pub category: String,
    /// Titles of what the contact receives.
    pub receives: Vec<String>,
    /// What is not sent, and why, in French.
    pub barred: Vec<String>,
}

impl PersonRow {
    pub fn new(it: &Reading<'_>, contact: &Contact) -> Self {
        let address = contact.address.to_string();
        let who = [&contact.partner.name, &contact.name, &address].into_iter().find(|text| !text.is_empty()).cloned();
        Self {
            href: person_href(&contact.id).unwrap_or_default(),
            who: who.unwrap_or_default(),
            establishment: contact.partner.name.clone(),
            name: contact.name.clone(),
            commune: contact.partner.commune.clone(),
            category: contact.partner.category.clone(),
            receives: contact.subscriptions.iter().map(|mailing| it.title(mailing).to_owned()).collect(),
            barred: contact.barred.iter().map(|barred| barred_in_french(it, barred)).collect(),
            address,
        }
    }
}

/// `Que faire à Auch : s’est désinscrit`
fn barred_in_french(it: &Reading<'_>, barred: &Barred) -> String {
    let scope = if barred.scope == "*" { "tous les envois" } else { it.title(&barred.scope) };
    format!("{scope}\u{a0}: {}", suppressed_in_french(barred.reason))
}

/// # Errors
/// When the ledger cannot be read.
pub async fn rows(it: &Reading<'_>, ids: &[String]) -> Result<Vec<PersonRow>, StoreError> {
    Ok(it.store.contacts_by_id(ids).await?.iter().map(|contact| PersonRow::new(it, contact)).collect())
}

/// Everything about one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonView {
    pub row: PersonRow,
    pub function: String,
    pub phone: String,
    pub street: String,
    pub postcode: String,
    /// Further establishments of the same mailbox.
    pub others: Vec<String>,
    pub since: When,
    /// Newest first.
    pub timeline: Vec<Entree>,
    /// There is more than is shown.
    pub cut: bool,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entree {
    #[serde(skip)]
    instant: Timestamp,
    pub at: When,
    pub label: Label,
    /// A title, or an issue's key.
    pub title: String,
    pub href: Option<String>,
    /// In French; empty for nothing.
    pub note: String,
    pub attempts: Vec<AttemptView>,
}

/// Things of one person that are shown.
const TIMELINE: usize = 200;

/// `None`: there is no such contact.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn person(it: &Reading<'_>, id: &str) -> Result<Option<PersonView>, StoreError> {
    let Some(person) = it.store.person(id).await? else { return Ok(None) };
    let mut timeline = Vec::new();
    for change in &person.history {
        let ended = change.change == "ended";
        let title = if change.mailing == "*" { "Tous les envois" } else { it.title(&change.mailing) };
        timeline.push(Entree {
            instant: change.at,
            at: it.when(change.at),
            label: match ended {
                true => Label { key: "timeline_ended", tone: Tone::Past },
                false => Label { key: "timeline_subscribed", tone: Tone::Good },
            },
            title: title.to_owned(),
            href: None,
            note: because(&change.basis, &change.source),
            attempts: Vec::new(),
        });
    }
    for barred in &person.contact.barred {
        timeline.push(Entree {
            instant: barred.since,
            at: it.when(barred.since),
            label: Label { key: "timeline_barred", tone: Tone::Look },
            title: barred_in_french(it, barred),
            href: None,
            note: String::new(),
            attempts: Vec::new(),
        });
    }
    let packs: HashMap<String, u32> = match person.orders.is_empty() {
        true => HashMap::new(),
        false => it
            .store
            .editions()
            .await?
            .into_iter()
            .map(|it| (it.edition.slug, it.edition.printed.map_or(1, |printed| printed.pack)))
            .collect(),
    };
    for order in &person.orders {
        let pack = packs.get(&order.edition).copied().unwrap_or(1);
        timeline.push(Entree {
            instant: order.ordered_at,
            at: it.when(order.ordered_at),
            label: order_label(order.state),
            title: format!("{} ({})", order.edition, order.id),
            href: Some(format!("/commandes?edition={}&etat={}", order.edition, order.state.as_str())),
            note: format!("{}, {}", packs_in_french(order.wish.packs, pack), order.wish.handover.in_french()),
            attempts: Vec::new(),
        });
    }
    for key in std::iter::once(&person.address_key).chain(&person.former) {
        let filter = LogFilter { address_key: Some(key.clone()), ..LogFilter::default() };
        let log = it.store.log(&filter).await?;
        // An address of before may be another person's now.
        let own = log.iter().filter(|delivery| *key == person.address_key || delivery.contact_id == person.contact.id);
        timeline.extend(own.map(|delivery| {
            let view = DeliveryView::new(it, delivery);
            Entree {
                instant: delivery.changed_at,
                at: view.changed_at,
                label: view.label,
                title: delivery.issue.to_string(),
                href: Some(view.issue_href),
                note: view.note,
                attempts: view.attempts,
            }
        }));
    }
    timeline.sort_by(|a, b| (b.instant, &a.title).cmp(&(a.instant, &b.title)));
    let cut = timeline.len() > TIMELINE;
    timeline.truncate(TIMELINE);
    let contact = &person.contact;
    Ok(Some(PersonView {
        row: PersonRow::new(it, contact),
        function: contact.function.clone(),
        phone: contact.partner.phone.clone(),
        street: contact.partner.street.clone(),
        postcode: contact.partner.postcode.clone(),
        others: contact.others.iter().map(|partner| partner.name.clone()).collect(),
        since: it.when(contact.since),
        timeline,
        cut,
    }))
}

pub fn order_label(state: OrderState) -> Label {
    match state {
        OrderState::Open => Label { key: "order_open", tone: Tone::Calm },
        OrderState::Delivered => Label { key: "order_delivered", tone: Tone::Good },
        OrderState::Cancelled => Label { key: "order_cancelled", tone: Tone::Past },
    }
}

/// Why we write, and where that is from.
fn because(basis: &str, source: &str) -> String {
    let basis = match basis {
        "legitimate_interest" => "intérêt légitime (adresse professionnelle)",
        "consent" => "consentement",
        _ => "",
    };
    let source = match source {
        "opt_out" => "la personne s’est désinscrite",
        "bounce" => "l’adresse a été refusée",
        "complaint" => "signalé comme indésirable",
        "manual" => "écarté par l’office",
        other => other,
    };
    [basis, source].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: &str, establishment: &str, name: &str, commune: &str, address: &str) -> ContactName {
        ContactName {
            id: id.to_owned(),
            address_key: address.to_owned(),
            name: name.to_owned(),
            establishment: establishment.to_owned(),
            commune: commune.to_owned(),
            others: String::new(),
        }
    }

    #[test]
    fn a_person_is_found_by_any_words_without_accents_and_capitals() {
        let index = Index::new(vec![
            named("1", "Hôtel de France", "Éloïse Dupré", "Auch", "accueil@hotel.example"),
            named("2", "Gîte des Coteaux", "Marc", "L’Isle-Jourdain", "marc@gite.example"),
            named("3", "Gîte du Lac", "", "Auch", "lac@gite.example"),
        ]);
        let found = |query| index.find(query, None, 10).0;
        assert_eq!(found("hotel FRANCE"), ["1"]);
        assert_eq!(found("dupre"), ["1"]);
        assert_eq!(found("l'isle"), ["2"]);
        assert_eq!(found("gite"), ["2", "3"], "by establishment");
        assert_eq!(found("marc@gite.example"), ["2"]);
        assert_eq!(found("auch"), ["3", "1"]);
        assert!(found("ouch").is_empty() && found("ranc").is_empty(), "only from the beginning of a word");
        assert_eq!(index.find("", None, 2), (vec!["2".to_owned(), "3".to_owned()], 3));
        assert_eq!(index.find("", Some("3"), 2).0, ["1"]);
        assert_eq!(index.by_address("lac@gite.example"), Some("3"));
    }
}
