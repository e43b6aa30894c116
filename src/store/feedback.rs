//! What came back about deliveries, and the mailboxes it arrives in.

use super::{
    Ledger, Result,
    backend::{Backend, Transaction, values},
    mass_bounces, partners,
    rows::{self, Reader},
};
use crate::domain::{
    Timestamp, classify::Class, delivery::DeliveryId, feedback::Feedback, issue::IssueKey, lane::Lanes,
    mass_bounce::MassBounce, partner::SuppressionReason,
};
use async_trait::async_trait;
use std::collections::HashMap;

/// What an incoming message says of a delivery, and what follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewFeedback {
    /// Identifies the message: one that is read twice counts once.
    pub hash: String,
    pub delivery: DeliveryId,
    pub feedback: Feedback,
    /// The address is suppressed for all mailings, in the same transaction; not for a bounce that came back alike for very many
    /// recipients ([`crate::domain::mass_bounce`]).
    pub suppress: Option<SuppressionReason>,
    /// Of a bounce that may be about the recipient.
    pub bounce: Option<BounceOf>,
}

/// What bounces of one issue are counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BounceOf {
    pub issue: IssueKey,
    /// The first and the last possible id of its deliveries: they begin with the time of freezing.
    pub ids: (String, String),
    /// [`crate::domain::alike::Said::key`]
    pub alike: String,
    /// Of the recipient.
    pub domain: String,
}

/// Whether [`FeedbackLog::record_feedback`] recorded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Recorded,
    /// Recorded, and it is about us: its address is not suppressed by it.
    Withheld,
    /// The message was recorded before, or very many about the same delivery were: nothing was changed.
    Before,
}

/// Bounces that say that we are refused, not the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedUs {
    /// Deliveries.
    pub count: u64,
    /// When the first one was recorded.
    pub since: Timestamp,
    /// The words of the latest.
    pub said: String,
}

/// A mailbox that bounces arrive in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxState {
    /// `maildir` or `imap`.
    pub name: String,
    /// When all of it was last read.
    pub read_at: Option<Timestamp>,
    /// Since when it cannot be read, and why.
    pub failing: Option<(Timestamp, String)>,
}

/// A contact whose address has to be asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ToRepair {
    pub contact_id: String,
    pub address: String,
    /// [`crate::domain::email::EmailAddress::key`]
    pub address_key: String,
    pub name: String,
    pub establishment: String,
    pub commune: String,
    pub phone: String,
    /// Since when nothing is sent there; `None`: the next issue tries again.
    pub suppressed_since: Option<Timestamp>,
    /// The latest bounce; `None` where the address was refused at once.
    pub bounce: Option<Feedback>,
}

/// What came back, and from where.
#[async_trait]
pub trait FeedbackLog: Send + Sync {
    /// Records messages in one transaction, with the suppressions that follow from them; the delivery's state stays. The results are in
    /// the given order. Of a delivery that does not exist nothing is recorded.
    ///
    /// Bounces of an issue are counted by their words, and where very many are alike, a [`MassBounce`] is stored, none of them
    /// suppresses an address, and what they had suppressed is taken back. The result is that of the numbers, whatever the order.
    async fn record_feedback(&self, messages: &[NewFeedback], lanes: &Lanes, now: Timestamp) -> Result<Vec<Taken>>;

    /// Bounces that are about us, found since then; the latest first.
    async fn mass_bounces(&self, since: Timestamp) -> Result<Vec<MassBounce>>;

    /// Those after which nothing was paused and nobody was notified yet.
    async fn new_mass_bounces(&self) -> Result<Vec<MassBounce>>;

    /// Sending was paused, and staff notified.
    async fn mass_bounce_acted(&self, it: &MassBounce, now: Timestamp) -> Result<()>;

    /// What servers said of us in bounces recorded since then; `None`: nothing.
    async fn refused_us(&self, since: Timestamp) -> Result<Option<RefusedUs>>;

