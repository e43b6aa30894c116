//! The statements in which the databases differ: common text with a few fragments that `sqlite.rs` and `postgres.rs` provide
//! and explain. All other statements are beside the function that uses them.
//!
//! Each update first picks its rows with its whole guard, and then changes those: on Postgres the picking locks the rows, so
//! the guard still holds when the change is made.

/// One database's texts.
pub(super) struct Statements {
    /// `$1` the issue, or NULL, `$2` now, `$3` how many are sent first: issues that may send and have due deliveries, possibly
    /// claimed, the longest waiting first, each with its `canary` ([`super::canary::Phase`]).
    /// On Postgres they are locked against being stopped before the transaction ends
    pub(super) due: &'static str,
    /// `$1` issue, `$2` its mailing, `$3` now, `$4` maximum rows, `$5` owner, `$6` end of the lease: due and unclaimed
    /// deliveries, and whether each meets an opt-out (`stop`). On Postgres, where that is locked until the transaction
    /// ends, they are claimed by the same statement, unless another daemon was faster (`taken`)
    pub(super) pick: &'static str,
    /// The same arguments and rows, but only the first messages of the issue that were not answered yet
    pub(super) pick_canary: &'static str,
    /// For a database where picking does not claim: `$1` batch of {id, hash, attempt}, `$2` their issue, `$3` owner, `$4`
    /// now, `$5` end of the lease
    pub(super) claim: Option<&'static str>,
    /// Queued, unclaimed and opted out: `$1` batch of {id}, `$2` now
    pub(super) suppress: &'static str,
    /// `unknown` deliveries with a late reply: batch of the ends of [`super::settle`]
    pub(super) finish_late: &'static str,
    /// Stores the relay's reply, also if the delivery was settled before: batch of the ends of [`super::settle`]
    pub(super) note_late: &'static str,
    /// Ends claims that meet an opt-out: batch of the marks of [`super::settle`], `$2` now
    pub(super) end_opted_out: &'static str,
    /// Ends claims before their marker: `$1` batch of {id, attempt, owner}
    pub(super) end_claims: &'static str,
    /// Ends claims, marked or not, whose lease ends by `$1`
    pub(super) end_leases: &'static str,
    /// Ends claims of issue `$1` before their marker
    pub(super) end_unmarked: &'static str,
    /// After the end of their claim: `$1` batch of {id, attempt, next_at}, `$2` now
    pub(super) queue_again: &'static str,
    /// After the end of their claim: `$1` batch of {id, attempt}, `$2` now
    pub(super) doubt: &'static str,
    /// `$1` batch of {id, attempt, at}, `$2` why
    pub(super) note_doubts: &'static str,
    /// Unclaimed queued deliveries: `$1` issue, `$2` now, `$3` the state they end in
    pub(super) stop: &'static str,
    /// `$1` issue, `$2` now, `$3` mailing, `$4` a number unique among issues frozen at the same time; `/* among */` is
    /// replaced by [`super::editions::among`], with `$5`, and `/* segment */` by a further condition on `c` and `p`,
    /// whose values begin at `$6`
    pub(super) freeze_recipients: &'static str,
    /// `$1` batch of {key, hash}, `$2` batch of mailings
    pub(super) known_contacts: &'static str,
    /// `$1` batch of {partner, and its fields}, `$2` now: inserts missing ones
    pub(super) add_partners: &'static str,
    /// `$1` batch of {partner, and its given fields}
    pub(super) change_partners: &'static str,
    /// `$1` batch of {key, partner, address, hash, name, function, language}, `$2` now
    pub(super) upsert_contacts: &'static str,
    /// `$1` batch of {key}, `$2` now, `$3` mailing, `$4` source, `$5` basis
    pub(super) subscribe: &'static str,
    /// `$1` batch of {key}
    pub(super) note_subscriptions: &'static str,
    /// `$1` batch of {key}, `$2` now, `$3` source
    pub(super) note_endings: &'static str,
    /// `$1` batch of {key}
    pub(super) drop_subscriptions: &'static str,
    pub(super) drop_contacts: &'static str,
    /// `$1` batch of {key}: their further establishments
    pub(super) affiliations_of: &'static str,
    pub(super) drop_affiliations: &'static str,
    /// `$1` batch of {id}: the open subscriptions of these contacts, as {contact, mailing}.
    pub(super) subscriptions_of: &'static str,
    /// `$1` batch of {id}: the suppressions of these contacts, as {contact, scope, reason, since, why}.
    pub(super) barred_of: &'static str,
    /// `$1` batch of {id}: the further establishments of these contacts, with their fields.
    pub(super) others_of: &'static str,
    /// `$1` batch of {key, partner}
    pub(super) put_affiliations: &'static str,
    /// `$1` batch of {key}: what was changed by hand in these contacts
    pub(super) contact_edits_of: &'static str,
    /// `$1` batch of {partner}: what was changed by hand in these establishments, and is stored there still
    pub(super) partner_edits_of: &'static str,
    /// `$1` batch of {key, field, value}, `$2` by whom, `$3` now
    pub(super) put_contact_edits: &'static str,
    /// `$1` batch of {partner, field, value}, `$2` by whom, `$3` now
    pub(super) put_partner_edits: &'static str,
    /// `$1` batch of {key, field}
    pub(super) drop_contact_edits: &'static str,
    /// `$1` batch of {partner, field}
    pub(super) drop_partner_edits: &'static str,
    /// `$1` batch of {was, partner}: a contact of the one belongs to the other from now on, and the values go with it
    pub(super) carry_partner_edits: &'static str,
    /// `$1` batch of {id}
    pub(super) attempts_of: &'static str,
    /// `$1` batch of {id}: what came back about these deliveries
    pub(super) feedback_of: &'static str,
    /// The labels of a partner `p`, as rows `label.value`.
    pub(super) each_label: &'static str,
    /// First statement of an opt-out's transaction. It must not overlap with a marker's transaction, or it could commit
    /// between the marker's check of the suppressions and its commit (I5). See
    /// [`super::backend::Backend::begin_settling`].
    pub(super) opting_out: &'static str,
    /// Appended to a SELECT of issues to be stopped: nothing of them is claimed meanwhile, and earlier claims are seen.
    pub(super) held: &'static str,
    /// First statement of a transaction that may take minutes.
    pub(super) at_length: &'static str,
    /// No editorial is saved until the end of the transaction.
    pub(super) lock_editorials: &'static str,
    /// No exception is made or withdrawn until the end of the transaction.
    pub(super) lock_exceptions: &'static str,
    /// Executed after the commit when very many rows were added.
    pub(super) after_many: &'static str,
    /// What a transaction begins with that waits for another database in between.
    pub(super) unhurried: &'static str,
    /// `place`: changes when a dump is restored; NULL where nothing does.
    pub(super) place: &'static str,
    /// `name` of each table, but of the one of migrations
    pub(super) tables: &'static str,
    /// `$1` table: `name`, `kind` (`int`, `text`, `bytes`) and `pk` (from 1; 0: not in the primary key) of each column
    pub(super) columns: &'static str,
}

