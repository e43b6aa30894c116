//! Keyed hashes: they identify suppressed addresses, and sign the links in mails.
//!
//! One secret for several purposes, which are separated by the hashed words. Links may have keys of their own, which can be
//! renewed; the secret of suppressions must never change, or opt-outs are no longer recognised.

use crate::domain::{delivery::DeliveryId, email::EmailAddress, issue::IssueKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use data_encoding::{BASE32_NOPAD, BASE32_NOPAD_NOCASE, HEXLOWER, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use url::Url;

/// Creates and verifies tokens. `Debug` shows nothing of the key.
#[derive(Debug, Clone)]
pub struct Tokens {
    secret: SecretString,
    /// The first signs links, all of them verify. Empty: the secret does both.
    link_keys: Vec<SecretString>,
}

impl Tokens {
    pub fn new(secret: SecretString) -> Self {
        Self { secret, link_keys: Vec::new() }
    }

    /// Sets keys for links: the first signs, all of them verify. The word `secret` stands for the secret itself, so that
    /// links signed before there were keys stay valid.
    #[must_use]
    pub fn with_link_keys(self, keys: Vec<SecretString>) -> Self {
        let secret = &self.secret;
        let link_keys = keys.into_iter().map(|key| if key.expose_secret() == "secret" { secret.clone() } else { key });
        Self { link_keys: link_keys.collect(), secret: self.secret.clone() }
    }

    /// What a ledger stores to recognise its secret. It cannot be reversed to the secret and is neither a token nor the hash of an
    /// address. Link keys are not part of it: they may be renewed, and nothing stored depends on them.
    pub fn check_value(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(&["check value of the secret of a ledger"]))
    }

    /// Identifies an address even after the contact is deleted.
    pub fn address_hash(&self, address: &EmailAddress) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(&["address", &address.key()]))
    }

    /// The unsubscribe link of a contact and a mailing, under `public_url`, without the address in it.
    pub fn unsubscribe_url(&self, public_url: &Url, contact: &str, mailing: &str) -> String {
        link(public_url, "u", &self.signed("unsubscribe", &[contact, mailing]))
    }

    /// Verifies a token of [`Self::unsubscribe_url`]: returns its contact and mailing.
    pub fn check_unsubscribe<'t>(&self, token: &'t str) -> Option<(&'t str, &'t str)> {
        let [contact, mailing] = self.opened("unsubscribe", token)?;
        Some((contact, mailing))
    }

    /// The link with which a contact orders an edition on paper.
    pub fn order_url(&self, public_url: &Url, contact: &str, edition: &str) -> String {
        link(public_url, "o", &self.signed("order", &[contact, edition]))
    }

    /// Verifies a token of [`Self::order_url`]: returns its contact and edition.
    pub fn check_order<'t>(&self, token: &'t str) -> Option<(&'t str, &'t str)> {
        let [contact, edition] = self.opened("order", token)?;
        Some((contact, edition))
    }

    /// Where an issue can be read online: the same for everyone, but not guessable.
    pub fn view_url(&self, public_url: &Url, issue: &IssueKey) -> String {
        link(public_url, "v", &self.signed("view", &[issue.mailing(), issue.period()]))
    }

    /// Verifies a token of [`Self::view_url`]: returns its issue.
    pub fn check_view(&self, token: &str) -> Option<IssueKey> {
        let [mailing, period] = self.opened("view", token)?;
        Some(IssueKey::new(mailing, period))
    }

    /// What the return path of one delivery carries (VERP), so that a bounce names the delivery it is about: the delivery's id and
    /// its code, 80 bits of HMAC-SHA-256. 42 characters of base32 in lower case, because mail servers may change the case of a local
    /// part, and because RFC 5321 4.5.3.1.1 allows only 64 octets.
    pub fn return_token(&self, delivery: &DeliveryId) -> String {
        // The id of a delivery is 16 bytes in hexadecimal; whatever else it might be gives a token that is never recognised.
        let id = HEXLOWER_PERMISSIVE.decode(delivery.0.as_bytes()).unwrap_or_default();
        let mut hmac = hmac(self.link_keys.first().unwrap_or(&self.secret));
        feed(&mut hmac, &["return path", &HEXLOWER.encode(&id)]);
        let code = &hmac.finalize().into_bytes()[..RETURN_CODE];
        format!("{}{}", BASE32_NOPAD.encode(&id), BASE32_NOPAD.encode(code)).to_ascii_lowercase()
    }

    /// The delivery of a token of [`Self::return_token`], in whatever case; `None` if none of our keys made it.
    pub fn check_return(&self, token: &str) -> Option<DeliveryId> {
        let (id, code) = token.split_at_checked(RETURN_ID)?;
        let id = BASE32_NOPAD_NOCASE.decode(id.as_bytes()).ok()?;
        let code = BASE32_NOPAD_NOCASE.decode(code.as_bytes()).ok().filter(|code| code.len() == RETURN_CODE)?;
        let delivery = HEXLOWER.encode(&id);
        let keys = if self.link_keys.is_empty() { std::slice::from_ref(&self.secret) } else { &self.link_keys[..] };
        let mut ours = false;
        for key in keys {
            let mut hmac = hmac(key);
            feed(&mut hmac, &["return path", &delivery]);
            ours |= hmac.verify_truncated_left(&code).is_ok();
        }
        ours.then_some(DeliveryId(delivery))
    }

    /// The words and their code, 128 bits of HMAC-SHA-256, joined by dots.
    fn signed(&self, purpose: &str, words: &[&str]) -> String {
        let key = self.link_keys.first().unwrap_or(&self.secret);
        let mut hmac = hmac(key);
        feed(&mut hmac, &[&[purpose], words].concat());
        let mac = URL_SAFE_NO_PAD.encode(&hmac.finalize().into_bytes()[..16]);
        format!("{}.{mac}", words.join("."))
    }

    /// The words of a token, if one of our keys signed it. Takes the same time for a malformed token.
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

