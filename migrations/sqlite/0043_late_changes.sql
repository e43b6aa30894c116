-- When a delivery of an issue that was over changed last: by a late reply, or by a person's decision. NULL: never. The log looks for
-- recent changes in no other issue that is over.
ALTER TABLE issues ADD COLUMN late_at INTEGER;
UPDATE issues SET late_at = (
    SELECT max(d.changed_at) FROM deliveries d WHERE d.issue = issues.key AND d.state IN ('sent', 'failed'))
WHERE state = 'done';
UPDATE issues SET late_at = NULL WHERE late_at <= closed_at;
