//! Prices and telephone numbers.
//!
//! A price is kept as written. Prize money is not a price, and « gratuit » with a condition is a tier, not a free event: the
//! condition is always kept with it.

use super::days::Found;
use super::text::{Kind, Token};

fn is(tokens: &[Token], at: usize, words: &[&str]) -> bool {
    tokens.get(at).is_some_and(|token| token.is_any(words))
}

fn number(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.kind == Kind::Number)
}

fn glued(tokens: &[Token], at: usize) -> bool {
    at > 0 && at < tokens.len() && tokens[at - 1].end == tokens[at].start
}

const CURRENCY: [&str; 4] = ["€", "euros", "euro", "eur"];

/// `12 €`, `12,50 €`, `5€50`, `1 000 €`, `8 et 5 €`
fn amount(tokens: &[Token], at: usize) -> Option<usize> {
    const LONGEST: usize = 9;
    if !number(tokens, at) {
        return None;
    }
    let mut to = at;
    while to < at + LONGEST {
        if !number(tokens, to) {
            return None;
        }
        to += 1;
        if is(tokens, to, &[",", "."]) && glued(tokens, to) && glued(tokens, to + 1) && number(tokens, to + 1) {
            to += 2;
        }
        if is(tokens, to, &CURRENCY) {
            to += 1;
            let cents = number(tokens, to) && glued(tokens, to) && tokens[to].fold.len() == 2;
            return Some(to + usize::from(cents));
        }
        if is(tokens, to, &["et", "ou", "/", "a", "-"]) {
            to += 1;
        } else if !(number(tokens, to) && tokens[to].fold.len() == 3) {
            return None;
        }
    }
    None
}

/// `gratuit`, `entrée libre`, `participation libre`, `au chapeau`
fn free(tokens: &[Token], at: usize) -> Option<usize> {
    let token = tokens.get(at)?;
    let pair = |next: &[&str]| is(tokens, at + 1, next).then_some(at + 2);
    let to = match token.fold.as_str() {
        "gratuit" | "gratuite" | "gratuits" | "gratuites" | "gratuitement" | "gratuite " => Some(at + 1),
        "entree" | "acces" | "participation" | "prix" | "tarif" | "entrees" | "visite" => {
            let libre: &[&str] =
                if token.is("visite") { &[] } else { &["libre", "libres", "gratuit", "gratuite", "gratuits"] };
            pair(libre)
        }
        "libre" => pair(&["participation", "acces"]),
        "au" => pair(&["chapeau"]),
        "chapeau" if is(tokens, at + 1, &["a"]) && is(tokens, at + 2, &["la"]) && is(tokens, at + 3, &["sortie"]) => {
            Some(at + 4)
        }
        "chapeau" if is(tokens, at + 1, &[".", "!"]) || at + 1 == tokens.len() => Some(at + 1),
        _ => None,
    }?;
    // `entrée libre et gratuite`
    Some(if is(tokens, to, &["et"]) && is(tokens, to + 1, &["gratuit", "gratuite", "libre"]) { to + 2 } else { to })
}

/// `pour les moins de 18 ans`, `(réduit 4 €)`, `par personne`: the condition of the amount.
fn qualifier(tokens: &[Token], at: usize) -> usize {
    const LONGEST: usize = 14;
    if is(tokens, at, &["de"])
        && number(tokens, at + 1)
        && is(tokens, at + 2, &["a"])
        && number(tokens, at + 3)
        && is(tokens, at + 4, &["ans"])
    {
        return at + 5;
    }
    const FIRST: [&str; 27] = [
        "pour",
        "par",
        "moins",
        "plus",
        "reduit",
        "reduits",
        "plein",
        "adulte",
        "adultes",
        "enfant",
        "enfants",
        "etudiant",
        "etudiants",
        "adherent",
        "adherents",
        "personne",
        "pers",
        "la",
        "le",
        "l'",
        "jusqu'",
        "non",
        "en",
        "sur",
        "tarif",
        "avec",
        "des",
    ];
    let closing = |from: usize| (from..tokens.len().min(from + LONGEST)).find(|i| tokens[*i].is(")"));
    if is(tokens, at, &["("]) {
        let about_money = |to: usize| {
            tokens[at + 1..to].iter().any(|t| {
                t.is_any(&CURRENCY)
                    || t.is_any(&FIRST[..16])
                    || t.is_any(&["gratuit", "compris", "comprise", "inclus", "incluse", "offert", "offerte"])
            })
        };
        return closing(at + 1).filter(|to| about_money(*to)).map_or(at, |to| to + 1);
    }
    let less = is(tokens, at, &["-", "+"])
        && (is(tokens, at + 1, &["de"]) || (number(tokens, at + 1) && is(tokens, at + 2, &["ans"])));
    let each = is(tokens, at, &["/"])
        && is(tokens, at + 1, &["pers", "personne", "adulte", "enfant", "famille", "jour", "equipe"]);
    let ticket = is(tokens, at, &["la", "le", "l'"])
        && is(tokens, at + 1, &["place", "repas", "emplacement", "entree", "metre", "carton", "seance"]);
    let where_sold = is(tokens, at, &["sur", "en"]) && is(tokens, at + 1, &["place", "prevente", "ligne"]);
    let from_age = is(tokens, at, &["des"]) && number(tokens, at + 1) && is(tokens, at + 2, &["ans"]);
    let plain = is(tokens, at, &FIRST) && !is(tokens, at, &["la", "le", "l'", "sur", "en", "des", "avec", "plus"]);
    if !(less || each || ticket || where_sold || from_age || plain) {
        return at;
    }
    let mut to = at + 1;
    while let Some(token) = tokens.get(to) {
        let ends = token.is_sentence_end()
            || token.is_any(&[",", "(", ")", ":", "/"])
            || token.is_any(&["a", "au", "aux", "rdv", "rv"]);
        // `3 € de 8 à 15 ans`
        let ages = token.is("a") && number(tokens, to - 1) && number(tokens, to + 1) && is(tokens, to + 2, &["ans"]);
        let ends = ends && !ages;
        // `6 €/4 €` and `, gratuit pour…` begin the next tier.
        let next_tier = amount(tokens, to).is_some() || free(tokens, to).is_some();
        if ends || next_tier || to >= at + LONGEST {
            break;
        }
        to += 1;
    }
    // `pers.`
    if tokens[to - 1].is("pers") && is(tokens, to, &["."]) && tokens.get(to + 1).is_some_and(|t| !t.capital) {
        to += 1;
    }
    // `8 € et 5 € …`: the joint belongs to the next tier.
    if tokens[to - 1].is_any(&["et", "ou", "puis"]) { to - 1 } else { to }
}

