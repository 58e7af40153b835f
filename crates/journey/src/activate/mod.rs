//! Step 4: the password and a first code prove that both were really received. An unconfirmed credential becomes the live
//! one, in one statement with all that ends by it.

use domain::{
    KeyRing, LockSchedule, PlainToken, Randomness, Step, UnixTime, Unreadable, Username, credential_expiry,
};

use crate::attempt::{Attempt, schedule};
use crate::database::{Database, Value};
use crate::functions::ACTIVATE_COMMIT;
use crate::refusal::{Refusal, Stop, refuse, unreadable};
use crate::session::NewSession;
use crate::start::{self, OpenStart, Progress};

const KIND: &str = "activate";

/// What the secrets say about an attempt, before the commit decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// A stage before this one is missing, or the password is wrong.
    Refused(Refusal),
    /// The password was received.
    RightPassword {
        /// The step that the code is of, if it is of one at all.
        step: Option<Step>,
        /// When the credential would expire, if it were activated.
        expires_at: UnixTime,
    },
}

/// The credential is live and a session open.
#[derive(Debug)]
pub struct Activated {
    /// The account's name.
    pub username: Username,
    /// When the credential expires.
    pub expires_at: UnixTime,
    /// The session.
    pub session: NewSession,
}

/// Activates a start, or counts a wrong code, or refuses.
///
/// # Errors
/// [`Stop`].
pub fn activate(
    database: &impl Database,
    keys: &KeyRing,
    randomness: &mut impl Randomness,
    enrollment_token: &PlainToken,
    attempt: &Attempt,
) -> Result<Activated, Stop> {
    let start = start::require(database, &enrollment_token.hash(), KIND)?;
    match examine(&start, attempt, keys).map_err(|what| unreadable(database, what))? {
        Evidence::Refused(refusal) => Err(refuse(database, KIND, refusal, Some(start.account_id))),
        Evidence::RightPassword { step, expires_at } => {
            commit(database, &start, step, expires_at, NewSession::draw(randomness)?)
        }
    }
}

/// Finds out what the attempt proves.
///
/// # Errors
/// When a stored secret cannot be opened.
pub fn examine(start: &OpenStart, attempt: &Attempt, keys: &KeyRing) -> Result<Evidence, Unreadable> {
    let (verifier, totp_secret) = match &start.progress {
        Progress::Unrevealed => return Ok(Evidence::Refused(Refusal::PasswordNotRevealed)),
        Progress::Revealed { .. } => return Ok(Evidence::Refused(Refusal::TotpNotStarted)),
        Progress::SecretIssued { verifier, totp_secret } => (verifier, totp_secret),
    };
    let (account_id, credential_id) = (start.account_id, start.credential_id);
    if !attempt.password_is_right(verifier, account_id, credential_id, keys)? {
        return Ok(Evidence::Refused(Refusal::WrongPassword));
    }
    Ok(Evidence::RightPassword {
        step: attempt.step(totp_secret, account_id, credential_id, keys, start.now)?,
        expires_at: credential_expiry(start.now),
    })
}

/// Decides an attempt with a right password. `step` is that of the code; `None` when the code is wrong.
///
/// # Errors
/// [`Stop`]. On a fault nothing was changed or counted.
pub fn commit(
    database: &impl Database,
    start: &OpenStart,
    step: Option<Step>,
    expires_at: UnixTime,
    session: NewSession,
) -> Result<Activated, Stop> {
    let [first_wait_at, longest_wait_minutes, ends_start_at] = schedule(&LockSchedule::ACTIVATION);
    let parameters = [
        start.account_id.into(),
        start.credential_id.into(),
        Value::Integer(start.revision.0),
        step.into(),
        Value::Integer(expires_at.seconds()),
        session.token.hash().into(),
        session.session_id.into(),
        first_wait_at,
        longest_wait_minutes,
        ends_start_at,
    ];
    let row = ACTIVATE_COMMIT.decide(database, &parameters)?;
    Ok(Activated { username: row.get("username")?, expires_at: row.get("expires_at")?, session })
}
