//! Ordering an edition on paper: GET shows the page without side effects, POST orders.
//!
//! The link is valid for one contact and one edition. A form posted twice orders once.

use crate::compose::page::{HandoverChoice, OrderForm, OrderLine, OrderPage, OrderProblem};
use crate::domain::{
    edition::{EditionFile, EditionStock, Handover, LONGEST_REMARK, Order, Orderer, Wish, number, packs_in_french},
    french,
};
use crate::store::{Ordered, StoreError};
use crate::web::{
    Site,
    answer::{self, Answer, Keep, Kept},
};
use anyhow::Context;
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use chrono::NaiveDate;
use std::collections::HashMap;
use std::sync::Arc;
use tracing::info;

/// The values of a form as entered, to show them again if something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Filled {
    packs: String,
    handover: String,
    remark: String,
}

/// Error messages of a form, by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Wrong {
    packs: Option<String>,
    handover: Option<String>,
    remark: Option<String>,
}

impl Filled {
    fn read(fields: &HashMap<String, String>) -> Self {
        let text = |name: &str| fields.get(name).map(|text| text.trim().to_owned()).unwrap_or_default();
        // A line break is two characters in a form, but one to a person who counts.
        Self { packs: text("packs"), handover: text("handover"), remark: text("remark").replace("\r\n", "\n") }
    }

    fn of(order: Option<&Order>) -> Self {
        let Some(Order { wish, .. }) = order else {
            return Self { packs: "1".to_owned(), ..Self::default() };
        };
        Self { packs: wish.packs.to_string(), handover: wish.handover.as_str().to_owned(), remark: wish.remark.clone() }
    }

    /// `had`: packs of this person's open order.
    fn wish(&self, stocked: &EditionStock, had: u32) -> Result<Wish, Wrong> {
        let most = stocked.available(had);
        let packs = match self.packs.replace([' ', '\u{a0}', '\u{202f}'], "").parse::<u32>() {
            Ok(0) | Err(_) => Err(format!("Écrivez un nombre de paquets, de 1 à {most}.")),
            Ok(packs) if packs > most && most == stocked.left() + had => Err(too_many(most)),
            Ok(packs) if packs > most => Err(over_limit(most)),
            Ok(packs) => Ok(packs),
        };
        let handover = Handover::ALL.into_iter().find(|it| it.as_str() == self.handover);
        let handover = handover.ok_or_else(|| "Choisissez la livraison ou le retrait.".to_owned());
        let remark = match self.remark.chars().count() {
            0..=LONGEST_REMARK => Ok(self.remark.chars().filter(|c| *c == '\n' || !c.is_control()).collect()),
            n => Err(format!("Raccourcissez la remarque à {LONGEST_REMARK} caractères : elle en a {n}.")),
        };
        match (packs, handover, remark) {
            (Ok(packs), Ok(handover), Ok(remark)) => Ok(Wish { packs, handover, remark }),
            (packs, handover, remark) => {
                Err(Wrong { packs: packs.err(), handover: handover.err(), remark: remark.err() })
            }
        }
    }
}

fn too_many(left: u32) -> String {
    match left {
        0 => "Il n’en reste plus : quelqu’un vient de commander les derniers paquets.".to_owned(),
        1 => "Il ne reste qu’un paquet.".to_owned(),
        left => format!("Il ne reste que {left} paquets."),
    }
}

fn over_limit(most: u32) -> String {
    let most = match most {
        1 => "d’un seul paquet".to_owned(),
        most => format!("de {} paquets au plus", number(most)),
    };
    format!("Une commande est {most} : s’il vous en faut davantage, écrivez-nous.")
}

pub(super) async fn show(State(site): State<Arc<Site>>, Path(token): Path<String>) -> Answer {
    let Some((contact, edition)) = site.tokens.check_order(&token) else { return site.nowhere() };
    site.order_page(contact, edition, Shown::default()).await
}

pub(super) async fn act(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let Some((contact, edition)) = site.tokens.check_order(&token) else { return site.nowhere() };
    let content_type = answer::content_type(&headers);
    // Any other body counts as an empty form, and changes nothing.
    let fields = match content_type.starts_with("application/x-www-form-urlencoded") {
        true => url::form_urlencoded::parse(&body).into_owned().collect(),
        false => HashMap::new(),
    };
    let done = match fields.get("action").map(String::as_str) {
        Some("cancel") => site.cancel(contact, edition).await,
        _ => site.place(contact, edition, Filled::read(&fields)).await,
    };
    match done {
        Ok(shown) => site.order_page(contact, edition, shown).await,
        Err(error) => site.broken(&error.into()),
    }
}

