//! The named faults that need more than a relay that misbehaves: kills without end, a database that is ill-treated, a disk
//! that is full. After each the two ledgers are joined; `docs/faults.md` is the table of all of them.

mod content;
mod disk;
mod doubts;
mod page;
mod postgres;
mod restored;
mod sizes;
mod storm;