/// The price that begins at token `at`; `None` for other amounts.
pub(super) fn price(tokens: &[Token], at: usize) -> Option<usize> {
    // `parking gratuit`, `navette gratuite`: of what there is beside the event.
    #[rustfmt::skip]
    const BESIDE: [&str; 9] = [
        "parking", "parkings", "stationnement", "navette", "navettes", "bus", "garderie", "consigne", "wifi",
    ];
    if at > 0 && is(tokens, at - 1, &BESIDE) && is(tokens, at, &["gratuit", "gratuite", "gratuits", "gratuites"]) {
        return None;
    }
    if let Some(to) = label(tokens, at).filter(|to| element(tokens, *to).is_some()) {
        return tiers(tokens, to);
    }
    tiers(tokens, at)
}

/// `Tarif :`, `Entrée,` before an amount. Returned apart: the label of the field itself is not part of the price.
fn label(tokens: &[Token], at: usize) -> Option<usize> {
    if !is(
        tokens,
        at,
        &["tarif", "tarifs", "prix", "entree", "entrees", "participation", "paf", "inscription", "adulte", "adultes"],
    ) {
        return None;
    }
    let mut to = at + 1;
    while is(tokens, to, &["unique", "plein", "reduit", "reduits", "normal", "de", "entree", "a"]) && to < at + 4 {
        to += 1;
    }
    to += usize::from(is(tokens, to, &[":", ",", "-"]));
    Some(to)
}

/// The part of a price that is only the name of its field: `Tarif :`.
pub(super) fn bare_label(tokens: &[Token], at: usize) -> usize {
    if is(tokens, at, &["tarif", "tarifs", "prix"]) && is(tokens, at + 1, &[":"]) { at + 2 } else { at }
}

fn element(tokens: &[Token], at: usize) -> Option<usize> {
    let at = at + usize::from(is(tokens, at, &["de"]) && number(tokens, at + 1));
    amount(tokens, at).or_else(|| free(tokens, at))
}

fn tiers(tokens: &[Token], at: usize) -> Option<usize> {
    const MOST_TIERS: usize = 12;
    let mut to = element(tokens, at)?;
    let lead = if at > 0 && is(tokens, at - 1, &["de"]) { at - 1 } else { at };
    let given = lead > 0 && is(tokens, lead - 1, &["dote", "dotee", "dotes", "dotees", "gagner", "dotation"]);
    if given || is_prize(tokens, to) {
        return None;
    }
    for _ in 0..MOST_TIERS {
        to = qualifier(tokens, to);
        let mut next = to;
        if is(tokens, next, &[",", ";", "/", "et", "ou", "-", "puis"]) {
            next += 1;
            next += usize::from(is(tokens, next, &["et", "puis"]));
        } else if !number(tokens, next) && free(tokens, next).is_none() {
            break;
        }
        if let Some(end) = element(tokens, next).filter(|end| !is_prize(tokens, *end)) {
            to = end;
            continue;
        }
        // `5 €, moins de 26 ans`, `, tarif réduit 5 €`, `8 € adultes, enfants 4 €`
        let tier = is(
            tokens,
            next,
            &["moins", "reduit", "tarif", "enfant", "enfants", "adulte", "adultes", "etudiants", "adherents"],
        ) || (is(tokens, next, &["-", "+"]) && is(tokens, next + 1, &["de"]));
        let end = if tier { qualifier(tokens, next) } else { next };
        if end <= next {
            break;
        }
        to = element(tokens, end + usize::from(is(tokens, end, &[":"]))).unwrap_or(end);
    }
    Some(to)
}

