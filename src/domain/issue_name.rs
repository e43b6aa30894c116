//! Issues as people name them: « l’agenda du 12 au 18 juillet », « la lettre d’août 2027 ». The key stands in addresses, commands
//! and columns; in a sentence stands the name.

use super::{
    agenda::Week,
    edition::{ORDERS, REMINDER},
    french::{self, NBSP},
    issue::IssueKey,
};
use chrono::{Datelike, NaiveDate};
use std::fmt;

/// Ids of mailings that say no more than the kind of the period does.
const PLAIN: [&str; 7] = ["agenda", "newsletter", "lettre", "infolettre", "edition", "editions", ORDERS];

/// The name of an issue, made of its key alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueName {
    /// `l’`, `la `
    article: &'static str,
    /// `agenda du 12 au 18 juillet`
    noun: String,
    feminine: bool,
}

impl IssueName {
    pub fn new(key: &IssueKey) -> Self {
        if let Some(corrected) = key.corrected() {
            let noun = format!("rectificatif {}", Self::new(&corrected).of());
            return Self { article: "le ", noun, feminine: false };
        }
        let period = key.period();
        let (article, noun, feminine) = if key.mailing() == ORDERS {
            ("la ", "confirmation d’une commande".to_owned(), true)
        } else if let Ok(week) = period.parse::<Week>() {
            ("l’", format!("agenda {}", days(week)), false)
        } else if let Some(month) = month_of(period) {
            ("la ", format!("lettre {}", of_month(month)), true)
        } else if let Some(slug) = period.strip_suffix(REMINDER) {
            ("le ", format!("rappel de l’édition «{NBSP}{slug}{NBSP}»"), false)
        } else {
            ("l’", format!("édition «{NBSP}{period}{NBSP}»"), true)
        };
        let noun = if PLAIN.contains(&key.mailing()) { noun } else { format!("{noun} ({})", key.mailing()) };
        Self { article, noun, feminine }
    }

    /// `de l’agenda du 12 au 18 juillet`, `de la lettre d’août 2027`, `du rappel …`
    pub fn of(&self) -> String {
        match self.article {
            "le " => format!("du {}", self.noun),
            article => format!("de {article}{}", self.noun),
        }
    }

    /// At the beginning of a sentence.
    pub fn first(&self) -> String {
        french::capitalized(&self.to_string())
    }

    /// `retenu`, `retenue`
    pub fn agreed(&self, participle: &str) -> String {
        format!("{participle}{}", if self.feminine { "e" } else { "" })
    }
}

impl fmt::Display for IssueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.article, self.noun)
    }
}

/// What an issue is of, beside the title of its mailing: `du 12 au 18 juillet`, `août 2027`; of an edition its slug.
pub fn period(key: &IssueKey) -> String {
    match (key.period().parse::<Week>(), month_of(key.period())) {
        (Ok(week), _) => days(week),
        (_, Some(first)) => format!("{} {}", french::month(first), first.year()),
        _ => key.period().to_owned(),
    }
}

/// `du 12 au 18 juillet`, `du 28 juin au 4 juillet`
fn days(week: Week) -> String {
    let (first, last) = (week.monday(), week.sunday());
    let from = match first.month() == last.month() {
        true => french::day_number(first),
        false => french::day_and_month(first),
    };
    format!("du {from} au {}", french::day_and_month(last))
}

/// `d’août 2027`, `de juillet 2027`
fn of_month(first: NaiveDate) -> String {
    let name = french::month(first);
    let of = if name.starts_with(['a', 'o']) { "d’" } else { "de " };
    format!("{of}{name} {}", first.year())
}

/// The first day of `2027-08`.
fn month_of(period: &str) -> Option<NaiveDate> {
    let (year, month) = period.split_once('-').filter(|(year, month)| (year.len(), month.len()) == (4, 2))?;
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_is_named_as_people_name_it() {
        let name = |mailing: &str, period: &str| IssueName::new(&IssueKey::new(mailing, period));
        for (mailing, its, said, of) in [
            ("agenda", "2027-W28", "l’agenda du 12 au 18 juillet", "de l’agenda du 12 au 18 juillet"),
            ("agenda", "2027-W26", "l’agenda du 28 juin au 4 juillet", "de l’agenda du 28 juin au 4 juillet"),
            (
                "agenda-est",
                "2027-W05",
                "l’agenda du 1er au 7 février (agenda-est)",
                "de l’agenda du 1er au 7 février (agenda-est)",
            ),
            ("newsletter", "2027-08", "la lettre d’août 2027", "de la lettre d’août 2027"),
            ("newsletter", "2027-04", "la lettre d’avril 2027", "de la lettre d’avril 2027"),
            ("newsletter", "2027-07", "la lettre de juillet 2027", "de la lettre de juillet 2027"),
            ("editions", "carte-2027", "l’édition « carte-2027 »", "de l’édition « carte-2027 »"),
            (
                "editions",
                "carte-2027-rappel",
                "le rappel de l’édition « carte-2027 »",
                "du rappel de l’édition « carte-2027 »",
            ),
            ("orders", "o-1", "la confirmation d’une commande", "de la confirmation d’une commande"),
        ] {
            let name = name(mailing, its);
            let plain = |text: &str| text.replace(NBSP, " ");
            assert_eq!((plain(&name.to_string()).as_str(), plain(&name.of()).as_str()), (said, of));
            assert!(!name.to_string().contains(&format!("{mailing}/{its}")));
        }
        assert_eq!(name("newsletter", "2027-08").agreed("retenu"), "retenue");
        assert_eq!(name("agenda", "2027-W28").agreed("retenu"), "retenu");
        assert_eq!(name("newsletter", "2027-08").first(), "La lettre d’août 2027");
    }

    #[test]
    fn a_period_stands_beside_a_title() {
        let of = |text| period(&IssueKey::new("m", text));
        assert_eq!(
            [of("2027-W28"), of("2027-08"), of("carte-2027")],
            ["du 12 au 18 juillet", "août 2027", "carte-2027"]
        );
    }
}
