//! An edition: a brochure of the office, its stock, and the orders of partners.

use super::{
    Timestamp,
    email::EmailAddress,
    french::{self, NBSP},
    issue::IssueKey,
};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Suffix of the period of an edition's reminder; a slug must not end with it.
pub const REMINDER: &str = "-rappel";
/// Packs in one order at the most, unless the edition's file says another number (`max_packs`): an order link travels with
/// a forwarded mail, and nobody needs the whole stock.
pub const DEFAULT_MAX_PACKS: u32 = 20;
/// Maximum length of an order's remark, in characters.
pub const LONGEST_REMARK: usize = 500;

/// The kind of edition. English in files, French for partners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EditionKind {
    Map,
    Guide,
    Calendar,
    Leaflet,
    Brochure,
    Poster,
}

impl EditionKind {
    pub const ALL: [(&'static str, EditionKind); 6] = [
        ("map", EditionKind::Map),
        ("guide", EditionKind::Guide),
        ("calendar", EditionKind::Calendar),
        ("leaflet", EditionKind::Leaflet),
        ("brochure", EditionKind::Brochure),
        ("poster", EditionKind::Poster),
    ];

    /// `carte`
    pub fn in_french(self) -> &'static str {
        match self {
            EditionKind::Map => "carte",
            EditionKind::Guide => "guide",
            EditionKind::Calendar => "calendrier",
            EditionKind::Leaflet => "dépliant",
            EditionKind::Brochure => "brochure",
            EditionKind::Poster => "affiche",
        }
    }
}

/// Languages an edition may be in: ISO 639-1, and the French word.
pub const LANGUAGES: [(&str, &str); 11] = [
    ("fr", "français"),
    ("en", "anglais"),
    ("es", "espagnol"),
    ("de", "allemand"),
    ("it", "italien"),
    ("nl", "néerlandais"),
    ("pt", "portugais"),
    ("oc", "occitan"),
    ("ca", "catalan"),
    ("eu", "basque"),
    ("ja", "japonais"),
];

/// Where it can be read online.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Online {
    /// On a site, at this address.
    At(String),
    /// A PDF that was supplied with it; we serve it.
    Pdf,
}

/// The printed copies; at least one pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printed {
    pub copies: u32,
    /// Copies per pack, the smallest unit of an order.
    pub pack: u32,
    /// Packs in one order at the most; `None`: [`DEFAULT_MAX_PACKS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_packs: Option<u32>,
}

impl Printed {
    /// Whole packs; remaining copies stay at the office.
    pub fn packs(self) -> u32 {
        self.copies / self.pack.max(1)
    }

    /// Packs in one order at the most; at least one.
    pub fn max_packs(self) -> u32 {
        self.max_packs.unwrap_or(DEFAULT_MAX_PACKS).max(1)
    }
}

/// The definition from its file or its form, without its cover picture and PDF. What [`Edition::missing`] names may be absent
/// until it is announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edition {
    /// `carte-2027`: lower-case letters, digits and `-`; used in URLs and keys.
    pub slug: String,
    pub title: String,
    pub kind: EditionKind,
    /// ISO 639-1, in the given order; at least one.
    pub languages: Vec<String>,
    pub pages: Option<u32>,
    /// What it is, in a sentence or two; empty while it is not written yet.
    pub summary: String,
    /// `None`: not said yet.
    #[serde(default)]
    pub online: Option<Online>,
    /// `None`: not printed.
    pub printed: Option<Printed>,
    /// The last day on which it is valid and can be ordered.
    pub valid_until: Option<NaiveDate>,
    /// A ready-made text for a partner's site or newsletter; empty while it is not written yet.
    pub words: String,
    /// A short one, for social networks.
    pub post: Option<String>,
    /// Days after the announcement at which those who did not order get a reminder.
    pub reminder_after_days: Option<u16>,
}

