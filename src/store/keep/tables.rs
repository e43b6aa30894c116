//! Generic access to every table of the ledger: reads rows in pages, writes them in batches, computes checksums.

use super::{
    super::backend::{Backend, Row, Transaction, Value, values},
    super::rows::Reader,
    KeepError, Result,
};
use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;
use std::fmt;

/// A table, and how many of its rows are held in memory at once.
pub(super) struct Table {
    pub(super) name: &'static str,
    page: usize,
}

const fn narrow(name: &'static str) -> Table {
    Table { name, page: 500 }
}

/// A table whose rows contain documents, pictures or pages.
const fn wide(name: &'static str) -> Table {
    Table { name, page: 8 }
}

/// All tables, ordered so that a row comes after the rows it refers to.
pub(super) const TABLES: [Table; 64] = [
    narrow("properties"),
    narrow("mailings"),
    narrow("occurrences"),
    narrow("skips"),
    narrow("issues"),
    wide("issue_content"),
    wide("attachments"),
    wide("inline_parts"),
    narrow("approvals"),
    narrow("refusals"),
    narrow("content_authors"),
    wide("past_content"),
    wide("past_files"),
    narrow("editorials"),
    narrow("partners"),
    narrow("contacts"),
    narrow("affiliations"),
    narrow("contact_edits"),
    narrow("partner_edits"),
    narrow("former_addresses"),
    narrow("subscriptions"),
    narrow("subscription_changes"),
    narrow("suppressions"),
    narrow("deliveries"),
    narrow("attempts"),
    narrow("claims"),
    narrow("canaries"),
    narrow("feedback"),
    narrow("mass_bounces"),
    narrow("tallies"),
    narrow("notices"),
    narrow("findings"),
    narrow("alerts"),
    wide("pages"),
    narrow("daemons"),
    narrow("mailboxes"),
    narrow("lanes"),
    narrow("content_refusals"),
    narrow("editions"),
    wide("edition_files"),
    wide("edition_uploads"),
    narrow("announcements"),
    narrow("orders"),
    narrow("users"),
    narrow("recovery_codes"),
    narrow("sessions"),
    narrow("known_devices"),
    narrow("invitations"),
    narrow("login_failures"),
    narrow("audit"),
    narrow("venues"),
    wide("readings"),
    narrow("corrections"),
    narrow("dismissals"),
    narrow("exceptions"),
    narrow("holds"),
    narrow("sightings"),
    // Files of up to 20 MB.
    Table { name: "imports", page: 1 },
    narrow("api_tokens"),
    narrow("api_requests"),
    narrow("rereads"),
    // After what their triggers watch, so that a copy queues no events.
    narrow("webhook_endpoints"),
    narrow("webhook_messages"),
    narrow("webhook_attempts"),
];

/// Tables that a daemon writes to on its own: a ledger with rows only in these counts as empty.
pub(super) const OF_ITS_OWN: [&str; 5] = ["properties", "mailings", "daemons", "pages", "mailboxes"];

/// Properties that are not copied, because they describe this database.
const NOT_COPIED: (&str, &str) = ("properties", "name <> 'place'");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int,
    Text,
    Bytes,
}

struct Column {
    name: String,
    kind: Kind,
}

/// A table's definition in one of the databases: its columns by name, and those of its primary key in the key's order.
pub(super) struct Shape {
    pub(super) table: &'static Table,
    columns: Vec<Column>,
    key: Vec<usize>,
}

pub(super) type Cells = Vec<Value>;

impl Shape {
    pub(super) async fn read<B: Backend>(tx: &mut Transaction<B>, table: &'static Table) -> Result<Self> {
        let mut found = Vec::new();
        for row in tx.rows(B::SQL.columns, values![table.name]).await? {
            let row = Reader::new(&row, "columns", "name");
            let (name, kind, place) = (row.text("name")?, row.text("kind")?, row.number::<i64>("pk")?);
            let kind = match kind.as_str() {
                "int" => Kind::Int,
                "text" => Kind::Text,
                "bytes" => Kind::Bytes,
                _ => return Err(KeepError::Columns { table: table.name, columns: format!("{name} {kind}") }),
            };
            found.push((Column { name, kind }, place));
        }
        found.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        let mut key: Vec<(i64, usize)> =
            found.iter().enumerate().filter(|(_, (_, place))| *place > 0).map(|(n, (_, place))| (*place, n)).collect();
        key.sort_unstable();
        if key.is_empty() {
            return Err(KeepError::Columns { table: table.name, columns: "no primary key".to_owned() });
        }
        let key = key.into_iter().map(|(_, n)| n).collect();
        Ok(Self { table, columns: found.into_iter().map(|(column, _)| column).collect(), key })
    }

