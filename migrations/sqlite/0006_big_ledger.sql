-- A ledger of ten million deliveries: fewer and narrower indexes, and sums that are kept instead of counted.
-- The table is made anew, because SQLite cannot take a UNIQUE column away. Foreign keys are off while it is.

-- The Message-ID is not stored with each delivery: it is made of the issue, the delivery's id, and this.
ALTER TABLE issues ADD COLUMN message_domain TEXT;
UPDATE issues SET message_domain = (SELECT c.envelope->>'domain' FROM issue_content c WHERE c.issue = issues.key);

-- The id begins with the instant of freezing (12 hexadecimal digits of milliseconds) and rises with the address: an
-- issue is one range of ids, and its rows are appended, never scattered.
CREATE TABLE big_deliveries (
    id            TEXT PRIMARY KEY,
    issue         TEXT NOT NULL REFERENCES issues,
    contact_id    TEXT NOT NULL,
    recipient_key TEXT NOT NULL,
    address       TEXT NOT NULL,
    address_hash  TEXT NOT NULL,
    name          TEXT NOT NULL,
    establishment TEXT NOT NULL,
    commune       TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('queued', 'claimed', 'in_data', 'sent', 'failed', 'unknown',
                                                 'suppressed', 'expired', 'cancelled')),
    next_at       INTEGER,
    owner         TEXT,
    attempt       INTEGER NOT NULL DEFAULT 0,
    lease_until   INTEGER,
    deferrals     INTEGER NOT NULL DEFAULT 0,
    resends       INTEGER NOT NULL DEFAULT 0,
    changed_at    INTEGER NOT NULL,
    CHECK ((state = 'queued') = (next_at IS NOT NULL)),
    CHECK ((state IN ('claimed', 'in_data')) = (owner IS NOT NULL AND lease_until IS NOT NULL))
) STRICT;
INSERT INTO big_deliveries (id, issue, contact_id, recipient_key, address, address_hash, name, establishment, commune,
        state, next_at, owner, attempt, lease_until, deferrals, resends, changed_at)
    SELECT id, issue, contact_id, recipient_key, address, address_hash, name, establishment, commune,
        state, next_at, owner, attempt, lease_until, deferrals, resends, changed_at
    FROM deliveries ORDER BY id;
DROP TABLE deliveries;
ALTER TABLE big_deliveries RENAME TO deliveries;

-- Nobody twice (I2). The issue comes first, so that a freeze appends to this index instead of rewriting all of it; `log`
-- asks each issue for the person.
CREATE UNIQUE INDEX deliveries_once ON deliveries (issue, recipient_key);
-- What is in a state, in the order in which it came there. Also what closes, stops or reopens an issue.
CREATE INDEX deliveries_by_state ON deliveries (issue, state, changed_at, id);
-- By issue, so that the queue of a paused issue is not waded through to find the others'.
CREATE INDEX deliveries_queued ON deliveries (issue, next_at, id) WHERE state = 'queued';
-- For opt-outs. A piece of the hash finds the row, and keeps the index small enough to be filled in memory.
CREATE INDEX deliveries_queued_by_hash ON deliveries (substr(address_hash, 1, 12)) WHERE state = 'queued';
-- To recover: it holds only what is under way.
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE state IN ('claimed', 'in_data');

-- How many deliveries of an issue are in each state: the sum of n over all keepers. Freezing writes it, and the trigger
-- moves it with whatever statement moves a delivery, in the same transaction. The keeper is the one that writes: on
-- SQLite there is but one.
CREATE TABLE tallies (
    issue  TEXT NOT NULL REFERENCES issues,
    keeper INTEGER NOT NULL,
    state  TEXT NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (issue, keeper, state)
) STRICT, WITHOUT ROWID;
INSERT INTO tallies SELECT issue, 0, state, count(*) FROM deliveries GROUP BY issue, state;
CREATE TRIGGER deliveries_tallied AFTER UPDATE OF state ON deliveries WHEN old.state <> new.state
BEGIN
    INSERT INTO tallies VALUES (old.issue, 0, old.state, -1)
        ON CONFLICT (issue, keeper, state) DO UPDATE SET n = n - 1;
    INSERT INTO tallies VALUES (new.issue, 0, new.state, 1)
        ON CONFLICT (issue, keeper, state) DO UPDATE SET n = n + 1;
END;
