-- What the ledger knows of itself, a value a name.
CREATE TABLE properties (
    -- 'secret': the check value of the secret that addresses are hashed with. 'restored', 'moved': when this ledger was put back
    -- from a backup, or copied to another database; nothing leaves by itself until a person has looked. 'place': Postgres alone.
    name  TEXT PRIMARY KEY CHECK (name IN ('secret', 'restored', 'moved', 'place')),
    value TEXT NOT NULL
) STRICT;
