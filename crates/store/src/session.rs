//! Sessions: checked, listed and ended by one statement each.

use domain::journey::session::{Ending, OpenSession, OwnSession};
use domain::{SessionId, TokenHash, limits};

use crate::database::{Database, Row, Value};
use crate::error::Error;
use crate::statement::{inconsistent, only_row, row, rows};

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

/// The check is the touch here too. The rest is a look at the snapshot of before it, which is why the asking session's
/// own use is put in by hand. Every session has used up a code of its own, so twelve hours hold 1,442 at the most.
const LIST: &str = "
WITH asking AS (
    UPDATE session SET last_seen_at = now()
    FROM credential JOIN account ON account.credential_id = credential.id
    WHERE session.hash = $1 AND session.credential_id = credential.id
        AND account.state = 'active' AND credential.expires_at > now()
        AND session.created_at > now() - make_interval(secs => $2::bigint)
        AND session.last_seen_at > now() - make_interval(secs => $3::bigint)
    RETURNING session.id, session.credential_id)
SELECT session.id, floor(extract(epoch FROM session.created_at))::bigint AS created_at,
    floor(extract(epoch FROM CASE WHEN session.id = asking.id THEN now() ELSE session.last_seen_at END))::bigint AS last_seen_at,
    session.id = asking.id AS is_current
FROM asking JOIN session ON session.credential_id = asking.credential_id
WHERE session.created_at > now() - make_interval(secs => $2::bigint)
    AND session.last_seen_at > now() - make_interval(secs => $3::bigint)
ORDER BY session.created_at DESC, session.id";

/// The good sessions of whoever has this one, newest first, and counts as its use. `None` when it is not good itself.
///
/// # Errors
/// [`Error`].
pub fn list(database: &impl Database, token: &TokenHash) -> Result<Option<Vec<OwnSession>>, Error> {
    let sessions = rows(database, LIST, &parameters(token))?;
    let sessions = sessions.iter().map(own_session).collect::<Result<Vec<_>, _>>()?;
    // The one that asks is always among them.
    Ok(if sessions.is_empty() { None } else { Some(sessions) })
}

fn own_session(row: &Row) -> Result<OwnSession, Error> {
    Ok(OwnSession {
        session_id: row.get("id")?,
        created_at: row.get("created_at")?,
        last_seen_at: row.get("last_seen_at")?,
        is_current: row.get("is_current")?,
    })
}

/// The account's row is locked first, so that sessions that end each other, and a deletion beside them, come one after
/// the other and never deadlock. Of two that end each other one wins.
/// Locked are the session that asks and the one that is asked about, if both are good and of one account.
const END_OWN: &str = "
WITH owner AS (
    SELECT account.id, account.state, account.credential_id
    FROM account JOIN session ON session.credential_id = account.credential_id
    WHERE session.hash = $1
    FOR NO KEY UPDATE OF account),
good AS (
    SELECT session.id, session.hash = $1 AS is_current
    FROM owner
    JOIN credential ON credential.id = owner.credential_id
    JOIN session ON session.credential_id = credential.id
    WHERE (session.hash = $1 OR session.id = $4)
        AND owner.state = 'active' AND credential.expires_at > now()
        AND session.created_at > now() - make_interval(secs => $2::bigint)
        AND session.last_seen_at > now() - make_interval(secs => $3::bigint)
    FOR UPDATE OF session),
decision AS MATERIALIZED (
    SELECT coalesce(bool_or(is_current AND id = $4), false) AS was_current, CASE
        WHEN NOT coalesce(bool_or(is_current), false) THEN 'session_invalid'
        WHEN NOT bool_or(id = $4) THEN 'session_unknown'
        ELSE 'ok' END AS outcome
    FROM good),
ended AS (
    DELETE FROM session USING decision WHERE outcome = 'ok' AND session.id = $4),
used AS (
    UPDATE session SET last_seen_at = now() FROM decision
    WHERE outcome <> 'session_invalid' AND NOT was_current AND session.hash = $1),
recorded AS (
    INSERT INTO event (kind, outcome, account_id)
    SELECT 'end_session', outcome, owner.id FROM decision LEFT JOIN owner ON true)
SELECT outcome, was_current FROM decision";

/// Ends a session of whoever has this one, on every replica at once, and counts as a use of this one.
///
/// # Errors
/// [`Error`], and then all of them are still open.
pub fn end_own(database: &impl Database, token: &TokenHash, session: SessionId) -> Result<Ending, Error> {
    let [token, lifetime, idle] = parameters(token);
    let answer = only_row(database, END_OWN, &[token, lifetime, idle, session.into()])?;
    Ok(match answer.get::<String>("outcome")?.as_str() {
        "ok" => Ending::Ended { was_current: answer.get("was_current")? },
        "session_unknown" => Ending::Unknown,
        "session_invalid" => Ending::NoSession,
        other => return Err(inconsistent("answer", "", format!("ending outcome {other}"))),
    })
}

/// $1 the token's hash, $2 how long a session lasts in seconds, $3 how long without use
pub(crate) fn parameters(token: &TokenHash) -> [Value; 3] {
    [
        (*token).into(),
        Value::Integer(limits::SESSION_TTL_SECONDS),
        Value::Integer(limits::SESSION_IDLE_SECONDS),
    ]
}
