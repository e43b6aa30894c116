//! Lists that were uploaded: those that wait, and what one of them would change.

use super::{Reading, When, person};
use crate::actions::uploads::{ChangeKind, Compared, Options};
use crate::domain::partner::{Field, Fields};
use crate::store::{UploadState, UploadedList};
use serde::Serialize;

/// Contacts of one page of a difference.
const PAGE: usize = 100;

/// The page of an upload.
pub fn href(id: &str) -> String {
    format!("/partenaires/importer/{}", super::escaped(id))
}

/// An upload, in the list of one's own.
#[derive(Debug, Serialize)]
pub struct UploadRow {
    pub href: String,
    pub file_name: String,
    pub state: &'static str,
    pub at: When,
}

impl UploadRow {
    pub fn new(it: &Reading<'_>, upload: &UploadedList, is_working: bool) -> Self {
        Self {
            href: href(&upload.id),
            file_name: upload.file_name.clone(),
            state: state(upload, is_working),
            at: it.when(upload.at),
        }
    }
}

/// As in text keys. `is_working`: this process compares or imports it now.
fn state(upload: &UploadedList, is_working: bool) -> &'static str {
    match upload.state {
        UploadState::Reading | UploadState::Running if !is_working => "interrupted",
        other => other.as_str(),
    }
}

/// An upload on its page.
#[derive(Debug, Serialize)]
pub struct UploadView {
    pub href: String,
    pub file_name: String,
    pub state: &'static str,
    pub at: When,
    pub expires_at: When,
    pub ended_at: Option<When>,
    pub options: Options,
    /// Titles of the mailings; all if none is named.
    pub mailings: Vec<String>,
    pub compared: Option<Compared>,
    /// More than a fifth would go: the number is to be typed.
    pub removes_many: bool,
    /// Lines are wrong, and prevent the import.
    pub is_refused: bool,
    /// Nothing would change.
    pub is_idle: bool,
    pub sections: Vec<Section>,
    /// Not all contacts that change are kept to be shown.
    pub is_cut: bool,
    pub page: usize,
    pub pages: usize,
    /// What the form carries.
    pub seen: String,
}

/// A stored value as people write it; empty where nothing is known.
fn written(field: &str, value: String) -> String {
    match Field::ALL.into_iter().find(|it| it.as_str() == field) {
        Some(field) => person::written(field, &Fields::default().with(field, value)),
        None => value,
    }
}

/// Contacts that change in the same way.
#[derive(Debug, Serialize)]
pub struct Section {
    pub kind: ChangeKind,
    pub rows: Vec<ChangeRow>,
}

#[derive(Debug, Serialize)]
pub struct ChangeRow {
    pub address: String,
    pub fields: Vec<FieldRow>,
}

#[derive(Debug, Serialize)]
pub struct FieldRow {
    pub field: String,
    pub was: String,
    pub is: String,
    /// By whom it was changed by hand, and when.
    pub by: Option<(String, When)>,
}

impl UploadView {
    pub fn new(it: &Reading<'_>, upload: &UploadedList, is_working: bool, page: usize) -> Self {
        let state = state(upload, is_working);
        let options = Options::of(upload);
        let compared = Compared::of(upload).filter(|_| matches!(state, "draft" | "done" | "running"));
        let mut changes = compared.as_ref().map(|it| it.changes.clone()).unwrap_or_default();
        let order = |kind: ChangeKind| {
            [ChangeKind::Removed, ChangeKind::Protected, ChangeKind::Changed, ChangeKind::Added]
                .iter()
                .position(|it| *it == kind)
        };
        changes.sort_by_key(|change| order(change.kind));
        let pages = changes.len().div_ceil(PAGE).max(1);
        let page = page.clamp(1, pages);
        let mut sections: Vec<Section> = Vec::new();
        for change in changes.into_iter().skip((page - 1) * PAGE).take(PAGE) {
            let fields = change.fields.into_iter().map(|field| FieldRow {
                by: field.by.map(|(by, at)| (by, it.when(at))),
                was: written(&field.field, field.was),
                is: written(&field.field, field.is),
                field: field.field,
            });
            let row = ChangeRow { address: change.address, fields: fields.collect() };
            match sections.last_mut().filter(|section| section.kind == change.kind) {
                Some(section) => section.rows.push(row),
                None => sections.push(Section { kind: change.kind, rows: vec![row] }),
            }
        }
        let all = compared.as_ref().map_or(0, |it| it.added + it.changed + it.removed);
        let titles = |it: &Reading<'_>, named: &[String]| -> Vec<String> {
            let all = it.mailings.iter().filter(|mailing| named.is_empty() || named.contains(&mailing.id));
            all.map(|mailing| mailing.title.clone()).collect()
        };
        Self {
            href: href(&upload.id),
            file_name: upload.file_name.clone(),
            state,
            at: it.when(upload.at),
            expires_at: it.when(upload.expires_at),
            ended_at: upload.ended_at.map(|at| it.when(at)),
            mailings: titles(it, &options.mailings),
            removes_many: compared.as_ref().is_some_and(Compared::removes_many),
            is_refused: compared.as_ref().is_some_and(|it| it.is_refused(&options)),
            is_idle: all == 0,
            is_cut: compared.as_ref().is_some_and(Compared::is_cut),
            compared,
            options,
            sections,
            page,
            pages,
            seen: upload.digest.clone().unwrap_or_default(),
        }
    }
}
