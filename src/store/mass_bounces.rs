//! Bounces of an issue that are alike, counted in the ledger (docs/adr/0017). All of it happens in the transaction that records them,
//! which no other reader overlaps.

use super::{
    Result,
    backend::{Backend, Transaction, Value, values},
    feedback::{BounceOf, NewFeedback},
    rows::Reader,
    sql::placeholders,
    tallies,
};
use crate::domain::{
    Timestamp,
    lane::Lanes,
    mass_bounce::{MassBounce, Returned, is_of_the_provider, is_of_the_relay, too_many_for_family},
};
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;

/// Bounces `f` of one issue that are alike: `$1` their words, `$2` and `$3` the range of ids, `$4` the issue. The index has no rows without
/// words; ids of two issues that were frozen in the same millisecond are in one range.
macro_rules! alike {
    ($select:literal) => {
        concat!(
            "SELECT ",
            $select,
            " FROM feedback f JOIN deliveries d ON d.id = f.delivery
            WHERE f.alike = $1 AND f.alike <> '' AND f.delivery > $2 AND f.delivery < $3 AND d.issue = $4"
        )
    };
}

fn bounds(it: &BounceOf) -> Vec<Value> {
    values![it.alike.as_str(), it.ids.0.as_str(), it.ids.1.as_str(), &it.issue]
}

/// Stores what the bounces that were just recorded show, and takes back what they, or earlier ones like them, suppressed.
pub(super) async fn look<B: Backend>(
    tx: &mut Transaction<B>,
    bounces: &[(usize, &BounceOf)],
    messages: &[NewFeedback],
    lanes: &Lanes,
    now: Timestamp,
) -> Result<()> {
    let mut seen = BTreeSet::new();
    for (n, bounce) in bounces {
        let said = messages[*n].feedback.said.said();
        if seen.insert((bounce.issue.clone(), None, bounce.alike.clone()))
            && !is_known(tx, bounce, "").await?
            && let Some(recipients) = returned_by_the_relay(tx, bounce).await?
        {
            note(tx, bounce, None, (&said, recipients), now).await?;
        }
        let lane = lanes.of(&bounce.domain);
        if lane.is_family
            && seen.insert((bounce.issue.clone(), Some(lane.name.to_owned()), bounce.alike.clone()))
            && !is_known(tx, bounce, "").await?
            && !is_known(tx, bounce, lane.name).await?
            && let Some(domains) = lanes.families().iter().find(|it| it.name == lane.name).map(|it| &it.domains)
            && let Some(recipients) = returned_by_the_provider(tx, bounce, domains).await?
        {
            note(tx, bounce, Some((lane.name, domains)), (&said, recipients), now).await?;
        }
    }
    Ok(())
}

/// Whether this bounce says nothing of its recipient.
pub(super) async fn is_about_us<B: Backend>(tx: &mut Transaction<B>, it: &BounceOf, lanes: &Lanes) -> Result<bool> {
    if is_known(tx, it, "").await? {
        return Ok(true);
    }
    let lane = lanes.of(&it.domain);
    Ok(lane.is_family && is_known(tx, it, lane.name).await?)
}

async fn is_known<B: Backend>(tx: &mut Transaction<B>, it: &BounceOf, family: &str) -> Result<bool> {
    let select = "SELECT issue FROM mass_bounces WHERE issue = $1 AND family = $2 AND alike = $3";
    Ok(tx.row(select, values![&it.issue, family, it.alike.as_str()]).await?.is_some())
}

/// How many, if the relay is at fault.
async fn returned_by_the_relay<B: Backend>(tx: &mut Transaction<B>, it: &BounceOf) -> Result<Option<u64>> {
    let count = alike!("count(DISTINCT f.delivery) AS n, count(DISTINCT f.domain) AS domains");
    let Some(row) = tx.row(count, bounds(it)).await? else { return Ok(None) };
    let row = Reader::new(&row, "feedback", "n");
    let (recipients, domains) = (row.number("n")?, row.number("domains")?);
    let counts = tallies::of(tx, &it.issue).await?;
    let returned = Returned { recipients, domains, handed_over: counts.sent + counts.unknown };
    Ok(is_of_the_relay(&returned).then_some(recipients))
}

