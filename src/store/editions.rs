//! Editions: their definition, their files, their stock, and their announcements.

use super::Ledger;
use super::{
    AudienceMember, Kept, Result,
    backend::{Backend, Transaction, Value, values},
    rows,
};
use crate::domain::{
    Timestamp,
    edition::{Announcement, Edition, EditionFile, EditionStock, Missing, Printed},
    email::EmailAddress,
    issue::{IssueKey, RecipientScope},
    schedule::label,
    segment::Segment,
};
use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::json;

/// How long uploads are kept.
const UPLOADS_ARE_KEPT: TimeDelta = TimeDelta::hours(24);
/// Uploads of one account.
const MOST_UPLOADS: u32 = 10;

/// What becomes of a file of an edition.
#[derive(Debug, Clone, Copy)]
pub enum FileChange<'a> {
    Keep,
    Put(&'a [u8]),
    Remove,
}

/// An edition as it is to be.
#[derive(Debug)]
pub struct EditionForm<'a> {
    pub edition: &'a Edition,
    /// The slug it had, and the revision that the form was opened with; `None`: it is a new one.
    pub replaces: Option<(&'a str, u64)>,
    pub files: &'a [(EditionFile, FileChange<'a>)],
}

/// The result of [`Editions::save_edition`]; anything but `Done` changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditionSaved {
    Done,
    /// It is like this already.
    Unchanged,
    /// It was changed since the form was opened.
    Stale,
    /// There is no such edition any more.
    Gone,
    /// Another edition has this slug.
    SlugTaken,
    /// It is announced or ordered under its slug.
    SlugFixed,
    /// As [`Kept::Refused`].
    Refused {
        ordered: u32,
    },
    /// It is announced, and its mail cannot do without these.
    NeededNow(Vec<Missing>),
}

/// A file that waits for a form to be right.
#[derive(Debug)]
pub struct Upload<'a> {
    pub id: &'a str,
    /// Of the account.
    pub owner: &'a str,
    pub file: EditionFile,
    pub bytes: &'a [u8],
}

/// Editions, their files and their announcements.
#[async_trait]
pub trait Editions: Send + Sync {
    /// Adds the edition, or replaces the one with its slug, with exactly these files. Orders are kept.
    async fn keep_edition(&self, edition: &Edition, files: &[(EditionFile, Vec<u8>)], now: Timestamp) -> Result<Kept>;

