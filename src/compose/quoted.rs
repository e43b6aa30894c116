//! Quoted-printable (RFC 2045 6.7), encoded once for all recipients: personal values are on lines of their own between soft
//! line breaks, so that nothing before or after depends on them.

/// Longest line, the `=` of a soft break included.
const WIDTH: usize = 76;

/// A part of an encoded text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<M> {
    Fixed(Vec<u8>),
    /// The place of a personal value.
    Own(M),
}

/// `marks`: the placeholders in `text`, with their meaning.
pub(super) fn encode<M: Copy>(text: &str, marks: &[(&str, M)]) -> Vec<Piece<M>> {
    let (mut pieces, mut rest, mut fixed) = (Vec::new(), text, Line::default());
    loop {
        let next = marks.iter().filter_map(|(word, mark)| Some((rest.find(word)?, word.len(), *mark)));
        let Some((at, length, mark)) = next.min_by_key(|(at, ..)| *at) else { break };
        fixed.write(&rest[..at]);
        fixed.soften();
        pieces.push(Piece::Fixed(std::mem::take(&mut fixed).out));
        pieces.push(Piece::Own(mark));
        rest = &rest[at + length..];
    }
    fixed.write(rest);
    fixed.end();
    pieces.push(Piece::Fixed(fixed.out));
    pieces
}

/// Appends a personal value at its place.
pub(super) fn encode_own(out: &mut Vec<u8>, words: &str) {
    let mut line = Line { out: std::mem::take(out), ..Line::default() };
    line.write(words);
    line.soften();
    *out = line.out;
}

#[derive(Default)]
struct Line {
    out: Vec<u8>,
    column: usize,
    /// A pending space: at the end of a line it must be encoded.
    blank: Option<u8>,
}

impl Line {
    fn write(&mut self, text: &str) {
        let mut bytes = text.bytes().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\r' if bytes.peek() == Some(&b'\n') => {}
                b'\n' => self.break_hard(),
                b' ' | b'\t' => {
                    self.settle();
                    self.blank = Some(byte);
                }
                b'=' => self.escape(byte),
                b'!'..=b'~' => {
                    self.settle();
                    self.put(&[byte]);
                }
                _ => self.escape(byte),
            }
        }
    }

    /// The blank was not the last of its line.
    fn settle(&mut self) {
        if let Some(blank) = self.blank.take() {
            self.put(&[blank]);
        }
    }

    fn escape(&mut self, byte: u8) {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        self.settle();
        self.put(&[b'=', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.column + bytes.len() > WIDTH - 1 {
            self.out.extend_from_slice(b"=\r\n");
            self.column = 0;
        }
        self.out.extend_from_slice(bytes);
        self.column += bytes.len();
    }

    fn end(&mut self) {
        if let Some(blank) = self.blank.take() {
            self.escape(blank);
        }
    }

    fn break_hard(&mut self) {
        self.end();
        self.out.extend_from_slice(b"\r\n");
        self.column = 0;
    }

    /// What follows begins a line of its own, and belongs to this one.
    fn soften(&mut self) {
        self.settle();
        if self.column > 0 {
            self.out.extend_from_slice(b"=\r\n");
            self.column = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(encoded: &[u8]) -> String {
        let mut message =
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n".to_vec();
        message.extend_from_slice(encoded);
        let parsed = mail_parser::MessageParser::default().parse(&message).unwrap();
        parsed.body_text(0).unwrap().replace("\r\n", "\n")
    }

    fn filled(pieces: &[Piece<()>], own: &str) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Fixed(bytes) => out.extend_from_slice(bytes),
                Piece::Own(()) => encode_own(&mut out, own),
            }
        }
        out
    }

    proptest! {
        #[test]
        fn decoding_restores_the_original_text(text in "[ -~\n\té=.€«\u{a0}]{0,300}", own in "[ -~é&]{0,120}") {
            let marked = format!("{text}MARK{text}MARK");
            let encoded = filled(&encode(&marked, &[("MARK", ())]), &own);
            prop_assert_eq!(decoded(&encoded), format!("{text}{own}{text}{own}"));
            for line in String::from_utf8(encoded).unwrap().split("\r\n") {
                prop_assert!(line.len() <= WIDTH && line.is_ascii() && !line.ends_with([' ', '\t']), "{line:?}");
            }
        }
    }

    #[test]
    fn an_empty_placeholder_leaves_no_trace() {
        let encoded = filled(&encode("à l’AMARKB", &[("MARK", ())]), "");
        assert_eq!(String::from_utf8(encoded).unwrap(), "=C3=A0 l=E2=80=99A=\r\nB");
    }
}
