//! The gates an agenda must pass before it is frozen (invariant I4): never the wrong week, never empty, never incomplete.

use super::agenda::{Agenda, Day, Week};
use super::hold::Hold;
use chrono::NaiveDate;

/// Thresholds, set per mailing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gates {
    /// With fewer events the issue is held.
    pub min_events: usize,
    /// With a larger percentage of unplaced items the issue is held.
    pub max_unplaced_percent: usize,
    /// So many unplaced items never hold it, whatever their percentage: a person allowed them for one issue.
    pub allowed_unplaced: usize,
}

impl Gates {
    /// Whether more items than may be are unplaced.
    pub fn has_too_many_unplaced(&self, agenda: &Agenda) -> bool {
        let (items, unplaced) = (agenda.items().count(), agenda.to_place().count());
        unplaced > self.allowed_unplaced && unplaced * 100 > items * self.max_unplaced_percent
    }
}

impl Default for Gates {
    fn default() -> Self {
        Self { min_events: 5, max_unplaced_percent: 20, allowed_unplaced: 0 }
    }
}

/// The gate that no person opens, by a correction or otherwise: is the article about this week?
///
/// # Errors
/// Why the agenda is held.
pub fn check_week(agenda: &Agenda, title: &str, wanted: Week) -> Result<(), Hold> {
    if agenda.week != Some(wanted) {
        return Err(Hold::WrongWeek { wanted, found: agenda.week, title: title.to_owned() });
    }
    let stray = dates(agenda, |day| !wanted.contains(day.date));
    match stray.is_empty() {
        true => Ok(()),
        false => Err(Hold::StrayDays { wanted, days: stray }),
    }
}

/// # Errors
/// The most serious reason to hold the agenda, if there is one.
pub fn check(agenda: &Agenda, title: &str, wanted: Week, gates: Gates) -> Result<(), Hold> {
    check_week(agenda, title, wanted)?;
    let found = agenda.event_count();
    let empty = dates(agenda, |day| day.items.is_empty());
    if !empty.is_empty() && found > 0 {
        return Err(Hold::EmptyDays(empty));
    }
    if found < gates.min_events.max(1) {
        return Err(Hold::TooFewEvents { found, least: gates.min_events.max(1) });
    }
    if gates.has_too_many_unplaced(agenda) {
        let (items, unplaced) = (agenda.items().count(), agenda.to_place().count());
        return Err(Hold::TooManyUnplaced { unplaced, items });
    }
    Ok(())
}

fn dates(agenda: &Agenda, which: impl Fn(&Day) -> bool) -> Vec<NaiveDate> {
    agenda.days.iter().filter(|day| which(day)).map(|day| day.date).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::agenda::Item;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn item(text: &str) -> Item {
        Item { text: text.to_owned(), ..Item::default() }
    }

    fn agenda(days: &[(&str, usize)]) -> Agenda {
        let day = |(date_text, items): &(&str, usize)| Day { date: date(date_text), items: vec![item("bal"); *items] };
        Agenda {
            week: days.first().map(|d| Week::of(date(d.0))),
            days: days.iter().map(day).collect(),
            ..Agenda::default()
        }
    }

    fn held(agenda: &Agenda) -> String {
        let wanted = Week::of(date("2026-07-06"));
        check(agenda, "Que faire", wanted, Gates::default())
            .map_or_else(|hold| hold.to_string(), |()| "open".to_owned())
    }

    #[test]
    fn a_full_week_passes() {
        assert_eq!(held(&agenda(&[("2026-07-06", 3), ("2026-07-08", 2)])), "open");
    }

    #[test]
    fn each_gate_holds_with_its_reason() {
        let mut unplaced = agenda(&[("2026-07-06", 7)]);
        unplaced.unplaced = vec![item("x"); 3];
        for (agenda, reason) in [
            (agenda(&[("2026-06-29", 9)]), "parle de la semaine du lundi 29 juin au dimanche 5 juillet 2026, et non"),
            (Agenda::default(), "aucun jour n’a été reconnu"),
            (agenda(&[("2026-07-06", 9), ("2026-07-13", 1)]), "hors de la semaine"),
            (
                agenda(&[("2026-07-06", 9), ("2026-07-07", 0)]),
                "rien n’est annoncé sous le titre de ces jours\u{a0}: mardi 7 juillet",
            ),
            (agenda(&[("2026-07-06", 0), ("2026-07-07", 0)]), "aucun événement"),
            (agenda(&[("2026-07-06", 4)]), "4 événements seulement dans l’article, il en faut au moins 5"),
            (unplaced, "3 annonces sur 10 n’ont pu être rangées"),
        ] {
            let said = held(&agenda);
            assert!(said.contains(reason), "{said}");
        }
    }
}
