//! semainier (the map of the house is written here as it is built)
pub mod clock;
pub mod collect;
pub mod compose;
pub mod config;
pub mod deliver;
pub mod domain;
pub mod failpoint;
pub mod jobs;
pub mod keys;
pub mod partners;
pub mod report;
pub mod store;
pub mod telemetry;
pub mod templates;
pub mod tokens;
