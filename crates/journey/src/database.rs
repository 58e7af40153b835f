//! The one seam to a database, and everything about databases in general: the trait, the values that go in and out, errors,
//! repeats, typed columns. The edge implements the trait over Spin's `spin:postgres@4.0.0`, the tests over a native client.

use std::rc::Rc;

use domain::{
    AccountId, CredentialId, RandomnessUnavailable, SessionId, Step, TokenHash, UnixTime, Unreadable,
    Username,
};
use uuid::Uuid;

/// A connection that runs one statement at a time, each in a transaction of its own.
pub trait Database {
    /// Runs a statement and returns its rows.
    ///
    /// # Errors
    /// Whatever kept the statement from running, as [`StatementError`].
    fn query(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, StatementError>;
}

/// A value on its way into a statement or out of a row. PostgreSQL checks parameters strictly: an `Integer` fits
/// `bigint` only, so statements cast where a column is narrower.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL `NULL`, of any type.
    Null,
    /// `boolean`.
    Boolean(bool),
    /// `bigint`.
    Integer(i64),
    /// `text`.
    Text(String),
    /// `bytea`.
    Bytes(Vec<u8>),
    /// `uuid`.
    Uuid(Uuid),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<AccountId> for Value {
    fn from(id: AccountId) -> Self {
        Self::Uuid(*id.as_uuid())
    }
}

impl From<CredentialId> for Value {
    fn from(id: CredentialId) -> Self {
        Self::Uuid(*id.as_uuid())
    }
}

impl From<SessionId> for Value {
    fn from(id: SessionId) -> Self {
        Self::Uuid(*id.as_uuid())
    }
}

impl From<TokenHash> for Value {
    fn from(hash: TokenHash) -> Self {
        Self::Bytes(hash.as_bytes().to_vec())
    }
}

impl From<Step> for Value {
    fn from(step: Step) -> Self {
        Self::Integer(step.value())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row: the columns' names, shared by all rows of an answer, and this row's values.
pub struct Row {
    columns: Rc<[String]>,
    values: Vec<Value>,
}

impl Row {
    /// A row with one value for each of `columns`.
    #[must_use]
    pub fn new(columns: Rc<[String]>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    /// The value in the column of this name; `None` when the statement returned no such column.
    #[must_use]
    pub fn value(&self, column: &str) -> Option<&Value> {
        let position = self.columns.iter().position(|name| name == column)?;
        self.values.get(position)
    }
}

/// Why a statement did not run. Its texts come from PostgreSQL or the driver: for the log, never for a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// No connection could be had, or it broke.
    #[error("no connection to the database: {0}")]
    NoConnection(String),
    /// PostgreSQL refused the statement.
    #[error("the database refused a statement: {sqlstate} {message}")]
    Refused {
        /// The five characters of SQLSTATE, such as `23505`.
        sqlstate: String,
        /// PostgreSQL's primary message. (Its DETAIL may quote a row's values and is left behind on purpose.)
        message: String,
        /// The violated constraint, where the error names one.
        constraint: Option<String>,
    },
    /// Anything else: a value of a type that cannot cross, an answer that cannot be read.
    #[error("a statement failed: {0}")]
    Other(String),
}

/// Why an operation failed through no fault of the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, refuses to serve, or gave up on the statement.
    #[error("{0}")]
    Unavailable(StatementError),
    /// A constraint refused the write, and nothing was changed. But for `account_username_is_free` the statement is wrong.
    #[error("the constraint {constraint} was violated")]
    Conflict {
        /// The constraint's name.
        constraint: String,
    },
    /// What is stored makes no sense.
    #[error("{table} {row} is inconsistent: {what}")]
    Inconsistent {
        /// The table, or what the statement returned.
        table: &'static str,
        /// The row's id.
        row: String,
        /// What is wrong with it. Never a stored value.
        what: String,
    },
    /// A sealed value does not open: somebody changed or moved it, or a key is gone.
    #[error("{0}")]
    Unreadable(Unreadable),
    /// The same, and its event could not be recorded either.
    #[error("{unreadable}; its event was not recorded: {why}")]
    UnreadableUnrecorded {
        /// What does not open.
        unreadable: Unreadable,
        /// Why there is no event.
        why: Box<Error>,
    },
    /// The database's clock and the one beside the service are further apart than codes allow.
    #[error("the database's clock is {}: one of the two needs NTP", beside(*ahead_seconds))]
    ClocksApart {
        /// How far the database's is ahead, at the least; behind when negative.
        ahead_seconds: i64,
    },
    /// There is no randomness to be had.
    #[error(transparent)]
    NoRandomness(#[from] RandomnessUnavailable),
}

fn beside(ahead_seconds: i64) -> String {
    let direction = if ahead_seconds < 0 { "behind" } else { "ahead of" };
    format!("{} seconds {direction} this server's", ahead_seconds.unsigned_abs())
}

impl From<StatementError> for Error {
    fn from(error: StatementError) -> Self {
        match error {
            // Class 23 of SQLSTATE: integrity constraint violation.
            StatementError::Refused { sqlstate, constraint: Some(constraint), .. }
                if sqlstate.starts_with("23") =>
            {
                Self::Conflict { constraint }
            }
            other => Self::Unavailable(other),
        }
    }
}

pub(crate) fn inconsistent(table: &'static str, row: impl ToString, what: impl ToString) -> Error {
    Error::Inconsistent { table, row: row.to_string(), what: what.to_string() }
}

/// How often a statement is run at the most, when PostgreSQL asks for it to be repeated.
const ATTEMPTS: usize = 3;

/// SQLSTATE `serialization_failure` and `deadlock_detected`: the statement changed nothing and may be run again.
const REPEATABLE: [&str; 2] = ["40001", "40P01"];

/// The call of a function of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call(pub(crate) &'static str);

impl Call {
    /// The statement, with `$1` to `$n`.
    #[must_use]
    pub const fn statement(self) -> &'static str {
        self.0
    }

    /// All rows that it returns.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) fn rows(self, database: &impl Database, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        let mut attempt = 1;
        loop {
            match database.query(self.0, parameters) {
                Err(StatementError::Refused { sqlstate, .. })
                    if attempt < ATTEMPTS && REPEATABLE.contains(&sqlstate.as_str()) =>
                {
                    attempt += 1;
                }
                result => return Ok(result?),
            }
        }
    }

