//! Partners as files: tables are read row by row ([`sheet`]), their columns understood ([`columns`]), their lines brought
//! together ([`import`]), and what is known is written again ([`export`]). Knows no database.

pub mod columns;
pub mod export;
pub mod import;
pub mod sheet;
