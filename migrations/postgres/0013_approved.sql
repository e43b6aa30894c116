-- An approved issue is in a state of its own; until now it was held or awaiting approval, with an approval of its content.
ALTER TABLE issues
    DROP CONSTRAINT issues_state_check,
    DROP CONSTRAINT issues_check,
    DROP CONSTRAINT issues_check1,
    DROP CONSTRAINT issues_check2,
    ADD CHECK (state IN ('held', 'awaiting_approval', 'approved', 'sending', 'paused', 'done', 'expired', 'cancelled')),
    ADD CHECK (state IN ('held', 'awaiting_approval', 'approved', 'expired', 'cancelled') OR frozen_at IS NOT NULL),
    ADD CHECK (state NOT IN ('held', 'awaiting_approval', 'approved') OR frozen_at IS NULL),
    ADD CHECK (state NOT IN ('awaiting_approval', 'approved') OR content_hash IS NOT NULL);
UPDATE issues SET state = 'approved'
    WHERE state IN ('held', 'awaiting_approval') AND EXISTS (
        SELECT 1 FROM approvals a WHERE a.issue = issues.key AND a.content_hash = issues.content_hash
    );

-- What ended a hold is a word, and its sentence is made when it is mailed.
UPDATE notices SET text = CASE text
        WHEN 'L’édition peut partir' THEN 'edition_ready'
        WHEN 'Une personne a donné son accord' THEN 'approved'
        ELSE 'article_complete'
    END
    WHERE kind = 'resolved';
