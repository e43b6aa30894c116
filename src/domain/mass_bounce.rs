//! Bounces that come back alike for very many recipients of one issue are about us, the relay or the provider, and not about the
//! recipients (docs/adr/0017). A pure function of numbers, so that the order in which they are read makes no difference.

use super::{Timestamp, issue::IssueKey};

/// So many at least: as many as pause an issue one after another (docs/adr/0012).
const LEAST: u64 = 5;
/// One in so many of the messages that were handed over, at the least. Lists that were not written to for years have one dead
/// address in five.
const ONE_IN: u64 = 3;
/// Of the messages to one family of recipients, three in four: a single provider's words are alike for each dead address.
const OF_FAMILY: (u64, u64) = (3, 4);

/// Recipients of one issue whose messages came back in the same words, each counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    pub recipients: u64,
    /// Their domains.
    pub domains: u64,
    /// Messages of the issue that were handed over until now, or may have been.
    pub handed_over: u64,
}

/// Whether the relay, or all servers behind it, return what they are given. The words of one domain alone may be true.
pub fn is_of_the_relay(it: &Returned) -> bool {
    it.recipients >= LEAST && it.domains > 1 && it.recipients.saturating_mul(ONE_IN) >= it.handed_over
}

/// As many messages of one family as it takes to know whether it returns nearly all: if so many were handed over to it, these
/// `recipients` are too few. `None`: they are too few whatever the number.
pub fn too_many_for_family(recipients: u64) -> Option<u64> {
    (recipients >= LEAST).then(|| recipients.saturating_mul(OF_FAMILY.1) / OF_FAMILY.0 + 1)
}

/// Whether the provider of a family of recipients returns nearly all that it is given.
pub fn is_of_the_provider(recipients: u64, handed_over: u64) -> bool {
    too_many_for_family(recipients).is_some_and(|most| handed_over < most)
}

/// What was found: it stays, whatever is sent afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MassBounce {
    pub issue: IssueKey,
    /// The family of recipients whose provider returned them; `None`: the relay, or all.
    pub family: Option<String>,
    /// [`super::alike::Said::key`]
    pub alike: String,
    /// The words of one of them; addresses masked.
    pub said: String,
    /// How many had come back by then.
    pub recipients: u64,
    pub found_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(recipients: u64, domains: u64, handed_over: u64) -> bool {
        is_of_the_relay(&Returned { recipients, domains, handed_over })
    }

    #[test]
    fn many_alike_across_domains_are_about_us_and_a_few_dead_addresses_are_not() {
        assert!(relay(60, 40, 60) && relay(20, 2, 60) && relay(5, 2, 6) && relay(10_000, 3000, 10_000));
        assert!(!relay(3, 3, 60) && !relay(4, 4, 4), "a few");
        assert!(!relay(19, 9, 60) && !relay(500, 300, 10_000), "a list with dead addresses");
        assert!(!relay(60, 1, 60), "a domain that is gone");
    }

    #[test]
    fn a_provider_that_returns_nearly_all_is_at_fault() {
        assert!(is_of_the_provider(5, 5) && is_of_the_provider(15, 20) && is_of_the_provider(20, 20));
        assert!(!is_of_the_provider(4, 4) && !is_of_the_provider(14, 20) && !is_of_the_provider(5, 100));
        for recipients in 0..200 {
            for handed_over in recipients..400 {
                let known = too_many_for_family(recipients).map(|most| handed_over.min(most));
                let same = known.is_some_and(|capped| is_of_the_provider(recipients, capped));
                assert_eq!(same, is_of_the_provider(recipients, handed_over), "counting may stop there");
            }
        }
    }

    /// Of one number of messages that were handed over: a further bounce never takes it back.
    #[test]
    fn the_order_of_bounces_makes_no_difference() {
        for handed_over in 1..80 {
            for domains in 1..3 {
                let found: Vec<_> = (0..=handed_over).map(|n| relay(n, domains.min(n), handed_over)).collect();
                assert!(found.is_sorted(), "{handed_over}: {found:?}");
                assert!((0..=handed_over).map(|n| is_of_the_provider(n, handed_over)).is_sorted());
            }
        }
    }
}
