-- Content that was approved or refused, and replaced since: what somebody looked at stays visible under its hash.
CREATE TABLE past_content (
    issue        TEXT COLLATE "C" NOT NULL REFERENCES issues,
    content_hash TEXT COLLATE "C" NOT NULL,
    subject      TEXT NOT NULL,
    html         TEXT NOT NULL,
    text         TEXT NOT NULL,
    data         TEXT NOT NULL,
    envelope     TEXT NOT NULL,
    PRIMARY KEY (issue, content_hash)
);

CREATE TABLE past_files (
    issue        TEXT COLLATE "C" NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    -- 'attachment', or 'inline': a picture in the mail.
    kind         TEXT COLLATE "C" NOT NULL CHECK (kind IN ('attachment', 'inline')),
    n            BIGINT NOT NULL,
    -- Name of the attachment, content id of the picture.
    name         TEXT NOT NULL,
    media_type   TEXT NOT NULL,
    bytes        BYTEA NOT NULL,
    PRIMARY KEY (issue, content_hash, kind, n),
    FOREIGN KEY (issue, content_hash) REFERENCES past_content
);
