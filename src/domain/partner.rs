//! Partners and their contacts: partner (establishment) ↔ contact (person, address) ↔ subscription.

use super::{Timestamp, email::EmailAddress, french};
use serde::Serialize;
use std::fmt;

/// An establishment. An empty text means unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Partner {
    pub name: String,
    /// `hébergement`, `restauration`: the office's own categories (filières).
    pub category: String,
    pub commune: String,
    /// Code officiel géographique of the commune, five characters: `32013`.
    pub insee: String,
    /// The postal address.
    pub street: String,
    /// `Accueil Vélo`, `Famille Plus`: free text, sorted, without duplicates.
    pub labels: Vec<String>,
    /// 1 to 5; 0 without.
    pub stars: u8,
    pub website: String,
    /// `05 62 00 00 00`
    pub phone: String,
    pub postcode: String,
    /// `43.6465,0.5855`: latitude and longitude in degrees (WGS 84), as the office writes them.
    pub position: String,
}

/// A person or desk (`contact@…`) of a partner, with an address.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    pub id: String,
    pub address: EmailAddress,
    pub name: String,
    /// `Gérante`, `Accueil`.
    pub function: String,
    /// `fr`, `en`: ISO 639-1.
    pub language: String,
    pub partner: Partner,
    /// Further establishments that this mailbox serves, by name.
    pub others: Vec<Partner>,
    /// Mailings the contact receives, sorted: subscribed to, and not suppressed.
    pub subscriptions: Vec<String>,
    /// Suppressions, by scope.
    pub barred: Vec<Barred>,
    pub since: Timestamp,
}

impl Contact {
    /// All fields, as an import would set them.
    pub fn fields(&self) -> Fields {
        let Partner { name, category, commune, insee, street, labels, stars, website, phone, postcode, position } =
            &self.partner;
        Fields::default()
            .with(Field::Name, self.name.as_str())
            .with(Field::Function, self.function.as_str())
            .with(Field::Language, self.language.as_str())
            .with(Field::Establishment, name.as_str())
            .with(Field::Category, category.as_str())
            .with(Field::Commune, commune.as_str())
            .with(Field::Insee, insee.as_str())
            .with(Field::Street, street.as_str())
            .with(Field::Labels, labels_text(labels))
            .with(Field::Stars, stars.to_string())
            .with(Field::Website, website.as_str())
            .with(Field::Position, position.as_str())
            .with(Field::Phone, phone.as_str())
            .with(Field::Postcode, postcode.as_str())
    }
}

/// A suppression: by whom, for which mailing, since when.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Barred {
    /// A mailing, or `*` for all.
    pub scope: String,
    pub reason: SuppressionReason,
    pub since: Timestamp,
    /// Of the office, in its own words; empty where nobody said.
    pub why: String,
}

/// The legal basis for writing to somebody about something, and since when.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubscriptionChange {
    pub mailing: String,
    pub at: Timestamp,
    /// `subscribed` or `ended`.
    pub change: String,
    /// `legitimate_interest` or `consent`.
    pub basis: String,
    /// Where the address came from: the file of the import.
    pub source: String,
}

/// Everything stored about one address, for GDPR article 15.
#[derive(Debug, Clone, PartialEq)]
pub struct Dossier {
    /// `None` if only traces are left.
    pub contact: Option<Contact>,
    pub history: Vec<SubscriptionChange>,
    pub suppressions: Vec<Barred>,
    pub orders: Vec<super::edition::Order>,
    /// Former addresses, each with the ids of the deliveries sent there.
    pub former: Vec<(String, Vec<String>)>,
}

/// One contact from a file. `None`: the file has no such column, and the stored value stays.
#[derive(Debug, Clone, PartialEq)]
pub struct NewContact {
    pub address: EmailAddress,
    /// Keyed hash of the normalised address: identifies suppressions, which outlive the contact.
    pub address_hash: String,
    pub fields: Fields,
    /// Further establishments of the same mailbox. They replace the stored ones if the file names an establishment at
    /// all.
    pub also: Vec<Fields>,
}

/// The fields of a contact and its partner, by [`Field`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields([Option<Box<str>>; Field::ALL.len()]);

/// The fields an import may set, beside the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    Name,
    Function,
    Language,
    Establishment,
    Category,
    Commune,
    Insee,
    Street,
    /// A JSON array of texts, as [`labels_text`] writes it.
    Labels,
    Stars,
    Website,
    Position,
    Phone,
    Postcode,
}

