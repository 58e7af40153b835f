//! The deletion of an account by its owner: a load, and a commit that decides, as at a login.

use domain::journey::deletion::Outcome;
use domain::journey::login::LoginSnapshot;
use domain::{LockSchedule, TokenHash, limits};

use crate::database::{Database, Row, Value};
use crate::error::Error;
use crate::login::{RightPassword, credential, retry_after, schedule};
use crate::session::parameters;
use crate::statement::{inconsistent, only_row, row};

/// The check of the session is the touch, as everywhere.
const LOAD: &str = "
UPDATE session SET last_seen_at = now()
FROM credential JOIN account ON account.credential_id = credential.id
WHERE session.hash = $1 AND session.credential_id = credential.id
    AND account.state = 'active' AND credential.expires_at > now()
    AND session.created_at > now() - make_interval(secs => $2::bigint)
    AND session.last_seen_at > now() - make_interval(secs => $3::bigint)
RETURNING floor(extract(epoch FROM now()))::bigint AS now, account.id AS account_id, credential.id AS credential_id,
    credential.verifier, credential.verifier_algorithm, credential.totp_secret";

/// What is stored about whoever has this session, and counts as its use. `None` when it is not good.
///
/// # Errors
/// [`Error`].
pub fn load(database: &impl Database, session: &TokenHash) -> Result<Option<LoginSnapshot>, Error> {
    row(database, LOAD, &parameters(session))?.map(|row| snapshot(&row)).transpose()
}

fn snapshot(row: &Row) -> Result<LoginSnapshot, Error> {
    Ok(LoginSnapshot {
        now: row.get("now")?,
        account_id: row.get("account_id")?,
        credential: credential(row)?,
    })
}

/// As at a login: the account's row is locked first, then the credential's, then the session's, and all is decided from
/// them. What belongs to the account goes by foreign key, with what came in while this waited for the lock.
///
/// $1 account, $2 credential, $3 step or NULL, $4 session hash, $5 how long a session lasts in seconds, $6 how long
/// without use, $7 first wait at, $8 longest wait in minutes, $9 suspended at, $10 months that the name is reserved
const COMMIT: &str = "
WITH owner AS (
    SELECT id, username, state, wrong_codes, locked_until FROM account WHERE id = $1 FOR UPDATE),
live AS (
    SELECT credential.id, credential.last_step, credential.expires_at
    FROM credential JOIN owner ON credential.account_id = owner.id
    WHERE credential.id = $2 AND credential.live
    FOR UPDATE OF credential),
asking AS (
    SELECT session.id FROM session JOIN live ON session.credential_id = live.id
    WHERE session.hash = $4
        AND session.created_at > now() - make_interval(secs => $5::bigint)
        AND session.last_seen_at > now() - make_interval(secs => $6::bigint)
    FOR UPDATE OF session),
decision AS MATERIALIZED (
    SELECT owner.username, owner.locked_until, CASE
        WHEN asking.id IS NULL THEN 'session_invalid'
        WHEN owner.state = 'suspended' THEN 'suspended'
        WHEN owner.state <> 'active' OR live.expires_at <= now() THEN 'session_invalid'
        WHEN owner.locked_until > now() THEN 'waiting'
        WHEN $3::bigint <= live.last_step THEN 'reused_code'
        WHEN $3::bigint IS NOT NULL THEN 'ok'
        WHEN owner.wrong_codes + 1 >= $9::bigint THEN 'wrong_code_suspends'
        WHEN wait_after_wrong_codes(owner.wrong_codes + 1, $7, $8) IS NOT NULL THEN 'wrong_code_locks'
        ELSE 'wrong_code' END AS outcome
    FROM (SELECT 1) AS always LEFT JOIN owner ON true LEFT JOIN live ON true LEFT JOIN asking ON true),
counted AS (
    UPDATE account SET
        wrong_codes = account.wrong_codes + 1,
        locked_until = CASE WHEN outcome = 'wrong_code_locks'
            THEN now() + wait_after_wrong_codes(account.wrong_codes + 1, $7, $8) END,
        state = CASE WHEN outcome = 'wrong_code_suspends' THEN 'suspended' ELSE state END
    FROM decision
    WHERE starts_with(outcome, 'wrong_code') AND account.id = $1),
deleted AS (
    DELETE FROM account USING decision WHERE outcome = 'ok' AND account.id = $1),
reserved AS (
    INSERT INTO reserved_name (hash, reserved_until)
    SELECT name_hash(username), now() + make_interval(months => $10::bigint::integer) FROM decision WHERE outcome = 'ok'),
recorded AS (
    INSERT INTO event (kind, outcome, account_id) SELECT 'delete', outcome, $1 FROM decision)
SELECT outcome, ceil(extract(epoch FROM locked_until - now()))::bigint AS retry_after FROM decision";

/// Decides an attempt with a right password: deletes the account, or counts a wrong code, or refuses.
///
/// # Errors
/// [`Error`], and then nothing was changed, counted or used up.
pub fn commit(
    database: &impl Database,
    attempt: &RightPassword,
    session: &TokenHash,
) -> Result<Outcome, Error> {
    let [session, lifetime, idle] = parameters(session);
    let [first_wait_at, longest_wait_minutes, suspended_at] = schedule(&LockSchedule::LOGIN);
    let answer = only_row(
        database,
        COMMIT,
        &[
            attempt.account_id.into(),
            attempt.credential_id.into(),
            attempt.step.into(),
            session,
            lifetime,
            idle,
            first_wait_at,
            longest_wait_minutes,
            suspended_at,
            Value::Integer(limits::RESERVED_NAME_MONTHS.into()),
        ],
    )?;
    outcome(&answer)
}

fn outcome(row: &Row) -> Result<Outcome, Error> {
    Ok(match row.get::<String>("outcome")?.as_str() {
        "ok" => Outcome::Deleted,
        "wrong_code" | "wrong_code_locks" | "wrong_code_suspends" => Outcome::WrongCode,
        "reused_code" => Outcome::ReusedCode,
        "waiting" => Outcome::Waiting(retry_after(row)?),
        "suspended" => Outcome::Suspended,
        "session_invalid" => Outcome::NoSession,
        other => return Err(inconsistent("answer", "", format!("deletion outcome {other}"))),
    })
}
