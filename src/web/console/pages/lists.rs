//! The boxes of the mailings that somebody can be subscribed to, in the forms that do so.

use crate::web::console::Console;
use serde::Serialize;

/// The fields, as [`super::super::again::Keeps`] names them.
pub(super) const KEPT: &str = "envoi-*";

/// The box of one mailing.
#[derive(Debug, Serialize)]
pub(super) struct ListBox {
    pub name: String,
    pub id: String,
    pub title: String,
    pub ticked: bool,
}

impl Console {
    /// `ticked`: by the name of the field. A mailing that goes to the subscribers of another one has no box.
    pub(super) fn lists(&self, ticked: impl Fn(&str) -> bool) -> Vec<ListBox> {
        let own = self.mailings().iter().filter(|mailing| mailing.audience == mailing.id);
        let list = own.map(|mailing| {
            let name = format!("envoi-{}", mailing.id);
            ListBox { ticked: ticked(&name), name, id: mailing.id.clone(), title: mailing.title.clone() }
        });
        list.collect()
    }
}

/// Ids of the mailings whose boxes are ticked.
pub(super) fn chosen(lists: &[ListBox]) -> Vec<String> {
    lists.iter().filter(|it| it.ticked).map(|it| it.id.clone()).collect()
}
