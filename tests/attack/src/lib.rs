//! Attacks as tests, in two sizes: a slice of seconds in `make test`, and the whole of it by `make attack`.
//!
//! Here is what the attacks share: how big they are, two server processes over one database, a seeded source of
//! randomness, a model of the journey, requests made from the document, statistics. The attacks are in `tests/`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "A test helper that cannot go on fails the test, which is what a panic is for."
)]

pub mod arena;
pub mod history;
pub mod model;
pub mod odd_requests;
pub mod seeded;
pub mod size;
pub mod statistics;
pub mod walk;

pub use arena::{Arena, Isolation, arena};
pub use seeded::Seeded;
pub use size::Size;
