//! The one way in which an operation refuses. A [`Refused`] is made where an event is recorded and nowhere else: by
//! [`refuse`], or by a commit whose function has recorded what it decided. So whoever is refused leaves exactly one event.

use domain::{AccountId, OpenError, Unreadable};

use crate::attempt::Wait;
use crate::database::{Call, Database, Error, Row, Value, inconsistent};
use crate::functions::REFUSAL_RECORD;

/// Why somebody gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The name is taken, or reserved for the owner of an account that was deleted.
    UsernameTaken,
    /// An enrollment or renewal token that is unknown, dead, or another account's.
    TokenInvalid,
    /// A reveal code that nobody knows, or that a newer one replaced.
    TokenUnknown,
    /// A reveal code that gave its password already.
    TokenUsed,
    /// A reveal code that came too late.
    TokenExpired,
    /// The password comes first.
    PasswordNotRevealed,
    /// The second factor comes first.
    TotpNotStarted,
    /// The start was changed, or activated, by somebody else since it was loaded.
    Superseded,
    /// A wrong password, or a name that has none. Not counted: a password cannot be guessed.
    WrongPassword,
    /// A wrong TOTP code after a right password. It is counted.
    WrongCode,
    /// The wrong code that ended the start.
    StartEnded,
    /// A right code that was used before. That is no guess, and not counted.
    ReusedCode,
    /// Too many wrong codes: until the wait is over no attempt is judged or counted.
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
    fn outcome(self) -> &'static str {
        let is_waiting = matches!(self, Self::Waiting(_));
        // One that is missing in the table has no word, which the database refuses: a fault, and no false event.
        let entry = OUTCOMES.iter().find(|(_, refusal)| *refusal == self);
        entry.map_or(if is_waiting { WAITING } else { "" }, |(outcome, _)| outcome)
    }

    /// The refusal that a commit has decided on.
    fn decided(row: &Row, outcome: &str) -> Result<Self, Error> {
        if outcome == WAITING {
            // At least a second: it may be over in this moment.
            let retry_after_seconds = row.get::<i64>("retry_after")?.max(1);
            return Ok(Self::Waiting(Wait { retry_after_seconds }));
        }
        let entry = OUTCOMES.iter().find(|(word, _)| *word == outcome);
        entry
            .map(|(_, refusal)| *refusal)
            .ok_or_else(|| inconsistent("answer", "", format!("outcome {outcome}")))
    }
}

const WAITING: &str = "waiting";

/// How the database spells each refusal but [`Refusal::Waiting`], which carries a number. Where a refusal has several
/// words, [`refuse`] records the first.
const OUTCOMES: [(&str, Refusal); 18] = [
    ("username_taken", Refusal::UsernameTaken),
    ("token_invalid", Refusal::TokenInvalid),
    ("token_unknown", Refusal::TokenUnknown),
    ("token_used", Refusal::TokenUsed),
    ("token_expired", Refusal::TokenExpired),
    ("password_not_revealed", Refusal::PasswordNotRevealed),
    ("totp_not_started", Refusal::TotpNotStarted),
    ("superseded", Refusal::Superseded),
    ("wrong_password", Refusal::WrongPassword),
    ("wrong_code", Refusal::WrongCode),
    ("wrong_code_locks", Refusal::WrongCode),
    ("wrong_code_suspends", Refusal::WrongCode),
    ("wrong_code_ends_start", Refusal::StartEnded),
    ("reused_code", Refusal::ReusedCode),
    ("suspended", Refusal::Suspended),
    ("stale", Refusal::Stale),
    ("session_invalid", Refusal::SessionInvalid),
    ("session_unknown", Refusal::SessionUnknown),
];

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

/// Why an operation did not succeed.
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

impl Call {
    /// Runs a commit: a function that decides, records what it decided, and returns it as `outcome`. Returns its row when
    /// that is `ok`.
    pub(crate) fn decide(self, database: &impl Database, parameters: &[Value]) -> Result<Row, Stop> {
        Ok(self.decide_among(database, parameters, ["ok"])?.1)
    }

    /// The same, for a commit that grants in more than one way: the outcome, and the row.
    pub(crate) fn decide_among<const N: usize>(
        self,
        database: &impl Database,
        parameters: &[Value],
        granted: [&'static str; N],
    ) -> Result<(&'static str, Row), Stop> {
        let row = self.only_row(database, parameters)?;
        let outcome: String = row.get("outcome")?;
        match granted.into_iter().find(|word| *word == outcome) {
            Some(word) => Ok((word, row)),
            None => Err(Stop::Refused(Refused(Refusal::decided(&row, &outcome)?))),
        }
    }
}
