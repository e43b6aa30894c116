-- What a contact was written to before it moved: an erasure and a dossier reach the deliveries of those addresses too.
CREATE TABLE former_addresses (
    contact      TEXT NOT NULL REFERENCES contacts ON DELETE CASCADE,
    email_key    TEXT NOT NULL,
    address_hash TEXT NOT NULL,
    PRIMARY KEY (contact, email_key)
) STRICT;
