-- Partners: an establishment with any number of contacts. What was flat becomes two tables; nobody is lost.
CREATE TABLE partners (
    id          TEXT PRIMARY KEY,
    -- Name and commune, folded; an establishment without a name is known by its contact's address.
    partner_key TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    category    TEXT NOT NULL DEFAULT '',
    commune     TEXT NOT NULL,
    insee       TEXT NOT NULL DEFAULT '',
    street      TEXT NOT NULL DEFAULT '',
    -- A JSON array of texts, sorted.
    labels      TEXT NOT NULL DEFAULT '[]',
    -- 0: without.
    stars       INTEGER NOT NULL DEFAULT 0 CHECK (stars BETWEEN 0 AND 5),
    website     TEXT NOT NULL DEFAULT '',
    -- 'latitude,longitude' in degrees (WGS 84), as written; '' where unknown.
    position    TEXT NOT NULL DEFAULT ''
) STRICT;

-- Only the writing of a name is compared here; an import folds it further and brings those together.
INSERT INTO partners (id, partner_key, name, commune)
SELECT min(id), CASE WHEN establishment = '' THEN '@' || email_key ELSE establishment || '|' || commune END,
    establishment, commune
FROM contacts GROUP BY CASE WHEN establishment = '' THEN '@' || email_key ELSE establishment || '|' || commune END,
    establishment, commune;

ALTER TABLE contacts ADD COLUMN partner TEXT REFERENCES partners;
ALTER TABLE contacts ADD COLUMN function TEXT NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN language TEXT NOT NULL DEFAULT 'fr';
UPDATE contacts SET partner = (SELECT p.id FROM partners p WHERE p.partner_key =
    CASE WHEN establishment = '' THEN '@' || email_key ELSE establishment || '|' || contacts.commune END);
ALTER TABLE contacts DROP COLUMN establishment;
ALTER TABLE contacts DROP COLUMN commune;
CREATE INDEX contacts_by_partner ON contacts (partner);

-- Every change of a subscription: why we write to whom, since when, and who said so. By hash, so that it holds no
-- person once the contact is erased.
CREATE TABLE subscription_changes (
    address_hash TEXT NOT NULL,
    mailing      TEXT NOT NULL,
    at           INTEGER NOT NULL,
    change       TEXT NOT NULL CHECK (change IN ('subscribed', 'ended')),
    basis        TEXT NOT NULL,
    source       TEXT NOT NULL,
    PRIMARY KEY (address_hash, mailing, at, change)
) STRICT;
INSERT INTO subscription_changes (address_hash, mailing, at, change, basis, source)
SELECT c.address_hash, u.mailing, u.since, 'subscribed', u.basis, u.source
FROM subscriptions u JOIN contacts c ON c.id = u.contact;
INSERT INTO subscription_changes (address_hash, mailing, at, change, basis, source)
SELECT c.address_hash, u.mailing, u.ended_at, 'ended', u.basis, u.source
FROM subscriptions u JOIN contacts c ON c.id = u.contact WHERE u.ended_at IS NOT NULL;
