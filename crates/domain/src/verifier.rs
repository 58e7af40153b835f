//! What is kept of a password: enough to check it with the sealing key, useless without.
//!
//! HMAC-SHA-256 (RFC 2104) keyed with a random salt of the credential, over (label, format version, account id, credential
//! id, password), each after its length; salt and result are sealed together. A slow hash would buy nothing: the
//! password is ours, and cannot be guessed. When to check, and what a wrong one costs, is the journey's.

#[cfg(test)]
mod tests;

use std::fmt;
use std::hint::black_box;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::framing::length_prefixed;
use crate::id::{AccountId, CredentialId};
use crate::password::Password;
use crate::randomness::{Randomness, RandomnessUnavailable, draw_secret};
use crate::sealing::{KeyRing, OpenError, Place, Sealable, Sealed, SealedColumn};

/// The algorithm id in every row: 1 is the HMAC-SHA-256 described above. There is no other yet.
pub const ALGORITHM: i64 = 1;

const LABEL: &[u8] = b"cofrap-identity/password-verifier";
const FORMAT_VERSION: u8 = 1;
const SALT_BYTES: usize = 32;
const RESULT_BYTES: usize = 32;
const PLAIN_BYTES: usize = SALT_BYTES + RESULT_BYTES;
/// The block of SHA-256. RFC 2104 section 2 fills a shorter key up to it with zeros.
const BLOCK_BYTES: usize = 64;

/// A verifier in the clear: it lives in memory only while a password is set or checked.
pub struct Verifier {
    salt: Zeroizing<[u8; SALT_BYTES]>,
    result: Zeroizing<[u8; RESULT_BYTES]>,
}

/// A verifier as it is stored.
pub type SealedVerifier = Sealed<Verifier>;

impl Verifier {
    /// The verifier of a password that was just made for this credential.
    ///
    /// # Errors
    /// [`RandomnessUnavailable`] when there is no salt to be had.
    pub fn new(
        password: &Password,
        account: AccountId,
        credential: CredentialId,
        randomness: &mut (impl Randomness + ?Sized),
    ) -> Result<Self, RandomnessUnavailable> {
        let salt = draw_secret(randomness)?;
        let result = mac(&salt, account, credential, password).finalize().into_bytes();
        Ok(Self { salt, result: Zeroizing::new(result.into()) })
    }

    /// Whether this is the password, compared in constant time.
    #[must_use]
    pub fn matches(&self, password: &Password, account: AccountId, credential: CredentialId) -> bool {
        mac(&self.salt, account, credential, password).verify_slice(self.result.as_slice()).is_ok()
    }

    /// Does for a name without a credential the work that a name with one costs, and never matches: the key derivation
    /// and the pass of AES-GCM that open a sealed verifier (`KeyRing::work_as_open`), then the HMAC of this very
    /// password and its comparison in constant time. Needs no stored blob, so there is none that could be missing,
    /// or sealed with a key that is gone.
    pub fn check_decoy(keys: &KeyRing, password: &Password) -> bool {
        let account = AccountId::from_uuid(Uuid::nil());
        let credential = CredentialId::from_uuid(Uuid::nil());
        keys.work_as_open::<PLAIN_BYTES>(&Self::place(account, credential));
        let decoy = Self { salt: Zeroizing::new([0; SALT_BYTES]), result: Zeroizing::new([0; RESULT_BYTES]) };
        // The result is looked at, so that the work is done, and then does not count.
        let _ = black_box(decoy.matches(black_box(password), account, credential));
        false
    }

    /// Seals the verifier for its credential's row.
    ///
    /// # Errors
    /// [`RandomnessUnavailable`] when there is no nonce to be had.
    pub fn seal(
        &self,
        keys: &KeyRing,
        account: AccountId,
        credential: CredentialId,
        randomness: &mut (impl Randomness + ?Sized),
    ) -> Result<SealedVerifier, RandomnessUnavailable> {
        let mut plain = Zeroizing::new([0; PLAIN_BYTES]);
        let (salt, result) = plain.split_at_mut(SALT_BYTES);
        salt.copy_from_slice(self.salt.as_slice());
        result.copy_from_slice(self.result.as_slice());
        keys.seal(&Self::place(account, credential), &plain, randomness).map(Sealed::from_bytes)
    }
}

impl Sealable for Verifier {
    const COLUMN: SealedColumn = SealedColumn::CredentialVerifier;

    fn unseal(keys: &KeyRing, place: &Place, blob: &[u8]) -> Result<Self, OpenError> {
        let plain = keys.open::<PLAIN_BYTES>(place, blob)?;
        let mut verifier =
            Self { salt: Zeroizing::new([0; SALT_BYTES]), result: Zeroizing::new([0; RESULT_BYTES]) };
        let (salt, result) = plain.split_at(SALT_BYTES);
        verifier.salt.copy_from_slice(salt);
        verifier.result.copy_from_slice(result);
        Ok(verifier)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Verifier(..)")
    }
}

fn mac(
    salt: &[u8; SALT_BYTES],
    account: AccountId,
    credential: CredentialId,
    password: &Password,
) -> Hmac<Sha256> {
    // A key of a whole block cannot have a wrong length, so there is no error to swallow.
    let mut key = Zeroizing::new([0; BLOCK_BYTES]);
    key[..SALT_BYTES].copy_from_slice(salt);
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*key).into());
    let parts: [&[u8]; 5] = [
        LABEL,
        &[FORMAT_VERSION],
        account.as_uuid().as_bytes(),
        credential.as_uuid().as_bytes(),
        password.expose().as_bytes(),
    ];
    length_prefixed(&parts, |bytes| mac.update(bytes));
    mac
}
