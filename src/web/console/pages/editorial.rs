//! « Édito »: the editorial of a newsletter is read, written, and saved. If another person has saved one meanwhile, both texts are
//! shown and nothing is replaced.

use super::super::{
    again::{Keeps, Typed},
    gate::Form,
};
use crate::accounts::Viewer;
use crate::actions::{self, ActionError, Refusal, accounts::login::Client, issues::Edited};
use crate::domain::issue::IssueKey;
use crate::views::console::{
    decide::subject,
    editorial::{EditorialForm, version_of},
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

/// Field of the text, and of the version that it was written over.
const TEXT: &str = "texte";
const SEEN: &str = "vu_alors";
/// What is shown again if the session was over.
pub(super) const KEEPS: Keeps = Keeps { texts: &[TEXT], others: &[SEEN] };
/// Longer than any editorial, in characters; a form carries 64 kB.
const LONGEST: usize = 20_000;
/// What `fait=` says after the editorial was saved.
pub(super) const EDITED: &str = "edit";

#[derive(Debug, Serialize)]
struct EditorialPage {
    form: EditorialForm,
    /// As it was typed, else as it is.
    typed: String,
    /// It was typed in an earlier session.
    again: bool,
    /// The text that somebody else has saved meanwhile.
    theirs: Option<String>,
    /// Text key of what is wrong with what was typed.
    wrong: Option<&'static str>,
    /// Why it was not saved, in French.
    refused: Option<String>,
    longest: usize,
}

type Named = Path<(String, String)>;

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    typed: Option<Extension<Typed>>,
) -> Answer {
    let text = typed.as_ref().map_or("", |typed| typed.get(TEXT));
    let form = match console.editorial(&viewer, &named, text).await {
        Ok((_, form)) => form,
        Err(answer) => return *answer,
    };
    let mut page = EditorialPage::new(form);
    if let Some(typed) = typed {
        page.again = true;
        page = page.with(typed.get(TEXT), typed.get(SEEN));
    }
    console.page(&viewer, "/envois", "editorial", &page)
}

pub(super) async fn save(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    client: Client,
    form: Form,
) -> Answer {
    // Browsers send line ends as CR LF.
    let text = form.text(TEXT).unwrap_or_default().replace("\r\n", "\n");
    let (key, now) = match console.editorial(&viewer, &named, &text).await {
        Ok(opened) => opened,
        Err(answer) => return *answer,
    };
    let seen = now.text.clone();
    let saved_already = text == now.text;
    let mut page = EditorialPage::new(now).with(&text, form.get(SEEN));
    if text.chars().count() > LONGEST {
        page.wrong = Some("edit_too_long");
        return console.shown(StatusCode::UNPROCESSABLE_ENTITY, Some(&viewer), "/envois", "editorial", &page);
    }
    if page.theirs.is_some() && !saved_already {
        return console.shown(StatusCode::CONFLICT, Some(&viewer), "/envois", "editorial", &page);
    }
    let place = page.form.back.clone();
    let done = match saved_already {
        // Pressed twice, or nothing was changed.
        true => Ok(Edited::Kept),
        false => {
            let actor = console.actor(&viewer, &client);
            actions::issues::edit(&console.engine, &actor, &key, &text, Some(&seen)).await
        }
    };
    match done {
        Ok(_) => {
            console.wake.notify_one();
            answer::see_other(&format!("{place}?fait={EDITED}"))
        }
        Err(ActionError::Refused(refusal @ Refusal::ChangedMeanwhile(_))) => {
            let now = match console.editorial(&viewer, &named, &text).await {
                Ok((_, now)) => now,
                Err(answer) => return *answer,
            };
            let mut page = EditorialPage::new(now).with(&text, &version_of(&seen));
            // Another part of the issue has changed: the text is still the one that was seen.
            page.refused = page.theirs.is_none().then(|| refusal.in_french());
            console.shown(StatusCode::CONFLICT, Some(&viewer), "/envois", "editorial", &page)
        }
        Err(ActionError::Refused(refusal)) => {
            page.refused = Some(refusal.in_french());
            console.shown(StatusCode::CONFLICT, Some(&viewer), "/envois", "editorial", &page)
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

impl EditorialPage {
    fn new(form: EditorialForm) -> Self {
        let typed = form.text.clone();
        Self { form, typed, again: false, theirs: None, wrong: None, refused: None, longest: LONGEST }
    }

    /// With what was typed over the version `seen`.
    fn with(self, text: &str, seen: &str) -> Self {
        let theirs = (self.form.version != seen && self.form.text != text).then(|| self.form.text.clone());
        Self { typed: text.to_owned(), theirs, ..self }
    }
}

impl Console {
    /// The editorial as it is now; else the answer that says why it cannot be changed, with what was typed.
    async fn editorial(
        &self,
        viewer: &Viewer,
        (mailing, period): &(String, String),
        typed: &str,
    ) -> Result<(IssueKey, EditorialForm), Box<Answer>> {
        let key = IssueKey::parse(&format!("{mailing}/{period}")).map_err(|_| Box::new(self.nowhere(viewer)))?;
        let failed = |error: anyhow::Error| Box::new(self.not_done(viewer, error.into()));
        let Some(subject) = subject(&self.engine, &key).await.map_err(failed)? else {
            return Err(Box::new(self.nowhere(viewer)));
        };
        let form = EditorialForm::read(&self.engine, &self.reading(), &subject).await.map_err(failed)?;
        match actions::issues::may_edit(&subject) {
            Ok(()) => {}
            Err(Refusal::Unchangeable { .. } | Refusal::ApprovedAlready { .. }) => {
                let title = subject.issue.as_ref().and_then(|issue| issue.subject.clone()).unwrap_or_default();
                return Err(Box::new(self.not_now(viewer, EDITED, &subject, (title, form.back), typed)));
            }
            Err(_) => return Err(Box::new(self.nowhere(viewer))),
        }
        Ok((key, form))
    }
}
