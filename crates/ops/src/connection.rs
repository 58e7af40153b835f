//! The owner's connection.
//!
//! Owns: where it comes from, which servers are good enough, that one run waits for another, and that everything happens in
//! transactions which set what they need themselves and leave nothing behind: a pooler may hand each to another session.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use anyhow::{Context, Error, Result, bail};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Postgres, Transaction};

use crate::{database_url, terminal};

/// What `PUBLIC` may do by default changed in 15: before it, everybody may create tables in schema `public`.
const OLDEST_SERVER: i32 = 150_000;

/// A server may accept a connection and then say nothing.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// The advisory lock of this tool, in a database ("cofrap" in ASCII).
const LOCK: i64 = 0x636f_6672_6170;

/// Each in a message of its own: poolers that keep prepared statements know this one, alone, as theirs.
const BEGINNING: [&str; 6] = [
    // The driver numbers its statements anew for each connection; a pooler's session may have those of a run before.
    "DEALLOCATE ALL",
    // Nothing that somebody else may create is looked up, whatever the path of the database or the role is.
    "SET LOCAL search_path = pg_catalog, pg_temp",
    // A policy that somebody put on a table runs nothing here.
    "SET LOCAL row_security = off",
    // How long a lock is waited for: behind one that is held, every request would wait, too.
    "SET LOCAL lock_timeout = '60s'",
    // Whatever bounds this owner's other work: a migration takes its time, and so does who holds a lock.
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
];

/// What comes of that.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// A lock that is had by then was not worth a word.
const SILENT_WAIT: Duration = Duration::from_secs(1);

/// Who keeps a process of the server waiting, as far as this role may see it.
const WHO_IS_WAITED_FOR: &str = "
SELECT string_agg(who, ' and ') FROM (
    SELECT DISTINCT CASE WHEN blocker = 0 THEN 'a prepared transaction (pg_prepared_xacts)'
        ELSE format('process %s of the server (%s)', blocker, concat_ws(', ', nullif(application_name, ''), usename,
            'in a transaction since ' || to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"')))
        END AS who
    FROM unnest(pg_blocking_pids($1)) AS blocker LEFT JOIN pg_stat_activity ON pid = blocker
) AS blockers";

/// A connection as the owner. Statements are sent in its transactions only.
pub struct Owner {
    connection: PgConnection,
    options: PgConnectOptions,
}

/// Connects as `DATABASE_URL` says and checks the server's version.
pub async fn open() -> Result<Owner> {
    let options = database_url::read()?
        .application_name("identity-ops")
        .disable_statement_logging()
        // What `BEGINNING` drops is prepared again, and PgBouncer lets no unknown setting in.
        .statement_cache_capacity(0)
        .extra_float_digits(None);
    let mut owner = Owner::connect(options).await.context("PostgreSQL at DATABASE_URL cannot be used")?;
    let mut transaction = owner.begin().await?;
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::integer")
        .fetch_one(&mut *transaction)
        .await?;
    transaction.commit().await?;
    if version < OLDEST_SERVER {
        bail!("PostgreSQL {} is too old: 15 or newer is needed", version / 10_000);
    }
    Ok(owner)
}

impl Owner {
    async fn connect(options: PgConnectOptions) -> Result<Self> {
        let connecting = tokio::time::timeout(LONGEST_CONNECT, options.connect()).await;
        let connection =
            connecting.with_context(|| format!("no answer for {} seconds", LONGEST_CONNECT.as_secs()))??;
        Ok(Self { connection, options })
    }

    /// Begins a transaction in which names mean what PostgreSQL made, and no lock is waited for longer than a minute.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn begin(&mut self) -> Result<Transaction<'_, Postgres>> {
        let mut transaction = self.connection.begin().await?;
        for statement in BEGINNING {
            sqlx::raw_sql(statement).execute(&mut *transaction).await?;
        }
        Ok(transaction)
    }

    /// Does all of the work in one transaction, while no other run of this tool does any in this database, and says whom it
    /// waits for. The lock is the transaction's: none is left behind in a session that a pooler keeps.
    ///
    /// Advisory locks are kept per database, roles per server: two runs on two databases may still meet in `role`, and the
    /// later one is told so by PostgreSQL instead of waiting.
    ///
    /// # Errors
    /// The work's, and who held a lock for a minute: nothing is changed then.
    pub async fn alone<T>(&mut self, work: impl AsyncFnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
        let options = self.options.clone();
        let mut transaction = self.begin().await?;
        let process = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *transaction).await?;
        let working = async {
            sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
            let done = work(&mut transaction).await?;
            transaction.commit().await?;
            Ok(done)
        };
        let blockers = RefCell::new(None);
        let outcome: Result<T> = tokio::select! {
            biased;
            outcome = working => outcome,
            never = watch(options, process, &blockers) => match never {},
        };
        outcome.map_err(|error| {
            if !is_code(&error, LOCK_NOT_AVAILABLE) {
                return error;
            }
            let who = blockers.take().unwrap_or_else(|| "somebody whom pg_locks names".to_owned());
            error.context(format!(
                "nothing was changed: a lock was not to be had for a minute, because of {who}. Try again once that has \
                 ended; `SELECT pg_terminate_backend(...)` ends it"
            ))
        })
    }

    /// A login of another role, at the same place.
    pub fn login(&self, role: &'static str, password: &str) -> Login {
        Login { options: self.options.clone().username(role).password(password), role }
    }

    /// Ends the connection politely, so that the server logs nothing about it.
    pub async fn close(self) -> Result<()> {
        Ok(self.connection.close().await?)
    }
}