    /// Adds or changes an edition as a form says, unless it was changed since the form was opened. Orders are kept.
    async fn save_edition(&self, form: &EditionForm<'_>, now: Timestamp) -> Result<EditionSaved>;

    /// The files that it has, with their bytes.
    async fn edition_file_sizes(&self, slug: &str) -> Result<Vec<(EditionFile, u64)>>;

    /// Keeps a file for a day; of each account the newest ten.
    async fn keep_upload(&self, upload: &Upload<'_>, now: Timestamp) -> Result<()>;

    /// Deletes kept files of this account: they are saved now.
    async fn forget_uploads(&self, ids: &[&str], owner: &str) -> Result<()>;

    /// Deletes kept files that nobody claimed within a day; returns their number.
    async fn expire_edition_uploads(&self, now: Timestamp) -> Result<u64>;

    /// A kept file of this account.
    async fn upload(&self, id: &str, owner: &str, now: Timestamp) -> Result<Option<(EditionFile, Vec<u8>)>>;

    /// Newest first.
    async fn editions(&self) -> Result<Vec<EditionStock>>;

    async fn edition(&self, slug: &str) -> Result<Option<EditionStock>>;

    async fn edition_file(&self, slug: &str, file: EditionFile) -> Result<Option<Vec<u8>>>;

    /// Stores the announcement and its occurrence, due from `first_try` on. Returns the time it is sent at, which is a
    /// second later if another edition is sent at the given one. `None` if it was announced before. The mailing's cursor
    /// must exist.
    async fn announce(
        &self,
        announcement: &Announcement,
        first_try: Timestamp,
        zone: chrono_tz::Tz,
        now: Timestamp,
    ) -> Result<Option<Timestamp>>;

    async fn announcement(&self, issue: &IssueKey) -> Result<Option<Announcement>>;

    /// Removes the announcement. `false` if there is none, or if an issue was made from it already.
    async fn take_back(&self, issue: &IssueKey, reason: &str) -> Result<bool>;

    /// What left, with the instant it was frozen at, the first one first.
    async fn announced(&self) -> Result<Vec<(EditionStock, Announcement, Timestamp)>>;

    /// The addresses that an issue of the mailing would go to now.
    async fn audience(&self, mailing: &str, audience: &str, segment: Option<&Segment>) -> Result<Vec<EmailAddress>>;
}

/// An edition `e`, and the instant of its announcement.
macro_rules! stocked {
    ($where:literal) => {
        concat!(
            "SELECT e.slug, e.definition, e.ordered, e.revision, e.changed_at,
                (SELECT MIN(a.leaves_at) FROM announcements a WHERE a.edition = e.slug) AS leaves_at
            FROM editions e ",
            $where,
            " ORDER BY e.added_at DESC, e.slug"
        )
    };
}

#[async_trait]
impl<B: Backend> Editions for Ledger<B> {
    async fn keep_edition(&self, edition: &Edition, files: &[(EditionFile, Vec<u8>)], now: Timestamp) -> Result<Kept> {
        let mut tx = Transaction::write(&self.0, "keeping an edition").await?;
        let before = hold(&mut tx, &edition.slug).await?;
        if let Some(ordered) = before.as_ref().and_then(|before| too_many_ordered(before, edition)) {
            return Ok(Kept::Refused { ordered });
        }
        let file = |it: EditionFile| match files.iter().find(|(file, _)| *file == it) {
            Some((_, bytes)) => FileChange::Put(bytes),
            None => FileChange::Remove,
        };
        let changed_files =
            write(&mut tx, edition, before.as_ref(), &EditionFile::ALL.map(|it| (it, file(it))), now).await?;
        tx.commit().await?;
        Ok(match before {
            None => Kept::Added,
            Some(before) => Kept::Before { edition: Box::new(before.edition), changed_files },
        })
    }

    async fn save_edition(&self, form: &EditionForm<'_>, now: Timestamp) -> Result<EditionSaved> {
        let mut tx = Transaction::write(&self.0, "saving an edition").await?;
        let slug = form.edition.slug.as_str();
        let mut before = None;
        if let Some((was, seen)) = form.replaces {
            let Some(known) = hold(&mut tx, was).await? else { return Ok(EditionSaved::Gone) };
            if known.revision != seen {
                return Ok(EditionSaved::Stale);
            }
            if let Some(ordered) = too_many_ordered(&known, form.edition) {
                return Ok(EditionSaved::Refused { ordered });
            }
            if known.announced_for.is_some() {
                let missing = missing(&mut tx, was, form).await?;
                if !missing.is_empty() {
                    return Ok(EditionSaved::NeededNow(missing));
                }
            }
            before = Some(known);
        }
        if before.as_ref().is_none_or(|before| before.edition.slug != slug) {
            let was = before.as_ref().map(|before| before.edition.slug.as_str());
            if let Some(was) = was
                && is_named(&mut tx, was).await?
            {
                return Ok(EditionSaved::SlugFixed);
            }
            // Of two who take the slug at the same time one finds it taken.
            if !take_slug(&mut tx, form.edition, was, now).await? {
                return Ok(EditionSaved::SlugTaken);
            }
        }
        let changed = write(&mut tx, form.edition, before.as_ref(), form.files, now).await?;
        if before.is_some_and(|before| before.edition == *form.edition) && changed.is_empty() {
            return Ok(EditionSaved::Unchanged);
        }
        tx.commit().await?;
        Ok(EditionSaved::Done)
    }

    async fn edition_file_sizes(&self, slug: &str) -> Result<Vec<(EditionFile, u64)>> {
        let mut tx = Transaction::read(&self.0, "reading the files of an edition").await?;
        let mut sizes = Vec::new();
        for file in EditionFile::ALL {
            let select = "SELECT edition, CAST(LENGTH(bytes) AS BIGINT) AS size FROM edition_files
                WHERE edition = $1 AND name = $2";
            if let Some(row) = tx.row(select, values![slug, file.as_str()]).await? {
                sizes.push((file, rows::Reader::new(&row, "edition_files", "edition").number("size")?));
            }
        }
        Ok(sizes)
    }

    async fn keep_upload(&self, upload: &Upload<'_>, now: Timestamp) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "keeping an upload").await?;
        // Of each account only the newest ones.
        let oldest = "DELETE FROM edition_uploads WHERE owner = $1 AND id NOT IN
            (SELECT id FROM edition_uploads WHERE owner = $1 ORDER BY kept_at DESC, id DESC LIMIT $2)";
        tx.execute(oldest, values![upload.owner, MOST_UPLOADS - 1]).await?;
        let insert = "INSERT INTO edition_uploads (id, owner, name, bytes, kept_at) VALUES ($1, $2, $3, $4, $5)";
        let values = values![upload.id, upload.owner, upload.file.as_str(), upload.bytes, now];
        tx.execute(insert, values).await?;
        tx.commit().await
    }

    async fn forget_uploads(&self, ids: &[&str], owner: &str) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "deleting uploads").await?;
        for id in ids {
            tx.execute("DELETE FROM edition_uploads WHERE id = $1 AND owner = $2", values![*id, owner]).await?;
        }
        tx.commit().await
    }

