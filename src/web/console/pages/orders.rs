//! Orders: the round, handing over, cancelling, an order for somebody on the telephone, the sheet to print, and the list for a
//! spreadsheet.

use super::super::{
    again::{Keeps, Typed},
    gate::{Form, GET, POST, Route, route},
};
use super::Asked;
use crate::accounts::{Permission, Viewer};
use crate::actions::{self, ActionError, Refusal, accounts::login::Client};
use crate::domain::edition::{Handover, LONGEST_REMARK, Order, OrderState, Wish, packs_in_french};
use crate::domain::{characters, partner::Contact};
use crate::editions::checks;
use crate::views::console::{
    escaped,
    orders::{self, OrderRow, Orderable, Orders, Round},
    people::{self, PersonRow},
};
use crate::web::{
    answer::{self, Answer},
    console::Console,
};
use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use std::sync::Arc;

/// What `fait=` may say.
const DONE: [&str; 5] = ["handed", "reopened", "cancelled", "placed", "changed"];
/// People that a search shows.
const FOUND: usize = 20;
/// Before the id of an order that is ticked.
const TICK: &str = "commande.";
const KEEPS: Keeps = Keeps { texts: &["remarque", "paquets"], others: &["edition", "contact", "remise", "vu_alors"] };

pub(super) fn routes() -> Vec<Route> {
    let (see, write) = (Permission::See, Permission::Write);
    vec![
        route(GET, "/commandes", see, list),
        route(GET, "/commandes/tournee", see, round),
        route(POST, "/commandes/tournee.csv", write, csv),
        route(POST, "/commandes/remises", write, hand_over),
        route(POST, "/commandes/rouvertes", write, reopen),
        route(GET, "/commandes/nouvelle", write, show_new),
        route(POST, "/commandes/nouvelle", write, place).keeps(KEEPS),
        route(GET, "/commandes/{id}/annuler", write, show_cancel),
        route(POST, "/commandes/{id}/annuler", write, cancel),
    ]
}

#[derive(Debug, Serialize)]
struct OrdersPage {
    orders: Orders,
    edition: String,
    state: &'static str,
    states: [&'static str; 3],
    more: Option<String>,
    /// Key of what was just done; empty for nothing.
    done: &'static str,
    /// Orders that it was done to, and those that were like this before.
    numbers: [u32; 2],
    /// The id of the order it was done to.
    order: String,
    /// Why something was not done, in French.
    refused: Option<String>,
    /// Nothing was ticked.
    nothing: bool,
}

async fn list(State(console): State<Arc<Console>>, viewer: Viewer, asked: Asked) -> Answer {
    console.order_list(&viewer, &asked, StatusCode::OK, None, false).await
}

fn state_of(text: Option<&str>) -> Option<OrderState> {
    text.and_then(|text| OrderState::ALL.into_iter().find(|it| it.as_str() == text))
}

impl Console {
    async fn order_list(
        &self,
        viewer: &Viewer,
        asked: &Asked,
        status: StatusCode,
        refused: Option<String>,
        nothing: bool,
    ) -> Answer {
        let edition = asked.get("edition");
        let state = state_of(asked.get("etat")).unwrap_or(OrderState::Open);
        let number = |name| asked.get(name).and_then(|text| text.parse().ok()).unwrap_or_default();
        match orders::page(&self.reading(), edition, state, asked.get("apres")).await {
            Ok(orders) => {
                let page = OrdersPage {
                    more: orders
                        .more
                        .as_ref()
                        .map(|mark| asked.without(&["fait", "n", "deja", "commande"]).with("apres", mark)),
                    orders,
                    edition: edition.unwrap_or_default().to_owned(),
                    state: state.as_str(),
                    states: OrderState::ALL.map(OrderState::as_str),
                    done: DONE.into_iter().find(|it| asked.get("fait") == Some(it)).unwrap_or_default(),
                    numbers: [number("n"), number("deja")],
                    order: asked.get("commande").unwrap_or_default().to_owned(),
                    refused,
                    nothing,
                };
                self.shown(status, Some(viewer), "/commandes", "orders", &page)
            }
            Err(error) => self.broken(viewer, &error),
        }
    }

