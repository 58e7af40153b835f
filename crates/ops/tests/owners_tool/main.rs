//! The owner's tool against real servers: each test has one of its own, because roles belong to a server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what a test needs and does not get ends it"
)]

mod cannot_log_in;
mod check;
mod command;
mod connections;
mod database_url;
mod earlier_release;
mod errors;
mod functions;
mod hardened;
mod journey;
mod migrate;
mod owners;
mod pooler;
mod role;
mod server;
mod strangers;
mod waiting;