impl Edition {
    /// `français, anglais`
    pub fn languages_in_french(&self) -> String {
        let known =
            |code: &str| LANGUAGES.iter().find(|(known, _)| *known == code).map_or(code, |(_, it)| it).to_owned();
        self.languages.iter().map(|code| known(code)).collect::<Vec<_>>().join(", ")
    }

    /// Copies of a pack; 1 for what is not printed.
    pub fn pack(&self) -> u32 {
        self.printed.map_or(1, |printed| printed.pack)
    }

    /// Whether it may be announced and ordered on that day.
    pub fn is_current(&self, day: NaiveDate) -> bool {
        self.valid_until.is_none_or(|last| day <= last)
    }

    /// Whether copies of it can be ordered on that day, as long as there are any.
    pub fn is_orderable(&self, day: NaiveDate) -> bool {
        self.printed.is_some() && self.is_current(day)
    }

    /// What it still needs to be announced. `has_cover`: whether it has a cover picture.
    pub fn missing(&self, has_cover: bool) -> Vec<Missing> {
        let is_missing = |it: &Missing| match it {
            Missing::Cover => !has_cover,
            Missing::Summary => self.summary.is_empty(),
            Missing::Online => self.online.is_none(),
            Missing::Words => self.words.is_empty(),
        };
        Missing::ALL.into_iter().filter(is_missing).collect()
    }

    /// The edition an issue is about; the reminder too.
    pub fn slug_of(issue: &IssueKey) -> &str {
        issue.period().strip_suffix(REMINDER).unwrap_or(issue.period())
    }

    /// The differences, readable: `title: "a" -> "b"`.
    pub fn changes_from(&self, before: &Self) -> Vec<String> {
        let (old, new) = (serde_json::json!(before), serde_json::json!(self));
        let fields = new.as_object().into_iter().flatten();
        fields
            .filter(|(key, value)| old.get(key) != Some(value))
            .map(|(key, value)| format!("{key}: {} -> {value}", old.get(key).unwrap_or(&serde_json::Value::Null)))
            .collect()
    }
}

/// What an edition may lack until it is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    Cover,
    Summary,
    Online,
    Words,
}

impl Missing {
    pub const ALL: [Missing; 4] = [Missing::Cover, Missing::Summary, Missing::Online, Missing::Words];

    /// Its key in the edition's file, and the name of its field in the form.
    pub fn as_str(self) -> &'static str {
        match self {
            Missing::Cover => "cover",
            Missing::Summary => "summary",
            Missing::Online => "online",
            Missing::Words => "words",
        }
    }

    /// `la couverture`
    pub fn in_french(self) -> &'static str {
        match self {
            Missing::Cover => "la couverture",
            Missing::Summary => "le résumé",
            Missing::Online => "l’adresse en ligne ou le PDF",
            Missing::Words => "le texte à partager",
        }
    }
}

/// The longest slug, in bytes.
pub const LONGEST_SLUG: usize = 60;

/// A slug for a title: ASCII letters and digits, words joined by `-`, cut at the end of a word. Empty if the title has none.
pub fn slug_of(title: &str) -> String {
    let folded = french::folded(title).replace('ß', "ss");
    let letters = folded.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect::<String>();
    let mut slug = String::new();
    for word in letters.split_whitespace() {
        if slug.len() + 1 + word.len() > LONGEST_SLUG {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(word);
    }
    match slug.strip_suffix(REMINDER) {
        Some(short) => short.to_owned(),
        None => slug,
    }
}

/// The files that belong to an edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditionFile {
    /// Scaled down, as JPEG.
    Cover,
    Pdf,
}

impl EditionFile {
    pub const ALL: [EditionFile; 2] = [EditionFile::Cover, EditionFile::Pdf];

    pub fn as_str(self) -> &'static str {
        match self {
            EditionFile::Cover => "cover",
            EditionFile::Pdf => "pdf",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            EditionFile::Cover => "image/jpeg",
            EditionFile::Pdf => "application/pdf",
        }
    }
}

