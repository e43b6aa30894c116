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
    totp_step   INTEGER,
    created_at  INTEGER NOT NULL,
    created_by  TEXT NOT NULL,
    seen_at     INTEGER,
    disabled_at INTEGER
) STRICT;

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    hash    TEXT NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (user_id, hash)
) STRICT;

-- A session is known by the SHA-256 of its cookie; `id` names it in lists.
CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    user_id    TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    -- half: the password was right, the second factor is still asked for.
    stage      TEXT NOT NULL CHECK (stage IN ('half', 'full')),
    -- 1: the person asked to stay logged in on this device.
    kept       INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    -- Its end, whatever is done with it, and its end if nothing is done.
    expires_at INTEGER NOT NULL,
    idle_until INTEGER NOT NULL,
    -- When the person last proved who they are.
    proved_at  INTEGER NOT NULL,
    label      TEXT NOT NULL DEFAULT '',
    network    TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Browsers on which somebody logged in completely: a stranger's failures do not delay their owner.
CREATE TABLE known_devices (
    token_hash TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    seen_at    INTEGER NOT NULL,
    PRIMARY KEY (token_hash, user_id)
) STRICT;

-- Links to set a password: valid once and for a day. At most one open link for each account.
CREATE TABLE invitations (
    token_hash TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    purpose    TEXT NOT NULL CHECK (purpose IN ('new', 'reset')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT;

-- Failed logins, by hash of account, network or device: how many in a row, and when the next try is looked at.
CREATE TABLE login_failures (
    key     TEXT PRIMARY KEY,
    n       INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    next_at INTEGER NOT NULL
) STRICT;

-- Who did what. Rows are added and never changed; ids, never addresses.
CREATE TABLE audit (
    id         TEXT PRIMARY KEY,
    at         INTEGER NOT NULL,
    -- Id of the user, or the name of the operating system's user.
    actor      TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('user', 'cli', 'token', 'daemon')),
    action     TEXT NOT NULL,
    object     TEXT NOT NULL,
    -- JSON
    detail     TEXT NOT NULL DEFAULT '{}',
    request_id TEXT,
    network    TEXT
) STRICT;
CREATE INDEX audit_by_object ON audit (object, at);
CREATE INDEX audit_by_actor ON audit (actor, at);
