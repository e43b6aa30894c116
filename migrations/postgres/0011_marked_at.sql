-- The marker is an instant on the claim, not a state of its own and not a row of the attempts: it changes no column that an
-- index holds, so it is written in the page of its delivery and touches no index (HOT). `claimed` with a marker is what
-- everybody else calls `in_data`. An attempt is written once, when it ended.
ALTER TABLE deliveries ADD COLUMN marked_at BIGINT;
UPDATE deliveries SET state = 'claimed', marked_at = changed_at WHERE state = 'in_data';
DELETE FROM attempts WHERE outcome = 'in_flight';

-- What is under way is found by its issue: an index over the leases was written twice a message to be read each half minute.
DROP INDEX deliveries_leased;
-- Room in the page for the marker.
ALTER TABLE deliveries SET (fillfactor = 90);
-- An attempt is not completed any more.
ALTER TABLE attempts RESET (fillfactor);

ALTER TABLE deliveries DROP CONSTRAINT deliveries_state_check, DROP CONSTRAINT deliveries_check1;
ALTER TABLE deliveries
    ADD CHECK (state IN ('queued', 'claimed', 'sent', 'failed', 'unknown', 'suppressed', 'expired', 'cancelled')),
    ADD CHECK ((state = 'claimed') = (owner IS NOT NULL AND lease_until IS NOT NULL)),
    ADD CHECK (marked_at IS NULL OR state = 'claimed');
ALTER TABLE attempts DROP CONSTRAINT attempts_outcome_check;
ALTER TABLE attempts
    ADD CHECK (outcome IN ('accepted', 'refused', 'deferred', 'ours', 'unknown', 'resolved'));
