-- An issue may wait for a person's word: it is composed, kept, and leaves only if exactly its content was approved.
-- SQLite cannot change a CHECK: the table is made anew. Its rows come back under the same keys before the transaction ends,
-- which is when the foreign keys of the others are asked.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE issues_before AS SELECT * FROM issues;
DROP TABLE issues;
CREATE TABLE issues (
    key           TEXT PRIMARY KEY,
    mailing       TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('held', 'awaiting_approval', 'sending', 'paused', 'done', 'expired',
                                                 'cancelled')),
    reason        TEXT,
    scheduled_for INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    -- When its content was collected: the next issue begins there.
    composed_at   INTEGER,
    frozen_at     INTEGER,
    closed_at     INTEGER,
    subject       TEXT,
    content_hash  TEXT,
    CHECK (state IN ('held', 'awaiting_approval', 'expired', 'cancelled') OR frozen_at IS NOT NULL),
    CHECK (state NOT IN ('held', 'awaiting_approval') OR frozen_at IS NULL),
    CHECK (state <> 'awaiting_approval' OR content_hash IS NOT NULL)
) STRICT;
INSERT INTO issues (key, mailing, state, reason, scheduled_for, expires_at, created_at, frozen_at, closed_at, subject,
        content_hash)
    SELECT key, mailing, state, reason, scheduled_for, expires_at, created_at, frozen_at, closed_at, subject, content_hash
    FROM issues_before;
DROP TABLE issues_before;

-- Who said yes to what, and when. Rows are added, never changed: an approval of other content stays as history.
CREATE TABLE approvals (
    issue        TEXT NOT NULL REFERENCES issues,
    content_hash TEXT NOT NULL,
    approved_by  TEXT NOT NULL,
    approved_at  INTEGER NOT NULL,
    PRIMARY KEY (issue, content_hash, approved_by)
) STRICT;

-- The communications officer's own words for an issue; may be written before there is one.
CREATE TABLE editorials (
    issue      TEXT PRIMARY KEY,
    text       TEXT NOT NULL,
    written_by TEXT NOT NULL,
    written_at INTEGER NOT NULL
) STRICT;

-- Pictures within a mail, which its HTML names by their Content-ID.
CREATE TABLE inline_parts (
    issue      TEXT NOT NULL REFERENCES issues,
    n          INTEGER NOT NULL,
    content_id TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes      BLOB NOT NULL,
    PRIMARY KEY (issue, n)
) STRICT;
