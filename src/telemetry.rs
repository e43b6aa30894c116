//! Logs: readable lines or JSON, on standard error. No address, no token (invariant I7).

use crate::config::{Log, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// Initialises the log, at `default` if the configuration sets no level. An invalid filter is ignored with a warning.
pub fn init(log: &Log, default: &str) {
    let (filter, bad) = match EnvFilter::try_new(directives(log.level.as_deref().unwrap_or(default))) {
        Ok(filter) => (filter, None),
        Err(why) => (EnvFilter::new(directives(default)), Some(why)),
    };
    let writer = std::io::stderr;
    // No colours in a file or journal.
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let layer = match log.format {
        LogFormat::Text => {
            tracing_subscriber::fmt::layer().with_target(false).with_ansi(colours).with_writer(writer).boxed()
        }
        LogFormat::Json => tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(writer).boxed(),
    };
    // A second initialisation (in tests) is ignored.
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
    if let Some(why) = bad {
        tracing::warn!("log.level is no filter ({why}); logging at {default}");
    }
}

/// A bare level applies to this program only: debug output of libraries would be too much, and may contain personal data. To
/// see a library's messages, name it: `info,sqlx=debug`.
fn directives(level: &str) -> String {
    match level.parse::<tracing::Level>() {
        Ok(level) if level > tracing::Level::WARN => format!("warn,semainier={level}"),
        _ => level.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_bare_level_is_ours_and_a_filter_is_taken_as_written() {
        for (level, filter) in [
            ("info", "warn,semainier=INFO"),
            ("debug", "warn,semainier=DEBUG"),
            ("error", "error"),
            ("info,sqlx=debug", "info,sqlx=debug"),
            ("semainier=trace", "semainier=trace"),
        ] {
            assert_eq!(super::directives(level), filter);
        }
    }
}