/// Finds out whether a password is a role's, which its owner may not read.
pub struct Login {
    options: PgConnectOptions,
    role: &'static str,
}

impl Login {
    /// Tries it. What PostgreSQL finds wrong once it has taken the password does not count.
    ///
    /// # Errors
    /// When the server did not come to look at the password.
    pub async fn is_taken(&self) -> Result<bool> {
        let refused = match Owner::connect(self.options.clone()).await {
            Ok(owner) => {
                owner.close().await?;
                return Ok(true);
            }
            Err(refused) => refused,
        };
        if is_code(&refused, "28P01") {
            return Ok(false);
        }
        // The server's own places, in every language: both come after the password.
        match terminal::server_error(&refused).and_then(|error| error.routine()) {
            Some("InitializeSessionUserId" | "CheckMyDatabase") => Ok(true),
            _ => Err(refused.context(format!(
                "whether APPLICATION_PASSWORD is the password of {} could not be checked by logging in with it",
                self.role
            ))),
        }
    }
}

/// Says who keeps the process waiting, each time that changes, and leaves it in `blockers`. (With a connection of its own: the
/// other one waits.)
async fn watch(options: PgConnectOptions, process: i32, blockers: &RefCell<Option<String>>) -> Infallible {
    tokio::time::sleep(SILENT_WAIT).await;
    // Where no second connection is to be had, it is the lock's end that says something.
    let Ok(mut second) = Owner::connect(options).await else { return pending().await };
    loop {
        if let Ok(Some(who)) = waited_for(&mut second, process).await
            && blockers.borrow().as_ref() != Some(&who)
        {
            terminal::note(format_args!("waiting, for a minute at the most, because of {who}"));
            blockers.replace(Some(who));
        }
        tokio::time::sleep(SILENT_WAIT).await;
    }
}

async fn waited_for(second: &mut Owner, process: i32) -> Result<Option<String>> {
    let mut transaction = second.begin().await?;
    let who = sqlx::query_scalar(WHO_IS_WAITED_FOR).bind(process).fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(who)
}

/// Whether PostgreSQL refused with this SQLSTATE.
pub fn is_code(error: &Error, code: &str) -> bool {
    terminal::server_error(error).is_some_and(|error| error.code() == code)
}
