//! The same thing, done by many connections at once.

use std::sync::Barrier;
use std::thread;

use harness::{NativeDatabase, TestDatabase};

/// Runs `act` on `contenders` connections that start together, and collects what each got.
pub(crate) fn race<T: Send>(
    database: &TestDatabase,
    contenders: u64,
    act: impl Fn(&NativeDatabase, u64) -> T + Sync,
) -> Vec<T> {
    let barrier = Barrier::new(usize::try_from(contenders).unwrap());
    thread::scope(|scope| {
        let threads: Vec<_> = (0..contenders)
            .map(|contender| {
                let (barrier, act) = (&barrier, &act);
                scope.spawn(move || {
                    let connection = database.store();
                    barrier.wait();
                    act(&connection, contender)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
