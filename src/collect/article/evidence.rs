//! Finds where in its item each field of an event was read, and how certain it is.
//!
//! Runs after the fields are decided, on the item's text only: a field whose words are found there is certain and has a
//! span; otherwise it was inherited from a heading, the line above or the configuration.

use std::rc::Rc;

use super::marks::{Mark, Meaning, marks};
use super::text::{Kind, Words, folded_words};
use crate::domain::agenda::{Confidence, Event, Evidence, Status, Trace};

/// Completes the evidence of `events`, which were read from the item `text`. A title that is marked as written
/// stays so.
pub(super) fn trace(text: &str, events: &mut [Event]) {
    if events.is_empty() {
        return;
    }
    let words = Words::of(text);
    let item = Item { marks: marks(&words), characters: character_offsets(text), words };
    // The events of an item are in the order of its text: search each hour after the previous one.
    let mut hour_from = 0;
    for event in events {
        let title = item.words_of(&event.title, 0);
        let as_written = event.evidence.title.is_some_and(|title| title.confidence == Confidence::AsWritten);
        let hour = item.hour_of(event, hour_from).or_else(|| item.hour_of(event, 0));
        hour_from = hour.map_or(hour_from, |(mark, _)| mark);
        let has_hour = event.start.is_some() || event.end.is_some();
        event.evidence = Evidence {
            title: Some(match as_written {
                true => Trace { confidence: Confidence::AsWritten, span: title },
                false => Trace::of(title),
            }),
            time: has_hour.then(|| Trace::of(hour.map(|(_, span)| span))),
            place: event.place.as_deref().map(|place| item.place(place)),
            price: event.price.as_deref().map(|price| Trace::of(item.words_of(price, 0))),
            phone: event.phone.as_deref().map(|phone| Trace::of(item.mark_of(|mark| says_phone(mark, phone)))),
            status: (event.status != Status::Scheduled).then(|| {
                Trace::of(
                    item.mark_of(|mark| matches!(&mark.meaning, Meaning::Status(said) if said.status == event.status)),
                )
            }),
        };
    }
}

struct Item<'a> {
    words: Words<'a>,
    marks: Rc<[Mark]>,
    /// For each byte of the text, the number of characters before it.
    characters: Vec<u32>,
}

impl Item<'_> {
    /// Characters from the first to the last of the tokens `from..to`.
    fn span(&self, from: usize, to: usize) -> [u32; 2] {
        let (first, last) = (&self.words.tokens[from], &self.words.tokens[to - 1]);
        [self.characters[first.start], self.characters[last.end]]
    }

    /// Where the words of `field` are consecutive, ignoring punctuation.
    fn words_of(&self, field: &str, from: usize) -> Option<[u32; 2]> {
        let [opening, closing] = signs_around(field);
        let sign = |at: usize| is_sign(&self.words, at);
        let wanted = folded_words(field);
        let first = wanted.first()?;
        let tokens = &self.words.tokens;
        let is_content = |at: &usize| matches!(tokens[*at].kind, Kind::Word | Kind::Number);
        (from..tokens.len()).filter(|at| tokens[*at].fold == *first).find_map(|at| {
            let run: Vec<usize> = (at..tokens.len()).filter(is_content).take(wanted.len()).collect();
            let same = run.len() == wanted.len() && run.iter().zip(&wanted).all(|(at, word)| tokens[*at].fold == *word);
            // The quotation marks of a title belong to it.
            same.then(|| {
                let last = run[run.len() - 1] + 1;
                let first = (0..opening).fold(at, |at, _| if at > 0 && sign(at - 1) { at - 1 } else { at });
                let last = (0..closing).fold(last, |at, _| if sign(at) { at + 1 } else { at });
                self.span(first, last)
            })
        })
    }

    /// `Pavie, la Fenière` is certain only if the item has both. The span is the venue's, else the commune's.
    fn place(&self, place: &str) -> Trace {
        if let Some(span) = self.words_of(place, 0) {
            return Trace { confidence: Confidence::Certain, span: Some(span) };
        }
        let Some((commune, venue)) = place.split_once(", ") else { return Trace::of(None) };
        let (commune, venue) = (self.words_of(commune, 0), self.words_of(venue, 0));
        let confidence = match (commune, venue) {
            (Some(_), Some(_)) => Confidence::Certain,
            _ => Confidence::Inherited,
        };
        Trace { confidence, span: venue.or(commune) }
    }

    /// The first mark from `from` on with the hours of the event, and its span.
    fn hour_of(&self, event: &Event, from: usize) -> Option<(usize, [u32; 2])> {
        let says = |mark: &Mark| match &mark.meaning {
            Meaning::Times(times) if event.start.is_some() => {
                times.slots.iter().any(|slot| Some(slot.start) == event.start)
            }
            Meaning::Times(times) => times.end == event.end,
            _ => false,
        };
        let at = (from..self.marks.len()).find(|at| says(&self.marks[*at]))?;
        Some((at, self.span(self.marks[at].from, self.marks[at].to)))
    }

    fn mark_of(&self, says: impl Fn(&Mark) -> bool) -> Option<[u32; 2]> {
        self.marks.iter().find(|mark| says(mark)).map(|mark| self.span(mark.from, mark.to))
    }
}

