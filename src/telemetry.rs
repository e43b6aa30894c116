//! Logs: readable lines or JSON, on standard error. No address, no token (invariant I7).

use crate::config::{Log, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts the log. A filter that cannot be read becomes `info`, with a word about it.
pub fn init(log: &Log) {
    let (filter, bad) = match EnvFilter::try_new(&log.level) {
        Ok(filter) => (filter, None),
        Err(why) => (EnvFilter::new("info"), Some(why)),
    };
    let writer = std::io::stderr;
    // Colours are for eyes: in a file or a journal they are noise.
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let layer = match log.format {
        LogFormat::Text => {
            tracing_subscriber::fmt::layer().with_target(false).with_ansi(colours).with_writer(writer).boxed()
        }
        LogFormat::Json => tracing_subscriber::fmt::layer().json().with_writer(writer).boxed(),
    };
    // A second start (in tests) keeps the first.
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
    if let Some(why) = bad {
        tracing::warn!("log.level is no filter ({why}); logging at info");
    }
}
