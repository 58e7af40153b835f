//! Renewal: right credentials past their end earn a new start. The old ones stay as they are until it is confirmed.

use super::NewDraft;
use crate::{PlainToken, Randomness, RandomnessUnavailable, TokenHash, Username};

/// A start for an account whose credentials have expired. Whether the token is good for it is for the commit to say.
#[derive(Debug)]
pub struct Renewal {
    /// The renewal token that pays for it.
    pub renewal_token: TokenHash,
    /// The name that came with it.
    pub username: Username,
    /// The new unconfirmed credential.
    pub draft: NewDraft,
}

/// Prepares a renewal.
///
/// # Errors
/// When no randomness can be had.
pub fn decide(
    renewal_token: &PlainToken,
    username: Username,
    randomness: &mut impl Randomness,
) -> Result<Renewal, RandomnessUnavailable> {
    Ok(Renewal { renewal_token: renewal_token.hash(), username, draft: NewDraft::draw(randomness)? })
}
