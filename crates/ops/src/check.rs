//! `check`: whether the service can work over the connection that it is given, with whatever stands between.
//!
//! Owns: what a connection has to be, and what is to be done where it is not.
//! Leaves to others: how the service uses one (Spin's pool: up to 64 in each process, cleaned between two requests, every
//! statement prepared by a name).

use std::collections::HashSet;
use std::error::Error as _;
use std::future::Future;
use std::iter;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use journey::functions::HEALTH_CHECK;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::arguments::Check;
use crate::functions::RELEASE;
use crate::role::APPLICATION_ROLE;

/// Whoever has a session left answers in milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often each connection is used, at the same time as all others.
const ROUNDS: usize = 10;

/// What Spin's pool sends before each request (deadpool-postgres, `RecyclingMethod::Clean`).
const CLEAN: &str = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
                     SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES;";

const SESSION: &str = "SELECT pg_backend_pid(), session_user::text, current_setting('statement_timeout'),
    current_setting('idle_in_transaction_session_timeout'), current_setting('default_transaction_isolation')";

/// The columns after the first: what has to be in them, and what to do otherwise.
const WANTED: [(&str, &str, &str); 4] = [
    ("session_user", APPLICATION_ROLE, "the DSN and a pooler have to log in as this role"),
    ("statement_timeout", "5s", "identity-ops role sets it"),
    ("idle_in_transaction_session_timeout", "5s", "identity-ops role sets it"),
    ("default_transaction_isolation", "read committed", "identity-ops role sets it"),
];

/// Uses as many connections at once as a busy pod does, and says what cannot work.
pub async fn run(options: &Check) -> Result<Vec<String>> {
    let server = Server::read()?;
    // Alone, so that what is wrong about every one of them is said of one.
    let first = server.clone().connect().await.map_err(|failure| anyhow!(not_connected(&failure)))?;
    let others = at_once((1..options.connections).map(|_| server.clone().connect())).await;
    let mut findings = Findings::default();
    let held = findings.keep(iter::once(Ok(first)).chain(others));
    let held = findings.keep(at_once(held.into_iter().map(Held::look)).await);
    let held = findings.keep(at_once(held.into_iter().map(Held::use_again)).await);
    findings.look_at(&held).await;
    at_once(held.into_iter().map(Held::leave)).await;
    findings.conclude(options.connections)
}

async fn at_once<F>(all: impl Iterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    all.collect::<JoinSet<_>>().join_all().await
}

// --- a connection ---

/// Where, and how.
#[derive(Clone)]
struct Server {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

/// Why a connection is of no use.
enum Failure {
    Silence,
    Error(Error),
}

/// A connection that is held to the end, as one in use is.
struct Held {
    client: Client,
    driver: JoinHandle<Result<(), Error>>,
    /// Of the session that the first statement reached.
    pid: i32,
    /// Whether a later one reached another.
    moved: bool,
    /// Sentences.
    wrong: Vec<String>,
}

impl Server {
    fn read() -> Result<Self> {
        let dsn = std::env::var("SPIN_VARIABLE_PG_DSN").ok().filter(|dsn| !dsn.is_empty()).context(
            "SPIN_VARIABLE_PG_DSN is not set: the connection string that the service has, as the application role",
        )?;
        // What the driver says about it quotes names of parameters, and what is taken for one may be of the password.
        let config: Config = dsn.parse().map_err(|_| {
            anyhow!("SPIN_VARIABLE_PG_DSN is no connection string that the service's driver can read")
        })?;
        let tls = (config.get_ssl_mode() != SslMode::Disable).then(authorities).transpose()?;
        Ok(Self { config, tls })
    }

    async fn connect(self) -> Result<Held, Failure> {
        let connecting = async {
            Ok(match self.tls {
                None => {
                    let (client, driver) = self.config.connect(NoTls).await?;
                    (client, tokio::spawn(driver))
                }
                Some(tls) => {
                    let (client, driver) = self.config.connect(tls).await?;
                    (client, tokio::spawn(driver))
                }
            })
        };
        let (client, driver) = patiently(connecting).await?;
        Ok(Held { client, driver, pid: 0, moved: false, wrong: Vec::new() })
    }
}

/// The system's, as in Spin; `SSL_CERT_FILE` or `SSL_CERT_DIR` name others.
fn authorities() -> Result<MakeRustlsConnect> {
    match MakeRustlsConnect::with_native_certs() {
        Ok((tls, _)) => Ok(tls),
        Err(_) => {
            bail!("no certificate authority is known here: set SSL_CERT_FILE to a file of them")
        }
    }
}

async fn patiently<T>(what: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    Ok(timeout(PATIENCE, what).await.map_err(|_| Failure::Silence)??)
}

impl Held {
    /// Which session it is, what that begins with, and whether this release can work in it.
    async fn look(mut self) -> Result<Self, Failure> {
        let session = patiently(self.client.query_one(SESSION, &[])).await?;
        self.pid = session.try_get(0)?;
        for (column, (name, wanted, advice)) in (1..).zip(WANTED) {
            let value: String = session.try_get(column)?;
            if value != wanted {
                self.wrong.push(format!("{name} is {value} and has to be {wanted}: {advice}"));
            }
        }
        if let Err(failure) = patiently(self.client.query(HEALTH_CHECK.statement(), &[])).await {
            self.wrong.push(failure.of_health().ok_or(failure)?);
        }
        Ok(self)
    }

    /// As requests do, one after the other.
    async fn use_again(mut self) -> Result<Self, Failure> {
        for _ in 0..ROUNDS {
            patiently(self.client.batch_execute(CLEAN)).await?;
            let session = patiently(self.client.query_one("SELECT pg_backend_pid()", &[])).await?;
            self.moved |= session.try_get::<_, i32>(0)? != self.pid;
        }
        Ok(self)
    }

