-- An issue may be rehearsed before its hour, and a coming one skipped.
ALTER TABLE issues
    DROP CONSTRAINT issues_state_check,
    DROP CONSTRAINT issues_check,
    DROP CONSTRAINT issues_check1,
    DROP CONSTRAINT issues_check2,
    ADD CHECK (state IN ('held', 'awaiting_approval', 'rehearsed', 'approved', 'sending', 'paused', 'done', 'expired',
                         'cancelled')),
    ADD CHECK (state IN ('held', 'awaiting_approval', 'rehearsed', 'approved', 'expired', 'cancelled') OR frozen_at IS NOT NULL),
    ADD CHECK (state NOT IN ('held', 'awaiting_approval', 'rehearsed', 'approved') OR frozen_at IS NULL),
    ADD CHECK (state NOT IN ('awaiting_approval', 'rehearsed', 'approved') OR content_hash IS NOT NULL);
ALTER TABLE occurrences
    DROP CONSTRAINT occurrences_state_check,
    ADD CHECK (state IN ('pending', 'done', 'missed', 'coalesced', 'skipped'));

-- Coming issues that a person does not want to leave. Until their hour the row may be taken back.
CREATE TABLE skips (
    issue      TEXT COLLATE "C" PRIMARY KEY,
    why        TEXT NOT NULL,
    skipped_by TEXT NOT NULL,
    skipped_at BIGINT NOT NULL
);