impl Field {
    pub const ALL: [Field; 14] = [
        Field::Name,
        Field::Function,
        Field::Language,
        Field::Establishment,
        Field::Category,
        Field::Commune,
        Field::Insee,
        Field::Street,
        Field::Labels,
        Field::Stars,
        Field::Website,
        Field::Position,
        Field::Phone,
        Field::Postcode,
    ];

    /// The field's name in batches, differences and errors.
    pub fn as_str(self) -> &'static str {
        match self {
            Field::Name => "name",
            Field::Function => "function",
            Field::Language => "language",
            Field::Establishment => "establishment",
            Field::Category => "category",
            Field::Commune => "commune",
            Field::Insee => "insee",
            Field::Street => "street",
            Field::Labels => "labels",
            Field::Stars => "stars",
            Field::Website => "website",
            Field::Position => "position",
            Field::Phone => "phone",
            Field::Postcode => "postcode",
        }
    }

    /// Whether this stored text means that nothing is known.
    pub fn is_unknown(self, text: &str) -> bool {
        match self {
            Field::Labels => text == "[]",
            Field::Stars => text == "0",
            _ => text.is_empty(),
        }
    }

    /// One of the two fields that say which establishment it is.
    pub fn names_an_establishment(self) -> bool {
        matches!(self, Field::Establishment | Field::Commune)
    }

    /// Belongs to the partner, and so to all its contacts; the others belong to the person.
    pub fn is_of_partner(self) -> bool {
        !matches!(self, Field::Name | Field::Function | Field::Language)
    }
}

impl Fields {
    pub fn get(&self, field: Field) -> Option<&str> {
        self.0[field as usize].as_deref()
    }

    pub fn set(&mut self, field: Field, text: impl Into<String>) {
        self.0[field as usize] = Some(text.into().into_boxed_str());
    }

    /// Unsets the field, as if the file had no such column.
    pub fn unset(&mut self, field: Field) {
        self.0[field as usize] = None;
    }

    /// Whether it names the establishment: by name and commune together.
    pub fn name_an_establishment(&self) -> bool {
        Field::ALL.iter().any(|field| field.names_an_establishment() && self.get(*field).is_some())
    }

    /// Whether each given field has the same value there.
    pub fn are_in(&self, other: &Fields) -> bool {
        Field::ALL.iter().all(|field| self.get(*field).is_none_or(|text| other.get(*field) == Some(text)))
    }

    /// A copy with `field` set.
    #[must_use]
    pub fn with(mut self, field: Field, text: impl Into<String>) -> Self {
        self.set(field, text);
        self
    }
}

impl NewContact {
    /// A contact with only a name and an establishment.
    pub fn new(address: EmailAddress, address_hash: String, name: &str, establishment: &str, commune: &str) -> Self {
        let fields = Fields::default()
            .with(Field::Name, name)
            .with(Field::Establishment, establishment)
            .with(Field::Commune, commune);
        Self { address, address_hash, fields, also: Vec::new() }
    }

    /// Identifies the partner: name and commune, ignoring accents, case and punctuation. An establishment without a name is
    /// identified by the address.
    pub fn partner_key(&self) -> String {
        self.key_of(&self.fields)
    }

    /// Like [`Self::partner_key`], for one of its establishments.
    pub fn key_of(&self, fields: &Fields) -> String {
        let text = |field| french::folded(fields.get(field).unwrap_or_default());
        match text(Field::Establishment) {
            name if name.is_empty() => format!("@{}", self.address.key()),
            name => format!("{name}|{}", text(Field::Commune)),
        }
    }
}

/// Labels as stored and compared: a JSON array, sorted, without duplicates.
pub fn labels_text(labels: &[String]) -> String {
    let mut labels = labels.to_vec();
    labels.sort();
    labels.dedup();
    serde_json::json!(labels).to_string()
}

/// The contacts of an import. They are made a few at a time, so that a long list is not in memory twice.
pub trait NewContacts: fmt::Debug + Send + Sync {
    fn count(&self) -> usize;

    /// [`EmailAddress::key`] of the contact with this index.
    fn key(&self, index: usize) -> String;

    /// The contact with this index, below [`NewContacts::count`].
    fn contact(&self, index: usize) -> NewContact;
}