    /// Ends the connection politely, so that nobody logs anything about it.
    async fn leave(self) {
        drop(self.client);
        timeout(PATIENCE, self.driver).await.ok();
    }
}

/// Whether what one has prepared is there, too, while another holds the session that it was prepared in.
async fn keeps_statements(one: &Client, other: &Client) -> Result<(), Failure> {
    let prepared = patiently(one.prepare("SELECT 1")).await?;
    patiently(other.batch_execute("BEGIN; SELECT 1")).await?;
    patiently(one.query(&prepared, &[])).await?;
    patiently(other.batch_execute("COMMIT")).await
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Failure {
    /// In the words of whoever refused.
    fn words(&self) -> String {
        match self {
            Self::Silence => format!("no answer for {} seconds", PATIENCE.as_secs()),
            Self::Error(error) => match error.as_db_error() {
                Some(refusal) => format!("{} ({})", refusal.message(), refusal.code().code()),
                None => match error.source() {
                    Some(cause) => format!("{error}: {cause}"),
                    None => error.to_string(),
                },
            },
        }
    }

    fn sqlstate(&self) -> Option<&SqlState> {
        if let Self::Error(error) = self { error.code() } else { None }
    }

    /// What was prepared is not there, or what is there was prepared by somebody else.
    fn is_of_a_statement(&self) -> bool {
        self.sqlstate().is_some_and(|code| {
            [
                SqlState::INVALID_SQL_STATEMENT_NAME,
                SqlState::DUPLICATE_PSTATEMENT,
                SqlState::INVALID_CURSOR_NAME,
            ]
            .contains(code)
        })
    }

    /// What the refused check of the service's health says about the database.
    fn of_health(&self) -> Option<String> {
        let code = self.sqlstate()?;
        let words = self.words();
        if [SqlState::UNDEFINED_FUNCTION, SqlState::INVALID_SCHEMA_NAME, SqlState::INSUFFICIENT_PRIVILEGE]
            .contains(code)
        {
            Some(format!(
                "the application has no functions of release {RELEASE} here ({words}): identity-ops migrate of that release installs them"
            ))
        } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
            Some(format!(
                "the server takes no writes ({words}): the DSN has to lead to the primary, and default_transaction_read_only has to be off"
            ))
        } else {
            None
        }
    }
}

fn not_connected(failure: &Failure) -> String {
    let words = failure.words();
    // PgBouncer has one SQLSTATE for all that it refuses.
    if words.starts_with("unsupported startup parameter") {
        return format!("{words}: PgBouncer has to ignore it, ignore_startup_parameters = options");
    }
    let who = match failure {
        Failure::Silence => "something accepts the connection and then says nothing",
        Failure::Error(error) if error.as_db_error().is_some() => {
            "the server, or a pooler, refuses the connection"
        }
        Failure::Error(_) => "no connection",
    };
    format!("{who}: {words}")
}

// --- what is found ---

#[derive(Default)]
struct Findings {
    /// Sentences about sessions, each once.
    wrong: Vec<String>,
    /// How many connections were given up, and the words about the first of them.
    given_up: usize,
    why_given_up: String,
    /// The words about the first statement that was lost.
    lost: Option<String>,
    /// Whether a connection has no session of its own.
    shared: bool,
}

impl Findings {
    /// Those that are of use.
    fn keep(&mut self, all: impl IntoIterator<Item = Result<Held, Failure>>) -> Vec<Held> {
        let mut kept = Vec::new();
        for one in all {
            match one {
                Ok(held) => kept.push(held),
                Err(failure) if failure.is_of_a_statement() => {
                    self.lost.get_or_insert_with(|| failure.words());
                }
                Err(failure) => self.give_up(&failure),
            }
        }
        kept
    }

    async fn look_at(&mut self, all: &[Held]) {
        for wrong in all.iter().flat_map(|held| &held.wrong) {
            if !self.wrong.contains(wrong) {
                self.wrong.push(wrong.clone());
            }
        }
        let sessions: HashSet<i32> = all.iter().map(|held| held.pid).collect();
        self.shared = sessions.len() < all.len() || all.iter().any(|held| held.moved);
        if let (true, None, [one, other, ..]) = (self.shared, &self.lost, all) {
            match keeps_statements(&one.client, &other.client).await {
                Ok(()) => {}
                // There is but one session for both.
                Err(failure @ Failure::Silence) => self.give_up(&failure),
                Err(failure) => self.lost = Some(failure.words()),
            }
        }
    }

    fn give_up(&mut self, failure: &Failure) {
        self.given_up += 1;
        if self.given_up == 1 {
            self.why_given_up = failure.words();
        }
    }

    fn conclude(self, connections: usize) -> Result<Vec<String>> {
        let mut findings = Vec::new();
        if let Some(words) = &self.lost {
            findings.push(format!(
                "prepared statements get lost when requests run at the same time ({words}): set pool_mode = session, or use a \
                 pooler that keeps them"
            ));
        }
        if self.given_up > 0 {
            findings.push(format!(
                "{} of {connections} connections got no session while the others were held ({}): the pool, or \
                 max_connections, has to allow {connections} for each pod",
                self.given_up, self.why_given_up
            ));
        }
        findings.extend(self.wrong);
        if !findings.is_empty() {
            bail!("{}", findings.join("\n"));
        }
        let session = if self.shared {
            "they share sessions, and what they prepare is kept"
        } else {
            "each has a session of its own"
        };
        Ok(vec![
            format!("{connections} connections at once: {session}"),
            format!("release {RELEASE} can work in them"),
        ])
    }
}
