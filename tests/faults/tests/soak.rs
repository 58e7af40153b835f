//! PostgreSQL is killed while people are on their way. `make soak` sends ten thousand of them; `make test` some.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "A test that cannot go on has failed.")]

use std::env;

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

const SLICE: Size = Size { people: 60, abreast: 8, kills: 2 };
const FULL: Size = Size { people: 10_000, abreast: 16, kills: 5 };

/// The slice, or the full size with as many people as `PEOPLE` says.
fn size() -> Size {
    if !is_full() {
        return SLICE;
    }
    let people = env::var("PEOPLE").ok().filter(|number| !number.is_empty());
    let people = people.map_or(FULL.people, |number| number.parse().expect("PEOPLE is a number"));
    Size { people, ..FULL }
}

#[test]
fn whatever_was_acknowledged_outlives_a_database_that_is_killed() {
    let size = size();
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

    println!("everybody has arrived; looking at every account");
    let report: Report = ledger.hold_against(&running);
    println!("\n{report}");
    assert!(ledger.refused() > 0, "nobody noticed a kill");
    report.assert_held();
    running.database.assert_sound();
}
