//! What may be between us and Postgres: a connection pooler such as PgBouncer.
//!
//! One that keeps a session for one client (`pool_mode = session`) changes nothing: every connection sets what it relies on itself
//! ([`setting`]), for such a pooler drops what a client asks for when it connects. One that hands the session on after each
//! transaction is refused ([`is_shared`]): its clients share settings, prepared statements and locks, so that a marker could be
//! written with the `synchronous_commit = off` of somebody else (K12).

use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

/// Why a database is refused.
pub(super) const REFUSED: &str = "a connection pooler hands each session on to other clients after a transaction, and semainier needs \
    sessions of its own: connect to Postgres directly, or let the pooler keep sessions (PgBouncer: pool_mode = session)";

/// A statement that sets these for the session. Values are written by us, without quotes in them.
pub(super) fn setting(settings: &[&[(&str, &str)]]) -> String {
    settings.iter().copied().flatten().map(|(name, value)| format!("SET {name} = '{value}';")).collect()
}

/// Whether two open connections are served by the same session, or one of them by more than one.
///
/// A pooler takes the session that became free last, so that both use the same one by turns; one that takes them in turn changes the
/// session of the first. Without prepared statements, which fail in such a session.
///
/// # Errors
/// When the server does not answer.
pub(super) async fn is_shared(one: &mut PgConnection, other: &mut PgConnection) -> sqlx::Result<bool> {
    let first = session(one).await?;
    let second = session(other).await?;
    Ok(first == second || session(one).await? != first)
}

/// The server's process of the session that serves this connection now.
async fn session(connection: &mut PgConnection) -> sqlx::Result<i32> {
    connection.fetch_one(sqlx::raw_sql("SELECT pg_backend_pid()")).await?.try_get(0)
}

/// Executes a statement of [`setting`].
///
/// # Errors
/// When the server refuses it or does not answer.
pub(super) async fn set(connection: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await.map(drop)
}
