//! Login: username, password and code, with one answer for every wrong combination.

use super::{Attempt, Wait};
use crate::{
    AccountId, CredentialId, KeyRing, SealedTotpSecret, SealedVerifier, Step, TotpSecret, UnixTime,
    Unreadable, Username, Verifier,
};

/// What is stored under a name that was typed, which may be nothing.
#[derive(Debug)]
pub struct LoginSnapshot {
    /// The database's clock when this was loaded.
    pub now: UnixTime,
    /// The account of that name, pending ones included.
    pub account_id: Option<AccountId>,
    /// Its live credential, if it was ever activated.
    pub credential: Option<LiveCredential>,
}

/// A confirmed credential.
#[derive(Debug)]
pub struct LiveCredential {
    /// Whose it is.
    pub account_id: AccountId,
    /// Its id.
    pub credential_id: CredentialId,
    /// What the password is checked with.
    pub verifier: SealedVerifier,
    /// What the codes come from.
    pub totp_secret: SealedTotpSecret,
}

/// What the secrets say about an attempt, before the commit decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// No such name, a name without a live credential, or not its password.
    WrongPassword {
        /// The account of that name, for the event.
        account_id: Option<AccountId>,
    },
    /// The password was right.
    RightPassword {
        /// Whose it is.
        account_id: AccountId,
        /// The credential that it was checked against.
        credential_id: CredentialId,
        /// The step that the code is of, if it is of one at all.
        step: Option<Step>,
    },
}

/// What the commit says, from the rows that it has locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A session is open.
    Authenticated {
        /// The account's name.
        username: Username,
        /// When the credential expires.
        expires_at: UnixTime,
    },
    /// Everything was right, and too old: the account is marked expired, a renewal token stored.
    Expired,
    /// The code was wrong, and counted.
    WrongCode,
    /// The code was right, and used before. No guess, so not counted.
    ReusedCode,
    /// Too many wrong codes: nothing was looked at.
    Waiting(Wait),
    /// An operator has to release the account.
    Suspended,
    /// The credential was replaced since it was loaded.
    Stale,
}

/// Finds out what the attempt proves. Every name costs the same work, known or not, whatever part of it is wrong: both
/// secrets are opened and compared before anything is concluded.
///
/// # Errors
/// When a stored secret cannot be opened.
pub fn examine(snapshot: &LoginSnapshot, attempt: &Attempt, keys: &KeyRing) -> Result<Evidence, Unreadable> {
    let Some(LiveCredential { account_id, credential_id, verifier, totp_secret }) = &snapshot.credential
    else {
        Verifier::check_decoy(keys, &attempt.password);
        TotpSecret::check_decoy(keys, &attempt.code, snapshot.now);
        return Ok(Evidence::WrongPassword { account_id: snapshot.account_id });
    };
    let (account_id, credential_id) = (*account_id, *credential_id);
    let password_is_right = attempt.password_is_right(verifier, account_id, credential_id, keys)?;
    let step = attempt.step(totp_secret, account_id, credential_id, keys, snapshot.now)?;
    Ok(if password_is_right {
        Evidence::RightPassword { account_id, credential_id, step }
    } else {
        Evidence::WrongPassword { account_id: Some(account_id) }
    })
}