/// How many punctuation marks a text begins and ends with.
fn signs_around(text: &str) -> [usize; 2] {
    let tokens = Words::of(text).tokens;
    let sign = |token: &&super::text::Token| token.kind == Kind::Sign;
    [tokens.iter().take_while(sign).count(), tokens.iter().rev().take_while(sign).count()]
}

fn is_sign(words: &Words<'_>, at: usize) -> bool {
    words.tokens.get(at).is_some_and(|token| token.kind == Kind::Sign)
}

fn says_phone(mark: &Mark, phone: &str) -> bool {
    matches!(&mark.meaning, Meaning::Phone(said) if said == phone)
}

fn character_offsets(text: &str) -> Vec<u32> {
    let mut offsets = vec![0; text.len() + 1];
    let mut count = 0;
    for (at, c) in text.char_indices() {
        offsets[at..at + c.len_utf8()].fill(count);
        count += 1;
    }
    offsets[text.len()] = count;
    offsets
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveTime;

    #[test]
    fn a_field_of_the_sentence_has_its_span_and_one_of_a_heading_has_none() {
        let text = "à 21 h, concert de Lune Rousse à l’église (5 €)";
        let mut events = [Event {
            start: NaiveTime::from_hms_opt(21, 0, 0),
            title: "concert de Lune Rousse".to_owned(),
            place: Some("Pavie, l’église".to_owned()),
            price: Some("5 €".to_owned()),
            ..Event::default()
        }];
        trace(text, &mut events);
        let evidence = &events[0].evidence;
        let said = |trace: Option<Trace>| {
            let [from, to] = trace.unwrap().span.unwrap();
            text.chars().skip(from as usize).take((to - from) as usize).collect::<String>()
        };
        assert_eq!(said(evidence.title), "concert de Lune Rousse");
        assert_eq!(said(evidence.time), "à 21 h");
        // The heading said the town.
        assert_eq!(evidence.place.map(|place| place.confidence), Some(Confidence::Inherited));
        assert!(said(evidence.place).ends_with("église"));
        assert!(said(evidence.price).starts_with('5'));
        assert_eq!(evidence.phone, None);
        let mut quoted = [Event { title: "« La Moisson »".into(), ..Event::default() }];
        trace("à 15 h, « La Moisson » au cinéma", &mut quoted);
        assert_eq!(quoted[0].evidence.title.and_then(|title| title.span), Some([8, 22]));
        let mut inherited = [Event { title: "bal".into(), place: Some("Ternoux".into()), ..Event::default() }];
        trace("bal sous les étoiles", &mut inherited);
        assert_eq!(inherited[0].evidence.place, Some(Trace { confidence: Confidence::Inherited, span: None }));
    }
}
