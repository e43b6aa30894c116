//! Shared helpers of tests and benches.
#![allow(clippy::allow_attributes, dead_code, unused_macros, reason = "a bench uses a part of it")]

/// Runs each test on a fresh ledger of each database.
macro_rules! on_both_databases {
    ($($test:ident)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let (ledger, audit) = crate::support::ledger::Ledger::sqlite().await.audited();
                    super::$test(ledger).await;
                    audit.finds_nothing_wrong().await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let (ledger, audit) = crate::support::ledger::Ledger::postgres().await.audited();
                    super::$test(ledger).await;
                    audit.finds_nothing_wrong().await;
                }
            )*
        }
    };
}

pub mod browser;
pub mod disk;
pub mod dns;
pub mod dovecot;
pub mod house;
pub mod imap;
pub mod ledger;
pub mod office;
pub mod postgres;
pub mod process;
pub mod relay;
pub mod serve;
pub mod sky;
pub mod smtp;
pub mod town;
pub mod web;
pub mod wire;
