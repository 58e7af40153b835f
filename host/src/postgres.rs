//! `spin:postgres@4.0.0` as Spin 3.6 does it: one pool per connection string, 64 connections each, recycled with
//! `Clean`, no timeout, no retry. What a guest leaves open when it stops, a transaction too, the next one finds.
//!
//! Of Spin's types, those that this application uses; the others are refused by name. Errors keep Spin's shape.

use std::collections::HashMap;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};

use bytes::BytesMut;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use futures::TryStreamExt;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Config, NoTls, Row};
use uuid::Uuid;
use wasmtime::component::Resource;

use crate::bindings::spin::postgres::postgres::{
    Column, DbDataType, DbError, DbValue, Error, Host, HostConnection, ParameterValue, QueryError, RowSet,
};
use crate::guest::Guest;

/// Spin's limits, which cannot be set there either.
const MAX_CONNECTIONS: usize = 64;
const MAX_POOLS: usize = 16;

/// The pools of this process, shared by all components as in Spin.
#[derive(Default)]
pub struct Pools(Mutex<HashMap<String, Pool>>);

impl Pools {
    fn get(&self, address: &str, config: Config) -> Result<Pool, String> {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(address) {
            return Ok(pool.clone());
        }
        // Spin would drop one of the 16. This application has one, so a 17th is a mistake.
        if pools.len() == MAX_POOLS {
            return Err("this host keeps 16 connection strings".into());
        }
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Clean };
        let manager = Manager::from_config(config, NoTls, recycling);
        let builder = Pool::builder(manager).max_size(MAX_CONNECTIONS);
        let pool = builder.build().map_err(|error| error.to_string())?;
        pools.insert(address.to_owned(), pool.clone());
        Ok(pool)
    }
}

impl Host for Guest {}

impl HostConnection for Guest {
    async fn open(&mut self, address: String) -> Result<Resource<Object>, Error> {
        let config = self.component.allowed_hosts.config(&address).map_err(Error::ConnectionFailed)?;
        let pool = self.component.pools.get(&address, config).map_err(Error::ConnectionFailed)?;
        // As in Spin: the text of an `anyhow::Error`, with all that caused it.
        let failed = |error| Error::ConnectionFailed(format!("{:?}", anyhow::Error::from(error)));
        let connection = pool.get().await.map_err(failed)?;
        self.table.push(connection).map_err(other)
    }

    async fn query(
        &mut self,
        connection: Resource<Object>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<RowSet, Error>> {
        let answer = self.rows(&connection, &statement, parameters).await;
        self.statement_is_done()?;
        Ok(answer)
    }

    async fn execute(
        &mut self,
        connection: Resource<Object>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let answer = self.count(&connection, &statement, parameters).await;
        self.statement_is_done()?;
        Ok(answer)
    }

    async fn drop(&mut self, connection: Resource<Object>) -> wasmtime::Result<()> {
        Ok(self.table.delete(connection).map(drop)?)
    }
}

impl Guest {
    async fn rows(
        &mut self,
        connection: &Resource<Object>,
        statement: &str,
        parameters: Vec<ParameterValue>,
    ) -> Result<RowSet, Error> {
        let connection = self.table.get_mut(connection).map_err(other)?;
        let parameters = to_sql(parameters).map_err(Error::BadParameter)?;
        let mut stream = pin!(connection.query_raw(statement, parameters).await.map_err(query_failed)?);
        let mut set = RowSet { columns: Vec::new(), rows: Vec::new() };
        // As in Spin: what fails while the statement runs, and not before, comes as the text of an `anyhow::Error`.
        let as_text = |error| Error::QueryFailed(QueryError::Text(error));
        while let Some(row) =
            stream.try_next().await.map_err(|error| as_text(format!("{:?}", anyhow::Error::from(error))))?
        {
            let fields = (0..row.len()).map(|index| from_sql(&row, index));
            let (types, values): (Vec<_>, Vec<_>) =
                fields.collect::<Result<Vec<_>, _>>().map_err(as_text)?.into_iter().unzip();
            // As in Spin, a set without rows has no columns.
            if set.rows.is_empty() {
                let column = |(column, data_type): (&tokio_postgres::Column, _)| Column {
                    name: column.name().to_owned(),
                    data_type,
                };
                set.columns = row.columns().iter().zip(types).map(column).collect();
            }
            set.rows.push(values);
        }
        Ok(set)
    }

