//! Partners: the list with its folded search and its filters, and the same list as a file.

use super::super::{
    again::{Keeps, Typed},
    gate::Form,
};
use super::{Asked, filters::Filters, segment::Wrong};
use crate::accounts::Viewer;
use crate::actions::{
    accounts::login::Client,
    taking::{self, Format},
};
use crate::domain::segment::Segment;
use crate::store::StoreError;
use crate::views::console::{
    people::{self, PAGE},
    segment::{self, FILTERS},
};
use crate::web::{
    answer::{self, Answer},
    console::Console,
};
use axum::{Extension, extract::State, http::StatusCode};
use serde::Serialize;
use std::sync::Arc;

#[derive(Debug, Serialize)]
struct PartnersPage {
    q: String,
    /// The expression; empty for none.
    text: String,
    filters: Filters,
    wrong: Option<Wrong>,
    rows: Vec<people::PersonRow>,
    found: usize,
    all: usize,
    more: Option<String>,
    /// The query of the same list: `?q=…&ou=…`.
    same: String,
    done: &'static str,
}

/// Who is asked for.
struct Wanted {
    q: String,
    text: String,
    segment: Option<Segment>,
    wrong: Option<Wrong>,
}

impl Wanted {
    fn of(q: &str, text: &str) -> Self {
        let (segment, wrong) = match Segment::parse(text) {
            _ if text.is_empty() => (None, None),
            Ok(segment) => (Some(segment), None),
            Err(error) => (None, Some(Wrong::new(text, &error))),
        };
        Self { q: q.to_owned(), text: text.to_owned(), segment, wrong }
    }

    /// The query of an address that asks for the same.
    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("q", &self.q), ("ou", &self.text)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        Some(query.finish()).filter(|query| !query.is_empty()).map(|query| format!("?{query}")).unwrap_or_default()
    }
}

pub(super) async fn list(State(console): State<Arc<Console>>, viewer: Viewer, asked: Asked) -> Answer {
    let below = asked.get("ou");
    // What was chosen in the form is an expression of the address, which can be sent to a colleague.
    if FILTERS.iter().any(|(name, _)| asked.get(name).is_some()) {
        let text = segment::filtered(|name| asked.get(name), below).unwrap_or_default();
        let to = Wanted::of(asked.get("q").unwrap_or_default(), &text).query();
        return answer::see_other(&format!("/partenaires{to}"));
    }
    let wanted = Wanted::of(asked.get("q").unwrap_or_default(), below.unwrap_or_default());
    let read = async {
        let (mut ids, found, all) = console.wanted(&wanted, asked.get("apres"), PAGE + 1).await?;
        let more = ids.len() > PAGE;
        ids.truncate(PAGE);
        let it = console.reading();
        let values = console.values().await?;
        let filters = Filters::new(&values, &FILTERS.map(|(_, field)| field), wanted.segment.as_ref());
        Ok(PartnersPage {
            filters,
            more: ids.last().filter(|_| more).map(|id| asked.with("apres", id)),
            rows: people::rows(&it, &ids).await?,
            found,
            all,
            same: wanted.query(),
            done: if asked.get("fait") == Some("erased") { "erased" } else { "" },
            q: wanted.q,
            text: wanted.text,
            wrong: wanted.wrong,
        })
    };
    match read.await {
        Ok(page) => console.page(&viewer, "/partenaires", "partners", &page),
        Err(error) => console.broken(&viewer, &error),
    }
}

impl Console {
    /// Ids of a page of those who are asked for, their number, and that of the whole list. Nobody for an expression that is wrong.
    async fn wanted(
        self: &Arc<Self>,
        wanted: &Wanted,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<String>, usize, usize), StoreError> {
        let names = self.names().await?;
        let among = match &wanted.segment {
            Some(segment) => Some(self.ids_of(segment).await?),
            None if wanted.wrong.is_some() => Some(Arc::default()),
            None => None,
        };
        let (ids, found) = names.find(&wanted.q, among.as_deref(), after, limit);
        Ok((ids, found, names.len()))
    }
}

pub(super) const KEEPS_EXPORT: Keeps = Keeps { texts: &["q", "ou"], others: &[] };

#[derive(Debug, Serialize)]
struct ExportPage {
    q: String,
    text: String,
    found: usize,
    /// The list is no longer as long as was shown.
    stale: bool,
}

pub(super) async fn show_export(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    asked: Asked,
    typed: Option<Extension<Typed>>,
) -> Answer {
    let value = |name: &'static str| match &typed {
        Some(typed) => typed.get(name).to_owned(),
        None => asked.get(name).unwrap_or_default().to_owned(),
    };
    let wanted = Wanted::of(&value("q"), &value("ou"));
    match console.wanted(&wanted, None, 0).await {
        Ok((_, found, _)) => {
            let page = ExportPage { q: wanted.q, text: wanted.text, found, stale: false };
            console.page(&viewer, "/partenaires", "partners_export", &page)
        }
        Err(error) => console.broken(&viewer, &error),
    }
}

pub(super) async fn export(State(console): State<Arc<Console>>, viewer: Viewer, client: Client, form: Form) -> Answer {
    let made = async {
        let wanted = Wanted::of(form.get("q"), form.get("ou"));
        let (ids, found, _) = console.wanted(&wanted, None, usize::MAX).await?;
        if form.get("vu_alors") != found.to_string() {
            let page = ExportPage { q: wanted.q, text: wanted.text, found, stale: true };
            return Ok(console.form(&viewer, StatusCode::CONFLICT, "partners_export", &page));
        }
        let format = if form.get("format") == "xlsx" { Format::Xlsx } else { Format::Csv };
        let actor = console.actor(&viewer, &client);
        let bytes = taking::list(&console.engine, &actor, &ids, format).await?;
        let day = console.now().with_timezone(&console.config().zone).format("%Y-%m-%d");
        Ok(answer::download(format.media_type(), bytes, &format!("partenaires-{day}.{}", format.as_str())))
    };
    console.or_not_done(&viewer, made.await)
}
