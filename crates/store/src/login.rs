//! Login: a load that is the same for every name, and a commit that decides.

use domain::journey::Wait;
use domain::journey::login::{LiveCredential, LoginSnapshot, Outcome};
use domain::journey::session::NewSession;
use domain::{AccountId, CredentialId, LockSchedule, PlainToken, SealedTotpSecret, Step, Username, limits};

use crate::database::{Database, Row, Value};
use crate::error::Error;
use crate::start::verifier;
use crate::statement::{inconsistent, only_row};

/// One row for every name, known or not: an unknown one must cost the same.
const LOAD: &str = "
SELECT floor(extract(epoch FROM now()))::bigint AS now, account.id AS account_id, credential.id AS credential_id,
    credential.verifier, credential.verifier_algorithm, credential.totp_secret
FROM (SELECT 1) AS always
LEFT JOIN account ON account.username = $1
LEFT JOIN credential ON credential.id = account.credential_id";

/// What is stored under a name.
///
/// # Errors
/// [`Error`].
pub fn load(database: &impl Database, username: &Username) -> Result<LoginSnapshot, Error> {
    let row = only_row(database, LOAD, &[username.as_str().into()])?;
    Ok(LoginSnapshot {
        now: row.get("now")?,
        account_id: row.get("account_id")?,
        credential: credential(&row)?,
    })
}

/// The live credential of a row, if it has one.
pub(crate) fn credential(row: &Row) -> Result<Option<LiveCredential>, Error> {
    let Some(credential_id) = row.get::<Option<CredentialId>>("credential_id")? else {
        return Ok(None);
    };
    let Some(verifier) = verifier(row)? else {
        return Err(inconsistent("credential", credential_id, "live without a verifier"));
    };
    Ok(Some(LiveCredential {
        account_id: row.get("account_id")?,
        credential_id,
        verifier,
        totp_secret: SealedTotpSecret::from_bytes(row.get("totp_secret")?),
    }))
}

/// The account row is locked first and everything is decided from it and the credential's row, locked after it: who
/// waited for the lock sees what the one before has counted, used or replaced. `now()` is when the statement began, so a
/// wait that was set in between is not over.
///
/// $1 account, $2 credential, $3 step or NULL, $4 session hash, $5 session id, $6 renewal hash,
/// $7 first wait at, $8 longest wait in minutes, $9 suspended at, $10 lifetime of the renewal token in seconds
const COMMIT: &str = "
WITH owner AS (
    SELECT id, username, state, wrong_codes, locked_until, last_login_at FROM account WHERE id = $1
    FOR NO KEY UPDATE),
live AS (
    SELECT credential.id, credential.last_step, credential.expires_at
    FROM credential JOIN owner ON credential.account_id = owner.id
    WHERE credential.id = $2 AND credential.live
    FOR NO KEY UPDATE OF credential),
decision AS MATERIALIZED (
    SELECT live.id, live.expires_at, owner.username, owner.locked_until, owner.last_login_at, CASE
        WHEN live.id IS NULL THEN 'stale'
        WHEN owner.state = 'suspended' THEN 'suspended'
        WHEN owner.locked_until > now() THEN 'waiting'
        WHEN $3::bigint <= live.last_step THEN 'reused_code'
        WHEN $3::bigint IS NOT NULL AND (owner.state = 'expired' OR live.expires_at <= now()) THEN 'expired'
        WHEN $3::bigint IS NOT NULL THEN 'ok'
        WHEN owner.wrong_codes + 1 >= $9::bigint THEN 'wrong_code_suspends'
        WHEN wait_after_wrong_codes(owner.wrong_codes + 1, $7, $8) IS NOT NULL THEN 'wrong_code_locks'
        ELSE 'wrong_code' END AS outcome
    FROM (SELECT 1) AS always LEFT JOIN owner ON true LEFT JOIN live ON true),
counted AS (
    UPDATE account SET
        wrong_codes = account.wrong_codes + 1,
        locked_until = CASE WHEN outcome = 'wrong_code_locks'
            THEN now() + wait_after_wrong_codes(account.wrong_codes + 1, $7, $8) END,
        state = CASE WHEN outcome = 'wrong_code_suspends' THEN 'suspended' ELSE state END
    FROM decision
    WHERE starts_with(outcome, 'wrong_code') AND account.id = $1),
