//! Whether the database can serve.

use crate::database::{Database, Error};
use crate::functions::HEALTH_CHECK;

/// Succeeds when the database answers, can be written to, and has seen the migration of exactly this release.
///
/// # Errors
/// [`Error`] when it does not.
pub fn check(database: &impl Database) -> Result<(), Error> {
    HEALTH_CHECK.only_row(database, &[]).map(drop)
}