/// `$1, $2, $3`: placeholders of this number of values.
pub(super) fn placeholders(n: usize) -> String {
    (1..=n).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

/// The state of a delivery `d` with its claim `c`, if it has one: claimed and marked deliveries are stored as `queued`.
macro_rules! state {
    () => {
        "CASE WHEN c.delivery IS NULL THEN d.state WHEN c.marked_at IS NULL THEN 'claimed' ELSE 'in_data' END"
    };
}
pub(super) use state;

/// An existing suppression stays, but the person's own opt-out replaces one of the office or the relay: it cannot be
/// lifted with `Contacts::lift` (I5).
macro_rules! outranked {
    () => {
        "ON CONFLICT (address_hash, scope) DO UPDATE SET reason = excluded.reason, since = excluded.since, why = excluded.why
        WHERE suppressions.reason IN ('bounce', 'manual') AND excluded.reason IN ('opt_out', 'complaint')"
    };
}
pub(super) use outranked;

/// A queued delivery `d` without a claim. Written so that the planner of Postgres makes no join and expects half of the
/// rows to match: it turns NOT EXISTS into a join, and expects IS NULL to match hardly any row. Either may read and sort
/// the whole queue to find its first row.
macro_rules! unclaimed {
    () => {
        "(SELECT true FROM claims c WHERE c.delivery = d.id) IS NOT TRUE"
    };
}
pub(super) use unclaimed;

/// What a partner `p` has in the field of an edit `e`.
macro_rules! partner_field {
    () => {
        "CASE e.field WHEN 'establishment' THEN p.name WHEN 'category' THEN p.category WHEN 'commune' THEN p.commune
            WHEN 'insee' THEN p.insee WHEN 'street' THEN p.street WHEN 'labels' THEN p.labels
            WHEN 'stars' THEN CAST(p.stars AS TEXT) WHEN 'website' THEN p.website WHEN 'position' THEN p.position
            WHEN 'phone' THEN p.phone WHEN 'postcode' THEN p.postcode END"
    };
}
pub(super) use partner_field;

/// The states of issues that are not over: word for word the condition of the index `issues_open`, so that both databases use it.
macro_rules! open_states {
    () => {
        "('held', 'awaiting_approval', 'rehearsed', 'approved', 'sending', 'paused')"
    };
}
pub(super) use open_states;

/// The state of an approved issue whose approval was taken back. `$automatic`: the parameter that is not 0 if it leaves without one.
macro_rules! unapproved {
    ($automatic:literal) => {
        concat!(
            "WHEN reason IS NOT NULL THEN 'held' WHEN ",
            $automatic,
            " <> 0 THEN 'rehearsed' ELSE 'awaiting_approval' END"
        )
    };
}
pub(super) use unapproved;

/// How often exceptions of the issue were made or withdrawn; `$more`: a condition on them.
macro_rules! changes {
    ($issue:literal) => {
        changes!($issue, "")
    };
    ($issue:literal, $more:literal) => {
        concat!("(SELECT COUNT(*) + COUNT(e.withdrawn_at) FROM exceptions e WHERE e.issue = ", $issue, $more, ")")
    };
}
pub(super) use changes;

/// On Postgres: claims and settlings take it shared (`"_shared"`), opt-outs exclusively (`""`). The number is arbitrary.
macro_rules! lock_of_opt_outs {
    ($shared:literal) => {
        concat!("pg_advisory_xact_lock", $shared, "(7305801)")
    };
}
pub(super) use lock_of_opt_outs;

/// The address is suppressed for `$mailing`.
macro_rules! suppressed {
    ($hash:literal, $mailing:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM suppressions s WHERE s.address_hash = ",
            $hash,
            " AND s.scope IN ('*', ",
            $mailing,
            "))"
        )
    };
}
pub(super) use suppressed;

