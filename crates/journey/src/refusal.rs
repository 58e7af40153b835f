//! The one way to refuse. A [`Refused`] is made where an event is recorded and nowhere else: by [`refuse`], or by a
//! commit whose function has recorded what it decided. So who is refused leaves exactly one event.

use domain::{AccountId, OpenError, Unreadable};

use crate::attempt::Wait;
use crate::database::{Database, Error, Function, Row, Value, inconsistent};
use crate::functions::REFUSAL_RECORD;

/// Why somebody gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The name is taken, or reserved for the owner of an account that was deleted.
    UsernameTaken,
    /// An enrollment or renewal token that is unknown, dead, or another account's.
    TokenInvalid,
    /// A code that nobody knows, or that a newer one replaced.
    TokenUnknown,
    /// A code that gave its password already.
    TokenUsed,
    /// A code that came too late.
    TokenExpired,
    /// The password comes first.
    PasswordNotRevealed,
    /// The second factor comes first.
    TotpNotStarted,
    /// The start was changed, or activated, by somebody else since it was loaded.
    Superseded,
    /// A wrong password, or a name that has none. Counted by nobody: it cannot be guessed.
    WrongPassword,
    /// A wrong code after a right password. It is counted.
    WrongCode,
    /// The same once too often: the start is over.
    StartEnded,
    /// A right code that was used before. No guess, so not counted.
    ReusedCode,
    /// Too many wrong codes: nothing was looked at.
    Waiting(Wait),
    /// An operator has to release the account.
    Suspended,
    /// The credential was replaced since it was loaded.
    Stale,
    /// A session that is unknown, has ended, or lost its credential.
    SessionInvalid,
    /// The session that was to be ended is none of one's own.
    SessionUnknown,
}

impl Refusal {
    /// The outcome in an event.
    const fn outcome(self) -> &'static str {
        match self {
            Self::UsernameTaken => "username_taken",
            Self::TokenInvalid => "token_invalid",
            Self::TokenUnknown => "token_unknown",
            Self::TokenUsed => "token_used",
            Self::TokenExpired => "token_expired",
            Self::PasswordNotRevealed => "password_not_revealed",
            Self::TotpNotStarted => "totp_not_started",
            Self::Superseded => "superseded",
            Self::WrongPassword => "wrong_password",
            Self::WrongCode => "wrong_code",
            Self::StartEnded => "wrong_code_ends_start",
            Self::ReusedCode => "reused_code",
            Self::Waiting(_) => "waiting",
            Self::Suspended => "suspended",
            Self::Stale => "stale",
            Self::SessionInvalid => "session_invalid",
            Self::SessionUnknown => "session_unknown",
        }
    }

    /// The refusal that a commit has decided on.
    fn decided(row: &Row, outcome: &str) -> Result<Self, Error> {
        const PLAIN: [Refusal; 13] = [
            Refusal::UsernameTaken,
            Refusal::TokenInvalid,
            Refusal::TokenUnknown,
            Refusal::TokenUsed,
            Refusal::TokenExpired,
            Refusal::Superseded,
            Refusal::WrongCode,
            Refusal::StartEnded,
            Refusal::ReusedCode,
            Refusal::Suspended,
            Refusal::Stale,
            Refusal::SessionInvalid,
            Refusal::SessionUnknown,
        ];
        match outcome {
            "wrong_code_locks" | "wrong_code_suspends" => Ok(Self::WrongCode),
            // At least a second: it may be over in this moment.
            "waiting" => {
                let retry_after_seconds = row.get::<i64>("retry_after")?.max(1);
                Ok(Self::Waiting(Wait { retry_after_seconds }))
            }
            _ => PLAIN
                .into_iter()
                .find(|refusal| refusal.outcome() == outcome)
                .ok_or_else(|| inconsistent("answer", "", format!("outcome {outcome}"))),
        }
    }
}

/// A refusal that has left its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(Refusal);

impl Refused {
    /// Why.
    #[must_use]
    pub const fn refusal(&self) -> Refusal {
        self.0
    }
}

/// Why an operation ends without its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Whoever asked is told why.
    Refused(Refused),
    /// Only the log is told why.
    Fault(Error),
}

impl Stop {
    /// Why whoever asked is refused; `None` for a fault.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused(refused) => Some(refused.refusal()),
            Self::Fault(_) => None,
        }
    }
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

/// Refuses, and records it. It neither updates nor locks a row of the account. `kind` is what was tried, as the
/// database spells it. A refusal that leaves no trace is none: when it cannot be recorded, it is a fault.
pub(crate) fn refuse(
    database: &impl Database,
    kind: &str,
    refusal: Refusal,
    account_id: Option<AccountId>,
) -> Stop {
    match record(database, kind, refusal.outcome(), account_id) {
        Ok(()) => Stop::Refused(Refused(refusal)),
        Err(error) => Stop::Fault(error),
    }
}

/// A sealed value does not open. It is recorded, and a fault: never the doing of whoever asked.
pub(crate) fn unreadable(database: &impl Database, unreadable: Unreadable) -> Stop {
    let why = match unreadable.why {
        OpenError::UnknownKey { .. } => "unknown_key",
        OpenError::UnknownVersion => "unknown_version",
        OpenError::Malformed => "malformed",
        OpenError::Forged => "forged",
    };
    Stop::Fault(match record(database, "unreadable", why, Some(unreadable.place.account)) {
        Ok(()) => Error::Unreadable(unreadable),
        Err(why) => Error::UnreadableUnrecorded { unreadable, why: Box::new(why) },
    })
}

fn record(
    database: &impl Database,
    kind: &str,
    outcome: &str,
    account_id: Option<AccountId>,
) -> Result<(), Error> {
    let parameters: [Value; 3] = [kind.into(), outcome.into(), account_id.into()];
    REFUSAL_RECORD.only_row(database, &parameters).map(drop)
}

/// What a commit grants.
pub(crate) struct Granted {
    /// Whether it is only that right credentials have expired.
    pub(crate) expired: bool,
    /// What the commit returned.
    pub(crate) row: Row,
}

impl Function {
    /// Runs a commit: a function that decides, records what it decided, and returns it as `outcome`.
    pub(crate) fn decide(self, database: &impl Database, parameters: &[Value]) -> Result<Granted, Stop> {
        let row = self.only_row(database, parameters)?;
        let outcome: String = row.get("outcome")?;
        match outcome.as_str() {
            "ok" => Ok(Granted { expired: false, row }),
            "expired" => Ok(Granted { expired: true, row }),
            refused => Err(Stop::Refused(Refused(Refusal::decided(&row, refused)?))),
        }
    }
}
