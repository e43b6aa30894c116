//! The second factor: codes of an authenticator application (RFC 6238: SHA-1, six digits, 30 seconds, as every application
//! has them).

use crate::domain::Timestamp;
use std::fmt;
use totp_rs::{Algorithm, Builder};

/// Seconds of a step.
const STEP: u64 = 30;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What the application and the ledger share: 160 bits, written in Base32 (32 characters). `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 20]);

impl Secret {
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// Reads what [`Self::base32`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0_u8; 20];
        let places: Vec<u8> = text
            .bytes()
            .map(|c| BASE32.iter().position(|b| *b == c))
            .map(|n| n?.try_into().ok())
            .collect::<Option<_>>()?;
        if places.len() != 32 {
            return None;
        }
        for (group, out) in places.chunks(8).zip(bytes.chunks_mut(5)) {
            let bits = group.iter().fold(0_u64, |bits, place| bits << 5 | u64::from(*place));
            out.copy_from_slice(&bits.to_be_bytes()[3..]);
        }
        Some(Self(bytes))
    }

    /// As it is typed into an application that reads no QR code.
    pub fn base32(&self) -> String {
        let mut text = String::with_capacity(32);
        for group in self.0.chunks(5) {
            let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            text.extend((0..8).rev().map(|n| char::from(BASE32[(bits >> (5 * n) & 31) as usize])));
        }
        text
    }

    /// What the QR code says, `otpauth://totp/…`. `issuer`: the office.
    pub fn url(&self, issuer: &str, account: &str) -> String {
        let escaped =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        // Applications split the label at a colon.
        let issuer = escaped(&issuer.replace(':', " "));
        let label = format!("{issuer}:{}", escaped(&account.replace(':', " ")));
        format!("otpauth://totp/{label}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period={STEP}", self.base32())
    }

    /// The step of a right code: of now, of the step before or of the one after, and later than `last`, the step that was
    /// used last. The caller stores it, so that no code is used twice (ASVS 6.5.1).
    pub fn check(&self, code: &str, now: Timestamp, last: Option<i64>) -> Option<i64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let step = self.totp().check(&code, now.timestamp().try_into().ok()?)?;
        i64::try_from(step).ok().filter(|step| last.is_none_or(|last| *step > last))
    }

    /// The code of this instant: for tests.
    pub fn code_at(&self, at: Timestamp) -> String {
        self.totp().generate(at.timestamp().try_into().unwrap_or_default()).to_string()
    }

    fn totp(&self) -> totp_rs::Totp {
        let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_skew(1);
        builder.with_step_duration(STEP).with_secret(self.0).build_noncompliant()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};

    /// RFC 6238, appendix B, with the last six digits.
    #[test]
    fn the_codes_are_those_of_the_standard() {
        let secret = Secret(*b"12345678901234567890");
        assert_eq!(secret.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(Secret::parse(&secret.base32()), Some(secret.clone()));
        for (at, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            assert_eq!(secret.code_at(DateTime::from_timestamp(at, 0).unwrap()), code);
        }
        for bad in ["", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ", "gezdgnbvgy3tqojqgezdgnbvgy3tqojq"] {
            assert_eq!(Secret::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_code_is_good_for_a_step_more_or_less_and_once() {
        let (secret, now) = (Secret::random(), DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let at = |steps: i32| secret.code_at(now + TimeDelta::seconds(30) * steps);
        let step = 1_800_000_000 / 30;
        assert_eq!(secret.check(&at(0), now, None), Some(step));
        assert_eq!(secret.check(&at(-1), now, None), Some(step - 1));
        assert_eq!(secret.check(&at(1), now, None), Some(step + 1));
        assert_eq!(secret.check(&format!(" {} {}", &at(0)[..3], &at(0)[3..]), now, None), Some(step));
        for far in [-3, 3] {
            assert!(secret.check(&at(far), now, None).is_none());
        }
        assert_eq!(secret.check(&at(0), now, Some(step)), None, "a second time");
        assert_eq!(secret.check(&at(-1), now, Some(step)), None, "one of before");
        for bad in ["", "12345", "abcdef", "1234567", "１２３４５６"] {
            assert_eq!(secret.check(bad, now, None), None, "{bad}");
        }
    }

    #[test]
    fn the_url_is_what_applications_read_and_debug_hides_the_secret() {
        let secret = Secret([7; 20]);
        let url = secret.url("Office : Auch", "claire@office.example");
        assert!(url.starts_with("otpauth://totp/Office%20%20%20Auch:claire%40office%2Eexample?secret="), "{url}");
        assert!(!format!("{secret:?}").contains("7"));
    }
}
