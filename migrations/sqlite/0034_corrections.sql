-- What was last read for an issue, before any correction: it can be corrected and composed again without the web site.
CREATE TABLE readings (
    issue   TEXT PRIMARY KEY,
    read_at INTEGER NOT NULL,
    -- Title and address of the article.
    title   TEXT NOT NULL,
    url     TEXT,
    -- JSON
    agenda  TEXT NOT NULL,
    -- JSON: optional sources that failed, in French.
    missing TEXT NOT NULL,
    -- Rises with each change of a correction; content that was composed with an earlier one is not kept, approved or frozen.
    revision INTEGER NOT NULL DEFAULT 0,
    -- The revision of the kept content.
    composed INTEGER
) STRICT;

-- What a person says of one line of an agenda; applied again at each reading.
CREATE TABLE corrections (
    id           TEXT PRIMARY KEY,
    issue        TEXT NOT NULL,
    -- Names the event it is about: at most one correction of an event counts.
    target       TEXT NOT NULL,
    -- JSON: the line in the article's words, and its place.
    anchor       TEXT NOT NULL,
    -- JSON: what changes.
    patch        TEXT NOT NULL,
    why          TEXT NOT NULL,
    made_by      TEXT NOT NULL,
    made_at      INTEGER NOT NULL,
    withdrawn_by TEXT,
    withdrawn_at INTEGER
) STRICT;
CREATE UNIQUE INDEX corrections_in_force ON corrections (issue, target) WHERE withdrawn_at IS NULL;

-- Lines that are no event: left out of every issue of the mailing.
CREATE TABLE dismissals (
    mailing TEXT NOT NULL,
    -- The line in lower case and without accents and signs.
    words   TEXT NOT NULL,
    -- As written.
    line    TEXT NOT NULL,
    why     TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (mailing, words)
) STRICT;
