-- What the ledger knows of itself, a value a name.
CREATE TABLE properties (
    -- 'secret': the check value of the secret that addresses are hashed with. 'restored', 'moved': when this ledger was put back
    -- from a backup, or copied to another database; nothing leaves by itself until a person has looked.
    -- 'place': the oid of this very table. A dump that is restored, by whatever tool and wherever, makes the table anew under
    -- another oid: the ledger knows that it was restored. A dump has no oids; VACUUM FULL, CLUSTER and pg_upgrade keep them.
    name  TEXT COLLATE "C" PRIMARY KEY CHECK (name IN ('secret', 'restored', 'moved', 'place')),
    value TEXT NOT NULL
);
INSERT INTO properties (name, value) VALUES ('place', CAST(CAST('properties' AS regclass) AS oid)::text);
