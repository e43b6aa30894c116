-- The ledger: who we may write to, what was due, what was published, and what became of every delivery.
-- Instants are epoch milliseconds. The states are those of the program, word for word.
-- Ids and keys sort by their bytes (COLLATE "C"), whatever the locale of the cluster: pages of the log depend on it.

-- How far the schedule of each mailing was looked at; the mailing itself is a file.
CREATE TABLE mailings (
    mailing  TEXT COLLATE "C" PRIMARY KEY,
    schedule TEXT NOT NULL,
    cursor   BIGINT NOT NULL
);

-- One row for each due instant, whatever became of it: nothing is skipped silently.
CREATE TABLE occurrences (
    mailing       TEXT COLLATE "C" NOT NULL REFERENCES mailings,
    scheduled_for BIGINT NOT NULL,
    local         TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('pending', 'done', 'missed', 'coalesced')),
    reason        TEXT,
    issue         TEXT COLLATE "C",
    next_try      BIGINT NOT NULL,
    PRIMARY KEY (mailing, scheduled_for)
);
CREATE INDEX occurrences_pending ON occurrences (next_try) WHERE state = 'pending';

-- The key is the business key: a second run of the same period finds it taken.
CREATE TABLE issues (
    key           TEXT COLLATE "C" PRIMARY KEY,
    mailing       TEXT COLLATE "C" NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('held', 'sending', 'paused', 'done', 'expired', 'cancelled')),
    reason        TEXT,
    scheduled_for BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    frozen_at     BIGINT,
    closed_at     BIGINT,
    subject       TEXT,
    content_hash  TEXT COLLATE "C",
    CHECK (state IN ('held', 'expired', 'cancelled') OR frozen_at IS NOT NULL),
    CHECK (state <> 'held' OR frozen_at IS NULL)
);

-- Apart from the issue, because it is large and few ask for it.
CREATE TABLE issue_content (
    issue    TEXT COLLATE "C" PRIMARY KEY REFERENCES issues,
    html     TEXT NOT NULL,
    text     TEXT NOT NULL,
    data     TEXT NOT NULL,
    envelope TEXT NOT NULL
);

CREATE TABLE attachments (
    issue      TEXT COLLATE "C" NOT NULL REFERENCES issues,
    n          BIGINT NOT NULL,
    name       TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes      BYTEA NOT NULL,
    PRIMARY KEY (issue, n)
);

CREATE TABLE contacts (
    id            TEXT COLLATE "C" PRIMARY KEY,
    email_key     TEXT COLLATE "C" NOT NULL UNIQUE,
    address       TEXT NOT NULL,
    address_hash  TEXT COLLATE "C" NOT NULL,
    name          TEXT NOT NULL,
    establishment TEXT NOT NULL,
    commune       TEXT NOT NULL,
    since         BIGINT NOT NULL
);

-- A subscription is ended, never deleted: the row is the proof of why we wrote, and the bar to an import bringing it back.
CREATE TABLE subscriptions (
    contact  TEXT COLLATE "C" NOT NULL REFERENCES contacts,
    mailing  TEXT COLLATE "C" NOT NULL,
    basis    TEXT NOT NULL CHECK (basis IN ('legitimate_interest', 'consent')),
    source   TEXT NOT NULL,
    since    BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (contact, mailing)
);

-- By hash, so that it outlives the contact without keeping the address. The scope is a mailing, or '*' for all of them.
CREATE TABLE suppressions (
    address_hash TEXT COLLATE "C" NOT NULL,
    scope        TEXT COLLATE "C" NOT NULL,
    reason       TEXT NOT NULL CHECK (reason IN ('opt_out', 'bounce', 'complaint', 'manual')),
    since        BIGINT NOT NULL,
    PRIMARY KEY (address_hash, scope)
);

