//! An account as its owner sees it: all that is stored, secrets left out (GDPR article 15), written down by [`document`];
//! and its deletion (article 17), in [`deletion`]. For who cannot log in, the operator has both.

pub mod deletion;
pub mod document;

use domain::{AccountId, Step, TokenHash, UnixTime, Username, limits};

use crate::database::{Database, Error, Row, Value};
use crate::functions::{ACCOUNT_EVENTS, ACCOUNT_LOAD, ACCOUNT_OF_NAME};
use crate::refusal::Stop;
use crate::session::{self, OwnSession};

/// All of it.
#[derive(Debug)]
pub struct Export {
    /// The account and its credentials.
    pub account: OwnAccount,
    /// Its good sessions, newest first.
    pub sessions: Vec<OwnSession>,
    /// What was recorded about it.
    pub events: OwnEvents,
}

/// The account itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAccount {
    /// Finds the rest; its owner has no use for it.
    pub account_id: AccountId,
    /// The name.
    pub username: Username,
    /// Of whoever has a session `active`.
    pub state: String,
    /// When it was started.
    pub created_at: UnixTime,
    /// The last login, or the activation.
    pub last_login_at: Option<UnixTime>,
    /// Wrong codes after right passwords, in a row.
    pub wrong_codes: i64,
    /// The end of the last wait that they have earned, which may have passed.
    pub locked_until: Option<UnixTime>,
    /// The credentials that are in use. An account has none before its first activation, and no session then.
    pub credential: Option<OwnCredential>,
    /// The ones that a start has made and nobody has confirmed.
    pub unconfirmed: Option<UnconfirmedCredential>,
}

/// Credentials in use: a password and a second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCredential {
    /// When the password was made and shown.
    pub revealed_at: UnixTime,
    /// When both end.
    pub expires_at: UnixTime,
    /// The beginning of the step of the newest code that was accepted.
    pub last_code_at: UnixTime,
}

/// Credentials that wait for their confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnconfirmedCredential {
    /// When the password was made and shown, if it was.
    pub revealed_at: Option<UnixTime>,
    /// When the code to reveal the password stops working.
    pub code_expires_at: UnixTime,
    /// The start's deadline.
    pub deadline: UnixTime,
    /// Wrong codes at the confirmation.
    pub wrong_codes: i64,
    /// The end of the last wait that they have earned, which may have passed.
    pub locked_until: Option<UnixTime>,
}

/// What was recorded about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEvents {
    /// Newest first, [`EVENTS_SHOWN`](domain::limits::EVENTS_SHOWN) at the most.
    pub newest: Vec<OwnEvent>,
    /// How many there are before those,
    /// [`OLDER_EVENTS_COUNTED`](domain::limits::OLDER_EVENTS_COUNTED) at the most.
    pub older: i64,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEvent {
    /// What was done or tried, as the database spells it.
    pub kind: String,
    /// What became of it, as the database spells it.
    pub outcome: String,
    /// When.
    pub at: UnixTime,
}

/// Everything about whoever has this session, which counts as its use. The session may end between the statements.
///
/// # Errors
/// [`Stop`].
pub fn export(database: &impl Database, token: &TokenHash) -> Result<Export, Stop> {
    let account = load(database, token)?.ok_or_else(|| session::invalid(database, "session"))?;
    let sessions = session::list(database, token)?;
    let events = events(database, account.account_id)?;
    Ok(Export { account, sessions, events })
}

/// Everything about the account of this name, whatever its state, by functions that the application may not call. `None` when there is no such account.
///
/// # Errors
/// [`Error`].
pub fn export_of(database: &impl Database, name: &str) -> Result<Option<Export>, Error> {
    let Some(row) = ACCOUNT_OF_NAME.row(database, &[name.into()])? else { return Ok(None) };
    let account = own_account(&row)?;
    let sessions = session::of_account(database, account.account_id)?;
    let events = events(database, account.account_id)?;
    Ok(Some(Export { account, sessions, events }))
}

/// The account of whoever has this session, which counts as its use. `None` when it is not good.
///
/// # Errors
/// [`Error`].
pub fn load(database: &impl Database, token: &TokenHash) -> Result<Option<OwnAccount>, Error> {
    ACCOUNT_LOAD.row(database, &session::parameters(token))?.map(|row| own_account(&row)).transpose()
}

fn own_account(row: &Row) -> Result<OwnAccount, Error> {
    Ok(OwnAccount {
        account_id: row.get("account_id")?,
        username: row.get("username")?,
        state: row.get("state")?,
        created_at: row.get("created_at")?,
        last_login_at: row.get("last_login_at")?,
        wrong_codes: row.get("wrong_codes")?,
        locked_until: row.get("locked_until")?,
        credential: credential(row)?,
        unconfirmed: unconfirmed(row)?,
    })
}

fn credential(row: &Row) -> Result<Option<OwnCredential>, Error> {
    let Some(expires_at) = row.get("expires_at")? else { return Ok(None) };
    Ok(Some(OwnCredential {
        revealed_at: row.get("revealed_at")?,
        expires_at,
        last_code_at: row.get::<Step>("last_step")?.begins_at(),
    }))
}

fn unconfirmed(row: &Row) -> Result<Option<UnconfirmedCredential>, Error> {
    if !row.get::<bool>("has_draft")? {
        return Ok(None);
    }
    Ok(Some(UnconfirmedCredential {
        revealed_at: row.get("draft_revealed_at")?,
        code_expires_at: row.get("draft_code_expires_at")?,
        deadline: row.get("draft_deadline")?,
        wrong_codes: row.get("draft_wrong_codes")?,
        locked_until: row.get("draft_locked_until")?,
    }))
}

/// What was recorded about an account.
///
/// # Errors
/// [`Error`].
pub fn events(database: &impl Database, account_id: AccountId) -> Result<OwnEvents, Error> {
    let [shown, counted] =
        [limits::EVENTS_SHOWN, limits::OLDER_EVENTS_COUNTED].map(|n| Value::Integer(n.into()));
    let rows = ACCOUNT_EVENTS.rows(database, &[account_id.into(), shown, counted])?;
    let older = rows.first().map_or(Ok(0), |row| row.get("older"))?;
    let newest = rows.iter().map(own_event).collect::<Result<_, _>>()?;
    Ok(OwnEvents { newest, older })
}

fn own_event(row: &Row) -> Result<OwnEvent, Error> {
    Ok(OwnEvent { kind: row.get("kind")?, outcome: row.get("outcome")?, at: row.get("at")? })
}
