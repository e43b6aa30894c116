-- A notice to staff is sent by one daemon: until this instant no other one takes it.
ALTER TABLE notices ADD COLUMN claimed_by TEXT;
ALTER TABLE notices ADD COLUMN claimed_until BIGINT;

-- Persons who wrote content, by its hash: where a second person is required, none of them can be the only one to approve it.
CREATE TABLE content_authors (
    issue        TEXT COLLATE "C" NOT NULL REFERENCES issues,
    content_hash TEXT COLLATE "C" NOT NULL,
    author       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (issue, content_hash, author)
);

-- Who announced an edition; NULL where that was before this was recorded.
ALTER TABLE announcements ADD COLUMN announced_by TEXT;

-- The pages of the audit, newest first.
CREATE INDEX audit_by_time ON audit (at, id);
