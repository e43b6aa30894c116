-- A ledger of ten million deliveries: fewer and narrower indexes, and sums that are kept instead of counted.

-- The Message-ID is not stored with each delivery: it is made of the issue, the delivery's id, and this.
ALTER TABLE issues ADD COLUMN message_domain TEXT;
UPDATE issues SET message_domain =
    (SELECT CAST(c.envelope AS jsonb)->>'domain' FROM issue_content c WHERE c.issue = issues.key);

-- The id begins with the instant of freezing (12 hexadecimal digits of milliseconds) and rises with the address: an
-- issue is one range of ids, and its rows are appended, never scattered.
ALTER TABLE deliveries DROP COLUMN message_id;
-- Asked a million times by each freeze, which writes the issue itself in the same transaction; issues are never deleted.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_issue_fkey;

DROP INDEX deliveries_by_issue;
DROP INDEX deliveries_by_change;
DROP INDEX deliveries_exceptions;
DROP INDEX deliveries_under_way;
-- Nobody twice (I2). The issue comes first, so that a freeze appends to this index instead of rewriting all of it; `log`
-- asks each issue for the person.
DROP INDEX deliveries_once;
CREATE UNIQUE INDEX deliveries_once ON deliveries (issue, recipient_key);
-- What is in a state, in the order in which it came there. Also what closes, stops or reopens an issue.
CREATE INDEX deliveries_by_state ON deliveries (issue, state, changed_at, id);

-- Each delivery is rewritten three times within minutes: what that leaves is to be cleared long before a fifth of the
-- table is dead. An attempt is completed in its page, where there is room.
ALTER TABLE deliveries SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE attempts SET (fillfactor = 60);

-- How many deliveries of an issue are in each state: the sum of n over all keepers. Freezing writes it, and the trigger
-- moves it with whatever statement moves deliveries, in the same transaction. The keeper is the connection that writes:
-- one row for all of them would let the daemons wait for each other's commits.
CREATE TABLE tallies (
    issue  TEXT COLLATE "C" NOT NULL REFERENCES issues,
    keeper BIGINT NOT NULL,
    state  TEXT COLLATE "C" NOT NULL,
    n      BIGINT NOT NULL,
    PRIMARY KEY (issue, keeper, state)
) WITH (fillfactor = 50);
INSERT INTO tallies SELECT issue, 0, state, count(*) FROM deliveries GROUP BY issue, state;
CREATE FUNCTION tally_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tallies AS t (issue, keeper, state, n)
        SELECT issue, pg_backend_pid(), state, sum(step)
        FROM (SELECT issue, state, -1 AS step FROM gone UNION ALL SELECT issue, state, 1 FROM come) AS steps
        GROUP BY issue, state HAVING sum(step) <> 0
        ON CONFLICT (issue, keeper, state) DO UPDATE SET n = t.n + excluded.n;
    RETURN NULL;
END $$;
CREATE TRIGGER deliveries_tallied AFTER UPDATE ON deliveries
    REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION tally_deliveries();
