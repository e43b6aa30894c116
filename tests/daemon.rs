//! The daemon: what it does at which hour, with its clock in the test's hand; and the whole program as systemd meets it.

mod support;

#[path = "daemon/faults.rs"]
mod faults;
#[path = "daemon/hours.rs"]
mod hours;
#[path = "daemon/process.rs"]
mod process;
#[path = "daemon/two_years.rs"]
mod two_years;
