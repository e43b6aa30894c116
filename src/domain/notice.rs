//! Notices to staff, as data; worded in [`crate::notices`].

use super::lane::Pace;
use chrono::TimeDelta;

/// At most one of each kind is queued per issue, except one per pause and one per refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    Held {
        /// In French, like all reasons here: a clause without full stop.
        reason: String,
    },
    /// Not approved before its hour.
    Unapproved,
    /// A held issue was sent after all.
    Resolved(Cure),
    Expired {
        reason: String,
    },
    /// It is not sent, or another one is sent instead.
    Missed {
        reason: String,
    },
    /// It was sent without these optional sources, each with the reason.
    Incomplete {
        missing: Vec<String>,
    },
    Paused {
        reason: String,
    },
    /// Staff see what will leave by itself. `relay`: why it does not take mail now.
    Rehearsed {
        short_hash: String,
        /// Optional sources that it goes without, each with the reason.
        missing: Vec<String>,
        relay: Option<String>,
    },
    /// It left, and not quite as it was rehearsed.
    Changed {
        lines: Vec<String>,
    },
    /// A person refused the content, or took back its approval, at this time (epoch milliseconds): staff are notified each time.
    Refused {
        at_ms: i64,
        /// Who, and why.
        reason: String,
    },
    /// The relay as a whole failed.
    Relay {
        what: String,
    },
    /// A lane is suspended or paused. `family`: `None` for all domains without a family, with one notice for all.
    Lane {
        pace: Pace,
        family: Option<String>,
        what: String,
    },
    /// Messages of an issue that has left came back alike, for very many recipients: it is about us, or about the provider of a
    /// family (`family`; `None`: the relay).
    Returned {
        family: Option<String>,
        what: String,
    },
    /// Staff are asked to approve the content with this short hash.
    ApprovalAsked {
        short_hash: String,
        /// Other content of the issue was presented before.
        changed: bool,
    },
    /// A partner placed, changed or cancelled an order. The words are made from the order when the mail is written, so that
    /// nothing of a person who is erased meanwhile is kept here.
    Ordered,
    /// Once a year: how many contacts gave no sign of life for years. Counted when the mail is written.
    Silent,
    /// On the evening before: what leaves, to how many, and what is missing. Worded when the mail is written.
    Eve,
    /// After it left: what was handed over, what was refused, what is to be decided. Worded when the mail is written, so that
    /// nothing of a person is kept here.
    Summary,
}

/// Orders are reported together: at most one mail in this time.
pub const ORDERS_EVERY: TimeDelta = TimeDelta::hours(1);

/// What ended a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cure {
    ArticleComplete,
    EditionReady,
    Approved,
}

impl Cure {
    const ALL: [Cure; 3] = [Cure::ArticleComplete, Cure::EditionReady, Cure::Approved];

    fn as_str(self) -> &'static str {
        match self {
            Cure::ArticleComplete => "article_complete",
            Cure::EditionReady => "edition_ready",
            Cure::Approved => "approved",
        }
    }
}

/// Separator between missing sources in the stored text.
const SEPARATOR: &str = "\u{a0}; ";
const CHANGED: &str = "changed";
const RELAY: &str = "relay: ";

impl Notice {
    /// All kind names, as templates use them.
    pub const NAMES: [&str; 18] = [
        "held",
        "unapproved",
        "resolved",
        "expired",
        "missed",
        "incomplete",
        "paused",
        "rehearsed",
        "changed",
        "refused",
        "relay",
        "lane",
        "returned",
        "approval",
        "ordered",
        "silent",
        "eve",
        "summary",
    ];