-- The recipient is copied: what was frozen does not change when the contact does.
CREATE TABLE deliveries (
    id            TEXT COLLATE "C" PRIMARY KEY,
    issue         TEXT COLLATE "C" NOT NULL REFERENCES issues,
    contact_id    TEXT COLLATE "C" NOT NULL,
    recipient_key TEXT COLLATE "C" NOT NULL,
    address       TEXT NOT NULL,
    address_hash  TEXT COLLATE "C" NOT NULL,
    name          TEXT NOT NULL,
    establishment TEXT NOT NULL,
    commune       TEXT NOT NULL,
    message_id    TEXT COLLATE "C" NOT NULL UNIQUE,
    state         TEXT NOT NULL CHECK (state IN ('queued', 'claimed', 'in_data', 'sent', 'failed', 'unknown',
                                                 'suppressed', 'expired', 'cancelled')),
    next_at       BIGINT,
    owner         TEXT,
    attempt       BIGINT NOT NULL DEFAULT 0,
    lease_until   BIGINT,
    deferrals     BIGINT NOT NULL DEFAULT 0,
    resends       BIGINT NOT NULL DEFAULT 0,
    changed_at    BIGINT NOT NULL,
    CHECK ((state = 'queued') = (next_at IS NOT NULL)),
    CHECK ((state IN ('claimed', 'in_data')) = (owner IS NOT NULL AND lease_until IS NOT NULL))
);
-- Nobody twice (I2). The recipient comes first, because `log` asks for one person across the issues.
CREATE UNIQUE INDEX deliveries_once ON deliveries (recipient_key, issue);
-- The sums of an issue and the pages of its log are read from the index alone.
CREATE INDEX deliveries_by_issue ON deliveries (issue, id, state);
CREATE INDEX deliveries_by_change ON deliveries (changed_at);
-- The states people look for across the issues are the rare ones.
CREATE INDEX deliveries_exceptions ON deliveries (state, id) WHERE state NOT IN ('queued', 'sent');
-- By issue, so that the queue of a paused issue is not waded through to find the others'.
CREATE INDEX deliveries_queued ON deliveries (issue, next_at, id) WHERE state = 'queued';
-- For opt-outs. A piece of the hash finds the row, and keeps the index small enough to be filled in memory.
CREATE INDEX deliveries_queued_by_hash ON deliveries (substr(address_hash, 1, 12)) WHERE state = 'queued';
-- By lease to recover, by issue to close: both hold only what is under way.
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE state IN ('claimed', 'in_data');
CREATE INDEX deliveries_under_way ON deliveries (issue, lease_until) WHERE state IN ('claimed', 'in_data');

-- What the relay said to each attempt, and what a person decided after it. Rows are added and completed, never removed.
CREATE TABLE attempts (
    delivery TEXT COLLATE "C" NOT NULL REFERENCES deliveries,
    n        BIGINT NOT NULL,
    source   TEXT NOT NULL CHECK (source IN ('relay', 'person')),
    at       BIGINT NOT NULL,
    phase    TEXT NOT NULL CHECK (phase IN ('connect', 'tls', 'auth', 'ehlo', 'mail', 'rcpt', 'data', 'body', 'dot')),
    code     BIGINT,
    enhanced TEXT,
    text     TEXT,
    outcome  TEXT NOT NULL CHECK (outcome IN ('in_flight', 'accepted', 'refused', 'deferred', 'ours', 'unknown',
                                              'resolved')),
    PRIMARY KEY (delivery, n, source)
);

-- Mail we owe to staff: one of a kind for an issue, so that a held issue does not write every five minutes.
CREATE TABLE notices (
    id         TEXT COLLATE "C" PRIMARY KEY,
    issue      TEXT COLLATE "C" NOT NULL,
    kind       TEXT NOT NULL,
    text       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at    BIGINT,
    UNIQUE (issue, kind)
);
CREATE INDEX notices_owed ON notices (created_at) WHERE sent_at IS NULL;

-- Pages of sources as last fetched, to answer "304 Not Modified" from.
CREATE TABLE pages (
    url           TEXT COLLATE "C" PRIMARY KEY,
    etag          TEXT,
    last_modified TEXT,
    content_type  TEXT NOT NULL,
    text          TEXT NOT NULL,
    fetched_at    BIGINT NOT NULL
);
