//! `erase`: removes somebody's account, for an owner who cannot log in (GDPR article 17).
//!
//! Owns: that it says what is gone and what stays. Leaves to others: what that is (`journey`).

use anyhow::{Context, Result};
use domain::{UnixTime, limits};
use journey::functions::ACCOUNT_ERASE;
use sqlx::FromRow;

use crate::export::NO_SUCH_ACCOUNT;
use crate::{connection, schema};

#[derive(FromRow)]
struct Erased {
    credentials: i64,
    sessions: i64,
    renewal_tokens: i64,
    events: i64,
    reserved_until: Option<i64>,
}

/// Removes the account of exactly this name, whatever its state.
pub async fn run(name: &str) -> Result<Vec<String>> {
    let mut owner = connection::open().await?;
    schema::refuse_who_may_not_use_it(&mut owner).await?;
    let mut transaction = owner.begin().await?;
    let erased: Option<Erased> = sqlx::query_as(ACCOUNT_ERASE.statement())
        .bind(name)
        .bind(i64::from(limits::RESERVED_NAME_MONTHS))
        .fetch_optional(&mut *transaction)
        .await
        .context("nothing was removed")?;
    let erased = erased.context(NO_SUCH_ACCOUNT)?;
    transaction.commit().await.context("whether it was removed is not known: run it again")?;
    owner.close().await?;
    Ok(told(&erased))
}

fn told(erased: &Erased) -> Vec<String> {
    let Erased { credentials, sessions, renewal_tokens, events, reserved_until } = erased;
    let mut lines = vec![
        format!(
            "removed the account, with {credentials} credentials, {sessions} sessions, {renewal_tokens} renewal tokens"
        ),
        format!(
            "stays: {events} events, which name nobody any more, each until `purge` removes it ({} months after it was, unless \
             told otherwise)",
            limits::EVENT_KEPT_MONTHS
        ),
    ];
    lines.extend(reserved_until.map(|until| {
        let until = UnixTime::from_seconds(until).to_rfc3339();
        format!("stays: the name, as a hash, until {until}: nobody can start with it")
    }));
    lines.push("stays: all of it in backups from before, until they are removed".to_owned());
    lines
}
