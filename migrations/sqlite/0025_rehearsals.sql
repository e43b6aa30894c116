-- An issue may be rehearsed before its hour, and a coming one skipped. SQLite cannot change a CHECK, so both tables are made anew.
-- Their rows come back under the same keys before the transaction ends, which is when the foreign keys are checked.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE issues_before AS SELECT * FROM issues;
DROP TABLE issues;
CREATE TABLE issues (
    key               TEXT PRIMARY KEY,
    mailing           TEXT NOT NULL,
    state             TEXT NOT NULL CHECK (state IN ('held', 'awaiting_approval', 'rehearsed', 'approved', 'sending',
                                                     'paused', 'done', 'expired', 'cancelled')),
    reason            TEXT,
    scheduled_for     INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    -- When its content was collected: the next issue begins there.
    composed_at       INTEGER,
    frozen_at         INTEGER,
    closed_at         INTEGER,
    subject           TEXT,
    content_hash      TEXT,
    message_domain    TEXT,
    -- What a person had looked at when they resumed the issue.
    resumed_at        INTEGER,
    unknown_at_resume INTEGER NOT NULL DEFAULT 0,
    CHECK (state IN ('held', 'awaiting_approval', 'rehearsed', 'approved', 'expired', 'cancelled') OR frozen_at IS NOT NULL),
    CHECK (state NOT IN ('held', 'awaiting_approval', 'rehearsed', 'approved') OR frozen_at IS NULL),
    CHECK (state NOT IN ('awaiting_approval', 'rehearsed', 'approved') OR content_hash IS NOT NULL)
) STRICT;
INSERT INTO issues (key, mailing, state, reason, scheduled_for, expires_at, created_at, composed_at, frozen_at,
        closed_at, subject, content_hash, message_domain, resumed_at, unknown_at_resume)
    SELECT key, mailing, state, reason, scheduled_for, expires_at, created_at, composed_at, frozen_at,
        closed_at, subject, content_hash, message_domain, resumed_at, unknown_at_resume
    FROM issues_before;
DROP TABLE issues_before;

CREATE TABLE occurrences_before AS SELECT * FROM occurrences;
DROP TABLE occurrences;
CREATE TABLE occurrences (
    mailing       TEXT NOT NULL REFERENCES mailings,
    scheduled_for INTEGER NOT NULL,
    local         TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('pending', 'done', 'missed', 'coalesced', 'skipped')),
    reason        TEXT,
    issue         TEXT,
    next_try      INTEGER NOT NULL,
    PRIMARY KEY (mailing, scheduled_for)
) STRICT;
INSERT INTO occurrences SELECT mailing, scheduled_for, local, state, reason, issue, next_try FROM occurrences_before;
DROP TABLE occurrences_before;
CREATE INDEX occurrences_pending ON occurrences (next_try) WHERE state = 'pending';

-- Coming issues that a person does not want to leave. Until their hour the row may be taken back.
CREATE TABLE skips (
    issue      TEXT PRIMARY KEY,
    why        TEXT NOT NULL,
    skipped_by TEXT NOT NULL,
    skipped_at INTEGER NOT NULL
) STRICT;