impl NewContacts for &[NewContact] {
    fn count(&self) -> usize {
        self.len()
    }

    fn key(&self, index: usize) -> String {
        self[index].address.key()
    }

    fn contact(&self, index: usize) -> NewContact {
        self[index].clone()
    }
}

/// An import as a whole.
#[derive(Debug, Clone)]
pub struct Import<'a> {
    pub contacts: &'a dyn NewContacts,
    /// Mailings they are subscribed to.
    pub mailings: &'a [String],
    /// Where the addresses come from; kept with each subscription (GDPR art. 14).
    pub source: &'a str,
    pub basis: Basis,
    /// The file is the whole list: other contacts are removed.
    pub replace: bool,
    pub dry_run: bool,
    /// The list also counts where a field was changed by hand, which stays otherwise. An address that was changed by hand stays
    /// in any case: the former one would bring back somebody who has opted out.
    pub overwrite_edits: bool,
    /// The digest of the differences somebody agreed to: others are not made.
    pub expected: Option<&'a str>,
    /// The uploaded list that this import ends.
    pub upload: Option<&'a str>,
}

impl<'a> Import<'a> {
    /// A list that is neither the whole one nor a dry run, on the usual basis.
    pub fn new(contacts: &'a dyn NewContacts, mailings: &'a [String], source: &'a str) -> Self {
        Self {
            contacts,
            mailings,
            source,
            basis: Basis::default(),
            replace: false,
            dry_run: false,
            overwrite_edits: false,
            expected: None,
            upload: None,
        }
    }
}

/// The legal basis for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Basis {
    /// A professional address, used for the profession (CPCE L34-5).
    #[default]
    LegitimateInterest,
    Consent,
}

impl Basis {
    pub fn as_str(self) -> &'static str {
        match self {
            Basis::LegitimateInterest => "legitimate_interest",
            Basis::Consent => "consent",
        }
    }
}

/// The result of an import, or of a dry run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportSummary {
    pub added: usize,
    pub changed: usize,
    pub unchanged: usize,
    /// Known and suppressed: stored, but still not mailed.
    pub suppressed: usize,
    /// Known, but missing in a file that is the whole list.
    pub gone: usize,
    /// Fields that were changed by hand, and stay although the list says otherwise.
    pub protected: usize,
}

/// One change by an import, for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    Added(EmailAddress),
    /// The field, its old value, its new value.
    Changed(EmailAddress, Vec<(&'static str, String, String)>),
    Gone(EmailAddress),
    /// What was changed by hand and stays.
    Protected(EmailAddress, Vec<ProtectedField>),
}

/// A field that was changed by hand: the list says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedField {
    /// As in [`Difference::Changed`], also `address`.
    pub field: &'static str,
    /// What was entered, and stays.
    pub value: String,
    /// What the list says.
    pub listed: String,
    pub by: String,
    pub at: Timestamp,
}

/// Why an address is suppressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// The person unsubscribed.
    OptOut,
    /// The relay says the address is dead.
    Bounce,
    Complaint,
    /// Suppressed by the office.
    Manual,
}

impl SuppressionReason {
    pub const ALL: [SuppressionReason; 4] =
        [SuppressionReason::OptOut, SuppressionReason::Bounce, SuppressionReason::Complaint, SuppressionReason::Manual];

    /// The office may lift it: it was not the person's own choice.
    pub fn is_ours(self) -> bool {
        matches!(self, SuppressionReason::Bounce | SuppressionReason::Manual)
    }

    /// `par la personne`, for lists.
    pub fn by_in_french(self) -> &'static str {
        match self {
            SuppressionReason::OptOut => "par la personne",
            SuppressionReason::Bounce => "adresse refusée",
            SuppressionReason::Complaint => "signalé comme indésirable",
            SuppressionReason::Manual => "par l’office",
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            SuppressionReason::OptOut => "opt_out",
            SuppressionReason::Bounce => "bounce",
            SuppressionReason::Complaint => "complaint",
            SuppressionReason::Manual => "manual",
        }
    }
}

/// What a contact receives, and which of it the person can change.
#[derive(Debug, Clone, PartialEq)]
pub struct Choices {
    pub address: EmailAddress,
    /// Of each mailing the contact is subscribed to.
    pub mailings: Vec<Choice>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub mailing: String,
    pub receives: bool,
    /// Only the person's own opt-out prevents it.
    pub may_return: bool,
}