    pub fn name(&self) -> &'static str {
        match self {
            Notice::Held { .. } => "held",
            Notice::Unapproved => "unapproved",
            Notice::Resolved(_) => "resolved",
            Notice::Expired { .. } => "expired",
            Notice::Missed { .. } => "missed",
            Notice::Incomplete { .. } => "incomplete",
            Notice::Paused { .. } => "paused",
            Notice::Rehearsed { .. } => "rehearsed",
            Notice::Changed { .. } => "changed",
            Notice::Refused { .. } => "refused",
            Notice::Relay { .. } => "relay",
            Notice::Lane { .. } => "lane",
            Notice::Returned { .. } => "returned",
            Notice::ApprovalAsked { .. } => "approval",
            Notice::Ordered => "ordered",
            Notice::Silent => "silent",
            Notice::Eve => "eve",
            Notice::Summary => "summary",
        }
    }

    /// How long it may be pending, to be sent together with others.
    pub fn may_wait(&self) -> TimeDelta {
        match self {
            Notice::Ordered => ORDERS_EVERY,
            _ => TimeDelta::zero(),
        }
    }

    /// The deduplication key: the name, and what distinguishes two of the same name.
    pub fn kind(&self) -> String {
        match self {
            Notice::Lane { pace, family: Some(family), .. } => format!("lane-{}-{family}", pace.as_str()),
            Notice::Lane { pace, family: None, .. } => format!("lane-{}", pace.as_str()),
            Notice::Returned { family: Some(family), .. } => format!("returned-{family}"),
            Notice::ApprovalAsked { short_hash, .. } => format!("approval-{short_hash}"),
            Notice::Rehearsed { short_hash, .. } => format!("rehearsed-{short_hash}"),
            Notice::Refused { at_ms, .. } => format!("refused-{at_ms}"),
            other => other.name().to_owned(),
        }
    }

    /// The other data, stored beside [`Notice::kind`].
    pub fn text(&self) -> String {
        match self {
            Notice::Held { reason }
            | Notice::Expired { reason }
            | Notice::Missed { reason }
            | Notice::Paused { reason }
            | Notice::Refused { reason, .. } => reason.clone(),
            Notice::Relay { what } | Notice::Lane { what, .. } | Notice::Returned { what, .. } => what.clone(),
            Notice::Incomplete { missing } => missing.join(SEPARATOR),
            Notice::Rehearsed { missing, relay, .. } => {
                let relay = relay.iter().map(|relay| format!("{RELAY}{relay}"));
                relay.chain(missing.iter().cloned()).collect::<Vec<_>>().join("\n")
            }
            Notice::Changed { lines } => lines.join("\n"),
            Notice::Resolved(cure) => cure.as_str().to_owned(),
            Notice::ApprovalAsked { changed: true, .. } => CHANGED.to_owned(),
            Notice::Unapproved
            | Notice::Ordered
            | Notice::Silent
            | Notice::Eve
            | Notice::Summary
            | Notice::ApprovalAsked { changed: false, .. } => String::new(),
        }
    }

    /// From [`Notice::kind`] and [`Notice::text`]; `None` if they are invalid.
    pub fn parse(kind: &str, text: String) -> Option<Self> {
        let (name, rest) = kind.split_once('-').map_or((kind, None), |(name, rest)| (name, Some(rest)));
        Some(match (name, rest) {
            ("held", None) => Notice::Held { reason: text },
            ("unapproved", None) => Notice::Unapproved,
            ("resolved", None) => Notice::Resolved(Cure::ALL.into_iter().find(|cure| cure.as_str() == text)?),
            ("expired", None) => Notice::Expired { reason: text },
            ("missed", None) => Notice::Missed { reason: text },
            ("incomplete", None) => Notice::Incomplete { missing: text.split(SEPARATOR).map(str::to_owned).collect() },
            ("paused", None) => Notice::Paused { reason: text },
            ("relay", None) => Notice::Relay { what: text },
            ("returned", family) => Notice::Returned { family: family.map(str::to_owned), what: text },
            ("lane", Some(rest)) => {
                let (pace, family) = rest.split_once('-').map_or((rest, None), |(pace, family)| (pace, Some(family)));
                let pace = Pace::ALL.into_iter().find(|known| known.as_str() == pace)?;
                Notice::Lane { pace, family: family.map(str::to_owned), what: text }
            }
            ("rehearsed", Some(hash)) => {
                let (mut missing, mut relay) = (Vec::new(), None);
                for line in text.lines() {
                    match line.strip_prefix(RELAY) {
                        Some(trouble) => relay = Some(trouble.to_owned()),
                        None => missing.push(line.to_owned()),
                    }
                }
                Notice::Rehearsed { short_hash: hash.to_owned(), missing, relay }
            }
            ("ordered", None) => Notice::Ordered,
            ("silent", None) => Notice::Silent,
            ("eve", None) => Notice::Eve,
            ("summary", None) => Notice::Summary,
            ("changed", None) => Notice::Changed { lines: text.lines().map(str::to_owned).collect() },
            ("refused", Some(at)) => Notice::Refused { at_ms: at.parse().ok()?, reason: text },
            ("approval", Some(hash)) => Notice::ApprovalAsked { short_hash: hash.to_owned(), changed: text == CHANGED },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_notice_is_read_back() {
        let reason = || "rien n’est annoncé".to_owned();
        let lane =
            |pace, family: Option<&str>| Notice::Lane { pace, family: family.map(str::to_owned), what: reason() };
        let asked = |changed| Notice::ApprovalAsked { short_hash: "c0ffee".to_owned(), changed };
        let all = [
            Notice::Held { reason: reason() },
            Notice::Unapproved,
            Notice::Resolved(Cure::ArticleComplete),
            Notice::Resolved(Cure::EditionReady),
            Notice::Resolved(Cure::Approved),
            Notice::Expired { reason: reason() },
            Notice::Missed { reason: reason() },
            Notice::Incomplete { missing: vec![reason(), "l’agenda".to_owned()] },
            Notice::Paused { reason: reason() },
            Notice::Relay { what: reason() },
            lane(Pace::Suspended, Some("la-poste")),
            lane(Pace::Paused, None),
            Notice::Returned { family: None, what: reason() },
            Notice::Returned { family: Some("la-poste".to_owned()), what: reason() },
            asked(false),
            asked(true),
            Notice::Rehearsed { short_hash: "c0ffee".to_owned(), missing: Vec::new(), relay: None },
            Notice::Rehearsed {
                short_hash: "c0ffee".to_owned(),
                missing: vec![reason(), "l’agenda".to_owned()],
                relay: Some("connect: refused".to_owned()),
            },
            Notice::Ordered,
            Notice::Silent,
            Notice::Eve,
            Notice::Summary,
            Notice::Changed { lines: vec!["− Bal".to_owned(), "+ Bal à 21 h".to_owned()] },
            Notice::Refused { at_ms: 1_783_148_400_000, reason: reason() },
        ];
        for notice in &all {
            assert_eq!(Notice::parse(&notice.kind(), notice.text()).as_ref(), Some(notice));
            assert!(Notice::NAMES.contains(&notice.name()));
        }
        assert_eq!(lane(Pace::Suspended, Some("f")).kind(), "lane-suspended-f");
        for unknown in ["helt", "lane", "lane-fast", "approval", "held-x"] {
            assert_eq!(Notice::parse(unknown, String::new()), None, "{unknown}");
        }
    }
}
