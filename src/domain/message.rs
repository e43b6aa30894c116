//! The bytes for one recipient.

use super::email::EmailAddress;
use std::sync::Arc;

/// A message ready for the wire: CRLF lines, not dot-stuffed, ending in CRLF.
///
/// `head` is this recipient's own (headers, texts); `tail` is the part all recipients of the issue share (attachments,
/// encoded once), so memory does not grow with recipients.
#[derive(Debug, Clone)]
pub struct Message {
    /// `MAIL FROM`
    pub sender: EmailAddress,
    pub head: Vec<u8>,
    pub tail: Arc<[u8]>,
}

impl Message {
    pub fn len(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole message in one piece.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.head, &*self.tail].concat()
    }
}
