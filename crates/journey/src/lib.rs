//! The operations of the service, each in one place: what it loads (its snapshot), what it finds out with secrets (a pure
//! function), the statements that load and that decide (its `.sql` files), and what comes of it.
//!
//! A statement is the call of one function of the database, which is generated from the `.sql` file (`build/`) and
//! installed by `identity-ops migrate`. What a race could change is decided there, from rows that it has locked; the
//! operation answers from what it returned. Every state change is one statement, because that is atomic, because it is
//! fast, and because a component that stopped between `BEGIN` and `COMMIT` would hand its open transaction to the next
//! request.
//!
//! Whoever an operation refuses gets a [`Refused`], which can be made only by recording its event ([`refusal`]).
//!
//! What this crate does not do: know HTTP, JSON, Spin or a driver (`edge`; it knows which fields one is given of one's
//! own account, in whatever format), have a clock or a random source (the
//! database's, and an argument), hold a primitive of its own (`domain`).

pub mod account;
pub mod activate;
mod attempt;
mod database;
pub mod enroll;
pub mod functions;
pub mod health;
pub mod login;
pub mod refusal;
pub mod reveal;
pub mod session;
pub mod start;

pub use attempt::{Attempt, RightPassword, Wait};
pub use database::{Database, Error, Row, StatementError, Value};
pub use refusal::{Refusal, Refused, Stop};
