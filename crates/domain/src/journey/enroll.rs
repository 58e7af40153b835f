//! Step 3: a TOTP secret for a start whose password was revealed. Asking again replaces it.

use super::{OpenStart, Progress};
use crate::{KeyRing, Randomness, RandomnessUnavailable, SealedTotpSecret, TotpSecret};

/// The second factor comes after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password has not been revealed")]
pub struct PasswordNotRevealed;

/// A secret that nobody has confirmed yet.
#[derive(Debug)]
pub struct NewSecret {
    /// To be shown.
    pub secret: TotpSecret,
    /// To be stored.
    pub sealed: SealedTotpSecret,
}

/// What the commit says, from the rows that it has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The secret is stored.
    Issued,
    /// The start was changed by somebody else since it was loaded.
    Superseded,
    /// Its deadline has passed, or its account was suspended, since it was loaded.
    Ended,
}

/// Judges whether the start is ready for a second factor.
///
/// # Errors
/// [`PasswordNotRevealed`] when it is not.
pub fn decide(start: &OpenStart) -> Result<(), PasswordNotRevealed> {
    match start.progress {
        Progress::Unrevealed => Err(PasswordNotRevealed),
        Progress::Revealed { .. } | Progress::SecretIssued { .. } => Ok(()),
    }
}

/// Makes the secret.
///
/// # Errors
/// When no randomness can be had.
pub fn make_secret(
    start: &OpenStart,
    keys: &KeyRing,
    randomness: &mut impl Randomness,
) -> Result<NewSecret, RandomnessUnavailable> {
    let secret = TotpSecret::generate(randomness)?;
    let sealed = secret.seal(keys, start.account_id, start.credential_id, randomness)?;
    Ok(NewSecret { secret, sealed })
}
