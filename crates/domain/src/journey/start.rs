//! Step 1: a name becomes a pending account, or an open start gets a new code.

use super::{NewDraft, OpenStart};
use crate::{AccountId, PlainToken, Randomness, RandomnessUnavailable, Username};

/// A pending account to be created. Whether its name is free is for the commit to say.
#[derive(Debug)]
pub struct NewAccount {
    /// Its id. A name that was pending before gets a new one, so that nothing of the old account fits it.
    pub account_id: AccountId,
    /// Its name.
    pub username: Username,
    /// Its unconfirmed credential.
    pub draft: NewDraft,
}

/// Prepares a start for a name.
///
/// # Errors
/// When no randomness can be had.
pub fn decide(
    username: Username,
    randomness: &mut impl Randomness,
) -> Result<NewAccount, RandomnessUnavailable> {
    Ok(NewAccount {
        account_id: AccountId::random(randomness)?,
        username,
        draft: NewDraft::draw(randomness)?,
    })
}

/// The enrollment token is another account's than the name that came with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token belongs to another account")]
pub struct OtherAccount;

/// Judges whether an open start may get a new code under this name.
///
/// # Errors
/// [`OtherAccount`] when the start is not this name's.
pub fn check_owner(start: &OpenStart, username: &Username) -> Result<(), OtherAccount> {
    if start.username == *username { Ok(()) } else { Err(OtherAccount) }
}

/// The token of a new code: the old code, a password that it may have given to somebody, and an unconfirmed secret are
/// dead once it is committed.
///
/// # Errors
/// When no randomness can be had.
pub fn new_code(randomness: &mut impl Randomness) -> Result<PlainToken, RandomnessUnavailable> {
    PlainToken::generate(randomness)
}
