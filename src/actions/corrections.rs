//! Correcting an agenda: one line of one issue, or a line that is no event and is left out of every issue.

use super::{Actor, Refusal, Result, may::Subject, on};
use crate::app::Engine;
use crate::domain::{
    Timestamp,
    agenda::Week,
    characters,
    correction::{Correction, Dismissal, KeptReading, Patch, Set, anchor_of, lines, named},
    email::mask_addresses,
    issue::IssueKey,
    link,
};
use crate::issue::{
    Due,
    corrections::{Recomposed, recompose},
};
use crate::jobs::{Approval, Mailing};
use crate::store::Saved;
use serde_json::json;
use tracing::info;

/// Maximum length of a corrected field and of a reason, in characters.
const LONGEST: usize = 1000;

/// A correction as a person wants it.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// [`crate::domain::correction::Anchor::name`] of the event.
    pub target: &'a str,
    pub patch: Patch,
    pub why: &'a str,
    /// The correction of the event that was in force when the person looked.
    pub seen: Option<&'a str>,
    /// A correction of a line that has changed since: this one takes its place.
    pub adapts: Option<&'a str>,
}

/// Corrects an event of what was last read, and composes the issue with it. The correction is applied again at each reading.
///
/// # Errors
/// A refusal; a template that does not render; or a database that cannot be read or written.
pub async fn correct(engine: &Engine, actor: &Actor, key: &IssueKey, wanted: Wanted<'_>) -> Result<Recomposed> {
    let it = Correctable::open(engine, key).await?;
    let read = it.reading(engine).await?;
    let lines = lines(&read.agenda);
    let (at, event) = named(&lines, wanted.target).ok_or_else(|| Refusal::NoSuchLine(wanted.target.to_owned()))?;
    let patch = checked(wanted.patch, it.week)?;
    let why = tidy(wanted.why);
    if patch.needs_a_reason() && why.is_empty() {
        return Err(Refusal::NoReason.into());
    }
    let correction = Correction {
        id: uuid::Uuid::now_v7().to_string(),
        issue: key.clone(),
        anchor: anchor_of(&lines, at, event),
        patch,
        why,
        by: actor.name().to_owned(),
        at: engine.app.clock.now(),
    };
    let replaces: Vec<String> = [wanted.seen, wanted.adapts].into_iter().flatten().map(str::to_owned).collect();
    let detail = json!({"id": correction.id, "line": short(&correction.anchor.line), "why": correction.why});
    let recording = actor.recording(engine, "correction.make", on(key), &detail);
    match recording.correct(&correction, &replaces, it.automatic()).await? {
        Saved::Done => {}
        Saved::Frozen => return Err(it.leaving(engine).await?.into()),
        Saved::Other => {
            let all = engine.store.corrections(key).await?;
            let other = all.into_iter().find(|other| other.anchor.name() == wanted.target);
            return Err(match other {
                Some(other) => Refusal::CorrectedMeanwhile { by: other.by },
                None if replaces.is_empty() => Refusal::ChangedMeanwhile(key.clone()),
                None => Refusal::NoSuchCorrection(replaces.join(", ")),
            }
            .into());
        }
    }
    info!(issue = %key, door = %actor.door, "a line of issue {key} was corrected");
    it.recompose(engine, actor).await
}

/// Takes a correction back, and composes the issue without it.
///
/// # Errors
/// A refusal; a template that does not render; or a database that cannot be read or written.
pub async fn withdraw(engine: &Engine, actor: &Actor, key: &IssueKey, id: &str) -> Result<Recomposed> {
    let it = Correctable::open(engine, key).await?;
    let unknown = || Refusal::NoSuchCorrection(id.to_owned());
    let all = engine.store.corrections(key).await?;
    let line = all.into_iter().find(|it| it.id == id).ok_or_else(unknown)?.anchor.line;
    let now = engine.app.clock.now();
    let recording = actor.recording(engine, "correction.withdraw", on(key), &json!({"line": short(&line)}));
    let saved = recording.withdraw_correction(key, id, actor.name(), it.automatic(), now).await?;
    it.saved(engine, saved, unknown()).await?;
    info!(issue = %key, door = %actor.door, "a correction of issue {key} was withdrawn");
    it.recompose(engine, actor).await
}

/// Says that a line of what was last read is no event: it is left out of this issue and of all that follow.
///
/// # Errors
/// A refusal; a template that does not render; or a database that cannot be read or written.
pub async fn dismiss(engine: &Engine, actor: &Actor, key: &IssueKey, target: &str, why: &str) -> Result<Recomposed> {
    let it = Correctable::open(engine, key).await?;
    let read = it.reading(engine).await?;
    let lines = lines(&read.agenda);
    let (at, _) = named(&lines, target).ok_or_else(|| Refusal::NoSuchLine(target.to_owned()))?;
    let why = tidy(why);
    if why.is_empty() {
        return Err(Refusal::NoReason.into());
    }
    let dismissal = Dismissal {
        mailing: key.mailing().to_owned(),
        line: lines[at].item.text.clone(),
        why,
        by: actor.name().to_owned(),
        at: engine.app.clock.now(),
    };
    let detail = json!({"line": short(&dismissal.line), "why": dismissal.why});
    let recording = actor.recording(engine, "line.dismiss", on(key), &detail);
    let saved = recording.dismiss(key, &dismissal, it.automatic()).await?;
    it.saved(engine, saved, Refusal::DismissedAlready).await?;
    info!(issue = %key, door = %actor.door, "a line of issue {key} is no event");
    it.recompose(engine, actor).await
}