    /// The row that it returns, if it does.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) fn row(self, database: &impl Database, parameters: &[Value]) -> Result<Option<Row>, Error> {
        Ok(self.rows(database, parameters)?.into_iter().next())
    }

    /// The row that it always returns.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) fn only_row(self, database: &impl Database, parameters: &[Value]) -> Result<Row, Error> {
        self.row(database, parameters)?.ok_or_else(|| inconsistent("answer", "", "no row"))
    }
}

/// A Rust type that a column can be read as.
pub(crate) trait FromValue: Sized {
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Integer(integer) = value { Some(*integer) } else { None }
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Boolean(boolean) = value { Some(*boolean) } else { None }
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.clone()) } else { None }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Bytes(bytes) = value { Some(bytes.clone()) } else { None }
    }
}

impl FromValue for UnixTime {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(UnixTime::from_seconds)
    }
}

impl FromValue for AccountId {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Uuid(uuid) = value { Some(Self::from_uuid(*uuid)) } else { None }
    }
}

impl FromValue for CredentialId {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Uuid(uuid) = value { Some(Self::from_uuid(*uuid)) } else { None }
    }
}

impl FromValue for SessionId {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Uuid(uuid) = value { Some(Self::from_uuid(*uuid)) } else { None }
    }
}

impl FromValue for Step {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(Self::from_value)
    }
}

impl FromValue for Username {
    fn from_value(value: &Value) -> Option<Self> {
        let text = String::from_value(value)?;
        Self::parse(&text).ok().filter(|username| username.as_str() == text)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        if matches!(value, Value::Null) { Some(None) } else { T::from_value(value).map(Some) }
    }
}

impl Row {
    /// The value of a column, as the type that the caller needs.
    pub(crate) fn get<T: FromValue>(&self, column: &str) -> Result<T, Error> {
        self.value(column)
            .and_then(T::from_value)
            .ok_or_else(|| inconsistent("answer", "", format!("column {column} cannot be read")))
    }
}
