//! Sealing: how a secret is stored so that the database alone gives nothing away, and so that a sealed value is good in
//! the one place it was sealed for and nowhere else.
//!
//! AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D section 8.2.2; section 8.3 allows 2^32 seals under one
//! key), under a key that HKDF-SHA-256 (RFC 5869) derives from the ring's for each use. A blob is
//!
//! ```text
//! format version (1) | length of key id (1) | key id | nonce (12) | ciphertext | tag (16)
//! ```
//!
//! and its associated data are table, column, account id, credential id, format version and key id.
//! What is sealed, and where it is kept, is decided elsewhere: `verifier`, `totp`, the operations (`journey`).

mod key_ring;
mod sealed;
#[cfg(test)]
mod tests;

use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use hkdf::Hkdf;
use hkdf::hmac::digest::InvalidLength;
use sha2::Sha256;
use zeroize::Zeroizing;

pub use key_ring::{EntryProblem, KeyRing, KeyRingError};
pub use sealed::{Sealable, Sealed, Unreadable};

use crate::framing::length_prefixed;
use crate::id::{AccountId, CredentialId};
use crate::limits::SEALING_KEY_BYTES;
use crate::randomness::{Randomness, RandomnessUnavailable, draw};
use key_ring::{RingKey, is_key_id};

/// The format that is written, and the only one that is read so far.
const FORMAT_VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// Separates these derived keys from whatever else a ring key may one day be used for.
const KEY_USE: &[u8] = b"cofrap-identity/sealing/";

/// The columns that hold sealed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedColumn {
    /// `credential.verifier`
    CredentialVerifier,
    /// `credential.totp_secret`
    CredentialTotpSecret,
}

/// The one place in the database where a sealed value is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Table and column.
    pub column: SealedColumn,
    /// Whose row.
    pub account: AccountId,
    /// Which row.
    pub credential: CredentialId,
}

/// Why a sealed value cannot be opened. For the log: names the key at most, never what was sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The ring has no key of this id (any more).
    #[error("sealed with the key {key_id}, which the ring does not hold")]
    UnknownKey {
        /// The id in the blob: `a-z 0-9 -` and at most 32 characters, whatever the blob says.
        key_id: String,
    },
    /// Written by a newer release, or no sealed value at all.
    #[error("sealed in a format that this release does not know")]
    UnknownVersion,
    /// Not of the form that was written here: cut, or of another size.
    #[error("not a sealed value of this kind")]
    Malformed,
    /// Changed since it was sealed, moved from another place, or sealed with another key of the same id.
    #[error("a sealed value that was changed or moved here")]
    Forged,
}

/// The id of the key that a value was sealed with, for re-sealing what an old key holds.
///
/// # Errors
/// When the blob is not of the form, or of a newer one.
pub fn key_id(blob: &[u8]) -> Result<&str, OpenError> {
    Blob::read(blob).map(|blob| blob.key_id)
}

impl SealedColumn {
    const fn table(self) -> &'static str {
        match self {
            Self::CredentialVerifier | Self::CredentialTotpSecret => "credential",
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Self::CredentialVerifier => "verifier",
            Self::CredentialTotpSecret => "totp_secret",
        }
    }
}

impl KeyRing {
    /// Seals `plain` for `place` with the ring's first key.
    ///
    /// # Errors
    /// [`RandomnessUnavailable`] when there is no nonce to be had.
    pub fn seal<const N: usize>(
        &self,
        place: &Place,
        plain: &[u8; N],
        randomness: &mut (impl Randomness + ?Sized),
    ) -> Result<Vec<u8>, RandomnessUnavailable> {
        // Far below every limit of HKDF (8,160 bytes) and of GCM (2^36 - 32): neither can refuse.
        const { assert!(N <= 1_024) };
        let key = self.writing_key();
        let nonce = draw::<NONCE_BYTES>(randomness)?;
        let impossible = RandomnessUnavailable;
        let cipher =
            cipher(key, place.column.table(), place.column.column()).map_err(|InvalidLength| impossible)?;
        encrypt(&cipher, &nonce, &associated_data(place, &key.id), &key.id, plain)
            .map_err(|aes_gcm::Error| impossible)
    }

