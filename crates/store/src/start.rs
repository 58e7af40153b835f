//! Starts: the unconfirmed credential of a pending account, or of an expired one that is being renewed.

use domain::journey::renew::Renewal;
use domain::journey::start::NewAccount;
use domain::journey::{CodeIssued, NewDraft, OpenStart, Progress, Revision};
use domain::{PlainToken, SealedTotpSecret, SealedVerifier, TokenHash, Username, limits};

use crate::database::{Database, Row, Value};
use crate::error::Error;
use crate::event::{self, Refusal};
use crate::statement::{inconsistent, row};

/// A dead pending account of that name goes first (no other has `pending_until`): the insert depends on the count of what
/// was deleted, since without that dependency PostgreSQL may run it before, and both would be lost. Who comes second finds
/// the name taken. A name that was reserved after this began, while it waited for the deletion, is refused by a trigger.
const CREATE_ACCOUNT: &str = "
WITH dead AS (
    DELETE FROM account WHERE username = $2 AND pending_until <= now() RETURNING id),
created AS (
    INSERT INTO account (id, username, state, pending_until)
    SELECT $1, $2, 'pending', now() + make_interval(secs => $6::bigint) FROM (SELECT count(*) FROM dead) AS gone
    WHERE NOT EXISTS (SELECT FROM reserved_name WHERE hash = name_hash($2) AND reserved_until > now())
    ON CONFLICT (username) DO NOTHING
    RETURNING id, pending_until),
draft AS (
    INSERT INTO credential (id, account_id, live, deadline, enrollment_hash, reveal_hash, reveal_expires_at)
    SELECT $3, id, false, pending_until, $4, $5, least(pending_until, now() + make_interval(secs => $7::bigint)) FROM created
    RETURNING reveal_expires_at),
recorded AS (
    INSERT INTO event (kind, outcome, account_id)
    SELECT 'start', CASE WHEN created.id IS NULL THEN 'username_taken' ELSE 'ok' END, created.id
    FROM (SELECT 1) AS always LEFT JOIN created ON true)
SELECT floor(extract(epoch FROM reveal_expires_at))::bigint AS reveal_expires_at FROM draft";

/// The constraint by which a trigger refuses a name that was reserved while the statement waited for it.
const USERNAME_IS_FREE: &str = "account_username_is_free";

/// Creates a pending account with its first code. `None` when the name is taken, or reserved for one that was deleted.
///
/// # Errors
/// [`Error`], and then nothing was created.
pub fn create_account(database: &impl Database, account: &NewAccount) -> Result<Option<CodeIssued>, Error> {
    let parameters = start_parameters(account.account_id.into(), &account.username, &account.draft);
    match row(database, CREATE_ACCOUNT, &parameters) {
        // The statement was taken back whole, its event with it.
        Err(Error::Conflict { constraint }) if constraint == USERNAME_IS_FREE => {
            event::record(database, Refusal::StartUsernameTaken, None)?;
            Ok(None)
        }
        answer => answer?.map(|row| code_issued(&row)).transpose(),
    }
}

/// What an enrollment token opens: a start before its deadline, of an account that may still be activated. (What is live
/// has neither token nor deadline.)
const LOAD: &str = "
SELECT floor(extract(epoch FROM now()))::bigint AS now, account.id AS account_id, account.username,
    credential.id AS credential_id, credential.revision, credential.verifier, credential.verifier_algorithm,
    credential.totp_secret, floor(extract(epoch FROM credential.reveal_expires_at))::bigint AS reveal_expires_at
FROM credential JOIN account ON account.id = credential.account_id
WHERE credential.enrollment_hash = $1 AND credential.deadline > now()
    AND account.state IN ('pending', 'expired')";

/// The start that an enrollment token belongs to. `None` when the token is unknown or dead.
///
/// # Errors
/// [`Error`].
pub fn load(database: &impl Database, enrollment_token: &TokenHash) -> Result<Option<OpenStart>, Error> {
    row(database, LOAD, &[(*enrollment_token).into()])?.map(|row| open_start(&row)).transpose()
}

fn open_start(row: &Row) -> Result<OpenStart, Error> {
    Ok(OpenStart {
        now: row.get("now")?,
        account_id: row.get("account_id")?,
        username: row.get("username")?,
        credential_id: row.get("credential_id")?,
        revision: Revision(row.get("revision")?),
        reveal_expires_at: row.get("reveal_expires_at")?,
        progress: progress(row)?,
    })
}

fn progress(row: &Row) -> Result<Progress, Error> {
    let totp_secret = row.get::<Option<Vec<u8>>>("totp_secret")?.map(SealedTotpSecret::from_bytes);
    Ok(match (verifier(row)?, totp_secret) {
        (None, None) => Progress::Unrevealed,
        (Some(verifier), None) => Progress::Revealed { verifier },
        (Some(verifier), Some(totp_secret)) => Progress::SecretIssued { verifier, totp_secret },
        (None, Some(_)) => {
            let id: domain::CredentialId = row.get("credential_id")?;
            return Err(inconsistent("credential", id, "a TOTP secret without a verifier"));
        }
    })
}

