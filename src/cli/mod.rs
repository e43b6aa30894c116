//! The command line: parses arguments, calls one action or view, prints the result. It takes no decisions.

mod alert;
mod approval;
#[cfg(feature = "bench")]
mod bench;
mod check;
mod corrections;
mod demo;
mod doctor;
mod editions;
mod exceptions;
mod extract;
mod files;
mod inbound;
mod keep;
mod lanes;
mod ledger;
mod lint;
mod next;
mod orders;
mod partners;
mod preview;
mod print;
mod run;
mod serve;
mod show;
mod status;
mod suppressions;
mod tables;
mod tokens;
mod users;
mod venues;
mod webhooks;

use crate::actions::{Actor, Door};
use crate::app::{App, Engine};
use crate::clock::Clock;
use crate::config::{Config, LogFormat};
use crate::domain::{Timestamp, schedule::at_local};
use crate::store::Access;
use crate::telemetry;
use crate::toml_reader::{Overrides, Problems};
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
    /// It found errors, and reported them.
    Failed = 1,
    /// A gate held the issue: nothing was sent.
    Held = 3,
    /// Done, but an `unknown` delivery or a paused issue needs a decision.
    WaitsForAPerson = 4,
    /// A mail server is to try again later (EX_TEMPFAIL of sysexits.h).
    TryAgain = 75,
}

const AFTER_HELP: &str = "\
Start here:
  semainier demo                              everything with a sample article; nothing leaves this machine
  semainier check                             check the configuration
  semainier next agenda --count 9             when the agenda is due
  semainier preview agenda --article FILE --out DIR   what it would look like
  semainier run agenda                        send it now
  semainier issues approve newsletter/2026-07 --by NAME   approve an issue
  semainier announce carte-2027               announce a brochure to the partners, and take orders
  semainier serve                             the daemon: sends everything when it is due
  semainier status                            upcoming runs, issues in flight, actions required

Exit codes: 0 done; 1 an error; 2 wrong usage; 3 held, nothing was sent; 4 done, but action required.
Configuration: semainier.toml here or in /etc/semainier; every key except those of [[lane]] can also be set in the environment, \
as SEMAINIER__SECTION__KEY.";

/// Mails a tourist office's partners, and records what happened to every send.
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
    /// Run a whole agenda, newsletter and edition for 12 sample partners; mails are written into a folder
    Demo(demo::Args),
    /// Check configuration, mailings, templates, database, relay and sources; show the next occurrences
    Check(check::Args),
    /// Check what the domain, the relay and this machine need so that mail arrives, and show the records to publish
    #[command(after_help = doctor::AFTER_HELP)]
    Doctor(doctor::Args),
    /// Show when mailings are due
    Next(next::Args),
    /// Show how an article is read
    Extract(extract::Args),
    /// Write what a mailing would send into a folder; nothing is sent or recorded
    Preview(preview::Args),
    /// Check a message against the rules that receivers enforce
    #[command(after_help = lint::AFTER_HELP)]
    Lint(lint::Args),
    /// Print an agenda as a PDF: a poster, or a booklet to read or to fold
    #[command(after_help = print::AFTER_HELP)]
    Print(print::Args),
    /// Send an occurrence of a mailing now; deliveries that were sent are not sent again
    Run(run::Args),
    /// Run the daemon, which sends every mailing when it is due
    Serve,
    /// Show daemons, upcoming runs, issues in flight and actions required
    Status(status::Args),
    /// Test the alert channels (webhook, command), which work when mail cannot be sent
    #[command(subcommand)]
    Alert(alert::Command),
    /// Show throttling per provider (family of recipient domains), and reopen a closed lane
    Lanes(lanes::Args),
    /// Show which venue is known to be in which commune, and correct it
    #[command(subcommand, after_help = venues::AFTER_HELP)]
    Venues(venues::Command),
    /// Show the lines of an agenda beside what is printed of them, and correct them
    #[command(subcommand, after_help = corrections::AFTER_HELP)]
    Corrections(corrections::Command),
    /// Manage the contacts that receive the mailings
    #[command(subcommand, after_help = partners::AFTER_HELP)]
    Partners(partners::Command),
    /// Show who is not written to and why, stop sending to an address, and lift that
    #[command(subcommand, after_help = suppressions::AFTER_HELP)]
    Suppressions(suppressions::Command),
    /// List issues with delivery totals; show, approve, edit, pause, resume or cancel one
    Issues(ledger::IssuesArgs),
    /// List brochures with their stock, and add them
    #[command(after_help = editions::AFTER_HELP)]
    Editions(editions::EditionsArgs),
    /// Announce an edition to the partners, once, with a personal link to order copies
    #[command(after_help = editions::AFTER_HELP)]
    Announce(editions::AnnounceArgs),
    /// List orders by commune and establishment, take and cancel them, and mark them as delivered
    Orders(orders::Args),
    /// List deliveries with their attempts and the relay's replies
    Log(ledger::LogArgs),
    /// Settle a delivery whose outcome is `unknown`
    #[command(subcommand)]
    Deliveries(ledger::DeliveriesCommand),
    /// Take in bounces and complaints that came back by mail
    #[command(subcommand, after_help = inbound::AFTER_HELP)]
    Inbound(inbound::Command),
    /// Manage the accounts of staff for the console
    #[command(subcommand, after_help = users::AFTER_HELP)]
    Users(users::Command),
    /// Manage the tokens by which programs use the API
    #[command(subcommand, after_help = tokens::AFTER_HELP)]
    Tokens(tokens::Command),
    /// Manage webhooks: receivers that are told what happens
    #[command(subcommand, after_help = webhooks::AFTER_HELP)]
    Webhooks(webhooks::Command),
    /// Back up ledger, secret and link keys into an empty folder; the daemon may be running
    Backup(keep::BackupArgs),
    /// Restore a backup and pause unfinished issues; stop the daemon first
    Restore(keep::RestoreArgs),
    /// Copy the ledger to another database (SQLite or Postgres) and verify the copy; stop all daemons first
    Migrate(keep::MigrateArgs),
    /// Measure the speed of sending on this machine
    #[command(subcommand, hide = true)]
    #[cfg(feature = "bench")]
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
    // The daemon logs what it does; other commands print their result and log only problems.
    let log_level = if matches!(args.command, Command::Serve) { "info" } else { "warn" };
    let context = Context { config: args.config, log_format: args.log_format, log_level };
    match args.command {
        Command::Demo(args) => demo::run(&context, args).await,
        Command::Check(args) => check::run(&context, &args).await,
        Command::Doctor(args) => doctor::run(&context, args).await,
        Command::Next(args) => next::run(&context, args).await,
        Command::Extract(args) => extract::run(&context, args).await,
        Command::Preview(args) => preview::run(&context, args).await,
        Command::Lint(args) => lint::run(&context, args).await,
        Command::Print(args) => print::run(&context, args).await,
        Command::Run(args) => run::run(&context, args).await,
        Command::Serve => serve::run(&context).await,
        Command::Status(args) => status::run(&context, args).await,
        Command::Alert(command) => alert::run(&context, command).await,
        Command::Lanes(args) => lanes::run(&context, args).await,
        Command::Venues(command) => venues::run(&context, command).await,
        Command::Corrections(command) => corrections::run(&context, command).await,
        Command::Partners(command) => partners::run(&context, command).await,
        Command::Suppressions(command) => suppressions::run(&context, command).await,
        Command::Issues(args) => ledger::issues(&context, args).await,
        Command::Editions(args) => editions::editions(&context, args).await,
        Command::Announce(args) => editions::announce(&context, args).await,
        Command::Orders(args) => orders::run(&context, args).await,
        Command::Log(args) => ledger::log(&context, args).await,
        Command::Deliveries(command) => ledger::deliveries(&context, command).await,
        Command::Inbound(command) => inbound::run(&context, command).await,
        Command::Users(command) => users::run(&context, command).await,
        Command::Tokens(command) => tokens::run(&context, command).await,
        Command::Webhooks(command) => webhooks::run(&context, command).await,
        Command::Backup(args) => keep::backup(&context, args).await,
        Command::Restore(args) => keep::restore(&context, args).await,
        Command::Migrate(args) => keep::migrate(&context, args).await,
        #[cfg(feature = "bench")]
        Command::Bench(command) => bench::run(command).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "semainier", &mut std::io::stdout());
            Ok(Ended::Done)
        }
    }
}

