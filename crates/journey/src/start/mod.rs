//! Starts: an unconfirmed credential for a new name (step 1), a new code for the same start, or a start for an account whose
//! credentials have expired, paid for with a renewal token.
//!
//! Drawn first, committed then: what could fail between the two (a QR code, say) must not fail after a name or a token
//! was used up.

use domain::{
    AccountId, CredentialId, PlainToken, Randomness, RandomnessUnavailable, SealedTotpSecret, SealedVerifier,
    TokenHash, UnixTime, Username, limits,
};

use crate::attempt::verifier;
use crate::database::{Call, Database, Error, Row, Value, inconsistent};
use crate::functions::{START_CREATE, START_LOAD, START_NEW_CODE, START_RENEW};
use crate::refusal::{Refusal, Stop, refuse};

/// A start that can still go on: its deadline has not passed and nothing newer has replaced it.
#[derive(Debug)]
pub struct OpenStart {
    /// The database's clock when this was loaded.
    pub now: UnixTime,
    /// Whose start it is.
    pub account_id: AccountId,
    /// The account's name.
    pub username: Username,
    /// The unconfirmed credential.
    pub credential_id: CredentialId,
    /// Which of the credential's writes this snapshot saw.
    pub revision: Revision,
    /// When the code to reveal the password stops working.
    pub reveal_expires_at: UnixTime,
    /// How far it has come.
    pub progress: Progress,
}

impl OpenStart {
    /// Whether somebody has read the password.
    #[must_use]
    pub const fn is_revealed(&self) -> bool {
        !matches!(self.progress, Progress::Unrevealed)
    }
}

/// Counts the writes to an unconfirmed credential. A commit names the one that its load saw, so that what was checked
/// is what is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision(pub i64);

/// How far a start has come.
#[derive(Debug)]
pub enum Progress {
    /// The password has not been made yet: it is made when it is revealed.
    Unrevealed,
    /// Somebody has read the password.
    Revealed {
        /// What the password is checked with.
        verifier: SealedVerifier,
    },
    /// A TOTP secret was handed out and waits for a first code.
    SecretIssued {
        /// What the password is checked with.
        verifier: SealedVerifier,
        /// The secret that the first code must come from.
        totp_secret: SealedTotpSecret,
    },
}

/// The unconfirmed credential that a start makes, with its tokens.
#[derive(Debug)]
pub struct NewDraft {
    /// The new credential's id. Nothing that was sealed for an older one can be opened under it.
    pub credential_id: CredentialId,
    /// Goes into the QR code.
    pub reveal_token: PlainToken,
    /// Stays in the browser that started.
    pub enrollment_token: PlainToken,
}

impl NewDraft {
    fn draw(randomness: &mut impl Randomness) -> Result<Self, RandomnessUnavailable> {
        Ok(Self {
            credential_id: CredentialId::random(randomness)?,
            reveal_token: PlainToken::generate(randomness)?,
            enrollment_token: PlainToken::generate(randomness)?,
        })
    }
}

/// A pending account to be created.
#[derive(Debug)]
pub struct NewAccount {
    /// Its id. A name that was pending before gets a new one, so that nothing of the old account fits it.
    pub account_id: AccountId,
    /// Its name.
    pub username: Username,
    /// Its unconfirmed credential.
    pub draft: NewDraft,
}

/// A start for an account whose credentials have expired. The old ones stay as they are until the new ones are confirmed.
#[derive(Debug)]
pub struct Renewal {
    /// The renewal token that pays for it.
    pub renewal_token: TokenHash,
    /// The name that came with it.
    pub username: Username,
    /// The new unconfirmed credential.
    pub draft: NewDraft,
}

/// A new code for an open start: the old code, a password that it may have given to somebody, and an unconfirmed secret
/// are dead once it is committed.
#[derive(Debug)]
pub struct NewCode {
    /// The start, as it was loaded.
    pub start: OpenStart,
    /// The token that opened it.
    pub enrollment_token: TokenHash,
    /// Goes into the QR code.
    pub reveal_token: PlainToken,
}

/// The constraint by which a trigger refuses a name that was reserved while the statement waited for it.
const USERNAME_IS_FREE: &str = "account_username_is_free";

impl NewAccount {
    /// Draws its ids and tokens.
    ///
    /// # Errors
    /// When no randomness can be had.
    pub fn draw(username: Username, randomness: &mut impl Randomness) -> Result<Self, RandomnessUnavailable> {
        Ok(Self { account_id: AccountId::random(randomness)?, username, draft: NewDraft::draw(randomness)? })
    }

    /// Creates it, and returns when its code ends.
    ///
    /// # Errors
    /// [`Stop`], and then nothing was created.
    pub fn create(&self, database: &impl Database) -> Result<UnixTime, Stop> {
        let who = self.account_id.into();
        match commit(database, START_CREATE, &parameters(who, &self.username, &self.draft)) {
            // The statement was taken back whole, its event with it.
            Err(Stop::Fault(Error::Conflict { constraint })) if constraint == USERNAME_IS_FREE => {
                Err(refuse(database, "start", Refusal::UsernameTaken, None))
            }
            result => result,
        }
    }
}

