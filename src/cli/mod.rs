//! The command line: arguments in, one action or view, text out. No decision is made here.

mod approval;
mod bench;
mod check;
mod demo;
mod editions;
mod extract;
mod files;
mod lanes;
mod ledger;
mod next;
mod orders;
mod partners;
mod preview;
mod print;
mod run;
mod serve;
mod show;
mod status;
mod tables;

use crate::actions::{Actor, Door};
use crate::app::{App, Engine};
use crate::clock::Clock;
use crate::config::{Config, LogFormat};
use crate::domain::{Timestamp, schedule::at_local};
use crate::keys::{Overrides, Problems};
use crate::store::Access;
use crate::telemetry;
use anyhow::anyhow;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use clap::{CommandFactory, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Done = 0,
    /// A gate is closed: nothing was sent.
    Held = 3,
    /// Done, but an `unknown` delivery or a paused issue waits for a person.
    WaitsForAPerson = 4,
}

const AFTER_HELP: &str = "\
Start here:
  semainier demo                              the whole way on a sample article, nothing leaves this machine
  semainier check                             what is configured, and what would be wrong
  semainier next agenda --count 9             when it goes
  semainier preview agenda --article FILE --out DIR   what it would look like
  semainier run agenda                        send it now
  semainier issues approve newsletter/2026-07 --by NAME   say yes to what staff were shown
  semainier announce carte-2027               tell the partners of a brochure, and take their orders
  semainier serve                             the daemon: sends by itself
  semainier status                            what it does, and what waits for a person

Exit codes: 0 done; 1 an error; 2 wrong usage; 3 held, nothing was sent; 4 done, but something waits for a person.
Configuration: semainier.toml here or in /etc/semainier, every key also as SEMAINIER__SECTION__KEY in the environment.";

/// Mails a tourist office's partners by itself, and proves per person what happened to every send.
#[derive(Debug, Parser)]
#[command(name = "semainier", version, after_help = AFTER_HELP, propagate_version = true)]
struct Args {
    /// The configuration file [default: ./semainier.toml, then /etc/semainier/semainier.toml, then built-in defaults]
    #[arg(long, global = true, value_name = "FILE", env = "SEMAINIER_CONFIG")]
    config: Option<PathBuf>,

    /// How the log on standard error is written [default: log.format of the configuration, or text]
    #[arg(long, global = true, value_enum)]
    log_format: Option<LogFormat>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one agenda, one newsletter and one edition for 12 sample partners, mails captured in a folder
    Demo(demo::Args),
    /// Check configuration, mailings and templates; show the next occurrences
    Check,
    /// Show when mailings go
    Next(next::Args),
    /// Show what is understood of an article
    Extract(extract::Args),
    /// Write what a mailing would send into a folder; sends and records nothing
    Preview(preview::Args),
    /// Make a PDF of an agenda: a poster, or a booklet to read or to fold
    #[command(after_help = print::AFTER_HELP)]
    Print(print::Args),
    /// Send one occurrence of a mailing now; what was already sent is not sent again
    Run(run::Args),
    /// The daemon: sends every mailing by itself
    Serve,
    /// What goes on: daemons, what comes next, what is on its way, what waits for a person
    Status(status::Args),
    /// How each family of recipient domains goes, and opening one again
    Lanes(lanes::Args),
    /// The people the mailings go to
    #[command(subcommand, after_help = partners::AFTER_HELP)]
    Partners(partners::Command),
    /// What was published, with the sum of what became of it; and what a person approves, changes or stops
    Issues(ledger::IssuesArgs),
    /// What the office prints for its partners, and how much of it is left
    #[command(after_help = editions::AFTER_HELP)]
    Editions(editions::EditionsArgs),
    /// Tell the partners of an edition, once, with a link by which each orders copies
    #[command(after_help = editions::AFTER_HELP)]
    Announce(editions::AnnounceArgs),
    /// What partners ordered, by commune and establishment, and what was handed over
    Orders(orders::Args),
    /// Every delivery, with its attempts and the relay's words
    Log(ledger::LogArgs),
    /// Decide what became of a delivery that is `unknown`
    #[command(subcommand)]
    Deliveries(ledger::DeliveriesCommand),
    /// Measure this machine and this program
    #[command(subcommand, hide = true)]
    Bench(bench::Command),
    /// Print shell completions, e.g. `semainier completions bash > /etc/bash_completion.d/semainier`
    Completions { shell: clap_complete::Shell },
}

