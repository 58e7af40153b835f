//! What can go wrong between a statement and its answer, in the store's terms.

use crate::database::StatementError;

/// Why a store function gave no answer. None of these is the caller's or the client's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, refuses to serve, or gave up on the statement.
    #[error("{0}")]
    Unavailable(StatementError),
    /// A constraint refused what a statement wrote: the statement is wrong, and changed nothing.
    #[error("the constraint {constraint} was violated")]
    Conflict {
        /// The constraint's name.
        constraint: String,
    },
    /// What is stored makes no sense.
    #[error("{table} {row} is inconsistent: {what}")]
    Inconsistent {
        /// The table, or what the statement returned.
        table: &'static str,
        /// The row's id.
        row: String,
        /// What is wrong with it. Never a stored value.
        what: String,
    },
}

impl From<StatementError> for Error {
    fn from(error: StatementError) -> Self {
        match error {
            // Class 23 of SQLSTATE: integrity constraint violation.
            StatementError::Refused { sqlstate, constraint: Some(constraint), .. }
                if sqlstate.starts_with("23") =>
            {
                Self::Conflict { constraint }
            }
            other => Self::Unavailable(other),
        }
    }
}
