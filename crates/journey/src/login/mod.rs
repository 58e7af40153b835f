//! Login: username, password and code, with one answer for every wrong combination. A load that is the same for every
//! name, what the secrets say, and a commit that decides.

use domain::{
    AccountId, CredentialId, KeyRing, LockSchedule, PlainToken, Randomness, RandomnessUnavailable,
    SealedTotpSecret, SealedVerifier, TotpSecret, UnixTime, Unreadable, Username, Verifier, limits,
};

use crate::attempt::{Attempt, RightPassword, schedule, verifier};
use crate::database::{Database, Error, Row, Value, inconsistent};
use crate::functions::{LOGIN_COMMIT, LOGIN_LOAD};
use crate::refusal::{Refusal, Stop, refuse, unreadable};
use crate::session::NewSession;

const KIND: &str = "login";

/// What is stored under a name that was typed, which may be nothing.
#[derive(Debug)]
pub struct Snapshot {
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
    RightPassword(RightPassword),
}

/// What a login may open; the commit stores the one that its outcome calls for.
#[derive(Debug)]
pub struct Tickets {
    /// For right credentials.
    pub session: NewSession,
    /// For right credentials that have expired.
    pub renewal_token: PlainToken,
}

/// What right credentials come to.
#[derive(Debug)]
pub enum Login {
    /// A session is open.
    Authenticated {
        /// The account's name.
        username: Username,
        /// When the credential expires.
        expires_at: UnixTime,
        /// The session.
        session: NewSession,
    },
    /// They are too old: the account is marked expired, and this token pays for a start.
    Expired {
        /// Good for one start.
        renewal_token: PlainToken,
    },
}

/// Logs in, or counts a wrong code, or refuses.
///
/// # Errors
/// [`Stop`].
pub fn login(
    database: &impl Database,
    keys: &KeyRing,
    randomness: &mut impl Randomness,
    username: &Username,
    attempt: &Attempt,
) -> Result<Login, Stop> {
    let snapshot = load(database, username)?;
    match examine(&snapshot, attempt, keys).map_err(|what| unreadable(database, what))? {
        Evidence::WrongPassword { account_id } => {
            Err(refuse(database, KIND, Refusal::WrongPassword, account_id))
        }
        Evidence::RightPassword(proof) => commit(database, &proof, Tickets::draw(randomness)?),
    }
}

/// What is stored under a name.
///
/// # Errors
/// [`Error`].
pub fn load(database: &impl Database, username: &Username) -> Result<Snapshot, Error> {
    snapshot(&LOGIN_LOAD.only_row(database, &[username.as_str().into()])?)
}

/// Reads what [`examine`] needs.
pub(crate) fn snapshot(row: &Row) -> Result<Snapshot, Error> {
    Ok(Snapshot {
        now: row.get("now")?,
        account_id: row.get("account_id")?,
        credential: live_credential(row)?,
    })
}

fn live_credential(row: &Row) -> Result<Option<LiveCredential>, Error> {
    let Some(credential_id) = row.get::<Option<CredentialId>>("credential_id")? else {
        return Ok(None);
    };
    let Some(verifier) = verifier(row)? else {
        return Err(inconsistent("credential", credential_id, "live without a verifier"));
    };
    Ok(Some(LiveCredential {
        account_id: row.get("account_id")?,
        credential_id,
        verifier,
        totp_secret: SealedTotpSecret::from_bytes(row.get("totp_secret")?),
    }))
}

/// Finds out what the attempt proves. Every name costs the same work, known or not, whatever part of it is wrong: both
/// secrets are opened and compared before anything is concluded.
///
/// # Errors
/// When a stored secret cannot be opened.
pub fn examine(snapshot: &Snapshot, attempt: &Attempt, keys: &KeyRing) -> Result<Evidence, Unreadable> {
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
        Evidence::RightPassword(RightPassword { account_id, credential_id, step })
    } else {
        Evidence::WrongPassword { account_id: Some(account_id) }
    })
}

impl Tickets {
    /// Draws them.
    ///
    /// # Errors
    /// When no randomness can be had.
    pub fn draw(randomness: &mut impl Randomness) -> Result<Self, RandomnessUnavailable> {
        Ok(Self { session: NewSession::draw(randomness)?, renewal_token: PlainToken::generate(randomness)? })
    }
}

/// Decides an attempt with a right password.
///
/// # Errors
/// [`Stop`]. On a fault nothing was changed, counted or used up.
pub fn commit(database: &impl Database, proof: &RightPassword, tickets: Tickets) -> Result<Login, Stop> {
    let [first_wait_at, longest_wait_minutes, suspends_at] = schedule(&LockSchedule::LOGIN);
    let parameters = [
        proof.account_id.into(),
        proof.credential_id.into(),
        proof.step.into(),
        tickets.session.token.hash().into(),
        tickets.session.session_id.into(),
        tickets.renewal_token.hash().into(),
        first_wait_at,
        longest_wait_minutes,
        suspends_at,
        Value::Integer(limits::RENEWAL_TTL_SECONDS),
    ];
    let (outcome, row) = LOGIN_COMMIT.decide_among(database, &parameters, ["ok", "expired"])?;
    if outcome == "expired" {
        return Ok(Login::Expired { renewal_token: tickets.renewal_token });
    }
    Ok(Login::Authenticated {
        username: row.get("username")?,
        expires_at: row.get("expires_at")?,
        session: tickets.session,
    })
}
