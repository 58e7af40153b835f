//! What breaks, and what is left: the database, the network, the host, the client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "These are tests: a panic is how one fails. (clippy knows them only inside #[test] functions.)"
)]

mod database;
mod interrupted;
mod network;
mod operations;
mod private_server;
mod reasons;
mod requests;