fn is_prize(tokens: &[Token], at: usize) -> bool {
    (is(tokens, at, &["de", "en"])
        && is(
            tokens,
            at + 1,
            &["dotation", "dotations", "lots", "lot", "prix", "gains", "cadeaux", "bons", "recettes", "dons"],
        ))
        || (is(tokens, at, &["a"]) && is(tokens, at + 1, &["gagner"]))
}

/// A telephone number with the words that announce it, as `05 62 00 00 00`.
pub(super) fn phone(tokens: &[Token], at: usize) -> Option<Found<String>> {
    const LABELS: [&str; 11] =
        ["tel", "telephone", "telephoner", "au", ".", ":", "☎", "📞", "portable", "port", "mobile"];
    let mut first = at;
    while first < at + 4 && is(tokens, first, &LABELS) && !(first == at && is(tokens, at, &[".", ":"])) {
        first += 1;
    }
    let (mut digits, mut to) = (String::new(), first);
    if is(tokens, first, &["+"]) && is(tokens, first + 1, &["33"]) {
        to = first + 2;
        if is(tokens, to, &["("]) && is(tokens, to + 1, &["0"]) && is(tokens, to + 2, &[")"]) {
            to += 3;
        }
        digits.push('0');
    }
    let international = !digits.is_empty();
    while digits.len() < 10 {
        let token = tokens.get(to).filter(|token| token.kind == Kind::Number)?;
        let sound = match digits.len() {
            0 => {
                token.fold.starts_with('0')
                    && (token.fold.len() == 2 || token.fold.len() == 4 || token.fold.len() == 10)
            }
            1 => international,
            _ => token.fold.len().is_multiple_of(2),
        };
        if !sound {
            return None;
        }
        digits += &token.fold;
        to += 1;
        if digits.len() < 10 && is(tokens, to, &[".", "-", "/"]) {
            to += 1;
        }
    }
    if digits.len() != 10 || digits.starts_with("00") {
        return None;
    }
    let pairs: Vec<&str> = (0..5).filter_map(|pair| digits.get(pair * 2..pair * 2 + 2)).collect();
    Some(Found { what: pairs.join(" "), to })
}

#[cfg(test)]
mod tests {
    use super::super::text::tokens;
    use super::*;

    fn first_price(text: &str) -> String {
        let tokens = tokens(text);
        let found = (0..tokens.len()).find_map(|at| price(&tokens, at).map(|to| (at, to)));
        found.map_or(String::new(), |(at, to)| text[tokens[at].start..tokens[to - 1].end].to_owned())
    }

    #[test]
    fn prices_are_kept_as_written_with_their_conditions() {
        for (text, expected) in [
            ("RV ici. 6 €/4 €, gratuit – de 18 ans. Réservation", "6 €/4 €, gratuit – de 18 ans"),
            ("15 euros, 8 euros pour les enfants", "15 euros, 8 euros pour les enfants"),
            ("6 €/4 €/2 € pour les moins de 18 ans", "6 €/4 €/2 € pour les moins de 18 ans"),
            ("Entrée, 10 € ; 5 €, moins de 26 ans.", "Entrée, 10 € ; 5 €, moins de 26 ans"),
            ("8 et 5 € à la salle", "8 et 5 €"),
            ("8 ou 4 euros", "8 ou 4 euros"),
            ("5€50 la place", "5€50 la place"),
            ("12,50 €", "12,50 €"),
            ("gratuit pour les moins de 12 ans", "gratuit pour les moins de 12 ans"),
            ("Entrée libre.", "Entrée libre"),
            ("entrée 5 € (gratuit pour les enfants), buvette", "entrée 5 € (gratuit pour les enfants)"),
            ("5.000 euros de dotations", ""),
            ("300 € de lots", ""),
            ("concert gratuit sous la halle", "gratuit"),
            ("participation libre", "participation libre"),
            ("tarif plein : 12 €, tarif réduit : 8 €", "tarif plein : 12 €, tarif réduit : 8 €"),
            ("adultes 8 €, enfants 4 €", "adultes 8 €, enfants 4 €"),
            ("de 5 à 10 €", "de 5 à 10 €"),
            ("10 h 30, 12 places", ""),
        ] {
            assert_eq!(first_price(text), expected, "{text}");
        }
    }

    #[test]
    fn telephone_numbers_are_normalised() {
        for (text, expected) in [
            ("au 05 62 00 00 00", Some("05 62 00 00 00")),
            ("Tél. 06.00.00.00.00", Some("06 00 00 00 00")),
            ("0562000000", Some("05 62 00 00 00")),
            ("Tél : +33 (0)5 62 00 00 00", Some("05 62 00 00 00")),
            ("05-62-00-00-00", Some("05 62 00 00 00")),
            ("05 62 00", None),
            ("2027 12 14 16 18", None),
        ] {
            assert_eq!(phone(&tokens(text), 0).map(|found| found.what).as_deref(), expected, "{text}");
        }
    }
}
