//! The SQL of the service, and nothing else.
//!
//! Every state change is one statement, because that is atomic, because it is fast, and because a component that
//! stopped between `BEGIN` and `COMMIT` would hand its open transaction to the next request. What a race could change
//! is settled inside the statement, from rows that it has locked; callers act on what it returns.
//!
//! What this crate does not do: judge (that is `domain`), know HTTP, Spin or a driver (that is `edge`).

pub mod account;
pub mod activate;
mod database;
pub mod deletion;
pub mod enroll;
mod error;
pub mod event;
pub mod health;
pub mod login;
pub mod reveal;
pub mod session;
pub mod start;
mod statement;

pub use database::{Database, Row, StatementError, Value};
pub use error::Error;
