//! Events that stand alone: refusals that changed nothing else, and values that do not open. All others are written by the statement that they tell of.

use domain::{AccountId, OpenError, Unreadable};

use crate::database::Database;
use crate::error::Error;
use crate::statement::execute;

/// A refusal that was decided without touching a row of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A start with a name that a deletion reserved in the same moment.
    StartUsernameTaken,
    /// A start, with an enrollment token that is dead or another account's.
    NewCodeTokenInvalid,
    /// A poll with a dead enrollment token.
    PollTokenInvalid,
    /// A code that nobody knows.
    RevealTokenUnknown,
    /// A code that was used.
    RevealTokenUsed,
    /// A code that came too late.
    RevealTokenExpired,
    /// A second factor, with a dead enrollment token.
    EnrollTokenInvalid,
    /// A second factor before the password.
    EnrollPasswordNotRevealed,
    /// An activation, with a dead enrollment token.
    ActivateTokenInvalid,
    /// An activation before the password.
    ActivatePasswordNotRevealed,
    /// An activation before the second factor.
    ActivateTotpNotStarted,
    /// An activation with a wrong password.
    ActivateWrongPassword,
    /// A login with a wrong password, or a name that has none.
    LoginWrongPassword,
    /// A session that is unknown, has ended, or lost its credential.
    SessionInvalid,
    /// A logout of such a session.
    LogoutSessionInvalid,
    /// A deletion of the account with such a session.
    DeleteSessionInvalid,
    /// A deletion of the account with a wrong password.
    DeleteWrongPassword,
}

impl Refusal {
    /// Kind and outcome, as the table spells them.
    const fn kind_and_outcome(self) -> (&'static str, &'static str) {
        match self {
            Self::StartUsernameTaken => ("start", "username_taken"),
            Self::NewCodeTokenInvalid => ("new_code", "token_invalid"),
            Self::PollTokenInvalid => ("poll", "token_invalid"),
            Self::RevealTokenUnknown => ("reveal", "token_unknown"),
            Self::RevealTokenUsed => ("reveal", "token_used"),
            Self::RevealTokenExpired => ("reveal", "token_expired"),
            Self::EnrollTokenInvalid => ("enroll", "token_invalid"),
            Self::EnrollPasswordNotRevealed => ("enroll", "password_not_revealed"),
            Self::ActivateTokenInvalid => ("activate", "token_invalid"),
            Self::ActivatePasswordNotRevealed => ("activate", "password_not_revealed"),
            Self::ActivateTotpNotStarted => ("activate", "totp_not_started"),
            Self::ActivateWrongPassword => ("activate", "wrong_password"),
            Self::LoginWrongPassword => ("login", "wrong_password"),
            Self::SessionInvalid => ("session", "session_invalid"),
            Self::LogoutSessionInvalid => ("logout", "session_invalid"),
            Self::DeleteSessionInvalid => ("delete", "session_invalid"),
            Self::DeleteWrongPassword => ("delete", "wrong_password"),
        }
    }
}

const RECORD: &str = "INSERT INTO event (kind, outcome, account_id) VALUES ($1, $2, $3)";

/// Records a refusal. It neither updates nor locks a row of the account.
///
/// # Errors
/// [`Error`]; the caller then answers with a fault: a refusal that leaves no trace is none.
pub fn record(
    database: &impl Database,
    refusal: Refusal,
    account_id: Option<AccountId>,
) -> Result<(), Error> {
    let (kind, outcome) = refusal.kind_and_outcome();
    execute(database, RECORD, &[kind.into(), outcome.into(), account_id.into()])?;
    Ok(())
}

/// Records that a sealed value of an account does not open, and why: somebody changed or moved it, or a key is gone.
///
/// # Errors
/// [`Error`].
pub fn record_unreadable(database: &impl Database, unreadable: &Unreadable) -> Result<(), Error> {
    let why = match unreadable.why {
        OpenError::UnknownKey { .. } => "unknown_key",
        OpenError::UnknownVersion => "unknown_version",
        OpenError::Malformed => "malformed",
        OpenError::Forged => "forged",
    };
    execute(database, RECORD, &["unreadable".into(), why.into(), unreadable.place.account.into()])?;
    Ok(())
}
