//! Whether the database can serve.

use crate::database::Database;
use crate::error::Error;
use crate::statement::rows;

/// Reads nothing, from a table that exists only after the migrations and only for a role that was granted it.
const CHECK: &str = "SELECT id FROM account LIMIT 0";

/// Succeeds when the database answers and the application's role finds its tables.
///
/// # Errors
/// [`Error`] when it does not.
pub fn check(database: &impl Database) -> Result<(), Error> {
    rows(database, CHECK, &[]).map(drop)
}
