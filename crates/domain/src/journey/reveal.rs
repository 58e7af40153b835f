//! Step 2: the code is traded, once, for a password that is made in that moment.

use crate::{
    AccountId, CredentialId, KeyRing, Password, Randomness, RandomnessUnavailable, SealedVerifier, UnixTime,
    Username, Verifier,
};

/// The unconfirmed credential, or the live one, that a code belongs to.
#[derive(Debug)]
pub struct RevealSnapshot {
    /// The database's clock when this was loaded.
    pub now: UnixTime,
    /// Whose code it is.
    pub account_id: AccountId,
    /// The account's name.
    pub username: Username,
    /// The credential that gets the password.
    pub credential_id: CredentialId,
    /// Whether the code was used.
    pub is_revealed: bool,
    /// When it stops working.
    pub expires_at: UnixTime,
}

/// Why a code that is known gives no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It gave one already. That stays so when it has expired since.
    #[error("the code was used")]
    Used,
    /// Its time is over.
    #[error("the code has expired")]
    Expired,
}

/// A password that exists here and nowhere else until it is handed over.
#[derive(Debug)]
pub struct NewPassword {
    /// To be shown once.
    pub password: Password,
    /// To be stored.
    pub verifier: SealedVerifier,
}

/// What the commit says, from the rows that it has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The verifier is stored: this password, and no other, was revealed.
    Revealed,
    /// Somebody else used the code a moment ago.
    Used,
    /// Its time ended a moment ago.
    Expired,
    /// A new code or a newer start replaced it a moment ago.
    Unknown,
}

/// Judges a code that is known.
///
/// # Errors
/// [`Refusal`] when it was used or is too old.
pub fn decide(snapshot: &RevealSnapshot) -> Result<(), Refusal> {
    if snapshot.is_revealed {
        Err(Refusal::Used)
    } else if crate::expiry::is_expired(snapshot.expires_at, snapshot.now) {
        Err(Refusal::Expired)
    } else {
        Ok(())
    }
}

/// Makes the password and what it will be checked with.
///
/// # Errors
/// When no randomness can be had.
pub fn make_password(
    snapshot: &RevealSnapshot,
    keys: &KeyRing,
    randomness: &mut impl Randomness,
) -> Result<NewPassword, RandomnessUnavailable> {
    let (account_id, credential_id) = (snapshot.account_id, snapshot.credential_id);
    let password = Password::generate(randomness)?;
    let verifier = Verifier::new(&password, account_id, credential_id, randomness)?;
    let verifier = verifier.seal(keys, account_id, credential_id, randomness)?;
    Ok(NewPassword { password, verifier })
}