/// Takes [`dismiss`] back, for this issue and all that follow.
///
/// # Errors
/// A refusal; a template that does not render; or a database that cannot be read or written.
pub async fn readmit(engine: &Engine, actor: &Actor, key: &IssueKey, line: &str) -> Result<Recomposed> {
    let it = Correctable::open(engine, key).await?;
    let recording = actor.recording(engine, "line.readmit", on(key), &json!({"line": short(line)}));
    let saved = recording.readmit(key, line, actor.name(), it.automatic(), engine.app.clock.now()).await?;
    it.saved(engine, saved, Refusal::NotDismissed(line.to_owned())).await?;
    info!(issue = %key, door = %actor.door, "a line of issue {key} is read again");
    it.recompose(engine, actor).await
}

/// Remembers the commune of a corrected place, `Pavie, la Fenière`, for the weeks to come.
///
/// # Errors
/// A refusal: the place does not name commune and venue, or the venue cannot be remembered; or a database that cannot be written.
pub async fn teach(engine: &Engine, actor: &Actor, place: &str) -> Result<()> {
    let (commune, venue) = place.split_once(',').ok_or_else(|| Refusal::NotAVenueOfItsOwn(place.to_owned()))?;
    super::venues::set(engine, actor, venue.trim(), commune.trim()).await.map(drop)
}

/// The issue of an agenda whose content may still change.
struct Correctable<'a> {
    key: &'a IssueKey,
    mailing: &'a Mailing,
    week: Week,
    at: Timestamp,
    expires_at: Timestamp,
}

impl<'a> Correctable<'a> {
    async fn open(engine: &'a Engine, key: &'a IssueKey) -> Result<Self> {
        let subject = Subject::read(engine, key).await?;
        subject.changeable()?;
        let mailing = engine.app.mailing(key.mailing())?;
        let publishes = mailing.agenda().ok_or_else(|| Refusal::NotAnAgenda { mailing: mailing.id.clone() })?;
        let at = subject.at().ok_or_else(|| Refusal::NoOccurrence { issue: key.clone() })?;
        let issue = subject.issue.as_ref();
        let expires_at = issue.map_or_else(|| mailing.schedule.deadline_of(at), |issue| issue.expires_at);
        Ok(Self { key, mailing, week: publishes.week(mailing.day(at)), at, expires_at })
    }

    fn automatic(&self) -> bool {
        self.mailing.approval == Approval::Automatic
    }

    async fn reading(&self, engine: &Engine) -> Result<KeptReading> {
        let read = engine.store.reading(self.key).await?;
        Ok(read.ok_or_else(|| Refusal::NothingRead(self.key.clone()))?)
    }

    /// Why it can no longer be changed.
    async fn leaving(&self, engine: &Engine) -> Result<Refusal> {
        let subject = Subject::read(engine, self.key).await?;
        Ok(subject.changeable().err().unwrap_or_else(|| Refusal::ChangedMeanwhile(self.key.clone())))
    }

    /// `other`: the refusal where nothing was found to change.
    async fn saved(&self, engine: &Engine, saved: Saved, other: Refusal) -> Result<()> {
        match saved {
            Saved::Done => Ok(()),
            Saved::Frozen => Err(self.leaving(engine).await?.into()),
            Saved::Other => Err(other.into()),
        }
    }

    async fn recompose(&self, engine: &Engine, actor: &Actor) -> Result<Recomposed> {
        let due = Due::scheduled(self.mailing, self.at, self.expires_at);
        Ok(recompose(engine, due, actor.name()).await?)
    }
}

/// The patch with clean texts.
///
/// # Errors
/// Nothing would change, or a value is invalid.
fn checked(patch: Patch, week: Week) -> Result<Patch, Refusal> {
    if patch.is_empty() {
        return Err(Refusal::NothingSaid);
    }
    if !patch.fits(week) {
        return Err(Refusal::OutsideTheWeek);
    }
    if let Some(Set::To(link)) = patch.link.as_ref().filter(|it| !matches!(it, Set::To(text) if link::is_web(text))) {
        return Err(Refusal::NotAWebAddress(link.clone()));
    }
    let text = |set: Option<Set<String>>| {
        set.map(|set| match set {
            Set::To(text) => Set::from(Some(tidy(&text)).filter(|text| !text.is_empty())),
            Set::Nothing => Set::Nothing,
        })
    };
    Ok(Patch {
        title: patch.title.map(|title| tidy(&title)),
        place: text(patch.place),
        price: text(patch.price),
        phone: text(patch.phone),
        note: text(patch.note),
        ..patch
    })
}

fn tidy(text: &str) -> String {
    characters::on_one_line(text, LONGEST)
}

/// The beginning of a line, for the audit. Its addresses are masked first: half an address is not found.
fn short(line: &str) -> String {
    mask_addresses(line).chars().take(80).collect()
}