    /// Opens a value of `N` bytes that was sealed for `place`, with whichever key of the ring sealed it.
    ///
    /// # Errors
    /// [`OpenError`], for everything but what was sealed for exactly this place.
    pub fn open<const N: usize>(&self, place: &Place, blob: &[u8]) -> Result<Zeroizing<[u8; N]>, OpenError> {
        let blob = Blob::read(blob)?;
        let ciphertext: &[u8; N] = blob.ciphertext.try_into().map_err(|_| OpenError::Malformed)?;
        let key =
            self.key(blob.key_id).ok_or_else(|| OpenError::UnknownKey { key_id: blob.key_id.to_owned() })?;
        let cipher = cipher(key, place.column.table(), place.column.column())
            .map_err(|InvalidLength| OpenError::Malformed)?;
        let mut plain = Zeroizing::new(*ciphertext);
        cipher
            .decrypt_inout_detached(
                blob.nonce.into(),
                &associated_data(place, blob.key_id),
                plain.as_mut_slice().into(),
                blob.tag.into(),
            )
            .map_err(|aes_gcm::Error| OpenError::Forged)?;
        Ok(plain)
    }

    /// Does the work of [`KeyRing::open`] on `N` bytes, with a key of its own and nothing to open: a key derivation,
    /// associated data of the same length, one pass of GCM over `N` bytes (to encrypt and to decrypt are the same
    /// work), the blob's form. The fixed nonce is harmless: under this key there is only ever this one input.
    pub(crate) fn work_as_open<const N: usize>(&self, place: &Place) {
        let key = self.writing_key();
        let data = associated_data(place, &key.id);
        let blob = cipher(key, "decoy", place.column.column())
            .map_err(|InvalidLength| aes_gcm::Error)
            .and_then(|cipher| encrypt(&cipher, &[0; NONCE_BYTES], &data, &key.id, &[0; N]))
            .unwrap_or_default();
        // Without this the compiler may notice that nobody wants the result.
        let _ = std::hint::black_box(Blob::read(&blob).is_ok());
    }
}

/// The parts of a sealed value, borrowed.
struct Blob<'a> {
    key_id: &'a str,
    nonce: &'a [u8; NONCE_BYTES],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG_BYTES],
}

impl<'a> Blob<'a> {
    fn read(blob: &'a [u8]) -> Result<Self, OpenError> {
        let (version, rest) = blob.split_first().ok_or(OpenError::Malformed)?;
        if *version != FORMAT_VERSION {
            return Err(OpenError::UnknownVersion);
        }
        Self::read_after_version(rest).ok_or(OpenError::Malformed)
    }

    fn read_after_version(rest: &'a [u8]) -> Option<Self> {
        let (id_bytes, rest) = rest.split_first()?;
        let (key_id, rest) = rest.split_at_checked(usize::from(*id_bytes))?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (ciphertext, tag) = rest.split_last_chunk()?;
        // An id that could not have been written must not reach a log either.
        let key_id = std::str::from_utf8(key_id).ok().filter(|id| is_key_id(id))?;
        Some(Self { key_id, nonce, ciphertext, tag })
    }
}

/// The cipher for one use of a ring key: HKDF-SHA-256 without salt, the use as its info (RFC 5869 section 3.2).
fn cipher(key: &RingKey, table: &str, column: &str) -> Result<Aes256Gcm, InvalidLength> {
    let mut use_key = Zeroizing::new([0; SEALING_KEY_BYTES]);
    Hkdf::<Sha256>::new(None, key.bytes.as_slice())
        .expand_multi_info(&[KEY_USE, table.as_bytes(), b".", column.as_bytes()], use_key.as_mut_slice())
        .map_err(|_| InvalidLength)?;
    Aes256Gcm::new_from_slice(use_key.as_slice())
}

fn associated_data(place: &Place, key_id: &str) -> Vec<u8> {
    let parts: [&[u8]; 6] = [
        place.column.table().as_bytes(),
        place.column.column().as_bytes(),
        place.account.as_uuid().as_bytes(),
        place.credential.as_uuid().as_bytes(),
        &[FORMAT_VERSION],
        key_id.as_bytes(),
    ];
    let mut data = Vec::new();
    length_prefixed(&parts, |bytes| data.extend_from_slice(bytes));
    data
}

/// Encrypts and writes the blob. The one copy of the plain bytes is encrypted in place.
fn encrypt<const N: usize>(
    cipher: &Aes256Gcm,
    nonce: &[u8; NONCE_BYTES],
    associated_data: &[u8],
    key_id: &str,
    plain: &[u8; N],
) -> Result<Vec<u8>, aes_gcm::Error> {
    let mut sealed = Zeroizing::new(*plain);
    let tag = cipher.encrypt_inout_detached(nonce.into(), associated_data, sealed.as_mut_slice().into())?;
    let id_bytes = u8::try_from(key_id.len()).map_err(|_| aes_gcm::Error)?;
    let mut blob = Vec::with_capacity(2 + key_id.len() + NONCE_BYTES + N + TAG_BYTES);
    blob.extend_from_slice(&[FORMAT_VERSION, id_bytes]);
    for part in [key_id.as_bytes(), nonce, sealed.as_slice(), &tag] {
        blob.extend_from_slice(part);
    }
    Ok(blob)
}
