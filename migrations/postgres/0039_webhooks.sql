-- A request to read again is open as long as it is newer than what was composed.
ALTER TABLE rereads DROP COLUMN taken;

-- Confirmations of orders are issues of the mailing 'orders': order.changed tells of them.
DROP TRIGGER webhooks_of_new_issues ON issues;
CREATE TRIGGER webhooks_of_new_issues AFTER INSERT ON issues FOR EACH ROW
    WHEN (new.mailing <> 'orders' AND new.state IN ('held', 'awaiting_approval', 'paused', 'done'))
    EXECUTE FUNCTION webhooks_of_issue();
DROP TRIGGER webhooks_of_issues ON issues;
CREATE TRIGGER webhooks_of_issues AFTER UPDATE OF state, content_hash ON issues FOR EACH ROW
    WHEN (new.mailing <> 'orders' AND new.state IN ('held', 'awaiting_approval', 'paused', 'done')
        AND (old.state <> new.state
            OR new.state = 'awaiting_approval' AND old.content_hash IS DISTINCT FROM new.content_hash))
    EXECUTE FUNCTION webhooks_of_issue();

-- An erasure clears the words of an order and its contact_id: nothing happened to the order unless its state changed.
DROP TRIGGER webhooks_of_orders ON orders;
CREATE TRIGGER webhooks_of_orders AFTER UPDATE OF state, packs, handover, remark ON orders FOR EACH ROW
    WHEN (old.state <> new.state OR old.contact_id = new.contact_id
        AND (old.packs <> new.packs OR old.handover <> new.handover OR old.remark <> new.remark))
    EXECUTE FUNCTION webhooks_of_order();
