//! The words of the product as types. Pure: no async, no I/O, no clock.

pub mod agenda;
pub mod french;
pub mod office;
