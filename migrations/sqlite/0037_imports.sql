-- What staff changed by hand in a contact: a list that says otherwise does not undo it. Deleted once a list says the same.
CREATE TABLE contact_edits (
    contact TEXT NOT NULL REFERENCES contacts ON DELETE CASCADE,
    -- 'name', 'function', 'language', 'address'; 'establishment' and 'commune': which establishment the contact belongs to.
    field   TEXT NOT NULL,
    value   TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (contact, field)
) STRICT;

-- The same for an establishment, whoever of its contacts was being edited.
CREATE TABLE partner_edits (
    partner TEXT NOT NULL REFERENCES partners ON DELETE CASCADE,
    field   TEXT NOT NULL,
    value   TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (partner, field)
) STRICT;

-- Lists that were uploaded to the console. File and difference are deleted when the import ends or the draft expires.
CREATE TABLE imports (
    id         TEXT PRIMARY KEY,
    -- The account.
    made_by    TEXT NOT NULL,
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    file_name  TEXT NOT NULL,
    -- SHA-256 of the file.
    file_hash  TEXT NOT NULL,
    file       BLOB,
    -- JSON: source, basis, mailings and the like.
    options    TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('reading', 'draft', 'running', 'done', 'failed')),
    -- JSON: what the list would change; of an import that is done, the numbers.
    difference TEXT,
    -- The digest of the difference that was shown.
    digest     TEXT,
    ended_at   INTEGER
) STRICT;
CREATE INDEX imports_of ON imports (made_by, made_at);
