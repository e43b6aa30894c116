//! The faults of the list that need more than a misbehaving relay: repeated kills, database failures, a full disk. After
//! each, the relay's ledger and ours are joined; `docs/faults.md` has the table.

mod content;
mod disk;
mod doubts;
mod page;
mod postgres;
mod restored;
mod sizes;
mod storm;
