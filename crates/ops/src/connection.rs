//! The owner's connection.
//!
//! Owns: where it comes from, which servers are good enough, and that one run waits for another.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions, Connection};

use crate::database_url;

/// What `PUBLIC` may do by default changed in 15: before it, everybody may create tables in schema `public`.
const OLDEST_SERVER: i32 = 150_000;

/// A server may accept a connection and then say nothing.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// The advisory lock of this tool, in a database ("cofrap" in ASCII). The migrator's own lock has another key.
const LOCK: i64 = 0x636f_6672_6170;

/// Connects as `DATABASE_URL` says and checks the server's version.
pub async fn open() -> Result<PgConnection> {
    let options = database_url::read()?.application_name("identity-ops").disable_statement_logging();
    let connecting = tokio::time::timeout(LONGEST_CONNECT, options.connect()).await;
    let mut connection = connecting
        .with_context(|| format!("no answer for {} seconds", LONGEST_CONNECT.as_secs()))
        .and_then(|connection| Ok(connection?))
        .context("PostgreSQL at DATABASE_URL cannot be used")?;
    // Nothing that somebody else may create is looked up, whatever the path of the database or the role is; and a policy
    // that somebody put on a table runs nothing here.
    sqlx::raw_sql("SET search_path = pg_catalog, pg_temp; SET row_security = off")
        .execute(&mut connection)
        .await?;
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::integer")
        .fetch_one(&mut connection)
        .await?;
    if version < OLDEST_SERVER {
        bail!("PostgreSQL {} is too old: 15 or newer is needed", version / 10_000);
    }
    Ok(connection)
}

/// How long a lock is waited for, ours included: behind one that is held, every request would wait, too.
const LONGEST_WAIT: &str = "SET lock_timeout = '60s'";

/// Waits until no other run of this tool works on the same server, for as long as this connection lives.
///
/// Advisory locks are kept per database, roles per server: two runs on two databases may still meet in `role`, and
/// the later one is told so by PostgreSQL instead of waiting.
pub async fn wait_for_others(connection: &mut PgConnection) -> Result<()> {
    sqlx::query(LONGEST_WAIT).execute(&mut *connection).await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(connection).await.context(
        "another session holds this tool's lock (pg_locks names it, locktype advisory), and has for a minute: another run?",
    )?;
    Ok(())
}

/// Ends the connection politely, so that the server logs nothing about it.
pub async fn close(connection: PgConnection) -> Result<()> {
    Ok(connection.close().await?)
}
