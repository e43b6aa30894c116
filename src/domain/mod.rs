//! The domain types. Pure: no async, no I/O, no clock.

pub mod agenda;
pub mod alike;
pub mod article;
pub mod canary;
pub mod characters;
pub mod classify;
pub mod correction;
pub mod delivery;
pub mod edition;
pub mod email;
pub mod event_match;
pub mod exception;
pub mod feedback;
pub mod french;
pub mod gates;
pub mod hold;
pub mod issue;
pub mod issue_name;
pub mod lane;
pub mod link;
pub mod lint;
pub mod listing;
pub mod mass_bounce;
pub mod merge;
pub mod message;
pub mod news;
pub mod newsletter;
pub mod notice;
pub mod office;
pub mod partner;
pub mod pause;
pub mod schedule;
pub mod segment;
pub mod tonight;
pub mod venue;
pub mod webhook;
pub mod word_set;

/// An instant. Stored as epoch milliseconds, shown in the mailing's zone.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
