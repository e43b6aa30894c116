//! Dashes: between two fields of an item, between two names, or within a range.

use super::text::{Kind, Words};
use super::words::{is_event_noun, is_venue};

/// A dash with blanks around it.
pub(super) fn is_dash(words: &Words<'_>, at: usize) -> bool {
    let tokens = &words.tokens;
    at > 0
        && at + 1 < tokens.len()
        && tokens[at].is("-")
        && tokens[at].start > tokens[at - 1].end
        && tokens[at + 1].start > tokens[at].end
        && !((tokens[at - 1].is_any(&["h", "heures", "min", "mn"]) || tokens[at - 1].kind == Kind::Number)
            && (tokens[at + 1].kind == Kind::Number || tokens[at + 1].is_any(&["minuit", "midi"])))
        && tokens[at + 1].kind != Kind::Break
        && !is_fixture(words, at)
}

/// `UST – Limoges`: two names, not two fields.
fn is_fixture(words: &Words<'_>, dash: usize) -> bool {
    let (before, after) = (&words.tokens[dash - 1], &words.tokens[dash + 1]);
    before.kind == Kind::Word
        && after.kind == Kind::Word
        && before.capital
        && after.capital
        && !is_venue(after)
        && !is_event_noun(after)
        && !words.shouts(dash + 1)
}
