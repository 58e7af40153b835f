//! What the black-box tests stand on: a fresh, migrated database, the running app with the built components, and a
//! client that holds every answer against `static/openapi.yaml`.
//!
//! It owns everything that a test needs and that is no assertion of its own: finding the binaries, making and dropping
//! databases, starting and stopping the host, walking the journey, moving rows through time. It knows the app only by
//! its contract; only [`rows`], [`time_travel`] and [`at_rest`] know tables. It starts no PostgreSQL: `make test` does, and
//! says where it is in `TEST_DATABASE_URL`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "A test helper that cannot go on fails the test, which is what a panic is for."
)]

pub mod app;
pub mod at_rest;
pub mod authenticator;
pub mod barrier;
pub mod client;
pub mod contract;
pub mod database;
pub mod deadline;
pub mod dump;
pub mod earlier_release;
pub mod fingerprint;
pub mod journey;
pub mod mutant;
pub mod native;
pub mod raw;
pub mod rows;
pub mod seeded;
pub mod server_log;
pub mod shared;
pub mod situations;
pub mod statements;
mod template;
pub mod time_travel;
pub mod workspace;

pub use app::{App, Config};
pub use authenticator::Authenticator;
pub use client::{Answer, Client};
pub use database::TestDatabase;
pub use journey::Account;
pub use native::NativeDatabase;
pub use shared::{Quiet, quiet, shared};
