//! The product tried from outside, as a user runs it: due, article, mails, ledger. Names are sentences; what is asserted
//! is what the ledger and the relay say.

mod support {
    pub mod house;
    pub mod postgres;
    pub mod smtp;
    pub mod web;
}

#[path = "flow/commands.rs"]
mod commands;
#[path = "flow/demo.rs"]
mod demo;
#[path = "flow/files.rs"]
mod files;
#[path = "flow/held.rs"]
mod held;
#[path = "flow/partners.rs"]
mod partners;
#[path = "flow/publishing.rs"]
mod publishing;
#[path = "flow/relay.rs"]
mod relay;
#[path = "flow/serving.rs"]
mod serving;
