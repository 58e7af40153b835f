//! A session: what a login opens and a cookie names.

use crate::{PlainToken, Randomness, RandomnessUnavailable, SessionId, UnixTime, Username};

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
    /// Refused logins between that one and this session's, 1,000 at the most.
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

/// What became of the wish to end one of one's own sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It is over.
    Ended {
        /// Whether it was the one that asked.
        was_current: bool,
    },
    /// There is no such session, or it is over already, or it is somebody else's.
    Unknown,
    /// The session that asks is itself none any more.
    NoSession,
}
