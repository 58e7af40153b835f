//! What the errors of `spin:postgres` mean, and which of their words may be logged.
//!
//! Spin gives structure (SQLSTATE, constraint) only to errors that PostgreSQL reports before the first row could come.
//! Whatever a `query` meets while it runs, which is every violated constraint and every deadlock, and whatever keeps a
//! connection from being made, arrives as a text. `text` takes it apart; what is known of it, in English and French, is
//! listed here (statements) and in `reasons` (connections). In a third language a deadlock is not repeated, and the line
//! of an error does not say which it was.
//!
//! Nothing that could quote the connection string (it holds a password) or a value gets through.

mod reasons;
#[cfg(test)]
mod tests;
mod text;

use journey::StatementError;
use spin_sdk::pg4::{PgError, QueryError};

use self::reasons::{BROKE, sentence};
use self::text::{SERVER, Told, holes};

/// PostgreSQL's messages, English and French, with their SQLSTATE (PostgreSQL's manual, appendix A), and which hole, if
/// any, has the name of a constraint.
const SQLSTATES: [(&str, Option<usize>, &[&str]); 12] = [
    (
        "23505",
        Some(0),
        &[
            "duplicate key value violates unique constraint \"%s\"",
            "la valeur d'une clé dupliquée rompt la contrainte unique « %s »",
        ],
    ),
    (
        "23503",
        Some(1),
        &[
            "insert or update on table \"%s\" violates foreign key constraint \"%s\"",
            "une instruction insert ou update sur la table « %s » viole la contrainte de clé étrangère « %s »",
            "update or delete on table \"%s\" violates foreign key constraint \"%s\" on table \"%s\"",
        ],
    ),
    (
        "23514",
        Some(1),
        &[
            "new row for relation \"%s\" violates check constraint \"%s\"",
            "la nouvelle ligne de la relation « %s » viole la contrainte de vérification « %s »",
        ],
    ),
    (
        "23502",
        None,
        &[
            "null value in column \"%s\" of relation \"%s\" violates not-null constraint",
            "une valeur NULL viole la contrainte NOT NULL de la colonne « %s » dans la relation « %s »",
        ],
    ),
    ("40001", None, &["could not serialize access due to %s", "n'a pas pu sérialiser un accès à cause %s"]),
    ("40P01", None, &["deadlock detected", "interblocage (deadlock) détecté"]),
    (
        "55P03",
        None,
        &[
            "canceling statement due to lock timeout",
            "annulation de la requête à cause du délai écoulé pour l'obtention des verrous",
        ],
    ),
    (
        "57014",
        None,
        &[
            "canceling statement due to statement timeout",
            "annulation de la requête à cause du délai écoulé pour l'exécution de l'instruction",
            "canceling statement due to user request",
            "annulation de la requête à la demande de l'utilisateur",
        ],
    ),
    (
        "57P01",
        None,
        &[
            "terminating connection due to administrator command",
            "arrêt des connexions suite à la demande de l'administrateur",
        ],
    ),
    (
        "25P03",
        None,
        &[
            "terminating connection due to idle-in-transaction timeout",
            "arrêt des connexions suite à l'expiration du délai d'inactivité en transaction",
        ],
    ),
    ("42501", None, &["permission denied for %s", "droit refusé pour %s"]),
    (
        "25006",
        None,
        &[
            "cannot execute %s in a read-only transaction",
            "ne peut pas exécuter %s dans une transaction en lecture seule",
            "cannot execute %s during recovery",
            "ne peut pas exécuté %s lors de la restauration",
        ],
    ),
];

/// Why no connection could be had.
pub(crate) fn connection_error(error: PgError) -> StatementError {
    let text = match error {
        PgError::ConnectionFailed(text) | PgError::BadParameter(text) | PgError::Other(text) => text,
        other => return statement_error(other),
    };
    StatementError::NoConnection(sentence(&text).to_owned())
}

/// Why a statement did not run.
pub(crate) fn statement_error(error: PgError) -> StatementError {
    match error {
        PgError::ConnectionFailed(text) => StatementError::NoConnection(sentence(&text).to_owned()),
        PgError::QueryFailed(QueryError::DbError(error)) => {
            let constraint =
                error.extras.into_iter().find(|(name, _)| name == "constraint").map(|(_, value)| value);
            refused(error.code, &error.message, constraint)
        }
        PgError::QueryFailed(QueryError::Text(text)) => text_error(&text),
        PgError::BadParameter(_) => StatementError::Other("a parameter that Spin cannot send".to_owned()),
        PgError::ValueConversionFailed(_) => {
            StatementError::Other("a value that Spin cannot convert".to_owned())
        }
        PgError::Other(_) => StatementError::Other("an error of Spin's own".to_owned()),
    }
}

/// Errors of class 22 (data exception) quote the value that they are about.
fn refused(sqlstate: String, message: &str, constraint: Option<String>) -> StatementError {
    let message = if sqlstate.starts_with("22") { "(the message may quote a value)" } else { message };
    StatementError::Refused { sqlstate, message: message.to_owned(), constraint }
}

fn text_error(text: &str) -> StatementError {
    let told = Told::of(text);
    // What the driver was at stands first, also where Spin writes its error as Rust's `Debug` does.
    let at = if told.place.is_empty() { &told.cause } else { &told.place };
    let is = |beginnings: &[&str]| beginnings.iter().any(|beginning| at.starts_with(beginning));
    if at == SERVER {
        told.message().and_then(known).unwrap_or_else(|| {
            StatementError::Other("PostgreSQL refused it, for a reason without SQLSTATE".to_owned())
        })
    } else if is(&CONNECTION_IS_GONE) {
        StatementError::NoConnection(BROKE.to_owned())
    } else if is(&TYPES_DIFFER) {
        StatementError::Other("a type of the statement and one of Spin's do not match".to_owned())
    } else {
        StatementError::Other("an error without SQLSTATE, whose text might quote a value".to_owned())
    }
}

/// How the driver begins when the connection is gone, in words and as Rust's `Debug`.
const CONNECTION_IS_GONE: [&str; 4] = [
    "connection closed",
    "error communicating with the server",
    "Error { kind: Closed,",
    "Error { kind: Io,",
];

/// How it begins when a parameter or a column is of another type than the statement's.
const TYPES_DIFFER: [&str; 4] = [
    "error serializing parameter ",
    "error deserializing column ",
    "Error { kind: ToSql(",
    "Error { kind: FromSql(",
];

/// The error that one of PostgreSQL's messages stands for.
fn known(message: &str) -> Option<StatementError> {
    SQLSTATES.iter().find_map(|(sqlstate, constraint, patterns)| {
        let names = patterns.iter().find_map(|pattern| holes(pattern, message))?;
        let constraint = constraint.and_then(|hole| names.into_iter().nth(hole));
        Some(refused((*sqlstate).to_owned(), message, constraint))
    })
}
