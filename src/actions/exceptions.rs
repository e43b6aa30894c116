//! Exceptions of one issue from the rules of its mailing: leaving without a source, with few events, with lines that have no day, or
//! from another article. The gate of the week stays shut whatever anybody decides (I4).

use super::exception_refusal::detail;
use super::{ActionError, Actor, ExceptionRefusal, Refusal, Result, may::Subject, on};
use crate::app::Engine;
use crate::domain::{
    Timestamp, characters,
    exception::{Exception, HeldFor, InForce, Kind, Rule},
    hold::Hold,
    issue::IssueKey,
};
use crate::issue::{
    Due, agenda,
    corrections::{Recomposed, recompose},
    freeze,
};
use crate::jobs::{self, Approval, Mailing};
use crate::notices::wording;
use crate::store::{Allowed, Saved};
use std::time::Duration;
use tracing::info;

/// Maximum length of a reason, in characters.
const LONGEST: usize = 1000;
/// How long a person waits for the article they chose.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it is parsed at the most.
const PARSING: Duration = Duration::from_secs(5);

/// The rule by which the issue is held, where a person may set it aside: what is shown before that.
///
/// # Errors
/// A refusal: it is not held, not for such a reason, or its content can no longer change; or a database that cannot be read.
pub async fn waivable(engine: &Engine, key: &IssueKey) -> Result<(Rule, HeldFor)> {
    let why = Held::open(engine, key).await?.why;
    match Rule::of(&why.hold) {
        Some(rule) => Ok((rule, why)),
        None => {
            let reason = Some(why.reason);
            Err(ExceptionRefusal::NotHeldForThat { issue: key.clone(), reason }.into())
        }
    }
}

/// What holds the issue, where a person may choose another article.
///
/// # Errors
/// As [`waivable`].
pub async fn choosable(engine: &Engine, key: &IssueKey) -> Result<HeldFor> {
    let held = Held::open(engine, key).await?;
    held.open.may_choose(&held.why)?;
    Ok(held.why)
}

/// Sets the rule by which the issue is held aside, for this issue only: what a person saw, and no more. `seen`: that rule with its
/// numbers; `typed`: its number, repeated by the person where the rule has one. The issue is composed with it at once where what was last read can still be used, and tried again at once otherwise.
///
/// # Errors
/// A refusal, such as that it is held otherwise by now; or a database that cannot be read or written.
pub async fn waive(
    engine: &Engine,
    actor: &Actor,
    key: &IssueKey,
    (seen, typed): (&Rule, Option<usize>),
    why: &str,
) -> Result<Recomposed> {
    let held = Held::open(engine, key).await?;
    let rule = Rule::of(&held.why.hold).filter(|rule| rule == seen).ok_or_else(|| held.moved())?;
    if let Some(expected) = rule.number().filter(|expected| typed != Some(*expected)) {
        return Err(ExceptionRefusal::OtherNumber { expected }.into());
    }
    let why = tidy(why);
    if why.is_empty() {
        return Err(Refusal::NoReason.into());
    }
    held.allow(engine, actor, "exception.waive", rule, why).await?;
    held.open.recompose(engine, actor).await
}

/// Takes an exception back, and composes the issue without it, or lets it be read again.
///
/// # Errors
/// A refusal; a template that does not render; or a database that cannot be read or written.
pub async fn withdraw(engine: &Engine, actor: &Actor, key: &IssueKey, id: &str) -> Result<Recomposed> {
    let all = engine.store.exceptions(key).await?;
    let in_force = |it: &&Exception| it.id == id && it.withdrawn.is_none();
    let unknown = || ExceptionRefusal::NoSuchException(id.to_owned());
    let it = all.iter().find(in_force).ok_or_else(unknown)?;
    let open = Open::of(engine, key).await?;
    let (now, reason) = (engine.app.clock.now(), wording::to_be_read_again(actor.name()));
    let recording = actor.recording(engine, "exception.withdraw", on(key), &detail(&it.rule, &it.why));
    match recording.disallow(key, id, actor.name(), (open.automatic(), &reason), now).await? {
        Saved::Done => {}
        Saved::Frozen => return Err(open.leaving(engine).await?.into()),
        Saved::Other => return Err(unknown().into()),
    }
    info!(issue = %key, door = %actor.door, "an exception of issue {key} was withdrawn");
    open.recompose(engine, actor).await
}

/// The exception in force of this rule: for those who do not name it by its id. `kind`: of the refusal.
///
/// # Errors
/// A refusal if none is in force; or a database that cannot be read.
pub async fn in_force(
    engine: &Engine,
    key: &IssueKey,
    is_meant: impl Fn(&Rule) -> bool,
    kind: Kind,
) -> Result<Exception> {
    let all = InForce::of(engine.store.exceptions(key).await?);
    let found = all.iter().find(|it| is_meant(&it.rule)).cloned();
    Ok(found.ok_or_else(|| ExceptionRefusal::NoneOfKind { issue: key.clone(), kind })?)
}

/// An article that was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    pub title: String,
    /// Why the issue stays held with it; `None`: as far as is known it does not.
    pub hold: Option<Hold>,
}

