//! `semainier issues show|approve|edit|recompose`: a person looks at an issue before it goes, changes it, and says yes.

use super::{Ended, files, show};
use crate::app::Engine;
use crate::domain::{
    Timestamp,
    issue::{Approval, Content, IssueKey, IssueSummary},
    newsletter::Letter,
};
use crate::issue::{
    Due,
    approval::{self, Approved},
    content::NotComposed,
    newsletter,
};
use crate::jobs::Mailing;
use crate::jobs::{Approval as Rule, Kind};
use crate::report;
use anyhow::{Context as _, bail};
use serde_json::json;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Occurrences that are looked through for the one of an issue.
const FAR: usize = 60;

pub(super) async fn show(engine: &Engine, key: &str, out: Option<&Path>, as_json: bool) -> anyhow::Result<Ended> {
    let key = IssueKey::parse(key)?;
    let Some(issue) = engine.store.issue(&key).await? else {
        bail!("there is no issue {key}; `semainier issues` shows those there are");
    };
    let (approvals, zone) = (engine.store.approvals(&key).await?, engine.app.zone_of(&issue.mailing));
    let content = engine.store.content(&key).await?;
    let files = match (out, &content) {
        (Some(dir), Some(content)) => files::write(&engine.app, &issue.mailing, &key, content, dir)?,
        (Some(_), None) => bail!("issue {key} has no content yet"),
        (None, _) => Vec::new(),
    };
    if as_json {
        let mut value = report::issues_json(std::slice::from_ref(&issue), zone)[0].take();
        let approval = |it: &Approval| {
            json!({ "by": it.by, "at": report::instant(it.at, zone), "content_hash": it.content_hash,
                "counts": Some(&it.content_hash) == issue.content_hash.as_ref() })
        };
        value["approvals"] = approvals.iter().map(approval).collect();
        value["files"] = json!(files);
        value["letter"] = content.as_ref().and_then(letter_of).map_or(json!(null), |letter| json!(letter));
        show::json(&value)?;
        return Ok(Ended::Done);
    }
    show::issue(&issue);
    for (name, value) in [
        ("subject", issue.subject.clone()),
        ("leaves at", Some(report::instant(issue.scheduled_for, zone))),
        ("of no use after", Some(report::instant(issue.expires_at, zone))),
        ("hash", issue.content_hash.clone()),
    ] {
        if let Some(value) = value {
            show::line(format!("  {name}: {value}"));
        }
    }
    if let Some(letter) = content.as_ref().and_then(letter_of) {
        letter.contents().into_iter().chain(letter.missing).for_each(|line| show::line(format!("  - {line}")));
    }
    for it in &approvals {
        let of = if Some(&it.content_hash) == issue.content_hash.as_ref() { "this content" } else { "another content" };
        let (hash, at) = (approval::short(&it.content_hash), report::instant(it.at, zone));
        show::line(format!("  approved by {} at {at}: {of} ({hash})", it.by));
    }
    files.iter().for_each(show::line);
    if issue.is_presented() && !issue.is_approved() {
        let hash = issue.content_hash.as_deref().map(approval::short).unwrap_or_default();
        show::line(format!("  to approve it: semainier issues approve {key} --hash {hash} --by NAME"));
        return Ok(Ended::WaitsForAPerson);
    }
    Ok(Ended::Done)
}

fn letter_of(content: &Content) -> Option<Letter> {
    serde_json::from_str(&content.data).ok()
}

pub(super) async fn approve(engine: &Engine, key: &str, by: &str, hash: Option<&str>) -> anyhow::Result<Ended> {
    let key = IssueKey::parse(key)?;
    let by = by.trim();
    if by.is_empty() || by.contains(char::is_control) {
        bail!("expected a name after --by: the ledger keeps who approved");
    }
    let hash = match approval::approve(engine, &key, by, hash).await? {
        Approved::Done { hash } => hash,
        Approved::No { why } => bail!("{why}"),
    };
    let issue = engine.store.issue(&key).await?.context("the issue that was just approved is gone")?;
    let (zone, now) = (engine.app.zone_of(&issue.mailing), engine.app.clock.now());
    let when = match issue.scheduled_for > now {
        true => format!("it leaves at {}", report::instant(issue.scheduled_for, zone)),
        false => "its hour is over: it leaves now".to_owned(),
    };
    show::line(format!("{key} is approved by {by}: {}", issue.subject.unwrap_or_default()));
    show::line(format!("  content {}; {when}, by `semainier serve`", approval::short(&hash)));
    Ok(Ended::Done)
}

