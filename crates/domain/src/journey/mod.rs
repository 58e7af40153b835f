//! The journey: what each of its steps decides, from a snapshot that was loaded and the randomness that it is given.
//!
//! A step finds out what needs secrets or randomness (is the password right, which TOTP step is the code of, what is
//! the new password) and hands the result to a commit. What a race could change is not decided here but by the commit,
//! from the rows that it has locked; the `Outcome` types say what it may come back with.

pub mod account;
pub mod activate;
pub mod deletion;
pub mod enroll;
pub mod login;
pub mod renew;
pub mod reveal;
pub mod session;
pub mod start;

use crate::{
    AccountId, CredentialId, KeyRing, PlainToken, RandomnessUnavailable, SealedTotpSecret, SealedVerifier,
    UnixTime, Unreadable, Username,
};

/// A start that can still go on: its deadline has not passed and nothing newer has replaced it.
#[derive(Debug)]
pub struct OpenStart {
    /// The database's clock when this was loaded.
    pub now: UnixTime,
    /// Whose start it is.
    pub account_id: AccountId,
    /// The account's name.
    pub username: Username,
    /// The unconfirmed credential.
    pub credential_id: CredentialId,
    /// Which of the credential's writes this snapshot saw.
    pub revision: Revision,
    /// When the code to reveal the password stops working.
    pub reveal_expires_at: UnixTime,
    /// How far it has come.
    pub progress: Progress,
}

impl OpenStart {
    /// Whether somebody has read the password.
    #[must_use]
    pub const fn is_revealed(&self) -> bool {
        !matches!(self.progress, Progress::Unrevealed)
    }
}

/// Counts the writes to an unconfirmed credential. A commit names the one that its load saw, so that what was checked
/// is what is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision(pub i64);

/// How far a start has come.
#[derive(Debug)]
pub enum Progress {
    /// The password has not been made yet: it is made when it is revealed.
    Unrevealed,
    /// Somebody has read the password.
    Revealed {
        /// What the password is checked with.
        verifier: SealedVerifier,
    },
    /// A TOTP secret was handed out and waits for a first code.
    SecretIssued {
        /// What the password is checked with.
        verifier: SealedVerifier,
        /// The secret that the first code must come from.
        totp_secret: SealedTotpSecret,
    },
}

/// How a new start replaces, or a first one makes, an unconfirmed credential.
#[derive(Debug)]
pub struct NewDraft {
    /// The new credential's id. Nothing that was sealed for an older one can be opened under it.
    pub credential_id: CredentialId,
    /// Goes into the QR code.
    pub reveal_token: PlainToken,
    /// Stays in the browser that started.
    pub enrollment_token: PlainToken,
}

/// When a start's code ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeIssued {
    /// When the code to reveal the password stops working.
    pub reveal_expires_at: UnixTime,
}

impl NewDraft {
    fn draw(randomness: &mut impl crate::Randomness) -> Result<Self, RandomnessUnavailable> {
        Ok(Self {
            credential_id: CredentialId::random(randomness)?,
            reveal_token: PlainToken::generate(randomness)?,
            enrollment_token: PlainToken::generate(randomness)?,
        })
    }
}

/// What was typed at a login or an activation.
#[derive(Debug)]
pub struct Attempt {
    /// Exactly as typed.
    pub password: crate::Password,
    /// Six digits.
    pub code: crate::Code,
}

impl Attempt {
    fn password_is_right(
        &self,
        verifier: &SealedVerifier,
        account_id: AccountId,
        credential_id: CredentialId,
        keys: &KeyRing,
    ) -> Result<bool, Unreadable> {
        let verifier = verifier.open(keys, account_id, credential_id)?;
        Ok(verifier.matches(&self.password, account_id, credential_id))
    }

    fn step(
        &self,
        totp_secret: &SealedTotpSecret,
        account_id: AccountId,
        credential_id: CredentialId,
        keys: &KeyRing,
        now: UnixTime,
    ) -> Result<Option<crate::Step>, Unreadable> {
        let secret = totp_secret.open(keys, account_id, credential_id)?;
        Ok(secret.matching_step(&self.code, now))
    }
}

/// How long an account, or a start, refuses every attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Whole seconds until the next guess, at least one.
    pub retry_after_seconds: i64,
}

#[cfg(test)]
mod tests;
