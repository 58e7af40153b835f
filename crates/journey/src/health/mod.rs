//! Whether the database can serve.

use crate::database::{Database, Error, inconsistent};
use crate::functions::{ENTRIES, HEALTH_CHECK};

/// Succeeds when the database answers, can be written to, and lets the application's role call every function of this
/// release.
///
/// # Errors
/// [`Error`] when it does not.
pub fn check(database: &impl Database) -> Result<(), Error> {
    if HEALTH_CHECK.only_row(database, &[ENTRIES.into()])?.get("is_ready")? {
        Ok(())
    } else {
        Err(inconsistent(
            "schema",
            "identity",
            "functions of this release are missing, or the application may not call them: has identity-ops migrate run?",
        ))
    }
}
