//! Mutants of the SQL. A condition that can be taken out without a test failing is one that nobody would miss, or one
//! that nobody tests.
//!
//! What is taken out, one at a time: each condition of a `WHERE`, `ON`, `WHEN` and `CHECK`, each name in an `IN` list, each
//! lock of a row; of the migrations also each constraint, unique index, trigger and privilege.

pub mod conditions;
pub mod mutant;
pub mod results;
pub mod schema;
pub mod source;
pub mod token;
