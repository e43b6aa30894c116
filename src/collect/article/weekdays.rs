//! Which of the days that a sentence writes are days of what it tells, and how weekdays relate to those it stands under.

use chrono::{Datelike, NaiveDate};

use super::clock;
use super::days::{Spec, Weekdays};
use super::hours;
use super::lines::says_time;
use super::text::{Kind, Words};

/// What a sentence begins with that tells more of the thing in the one before it.
pub(super) const PRONOUNS: &[&str] = &["il", "elle", "ils", "elles"];

/// Whether the date at `at..to` is the day of what the sentence tells.
pub(super) fn counts(
    words: &Words<'_>,
    from: usize,
    at: usize,
    to: usize,
    end: usize,
    spec: &Spec,
    under: Option<&[NaiveDate]>,
) -> bool {
    let tokens = &words.tokens;
    let numbered = super::lines::has_number(spec);
    let heads = (from..at).all(|i| {
        tokens[i].kind != Kind::Word && tokens[i].kind != Kind::Number
            || words.is(
                i,
                &[
                    "et",
                    "puis",
                    "enfin",
                    "toujours",
                    "encore",
                    "ensuite",
                    "pour",
                    "des",
                    "le",
                    "ce",
                    "mais",
                    "egalement",
                    "aussi",
                ],
            )
    });
    let glued_hour = (to..end.min(to + 4)).any(|i| hours::time(tokens, i).is_some())
        || (from..at).rev().take(6).any(|i| clock::clock(tokens, i).is_some());
    let hour_follows = says_time(&tokens[to..end]);
    // `Il vous attendra ensuite samedi de 10 h à 21 h`: more of what the sentence before it tells.
    let apart = at == from
        || words.is(from, PRONOUNS) && hours::time(tokens, to).is_some()
        || !matches!(tokens[at - 1].kind, Kind::Word | Kind::Number)
        || tokens[at].is_any(&["le", "ce", "les", "du", "pour"]);
    match (numbered, under.is_some()) {
        (true, false) => true,
        (true, true) => heads || glued_hour || apart && hour_follows,
        (false, false) => true,
        // Under a heading a weekday alone is another day only with its own hour.
        (false, true) if under.is_some_and(|days| days.len() > 1) && weekday_among(spec, under) => true,
        (false, true) if holds_weekday(spec, under) => hour_follows,
        (false, true) => (heads || apart) && hour_follows && (!weekday_of(spec, under) || words.is(from, PRONOUNS)),
    }
}

/// The weekdays of `lundi et jeudi`, without a number.
pub(super) fn weekdays_alone(spec: &Spec) -> Option<Weekdays> {
    let Spec::List(mentions) = spec else { return None };
    mentions.iter().try_fold(Weekdays::default(), |all, mention| {
        let alone = mention.day.is_none() && mention.offset.is_none();
        mention.weekday.filter(|_| alone).map(|day| all.with(Weekdays::only(day)))
    })
}

/// One of the days of a heading for several: `dimanche uniquement` under « Samedi et dimanche ».
pub(super) fn weekday_among(spec: &Spec, under: Option<&[NaiveDate]>) -> bool {
    let Spec::List(mentions) = spec else { return false };
    under.is_some_and(|days| {
        mentions
            .iter()
            .all(|mention| mention.weekday.is_some_and(|weekday| days.iter().any(|day| day.weekday() == weekday)))
    })
}

/// `visites samedi et dimanche de 14 h à 17 h` under « Samedi 10 »: its day, and others.
fn holds_weekday(spec: &Spec, under: Option<&[NaiveDate]>) -> bool {
    let (Spec::List(mentions), Some([day])) = (spec, under) else { return false };
    mentions.len() > 1 && mentions.iter().any(|mention| mention.weekday == Some(day.weekday()))
}

/// The day of the heading itself.
fn weekday_of(spec: &Spec, under: Option<&[NaiveDate]>) -> bool {
    weekday_among(spec, under.filter(|days| days.len() == 1))
}
