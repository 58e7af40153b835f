//! Step 3: a TOTP secret for a start whose password was revealed. Asking again replaces it.

use domain::{KeyRing, PlainToken, Randomness, RandomnessUnavailable, SealedTotpSecret, TotpSecret};

use crate::database::{Database, Value};
use crate::functions::ENROLL_COMMIT;
use crate::refusal::{Refusal, Stop, refuse};
use crate::start::{self, OpenStart};

const KIND: &str = "enroll";

/// A secret that nobody has confirmed yet.
#[derive(Debug)]
pub struct NewSecret {
    /// To be shown, after [`commit`](Self::commit).
    pub secret: TotpSecret,
    /// The start, as it was loaded.
    pub start: OpenStart,
    sealed: SealedTotpSecret,
}

/// Makes the secret of a start. It is to be shown only after it was committed.
///
/// # Errors
/// [`Stop`].
pub fn make(
    database: &impl Database,
    keys: &KeyRing,
    randomness: &mut impl Randomness,
    enrollment_token: &PlainToken,
) -> Result<NewSecret, Stop> {
    let start = start::require(database, &enrollment_token.hash(), KIND)?;
    if !start.is_revealed() {
        return Err(refuse(database, KIND, Refusal::PasswordNotRevealed, Some(start.account_id)));
    }
    Ok(new_secret(start, keys, randomness)?)
}

/// Makes the secret.
///
/// # Errors
/// When no randomness can be had.
pub fn new_secret(
    start: OpenStart,
    keys: &KeyRing,
    randomness: &mut impl Randomness,
) -> Result<NewSecret, RandomnessUnavailable> {
    let secret = TotpSecret::generate(randomness)?;
    let sealed = secret.seal(keys, start.account_id, start.credential_id, randomness)?;
    Ok(NewSecret { secret, start, sealed })
}

impl NewSecret {
    /// Stores it; it replaces one that was not confirmed.
    ///
    /// # Errors
    /// [`Stop`], and then the secret must not be shown, because it has possibly not been stored.
    pub fn commit(&self, database: &impl Database) -> Result<(), Stop> {
        let parameters = [
            self.start.account_id.into(),
            self.start.credential_id.into(),
            Value::Integer(self.start.revision.0),
            Value::Bytes(self.sealed.as_bytes().to_vec()),
        ];
        ENROLL_COMMIT.decide(database, &parameters).map(drop)
    }

    /// What is stored of it.
    #[must_use]
    pub const fn sealed(&self) -> &SealedTotpSecret {
        &self.sealed
    }
}
