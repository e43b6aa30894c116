//! The first messages of an issue: they are answered before any other leaves, so that an error on our side stops the issue after a few
//! recipients instead of a few dozen (docs/adr/0016). Which they are, and what their answers mean for the rest.

use super::{
    Timestamp,
    classify::{Class, classify},
    delivery::{DeliveryId, Phase, Reply, State},
    lane::Lanes,
};
use std::collections::BTreeMap;

/// Refusals of the content, in whatever lanes, that stop the issue: as many as pause a lane later on.
const CONTENT_REFUSALS: usize = 3;
/// So many of the first messages, if all of them are refused, are no coincidence: with one address in twenty dead, three in a row
/// come about once in eight thousand issues.
const ALL_REFUSED: usize = 3;

/// The first messages of an issue, as the ledger has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canary {
    /// How many they are.
    pub size: u64,
    /// When all of them were answered, and the rest could leave; `None`: not yet.
    pub over_at: Option<Timestamp>,
}

/// Who comes first: `size` of the candidates, spread over their lanes. The largest lanes give one each, then one more each, and so on;
/// within a lane in the given order. The same for the same candidates, whatever daemon asks.
pub fn choose<'a>(candidates: &'a [(DeliveryId, String)], size: usize, lanes: &'a Lanes) -> Vec<&'a DeliveryId> {
    let mut by_lane: BTreeMap<&str, Vec<&DeliveryId>> = BTreeMap::new();
    for (id, domain) in candidates {
        by_lane.entry(lanes.of(domain).name).or_default().push(id);
    }
    let mut by_size: Vec<_> = by_lane.into_values().collect();
    // Stable: of lanes of one size the first by name comes first.
    by_size.sort_by_key(|lane| std::cmp::Reverse(lane.len()));
    let rounds = 0..by_size.first().map_or(0, Vec::len);
    let in_turn = rounds.flat_map(|round| by_size.iter().filter_map(move |lane| lane.get(round).copied()));
    in_turn.take(size).collect()
}

/// What became of one of the first messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub id: DeliveryId,
    pub state: State,
    /// The relay's last refusal, of a delivery that failed.
    pub refusal: Option<(Phase, Reply)>,
}

/// What the answers mean for the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The rest leaves.
    GoOn,
    /// Servers take the content for spam: the issue pauses.
    TakenForSpam,
    /// Every one was refused, in whatever words: the issue pauses, and these are queued again.
    AllRefused(Vec<DeliveryId>),
}

/// Judges the first messages once each has its answer. What a single refusal says of us has paused the issue by then. `resumed`: a
/// person continued the issue after a pause, and so has decided.
pub fn verdict(answers: &[Answer], resumed: bool) -> Verdict {
    let is_content = |it: &&Answer| {
        let refusal = it.refusal.as_ref();
        refusal.is_some_and(|(phase, reply)| classify(*phase, reply).class == Class::Content)
    };
    let failed: Vec<_> = answers.iter().filter(|it| it.state == State::Failed).collect();
    let asked = answers.iter().filter(|it| it.state != State::Suppressed).count();
    let content = failed.iter().copied().filter(is_content).count();
    match resumed {
        true => Verdict::GoOn,
        false if content >= CONTENT_REFUSALS || content > 0 && content == asked => Verdict::TakenForSpam,
        false if failed.len() >= ALL_REFUSED && failed.len() == asked => {
            Verdict::AllRefused(failed.iter().map(|it| it.id.clone()).collect())
        }
        false => Verdict::GoOn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(domains: &[(&str, usize)]) -> Vec<(DeliveryId, String)> {
        let of = |(domain, n): &(&str, usize)| {
            let domain = (*domain).to_owned();
            (0..*n).map(move |n| (DeliveryId(format!("{domain}{n}")), domain.clone())).collect::<Vec<_>>()
        };
        domains.iter().flat_map(of).collect()
    }

    fn chosen(domains: &[(&str, usize)], size: usize) -> Vec<String> {
        let (candidates, lanes) = (candidates(domains), Lanes::default());
        choose(&candidates, size, &lanes).into_iter().map(|it| it.0.clone()).collect()
    }

    #[test]
    fn the_first_ones_are_spread_over_the_lanes_the_largest_first() {
        let list = [("a.example", 1), ("orange.fr", 3), ("wanadoo.fr", 2), ("gmail.com", 3), ("b.example", 1)];
        assert_eq!(chosen(&list, 4), ["orange.fr0", "gmail.com0", "a.example0", "b.example0"]);
        let more = chosen(&list, 7);
        assert_eq!(more[4..], ["orange.fr1", "gmail.com1", "orange.fr2"]);
        assert_eq!(chosen(&list, 100).len(), 10, "everybody, once");
        assert_eq!(chosen(&[("orange.fr", 5)], 3), ["orange.fr0", "orange.fr1", "orange.fr2"]);
        assert!(chosen(&[], 3).is_empty() && chosen(&list, 0).is_empty());
    }

    fn answer(state: State, said: &str) -> Answer {
        let refusal = (state == State::Failed).then(|| (Phase::Dot, Reply::new(550, said)));
        Answer { id: DeliveryId(said.to_owned()), state, refusal }
    }

    #[test]
    fn the_rest_waits_only_where_the_fault_is_ours() {
        let (sent, later, doubt) = (answer(State::Sent, ""), answer(State::Queued, ""), answer(State::Unknown, ""));
        let (dead, spam) = (answer(State::Failed, "5.1.1 user unknown"), answer(State::Failed, "5.2.0 spam detected"));
        let all = |of: &[&Answer]| verdict(&of.iter().map(|it| (*it).clone()).collect::<Vec<_>>(), false);
        assert_eq!(all(&[&sent, &sent, &dead, &dead, &dead]), Verdict::GoOn);
        assert_eq!(all(&[&later, &later, &later]), Verdict::GoOn, "a deferral is an answer");
        assert_eq!(all(&[&doubt, &dead, &dead]), Verdict::GoOn, "one may have arrived");
        assert_eq!(all(&[&dead, &dead]), Verdict::GoOn, "two dead addresses are possible");
        assert_eq!(all(&[&dead, &dead, &dead]), Verdict::AllRefused(vec![dead.id.clone(); 3]));
        assert_eq!(all(&[&sent, &spam, &spam, &sent]), Verdict::GoOn, "two filters may be wrong");
        assert_eq!(all(&[&sent, &spam, &spam, &spam]), Verdict::TakenForSpam);
        assert_eq!(all(&[&spam]), Verdict::TakenForSpam);
        assert_eq!(verdict(&[spam.clone(), spam.clone(), spam], true), Verdict::GoOn, "a person has decided");
        assert_eq!(all(&[]), Verdict::GoOn);
    }
}
