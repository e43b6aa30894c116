//! `semainier issues show|approve|edit|recompose|test|erratum`: review an issue before it is sent, change it, approve it.

use super::{Ended, actor, files, show};
use crate::actions::{
    self, Actor,
    erratum::{Known, Sent},
    issues::{Edited, Recomposed, Rehearsed},
    test_mail::{self, Addressee, Tested},
};
use crate::app::Engine;
use crate::domain::{
    email::EmailAddress,
    issue::{IssueKey, RefusalKind},
};
use crate::issue::approval::short;
use crate::views::{
    instant,
    issues::{self, IssueDetail},
};
use anyhow::{Context as _, bail};
use serde::Serialize;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// `issues show --json`.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    detail: &'a IssueDetail,
    /// Written by `--out`.
    files: &'a [String],
}

pub(super) async fn show(engine: &Engine, key: &str, out: Option<&Path>, as_json: bool) -> anyhow::Result<Ended> {
    let key = IssueKey::parse(key)?;
    let Some(detail) = issues::detail(engine, &key).await? else {
        bail!("there is no issue {key}; `semainier issues` lists them");
    };
    let issue = &detail.issue;
    let files = match (out, &detail.content) {
        (Some(dir), Some(content)) => files::write(&engine.app, &key, content, dir)?,
        (Some(_), None) => bail!("issue {key} has no content yet"),
        (None, _) => Vec::new(),
    };
    if as_json {
        show::json(&Shown { detail: &detail, files: &files })?;
        return Ok(Ended::Done);
    }
    show::issue(issue);
    for (name, value) in [
        ("subject", issue.subject.as_ref()),
        ("leaves at", Some(&issue.scheduled_for)),
        ("deadline", Some(&issue.expires_at)),
        ("hash", issue.content_hash.as_ref()),
    ] {
        if let Some(value) = value {
            show::line(format!("  {name}: {value}"));
        }
    }
    if let Some(letter) = &detail.letter {
        letter.contents().iter().chain(&letter.missing).for_each(|line| show::line(format!("  - {line}")));
    }
    for it in &detail.approvals {
        let of = match &it.withdrawn_at {
            Some(at) => &format!("taken back at {at}"),
            None if it.counts => "this content",
            None => "another content",
        };
        show::line(format!("  approved by {} at {}: {of} ({})", it.by, it.at, short(&it.content_hash)));
    }
    for it in detail.refusals.iter().filter(|it| it.kind == RefusalKind::Refused) {
        show::line(format!("  refused by {} at {}: {} ({})", it.by, it.at, it.why, short(&it.content_hash)));
    }
    for it in &detail.exceptions {
        let taken_back = it.withdrawn_by.as_ref().map(|by| format!("; withdrawn by {by}")).unwrap_or_default();
        show::line(format!(
            "  exception by {} at {}: {}{}{taken_back}",
            it.by,
            it.at,
            it.rule_in_english(),
            if it.why.is_empty() { String::new() } else { format!(" ({})", it.why) },
        ));
    }
    files.iter().for_each(show::line);
    if issue.needs_approval {
        let hash = issue.content_hash.as_deref().map(short).unwrap_or_default();
        show::line(format!("  to approve it: semainier issues approve {key} --hash {hash} --by NAME"));
        return Ok(Ended::WaitsForAPerson);
    }
    Ok(Ended::Done)
}

pub(super) async fn approve(engine: &Engine, actor: &Actor, key: &str, seen: Option<&str>) -> anyhow::Result<Ended> {
    let key = IssueKey::parse(key)?;
    let approved = actions::issues::approve(engine, actor, &key, seen).await?;
    let issue = approved.issue;
    if approved.needs_second {
        let by = issue.half_approved_by.as_deref().unwrap_or_default();
        show::line(format!("{key} is approved by {by}; a second person has to approve it before it leaves"));
        return Ok(Ended::WaitsForAPerson);
    }
    let when = match approved.leaves_now {
        true => "its scheduled time has passed: it leaves now".to_owned(),
        false => format!("it leaves at {}", instant(issue.scheduled_for, engine.app.zone_of(&issue.mailing))),
    };
    show::line(format!("{key} is approved by {}: {}", actor.name(), issue.subject.unwrap_or_default()));
    show::line(format!("  content {}; {when}, by `semainier serve`", short(&approved.hash)));
    Ok(Ended::Done)
}

pub(super) async fn rehearse(engine: &Engine, actor: &Actor, key: &str) -> anyhow::Result<Ended> {
    let key = IssueKey::parse(key)?;
    Ok(match actions::issues::rehearse(engine, actor, &key).await? {
        Rehearsed::Held { reason } => {
            show::line(format!("{key} is held: {reason}"));
            Ended::WaitsForAPerson
        }
        Rehearsed::Kept { hash, leaves_at } => {
            let at = instant(leaves_at, engine.app.zone_of(key.mailing()));
            show::line(format!("{key} is rehearsed (content {}); it is read again and leaves at {at}", short(&hash)));
            show::line(format!("  to look at it: semainier issues show {key} --out DIR"));
            show::line(format!("  to make exactly this leave: semainier issues freeze {key} --by NAME"));
            show::line(format!("  to stop it: semainier issues skip {key} --why TEXT"));
            Ended::Done
        }
    })
}

/// Mails the stored content to a member of staff.
pub(super) async fn test(engine: &Engine, actor: &Actor, key: &str, to: &EmailAddress) -> anyhow::Result<Ended> {
    let key = IssueKey::parse(key)?;
    let to = Addressee::staff(engine, to).await?;
    match test_mail::send(engine, actor, &key, &to, test_mail::PATIENCE * 2).await? {
        Tested::Accepted { at } => {
            let at = instant(at, engine.app.zone_of(key.mailing()));
            show::line(format!("a test of {key} was accepted by the relay at {at}"));
            Ok(Ended::Done)
        }
        Tested::Refused { error, .. } => Err(error.into()),
        Tested::Waiting => bail!("the relay did not answer"),
    }
}

