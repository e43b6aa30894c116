//! Sets of words that the ledger and the command line write with commas between them: roles, scopes, events.

use std::fmt;
use std::marker::PhantomData;

/// One of a few things, each with its word; at most eight.
pub trait Word: Copy + PartialEq + 'static {
    /// In the order in which a set is written.
    const ALL: &'static [Self];
    /// What messages call them: `scopes`.
    const PLURAL: &'static str;
    /// Stands for all of them, if there is such a word.
    const EVERY: Option<&'static str> = None;

    fn as_str(self) -> &'static str;

    /// The one with this word.
    fn read(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.as_str() == word)
    }
}

/// A set of words; where it is kept it is never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordSet<W>(u8, PhantomData<W>);

impl<W: Word> WordSet<W> {
    pub fn of(words: impl IntoIterator<Item = W>) -> Self {
        let bits = words.into_iter().fold(0, |set, word| set | bit(word));
        Self(bits, PhantomData)
    }

    /// Parses words with commas between them; blanks do not matter.
    ///
    /// # Errors
    /// When a word is not one of them, or none is given; the message lists them.
    pub fn parse(text: &str) -> Result<Self, String> {
        if W::EVERY == Some(text.trim()) {
            return Ok(Self::of(W::ALL.iter().copied()));
        }
        let every = W::EVERY.map(|word| format!("{word}, or ")).unwrap_or_default();
        let known = || W::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ");
        let found = text.split(',').map(str::trim).map(|word| {
            W::read(word).ok_or_else(|| format!("expected {every}{} of {}, found {word:?}", W::PLURAL, known()))
        });
        Ok(Self::of(found.collect::<Result<Vec<_>, _>>()?))
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn has(self, word: W) -> bool {
        self.0 & bit(word) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = W> {
        W::ALL.iter().copied().filter(move |word| self.has(*word))
    }
}

fn bit<W: Word>(word: W) -> u8 {
    W::ALL.iter().position(|it| *it == word).map_or(0, |at| 1 << at)
}

impl<W> Default for WordSet<W> {
    fn default() -> Self {
        Self(0, PhantomData)
    }
}

/// In the order of [`Word::ALL`], with commas.
impl<W: Word> fmt::Display for WordSet<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iter().map(W::as_str).collect::<Vec<_>>().join(","))
    }
}
