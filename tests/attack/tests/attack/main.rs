//! The attacks. One binary, because each would be linked on its own; `make attack` runs each test in a process of its own,
//! in full size, and says what held.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "These are tests: a panic is how one fails. (clippy knows them only inside #[test] functions.)"
)]

mod doors;
mod guessing;
mod odd;
mod order;
mod races;
mod telling;
