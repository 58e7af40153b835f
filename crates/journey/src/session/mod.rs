//! Sessions: what a login opens and a cookie names. Looked at, listed and ended by one statement each.

use domain::{
    AccountId, PlainToken, Randomness, RandomnessUnavailable, SessionId, TokenHash, UnixTime, Username,
    limits,
};

use crate::database::{Database, Error, Row, Value};
use crate::functions::{SESSION_END, SESSION_END_OWN, SESSION_LIST, SESSION_OF_ACCOUNT, SESSION_TOUCH};
use crate::refusal::{Refusal, Stop, refuse};

/// A session to be opened, if the commit finds the attempt right.
#[derive(Debug)]
pub struct NewSession {
    /// Its public id.
    pub session_id: SessionId,
    /// What the cookie holds.
    pub token: PlainToken,
}

impl NewSession {
    /// Draws one.
    ///
    /// # Errors
    /// When no randomness can be had.
    pub fn draw(randomness: &mut impl Randomness) -> Result<Self, RandomnessUnavailable> {
        Ok(Self { session_id: SessionId::random(randomness)?, token: PlainToken::generate(randomness)? })
    }
}

/// What a session's owner may know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// The account's name.
    pub username: Username,
    /// When the credential expires.
    pub expires_at: UnixTime,
    /// The earliest of the session's ends.
    pub session_expires_at: UnixTime,
    /// The login before the one that opened this session.
    pub previous_login_at: Option<UnixTime>,
    /// Logins and deletions that were refused between that login and this session's, 1,000 at the most.
    pub failed_before: i64,
}

/// One of the sessions that its owner has open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// Its public id.
    pub session_id: SessionId,
    /// When it was opened.
    pub created_at: UnixTime,
    /// When it was last used.
    pub last_seen_at: UnixTime,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

/// A session of one's own is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Whether it was the one that asked.
    pub was_current: bool,
}

/// Looks at a session, which counts as its use.
///
/// # Errors
/// [`Stop`].
pub fn touch(database: &impl Database, token: &TokenHash) -> Result<OpenSession, Stop> {
    match SESSION_TOUCH.row(database, &parameters(token))? {
        Some(row) => Ok(open_session(&row)?),
        None => Err(invalid(database, "session")),
    }
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

/// Logout: ends a session, on every replica at once.
///
/// # Errors
/// [`Stop`]. On a fault it is still open.
pub fn end(database: &impl Database, token: &TokenHash) -> Result<(), Stop> {
    match SESSION_END.row(database, &parameters(token))? {
        Some(_) => Ok(()),
        None => Err(invalid(database, "logout")),
    }
}

/// The good sessions of whoever has this one, newest first, which counts as its use.
///
/// # Errors
/// [`Stop`].
pub fn list(database: &impl Database, token: &TokenHash) -> Result<Vec<OwnSession>, Stop> {
    let rows = SESSION_LIST.rows(database, &parameters(token))?;
    // The one that asks is always among them.
    if rows.is_empty() {
        return Err(invalid(database, "session"));
    }
    Ok(rows.iter().map(own_session).collect::<Result<_, _>>()?)
}

/// The sessions of an account that have ended neither by age nor for want of use, newest first: a look, and no use.
///
/// # Errors
/// [`Error`].
pub(crate) fn of_account(database: &impl Database, account_id: AccountId) -> Result<Vec<OwnSession>, Error> {
    let [ttl, idle] = lifetimes();
    let rows = SESSION_OF_ACCOUNT.rows(database, &[account_id.into(), ttl, idle])?;
    rows.iter().map(own_session).collect()
}

fn own_session(row: &Row) -> Result<OwnSession, Error> {
    Ok(OwnSession {
        session_id: row.get("id")?,
        created_at: row.get("created_at")?,
        last_seen_at: row.get("last_seen_at")?,
        is_current: row.get("is_current")?,
    })
}

/// Ends a session of whoever has this one, on every replica at once, which counts as a use of this one.
///
/// # Errors
/// [`Stop`]. On a fault all of them are still open.
pub fn end_own(database: &impl Database, token: &TokenHash, session: SessionId) -> Result<Ended, Stop> {
    let [token, ttl, idle] = parameters(token);
    let row = SESSION_END_OWN.decide(database, &[token, ttl, idle, session.into()])?;
    Ok(Ended { was_current: row.get("was_current")? })
}

/// Refuses: the cookie names no good session. `kind` is what was tried.
pub(crate) fn invalid(database: &impl Database, kind: &str) -> Stop {
    refuse(database, kind, Refusal::SessionInvalid, None)
}

/// The token's hash, how long a session lasts in seconds, and how long without use.
pub(crate) fn parameters(token: &TokenHash) -> [Value; 3] {
    let [ttl, idle] = lifetimes();
    [(*token).into(), ttl, idle]
}

/// How long a session lasts in seconds, and how long without use.
fn lifetimes() -> [Value; 2] {
    [limits::SESSION_TTL_SECONDS, limits::SESSION_IDLE_SECONDS].map(Value::Integer)
}
