//! One person of the list as the office works on it: the fields of the forms, what may be taken back, and all data about somebody.

use super::{Label, Reading, Tone, When, journal::DeliveryView, people, people::PersonRow};
use crate::domain::{
    edition::packs_in_french,
    partner::{Barred, Contact, Field, Fields},
};
use crate::partners::columns::{self, Column};
use crate::store::{LogFilter, Person, StoreError};
use serde::Serialize;
use serde_json::{Map, Value};

/// The fields in the order of the forms: those of the person, then those of the establishment.
pub const FORM: [Field; 14] = [
    Field::Name,
    Field::Function,
    Field::Language,
    Field::Establishment,
    Field::Category,
    Field::Street,
    Field::Postcode,
    Field::Commune,
    Field::Insee,
    Field::Phone,
    Field::Website,
    Field::Labels,
    Field::Stars,
    Field::Position,
];

/// A field of a form, with its text as people write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Input {
    pub name: &'static str,
    pub value: String,
    pub of_partner: bool,
    /// What was typed is not understood.
    pub wrong: bool,
}

/// All fields. `text`: what each holds; `wrong`: names of those that are not understood.
pub fn inputs(text: impl Fn(Field) -> String, wrong: &[&'static str]) -> Vec<Input> {
    FORM.map(|field| Input {
        name: field.as_str(),
        value: text(field),
        of_partner: field.is_of_partner(),
        wrong: wrong.contains(&field.as_str()),
    })
    .into()
}

/// A stored value as people write it: labels with commas, no stars as nothing.
pub fn written(field: Field, fields: &Fields) -> String {
    let stored = fields.get(field).unwrap_or_default();
    match field {
        Field::Labels => serde_json::from_str::<Vec<String>>(stored).unwrap_or_default().join(", "),
        Field::Stars if stored == "0" => String::new(),
        _ => stored.to_owned(),
    }
}

/// What was typed into the forms.
#[derive(Debug, Default)]
pub struct Typed {
    /// The fields whose text differs from what was shown, as they are stored.
    pub changed: Fields,
    /// Names of those that are not understood.
    pub wrong: Vec<&'static str>,
}

/// Reads the fields. `text`: what was typed; `shown`: what the form was shown with. What nobody touched is not read, and so is
/// never refused.
pub fn read<'a>(text: impl Fn(&'static str) -> &'a str, shown: &Fields) -> Typed {
    let mut typed = Typed::default();
    for field in FORM {
        let text = text(field.as_str());
        if text.trim() == written(field, shown).trim() {
            continue;
        }
        let column = Column::Field(field);
        match columns::clean(&column, text).and_then(|text| columns::value(field, &text)) {
            Ok(value) if shown.get(field) == Some(value.as_str()) => {}
            Ok(value) => typed.changed.set(field, value),
            Err(_) => typed.wrong.push(field.as_str()),
        }
    }
    typed
}

/// What a form was shown with, as a hidden field carries it.
pub fn version(fields: &Fields) -> String {
    let pairs = Field::ALL.iter().filter_map(|field| Some((field.as_str().to_owned(), fields.get(*field)?.into())));
    Value::Object(pairs.collect::<Map<_, _>>()).to_string()
}

/// The reverse of [`version`]; what cannot be read is left out, and then differs from what is stored.
pub fn of_version(text: &str) -> Fields {
    let Ok(Value::Object(pairs)) = serde_json::from_str(text) else { return Fields::default() };
    let mut fields = Fields::default();
    for field in Field::ALL {
        if let Some(Value::String(text)) = pairs.get(field.as_str()) {
            fields.set(field, text.as_str());
        }
    }
    fields
}

/// A field that somebody else changed while the form was open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clash {
    pub name: &'static str,
    pub before: String,
    pub now: String,
    /// What was typed there; `None`: nothing.
    pub typed: Option<String>,
}

/// The fields that are no longer what was shown.
pub fn clashes<'a>(shown: &Fields, now: &Fields, text: impl Fn(&'static str) -> &'a str) -> Vec<Clash> {
    let differs = |field: &Field| shown.get(*field) != now.get(*field);
    let clash = |field: Field| {
        let (before, typed) = (written(field, shown), text(field.as_str()));
        let typed = Some(typed.to_owned()).filter(|typed| typed.trim() != before.trim());
        Clash { name: field.as_str(), before, now: written(field, now), typed }
    };
    FORM.into_iter().filter(differs).map(clash).collect()
}

/// The form over what is stored now: what was typed stays, everything else is as it is now.
pub fn merged<'a>(shown: &Fields, now: &Fields, text: impl Fn(&'static str) -> &'a str) -> Vec<Input> {
    let value = |field: Field| match text(field.as_str()) {
        typed if typed.trim() == written(field, shown).trim() => written(field, now),
        typed => typed.to_owned(),
    };
    inputs(value, &[])
}

/// Something that is not sent to a person, and who decided it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BarredView {
    /// A mailing, or `*`.
    pub scope: String,
    /// `tous les envois`, or the title of a mailing.
    pub what: String,
    pub said: String,
    /// The office may take it back; the others only the person.
    pub ours: bool,
    pub since: When,
}

