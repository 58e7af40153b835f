//! What breaks things, and what looks at the damage.
//!
//! A [`Proxy`] between the app and PostgreSQL cuts, holds back and delays; a [`Server`] is a PostgreSQL of a test's own,
//! to be killed. [`traffic`] sends many people through the journey meanwhile, each as patient as a person, and
//! [`ledger`] holds what they were told against what is stored. [`backup`] runs the scripts that
//! save and bring back what a server holds, [`population`] fills one with accounts that nobody walks for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "A test helper that cannot go on fails the test, which is what a panic is for."
)]

pub mod backup;
pub mod ledger;
pub mod population;
pub mod proxy;
pub mod server;
pub mod traffic;
mod wire;

use std::env;
use std::time::Duration;

use harness::deadline::poll;
use harness::shared::Running;

pub use ledger::Report;
pub use proxy::Proxy;
pub use server::Server;

/// The bound on a refusal for want of a database, and on the return of the service after that of the database: two seconds. In
/// `make test`, which shares its machine with other tests, twice that, less than the five of a statement that is given up.
#[must_use]
pub fn soon() -> Duration {
    Duration::from_secs(if is_full() { 2 } else { 4 })
}

/// Whether everything is run (`make soak`), or the slice that is in `make test`.
#[must_use]
pub fn is_full() -> bool {
    env::var("FAULTS").is_ok_and(|size| size == "full")
}

/// Asserts that the service answers again, without anybody's help, within the bound.
#[track_caller]
pub fn assert_back(running: &Running) {
    let healthy = || {
        let answer = running.client.get("/api/health").try_send();
        answer.is_ok_and(|answer| answer.status == 200).then_some(())
    };
    assert!(poll(soon(), healthy).is_some(), "the service is not back; it said:\n{}", running.app.log());
}

/// Asserts that no connection of the application stands in a transaction that somebody left open.
#[track_caller]
pub fn assert_no_open_transaction(running: &Running) {
    assert_eq!(ledger::open_transactions(running), 0, "a connection is idle in a transaction");
}
