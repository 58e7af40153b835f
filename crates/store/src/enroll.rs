//! The unconfirmed TOTP secret of a start.

use domain::journey::OpenStart;
use domain::journey::enroll::{NewSecret, Outcome};

use crate::database::{Database, Value};
use crate::error::Error;
use crate::statement::{inconsistent, only_row};

/// The revision that the load saw must still stand: otherwise a new code, and with it another password or none, may
/// have come between.
const COMMIT: &str = "
WITH owner AS (
    SELECT id, state FROM account WHERE id = $1 FOR NO KEY UPDATE),
draft AS (
    SELECT credential.id, credential.revision, credential.deadline, owner.state
    FROM credential JOIN owner ON credential.account_id = owner.id
    WHERE credential.id = $2 AND NOT credential.live
    FOR NO KEY UPDATE OF credential),
decision AS MATERIALIZED (
    SELECT draft.id, CASE
        WHEN draft.id IS NULL OR draft.revision <> $3 THEN 'superseded'
        WHEN draft.deadline <= now() OR draft.state NOT IN ('pending', 'expired') THEN 'token_invalid'
        ELSE 'ok' END AS outcome
    FROM (SELECT 1) AS always LEFT JOIN draft ON true),
issued AS (
    UPDATE credential SET totp_secret = $4, revision = revision + 1
    FROM decision
    WHERE decision.outcome = 'ok' AND credential.id = decision.id),
recorded AS (
    INSERT INTO event (kind, outcome, account_id) SELECT 'enroll', outcome, $1 FROM decision)
SELECT outcome FROM decision";

/// Stores a secret that is about to be shown; it replaces one that was not confirmed.
///
/// # Errors
/// [`Error`], and then the caller must not show the secret: it may not be stored.
pub fn commit(database: &impl Database, start: &OpenStart, new_secret: &NewSecret) -> Result<Outcome, Error> {
    let answer = only_row(
        database,
        COMMIT,
        &[
            start.account_id.into(),
            start.credential_id.into(),
            Value::Integer(start.revision.0),
            Value::Bytes(new_secret.sealed.as_bytes().to_vec()),
        ],
    )?;
    match answer.get::<String>("outcome")?.as_str() {
        "ok" => Ok(Outcome::Issued),
        "superseded" => Ok(Outcome::Superseded),
        "token_invalid" => Ok(Outcome::Ended),
        other => Err(inconsistent("answer", "", format!("enroll outcome {other}"))),
    }
}