pub fn barred(it: &Reading<'_>, all: &[Barred]) -> Vec<BarredView> {
    let view = |barred: &Barred| BarredView {
        scope: barred.scope.clone(),
        what: people::scope_in_french(it, &barred.scope),
        said: people::reason_in_french(barred),
        ours: barred.reason.is_ours(),
        since: it.when(barred.since),
    };
    all.iter().map(view).collect()
}

/// Changes whenever something of it is lifted, added, or replaced by the person's own word.
pub fn barred_version(all: &[Barred]) -> String {
    let one = |it: &Barred| format!("{}={}@{}", it.scope, it.reason.as_str(), it.since.timestamp_millis());
    let mut all: Vec<_> = all.iter().map(one).collect();
    all.sort();
    all.join(" ")
}

/// All that is stored about a person, to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataView {
    pub row: PersonRow,
    pub fields: Vec<Input>,
    pub others: Vec<String>,
    pub former: Vec<String>,
    pub since: When,
    pub barred: Vec<BarredView>,
    /// Oldest first.
    pub history: Vec<HistoryRow>,
    pub deliveries: Vec<DeliveryView>,
    pub orders: Vec<OrderRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryRow {
    pub at: When,
    pub label: Label,
    pub what: String,
    pub note: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderRow {
    pub at: When,
    pub label: Label,
    pub edition: String,
    pub wish: String,
    pub remark: String,
}

/// # Errors
/// When the ledger cannot be read.
pub async fn data(it: &Reading<'_>, person: &Person) -> Result<DataView, StoreError> {
    let contact = &person.contact;
    let fields = contact.fields();
    let mut deliveries = Vec::new();
    for key in std::iter::once(&person.address_key).chain(&person.former) {
        let filter = LogFilter { address_key: Some(key.clone()), ..LogFilter::default() };
        let log = it.store.log(&filter).await?;
        // An address of before may be another person's now.
        let own = log.iter().filter(|delivery| *key == person.address_key || delivery.contact_id == contact.id);
        deliveries.extend(own.map(|delivery| DeliveryView::new(it, delivery)));
    }
    let packs = people::packs(it, person).await?;
    let history = person.history.iter().map(|change| HistoryRow {
        at: it.when(change.at),
        label: match change.change == "ended" {
            true => Label { key: "timeline_ended", tone: Tone::Past },
            false => Label { key: "timeline_subscribed", tone: Tone::Good },
        },
        what: people::scope_in_french(it, &change.mailing),
        note: people::because(&change.basis, &change.source),
    });
    let orders = person.orders.iter().map(|order| OrderRow {
        at: it.when(order.ordered_at),
        label: people::order_label(order.state),
        edition: order.edition.clone(),
        wish: format!(
            "{}, {}",
            packs_in_french(order.wish.packs, packs.get(&order.edition).copied().unwrap_or(1)),
            order.wish.handover.in_french()
        ),
        remark: order.wish.remark.clone(),
    });
    Ok(DataView {
        row: PersonRow::new(it, contact),
        fields: inputs(|field| written(field, &fields), &[]),
        others: others(contact),
        former: person.former.clone(),
        since: it.when(contact.since),
        barred: barred(it, &contact.barred),
        history: history.collect(),
        orders: orders.collect(),
        deliveries,
    })
}

/// Names of the further establishments.
pub fn others(contact: &Contact) -> Vec<String> {
    contact.others.iter().map(|partner| partner.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> Fields {
        Fields::default()
            .with(Field::Name, "Éloïse")
            .with(Field::Phone, "05 62 00 00 01")
            .with(Field::Labels, r#"["Accueil Vélo","Terra Gers"]"#)
            .with(Field::Stars, "0")
            .with(Field::Website, "pas une adresse")
    }

    #[test]
    fn only_what_was_touched_is_read_and_what_is_not_understood_is_named() {
        let shown = stored();
        let typed = |name: &str| match name {
            "name" => " Éloïse ",
            "phone" => "0562000002",
            "labels" => "Accueil Vélo, Terra Gers",
            "website" => "pas une adresse",
            "stars" => "sept",
            _ => "",
        };
        let read = read(typed, &shown);
        assert_eq!(read.changed, Fields::default().with(Field::Phone, "05 62 00 00 02"));
        assert_eq!(read.wrong, ["stars"]);
        assert_eq!(of_version(&version(&shown)), shown);
        assert_eq!(of_version("[1]"), Fields::default());
    }

    #[test]
    fn what_two_persons_typed_is_both_there_after_a_clash() {
        let (shown, now) = (stored(), stored().with(Field::Name, "Éloïse Dupré").with(Field::Stars, "3"));
        let typed = |name: &'static str| match name {
            "name" => "Eloïse D.",
            "phone" => "0562000002",
            "labels" => "Accueil Vélo, Terra Gers",
            "website" => "pas une adresse",
            _ => "",
        };
        let clashes = clashes(&shown, &now, typed);
        let (name, stars) = (&clashes[0], &clashes[1]);
        assert_eq!((name.before.as_str(), name.now.as_str()), ("Éloïse", "Éloïse Dupré"));
        assert_eq!((name.typed.as_deref(), stars.typed.as_deref()), (Some("Eloïse D."), None));
        let merged = merged(&shown, &now, typed);
        let value = |name| merged.iter().find(|it| it.name == name).unwrap().value.as_str();
        assert_eq!([value("name"), value("phone"), value("stars")], ["Eloïse D.", "0562000002", "3"]);
    }
}
