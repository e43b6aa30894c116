-- The outcome of an attempt that was refused because of the sender, not of the recipient, has the field's word.
-- The rows of this table may be millions, and a CHECK changes none of them: its text is edited in place instead of copying the
-- table, as https://www.sqlite.org/lang_altertable.html#otheralter describes (it needs no other change of the file).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''deferred'', ''ours'', ''unknown''', '''deferred'', ''sender_fault'', ''unknown''')
WHERE type = 'table' AND name = 'attempts';
PRAGMA writable_schema = RESET;
-- Any change of the schema raises its version, so that every other connection reads it again.
CREATE TABLE schema_changed (id INTEGER) STRICT;
DROP TABLE schema_changed;
UPDATE attempts SET outcome = 'sender_fault' WHERE outcome = 'ours';