/// What a claim needs of a delivery `d`; `$2` is the mailing.
macro_rules! picked {
    () => {
        concat!(
            "
                SELECT d.id, d.issue, d.attempt + 1 AS attempt, d.deferrals, d.contact_id, d.address, d.address_hash, d.name,
                    d.establishment, d.commune, CASE WHEN ",
            $crate::store::sql::suppressed!("d.address_hash", "$2"),
            " THEN 'yes' ELSE 'no' END AS stop"
        )
    };
}
pub(super) use picked;

macro_rules! statements {
    (
        batch: $batch:literal,
        batch_2: $batch_2:literal,
        id_at_2: $id:literal,
        rising_id: $rising_id:literal,
        before_pick: $before_pick:literal,
        behind_pick: $behind_pick:literal,
        claim: $claim:expr,
        skip_locked: $skip:literal,
        shared: $shared:literal,
        held: $held:literal,
        each_label: $each_label:literal,
        opting_out: $opting_out:expr,
        at_length: $at_length:literal,
        lock_editorials: $lock_editorials:literal,
        lock_exceptions: $lock_exceptions:literal,
        after_many: $after_many:literal,
        unhurried: $unhurried:literal,
        place: $place:literal,
        tables: $tables:literal,
        columns: $columns:literal $(,)?
    ) => {
        $crate::store::sql::Statements {
            due: concat!(
                "SELECT key, mailing, message_domain, canary FROM (
                    SELECT i.key, i.mailing, i.message_domain,
                        CASE WHEN i.canary_over_at IS NOT NULL THEN 'over' WHEN i.canary_size IS NOT NULL THEN 'open'
                            WHEN (SELECT coalesce(sum(t.n), 0) FROM tallies t
                                WHERE t.issue = i.key AND t.state IN ('sent', 'failed', 'unknown')) = 0
                            AND (SELECT coalesce(sum(t.n), 0) FROM tallies t
                                WHERE t.issue = i.key AND t.state = 'queued') > $3 THEN 'wanted' ELSE 'over' END AS canary,
                        (SELECT min(d.next_at) FROM deliveries d WHERE d.issue = i.key AND d.state = 'queued') AS due
                    FROM issues i
                    WHERE i.state = 'sending' AND i.expires_at > $2 AND ($1 IS NULL OR i.key = $1)", $shared, "
                ) AS waiting
                WHERE due <= $2 ORDER BY due, key"
            ),
            // T1. A claim that meets an opt-out ends the delivery instead.
            pick: concat!(
                $before_pick, $crate::store::sql::picked!(), " FROM deliveries d
                WHERE d.issue = $1 AND d.state = 'queued' AND d.next_at <= $3 AND ", $crate::store::sql::unclaimed!(), "
                ORDER BY d.next_at, d.id LIMIT $4", $skip, $behind_pick
            ),
            pick_canary: concat!(
                $before_pick, $crate::store::sql::picked!(), " FROM canaries k CROSS JOIN deliveries d
                WHERE k.issue = $1 AND d.id = k.delivery AND d.state = 'queued' AND d.deferrals = 0 AND d.next_at <= $3
                    AND ", $crate::store::sql::unclaimed!(), "
                ORDER BY d.next_at, d.id LIMIT $4", $skip, $behind_pick
            ),
            claim: $claim,
            suppress: concat!(
                "UPDATE deliveries AS d SET state = 'suppressed', next_at = NULL, changed_at = $2
                FROM ", $batch, "
                WHERE d.id = batch.value->>'id' AND d.state = 'queued' AND ", $crate::store::sql::unclaimed!()
            ),
            finish_late: concat!(
                "UPDATE deliveries SET state = batch.value->>'state', next_at = CAST(batch.value->>'next_at' AS BIGINT),
                    deferrals = deferrals + CAST(batch.value->>'deferred' AS BIGINT),
                    changed_at = CAST(batch.value->>'at' AS BIGINT)
                FROM ", $batch, "
                WHERE deliveries.id = batch.value->>'id' AND attempt = CAST(batch.value->>'attempt' AS BIGINT)
                    AND state = 'unknown' AND batch.value->>'state' <> 'unknown'
                RETURNING id"
            ),
            note_late: concat!(
                "UPDATE attempts SET at = CAST(batch.value->>'at' AS BIGINT), phase = batch.value->>'phase',
                    code = CAST(batch.value->>'code' AS BIGINT), enhanced = batch.value->>'enhanced',
                    text = batch.value->>'text', outcome = batch.value->>'outcome'
                FROM ", $batch, "
                WHERE delivery = batch.value->>'id' AND n = CAST(batch.value->>'attempt' AS BIGINT)
                    AND source = 'relay' AND attempts.outcome = 'unknown'"
            ),
            end_opted_out: concat!(
                "DELETE FROM claims
                WHERE (delivery, attempt, owner) IN (
                        SELECT batch.value->>'id', CAST(batch.value->>'attempt' AS BIGINT), batch.value->>'owner' FROM ", $batch, ")
                    AND marked_at IS NULL AND lease_until > $2
                    AND EXISTS (SELECT 1 FROM issues i WHERE i.key = claims.issue
                        AND i.state = 'sending' AND i.expires_at > $2 AND ",
                $crate::store::sql::suppressed!("claims.address_hash", "i.mailing"), ")
                RETURNING delivery AS id"
            ),
            end_claims: concat!(
                "DELETE FROM claims
                WHERE (delivery, attempt, owner) IN (
                        SELECT batch.value->>'id', CAST(batch.value->>'attempt' AS BIGINT), batch.value->>'owner' FROM ", $batch, ")
                    AND marked_at IS NULL
                RETURNING delivery AS id"
            ),
            end_leases: concat!(
                "DELETE FROM claims WHERE delivery IN (SELECT c.delivery FROM claims c WHERE c.lease_until <= $1", $skip, ")
                RETURNING delivery AS id, attempt, marked_at"
            ),
            // Claims locked by another transaction are left to the next pass.
            end_unmarked: concat!(
                "DELETE FROM claims
                WHERE delivery IN (SELECT c.delivery FROM claims c WHERE c.issue = $1 AND c.marked_at IS NULL", $skip, ")"
            ),
            queue_again: concat!(
                "UPDATE deliveries SET next_at = CAST(batch.value->>'next_at' AS BIGINT),
                    attempt = CAST(batch.value->>'attempt' AS BIGINT), changed_at = $2
                FROM ", $batch, " WHERE deliveries.id = batch.value->>'id' AND state = 'queued'"
            ),
            doubt: concat!(
                "UPDATE deliveries SET state = 'unknown', next_at = NULL,
                    attempt = CAST(batch.value->>'attempt' AS BIGINT), changed_at = $2
                FROM ", $batch, " WHERE deliveries.id = batch.value->>'id'"
            ),
            note_doubts: concat!(
                "INSERT INTO attempts (delivery, n, source, at, phase, text, outcome)
                SELECT batch.value->>'id', CAST(batch.value->>'attempt' AS BIGINT), 'relay',
                    CAST(batch.value->>'at' AS BIGINT), 'data', $2, 'unknown'
                FROM ", $batch
            ),
            // Rows locked by another transaction are left to the next pass.
            stop: concat!(
                "UPDATE deliveries SET state = $3, next_at = NULL, changed_at = $2
                WHERE id IN (SELECT d.id FROM deliveries d
                    WHERE d.issue = $1 AND d.state = 'queued' AND ", $crate::store::sql::unclaimed!(), $skip, ")"
            ),
            // Ids rise with the address within an issue, and with time between issues: the log is read in order, and a
            // million rows are appended to the indexes instead of being scattered over them (six times as fast).
            // Two deliveries for a recipient are an error here (I2): conflicts are not ignored.
            freeze_recipients: concat!(
                "INSERT INTO deliveries (id, issue, contact_id, recipient_key, address, address_hash, name,
                    establishment, commune, state, next_at, changed_at)
                SELECT r.id, $1, r.contact_id, r.email_key, r.address, r.address_hash, r.name,
                    r.establishment, r.commune,
                    CASE WHEN r.stop THEN 'suppressed' ELSE 'queued' END, CASE WHEN r.stop THEN NULL ELSE $2 END, $2
                FROM (
                    SELECT ", $rising_id, " AS id, c.id AS contact_id, c.email_key, c.address, c.address_hash, c.name,
                        p.name AS establishment, p.commune, ", $crate::store::sql::suppressed!("c.address_hash", "$3"), " AS stop
                    FROM contacts c
                    JOIN partners p ON p.id = c.partner
                    /* among */
                    WHERE true /* segment */
                    ORDER BY c.email_key
                ) AS r"
            ),
            known_contacts: concat!(
                "SELECT batch.value->>'key' AS email_key, c.address, c.address_hash, c.name, c.function, c.language,
                    p.partner_key, p.name AS establishment, p.category, p.commune, p.insee, p.street, p.labels,
                    CAST(p.stars AS TEXT) AS stars, p.website, p.phone, p.postcode, p.position,
                    CASE WHEN EXISTS (SELECT 1 FROM suppressions s
                        WHERE s.address_hash = COALESCE(c.address_hash, batch.value->>'hash')
                        AND (s.scope = '*' OR s.scope IN (SELECT batch_2.value->>'mailing' FROM ", $batch_2, ")))
                        THEN 'yes' ELSE 'no' END AS suppressed
                FROM ", $batch, " LEFT JOIN contacts c ON c.email_key = batch.value->>'key'
                LEFT JOIN partners p ON p.id = c.partner"
            ),
            add_partners: concat!(
                "INSERT INTO partners (id, partner_key, name, category, commune, insee, street, labels, stars, website,
                    phone, postcode, position)
                SELECT ", $id, ", batch.value->>'partner', COALESCE(batch.value->>'establishment', ''),
                    COALESCE(batch.value->>'category', ''), COALESCE(batch.value->>'commune', ''),
                    COALESCE(batch.value->>'insee', ''), COALESCE(batch.value->>'street', ''),
                    COALESCE(batch.value->>'labels', '[]'), CAST(COALESCE(batch.value->>'stars', '0') AS BIGINT),
                    COALESCE(batch.value->>'website', ''), COALESCE(batch.value->>'phone', ''),
                    COALESCE(batch.value->>'postcode', ''), COALESCE(batch.value->>'position', '')
                FROM ", $batch, " WHERE true ON CONFLICT (partner_key) DO NOTHING"
            ),
            change_partners: concat!(
                "UPDATE partners SET name = COALESCE(batch.value->>'establishment', name),
                    category = COALESCE(batch.value->>'category', category),
                    commune = COALESCE(batch.value->>'commune', commune), insee = COALESCE(batch.value->>'insee', insee),
                    street = COALESCE(batch.value->>'street', street),
                    labels = COALESCE(batch.value->>'labels', labels),
                    stars = COALESCE(CAST(batch.value->>'stars' AS BIGINT), stars),
                    website = COALESCE(batch.value->>'website', website),
                    phone = COALESCE(batch.value->>'phone', phone),
                    postcode = COALESCE(batch.value->>'postcode', postcode),
                    position = COALESCE(batch.value->>'position', position)
                FROM ", $batch, " WHERE partner_key = batch.value->>'partner'"
            ),
            upsert_contacts: concat!(
                "INSERT INTO contacts (id, email_key, address, address_hash, name, function, language, partner, since)
                SELECT ", $id, ", batch.value->>'key', batch.value->>'address', batch.value->>'hash',
                    COALESCE(batch.value->>'name', ''), COALESCE(batch.value->>'function', ''),
                    COALESCE(batch.value->>'language', 'fr'), p.id, $2
                FROM ", $batch, " JOIN partners p ON p.partner_key = batch.value->>'partner'
                WHERE true
                ON CONFLICT (email_key) DO UPDATE SET address = excluded.address, address_hash = excluded.address_hash,
                    name = excluded.name, function = excluded.function, language = excluded.language,
                    partner = excluded.partner"
            ),
            // DO NOTHING: a subscription that ended stays ended.
            subscribe: concat!(
                "INSERT INTO subscriptions (contact, mailing, basis, source, since)
                SELECT c.id, $3, $5, $4, $2
                FROM ", $batch, " JOIN contacts c ON c.email_key = batch.value->>'key'
                WHERE true ON CONFLICT (contact, mailing) DO NOTHING"
            ),
            note_subscriptions: concat!(
                "INSERT INTO subscription_changes (address_hash, mailing, at, change, basis, source)
                SELECT c.address_hash, u.mailing, u.since, 'subscribed', u.basis, u.source
                FROM ", $batch, " JOIN contacts c ON c.email_key = batch.value->>'key'
                JOIN subscriptions u ON u.contact = c.id
                WHERE true ON CONFLICT (address_hash, mailing, at, change) DO NOTHING"
            ),
            note_endings: concat!(
                "INSERT INTO subscription_changes (address_hash, mailing, at, change, basis, source)
                SELECT c.address_hash, u.mailing, $2, 'ended', u.basis, $3
                FROM ", $batch, " JOIN contacts c ON c.email_key = batch.value->>'key'
                JOIN subscriptions u ON u.contact = c.id AND u.ended_at IS NULL
                WHERE true ON CONFLICT (address_hash, mailing, at, change) DO NOTHING"
            ),
            drop_subscriptions: concat!(
                "DELETE FROM subscriptions WHERE contact IN (SELECT c.id FROM ", $batch,
                " JOIN contacts c ON c.email_key = batch.value->>'key')"
            ),
            drop_contacts: concat!(
                "DELETE FROM contacts WHERE email_key IN (SELECT batch.value->>'key' FROM ", $batch, ")"
            ),
            affiliations_of: concat!(
                "SELECT c.email_key, p.partner_key, p.name AS establishment
                FROM ", $batch, " JOIN contacts c ON c.email_key = batch.value->>'key'
                JOIN affiliations a ON a.contact = c.id JOIN partners p ON p.id = a.partner
                ORDER BY p.partner_key"
            ),
            subscriptions_of: concat!(
                "SELECT s.contact, s.mailing FROM ", $batch, " JOIN subscriptions s ON s.contact = batch.value->>'id'
                WHERE s.ended_at IS NULL ORDER BY s.contact, s.mailing"
            ),
            barred_of: concat!(
                "SELECT c.id AS contact, s.scope, s.reason, s.since, s.why FROM ", $batch, "
                JOIN contacts c ON c.id = batch.value->>'id'
                JOIN suppressions s ON s.address_hash = c.address_hash ORDER BY c.id, s.scope"
            ),
            others_of: concat!(
                "SELECT a.contact, p.name AS establishment, p.category, p.commune, p.insee, p.street, p.labels,
                    p.stars, p.website, p.phone, p.postcode, p.position
                FROM ", $batch, " JOIN affiliations a ON a.contact = batch.value->>'id'
                JOIN partners p ON p.id = a.partner ORDER BY a.contact, p.name, p.id"
            ),
            drop_affiliations: concat!(
                "DELETE FROM affiliations WHERE contact IN (SELECT c.id FROM ", $batch,
                " JOIN contacts c ON c.email_key = batch.value->>'key')"
            ),
            put_affiliations: concat!(
                "INSERT INTO affiliations (contact, partner)
                SELECT c.id, p.id FROM ", $batch, " JOIN contacts c ON c.email_key = batch.value->>'key'
                JOIN partners p ON p.partner_key = batch.value->>'partner'
                WHERE p.id <> c.partner ON CONFLICT (contact, partner) DO NOTHING"
            ),
            contact_edits_of: concat!(
                "SELECT c.email_key AS subject, e.field, e.value, e.made_by, e.made_at
                FROM ", $batch, " JOIN contacts c ON c.email_key = batch.value->>'key'
                JOIN contact_edits e ON e.contact = c.id"
            ),
            partner_edits_of: concat!(
                "SELECT p.partner_key AS subject, e.field, e.value, e.made_by, e.made_at
                FROM ", $batch, " JOIN partners p ON p.partner_key = batch.value->>'partner'
                JOIN partner_edits e ON e.partner = p.id WHERE ", $crate::store::sql::partner_field!(), " = e.value"
            ),
            put_contact_edits: concat!(
                "INSERT INTO contact_edits (contact, field, value, made_by, made_at)
                SELECT c.id, batch.value->>'field', batch.value->>'value', $2, $3
                FROM ", $batch, " JOIN contacts c ON c.email_key = batch.value->>'key'
                WHERE true ON CONFLICT (contact, field) DO UPDATE SET value = excluded.value,
                    made_by = excluded.made_by, made_at = excluded.made_at"
            ),
            put_partner_edits: concat!(
                "INSERT INTO partner_edits (partner, field, value, made_by, made_at)
                SELECT p.id, batch.value->>'field', batch.value->>'value', $2, $3
                FROM ", $batch, " JOIN partners p ON p.partner_key = batch.value->>'partner'
                WHERE true ON CONFLICT (partner, field) DO UPDATE SET value = excluded.value,
                    made_by = excluded.made_by, made_at = excluded.made_at"
            ),
            drop_contact_edits: concat!(
                "DELETE FROM contact_edits WHERE (contact, field) IN (SELECT c.id, batch.value->>'field'
                    FROM ", $batch, " JOIN contacts c ON c.email_key = batch.value->>'key')"
            ),
            drop_partner_edits: concat!(
                "DELETE FROM partner_edits WHERE (partner, field) IN (SELECT p.id, batch.value->>'field'
                    FROM ", $batch, " JOIN partners p ON p.partner_key = batch.value->>'partner')"
            ),
            carry_partner_edits: concat!(
                "INSERT INTO partner_edits (partner, field, value, made_by, made_at)
                SELECT p.id, e.field, e.value, e.made_by, e.made_at
                FROM ", $batch, " JOIN partners o ON o.partner_key = batch.value->>'was'
                JOIN partner_edits e ON e.partner = o.id
                JOIN partners p ON p.partner_key = batch.value->>'partner'
                WHERE e.field NOT IN ('establishment', 'commune') AND ", $crate::store::sql::partner_field!(), " = e.value
                ON CONFLICT (partner, field) DO NOTHING"
            ),
            attempts_of: concat!(
                "SELECT a.delivery, a.n, a.at, a.phase, a.code, a.enhanced, a.text, a.outcome
                FROM ", $batch, " JOIN attempts a ON a.delivery = batch.value->>'id'
                ORDER BY a.delivery, a.n, a.at, a.source DESC"
            ),
            feedback_of: concat!(
                "SELECT f.delivery, f.kind, f.class, f.code, f.enhanced, f.text, f.proof, f.received_at, f.recorded_at
                FROM ", $batch, " JOIN feedback f ON f.delivery = batch.value->>'id'
                ORDER BY f.delivery, f.received_at, f.hash"
            ),
            each_label: $each_label,
            opting_out: $opting_out,
            held: $held,
            at_length: $at_length,
            lock_editorials: $lock_editorials,
            lock_exceptions: $lock_exceptions,
            after_many: $after_many,
            unhurried: $unhurried,
            place: $place,
            tables: $tables,
            columns: $columns,
        }
    };
}
pub(super) use statements;
