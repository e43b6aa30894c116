-- An opt-out finds what waits for its person by the contact and the issue (deliveries_once). An index over the hashes of all
-- that is queued was filled in no order by each freeze, and emptied in no order by each claim: a page written for each
-- message.
DROP INDEX deliveries_queued_by_hash;
CREATE INDEX contacts_by_hash ON contacts (address_hash);
