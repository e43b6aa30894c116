//! The town that an article gives to what names none, and what looks like the town of a day.

use chrono::{Datelike, NaiveDate};

use super::super::communes;
use super::super::html::Line;
use super::super::lines::LONGEST_LINE;
use super::super::sentences::sentences;
use super::super::text::{Words, folded};
use super::Builder;

/// `Sauf mention contraire, tout se passe à Gramat.`, `Les rendez-vous ont lieu à Gramat, sauf indication contraire.`: the town
/// of what names none.
pub(super) fn usual_town(lines: &[Line]) -> Option<String> {
    #[rustfmt::skip]
    const UNLESS: [&str; 10] = [
        "mention contraire", "indication contraire", "avis contraire", "precision contraire", "autre precision", "autre indication",
        "autre mention", "contre-indication", "mention particuliere", "si precise autrement",
    ];
    let told = |line: &Line| {
        if line.text.len() > LONGEST_LINE
            || !line.text.contains("contraire") && !line.text.contains("autre") && !line.text.contains("particulière")
        {
            return None;
        }
        let words = Words::of(&line.text);
        sentences(&words).into_iter().find_map(|(from, to)| {
            let said = folded(words.slice(from, to));
            let unless = ["sauf", "hors", "sans"].iter().any(|word| said.contains(word))
                && UNLESS.iter().any(|unless| said.contains(unless));
            let mut towns =
                (from..to).filter(|at| words.is(*at, &["a"])).filter_map(|at| communes::written(&words, at + 1));
            let (town, _) = towns.next().filter(|_| unless)?;
            towns.next().is_none().then_some(town)
        })
    };
    let mut towns = lines.iter().filter_map(told);
    let town = towns.next()?;
    towns.all(|other| other == town).then_some(town)
}

/// `Mercredi 14 février (Saint-Valentin)`: the day's name, though a commune has it as well.
pub(super) fn is_saint_of(name: &str, days: &[NaiveDate]) -> bool {
    #[rustfmt::skip]
    const SAINTS: [(&str, u32, u32); 14] = [
        ("saint-vincent", 1, 22), ("saint-valentin", 2, 14), ("saint-patrick", 3, 17), ("saint-joseph", 3, 19), ("saint-georges", 4, 23),
        ("saint-jean", 6, 24), ("saint-pierre", 6, 29), ("saint-michel", 9, 29), ("saint-martin", 11, 11), ("sainte-cecile", 11, 22),
        ("sainte-catherine", 11, 25), ("sainte-barbe", 12, 4), ("saint-nicolas", 12, 6), ("saint-sylvestre", 12, 31),
    ];
    let name = folded(name).replace(' ', "-");
    SAINTS.iter().any(|(saint, month, day)| {
        *saint == name && days.iter().any(|date| date.month() == *month && date.day() == *day)
    })
}

impl Builder<'_> {
    /// The town of what names none.
    pub(super) fn usual_town_for(&self, text: &str) -> Option<String> {
        const LEADS: &[&str] = &["a", "au", "de", "d'", "-", ",", "(", ":", "\n", "|"];
        let usual = self.usual_town.as_ref().filter(|_| text.len() <= LONGEST_LINE)?;
        let words = Words::of(text);
        let named = |at: usize| {
            let led = at == 0 || words.is(at - 1, LEADS);
            led && communes::written(&words, at).is_some_and(|(name, _)| name != *usual)
        };
        (!(0..words.tokens.len()).any(named)).then(|| usual.clone())
    }
}
