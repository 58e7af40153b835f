//! A database of one's own, migrated, and gone when it is dropped.

use std::ops::{Deref, DerefMut};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use postgres::config::Host;
use postgres::{Client, Config, NoTls};

use crate::native::NativeDatabase;
use crate::{template, workspace};

/// The application role, fixed by the migrations.
pub const APPLICATION_ROLE: &str = "cofrap_app";

/// Its password in test clusters. The role belongs to the cluster, so all tests share it; the characters that mean
/// something in a URL are there to show that every DSN is encoded. Tests search logs and dumps for it.
pub const APPLICATION_PASSWORD: &str = "test/only:p@ss%word#1";

/// How long a connection that is kept may take to say that it still works.
const PATIENCE: Duration = Duration::from_secs(10);

/// A migrated database without rows.
#[derive(Debug)]
pub struct TestDatabase {
    /// The owner's URL of the maintenance database of its server.
    server: String,
    name: String,
    reader: Kept,
    mover: Kept,
}

impl TestDatabase {
    /// Copies the migrated template. The template is made by the first call of a test run.
    #[must_use]
    pub fn fresh() -> Self {
        static TEMPLATE: OnceLock<String> = OnceLock::new();
        let template = TEMPLATE.get_or_init(template::ready);
        let database = Self::named(workspace::maintenance_url());
        database
            .maintenance()
            .batch_execute(&format!("CREATE DATABASE {} TEMPLATE {template}", database.name))
            .expect("a database can be copied from the template");
        database
    }

    /// Makes an empty one on a server, by the owner's URL of its maintenance database: without tables.
    #[must_use]
    pub fn empty_on(server: &str) -> Self {
        let database = Self::named(server.to_owned());
        database.maintenance().batch_execute(&format!("CREATE DATABASE {}", database.name)).unwrap();
        database
    }

    /// Makes and migrates one on a server of the test's own, by the owner's URL of its maintenance database.
    #[must_use]
    pub fn on(server: &str) -> Self {
        let database = Self::empty_on(server);
        template::run_ops("role", &database.owner_url());
        template::run_ops("migrate", &database.owner_url());
        database
    }

    fn named(server: String) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("identity_test_{}_{}", process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Self { server, name, reader: Kept::default(), mover: Kept::default() }
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The owner's URL of this database.
    #[must_use]
    pub fn owner_url(&self) -> String {
        with_database(&self.server, &self.name)
    }

    /// A connection as the owner, who finds the service's tables without naming their schema.
    #[must_use]
    pub fn owner(&self) -> Client {
        let mut client = Client::connect(&self.owner_url(), NoTls).expect("the owner can connect");
        client.batch_execute("SET search_path = identity").unwrap();
        client
    }

    /// The owner's connection for what only reads. Nothing else may be done with it: it is shared.
    pub(crate) fn reader(&self) -> KeptClient<'_> {
        self.reader.get(|| self.owner())
    }

