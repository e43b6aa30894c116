-- The pages of the console, on a ledger of a million deliveries and of ten thousand orders: a confirmation is an issue of its own, so
-- what is read of all issues is read thousands of times. None of these holds a delivery that is queued or sent, except the few
-- of confirmations: sending writes no more than before.

-- A page of issues by hour, without confirmations.
CREATE INDEX issues_by_hour ON issues (scheduled_for, key) WHERE mailing <> 'orders';
-- The journal reads the issues as they were frozen, from the end.
CREATE INDEX issues_by_freeze ON issues (frozen_at, key) WHERE frozen_at IS NOT NULL;
-- The few that are not over, for « Ce soir » and `status`.
CREATE INDEX issues_open ON issues (state)
    WHERE state IN ('held', 'awaiting_approval', 'rehearsed', 'approved', 'sending', 'paused');
-- Which issues have deliveries in one of the rare states.
CREATE INDEX deliveries_exceptions ON deliveries (state, issue, changed_at) WHERE state NOT IN ('queued', 'sent');
-- A person's confirmations; in other issues the person is looked up by deliveries_once.
CREATE INDEX deliveries_of_orders ON deliveries (recipient_key) WHERE issue >= 'orders/' AND issue < 'orders0';
-- The number of subscribers, from the index alone.
CREATE INDEX subscriptions_open ON subscriptions (mailing, ended_at, contact);
-- Some recipients by the name of their establishment, for the preview.
CREATE INDEX partners_by_name ON partners (name);
-- A page of orders.
CREATE INDEX orders_by_state ON orders (state, ordered_at, id);
-- A page of what one person did or of what was done to one object, and who did anything, in their order.
DROP INDEX audit_by_actor;
CREATE INDEX audit_by_actor ON audit (kind, actor, at, id);
DROP INDEX audit_by_object;
CREATE INDEX audit_by_object ON audit (object, at, id);
