//! The seam to a database over a native, blocking connection, as strict about types as Spin's `spin:postgres@4.0.0` is, so
//! that a statement that passes here has parameters and columns that can cross there too.

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;

use journey::{Database, Row, StatementError, Value};
use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Column};
use uuid::Uuid;

/// A connection of the application role.
pub struct NativeDatabase {
    client: RefCell<Client>,
}

impl NativeDatabase {
    /// Wraps a connection.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client: RefCell::new(client) }
    }
}

impl Database for NativeDatabase {
    fn query(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, StatementError> {
        let parameters: Vec<Parameter<'_>> = parameters.iter().map(Parameter).collect();
        let rows = self
            .client
            .borrow_mut()
            .query(statement, &borrowed(&parameters))
            .map_err(|error| failure(&error))?;
        let Some(first) = rows.first() else {
            return Ok(Vec::new());
        };
        let columns: Rc<[String]> = first.columns().iter().map(|column| column.name().to_owned()).collect();
        rows.iter()
            .map(|row| {
                let values =
                    row.columns().iter().enumerate().map(|(index, column)| value(row, index, column));
                Ok(Row::new(Rc::clone(&columns), values.collect::<Result<_, _>>()?))
            })
            .collect()
    }
}

/// A value that refuses every type but its own. It has no `Debug` that shows it: it may be a secret.
struct Parameter<'value>(&'value Value);

impl std::fmt::Debug for Parameter<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Parameter")
    }
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self.0, kind) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Boolean(value), &Type::BOOL) => value.to_sql(kind, out),
            (Value::Integer(value), &Type::INT8) => value.to_sql(kind, out),
            (Value::Text(value), kind) if is_text(kind) => value.to_sql(kind, out),
            (Value::Bytes(value), &Type::BYTEA) => value.to_sql(kind, out),
            (Value::Uuid(value), &Type::UUID) => value.to_sql(kind, out),
            (value, kind) => Err(format!("a {} does not fit a parameter of type {kind}", name(value)).into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn borrowed<'a>(parameters: &'a [Parameter<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    parameters.iter().map(|parameter| parameter as &(dyn ToSql + Sync)).collect()
}

fn value(row: &postgres::Row, index: usize, column: &Column) -> Result<Value, StatementError> {
    let value = match *column.type_() {
        Type::BOOL => row.try_get::<_, Option<bool>>(index).map(|value| value.map(Value::Boolean)),
        Type::INT8 => row.try_get::<_, Option<i64>>(index).map(|value| value.map(Value::Integer)),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index).map(|value| value.map(Value::Bytes)),
        Type::UUID => row.try_get::<_, Option<Uuid>>(index).map(|value| value.map(Value::Uuid)),
        ref kind if is_text(kind) => {
            row.try_get::<_, Option<String>>(index).map(|value| value.map(Value::Text))
        }
        ref kind => {
            let column = column.name();
            return Err(StatementError::Other(format!(
                "the column {column} has the type {kind}, which cannot cross"
            )));
        }
    };
    value.map(|value| value.unwrap_or(Value::Null)).map_err(|error| failure(&error))
}

fn is_text(kind: &Type) -> bool {
    matches!(*kind, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME)
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) => "64-bit integer",
        Value::Text(_) => "text",
        Value::Bytes(_) => "byte string",
        Value::Uuid(_) => "uuid",
    }
}

fn failure(error: &postgres::Error) -> StatementError {
    if let Some(refusal) = error.as_db_error() {
        return StatementError::Refused {
            sqlstate: refusal.code().code().to_owned(),
            message: refusal.message().to_owned(),
            constraint: refusal.constraint().map(str::to_owned),
        };
    }
    let broken = error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>());
    if broken {
        StatementError::NoConnection(error.to_string())
    } else {
        StatementError::Other(error.to_string())
    }
}
