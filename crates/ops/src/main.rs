//! `identity-ops`: what the owner of the database does, and the service itself may not.
//!
//! Owns: the command line. Each command has a file of its own; `connection` holds what they share.
//! Leaves to others: everything that a request does (the components, as the application role).

mod connection;
mod migrate;
mod role;

use std::process::ExitCode;

const HELP: &str = "\
identity-ops: the database owner's tool of COFRAP identity

Usage: identity-ops <command>

Commands:
  role      Creates the application role `cofrap_app`, or brings an existing one up to date: LOGIN and no other
            attribute, the password, CONNECT on this database, and the timeouts that bound every statement.
            Run it before `migrate`: the migrations grant to this role. Run it again to change the password:
            open connections stay, new ones need the new password.
  migrate   Applies the migrations that this binary carries and the database does not have yet, in order, and
            prints each. The ledger is the table `_sqlx_migrations`; an applied migration that was changed since
            is refused. There is no way back: restore a backup.

Both are safe to run twice, and from several places at once: a run waits for the one before it.

Environment:
  DATABASE_URL          The owner's connection, postgres://user:password@host:port/database, to exactly the
                        database that the service uses. PostgreSQL 15 or newer. `?sslmode=verify-full` insists on
                        TLS and checks the certificate against the system's roots, or `&sslrootcert=<file>`.
                        The owner needs CREATEROLE for `role`, and must own the database for `migrate`.
  APPLICATION_PASSWORD  `role` only: the password of `cofrap_app`, 16 characters or more. It reaches the server as
                        a SCRAM-SHA-256 verifier: it is in no SQL text, log, or output.

Exit status: 0 done (also when there was nothing to do), 1 failed (the reason is on stderr), 2 wrong usage.
";

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its terminal")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["migrate"] => migrate::run().await,
        ["role"] => role::run().await,
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        ["--version" | "-V"] => {
            println!("identity-ops {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(lines) => {
            lines.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("identity-ops: {error:#}");
            ExitCode::FAILURE
        }
    }
}
