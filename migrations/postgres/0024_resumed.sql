-- What a person had looked at when they resumed the issue: only doubts that came since count for the next pause.
ALTER TABLE issues ADD COLUMN resumed_at BIGINT;
ALTER TABLE issues ADD COLUMN unknown_at_resume BIGINT NOT NULL DEFAULT 0;
