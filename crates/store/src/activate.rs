//! Activation: an unconfirmed credential becomes the live one, in one statement with all that ends by it.

use domain::journey::OpenStart;
use domain::journey::activate::Outcome;
use domain::journey::session::NewSession;
use domain::{LockSchedule, Step, UnixTime};

use crate::database::{Database, Row, Value};
use crate::error::Error;
use crate::login::{retry_after, schedule};
use crate::statement::{inconsistent, only_row};

/// The old live credential is deleted before the new one is made live (the count carries that order), because there is
/// one live credential at any moment; its sessions and renewal tokens go with it. Every check is on locked rows.
///
/// $1 account, $2 credential, $3 revision, $4 step or NULL, $5 expiry, $6 session hash, $7 session id,
/// $8 first wait at, $9 longest wait in minutes, $10 the start ends at
const COMMIT: &str = "
WITH owner AS (
    SELECT id, username, state, last_login_at FROM account WHERE id = $1 FOR NO KEY UPDATE),
draft AS (
    SELECT credential.id, credential.revision, credential.deadline, credential.wrong_codes, credential.locked_until
    FROM credential JOIN owner ON credential.account_id = owner.id
    WHERE credential.id = $2 AND NOT credential.live
    FOR UPDATE OF credential),
decision AS MATERIALIZED (
    SELECT draft.id, draft.wrong_codes, draft.locked_until, owner.username, owner.last_login_at, CASE
        WHEN draft.id IS NULL OR draft.revision <> $3 THEN 'superseded'
        WHEN draft.deadline <= now() OR owner.state NOT IN ('pending', 'expired') THEN 'token_invalid'
        WHEN draft.locked_until > now() THEN 'waiting'
        WHEN $4::bigint IS NOT NULL THEN 'ok'
        WHEN draft.wrong_codes + 1 >= $10::bigint THEN 'wrong_code_ends_start'
        WHEN wait_after_wrong_codes(draft.wrong_codes + 1, $8, $9) IS NOT NULL THEN 'wrong_code_locks'
        ELSE 'wrong_code' END AS outcome
    FROM (SELECT 1) AS always LEFT JOIN owner ON true LEFT JOIN draft ON true),
counted AS (
    UPDATE credential SET
        wrong_codes = credential.wrong_codes + 1,
        locked_until = CASE WHEN outcome = 'wrong_code_locks'
            THEN now() + wait_after_wrong_codes(credential.wrong_codes + 1, $8, $9) END,
        deadline = CASE WHEN outcome = 'wrong_code_ends_start' THEN now() ELSE deadline END,
        reveal_expires_at = CASE WHEN outcome = 'wrong_code_ends_start' THEN least(reveal_expires_at, now())
            ELSE reveal_expires_at END,
        revision = revision + 1
    FROM decision
    WHERE starts_with(outcome, 'wrong_code') AND credential.id = decision.id),
ended AS (
    UPDATE account SET pending_until = now() FROM decision
    WHERE outcome = 'wrong_code_ends_start' AND account.id = $1 AND account.state = 'pending'),
replaced AS (
    DELETE FROM credential USING decision
    WHERE outcome = 'ok' AND account_id = $1 AND live
    RETURNING credential.id),
activated AS (
    UPDATE credential SET
        live = true, last_step = $4, expires_at = to_timestamp($5::bigint),
        deadline = NULL, enrollment_hash = NULL, wrong_codes = 0, locked_until = NULL, revision = revision + 1
    FROM decision, (SELECT count(*) FROM replaced) AS gone
    WHERE outcome = 'ok' AND credential.id = decision.id
    RETURNING credential.id, credential.expires_at),
opened AS (
    UPDATE account SET
        state = 'active', pending_until = NULL, credential_id = activated.id,
        wrong_codes = 0, locked_until = NULL, last_login_at = now()
    FROM activated WHERE account.id = $1),
signed_in AS (
    INSERT INTO session (hash, id, credential_id, previous_login_at, failed_before)
    SELECT $6, $7, activated.id, last_login_at, failed_logins_since($1, last_login_at) FROM activated, decision),
recorded AS (
    INSERT INTO event (kind, outcome, account_id) SELECT 'activate', outcome, $1 FROM decision)
SELECT outcome, username, ceil(extract(epoch FROM locked_until - now()))::bigint AS retry_after,
    (SELECT floor(extract(epoch FROM expires_at))::bigint FROM activated) AS expires_at
FROM decision";

/// Decides an attempt with a right password: activates, or counts a wrong code, or refuses.
///
/// # Errors
/// [`Error`], and then nothing was changed or counted.
pub fn commit(
    database: &impl Database,
    start: &OpenStart,
    step: Option<Step>,
    expires_at: UnixTime,
    session: &NewSession,
) -> Result<Outcome, Error> {
    let [first_wait_at, longest_wait_minutes, ends_at] = schedule(&LockSchedule::ACTIVATION);
    let answer = only_row(
        database,
        COMMIT,
        &[
            start.account_id.into(),
            start.credential_id.into(),
            Value::Integer(start.revision.0),
            step.into(),
            Value::Integer(expires_at.seconds()),
            session.token.hash().into(),
            session.session_id.into(),
            first_wait_at,
            longest_wait_minutes,
            ends_at,
        ],
    )?;
    outcome(&answer)
}

fn outcome(row: &Row) -> Result<Outcome, Error> {
    Ok(match row.get::<String>("outcome")?.as_str() {
        "ok" => Outcome::Activated { username: row.get("username")?, expires_at: row.get("expires_at")? },
        "wrong_code" | "wrong_code_locks" => Outcome::WrongCode,
        "wrong_code_ends_start" => Outcome::StartEnded,
        "waiting" => Outcome::Waiting(retry_after(row)?),
        "superseded" => Outcome::Superseded,
        "token_invalid" => Outcome::Ended,
        other => return Err(inconsistent("answer", "", format!("activation outcome {other}"))),
    })
}
