//! The contract of the store, held by both databases: one suite, run on each.

mod support;

/// Runs each test on a fresh ledger of each database.
macro_rules! on_both_databases {
    ($($test:ident)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test(crate::support::ledger::Ledger::sqlite().await).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test(crate::support::ledger::Ledger::postgres().await).await;
                }
            )*
        }
    };
}

#[path = "store/claiming.rs"]
mod claiming;
#[path = "store/daemons.rs"]
mod daemons;
#[path = "store/finishing.rs"]
mod finishing;
#[path = "store/freezing.rs"]
mod freezing;
#[path = "store/log.rs"]
mod log;
#[path = "store/opening.rs"]
mod opening;
#[path = "store/partners.rs"]
mod partners;
#[path = "store/schedule.rs"]
mod schedule;
#[path = "store/transitions.rs"]
mod transitions;
