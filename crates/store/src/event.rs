//! Events that stand alone: refusals that changed nothing else. All others are written by the statement that they tell of.

use domain::AccountId;

use crate::database::Database;
use crate::error::Error;
use crate::statement::execute;

/// A refusal that was decided without touching a row of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
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
}

impl Refusal {
    /// Kind and outcome, as the table spells them.
    const fn kind_and_outcome(self) -> (&'static str, &'static str) {
        match self {
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
