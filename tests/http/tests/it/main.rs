//! The HTTP contract, address by address and step by step. One binary, because each would be linked on its own; the
//! client of the harness holds every answer against `static/openapi.yaml` before a test sees it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "These are tests: a panic is how one fails. (clippy knows them only inside #[test] functions.)"
)]

mod account;
mod bad_input;
mod cannot_log_in;
mod components;
mod confirm;
mod cross_site;
mod document;
mod events;
mod faults;
mod files;
mod guessing;
mod journey;
mod login;
mod methods;
mod parallel;
mod password;
mod purge;
mod renewal;
mod reseal;
mod reveal;
mod secrets;
mod session;
mod sessions;
mod situations;
mod statements;
mod tampering;
mod tokens;
mod totp;