    async fn expire_edition_uploads(&self, now: Timestamp) -> Result<u64> {
        let mut tx = Transaction::write(&self.0, "deleting expired uploads").await?;
        let delete = "DELETE FROM edition_uploads WHERE kept_at < $1";
        let gone = tx.execute(delete, values![now - UPLOADS_ARE_KEPT]).await?;
        tx.commit().await?;
        Ok(gone)
    }

    async fn upload(&self, id: &str, owner: &str, now: Timestamp) -> Result<Option<(EditionFile, Vec<u8>)>> {
        let mut tx = Transaction::read(&self.0, "reading an upload").await?;
        let select =
            "SELECT id AS edition, name, bytes FROM edition_uploads WHERE id = $1 AND owner = $2 AND kept_at >= $3";
        let Some(row) = tx.row(select, values![id, owner, now - UPLOADS_ARE_KEPT]).await? else { return Ok(None) };
        let name =
            rows::Reader::new(&row, "edition_uploads", "edition").word("name", &EditionFile::ALL, |it| it.as_str())?;
        Ok(Some((name, rows::file(&row)?)))
    }

    async fn editions(&self) -> Result<Vec<EditionStock>> {
        let mut tx = Transaction::read(&self.0, "reading the editions").await?;
        tx.rows(stocked!(""), values![]).await?.iter().map(rows::stocked).collect()
    }

    async fn edition(&self, slug: &str) -> Result<Option<EditionStock>> {
        of(&mut Transaction::read(&self.0, "reading an edition").await?, slug).await
    }

    async fn edition_file(&self, slug: &str, file: EditionFile) -> Result<Option<Vec<u8>>> {
        let mut tx = Transaction::read(&self.0, "reading a file of an edition").await?;
        let select = "SELECT edition, bytes FROM edition_files WHERE edition = $1 AND name = $2";
        tx.row(select, values![slug, file.as_str()]).await?.map(|row| rows::file(&row)).transpose()
    }

    async fn announce(
        &self,
        announcement: &Announcement,
        first_try: Timestamp,
        zone: chrono_tz::Tz,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let mut tx = Transaction::write(&self.0, "announcing an edition").await?;
        let Announcement { issue, edition, segment, leaves_at, by } = announcement;
        // A concurrent change of the edition waits for this transaction, and then sees the announcement.
        hold(&mut tx, edition).await?;
        let known = "SELECT key FROM issues WHERE key = $1";
        if tx.row(known, values![issue]).await?.is_some() {
            return Ok(None);
        }
        // These instants are not from a schedule: two editions announced for the same one are sent a second apart.
        let insert = "INSERT INTO occurrences (mailing, scheduled_for, local, state, issue, next_try)
            VALUES ($1, $2, $3, 'pending', $4, $5) ON CONFLICT (mailing, scheduled_for) DO NOTHING";
        let mut at = *leaves_at;
        let wish = "INSERT INTO announcements (issue, edition, segment, leaves_at, announced_at, announced_by)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (issue) DO NOTHING";
        let segment = segment.as_deref().unwrap_or_default();
        if tx.execute(wish, values![issue, edition.as_str(), segment, at, now, by.as_str()]).await? == 0 {
            return Ok(None);
        }
        while tx
            .execute(insert, values![issue.mailing(), at, label(at, zone), issue, first_try + (at - *leaves_at)])
            .await?
            == 0
        {
            at += TimeDelta::seconds(1);
        }
        if at != *leaves_at {
            tx.execute("UPDATE announcements SET leaves_at = $2 WHERE issue = $1", values![issue, at]).await?;
        }
        tx.commit().await?;
        Ok(Some(at))
    }

    async fn announcement(&self, issue: &IssueKey) -> Result<Option<Announcement>> {
        let mut tx = Transaction::read(&self.0, "reading an announcement").await?;
        let select = "SELECT issue, edition, segment, leaves_at, announced_by FROM announcements WHERE issue = $1";
        tx.row(select, values![issue]).await?.map(|row| rows::announcement(&row)).transpose()
    }

