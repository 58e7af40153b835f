//! Step 4: the password and a first code prove that both were really received.

use super::{Attempt, OpenStart, Progress, Wait};
use crate::{KeyRing, Step, UnixTime, Unreadable, Username, expiry};

/// What the secrets say about an attempt, before the commit decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The first step is missing.
    PasswordNotRevealed,
    /// The second step is missing.
    TotpNotStarted,
    /// Not this password. Counted by nobody: it cannot be guessed.
    WrongPassword,
    /// The password was received.
    RightPassword {
        /// The step that the code is of, if it is of one at all.
        step: Option<Step>,
        /// When the credential would expire, if it were activated.
        expires_at: UnixTime,
    },
}

/// What the commit says, from the rows that it has locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The credential is live and a session open.
    Activated {
        /// The account's name.
        username: Username,
        /// When the credential expires.
        expires_at: UnixTime,
    },
    /// The code was wrong; the start counts it.
    WrongCode,
    /// The code was wrong once too often: the start is over.
    StartEnded,
    /// Too many wrong codes: nothing was looked at.
    Waiting(Wait),
    /// The start was changed, or activated, by somebody else since it was loaded.
    Superseded,
    /// Its deadline has passed, or its account was suspended, since it was loaded.
    Ended,
}

/// Finds out what the attempt proves.
///
/// # Errors
/// When a stored secret cannot be opened.
pub fn examine(start: &OpenStart, attempt: &Attempt, keys: &KeyRing) -> Result<Evidence, Unreadable> {
    let (verifier, totp_secret) = match &start.progress {
        Progress::Unrevealed => return Ok(Evidence::PasswordNotRevealed),
        Progress::Revealed { .. } => return Ok(Evidence::TotpNotStarted),
        Progress::SecretIssued { verifier, totp_secret } => (verifier, totp_secret),
    };
    let (account_id, credential_id) = (start.account_id, start.credential_id);
    if !attempt.password_is_right(verifier, account_id, credential_id, keys)? {
        return Ok(Evidence::WrongPassword);
    }
    Ok(Evidence::RightPassword {
        step: attempt.step(totp_secret, account_id, credential_id, keys, start.now)?,
        expires_at: expiry::credential_expiry(start.now),
    })
}
