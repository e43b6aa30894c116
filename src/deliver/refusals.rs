//! The same refusal for one recipient after another, without one acceptance between, is about us, whatever the tables of
//! [`super::classify()`] say of it: a name that is not recognised, a quota, a misconfigured relay. Counted here, in memory, per
//! issue, and per lane where the recipients' servers speak for themselves; what follows is in [`super::run`].

use super::classify::Class;
use crate::domain::{
    delivery::{Finished, Outcome, Phase, Reply},
    issue::IssueKey,
};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many recipients in a row. With one dead address in twenty, five in a row come about once in three million.
const IN_A_ROW: usize = 5;

/// A refusal without what is the recipient's own: two that are alike say the same thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Said {
    phase: Phase,
    code: Option<u16>,
    enhanced: Option<String>,
    words: Vec<String>,
}

impl Said {
    fn of(phase: Phase, reply: &Reply) -> Self {
        Self { phase, code: reply.code, enhanced: reply.enhanced.clone(), words: words(&reply.text) }
    }
}

/// One recipient's refusal.
#[derive(Debug)]
pub(super) struct Refusal {
    said: Said,
    domain: String,
    /// The lane of a family of recipients.
    family: Option<Arc<str>>,
    /// The tables know that it is about this person: a dead address, a full mailbox.
    pub names_the_person: bool,
    /// The reply as it was.
    pub text: String,
}

impl Refusal {
    /// `None` where it is none. "Out of step", a 5xx that only defers, leads nowhere at each message either.
    pub fn of(finished: &Finished, class: Option<Class>, family: Option<Arc<str>>) -> Option<Self> {
        let Finished { claim, phase, reply, outcome, .. } = finished;
        let refused = match outcome {
            Outcome::Refused { .. } => reply.code.is_some(),
            Outcome::Deferred { .. } => reply.code >= Some(500),
            Outcome::Accepted | Outcome::Ours { .. } | Outcome::Unknown => false,
        };
        refused.then(|| Self {
            said: Said::of(*phase, reply),
            domain: claim.recipient.address.domain().to_owned(),
            family,
            names_the_person: class == Some(Class::Hard) || names_the_mailbox(reply),
            text: reply.said(),
        })
    }

    /// Whether somebody else was refused in the same way.
    pub fn is_like(&self, phase: Phase, reply: &Reply) -> bool {
        self.said == Said::of(phase, reply)
    }
}

/// The words of a reply in lower case, without addresses, hosts, numbers and queue ids.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let mut words = Vec::new();
    let mut rest = text.as_str();
    while let Some(open) = rest.find('<') {
        words.extend(plain_words(&rest[..open]));
        rest = rest[open..].split_once('>').map_or("", |(_, after)| after);
    }
    words.extend(plain_words(rest));
    words
}

fn plain_words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty() && !word.chars().any(|c| c.is_ascii_digit() || matches!(c, '@' | '.' | '=')))
        .map(str::to_owned)
}

/// Who refuses everyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refuses {
    /// The relay, or every server behind it: the issue.
    Relay,
    /// The servers of one family of recipients, by its lane.
    Family(Arc<str>),
}

/// Refusals that are alike, since the last acceptance.
#[derive(Default)]
struct Alike {
    recipients: usize,
    domains: HashSet<String>,
}

impl Alike {
    fn add(&mut self, domain: &str) {
        self.recipients += 1;
        if !self.domains.contains(domain) {
            self.domains.insert(domain.to_owned());
        }
    }
}

/// Refusals of one run since the last acceptance.
#[derive(Default)]
pub(super) struct Refusals(Mutex<State>);

#[derive(Default)]
struct State {
    by_issue: HashMap<IssueKey, HashMap<Said, Alike>>,
    by_family: HashMap<(IssueKey, Arc<str>), HashMap<Said, Alike>>,
}

impl Refusals {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody accepted.
    pub fn accepted(&self, issue: &IssueKey, family: Option<&Arc<str>>) {
        let mut state = self.state();
        if !state.by_issue.is_empty() {
            state.by_issue.remove(issue);
        }
        if let Some(family) = family.filter(|_| !state.by_family.is_empty()) {
            state.by_family.remove(&(issue.clone(), Arc::clone(family)));
        }
    }

    /// Somebody refused. `Some`: it is one refusal too many of this kind.
    ///
    /// What is about a person counts only across domains: dead addresses may well come in a row at one of them.
    pub fn refused(&self, issue: &IssueKey, refusal: &Refusal) -> Option<Refuses> {
        let mut state = self.state();
        let alike = state.by_issue.entry(issue.clone()).or_default().entry(refusal.said.clone()).or_default();
        alike.add(&refusal.domain);
        if alike.recipients >= IN_A_ROW && alike.domains.len() > 1 {
            return Some(Refuses::Relay);
        }
        let family = refusal.family.as_ref().filter(|_| !refusal.names_the_person)?;
        let key = (issue.clone(), Arc::clone(family));
        let alike = state.by_family.entry(key).or_default().entry(refusal.said.clone()).or_default();
        alike.add(&refusal.domain);
        (alike.recipients >= IN_A_ROW).then(|| Refuses::Family(Arc::clone(family)))
    }
}

/// RFC 3463: 2 is the mailbox.
fn names_the_mailbox(reply: &Reply) -> bool {
    let text = reply.text.to_lowercase();
    reply.enhanced.as_deref().is_some_and(|enhanced| enhanced.starts_with("5.2."))
        || ["mailbox", "quota"].iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Said {
        Said::of(Phase::Rcpt, &Reply { code: Some(550), enhanced: None, text: text.to_owned() })
    }

    #[test]
    fn what_is_the_recipients_own_makes_no_difference() {
        let same = [
            "550 <a@hotel.example>: Recipient address rejected: Access denied (id 4F3A9)",
            "550 <b@gite.example>: Recipient address rejected: Access denied (id 77B0C)",
            "550 <c@mairie.example>: recipient address rejected: access denied. (id 1)",
        ];
        assert!(same.iter().all(|text| said(text) == said(same[0])), "{:?}", said(same[0]));
        assert_ne!(said("550 mailbox full"), said("550 user unknown"));
        assert_ne!(said("550 no"), Said::of(Phase::Dot, &Reply { code: Some(550), enhanced: None, text: "no".into() }));
    }
}
