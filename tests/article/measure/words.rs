//! Words, prices and communes, as the measure compares them.

use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

macro_rules! regex {
    ($pattern:literal) => {{
        static REGEX: std::sync::LazyLock<regex::Regex> =
            std::sync::LazyLock::new(|| regex::Regex::new($pattern).unwrap());
        &*REGEX
    }};
}

pub(super) type Words = Vec<String>;

pub(super) fn words(text: &str) -> Words {
    let mut words: Words = vec![String::new()];
    let mut last = ' ';
    for c in text.nfkd().filter(|c| canonical_combining_class(*c) == 0).flat_map(char::to_lowercase) {
        match c {
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe0f}' => continue,
            _ if !c.is_alphanumeric() || c.is_numeric() != last.is_numeric() => words.push(String::new()),
            _ => {}
        }
        match c {
            'œ' => words.last_mut().unwrap().push_str("oe"),
            'æ' => words.last_mut().unwrap().push_str("ae"),
            _ if c.is_alphanumeric() => words.last_mut().unwrap().push(c),
            _ => {}
        }
        last = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

pub(super) fn stem(word: &str) -> &str {
    if word.len() > 3 { word.strip_suffix(['s', 'x']).unwrap_or(word) } else { word }
}

/// Longer forms of long words count; numbers are exact.
pub(super) fn has_word(words: &[String], word: &str) -> bool {
    let word = stem(word);
    words.iter().any(|other| stem(other) == word || (word.len() >= 5 && other.starts_with(word)))
}

pub(super) fn has_run(words: &[String], run: &[String]) -> bool {
    !run.is_empty() && words.windows(run.len()).any(|window| window == run)
}

pub(super) fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn is_in(list: &str, word: &str) -> bool {
    list.split(' ').any(|other| other == word)
}

/// Without clock times and the small words that lead to them: `à partir de 21 h 30`.
pub(super) fn without_hours(words: &[String]) -> Words {
    let mut out: Words = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let unit = words.get(at + 1).is_some_and(|unit| is_in("h heure heures", unit));
        if !(unit && is_number(&words[at])) {
            out.push(words[at].clone());
            at += 1;
            continue;
        }
        while out.last().is_some_and(|last| is_in("a de des et vers partir jusqu", last)) {
            out.pop();
        }
        at += 2;
        at += usize::from(words.get(at).is_some_and(|minutes| minutes.len() == 2 && is_number(minutes)));
    }
    out
}

/// Whether the title is the item or one of its sentences, as written, with or without the hours.
pub(super) fn is_sentence(title: &str, text: &str) -> bool {
    let title = without_hours(&words(title));
    let mut from = 0;
    let mut sentences = vec![text];
    for end in regex!(r"[.!?…;]\s+").find_iter(text).map(|end| end.end()) {
        sentences.push(&text[from..end]);
        from = end;
    }
    sentences.push(&text[from..]);
    let mut sentences = sentences.into_iter().map(|sentence| without_hours(&words(sentence)));
    sentences.any(|sentence| 10 * title.len() >= 9 * sentence.len() && has_run(&sentence, &title))
}

