-- Who works on this ledger: for people who look, never for decisions. Those are made by leases.
CREATE TABLE daemons (
    owner         TEXT PRIMARY KEY,
    host          TEXT NOT NULL,
    pid           INTEGER NOT NULL,
    version       TEXT NOT NULL,
    started_at    INTEGER NOT NULL,
    seen_at       INTEGER NOT NULL,
    relay_trouble TEXT,
    relay_until   INTEGER,
    CHECK ((relay_trouble IS NULL) = (relay_until IS NULL))
) STRICT;
