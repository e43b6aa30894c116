//! Lanes: the pace for one family of recipient domains. Data and its reading; who waits for whom is decided in `deliver`.
//!
//! The providers' limits are theirs, not the relay's: a family that says "too many connections" slows down alone, and
//! nobody else waits for it.

use super::{Timestamp, issue::IssueKey};
use std::collections::HashMap;

/// What a lane may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Messages on their way to this family at once, each on a connection of its own.
    pub connections: usize,
    /// Messages to this family on one connection; then a new one.
    pub messages_per_connection: u32,
    /// `None`: as fast as it goes.
    pub per_minute: Option<u32>,
}

impl Limits {
    /// For a domain of no family: what KumoMTA's shaping gives everyone.
    pub const DEFAULT: Limits = Limits { connections: 10, messages_per_connection: 100, per_minute: None };
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// `orange`: what `status` and the configuration call it.
    pub name: String,
    /// In lower case.
    pub domains: Vec<String>,
    pub limits: Limits,
}

/// Name, connections, messages a connection, domains. Orange and La Poste publish two connections and a hundred messages;
/// Gmail, Outlook, Yahoo, iCloud and GMX are KumoMTA's shaping of August 2026; SFR's and Free's are careful guesses.
const FAMILIES: &[(&str, usize, u32, &[&str])] = &[
    ("orange", 2, 100, &["orange.fr", "wanadoo.fr", "voila.fr"]),
    ("laposte", 2, 100, &["laposte.net"]),
    (
        "sfr",
        2,
        100,
        &[
            "sfr.fr",
            "neuf.fr",
            "cegetel.net",
            "club-internet.fr",
            "numericable.fr",
            "numericable.com",
            "noos.fr",
            "9online.fr",
            "9business.fr",
            "evc.net",
            "modulonet.fr",
            "estvideo.fr",
            "valvision.fr",
            "cario.fr",
            "guideo.fr",
            "mageos.com",
            "waika9.com",
            "fnac.net",
            "evhr.net",
            "ewol.fr",
            "sfrbusiness.fr",
        ],
    ),
    (
        "free",
        2,
        20,
        &[
            "free.fr",
            "freesbee.fr",
            "libertysurf.fr",
            "worldonline.fr",
            "online.fr",
            "alicepro.fr",
            "aliceadsl.fr",
            "infonie.fr",
        ],
    ),
    ("gmail", 5, 50, &["gmail.com", "googlemail.com"]),
    ("outlook", 5, 50, &["outlook.com", "outlook.fr", "hotmail.com", "hotmail.fr", "live.com", "live.fr", "msn.com"]),
    ("yahoo", 10, 20, &["yahoo.com", "yahoo.fr", "ymail.com", "rocketmail.com", "aol.com", "aol.fr"]),
    ("icloud", 10, 5, &["icloud.com", "me.com", "mac.com"]),
    ("gmx", 4, 20, &["gmx.de", "gmx.net", "gmx.com", "gmx.fr", "gmx.at", "gmx.ch", "web.de"]),
];

/// Every family, and what the others get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lanes {
    families: Vec<Family>,
    by_domain: HashMap<String, usize>,
    others: Limits,
}

impl Default for Lanes {
    fn default() -> Self {
        let family = |(name, connections, messages, domains): &(&str, usize, u32, &[&str])| Family {
            name: (*name).to_owned(),
            domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
            limits: Limits { connections: *connections, messages_per_connection: *messages, per_minute: None },
        };
        Self::new(FAMILIES.iter().map(family).collect(), Limits::DEFAULT)
    }
}

impl Lanes {
    /// A domain in two families belongs to the later one.
    pub fn new(families: Vec<Family>, others: Limits) -> Self {
        let domains = families.iter().enumerate().flat_map(|(n, it)| it.domains.iter().map(move |d| (d.clone(), n)));
        Self { by_domain: domains.collect(), families, others }
    }

    pub fn families(&self) -> &[Family] {
        &self.families
    }

    pub fn others(&self) -> Limits {
        self.others
    }

    pub fn is_family(&self, lane: &str) -> bool {
        self.families.iter().any(|family| family.name == lane)
    }

    /// The lane of a recipient's domain: its family, or itself alone.
    pub fn of<'a>(&'a self, domain: &'a str) -> Lane<'a> {
        match self.by_domain.get(domain).and_then(|n| self.families.get(*n)) {
            Some(family) => Lane { name: &family.name, limits: family.limits, is_family: true },
            None => Lane { name: domain, limits: self.others, is_family: false },
        }
    }
}

/// The lane one message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane<'a> {
    pub name: &'a str,
    pub limits: Limits,
    /// Or one domain for itself.
    pub is_family: bool,
}

/// How a lane that is not open goes; the harder ones last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// One connection.
    Slow,
    /// None, for a time.
    Suspended,
    /// None, until a person reopens it.
    Paused,
}

impl Pace {
    pub const ALL: [Pace; 3] = [Pace::Slow, Pace::Suspended, Pace::Paused];

    pub fn as_str(self) -> &'static str {
        match self {
            Pace::Slow => "slow",
            Pace::Suspended => "suspended",
            Pace::Paused => "paused",
        }
    }
}

/// Why a lane is not open. Kept in the ledger: a restart does not make a provider forget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneTrouble {
    pub lane: String,
    pub pace: Pace,
    /// The provider's words, or ours in French where a person must act.
    pub why: String,
    pub since: Timestamp,
    /// `None`: until a person reopens it.
    pub until: Option<Timestamp>,
    /// The issue it showed itself in.
    pub issue: IssueKey,
    /// It holds for that issue alone; the others pass.
    pub only_issue: bool,
    /// How often in a row the lane was suspended before, with nothing accepted in between.
    pub step: u32,
    /// Of a slow lane: no more messages a minute than this.
    pub per_minute: Option<u32>,
}

impl LaneTrouble {
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether `next` takes its place: when its own time is over, or when that asks for more. A provider's later, milder
    /// word does not lift its harder one.
    pub fn gives_way_to(&self, next: &LaneTrouble) -> bool {
        let longer = next.until.zip(self.until).is_some_and(|(next, this)| next > this);
        !self.holds(next.since) || next.pace > self.pace || next.pace == self.pace && longer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_shares_its_lane_and_every_other_domain_has_its_own() {
        let lanes = Lanes::default();
        assert_eq!(lanes.of("wanadoo.fr"), lanes.of("orange.fr"));
        assert_eq!(lanes.of("orange.fr").limits.connections, 2);
        assert_eq!((lanes.of("icloud.com").limits.messages_per_connection, lanes.of("gmail.com").name), (5, "gmail"));
        let other = lanes.of("hotel.example");
        assert_eq!((other.name, other.limits, other.is_family), ("hotel.example", Limits::DEFAULT, false));
    }

    #[test]
    fn no_domain_is_in_two_families() {
        let lanes = Lanes::default();
        assert_eq!(lanes.by_domain.len(), lanes.families.iter().map(|it| it.domains.len()).sum::<usize>());
        assert!(lanes.families.iter().flat_map(|it| &it.domains).all(|domain| *domain == domain.to_lowercase()));
    }
}
