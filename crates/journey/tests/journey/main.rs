//! Every operation, against a real PostgreSQL: what it returns, what it changes, and who wins a race. And the functions
//! of the database that the operations call: who may call which, and how PostgreSQL runs them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod account;
mod activation;
mod around;
mod constraints;
mod crowds;
mod deletion;
mod drafts;
mod ends;
mod floods;
mod functions;
mod health;
mod history;
mod isolation;
mod login;
mod operator;
mod plans;
mod purge;
mod race;
mod refusals;
mod restore;
mod schema;
mod session;
mod start;
mod statements;
mod traffic;
mod world;
