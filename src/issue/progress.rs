//! What the steps of an issue report while they run, for a person who is watching.

use crate::domain::{agenda::Agenda, article::Article, delivery::Finished, issue::Content, newsletter::Letter};

#[derive(Debug)]
pub enum Step<'a> {
    Collecting,
    /// The article was read and passed the gates.
    Read {
        article: &'a Article,
        agenda: &'a Agenda,
    },
    /// The news were gathered, and there is something new.
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
