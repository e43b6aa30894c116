//! Signatures of Standard Webhooks 1.0: the HMAC-SHA-256 of `ID.TIMESTAMP.BODY`.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const PREFIX: &str = "whsec_";

/// A new secret of 256 bits: `whsec_` and its Base64.
pub fn new_secret() -> String {
    format!("{PREFIX}{}", BASE64_STANDARD.encode(rand::random::<[u8; 32]>()))
}

/// `v1,` and the signature with this key.
pub fn sign(key: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    hmac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(hmac.finalize().into_bytes()))
}

/// The same with a secret as [`new_secret`] makes it; `None` if it is not one.
pub(super) fn with_secret(secret: &str, id: &str, timestamp: &str, body: &str) -> Option<String> {
    let key = BASE64_STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    Some(sign(&key, id, timestamp, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the reference implementations.
    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = with_secret(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}");
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert_eq!(with_secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "", "", ""), None);
        assert_ne!(new_secret(), new_secret());
        assert!(with_secret(&new_secret(), "", "", "").is_some());
    }
}