/// What shows that a title is a piece of a sentence. The words that the event must be named by are none.
pub(super) fn debris(title: &str, must: &[Vec<String>]) -> Option<String> {
    const BEGINS: &str = "et puis ensuite egalement aussi enfin toujours avec suivi suivie suivis suivies en dans sur \
        sous chez par pour jusqu jusque inclus seul seule comme mais ou que qui dont ne se s y autour vers apres avant \
        entre depuis lors ainsi donc car si plus au aux a de du d ce cet cette meme memes rdv rv bien sans durant \
        pendant afin voici";
    const NEVER: &str = "vous venez accueille accueillent recoit recoivent propose proposent promet promettent attend \
        attendent invite invitent organise organisent reservez apportez inscription inscriptions reservation \
        reservations tarif tarifs";
    const ENDS: &str =
        "de du des le la les un une et a au aux en avec par pour sur sous dans qu que qui d l chez ou ne se";
    let expected = |word: &str| must.iter().flatten().any(|other| stem(other) == stem(word));
    let all = words(title);
    let (Some(first), Some(last)) = (all.first(), all.last()) else { return Some("empty".to_owned()) };
    let quoted = title.trim_start().starts_with(['«', '“', '"']);
    let a_name = regex!(
        r"(?i)^\s*(de l[’']|en (?:avant|attendant|passant)|sur les pas|de la |apr[èe]s[- ]midi|bien[- ][êe]tre)"
    );
    let a_start = regex!(r"(?i)^\s*(dès\b|rendez-vous (?:à|au|aux|dès|devant|sur|pour)\b|à partir\b)");
    let early: String = title.to_lowercase().chars().take(5).collect();
    if !quoted
        && !expected(first)
        && ((is_in(BEGINS, first) && !a_name.is_match(title))
            || a_start.is_match(title)
            || (first == "des" && early.contains("dès")))
    {
        return Some(format!("begins with « {first} »"));
    }
    if !quoted && is_in(ENDS, last) && !expected(last) {
        return Some(format!("ends with « {last} »"));
    }
    if let Some(word) = all.iter().find(|word| is_in(NEVER, word) && !expected(word)) {
        return Some(format!("holds « {word} »"));
    }
    let hour = regex!(r"\b\d{1,2}\s?[hH]\s?(\d\d)?\b|\b\d{1,2}:\d\d\b").is_match(title);
    let count = |sign: char| title.matches(sign).count();
    let (opened, closed) = (count('«'), count('»'));
    [
        (regex!(r"[\[\]=©]|</?\w").is_match(title), "code"),
        (regex!("[📍📌📅🕐🕑⏰⌚☎📞💶💰🎟]").is_match(title), "pictogram"),
        (regex!(r"€|\beuros?\b").is_match(title), "holds a price"),
        (hour && !all.iter().any(|word| is_number(word) && expected(word)), "holds an hour"),
        (regex!(r"(?:\d\d[ .]){4}\d\d").is_match(title), "holds a telephone"),
        (count('(') != count(')'), "open bracket"),
        (opened + closed == 1 && !title.contains('“'), "open quote"),
        (all.iter().all(|word| is_in("matin matinee midi apres journee soir soiree nuit", word)), "part of the day"),
    ]
    .into_iter()
    .find_map(|(found, why)| found.then(|| why.to_owned()))
}

/// The sums of a price in cents, without ages and hours, and whether it is free.
pub(super) fn money(price: &str) -> (BTreeSet<u64>, bool) {
    let price: String =
        price.nfd().filter(|c| canonical_combining_class(*c) == 0).flat_map(char::to_lowercase).collect();
    let price = regex!(r"\b\d{1,2}\s*h\s*(\d\d)?\b").replace_all(&price, " ");
    let ages = regex!(r"(-|moins de|de \d+ a|plus de|des)?\s*\d+\s*(ans?\b|personnes?\b|pers\b|places?\b)");
    let price = ages.replace_all(&price, " ");
    let price = regex!(r"(\d)\s*(?:€|euros?)\s*(\d\d)\b").replace_all(&price, "$1.$2");
    let sums = regex!(r"[0-9]+(?:[.,][0-9]{1,2})?").find_iter(&price);
    let cents = |sum: &str| (sum.replace(',', ".").parse::<f64>().unwrap() * 100.0).round() as u64;
    let free = ["gratuit", "libre", "chapeau", "offert", "free"].iter().any(|word| price.contains(word));
    (sums.map(|sum| cents(sum.as_str())).collect(), free)
}

pub(super) fn commune(name: &str) -> Words {
    let name = words(name);
    let article = name.len() > 1 && is_in("le la les l", &name[0]);
    name[usize::from(article)..].to_vec()
}
