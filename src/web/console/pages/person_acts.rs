//! What is done about one person: another address, no more mailings, mailings again, all data, erasure.

use super::super::{
    again::{Keeps, Typed},
    gate::{Form, GET, POST, Route, route},
};
use super::person::at;
use crate::accounts::{Permission, Viewer};
use crate::actions::{self, ActionError, accounts::login::Client, partners::Erasure, taking};
use crate::domain::email::EmailAddress;
use crate::store::{Person, Reach};
use crate::views::console::{
    people::PersonRow,
    person::{self, BarredView, DataView},
    person_href,
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

const KEEPS_MOVE: Keeps = Keeps { texts: &["adresse"], others: &["vu_alors", "quand_meme"] };
const KEEPS_SUPPRESS: Keeps = Keeps { texts: &["precisions", "raison"], others: &["portee", "vu_alors"] };
const KEEPS_RETURN: Keeps = Keeps { texts: &["pourquoi"], others: &["portee", "vu_alors"] };
const KEEPS_ERASE: Keeps = Keeps { texts: &["adresse"], others: &["vu_alors"] };

/// The reasons of the list: the value, and the words that are kept. The last needs words of its own.
const REASONS: [(&str, &str); 7] = [
    ("telephone", "demandé par téléphone"),
    ("courriel", "demandé par courriel"),
    ("sur_place", "demandé de vive voix"),
    ("parti", "ne travaille plus dans l’établissement"),
    ("ferme", "établissement fermé"),
    ("doublon", "adresse en double"),
    ("autre", ""),
];

/// The form of any of these pages.
#[derive(Debug, Serialize)]
struct ActPage {
    row: PersonRow,
    back: String,
    /// What the form was shown with.
    seen: String,
    reach: ReachView,
    /// What the person does not receive already.
    barred: Vec<BarredView>,
    /// What the person still receives: id and title.
    receives: Vec<(String, String)>,
    reasons: Vec<(&'static str, &'static str)>,
    /// As they were typed.
    address: String,
    scope: String,
    reason: String,
    words: String,
    /// The other address is suppressed: said before anything is done.
    other: Vec<BarredView>,
    /// Whoever has the other address.
    taken: Option<PersonRow>,
    wrong: Option<(&'static str, &'static str)>,
    /// It is no longer what was shown.
    stale: bool,
    /// Why it was not done, in French.
    refused: Option<String>,
    again: bool,
}

#[derive(Debug, Default, Serialize)]
struct ReachView {
    /// Messages that wait, of all mailings.
    waiting: u64,
    deliveries: u64,
    open_orders: u64,
}

/// Which page, with its template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Move,
    Suppress,
    Return,
    Erase,
}

impl Act {
    fn path(self) -> &'static str {
        match self {
            Act::Move => "/partenaires/contacts/{id}/adresse",
            Act::Suppress => "/partenaires/contacts/{id}/opposition",
            Act::Return => "/partenaires/contacts/{id}/reabonner",
            Act::Erase => "/partenaires/contacts/{id}/effacer",
        }
    }

    fn template(self) -> &'static str {
        match self {
            Act::Move => "person_move",
            Act::Suppress => "person_suppress",
            Act::Return => "person_return",
            Act::Erase => "person_erase",
        }
    }

    /// What of the person must not have changed while the page was open.
    fn version(self, person: &Person, reach: &Reach) -> String {
        match self {
            Act::Move => person.contact.address.to_string(),
            Act::Suppress | Act::Return => person::barred_version(&person.contact.barred),
            Act::Erase => format!("{}.{}", reach.deliveries, reach.open_orders),
        }
    }
}

pub(super) fn routes() -> Vec<Route> {
    let (write, administer) = (Permission::Write, Permission::Administer);
    vec![
        page(write, Act::Move),
        route(POST, Act::Move.path(), write, move_to).keeps(KEEPS_MOVE),
        page(write, Act::Suppress),
        route(POST, Act::Suppress.path(), write, suppress).keeps(KEEPS_SUPPRESS),
        page(write, Act::Return),
        route(POST, Act::Return.path(), write, lift).keeps(KEEPS_RETURN),
        page(administer, Act::Erase),
        route(POST, Act::Erase.path(), administer, erase).keeps(KEEPS_ERASE).proven("partners"),
        route(GET, "/partenaires/contacts/{id}/donnees", write, data),
        route(POST, "/partenaires/contacts/{id}/donnees", write, download),
    ]
}

fn page(permission: Permission, act: Act) -> Route {
    let show = move |State(console): State<Arc<Console>>,
                     viewer: Viewer,
                     Path(id): Path<String>,
                     typed: Option<Extension<Typed>>| { show(console, viewer, id, typed, act) };
    route(GET, act.path(), permission, show)
}