/// Options and configuration that every command needs.
#[derive(Debug, Clone)]
struct Context {
    config: Option<PathBuf>,
    log_format: Option<LogFormat>,
    /// Used if the configuration sets no level.
    log_level: &'static str,
}

impl Context {
    /// Reads the configuration and initialises the log.
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

    /// Who runs the command, for the log and the ledger: $USER.
    fn actor(&self) -> anyhow::Result<Actor> {
        let name = std::env::var("USER").ok().filter(|name| !name.trim().is_empty());
        actor(name.as_deref().unwrap_or("operator"))
    }

    fn app(&self) -> anyhow::Result<App> {
        App::new(self.load()?, Clock::System)
    }

    /// `Access::Shared` to read or change, `Access::Exclusive` to deliver.
    async fn engine(&self, access: Access) -> anyhow::Result<Engine> {
        self.app()?.open(access).await
    }
}

fn actor(name: &str) -> anyhow::Result<Actor> {
    Ok(Actor::new(name, Door::CommandLine)?)
}

/// Parses `2027-07-10T08:00:00+02:00`, local time such as `2027-07-10T08:00`, or a date.
fn parse_instant(text: &str, zone: Tz) -> anyhow::Result<Timestamp> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.to_utc());
    }
    // With an offset but without seconds, as `next` prints it.
    if let Ok(instant) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%:z") {
        return Ok(instant.to_utc());
    }
    let formats = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let local = local.or_else(|| Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN)));
    let local = local.ok_or_else(|| {
        anyhow!(
        "invalid date or time {text:?}; expected for example 2027-07-10T08:00, 2027-07-10T08:00:00+02:00 or 2027-07-10"
        )
    })?;
    Ok(at_local(zone, local.date(), local.time()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trial_f24_help_is_wrapped_once_and_shows_no_escapes() {
        fn all(command: &clap::Command, each: &mut dyn FnMut(&clap::Command)) {
            each(command);
            command.get_subcommands().for_each(|it| all(it, each));
        }
        all(&<Args as clap::CommandFactory>::command(), &mut |command| {
            let help = command.clone().render_long_help().to_string();
            assert!(!help.contains("\\\"") && !help.contains("\\u{"), "{help}");
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines: Vec<_> = after.lines().collect();
            for pair in lines.windows(2) {
                // clap wraps a long line itself, so its sentence must not go on in the next one.
                let goes_on = pair[0].chars().count() > 78
                    && ![pair[0], pair[1]].iter().any(|line| line.is_empty() || line.starts_with(' '))
                    && !pair[0].ends_with(['.', ':', ';']);
                assert!(!goes_on, "{}: {pair:?}", command.get_name());
            }
        });
    }

    #[test]
    fn the_command_line_definition_is_valid() {
        Args::command().debug_assert();
    }

    /// Splits a shell command line into words, with quotes, up to a comment or a redirection.
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
    fn instants_are_parsed_in_common_notations() {
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
