//! The communes of France, by name. Data made by `scripts/communes` from the official geographic code.
//!
//! A help, not a condition: a capitalised name after « à » is taken for a place whether it is listed or not. Names that
//! are also ordinary words (`Contes`, `Port`) count only where the sentence makes them a town.

use std::collections::HashSet;
use std::io::Read;
use std::sync::LazyLock;

use super::text::{Kind, Token, Words};
use super::words::{is_event_noun, is_venue};

static COMPRESSED: &[u8] = include_bytes!("communes.zlib");

/// The list as one text, and where each of its lines begins. Lines are sorted by their folded name.
struct List {
    text: String,
    lines: Vec<u32>,
    /// First words of the names, and those behind `Le`, `La`, `L'`, by hash: most capitalised words begin no name, and are
    /// turned away here.
    first_words: HashSet<u64>,
}

static LIST: LazyLock<List> = LazyLock::new(|| {
    let mut text = String::new();
    // The data is part of the binary and tested: it can always be read.
    let read = flate2::read::ZlibDecoder::new(COMPRESSED).read_to_string(&mut text);
    debug_assert!(read.is_ok(), "{read:?}");
    let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
    let lines = starts.filter_map(|at| u32::try_from(at).ok()).collect();
    let mut first_words = HashSet::with_capacity(40_000);
    for line in text.lines() {
        let mut words = line.split('\t').next().unwrap_or_default().split(' ');
        let first = words.next().unwrap_or_default();
        first_words.insert(hash(first));
        if matches!(first, "le" | "la" | "l" | "les") {
            first_words.extend(words.next().map(hash));
        }
    }
    List { text, lines, first_words }
});

