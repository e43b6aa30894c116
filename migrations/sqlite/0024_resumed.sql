-- What a person had looked at when they resumed the issue: only doubts that came since count for the next pause.
ALTER TABLE issues ADD COLUMN resumed_at INTEGER;
ALTER TABLE issues ADD COLUMN unknown_at_resume INTEGER NOT NULL DEFAULT 0;
