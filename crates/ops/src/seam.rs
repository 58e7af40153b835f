//! The seam of the operations over the owner's connection, for the operations that are an operator's.
//!
//! Owns: that an operation, which waits for each of its statements, has a thread of its own to wait on. Leaves to others: what
//! the operations say and mean (`journey`).

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::Result;
use journey::{Database, Error, Row, StatementError, Value};
use sqlx::postgres::{PgRow, Postgres};
use sqlx::{AssertSqlSafe, Column, Row as _, Transaction, TypeInfo};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::connection::Owner;

/// The owner's transaction, as operations see it.
pub struct Seam<'owner> {
    transaction: RefCell<Transaction<'owner, Postgres>>,
    runtime: Handle,
}

/// Runs an operation that only looks.
///
/// # Errors
/// Its own, and those of the connection.
pub async fn look<T: Send + 'static>(
    mut owner: Owner,
    operation: impl FnOnce(&Seam<'_>) -> Result<T, Error> + Send + 'static,
) -> Result<T> {
    let runtime = Handle::current();
    let looking = tokio::task::spawn_blocking(move || {
        let seen = in_a_transaction(&mut owner, runtime.clone(), operation)?;
        runtime.block_on(owner.close())?;
        Ok(seen)
    });
    looking.await?
}

fn in_a_transaction<T>(
    owner: &mut Owner,
    runtime: Handle,
    operation: impl FnOnce(&Seam<'_>) -> Result<T, Error>,
) -> Result<T> {
    let transaction = RefCell::new(runtime.block_on(owner.begin())?);
    let seam = Seam { transaction, runtime };
    let seen = operation(&seam)?;
    seam.runtime.block_on(seam.transaction.into_inner().commit())?;
    Ok(seen)
}

impl Database for Seam<'_> {
    fn query(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, StatementError> {
        let mut query = sqlx::query(AssertSqlSafe(statement));
        for parameter in parameters {
            query = match parameter {
                Value::Null => query.bind(None::<String>),
                Value::Boolean(boolean) => query.bind(*boolean),
                Value::Integer(integer) => query.bind(*integer),
                Value::Text(text) => query.bind(text.clone()),
                Value::Bytes(bytes) => query.bind(bytes.clone()),
                Value::Uuid(uuid) => query.bind(*uuid),
            };
        }
        let mut transaction = self.transaction.borrow_mut();
        let rows =
            self.runtime.block_on(query.fetch_all(&mut **transaction)).map_err(|error| failure(&error))?;
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let columns: Rc<[String]> = first.columns().iter().map(|column| column.name().to_owned()).collect();
        rows.iter().map(|row| Ok(Row::new(Rc::clone(&columns), values(row)?))).collect()
    }
}

fn values(row: &PgRow) -> Result<Vec<Value>, StatementError> {
    (0..row.len()).map(|position| value(row, position)).collect()
}

fn value(row: &PgRow, position: usize) -> Result<Value, StatementError> {
    let kind = row.column(position).type_info().name();
    let value = match kind {
        "BOOL" => row.try_get::<Option<bool>, _>(position).map(|value| value.map(Value::Boolean)),
        "INT8" => row.try_get::<Option<i64>, _>(position).map(|value| value.map(Value::Integer)),
        "TEXT" => row.try_get::<Option<String>, _>(position).map(|value| value.map(Value::Text)),
        "BYTEA" => row.try_get::<Option<Vec<u8>>, _>(position).map(|value| value.map(Value::Bytes)),
        "UUID" => row.try_get::<Option<Uuid>, _>(position).map(|value| value.map(Value::Uuid)),
        other => return Err(StatementError::Other(format!("a column is of the type {other}"))),
    };
    value.map(|value| value.unwrap_or(Value::Null)).map_err(|error| failure(&error))
}

fn failure(error: &sqlx::Error) -> StatementError {
    match error {
        sqlx::Error::Database(refusal) => StatementError::Refused {
            sqlstate: refusal.code().unwrap_or_default().into_owned(),
            message: refusal.message().to_owned(),
            constraint: refusal.constraint().map(str::to_owned),
        },
        sqlx::Error::Io(error) => StatementError::NoConnection(error.to_string()),
        other => StatementError::Other(other.to_string()),
    }
}
