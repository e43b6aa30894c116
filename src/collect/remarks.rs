//! Records that a source skipped or had to interpret: reported to staff by title, among the warnings.

use crate::domain::french::NBSP;

/// Maximum titles listed; the others are only counted.
const MOST_TITLES: usize = 8;

/// The result of a source, and the remarks about skipped records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Harvest<T> {
    pub items: Vec<T>,
    pub remarks: Remarks,
}

impl<T> Harvest<T> {
    pub fn new(items: Vec<T>, remarks: Remarks) -> Self {
        Self { items, remarks }
    }
}

impl<T> Harvest<T> {
    /// Maximum number listed; the others are counted.
    pub fn limit(&mut self, most: usize, title: impl Fn(&T) -> &str) {
        self.items.iter().skip(most).for_each(|item| self.remarks.add(title(item), Remark::TooMany));
        self.items.truncate(most);
    }
}

impl<T> Default for Harvest<T> {
    fn default() -> Self {
        Self { items: Vec::new(), remarks: Remarks::default() }
    }
}

/// Why something is not there, or not quite as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remark {
    NoTitle,
    NoFrenchTitle,
    NoDate,
    BadDate,
    Unreadable,
    /// It is there, once.
    BadRule,
    /// It is there, with the hours as they are written.
    UnknownZone,
    TooManyDates,
    /// Beyond what a week can hold.
    TooMany,
}

impl Remark {
    fn in_french(self) -> &'static str {
        match self {
            Self::NoTitle => "sans titre",
            Self::NoFrenchTitle => "sans titre en français",
            Self::NoDate => "sans date",
            Self::BadDate => "date illisible",
            Self::Unreadable => "fiche illisible",
            Self::BadRule => "répétition non comprise, gardé à sa première date",
            Self::UnknownZone => "fuseau horaire inconnu, heures gardées telles quelles",
            Self::TooManyDates => "trop de répétitions",
            Self::TooMany => "au-delà de ce qu’une semaine peut contenir",
        }
    }

    /// Whether it is not in the issue.
    fn is_gone(self) -> bool {
        !matches!(self, Self::BadRule | Self::UnknownZone)
    }
}

/// Each by its title, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remarks {
    listed: Vec<(String, Remark)>,
    /// All that is left out, listed or not.
    gone: usize,
    doubtful: usize,
}

impl Remarks {
    pub fn add(&mut self, title: &str, remark: Remark) {
        match remark.is_gone() {
            true => self.gone += 1,
            false => self.doubtful += 1,
        }
        let alike = self.listed.iter().filter(|(_, other)| other.is_gone() == remark.is_gone()).count();
        if alike < MOST_TITLES {
            let title: String = super::html_to_text::one_line(title).chars().take(120).collect();
            self.listed.push((title, remark));
        }
    }

    pub fn extend(&mut self, others: Self) {
        for (title, remark) in &others.listed {
            self.add(title, *remark);
        }
        let listed = |gone: bool| others.listed.iter().filter(|(_, remark)| remark.is_gone() == gone).count();
        self.gone += others.gone - listed(true);
        self.doubtful += others.doubtful - listed(false);
    }

    pub fn is_empty(&self) -> bool {
        self.gone + self.doubtful == 0
    }

    /// How many things are not there.
    pub fn gone(&self) -> usize {
        self.gone
    }

    /// Why nothing is there, by the first of them: « aucune fiche n’y est lisible : « Bal » (sans date) ».
    pub fn in_short(&self) -> String {
        let first = self.listed.iter().find(|(_, remark)| remark.is_gone());
        let why = first.map(|(title, remark)| match title.as_str() {
            "" => format!("{NBSP}: {}", remark.in_french()),
            title => format!("{NBSP}: «{NBSP}{title}{NBSP}» ({})", remark.in_french()),
        });
        format!("aucune fiche n’y est lisible{}", why.unwrap_or_default())
    }

    /// One sentence for records left out, one for records to check; `source`: its name for readers.
    pub fn in_french(&self, source: &str) -> Vec<String> {
        let sentence = |gone: bool, count: usize, words: &str| {
            let titles: Vec<String> = self
                .listed
                .iter()
                .filter(|(_, remark)| remark.is_gone() == gone)
                .map(|(title, remark)| match title.as_str() {
                    "" => format!("une fiche ({})", remark.in_french()),
                    title => format!("«{NBSP}{title}{NBSP}» ({})", remark.in_french()),
                })
                .collect();
            let more = match count - titles.len() {
                0 => String::new(),
                1 => " et un autre".to_owned(),
                n => format!(" et {n} autres"),
            };
            (count > 0).then(|| format!("{source}, {words}{NBSP}: {}{more}.", titles.join(", ")))
        };
        let gone = sentence(true, self.gone, if self.gone > 1 { "laissés de côté" } else { "laissé de côté" });
        gone.into_iter().chain(sentence(false, self.doubtful, "à vérifier")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn omitted_items_are_reported_by_title_and_counted() {
        let mut remarks = Remarks::default();
        assert!(remarks.is_empty() && remarks.in_french("x").is_empty());
        remarks.add("Fête\ndu lac", Remark::BadDate);
        assert_eq!(
            remarks.in_french("OpenAgenda"),
            ["OpenAgenda, laissé de côté\u{a0}: «\u{a0}Fête du lac\u{a0}» (date illisible)."]
        );
        remarks.add("", Remark::Unreadable);
        remarks.add("Visite", Remark::UnknownZone);
        (0..20).for_each(|_| remarks.add("Bal", Remark::NoDate));
        let mut all = Remarks::default();
        all.extend(remarks.clone());
        assert_eq!((all.gone(), &all), (22, &remarks));
        let said = all.in_french("ot.example");
        assert!(said[0].starts_with("ot.example, laissés de côté\u{a0}: «\u{a0}Fête du lac\u{a0}» (date illisible), une fiche (fiche illisible), "));
        assert!(said[0].ends_with("«\u{a0}Bal\u{a0}» (sans date) et 14 autres."), "{}", said[0]);
        assert!(said[1].contains("à vérifier"), "{}", said[1]);
    }
}
