-- Lanes that are not open: what a provider said, kept so that a restart does not forget it. No row: open.
CREATE TABLE lanes (
    lane     TEXT COLLATE "C" PRIMARY KEY,
    pace     TEXT NOT NULL CHECK (pace IN ('slow', 'suspended', 'paused')),
    why      TEXT NOT NULL,
    since    BIGINT NOT NULL,
    -- NULL: until a person reopens it.
    until_at BIGINT,
    issue    TEXT NOT NULL,
    CHECK ((pace = 'paused') = (until_at IS NULL))
);

-- How often the content of an issue was refused in a lane; '' stands for all domains of no family.
CREATE TABLE content_refusals (
    issue    TEXT COLLATE "C" NOT NULL,
    lane     TEXT COLLATE "C" NOT NULL,
    refusals BIGINT NOT NULL,
    PRIMARY KEY (issue, lane)
);
