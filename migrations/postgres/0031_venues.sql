-- In which commune a venue is, as somebody said it. Two communes for one venue: it is not used.
CREATE TABLE venues (
    -- The words of its name in lower case and without accents, apart by blanks.
    venue   TEXT COLLATE "C" NOT NULL,
    -- As written.
    name    TEXT COLLATE "C" NOT NULL,
    commune TEXT COLLATE "C" NOT NULL,
    origin  TEXT COLLATE "C" NOT NULL CHECK (origin IN ('article', 'listing', 'person')),
    -- The issue whose content said it, or empty for a person: who that was is in the audit.
    said_in TEXT COLLATE "C" NOT NULL,
    said_at BIGINT NOT NULL,
    PRIMARY KEY (venue, commune, origin)
);
