//! The network between the app and PostgreSQL closes, is silent, or is slow.

use std::thread;
use std::time::Duration;

use faults::{Proxy, assert_back, assert_no_open_transaction, traffic};
use harness::TestDatabase;
use harness::app::Config;
use harness::database::application_dsn;
use harness::shared::Running;

use crate::database::address;
use crate::requests::{assert_nothing_is_served, assert_unharmed};

/// An app that reaches its database through a proxy.
pub fn behind_a_proxy() -> (Proxy, Running, Config) {
    let database = TestDatabase::fresh();
    let proxy = Proxy::to(address(&database));
    let dsn = application_dsn("127.0.0.1", proxy.port(), database.name());
    let config = Config::with_dsn(&dsn, "127.0.0.1", proxy.port());
    let running = Running::with(database, &config);
    (proxy, running, config)
}

#[test]
fn a_network_that_closes_connections_takes_nothing_with_it() {
    let (proxy, running, _) = behind_a_proxy();
    let account = running.account("survivor");
    let ledger = traffic::crowd(&running, 0, 4, |progress| {
        progress.wait_for(4);
        proxy.close();
        assert_nothing_is_served(&running, &account);
        proxy.pass();
        assert_back(&running);
        progress.wait_for(progress.activated() + 4);
        // Those in use, in the midst of whatever they do.
        for _ in 0..20 {
            proxy.cut();
            thread::sleep(Duration::from_millis(50));
        }
        assert_back(&running);
    });
    assert!(ledger.refused() > 0, "nobody noticed");
    ledger.hold_against(&running).assert_held();
    assert_unharmed(&running, &account);
}

#[test]
fn a_slow_network_makes_requests_slow_and_nothing_else() {
    let (proxy, running, _) = behind_a_proxy();
    proxy.delay(Duration::from_millis(5));
    let account = running.account("patient");
    assert_unharmed(&running, &account);
    assert_no_open_transaction(&running);
}

/// A guest on Spin has no timeout of its own: the ingress' bounds how long a client waits. What is shown here is that
/// nothing is lost by it, more requests than the pool has connections included, and that the end of the silence, or of
/// the connections, ends the waiting.
#[test]
fn a_silent_database_holds_requests_until_it_speaks_or_its_connections_end() {
    const MORE_THAN_THE_POOL: usize = 70;
    const POOL: usize = 64;
    let (proxy, running, _) = behind_a_proxy();
    let account = running.account("survivor");
    let code = running.fresh_code(&account);
    let health = || running.client.get("/api/health").send().status;

    proxy.be_silent();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| running.client.login(&account.username, &account.password, &code));
        wait_for(&proxy, 1);
        proxy.pass();
        assert_eq!(waiting.join().unwrap().status, 200);
    });
    assert_back(&running);

    proxy.be_silent();
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..MORE_THAN_THE_POOL).map(|_| scope.spawn(health)).collect();
        wait_for(&proxy, POOL);
        proxy.close();
        for request in waiting {
            assert_eq!(request.join().unwrap(), 503);
        }
        proxy.pass();
    });
    assert_back(&running);
    assert_unharmed(&running, &account);
    assert_no_open_transaction(&running);
}

fn wait_for(proxy: &Proxy, connections: usize) {
    let enough = || (proxy.waiting() >= connections).then_some(());
    harness::deadline::poll(Duration::from_secs(20), enough).expect("so many wait");
}
