//! Logs: readable lines or JSON, on standard error. No address, no token (invariant I7).

use crate::config::{Log, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts the log, at `default` where the configuration names no level. A filter that cannot be read is taken for none, with
/// a word about it.
pub fn init(log: &Log, default: &str) {
    let (filter, bad) = match EnvFilter::try_new(directives(log.level.as_deref().unwrap_or(default))) {
        Ok(filter) => (filter, None),
        Err(why) => (EnvFilter::new(directives(default)), Some(why)),
    };
    let writer = std::io::stderr;
    // Colours are for eyes: in a file or a journal they are noise.
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let layer = match log.format {
        LogFormat::Text => {
            tracing_subscriber::fmt::layer().with_target(false).with_ansi(colours).with_writer(writer).boxed()
        }
        LogFormat::Json => tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(writer).boxed(),
    };
    // A second start (in tests) keeps the first.
    // The filter is of the whole log, not of the layer: a layer's own keeps what it decided in the thread, and a library that only
    // asks whether a level is enabled (sqlx does) made it drop the next line, whoever wrote that.
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
    if let Some(why) = bad {
        tracing::warn!("log.level is no filter ({why}); logging at {default}");
    }
}

/// A bare level is meant for this program: a library's debugging would drown it, and nobody promises that it names no
/// person. Whoever wants a library's words names it: `info,sqlx=debug`.
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
