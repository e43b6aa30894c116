//! Keyed hashes: what suppressions are kept by, and what makes an unsubscribe link hard to forge.
//!
//! One secret, several purposes, kept apart by the words that are hashed with it. Links may have keys of their own, which
//! can be renewed; the secret that suppressions are kept by never changes, or nobody's objection would be known any more.

use crate::domain::{email::EmailAddress, issue::IssueKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use url::Url;

/// Makes and checks tokens. `Debug` shows nothing of the key.
#[derive(Debug, Clone)]
pub struct Tokens {
    secret: SecretString,
    /// The first makes links, all of them open one. Empty: the secret does both.
    link_keys: Vec<SecretString>,
}

impl Tokens {
    pub fn new(secret: SecretString) -> Self {
        Self { secret, link_keys: Vec::new() }
    }

    /// Links get keys of their own: the newest first, which makes them; the others still open what they made. The word
    /// `secret` among them stands for the secret itself, that made links before there were keys.
    #[must_use]
    pub fn with_link_keys(self, keys: Vec<SecretString>) -> Self {
        let secret = &self.secret;
        let link_keys = keys.into_iter().map(|key| if key.expose_secret() == "secret" { secret.clone() } else { key });
        Self { link_keys: link_keys.collect(), secret: self.secret.clone() }
    }

    /// What a ledger keeps of its secret, to know it again: no way leads back to the secret, and it is no token and no hash of an
    /// address. Keys of links do not count: they may be renewed, and nothing that is kept depends on them.
    pub fn check_value(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(&["check value of the secret of a ledger"]))
    }

    /// What an address is known by once the contact itself is deleted.
    pub fn address_hash(&self, address: &EmailAddress) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(&["address", &address.key()]))
    }

    /// The link by which a contact leaves a mailing: under `public_url`, without the address in it.
    pub fn unsubscribe_url(&self, public_url: &Url, contact: &str, mailing: &str) -> String {
        link(public_url, "u", &self.signed("unsubscribe", &[contact, mailing]))
    }

    /// Whether a token of [`Self::unsubscribe_url`] is ours: the contact and the mailing it names.
    pub fn check_unsubscribe<'t>(&self, token: &'t str) -> Option<(&'t str, &'t str)> {
        let [contact, mailing] = self.opened("unsubscribe", token)?;
        Some((contact, mailing))
    }

    /// The link by which a contact orders an edition on paper.
    pub fn order_url(&self, public_url: &Url, contact: &str, edition: &str) -> String {
        link(public_url, "o", &self.signed("order", &[contact, edition]))
    }

    /// Whether a token of [`Self::order_url`] is ours: the contact and the edition it names.
    pub fn check_order<'t>(&self, token: &'t str) -> Option<(&'t str, &'t str)> {
        let [contact, edition] = self.opened("order", token)?;
        Some((contact, edition))
    }

    /// Where an issue can be read online: the same for everyone, and not to be guessed for one that was never sent to the
    /// one who asks.
    pub fn view_url(&self, public_url: &Url, issue: &IssueKey) -> String {
        link(public_url, "v", &self.signed("view", &[issue.mailing(), issue.period()]))
    }

    /// Whether a token of [`Self::view_url`] is ours: the issue it names.
    pub fn check_view(&self, token: &str) -> Option<IssueKey> {
        let [mailing, period] = self.opened("view", token)?;
        Some(IssueKey::new(mailing, period))
    }

    /// The words and their code, 128 bits of HMAC-SHA-256, joined by dots.
    fn signed(&self, purpose: &str, words: &[&str]) -> String {
        let key = self.link_keys.first().unwrap_or(&self.secret);
        let mut hmac = hmac(key);
        feed(&mut hmac, &[&[purpose], words].concat());
        let mac = URL_SAFE_NO_PAD.encode(&hmac.finalize().into_bytes()[..16]);
        format!("{}.{mac}", words.join("."))
    }

    /// The words of a token, if one of our keys made its code. Takes as long for a token that has no such form.
    fn opened<'t, const N: usize>(&self, purpose: &str, token: &'t str) -> Option<[&'t str; N]> {
        let (words, mac) = token.rsplit_once('.').unwrap_or((token, ""));
        let words: Vec<&str> = words.split('.').collect();
        let given = URL_SAFE_NO_PAD.decode(mac).ok().filter(|mac| mac.len() == 16).unwrap_or_default();
        let keys = if self.link_keys.is_empty() { std::slice::from_ref(&self.secret) } else { &self.link_keys[..] };
        let mut ours = false;
        for key in keys {
            let mut hmac = hmac(key);
            feed(&mut hmac, &[&[purpose], &words[..]].concat());
            ours |= hmac.verify_truncated_left(&given).is_ok();
        }
        words.try_into().ok().filter(|_| ours)
    }

    fn mac(&self, words: &[&str]) -> [u8; 32] {
        let mut hmac = hmac(&self.secret);
        feed(&mut hmac, words);
        hmac.finalize().into_bytes().into()
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104)")]
fn hmac(key: &SecretString) -> Hmac<Sha256> {
    Hmac::new_from_slice(key.expose_secret().as_bytes()).expect("any length will do")
}

