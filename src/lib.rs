//! semainier (the map of the house is written here as it is built)
pub mod clock;
pub mod collect;
pub mod compose;
pub mod deliver;
pub mod domain;
pub mod failpoint;
pub mod store;
