//! An edition: a brochure the office publishes, what is printed of it, and the orders of partners.

use super::{Timestamp, email::EmailAddress, french::NBSP, issue::IssueKey};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Ends the period of an edition's second mail; no slug ends so.
pub const REMINDER: &str = "-rappel";
/// What the remark of an order may hold, in characters.
pub const LONGEST_REMARK: usize = 500;

/// What kind of thing it is. In files by its English word, to partners in French.
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

/// Where it can be read on a screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Online {
    /// On a site, at this address.
    At(String),
    /// A PDF that was given with it, and is served by us.
    Pdf,
}

/// What was printed. One pack at the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printed {
    pub copies: u32,
    /// Copies in a pack: nothing less is handed out.
    pub pack: u32,
}

impl Printed {
    /// Whole ones; what is left over stays at the office.
    pub fn packs(self) -> u32 {
        self.copies / self.pack.max(1)
    }
}

/// As its file says it, but for the picture of its cover and its PDF.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edition {
    /// `carte-2027`: small letters, digits and `-`; a part of addresses and keys.
    pub slug: String,
    pub title: String,
    pub kind: EditionKind,
    /// ISO 639-1, in the order they were written; one at the least.
    pub languages: Vec<String>,
    pub pages: Option<u32>,
    /// What it is, in a sentence or two.
    pub summary: String,
    pub online: Online,
    /// `None`: there is nothing on paper.
    pub printed: Option<Printed>,
    /// The last day on which it is of use, and can be ordered.
    pub valid_until: Option<NaiveDate>,
    /// Ready-made words for a partner's site or newsletter.
    pub words: String,
    /// The same, short, for social networks.
    pub post: Option<String>,
    /// Days after the announcement on which those who did not order are written to once more.
    pub reminder_after_days: Option<u16>,
}

impl Edition {
    /// `français, anglais`
    pub fn languages_in_french(&self) -> String {
        let known =
            |code: &str| LANGUAGES.iter().find(|(known, _)| *known == code).map_or(code, |(_, it)| it).to_owned();
        self.languages.iter().map(|code| known(code)).collect::<Vec<_>>().join(", ")
    }

    /// Whether it may be announced and ordered on that day.
    pub fn is_current(&self, day: NaiveDate) -> bool {
        self.valid_until.is_none_or(|last| day <= last)
    }

    /// The edition an issue tells of, the second mail included.
    pub fn slug_of(issue: &IssueKey) -> &str {
        issue.period().strip_suffix(REMINDER).unwrap_or(issue.period())
    }

    /// What is different, for a person: `title: "a" -> "b"`.
    pub fn changes_from(&self, before: &Self) -> Vec<String> {
        let (old, new) = (serde_json::json!(before), serde_json::json!(self));
        let fields = new.as_object().into_iter().flatten();
        fields
            .filter(|(key, value)| old.get(key) != Some(value))
            .map(|(key, value)| format!("{key}: {} -> {value}", old.get(key).unwrap_or(&serde_json::Value::Null)))
            .collect()
    }
}

/// The files that belong to an edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditionFile {
    /// Made small, as JPEG.
    Cover,
    Pdf,
}

impl EditionFile {
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

/// An edition as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stocked {
    pub edition: Edition,
    /// In packs, of open and delivered orders. Never more than were printed.
    pub ordered: u32,
    pub changed_at: Timestamp,
    /// When it leaves, or left; `None`: it was not announced.
    pub announced_for: Option<Timestamp>,
}

impl Stocked {
    /// Packs there are, at first.
    pub fn packs(&self) -> u32 {
        self.edition.printed.map_or(0, Printed::packs)
    }

    /// Packs nobody ordered.
    pub fn left(&self) -> u32 {
        self.packs().saturating_sub(self.ordered)
    }
}

/// A person's wish that an edition is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    pub issue: IssueKey,
    /// The edition's slug.
    pub edition: String,
    /// Who of the audience is meant, as it was written.
    pub segment: Option<String>,
    pub leaves_at: Timestamp,
}

/// How copies come to the partner.
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

/// Where an order is.
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

/// What a partner asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// One at the least.
    pub packs: u32,
    pub handover: Handover,
    /// At most [`LONGEST_REMARK`] characters.
    pub remark: String,
}

/// Who orders, as the list of partners has them.
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

/// An order: the only open one of its contact for its edition.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Eight letters and digits, to be said on the telephone.
    pub id: String,
    pub edition: String,
    /// Copied when the person last said something.
    pub by: Orderer,
    pub wish: Wish,
    pub state: OrderState,
    /// Counts what the person said.
    pub revision: u32,
    pub ordered_at: Timestamp,
    pub changed_at: Timestamp,
}

impl Order {
    /// Key of the issue that confirms what the person said last.
    pub fn confirmation(&self) -> IssueKey {
        IssueKey::new(ORDERS, format_args!("{}-{}", self.id, self.revision))
    }
}

/// The mailing that confirmations are issues of: no file, no list, one recipient each.
pub const ORDERS: &str = "orders";

/// `1 paquet (50 exemplaires)`
pub fn packs_in_french(packs: u32, pack: u32) -> String {
    let plural = |n: u32| if n > 1 { "s" } else { "" };
    let copies = packs.saturating_mul(pack);
    format!("{}{NBSP}paquet{} ({}{NBSP}exemplaire{})", number(packs), plural(packs), number(copies), plural(copies))
}

/// `20 000`, with a blank that does not break.
pub fn number(n: u32) -> String {
    let digits = n.to_string();
    let head = digits.len() % 3;
    let groups = std::iter::once(&digits[..head]).chain((head..digits.len()).step_by(3).map(|at| &digits[at..at + 3]));
    groups.filter(|group| !group.is_empty()).collect::<Vec<_>>().join("\u{202f}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_are_whole_and_said_in_french() {
        assert_eq!(Printed { copies: 1_049, pack: 50 }.packs(), 20);
        assert_eq!(packs_in_french(1, 1), "1\u{a0}paquet (1\u{a0}exemplaire)");
        let numbers = [0, 12, 999, 1_000, 20_000, 1_234_567].map(number);
        assert_eq!(numbers, ["0", "12", "999", "1\u{202f}000", "20\u{202f}000", "1\u{202f}234\u{202f}567"]);
        assert_eq!(packs_in_french(2, 50), "2\u{a0}paquets (100\u{a0}exemplaires)");
    }

    #[test]
    fn the_first_and_the_second_mail_are_of_one_edition() {
        for period in ["carte-2027", "carte-2027-rappel"] {
            assert_eq!(Edition::slug_of(&IssueKey::new("editions", period)), "carte-2027");
        }
    }
}
