//! Mutants of the SQL. A condition that can be taken out without a test failing is one that nobody would miss, or one
//! that nobody tests.
//!
//! What is taken out, one at a time: each condition of a `WHERE`, `ON`, `WHEN`, `IF` and `CHECK`, or that a function
//! returns, each name in an `IN` list, each lock of a row and its `SKIP LOCKED`; of the migrations also each constraint,
//! unique index, trigger and privilege, and of a function `STRICT`, `SECURITY DEFINER` and its settings. What build/
//! writes around the functions of `journey` comes from one place for all: it is taken out of one function of each kind.
//!
//! A mutated function has the name, and so the hash, of the unmutated one, and nothing compares the two: the tests have to
//! see what it does. That they see nothing else is shown by a control, which changes a comment only and has to survive.
//!
//! The tests are those of `journey` alone: they call every function as the application's role or as the owner, so each part
//! of the SQL shows in one of them. What `identity-ops` does itself (the roles, who may execute a function, that a changed
//! one is mended) is in no SQL here and tested with that tool.

pub mod conditions;
pub mod mutant;
pub mod results;
pub mod schema;
pub mod server;
pub mod source;
pub mod token;
pub mod verdict;
