//! `migrate`: brings the schema up to date, and installs the functions of this release.
//!
//! Owns: that all of it is one transaction, and that what is printed is what this run did. Leaves to others: order,
//! ledger and checksums (the migrator), the statements (`migrations/`), whose the schema is (`schema`), the functions
//! (`functions`), who may use what is beside them (`rights`).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use anyhow::{Context, Result, bail};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;

use crate::arguments::Migrate;
use crate::role::APPLICATION_ROLE;
use crate::schema::{LEDGER, Standing};
use crate::{connection, functions, rights, schema};

/// The migrations of this release. That the ledger knows newer ones is no fault: who goes back to an earlier release runs
/// its tool on the schema of the later one, which only adds.
static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("../../migrations");
    migrator.set_ignore_missing(true);
    migrator.dangerous_set_table_name(LEDGER);
    // Its lock would be the session's, and stay in one that a pooler keeps. Ours is around it.
    migrator.set_locking(false);
    migrator
});

/// Does all that is missing and returns a line about each thing that it did.
pub async fn run(options: &Migrate) -> Result<Vec<String>> {
    let mut owner = connection::open().await?;
    let lines = owner.alone(async |transaction| migrate(transaction, options).await).await?;
    owner.close().await?;
    Ok(lines)
}

async fn migrate(transaction: &mut PgConnection, options: &Migrate) -> Result<Vec<String>> {
    refuse_without_role(transaction).await?;
    let first = MIGRATOR.iter().next().context("there are no migrations")?;
    let standing = Standing::find(transaction, &first.checksum).await?;
    let mut lines = standing.settle(transaction).await?;
    let before = applied(transaction).await?;
    // The migrations name nothing by its schema.
    schema::run(transaction, "SET LOCAL search_path = identity, pg_temp").await?;
    MIGRATOR.run_direct(None, transaction, false).await.context("the migrations stopped")?;
    schema::run(transaction, "SET LOCAL search_path = pg_catalog, pg_temp").await?;
    lines.extend(told(&before));
    lines.extend(functions::install(transaction, &standing.owner).await?);
    if let Some(version) = &options.retire_before {
        lines.extend(functions::retire(transaction, version).await?);
    }
    lines.extend(rights::mend(transaction).await?);
    Ok(lines)
}

fn told(before: &BTreeSet<i64>) -> Vec<String> {
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
    lines
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
    if !schema::has_ledger(connection).await? {
        return Ok(BTreeSet::new());
    }
    let versions: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM identity._sqlx_migrations WHERE success")
            .fetch_all(connection)
            .await?;
    Ok(versions.into_iter().collect())
}
