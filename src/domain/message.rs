//! The message for one recipient, as bytes.

use super::email::EmailAddress;
use std::sync::Arc;

/// A message ready for the wire: CRLF lines, not dot-stuffed, ending in CRLF.
///
/// Personal pieces (some headers, placeholders in the texts) alternate with pieces that all messages of the issue share
/// (texts and attachments, encoded once). Shared pieces are never copied, so neither memory nor CPU time per message
/// grows with them.
#[derive(Debug, Clone)]
pub struct Message {
    /// `MAIL FROM`
    pub sender: EmailAddress,
    /// One after the other.
    own: Vec<u8>,
    /// How many bytes of `own` precede each shared piece.
    cuts: Vec<usize>,
    shared: Arc<Shared>,
}

/// The pieces that all messages of an issue share, in order.
#[derive(Debug)]
pub struct Shared {
    pieces: Vec<Box<[u8]>>,
    length: usize,
    is_ascii: bool,
}

impl Shared {
    pub fn new(pieces: Vec<Box<[u8]>>) -> Self {
        let length = pieces.iter().map(|piece| piece.len()).sum();
        let is_ascii = pieces.iter().all(|piece| piece.is_ascii());
        Self { pieces, length, is_ascii }
    }
}

impl Message {
    /// `own` writes what precedes the shared piece of this number.
    pub fn woven(sender: EmailAddress, shared: &Arc<Shared>, mut own: impl FnMut(usize, &mut Vec<u8>)) -> Self {
        let (mut bytes, mut cuts) = (Vec::new(), Vec::with_capacity(shared.pieces.len()));
        for n in 0..shared.pieces.len() {
            own(n, &mut bytes);
            cuts.push(bytes.len());
        }
        Self { sender, own: bytes, cuts, shared: Arc::clone(shared) }
    }

    /// A message without shared pieces.
    pub fn alone(sender: EmailAddress, own: Vec<u8>) -> Self {
        Self { sender, own, cuts: Vec::new(), shared: Arc::new(Shared::new(Vec::new())) }
    }

    /// With more header lines before the others.
    #[must_use]
    pub fn with_headers_before(mut self, headers: &[u8]) -> Self {
        self.own.splice(0..0, headers.iter().copied());
        self.cuts.iter_mut().for_each(|cut| *cut += headers.len());
        self
    }

    /// Its bytes, in order. Some pieces may be empty.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.cuts.iter().copied());
        let woven = begins.zip(&self.cuts).zip(&self.shared.pieces);
        let rest = self.cuts.last().copied().unwrap_or_default();
        woven.flat_map(|((from, to), shared)| [&self.own[from..*to], shared]).chain([&self.own[rest..]])
    }

    pub fn len(&self) -> usize {
        self.own.len() + self.shared.length
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn is_ascii(&self) -> bool {
        self.own.is_ascii() && self.shared.is_ascii
    }

    /// The shared pieces; the same for all messages of an issue.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The whole message in one piece.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        self.pieces().for_each(|piece| bytes.extend_from_slice(piece));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_and_shared_parts_alternate() {
        let sender = EmailAddress::parse("office@auch.example").unwrap();
        let shared = Arc::new(Shared::new(["A", "", "C"].map(|it| it.as_bytes().into()).into()));
        let woven = Message::woven(sender.clone(), &shared, |n, out| {
            let own = ["é".as_bytes(), b"b", b""][n];
            out.extend_from_slice(own);
        });
        assert_eq!(woven.to_bytes(), "éAbC".as_bytes());
        assert_eq!((woven.len(), woven.is_ascii()), (5, false));
        let ascii = Message::woven(sender.clone(), &shared, |n, out| out.extend_from_slice(&b"xyz"[n..=n]));
        assert_eq!((ascii.to_bytes(), ascii.is_ascii()), (b"xAyzC".to_vec(), true));
        assert_eq!(ascii.with_headers_before(b"12").to_bytes(), b"12xAyzC");
        let alone = Message::alone(sender, b"abc".to_vec());
        assert_eq!((alone.to_bytes(), alone.len(), alone.is_ascii()), (b"abc".to_vec(), 3, true));
    }

    #[test]
    fn eight_bit_text_in_the_shared_part_is_detected() {
        let sender = EmailAddress::parse("office@auch.example").unwrap();
        let shared = Arc::new(Shared::new(vec!["été".as_bytes().into()]));
        assert!(!Message::woven(sender, &shared, |_, _| {}).is_ascii());
    }
}
