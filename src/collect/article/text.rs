//! Characters and tokens of the article.
//!
//! Splits a line into words and compares spellings. Independent of French grammar; never changes what is printed: tokens
//! refer to the text instead of replacing it. What was found in a line is kept for the reading of one article.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::days::WEEKDAYS;
use super::lines::LONGEST_LINE;
use super::marks::Mark;
use crate::domain::characters;
use unicode_normalization::{UnicodeNormalization, char::decompose_canonical, is_nfc};

/// Composes decomposed accents, so that `e` + `´` is the `é` of the word lists, and drops invisible characters.
pub(super) fn composed(mut text: String) -> String {
    characters::clean_up(&mut text);
    if text.contains(is_invisible) {
        text.retain(|c| !is_invisible(c));
    }
    if is_nfc(&text) { text } else { text.nfc().collect() }
}

/// Soft hyphens, zero-width signs and byte-order marks that editors leave inside words.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{200B}'
            ..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{E000}' | '\u{E001}' | '\u{FE0E}' | '\u{FE0F}' | '\u{0}'
    )
}

/// Folds every run of white space of any kind into one space, and trims.
pub(super) fn one_spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// White space of every kind; control characters are no words either.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// A bullet sign that an editor typed at the start of a line.
pub(super) fn is_bullet(c: char) -> bool {
    matches!(
        c,
        '-' | '–'
            | '—'
            | '‒'
            | '−'
            | '•'
            | '·'
            | '*'
            | '▪'
            | '►'
            | '▶'
            | '‣'
            | '●'
            | '○'
            | '■'
            | '◦'
            | '➢'
            | '➤'
            | '→'
            | '✓'
            | '\u{F0B7}'
            | '\u{F0A7}'
    )
}

/// The folded form, equal for two spellings of a word: `DÉBUT` and `debut`, `œuvre` and `oeuvre`.
pub(super) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
            continue;
        }
        match c {
            'œ' | 'Œ' => out.push_str("oe"),
            'æ' | 'Æ' => out.push_str("ae"),
            '’' | '‘' | 'ʼ' | '´' => out.push('\''),
            _ => {
                let mut base = c;
                let mut first = true;
                decompose_canonical(c, |part| {
                    if std::mem::take(&mut first) {
                        base = part;
                    }
                });
                out.extend(base.to_lowercase());
            }
        }
    }
    out
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    Sign,
    /// A line or table-cell boundary inside one item.
    Break,
}

/// A word, a number or a sign, with its place in the text.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Lower case, without accents: what the grammar compares.
    pub(super) fold: String,
    /// Whether it begins with a capital letter.
    pub(super) capital: bool,
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        self.fold == word
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        // Length and first letter decide nearly always; the grammar asks this more often than anything else.
        let fold = self.fold.as_bytes();
        words.iter().any(|word| {
            let word = word.as_bytes();
            word.len() == fold.len() && word.first() == fold.first() && word == fold
        })
    }

    pub(super) fn number(&self) -> Option<u32> {
        if self.kind == Kind::Number { self.fold.parse().ok() } else { None }
    }

    /// A sign or break that ends a clause when it stands outside quotes.
    pub(super) fn is_sentence_end(&self) -> bool {
        self.kind == Kind::Break || self.is_any(&[".", "!", "?", ";", "…", "•"])
    }
}

/// Words that lose their last vowel before another: `l'`, `d'`, `jusqu'`. They are tokens of their own.
const ELIDED: [&str; 15] =
    ["l", "d", "j", "n", "s", "c", "m", "t", "qu", "jusqu", "lorsqu", "puisqu", "quelqu", "presqu", "parce qu"];

