//! Contacts: the folded search, a page of the list, and everything about one person in one timeline.

use super::{
    Label, Reading, Tone, When, issue_href,
    journal::{AttemptView, DeliveryView},
    person_href,
    trace::ACTIONS,
};
use crate::domain::{
    Timestamp,
    edition::{OrderState, packs_in_french},
    feedback::{Feedback, FeedbackKind},
    french,
    partner::{Barred, Contact},
};
use crate::notices::replies::{feedback_in_french, suppressed_in_french};
use crate::store::{AuditFilter, AuditRow, ContactName, LastSign, LogFilter, LoggedDelivery, Person, StoreError};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

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
    /// The digits of the telephone: `0562000001`.
    phone: String,
}

impl Index {
    pub fn new(names: Vec<ContactName>) -> Self {
        let mut entries: Vec<_> = names
            .into_iter()
            .map(|it| {
                let text =
                    [&it.establishment, &it.name, &it.commune, &it.address_key, &it.others].map(|it| it.as_str());
                let phone = digits(&it.phone);
                Entry { text: french::folded(&text.join(" ")), id: it.id, address_key: it.address_key, phone }
            })
            .collect();
        entries.sort_by(|a, b| (&a.text, &a.id).cmp(&(&b.text, &b.id)));
        Self(entries)
    }