/// `carte-2027.jpg`, `carte-2027.pdf`: public files.
pub(super) async fn file(State(site): State<Arc<Site>>, Path(name): Path<String>, asked: HeaderMap) -> Answer {
    let file = match name.rsplit_once('.') {
        Some((slug, "jpg")) => (slug, EditionFile::Cover),
        Some((slug, "pdf")) => (slug, EditionFile::Pdf),
        _ => return site.nowhere(),
    };
    match site.edition_file(file.0, file.1).await {
        Ok(Some(kept)) => kept.answer(&asked, Keep::Minutes),
        Ok(None) => site.nowhere(),
        Err(error) => site.broken(&error),
    }
}

/// The result of a POST, and the message on the page.
#[derive(Debug, Default)]
struct Shown {
    status: StatusCode,
    done: Option<&'static str>,
    /// The form as posted, with its errors.
    refused: Option<(Filled, Wrong)>,
}

impl Shown {
    fn done(words: &'static str) -> Self {
        Self { done: Some(words), ..Self::default() }
    }

    fn refused(status: StatusCode, filled: Filled, wrong: Wrong) -> Self {
        Self { status, done: None, refused: Some((filled, wrong)) }
    }
}

impl Site {
    async fn place(&self, contact: &str, edition: &str, filled: Filled) -> Result<Shown, StoreError> {
        let Some((stocked, _, open)) = self.store.look_at_order(edition, contact).await? else {
            return Ok(Shown::default());
        };
        if !stocked.edition.is_orderable(self.today()) {
            return Ok(Shown { status: StatusCode::CONFLICT, ..Shown::default() });
        }
        let had = open.map_or(0, |open| open.wish.packs);
        // If nothing is left, do not ask for a number.
        let wish = match filled.wish(&stocked, had) {
            Err(wrong) if stocked.available(had) > 0 => {
                return Ok(Shown::refused(StatusCode::UNPROCESSABLE_ENTITY, filled, wrong));
            }
            Err(_) => return Ok(Shown { status: StatusCode::CONFLICT, ..Shown::default() }),
            Ok(wish) => wish,
        };
        let ordered = self.store.order(edition, contact, &wish, self.clock.now()).await?;
        if matches!(ordered, Ordered::New | Ordered::Changed) {
            info!(edition, packs = wish.packs, "{edition} was ordered");
            self.ordered.notify_one();
        }
        Ok(match ordered {
            Ordered::New => Shown::done("C’est fait : votre commande est enregistrée."),
            Ordered::Changed => Shown::done("C’est fait : votre commande est modifiée."),
            Ordered::Before => Shown::done("Votre commande est enregistrée : rien n’a changé."),
            Ordered::TooMany { left } => {
                let wrong = Wrong { packs: Some(too_many(left)), ..Wrong::default() };
                Shown::refused(StatusCode::CONFLICT, filled, wrong)
            }
            Ordered::OverLimit { most } => {
                let wrong = Wrong { packs: Some(over_limit(most)), ..Wrong::default() };
                Shown::refused(StatusCode::UNPROCESSABLE_ENTITY, filled, wrong)
            }
            Ordered::TooOften => {
                let often = "Cette commande a été modifiée trop souvent : pour la changer encore, écrivez-nous.";
                let wrong = Wrong { packs: Some(often.to_owned()), ..Wrong::default() };
                Shown::refused(StatusCode::TOO_MANY_REQUESTS, filled, wrong)
            }
            Ordered::NotKnown => Shown::default(),
        })
    }

    async fn cancel(&self, contact: &str, edition: &str) -> Result<Shown, StoreError> {
        if self.store.cancel_order(edition, contact, self.clock.now()).await? {
            info!(edition, "an order of {edition} was cancelled");
            self.ordered.notify_one();
            return Ok(Shown::done("C’est fait : votre commande est annulée."));
        }
        Ok(Shown::done("Vous n’avez pas de commande en cours."))
    }

    fn today(&self) -> NaiveDate {
        self.clock.now().with_timezone(&self.config.zone).date_naive()
    }

