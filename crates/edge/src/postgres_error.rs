//! What the errors of `spin:postgres` mean, and which of their words may be logged.
//!
//! Spin gives structure (SQLSTATE, constraint) only to errors that PostgreSQL reports before the first row could come.
//! Whatever a `query` meets while it runs, which is every violated constraint and every deadlock, arrives as the text
//! of a Rust error: `db error: ERROR: deadlock detected`, then DETAIL with the values of a row. So the known first
//! lines are read back here. They are PostgreSQL's untranslated ones: under another `lc_messages` than `C` or an
//! English one a deadlock is not repeated, and every such error is a fault whose line does not name it.
//!
//! Nothing that could quote the connection string (it holds a password) or a value gets through.

use journey::StatementError;
use spin_sdk::pg4::{PgError, QueryError};

/// Beginnings of PostgreSQL's messages, and their SQLSTATE (PostgreSQL's manual, appendix A).
const SQLSTATES: [(&str, &str); 13] = [
    ("duplicate key value violates unique constraint", "23505"),
    ("insert or update on table", "23503"),
    ("update or delete on table", "23503"),
    ("new row for relation", "23514"),
    ("null value in column", "23502"),
    ("could not serialize access", "40001"),
    ("deadlock detected", "40P01"),
    ("canceling statement due to lock timeout", "55P03"),
    ("canceling statement due to", "57014"),
    ("terminating connection due to administrator command", "57P01"),
    ("terminating connection due to idle-in-transaction timeout", "25P03"),
    ("permission denied", "42501"),
    ("cannot execute", "25006"),
];

/// What an error text of the host says about a connection, recognised by a part of it, and the sentence that is logged
/// in its place: the text may quote a mistyped connection string, password and all.
const CONNECTION_TEXTS: [(&str, &str); 14] = [
    (
        "is not permitted",
        "allowed_outbound_hosts does not allow the address in pg_dsn (see pg_host, pg_port)",
    ),
    ("password authentication failed", "PostgreSQL refused the password in pg_dsn"),
    ("no pg_hba.conf entry", "PostgreSQL's pg_hba.conf refuses this client"),
    ("too many connections", "too many connections"),
    ("too many clients", "too many connections"),
    ("remaining connection slots", "too many connections"),
    ("is starting up", "PostgreSQL is starting up"),
    ("is shutting down", "PostgreSQL is shutting down"),
    ("does not exist", "PostgreSQL knows no such role or database"),
    ("onnection refused", "connection refused"),
    ("imed out", "the connection timed out"),
    ("timeout", "the connection timed out"),
    ("onnection reset", "the connection broke"),
    ("onnection closed", "the connection broke"),
];

const UNREADABLE_DSN: &str = "pg_dsn is no connection string";
const UNTOLD: &str = "the reason is left out, because it might quote pg_dsn";

/// Why no connection could be had.
pub(crate) fn connection_error(error: PgError) -> StatementError {
    let text = match error {
        PgError::ConnectionFailed(text) | PgError::BadParameter(text) | PgError::Other(text) => text,
        other => return statement_error(other),
    };
    StatementError::NoConnection(connection_sentence(&text).to_owned())
}

fn connection_sentence(text: &str) -> &'static str {
    // First, because what cannot be parsed may hold any of the words below.
    if ["parsing Postgres", "nvalid connection string", "nvalid configuration"]
        .iter()
        .any(|part| text.contains(part))
    {
        return UNREADABLE_DSN;
    }
    let known = CONNECTION_TEXTS.iter().find(|(part, _)| text.contains(part));
    known.map_or(UNTOLD, |(_, sentence)| sentence)
}

