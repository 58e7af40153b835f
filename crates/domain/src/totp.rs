//! The second factor: RFC 6238 over RFC 4226, with SHA-1, six digits, 30 seconds and a 160-bit secret, because that is
//! what every authenticator knows.
//!
//! Finds the step that a code belongs to. Whether that step was used before is decided where it is recorded, in SQL.

#[cfg(test)]
mod tests;

use std::fmt;
use std::hint::black_box;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::id::{AccountId, CredentialId};
use crate::limits::{TOTP_DIGITS, TOTP_SECRET_BYTES, TOTP_STEP_SECONDS, TOTP_WINDOW_STEPS};
use crate::randomness::{Randomness, RandomnessUnavailable, draw_secret};
use crate::sealing::{KeyRing, OpenError, Place, Sealable, Sealed, SealedColumn};
use crate::time::UnixTime;
use crate::username::Username;

/// The block of SHA-1. RFC 2104 section 2 fills a shorter key up to it with zeros.
const BLOCK_BYTES: usize = 64;
/// All but the unreserved characters of RFC 3986 section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A TOTP secret in the clear. Wiped when dropped, never printed.
pub struct TotpSecret(Zeroizing<[u8; TOTP_SECRET_BYTES]>);

/// A TOTP secret as it is stored.
pub type SealedTotpSecret = Sealed<TotpSecret>;

/// The counter of RFC 6238: whole half minutes since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step(i64);

/// A code that was typed. Good for a minute and a half, so never printed.
#[derive(Clone, Copy)]
pub struct Code(u32);

/// A text that is no code. Says nothing about the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code is exactly {TOTP_DIGITS} ASCII digits")]
pub struct InvalidCode;

impl TotpSecret {
    /// A new secret.
    ///
    /// # Errors
    /// [`RandomnessUnavailable`] when the source gives nothing.
    pub fn generate(randomness: &mut (impl Randomness + ?Sized)) -> Result<Self, RandomnessUnavailable> {
        Ok(Self(draw_secret(randomness)?))
    }

    /// Seals the secret for its credential's row.
    ///
    /// # Errors
    /// [`RandomnessUnavailable`] when there is no nonce to be had.
    pub fn seal(
        &self,
        keys: &KeyRing,
        account: AccountId,
        credential: CredentialId,
        randomness: &mut (impl Randomness + ?Sized),
    ) -> Result<SealedTotpSecret, RandomnessUnavailable> {
        keys.seal(&Self::place(account, credential), &self.0, randomness).map(Sealed::from_bytes)
    }

