-- The outcome of an attempt that was refused because of the sender, not of the recipient, has the field's word.
ALTER TABLE attempts DROP CONSTRAINT attempts_outcome_check;
UPDATE attempts SET outcome = 'sender_fault' WHERE outcome = 'ours';
ALTER TABLE attempts
    ADD CHECK (outcome IN ('accepted', 'refused', 'deferred', 'sender_fault', 'unknown', 'resolved'));