    /// How many deliveries of these issues bounced; issues without any are left out.
    async fn bounced(&self, issues: &[(IssueKey, Timestamp)]) -> Result<HashMap<IssueKey, u64>>;

    /// Contacts whose address is suppressed after a refusal, or bounced softly since then: by establishment, `limit` of each at the most.
    async fn to_repair(&self, softly_since: Timestamp, limit: u32) -> Result<Vec<ToRepair>>;

    /// A mailbox was read, or could not be: `trouble`. The first instant of a trouble is kept until it is over.
    async fn mailbox_seen(&self, name: &str, trouble: Option<&str>, now: Timestamp) -> Result<()>;

    /// All mailboxes that were ever looked into, by name.
    async fn mailboxes(&self) -> Result<Vec<MailboxState>>;
}

#[async_trait]
impl<B: Backend> FeedbackLog for Ledger<B> {
    async fn record_feedback(&self, messages: &[NewFeedback], lanes: &Lanes, now: Timestamp) -> Result<Vec<Taken>> {
        let mut tx = Transaction::write(&self.0, "recording what came back").await?;
        // Before anything is written: an opt-out may not overlap with a marker (I5). And of two readers the second counts what
        // the first has recorded.
        if messages.iter().any(|it| it.suppress.is_some() || it.bounce.is_some()) {
            tx.execute(B::SQL.opting_out, values![]).await?;
        }
        // In one order for all, so that two readers of the same mail wait for each other and never both ways.
        let mut order: Vec<usize> = (0..messages.len()).collect();
        order.sort_by(|a, b| messages[*a].hash.cmp(&messages[*b].hash));
        let mut taken = vec![Taken::Before; messages.len()];
        let mut bounces = Vec::new();
        for n in order {
            if !record(&mut tx, &messages[n], now).await? {
                continue;
            }
            taken[n] = Taken::Recorded;
            match (&messages[n].bounce, messages[n].suppress) {
                // Judged once all of them are counted.
                (Some(bounce), _) => bounces.push((n, bounce)),
                (None, Some(reason)) => suppress(&mut tx, &messages[n], reason, now).await?,
                (None, None) => {}
            }
        }
        mass_bounces::look(&mut tx, &bounces, messages, lanes, now).await?;
        for (n, bounce) in bounces {
            let Some(reason) = messages[n].suppress else { continue };
            match mass_bounces::is_about_us(&mut tx, bounce, lanes).await? {
                true => taken[n] = Taken::Withheld,
                false => suppress(&mut tx, &messages[n], reason, now).await?,
            }
        }
        tx.commit().await?;
        Ok(taken)
    }

    async fn mass_bounces(&self, since: Timestamp) -> Result<Vec<MassBounce>> {
        mass_bounces::read(&self.0, "found_at >= $1 ORDER BY found_at DESC, issue, family, alike", values![since]).await
    }

    async fn new_mass_bounces(&self) -> Result<Vec<MassBounce>> {
        mass_bounces::read(&self.0, "acted_at IS NULL ORDER BY found_at, issue, family, alike", values![]).await
    }

