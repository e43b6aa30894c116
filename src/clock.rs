//! The only module that reads a clock (invariant I8). Everything else is passed an instant, or a [`Clock`].

use crate::domain::Timestamp;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::Instant;

#[derive(Debug, Clone)]
pub enum Clock {
    System,
    /// The system clock, shifted to another instant at start: the demo's summer Saturday.
    Shifted(TimeDelta),
    /// Stands still until it is moved, for tests.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that runs at normal speed and reads `at` now.
    pub fn starting_at(at: Timestamp) -> Self {
        Clock::Shifted(at - Clock::System.now())
    }

    pub fn manual(at: Timestamp) -> Self {
        Clock::Manual(Arc::new(AtomicI64::new(at.timestamp_millis())))
    }

    /// Now, in milliseconds, the precision of both databases.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::System => Utc::now().trunc_subsecs(3),
            Clock::Shifted(by) => (Utc::now() + *by).trunc_subsecs(3),
            Clock::Manual(millis) => DateTime::from_timestamp_millis(millis.load(Ordering::SeqCst)).unwrap_or_default(),
        }
    }

    /// Moves a manual clock; does nothing to others.
    pub fn advance(&self, by: TimeDelta) {
        if let Clock::Manual(millis) = self {
            millis.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
        }
    }

    /// For durations: never goes backward.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn monotonic() -> Instant {
        Instant::now()
    }
}
