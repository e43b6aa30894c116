//! How long sessions, links and proofs hold (ASVS 5.0, 7.3).

use crate::domain::Timestamp;
use chrono::TimeDelta;

/// Between password and second factor.
pub const HALF: TimeDelta = TimeDelta::minutes(10);
/// Without a request.
pub const IDLE: TimeDelta = TimeDelta::hours(8);
/// Whatever is done.
pub const LONGEST: TimeDelta = TimeDelta::days(7);
/// On a device where the person asked to stay logged in.
pub const KEPT: TimeDelta = TimeDelta::days(30);
/// After that a change of rights or secrets asks for the password again.
pub const PROOF: TimeDelta = TimeDelta::minutes(10);
/// A link to set a password.
pub const INVITATION: TimeDelta = TimeDelta::hours(24);

/// When a complete session ends at the latest, and when it ends unless it is used.
pub fn ends(kept: bool, opened: Timestamp, now: Timestamp) -> (Timestamp, Timestamp) {
    match kept {
        true => (opened + KEPT, opened + KEPT),
        false => (opened + LONGEST, (now + IDLE).min(opened + LONGEST)),
    }
}
