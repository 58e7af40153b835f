//! Apps that tests of one binary share, because a host takes a second to start: one for tests that mind only their own
//! usernames, and one for tests that need the database to themselves.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use crate::{App, Client, Config, TestDatabase};

/// An app and its database.
pub struct Running {
    /// Where its rows are.
    pub database: TestDatabase,
    /// The host.
    pub app: App,
    /// A client of it.
    pub client: Client,
}

impl Running {
    /// Starts an app over a fresh database.
    #[must_use]
    pub fn start() -> Self {
        let database = TestDatabase::fresh();
        let config = Config::over(&database);
        Self::with(database, &config)
    }

    /// Starts an app with these variables over a database.
    #[must_use]
    pub fn with(database: TestDatabase, config: &Config) -> Self {
        let app = App::with(config);
        let client = app.client();
        Self { database, app, client }
    }

    /// A name that no other test of this binary uses, with a hint of whose it is.
    #[must_use]
    pub fn username(&self, hint: &str) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        format!("{hint}-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
    }
}

/// The app that runs many tests at once. A test may touch only accounts that it made.
pub fn shared() -> &'static Running {
    static SHARED: LazyLock<Running> = LazyLock::new(Running::start);
    &SHARED
}

/// The app whose database changes only by what the holder of this does.
pub type Quiet = MutexGuard<'static, Running>;

/// Waits until no other test has it.
pub fn quiet() -> Quiet {
    static QUIET: LazyLock<Mutex<Running>> = LazyLock::new(|| Mutex::new(Running::start()));
    // A test that failed while it had it left rows behind, which every other test expects anyway.
    QUIET.lock().unwrap_or_else(PoisonError::into_inner)
}
