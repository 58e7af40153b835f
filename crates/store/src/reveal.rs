//! The reveal: one code, one password.

use domain::TokenHash;
use domain::journey::reveal::{NewPassword, Outcome, RevealSnapshot};

use crate::database::{Database, Row, Value};
use crate::error::Error;
use crate::statement::{inconsistent, only_row, row};

/// Live credentials are found too: a code that was used goes on saying so after the activation. The code of a start
/// whose account may no longer be activated is as unknown as one that never was, unless it was used.
const LOAD: &str = "
SELECT floor(extract(epoch FROM now()))::bigint AS now, account.id AS account_id, account.username,
    credential.id AS credential_id, credential.revealed_at IS NOT NULL AS is_revealed,
    floor(extract(epoch FROM credential.reveal_expires_at))::bigint AS expires_at
FROM credential JOIN account ON account.id = credential.account_id
WHERE credential.reveal_hash = $1
    AND (credential.revealed_at IS NOT NULL OR account.state IN ('pending', 'expired'))";

/// What a code belongs to. `None` when it is unknown.
///
/// # Errors
/// [`Error`].
pub fn load(database: &impl Database, reveal_token: &TokenHash) -> Result<Option<RevealSnapshot>, Error> {
    row(database, LOAD, &[(*reveal_token).into()])?.map(|row| snapshot(&row)).transpose()
}

fn snapshot(row: &Row) -> Result<RevealSnapshot, Error> {
    Ok(RevealSnapshot {
        now: row.get("now")?,
        account_id: row.get("account_id")?,
        username: row.get("username")?,
        credential_id: row.get("credential_id")?,
        is_revealed: row.get("is_revealed")?,
        expires_at: row.get("expires_at")?,
    })
}

/// The code's hash stands for the revision here: a new code and a newer start both change it.
const COMMIT: &str = "
WITH owner AS (
    SELECT id, state FROM account WHERE id = $1 FOR NO KEY UPDATE),
draft AS (
    SELECT credential.id, credential.revealed_at, credential.reveal_expires_at, owner.state
    FROM credential JOIN owner ON credential.account_id = owner.id
    WHERE credential.id = $2 AND credential.reveal_hash = $3
    FOR NO KEY UPDATE OF credential),
decision AS MATERIALIZED (
    SELECT draft.id, CASE
        WHEN draft.id IS NULL THEN 'token_unknown'
        WHEN draft.revealed_at IS NOT NULL THEN 'token_used'
        WHEN draft.state NOT IN ('pending', 'expired') THEN 'token_unknown'
        WHEN draft.reveal_expires_at <= now() THEN 'token_expired'
        ELSE 'ok' END AS outcome
    FROM (SELECT 1) AS always LEFT JOIN draft ON true),
revealed AS (
    UPDATE credential SET
        verifier = $4, verifier_algorithm = $5, revealed_at = now(), revision = revision + 1
    FROM decision
    WHERE decision.outcome = 'ok' AND credential.id = decision.id),
recorded AS (
    INSERT INTO event (kind, outcome, account_id) SELECT 'reveal', outcome, $1 FROM decision)
SELECT outcome FROM decision";

/// Stores the verifier of a password that is about to be shown, unless somebody was faster.
///
/// # Errors
/// [`Error`], and then the caller must not show the password: it may not be stored.
pub fn commit(
    database: &impl Database,
    snapshot: &RevealSnapshot,
    reveal_token: &TokenHash,
    new_password: &NewPassword,
) -> Result<Outcome, Error> {
    let answer = only_row(
        database,
        COMMIT,
        &[
            snapshot.account_id.into(),
            snapshot.credential_id.into(),
            (*reveal_token).into(),
            Value::Bytes(new_password.verifier.as_bytes().to_vec()),
            Value::Integer(domain::verifier::ALGORITHM),
        ],
    )?;
    match answer.get::<String>("outcome")?.as_str() {
        "ok" => Ok(Outcome::Revealed),
        "token_used" => Ok(Outcome::Used),
        "token_expired" => Ok(Outcome::Expired),
        "token_unknown" => Ok(Outcome::Unknown),
        other => Err(inconsistent("answer", "", format!("reveal outcome {other}"))),
    }
}