    /// The secret as somebody types it into an authenticator: base32 (RFC 4648 section 6) in capitals, no padding.
    #[must_use]
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(self.0.as_slice()))
    }

    /// The secret as an authenticator scans it (Key URI Format). The issuer stands in the label and in the parameter,
    /// the same, as the format wants it. A `:` in the issuer is percent-encoded in both, so that it cannot be taken
    /// for the one between issuer and user by a reader that splits before it decodes.
    #[must_use]
    pub fn otpauth_uri(&self, issuer: &str, username: &Username) -> Zeroizing<String> {
        let issuer = utf8_percent_encode(issuer, RESERVED).to_string();
        let user = utf8_percent_encode(username.as_str(), RESERVED).to_string();
        let secret = self.to_base32();
        let digits = TOTP_DIGITS.to_string();
        let period = TOTP_STEP_SECONDS.to_string();
        let parts = [
            "otpauth://totp/",
            &issuer,
            ":",
            &user,
            "?secret=",
            &secret,
            "&issuer=",
            &issuer,
            "&algorithm=SHA1&digits=",
            &digits,
            "&period=",
            &period,
        ];
        // In one allocation of the right size: growing would leave copies of the secret behind.
        let mut uri = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
        uri.extend(parts);
        uri
    }

    /// The step that `code` is the code of: the newest of T+1, T and T-1 (RFC 6238 section 5.2) that fits. All three are
    /// computed and compared, in constant time, whichever fits.
    #[must_use]
    pub fn matching_step(&self, code: &Code, now: UnixTime) -> Option<Step> {
        let current = Step::at(now).0;
        let mut matching = 0;
        let mut found = Choice::from(0);
        for distance in -TOTP_WINDOW_STEPS..=TOTP_WINDOW_STEPS {
            let step = current.saturating_add(distance);
            let fits = hotp::<TOTP_DIGITS>(&self.0, step.cast_unsigned()).ct_eq(&code.0);
            matching = i64::conditional_select(&matching, &step, fits);
            found |= fits;
        }
        bool::from(found).then_some(Step(matching))
    }

    /// Does the work of opening a secret and checking a code, and finds nothing. For a name, or a password, that is
    /// wrong, where the work of a wrong code is to be matched.
    pub fn check_decoy(keys: &KeyRing, code: &Code, now: UnixTime) -> Option<Step> {
        let account = AccountId::from_uuid(Uuid::nil());
        keys.work_as_open::<TOTP_SECRET_BYTES>(&Self::place(account, CredentialId::from_uuid(Uuid::nil())));
        let decoy = Self(Zeroizing::new([0; TOTP_SECRET_BYTES]));
        // The result is looked at, so that the work is done, and then does not count.
        black_box(decoy.matching_step(black_box(code), now)).and(None)
    }
}

impl Sealable for TotpSecret {
    const COLUMN: SealedColumn = SealedColumn::CredentialTotpSecret;

    fn unseal(keys: &KeyRing, place: &Place, blob: &[u8]) -> Result<Self, OpenError> {
        keys.open(place, blob).map(Self)
    }
}

impl Step {
    /// The step at a point in time (RFC 6238 section 4.2, T0 = 0).
    #[must_use]
    pub const fn at(time: UnixTime) -> Self {
        Self(time.seconds().div_euclid(TOTP_STEP_SECONDS))
    }

    /// The step that the database holds.
    #[must_use]
    pub const fn from_value(value: i64) -> Self {
        Self(value)
    }

    /// The step as the database takes it.
    #[must_use]
    pub const fn value(self) -> i64 {
        self.0
    }

    /// The step's first second.
    #[must_use]
    pub const fn begins_at(self) -> UnixTime {
        UnixTime::from_seconds(self.0.saturating_mul(TOTP_STEP_SECONDS))
    }
}

impl Code {
    /// Reads exactly six ASCII digits: no white space, no sign, no digits of other scripts.
    ///
    /// # Errors
    /// [`InvalidCode`] for every other text.
    pub fn parse(text: &str) -> Result<Self, InvalidCode> {
        if text.len() != TOTP_DIGITS as usize || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidCode);
        }
        text.parse().map(Self).map_err(|_| InvalidCode)
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TotpSecret(..)")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Code(..)")
    }
}

/// HOTP (RFC 4226 section 5.3) as a number below 10^`DIGITS`.
fn hotp<const DIGITS: u32>(secret: &[u8; TOTP_SECRET_BYTES], counter: u64) -> u32 {
    // A key of a whole block cannot have a wrong length, so there is no error to swallow.
    let mut key = Zeroizing::new([0; BLOCK_BYTES]);
    key[..TOTP_SECRET_BYTES].copy_from_slice(secret);
    let mut mac = <Hmac<Sha1> as KeyInit>::new((&*key).into());
    mac.update(&counter.to_be_bytes());
    let digest: [u8; 20] = mac.finalize().into_bytes().into();
    // Dynamic truncation: the low half of the last byte says where the four bytes start, 0 to 15 of 20.
    let offset = usize::from(digest[19] & 0x0f);
    let truncated =
        u32::from_be_bytes([digest[offset], digest[offset + 1], digest[offset + 2], digest[offset + 3]])
            & 0x7fff_ffff;
    truncated % 10_u32.pow(DIGITS)
}
