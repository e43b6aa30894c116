//! Keeping the ledger: its secret, backups, and the way from one database to the other.

mod backup;
mod moving;
mod secret;
