-- What persons decided about one issue against the rules of its mailing; applied at each reading and composing.
CREATE TABLE exceptions (
    id           TEXT COLLATE "C" PRIMARY KEY,
    issue        TEXT COLLATE "C" NOT NULL,
    kind         TEXT COLLATE "C" NOT NULL CHECK (kind IN ('source', 'too_few', 'too_many_unplaced', 'article')),
    -- The name of the source; empty for other kinds. At most one exception of a kind and target counts.
    target       TEXT COLLATE "C" NOT NULL,
    -- JSON: the rule that is set aside, with the numbers that were shown.
    rule         TEXT NOT NULL,
    why          TEXT NOT NULL,
    made_by      TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    withdrawn_by TEXT,
    withdrawn_at BIGINT
);
CREATE UNIQUE INDEX exceptions_in_force ON exceptions (issue, kind, target) WHERE withdrawn_at IS NULL;
CREATE INDEX exceptions_of_issue ON exceptions (issue);

-- Why an issue is held, as data: valid while the reason of the issue is this one.
CREATE TABLE holds (
    issue   TEXT COLLATE "C" PRIMARY KEY,
    reason  TEXT NOT NULL,
    -- JSON
    hold    TEXT NOT NULL,
    held_at BIGINT NOT NULL
);

-- The articles that the sources had at the last reading, each with why it was not taken.
CREATE TABLE sightings (
    issue    TEXT COLLATE "C" PRIMARY KEY,
    seen_at  BIGINT NOT NULL,
    -- JSON
    articles TEXT NOT NULL
);

-- How many changes of exceptions that decide what is read there were before this reading: after another one it counts no more.
ALTER TABLE readings ADD COLUMN exceptions BIGINT NOT NULL DEFAULT 0;
