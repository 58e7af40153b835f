//! The SQL under test: what stands in the sources, or, while `sql-mutants` runs the tests, a changed text in its place.
//! Nothing has to be compiled again for it.

use std::borrow::Cow;
use std::env;
use std::sync::OnceLock;

/// Names the environment variable that holds the whole text, a migration or the definition of a function, that is to be replaced.
pub const ORIGINAL: &str = "SQL_MUTANT_ORIGINAL";

/// Names the environment variable that holds what takes its place.
pub const MUTATED: &str = "SQL_MUTANT_MUTATED";

/// What the runner does before the first migration where nothing is there yet, with the book that it keeps: it is in the
/// schema too, and nothing is written into it.
pub const PREPARATION: &str = "
    CREATE SCHEMA identity AUTHORIZATION cofrap_owner; SET ROLE cofrap_owner; SET search_path = identity, pg_temp;
    CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY)";

/// The text itself, or the mutated one when it is the one to be replaced.
#[must_use]
pub fn under_test(text: &str) -> Cow<'_, str> {
    static MUTANT: OnceLock<Option<(String, String)>> = OnceLock::new();
    let mutant = MUTANT.get_or_init(|| Some((env::var(ORIGINAL).ok()?, env::var(MUTATED).ok()?)));
    match mutant {
        Some((original, mutated)) if original == text => Cow::Owned(mutated.clone()),
        _ => Cow::Borrowed(text),
    }
}