/// An edition with its stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditionStock {
    pub edition: Edition,
    /// Packs of open and delivered orders. Never more than were printed.
    pub ordered: u32,
    /// Raised by each change of the edition or its files.
    pub revision: u64,
    pub changed_at: Timestamp,
    /// When its announcement is or was sent; `None`: not announced.
    pub announced_for: Option<Timestamp>,
}

impl EditionStock {
    /// Total number of packs.
    pub fn packs(&self) -> u32 {
        self.edition.printed.map_or(0, Printed::packs)
    }

    /// Packs that are not ordered.
    pub fn left(&self) -> u32 {
        self.packs().saturating_sub(self.ordered)
    }

    /// Packs in one order at the most, whatever is left. An order that is larger, because the bound came later, may stay
    /// as it is. `had`: packs of the contact's open order.
    pub fn max_packs(&self, had: u32) -> u32 {
        self.edition.printed.map_or(0, Printed::max_packs).max(had)
    }

    /// Packs that a contact can order now. `had`: as for [`EditionStock::max_packs`].
    pub fn available(&self, had: u32) -> u32 {
        (self.left() + had).min(self.max_packs(had))
    }
}

/// A request to announce an edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    pub issue: IssueKey,
    /// The edition's slug.
    pub edition: String,
    /// The segment of the audience, as written.
    pub segment: Option<String>,
    pub leaves_at: Timestamp,
    /// Who announced it, as the person named themselves; empty if that is not known.
    pub by: String,
}

/// How the copies reach the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Handover {
    /// The office brings them on its round.
    Delivery,
    /// The partner fetches them at the office.
    PickUp,
}

impl Handover {
    pub const ALL: [Handover; 2] = [Handover::Delivery, Handover::PickUp];

    pub fn as_str(self) -> &'static str {
        match self {
            Handover::Delivery => "delivery",
            Handover::PickUp => "pick_up",
        }
    }

    /// `livraison lors de la tournée`
    pub fn in_french(self) -> &'static str {
        match self {
            Handover::Delivery => "livraison lors de la tournée",
            Handover::PickUp => "retrait à l’office de tourisme",
        }
    }
}

/// The state of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// It may be changed and cancelled.
    Open,
    Delivered,
    Cancelled,
}

impl OrderState {
    pub const ALL: [OrderState; 3] = [OrderState::Open, OrderState::Delivered, OrderState::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            OrderState::Open => "open",
            OrderState::Delivered => "delivered",
            OrderState::Cancelled => "cancelled",
        }
    }
}

/// What a partner orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// At least one.
    pub packs: u32,
    pub handover: Handover,
    /// At most [`LONGEST_REMARK`] characters.
    pub remark: String,
}

/// Who orders, from the list of partners.
#[derive(Debug, Clone, PartialEq)]
pub struct Orderer {
    pub contact_id: String,
    pub address: EmailAddress,
    pub name: String,
    pub establishment: String,
    pub commune: String,
    /// The postal address.
    pub street: String,
}

/// An order: at most one is open per contact and edition.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Eight letters and digits that can be read out on the telephone.
    pub id: String,
    pub edition: String,
    /// Copied when the person last changed the order.
    pub by: Orderer,
    pub wish: Wish,
    pub state: OrderState,
    /// Incremented with each change by the person.
    pub revision: u32,
    /// The member of staff who took it by telephone; `None`: the partner placed it.
    pub taken_by: Option<String>,
    pub ordered_at: Timestamp,
    pub changed_at: Timestamp,
}

impl Order {
    /// The person was erased; what is left are numbers.
    pub fn is_erased(&self) -> bool {
        self.by.contact_id.starts_with(ERASED)
    }

    /// Key of the issue that confirms the last change.
    pub fn confirmation(&self) -> IssueKey {
        IssueKey::new(ORDERS, format_args!("{}-{}", self.id, self.revision))
    }
}

