-- Since when the relay takes no mail of this daemon.
ALTER TABLE daemons ADD COLUMN relay_since INTEGER;

-- What is wrong, as far as somebody is told of it by a second channel: there from the moment it is noticed until it is over.
CREATE TABLE findings (
    key   TEXT PRIMARY KEY,
    since INTEGER NOT NULL
) STRICT;

-- Alerts owed to each channel, as the outbox of notices is by mail: written with the finding, closed when taken or given up.
CREATE TABLE alerts (
    -- The same at every try, so that a receiver knows one that it has.
    id         TEXT NOT NULL,
    channel    TEXT NOT NULL CHECK (channel IN ('webhook', 'command')),
    finding    TEXT NOT NULL,
    payload    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,
    error      TEXT,
    closed_at  INTEGER,
    PRIMARY KEY (id, channel)
) STRICT;
CREATE INDEX alerts_owed ON alerts (next_at) WHERE closed_at IS NULL;