    /// The owner's connection for what moves rows, without the triggers that refuse to turn a step back. It is shared.
    pub(crate) fn mover(&self) -> KeptClient<'_> {
        self.mover.get(|| {
            let mut client = self.owner();
            client
                .batch_execute("SET session_replication_role = replica")
                .expect("the tests' owner is a superuser");
            client
        })
    }

    /// A connection as the application role.
    #[must_use]
    pub fn application(&self) -> Client {
        Client::connect(&self.application_dsn(), NoTls).expect("the application role can connect")
    }

    /// A connection as the application role, behind the seam of the operations.
    #[must_use]
    pub fn store(&self) -> NativeDatabase {
        NativeDatabase::new(self.application())
    }

    /// What the components get as `pg_dsn`.
    #[must_use]
    pub fn application_dsn(&self) -> String {
        application_dsn(&self.host(), self.port(), &self.name)
    }

    /// The same without the pin on READ COMMITTED: the role's default counts.
    ///
    /// # Panics
    /// When the DSN pins nothing.
    #[must_use]
    pub fn application_dsn_without_pin(&self) -> String {
        let dsn = self.application_dsn();
        let (unpinned, pin) = dsn.split_once("&options=").expect("the pin is the last of the parameters");
        assert!(pin.contains("read"), "the pin is the last of the parameters: {pin}");
        unpinned.to_owned()
    }

    /// Makes REPEATABLE READ the application role's default in this database, as an operator might.
    pub fn default_to_repeatable_read(&self) {
        let statement = format!(
            "ALTER ROLE {APPLICATION_ROLE} IN DATABASE {} SET default_transaction_isolation = 'repeatable read'",
            self.name
        );
        self.owner().batch_execute(&statement).unwrap();
    }

    /// The host that PostgreSQL listens on.
    #[must_use]
    pub fn host(&self) -> String {
        match self.owner_config().get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            _ => "127.0.0.1".to_owned(),
        }
    }

    /// The port that PostgreSQL listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.owner_config().get_ports().first().copied().unwrap_or(5432)
    }

    /// Seconds since the epoch by the only clock of the service, the database's. Rounded down, as a TOTP step is: half a
    /// second early, a code would be of a step that has not begun.
    #[must_use]
    pub fn now(&self) -> u64 {
        let row = self.reader().query_one("SELECT floor(extract(epoch FROM now()))::bigint", &[]).unwrap();
        u64::try_from(row.get::<_, i64>(0)).unwrap()
    }

    /// Seconds since the epoch of a point in time as the API writes it.
    #[must_use]
    pub fn seconds(&self, time: &str) -> u64 {
        let statement = "SELECT floor(extract(epoch FROM $1::text::timestamptz))::bigint";
        let row = self.reader().query_one(statement, &[&time]).expect("a point in time");
        u64::try_from(row.get::<_, i64>(0)).unwrap()
    }

    /// Seconds since the epoch of six calendar months from now, by PostgreSQL's own calendar.
    #[must_use]
    pub fn six_months_from_now(&self) -> u64 {
        let statement = "SELECT floor(extract(epoch FROM (now() AT TIME ZONE 'UTC' + interval '6 months') \
                         AT TIME ZONE 'UTC'))::bigint";
        u64::try_from(self.reader().query_one(statement, &[]).unwrap().get::<_, i64>(0)).unwrap()
    }

    /// Ends every connection to the database and refuses new ones.
    pub fn refuse_connections(&self) {
        let mut maintenance = self.maintenance();
        maintenance.batch_execute(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name)).unwrap();
        let statement = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1";
        maintenance.execute(statement, &[&self.name]).unwrap();
    }

    /// Lets connections in again.
    pub fn accept_connections(&self) {
        let statement = format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name);
        self.maintenance().batch_execute(&statement).unwrap();
    }

    fn owner_config(&self) -> Config {
        self.server.parse().expect("the server's URL is a connection URL")
    }

    fn maintenance(&self) -> Client {
        Client::connect(&self.server, NoTls).expect("the test PostgreSQL answers")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Dropping may happen while a failed test unwinds: a second panic would hide the first.
        if let Ok(mut client) = Client::connect(&self.server, NoTls) {
            client.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).ok();
        }
    }
}

/// A connection that is made when it is first needed, and again after it broke: making one costs more than any query.
#[derive(Default)]
struct Kept(Mutex<Option<Client>>);

impl Kept {
    fn get(&self, connect: impl FnOnce() -> Client) -> KeptClient<'_> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let works = kept.as_mut().is_some_and(|client| client.is_valid(PATIENCE).is_ok());
        if !works {
            *kept = Some(connect());
        }
        KeptClient(kept)
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Kept")
    }
}

/// A kept connection, while somebody uses it.
pub(crate) struct KeptClient<'kept>(MutexGuard<'kept, Option<Client>>);

impl Deref for KeptClient<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.0.as_ref().expect("it was just connected")
    }
}

impl DerefMut for KeptClient<'_> {
    fn deref_mut(&mut self) -> &mut Client {
        self.0.as_mut().expect("it was just connected")
    }
}

/// The application's DSN for a server and database, with the parameters that `make up` and `k3s/secrets` write.
#[must_use]
pub fn application_dsn(host: &str, port: u16, database: &str) -> String {
    static PARAMETERS: LazyLock<String> = LazyLock::new(parameters_of_the_dsn);
    let password = utf8_percent_encode(APPLICATION_PASSWORD, NON_ALPHANUMERIC);
    format!("postgres://{APPLICATION_ROLE}:{password}@{host}:{port}/{database}?{}", *PARAMETERS)
}

fn parameters_of_the_dsn() -> String {
    let script = ". scripts/database.sh; DB_HOST= DB_PORT= DB_NAME= DB_TLS=disable; application_dsn ''";
    let output =
        process::Command::new("bash").args(["-euc", script]).current_dir(workspace::root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let dsn = String::from_utf8(output.stdout).unwrap();
    dsn.trim_end().split_once('?').expect("a DSN has parameters").1.to_owned()
}

/// The same URL with another database.
#[must_use]
pub fn with_database(url: &str, database: &str) -> String {
    let (front, query) = url.split_once('?').map_or((url, None), |(front, query)| (front, Some(query)));
    let authority = front.find("://").map(|at| at + 3).expect("TEST_DATABASE_URL is a postgres:// URL");
    let end = front[authority..].find('/').map_or(front.len(), |at| authority + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{database}{query}", &front[..end])
}