/// FNV-1a: short words, looked up far more often than they are kept.
fn hash(word: &str) -> u64 {
    word.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl List {
    fn line(&self, index: usize) -> &str {
        let from = self.lines[index] as usize;
        self.text[from..].split('\n').next().unwrap_or_default()
    }

    /// The name as written, and its departments, of the commune with this folded name.
    fn find(&self, folded: &str) -> Option<(&str, &str)> {
        let key = |index: usize| self.line(index).split('\t').next().unwrap_or_default();
        let (mut low, mut high) = (0, self.lines.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if key(middle) < folded { low = middle + 1 } else { high = middle }
        }
        let mut fields = (low < self.lines.len()).then(|| self.line(low))?.split('\t');
        (fields.next() == Some(folded)).then_some(())?;
        fields.next().zip(fields.next())
    }
}

/// Longest name in words: `Saint-Rémy-en-Bouzemont-Saint-Genest-et-Isson` has eight.
const LONGEST_NAME: usize = 9;

/// The known commune written from token `at` on, and where it ends. Hyphens and spaces are alike.
pub(super) fn known(tokens: &[Token], at: usize) -> Option<(&'static str, usize)> {
    let first = tokens.get(at).filter(|token| token.kind == Kind::Word)?;
    // `L'` of `à l'Isle-Jourdain` can be small, a name cannot.
    let name = if first.is_any(&["l'", "la", "le", "les"]) { tokens.get(at + 1)? } else { first };
    if !name.capital || name.kind != Kind::Word {
        return None;
    }
    let head = name.fold.split(['-', '\'']).next().unwrap_or_default();
    if !LIST.first_words.contains(&hash(head)) && !matches!(head, "st" | "ste") {
        return None;
    }
    longest(tokens, at, "").or_else(|| {
        // `Houga` is `Le Houga`: with its article in the list, without it in the text.
        let article = ["le ", "la ", "l "].iter().find_map(|article| longest(tokens, at, article));
        article.filter(|_| name.end - name.start > 4 && !is_event_noun(name) && !is_venue(name))
    })
}

/// As [`known`], and the name as the article writes it; in capitals, as the list does.
pub(super) fn written(words: &Words<'_>, at: usize) -> Option<(String, usize)> {
    let (name, to) = known(&words.tokens, at)?;
    let text = words.slice(at, to);
    if !text.chars().any(char::is_lowercase) {
        return Some((name.to_owned(), to));
    }
    if !accents_agree(text, name) {
        return None;
    }
    // `Houga` is `Le Houga`, `St-Clar` is `Saint-Clar`: then the list's form is the full one.
    let same_length = folded_parts(text) == folded_parts(name);
    let text = text.replace('’', "'");
    Some((if same_length { text } else { name.to_owned() }, to))
}

fn folded_parts(text: &str) -> Vec<String> {
    super::text::folded(text).split(['-', ' ', '\'']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Whether the accents of a single small word are those of the name: `Luce` is no `Lucé`. What the list lacks (`Jégun` is
/// `Jegun` there) and what a capital hides do not count.
fn accents_agree(text: &str, name: &str) -> bool {
    if text.contains([' ', '-', '\'', '’']) || text.chars().count() != name.chars().count() {
        return true;
    }
    text.chars().zip(name.chars()).skip(1).all(|(written, listed)| written == listed || listed.is_ascii())
}

/// The commune behind `au` or `du`: `au Houga` is at `Le Houga`.
pub(super) fn contracted(tokens: &[Token], at: usize) -> Option<(&'static str, usize)> {
    tokens.get(at).filter(|token| token.capital)?;
    let article = match tokens.get(at.checked_sub(1)?)?.fold.as_str() {
        "au" | "du" => "le ",
        "aux" | "des" => "les ",
        _ => return None,
    };
    longest(tokens, at, article)
}

fn longest(tokens: &[Token], at: usize, article: &str) -> Option<(&'static str, usize)> {
    let list: &'static List = &LIST;
    let mut key = article.to_owned();
    let mut ends: Vec<(usize, usize)> = Vec::new();
    for (index, token) in tokens.iter().enumerate().skip(at).take(LONGEST_NAME) {
        // `Saint - Clar` is not written; a hyphen with blanks is a dash.
        if token.kind != Kind::Word {
            break;
        }
        if !key.is_empty() && !key.ends_with(' ') {
            key.push(' ');
        }
        for part in token.fold.split(['-', '\'']).filter(|part| !part.is_empty()) {
            key.push_str(part);
            key.push(' ');
        }
        key.truncate(key.trim_end().len());
        // `St-Clar`, `Ste-Christie`
        ends.push((key.len(), index + 1));
    }
    for (length, to) in ends.into_iter().rev() {
        let written = &key[..length];
        let spelled = written.strip_prefix("ste ").map(|rest| format!("sainte {rest}"));
        let spelled = spelled.or_else(|| written.strip_prefix("st ").map(|rest| format!("saint {rest}")));
        if let Some((name, _)) = list.find(spelled.as_deref().unwrap_or(written)) {
            return Some((name, to));
        }
    }
    None
}

/// The departments of the communes of this name, their numbers with blanks between; empty where there is none.
pub(super) fn departments(name: &str) -> &'static str {
    let folded = super::text::folded(name).replace(['-', '\''], " ");
    LIST.find(&folded).map_or("", |(_, departments)| departments)
}

#[cfg(test)]
mod tests {
    use super::super::text::tokens;
    use super::*;

    #[test]
    fn a_commune_is_known_however_it_is_written() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(known(&tokens(text), 0).map(|(name, _)| name), expected, "{text}");
        };
        check("Castera Verduzan", Some("Castéra-Verduzan"));
        check("CASTÉRA-VERDUZAN.", Some("Castéra-Verduzan"));
        check("l’Isle-Jourdain", Some("L'Isle-Jourdain"));
        check("Houga", Some("Le Houga"));
        check("St-Clar", Some("Saint-Clar"));
        check("Sainte Christie d'Armagnac", Some("Sainte-Christie-d'Armagnac"));
        check("Vézénobres, sur les traces", Some("Vézénobres"));
        check("condom", None);
        check("Ternoux", None);
        assert_eq!(contracted(&tokens("au Houga"), 1).map(|(name, _)| name), Some("Le Houga"));
    }

    #[test]
    fn the_list_is_whole_and_sorted() {
        assert!(LIST.lines.len() > 34_000);
        assert!(
            (1..LIST.lines.len()).all(|at| LIST.line(at - 1).split('\t').next() <= LIST.line(at).split('\t').next())
        );
        assert_eq!(departments("Auch"), "32");
    }
}
