//! The deletion of an account by its owner: a session, the password and a code, judged as a login judges them.
//!
//! What the secrets prove is found out by [`login::examine`](super::login::examine); what is here is what the commit may
//! say.

use super::Wait;

/// What the commit says, from the rows that it has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The account is gone with its credentials, sessions and tokens; its name is reserved.
    Deleted,
    /// The code was wrong, and counted with those of the logins.
    WrongCode,
    /// The code was right, and used before. No guess, so not counted.
    ReusedCode,
    /// Too many wrong codes: nothing was looked at.
    Waiting(Wait),
    /// An operator has to release the account.
    Suspended,
    /// The session, its credential or its account is over since it was loaded.
    NoSession,
}
