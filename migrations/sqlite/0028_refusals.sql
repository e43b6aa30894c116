-- An approval may be withdrawn, and content refused, with a reason. A withdrawn approval stays as history.
ALTER TABLE approvals ADD COLUMN withdrawn_at INTEGER;

CREATE TABLE refusals (
    issue        TEXT NOT NULL REFERENCES issues,
    content_hash TEXT NOT NULL,
    -- 'refused': a correction is wanted; 'withdrawn': somebody took the approval back.
    kind         TEXT NOT NULL CHECK (kind IN ('refused', 'withdrawn')),
    refused_by   TEXT NOT NULL,
    refused_at   INTEGER NOT NULL,
    why          TEXT NOT NULL,
    PRIMARY KEY (issue, refused_at, refused_by)
) STRICT;
