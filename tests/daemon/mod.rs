//! The daemon: its behaviour over time with a manual clock, and the whole program under systemd.

mod faults;
mod hours;
mod process;
mod rehearsal;
mod reloading;
mod two_years;