    /// Ids of the contacts that have all words of `query`, each as the beginning of a word; with the number of all that
    /// have them. A query of four digits or more is looked for in the telephone, too. `among`: only these. From behind the
    /// contact `after`.
    pub fn find(
        &self,
        query: &str,
        among: Option<&HashSet<String>>,
        after: Option<&str>,
        limit: usize,
    ) -> (Vec<String>, usize) {
        let words: Vec<String> = french::folded(query).split_whitespace().map(|word| format!(" {word}")).collect();
        // An address is found as a whole, too: its folded words are those of its parts.
        let number = Some(digits(query)).filter(|it| it.len() >= 4 && !query.contains(char::is_alphabetic));
        let matches = |entry: &&Entry| {
            let by_words =
                || words.iter().all(|word| entry.text.starts_with(&word[1..]) || entry.text.contains(word.as_str()));
            among.is_none_or(|among| among.contains(&entry.id))
                && (number.as_ref().is_some_and(|number| entry.phone.contains(number.as_str())) || by_words())
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

/// The digits of a telephone number as one dials it within France.
fn digits(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix("0033").or_else(|| digits.strip_prefix("33").filter(|rest| rest.len() == 9)) {
        Some(rest) => format!("0{rest}"),
        None => digits,
    }
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonRow {
    pub id: String,
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
    /// Key of the last that was heard of the contact, and when.
    pub sign: Option<(&'static str, When)>,
}

impl PersonRow {
    pub fn new(it: &Reading<'_>, contact: &Contact) -> Self {
        let address = contact.address.to_string();
        let who = [&contact.partner.name, &contact.name, &address].into_iter().find(|text| !text.is_empty()).cloned();
        Self {
            id: contact.id.clone(),
            href: person_href(&contact.id).unwrap_or_default(),
            who: who.unwrap_or_default(),
            establishment: contact.partner.name.clone(),
            name: contact.name.clone(),
            commune: contact.partner.commune.clone(),
            category: contact.partner.category.clone(),
            receives: contact.subscriptions.iter().map(|mailing| it.title(mailing).to_owned()).collect(),
            barred: contact.barred.iter().map(|barred| barred_in_french(it, barred)).collect(),
            address,
            sign: None,
        }
    }
}

/// `Que faire à Auch : s’est désinscrit`
fn barred_in_french(it: &Reading<'_>, barred: &Barred) -> String {
    format!("{}\u{a0}: {}", scope_in_french(it, &barred.scope), reason_in_french(barred))
}

/// `tous les envois`, or the title of a mailing.
pub(super) fn scope_in_french(it: &Reading<'_>, scope: &str) -> String {
    if scope == "*" { "tous les envois".to_owned() } else { it.title(scope).to_owned() }
}

/// `écarté par l’office (demandé par téléphone)`
pub(super) fn reason_in_french(barred: &Barred) -> String {
    match barred.why.as_str() {
        "" => suppressed_in_french(barred.reason).to_owned(),
        why => format!("{} ({why})", suppressed_in_french(barred.reason)),
    }
}

/// # Errors
/// When the ledger cannot be read.
pub async fn rows(it: &Reading<'_>, ids: &[String]) -> Result<Vec<PersonRow>, StoreError> {
    let signs = it.store.last_signs(ids).await?;
    let row = |contact: &Contact| PersonRow {
        sign: signs.get(&contact.id).and_then(|sign| heard(it, *sign)),
        ..PersonRow::new(it, contact)
    };
    Ok(it.store.contacts_by_id(ids).await?.iter().map(row).collect())
}

/// The later of the two: that the address took a message, or that the person ordered something.
fn heard(it: &Reading<'_>, sign: LastSign) -> Option<(&'static str, When)> {
    let (key, at) = match sign {
        LastSign { accepted: Some(accepted), ordered } if ordered.is_none_or(|at| at < accepted) => {
            ("sign_accepted", accepted)
        }
        LastSign { ordered, .. } => ("sign_ordered", ordered?),
    };
    Some((key, it.when(at)))
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
    /// Something of [`PersonRow::barred`] may be taken back by the office.
    pub may_return: bool,
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
    /// Key of what somebody of the office did; then the title is their name.
    pub verb: Option<String>,
    /// In French; empty for nothing.
    pub note: String,
    pub attempts: Vec<AttemptView>,
}

/// Things of one person that are shown.
const TIMELINE: usize = 200;
/// Decisions about one person that are shown.
const DECISIONS: u32 = 50;

/// `None`: there is no such contact.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn person(it: &Reading<'_>, id: &str) -> Result<Option<PersonView>, StoreError> {
    let Some(person) = it.store.person(id).await? else { return Ok(None) };
    let mut timeline = Vec::new();
    for change in &person.history {
        let ended = change.change == "ended";
        let title = scope_in_french(it, &change.mailing);
        timeline.push(Entree {
            instant: change.at,
            at: it.when(change.at),
            label: match ended {
                true => Label { key: "timeline_ended", tone: Tone::Past },
                false => Label { key: "timeline_subscribed", tone: Tone::Good },
            },
            title,
            href: None,
            verb: None,
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
            verb: None,
            note: String::new(),
            attempts: Vec::new(),
        });
    }
    let packs = packs(it, &person).await?;
    for order in &person.orders {
        let pack = packs.get(&order.edition).copied().unwrap_or(1);
        timeline.push(Entree {
            instant: order.ordered_at,
            at: it.when(order.ordered_at),
            label: order_label(order.state),
            title: format!("{} ({})", order.edition, order.id),
            href: Some(format!("/commandes?edition={}&etat={}", order.edition, order.state.as_str())),
            verb: None,
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
                verb: None,
                note: view.note,
                attempts: view.attempts,
            }
        }));
        let own = log.iter().filter(|delivery| *key == person.address_key || delivery.contact_id == person.contact.id);
        timeline
            .extend(own.flat_map(|delivery| delivery.feedback.iter().map(move |back| returned(it, delivery, back))));
    }
    timeline.extend(decisions(it, &person).await?);
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
        others: super::person::others(contact),
        since: it.when(contact.since),
        may_return: contact.barred.iter().any(|barred| barred.reason.is_ours()),
        timeline,
        cut,
    }))
}

/// What came back about a delivery.
fn returned(it: &Reading<'_>, delivery: &LoggedDelivery, back: &Feedback) -> Entree {
    let tone = match back.kind {
        FeedbackKind::Bounce | FeedbackKind::Complaint | FeedbackKind::OptOut => Tone::Look,
        FeedbackKind::Delayed | FeedbackKind::Delivered | FeedbackKind::NotSpam => Tone::Past,
    };
    let raw = Some(back.said.said()).filter(|said| !said.is_empty());
    Entree {
        instant: back.received_at,
        at: it.when(back.received_at),
        label: Label { key: "timeline_returned", tone },
        title: delivery.issue.to_string(),
        href: Some(issue_href(&delivery.issue)),
        verb: None,
        note: [Some(feedback_in_french(back)), raw].into_iter().flatten().collect::<Vec<_>>().join(" · "),
        attempts: Vec::new(),
    }
}

