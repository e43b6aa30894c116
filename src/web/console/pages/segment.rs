//! The segment builder: rows or text, always with the number of contacts that match, with a script while one types.

use super::Asked;
use crate::accounts::Viewer;
use crate::domain::segment::{Segment, SegmentError};
use crate::store::StoreError;
use crate::views::console::{
    escaped,
    segment::{self, COMPARISONS, FIELDS, GROUPS, Group, Groups, Offered, ROWS, Row},
};
use crate::web::{
    answer::{self, Answer},
    console::Console,
};
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;

/// What is wrong with an expression, and where.
#[derive(Debug, Serialize)]
pub(super) struct Wrong {
    /// In characters, from 1.
    column: usize,
    /// The expression before that place, and from it on.
    before: String,
    after: String,
    /// What was expected, in English: the words of the grammar are.
    expected: String,
}

impl Wrong {
    pub(super) fn new(text: &str, error: &SegmentError) -> Self {
        let at = text.char_indices().nth(error.column - 1).map_or(text.len(), |(at, _)| at);
        let (before, after) = text.split_at(at);
        Self {
            column: error.column,
            before: before.to_owned(),
            after: after.to_owned(),
            expected: error.message.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
struct SegmentPage {
    text: String,
    /// `None`: the expression is more than rows.
    rows: Option<Groups>,
    fields: &'static [&'static str],
    comparisons: &'static [(&'static str, &'static str)],
    offered: Vec<(&'static str, Offered)>,
    wrong: Option<Wrong>,
    /// How many match, in words; empty without an expression.
    counted: String,
    /// The list of those that match.
    list: String,
}

pub(super) async fn show(State(console): State<Arc<Console>>, viewer: Viewer, asked: Asked) -> Answer {
    // The rows of the form are the expression of the address, if it is one.
    let typed = groups_in(&asked);
    let text = typed.as_ref().map_or_else(|| asked.get("ou").unwrap_or_default().to_owned(), Groups::text);
    if typed.is_some() && (text.is_empty() || Segment::parse(&text).is_ok()) {
        return answer::see_other(&format!("/partenaires/segment?ou={}", escaped(&text)));
    }
    let read = async {
        let values = console.values().await?;
        let mut page = SegmentPage {
            rows: None,
            fields: &FIELDS,
            comparisons: &COMPARISONS,
            offered: segment::offered_to_rows(|field| values.of(field)),
            wrong: None,
            counted: String::new(),
            list: format!("/partenaires?ou={}", escaped(&text)),
            text: text.clone(),
        };
        match Segment::parse(&text) {
            _ if text.is_empty() => page.rows = Some(Groups::default().filled_up()),
            Err(error) => {
                page.wrong = Some(Wrong::new(&text, &error));
                page.rows = typed.map(Groups::filled_up);
            }
            Ok(segment) => {
                page.rows = Groups::of(&segment).map(Groups::filled_up);
                page.counted = segment::counted(console.count_of(&segment).await?, viewer.language);
            }
        }
        Ok::<_, StoreError>(page)
    };
    match read.await {
        Ok(page) => console.page(&viewer, "/partenaires", "segment", &page),
        Err(error) => console.broken(&viewer, &error),
    }
}

/// For the script: the expression of what is typed, and how many match it.
#[derive(Debug, Serialize)]
struct Counted {
    text: String,
    said: String,
}

pub(super) async fn count(State(console): State<Arc<Console>>, viewer: Viewer, asked: Asked) -> Answer {
    let text = match groups_in(&asked) {
        Some(groups) => groups.text(),
        None => asked.get("ou").unwrap_or_default().to_owned(),
    };
    let said = match Segment::parse(&text) {
        _ if text.is_empty() => String::new(),
        Err(error) => segment::not_counted(&error, viewer.language),
        Ok(segment) => match console.count_of(&segment).await {
            Ok(count) => segment::counted(count, viewer.language),
            Err(error) => return console.broken(&viewer, &error),
        },
    };
    answer::console_json(&Counted { text, said })
}

/// `None`: the address has no rows.
fn groups_in(asked: &Asked) -> Option<Groups> {
    asked.get("lien")?;
    let any = |name: &str| asked.get(name) == Some("une");
    let text = |group: usize, part: &str, row: usize| {
        asked.get(&format!("g{group}{part}{row}")).unwrap_or_default().to_owned()
    };
    let group = |g: usize| Group {
        any: any(&format!("g{g}")),
        rows: (0..ROWS)
            .map(|r| Row { field: text(g, "c", r), comparison: text(g, "o", r), value: text(g, "v", r) })
            .filter(|row| COMPARISONS.iter().any(|(sign, _)| *sign == row.comparison))
            .collect(),
    };
    Some(Groups { any: any("lien"), groups: (0..GROUPS).map(group).collect() })
}