/// Why a statement did not run.
pub(crate) fn statement_error(error: PgError) -> StatementError {
    match error {
        PgError::ConnectionFailed(text) => {
            StatementError::NoConnection(connection_sentence(&text).to_owned())
        }
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
    if let Some(message) = postgres_message(text) {
        let known = SQLSTATES.iter().find(|(beginning, _)| message.starts_with(beginning));
        return match known {
            Some((_, sqlstate)) => refused((*sqlstate).to_owned(), message, constraint(message)),
            None => StatementError::Other("PostgreSQL refused it, for a reason without SQLSTATE".to_owned()),
        };
    }
    let is = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if is(&["kind: Closed", "kind: Io", "connection closed", "communicating with the server"]) {
        return StatementError::NoConnection("the connection broke".to_owned());
    }
    StatementError::Other(
        if is(&["WrongType", "cannot convert between the Rust type", "serializing parameter"]) {
            "a type of the statement and one of Spin's do not match"
        } else {
            "an error without SQLSTATE, whose text might quote a value"
        }
        .to_owned(),
    )
}

/// The first line of PostgreSQL's own error in the text of another.
fn postgres_message(text: &str) -> Option<&str> {
    let rest = ["ERROR: ", "FATAL: ", "PANIC: "].iter().find_map(|severity| text.split_once(severity))?.1;
    rest.lines().next().map(str::trim)
}

/// The constraint in a message: the quoted word behind `constraint`.
fn constraint(message: &str) -> Option<String> {
    let (_, rest) = message.split_once(" constraint \"")?;
    rest.split_once('"').map(|(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use spin_sdk::pg4::DbError;

    fn text(text: &str) -> PgError {
        PgError::QueryFailed(QueryError::Text(text.to_owned()))
    }

    fn refusal(sqlstate: &str, message: &str, constraint: Option<&str>) -> StatementError {
        StatementError::Refused {
            sqlstate: sqlstate.to_owned(),
            message: message.to_owned(),
            constraint: constraint.map(str::to_owned),
        }
    }

    #[test]
    fn a_structured_error_keeps_its_sqlstate_and_constraint_and_loses_its_detail() {
        let error = DbError {
            as_text: "s3cret".to_owned(),
            severity: "ERROR".to_owned(),
            code: "23505".to_owned(),
            message: "duplicate key".to_owned(),
            detail: Some("Key (username)=(s3cret) already exists.".to_owned()),
            extras: vec![
                ("table".to_owned(), "account".to_owned()),
                ("constraint".to_owned(), "account_username_key".to_owned()),
            ],
        };
        let error = statement_error(PgError::QueryFailed(QueryError::DbError(error)));
        assert_eq!(error, refusal("23505", "duplicate key", Some("account_username_key")));
    }

    #[test]
    fn a_data_exception_does_not_quote_the_data() {
        let error = refused("22P02".to_owned(), "invalid input syntax for type uuid: \"s3cret\"", None);
        assert!(!error.to_string().contains("s3cret"));
    }

    /// The texts as Spin 3.6.3 makes them: anyhow's `{:?}` of a tokio-postgres error.
    #[test]
    fn an_error_that_arrives_as_text_gets_its_sqlstate_back() {
        for (message, sqlstate, constraint) in [
            ("duplicate key value violates unique constraint \"one_draft\"", "23505", Some("one_draft")),
            (
                "insert or update on table \"session\" violates foreign key constraint \"session_credential\"",
                "23503",
                Some("session_credential"),
            ),
            (
                "update or delete on table \"a\" violates foreign key constraint \"b_a\" on table \"b\"",
                "23503",
                Some("b_a"),
            ),
            (
                "new row for relation \"account\" violates check constraint \"active\"",
                "23514",
                Some("active"),
            ),
            (
                "null value in column \"id\" of relation \"account\" violates not-null constraint",
                "23502",
                None,
            ),
            ("could not serialize access due to concurrent update", "40001", None),
            ("deadlock detected", "40P01", None),
            ("canceling statement due to statement timeout", "57014", None),
            ("canceling statement due to lock timeout", "55P03", None),
            ("terminating connection due to administrator command", "57P01", None),
        ] {
            let spin = format!(
                "db error: ERROR: {message}\nDETAIL: Key (username)=(s3cret) already exists.\n\nCaused by:\n    ERROR: {message}"
            );
            assert_eq!(statement_error(text(&spin)), refusal(sqlstate, message, constraint));
            let newer = format!("db error\n\nCaused by:\n    ERROR: {message}\n    DETAIL: s3cret");
            assert_eq!(statement_error(text(&newer)), refusal(sqlstate, message, constraint));
        }
    }

    #[test]
    fn a_text_that_is_not_known_is_not_repeated() {
        for unknown in [
            "db error: ERROR: value \"s3cret\" is out of range",
            "db error: ERREUR: s3cret",
            "error retrieving column s3cret",
            "s3cret",
        ] {
            let error = statement_error(text(unknown));
            assert!(matches!(&error, StatementError::Other(text) if !text.contains("s3cret")), "{error}");
        }
        for error in [
            PgError::BadParameter("s3cret".to_owned()),
            PgError::ValueConversionFailed("s3cret".to_owned()),
            PgError::Other("s3cret".to_owned()),
        ] {
            assert!(!statement_error(error).to_string().contains("s3cret"));
        }
    }

    #[test]
    fn a_connection_that_broke_is_told_from_a_statement_that_failed() {
        for broken in [
            "Error { kind: Closed, cause: None }",
            "Error { kind: Io, cause: Some(Os { code: 104, kind: ConnectionReset, message: \"reset\" }) }",
            "connection closed",
            "error communicating with the server: Connection reset by peer (os error 104)",
        ] {
            assert!(matches!(statement_error(text(broken)), StatementError::NoConnection(_)), "{broken}");
        }
    }

    #[test]
    fn what_is_logged_about_a_connection_never_quotes_the_connection_string() {
        for (spin, sentence) in [
            (
                "establishing PostgreSQL connection pool\n\nCaused by:\n 0: parsing Postgres connection string\n 1: invalid configuration: unknown option `s3cret@h`",
                UNREADABLE_DSN,
            ),
            ("invalid connection string: timeout `s3cret`", UNREADABLE_DSN),
            ("address postgres://s3cret:5432 is not permitted", CONNECTION_TEXTS[0].1),
            (
                "Error occurred while creating a new object: error connecting to server: Connection refused (os error 111)",
                "connection refused",
            ),
            ("error connecting to server: connection timed out", "the connection timed out"),
            (
                "db error: FATAL: password authentication failed for user \"s3cret\"",
                "PostgreSQL refused the password in pg_dsn",
            ),
            (
                "db error: FATAL: database \"s3cret\" does not exist",
                "PostgreSQL knows no such role or database",
            ),
            ("db error: FATAL: sorry, too many clients already", "too many connections"),
            ("s3cret", UNTOLD),
        ] {
            let error = connection_error(PgError::ConnectionFailed(spin.to_owned()));
            assert_eq!(error, StatementError::NoConnection(sentence.to_owned()), "{spin}");
        }
    }
}
