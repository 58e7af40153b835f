//! `identity-ops`: what the owner of the database does, and the service itself may not.
//!
//! Owns: the command line. Each command has a file of its own; `connection` holds what they share.
//! Leaves to others: everything that a request does (the components, as the application role).

mod arguments;
mod check;
mod connection;
mod database_url;
mod erase;
mod export;
mod functions;
mod keys;
mod migrate;
mod purge;
mod reseal;
mod rights;
mod role;
mod schema;
mod seam;
mod terminal;

use std::process::ExitCode;

use anyhow::Result;

use crate::arguments::{Check, Migrate, Purge, Reseal, username};

const HELP: &str = "\
identity-ops: the database owner's tool of COFRAP identity

Usage: identity-ops <command>

Commands:
  role      Creates the application role `cofrap_app`, or brings an existing one up to date: LOGIN and no other
            attribute, the password, CONNECT on this database, the timeouts that bound every statement, and as many
            connections as leave ten for its owner; whatever else somebody set for the role is reset.
            As a superuser also the role `cofrap_owner`, which nobody logs in as: it is to own the schema.
            Run it before `migrate`: the migrations grant to this role. Run it again to change the password:
            open connections stay, new ones need the new password. A role has one password on all of its server:
            where it serves another database there, it is not changed, and another one is refused.
  migrate   Applies the migrations that this binary carries and the database does not have yet, in order, and
            installs the functions of this release, which are all that the application may use; what somebody
            changed of these (text, settings, owner, rights), or gave the application beside them, is mended. In one
            transaction, and each thing is printed. Everything is in the schema `identity`, and belongs to whoever connects, or to the role
            `cofrap_owner` where that is a superuser. An applied migration that was changed since is refused; one of
            a later release stays, and is named. The schema has no way back: restore a backup.
              --retire-before V   removes the functions that only releases before V call (0.2.0, say): once none of
                                  them runs any more, nor will
  purge     Removes what has ended: pending accounts, starts and renewal tokens past their deadline, sessions,
            refusals that concern no account after 24 hours, accounts whose credentials ended long ago (their names
            stay reserved for 12 months), reservations that have ended, old events. Run it every hour or so. It works
            in short transactions beside live traffic, and may be interrupted at any time. Its last line says what
            was removed.
              --events-months N   how long events are kept (12)
              --expired-months N  how long accounts are kept after their credentials ended (12)
              --batch N           rows of each kind at a time (1000)
  reseal    Seals every value again that is not under the first of the sealing keys, beside live traffic, and then
            looks at every value: how many hang on each key, and which do not open. To be run after the new key was
            added last and rolled out everywhere, then moved first and rolled out again; once it succeeds, the old
            key may go. After an interruption it goes on where it was.
              --check             only looks
              --batch N           credentials at a time (100)
  export NAME
            Prints what is stored about somebody who cannot log in, as JSON: what their own page gives them (GET
            /api/account), whatever the state of the account. Before the first activation `credential` is null; no
            session is the `current` one. Secrets are not in it. It changes nothing, and leaves no event.
  erase NAME
            Removes the account of somebody who cannot log in, whatever its state, as its owner would: with all
            credentials, sessions and tokens. Says what went and what stays: events, without a name; the name of an
            account that was ever active, as a hash, for 12 months. There is no way back.
  check     Connects as the service does, as often at once as a busy pod, uses all these connections at the same time,
            and says what cannot work: a pooler's settings, too few connections, the role's settings, a missing
            migration, a server that takes no writes. It changes nothing.
              --connections N     at once (64, which is what each pod of the service may open)

All are safe to run twice, and from several places at once: a run of `role` or `migrate` waits for the one before it, and
for other locks, a minute at the most, and says for whom. Whatever the owner may not do is refused before anything
changes, with what a superuser has to run.

Environment:
  DATABASE_URL          The owner's connection, postgres://user:password@host:port/database, to exactly the
                        database that the service uses. PostgreSQL 15 or newer. `?sslmode=verify-full` insists on
                        TLS and checks the certificate against the system's roots, or `&sslrootcert=<file>`.
                        The owner best owns the database and has CREATEROLE (from PostgreSQL 16 on: ADMIN on
                        `cofrap_app`, if another made it); where an administrator makes the role, neither is needed.
  APPLICATION_PASSWORD  `role` only: the password of `cofrap_app`, 16 characters or more. It reaches the server as
                        a SCRAM-SHA-256 verifier: it is in no SQL text, log, or output.
  SPIN_VARIABLE_SEALING_KEYS
                        `reseal` only: the keys as the service has them, id:base64,... Or SEALING_KEYS_FILE, a file
                        that holds them.
  SPIN_VARIABLE_PG_DSN  `check` only, and then instead of DATABASE_URL: the connection as the service has it.
  SSL_CERT_FILE         `check` only: the authorities that the service trusts, instead of the system's.

Exit status: 0 done (also when there was nothing to do), 1 failed, or for `reseal` something still hangs on an old key
or does not open (the reason is on stderr), 2 wrong usage.
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // What is not UTF-8 is no command, and no name that an account has.
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some(outcome) = run(&arguments).await else {
        terminal::note(HELP.trim_end());
        return ExitCode::from(2);
    };
    match outcome {
        Ok(lines) => {
            lines.iter().for_each(terminal::say);
            ExitCode::SUCCESS
        }
        Err(error) => {
            terminal::note(format_args!("identity-ops: {}", terminal::told(&error)));
            ExitCode::FAILURE
        }
    }
}

/// What a command did, line by line; `None` for wrong usage.
async fn run(arguments: &[&str]) -> Option<Result<Vec<String>>> {
    Some(match arguments {
        ["migrate", options @ ..] => migrate::run(&Migrate::parse(options)?).await,
        ["role"] => role::run().await,
        ["purge", options @ ..] => purge::run(&Purge::parse(options)?).await,
        ["reseal", options @ ..] => reseal::run(&Reseal::parse(options)?).await,
        ["check", options @ ..] => check::run(&Check::parse(options)?).await,
        ["export", name] => export::run(username(name)?).await,
        ["erase", name] => erase::run(username(name)?).await,
        ["help" | "--help" | "-h"] => Ok(vec![HELP.trim_end().to_owned()]),
        ["--version" | "-V"] => Ok(vec![format!("identity-ops {}", env!("CARGO_PKG_VERSION"))]),
        _ => return None,
    })
}