/// Cuts a text into words, numbers and signs. `10h30` is three tokens, `Castéra-Verduzan` and `Cri'Art` are one.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(text.len() / 4);
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if c == '\n' {
            out.push(Token { kind: Kind::Break, start, end: start + 1, fold: "\n".to_owned(), capital: false });
            continue;
        }
        if is_space(c) {
            continue;
        }
        let mut end = start + c.len_utf8();
        // `18 h // Le Bistrot // Concert`: a bar that somebody typed.
        let slashes = c == '/' && is_bar(text, start);
        if slashes {
            chars.next();
            end += 1;
        }
        // `10 h · Halle · Entrée libre`
        let bar = slashes || c == '·' && start > 0 && stands_apart(text, start, end);
        let kind = if c.is_ascii_digit() {
            while let Some(&(at, d)) = chars.peek().filter(|(_, d)| d.is_ascii_digit()) {
                end = at + d.len_utf8();
                chars.next();
            }
            Kind::Number
        } else if c.is_alphabetic() {
            // The `h` of `21h-minuit` is a unit, not the beginning of a compound.
            let unit = out.last().is_some_and(|before| before.kind == Kind::Number && before.end == start);
            while let Some(&(at, d)) = chars.peek() {
                let glue = matches!(d, '-' | '\'' | '’' | '‐' | '‑');
                if d.is_alphabetic() || is_mark(d) {
                    end = at + d.len_utf8();
                    chars.next();
                } else if glue
                    && !unit
                    && !ranges_weekdays(&text[start..at], &text[at + d.len_utf8()..])
                    && followed_by_letter(text, at + d.len_utf8())
                {
                    chars.next();
                    end = at + d.len_utf8();
                    if !matches!(d, '-' | '‐' | '‑') && is_elided(&text[start..at]) {
                        break;
                    }
                } else {
                    break;
                }
            }
            Kind::Word
        } else {
            Kind::Sign
        };
        let fold = match c {
            _ if kind == Kind::Number => text[start..end].to_owned(),
            _ if bar => "|".to_owned(),
            '–' | '—' | '‒' | '−' | '‐' | '‑' => "-".to_owned(),
            '“' | '”' | '„' => "\"".to_owned(),
            _ => folded(&text[start..end]),
        };
        out.push(Token { kind, start, end, fold, capital: c.is_uppercase() });
    }
    out
}

/// Whether two slashes with blanks around them stand at `at`.
fn is_bar(text: &str, at: usize) -> bool {
    let blank = |c: Option<char>| c.is_none_or(is_space);
    let rest = text[at..].strip_prefix("//");
    rest.is_some_and(|rest| blank(rest.chars().next())) && blank(text[..at].chars().next_back())
}

/// Whether blanks stand around `from..to`.
fn stands_apart(text: &str, from: usize, to: usize) -> bool {
    text[..from].ends_with(is_space) && text[to..].starts_with(is_space)
}

/// `lundi-samedi`: two words, and a sign between them.
fn ranges_weekdays(word: &str, rest: &str) -> bool {
    let named = |text: &str| {
        WEEKDAYS.iter().any(|(day, _)| {
            text.len() >= day.len() && text.is_char_boundary(day.len()) && text[..day.len()].eq_ignore_ascii_case(day)
        })
    };
    word.len() <= LONGEST_WEEKDAY && named(word) && named(rest)
}

const LONGEST_WEEKDAY: usize = 9;

fn is_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}')
}

fn followed_by_letter(text: &str, at: usize) -> bool {
    text[at..].chars().next().is_some_and(char::is_alphabetic)
}

fn is_elided(prefix: &str) -> bool {
    prefix.len() <= 8 && ELIDED.contains(&folded(prefix).as_str())
}

/// A text with its tokens.
#[derive(Debug)]
pub(super) struct Words<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Rc<[Token]>,
    /// Found when they are first asked for.
    pub(super) marks: Rc<OnceCell<Rc<[Mark]>>>,
}

/// What was found in a text, for the next time that it is asked.
type Cached = (Rc<[Token]>, Rc<OnceCell<Rc<[Mark]>>>);

thread_local! {
    /// Filled while a [`TokenCache`] exists; `None` otherwise.
    static CACHE: RefCell<Option<Texts>> = const { RefCell::new(None) };
}

/// Tokens and marks by text, and the bytes of these texts.
#[derive(Default)]
struct Texts {
    found: HashMap<Box<str>, Cached>,
    bytes: usize,
}

/// While it exists, this thread keeps the tokens and marks of each text: every stage asks about the same lines.
pub(super) struct TokenCache(());

impl TokenCache {
    pub(super) fn enable() -> Self {
        CACHE.set(Some(Texts::default()));
        Self(())
    }
}

impl Drop for TokenCache {
    fn drop(&mut self) {
        CACHE.set(None);
    }
}

impl Texts {
    /// Tokens take some thirty times the room of their text: a full cache is emptied.
    const MOST_BYTES: usize = 2 << 20;

    fn insert(&mut self, text: &str, found: &Cached) {
        if text.len() > LONGEST_LINE {
            return;
        }
        if self.bytes + text.len() > Self::MOST_BYTES {
            *self = Self::default();
        }
        self.bytes += text.len();
        self.found.insert(text.into(), found.clone());
    }
}

