-- The marker is an instant on the claim, not a state of its own and not a row of the attempts: it changes no column that an
-- index holds. `claimed` with a marker is what everybody else calls `in_data`. An attempt is written once, when it ended.
-- The older checks still allow `in_data` and `in_flight`, which nothing writes any more: the tables would have to be written anew.
ALTER TABLE deliveries ADD COLUMN marked_at INTEGER CHECK (marked_at IS NULL OR state = 'claimed');
UPDATE deliveries SET state = 'claimed', marked_at = changed_at WHERE state = 'in_data';
DELETE FROM attempts WHERE outcome = 'in_flight';

-- What is under way is found by its issue: an index over the leases was written twice a message to be read each half minute.
DROP INDEX deliveries_leased;
