//! The product tried from outside, as a user runs it: due, article, mails, ledger. Names are sentences; what is asserted
//! is what the ledger and the relay say.

mod commands;
mod composing;
mod demo;
mod files;
mod held;
mod merging;
mod partners;
mod publishing;
mod relay;
mod serving;