/// Copies in a pack, by edition, of what the person ordered.
pub(super) async fn packs(it: &Reading<'_>, person: &Person) -> Result<HashMap<String, u32>, StoreError> {
    if person.orders.is_empty() {
        return Ok(HashMap::new());
    }
    let editions = it.store.editions().await?.into_iter();
    Ok(editions.map(|it| (it.edition.slug.clone(), it.edition.pack())).collect())
}

/// What the office did about the person, under the present address.
async fn decisions(it: &Reading<'_>, person: &Person) -> Result<Vec<Entree>, StoreError> {
    let object = Some(format!("address:{}", person.address_hash));
    let entries = it.store.audit(&AuditFilter { object, limit: DECISIONS, ..AuditFilter::default() }).await?;
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let users: HashMap<_, _> =
        it.store.users(it.now).await?.into_iter().map(|user| (user.id.as_str().to_owned(), user.name)).collect();
    let decision = |row: AuditRow| {
        let entry = row.entry;
        let verb =
            ACTIONS.contains(&entry.action.as_str()).then(|| format!("trace_{}", entry.action.replace('.', "_")));
        Some(Entree {
            instant: entry.at,
            at: it.when(entry.at),
            label: Label { key: "timeline_decision", tone: Tone::Past },
            title: users.get(&entry.actor).cloned().unwrap_or(entry.actor),
            href: None,
            verb: Some(verb?),
            note: String::new(),
            attempts: Vec::new(),
        })
    };
    Ok(entries.into_iter().filter_map(decision).collect())
}

pub fn order_label(state: OrderState) -> Label {
    match state {
        OrderState::Open => Label { key: "order_open", tone: Tone::Calm },
        OrderState::Delivered => Label { key: "order_delivered", tone: Tone::Good },
        OrderState::Cancelled => Label { key: "order_cancelled", tone: Tone::Past },
    }
}

/// Why we write, and where that is from.
pub(super) fn because(basis: &str, source: &str) -> String {
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
        "opt_in" => "la personne s’est réinscrite",
        other => other,
    };
    // What the office did, with its reason.
    let source = match source.split_once(": ") {
        Some(("manual", why)) => format!("écarté par l’office\u{a0}: {why}"),
        Some(("lifted", "everyone was refused")) => "le refus ne tenait pas à cette adresse".to_owned(),
        Some(("lifted", why)) => format!("réabonné par l’office\u{a0}: {why}"),
        _ => source.to_owned(),
    };
    [basis.to_owned(), source].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ")
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
            phone: "05 62 00 00 01".to_owned(),
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
        let found = |query| index.find(query, None, None, 10).0;
        assert_eq!(found("hotel FRANCE"), ["1"]);
        assert_eq!(found("dupre"), ["1"]);
        assert_eq!(found("l'isle"), ["2"]);
        assert_eq!(found("gite"), ["2", "3"], "by establishment");
        assert_eq!(found("marc@gite.example"), ["2"]);
        assert_eq!(found("auch"), ["3", "1"]);
        assert!(found("ouch").is_empty() && found("ranc").is_empty(), "only from the beginning of a word");
        assert_eq!(index.find("", None, None, 2), (vec!["2".to_owned(), "3".to_owned()], 3));
        assert_eq!(index.find("", None, Some("3"), 2).0, ["1"]);
        assert_eq!(found("+33 5 62 00").len(), 0, "not a whole number yet");
        assert_eq!(found("+33 5 62 00 00 01").len(), 3, "by telephone");
        assert_eq!(found("62.00.00.01").len(), 3);
        assert_eq!(found("05 62 99").len(), 0);
        let two = HashSet::from(["2".to_owned()]);
        assert_eq!(index.find("gite", Some(&two), None, 10), (vec!["2".to_owned()], 1));
        assert_eq!(index.by_address("lac@gite.example"), Some("3"));
    }
}
