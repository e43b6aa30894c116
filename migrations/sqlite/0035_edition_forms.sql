-- Raised by each change of an edition or its files: a form that was opened before another change does not overwrite it.
ALTER TABLE editions ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;

-- Who took the order by telephone; '' for one that the partner placed.
ALTER TABLE orders ADD COLUMN taken_by TEXT NOT NULL DEFAULT '';

-- Files that came with a form that could not be saved as a whole: kept for a day, for the account that sent them.
CREATE TABLE edition_uploads (
    id      TEXT PRIMARY KEY,
    -- Of the account.
    owner   TEXT NOT NULL,
    name    TEXT NOT NULL CHECK (name IN ('cover', 'pdf')),
    bytes   BLOB NOT NULL,
    kept_at INTEGER NOT NULL
) STRICT;
CREATE INDEX edition_uploads_by_owner ON edition_uploads (owner, kept_at);