/// How many, if the provider with these domains is at fault.
async fn returned_by_the_provider<B: Backend>(
    tx: &mut Transaction<B>,
    it: &BounceOf,
    domains: &[String],
) -> Result<Option<u64>> {
    let (mut values, these) = (bounds(it), of_domains(5, domains.len()));
    values.extend(domains.iter().map(|it| Value::from(it.as_str())));
    let count = format!("{} AND f.domain IN ({these})", alike!("count(DISTINCT f.delivery) AS n"));
    let Some(row) = tx.row(AssertSqlSafe(count), values).await? else { return Ok(None) };
    let recipients = Reader::new(&row, "feedback", "n").number("n")?;
    let Some(most) = too_many_for_family(recipients) else { return Ok(None) };
    // Only until it is known that they are few among many.
    let each: Vec<_> = (0..domains.len()).map(|n| format!("d.recipient_key LIKE ${}", n + 3)).collect();
    let handed_over = format!(
        "SELECT count(*) AS n FROM (SELECT 1 FROM deliveries d
            WHERE d.issue = $1 AND d.state IN ('sent', 'unknown') AND ({}) LIMIT $2) AS handed_over",
        each.join(" OR ")
    );
    let mut values = values![&it.issue, i64::try_from(most).unwrap_or(i64::MAX)];
    values.extend(domains.iter().map(|domain| Value::from(format!("%@{domain}").as_str())));
    let Some(row) = tx.row(AssertSqlSafe(handed_over), values).await? else { return Ok(None) };
    let handed_over = Reader::new(&row, "deliveries", "n").number("n")?;
    Ok(is_of_the_provider(recipients, handed_over).then_some(recipients))
}

/// `$5, $6`: placeholders from this number on.
fn of_domains(first: usize, n: usize) -> String {
    let all = placeholders(first + n - 1);
    let skipped = placeholders(first - 1).len();
    all[skipped..].trim_start_matches([',', ' ']).to_owned()
}

async fn note<B: Backend>(
    tx: &mut Transaction<B>,
    it: &BounceOf,
    family: Option<(&str, &[String])>,
    (said, recipients): (&str, u64),
    now: Timestamp,
) -> Result<()> {
    let insert = "INSERT INTO mass_bounces (issue, family, alike, said, recipients, found_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (issue, family, alike) DO NOTHING";
    let name = family.map_or("", |(name, _)| name);
    let recipients = i64::try_from(recipients).unwrap_or(i64::MAX);
    tx.execute(insert, values![&it.issue, name, it.alike.as_str(), said, recipients, now]).await?;
    // What they suppressed before so many had come back: by the instant that both were recorded at.
    let mut values = bounds(it);
    let mut these = String::new();
    if let Some((_, domains)) = family {
        these = format!(" AND f.domain IN ({})", of_domains(5, domains.len()));
        values.extend(domains.iter().map(|it| Value::from(it.as_str())));
    }
    let suppressed = format!(
        "SELECT s.address_hash FROM suppressions s WHERE s.scope = '*' AND s.reason = 'bounce' AND (s.address_hash, s.since) IN ({}{these})",
        alike!("f.address_hash, f.recorded_at")
    );
    let at = format!("${}", values.len() + 1);
    let mut with_now = values.clone();
    with_now.push(now.into());
    let lifted = format!(
        "INSERT INTO subscription_changes (address_hash, mailing, at, change, basis, source)
        SELECT s.address_hash, '*', CAST({at} AS BIGINT), 'subscribed', '', 'lifted: the same came back for many'
        FROM suppressions s WHERE s.scope = '*' AND s.reason = 'bounce' AND s.address_hash IN ({suppressed})
        ON CONFLICT (address_hash, mailing, at, change) DO NOTHING"
    );
    tx.execute(AssertSqlSafe(lifted), with_now).await?;
    let lift =
        format!("DELETE FROM suppressions WHERE scope = '*' AND reason = 'bounce' AND address_hash IN ({suppressed})");
    tx.execute(AssertSqlSafe(lift), values).await?;
    Ok(())
}

/// `condition` is constant text.
pub(super) async fn read<B: Backend>(db: &B, condition: &'static str, values: Vec<Value>) -> Result<Vec<MassBounce>> {
    let mut tx = Transaction::read(db, "reading bounces that are about us").await?;
    let select = format!("SELECT issue, family, alike, said, recipients, found_at FROM mass_bounces WHERE {condition}");
    let read = |row| {
        let row = Reader::new(row, "mass_bounces", "issue");
        Ok(MassBounce {
            issue: row.issue_key("issue")?,
            family: Some(row.text("family")?).filter(|it| !it.is_empty()),
            alike: row.text("alike")?,
            said: row.text("said")?,
            recipients: row.number("recipients")?,
            found_at: row.instant("found_at")?,
        })
    };
    tx.rows(AssertSqlSafe(select), values).await?.iter().map(read).collect()
}