    /// Whether both have the same columns of the same kinds.
    pub(super) fn expect_same(&self, other: &Self) -> Result<()> {
        let columns = |it: &Self| it.columns.iter().map(|it| format!("{} {:?}", it.name, it.kind)).collect();
        let (ours, theirs): (BTreeSet<String>, BTreeSet<String>) = (columns(self), columns(other));
        match ours.symmetric_difference(&theirs).cloned().collect::<Vec<_>>() {
            different if different.is_empty() => Ok(()),
            different => Err(KeepError::Columns { table: self.table.name, columns: different.join(", ") }),
        }
    }

    fn listed(&self, which: impl Iterator<Item = usize>) -> String {
        which.map(|n| format!("\"{}\"", self.columns[n].name)).collect::<Vec<_>>().join(", ")
    }

    /// A page of rows in the order of the primary key, after `after` or from the first.
    pub(super) async fn page<B: Backend>(&self, tx: &mut Transaction<B>, after: Option<&Cells>) -> Result<Vec<Cells>> {
        let key = self.listed(self.key.iter().copied());
        let mut conditions = Vec::new();
        if self.table.name == NOT_COPIED.0 {
            conditions.push(NOT_COPIED.1.to_owned());
        }
        let mut bound = Vec::new();
        if let Some(after) = after {
            let places: Vec<_> = (1..=self.key.len()).map(|n| format!("${n}")).collect();
            conditions.push(format!("({key}) > ({})", places.join(", ")));
            bound = self.key.iter().map(|n| after[*n].clone()).collect();
        }
        let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        let select = format!(
            "SELECT {} FROM {}{filter} ORDER BY {key} LIMIT {}",
            self.listed(0..self.columns.len()),
            self.table.name,
            self.table.page
        );
        let rows = tx.rows(AssertSqlSafe(select), bound).await.map_err(|why| self.failed(why))?;
        rows.iter().map(|row| self.cells(row)).collect()
    }

    fn cells(&self, row: &Row) -> Result<Cells> {
        let cell = |column: &Column| -> sqlx::Result<Value> {
            Ok(match column.kind {
                Kind::Int => Value::Int(row.get(&column.name)?),
                Kind::Text => Value::Text(row.get(&column.name)?),
                Kind::Bytes => Value::Bytes(row.get(&column.name)?),
            })
        };
        self.columns.iter().map(cell).collect::<sqlx::Result<_>>().map_err(super::database_error("reading a row"))
    }

    pub(super) async fn insert<B: Backend>(&self, tx: &mut Transaction<B>, rows: Vec<Cells>) -> Result<()> {
        let width = self.columns.len();
        let row = |n: usize| {
            let places: Vec<_> = (1..=width).map(|column| format!("${}", n * width + column)).collect();
            format!("({})", places.join(", "))
        };
        let places: Vec<_> = (0..rows.len()).map(row).collect();
        let columns = self.listed(0..width);
        let insert = format!("INSERT INTO {} ({columns}) VALUES {}", self.table.name, places.join(", "));
        let bound = rows.into_iter().flatten().collect();
        tx.execute(AssertSqlSafe(insert), bound).await.map_err(|why| self.failed(why))?;
        Ok(())
    }

    fn failed(&self, why: super::StoreError) -> KeepError {
        KeepError::Row { table: self.table.name, why }
    }

    /// The checksum of all rows of the table.
    pub(super) async fn sum<B: Backend>(&self, tx: &mut Transaction<B>) -> Result<Sum> {
        let (mut sum, mut after) = (Sum::default(), None::<Cells>);
        loop {
            let mut rows = self.page(tx, after.as_ref()).await?;
            rows.iter().for_each(|row| self.add(&mut sum, row));
            match rows.pop() {
                Some(last) => after = Some(last),
                None => return Ok(sum),
            }
        }
    }

