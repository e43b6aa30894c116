-- A claim is a row of its own, there while it holds: it is written, marked and deleted in a small table, and the delivery, which
-- is wide and in four indexes, is written once, when the attempt ended (docs/adr/0010). A delivery that is claimed or in DATA is
-- `queued`, and has a claim.
-- No reference to deliveries: it would be asked at each claim, which has just read the delivery; deliveries are not deleted.
CREATE TABLE claims (
    delivery     TEXT COLLATE "C" PRIMARY KEY,
    -- Copied for the guard of the marker: whether the issue may still send, and the address be written to.
    issue        TEXT COLLATE "C" NOT NULL,
    address_hash TEXT COLLATE "C" NOT NULL,
    attempt      BIGINT NOT NULL,
    owner        TEXT NOT NULL,
    since        BIGINT NOT NULL,
    lease_until  BIGINT NOT NULL,
    -- The marker of T5: from here on the relay may have it.
    marked_at    BIGINT
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
INSERT INTO claims (delivery, issue, address_hash, attempt, owner, since, lease_until, marked_at)
    SELECT id, issue, address_hash, attempt, owner, changed_at, lease_until, marked_at FROM deliveries WHERE state = 'claimed';
UPDATE deliveries SET state = 'queued', next_at = changed_at, owner = NULL, lease_until = NULL, marked_at = NULL
    WHERE state = 'claimed';
DELETE FROM tallies WHERE state = 'claimed';

-- With the checks that speak of them.
ALTER TABLE deliveries DROP COLUMN owner, DROP COLUMN lease_until, DROP COLUMN marked_at;
ALTER TABLE deliveries DROP CONSTRAINT deliveries_state_check;
ALTER TABLE deliveries
    ADD CHECK (state IN ('queued', 'sent', 'failed', 'unknown', 'suppressed', 'expired', 'cancelled'));
ALTER TABLE deliveries RESET (fillfactor);
