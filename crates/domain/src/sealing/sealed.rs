//! A stored secret: a type of its own, so that nobody takes it for the secret, and one for each kind of secret.

use std::fmt;
use std::marker::PhantomData;

use super::{KeyRing, OpenError, Place, SealedColumn};
use crate::id::{AccountId, CredentialId};

/// A secret that has a sealed form and a column that it is stored in.
pub trait Sealable: Sized {
    /// The column.
    const COLUMN: SealedColumn;

    /// Opens its sealed form.
    ///
    /// # Errors
    /// [`OpenError`], for everything but what was sealed for exactly this place.
    fn unseal(keys: &KeyRing, place: &Place, blob: &[u8]) -> Result<Self, OpenError>;

    /// Where it is stored for this credential.
    #[must_use]
    fn place(account: AccountId, credential: CredentialId) -> Place {
        Place { column: Self::COLUMN, account, credential }
    }
}

/// A `T` as it is stored.
pub struct Sealed<T> {
    blob: Vec<u8>,
    kind: PhantomData<T>,
}

/// A stored value that cannot be opened, and where it is. For the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {}: {} is {why}", place.column.table(), place.credential, place.column.column())]
pub struct Unreadable {
    /// Where it is stored.
    pub place: Place,
    /// Why it cannot be opened.
    pub why: OpenError,
}

impl<T: Sealable> Sealed<T> {
    /// What the database holds.
    #[must_use]
    pub const fn from_bytes(blob: Vec<u8>) -> Self {
        Self { blob, kind: PhantomData }
    }

    /// What the database takes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.blob
    }

    /// Opens what was sealed for this credential.
    ///
    /// # Errors
    /// [`Unreadable`], for everything else.
    pub fn open(
        &self,
        keys: &KeyRing,
        account: AccountId,
        credential: CredentialId,
    ) -> Result<T, Unreadable> {
        let place = T::place(account, credential);
        T::unseal(keys, &place, &self.blob).map_err(|why| Unreadable { place, why })
    }
}

/// The column alone: a blob is of no use in a log.
impl<T: Sealable> fmt::Debug for Sealed<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sealed({})", T::COLUMN.column())
    }
}
