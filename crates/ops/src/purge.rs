//! `purge`: removes what has ended.
//!
//! Owns: how often, and with which numbers. Leaves to others: what is due, and in which order rows are locked (the
//! function of the same name in `journey`).

use anyhow::{Context, Result};
use domain::limits;
use journey::functions::PURGE;
use sqlx::postgres::PgConnection;

use crate::arguments::Purge;
use crate::{connection, terminal};

/// Removes batch after batch until no kind fills one: what is due then is locked by somebody, or became due meanwhile.
pub async fn run(options: &Purge) -> Result<Vec<String>> {
    let mut connection = connection::open().await?;
    let mut removed: Vec<(String, i64)> = Vec::new();
    loop {
        let batch = one_batch(&mut connection, options).await?;
        let is_last = batch.iter().all(|(_, count)| *count < i64::from(options.batch));
        removed = added(removed, batch);
        if is_last {
            break;
        }
        terminal::note(format_args!("so far: {}", sentence(&removed)));
    }
    connection::close(connection).await?;
    Ok(vec![format!("removed {}", sentence(&removed))])
}

/// A transaction of its own, so that nobody waits longer than one batch takes, and an interruption undoes one at the most.
async fn one_batch(connection: &mut PgConnection, options: &Purge) -> Result<Vec<(String, i64)>> {
    sqlx::query_as(PURGE.statement())
        .bind(limits::SESSION_IDLE_SECONDS)
        .bind(limits::SESSION_TTL_SECONDS)
        .bind(i64::from(limits::REFUSAL_KEPT_HOURS))
        .bind(i64::from(options.events_months))
        .bind(i64::from(options.expired_months))
        .bind(i64::from(limits::RESERVED_NAME_MONTHS))
        .bind(i64::from(options.batch))
        .fetch_all(connection)
        .await
        .context("nothing more was removed; what was is gone for good")
}

/// Every call names the same kinds in the same order.
fn added(before: Vec<(String, i64)>, batch: Vec<(String, i64)>) -> Vec<(String, i64)> {
    if before.is_empty() {
        return batch;
    }
    before.into_iter().zip(batch).map(|((what, count), (_, more))| (what, count + more)).collect()
}

fn sentence(removed: &[(String, i64)]) -> String {
    let parts: Vec<String> = removed.iter().map(|(what, count)| format!("{count} {what}")).collect();
    parts.join(", ")
}