fn link(public_url: &Url, room: &str, token: &str) -> String {
    format!("{}/{room}/{token}", public_url.as_str().trim_end_matches('/'))
}

/// Each word behind its length, so that no two lists of words look alike.
fn feed(hmac: &mut Hmac<Sha256>, words: &[&str]) {
    for word in words {
        hmac.update(&(word.len() as u64).to_be_bytes());
        hmac.update(word.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(secret: &str) -> Tokens {
        Tokens::new(secret.to_owned().into())
    }

    #[test]
    fn a_link_names_its_contact_and_mailing_and_nothing_else_passes() {
        let ours = tokens("secret");
        let url = ours.unsubscribe_url(&Url::parse("https://a.example").unwrap(), "c1", "agenda");
        let token = url.strip_prefix("https://a.example/u/").unwrap();
        assert_eq!(ours.check_unsubscribe(token), Some(("c1", "agenda")));
        assert_eq!(tokens("other").check_unsubscribe(token), None);
        for forged in
            [token.replace("c1", "c2"), token.replace("agenda", "newsletter"), token[..token.len() - 1].to_owned()]
        {
            assert_eq!(ours.check_unsubscribe(&forged), None, "{forged}");
        }
    }

    #[test]
    fn a_link_to_order_is_of_one_contact_and_one_edition_and_opens_nothing_else() {
        let (ours, url) = (tokens("secret"), Url::parse("https://a.example").unwrap());
        let token = ours.order_url(&url, "c1", "carte-2027").split_off("https://a.example/o/".len());
        assert_eq!(ours.check_order(&token), Some(("c1", "carte-2027")));
        assert_eq!(ours.check_order(&token.replace("carte-2027", "guide-2027")), None);
        assert_eq!(ours.check_order(&token.replace("c1", "c2")), None);
        assert_eq!(ours.check_unsubscribe(&token), None);
        let leave = ours.unsubscribe_url(&url, "c1", "carte-2027").split_off("https://a.example/u/".len());
        assert_eq!(ours.check_order(&leave), None);
    }

    #[test]
    fn a_new_key_makes_links_and_the_old_ones_still_open_until_they_are_dropped() {
        let url = Url::parse("https://a.example").unwrap();
        let made = |tokens: &Tokens| tokens.view_url(&url, &IssueKey::new("agenda", "2026-W28")).split_off(20);
        let keys = |keys: &[&str]| {
            tokens("secret").with_link_keys(keys.iter().map(|k| SecretString::from((*k).to_owned())).collect())
        };
        let (oldest, old) = (made(&tokens("secret")), made(&keys(&["k1", "secret"])));
        assert_ne!(oldest, old);
        assert!(keys(&["k2", "k1", "secret"]).check_view(&oldest).is_some());
        assert_eq!(keys(&["k2", "k1"]).check_view(&old).unwrap().as_str(), "agenda/2026-W28");
        assert_eq!(keys(&["k2", "k1"]).check_view(&oldest), None);
        assert_eq!(tokens("secret").check_unsubscribe(&oldest), None, "a link is of one purpose");
        let hash = |tokens: Tokens| tokens.address_hash(&EmailAddress::parse("a@b.fr").unwrap());
        assert_eq!(hash(keys(&["k2"])), hash(tokens("secret")));
    }

    #[test]
    fn an_address_has_one_hash_however_it_is_written() {
        let hash = |text: &str| tokens("secret").address_hash(&EmailAddress::parse(text).unwrap());
        assert_eq!(hash("Hotel@France.example"), hash("hotel@france.example"));
        assert_ne!(hash("hotel@france.example"), hash("gite@france.example"));
    }

    #[test]
    fn the_check_value_is_of_the_secret_alone_and_is_no_other_hash() {
        let ours = tokens("secret");
        let with_keys = tokens("secret").with_link_keys(vec![SecretString::from("0123456789abcdef".to_owned())]);
        assert_eq!(ours.check_value(), with_keys.check_value());
        assert_ne!(ours.check_value(), tokens("secret ").check_value());
        let address = EmailAddress::parse("check-value@ledger.example").unwrap();
        assert_ne!(ours.check_value(), ours.address_hash(&address));
        assert!(!format!("{ours:?}").contains("\"secret\""));
    }
}
