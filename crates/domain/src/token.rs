//! Opaque tokens: 256 random bits, in the clear on their way to a client, as a hash everywhere else.
//!
//! What a token is good for, and until when, is in its row: the purpose of a token that somebody presents is not known
//! before it is looked up.

#[cfg(test)]
mod tests;

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::limits::{TOKEN_BYTES, TOKEN_CHARACTERS};
use crate::randomness::{Randomness, RandomnessUnavailable, draw_secret};

/// A token in the clear. Wiped when dropped, never printed, never stored.
pub struct PlainToken(Zeroizing<[u8; TOKEN_BYTES]>);

/// What is stored of a token. A fast hash is enough: 256 random bits cannot be guessed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

/// A text that is no token of ours. Says nothing about the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token is {TOKEN_CHARACTERS} characters of base64url")]
pub struct InvalidToken;

impl PlainToken {
    /// A new token.
    ///
    /// # Errors
    /// [`RandomnessUnavailable`] when the source gives nothing.
    pub fn generate(randomness: &mut (impl Randomness + ?Sized)) -> Result<Self, RandomnessUnavailable> {
        Ok(Self(draw_secret(randomness)?))
    }

    /// Reads a token strictly: base64url (RFC 4648 section 5) without padding, and the one spelling of its bytes (the
    /// two bits left over are zero, section 3.5).
    ///
    /// # Errors
    /// [`InvalidToken`] for every other text.
    pub fn parse(text: &str) -> Result<Self, InvalidToken> {
        if text.len() != TOKEN_CHARACTERS {
            return Err(InvalidToken);
        }
        let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
        // The length is right, so the only failure left is a wrong character; the decoder wants exactly this room.
        match BASE64URL_NOPAD.decode_mut(text.as_bytes(), bytes.as_mut_slice()) {
            Ok(TOKEN_BYTES) => Ok(Self(bytes)),
            Ok(_) | Err(_) => Err(InvalidToken),
        }
    }

    /// The token as a client gets it.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64URL_NOPAD.encode(self.0.as_slice()))
    }

    /// What is stored, and looked up.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_slice()).into())
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PlainToken(..)")
    }
}

impl TokenHash {
    /// The hash that the database holds.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash as the database takes it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenHash(..)")
    }
}