impl Renewal {
    /// Draws what is new. Whether the token is good for it is for the commit to say.
    ///
    /// # Errors
    /// When no randomness can be had.
    pub fn draw(
        renewal_token: &PlainToken,
        username: Username,
        randomness: &mut impl Randomness,
    ) -> Result<Self, RandomnessUnavailable> {
        Ok(Self { renewal_token: renewal_token.hash(), username, draft: NewDraft::draw(randomness)? })
    }

    /// Begins it, and returns when its code ends.
    ///
    /// # Errors
    /// [`Stop`], and then the token is not used up.
    pub fn begin(&self, database: &impl Database) -> Result<UnixTime, Stop> {
        let who = self.renewal_token.into();
        commit(database, START_RENEW, &parameters(who, &self.username, &self.draft))
    }
}

impl NewCode {
    /// Draws the code, if the start is this name's; else refuses.
    ///
    /// # Errors
    /// [`Stop`].
    pub fn draw(
        database: &impl Database,
        start: OpenStart,
        enrollment_token: &PlainToken,
        username: &Username,
        randomness: &mut impl Randomness,
    ) -> Result<Self, Stop> {
        if start.username != *username {
            return Err(refuse(database, "new_code", Refusal::TokenInvalid, Some(start.account_id)));
        }
        let reveal_token = PlainToken::generate(randomness)?;
        Ok(Self { start, enrollment_token: enrollment_token.hash(), reveal_token })
    }

    /// Replaces the code of the start, and returns when the new one ends.
    ///
    /// # Errors
    /// [`Stop`], and then the old code is as good as it was.
    pub fn replace(&self, database: &impl Database) -> Result<UnixTime, Stop> {
        let parameters = [
            self.start.account_id.into(),
            self.start.credential_id.into(),
            self.enrollment_token.into(),
            self.reveal_token.hash().into(),
            Value::Integer(limits::REVEAL_TTL_SECONDS),
        ];
        commit(database, START_NEW_CODE, &parameters)
    }
}

fn commit(database: &impl Database, call: Call, parameters: &[Value]) -> Result<UnixTime, Stop> {
    Ok(call.decide(database, parameters)?.get("reveal_expires_at")?)
}

/// `who` starts: a new account's id, or the renewal token's hash.
fn parameters(who: Value, username: &Username, draft: &NewDraft) -> [Value; 7] {
    [
        who,
        username.as_str().into(),
        draft.credential_id.into(),
        draft.enrollment_token.hash().into(),
        draft.reveal_token.hash().into(),
        Value::Integer(limits::START_TTL_SECONDS),
        Value::Integer(limits::REVEAL_TTL_SECONDS),
    ]
}

/// The start that an enrollment token belongs to. `None` when the token is unknown or dead.
///
/// # Errors
/// [`Error`].
pub fn load(database: &impl Database, enrollment_token: &TokenHash) -> Result<Option<OpenStart>, Error> {
    START_LOAD.row(database, &[(*enrollment_token).into()])?.map(|row| open_start(&row)).transpose()
}

/// Like [`load`], for the page that waits: an unknown or dead token is refused.
///
/// # Errors
/// [`Stop`].
pub fn poll(database: &impl Database, enrollment_token: &TokenHash) -> Result<OpenStart, Stop> {
    require(database, enrollment_token, "poll")
}

/// Like [`load`], but an unknown or dead token is refused. `kind` is what was tried.
pub(crate) fn require(
    database: &impl Database,
    enrollment_token: &TokenHash,
    kind: &str,
) -> Result<OpenStart, Stop> {
    load(database, enrollment_token)?.ok_or_else(|| refuse(database, kind, Refusal::TokenInvalid, None))
}

fn open_start(row: &Row) -> Result<OpenStart, Error> {
    Ok(OpenStart {
        now: row.get("now")?,
        account_id: row.get("account_id")?,
        username: row.get("username")?,
        credential_id: row.get("credential_id")?,
        revision: Revision(row.get("revision")?),
        reveal_expires_at: row.get("reveal_expires_at")?,
        progress: progress(row)?,
    })
}

fn progress(row: &Row) -> Result<Progress, Error> {
    let totp_secret = row.get::<Option<Vec<u8>>>("totp_secret")?.map(SealedTotpSecret::from_bytes);
    Ok(match (verifier(row)?, totp_secret) {
        (None, None) => Progress::Unrevealed,
        (Some(verifier), None) => Progress::Revealed { verifier },
        (Some(verifier), Some(totp_secret)) => Progress::SecretIssued { verifier, totp_secret },
        (None, Some(_)) => {
            let id: CredentialId = row.get("credential_id")?;
            return Err(inconsistent("credential", id, "a TOTP secret without a verifier"));
        }
    })
}
