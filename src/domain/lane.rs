//! Lanes: throttling per family of recipient domains. Only data and its lookup; `deliver` decides what waits.
//!
//! Limits are per provider, not per relay: a family that says "too many connections" slows down without delaying the
//! others.

use super::{Timestamp, issue::IssueKey};
use std::collections::HashMap;

/// The limits of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum concurrent messages to this family, each on a connection of its own.
    pub connections: usize,
    /// Maximum messages to this family per connection.
    pub messages_per_connection: u32,
    /// `None`: unlimited.
    pub per_minute: Option<u32>,
}

impl Limits {
    /// For a domain of no family: KumoMTA's default shaping.
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

/// Name, connections, messages per connection, domains. Orange and La Poste publish two connections and a hundred
/// messages; Gmail, Outlook, Yahoo, iCloud and GMX are from KumoMTA's shaping of August 2026; SFR's and Free's are
/// conservative guesses.
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

/// All families, and the limits of other domains.
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

    /// The lane of a recipient's domain: its family, or the domain itself.
    pub fn of<'a>(&'a self, domain: &'a str) -> Lane<'a> {
        match self.by_domain.get(domain).and_then(|n| self.families.get(*n)) {
            Some(family) => Lane { name: &family.name, limits: family.limits, is_family: true },
            None => Lane { name: domain, limits: self.others, is_family: false },
        }
    }
}

/// The lane of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane<'a> {
    pub name: &'a str,
    pub limits: Limits,
    /// Or a domain without a family.
    pub is_family: bool,
}

/// The pace of a lane that is not open; the stricter ones last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// One connection.
    Slow,
    /// No messages, for a time.
    Suspended,
    /// No messages until a person reopens it.
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

/// Why a lane is not open. Stored in the ledger, because a restart does not change the provider's view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneTrouble {
    pub lane: String,
    pub pace: Pace,
    /// The provider's words, or our own in French if a person must act.
    pub why: String,
    pub since: Timestamp,
    /// `None`: until a person reopens it.
    pub until: Option<Timestamp>,
    /// The issue in which it occurred.
    pub issue: IssueKey,
    /// It only applies to that issue.
    pub only_issue: bool,
    /// Number of suspensions in a row before, with nothing accepted in between.
    pub step: u32,
    /// For a slow lane: maximum messages per minute.
    pub per_minute: Option<u32>,
}

impl LaneTrouble {
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether `next` replaces it: if its own time has passed, or `next` is stricter. A later, milder reply of the provider
    /// does not lift a stricter one.
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
