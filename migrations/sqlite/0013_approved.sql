-- An approved issue is in a state of its own; until now it was held or awaiting approval, with an approval of its content.
-- SQLite cannot change a CHECK, so the table is made anew. Its rows come back under the same keys before the transaction ends,
-- which is when the foreign keys of the others are checked.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE issues_before AS SELECT * FROM issues;
DROP TABLE issues;
CREATE TABLE issues (
    key            TEXT PRIMARY KEY,
    mailing        TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('held', 'awaiting_approval', 'approved', 'sending', 'paused', 'done',
                                                  'expired', 'cancelled')),
    reason         TEXT,
    scheduled_for  INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    -- When its content was collected: the next issue begins there.
    composed_at    INTEGER,
    frozen_at      INTEGER,
    closed_at      INTEGER,
    subject        TEXT,
    content_hash   TEXT,
    message_domain TEXT,
    CHECK (state IN ('held', 'awaiting_approval', 'approved', 'expired', 'cancelled') OR frozen_at IS NOT NULL),
    CHECK (state NOT IN ('held', 'awaiting_approval', 'approved') OR frozen_at IS NULL),
    CHECK (state NOT IN ('awaiting_approval', 'approved') OR content_hash IS NOT NULL)
) STRICT;
INSERT INTO issues (key, mailing, state, reason, scheduled_for, expires_at, created_at, composed_at, frozen_at,
        closed_at, subject, content_hash, message_domain)
    SELECT key, mailing, CASE WHEN state IN ('held', 'awaiting_approval') AND EXISTS (
            SELECT 1 FROM approvals a WHERE a.issue = i.key AND a.content_hash = i.content_hash
        ) THEN 'approved' ELSE state END, reason, scheduled_for, expires_at, created_at, composed_at, frozen_at, closed_at,
        subject, content_hash, message_domain
    FROM issues_before i;
DROP TABLE issues_before;

-- What ended a hold is a word, and its sentence is made when it is mailed.
UPDATE notices SET text = CASE text
        WHEN 'L’édition peut partir' THEN 'edition_ready'
        WHEN 'Une personne a donné son accord' THEN 'approved'
        ELSE 'article_complete'
    END
    WHERE kind = 'resolved';
