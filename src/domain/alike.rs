//! Refusals that are alike: equal but for what is each recipient's own. Used where one refusal after another is counted
//! ([`crate::deliver`], docs/adr/0012), and where they come back by mail ([`super::mass_bounce`], docs/adr/0017).

use super::delivery::{Phase, Reply};

/// Maximum characters of [`Said::key`].
const KEY: usize = 300;

/// A refusal without the parts that depend on the recipient: equal values have the same cause.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Said {
    phase: Phase,
    code: Option<u16>,
    enhanced: Option<String>,
    words: Vec<String>,
}

impl Said {
    pub fn of(phase: Phase, reply: &Reply) -> Self {
        Self { phase, code: reply.code, enhanced: reply.enhanced.clone(), words: words(&reply.text) }
    }

    /// As one line for the ledger: `550 5.1.1 recipient address rejected user unknown`; never empty.
    pub fn key(&self) -> String {
        let code = self.code.map_or_else(|| "-".to_owned(), |code| code.to_string());
        let parts = [code].into_iter().chain(self.enhanced.clone()).chain(self.words.iter().cloned());
        parts.collect::<Vec<_>>().join(" ").chars().take(KEY).collect()
    }
}

/// The words of a reply in lower case, without addresses, quoted names, host names, numbers and queue ids.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let mut words = Vec::new();
    let mut rest = text.as_str();
    while let Some(open) = rest.find(['<', '"']) {
        words.extend(plain_words(&rest[..open]));
        let close = if rest[open..].starts_with('<') { '>' } else { '"' };
        rest = rest[open + 1..].split_once(close).map_or("", |(_, after)| after);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Said {
        Said::of(Phase::Rcpt, &Reply { code: Some(550), enhanced: None, text: text.to_owned() })
    }

    #[test]
    fn refusals_that_differ_only_in_the_recipient_are_equal() {
        let same = [
            "550 <a@hotel.example>: Recipient address rejected: Access denied (id 4F3A9)",
            "550 <b@gite.example>: Recipient address rejected: Access denied (id 77B0C)",
            "550 <c@mairie.example>: recipient address rejected: access denied. (id 1)",
        ];
        assert!(same.iter().all(|text| said(text) == said(same[0])), "{:?}", said(same[0]));
        assert_eq!(said("unknown user: \"accueil\" here"), said("unknown user: \"contact\" here"));
        assert_ne!(said("550 mailbox full"), said("550 user unknown"));
        assert_ne!(said("550 no"), Said::of(Phase::Dot, &Reply { code: Some(550), enhanced: None, text: "no".into() }));
        for odd in ["<", "\"", "<\"", "\"<a>", "é\"", "<é"] {
            said(odd);
        }
    }

    #[test]
    fn the_key_is_that_of_what_is_alike_and_never_empty() {
        let of = |text: &str| Said::of(Phase::Rcpt, &Reply::new(550, text)).key();
        assert_eq!(of("5.1.1 <a@b.example>: User unknown"), "550 5.1.1 user unknown");
        assert_eq!(of("5.1.1 <a@b.example>: User unknown"), of("5.1.1 <c@d.example>: user unknown."));
        assert_eq!(Said::of(Phase::Rcpt, &Reply::default()).key(), "-");
        assert_eq!(of(&"mot ".repeat(500)).chars().count(), KEY);
    }
}
