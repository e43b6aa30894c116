-- In which commune a venue is, as somebody said it. Two communes for one venue: it is not used.
CREATE TABLE venues (
    -- The words of its name in lower case and without accents, apart by blanks.
    venue   TEXT NOT NULL,
    -- As written.
    name    TEXT NOT NULL,
    commune TEXT NOT NULL,
    origin  TEXT NOT NULL CHECK (origin IN ('article', 'listing', 'person')),
    -- The issue whose content said it, or empty for a person: who that was is in the audit.
    said_in TEXT NOT NULL,
    said_at INTEGER NOT NULL,
    PRIMARY KEY (venue, commune, origin)
) STRICT;
