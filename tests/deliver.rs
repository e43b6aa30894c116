//! Sending, against a relay that misbehaves. The judge is the join of two ledgers: what the relay wrote down before it
//! said 250, and ours. Each fault by its name in the list of faults, on both databases.

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

#[path = "deliver/connections.rs"]
mod connections;
#[path = "deliver/database.rs"]
mod database;
#[cfg(feature = "failpoints")]
#[path = "deliver/kills.rs"]
mod kills;
#[path = "deliver/replies.rs"]
mod replies;
