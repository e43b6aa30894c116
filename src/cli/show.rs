//! Terminal output: results on standard output, progress and errors on standard error.

use crate::domain::delivery::Finished;
use crate::issue::progress::Step;
use crate::views::issues::IssueView;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// Prints a line of the result. If the reader has gone away (`| head`), the program ends quietly.
pub(super) fn line(text: impl Display) {
    part(format_args!("{text}\n"));
}

/// Prints part of the result without a line end; otherwise like [`line()`].
pub(super) fn part(text: impl Display) {
    if let Err(error) = write!(anstream::stdout(), "{text}") {
        let quietly = error.kind() == std::io::ErrorKind::BrokenPipe;
        std::process::exit(if quietly { 0 } else { 1 });
    }
}

/// Prints a line that is not part of the result: progress or a hint.
pub(super) fn aside(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Prints an error with its causes, each once.
pub(super) fn error(error: &anyhow::Error) {
    let mut said = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if !said.iter().any(|before: &String| before.contains(&cause)) {
            said.push(cause);
        }
    }
    aside(format!("error: {}", said.join(": ")));
}

/// Asks for confirmation at the terminal; `false` without a terminal.
pub(super) fn confirmed(question: &str) -> std::io::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    let _ = write!(std::io::stderr(), "{question}. Go on? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "yes" | "o" | "oui"))
}

/// Prints one value as indented JSON.
pub(super) fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A list of values as indented JSON, printed one by one.
#[derive(Debug, Default)]
pub(super) struct JsonList {
    is_begun: bool,
}

impl JsonList {
    pub(super) fn add(&mut self, value: &impl serde::Serialize) -> anyhow::Result<()> {
        let before = if std::mem::replace(&mut self.is_begun, true) { "," } else { "[" };
        let one = serde_json::to_string_pretty(value)?;
        part(format!("{before}\n  {}", one.replace('\n', "\n  ")));
        Ok(())
    }

    pub(super) fn end(self) {
        line(if self.is_begun { "\n]" } else { "[]" });
    }
}

/// Shows the progress of a run: a bar on a terminal, otherwise a line per step.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn new() -> Self {
        let target = match std::io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {pos}/{len}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar }
    }

    pub(super) fn step(&self, step: Step) {
        match step {
            Step::Collecting => self.say("reading the sources"),
            Step::Gathered { letter } => {
                let news = letter.news().count();
                self.say(format!("collected {news} news items published since {}", letter.since.date_naive()));
                letter.missing.iter().for_each(|line| self.say(format!("  missing: {line}")));
            }
            Step::Read { title, agenda } => {
                let days = agenda.days.len();
                self.say(format!("read « {} »: {} events on {days} days", title.trim(), agenda.event_count()));
                for warning in &agenda.warnings {
                    self.say(format!("  to check: {warning}"));
                }
            }
            Step::Composed { content } => {
                let sizes: Vec<_> = content
                    .attachments
                    .iter()
                    .map(|a| format!("{} ({} kB)", a.name, a.bytes.len().div_ceil(1000)))
                    .collect();
                let pictures = match content.inline.len() {
                    0 => None,
                    n => Some(format!(
                        "{n} pictures ({} kB)",
                        content.inline.iter().map(|it| it.bytes.len()).sum::<usize>().div_ceil(1000)
                    )),
                };
                let with: Vec<_> = pictures.into_iter().chain(sizes).collect();
                let with = if with.is_empty() { "no attachments".to_owned() } else { with.join(", ") };
                self.say(format!("composed « {} » with {with}", content.subject));
            }
            Step::Frozen { recipients } => {
                self.say(format!("frozen for {recipients} recipients"));
                self.bar.set_length(recipients);
                self.bar.set_message("sending");
            }
            Step::Resumed => self.say("this issue was frozen before; continuing its deliveries"),
            Step::Attempted(finished) => self.attempted(finished),
        }
    }

    fn attempted(&self, finished: &Finished) {
        use crate::domain::delivery::Outcome;
        self.bar.inc(1);
        if finished.outcome != Outcome::Accepted {
            let reply = &finished.reply;
            let code = reply.code.map(|c| format!("{c} ")).unwrap_or_default();
            let to = finished.claim.recipient.address.masked();
            self.say(format!(
                "{to}: {} at {}: {code}{}",
                finished.outcome.as_str(),
                finished.phase.as_str(),
                reply.text
            ));
        }
    }

    fn say(&self, text: impl Display) {
        self.bar.suspend(|| aside(&text));
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Prints the totals of an issue in one line, and why it is held or paused.
pub(super) fn issue(issue: &IssueView) {
    line(format!("{}: {} ({})", issue.key, issue.state.as_str(), issue.sum()));
    if let Some(reason) = &issue.reason {
        line(format!("  {reason}"));
    }
}
