//! `migrate`: brings the schema up to date.
//!
//! Owns: that what is printed is what this run did. Leaves to others: order, ledger, checksums and transactions (the
//! migrator), and the statements themselves (`migrations/`).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use anyhow::{Context, Result, bail};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;

use crate::connection;
use crate::role::APPLICATION_ROLE;

/// The migrations of this release. That the ledger knows newer ones is no fault: who goes back to an earlier release runs
/// its tool on the schema of the later one, which only adds.
static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("../../migrations");
    migrator.set_ignore_missing(true);
    migrator
});

/// Applies what is missing and returns one line about each migration that it applied.
pub async fn run() -> Result<Vec<String>> {
    let mut connection = connection::open().await?;
    // The migrator takes a lock of its own; ours is around it so that `before` belongs to this run.
    connection::wait_for_others(&mut connection).await?;
    refuse_without_role(&mut connection).await?;
    let before = applied(&mut connection).await?;
    MIGRATOR.run(&mut connection).await.context("the migrations stopped")?;
    connection::close(connection).await?;

    let mut lines: Vec<String> = MIGRATOR
        .iter()
        .filter(|migration| !before.contains(&migration.version))
        .map(|migration| format!("applied {:04} {}", migration.version, migration.description))
        .collect();
    if lines.is_empty() {
        lines.push(format!("nothing to apply: all {} are there", MIGRATOR.iter().count()));
    }
    let newer = before.iter().filter(|version| !MIGRATOR.version_exists(**version));
    lines.extend(newer.map(|version| format!("{version:04} is of a later release, and stays")));
    Ok(lines)
}

async fn refuse_without_role(connection: &mut PgConnection) -> Result<()> {
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(APPLICATION_ROLE)
        .fetch_one(connection)
        .await?;
    if !exists {
        bail!(
            "the role {APPLICATION_ROLE} does not exist, and migrations grant to it: run `identity-ops role` first"
        );
    }
    Ok(())
}

async fn applied(connection: &mut PgConnection) -> Result<BTreeSet<i64>> {
    let has_ledger: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    if !has_ledger {
        return Ok(BTreeSet::new());
    }
    let versions: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
        .fetch_all(connection)
        .await?;
    Ok(versions.into_iter().collect())
}
