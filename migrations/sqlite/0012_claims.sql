-- A claim is a row of its own, there while it holds: it is written, marked and deleted in a small table, and the delivery, which
-- is wide and in four indexes, is written once, when the attempt ended (docs/adr/0010). A delivery that is claimed or in DATA is
-- `queued`, and has a claim.
CREATE TABLE claims (
    delivery     TEXT PRIMARY KEY,
    -- Copied for the guard of the marker: whether the issue may still send, and the address be written to.
    issue        TEXT NOT NULL,
    address_hash TEXT NOT NULL,
    attempt      INTEGER NOT NULL,
    owner        TEXT NOT NULL,
    since        INTEGER NOT NULL,
    lease_until  INTEGER NOT NULL,
    -- The marker of T5: from here on the relay may have it.
    marked_at    INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO claims (delivery, issue, address_hash, attempt, owner, since, lease_until, marked_at)
    SELECT id, issue, address_hash, attempt, owner, changed_at, lease_until, marked_at FROM deliveries WHERE state = 'claimed';
UPDATE deliveries SET state = 'queued', next_at = changed_at, owner = NULL, lease_until = NULL, marked_at = NULL
    WHERE state = 'claimed';
DELETE FROM tallies WHERE state = 'claimed';

-- The table is made anew, because SQLite cannot take columns away that its checks speak of. Foreign keys are off while it is.
CREATE TABLE lasting_deliveries (
    id            TEXT PRIMARY KEY,
    issue         TEXT NOT NULL REFERENCES issues,
    contact_id    TEXT NOT NULL,
    recipient_key TEXT NOT NULL,
    address       TEXT NOT NULL,
    address_hash  TEXT NOT NULL,
    name          TEXT NOT NULL,
    establishment TEXT NOT NULL,
    commune       TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'unknown', 'suppressed', 'expired',
                                                 'cancelled')),
    next_at       INTEGER,
    attempt       INTEGER NOT NULL DEFAULT 0,
    deferrals     INTEGER NOT NULL DEFAULT 0,
    resends       INTEGER NOT NULL DEFAULT 0,
    changed_at    INTEGER NOT NULL,
    CHECK ((state = 'queued') = (next_at IS NOT NULL))
) STRICT;
INSERT INTO lasting_deliveries (id, issue, contact_id, recipient_key, address, address_hash, name, establishment, commune,
        state, next_at, attempt, deferrals, resends, changed_at)
    SELECT id, issue, contact_id, recipient_key, address, address_hash, name, establishment, commune,
        state, next_at, attempt, deferrals, resends, changed_at
    FROM deliveries ORDER BY id;
DROP TABLE deliveries;
ALTER TABLE lasting_deliveries RENAME TO deliveries;

-- As they were: docs/store.md says what each is for.
CREATE UNIQUE INDEX deliveries_once ON deliveries (issue, recipient_key);
CREATE INDEX deliveries_by_state ON deliveries (issue, state, changed_at, id);
CREATE INDEX deliveries_queued ON deliveries (issue, next_at, id) WHERE state = 'queued';
CREATE TRIGGER deliveries_tallied AFTER UPDATE OF state ON deliveries WHEN old.state <> new.state
BEGIN
    INSERT INTO tallies VALUES (old.issue, 0, old.state, -1)
        ON CONFLICT (issue, keeper, state) DO UPDATE SET n = n - 1;
    INSERT INTO tallies VALUES (new.issue, 0, new.state, 1)
        ON CONFLICT (issue, keeper, state) DO UPDATE SET n = n + 1;
END;
