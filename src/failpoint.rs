//! Named points at which the process aborts, for the crash tests: `SEMAINIER_FAILPOINT=after_mark_in_data` aborts at the
//! first visit, `after_mark_in_data:3` at the third. Compiled in only with the feature `failpoints`.

/// Aborts here when the environment names this point. Nothing at all without the feature.
#[cfg(feature = "failpoints")]
pub fn reach(point: &'static str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static VISITS: AtomicU32 = AtomicU32::new(0);
    let Ok(wanted) = std::env::var("SEMAINIER_FAILPOINT") else { return };
    let (name, visit) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    if name == point && visit.parse() == Ok(VISITS.fetch_add(1, Ordering::SeqCst) + 1) {
        std::process::abort();
    }
}

/// Aborts here when the environment names this point. Nothing at all without the feature.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn reach(_point: &'static str) {}