async fn show(console: Arc<Console>, viewer: Viewer, id: String, typed: Option<Extension<Typed>>, act: Act) -> Answer {
    let shown = async {
        let Some((_, mut page)) = console.act_page(&id, act, |_| "").await? else { return Ok(console.nobody(&viewer)) };
        if let Some(typed) = typed {
            let Some((_, filled)) = console.act_page(&id, act, |name| typed.get(name)).await? else {
                return Ok(console.nobody(&viewer));
            };
            page = ActPage { seen: typed.get("vu_alors").to_owned(), again: true, ..filled };
        }
        Ok(console.page(&viewer, "/partenaires", act.template(), &page))
    };
    console.or_not_done(&viewer, shown.await)
}

/// A form that was sent.
enum Opened {
    /// It was shown with what is still so: the person, and the page with what was typed.
    AsShown(Box<(Person, ActPage)>),
    /// Something else is so by now, or the person is gone: the answer says what is.
    Outdated(Answer),
}

async fn move_to(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<String>,
    client: Client,
    form: Form,
) -> Answer {
    let done = async {
        let (person, page) = match console.opened_about(&viewer, &id, &form, Act::Move).await? {
            Opened::AsShown(opened) => *opened,
            Opened::Outdated(answer) => return Ok(answer),
        };
        let from = &person.contact.address;
        let to = EmailAddress::parse(form.get("adresse").trim()).ok().filter(|to| to != from);
        let Some(to) = to else {
            return Ok(console.wrong(&viewer, Act::Move, page, ("adresse", "person_wrong_new_address")));
        };
        if let Some(other) = console.store().contact_id(&to.key()).await?.filter(|other| *other != id) {
            let taken = console.store().person(&other).await?;
            let taken = taken.map(|it| PersonRow::new(&console.reading(), &it.contact));
            return Ok(console.form(&viewer, StatusCode::CONFLICT, "person_move", &ActPage { taken, ..page }));
        }
        let hash = console.engine.tokens().await?.address_hash(&to);
        let barred = console.store().suppressions_of(&hash).await?;
        if !barred.is_empty() && !form.has("quand_meme") {
            let other = person::barred(&console.reading(), &barred);
            return Ok(console.form(&viewer, StatusCode::CONFLICT, "person_move", &ActPage { other, ..page }));
        }
        let moved = actions::partners::move_to(&console.engine, &console.actor(&viewer, &client), from, &to).await;
        Ok(console.done(&viewer, Act::Move, page, moved, &at(&id, "moved")))
    };
    console.or_not_done(&viewer, done.await)
}

/// What counts here is the person's say, not how many messages still wait: while an issue is being sent that number falls every
/// second, and an objection must not be held up by it.
async fn suppress(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<String>,
    client: Client,
    form: Form,
) -> Answer {
    let done = async {
        let (person, page) = match console.opened_about(&viewer, &id, &form, Act::Suppress).await? {
            Opened::AsShown(opened) => *opened,
            Opened::Outdated(answer) => return Ok(answer),
        };
        let mailing = match form.get("portee") {
            "*" => None,
            id if page.receives.iter().any(|(known, _)| known == id) => Some(id.to_owned()),
            _ => return Ok(console.wrong(&viewer, Act::Suppress, page, ("portee", "person_wrong_scope"))),
        };
        let Some((_, reason)) = REASONS.into_iter().find(|(value, _)| *value == form.get("raison")) else {
            return Ok(console.wrong(&viewer, Act::Suppress, page, ("raison", "person_wrong_reason")));
        };
        let words = form.get("precisions").trim();
        if reason.is_empty() && words.is_empty() {
            return Ok(console.wrong(&viewer, Act::Suppress, page, ("precisions", "person_wrong_words")));
        }
        let why = [reason, words].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
        let (actor, address) = (console.actor(&viewer, &client), &person.contact.address);
        let done = actions::partners::suppress(&console.engine, &actor, address, mailing.as_deref(), &why).await;
        Ok(console.done(&viewer, Act::Suppress, page, done.map(drop), &at(&id, "suppressed")))
    };
    console.or_not_done(&viewer, done.await)
}

async fn lift(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<String>,
    client: Client,
    form: Form,
) -> Answer {
    let done = async {
        let (person, page) = match console.opened_about(&viewer, &id, &form, Act::Return).await? {
            Opened::AsShown(opened) => *opened,
            Opened::Outdated(answer) => return Ok(answer),
        };
        let mailing = match form.get("portee") {
            "*" => None,
            scope if page.barred.iter().any(|it| it.ours && it.scope == scope) => Some(scope.to_owned()),
            _ => return Ok(console.wrong(&viewer, Act::Return, page, ("portee", "person_wrong_scope"))),
        };
        let why = form.get("pourquoi").trim();
        if why.is_empty() {
            return Ok(console.wrong(&viewer, Act::Return, page, ("pourquoi", "person_wrong_why")));
        }
        let (actor, address) = (console.actor(&viewer, &client), &person.contact.address);
        let done = actions::partners::lift(&console.engine, &actor, address, mailing.as_deref(), why).await;
        Ok(console.done(&viewer, Act::Return, page, done.map(drop), &at(&id, "returned")))
    };
    console.or_not_done(&viewer, done.await)
}

