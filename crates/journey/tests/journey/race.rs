//! The same thing, done by many connections at once.

use harness::barrier::at_once;
use harness::{NativeDatabase, TestDatabase};

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
