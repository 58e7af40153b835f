//! The database is stopped, killed, full, read-only, or busy: nothing is served, nothing is lost, and the service is
//! there again as soon as the database is, without anybody's help.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use faults::{Server, assert_back, assert_no_open_transaction, traffic};
use harness::app::Config;
use harness::barrier::{expected, tally};
use harness::database::APPLICATION_ROLE;
use harness::deadline::{poll, timed};
use harness::shared::Running;
use harness::{Answer, TestDatabase};
use postgres::{Client, NoTls};

use crate::requests::{assert_nothing_is_served, assert_unharmed};

const ABREAST: usize = 4;

/// One at a time: each has a PostgreSQL and a host of its own, and its bounds on time are for a machine that can run them.
pub fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server of the test's own, and the service over a database on it.
pub fn site(name: &str) -> (Server, Running) {
    let server = Server::start(name);
    let database = TestDatabase::on(server.url());
    let config = Config::over(&database);
    (server, Running::with(database, &config))
}

/// The database goes and comes back while people are on their way.
fn outage(name: &str, go: fn(&Server), come_back: fn(&Server)) {
    let _turn = alone();
    let (server, running) = site(name);
    let account = running.account("survivor");
    let ledger = traffic::crowd(&running, 0, ABREAST, |progress| {
        progress.wait_for(ABREAST);
        go(&server);
        assert_nothing_is_served(&running, &account);
        come_back(&server);
        assert_back(&running);
        progress.wait_for(progress.activated() + ABREAST);
    });
    assert!(ledger.refused() > 0, "nobody noticed");
    ledger.hold_against(&running).assert_held();
    assert_unharmed(&running, &account);
}

#[test]
fn a_stopped_database_takes_nothing_with_it_and_brings_the_service_back() {
    outage("stopped", Server::stop, Server::start_again);
}

#[test]
fn a_killed_database_takes_nothing_with_it_and_brings_the_service_back() {
    outage("killed", Server::kill, Server::start_again);
}

#[test]
fn while_others_have_all_connections_nothing_is_served_and_afterwards_everything() {
    let _turn = alone();
    let server = Server::start("full");
    server.set("max_connections = 24");
    server.stop();
    server.start_again();
    let database = TestDatabase::on(server.url());
    let config = Config::over(&database);
    let running = Running::with(database, &config);
    let account = running.account("survivor");
    let before = running.database.fingerprint();

    let mut owner = running.database.owner();
    let mut others = Vec::new();
    end_connections(&mut owner);
    // As the application: a few connections are kept for others.
    while let Ok(client) = Client::connect(&running.database.application_dsn(), NoTls) {
        others.push(client);
    }
    assert!(others.len() > 5, "{} connections were to be had", others.len());
    assert_nothing_is_served(&running, &account);
    running.app.expect_log("too many connections");
    drop(others);
    assert_back(&running);
    assert_eq!(running.database.fingerprint(), before);
    assert_unharmed(&running, &account);
    assert_no_open_transaction(&running);
}

/// A connection keeps what was the rule when it was made, and Spin's pool keeps connections. So whoever changes the rule
/// ends them, both times; a standby that is promoted changes it for connections that there are.
#[test]
fn a_read_only_database_serves_nothing_says_so_and_changes_nothing() {
    let running = Running::start();
    let account = running.account("survivor");
    let before = running.database.fingerprint();
    let mut owner = running.database.owner();
    let read_only = |owner: &mut Client, value: &str| {
        let name = running.database.name();
        owner
            .batch_execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = {value}"))
            .unwrap();
        end_connections(owner);
    };
    read_only(&mut owner, "on");
    // A token that nobody knows, and one that is dead, are refused only with an event: 503 too.
    assert_nothing_is_served(&running, &account);
    running.app.expect_log("25006");
    assert_eq!(running.database.fingerprint(), before);
    read_only(&mut owner, "off");
    assert_back(&running);
    assert_unharmed(&running, &account);
    assert_no_open_transaction(&running);
}

/// The bound is the role's `statement_timeout` (five seconds): the only one that a statement has on Spin.
#[test]
fn a_statement_that_waits_for_a_lock_is_given_up_and_uses_up_nothing() {
    let running = Running::start();
    let account = running.account("locked");
    let code = running.fresh_code(&account);
    let before = running.database.fingerprint();
    let mut somebody = running.database.owner();
    let mut transaction = somebody.transaction().unwrap();
    transaction.query("SELECT FROM account WHERE username = $1 FOR UPDATE", &[&account.username]).unwrap();
    let (answer, time) = timed(|| running.client.login(&account.username, &account.password, &code));
    answer.refused(503, "unavailable");
    assert!((4..8).contains(&time.as_secs()), "{time:?}");
    running.app.expect_log("57014");
    // Others do not wait for it.
    assert_eq!(running.client.get("/api/health").send().status, 200);
    assert_no_open_transaction(&running);
    transaction.rollback().unwrap();
    assert_eq!(running.database.fingerprint(), before);
    assert_eq!(running.client.login(&account.username, &account.password, &code).status, 200);
}

/// Whoever waits for an account's row keeps a connection until then. So many of somebody's own requests hold up only
/// themselves, as long as they are fewer than the connections of a process.
#[test]
fn who_waits_for_one_account_keeps_nobody_else_waiting() {
    const WAITING: usize = 40;
    let running = Running::start();
    // So that a busy machine has the time to let all of them wait at once.
    let longer = format!(
        "ALTER ROLE {APPLICATION_ROLE} IN DATABASE {} SET statement_timeout = '60s'",
        running.database.name()
    );
    running.database.owner().batch_execute(&longer).unwrap();
    let [hot, other] = ["hot", "other"].map(|hint| running.account(hint));
    let [code, others_code] = [&hot, &other].map(|account| running.fresh_code(account));
    let mut somebody = running.database.owner();
    let mut transaction = somebody.transaction().unwrap();
    transaction.query("SELECT FROM account WHERE username = $1 FOR UPDATE", &[&hot.username]).unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let answers: Vec<Answer> = thread::scope(|scope| {
        let login = || running.client.login(&hot.username, &hot.password, &code);
        let logins: Vec<_> = (0..WAITING).map(|_| scope.spawn(login)).collect();
        // Of another connection: within a transaction, the answer would stay what it was.
        let mut watcher = running.database.owner();
        let all_wait = || {
            let count: i64 = watcher.query_one(waiting, &[]).unwrap().get(0);
            (usize::try_from(count) == Ok(WAITING)).then_some(())
        };
        poll(Duration::from_secs(30), all_wait).expect("all of them wait for the row");
        assert_eq!(running.client.login(&other.username, &other.password, &others_code).status, 200);
        assert_eq!(running.client.get("/api/health").send().status, 200);
        transaction.rollback().unwrap();
        logins.into_iter().map(|login| login.join().unwrap()).collect()
    });
    assert_eq!(tally(&answers), expected([(200, "", 1), (401, "invalid_credentials", WAITING - 1)]));
}

fn end_connections(owner: &mut Client) {
    let statement = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid()";
    owner.execute(statement, &[]).unwrap();
}

/// Where the PostgreSQL of a database listens.
pub fn address(database: &TestDatabase) -> SocketAddr {
    let host: Ipv4Addr = database.host().parse().expect("the test PostgreSQL is on loopback");
    (host, database.port()).into()
}
