-- A lane that is suspended again waits longer (step), a slow one may have a rate, and one issue alone may be stopped in it.
CREATE TABLE stepped_lanes (
    lane       TEXT NOT NULL,
    -- The issue it holds for; '' is all of them.
    only_issue TEXT NOT NULL,
    pace       TEXT NOT NULL CHECK (pace IN ('slow', 'suspended', 'paused')),
    why        TEXT NOT NULL,
    since      INTEGER NOT NULL,
    -- NULL: until a person reopens it.
    until_at   INTEGER,
    issue      TEXT NOT NULL,
    step       INTEGER NOT NULL,
    per_minute INTEGER,
    PRIMARY KEY (lane, only_issue),
    CHECK ((pace = 'paused') = (until_at IS NULL))
) STRICT;
INSERT INTO stepped_lanes (lane, only_issue, pace, why, since, until_at, issue, step, per_minute)
    SELECT lane, '', pace, why, since, until_at, issue, 0, NULL FROM lanes;
DROP TABLE lanes;
ALTER TABLE stepped_lanes RENAME TO lanes;
