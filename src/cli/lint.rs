//! `semainier lint`: our own check of a message, of a file or of what a mailing would send.

use super::{Context, Ended, preview, show};
use crate::domain::lint::{Audience, Expected, Finding, Severity, lint};
use crate::issue;
use anyhow::Context as _;
use serde::Serialize;
use std::io::Read;
use std::path::{Path, PathBuf};

pub(super) const AFTER_HELP: &str = "\
The same check holds an issue before it leaves. Exit code 1 if there is an error, 0 if there are only warnings and notes, 3 if a gate \
holds the mailing before there is a message.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A message as a file, `-` for standard input, or the id of a mailing: then what it would send is checked
    #[arg(value_name = "FILE.eml|-|MAILING")]
    what: String,
    /// Use this file instead of fetching the article (an agenda)
    #[arg(long, value_name = "FILE")]
    article: Option<PathBuf>,
    /// The occurrence of the mailing [default: the one that is due, or else the next one]
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// To whom the message goes [default: a list if it has a header of one]
    #[arg(long, value_enum)]
    to: Option<To>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum To {
    /// The subscribers of a list: needs List-Id, one-click unsubscription and so on
    List,
    /// One person
    Person,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Report<'a> {
    what: &'a str,
    errors: usize,
    warnings: usize,
    findings: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    message: &'static str,
    source: &'static str,
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let what = args.what.clone();
    let findings = match is_mailing(&what) {
        false => {
            let audience = args.to.map(|to| match to {
                To::List => Audience::List,
                To::Person => Audience::Person,
            });
            lint(&read(&what)?, &Expected { audience, ..Expected::default() })
        }
        true => {
            let app = context.app()?;
            match preview::made(&app, &what, args.at.as_deref(), args.article).await? {
                Ok(made) => issue::lint::findings(&made.key(), &made.content)?,
                Err(hold) => {
                    show::line(format!("held: {hold}"));
                    return Ok(Ended::Held);
                }
            }
        }
    };
    let count = |severity| findings.iter().filter(|it| it.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if args.json {
        let line = |finding| Line { finding, message: finding.rule.in_english(), source: finding.rule.source() };
        show::json(&Report { what: &what, errors, warnings, findings: findings.iter().map(line).collect() })?;
    } else {
        for finding in &findings {
            show::line(format!("{}: {finding}", finding.severity.as_str()));
        }
        show::line(match (errors, warnings) {
            (0, 0) => format!("{what}: no problems found"),
            _ => format!("{what}: {errors} errors, {warnings} warnings"),
        });
    }
    Ok(if errors > 0 { Ended::Failed } else { Ended::Done })
}

/// Ids of mailings have neither dots nor slashes; a file of such a name is written `./NAME`.
fn is_mailing(what: &str) -> bool {
    what != "-" && what.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn read(what: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match what {
        "-" => std::io::stdin().lock().read_to_end(&mut bytes).map(drop),
        file => std::fs::read(Path::new(file)).map(|read| bytes = read),
    }
    .with_context(|| format!("cannot read {what}"))?;
    Ok(bytes)
}