    async fn mass_bounce_acted(&self, it: &MassBounce, now: Timestamp) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "noting that staff know of bounces").await?;
        let update = "UPDATE mass_bounces SET acted_at = $4
            WHERE issue = $1 AND family = $2 AND alike = $3 AND acted_at IS NULL";
        let family = it.family.as_deref().unwrap_or_default();
        tx.execute(update, values![&it.issue, family, it.alike.as_str(), now]).await?;
        tx.commit().await
    }

    async fn refused_us(&self, since: Timestamp) -> Result<Option<RefusedUs>> {
        let mut tx = Transaction::read(&self.0, "looking for bounces about us").await?;
        let sum = "SELECT count(DISTINCT delivery) AS n, min(recorded_at) AS since FROM feedback
            WHERE class IN ('sender', 'content') AND recorded_at >= $1";
        let Some(row) = tx.row(sum, values![since]).await? else { return Ok(None) };
        let row = Reader::new(&row, "feedback", "since");
        let Some(first) = row.optional_instant("since")? else { return Ok(None) };
        let count = row.number("n")?;
        let latest = "SELECT text FROM feedback WHERE class IN ('sender', 'content') AND recorded_at >= $1
            ORDER BY recorded_at DESC, hash LIMIT 1";
        let latest = tx.row(latest, values![since]).await?;
        let said = latest.map(|row| Reader::new(&row, "feedback", "text").text("text")).transpose()?;
        Ok(Some(RefusedUs { count, since: first, said: said.unwrap_or_default() }))
    }

    async fn bounced(&self, issues: &[(IssueKey, Timestamp)]) -> Result<HashMap<IssueKey, u64>> {
        let mut tx = Transaction::read(&self.0, "counting bounces").await?;
        // The ids of an issue are one range: they begin with the time of freezing.
        let count = "SELECT count(DISTINCT f.delivery) AS n FROM feedback f JOIN deliveries d ON d.id = f.delivery
            WHERE f.delivery > $1 AND f.delivery < $2 AND f.kind = 'bounce' AND d.issue = $3";
        let mut found = HashMap::new();
        for (issue, frozen_at) in issues {
            let at = frozen_at.timestamp_millis();
            let row = tx.row(count, values![format!("{at:012x}"), format!("{:012x}", at + 1), issue]).await?;
            let n = row.map(|row| Reader::new(&row, "feedback", "n").number("n")).transpose()?.unwrap_or(0);
            if n > 0 {
                found.insert(issue.clone(), n);
            }
        }
        Ok(found)
    }

    async fn to_repair(&self, softly_since: Timestamp, limit: u32) -> Result<Vec<ToRepair>> {
        let mut tx = Transaction::read(&self.0, "looking for addresses to repair").await?;
        let dead =
            "SELECT c.id, c.address, c.email_key, c.address_hash, c.name, p.name AS establishment, p.commune, p.phone,
                s.since AS since
            FROM suppressions s JOIN contacts c ON c.address_hash = s.address_hash JOIN partners p ON p.id = c.partner
            WHERE s.reason = 'bounce' AND s.scope = '*' ORDER BY p.name, c.email_key LIMIT $1";
        let soft = "SELECT c.id, c.address, c.email_key, c.address_hash, c.name, p.name AS establishment, p.commune, p.phone,
                CAST(NULL AS BIGINT) AS since
            FROM contacts c JOIN partners p ON p.id = c.partner
            WHERE c.address_hash IN (SELECT f.address_hash FROM feedback f WHERE f.class = 'soft' AND f.recorded_at >= $1)
                AND NOT EXISTS (SELECT 1 FROM suppressions s WHERE s.address_hash = c.address_hash AND s.scope = '*')
            ORDER BY p.name, c.email_key LIMIT $2";
        let mut rows = tx.rows(dead, values![limit]).await?;
        rows.extend(tx.rows(soft, values![softly_since, limit]).await?);
        let last = "SELECT f.delivery, f.kind, f.class, f.code, f.enhanced, f.text, f.proof, f.received_at, f.recorded_at
            FROM feedback f WHERE f.address_hash = $1 AND f.kind = 'bounce' ORDER BY f.recorded_at DESC, f.hash LIMIT 1";
        let mut found = Vec::new();
        for row in &rows {
            let row = Reader::new(row, "contacts", "id");
            let bounce = tx.row(last, values![row.text("address_hash")?]).await?;
            found.push(ToRepair {
                contact_id: row.text("id")?,
                address: row.text("address")?,
                address_key: row.text("email_key")?,
                name: row.text("name")?,
                establishment: row.text("establishment")?,
                commune: row.text("commune")?,
                phone: row.text("phone")?,
                suppressed_since: row.optional_instant("since")?,
                bounce: bounce.map(|row| rows::feedback(&row)).transpose()?.map(|(_, bounce)| bounce),
            });
        }
        found.sort_by(|a, b| (&a.establishment, &a.address_key).cmp(&(&b.establishment, &b.address_key)));
        Ok(found)
    }

    async fn mailbox_seen(&self, name: &str, trouble: Option<&str>, now: Timestamp) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "noting that a mailbox was read").await?;
        let seen = match trouble {
            None => {
                "INSERT INTO mailboxes (name, read_at, failing_since, trouble) VALUES ($1, $2, NULL, $3)
                ON CONFLICT (name) DO UPDATE SET read_at = excluded.read_at, failing_since = NULL, trouble = ''"
            }
            Some(_) => {
                "INSERT INTO mailboxes (name, read_at, failing_since, trouble) VALUES ($1, NULL, $2, $3)
                ON CONFLICT (name) DO UPDATE SET failing_since = coalesce(mailboxes.failing_since, excluded.failing_since),
                    trouble = excluded.trouble"
            }
        };
        tx.execute(seen, values![name, now, trouble.unwrap_or_default()]).await?;
        tx.commit().await
    }

    async fn mailboxes(&self) -> Result<Vec<MailboxState>> {
        let mut tx = Transaction::read(&self.0, "reading the mailboxes").await?;
        let select = "SELECT name, read_at, failing_since, trouble FROM mailboxes ORDER BY name";
        let read = |row| {
            let row = Reader::new(row, "mailboxes", "name");
            let (since, trouble) = (row.optional_instant("failing_since")?, row.text("trouble")?);
            Ok(MailboxState {
                name: row.text("name")?,
                read_at: row.optional_instant("read_at")?,
                failing: since.map(|since| (since, trouble)),
            })
        };
        tx.rows(select, values![]).await?.iter().map(read).collect()
    }
}

