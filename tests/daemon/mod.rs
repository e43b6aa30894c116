//! The daemon: its behaviour over time with a manual clock, and the whole program under systemd.

mod faults;
mod hours;
mod process;
mod rehearsal;
mod reloading;
mod second_person;
mod staff_mails;
mod two_years;
