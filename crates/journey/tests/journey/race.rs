//! The same thing, done by many connections at once, and one thing that waits for another.

use std::thread;
use std::time::Duration;

use harness::barrier::at_once;
use harness::deadline::poll;
use harness::{NativeDatabase, TestDatabase};
use journey::Database;

/// Runs `act` on `contenders` connections that start together, and collects what each got.
pub(crate) fn race<T: Send>(
    database: &TestDatabase,
    contenders: u64,
    act: impl Fn(&NativeDatabase, u64) -> T + Sync,
) -> Vec<T> {
    let act = &act;
    let contender = |number| {
        let connection = database.store();
        move || act(&connection, number)
    };
    at_once((0..contenders).map(contender).collect())
}

/// A connection of the application in a transaction that its next statement begins and `COMMIT` ends, so that what that
/// one has locked stays locked. The service has none of these: here it stands for a moment.
pub(crate) fn paused(database: &TestDatabase) -> NativeDatabase {
    let mut client = database.application();
    client.batch_execute("SET idle_in_transaction_session_timeout = 0; BEGIN").unwrap();
    NativeDatabase::new(client)
}

/// Runs `beside` while `first` holds its locks, lets `first` commit once `beside` waits for them, and returns what
/// `beside` got.
pub(crate) fn waits_for<T: Send>(
    database: &TestDatabase,
    first: NativeDatabase,
    beside: impl FnOnce(&NativeDatabase) -> T + Send,
) -> T {
    thread::scope(|scope| {
        let waiting = scope.spawn(move || beside(&database.store()));
        wait_for_a_wait(database);
        first.query("COMMIT", &[]).unwrap();
        waiting.join().unwrap()
    })
}

/// The same with statements of the owner, who has done them when `beside` begins.
pub(crate) fn waits_for_owner<T: Send>(
    database: &TestDatabase,
    statements: &str,
    beside: impl FnOnce(&NativeDatabase) -> T + Send,
) -> T {
    let mut owner = database.owner();
    owner.batch_execute(&format!("BEGIN; {statements}")).unwrap();
    waits_for(database, NativeDatabase::new(owner), beside)
}

/// Returns when a connection to the database waits for a lock.
pub(crate) fn wait_for_a_wait(database: &TestDatabase) {
    let mut owner = database.owner();
    let waits =
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    poll(Duration::from_secs(30), || owner.query_opt(waits, &[]).unwrap()).expect("somebody waits");
}
