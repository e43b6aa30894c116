//! Template context of the mail that tells staff of orders.

use crate::domain::{
    edition::{EditionStock, Order, OrderState, packs_in_french},
    french::{self, NBSP},
};
use crate::templates::Context;
use serde::Serialize;

/// Orders in one mail at the most; the others are counted.
const MOST_LINES: usize = 100;

/// `templates/mail/orders`: to staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrdersMail {
    /// At least one; at most [`MOST_LINES`].
    pub orders: Vec<OrderedLine>,
    /// Orders that are only counted.
    pub more: usize,
    /// What is left of each edition they are of: a sentence each.
    pub stock: Vec<String>,
}

/// An order, as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderedLine {
    /// `Nouvelle commande`, `Commande modifiée`, `Commande annulée`
    pub what: &'static str,
    /// The title of the edition.
    pub title: String,
    /// `Gîte du Pré, Pavie`; empty if unknown.
    pub who: String,
    /// `2 paquets (100 exemplaires)`
    pub quantity: String,
    pub handover: &'static str,
    pub remark: Option<String>,
    pub reference: String,
}

impl OrdersMail {
    /// `orders`: each with the first of its revisions that staff do not know. `None` without orders.
    pub fn new(orders: &[(Order, u32)], editions: &[EditionStock]) -> Option<Self> {
        let of = |slug: &str| editions.iter().find(|it| it.edition.slug == slug);
        let lines = orders.iter().take(MOST_LINES).map(|(order, first)| line(order, *first, of(&order.edition)));
        let lines: Vec<_> = lines.collect();
        let ordered = editions.iter().filter(|it| orders.iter().any(|(order, _)| order.edition == it.edition.slug));
        let stock = ordered.map(left).collect();
        (!lines.is_empty()).then(|| Self { more: orders.len() - lines.len(), orders: lines, stock })
    }
}

fn line(order: &Order, first: u32, of: Option<&EditionStock>) -> OrderedLine {
    let (by, wish) = (&order.by, &order.wish);
    let name = [&by.establishment, &by.name].into_iter().find(|it| !it.is_empty());
    let who: Vec<_> = name.into_iter().chain([&by.commune]).filter(|it| !it.is_empty()).map(String::as_str).collect();
    OrderedLine {
        what: match (order.state, first) {
            (OrderState::Cancelled, _) => "Commande annulée",
            (_, 1) => "Nouvelle commande",
            _ => "Commande modifiée",
        },
        title: french::held_together(of.map_or(&order.edition, |it| &it.edition.title)),
        who: who.join(", "),
        quantity: packs_in_french(wish.packs, pack(of)),
        handover: wish.handover.in_french(),
        remark: Some(wish.remark.clone()).filter(|it| !it.is_empty()),
        reference: order.id.clone(),
    }
}

fn left(it: &EditionStock) -> String {
    let title = french::held_together(&it.edition.title);
    match it.left() {
        0 => format!("«{NBSP}{title}{NBSP}» est épuisé."),
        left => format!("De «{NBSP}{title}{NBSP}», il reste {}.", packs_in_french(left, pack(Some(it)))),
    }
}

fn pack(of: Option<&EditionStock>) -> u32 {
    of.map_or(1, |it| it.edition.pack())
}

impl Context for OrdersMail {
    const NAME: &'static str = "orders";

    fn samples() -> Vec<Self> {
        let line = |what: &'static str, remark: Option<&str>| OrderedLine {
            what,
            title: "Carte touristique « Cœur & Gascogne » 2027".to_owned(),
            who: "Gîte « du Pré », Pavie".to_owned(),
            quantity: packs_in_french(2, 50),
            handover: "livraison lors de la tournée",
            remark: remark.map(str::to_owned),
            reference: "7k3m9q2x".to_owned(),
        };
        let stock = || vec!["De « Carte 2027 », il reste 12 paquets (600 exemplaires).".to_owned()];
        let many = vec![line("Commande modifiée", None), line("Commande annulée", None)];
        vec![
            Self { orders: vec![line("Nouvelle commande", Some("Sonner <à gauche>"))], more: 0, stock: stock() },
            Self { orders: many, more: 3, stock: stock() },
        ]
    }
}
