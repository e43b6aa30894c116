-- Tokens of the API, known by the SHA-256 of what was shown once.
CREATE TABLE api_tokens (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    -- Names of scopes with commas between them, never empty.
    scopes     TEXT NOT NULL CHECK (scopes <> ''),
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    revoked_at BIGINT
);

-- Answers to requests with an Idempotency-Key, kept for a day. Without an answer it is under way.
CREATE TABLE api_requests (
    token       TEXT NOT NULL REFERENCES api_tokens ON DELETE CASCADE,
    key         TEXT NOT NULL,
    -- SHA-256 of the request: a key is of one request.
    fingerprint TEXT NOT NULL,
    at          BIGINT NOT NULL,
    status      BIGINT,
    answer      TEXT,
    PRIMARY KEY (token, key)
);

-- When each mailing was last asked to read its sources again.
CREATE TABLE rereads (
    mailing  TEXT PRIMARY KEY,
    asked_at BIGINT NOT NULL,
    -- 1: an issue that was rehearsed is composed anew for it.
    taken    BIGINT NOT NULL DEFAULT 0
);

-- Receivers of events.
CREATE TABLE webhook_endpoints (
    id            TEXT PRIMARY KEY,
    url           TEXT NOT NULL,
    -- Names of events with commas between them, never empty.
    events        TEXT NOT NULL CHECK (events <> ''),
    secret        TEXT NOT NULL,
    -- Still signed with until then, while the receiver changes over.
    former_secret TEXT,
    former_until  BIGINT,
    created_at    BIGINT NOT NULL,
    created_by    TEXT NOT NULL,
    -- Of the first failure in a row.
    failing_since BIGINT,
    disabled_at   BIGINT,
    disabled_why  TEXT CHECK (disabled_why IN ('failing', 'gone', 'person'))
);

-- Events owed to each receiver, written by the triggers below in the transaction of what happened. Those of one subject go out one
-- after the other, by n.
CREATE TABLE webhook_messages (
    -- The same at every attempt.
    id           TEXT PRIMARY KEY,
    endpoint     TEXT NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    n            BIGINT NOT NULL,
    event        TEXT NOT NULL,
    -- An issue's key, order:ID or contact:ID.
    subject      TEXT NOT NULL,
    -- The reason of an issue's state, the state of an order, or the scope of an opt-out.
    detail       TEXT,
    -- Made at the first attempt, and the same at every other.
    payload      TEXT,
    -- When the worker first had it in hand: the attempts are counted from here.
    first_at     BIGINT,
    tries        BIGINT NOT NULL DEFAULT 0,
    next_at      BIGINT,
    leased_until BIGINT,
    closed_at    BIGINT
);
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
    at       BIGINT NOT NULL,
    ms       BIGINT NOT NULL,
    -- HTTP; none if there was no answer.
    status   BIGINT,
    -- The beginning of the answer, or why there was none.
    said     TEXT NOT NULL
);
CREATE INDEX webhook_attempts_by_endpoint ON webhook_attempts (endpoint, at);

-- One event, for each receiver that asked for it.
CREATE FUNCTION queue_webhooks(event TEXT, subject TEXT, detail TEXT) RETURNS VOID LANGUAGE sql AS $$
    INSERT INTO webhook_messages (id, endpoint, n, event, subject, detail)
    SELECT replace(gen_random_uuid()::text, '-', ''), e.id,
        1 + coalesce((SELECT max(m.n) FROM webhook_messages m WHERE m.endpoint = e.id AND m.subject = $2), 0), $1, $2, $3
    FROM webhook_endpoints e
    WHERE e.disabled_at IS NULL AND strpos(',' || e.events || ',', ',' || $1 || ',') > 0
$$;

CREATE FUNCTION webhooks_of_issue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM queue_webhooks('issue.' || new.state, new.key, new.reason);
    RETURN NULL;
END
$$;
CREATE TRIGGER webhooks_of_new_issues AFTER INSERT ON issues FOR EACH ROW
    WHEN (new.state IN ('held', 'awaiting_approval', 'paused', 'done')) EXECUTE FUNCTION webhooks_of_issue();
CREATE TRIGGER webhooks_of_issues AFTER UPDATE OF state, content_hash ON issues FOR EACH ROW
    WHEN (new.state IN ('held', 'awaiting_approval', 'paused', 'done') AND (old.state <> new.state
        OR new.state = 'awaiting_approval' AND old.content_hash IS DISTINCT FROM new.content_hash))
    EXECUTE FUNCTION webhooks_of_issue();

CREATE FUNCTION webhooks_of_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM queue_webhooks('order.changed', 'order:' || new.id, new.state);
    RETURN NULL;
END
$$;
CREATE TRIGGER webhooks_of_new_orders AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION webhooks_of_order();
CREATE TRIGGER webhooks_of_orders AFTER UPDATE OF state, packs, handover, remark ON orders FOR EACH ROW
    WHEN (old.state <> new.state OR old.packs <> new.packs OR old.handover <> new.handover OR old.remark <> new.remark)
    EXECUTE FUNCTION webhooks_of_order();

-- Of a contact that is in the list: without one there is nobody to name.
CREATE FUNCTION webhooks_of_opt_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM queue_webhooks('contact.opted_out', 'contact:' || c.id, new.scope)
        FROM contacts c WHERE c.address_hash = new.address_hash;
    RETURN NULL;
END
$$;
CREATE TRIGGER webhooks_of_new_opt_outs AFTER INSERT ON suppressions FOR EACH ROW
    WHEN (new.reason = 'opt_out') EXECUTE FUNCTION webhooks_of_opt_out();
CREATE TRIGGER webhooks_of_opt_outs AFTER UPDATE OF reason ON suppressions FOR EACH ROW
    WHEN (new.reason = 'opt_out' AND old.reason <> 'opt_out') EXECUTE FUNCTION webhooks_of_opt_out();
