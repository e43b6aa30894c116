//! End-to-end tests of the program as a user runs it: schedule, article, mails, ledger. They assert what the ledger and the
//! relay recorded.

mod commands;
mod composing;
mod demo;
mod files;
mod held;
mod merging;
mod message;
mod partners;
mod publishing;
mod relay;
mod serving;
mod venues;
