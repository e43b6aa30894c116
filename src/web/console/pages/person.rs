//! A person's fields: the page that shows them, the form that changes them, and the one that adds somebody.

use super::super::{
    again::{Keeps, Typed},
    gate::Form,
};
use super::{
    Asked,
    lists::{self, ListBox},
};
use crate::accounts::Viewer;
use crate::actions::{self, ActionError, Refusal, accounts::login::Client, partners::Edited};
use crate::domain::{email::EmailAddress, partner::Fields};
use crate::store::Person;
use crate::views::console::{
    people::{self, PersonRow, PersonView},
    person::{self, BarredView, Clash, Input},
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

/// What `fait=` may say on a person's page.
const DONE: [&str; 8] =
    ["edited", "unchanged", "moved", "suppressed", "returned", "added", "added_barred", "added_kept"];

pub(super) const KEEPS_EDIT: Keeps = Keeps { texts: &FIELDS, others: &["vu_alors"] };
pub(super) const KEEPS_ADD: Keeps = Keeps { texts: &ADDED, others: &[lists::KEPT, "quand_meme"] };

const FIELDS: [&str; 14] = [
    "name",
    "function",
    "language",
    "establishment",
    "category",
    "street",
    "postcode",
    "commune",
    "insee",
    "phone",
    "website",
    "labels",
    "stars",
    "position",
];
const ADDED: [&str; 16] = [
    "adresse",
    "origine",
    "name",
    "function",
    "language",
    "establishment",
    "category",
    "street",
    "postcode",
    "commune",
    "insee",
    "phone",
    "website",
    "labels",
    "stars",
    "position",
];
#[derive(Debug, Serialize)]
struct PersonPage {
    person: PersonView,
    /// Key of what was just done; empty for nothing.
    done: &'static str,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<String>,
    asked: Asked,
) -> Answer {
    let done = DONE.into_iter().find(|it| asked.get("fait") == Some(it)).unwrap_or_default();
    match people::person(&console.reading(), &id).await {
        Ok(Some(person)) => console.page(&viewer, "/partenaires", "person", &PersonPage { person, done }),
        Ok(None) => console.nobody(&viewer),
        Err(error) => console.broken(&viewer, &error),
    }
}

#[derive(Debug, Serialize)]
struct EditPage {
    row: PersonRow,
    fields: Vec<Input>,
    /// The fields as they were shown.
    seen: String,
    /// What somebody else changed while the form was open.
    clashes: Vec<Clash>,
    /// Other contacts of the establishment.
    colleagues: u64,
    /// Something is not understood.
    wrong: bool,
    /// It was typed before a session was over.
    again: bool,
}

pub(super) async fn show_edit(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<String>,
    typed: Option<Extension<Typed>>,
) -> Answer {
    let shown = async {
        let Some(person) = console.store().person(&id).await? else { return Ok(console.nobody(&viewer)) };
        let now = person.contact.fields();
        let mut page = console.edit_page(&person, &now).await?;
        if let Some(typed) = typed {
            page.fields = person::inputs(|field| typed.get(field.as_str()).to_owned(), &[]);
            (page.seen, page.again) = (typed.get("vu_alors").to_owned(), true);
        }
        Ok(console.page(&viewer, "/partenaires", "person_edit", &page))
    };
    console.or_not_done(&viewer, shown.await)
}

pub(super) async fn edit(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<String>,
    client: Client,
    form: Form,
) -> Answer {
    let done = async {
        let Some(known) = console.store().person(&id).await? else { return Ok(console.nobody(&viewer)) };
        let seen = person::of_version(form.get("vu_alors"));
        let typed = person::read(|name| form.get(name), &seen);
        if !typed.wrong.is_empty() {
            let fields = person::inputs(|field| form.get(field.as_str()).to_owned(), &typed.wrong);
            let seen = form.get("vu_alors").to_owned();
            let page =
                EditPage { fields, seen, wrong: true, ..console.edit_page(&known, &known.contact.fields()).await? };
            return Ok(console.form(&viewer, StatusCode::UNPROCESSABLE_ENTITY, "person_edit", &page));
        }
        let actor = console.actor(&viewer, &client);
        let address = &known.contact.address;
        let edited = match actions::partners::edit(&console.engine, &actor, address, Some(&seen), &typed.changed).await
        {
            Err(ActionError::Refused(Refusal::NothingSaid)) if seen == known.contact.fields() => {
                return Ok(answer::see_other(&at(&id, "unchanged")));
            }
            Err(ActionError::Refused(Refusal::NothingSaid)) => Edited::Stale,
            // It moved or was erased between the two.
            Err(ActionError::Refused(Refusal::ContactNotKnown(_))) => Edited::Stale,
            other => other?,
        };
        if let Edited::Done(_) = edited {
            console.forget_list();
            return Ok(answer::see_other(&at(&id, "edited")));
        }
        let Some(known) = console.store().person(&id).await? else { return Ok(console.nobody(&viewer)) };
        let now = known.contact.fields();
        let page = EditPage {
            fields: person::merged(&seen, &now, |name| form.get(name)),
            clashes: person::clashes(&seen, &now, |name| form.get(name)),
            ..console.edit_page(&known, &now).await?
        };
        Ok(console.form(&viewer, StatusCode::CONFLICT, "person_edit", &page))
    };
    console.or_not_done(&viewer, done.await)
}

/// The person's page, saying what was done.
pub(super) fn at(id: &str, done: &str) -> String {
    format!("{}?fait={done}", person_href(id).unwrap_or_default())
}

#[derive(Debug, Default, Serialize)]
struct AddPage {
    address: String,
    origin: String,
    fields: Vec<Input>,
    lists: Vec<ListBox>,
    /// Names of wrong fields, and the key of what is wrong with each.
    wrong: Vec<(&'static str, &'static str)>,
    /// Whoever has the address already.
    known: Option<PersonRow>,
    /// What is said of the address: it may be added, and receives nothing.
    barred: Vec<BarredView>,
    again: bool,
}

pub(super) async fn show_add(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    typed: Option<Extension<Typed>>,
) -> Answer {
    let page = match typed {
        None => console.add_page(|_| "", |_| true, &[]),
        Some(typed) => AddPage { again: true, ..console.add_page(|name| typed.get(name), |name| typed.has(name), &[]) },
    };
    console.page(&viewer, "/partenaires", "person_add", &page)
}

pub(super) async fn add(State(console): State<Arc<Console>>, viewer: Viewer, client: Client, form: Form) -> Answer {
    let done = async {
        let typed = person::read(|name| form.get(name), &Fields::default());
        let mut page = console.add_page(|name| form.get(name), |name| form.has(name), &typed.wrong);
        let address = EmailAddress::parse(form.get("adresse").trim()).ok();
        let lists = lists::chosen(&page.lists);
        let missing = [
            (address.is_none(), ("adresse", "person_wrong_address")),
            (form.get("origine").trim().is_empty(), ("origine", "person_wrong_origin")),
            (lists.is_empty() && !page.lists.is_empty(), ("envois", "person_wrong_lists")),
        ];
        page.wrong.extend(missing.into_iter().filter(|(is_missing, _)| *is_missing).map(|(_, wrong)| wrong));
        let (Some(address), true) = (address, page.wrong.is_empty() && typed.wrong.is_empty()) else {
            page.wrong.extend(typed.wrong.iter().map(|name| (*name, "person_wrong_field")));
            return Ok(console.form(&viewer, StatusCode::UNPROCESSABLE_ENTITY, "person_add", &page));
        };
        let hash = console.engine.tokens().await?.address_hash(&address);
        let barred = console.store().suppressions_of(&hash).await?;
        if !barred.is_empty() && !form.has("quand_meme") && console.store().contact_id(&address.key()).await?.is_none()
        {
            page.barred = person::barred(&console.reading(), &barred);
            return Ok(console.form(&viewer, StatusCode::CONFLICT, "person_add", &page));
        }
        let (engine, actor) = (&console.engine, console.actor(&viewer, &client));
        let fields = typed.changed;
        let added = actions::partners::add(engine, &actor, &address, fields.clone(), &lists, form.get("origine")).await;
        console.forget_list();
        let id = console.store().contact_id(&address.key()).await?.unwrap_or_default();
        match added {
            Ok(added) if added.is_barred => Ok(answer::see_other(&at(&id, "added_barred"))),
            Ok(added) if !added.kept.is_empty() => Ok(answer::see_other(&at(&id, "added_kept"))),
            Ok(_) => Ok(answer::see_other(&at(&id, "added"))),
            Err(ActionError::Refused(Refusal::ContactKnown(_))) => {
                let Some(known) = console.store().person(&id).await? else { return Ok(console.nobody(&viewer)) };
                // A second click on the same button.
                if fields.are_in(&known.contact.fields()) && console.now() - known.contact.since < SECOND_CLICK {
                    return Ok(answer::see_other(&at(&id, "added")));
                }
                page.known = Some(PersonRow::new(&console.reading(), &known.contact));
                Ok(console.form(&viewer, StatusCode::CONFLICT, "person_add", &page))
            }
            Err(error) => Err(error),
        }
    };
    console.or_not_done(&viewer, done.await)
}

/// The same form within this time is the same click.
const SECOND_CLICK: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

impl Console {
    /// There is no such contact.
    pub(super) fn nobody(&self, viewer: &Viewer) -> Answer {
        self.message(viewer, StatusCode::NOT_FOUND, "no_person")
    }

    pub(super) fn or_not_done(&self, viewer: &Viewer, made: actions::Result<Answer>) -> Answer {
        made.unwrap_or_else(|error| self.not_done(viewer, error))
    }

    /// A form of the partners' pages, shown again.
    pub(super) fn form(&self, viewer: &Viewer, status: StatusCode, name: &str, page: &impl Serialize) -> Answer {
        self.shown(status, Some(viewer), "/partenaires", name, page)
    }

    async fn edit_page(&self, person: &Person, now: &Fields) -> actions::Result<EditPage> {
        Ok(EditPage {
            row: PersonRow::new(&self.reading(), &person.contact),
            fields: person::inputs(|field| person::written(field, now), &[]),
            seen: person::version(now),
            clashes: Vec::new(),
            colleagues: self.store().reach(&person.contact.id).await?.unwrap_or_default().colleagues,
            wrong: false,
            again: false,
        })
    }

    fn add_page<'a>(
        &self,
        text: impl Fn(&'static str) -> &'a str,
        has: impl Fn(&str) -> bool,
        wrong: &[&'static str],
    ) -> AddPage {
        AddPage {
            address: text("adresse").to_owned(),
            origin: text("origine").to_owned(),
            fields: person::inputs(|field| text(field.as_str()).to_owned(), wrong),
            lists: self.lists(has),
            ..AddPage::default()
        }
    }
}
