-- What the lists of offices have beside what was kept.
ALTER TABLE partners ADD COLUMN phone TEXT NOT NULL DEFAULT '';
ALTER TABLE partners ADD COLUMN postcode TEXT NOT NULL DEFAULT '';

-- Further establishments of a contact: one mailbox that serves two houses.
CREATE TABLE affiliations (
    contact TEXT NOT NULL REFERENCES contacts,
    partner TEXT NOT NULL REFERENCES partners,
    PRIMARY KEY (contact, partner)
);
CREATE INDEX affiliations_by_partner ON affiliations (partner);