    /// Adds a row: each column's name and value, both prefixed with their length.
    pub(super) fn add(&self, sum: &mut Sum, row: &Cells) {
        let mut hash = Sha256::new();
        let mut feed = |kind: u8, bytes: &[u8]| {
            hash.update([kind]);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        for (column, value) in self.columns.iter().zip(row) {
            feed(b'c', column.name.as_bytes());
            match value {
                Value::Int(Some(value)) => feed(b'i', value.to_string().as_bytes()),
                Value::Text(Some(value)) => feed(b't', value.as_bytes()),
                Value::Bytes(Some(value)) => feed(b'b', value),
                Value::Int(None) | Value::Text(None) | Value::Bytes(None) => feed(b'n', b""),
            }
        }
        sum.rows += 1;
        let mut first = [0; 16];
        first.copy_from_slice(&hash.finalize()[..16]);
        sum.hash = sum.hash.wrapping_add(u128::from_be_bytes(first));
    }
}

/// An order-independent checksum of a table: the number of rows, and the sum of the first 128 bits of the SHA-256 of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) rows: u64,
    hash: u128,
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.hash)
    }
}

/// All tables of the database, except for that of the migrations.
pub(super) async fn names<B: Backend>(tx: &mut Transaction<B>) -> Result<BTreeSet<String>> {
    let read = |row| Reader::new(row, "tables", "name").text("name");
    Ok(tx.rows(B::SQL.tables, values![]).await?.iter().map(read).collect::<super::super::Result<_>>()?)
}

/// The number of rows of each of our tables; missing tables are left out.
pub(super) async fn counts<B: Backend>(tx: &mut Transaction<B>) -> Result<Vec<(&'static str, u64)>> {
    let there = names(tx).await?;
    let mut counts = Vec::new();
    for table in TABLES.iter().filter(|table| there.contains(table.name)) {
        let count = format!("SELECT '{0}' AS name, count(*) AS n FROM {0}", table.name);
        let row = tx.row(AssertSqlSafe(count), values![]).await?;
        let n = row.map(|row| Reader::new(&row, "tables", "name").number::<u64>("n")).transpose()?;
        counts.push((table.name, n.unwrap_or_default()));
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::super::super::{Access, sqlite::Sqlite};
    use super::*;

    #[tokio::test]
    async fn every_table_of_the_schema_is_known_and_comes_after_those_it_refers_to() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("semainier.db").display());
        let sqlite = Sqlite::open(&url, Access::Exclusive).await.unwrap();
        let mut tx = Transaction::read(&sqlite, "looking").await.unwrap();
        let known: BTreeSet<String> = TABLES.iter().map(|table| table.name.to_owned()).collect();
        assert_eq!(names(&mut tx).await.unwrap(), known, "add the new table to TABLES");
        for (n, table) in TABLES.iter().enumerate() {
            let select = format!("SELECT \"table\" AS name FROM pragma_foreign_key_list('{}')", table.name);
            for row in tx.rows(AssertSqlSafe(select), values![]).await.unwrap() {
                let other: String = row.get("name").unwrap();
                assert!(TABLES[..n].iter().any(|it| it.name == other), "{} refers to {other}", table.name);
            }
        }
    }

    #[test]
    fn the_checksum_depends_on_the_rows_but_not_on_their_order() {
        let column = |name: &str, kind| Column { name: name.to_owned(), kind };
        let columns = vec![column("a", Kind::Text), column("b", Kind::Text)];
        let shape = Shape { table: &TABLES[0], columns, key: vec![0] };
        let sum = |rows: &[[Option<&str>; 2]]| {
            let mut sum = Sum::default();
            for row in rows {
                shape.add(&mut sum, &row.iter().map(|it| Value::from(*it)).collect());
            }
            sum
        };
        let (one, two) = ([Some("x"), Some("yz")], [Some("xy"), Some("z")]);
        assert_eq!(sum(&[one, two]), sum(&[two, one]));
        assert_ne!(sum(&[one, one]), sum(&[two, two]));
        assert_ne!(sum(&[one]), sum(&[two]));
        assert_ne!(sum(&[[None, Some("")]]), sum(&[[Some(""), None]]));
        assert_ne!(sum(&[[None, None]]), sum(&[[Some(""), Some("")]]));
        assert_ne!(sum(&[one, one, two]), sum(&[one, two, two]));
    }
}
