//! The one seam between the SQL and whatever carries it: two methods, the values that go in and out, and the
//! errors of a statement. The edge implements it over Spin's `spin:postgres@4.0.0`, the tests over a native client.

use std::rc::Rc;

use domain::{AccountId, CredentialId, SessionId, Step, TokenHash};
use uuid::Uuid;

/// A connection that runs one statement at a time, each in a transaction of its own.
pub trait Database {
    /// Runs a statement and returns its rows.
    ///
    /// # Errors
    /// Whatever kept the statement from running, as [`StatementError`].
    fn query(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, StatementError>;

    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// Whatever kept the statement from running, as [`StatementError`].
    fn execute(&self, statement: &str, parameters: &[Value]) -> Result<u64, StatementError>;
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
