//! Detects that consecutive recipients are refused with the same reply. Without an acceptance in between, the cause is on the
//! sender's side, however [`crate::domain::classify`] classified it: an unknown host name, a quota, a misconfigured relay. Counted in
//! memory, per issue, and per lane if the reply comes from the recipients' servers; [`super::run`] acts on it.

use crate::domain::{
    alike::Said,
    classify::Class,
    delivery::{Finished, Outcome, Phase, Reply},
    issue::IssueKey,
};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Number of consecutive recipients. With one dead address in twenty, five in a row occur once in three million.
const IN_A_ROW: usize = 5;

/// One recipient's refusal.
#[derive(Debug)]
pub(super) struct Refusal {
    said: Said,
    domain: String,
    /// The lane of a family of recipients.
    family: Option<Arc<str>>,
    /// According to the tables it concerns this recipient: a dead address, a full mailbox.
    pub names_the_person: bool,
    /// The original reply.
    pub text: String,
}

impl Refusal {
    /// `None` if the delivery was not refused. A 5xx that only defers (bad sequence of commands) counts too: it would be repeated
    /// for each message.
    pub fn of(finished: &Finished, class: Option<Class>, family: Option<Arc<str>>) -> Option<Self> {
        let Finished { claim, phase, reply, outcome, .. } = finished;
        let refused = match outcome {
            Outcome::Refused { .. } => reply.code.is_some(),
            Outcome::Deferred { .. } => reply.code >= Some(500),
            Outcome::Accepted | Outcome::SenderFault { .. } | Outcome::Unknown => false,
        };
        refused.then(|| Self {
            said: Said::of(*phase, reply),
            domain: claim.recipient.address.domain().to_owned(),
            family,
            names_the_person: class == Some(Class::Hard) || names_the_mailbox(reply),
            text: reply.said(),
        })
    }

    pub fn family(&self) -> Option<&Arc<str>> {
        self.family.as_ref()
    }

    /// Whether another recipient was refused with the same reply.
    pub fn is_like(&self, phase: Phase, reply: &Reply) -> bool {
        self.said == Said::of(phase, reply)
    }
}

/// The side that refuses all recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refuses {
    /// The relay, or every server behind it: the issue pauses.
    Relay,
    /// The servers of one family of recipients: its lane pauses.
    Family(Arc<str>),
}

/// Identical refusals since the last acceptance.
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

    /// Resets the counters after an acceptance.
    pub fn accepted(&self, issue: &IssueKey, family: Option<&Arc<str>>) {
        let mut state = self.state();
        if !state.by_issue.is_empty() {
            state.by_issue.remove(issue);
        }
        if let Some(family) = family.filter(|_| !state.by_family.is_empty()) {
            state.by_family.remove(&(issue.clone(), Arc::clone(family)));
        }
    }

    /// Counts a refusal. `Some`: the limit is reached.
    ///
    /// Refusals that concern the recipient count only across domains, since one domain may have several dead addresses in a row.
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

/// RFC 3463: subject 2 is the mailbox.
fn names_the_mailbox(reply: &Reply) -> bool {
    let text = reply.text.to_lowercase();
    reply.enhanced.as_deref().is_some_and(|enhanced| enhanced.starts_with("5.2."))
        || ["mailbox", "quota"].iter().any(|word| text.contains(word))
}
