//! Deliveries with the relay's words in French, the raw line beside.

use super::{Label, Reading, When, issue_href, label_of_delivery, person_href};
use crate::domain::{delivery::State, issue::IssueKey};
use crate::notices::replies::{
    Meaning, feedback_in_french, meaning_of, note_in_french, outcome_in_french, phase_in_french,
};
use crate::store::{LogFilter, LoggedAttempt, LoggedDelivery, StoreError};
use serde::Serialize;

/// Rows of one page.
pub const PAGE: u32 = 50;

/// A delivery with its attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryView {
    pub issue: IssueKey,
    pub issue_href: String,
    /// The establishment, else the name, else the address.
    pub who: String,
    pub name: String,
    pub address: String,
    pub person_href: Option<String>,
    pub label: Label,
    /// When it is tried again.
    pub next_at: Option<When>,
    pub changed_at: When,
    /// Under the state, in French; empty for nothing.
    pub note: String,
    pub resends: u32,
    /// Newest first.
    pub attempts: Vec<AttemptView>,
    pub message_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptView {
    pub n: u32,
    pub at: When,
    /// What became of it, in French.
    pub outcome: &'static str,
    /// How far it came, and what the reply means, in French; empty for an acceptance.
    pub meaning: String,
    /// The reply as it came: `550 5.1.1 no such user`; empty if there was none.
    pub raw: String,
}

/// What a reply means.
fn meaning(attempt: &LoggedAttempt) -> Meaning {
    let text = attempt.text.as_deref().unwrap_or_default();
    meaning_of(attempt.phase, attempt.code, attempt.enhanced.as_deref(), text)
}

impl AttemptView {
    fn new(it: &Reading<'_>, attempt: &LoggedAttempt) -> Self {
        let meaning = match attempt.outcome.as_str() {
            "accepted" | "resolved" => String::new(),
            "in_flight" => phase_in_french(attempt.phase).to_owned(),
            // The phase says more than the words of a connection that broke.
            "unknown" => Meaning::NoReply(attempt.phase).in_french(),
            _ => meaning(attempt).in_french(),
        };
        let said = [
            attempt.code.map(|code| code.to_string()),
            attempt.enhanced.clone(),
            attempt.text.clone().filter(|text| !text.is_empty()),
        ];
        Self {
            n: attempt.n,
            at: it.when(attempt.at),
            outcome: outcome_in_french(&attempt.outcome),
            meaning: if attempt.outcome == "in_flight" { String::new() } else { meaning },
            raw: said.into_iter().flatten().collect::<Vec<_>>().join(" "),
        }
    }
}

impl DeliveryView {
    pub fn new(it: &Reading<'_>, delivery: &LoggedDelivery) -> Self {
        let who = [&delivery.establishment, &delivery.name, &delivery.address];
        let who = who.into_iter().find(|text| !text.is_empty()).cloned().unwrap_or_default();
        let attempts: Vec<_> = delivery.attempts.iter().rev().map(|attempt| AttemptView::new(it, attempt)).collect();
        let last = attempts.first().map(|attempt| attempt.meaning.clone()).filter(|text| !text.is_empty());
        let note = match delivery.state {
            State::Queued | State::Failed => last,
            // What came back is what makes the row true.
            _ if !delivery.feedback.is_empty() => delivery.feedback.last().map(feedback_in_french),
            state => note_in_french(state).map(str::to_owned),
        };
        Self {
            issue: delivery.issue.clone(),
            issue_href: issue_href(&delivery.issue),
            who,
            name: delivery.name.clone(),
            address: delivery.address.clone(),
            person_href: person_href(&delivery.contact_id),
            label: label_of_delivery(delivery.state, !delivery.attempts.is_empty()),
            next_at: delivery.next_at.filter(|_| !delivery.attempts.is_empty()).map(|at| it.when(at)),
            changed_at: it.when(delivery.changed_at),
            note: note.unwrap_or_default(),
            resends: delivery.resends,
            attempts,
            message_id: delivery.message_id.clone(),
        }
    }
}

/// A page of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Journal {
    pub rows: Vec<DeliveryView>,
    /// What a state of these rows means, in French: once for all of them.
    pub legend: Vec<(Label, &'static str)>,
    /// The value of `apres=` of the next page.
    pub more: Option<String>,
}

/// What changed last comes first.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn page(it: &Reading<'_>, filter: LogFilter) -> Result<Journal, StoreError> {
    let filter = LogFilter { limit: Some(PAGE + 1), newest_first: true, ..filter };
    let mut log = it.store.log(&filter).await?;
    let more = log.len() > PAGE as usize;
    log.truncate(PAGE as usize);
    let more = log.last().filter(|_| more).map(|last| last.mark().to_string());
    let mut rows: Vec<_> = log.iter().map(|delivery| DeliveryView::new(it, delivery)).collect();
    let mut legend: Vec<(Label, &'static str)> = Vec::new();
    for (row, delivery) in rows.iter_mut().zip(&log) {
        let Some(meaning) = note_in_french(delivery.state) else { continue };
        if delivery.feedback.is_empty() {
            row.note.clear();
        }
        if !legend.iter().any(|(label, _)| *label == row.label) {
            legend.push((row.label, meaning));
        }
    }
    Ok(Journal { rows, legend, more })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::Phase;

    /// One of each of the twelve.
    #[test]
    fn a_reply_is_told_in_words_that_can_be_read_out_on_the_telephone() {
        let said = |phase, code, enhanced: &str, text: &str| {
            let attempt = LoggedAttempt {
                n: 1,
                at: crate::domain::Timestamp::default(),
                phase,
                code,
                enhanced: (!enhanced.is_empty()).then(|| enhanced.to_owned()),
                text: Some(text.to_owned()),
                outcome: "refused".to_owned(),
            };
            meaning(&attempt).in_french()
        };
        for (code, enhanced, text, expected) in [
            (550, "5.1.1", "no such user", "n’existe pas"),
            (550, "5.1.1", "Adresse d au moins un destinataire invalide. OFR_416 [416]", "n’existe pas"),
            (552, "5.1.1", "Boite du destinataire pleine. OFR_417 [417]", "boîte pleine"),
            (452, "4.2.2", "over quota", "boîte pleine"),
            (550, "5.1.1", "OFR_420 mailbox", "abandonnée"),
            (421, "", "Trop de connexions OFR_104", "on ralentit"),
            (450, "", "Too many invalid recipients OFR_105", "fait attendre"),
            (550, "5.7.1", "listed by Spamhaus", "liste noire"),
            (550, "5.7.1", "DMARC policy", "n’est pas reconnu"),
            (550, "", "Mail rejete OFR_506 [506]", "indésirable"),
            (552, "5.3.4", "message size exceeds limit", "trop lourd"),
            (550, "5.7.1", "SFR_IN_103", "SFR bloque"),
            (535, "5.7.8", "authentication failed", "mot de passe"),
            (550, "5.4.1", "xyzzy", "réponse inhabituelle"),
        ] {
            let words = said(Phase::Rcpt, Some(code), enhanced, text);
            assert!(words.contains(expected), "{code} {enhanced} {text}: {words}");
        }
        assert!(said(Phase::Dot, None, "", "").contains("peut-être parti"));
        assert!(said(Phase::Body, None, "", "").contains("certainement pas parti"));
        assert!(said(Phase::Connect, None, "", "").contains("n’a pas répondu"));
    }
}
