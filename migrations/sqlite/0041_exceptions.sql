-- What persons decided about one issue against the rules of its mailing; applied at each reading and composing.
CREATE TABLE exceptions (
    id           TEXT PRIMARY KEY,
    issue        TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('source', 'too_few', 'too_many_unplaced', 'article')),
    -- The name of the source; empty for other kinds. At most one exception of a kind and target counts.
    target       TEXT NOT NULL,
    -- JSON: the rule that is set aside, with the numbers that were shown.
    rule         TEXT NOT NULL,
    why          TEXT NOT NULL,
    made_by      TEXT NOT NULL,
    made_at      INTEGER NOT NULL,
    withdrawn_by TEXT,
    withdrawn_at INTEGER
) STRICT;
CREATE UNIQUE INDEX exceptions_in_force ON exceptions (issue, kind, target) WHERE withdrawn_at IS NULL;
CREATE INDEX exceptions_of_issue ON exceptions (issue);

-- Why an issue is held, as data: valid while the reason of the issue is this one.
CREATE TABLE holds (
    issue   TEXT PRIMARY KEY,
    reason  TEXT NOT NULL,
    -- JSON
    hold    TEXT NOT NULL,
    held_at INTEGER NOT NULL
) STRICT;

-- The articles that the sources had at the last reading, each with why it was not taken.
CREATE TABLE sightings (
    issue    TEXT PRIMARY KEY,
    seen_at  INTEGER NOT NULL,
    -- JSON
    articles TEXT NOT NULL
) STRICT;

-- How many changes of exceptions that decide what is read there were before this reading: after another one it counts no more.
ALTER TABLE readings ADD COLUMN exceptions INTEGER NOT NULL DEFAULT 0;