accepted AS (
    UPDATE account SET
        wrong_codes = 0, locked_until = NULL,
        state = CASE WHEN outcome = 'expired' THEN 'expired' ELSE state END,
        last_login_at = CASE WHEN outcome = 'ok' THEN now() ELSE account.last_login_at END
    FROM decision
    WHERE outcome IN ('ok', 'expired') AND account.id = $1),
used AS (
    UPDATE credential SET last_step = $3
    FROM decision
    WHERE outcome IN ('ok', 'expired') AND credential.id = decision.id),
signed_in AS (
    INSERT INTO session (hash, id, credential_id, previous_login_at, failed_before)
    SELECT $4, $5, id, last_login_at, failed_logins_since($1, last_login_at) FROM decision WHERE outcome = 'ok'),
renewal AS (
    INSERT INTO renewal_token (hash, credential_id, expires_at)
    SELECT $6, id, now() + make_interval(secs => $10::bigint) FROM decision WHERE outcome = 'expired'),
recorded AS (
    INSERT INTO event (kind, outcome, account_id) SELECT 'login', outcome, $1 FROM decision)
SELECT outcome, username, floor(extract(epoch FROM expires_at))::bigint AS expires_at,
    ceil(extract(epoch FROM locked_until - now()))::bigint AS retry_after
FROM decision";

/// A right password: whose, checked against which credential, and the step that the code is of, if of any.
#[derive(Debug, Clone, Copy)]
pub struct RightPassword {
    /// Whose it is.
    pub account_id: AccountId,
    /// The credential that it was checked against.
    pub credential_id: CredentialId,
    /// `None`: the code is wrong.
    pub step: Option<Step>,
}

/// What a login may open; the commit stores the one that its outcome calls for.
#[derive(Debug)]
pub struct Tickets {
    /// For right credentials.
    pub session: NewSession,
    /// For right credentials that have expired.
    pub renewal_token: PlainToken,
}

/// Decides an attempt with a right password.
///
/// # Errors
/// [`Error`], and then nothing was changed, counted or used up.
pub fn commit(
    database: &impl Database,
    attempt: &RightPassword,
    tickets: &Tickets,
) -> Result<Outcome, Error> {
    let [first_wait_at, longest_wait_minutes, suspended_at] = schedule(&LockSchedule::LOGIN);
    let answer = only_row(
        database,
        COMMIT,
        &[
            attempt.account_id.into(),
            attempt.credential_id.into(),
            attempt.step.into(),
            tickets.session.token.hash().into(),
            tickets.session.session_id.into(),
            tickets.renewal_token.hash().into(),
            first_wait_at,
            longest_wait_minutes,
            suspended_at,
            Value::Integer(limits::RENEWAL_TTL_SECONDS),
        ],
    )?;
    outcome(&answer)
}

fn outcome(row: &Row) -> Result<Outcome, Error> {
    Ok(match row.get::<String>("outcome")?.as_str() {
        "ok" => Outcome::Authenticated { username: row.get("username")?, expires_at: row.get("expires_at")? },
        "expired" => Outcome::Expired,
        "wrong_code" | "wrong_code_locks" | "wrong_code_suspends" => Outcome::WrongCode,
        "reused_code" => Outcome::ReusedCode,
        "waiting" => Outcome::Waiting(retry_after(row)?),
        "suspended" => Outcome::Suspended,
        "stale" => Outcome::Stale,
        other => return Err(inconsistent("answer", "", format!("login outcome {other}"))),
    })
}

/// The rest of a wait, at least a second.
pub(crate) fn retry_after(row: &Row) -> Result<Wait, Error> {
    Ok(Wait { retry_after_seconds: row.get::<i64>("retry_after")?.max(1) })
}

/// The domain's schedule as parameters of a statement.
pub(crate) fn schedule(schedule: &LockSchedule) -> [Value; 3] {
    [schedule.first_wait_at, schedule.longest_wait_minutes, schedule.stop_at]
        .map(|n| Value::Integer(i64::from(n)))
}
