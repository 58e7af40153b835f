//! The seam to the database, over Spin's `spin:postgres@4.0.0`: values in, rows out. What its errors mean is read in
//! `postgres_error`.
//!
//! A connection comes from a pool of the host's and goes back when it is dropped, inside whatever transaction it then
//! is: there is no `BEGIN` in this service.

use std::rc::Rc;

use journey::{Database, Row, StatementError, Value};
use spin_sdk::pg4::{self, DbValue, ParameterValue};
use uuid::Uuid;

use crate::postgres_error::{connection_error, statement_error};

/// A connection to PostgreSQL, borrowed from the host's pool.
pub struct Connection(pg4::Connection);

impl Connection {
    /// Borrows a connection.
    pub(crate) fn open(dsn: &str) -> Result<Self, StatementError> {
        pg4::Connection::open(dsn).map(Self).map_err(connection_error)
    }
}

impl Database for Connection {
    fn query(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, StatementError> {
        let parameters: Vec<_> = parameters.iter().map(parameter).collect();
        rows(self.0.query(statement, &parameters).map_err(statement_error)?)
    }
}

fn parameter(value: &Value) -> ParameterValue {
    match value {
        Value::Null => ParameterValue::DbNull,
        Value::Boolean(boolean) => ParameterValue::Boolean(*boolean),
        Value::Integer(integer) => ParameterValue::Int64(*integer),
        Value::Text(text) => ParameterValue::Str(text.clone()),
        Value::Bytes(bytes) => ParameterValue::Binary(bytes.clone()),
        Value::Uuid(uuid) => ParameterValue::Uuid(uuid.to_string()),
    }
}

/// An answer without rows has no columns either, which is fine: only rows are asked for columns.
fn rows(answer: pg4::RowSet) -> Result<Vec<Row>, StatementError> {
    let columns: Rc<[String]> = answer.columns.into_iter().map(|column| column.name).collect();
    let row = |values: Vec<DbValue>| {
        let values: Result<Vec<_>, _> = values
            .into_iter()
            .enumerate()
            .map(|(position, value)| column_value(&columns, position, value))
            .collect();
        Ok(Row::new(Rc::clone(&columns), values?))
    };
    answer.rows.into_iter().map(row).collect()
}

fn column_value(columns: &[String], position: usize, value: DbValue) -> Result<Value, StatementError> {
    let refused = |what: &str| {
        let column = columns.get(position).map_or("?", String::as_str);
        Err(StatementError::Other(format!("column {column} {what}")))
    };
    match value {
        DbValue::DbNull => Ok(Value::Null),
        DbValue::Boolean(boolean) => Ok(Value::Boolean(boolean)),
        DbValue::Int16(integer) => Ok(Value::Integer(integer.into())),
        DbValue::Int32(integer) => Ok(Value::Integer(integer.into())),
        DbValue::Int64(integer) => Ok(Value::Integer(integer)),
        DbValue::Str(text) => Ok(Value::Text(text)),
        DbValue::Binary(bytes) => Ok(Value::Bytes(bytes)),
        DbValue::Uuid(text) => match Uuid::try_parse(&text) {
            Ok(uuid) => Ok(Value::Uuid(uuid)),
            Err(_) => refused("is no uuid"),
        },
        // Without the value: it is somebody's data.
        _ => refused("is of a type that no function returns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spin_sdk::pg4::{Column, DbDataType, RowSet};

    fn answer(names: &[&str], values: Vec<Vec<DbValue>>) -> RowSet {
        let column = |name: &&str| Column {
            name: (*name).to_owned(),
            data_type: DbDataType::Other("test".to_owned()),
        };
        RowSet { columns: names.iter().map(column).collect(), rows: values }
    }

    #[test]
    fn every_value_of_the_seam_comes_back_as_it_went() {
        let uuid = Uuid::from_bytes([7; 16]);
        let back = |parameter| match parameter {
            ParameterValue::DbNull => DbValue::DbNull,
            ParameterValue::Boolean(value) => DbValue::Boolean(value),
            ParameterValue::Int64(value) => DbValue::Int64(value),
            ParameterValue::Str(value) => DbValue::Str(value),
            ParameterValue::Binary(value) => DbValue::Binary(value),
            ParameterValue::Uuid(value) => DbValue::Uuid(value),
            _ => panic!("a parameter that the seam does not have"),
        };
        for value in [
            Value::Null,
            Value::Boolean(true),
            Value::Integer(i64::MIN),
            Value::Text("é".to_owned()),
            Value::Bytes(vec![0, 255]),
            Value::Uuid(uuid),
        ] {
            let rows = rows(answer(&["c"], vec![vec![back(parameter(&value))]])).unwrap();
            assert!(rows[0].value("c") == Some(&value));
            assert!(rows[0].value("d").is_none());
        }
    }

    #[test]
    fn narrow_integers_are_integers() {
        let rows = rows(answer(&["a", "b"], vec![vec![DbValue::Int16(-2), DbValue::Int32(3)]])).unwrap();
        assert!(rows[0].value("a") == Some(&Value::Integer(-2)));
        assert!(rows[0].value("b") == Some(&Value::Integer(3)));
    }

    #[test]
    fn an_answer_without_rows_is_an_answer() {
        assert!(rows(answer(&[], vec![])).unwrap().is_empty());
    }

    #[test]
    fn a_value_that_cannot_be_read_is_an_error_that_does_not_show_it() {
        for value in [DbValue::Jsonb(b"s3cret".to_vec()), DbValue::Uuid("s3cret".to_owned())] {
            let error = rows(answer(&["id"], vec![vec![value]])).err().unwrap().to_string();
            assert!(error.contains("column id") && !error.contains("s3cret"), "{error}");
        }
    }
}