async fn erase(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<String>,
    client: Client,
    form: Form,
) -> Answer {
    let done = async {
        let (person, page) = match console.opened_about(&viewer, &id, &form, Act::Erase).await? {
            Opened::AsShown(opened) => *opened,
            Opened::Outdated(answer) => return Ok(answer),
        };
        let address = &person.contact.address;
        let typed = EmailAddress::parse(form.get("adresse").trim());
        if !typed.is_ok_and(|typed| typed.key() == address.key()) {
            return Ok(console.wrong(&viewer, Act::Erase, page, ("adresse", "person_wrong_typed")));
        }
        match actions::partners::erase(&console.engine, &console.actor(&viewer, &client), address).await {
            // Somebody else moved or erased the person in between.
            Ok(Erasure::NotKnown) => Ok(console.nobody(&viewer)),
            erased => Ok(console.done(&viewer, Act::Erase, page, erased.map(drop), "/partenaires?fait=erased")),
        }
    };
    console.or_not_done(&viewer, done.await)
}

#[derive(Debug, Serialize)]
struct DataPage {
    data: DataView,
    back: String,
}

async fn data(State(console): State<Arc<Console>>, viewer: Viewer, Path(id): Path<String>) -> Answer {
    let shown = async {
        let Some(person) = console.store().person(&id).await? else { return Ok(console.nobody(&viewer)) };
        let data = person::data(&console.reading(), &person).await?;
        let page = DataPage { back: data.row.href.clone(), data };
        Ok(console.page(&viewer, "/partenaires", "person_data", &page))
    };
    console.or_not_done(&viewer, shown.await)
}

async fn download(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<String>,
    client: Client,
    _: Form,
) -> Answer {
    let made = async {
        let Some(person) = console.store().person(&id).await? else { return Ok(console.nobody(&viewer)) };
        let address = &person.contact.address;
        let json = taking::person(&console.engine, &console.actor(&viewer, &client), address).await?;
        let text = serde_json::to_vec_pretty(&json).map_err(anyhow::Error::from)?;
        Ok(answer::download("application/json", text, &format!("donnees-{}.json", address.key())))
    };
    console.or_not_done(&viewer, made.await)
}

impl Console {
    async fn opened_about(&self, viewer: &Viewer, id: &str, form: &Form, act: Act) -> actions::Result<Opened> {
        let Some((person, page)) = self.act_page(id, act, |name| form.get(name)).await? else {
            return Ok(Opened::Outdated(self.nobody(viewer)));
        };
        if page.seen != form.get("vu_alors") {
            let page = ActPage { stale: true, ..page };
            return Ok(Opened::Outdated(self.form(viewer, StatusCode::CONFLICT, act.template(), &page)));
        }
        Ok(Opened::AsShown(Box::new((person, page))))
    }

    /// The page as it is now, with what was typed.
    async fn act_page<'a>(
        &self,
        id: &str,
        act: Act,
        text: impl Fn(&'static str) -> &'a str,
    ) -> actions::Result<Option<(Person, ActPage)>> {
        let Some(person) = self.store().person(id).await? else { return Ok(None) };
        let reach = self.store().reach(id).await?.unwrap_or_default();
        let it = self.reading();
        let words = match act {
            Act::Return => text("pourquoi"),
            _ => text("precisions"),
        };
        let receives = person.contact.subscriptions.iter();
        let page = ActPage {
            row: PersonRow::new(&it, &person.contact),
            back: person_href(id).unwrap_or_default(),
            seen: act.version(&person, &reach),
            barred: person::barred(&it, &person.contact.barred),
            receives: receives.map(|id| (id.clone(), it.title(id).to_owned())).collect(),
            reasons: REASONS.to_vec(),
            address: text("adresse").to_owned(),
            scope: text("portee").to_owned(),
            reason: text("raison").to_owned(),
            words: words.to_owned(),
            other: Vec::new(),
            taken: None,
            wrong: None,
            stale: false,
            refused: None,
            again: false,
            reach: ReachView {
                waiting: reach.waiting.iter().map(|(_, n)| n).sum(),
                deliveries: reach.deliveries,
                open_orders: reach.open_orders,
            },
        };
        Ok(Some((person, page)))
    }

    fn wrong(&self, viewer: &Viewer, act: Act, page: ActPage, wrong: (&'static str, &'static str)) -> Answer {
        let page = ActPage { wrong: Some(wrong), ..page };
        self.form(viewer, StatusCode::UNPROCESSABLE_ENTITY, act.template(), &page)
    }

    fn done(&self, viewer: &Viewer, act: Act, page: ActPage, done: actions::Result<()>, to: &str) -> Answer {
        match done {
            Ok(()) => {
                self.forget_list();
                answer::see_other(to)
            }
            Err(ActionError::Refused(refusal)) => {
                let page = ActPage { refused: Some(refusal.in_french()), ..page };
                self.form(viewer, StatusCode::CONFLICT, act.template(), &page)
            }
            Err(error) => self.not_done(viewer, error),
        }
    }
}
