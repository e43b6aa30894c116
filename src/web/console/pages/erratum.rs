//! « Rectificatif »: a correction to those whom an issue has reached. Three steps: write it, review the mail with its number of
//! recipients, send it.

use super::super::{
    again::{Keeps, Typed},
    gate::Form,
};
use super::preview;
use crate::accounts::Viewer;
use crate::actions::{
    ActionError, Refusal,
    accounts::login::Client,
    erratum::{self, Erratum},
    test_mail::{self, Addressee, Tested},
};
use crate::domain::issue::IssueKey;
use crate::views::console::{issue, issue_href};
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
use std::time::Duration;

/// Field of the words, of what was seen, and the button that was pressed.
const TEXT: &str = "texte";
const SEEN: &str = "vu_alors";
const STEP: &str = "etape";
/// Values of [`STEP`]; without one the mail is shown.
const SEND: &str = "envoyer";
const CHANGE: &str = "modifier";
const TEST: &str = "essai";
/// How long the answer waits for the relay.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is shown again if the session was over.
pub(super) const KEEPS: Keeps = Keeps { texts: &[TEXT], others: &[] };
/// What `fait=` says after it was sent.
pub(super) const CORRECTED: &str = "erratum";
/// And where it waits for a second person.
pub(super) const ASKED: &str = "erratum_asked";

#[derive(Debug, Serialize)]
struct ErratumPage {
    key: IssueKey,
    /// The subject of the issue.
    title: String,
    action: String,
    back: String,
    /// Those it has reached; `None`: an erratum cannot be sent.
    recipients: Option<u64>,
    typed: String,
    /// It was typed in an earlier session.
    again: bool,
    /// Text key of what is wrong with what was typed.
    wrong: Option<&'static str>,
    /// Why nothing was sent, in French.
    refused: Option<String>,
    /// The number of recipients, or the mail, is another one than was seen.
    moved: bool,
    mail: Option<Mail>,
    test: Option<Test>,
}

/// What became of a test to the viewer's own address.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
enum Test {
    Accepted,
    Waiting,
    /// Why, in French.
    Refused {
        words: String,
    },
}

/// The mail as it would be sent now.
#[derive(Debug, Serialize)]
struct Mail {
    subject: String,
    text: String,
    /// Its hash and the number of its recipients.
    seen: String,
    /// It leaves only once somebody else has approved it.
    second_person: bool,
}

type Named = Path<(String, String)>;

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    typed: Option<Extension<Typed>>,
) -> Answer {
    match console.erratum(&viewer, &named).await {
        Ok(mut page) => {
            if let Some(typed) = typed {
                page.again = true;
                typed.get(TEXT).clone_into(&mut page.typed);
            }
            console.erratum_shown(&viewer, &page)
        }
        Err(answer) => *answer,
    }
}

pub(super) async fn act(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    client: Client,
    form: Form,
) -> Answer {
    let mut page = match console.erratum(&viewer, &named).await {
        Ok(page) => page,
        Err(answer) => return *answer,
    };
    // Browsers send line ends as CR LF.
    page.typed = form.text(TEXT).unwrap_or_default().replace("\r\n", "\n");
    let step = form.get(STEP);
    if step == CHANGE || page.recipients.is_none() {
        return console.erratum_shown(&viewer, &page);
    }
    let mail = match erratum::compose(&console.engine, &page.key, &page.typed).await {
        Ok(erratum) => Mail::new(erratum),
        Err(error) => return console.erratum_refused(&viewer, page, error),
    };
    page.moved = step == SEND && form.get(SEEN) != mail.seen;
    if step == SEND && !page.moved {
        let actor = console.actor(&viewer, &client);
        match erratum::send(&console.engine, &actor, &page.key, &page.typed, mail.as_seen()).await {
            Ok(sent) => {
                console.wake.notify_one();
                let done = if sent.awaits_approval { ASKED } else { CORRECTED };
                return answer::see_other(&format!("{}?fait={done}", issue_href(&sent.key)));
            }
            Err(error) => return console.erratum_refused(&viewer, page, error),
        }
    }
    if step == TEST {
        let tested = async {
            let to = Addressee::account(&console.engine, &viewer.user).await?;
            let actor = console.actor(&viewer, &client);
            test_mail::send_erratum(&console.engine, &actor, (&page.key, &page.typed), &to, PATIENCE).await
        };
        page.test = Some(match tested.await {
            Ok(Tested::Accepted { .. }) => Test::Accepted,
            Ok(Tested::Waiting) => Test::Waiting,
            Ok(Tested::Refused { words, .. }) => Test::Refused { words },
            Err(ActionError::Refused(refusal)) => Test::Refused { words: refusal.in_french() },
            Err(error) => return console.not_done(&viewer, error),
        });
    }
    page.mail = Some(mail);
    console.erratum_shown(&viewer, &page)
}

impl Mail {
    fn new(erratum: Erratum) -> Self {
        let Erratum { content, hash, recipients, second_person, .. } = erratum;
        let text = preview::text(&content, None);
        Self { subject: content.subject, text, seen: format!("{hash} {recipients}"), second_person }
    }

    fn as_seen(&self) -> Option<(&str, u64)> {
        let (hash, n) = self.seen.split_once(' ')?;
        Some((hash, n.parse().ok()?))
    }
}

impl Console {
    /// The form of an issue that has left.
    async fn erratum(&self, viewer: &Viewer, (mailing, period): &(String, String)) -> Result<ErratumPage, Box<Answer>> {
        let key = IssueKey::parse(&format!("{mailing}/{period}")).map_err(|_| Box::new(self.nowhere(viewer)))?;
        let key = key.corrected().unwrap_or(key);
        let failed = |error: ActionError| Box::new(self.not_done(viewer, error));
        let head = issue::head(&self.reading(), &key).await.map_err(|error| failed(error.into()))?;
        let Some(head) = head else { return Err(Box::new(self.nowhere(viewer))) };
        let (recipients, refused) = match erratum::may_correct(&self.engine, &key).await {
            Ok(recipients) => (Some(recipients), None),
            Err(ActionError::Refused(refusal)) => (None, Some(refusal.in_french())),
            Err(error) => return Err(failed(error)),
        };
        Ok(ErratumPage {
            action: format!("{}/rectificatif", issue_href(&key)),
            back: issue_href(&key),
            title: head.row.title,
            key,
            recipients,
            typed: String::new(),
            again: false,
            wrong: None,
            refused,
            moved: false,
            mail: None,
            test: None,
        })
    }

    fn erratum_shown(&self, viewer: &Viewer, page: &ErratumPage) -> Answer {
        let status = match (page.wrong, page.moved || page.refused.is_some()) {
            (Some(_), _) => StatusCode::UNPROCESSABLE_ENTITY,
            (None, true) => StatusCode::CONFLICT,
            (None, false) => StatusCode::OK,
        };
        self.shown(status, Some(viewer), "/envois", "erratum", page)
    }

    fn erratum_refused(&self, viewer: &Viewer, mut page: ErratumPage, error: ActionError) -> Answer {
        match error {
            ActionError::Refused(Refusal::NoWords) => page.wrong = Some("erratum_no_words"),
            ActionError::Refused(Refusal::TooManyWords { .. }) => page.wrong = Some("erratum_too_long"),
            ActionError::Refused(refusal) => page.refused = Some(refusal.in_french()),
            error => return self.not_done(viewer, error),
        }
        self.erratum_shown(viewer, &page)
    }
}
