//! An account as its owner sees it: all that is stored, secrets left out (GDPR article 15).

use crate::{AccountId, UnixTime, Username};

/// The account itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAccount {
    /// Finds the rest; its owner has no use for it.
    pub account_id: AccountId,
    /// The name.
    pub username: Username,
    /// `active`: no other account has a session.
    pub state: String,
    /// When it was started.
    pub created_at: UnixTime,
    /// The last login, or the activation.
    pub last_login_at: Option<UnixTime>,
    /// Wrong codes after right passwords, in a row.
    pub wrong_codes: i64,
    /// The end of the last wait that they have earned, which may have passed.
    pub locked_until: Option<UnixTime>,
    /// The credentials that are in use.
    pub credential: OwnCredential,
    /// The ones that a start has made and nobody has confirmed.
    pub unconfirmed: Option<UnconfirmedCredential>,
}

/// Credentials in use: a password and a second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCredential {
    /// When the password was made and shown.
    pub revealed_at: UnixTime,
    /// When both end.
    pub expires_at: UnixTime,
    /// The beginning of the step of the newest code that was accepted.
    pub last_code_at: UnixTime,
}

/// Credentials that wait for their confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnconfirmedCredential {
    /// When the password was made and shown, if it was.
    pub revealed_at: Option<UnixTime>,
    /// When the code to reveal the password stops working.
    pub code_expires_at: UnixTime,
    /// The start's deadline.
    pub deadline: UnixTime,
    /// Wrong codes at the confirmation.
    pub wrong_codes: i64,
    /// The end of the last wait that they have earned, which may have passed.
    pub locked_until: Option<UnixTime>,
}

/// What was recorded about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEvents {
    /// Newest first, [`EVENTS_SHOWN`](crate::limits::EVENTS_SHOWN) at the most.
    pub newest: Vec<OwnEvent>,
    /// How many there are before those,
    /// [`OLDER_EVENTS_COUNTED`](crate::limits::OLDER_EVENTS_COUNTED) at the most.
    pub older: i64,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEvent {
    /// What was done or tried, as the database spells it.
    pub kind: String,
    /// What became of it, as the database spells it.
    pub outcome: String,
    /// When.
    pub at: UnixTime,
}
