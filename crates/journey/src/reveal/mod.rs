//! Step 2: the code is traded, once, for a password that is made in that moment.

use domain::{
    AccountId, CredentialId, KeyRing, Password, PlainToken, Randomness, RandomnessUnavailable,
    SealedVerifier, TokenHash, UnixTime, Username, Verifier, is_expired,
};

use crate::database::{Database, Error, Row, Value};
use crate::functions::{REVEAL_COMMIT, REVEAL_LOAD};
use crate::refusal::{Refusal, Stop, refuse};

const KIND: &str = "reveal";

/// The unconfirmed credential, or the live one, that a code belongs to.
#[derive(Debug)]
pub struct Snapshot {
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

/// A password that exists here and nowhere else until it is stored and handed over.
#[derive(Debug)]
pub struct NewPassword {
    /// To be shown once, after [`commit`](Self::commit).
    pub password: Password,
    /// What was loaded.
    pub snapshot: Snapshot,
    reveal_token: TokenHash,
    verifier: SealedVerifier,
}

/// Makes the password that a code is good for. It is to be shown only after it was committed.
///
/// # Errors
/// [`Stop`].
pub fn make(
    database: &impl Database,
    keys: &KeyRing,
    randomness: &mut impl Randomness,
    reveal_token: &PlainToken,
) -> Result<NewPassword, Stop> {
    let reveal_token = reveal_token.hash();
    let Some(snapshot) = load(database, &reveal_token)? else {
        return Err(refuse(database, KIND, Refusal::TokenUnknown, None));
    };
    if let Some(refusal) = judge(&snapshot) {
        return Err(refuse(database, KIND, refusal, Some(snapshot.account_id)));
    }
    Ok(new_password(snapshot, reveal_token, keys, randomness)?)
}

/// What a code belongs to. `None` when it is unknown.
///
/// # Errors
/// [`Error`].
pub fn load(database: &impl Database, reveal_token: &TokenHash) -> Result<Option<Snapshot>, Error> {
    REVEAL_LOAD.row(database, &[(*reveal_token).into()])?.map(|row| snapshot(&row)).transpose()
}

fn snapshot(row: &Row) -> Result<Snapshot, Error> {
    Ok(Snapshot {
        now: row.get("now")?,
        account_id: row.get("account_id")?,
        username: row.get("username")?,
        credential_id: row.get("credential_id")?,
        is_revealed: row.get("is_revealed")?,
        expires_at: row.get("expires_at")?,
    })
}

/// Why a known reveal code gives no password; `None` when it does. A used one stays used after its end.
#[must_use]
pub fn judge(snapshot: &Snapshot) -> Option<Refusal> {
    if snapshot.is_revealed {
        Some(Refusal::TokenUsed)
    } else if is_expired(snapshot.expires_at, snapshot.now) {
        Some(Refusal::TokenExpired)
    } else {
        None
    }
}

/// Makes the password and what it will be checked with.
///
/// # Errors
/// When no randomness can be had.
pub fn new_password(
    snapshot: Snapshot,
    reveal_token: TokenHash,
    keys: &KeyRing,
    randomness: &mut impl Randomness,
) -> Result<NewPassword, RandomnessUnavailable> {
    let (account_id, credential_id) = (snapshot.account_id, snapshot.credential_id);
    let password = Password::generate(randomness)?;
    let verifier = Verifier::new(&password, account_id, credential_id, randomness)?;
    let verifier = verifier.seal(keys, account_id, credential_id, randomness)?;
    Ok(NewPassword { password, snapshot, reveal_token, verifier })
}

impl NewPassword {
    /// Stores its verifier, unless somebody was faster: this password, and no other, was revealed.
    ///
    /// # Errors
    /// [`Stop`], and then the password must not be shown, because it has possibly not been stored.
    pub fn commit(&self, database: &impl Database) -> Result<(), Stop> {
        let parameters = [
            self.snapshot.account_id.into(),
            self.snapshot.credential_id.into(),
            self.reveal_token.into(),
            Value::Bytes(self.verifier.as_bytes().to_vec()),
            Value::Integer(domain::verifier::ALGORITHM),
        ];
        REVEAL_COMMIT.decide(database, &parameters).map(drop)
    }

    /// What the password will be checked with.
    #[must_use]
    pub const fn verifier(&self) -> &SealedVerifier {
        &self.verifier
    }
}
