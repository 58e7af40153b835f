//! The rules of the service, pure: what a username, a password, a code, a token is, how secrets are sealed, when a
//! credential ends, how many guesses there are.
//!
//! What this crate does not do: it has no clock and no random source (both are arguments), and knows nothing of SQL
//! and operations (`journey`), HTTP, JSON, cookies, QR codes and Spin (`edge`). It draws no conclusion that depends on a row which
//! somebody else could change meanwhile: that is settled in the operations' statements.

pub mod expiry;
mod framing;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod guessing;
pub mod id;
pub mod limits;
pub mod password;
pub mod randomness;
pub mod sealing;
#[cfg(test)]
mod seeded;
pub mod time;
pub mod token;
pub mod totp;
pub mod username;
pub mod verifier;

pub use expiry::{credential_expiry, is_expired};
pub use guessing::{AfterWrongCode, LockSchedule};
pub use id::{AccountId, CredentialId, InvalidId, SessionId};
pub use password::Password;
pub use randomness::{Randomness, RandomnessUnavailable};
pub use sealing::{
    EntryProblem, KeyRing, KeyRingError, OpenError, Place, Sealable, Sealed, SealedColumn, Unreadable,
};
pub use time::UnixTime;
pub use token::{InvalidToken, PlainToken, TokenHash};
pub use totp::{Code, InvalidCode, SealedTotpSecret, Step, TotpSecret};
pub use username::{InvalidUsername, Username};
pub use verifier::{SealedVerifier, Verifier};
