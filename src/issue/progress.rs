//! Progress events of the steps, for display.

use crate::domain::{agenda::Agenda, delivery::Finished, issue::Content, newsletter::Letter};

#[derive(Debug)]
pub enum Step<'a> {
    Collecting,
    /// The article was read and passed the gates.
    Read {
        /// Of the article.
        title: &'a str,
        agenda: &'a Agenda,
    },
    /// News were gathered, and some of them are new.
    Gathered {
        letter: &'a Letter,
    },
    Composed {
        content: &'a Content,
    },
    Frozen {
        recipients: u64,
    },
    /// The issue was frozen by an earlier run; its deliveries continue.
    Resumed,
    Attempted(&'a Finished),
}

/// Called with every [`Step`].
pub type Watch<'a> = &'a (dyn Fn(Step<'_>) + Send + Sync);
