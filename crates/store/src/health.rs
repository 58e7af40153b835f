//! Whether the database can serve.

use crate::database::Database;
use crate::error::Error;
use crate::statement::rows;

/// Locks no row, of a table that exists only after the migrations and only for a role that was granted it. A database
/// that may not be written to, such as a standby's, refuses even that, and can serve nothing here: a session's check is
/// a write.
const CHECK: &str = "SELECT id FROM account LIMIT 0 FOR NO KEY UPDATE";

/// Succeeds when the database answers, can be written to, and lets the application's role find its tables.
///
/// # Errors
/// [`Error`] when it does not.
pub fn check(database: &impl Database) -> Result<(), Error> {
    rows(database, CHECK, &[]).map(drop)
}
