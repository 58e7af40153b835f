//! Runs statements for the rest of the crate: repeats what PostgreSQL asks to repeat, and reads typed columns.

use domain::{AccountId, CredentialId, SessionId, Step, UnixTime, Username};

use crate::database::{Database, Row, StatementError, Value};
use crate::error::Error;

/// How often a statement is run at the most, when PostgreSQL asks for it to be repeated.
const ATTEMPTS: usize = 3;

/// SQLSTATE `serialization_failure` and `deadlock_detected`: the statement changed nothing and may be run again.
const REPEATABLE: [&str; 2] = ["40001", "40P01"];

/// Runs a statement that returns rows.
pub(crate) fn rows(
    database: &impl Database,
    statement: &str,
    parameters: &[Value],
) -> Result<Vec<Row>, Error> {
    repeated(|| database.query(statement, parameters))
}

/// Runs a statement that returns one row at the most.
pub(crate) fn row(
    database: &impl Database,
    statement: &str,
    parameters: &[Value],
) -> Result<Option<Row>, Error> {
    Ok(rows(database, statement, parameters)?.into_iter().next())
}

/// Runs a statement that always returns a row.
pub(crate) fn only_row(
    database: &impl Database,
    statement: &str,
    parameters: &[Value],
) -> Result<Row, Error> {
    row(database, statement, parameters)?.ok_or_else(|| inconsistent("answer", "", "no row"))
}

/// Runs a statement that returns nothing.
pub(crate) fn execute(database: &impl Database, statement: &str, parameters: &[Value]) -> Result<u64, Error> {
    repeated(|| database.execute(statement, parameters))
}

fn repeated<T>(mut run: impl FnMut() -> Result<T, StatementError>) -> Result<T, Error> {
    let mut attempt = 1;
    loop {
        match run() {
            Err(StatementError::Refused { sqlstate, .. })
                if attempt < ATTEMPTS && REPEATABLE.contains(&sqlstate.as_str()) =>
            {
                attempt += 1;
            }
            result => return Ok(result?),
        }
    }
}

pub(crate) fn inconsistent(table: &'static str, row: impl ToString, what: impl ToString) -> Error {
    Error::Inconsistent { table, row: row.to_string(), what: what.to_string() }
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
