//! Finds what may be the token of a return path. Whether it is one, and whose, only [`crate::tokens::Tokens`] can say.

use crate::domain::email::RETURN_TOKEN as LENGTH;

/// A longer run of such characters is no token with something written onto it.
const LONGEST_RUN: usize = 64;
/// RFC 5321 4.5.3.1.1 allows 64 octets; a forwarder that rewrites the address (SRS) makes it longer.
const LONGEST_LOCAL_PART: usize = 250;

/// All that may be tokens in the local parts of the addresses in a text: runs of 42 characters of base32, in any case. In front of it
/// and behind it may stand what the configuration, or a forwarder, writes around.
pub(super) fn tokens_in(text: &str) -> Vec<String> {
    let is_local = |b: u8| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b);
    let is_base32 = |b: u8| b.is_ascii_alphabetic() || (b'2'..=b'7').contains(&b);
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let before = &text.as_bytes()[..at];
        let length = before.iter().rev().take(LONGEST_LOCAL_PART).take_while(|b| is_local(**b)).count();
        let local = &before[at - length..];
        for run in local.split(|b| !is_base32(*b)).filter(|run| (LENGTH..=LONGEST_RUN).contains(&run.len())) {
            for window in run.windows(LENGTH) {
                // Of base32, and so of ASCII.
                found.push(String::from_utf8_lossy(window).to_ascii_lowercase());
            }
        }
        if found.len() > 200 {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_whatever_stands_around_it() {
        let token = "a234567bcdefghijklmnopqrstuvwxyzabcdefghij";
        assert_eq!(token.len(), LENGTH);
        for text in [
            format!("retours+{token}@lettre.example.org"),
            format!("<RETOURS+{}@lettre.example.org>", token.to_uppercase()),
            format!("SRS0=ab3=cd=lettre.example.org=retours+{token}@relay.example"),
            format!("\"Retours\" <retours-{token}-x@lettre.example.org>, other@x.example"),
            format!("prvs=0123456789=retours+{token}@x.example"),
            format!("b{token}@x.example"),
        ] {
            assert!(tokens_in(&text).contains(&token.to_owned()), "{text}");
        }
        for text in [format!("{token} @x"), format!("x@{token}"), format!("{}@x", &token[1..]), String::new()] {
            assert_eq!(tokens_in(&text), [""; 0], "{text}");
        }
    }
}