/// Reads the editorial from a file, from standard input (`-`), or from an editor.
pub(super) async fn edit(engine: &Engine, args: EditArgs) -> anyhow::Result<Ended> {
    let key = IssueKey::parse(&args.key)?;
    let before = actions::issues::editorial(engine, &key).await?;
    let mut draft = None;
    let text = match &args.file {
        Some(path) => text_of(path)?,
        None => {
            let (text, file) = in_an_editor(&before)?;
            draft = Some(file);
            text
        }
    };
    if text == before {
        discard(draft);
        show::line("nothing was changed");
        return Ok(Ended::Done);
    }
    let done = actions::issues::edit(engine, &actor(&args.by)?, &key, &text, Some(&before)).await;
    let done = done.map_err(|error| match &draft {
        Some(file) => anyhow::Error::from(error).context(format!("not saved; your text is in {}", file.display())),
        None => error.into(),
    })?;
    discard(draft);
    match done {
        Edited::Rehearsed => {
            show::line(format!("{key} was composed again with this editorial; it leaves at its hour"));
            Ok(Ended::Done)
        }
        Edited::Presented => {
            show::line(format!("{key} was composed again with this editorial; staff are asked to approve it"));
            Ok(Ended::WaitsForAPerson)
        }
        Edited::Kept => {
            show::line(format!("saved for {key}, which is not composed yet"));
            Ok(Ended::Done)
        }
    }
}

/// The text of a file, or of standard input (`-`).
fn text_of(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input cannot be read as text")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Shows the erratum, and sends it once that is confirmed.
pub(super) async fn erratum(
    engine: &Engine,
    actor: &Actor,
    key: &str,
    file: &Path,
    yes: bool,
) -> anyhow::Result<Ended> {
    let (of, words) = (IssueKey::parse(key)?, text_of(file)?);
    let erratum = actions::erratum::compose(engine, &of, &words).await?;
    if erratum.known == Known::Same {
        show::line(format!(
            "exactly this was sent before, or waits for an approval: semainier issues show {}",
            erratum.key
        ));
        return Ok(Ended::Done);
    }
    let text = files::text(&engine.app, &erratum.key, &erratum.content);
    show::line(format!("{}\n\n{text}", erratum.content.subject));
    let whom = format!("the {} contacts that {of} has reached", erratum.recipients);
    let question = match erratum.second_person {
        true => format!("once a second person has approved it, this mail will be sent to {whom}"),
        false => format!("this mail will be sent to {whom}"),
    };
    if !yes && !show::confirmed(&question)? {
        bail!("{question}; nothing was sent. Add --yes to send it");
    }
    let seen = Some((&*erratum.hash, erratum.recipients));
    let sent = actions::erratum::send(engine, actor, &of, &words, seen).await?;
    let Sent { key, recipients, awaits_approval } = sent;
    show::line(match awaits_approval {
        true => format!("{key} waits until a second person approves it: semainier issues approve {key}"),
        false => format!("{key} is sent to {recipients} contacts by `semainier serve`"),
    });
    Ok(Ended::Done)
}

fn discard(draft: Option<PathBuf>) {
    if let Some(file) = draft {
        let _ = std::fs::remove_file(file);
    }
}

/// The edited text, and the file it is in until it is saved.
fn in_an_editor(text: &str) -> anyhow::Result<(String, PathBuf)> {
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
    // Through the shell: $EDITOR is often a command with arguments.
    let status = std::process::Command::new("sh").args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(&path).status();
    let edited = match status {
        Ok(status) if status.success() => std::fs::read_to_string(&path)
            .with_context(|| format!("the edited file is not valid text: {}", path.display())),
        Ok(status) => Err(anyhow::anyhow!(
            "the editor {editor:?} ended with {status}; nothing was changed, and the text is in {}",
            path.display()
        )),
        Err(why) => {
            discard(Some(path.clone()));
            Err(anyhow::Error::from(why).context(format!("the editor {editor:?} cannot be started")))
        }
    };
    edited.map(|text| (text, path))
}

/// Collects the sources again and replaces the content.
pub(super) async fn recompose(engine: &Engine, actor: &Actor, key: &str) -> anyhow::Result<Ended> {
    let key = IssueKey::parse(key)?;
    match actions::issues::recompose(engine, actor, &key, None).await? {
        Recomposed::Held(hold) => {
            show::line(format!("{key} is held: {hold}"));
            Ok(Ended::Held)
        }
        Recomposed::Kept(hold) => {
            show::line(format!("{key}: nothing was changed: {hold}"));
            Ok(Ended::Held)
        }
        Recomposed::Unchanged => {
            show::line(format!("{key} is composed again, and nothing in it has changed"));
            show(engine, key.as_str(), None, false).await
        }
        Recomposed::Presented => {
            show::line(format!("{key} is composed; staff are asked to approve it"));
            show(engine, key.as_str(), None, false).await
        }
    }
}

/// Arguments of `issues edit`.
#[derive(Debug, clap::Args)]
pub(super) struct EditArgs {
    pub key: String,
    /// The editorial in Markdown, `-` for standard input [default: open the current one in $VISUAL or $EDITOR]
    #[arg(long, alias = "editorial", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Who writes it, for the ledger
    #[arg(long, env = "USER", default_value = "operator")]
    pub by: String,
}
