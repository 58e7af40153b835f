//! PostgreSQL is killed while people are on their way. `make soak` sends ten thousand of them; `make test` some.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "A test that cannot go on has failed.")]

use faults::{Report, Server, assert_back, is_full, traffic};
use harness::TestDatabase;
use harness::app::Config;
use harness::shared::Running;

/// How many people, how many of them at a time, how many kills.
struct Size {
    people: usize,
    abreast: usize,
    kills: usize,
}

const FULL: Size = Size { people: 10_000, abreast: 16, kills: 5 };
const SLICE: Size = Size { people: 60, abreast: 8, kills: 2 };

#[test]
fn whatever_was_acknowledged_outlives_a_database_that_is_killed() {
    let size = if is_full() { FULL } else { SLICE };
    let server = Server::start("soak");
    let database = TestDatabase::on(server.url());
    let config = Config::over(&database);
    let running = Running::with(database, &config);

    let ledger = traffic::crowd(&running, size.people, size.abreast, |progress| {
        for kill in 1..=size.kills {
            progress.wait_for(size.people * kill / (size.kills + 1));
            server.kill();
            println!("killed PostgreSQL ({kill} of {}) at {} activations", size.kills, progress.activated());
            server.start_again();
            assert_back(&running);
        }
    });

    let report: Report = ledger.hold_against(&running);
    println!("\n{report}");
    assert!(ledger.refused() > 0, "nobody noticed a kill");
    report.assert_held();
}
