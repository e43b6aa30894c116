-- The first deliveries of an issue, which are answered before any other is claimed (docs/adr/0016). NULL: it has none, or they were
-- not chosen yet.
ALTER TABLE issues ADD COLUMN canary_size INTEGER;
ALTER TABLE issues ADD COLUMN canary_over_at INTEGER;
CREATE TABLE canaries (
    issue    TEXT NOT NULL REFERENCES issues,
    delivery TEXT NOT NULL,
    PRIMARY KEY (issue, delivery)
) STRICT, WITHOUT ROWID;

-- The words of a bounce without what is the recipient's own, and the recipient's domain: equal ones of one issue are counted
-- (docs/adr/0017). Both '' of other messages, of earlier ones, and once the person was erased.
ALTER TABLE feedback ADD COLUMN alike TEXT NOT NULL DEFAULT '';
ALTER TABLE feedback ADD COLUMN domain TEXT NOT NULL DEFAULT '';
CREATE INDEX feedback_alike ON feedback (alike, delivery) WHERE alike <> '';

-- Bounces that came back alike for so many recipients of an issue that they are about us: they suppress nobody.
CREATE TABLE mass_bounces (
    issue      TEXT NOT NULL,
    -- The family of recipients whose provider returned them; '' for any.
    family     TEXT NOT NULL,
    alike      TEXT NOT NULL,
    -- The words of one of them.
    said       TEXT NOT NULL,
    recipients INTEGER NOT NULL,
    found_at   INTEGER NOT NULL,
    -- When sending was paused and staff were notified.
    acted_at   INTEGER,
    PRIMARY KEY (issue, family, alike)
) STRICT, WITHOUT ROWID;
CREATE INDEX mass_bounces_found ON mass_bounces (found_at);
