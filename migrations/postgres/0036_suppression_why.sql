-- Why the office suppressed an address, in the words of whoever did it; '' for an opt-out by the person, and where nobody said.
ALTER TABLE suppressions ADD COLUMN why TEXT NOT NULL DEFAULT '';