    /// The list with its filters as a form carries them.
    async fn orders_again(&self, viewer: &Viewer, form: &Form, status: StatusCode, refused: Option<String>) -> Answer {
        let asked = Asked::of([("edition", form.get("edition")), ("etat", form.get("etat"))]);
        let nothing = refused.is_none();
        self.order_list(viewer, &asked, status, refused, nothing).await
    }
}

/// The list, with the filters that the form carries, and what was done.
fn back(form: &Form, done: &str, n: usize, before: usize) -> Answer {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for name in ["edition", "etat"] {
        if !form.get(name).is_empty() {
            query.append_pair(name, form.get(name));
        }
    }
    query.append_pair("fait", done).append_pair("n", &n.to_string()).append_pair("deja", &before.to_string());
    answer::see_other(&format!("/commandes?{}", query.finish()))
}

fn ticked(form: &Form) -> Vec<String> {
    form.ticked(TICK).into_iter().map(str::to_owned).collect()
}

async fn hand_over(State(console): State<Arc<Console>>, viewer: Viewer, client: Client, form: Form) -> Answer {
    let ids = ticked(&form);
    if ids.is_empty() {
        return console.orders_again(&viewer, &form, StatusCode::UNPROCESSABLE_ENTITY, None).await;
    }
    match actions::editions::hand_over(&console.engine, &console.actor(&viewer, &client), &ids).await {
        Ok(before) => {
            let open = before.iter().filter(|state| **state == OrderState::Open).count();
            back(&form, "handed", open, before.len() - open)
        }
        Err(ActionError::Refused(refusal)) => {
            console.orders_again(&viewer, &form, StatusCode::CONFLICT, Some(refusal.in_french())).await
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

async fn reopen(State(console): State<Arc<Console>>, viewer: Viewer, client: Client, form: Form) -> Answer {
    let ids = ticked(&form);
    if ids.is_empty() {
        return console.orders_again(&viewer, &form, StatusCode::UNPROCESSABLE_ENTITY, None).await;
    }
    match actions::editions::reopen_orders(&console.engine, &console.actor(&viewer, &client), &ids).await {
        Ok(changed) => {
            let n = changed.iter().filter(|changed| **changed).count();
            back(&form, "reopened", n, changed.len() - n)
        }
        Err(ActionError::Refused(refusal)) => {
            console.orders_again(&viewer, &form, StatusCode::CONFLICT, Some(refusal.in_french())).await
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

#[derive(Debug, Serialize)]
struct CancelPage {
    order: OrderRow,
    /// It was changed since the page was opened.
    moved: bool,
    /// Why it was not done, in French.
    refused: Option<String>,
}

async fn show_cancel(State(console): State<Arc<Console>>, viewer: Viewer, Path(id): Path<String>) -> Answer {
    console.cancelling(&viewer, &id, StatusCode::OK, false, None).await
}

async fn cancel(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<String>,
    client: Client,
    form: Form,
) -> Answer {
    let seen = Some(form.get("vu_alors").parse().unwrap_or_default());
    let done = || answer::see_other(&format!("/commandes?fait=cancelled&commande={}", escaped(&id)));
    match actions::editions::cancel_order(&console.engine, &console.actor(&viewer, &client), &id, seen).await {
        Ok(_) => {
            console.wake.notify_one();
            done()
        }
        // A second click.
        Err(ActionError::Refused(Refusal::OrderNotOpen { state: OrderState::Cancelled, .. })) => done(),
        Err(ActionError::Refused(Refusal::OrderChanged(_))) => {
            console.cancelling(&viewer, &id, StatusCode::CONFLICT, true, None).await
        }
        Err(ActionError::Refused(Refusal::NoSuchOrders(_))) => console.nowhere(&viewer),
        Err(ActionError::Refused(refusal)) => {
            console.cancelling(&viewer, &id, StatusCode::CONFLICT, false, Some(refusal.in_french())).await
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

impl Console {
    async fn cancelling(
        &self,
        viewer: &Viewer,
        id: &str,
        status: StatusCode,
        moved: bool,
        refused: Option<String>,
    ) -> Answer {
        match orders::one(&self.reading(), id).await {
            Ok(Some(order)) => {
                let page = CancelPage { order, moved, refused };
                self.shown(status, Some(viewer), "/commandes", "order_cancel", &page)
            }
            Ok(None) => self.nowhere(viewer),
            Err(error) => self.broken(viewer, &error),
        }
    }
}

#[derive(Debug, Serialize)]
struct RoundPage {
    round: Round,
    edition: String,
}

async fn round(State(console): State<Arc<Console>>, viewer: Viewer, asked: Asked) -> Answer {
    let edition = asked.get("edition");
    match orders::round(&console.reading(), edition).await {
        Ok(round) => {
            let page = RoundPage { round, edition: edition.unwrap_or_default().to_owned() };
            console.page(&viewer, "/commandes", "round", &page)
        }
        Err(error) => console.broken(&viewer, &error),
    }
}

/// As a POST: who downloaded names and addresses is recorded.
async fn csv(State(console): State<Arc<Console>>, viewer: Viewer, client: Client, form: Form) -> Answer {
    let edition = Some(form.get("edition")).filter(|slug| !slug.is_empty());
    let state = state_of(Some(form.get("etat"))).unwrap_or(OrderState::Open);
    let made = async {
        let Some(read) = crate::views::orders::in_states(&console.engine, edition, &[state]).await? else {
            return anyhow::Ok(None);
        };
        let text = crate::views::orders::csv(&read.orders)?;
        actions::editions::exported(&console.engine, &console.actor(&viewer, &client), read.orders.len()).await;
        Ok(Some(text))
    };
    match made.await {
        Ok(Some(text)) => {
            let name = format!("commandes-{}.csv", edition.unwrap_or("toutes"));
            answer::download("text/csv; charset=utf-8", text.into_bytes(), &name)
        }
        Ok(None) => console.nowhere(&viewer),
        Err(error) => console.not_done(&viewer, error.into()),
    }
}

/// What the form of an order that replaces this one was shown with.
fn version(open: &Order) -> String {
    format!("{}.{}", open.id, open.revision)
}

/// An order as it is typed.
#[derive(Debug, Clone, Default, Serialize)]
struct Filled {
    packs: String,
    handover: String,
    remark: String,
}

impl Filled {
    fn of<'a>(get: impl Fn(&str) -> &'a str) -> Self {
        let text = |name: &str| get(name).replace("\r\n", "\n").trim().to_owned();
        Self { packs: text("paquets"), handover: text("remise"), remark: text("remarque") }
    }
}

#[derive(Debug, Default, Serialize)]
struct NewPage {
    editions: Vec<Orderable>,
    edition: String,
    q: String,
    found: Vec<Found>,
    /// Of all who match.
    matches: usize,
    person: Option<PersonRow>,
    contact: String,
    /// Of the chosen edition.
    title: String,
    /// Packs that the contact can order, and copies of a pack.
    most: u32,
    pack: u32,
    /// Quantity of the contact's open order, which this one replaces.
    open: Option<String>,
    /// That order and its revision; empty without one.
    seen: String,
    filled: Filled,
    packs_wrong: bool,
    remark_wrong: bool,
    /// Another order was placed since the form was opened.
    moved: bool,
    /// Why it was not done, in French.
    refused: Option<String>,
    /// It was typed before a session was over.
    again: bool,
}

#[derive(Debug, Serialize)]
struct Found {
    row: PersonRow,
    /// The form for this person.
    href: String,
}

async fn show_new(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    asked: Asked,
    typed: Option<Extension<Typed>>,
) -> Answer {
    let get = |name: &str| match &typed {
        Some(typed) => typed.get(name),
        None => asked.get(name).unwrap_or_default(),
    };
    let opened = console.new_order(get("edition"), get("contact"), asked.get("q").unwrap_or_default()).await;
    match opened {
        Ok((mut page, _)) => {
            if let Some(typed) = &typed {
                (page.filled, page.again) = (Filled::of(|name| typed.get(name)), true);
                // As the form was opened: an order that came in since is still noticed.
                page.seen = typed.get("vu_alors").to_owned();
            }
            console.page(&viewer, "/commandes", "order_new", &page)
        }
        Err(error) => console.broken(&viewer, &error),
    }
}

async fn place(State(console): State<Arc<Console>>, viewer: Viewer, client: Client, form: Form) -> Answer {
    let (mut page, contact) = match console.new_order(form.get("edition"), form.get("contact"), "").await {
        Ok(opened) => opened,
        Err(error) => return console.broken(&viewer, &error),
    };
    page.filled = Filled::of(|name| form.get(name));
    let shown = |status, page: NewPage| console.shown(status, Some(&viewer), "/commandes", "order_new", &page);
    let Some(contact) = contact else { return shown(StatusCode::UNPROCESSABLE_ENTITY, page) };
    if page.title.is_empty() || page.most == 0 {
        let slug = page.edition.clone();
        let why =
            if page.title.is_empty() { Refusal::NotOrderable(slug) } else { Refusal::TooFewPacks { slug, left: 0 } };
        page.refused = Some(why.in_french());
        return shown(StatusCode::CONFLICT, page);
    }
    let packs = checks::whole(&page.filled.packs, &(1..=i64::from(page.most)));
    page.packs_wrong = packs.is_err();
    let unfit = characters::unfit(&page.filled.remark, false).is_some();
    page.remark_wrong = unfit || page.filled.remark.chars().count() > LONGEST_REMARK;
    let (Ok(packs), false) = (packs, page.remark_wrong) else {
        return shown(StatusCode::UNPROCESSABLE_ENTITY, page);
    };
    let handover = Handover::ALL.into_iter().find(|it| it.as_str() == page.filled.handover);
    let wish = Wish { packs, handover: handover.unwrap_or(Handover::Delivery), remark: page.filled.remark.clone() };
    let (slug, actor) = (page.edition.clone(), console.actor(&viewer, &client));
    // Anything but a second click of the same form.
    if form.get("vu_alors") != page.seen {
        match console.store().look_at_order(&slug, &contact.id).await {
            Ok(Some((_, _, Some(open)))) if open.wish == wish => {}
            Ok(_) => {
                page.moved = true;
                return shown(StatusCode::CONFLICT, page);
            }
            Err(error) => return console.broken(&viewer, &error),
        }
    }
    match actions::editions::order(&console.engine, &actor, &slug, &contact.address, &wish).await {
        Ok(placed) => {
            use actions::editions::OrderPlaced::{Changed, New, Unchanged};
            console.wake.notify_one();
            let (word, order) = match placed {
                New(order) | Unchanged(order) => ("placed", order),
                Changed(order) => ("changed", order),
            };
            answer::see_other(&format!("/commandes?fait={word}&commande={}", order.id))
        }
        Err(ActionError::Refused(refusal)) => {
            page.refused = Some(refusal.in_french());
            shown(StatusCode::CONFLICT, page)
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

impl Console {
    /// The form for this edition and contact; the search while there is no contact.
    async fn new_order(
        self: &Arc<Self>,
        edition: &str,
        contact: &str,
        q: &str,
    ) -> Result<(NewPage, Option<Contact>), crate::store::StoreError> {
        let it = self.reading();
        let mut editions = orders::orderable(&it).await?;
        let chosen = match edition {
            "" => editions.iter().find(|it| it.is_left),
            slug => editions.iter().find(|it| it.slug == slug),
        };
        let chosen = chosen.map(|it| it.slug.clone());
        editions.retain(|it| it.is_left);
        let mut page = NewPage { q: q.to_owned(), editions, contact: contact.to_owned(), ..NewPage::default() };
        page.edition = chosen.clone().unwrap_or_else(|| edition.to_owned());
        page.filled.handover = Handover::Delivery.as_str().to_owned();
        if contact.is_empty() {
            if !q.is_empty() {
                let names = self.names().await?;
                let (ids, matches) = names.find(q, None, None, FOUND);
                let rows = people::rows(&it, &ids).await?;
                let base = format!("/commandes/nouvelle?edition={}&contact=", escaped(&page.edition));
                let link = |row: &PersonRow| format!("{base}{}", escaped(&row.id));
                page.found = rows.into_iter().map(|row| Found { href: link(&row), row }).collect();
                page.matches = matches;
            }
            return Ok((page, None));
        }
        let found = self.store().contacts_by_id(&[contact.to_owned()]).await?.into_iter().next();
        page.person = found.as_ref().map(|found| PersonRow::new(&it, found));
        let Some(slug) = chosen else { return Ok((page, found)) };
        if let Some((stocked, _, open)) = self.store().look_at_order(&slug, contact).await? {
            let had = open.as_ref().map_or(0, |open| open.wish.packs);
            page.title.clone_from(&stocked.edition.title);
            page.most = stocked.available(had);
            page.pack = stocked.edition.pack();
            page.seen = open.as_ref().map(version).unwrap_or_default();
            page.open = open.as_ref().map(|open| packs_in_french(open.wish.packs, page.pack));
            page.filled.packs = had.max(1).to_string();
            if let Some(open) = open {
                page.filled.handover = open.wish.handover.as_str().to_owned();
                page.filled.remark = open.wish.remark;
            }
        }
        Ok((page, found))
    }
}