/// From now on this issue is read from the article at this address instead of what its sources find. It is looked at first: what cannot
/// be read is not chosen. An article about another week is chosen, and holds the issue as any other would. `seen`: the reason, in
/// French, for which the person saw it held; `None`: whatever that is.
///
/// # Errors
/// A refusal: the issue lacks no article, the address is of another site, or cannot be read; or a database that cannot be read or
/// written.
pub async fn choose_article(
    engine: &Engine,
    actor: &Actor,
    key: &IssueKey,
    address: &str,
    (seen, why): (Option<&str>, &str),
) -> Result<Chosen> {
    let held = Held::open(engine, key).await?;
    if seen.is_some_and(|seen| seen != held.why.reason) {
        return Err(held.moved().into());
    }
    let publishes = held.open.may_choose(&held.why)?;
    let mailing = held.open.mailing;
    let week = publishes.week(mailing.day(held.open.at));
    let look = async {
        let not_read = |why: String| Refusal::from(ExceptionRefusal::NotRead(why));
        let article =
            agenda::read_at(&engine.app, mailing, address.trim()).await.map_err(|it| not_read(it.in_french()))?;
        let known = crate::issue::venues::known(&*engine.store).await?;
        let checked =
            agenda::check(&engine.app, (mailing, publishes.gates), week, &article, &known, (PARSING, ())).await;
        Ok::<_, ActionError>((article, checked.map_err(|it| not_read(it.in_french()))?.hold))
    };
    let looked = tokio::time::timeout(PATIENCE, look).await;
    let (article, hold) = looked.map_err(|_| Refusal::from(ExceptionRefusal::TooSlow))??;
    // As it was given: where it leads is looked at again at each reading.
    let rule = Rule::Article { url: address.trim().to_owned(), title: article.title.clone() };
    held.allow(engine, actor, "exception.article", rule, tidy(why)).await?;
    if let Some(hold) = &hold {
        // What the next reading will say: a person need not wait for it.
        freeze::hold(engine, Due::scheduled(mailing, held.open.at, held.open.expires_at), hold).await?;
    }
    info!(issue = %key, door = %actor.door, "another article was chosen for issue {key}");
    Ok(Chosen { title: article.title, hold })
}

/// An issue whose content may still change.
struct Open<'a> {
    key: &'a IssueKey,
    mailing: &'a Mailing,
    at: Timestamp,
    expires_at: Timestamp,
}

impl<'a> Open<'a> {
    async fn of(engine: &'a Engine, key: &'a IssueKey) -> Result<Self> {
        let subject = Subject::read(engine, key).await?;
        subject.changeable()?;
        let mailing = engine.app.mailing(key.mailing())?;
        let at = subject.at().ok_or_else(|| Refusal::NoOccurrence { issue: key.clone() })?;
        let expires_at =
            subject.issue.as_ref().map_or_else(|| mailing.schedule.deadline_of(at), |issue| issue.expires_at);
        Ok(Self { key, mailing, at, expires_at })
    }

    /// The agenda, where another article may be chosen for it.
    fn may_choose(&self, why: &HeldFor) -> Result<&'a jobs::Agenda> {
        let mailing = self.mailing;
        if !why.hold.lacks_an_article() {
            let reason = Some(why.reason.clone());
            return Err(ExceptionRefusal::NotHeldForThat { issue: self.key.clone(), reason }.into());
        }
        let publishes = mailing.agenda().ok_or_else(|| Refusal::NotAnAgenda { mailing: mailing.id.clone() })?;
        match mailing.sources.iter().any(|rule| rule.source.site().is_some()) {
            true => Ok(publishes),
            false => Err(ExceptionRefusal::NoSite { mailing: mailing.id.clone() }.into()),
        }
    }

    fn automatic(&self) -> bool {
        self.mailing.approval == Approval::Automatic
    }

    /// Why it can no longer be changed.
    async fn leaving(&self, engine: &Engine) -> Result<Refusal> {
        let subject = Subject::read(engine, self.key).await?;
        Ok(subject.changeable().err().unwrap_or_else(|| Refusal::ChangedMeanwhile(self.key.clone())))
    }

    async fn recompose(&self, engine: &Engine, actor: &Actor) -> Result<Recomposed> {
        let due = Due::scheduled(self.mailing, self.at, self.expires_at);
        Ok(recompose(engine, due, actor.name()).await?)
    }
}

/// An issue that is held, and why.
struct Held<'a> {
    open: Open<'a>,
    why: HeldFor,
}

impl<'a> Held<'a> {
    async fn open(engine: &'a Engine, key: &'a IssueKey) -> Result<Self> {
        let open = Open::of(engine, key).await?;
        match engine.store.held_for(key).await? {
            Some(why) => Ok(Self { open, why }),
            None => {
                let issue = engine.store.issue(key).await?;
                let reason = issue.and_then(|issue| issue.reason().map(str::to_owned));
                Err(ExceptionRefusal::NotHeldForThat { issue: key.clone(), reason }.into())
            }
        }
    }

    fn moved(&self) -> ExceptionRefusal {
        ExceptionRefusal::Moved { issue: self.open.key.clone(), now: self.why.reason.clone() }
    }

    async fn allow(&self, engine: &Engine, actor: &Actor, action: &str, rule: Rule, why: String) -> Result<()> {
        let key = self.open.key;
        let detail = detail(&rule, &why);
        let exception = Exception {
            id: uuid::Uuid::now_v7().to_string(),
            issue: key.clone(),
            rule,
            why,
            by: actor.name().to_owned(),
            at: engine.app.clock.now(),
            withdrawn: None,
        };
        let recording = actor.recording(engine, action, on(key), &detail);
        match recording.allow(&exception, &self.why.reason, self.open.automatic()).await? {
            Allowed::Done => {
                info!(issue = %key, door = %actor.door, "an exception was made for issue {key}");
                Ok(())
            }
            Allowed::Frozen => Err(self.open.leaving(engine).await?.into()),
            Allowed::Moved => {
                let now = engine.store.issue(key).await?.and_then(|issue| issue.reason().map(str::to_owned));
                Err(ExceptionRefusal::Moved { issue: key.clone(), now: now.unwrap_or_default() }.into())
            }
        }
    }
}

fn tidy(text: &str) -> String {
    characters::on_one_line(text, LONGEST)
}