/// Prefix of the contact of an order whose person was erased.
pub const ERASED: &str = "erased:";

/// The mailing of confirmations: no file, no list, one recipient each.
pub const ORDERS: &str = "orders";

/// `1 paquet (50 exemplaires)`
pub fn packs_in_french(packs: u32, pack: u32) -> String {
    use super::french::plural;
    let copies = packs.saturating_mul(pack);
    format!(
        "{}{NBSP}paquet{} ({}{NBSP}exemplaire{})",
        number(packs),
        plural(packs.into()),
        number(copies),
        plural(copies.into())
    )
}

/// `20 000`, with a non-breaking space.
pub fn number(n: u32) -> String {
    french::grouped(n.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_are_counted_and_worded_in_french() {
        assert_eq!(Printed { copies: 1_049, pack: 50, max_packs: None }.packs(), 20);
        assert_eq!(packs_in_french(1, 1), "1\u{a0}paquet (1\u{a0}exemplaire)");
        let numbers = [0, 12, 999, 1_000, 20_000, 1_234_567].map(number);
        assert_eq!(numbers, ["0", "12", "999", "1\u{202f}000", "20\u{202f}000", "1\u{202f}234\u{202f}567"]);
        assert_eq!(packs_in_french(2, 50), "2\u{a0}paquets (100\u{a0}exemplaires)");
    }

    #[test]
    fn a_slug_is_made_of_the_title() {
        let long = "mot ".repeat(40);
        for (title, slug) in [
            ("Carte touristique 2027", "carte-touristique-2027"),
            ("L’Été à Auch : cœur & Gascogne !", "l-ete-a-auch-coeur-gascogne"),
            ("Guide (rappel)", "guide"),
            ("日本語", ""),
            ("  ", ""),
            (&long, "mot-mot-mot-mot-mot-mot-mot-mot-mot-mot-mot-mot-mot-mot-mot"),
        ] {
            assert_eq!(slug_of(title), slug, "{title}");
        }
    }

    #[test]
    fn an_edition_says_what_it_lacks() {
        let edition = Edition {
            slug: "carte".to_owned(),
            title: "Carte".to_owned(),
            kind: EditionKind::Map,
            languages: vec!["fr".to_owned()],
            pages: None,
            summary: String::new(),
            online: None,
            printed: None,
            valid_until: None,
            words: String::new(),
            post: None,
            reminder_after_days: None,
        };
        assert_eq!(edition.missing(false), Missing::ALL);
        let whole = Edition {
            summary: "Une carte.".to_owned(),
            online: Some(Online::Pdf),
            words: "La carte.".to_owned(),
            ..edition
        };
        assert_eq!((whole.missing(true), whole.missing(false)), (vec![], vec![Missing::Cover]));
        // As ledgers of earlier versions hold it: without `max_packs`, and without `online` where nothing was said of it.
        let stored = r#"{"slug":"carte","title":"Carte","kind":"map","languages":["fr"],"pages":null,"summary":"Une carte.",
            "online":"pdf","printed":null,"valid_until":null,"words":"La carte.","post":null,"reminder_after_days":null}"#;
        let read = |stored: &str| serde_json::from_str::<Edition>(stored).unwrap();
        assert_eq!(read(stored), whole);
        assert_eq!(read(&stored.replace(r#""online":"pdf","#, "")), Edition { online: None, ..whole.clone() });
        let printed = Some(Printed { copies: 100, pack: 50, max_packs: None });
        let stored = stored.replace(r#""printed":null"#, r#""printed":{"copies":100,"pack":50}"#);
        assert_eq!(read(&stored), Edition { printed, ..whole });
    }

    #[test]
    fn announcement_and_reminder_belong_to_the_same_edition() {
        for period in ["carte-2027", "carte-2027-rappel"] {
            assert_eq!(Edition::slug_of(&IssueKey::new("editions", period)), "carte-2027");
        }
    }
}