/// Messages about one delivery that are recorded, so that nobody who knows one return path can fill the ledger; twice as many where
/// something follows from them.
const MOST_OF_ONE: u32 = 20;

/// Whether it is new.
async fn record<B: Backend>(tx: &mut Transaction<B>, it: &NewFeedback, now: Timestamp) -> Result<bool> {
    let Feedback { kind, class, said, proof, received_at, .. } = &it.feedback;
    // The person may have been erased since the delivery was looked up: then nothing of the words is kept.
    let insert =
        "INSERT INTO feedback (hash, delivery, address_hash, kind, class, code, enhanced, text, proof, received_at,
            recorded_at, alike, domain)
        SELECT $1, d.id, CASE WHEN d.contact_id = '' THEN '' ELSE d.address_hash END, $3, $4, $5, $6,
            CASE WHEN d.contact_id = '' THEN '' ELSE $7 END, $8, $9, $10,
            CASE WHEN d.contact_id = '' THEN '' ELSE $12 END, CASE WHEN d.contact_id = '' THEN '' ELSE $13 END
        FROM deliveries d WHERE d.id = $2 AND (SELECT count(*) FROM feedback f WHERE f.delivery = $2) < $11
        ON CONFLICT (hash) DO NOTHING";
    let bound = values![
        it.hash.as_str(),
        &it.delivery,
        kind.as_str(),
        class.map(Class::as_str),
        said.code.map(u32::from),
        said.enhanced.as_deref(),
        said.text.as_str(),
        proof.as_str(),
        *received_at,
        now,
        if it.suppress.is_some() { MOST_OF_ONE * 2 } else { MOST_OF_ONE },
        it.bounce.as_ref().map_or("", |it| it.alike.as_str()),
        it.bounce.as_ref().map_or("", |it| it.domain.as_str())
    ];
    Ok(tx.execute(insert, bound).await? > 0)
}

async fn suppress<B: Backend>(
    tx: &mut Transaction<B>,
    it: &NewFeedback,
    reason: SuppressionReason,
    now: Timestamp,
) -> Result<()> {
    let address = "SELECT id, address_hash FROM deliveries WHERE id = $1 AND address_hash <> ''";
    if let Some(row) = tx.row(address, values![&it.delivery]).await? {
        let hash = Reader::new(&row, "deliveries", "id").text("address_hash")?;
        partners::suppress_within(tx, &hash, None, (reason, ""), now).await?;
    }
    Ok(())
}