/// Bytes of the code in a return path.
const RETURN_CODE: usize = 10;
/// Characters of the delivery's id in a return path.
const RETURN_ID: usize = 26;

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104)")]
fn hmac(key: &SecretString) -> Hmac<Sha256> {
    Hmac::new_from_slice(key.expose_secret().as_bytes()).expect("any length will do")
}

fn link(public_url: &Url, room: &str, token: &str) -> String {
    format!("{}/{room}/{token}", public_url.as_str().trim_end_matches('/'))
}

/// Each word is preceded by its length, so that different lists of words are never equal.
fn feed(hmac: &mut Hmac<Sha256>, words: &[&str]) {
    for word in words {
        hmac.update(&(word.len() as u64).to_be_bytes());
        hmac.update(word.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::email::RETURN_TOKEN;

    fn tokens(secret: &str) -> Tokens {
        Tokens::new(secret.to_owned().into())
    }

    #[test]
    fn a_link_is_valid_only_for_its_contact_and_mailing() {
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
    fn an_order_link_is_valid_only_for_one_contact_and_edition() {
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
    fn the_newest_key_signs_links_and_older_keys_stay_valid() {
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
    fn a_return_path_names_its_delivery_in_any_case_and_cannot_be_forged() {
        let (ours, delivery) = (tokens("secret"), DeliveryId("0199f3ab57c000000001a1b2c3d4e5f6".to_owned()));
        let token = ours.return_token(&delivery);
        assert_eq!((token.len(), token.to_ascii_lowercase()), (RETURN_TOKEN, token.clone()));
        for written in [token.clone(), token.to_ascii_uppercase()] {
            assert_eq!(ours.check_return(&written), Some(delivery.clone()));
        }
        assert_eq!(tokens("other").check_return(&token), None);
        let of_another = ours.return_token(&DeliveryId("0199f3ab57c000000002a1b2c3d4e5f6".to_owned()));
        for forged in [
            format!("{}{}", &of_another[..26], &token[26..]),
            token[..41].to_owned(),
            format!("{token}a"),
            "é".repeat(30),
            String::new(),
        ] {
            assert_eq!(ours.check_return(&forged), None, "{forged}");
        }
        let renewed = tokens("secret").with_link_keys(["k", "secret"].map(|key| key.to_owned().into()).to_vec());
        assert_eq!(renewed.check_return(&token), Some(delivery.clone()), "a bounce comes late");
        assert_ne!(renewed.return_token(&delivery), token);
    }

    #[test]
    fn an_address_has_one_hash_in_every_notation() {
        let hash = |text: &str| tokens("secret").address_hash(&EmailAddress::parse(text).unwrap());
        assert_eq!(hash("Hotel@France.example"), hash("hotel@france.example"));
        assert_ne!(hash("hotel@france.example"), hash("gite@france.example"));
    }

    #[test]
    fn the_check_value_depends_on_the_secret_only_and_differs_from_other_hashes() {
        let ours = tokens("secret");
        let with_keys = tokens("secret").with_link_keys(vec![SecretString::from("0123456789abcdef".to_owned())]);
        assert_eq!(ours.check_value(), with_keys.check_value());
        assert_ne!(ours.check_value(), tokens("secret ").check_value());
        let address = EmailAddress::parse("check-value@ledger.example").unwrap();
        assert_ne!(ours.check_value(), ours.address_hash(&address));
        assert!(!format!("{ours:?}").contains("\"secret\""));
    }
}
