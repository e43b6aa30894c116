-- Tokens of the API, known by the SHA-256 of what was shown once.
CREATE TABLE api_tokens (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    -- Names of scopes with commas between them, never empty.
    scopes     TEXT NOT NULL CHECK (scopes <> ''),
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    revoked_at INTEGER
) STRICT;

-- Answers to requests with an Idempotency-Key, kept for a day. Without an answer it is under way.
CREATE TABLE api_requests (
    token       TEXT NOT NULL REFERENCES api_tokens ON DELETE CASCADE,
    key         TEXT NOT NULL,
    -- SHA-256 of the request: a key is of one request.
    fingerprint TEXT NOT NULL,
    at          INTEGER NOT NULL,
    status      INTEGER,
    answer      TEXT,
    PRIMARY KEY (token, key)
) STRICT;

-- When each mailing was last asked to read its sources again.
CREATE TABLE rereads (
    mailing  TEXT PRIMARY KEY,
    asked_at INTEGER NOT NULL,
    -- 1: an issue that was rehearsed is composed anew for it.
    taken    INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Receivers of events.
CREATE TABLE webhook_endpoints (
    id            TEXT PRIMARY KEY,
    url           TEXT NOT NULL,
    -- Names of events with commas between them, never empty.
    events        TEXT NOT NULL CHECK (events <> ''),
    secret        TEXT NOT NULL,
    -- Still signed with until then, while the receiver changes over.
    former_secret TEXT,
    former_until  INTEGER,
    created_at    INTEGER NOT NULL,
    created_by    TEXT NOT NULL,
    -- Of the first failure in a row.
    failing_since INTEGER,
    disabled_at   INTEGER,
    disabled_why  TEXT CHECK (disabled_why IN ('failing', 'gone', 'person'))
) STRICT;

-- Events owed to each receiver, written by the triggers below in the transaction of what happened. Those of one subject go out one
-- after the other, by n.
CREATE TABLE webhook_messages (
    -- The same at every attempt.
    id           TEXT PRIMARY KEY,
    endpoint     TEXT NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    n            INTEGER NOT NULL,
    event        TEXT NOT NULL,
    -- An issue's key, order:ID or contact:ID.
    subject      TEXT NOT NULL,
    -- The reason of an issue's state, the state of an order, or the scope of an opt-out.
    detail       TEXT,
    -- Made at the first attempt, and the same at every other.
    payload      TEXT,
    -- When the worker first had it in hand: the attempts are counted from here.
    first_at     INTEGER,
    tries        INTEGER NOT NULL DEFAULT 0,
    next_at      INTEGER,
    leased_until INTEGER,
    closed_at    INTEGER
) STRICT;
CREATE INDEX webhook_messages_owed ON webhook_messages (endpoint, subject, n) WHERE closed_at IS NULL;
CREATE INDEX webhook_messages_by_endpoint ON webhook_messages (endpoint, subject);

-- The last answers of each receiver.
CREATE TABLE webhook_attempts (
    id       TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    -- None for a test.
    message  TEXT,
    event    TEXT NOT NULL,
    subject  TEXT NOT NULL,
    at       INTEGER NOT NULL,
    ms       INTEGER NOT NULL,
    -- HTTP; none if there was no answer.
    status   INTEGER,
    -- The beginning of the answer, or why there was none.
    said     TEXT NOT NULL
) STRICT;
CREATE INDEX webhook_attempts_by_endpoint ON webhook_attempts (endpoint, at);

CREATE TRIGGER webhooks_of_new_issues AFTER INSERT ON issues
WHEN new.state IN ('held', 'awaiting_approval', 'paused', 'done')
BEGIN
    INSERT INTO webhook_messages (id, endpoint, n, event, subject, detail)
    SELECT lower(hex(randomblob(16))), e.id,
        1 + coalesce((SELECT max(m.n) FROM webhook_messages m WHERE m.endpoint = e.id AND m.subject = new.key), 0),
        'issue.' || new.state, new.key, new.reason
    FROM webhook_endpoints e
    WHERE e.disabled_at IS NULL AND instr(',' || e.events || ',', ',issue.' || new.state || ',') > 0;
END;

CREATE TRIGGER webhooks_of_issues AFTER UPDATE OF state, content_hash ON issues
WHEN new.state IN ('held', 'awaiting_approval', 'paused', 'done') AND (old.state <> new.state
    OR new.state = 'awaiting_approval' AND old.content_hash IS NOT new.content_hash)
BEGIN
    INSERT INTO webhook_messages (id, endpoint, n, event, subject, detail)
    SELECT lower(hex(randomblob(16))), e.id,
        1 + coalesce((SELECT max(m.n) FROM webhook_messages m WHERE m.endpoint = e.id AND m.subject = new.key), 0),
        'issue.' || new.state, new.key, new.reason
    FROM webhook_endpoints e
    WHERE e.disabled_at IS NULL AND instr(',' || e.events || ',', ',issue.' || new.state || ',') > 0;
END;

CREATE TRIGGER webhooks_of_new_orders AFTER INSERT ON orders
BEGIN
    INSERT INTO webhook_messages (id, endpoint, n, event, subject, detail)
    SELECT lower(hex(randomblob(16))), e.id,
        1 + coalesce((SELECT max(m.n) FROM webhook_messages m WHERE m.endpoint = e.id AND m.subject = 'order:' || new.id), 0),
        'order.changed', 'order:' || new.id, new.state
    FROM webhook_endpoints e
    WHERE e.disabled_at IS NULL AND instr(',' || e.events || ',', ',order.changed,') > 0;
END;

CREATE TRIGGER webhooks_of_orders AFTER UPDATE OF state, packs, handover, remark ON orders
WHEN old.state <> new.state OR old.packs <> new.packs OR old.handover <> new.handover OR old.remark <> new.remark
BEGIN
    INSERT INTO webhook_messages (id, endpoint, n, event, subject, detail)
    SELECT lower(hex(randomblob(16))), e.id,
        1 + coalesce((SELECT max(m.n) FROM webhook_messages m WHERE m.endpoint = e.id AND m.subject = 'order:' || new.id), 0),
        'order.changed', 'order:' || new.id, new.state
    FROM webhook_endpoints e
    WHERE e.disabled_at IS NULL AND instr(',' || e.events || ',', ',order.changed,') > 0;
END;

-- Of a contact that is in the list: without one there is nobody to name.
CREATE TRIGGER webhooks_of_new_opt_outs AFTER INSERT ON suppressions WHEN new.reason = 'opt_out'
BEGIN
    INSERT INTO webhook_messages (id, endpoint, n, event, subject, detail)
    SELECT lower(hex(randomblob(16))), e.id,
        1 + coalesce((SELECT max(m.n) FROM webhook_messages m WHERE m.endpoint = e.id AND m.subject = 'contact:' || c.id), 0),
        'contact.opted_out', 'contact:' || c.id, new.scope
    FROM webhook_endpoints e, contacts c
    WHERE c.address_hash = new.address_hash AND e.disabled_at IS NULL
        AND instr(',' || e.events || ',', ',contact.opted_out,') > 0;
END;

CREATE TRIGGER webhooks_of_opt_outs AFTER UPDATE OF reason ON suppressions
WHEN new.reason = 'opt_out' AND old.reason <> 'opt_out'
BEGIN
    INSERT INTO webhook_messages (id, endpoint, n, event, subject, detail)
    SELECT lower(hex(randomblob(16))), e.id,
        1 + coalesce((SELECT max(m.n) FROM webhook_messages m WHERE m.endpoint = e.id AND m.subject = 'contact:' || c.id), 0),
        'contact.opted_out', 'contact:' || c.id, new.scope
    FROM webhook_endpoints e, contacts c
    WHERE c.address_hash = new.address_hash AND e.disabled_at IS NULL
        AND instr(',' || e.events || ',', ',contact.opted_out,') > 0;
END;
