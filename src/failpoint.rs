//! Named points at which the process aborts, for crash tests: `SEMAINIER_FAILPOINT=after_mark_in_data` aborts at the
//! first visit, `after_mark_in_data:3` at the third; `after_mark_in_data:3:panic` panics there instead. Also a clock that a
//! test moves. Compiled in only with the feature `failpoints`.

/// Aborts or panics here if the environment names this point. Does nothing without the feature.
#[cfg(feature = "failpoints")]
pub fn reach(point: &'static str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static VISITS: AtomicU32 = AtomicU32::new(0);
    let Ok(wanted) = std::env::var("SEMAINIER_FAILPOINT") else { return };
    let mut parts = wanted.split(':');
    let (name, visit, how) = (parts.next(), parts.next().unwrap_or("1"), parts.next());
    if name == Some(point) && visit.parse() == Ok(VISITS.fetch_add(1, Ordering::SeqCst) + 1) {
        match how {
            Some("panic") => std::panic::panic_any(point),
            _ => std::process::abort(),
        }
    }
}

/// Does nothing without the feature.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn reach(_point: &'static str) {}

/// Whether a test moves the clock of this process by hours (`SEMAINIER_CLOCK_IS_MOVED=1`), which timers do not notice: then
/// nothing may sleep until something is due. Never without the feature.
pub fn is_clock_moved() -> bool {
    cfg!(feature = "failpoints") && std::env::var_os("SEMAINIER_CLOCK_IS_MOVED").is_some()
}
