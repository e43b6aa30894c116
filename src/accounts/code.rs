//! Random tokens and recovery codes. The ledger keeps their SHA-256 alone; that is enough, as each has 80 bits or more.

use super::UserId;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// How many recovery codes a person has.
pub const RECOVERY_CODES: usize = 10;
/// Without i, l, 0 and 1, which look alike or like o.
const LETTERS: &[u8; 32] = b"abcdefghjkmnopqrstuvwxyz23456789";

/// A new token of 256 bits, 43 characters that are valid in a URL and a cookie.
pub fn token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What each token of the API begins with: programs that look for lost secrets recognise it.
pub const API_TOKEN: &str = "sem_";

/// A new token of the API: `sem_` and 256 bits, 47 characters.
pub fn api_token() -> String {
    format!("{API_TOKEN}{}", token())
}

/// What the ledger keeps of a token: 43 characters.
pub fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}

/// The token that each form of a session carries (ASVS 3.5.1): made from the session's own, and no way leads back. Its second
/// half says whose form it is, also when the session is over.
pub fn form_token(session: &str, user: &UserId) -> String {
    let own = hash(&format!("form of {session}"));
    format!("{own}.{}", whose(&own, user))
}

/// Whether a token is of a form that was shown to this account, in whatever session. It proves nothing about who sent it.
pub fn is_form_of(form_token: &str, user: &UserId) -> bool {
    form_token.split_once('.').is_some_and(|(own, given)| is_same(given, &whose(own, user)))
}

fn whose(form: &str, user: &UserId) -> String {
    hash(&format!("form {form} of {}", user.as_str()))
}

/// Compares the digests, so that the time taken tells nothing about where the texts differ.
pub fn is_same(one: &str, other: &str) -> bool {
    Sha256::digest(one) == Sha256::digest(other)
}

/// Recovery codes of 80 bits each, as they are shown: `abcd-efgh-jkmn-pqrs`.
pub fn recovery_codes() -> Vec<String> {
    (0..RECOVERY_CODES).map(|_| recovery_code(rand::random())).collect()
}

fn recovery_code(random: [u8; 16]) -> String {
    let letters: Vec<char> = random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// What the ledger keeps of a recovery code, however the person writes it.
pub fn recovery_hash(code: &str) -> String {
    let letters: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    hash(&format!("recovery code {letters}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_differ_and_are_kept_as_a_hash() {
        let (one, other) = (token(), token());
        assert_eq!((one.len(), hash(&one).len()), (43, 43));
        assert_ne!(one, other);
        assert_ne!(hash(&one), one);
        let (claire, marc) = (UserId("c".to_owned()), UserId("m".to_owned()));
        let form = form_token(&one, &claire);
        assert!(!form.contains(&hash(&one)), "a form's token is not what the ledger keeps");
        assert!(is_form_of(&form, &claire) && !is_form_of(&form, &marc) && !is_form_of("", &claire));
        assert_ne!(form, form_token(&other, &claire));
        assert!(is_same(&one, &one.clone()) && !is_same(&one, &other));
    }

    #[test]
    fn a_recovery_code_is_recognised_however_it_is_written() {
        let codes = recovery_codes();
        assert_eq!(codes.iter().collect::<std::collections::HashSet<_>>().len(), RECOVERY_CODES);
        assert_eq!(codes[0].len(), 19);
        let sloppy = codes[0].to_uppercase().replace('-', " ");
        assert_eq!(recovery_hash(&sloppy), recovery_hash(&codes[0]));
        assert_ne!(recovery_hash(&codes[1]), recovery_hash(&codes[0]));
        assert_eq!(recovery_code([0; 16]), "aaaa-aaaa-aaaa-aaaa");
    }
}