/// The editorial: from a file, from standard input (`-`), or from an editor.
pub(super) async fn edit(engine: &Engine, key: &str, file: Option<&Path>, by: &str) -> anyhow::Result<Ended> {
    let key = IssueKey::parse(key)?;
    let before = current_editorial(engine, &key).await?;
    let text = match file {
        Some(path) if path == Path::new("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("standard input cannot be read as text")?;
            text
        }
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?,
        None => in_an_editor(&before)?,
    };
    if text == before {
        show::line("nothing was changed");
        return Ok(Ended::Done);
    }
    match approval::write_editorial(engine, &key, &text, by).await? {
        true => {
            show::line(format!("{key} is composed anew with this editorial; staff are asked to approve it"));
            Ok(Ended::WaitsForAPerson)
        }
        false => {
            show::line(format!("kept for {key}, which is not composed yet"));
            Ok(Ended::Done)
        }
    }
}

async fn current_editorial(engine: &Engine, key: &IssueKey) -> anyhow::Result<String> {
    let content = engine.store.content(key).await?;
    let shown = content.as_ref().and_then(letter_of).and_then(|letter| letter.editorial().map(str::to_owned));
    match shown {
        Some(text) => Ok(text),
        None => Ok(engine.store.editorial(key).await?.unwrap_or_default()),
    }
}

fn in_an_editor(text: &str) -> anyhow::Result<String> {
    let editor =
        ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|it| !it.trim().is_empty()));
    let editor = editor
        .context("no editor is set; set EDITOR, or give the text with --file FILE (or --file - for standard input)")?;
    let path = std::env::temp_dir().join(format!("semainier-editorial-{}.md", uuid::Uuid::now_v7()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    drop(file);
    // As the shell would: an editor is often a command with arguments.
    let status = std::process::Command::new("sh").args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(&path).status();
    let edited = match status {
        Ok(status) if status.success() => std::fs::read_to_string(&path).context("what was edited is not text"),
        Ok(status) => Err(anyhow::anyhow!("the editor {editor:?} ended with {status}; nothing was changed")),
        Err(why) => Err(anyhow::Error::from(why).context(format!("the editor {editor:?} cannot be started"))),
    };
    let _ = std::fs::remove_file(&path);
    edited
}

/// Collects again what the issue is made of, in the place of what is kept.
pub(super) async fn recompose(engine: &Engine, key: &str) -> anyhow::Result<Ended> {
    let key = IssueKey::parse(key)?;
    let mailing = engine.app.mailing(key.mailing())?;
    let Kind::Newsletter(letter) = &mailing.kind else {
        bail!("{} is no newsletter; an agenda is composed by `semainier run {}`", mailing.id, mailing.id)
    };
    if mailing.approval != Rule::Required {
        bail!("{} leaves without approval; send it with `semainier run {}`", mailing.id, mailing.id);
    }
    let issue = engine.store.issue(&key).await?;
    if let Some(issue) = issue.as_ref().filter(|it| it.frozen_at.is_some() || it.state.is_given_up()) {
        bail!("issue {key} is {}; it cannot be changed any more", issue.state.as_str());
    }
    let at = match &issue {
        Some(issue) => issue.scheduled_for,
        None => occurrence(engine, mailing, &key)?,
    };
    let expires_at = issue.as_ref().map_or_else(|| mailing.schedule.deadline_of(at), |issue| issue.expires_at);
    let due = Due::scheduled(mailing, at, expires_at);
    let composed_at = engine.app.clock.now();
    let gathered = match newsletter::gather(&engine.app, &*engine.store, due, letter).await {
        Ok(gathered) => gathered,
        Err(NotComposed::Failed(error)) => return Err(error),
        Err(NotComposed::Held(hold)) => {
            show::line(format!("{key}: nothing was changed: {hold}"));
            return Ok(Ended::Held);
        }
    };
    let content = newsletter::compose(&engine.app, due, &gathered.letter, gathered.pictures).await?;
    let replacing = issue.as_ref().and_then(|issue: &IssueSummary| issue.content_hash.as_deref());
    if !approval::present(engine, due, content, composed_at, replacing).await? {
        bail!("issue {key} changed in the same moment; look at it: semainier issues show {key}");
    }
    show::line(format!("{key} is composed; staff are asked to approve it"));
    show(engine, key.as_str(), None, false).await
}

/// The due instant that publishes this issue.
fn occurrence(engine: &Engine, mailing: &Mailing, key: &IssueKey) -> anyhow::Result<Timestamp> {
    let now = engine.app.clock.now();
    let last = mailing.schedule.last_until(now).filter(|at| mailing.schedule.deadline_of(*at) > now);
    let mut all = last.into_iter().chain(mailing.schedule.after(now).take(FAR));
    all.find(|at| mailing.issue_key(*at) == *key)
        .with_context(|| format!("the schedule of {} has no occurrence for {key} that could still leave", mailing.id))
}

/// What `issues edit` takes.
#[derive(Debug, clap::Args)]
pub(super) struct EditArgs {
    pub key: String,
    /// The editorial in Markdown, `-` for standard input [default: $VISUAL or $EDITOR is opened on what there is]
    #[arg(long, alias = "editorial", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Who writes, for the ledger
    #[arg(long, env = "USER", default_value = "operator")]
    pub by: String,
}
