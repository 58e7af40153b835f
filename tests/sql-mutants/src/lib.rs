//! Mutants of the SQL. A condition that can be taken out without a test failing is one that nobody would miss, or one
//! that nobody tests.
//!
//! What is taken out, one at a time: each condition of a `WHERE`, `ON`, `WHEN`, `IF` and `CHECK`, or that a function
//! returns, each name in an `IN` list, each lock of a row and its `SKIP LOCKED`; of the migrations also each constraint,
//! unique index, trigger and privilege, and of a function `STRICT`, `SECURITY DEFINER` and its settings.
//!
//! The tests are the store's alone: they run every statement and every function as the application's role or as the
//! owner, so each part of the SQL shows in one of them. What `identity-ops role` grants is in no migration and tested
//! with that tool.

pub mod conditions;
pub mod mutant;
pub mod results;
pub mod schema;
pub mod server;
pub mod source;
pub mod token;
pub mod verdict;
