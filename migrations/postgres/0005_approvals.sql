-- An issue may wait for a person's word: it is composed, kept, and leaves only if exactly its content was approved.
ALTER TABLE issues
    -- When its content was collected: the next issue begins there.
    ADD COLUMN composed_at BIGINT,
    DROP CONSTRAINT issues_state_check,
    DROP CONSTRAINT issues_check,
    DROP CONSTRAINT issues_check1,
    ADD CHECK (state IN ('held', 'awaiting_approval', 'sending', 'paused', 'done', 'expired', 'cancelled')),
    ADD CHECK (state IN ('held', 'awaiting_approval', 'expired', 'cancelled') OR frozen_at IS NOT NULL),
    ADD CHECK (state NOT IN ('held', 'awaiting_approval') OR frozen_at IS NULL),
    ADD CHECK (state <> 'awaiting_approval' OR content_hash IS NOT NULL);

-- Who said yes to what, and when. Rows are added, never changed: an approval of other content stays as history.
CREATE TABLE approvals (
    issue        TEXT COLLATE "C" NOT NULL REFERENCES issues,
    content_hash TEXT COLLATE "C" NOT NULL,
    approved_by  TEXT COLLATE "C" NOT NULL,
    approved_at  BIGINT NOT NULL,
    PRIMARY KEY (issue, content_hash, approved_by)
);

-- The communications officer's own words for an issue; may be written before there is one.
CREATE TABLE editorials (
    issue      TEXT COLLATE "C" PRIMARY KEY,
    text       TEXT NOT NULL,
    written_by TEXT NOT NULL,
    written_at BIGINT NOT NULL
);

-- Pictures within a mail, which its HTML names by their Content-ID.
CREATE TABLE inline_parts (
    issue      TEXT COLLATE "C" NOT NULL REFERENCES issues,
    n          BIGINT NOT NULL,
    content_id TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes      BYTEA NOT NULL,
    PRIMARY KEY (issue, n)
);
