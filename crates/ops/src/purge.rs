//! `purge`: removes what has ended.
//!
//! Owns: how often, and with which numbers. Leaves to others: what is due, and in which order rows are locked (the
//! function of the same name in `journey`).

use anyhow::{Error, Result};
use domain::limits;
use journey::functions::PURGE;

use crate::arguments::Purge;
use crate::connection::{Owner, is_code};
use crate::{connection, schema, terminal};

/// Nobody has migrated for this release.
const UNDEFINED_FUNCTION: &str = "42883";

/// Removes batch after batch until no kind fills one: what is due then is locked by somebody, or became due meanwhile.
pub async fn run(options: &Purge) -> Result<Vec<String>> {
    let mut owner = connection::open().await?;
    schema::refuse_who_may_not_use_it(&mut owner).await?;
    let mut removed: Vec<(String, i64)> = Vec::new();
    loop {
        let batch = one_batch(&mut owner, options).await?;
        let is_last = batch.iter().all(|(_, count)| *count < i64::from(options.batch));
        removed = added(removed, batch);
        if is_last {
            break;
        }
        terminal::note(format_args!("so far: {}", sentence(&removed)));
    }
    owner.close().await?;
    Ok(vec![format!("removed {}", sentence(&removed))])
}

/// A transaction of its own, so that nobody waits longer than one batch takes, and an interruption undoes one at the most.
async fn one_batch(owner: &mut Owner, options: &Purge) -> Result<Vec<(String, i64)>> {
    let mut transaction = owner.begin().await?;
    let removed = sqlx::query_as(PURGE.statement())
        .bind(limits::SESSION_IDLE_SECONDS)
        .bind(limits::SESSION_TTL_SECONDS)
        .bind(i64::from(limits::REFUSAL_KEPT_HOURS))
        .bind(i64::from(options.events_months))
        .bind(i64::from(options.expired_months))
        .bind(i64::from(limits::RESERVED_NAME_MONTHS))
        .bind(i64::from(options.batch))
        .fetch_all(&mut *transaction)
        .await
        .map_err(Error::from)
        .map_err(|error| match is_code(&error, UNDEFINED_FUNCTION) {
            true => error.context("this release's functions are not there: run `identity-ops migrate` first"),
            false => error.context("nothing more was removed; what was is gone for good"),
        })?;
    transaction.commit().await?;
    Ok(removed)
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
