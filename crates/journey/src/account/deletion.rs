//! The deletion of an account by its owner: a session, the password and a code, judged as a login judges them, and a
//! commit that decides.

use domain::{KeyRing, LockSchedule, TokenHash, limits};

use crate::attempt::{Attempt, RightPassword, schedule};
use crate::database::{Database, Error, Value};
use crate::functions::{ACCOUNT_DELETION_COMMIT, ACCOUNT_DELETION_LOAD};
use crate::login::{self, Evidence};
use crate::refusal::{Refusal, Stop, refuse, unreadable};
use crate::session;

const KIND: &str = "delete";

/// Deletes the account of whoever has this session, or counts a wrong code with those of the logins, or refuses.
///
/// # Errors
/// [`Stop`].
pub fn delete(
    database: &impl Database,
    keys: &KeyRing,
    session: &TokenHash,
    attempt: &Attempt,
) -> Result<(), Stop> {
    let snapshot = load(database, session)?.ok_or_else(|| session::invalid(database, KIND))?;
    match login::examine(&snapshot, attempt, keys).map_err(|what| unreadable(database, what))? {
        Evidence::WrongPassword { account_id } => {
            Err(refuse(database, KIND, Refusal::WrongPassword, account_id))
        }
        Evidence::RightPassword(proof) => commit(database, &proof, session),
    }
}

/// What is stored about whoever has this session, which counts as its use. `None` when it is not good.
///
/// # Errors
/// [`Error`].
pub fn load(database: &impl Database, session: &TokenHash) -> Result<Option<login::Snapshot>, Error> {
    ACCOUNT_DELETION_LOAD
        .row(database, &session::parameters(session))?
        .map(|row| login::snapshot(&row))
        .transpose()
}

/// Decides an attempt with a right password: the account is gone with its credentials, sessions and tokens, and its name
/// reserved.
///
/// # Errors
/// [`Stop`]. On a fault nothing was changed, counted or used up.
pub fn commit(database: &impl Database, proof: &RightPassword, session: &TokenHash) -> Result<(), Stop> {
    let [session, ttl, idle] = session::parameters(session);
    let [first_wait_at, longest_wait_minutes, suspends_at] = schedule(&LockSchedule::LOGIN);
    let parameters = [
        proof.account_id.into(),
        proof.credential_id.into(),
        proof.step.into(),
        session,
        ttl,
        idle,
        first_wait_at,
        longest_wait_minutes,
        suspends_at,
        Value::Integer(limits::RESERVED_NAME_MONTHS.into()),
    ];
    ACCOUNT_DELETION_COMMIT.decide(database, &parameters).map(drop)
}
