-- The first deliveries of an issue, which are answered before any other is claimed (docs/adr/0016). NULL: it has none, or they were
-- not chosen yet.
ALTER TABLE issues ADD COLUMN canary_size BIGINT;
ALTER TABLE issues ADD COLUMN canary_over_at BIGINT;
CREATE TABLE canaries (
    issue    TEXT COLLATE "C" NOT NULL REFERENCES issues,
    delivery TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (issue, delivery)
);
