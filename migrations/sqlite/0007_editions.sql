-- Editions: what the office prints, how much of it is spoken for, and who ordered what.

CREATE TABLE editions (
    slug       TEXT PRIMARY KEY,
    -- The file it was added from, as JSON of the program's own.
    definition TEXT NOT NULL,
    -- What can be ordered, in packs.
    packs      INTEGER NOT NULL,
    -- Of these, those of open and of delivered orders. Never more than there are, whoever writes.
    ordered    INTEGER NOT NULL DEFAULT 0,
    added_at   INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    CHECK (ordered >= 0 AND ordered <= packs)
) STRICT;

-- Apart from the edition, because they are large and few ask for them.
CREATE TABLE edition_files (
    edition    TEXT NOT NULL REFERENCES editions,
    name       TEXT NOT NULL CHECK (name IN ('cover', 'pdf')),
    media_type TEXT NOT NULL,
    bytes      BLOB NOT NULL,
    PRIMARY KEY (edition, name)
) STRICT;

-- A person's wish that an edition is announced, kept before anything is made of it. Its key is the issue's.
CREATE TABLE announcements (
    issue        TEXT PRIMARY KEY,
    edition      TEXT NOT NULL REFERENCES editions,
    -- Who of the audience is meant, as it was written; '' for all.
    segment      TEXT NOT NULL,
    leaves_at    INTEGER NOT NULL,
    announced_at INTEGER NOT NULL
) STRICT;

-- The person is copied, as for a delivery: the round needs the name when the contact is gone from the list.
CREATE TABLE orders (
    id            TEXT PRIMARY KEY,
    edition       TEXT NOT NULL REFERENCES editions,
    contact_id    TEXT NOT NULL,
    recipient_key TEXT NOT NULL,
    address       TEXT NOT NULL,
    name          TEXT NOT NULL,
    establishment TEXT NOT NULL,
    commune       TEXT NOT NULL,
    street        TEXT NOT NULL,
    packs         INTEGER NOT NULL CHECK (packs > 0),
    handover      TEXT NOT NULL CHECK (handover IN ('delivery', 'pick_up')),
    remark        TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('open', 'delivered', 'cancelled')),
    -- Counts what the person said; what was said last is confirmed by mail.
    revision      INTEGER NOT NULL,
    confirmed     INTEGER NOT NULL DEFAULT 0,
    ordered_at    INTEGER NOT NULL,
    changed_at    INTEGER NOT NULL
) STRICT;
-- Whoever presses twice ordered once.
CREATE UNIQUE INDEX orders_open ON orders (edition, contact_id) WHERE state = 'open';
CREATE INDEX orders_by_edition ON orders (edition, contact_id);
CREATE INDEX orders_by_recipient ON orders (recipient_key);
CREATE INDEX orders_unconfirmed ON orders (changed_at) WHERE confirmed < revision;
