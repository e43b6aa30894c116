//! Read models: each view has one serialised shape, which `--json` prints and the console shows. Instants are RFC 3339 in
//! the zone of the office or of the mailing. Reads the ledger and changes nothing.

pub mod accounts;
pub mod check;
pub mod console;
pub mod corrections;
pub mod doctor;
pub mod dossier;
pub mod doubts;
pub mod editions;
pub mod integrations;
pub mod issues;
pub mod lanes;
pub mod log;
pub mod metrics;
pub mod orders;
pub mod readiness;
pub mod status;
pub mod suppressions;
pub mod venues;

use crate::domain::Timestamp;
use chrono_tz::Tz;

/// `2026-07-04T08:00:00+02:00`
pub fn instant(at: Timestamp, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
