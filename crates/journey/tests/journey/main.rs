//! Every function of the store, against a real PostgreSQL: what it returns, what it changes, and who wins a race.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod account;
mod activation;
mod constraints;
mod deletion;
mod ends;
mod history;
mod isolation;
mod journey;
mod login;
mod operator;
mod purge;
mod race;
mod restore;
mod schema;
mod session;
mod start;
