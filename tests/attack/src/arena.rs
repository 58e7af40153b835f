//! Where the races are run: two server processes over one database, in each way that its transactions may be isolated.

use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use harness::authenticator::STEP_SECONDS;
use harness::barrier::{Tally, tally};
use harness::client::Request;
use harness::shared::Running;
use harness::{Answer, App, Client, Config, TestDatabase};

/// How many requests are let go together.
pub const AT_ONCE: usize = 50;

/// How PostgreSQL isolates the statements of one request from those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// READ COMMITTED, as the service is shipped.
    AsShipped,
    /// The role's default is REPEATABLE READ, and the DSN's pin wins.
    PinnedOverAStricterDefault,
    /// The role's default is REPEATABLE READ, and nothing pins: PostgreSQL then asks for statements to be repeated.
    StricterWithoutAPin,
}

impl Isolation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AsShipped, Self::PinnedOverAStricterDefault, Self::StricterWithoutAPin];
}

/// Two server processes over one database.
pub struct Arena {
    /// The first process, with the database.
    pub running: Running,
    second: App,
    clients: [Client; 2],
    isolation: Isolation,
}

impl Arena {
    /// Starts them over a fresh database.
    #[must_use]
    pub fn start(isolation: Isolation) -> Self {
        let database = TestDatabase::fresh();
        if isolation != Isolation::AsShipped {
            database.default_to_repeatable_read();
        }
        let config = Config::over(&database);
        let config = match isolation {
            Isolation::StricterWithoutAPin => {
                config.variable("pg_dsn", &database.application_dsn_without_pin())
            }
            _ => config,
        };
        let second = App::with(&config);
        let running = Running::with(database, &config);
        let clients = [running.client.clone(), second.client()];
        Self { running, second, clients, isolation }
    }

    /// The database.
    #[must_use]
    pub const fn database(&self) -> &TestDatabase {
        &self.running.database
    }

    /// A client of the one process or of the other, by turns.
    #[must_use]
    pub const fn client(&self, number: usize) -> &Client {
        &self.clients[number % self.clients.len()]
    }

    /// Starts the second process anew, as after a crash: it is killed, not asked.
    pub fn restart_the_second(&mut self) {
        self.second = App::with(&Config::over(self.database()));
        self.clients[1] = self.second.client();
    }

    /// As many requests as go together, by turns to the one process and to the other.
    pub fn volley<'arena>(
        &'arena self,
        request: impl Fn(&'arena Client, usize) -> Request<'arena>,
    ) -> Vec<Request<'arena>> {
        (0..AT_ONCE).map(|number| request(self.client(number), number)).collect()
    }

    /// Whether the counts of a race are exact: PostgreSQL asks for nothing to be repeated.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.isolation != Isolation::StricterWithoutAPin
    }

    /// Holds answers against what they have to be, the winners first. Where statements have to be repeated, some may
    /// give up (`503`); nobody else may win, and there is no other answer.
    #[track_caller]
    pub fn assert_answers<const N: usize>(&self, answers: &[Answer], parts: [(u16, &str, usize); N]) {
        let counted = tally(answers);
        if self.is_exact() {
            assert_eq!(counted, harness::barrier::expected(parts));
            return;
        }
        let (status, code, most) = parts[0];
        let winners = counted.get(&(status, code.to_owned())).copied().unwrap_or_default();
        assert!(winners <= most, "{winners} of {most} won: {counted:?}");
        self.assert_only(answers, &parts.map(|(status, code, _)| (status, code)));
    }

    /// Holds answers against a list of those that there may be; `503` only where statements have to be repeated.
    #[track_caller]
    pub fn assert_only(&self, answers: &[Answer], allowed: &[(u16, &str)]) {
        let counted: Tally = tally(answers);
        for (status, code) in counted.keys() {
            let gives_up = !self.is_exact() && *status == 503;
            assert!(gives_up || allowed.contains(&(*status, code.as_str())), "{counted:?}");
        }
    }
}

/// The arena of this isolation that the races of one test binary share. A race may touch only accounts that it made.
pub fn arena(isolation: Isolation) -> &'static Arena {
    static ARENAS: [LazyLock<Arena>; 3] = [
        LazyLock::new(|| Arena::start(Isolation::AsShipped)),
        LazyLock::new(|| Arena::start(Isolation::PinnedOverAStricterDefault)),
        LazyLock::new(|| Arena::start(Isolation::StricterWithoutAPin)),
    ];
    let position = Isolation::ALL.iter().position(|one| *one == isolation).expect("it is one of all");
    &ARENAS[position]
}

/// Waits until a step has begun not long ago, so that what follows ends in the step in which it began. Returns the time,
/// in seconds since the epoch.
#[must_use]
pub fn early_in_a_step(database: &TestDatabase) -> u64 {
    loop {
        let now = database.now();
        if now % STEP_SECONDS < STEP_SECONDS / 2 {
            return now;
        }
        thread::sleep(Duration::from_millis(500));
    }
}
