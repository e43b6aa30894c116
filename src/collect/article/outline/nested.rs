//! Lists within the item of a list: what stands in them is of the day and the town of that item.

use super::super::communes;
use super::super::text::Words;
use super::super::words::is_event_noun;
use super::{Builder, Under};

/// An item that a list may stand in.
pub(super) struct Parent {
    /// Lists around it.
    depth: usize,
    /// Where its own words put it.
    under: Option<Under>,
    town: Option<String>,
}

impl Builder<'_> {
    /// The words of a line, with the day and the town of the item whose list it stands in.
    pub(super) fn words_of_list(&mut self, at: usize) {
        let line = &self.lines[at];
        self.parents.retain(|parent| parent.depth < line.depth);
        let Some(parent) = self.parents.last().filter(|_| line.in_list) else {
            self.words(at, 0, 0);
            self.remember_parent(at);
            return;
        };
        let outer = (self.under.clone(), self.town.clone());
        if let Some(under) = parent.under.clone() {
            self.under = under;
        }
        if parent.town.is_some() {
            self.town = parent.town.clone();
        }
        let within = self.under.clone();
        self.words(at, 0, 0);
        self.remember_parent(at);
        if self.under == within {
            self.under = outer.0;
        }
        self.town = outer.1;
    }

    fn remember_parent(&mut self, at: usize) {
        const MOST: usize = 8;
        let line = &self.lines[at];
        let entry = self.pending.as_ref().map(|pending| &pending.entry).or(self.out.entries.last());
        let Some(entry) = entry.filter(|_| line.bullet && line.depth > 0 && self.parents.len() < MOST) else { return };
        // What tells of several days is of none of them for certain.
        if entry.told.is_some() || !line.text.ends_with(&entry.text) {
            return;
        }
        let under = entry.placed_by_words.then(|| entry.under.clone());
        let under = under.filter(|under| matches!(under, Under::Days(_) | Under::Listed(_)));
        let town = town_of(&line.text).or_else(|| entry.town.clone());
        self.parents.push(Parent { depth: line.depth, under, town });
    }
}

/// The one town that a line names as its place: `Fête de la coquille à Pavie`, `Fête, suite, Pavie`, `marché de Pavie`.
pub(super) fn town_of(text: &str) -> Option<String> {
    const LONGEST: usize = 300;
    if text.len() > LONGEST {
        return None;
    }
    let words = Words::of(text);
    let named = |at: usize| {
        let led = words.is(at, &["a"]) || words.is(at, &["de", "d'"]) && at > 0 && is_event_noun(&words.tokens[at - 1]);
        let (name, to) = communes::written(&words, at + 1)?;
        let ends = words.is(at, &[",", "-", ":", "("])
            && words.tokens[to..].iter().all(|it| it.is_sentence_end() || it.is_any(&[")", ":"]));
        (led || ends).then_some(name)
    };
    let mut towns: Vec<String> = (0..words.tokens.len()).filter_map(named).collect();
    towns.dedup();
    if towns.len() == 1 { towns.pop() } else { None }
}
