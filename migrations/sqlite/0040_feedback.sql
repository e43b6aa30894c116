-- What came back about a delivery: bounces, delays, complaints. The delivery's state stays: the relay accepted it.
CREATE TABLE feedback (
    -- SHA-256 of what the message says, in hexadecimal: a mail that is read twice counts once.
    hash         TEXT PRIMARY KEY,
    delivery     TEXT NOT NULL,
    -- '' once the person was erased.
    address_hash TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('bounce', 'delayed', 'delivered', 'complaint', 'opt_out', 'not_spam')),
    class        TEXT CHECK (class IN ('hard', 'soft', 'content', 'sender')),
    code         INTEGER,
    enhanced     TEXT,
    text         TEXT NOT NULL,
    proof        TEXT NOT NULL CHECK (proof IN ('return_path', 'message_id')),
    received_at  INTEGER NOT NULL,
    recorded_at  INTEGER NOT NULL,
    CHECK ((kind = 'bounce') = (class IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX feedback_by_delivery ON feedback (delivery);
CREATE INDEX feedback_by_address ON feedback (address_hash, recorded_at);
-- Mailboxes that took nothing lately, for the list of addresses to repair.
CREATE INDEX feedback_soft ON feedback (recorded_at) WHERE class = 'soft';
-- Bounces that are about us: few, and looked for every minute.
CREATE INDEX feedback_about_us ON feedback (recorded_at) WHERE class IN ('sender', 'content');

-- Mailboxes that bounces arrive in, and whether they can be read.
CREATE TABLE mailboxes (
    name          TEXT PRIMARY KEY,
    read_at       INTEGER,
    -- Since when it cannot be read; NULL while it can.
    failing_since INTEGER,
    trouble       TEXT NOT NULL DEFAULT ''
) STRICT;