    async fn take_back(&self, issue: &IssueKey, reason: &str) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "taking an announcement back").await?;
        // If it was composed already there is an issue, which is cancelled instead.
        let delete = "DELETE FROM announcements WHERE issue = $1 AND NOT EXISTS (SELECT 1 FROM issues WHERE key = $1)";
        if tx.execute(delete, values![issue]).await? == 0 {
            return Ok(false);
        }
        let settle = "UPDATE occurrences SET state = 'missed', reason = $2 WHERE issue = $1 AND state = 'pending'";
        tx.execute(settle, values![issue, reason]).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn announced(&self) -> Result<Vec<(EditionStock, Announcement, Timestamp)>> {
        let mut tx = Transaction::read(&self.0, "looking for editions to remind of").await?;
        let select =
            "SELECT a.issue, a.edition, a.segment, a.leaves_at, a.announced_by, i.frozen_at FROM announcements a
            CROSS JOIN issues i WHERE i.key = a.issue AND i.frozen_at IS NOT NULL AND i.state IN ('sending', 'done')
            ORDER BY i.frozen_at";
        let mut found = Vec::new();
        for row in tx.rows(select, values![]).await? {
            let announcement = rows::announcement(&row)?;
            let frozen_at = rows::Reader::new(&row, "issues", "issue").instant("frozen_at")?;
            if let Some(stocked) = of(&mut tx, &announcement.edition).await? {
                found.push((stocked, announcement, frozen_at));
            }
        }
        Ok(found)
    }

    async fn audience(&self, mailing: &str, audience: &str, segment: Option<&Segment>) -> Result<Vec<EmailAddress>> {
        let mut tx = Transaction::read(&self.0, "reading the audience").await?;
        let (from, values) = audience_clause(&mut tx, mailing, audience, segment).await?;
        let select = format!("SELECT c.id, c.address {from} ORDER BY c.email_key");
        let read = |row| rows::Reader::new(row, "contacts", "id").address("address");
        tx.rows(sqlx::AssertSqlSafe(select), values).await?.iter().map(read).collect()
    }
}

/// What the edition lacks to be announced, as the form says; `was`: its slug until now.
async fn missing<B: Backend>(tx: &mut Transaction<B>, was: &str, form: &EditionForm<'_>) -> Result<Vec<Missing>> {
    let cover = form.files.iter().find(|(file, _)| *file == EditionFile::Cover).map(|(_, change)| change);
    let has_cover = match cover {
        Some(FileChange::Put(_)) => true,
        Some(FileChange::Remove) => false,
        Some(FileChange::Keep) | None => has_file(tx, was, EditionFile::Cover).await?,
    };
    Ok(form.edition.missing(has_cover))
}

async fn has_file<B: Backend>(tx: &mut Transaction<B>, slug: &str, file: EditionFile) -> Result<bool> {
    let select = "SELECT edition FROM edition_files WHERE edition = $1 AND name = $2";
    Ok(tx.row(select, values![slug, file.as_str()]).await?.is_some())
}

/// The ordered packs, if there would be fewer packs, or packs of another size.
fn too_many_ordered(before: &EditionStock, edition: &Edition) -> Option<u32> {
    let pack = |it: &Edition| it.printed.map(|printed| printed.pack);
    let packs = edition.printed.map_or(0, Printed::packs);
    let other = pack(&before.edition) != pack(edition) || before.ordered > packs;
    (before.ordered > 0 && other).then_some(before.ordered)
}

