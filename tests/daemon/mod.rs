//! The daemon: what it does at which hour, with its clock in the test's hand; and the whole program as systemd meets it.

mod faults;
mod hours;
mod process;
mod reloading;
mod two_years;
