//! Partner lists as files: reads tables row by row ([`sheet`]), recognises their columns ([`columns`]), merges their lines
//! ([`import`]), and writes lists ([`export`]). Does not access the database.

pub mod columns;
pub mod export;
pub mod import;
pub mod said;
pub mod sheet;
mod workbook;