/// Parses the arguments, runs the command, and shows an error with its causes.
pub async fn main() -> ExitCode {
    let args = Args::parse();
    match dispatch(args).await {
        Ok(ended) => ExitCode::from(ended as u8),
        Err(error) => {
            show::error(&error);
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(args: Args) -> anyhow::Result<Ended> {
    // The daemon says what it does; a command answers on standard output, and logs only what is wrong.
    let log_level = if matches!(args.command, Command::Serve) { "info" } else { "warn" };
    let context = Context { config: args.config, log_format: args.log_format, log_level };
    match args.command {
        Command::Demo(args) => demo::run(&context, args).await,
        Command::Check => check::run(&context).await,
        Command::Next(args) => next::run(&context, args).await,
        Command::Extract(args) => extract::run(&context, args).await,
        Command::Preview(args) => preview::run(&context, args).await,
        Command::Print(args) => print::run(&context, args).await,
        Command::Run(args) => run::run(&context, args).await,
        Command::Serve => serve::run(&context).await,
        Command::Status(args) => status::run(&context, args).await,
        Command::Lanes(args) => lanes::run(&context, args).await,
        Command::Partners(command) => partners::run(&context, command).await,
        Command::Issues(args) => ledger::issues(&context, args).await,
        Command::Editions(args) => editions::editions(&context, args).await,
        Command::Announce(args) => editions::announce(&context, args).await,
        Command::Orders(args) => orders::run(&context, args).await,
        Command::Log(args) => ledger::log(&context, args).await,
        Command::Deliveries(command) => ledger::deliveries(&context, command).await,
        Command::Bench(command) => bench::run(command).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "semainier", &mut std::io::stdout());
            Ok(Ended::Done)
        }
    }
}

/// What every command may need.
#[derive(Debug, Clone)]
struct Context {
    config: Option<PathBuf>,
    log_format: Option<LogFormat>,
    /// Where the configuration names none.
    log_level: &'static str,
}

impl Context {
    /// Reads the configuration and starts the log as it says.
    fn load(&self) -> anyhow::Result<Config> {
        let config = self.read()?;
        telemetry::init(&config.log, self.log_level);
        Ok(config)
    }

    /// Reads the configuration.
    fn read(&self) -> Result<Config, Problems> {
        let mut config = Config::load(self.config.as_deref(), &Overrides::from_env(std::env::vars()))?;
        config.log.format = self.log_format.unwrap_or(config.log.format);
        Ok(config)
    }

    /// Who runs the command, for the log and the ledger: $USER where no name is asked for.
    fn actor(&self) -> anyhow::Result<Actor> {
        let name = std::env::var("USER").ok().filter(|name| !name.trim().is_empty());
        actor(name.as_deref().unwrap_or("operator"))
    }

    fn app(&self) -> anyhow::Result<App> {
        App::new(self.load()?, Clock::System)
    }

    /// `Access::Shared` to look, `Access::Exclusive` to deliver.
    async fn engine(&self, access: Access) -> anyhow::Result<Engine> {
        self.app()?.open(access).await
    }
}

fn actor(name: &str) -> anyhow::Result<Actor> {
    Ok(Actor::new(name, Door::CommandLine)?)
}

/// An instant as a person writes it: `2027-07-10T08:00:00+02:00`, or local time `2027-07-10T08:00`, or a date.
fn parse_instant(text: &str, zone: Tz) -> anyhow::Result<Timestamp> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.to_utc());
    }
    // With an offset but without seconds, as people copy it from `next`.
    if let Ok(instant) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%:z") {
        return Ok(instant.to_utc());
    }
    let formats = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let local = local.or_else(|| Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN)));
    let local = local.ok_or_else(|| {
        anyhow!(
            "{text:?} is no instant; expected for example 2027-07-10T08:00, 2027-07-10T08:00:00+02:00 or 2027-07-10"
        )
    })?;
    Ok(at_local(zone, local.date(), local.time()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    /// The words of a line of a shell, with its quotes, up to a comment or a redirection.
    fn shell_words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        for c in line.chars() {
            match (quote, c) {
                (Some(open), _) if c == open => quote = None,
                (None, '\'' | '"') => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                (None, ' ') => words.extend(word.take()),
                (None, '#' | '>' | '|' | ';') if word.is_none() => break,
                _ => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        words
    }

    #[test]
    fn every_command_of_the_documents_exists() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
        let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
        let (mut checked, mut wrong) = (0, Vec::new());
        for path in docs.chain([root.join("README.md"), root.join("CONTRIBUTING.md")]) {
            let text = std::fs::read_to_string(&path).unwrap();
            let blocks = text.split("```").skip(1).step_by(2);
            for line in blocks.flat_map(str::lines).filter(|line| line.starts_with("semainier ")) {
                checked += 1;
                if let Err(error) = Args::try_parse_from(shell_words(line)) {
                    wrong.push(format!("{}: {line}\n{error}", path.display()));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(checked > 40, "only {checked} commands were found");
    }

    #[test]
    fn instants_are_read_as_people_write_them() {
        let zone = chrono_tz::Europe::Paris;
        for text in [
            "2027-07-10T08:00:00+02:00",
            "2027-07-10T08:00+02:00",
            "2027-07-10T06:00:00Z",
            "2027-07-10 08:00",
            "2027-07-10T08:00",
        ] {
            assert_eq!(parse_instant(text, zone).unwrap().to_rfc3339(), "2027-07-10T06:00:00+00:00", "{text}");
        }
        assert!(parse_instant("samedi", zone).is_err());
    }
}
