//! What the tests that run the real binary share.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod house;
pub mod postgres;
pub mod process;
pub mod relay;
pub mod smtp;
pub mod web;
