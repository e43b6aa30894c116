-- Content that was approved or refused, and replaced since: what somebody looked at stays visible under its hash.
CREATE TABLE past_content (
    issue        TEXT NOT NULL REFERENCES issues,
    content_hash TEXT NOT NULL,
    subject      TEXT NOT NULL,
    html         TEXT NOT NULL,
    text         TEXT NOT NULL,
    data         TEXT NOT NULL,
    envelope     TEXT NOT NULL,
    PRIMARY KEY (issue, content_hash)
) STRICT;

CREATE TABLE past_files (
    issue        TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    -- 'attachment', or 'inline': a picture in the mail.
    kind         TEXT NOT NULL CHECK (kind IN ('attachment', 'inline')),
    n            INTEGER NOT NULL,
    -- Name of the attachment, content id of the picture.
    name         TEXT NOT NULL,
    media_type   TEXT NOT NULL,
    bytes        BLOB NOT NULL,
    PRIMARY KEY (issue, content_hash, kind, n),
    FOREIGN KEY (issue, content_hash) REFERENCES past_content
) STRICT;
