-- Lanes that are not open: what a provider said, kept so that a restart does not forget it. No row: open.
CREATE TABLE lanes (
    lane     TEXT PRIMARY KEY,
    pace     TEXT NOT NULL CHECK (pace IN ('slow', 'suspended', 'paused')),
    why      TEXT NOT NULL,
    since    INTEGER NOT NULL,
    -- NULL: until a person reopens it.
    until_at INTEGER,
    issue    TEXT NOT NULL,
    CHECK ((pace = 'paused') = (until_at IS NULL))
) STRICT;

-- How often the content of an issue was refused in a lane; '' stands for all domains of no family.
CREATE TABLE content_refusals (
    issue    TEXT NOT NULL,
    lane     TEXT NOT NULL,
    refusals INTEGER NOT NULL,
    PRIMARY KEY (issue, lane)
) STRICT;
