//! Sessions: checked and ended by one statement each.

use domain::journey::session::OpenSession;
use domain::{TokenHash, limits};

use crate::database::{Database, Row, Value};
use crate::error::Error;
use crate::statement::row;

/// A session is good only while its credential is the live, unexpired one of an active account. The check is the touch:
/// one statement, and a session that ended meanwhile is not touched.
const TOUCH: &str = "
UPDATE session SET last_seen_at = now()
FROM credential JOIN account ON account.credential_id = credential.id
WHERE session.hash = $1 AND session.credential_id = credential.id
    AND account.state = 'active' AND credential.expires_at > now()
    AND session.created_at > now() - make_interval(secs => $2::bigint)
    AND session.last_seen_at > now() - make_interval(secs => $3::bigint)
RETURNING account.username, floor(extract(epoch FROM credential.expires_at))::bigint AS expires_at,
    floor(extract(epoch FROM least(
        credential.expires_at,
        session.created_at + make_interval(secs => $2::bigint),
        now() + make_interval(secs => $3::bigint))))::bigint AS session_expires_at,
    floor(extract(epoch FROM session.previous_login_at))::bigint AS previous_login_at, session.failed_before";

/// Checks a session and counts as its use. `None` when it is unknown, has ended, or lost its credential.
///
/// # Errors
/// [`Error`].
pub fn touch(database: &impl Database, token: &TokenHash) -> Result<Option<OpenSession>, Error> {
    row(database, TOUCH, &parameters(token))?.map(|row| open_session(&row)).transpose()
}

fn open_session(row: &Row) -> Result<OpenSession, Error> {
    Ok(OpenSession {
        username: row.get("username")?,
        expires_at: row.get("expires_at")?,
        session_expires_at: row.get("session_expires_at")?,
        previous_login_at: row.get("previous_login_at")?,
        failed_before: row.get("failed_before")?,
    })
}

const END: &str = "
WITH ended AS (
    DELETE FROM session USING credential, account
    WHERE session.hash = $1 AND session.credential_id = credential.id AND account.credential_id = credential.id
        AND account.state = 'active' AND credential.expires_at > now()
        AND session.created_at > now() - make_interval(secs => $2::bigint)
        AND session.last_seen_at > now() - make_interval(secs => $3::bigint)
    RETURNING account.id),
recorded AS (
    INSERT INTO event (kind, outcome, account_id) SELECT 'logout', 'ok', id FROM ended)
SELECT true AS ended FROM ended";

/// Ends a session, on every replica at once. `false` when there was none to end.
///
/// # Errors
/// [`Error`], and then it is still open.
pub fn end(database: &impl Database, token: &TokenHash) -> Result<bool, Error> {
    Ok(row(database, END, &parameters(token))?.is_some())
}

fn parameters(token: &TokenHash) -> [Value; 3] {
    [
        (*token).into(),
        Value::Integer(limits::SESSION_TTL_SECONDS),
        Value::Integer(limits::SESSION_IDLE_SECONDS),
    ]
}
