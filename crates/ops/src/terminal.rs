//! What the tool says while it works. Results go to stdout, and everything else to stderr.

use std::error::Error as StdError;

use anyhow::Error;
use sqlx::postgres::PgDatabaseError;

/// SQLSTATEs whose DETAIL quotes rows: names, hashes and sealed values.
const INTEGRITY_VIOLATION: &str = "23";

/// Says what was done.
#[expect(clippy::print_stdout, reason = "a command line tool talks to its terminal")]
pub fn say(line: impl std::fmt::Display) {
    println!("{line}");
}

/// Says how far it is, or what is wrong.
#[expect(clippy::print_stderr, reason = "a command line tool talks to its terminal")]
pub fn note(line: impl std::fmt::Display) {
    eprintln!("{line}");
}

/// What PostgreSQL said, if it was that.
pub fn server_error(error: &Error) -> Option<&PgDatabaseError> {
    error.chain().find_map(of_server)
}

fn of_server<'error>(error: &'error (dyn StdError + 'static)) -> Option<&'error PgDatabaseError> {
    match error.downcast_ref::<sqlx::Error>()? {
        sqlx::Error::Database(error) => error.try_downcast_ref(),
        _ => None,
    }
}

/// An error with its reasons: each of them once, PostgreSQL's own words last, and its DETAIL and HINT below.
///
/// An error of the driver repeats the one inside it, and adds to PostgreSQL's a line number of PostgreSQL's own source.
pub fn told(error: &Error) -> String {
    let mut parts = Vec::new();
    let mut causes = error.chain().peekable();
    while let Some(cause) = causes.next() {
        if let Some(error) = of_server(cause) {
            parts.push(error.message().to_owned());
            break;
        }
        let text = cause.to_string();
        let own = match causes.peek() {
            Some(inner) => text.strip_suffix(&inner.to_string()).map(|own| own.trim_end_matches(": ")),
            None => None,
        };
        match own {
            Some("") => {}
            Some(own) => parts.push(own.to_owned()),
            None => parts.push(text),
        }
    }
    let mut told = parts.join(": ");
    if let Some(error) = server_error(error) {
        let detail = error.detail().filter(|_| !error.code().starts_with(INTEGRITY_VIOLATION));
        for (name, text) in [("DETAIL", detail), ("HINT", error.hint())] {
            told.extend(text.map(|text| format!("\n{name}: {text}")));
        }
    }
    told
}