    async fn order_page(&self, contact: &str, edition: &str, shown: Shown) -> Answer {
        match self.store.look_at_order(edition, contact).await {
            Ok(Some((stocked, Some(orderer), open))) => match self.cover_width(&stocked).await {
                Ok(width) => {
                    let page = self.order_words(&stocked, &orderer, open.as_ref(), &shown, width);
                    self.shown(shown.status, &page, Keep::Never)
                }
                Err(error) => self.broken(&error),
            },
            // The contact was deleted.
            Ok(Some((_, None, _))) => {
                let text = "Cette adresse n’est plus dans nos fichiers : pour commander, écrivez-nous.".to_owned();
                self.message(StatusCode::OK, "Vous n’êtes plus dans nos fichiers", vec![text])
            }
            Ok(None) => self.nowhere(),
            Err(error) => self.broken(&error.into()),
        }
    }

    fn order_words(
        &self,
        stocked: &EditionStock,
        orderer: &Orderer,
        open: Option<&Order>,
        shown: &Shown,
        cover_width: u32,
    ) -> OrderPage {
        let held = |text: &str| french::held_together(text);
        let edition = &stocked.edition;
        let pack = edition.pack();
        let (left, orderable) = (stocked.left(), edition.is_orderable(self.today()));
        let most = stocked.available(open.map_or(0, |open| open.wish.packs));
        let stock = match (orderable, left) {
            (false, _) if edition.printed.is_none() => "Cette édition n’existe qu’en ligne.".to_owned(),
            (false, _) => "Cette édition n’est plus valable : elle ne se commande plus.".to_owned(),
            (true, 0) if open.is_some() => "Épuisé : il ne reste que ce que vous avez commandé.".to_owned(),
            (true, 0) => "Épuisé : tous les exemplaires sont commandés.".to_owned(),
            (true, left) => format!("Il reste {}.", packs_in_french(left, pack)),
        };
        let (filled, wrong) = shown.refused.clone().unwrap_or_else(|| (Filled::of(open), Wrong::default()));
        let problems = [("paquets", &wrong.packs), ("remise", &wrong.handover), ("remarque", &wrong.remark)];
        let problems =
            problems.into_iter().filter_map(|(field, text)| Some(OrderProblem { field, text: held(text.as_deref()?) }));
        let problems = problems.collect();
        let person = [orderer.establishment.as_str(), orderer.name.as_str()].into_iter().find(|it| !it.is_empty());
        let masked = orderer.address.masked();
        let mut facts = vec![format!("en {}", edition.languages_in_french())];
        facts.extend(edition.valid_until.map(|day| format!("valable jusqu’au {}", french::date(day))));
        OrderPage {
            title: held(&edition.title),
            done: shown.done.map(held),
            problems,
            cover: format!("/editions/{}.jpg", edition.slug),
            cover_width,
            kind: french::capitalized(edition.kind.in_french()),
            facts: facts.iter().map(|fact| held(fact)).collect(),
            stock: held(&stock),
            person: orderable.then(|| person.map_or(masked.clone(), |name| format!("{name} ({masked})"))),
            order: open.map(|Order { id, wish, .. }| OrderLine {
                quantity: packs_in_french(wish.packs, pack),
                handover: french::capitalized(wish.handover.in_french()),
                remark: wish.remark.clone(),
                reference: id.clone(),
            }),
            form: (orderable && most > 0).then(|| OrderForm {
                hint: held(&match (pack, most) {
                    (1, 1) if left < 2 => "Il en reste un.".to_owned(),
                    (_, 1) if left < 2 => format!("Un paquet contient {} exemplaires ; il en reste un.", number(pack)),
                    (1, 1) => "Vous pouvez en commander un.".to_owned(),
                    (_, 1) => format!("Un paquet contient {} exemplaires ; vous pouvez en commander un.", number(pack)),
                    (1, _) => format!("Un paquet contient un exemplaire ; vous pouvez en commander de 1 à {most}."),
                    _ => format!(
                        "Un paquet contient {} exemplaires ; vous pouvez en commander de 1 à {most}.",
                        number(pack)
                    ),
                }),
                packs_problem: wrong.packs.as_deref().map(held),
                handover_problem: wrong.handover.as_deref().map(held),
                remark_problem: wrong.remark.as_deref().map(held),
                handovers: Handover::ALL.map(|it| HandoverChoice {
                    value: it.as_str(),
                    text: french::capitalized(it.in_french()),
                    chosen: it.as_str() == filled.handover,
                }),
                packs: filled.packs,
                remark: filled.remark,
                longest_remark: LONGEST_REMARK,
            }),
        }
    }

    /// The size of the cover on the page, in CSS pixels.
    async fn cover_width(&self, stocked: &EditionStock) -> anyhow::Result<u32> {
        let cover = self.store.edition_file(&stocked.edition.slug, EditionFile::Cover).await?;
        let (width, height) = crate::compose::picture::size(&cover.context("the edition has no cover")?)?;
        Ok(if width > height { 280 } else { 160 }.min(width))
    }

