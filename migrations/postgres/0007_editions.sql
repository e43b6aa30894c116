-- Editions: what the office prints, how much of it is spoken for, and who ordered what.

CREATE TABLE editions (
    slug       TEXT COLLATE "C" PRIMARY KEY,
    -- The file it was added from, as JSON of the program's own.
    definition TEXT NOT NULL,
    -- What can be ordered, in packs.
    packs      BIGINT NOT NULL,
    -- Of these, those of open and of delivered orders. Never more than there are, whoever writes.
    ordered    BIGINT NOT NULL DEFAULT 0,
    added_at   BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    CHECK (ordered >= 0 AND ordered <= packs)
);

-- Apart from the edition, because they are large and few ask for them.
CREATE TABLE edition_files (
    edition    TEXT COLLATE "C" NOT NULL REFERENCES editions,
    name       TEXT NOT NULL CHECK (name IN ('cover', 'pdf')),
    media_type TEXT NOT NULL,
    bytes      BYTEA NOT NULL,
    PRIMARY KEY (edition, name)
);

-- A person's wish that an edition is announced, kept before anything is made of it. Its key is the issue's.
CREATE TABLE announcements (
    issue        TEXT COLLATE "C" PRIMARY KEY,
    edition      TEXT COLLATE "C" NOT NULL REFERENCES editions,
    -- Who of the audience is meant, as it was written; '' for all.
    segment      TEXT NOT NULL,
    leaves_at    BIGINT NOT NULL,
    announced_at BIGINT NOT NULL
);

-- The person is copied, as for a delivery: the round needs the name when the contact is gone from the list.
CREATE TABLE orders (
    id            TEXT COLLATE "C" PRIMARY KEY,
    edition       TEXT COLLATE "C" NOT NULL REFERENCES editions,
    contact_id    TEXT COLLATE "C" NOT NULL,
    recipient_key TEXT COLLATE "C" NOT NULL,
    address       TEXT NOT NULL,
    name          TEXT NOT NULL,
    establishment TEXT NOT NULL,
    commune       TEXT NOT NULL,
    street        TEXT NOT NULL,
    packs         BIGINT NOT NULL CHECK (packs > 0),
    handover      TEXT NOT NULL CHECK (handover IN ('delivery', 'pick_up')),
    remark        TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('open', 'delivered', 'cancelled')),
    -- Counts what the person said; what was said last is confirmed by mail.
    revision      BIGINT NOT NULL,
    confirmed     BIGINT NOT NULL DEFAULT 0,
    ordered_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL
);
-- Whoever presses twice ordered once.
CREATE UNIQUE INDEX orders_open ON orders (edition, contact_id) WHERE state = 'open';
CREATE INDEX orders_by_edition ON orders (edition, contact_id);
CREATE INDEX orders_by_recipient ON orders (recipient_key);
CREATE INDEX orders_unconfirmed ON orders (changed_at) WHERE confirmed < revision;
