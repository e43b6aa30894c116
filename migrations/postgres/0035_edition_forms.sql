-- Raised by each change of an edition or its files: a form that was opened before another change does not overwrite it.
ALTER TABLE editions ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;

-- Who took the order by telephone; '' for one that the partner placed.
ALTER TABLE orders ADD COLUMN taken_by TEXT NOT NULL DEFAULT '';

-- Files that came with a form that could not be saved as a whole: kept for a day, for the account that sent them.
CREATE TABLE edition_uploads (
    id      TEXT COLLATE "C" PRIMARY KEY,
    -- Of the account.
    owner   TEXT COLLATE "C" NOT NULL,
    name    TEXT NOT NULL CHECK (name IN ('cover', 'pdf')),
    bytes   BYTEA NOT NULL,
    kept_at BIGINT NOT NULL
);
CREATE INDEX edition_uploads_by_owner ON edition_uploads (owner, kept_at);
