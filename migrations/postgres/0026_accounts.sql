-- Accounts of staff for the console, their sessions, and who did what.
CREATE TABLE users (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    address     TEXT NOT NULL,
    -- As contacts have it: two spellings of one mailbox are one account.
    address_key TEXT NOT NULL UNIQUE,
    -- Names of roles with commas between them, never empty.
    roles       TEXT NOT NULL CHECK (roles <> ''),
    language    TEXT NOT NULL DEFAULT 'fr' CHECK (language IN ('fr', 'en')),
    -- PHC string of argon2id; none before the invitation was accepted.
    password    TEXT,
    -- Base32 secret of the authenticator application, and the step of the last code that was used.
    totp        TEXT,
    totp_step   BIGINT,
    created_at  BIGINT NOT NULL,
    created_by  TEXT NOT NULL,
    seen_at     BIGINT,
    disabled_at BIGINT
);

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    hash    TEXT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, hash)
);

-- A session is known by the SHA-256 of its cookie; `id` names it in lists.
CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    user_id    TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    -- half: the password was right, the second factor is still asked for.
    stage      TEXT NOT NULL CHECK (stage IN ('half', 'full')),
    -- 1: the person asked to stay logged in on this device.
    kept       BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    -- Its end, whatever is done with it, and its end if nothing is done.
    expires_at BIGINT NOT NULL,
    idle_until BIGINT NOT NULL,
    -- When the person last proved who they are.
    proved_at  BIGINT NOT NULL,
    label      TEXT NOT NULL DEFAULT '',
    network    TEXT NOT NULL DEFAULT ''
);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Browsers on which somebody logged in completely: a stranger's failures do not delay their owner.
CREATE TABLE known_devices (
    token_hash TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    seen_at    BIGINT NOT NULL,
    PRIMARY KEY (token_hash, user_id)
);

-- Links to set a password: valid once and for a day. At most one open link for each account.
CREATE TABLE invitations (
    token_hash TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    purpose    TEXT NOT NULL CHECK (purpose IN ('new', 'reset')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);

-- Failed logins, by hash of account, network or device: how many in a row, and when the next try is looked at.
CREATE TABLE login_failures (
    key     TEXT PRIMARY KEY,
    n       BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    next_at BIGINT NOT NULL
);

-- Who did what. Rows are added and never changed; ids, never addresses.
CREATE TABLE audit (
    id         TEXT PRIMARY KEY,
    at         BIGINT NOT NULL,
    -- Id of the user, or the name of the operating system's user.
    actor      TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('user', 'cli', 'token', 'daemon')),
    action     TEXT NOT NULL,
    object     TEXT NOT NULL,
    -- JSON
    detail     TEXT NOT NULL DEFAULT '{}',
    request_id TEXT,
    network    TEXT
);
CREATE INDEX audit_by_object ON audit (object, at);
CREATE INDEX audit_by_actor ON audit (actor, at);
