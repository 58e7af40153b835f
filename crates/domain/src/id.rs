//! The ids of accounts, credentials and sessions: random, and not to be mixed up.

use std::fmt;

use uuid::Uuid;

use crate::limits::ID_CHARACTERS;
use crate::randomness::{Randomness, RandomnessUnavailable, draw};

macro_rules! id {
    ($name:ident, $what:literal) => {
        #[doc = concat!("The id of ", $what, ": a random UUID (RFC 9562 section 5.4, version 4).")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id from 122 random bits.
            ///
            /// # Errors
            /// [`RandomnessUnavailable`] when the source gives none.
            pub fn random(
                randomness: &mut (impl Randomness + ?Sized),
            ) -> Result<Self, RandomnessUnavailable> {
                Ok(Self(uuid::Builder::from_random_bytes(draw(randomness)?).into_uuid()))
            }

            /// The id that the database holds.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The id as the database takes it.
            #[must_use]
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

id!(AccountId, "an account");
id!(CredentialId, "a credential");
id!(SessionId, "a session");

/// A text that is no id. Says nothing about the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is a UUID of {ID_CHARACTERS} characters")]
pub struct InvalidId;

impl SessionId {
    /// Reads the one form in which ids are written, in capitals or not (RFC 9562 section 4).
    ///
    /// # Errors
    /// [`InvalidId`] for every other text, and for the other forms of a UUID: braces, `urn:uuid:`, without hyphens.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        // Only the form with hyphens has this length.
        if text.len() != ID_CHARACTERS {
            return Err(InvalidId);
        }
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeded::{Absent, Seeded, Stuck};

    #[test]
    fn an_id_is_a_random_uuid_of_version_4() {
        let mut randomness = Seeded::new(1);
        let first = AccountId::random(&mut randomness).unwrap();
        let second = AccountId::random(&mut randomness).unwrap();
        assert_ne!(first, second);
        assert_eq!(first.as_uuid().get_version_num(), 4);
        assert_eq!(first.as_uuid().get_variant(), uuid::Variant::RFC4122);
        assert_eq!(
            SessionId::random(&mut Stuck(0xff)).unwrap().to_string(),
            "ffffffff-ffff-4fff-bfff-ffffffffffff"
        );
    }

    #[test]
    fn an_id_comes_back_from_the_database_as_it_went() {
        let id = CredentialId::random(&mut Seeded::new(2)).unwrap();
        assert_eq!(CredentialId::from_uuid(*id.as_uuid()), id);
        assert_eq!(id.to_string(), id.as_uuid().to_string());
    }

    #[test]
    fn a_session_id_is_read_in_the_form_in_which_it_is_written() {
        let id = SessionId::random(&mut Seeded::new(3)).unwrap();
        let text = id.to_string();
        assert_eq!(SessionId::parse(&text), Ok(id));
        assert_eq!(SessionId::parse(&text.to_uppercase()), Ok(id));
        let digits = text.replace('-', "");
        for other in [
            "",
            "x",
            &digits,
            &format!("{{{text}}}"),
            &format!("urn:uuid:{text}"),
            &format!("{text} "),
            &text[..35],
            &text.replace('-', "_"),
            &format!("{}-{}", &digits[..1], &text[..34]),
            &"é".repeat(18),
        ] {
            assert_eq!(SessionId::parse(other), Err(InvalidId), "{other}");
        }
    }

    #[test]
    fn without_randomness_there_is_no_id() {
        assert_eq!(AccountId::random(&mut Absent), Err(RandomnessUnavailable));
    }
}
