//! Logs: readable lines or JSON, on standard error. No address, no token (invariant I7).

use crate::config::{Log, LogFormat};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer,
    fmt::MakeWriter,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

/// Initialises the log, at `default` if the configuration sets no level. An invalid filter is ignored with a warning.
pub fn init(log: &Log, default: &str) {
    let (filter, bad) = match EnvFilter::try_new(directives(log.level.as_deref().unwrap_or(default))) {
        Ok(filter) => (filter, None),
        Err(why) => (EnvFilter::new(directives(default)), Some(why)),
    };
    let journal = is_journal();
    let writer = Prefixed { levels: journal };
    // No colours in a file or journal.
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let layer = match log.format {
        // The journal has the time and the level itself.
        LogFormat::Text if journal => tracing_subscriber::fmt::layer()
            .with_target(false)
            .with_ansi(false)
            .without_time()
            .with_level(false)
            .with_writer(writer)
            .boxed(),
        LogFormat::Text => {
            tracing_subscriber::fmt::layer().with_target(false).with_ansi(colours).with_writer(writer).boxed()
        }
        LogFormat::Json => tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(writer).boxed(),
    };
    // A second initialisation (in tests) is ignored.
    // The filter is one of the whole log, not of the layer: a layer's own filter remembers its decision in the thread, and a
    // library that only asks whether a level is enabled (sqlx does) made it drop the next line, from any module.
    let _ = tracing_subscriber::registry().with(filter).with(layer).with(Counting).try_init();
    if let Some(why) = bad {
        tracing::warn!("log.level is no filter ({why}); logging at {default}");
    }
}

/// Whether standard error is the journal: systemd tells which device and inode that is.
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    std::fs::metadata("/proc/self/fd/2").is_ok_and(|it| stream == format!("{}:{}", it.dev(), it.ino()))
}

/// Standard error, for the journal with the priority of each line (sd-daemon(3)), so that `journalctl -p warning` finds it.
struct Prefixed {
    levels: bool,
}

impl<'a> MakeWriter<'a> for Prefixed {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { prefix: "" }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Line {
        Line { prefix: if self.levels { priority(*about.level()) } else { "" } }
    }
}

fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        _ => "<7>",
    }
}

/// Writes one line of the log at once.
struct Line {
    prefix: &'static str,
}

impl io::Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.prefix {
            "" => io::stderr().write_all(line)?,
            prefix => io::stderr().write_all(&[prefix.as_bytes(), line].concat())?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Warnings and errors so far, by top-level module (`deliver`, `store`, …; `library` for others) and level (`warn`, `error`).
static ERRORS: Mutex<BTreeMap<(String, &'static str), u64>> = Mutex::new(BTreeMap::new());

/// A copy of [`ERRORS`].
pub fn errors() -> BTreeMap<(String, &'static str), u64> {
    ERRORS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Counts the warnings and errors that `log.level` lets through.
struct Counting;

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            _ => return,
        };
        let kind = part(event.metadata().target()).to_owned();
        *ERRORS.lock().unwrap_or_else(PoisonError::into_inner).entry((kind, level)).or_default() += 1;
    }
}

/// `semainier::deliver::worker` belongs to `deliver`.
fn part(target: &str) -> &str {
    target.strip_prefix("semainier::").map_or("library", |rest| rest.split("::").next().unwrap_or(rest))
}

/// A bare level applies to this program only: debug output of libraries would be too much, and may contain personal data. To
/// see a library's messages, name it: `info,sqlx=debug`. That of IMAP is never listened to: it writes whole messages.
fn directives(level: &str) -> String {
    let wanted = match level.parse::<tracing::Level>() {
        Ok(level) if level > tracing::Level::WARN => format!("warn,semainier={level}"),
        _ => level.to_owned(),
    };
    let others = wanted.split(',').filter(|it| !it.trim_start().starts_with(SILENT));
    others.chain([&*format!("{SILENT}=off")]).collect::<Vec<_>>().join(",")
}

/// A library that logs messages.
const SILENT: &str = "async_imap";

#[cfg(test)]
mod tests {
    #[test]
    fn a_log_event_has_its_module_as_target() {
        for (target, part) in [
            ("semainier::deliver::worker", "deliver"),
            ("semainier::app", "app"),
            ("rustls::conn", "library"),
            ("semainier", "library"),
        ] {
            assert_eq!(super::part(target), part);
        }
    }

    #[test]
    fn a_bare_level_applies_to_semainier_and_a_filter_is_used_as_written() {
        for (level, filter) in [
            ("info", "warn,semainier=INFO"),
            ("debug", "warn,semainier=DEBUG"),
            ("error", "error"),
            ("info,sqlx=debug", "info,sqlx=debug"),
            ("semainier=trace", "semainier=trace"),
            ("trace,async_imap=trace, async_imap=debug", "trace"),
        ] {
            assert_eq!(super::directives(level), format!("{filter},async_imap=off"));
        }
    }
}
