-- Who works on this ledger: for people who look, never for decisions. Those are made by leases.
CREATE TABLE daemons (
    owner         TEXT COLLATE "C" PRIMARY KEY,
    host          TEXT NOT NULL,
    pid           BIGINT NOT NULL,
    version       TEXT NOT NULL,
    started_at    BIGINT NOT NULL,
    seen_at       BIGINT NOT NULL,
    relay_trouble TEXT,
    relay_until   BIGINT,
    CHECK ((relay_trouble IS NULL) = (relay_until IS NULL))
);