    async fn edition_file(&self, slug: &str, file: EditionFile) -> anyhow::Result<Option<Arc<Kept>>> {
        let Some(stocked) = self.store.edition(slug).await? else { return Ok(None) };
        // The URL stays the same when the file changes, so its version is in the name.
        let name = format!("edition/{slug}/{}/{}", file.as_str(), stocked.changed_at.timestamp_millis());
        self.kept(name, async |site| {
            let bytes = site.store.edition_file(slug, file).await?;
            let named = if file == EditionFile::Pdf { format!("{slug}.pdf") } else { format!("{slug}.jpg") };
            Ok(bytes.map(|bytes| Kept::new(file.media_type(), bytes).named(&named)))
        })
        .await
    }
}

/// Replaces the personal order link in a mail that is shown publicly.
pub(super) fn for_everyone(office_email: Option<&str>) -> String {
    office_email.map_or_else(|| "/archives".to_owned(), |address| format!("mailto:{address}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Timestamp,
        edition::{Edition, EditionKind, Online, Printed},
    };

    fn filled(packs: &str, handover: &str, remark: &str) -> Filled {
        Filled { packs: packs.to_owned(), handover: handover.to_owned(), remark: remark.to_owned() }
    }

    /// An edition of packs of 50, with this many left.
    fn stocked(left: u32, max_packs: Option<u32>) -> EditionStock {
        let edition = Edition {
            slug: "carte-2027".to_owned(),
            title: "Carte".to_owned(),
            kind: EditionKind::Map,
            languages: vec!["fr".to_owned()],
            pages: None,
            summary: "Carte.".to_owned(),
            online: Some(Online::Pdf),
            printed: Some(Printed { copies: 50 * left, pack: 50, max_packs }),
            valid_until: None,
            words: "Elle est là.".to_owned(),
            post: None,
            reminder_after_days: None,
        };
        EditionStock { edition, ordered: 0, revision: 1, changed_at: Timestamp::default(), announced_for: None }
    }

    #[test]
    fn a_form_is_valid_or_every_invalid_field_has_a_message() {
        let twelve = stocked(12, None);
        let wish = filled(" 1\u{a0}2", "pick_up", "Merci\u{7} !\nÀ droite").wish(&twelve, 0).unwrap();
        assert_eq!((wish.packs, wish.handover, wish.remark.as_str()), (12, Handover::PickUp, "Merci !\nÀ droite"));
        for packs in ["", "0", "-1", "1,5", "deux", "99999999999"] {
            let wrong = filled(packs, "", &"é".repeat(501)).wish(&twelve, 0).unwrap_err();
            assert_eq!(wrong.packs.as_deref(), Some("Écrivez un nombre de paquets, de 1 à 12."), "{packs}");
            assert!(wrong.handover.is_some() && wrong.remark.is_some());
        }
        assert!(filled("1", "delivery", &"é".repeat(500)).wish(&stocked(1, None), 0).is_ok());
        let problem = |packs: &str, stocked: &EditionStock, had: u32| {
            filled(packs, "delivery", "").wish(stocked, had).unwrap_err().packs.unwrap()
        };
        assert_eq!(problem("2", &stocked(1, None), 0), "Il ne reste qu’un paquet.");
    }

    #[test]
    fn trial_f22_what_is_left_and_what_one_may_take_are_said_apart() {
        let problem = |packs: &str, left: u32, max_packs: Option<u32>, had: u32| {
            filled(packs, "delivery", "").wish(&stocked(left, max_packs), had).err().and_then(|it| it.packs)
        };
        let limit = "Une commande est de 20 paquets au plus : s’il vous en faut davantage, écrivez-nous.";
        assert_eq!(problem("400", 400, None, 0).as_deref(), Some(limit));
        assert_eq!(problem("20", 400, None, 0), None);
        assert_eq!(problem("13", 12, None, 0).as_deref(), Some("Il ne reste que 12 paquets."));
        let one = "Une commande est d’un seul paquet : s’il vous en faut davantage, écrivez-nous.";
        assert_eq!(problem("2", 400, Some(1), 0).as_deref(), Some(one));
        assert_eq!(problem("0", 400, Some(3), 0).as_deref(), Some("Écrivez un nombre de paquets, de 1 à 3."));
        // Ordered before there was a bound: it may stay, and not grow.
        assert_eq!(problem("30", 370, None, 30), None);
        assert!(problem("31", 370, None, 30).is_some());
    }
}
