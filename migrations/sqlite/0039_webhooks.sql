-- A request to read again is open as long as it is newer than what was composed.
ALTER TABLE rereads DROP COLUMN taken;

-- Confirmations of orders are issues of the mailing 'orders': order.changed tells of them.
DROP TRIGGER webhooks_of_new_issues;
CREATE TRIGGER webhooks_of_new_issues AFTER INSERT ON issues
WHEN new.mailing <> 'orders' AND new.state IN ('held', 'awaiting_approval', 'paused', 'done')
BEGIN
    INSERT INTO webhook_messages (id, endpoint, n, event, subject, detail)
    SELECT lower(hex(randomblob(16))), e.id,
        1 + coalesce((SELECT max(m.n) FROM webhook_messages m WHERE m.endpoint = e.id AND m.subject = new.key), 0),
        'issue.' || new.state, new.key, new.reason
    FROM webhook_endpoints e
    WHERE e.disabled_at IS NULL AND instr(',' || e.events || ',', ',issue.' || new.state || ',') > 0;
END;

DROP TRIGGER webhooks_of_issues;
CREATE TRIGGER webhooks_of_issues AFTER UPDATE OF state, content_hash ON issues
WHEN new.mailing <> 'orders' AND new.state IN ('held', 'awaiting_approval', 'paused', 'done') AND (old.state <> new.state
    OR new.state = 'awaiting_approval' AND old.content_hash IS NOT new.content_hash)
BEGIN
    INSERT INTO webhook_messages (id, endpoint, n, event, subject, detail)
    SELECT lower(hex(randomblob(16))), e.id,
        1 + coalesce((SELECT max(m.n) FROM webhook_messages m WHERE m.endpoint = e.id AND m.subject = new.key), 0),
        'issue.' || new.state, new.key, new.reason
    FROM webhook_endpoints e
    WHERE e.disabled_at IS NULL AND instr(',' || e.events || ',', ',issue.' || new.state || ',') > 0;
END;

-- An erasure clears the words of an order and its contact_id: nothing happened to the order unless its state changed.
DROP TRIGGER webhooks_of_orders;
CREATE TRIGGER webhooks_of_orders AFTER UPDATE OF state, packs, handover, remark ON orders
WHEN old.state <> new.state OR old.contact_id = new.contact_id
    AND (old.packs <> new.packs OR old.handover <> new.handover OR old.remark <> new.remark)
BEGIN
    INSERT INTO webhook_messages (id, endpoint, n, event, subject, detail)
    SELECT lower(hex(randomblob(16))), e.id,
        1 + coalesce((SELECT max(m.n) FROM webhook_messages m WHERE m.endpoint = e.id AND m.subject = 'order:' || new.id), 0),
        'order.changed', 'order:' || new.id, new.state
    FROM webhook_endpoints e
    WHERE e.disabled_at IS NULL AND instr(',' || e.events || ',', ',order.changed,') > 0;
END;
