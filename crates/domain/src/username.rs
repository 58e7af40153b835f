//! What a username is. Whether it is taken is the database's to say.

#[cfg(test)]
mod tests;

use std::fmt;

use crate::limits::{USERNAME_MAX_CHARACTERS, USERNAME_MIN_CHARACTERS};

/// A username in the one spelling in which it is stored and compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

/// Why a text is no username. Says the rule, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUsername {
    /// Fewer than three characters.
    #[error("a username has at least {USERNAME_MIN_CHARACTERS} characters")]
    TooShort,
    /// More than 64 characters.
    #[error("a username has at most {USERNAME_MAX_CHARACTERS} characters")]
    TooLong,
    /// Another character than `a-z 0-9 . _ -`.
    #[error("a username is made of a-z 0-9 . _ -")]
    ForbiddenCharacter,
    /// The first or the last character is `.`, `_` or `-`.
    #[error("a username starts and ends with a letter or digit")]
    ForbiddenEdge,
}

impl Username {
    /// Reads what was typed: white space around it is dropped, ASCII capitals become small letters, and everything
    /// beyond ASCII is refused. So no two spellings that look alike, such as the Kelvin sign and `k`, can meet.
    ///
    /// # Errors
    /// The first broken rule, as [`InvalidUsername`].
    pub fn parse(typed: &str) -> Result<Self, InvalidUsername> {
        // `to_lowercase` would turn the Kelvin sign (U+212A) into `k`; the ASCII one leaves it to be refused.
        let name = typed.trim().to_ascii_lowercase();
        let letter_or_digit = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
        if !name.bytes().all(|byte| letter_or_digit(&byte) || matches!(byte, b'.' | b'_' | b'-')) {
            return Err(InvalidUsername::ForbiddenCharacter);
        }
        // All is ASCII from here on: bytes are characters.
        if name.len() < USERNAME_MIN_CHARACTERS {
            return Err(InvalidUsername::TooShort);
        }
        if name.len() > USERNAME_MAX_CHARACTERS {
            return Err(InvalidUsername::TooLong);
        }
        let edges = [name.as_bytes().first(), name.as_bytes().last()];
        if !edges.into_iter().flatten().all(letter_or_digit) {
            return Err(InvalidUsername::ForbiddenEdge);
        }
        Ok(Self(name))
    }

    /// The name as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