    async fn count(
        &mut self,
        connection: &Resource<Object>,
        statement: &str,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        let connection = self.table.get_mut(connection).map_err(other)?;
        let parameters = to_sql(parameters).map_err(Error::ValueConversionFailed)?;
        connection.execute_raw(statement, parameters).await.map_err(query_failed)
    }
}

fn other(error: impl Debug) -> Error {
    Error::Other(format!("{error:?}"))
}

fn query_failed(error: tokio_postgres::Error) -> Error {
    let as_text = format!("{error:?}");
    let Some(error) = error.as_db_error() else {
        return Error::QueryFailed(QueryError::Text(as_text));
    };
    let line = error.line().map(|line| line.to_string());
    let extras = [
        ("column", error.column()),
        ("constraint", error.constraint()),
        ("routine", error.routine()),
        ("hint", error.hint()),
        ("table", error.table()),
        ("datatype", error.datatype()),
        ("schema", error.schema()),
        ("file", error.file()),
        ("line", line.as_deref()),
        ("where_", error.where_()),
    ];
    Error::QueryFailed(QueryError::DbError(DbError {
        as_text,
        severity: error.severity().to_owned(),
        code: error.code().code().to_owned(),
        message: error.message().to_owned(),
        detail: error.detail().map(str::to_owned),
        extras: extras
            .into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned())))
            .collect(),
    }))
}

type Parameter = Box<dyn ToSql + Sync + Send>;

fn to_sql(parameters: Vec<ParameterValue>) -> Result<Vec<Parameter>, String> {
    let parameter = |value| -> Result<Parameter, String> {
        Ok(match value {
            ParameterValue::Boolean(value) => Box::new(value),
            ParameterValue::Int16(value) => Box::new(value),
            ParameterValue::Int32(value) => Box::new(value),
            ParameterValue::Int64(value) => Box::new(value),
            ParameterValue::Str(value) => Box::new(value),
            ParameterValue::Binary(value) => Box::new(value),
            ParameterValue::Uuid(value) => {
                Box::new(Uuid::parse_str(&value).map_err(|_| "a uuid parameter is none".to_owned())?)
            }
            ParameterValue::DbNull => Box::new(Null),
            value => {
                // The name of the kind, without the value.
                let kind = format!("{value:?}").split('(').next().map(str::to_owned).unwrap_or_default();
                return Err(format!("this host passes no parameter of the kind {kind}"));
            }
        })
    };
    parameters.into_iter().map(parameter).collect()
}

/// NULL for a parameter of any type, where `Option::<T>::None` fits only one.
#[derive(Debug)]
struct Null;

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// One field of a row, and the type of its column.
fn from_sql(row: &Row, index: usize) -> Result<(DbDataType, DbValue), String> {
    fn field<'r, T: FromSql<'r>>(row: &'r Row, at: usize, kind: fn(T) -> DbValue) -> Result<DbValue, String> {
        let value: Option<T> = row.try_get(at).map_err(|error| format!("{error:?}"))?;
        Ok(value.map_or(DbValue::DbNull, kind))
    }
    let column = &row.columns()[index];
    Ok(match *column.type_() {
        Type::BOOL => (DbDataType::Boolean, field(row, index, DbValue::Boolean)?),
        Type::INT2 => (DbDataType::Int16, field(row, index, DbValue::Int16)?),
        Type::INT4 => (DbDataType::Int32, field(row, index, DbValue::Int32)?),
        Type::INT8 => (DbDataType::Int64, field(row, index, DbValue::Int64)?),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => (DbDataType::Str, field(row, index, DbValue::Str)?),
        Type::BYTEA => (DbDataType::Binary, field(row, index, DbValue::Binary)?),
        Type::UUID => (DbDataType::Uuid, field(row, index, |uuid: Uuid| DbValue::Uuid(uuid.to_string()))?),
        // `timestamptz` fails on Spin too, NULL or not.
        ref unknown => {
            let name = column.name();
            return Err(format!(
                "the column {name} is of the type {unknown}, which this host cannot convert"
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use tokio_postgres::types::{ToSql, Type};

    use super::{Null, ParameterValue, to_sql};

    #[test]
    fn a_parameter_of_a_kind_that_nobody_uses_is_refused_by_its_kind_and_without_its_value() {
        let refusal = to_sql(vec![ParameterValue::Jsonb(b"hunter2".to_vec())]).err().unwrap();
        assert!(refusal.contains("Jsonb") && !refusal.contains("104"), "{refusal}");
        let refusal = to_sql(vec![ParameterValue::Uuid("hunter2".into())]).err().unwrap();
        assert!(refusal.contains("uuid") && !refusal.contains("hunter2"), "{refusal}");
    }

    #[test]
    fn null_goes_into_a_column_of_any_type() {
        for ty in [Type::INT8, Type::TEXT, Type::BYTEA, Type::TIMESTAMPTZ, Type::INET] {
            assert!(Null::accepts(&ty), "{ty}");
        }
    }

    #[test]
    fn an_integer_goes_only_into_a_column_of_its_size() {
        let parameters = to_sql(vec![ParameterValue::Int64(1)]).unwrap();
        let mut buffer = bytes::BytesMut::new();
        assert!(parameters[0].to_sql_checked(&Type::INT8, &mut buffer).is_ok());
        assert!(parameters[0].to_sql_checked(&Type::INT4, &mut buffer).is_err());
    }
}