/// Writes the definition and the files; returns the files that changed. The revision rises only if something changed.
async fn write<B: Backend>(
    tx: &mut Transaction<B>,
    edition: &Edition,
    before: Option<&EditionStock>,
    files: &[(EditionFile, FileChange<'_>)],
    now: Timestamp,
) -> Result<Vec<EditionFile>> {
    let (slug, packs) = (edition.slug.as_str(), edition.printed.map_or(0, Printed::packs));
    let upsert = "INSERT INTO editions (slug, definition, packs, added_at, changed_at) VALUES ($1, $2, $3, $4, $4)
        ON CONFLICT (slug) DO UPDATE SET definition = excluded.definition, packs = excluded.packs,
            changed_at = excluded.changed_at";
    tx.execute(upsert, values![slug, json!(edition), packs, now]).await?;
    let mut changed = Vec::new();
    let select = "SELECT edition, bytes FROM edition_files WHERE edition = $1 AND name = $2";
    let insert = "INSERT INTO edition_files (edition, name, media_type, bytes) VALUES ($1, $2, $3, $4)
        ON CONFLICT (edition, name) DO UPDATE SET bytes = excluded.bytes, media_type = excluded.media_type";
    for (file, change) in files {
        let known = match change {
            FileChange::Keep => continue,
            _ => tx.row(select, values![slug, file.as_str()]).await?,
        };
        let known = known.map(|row| rows::file(&row)).transpose()?;
        match change {
            FileChange::Put(bytes) if known.as_deref() != Some(*bytes) => {
                tx.execute(insert, values![slug, file.as_str(), file.media_type(), *bytes]).await?;
                changed.push(*file);
            }
            FileChange::Remove if known.is_some() => {
                let delete = "DELETE FROM edition_files WHERE edition = $1 AND name = $2";
                tx.execute(delete, values![slug, file.as_str()]).await?;
                changed.push(*file);
            }
            _ => {}
        }
    }
    if before.is_some_and(|before| before.edition != *edition || !changed.is_empty()) {
        tx.execute("UPDATE editions SET revision = revision + 1 WHERE slug = $1", values![slug]).await?;
    }
    Ok(changed)
}

/// Whether anything refers to the edition by its slug: an announcement, or an order.
async fn is_named<B: Backend>(tx: &mut Transaction<B>, slug: &str) -> Result<bool> {
    let select = "SELECT 1 AS one WHERE EXISTS (SELECT 1 FROM announcements WHERE edition = $1)
        OR EXISTS (SELECT 1 FROM orders WHERE edition = $1)";
    Ok(tx.row(select, values![slug]).await?.is_some())
}

/// The row of a new slug: that of the edition until now (`was`), or a new one. `false`: there is such a slug.
async fn take_slug<B: Backend>(
    tx: &mut Transaction<B>,
    edition: &Edition,
    was: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let slug = edition.slug.as_str();
    let Some(was) = was else {
        let packs = edition.printed.map_or(0, Printed::packs);
        let insert = "INSERT INTO editions (slug, definition, packs, added_at, changed_at) VALUES ($1, $2, $3, $4, $4)
            ON CONFLICT (slug) DO NOTHING";
        return Ok(tx.execute(insert, values![slug, json!(edition), packs, now]).await? == 1);
    };
    let copy = "INSERT INTO editions (slug, definition, packs, ordered, added_at, changed_at, revision)
        SELECT $2, definition, packs, ordered, added_at, changed_at, revision FROM editions WHERE slug = $1
        ON CONFLICT (slug) DO NOTHING";
    if tx.execute(copy, values![was, slug]).await? == 0 {
        return Ok(false);
    }
    tx.execute("UPDATE edition_files SET edition = $2 WHERE edition = $1", values![was, slug]).await?;
    tx.execute("DELETE FROM editions WHERE slug = $1", values![was]).await?;
    Ok(true)
}

/// Locks the edition until the end of the transaction: others that count its packs wait here.
pub(super) async fn hold<B: Backend>(tx: &mut Transaction<B>, slug: &str) -> Result<Option<EditionStock>> {
    // Written first: on Postgres the second transaction then reads what the first one left.
    tx.execute("UPDATE editions SET ordered = ordered WHERE slug = $1", values![slug]).await?;
    of(tx, slug).await
}

pub(super) async fn of<B: Backend>(tx: &mut Transaction<B>, slug: &str) -> Result<Option<EditionStock>> {
    tx.row(stocked!("WHERE e.slug = $1"), values![slug]).await?.map(|row| rows::stocked(&row)).transpose()
}

/// The number of addresses of [`Editions::audience`].
pub(super) async fn audience_size<B: Backend>(
    db: &B,
    mailing: &str,
    audience: &str,
    segment: Option<&Segment>,
) -> Result<u64> {
    let mut tx = Transaction::read(db, "counting recipients").await?;
    let row = match segment {
        // Subscribers are counted in an index; the suppressed among them, who are few, are looked up one by one (as a join,
        // Postgres reads all contacts for them). Every contact has a partner, and an address of its own.
        None => {
            let select = "SELECT (SELECT COUNT(*) FROM subscriptions u WHERE u.mailing = $2 AND u.ended_at IS NULL)
                - (SELECT COUNT((SELECT u.contact FROM subscriptions u
                        WHERE u.contact = (SELECT min(c.id) FROM contacts c WHERE c.address_hash = s.address_hash)
                            AND u.mailing = $2 AND u.ended_at IS NULL))
                    FROM (SELECT DISTINCT address_hash FROM suppressions WHERE scope IN ('*', $1)) AS s) AS n";
            tx.row(select, values![mailing, audience]).await?
        }
        Some(_) => {
            let (from, values) = audience_clause(&mut tx, mailing, audience, segment).await?;
            tx.row(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) AS n {from}")), values).await?
        }
    };
    row.map_or(Ok(0), |row| rows::Reader::new(&row, "contacts", "n").number("n"))
}

/// The first `most` recipients, by establishment and name.
pub(super) async fn audience_sample<B: Backend>(
    tx: &mut Transaction<B>,
    mailing: &str,
    audience: &str,
    segment: Option<&Segment>,
    most: u32,
) -> Result<Vec<AudienceMember>> {
    let (condition, values) = audience_condition(tx, mailing, audience, segment).await?;
    // From partner to partner by name, until there are enough. SQLite keeps the order of a subquery only if it has a LIMIT, hence
    // one that limits nothing.
    let select = format!(
        "SELECT c.id, c.name, c.address, p.name AS establishment FROM (SELECT id, name FROM partners ORDER BY name LIMIT 9223372036854775807) AS p
            CROSS JOIN contacts c CROSS JOIN subscriptions u
        WHERE c.partner = p.id AND u.contact = c.id AND {condition} ORDER BY p.name, c.name, c.id LIMIT {most}"
    );
    let found = tx.rows(sqlx::AssertSqlSafe(select), values).await?;
    let member = |row| {
        let row = rows::Reader::new(row, "contacts", "id");
        Ok(AudienceMember {
            id: row.text("id")?,
            establishment: row.text("establishment")?,
            name: row.text("name")?,
            address: row.text("address")?,
        })
    };
    found.iter().map(member).collect()
}

/// `FROM` and `WHERE` of the subscribed contacts `c` that match the segment and are not suppressed, with the bound values.
async fn audience_clause<B: Backend>(
    tx: &mut Transaction<B>,
    mailing: &str,
    audience: &str,
    segment: Option<&Segment>,
) -> Result<(String, Vec<Value>)> {
    let (condition, values) = audience_condition(tx, mailing, audience, segment).await?;
    let from = "FROM contacts c JOIN partners p ON p.id = c.partner JOIN subscriptions u ON u.contact = c.id";
    Ok((format!("{from} WHERE {condition}"), values))
}

/// What holds for a subscription `u` of the audience and its contact `c`.
async fn audience_condition<B: Backend>(
    tx: &mut Transaction<B>,
    mailing: &str,
    audience: &str,
    segment: Option<&Segment>,
) -> Result<(String, Vec<Value>)> {
    let mut clause = "u.mailing = $2 AND u.ended_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM suppressions s
            WHERE s.address_hash = c.address_hash AND s.scope IN ('*', $1))"
        .to_owned();
    let mut values = values![mailing, audience];
    if let Some(segment) = segment {
        let segment = super::segment::resolved(tx, segment).await?;
        let (condition, more) = super::segment::condition::<B>(&segment, values.len() + 1);
        values.extend(more);
        clause.push_str(" AND ");
        clause.push_str(&condition);
    }
    Ok((clause, values))
}

/// The condition on `c` for an audience: constant text, with the value of `$5`, which is the audience's name otherwise.
pub(super) fn among<'a>(whom: &'a RecipientScope, audience: &'a str) -> (&'static str, &'a str) {
    match whom {
        RecipientScope::Audience => {
            ("JOIN subscriptions u ON u.contact = c.id AND u.mailing = $5 AND u.ended_at IS NULL", audience)
        }
        RecipientScope::Contact(id) => ("JOIN (SELECT CAST($5 AS TEXT) AS id) AS one ON one.id = c.id", id),
        // Recipients of the first mail who never ordered, not even an order that was cancelled.
        RecipientScope::NotOrdered(announcement) => (
            "JOIN deliveries d ON d.contact_id = c.id AND d.issue = $5 AND d.state = 'sent'
             JOIN announcements n ON n.issue = d.issue
                AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.edition = n.edition AND o.contact_id = c.id)",
            announcement.as_str(),
        ),
        RecipientScope::Reached(issue) => (
            "JOIN deliveries d ON d.contact_id = c.id AND d.issue = $5 AND d.state IN ('sent', 'unknown')",
            issue.as_str(),
        ),
    }
}