impl<'a> Words<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let known = CACHE.with_borrow(|cache| cache.as_ref().and_then(|texts| texts.found.get(text).cloned()));
        let (tokens, marks) = known.unwrap_or_else(|| {
            let found: Cached = (tokens(text).into(), Rc::default());
            CACHE.with_borrow_mut(|cache| {
                if let Some(texts) = cache {
                    texts.insert(text, &found);
                }
            });
            found
        });
        Self { text, tokens, marks }
    }

    /// The text from token `from` up to (not with) token `to`, as written.
    pub(super) fn slice(&self, from: usize, to: usize) -> &'a str {
        if from >= to || to > self.tokens.len() {
            return "";
        }
        &self.text[self.tokens[from].start..self.tokens[to - 1].end]
    }

    pub(super) fn is(&self, at: usize, words: &[&str]) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_any(words))
    }

    /// Whether token `at` is written in capitals throughout.
    pub(super) fn shouts(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| {
            let text = &self.text[token.start..token.end];
            token.kind == Kind::Word && text.chars().count() > 1 && !text.chars().any(char::is_lowercase)
        })
    }
}

/// The words of `text` in folded form, for comparisons of whole phrases.
pub(super) fn folded_words(text: &str) -> Vec<String> {
    let words = Words::of(text);
    let said = words.tokens.iter().filter(|t| t.kind == Kind::Word || t.kind == Kind::Number);
    said.map(|t| t.fold.clone()).collect()
}

/// An understood field as it is printed: straight apostrophes and single spaces, as the poster's fonts and the
/// partners' copy-and-paste want them; the words themselves are untouched.
pub(super) fn tidy(text: &str) -> String {
    one_spaced(&text.replace(['’', '‘', 'ʼ'], "'"))
}

/// Cuts stray punctuation from both ends, but keeps a pair that encloses (`« Terres cuites »`, `(sur réservation)`).
pub(super) fn trimmed(text: &str) -> &str {
    let mut text = text.trim_matches(|c: char| {
        is_space(c)
            || matches!(
                c,
                ',' | ';'
                    | ':'
                    | '.'
                    | '-'
                    | '–'
                    | '—'
                    | '/'
                    | '|'
                    | '·'
                    | '•'
                    | '→'
                    | '*'
                    | '…'
                    | '!'
                    | '='
                    | '+'
                    | '>'
            )
    });
    // An unpaired bracket or quote at an end is what a removed hour or price left behind.
    loop {
        let before = text;
        for (open, close) in [('(', ')'), ('[', ']'), ('«', '»'), ('“', '”')] {
            let (opens, closes) = (text.matches(open).count(), text.matches(close).count());
            if opens > closes {
                text = text.strip_suffix(open).unwrap_or(text);
                text = if closes == 0 { text.strip_prefix(open).unwrap_or(text) } else { text };
            } else if closes > opens {
                text = text.strip_prefix(close).unwrap_or(text);
                text = if opens == 0 { text.strip_suffix(close).unwrap_or(text) } else { text };
            }
        }
        text = text.trim_matches(|c: char| is_space(c) || matches!(c, ',' | ';' | ':' | '-' | '–' | '—'));
        if text == before {
            return text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<String> {
        tokens(text).iter().map(|t| text[t.start..t.end].to_owned()).collect()
    }

    #[test]
    fn an_hour_is_three_tokens_and_a_compound_is_one() {
        assert_eq!(cut("à 10h30, au Cri’Art"), ["à", "10", "h", "30", ",", "au", "Cri’Art"]);
        assert_eq!(cut("Castéra-Verduzan l’office d'1 h"), ["Castéra-Verduzan", "l’", "office", "d", "'", "1", "h"]);
        assert_eq!(cut("21h-minuit"), ["21", "h", "-", "minuit"]);
        assert_eq!(cut("18h // Le Bistrot"), ["18", "h", "//", "Le", "Bistrot"]);
        assert!(tokens("18h // Le Bistrot")[2].is("|") && !tokens("https://office.example").iter().any(|t| t.is("|")));
    }

    #[test]
    fn spellings_of_the_same_word_are_equal() {
        assert_eq!(folded("CŒUR de Ville"), "coeur de ville");
        assert_eq!(folded("Événement d’été"), "evenement d'ete");
    }

    #[test]
    fn white_space_of_every_kind_becomes_one_space() {
        assert_eq!(one_spaced(" 6\u{a0}€\n\t\u{202f}– de 18 ans "), "6 € – de 18 ans");
    }

    #[test]
    fn stray_punctuation_is_removed_and_pairs_are_kept() {
        assert_eq!(trimmed(", visite (libre) ; "), "visite (libre)");
        assert_eq!(trimmed("« Terres cuites »"), "« Terres cuites »");
        assert_eq!(trimmed("ciné plein air ("), "ciné plein air");
        assert_eq!(trimmed(") et )"), "et");
    }
}
