-- The first deliveries of an issue, which are answered before any other is claimed (docs/adr/0016). NULL: it has none, or they were
-- not chosen yet.
ALTER TABLE issues ADD COLUMN canary_size INTEGER;
ALTER TABLE issues ADD COLUMN canary_over_at INTEGER;
CREATE TABLE canaries (
    issue    TEXT NOT NULL REFERENCES issues,
    delivery TEXT NOT NULL,
    PRIMARY KEY (issue, delivery)
) STRICT, WITHOUT ROWID;