/// The verifier of a row, when it is of the one construction that this release knows.
pub(crate) fn verifier(row: &Row) -> Result<Option<SealedVerifier>, Error> {
    let Some(bytes) = row.get::<Option<Vec<u8>>>("verifier")? else {
        return Ok(None);
    };
    if row.get::<Option<i64>>("verifier_algorithm")? != Some(domain::verifier::ALGORITHM) {
        let id: domain::CredentialId = row.get("credential_id")?;
        return Err(inconsistent("credential", id, "an unknown verifier algorithm"));
    }
    Ok(Some(SealedVerifier::from_bytes(bytes)))
}

/// A new code is an update of the same unconfirmed credential: the old code, a password that it may have given to
/// somebody and an unconfirmed secret go in the same write. What was counted against the start stays counted.
const REPLACE_CODE: &str = "
WITH owner AS (
    SELECT id FROM account WHERE id = $1 AND state IN ('pending', 'expired') FOR NO KEY UPDATE),
replaced AS (
    UPDATE credential SET
        reveal_hash = $4,
        reveal_expires_at = least(deadline, now() + make_interval(secs => $5::bigint)),
        revealed_at = NULL, verifier = NULL, verifier_algorithm = NULL, totp_secret = NULL,
        revision = revision + 1
    FROM owner
    WHERE account_id = owner.id AND credential.id = $2 AND enrollment_hash = $3 AND deadline > now()
    RETURNING reveal_expires_at),
recorded AS (
    INSERT INTO event (kind, outcome, account_id)
    SELECT 'new_code', CASE WHEN count(*) = 1 THEN 'ok' ELSE 'token_invalid' END, $1 FROM replaced)
SELECT floor(extract(epoch FROM reveal_expires_at))::bigint AS reveal_expires_at FROM replaced";

/// Gives an open start a new code. `None` when the start ended since it was loaded.
///
/// # Errors
/// [`Error`], and then the old code is still good.
pub fn replace_code(
    database: &impl Database,
    start: &OpenStart,
    enrollment_token: &TokenHash,
    reveal_token: &PlainToken,
) -> Result<Option<CodeIssued>, Error> {
    let answer = row(
        database,
        REPLACE_CODE,
        &[
            start.account_id.into(),
            start.credential_id.into(),
            (*enrollment_token).into(),
            reveal_token.hash().into(),
            Value::Integer(limits::REVEAL_TTL_SECONDS),
        ],
    )?;
    answer.map(|row| code_issued(&row)).transpose()
}

/// The token is used up by a delete that carries all its conditions. The unconfirmed credential is upserted under a new
/// id: twenty renewals at once that deleted and inserted it would mostly end in a unique violation.
const RENEW: &str = "
WITH owner AS (
    SELECT account.id
    FROM renewal_token
    JOIN credential ON credential.id = renewal_token.credential_id
    JOIN account ON account.credential_id = credential.id
    WHERE renewal_token.hash = $1 AND account.username = $2 AND account.state = 'expired'
    FOR NO KEY UPDATE OF account),
used AS (
    DELETE FROM renewal_token USING owner
    WHERE hash = $1 AND expires_at > now()
    RETURNING owner.id AS account_id),
draft AS (
    INSERT INTO credential (id, account_id, live, deadline, enrollment_hash, reveal_hash, reveal_expires_at)
    SELECT $3, account_id, false, now() + make_interval(secs => $6::bigint), $4, $5,
        now() + make_interval(secs => least($6::bigint, $7::bigint))
    FROM used
    ON CONFLICT (account_id) WHERE NOT live DO UPDATE SET
        id = excluded.id,
        revision = credential.revision + 1,
        deadline = excluded.deadline,
        enrollment_hash = excluded.enrollment_hash,
        reveal_hash = excluded.reveal_hash,
        reveal_expires_at = excluded.reveal_expires_at,
        revealed_at = NULL, verifier = NULL, verifier_algorithm = NULL, totp_secret = NULL,
        wrong_codes = 0, locked_until = NULL
    RETURNING account_id, reveal_expires_at),
recorded AS (
    INSERT INTO event (kind, outcome, account_id)
    SELECT 'renew', CASE WHEN draft.account_id IS NULL THEN 'token_invalid' ELSE 'ok' END, draft.account_id
    FROM (SELECT 1) AS always LEFT JOIN draft ON true)
SELECT account_id, floor(extract(epoch FROM reveal_expires_at))::bigint AS reveal_expires_at FROM draft";

/// Starts again for an account whose credentials have expired. `None` when the token is not good for that name.
///
/// # Errors
/// [`Error`], and then the token is not used up.
pub fn renew(database: &impl Database, renewal: &Renewal) -> Result<Option<CodeIssued>, Error> {
    let parameters = start_parameters(renewal.renewal_token.into(), &renewal.username, &renewal.draft);
    let answer = row(database, RENEW, &parameters)?;
    answer.map(|row| code_issued(&row)).transpose()
}

/// $1 who starts: a new account's id, or the renewal token's hash; $2 username, $3 credential, $4 enrollment hash,
/// $5 reveal hash, $6 lifetime of the start in seconds, $7 of the code
fn start_parameters(who: Value, username: &Username, draft: &NewDraft) -> [Value; 7] {
    [
        who,
        username.as_str().into(),
        draft.credential_id.into(),
        draft.enrollment_token.hash().into(),
        draft.reveal_token.hash().into(),
        Value::Integer(limits::START_TTL_SECONDS),
        Value::Integer(limits::REVEAL_TTL_SECONDS),
    ]
}

fn code_issued(row: &Row) -> Result<CodeIssued, Error> {
    Ok(CodeIssued { reveal_expires_at: row.get("reveal_expires_at")? })
}
