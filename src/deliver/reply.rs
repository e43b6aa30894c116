//! Parses SMTP replies, and limits what of them is stored.
//!
//! Never stores an address, a control character or more than a thousand characters (invariant I7).

use crate::domain::delivery::{Reply, enhanced_status, keep};

/// Longest accepted reply line; RFC 5321 4.5.3.1.5 allows 512.
pub(super) const LONGEST_LINE: usize = 2048;
/// Maximum lines of one reply.
const MOST_LINES: usize = 100;

/// One complete reply of one or more lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Answer {
    pub code: u16,
    pub lines: Vec<String>,
}

impl Answer {
    /// 2yz, and nothing else: a 354 is not success.
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// A 4yz or 5yz.
    pub fn is_refusal(&self) -> bool {
        matches!(self.code / 100, 4 | 5)
    }

    /// Whether it is about a sender or a recipient, by its enhanced code (RFC 3463: x.1.z).
    pub fn speaks_of_an_address(&self) -> bool {
        let code = self.lines.first().and_then(|line| enhanced_status(self.code, line));
        code.is_some_and(|code| code.split('.').nth(1) == Some("1"))
    }

    /// As stored in the ledger.
    pub fn reply(&self) -> Reply {
        let enhanced = self.lines.first().and_then(|line| enhanced_status(self.code, line));
        Reply { code: Some(self.code), enhanced, text: keep(&self.lines.join(" ")) }
    }

    /// Adds a line (without its end). `Ok(true)`: the reply is complete.
    ///
    /// Lenient about the text, which French providers also write in Latin-1; strict about the format, because a malformed
    /// reply must never count as success.
    pub fn push_line(&mut self, line: &[u8]) -> Result<bool, String> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (code, rest) = line.split_at(line.len().min(3));
        let code = match code {
            &[a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
                u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0')
            }
            _ => return Err(format!("not an SMTP reply: {}", keep(&String::from_utf8_lossy(line)))),
        };
        let (last, text) = match rest {
            [] => (true, rest),
            [b' ', text @ ..] => (true, text),
            [b'-', text @ ..] => (false, text),
            _ => return Err(format!("not an SMTP reply: {}", keep(&String::from_utf8_lossy(line)))),
        };
        if !self.lines.is_empty() && code != self.code {
            return Err(format!("a reply of two codes, {} and {code}", self.code));
        }
        if self.lines.len() == MOST_LINES {
            return Err(format!("a reply of more than {MOST_LINES} lines"));
        }
        self.code = code;
        self.lines.push(String::from_utf8_lossy(text).into_owned());
        Ok(last)
    }
}

/// Our own text when the relay sent no reply.
pub(super) fn no_reply(why: &str) -> Reply {
    Reply { code: None, enhanced: None, text: keep(why) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l6_bidirectional_controls_are_removed_from_replies() {
        assert_eq!(keep("550 no\u{202e} such\u{2028}user\u{2066}\0"), "550 no such user");
    }

    fn answer(lines: &[&[u8]]) -> Result<Answer, String> {
        let mut answer = Answer::default();
        for (n, line) in lines.iter().enumerate() {
            let last = answer.push_line(line)?;
            assert_eq!(last, n + 1 == lines.len(), "line {n}");
        }
        Ok(answer)
    }

    #[test]
    fn a_reply_is_parsed_with_its_enhanced_status() {
        let reply = answer(&[b"550-5.1.1 no such\r", b"550 5.1.1 person\r"]).unwrap().reply();
        assert_eq!((reply.code, reply.enhanced.as_deref()), (Some(550), Some("5.1.1")));
        assert_eq!(reply.text, "5.1.1 no such 5.1.1 person");
        assert_eq!(answer(&[b"250"]).unwrap().reply().text, "");
    }

    #[test]
    fn an_enhanced_status_of_another_class_is_no_status() {
        for line in ["4.1.1 x", "5.1 x", "5.1.1.1 x", "5.1234.1 x", "5.a.1", "5..1", "hello 5.1.1", ""] {
            assert_eq!(enhanced_status(550, line), None, "{line}");
        }
    }

    #[test]
    fn latin1_text_is_accepted_and_a_malformed_reply_is_not() {
        assert_eq!(answer(&[b"550 bo\xeete pleine"]).unwrap().lines, ["bo\u{fffd}te pleine"]);
        for lines in
            [&[&b"\0\xff hello"[..]][..], &[b""], &[b"25"], &[b"250x"], &[b"150 a"], &[b"650 a"], &[b"2\xff0 a"]]
        {
            assert!(answer(lines).is_err(), "{lines:?}");
        }
        assert!(answer(&[b"250-a", b"550 b"]).is_err());
    }

    #[test]
    fn a_reply_without_end_is_refused() {
        let mut answer = Answer::default();
        let result = (0..=MOST_LINES).map(|_| answer.push_line(b"250-again")).find(Result::is_err);
        assert!(result.is_some());
    }

    #[test]
    fn stored_replies_contain_no_personal_data_and_no_control_characters() {
        for (text, kept) in [
            ("<eloise.d@partenaire.fr>: user unknown", "<e***@p***.fr>: user unknown"),
            ("5.1.1 eloise@partenaire.fr. Gone", "5.1.1 e***@p***.fr. Gone"),
            ("a@b@c.fr x@localhost", "***@*** ***@***"),
            ("@ alone", "***@*** alone"),
            ("hôtel@château.fr", "***@***"),
            ("a\0b\r\nc", "a b  c"),
        ] {
            assert_eq!(keep(text), kept);
        }
        assert_eq!(keep(&"é".repeat(5000)).chars().count(), 1000);
    }

    proptest::proptest! {
        #[test]
        fn no_reply_causes_a_panic(line in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
            let mut answer = Answer::default();
            if answer.push_line(&line).is_ok() {
                let reply = answer.reply();
                proptest::prop_assert!(!reply.text.contains('\0'));
            }
        }

        #[test]
        fn addresses_are_removed_from_stored_replies(text in "\\PC{0,60}") {
            let kept = keep(&text);
            for (at, _) in kept.match_indices('@') {
                proptest::prop_assert!(kept[..at].ends_with("***"), "{kept}");
            }
        }
    }
}
