//! What health finds out of the database, and of its clock.

use std::cell::Cell;
use std::rc::Rc;

use domain::UnixTime;
use domain::limits::CLOCKS_APART_MAX_SECONDS;
use harness::{NativeDatabase, TestDatabase};
use journey::{Database, Error, Row, StatementError, Value, health};

use crate::world::{World, function};

/// Asks with a clock that says what the database's says.
fn check(database: &TestDatabase, app: &NativeDatabase) -> Result<(), Error> {
    health::check(app, || UnixTime::from_seconds(database.now().try_into().unwrap()))
}

/// Its own function is there only where all of exactly this release are: a digest of their names is part of its name.
#[test]
fn health_needs_the_functions_and_the_rights_to_them() {
    let function = function("health/check.sql");
    for (sqlstate, statement) in [
        ("42883", format!("ALTER FUNCTION {function} RENAME TO of_another_release")),
        ("42501", format!("REVOKE EXECUTE ON FUNCTION {function} FROM cofrap_app")),
        ("42501", "REVOKE USAGE ON SCHEMA identity FROM cofrap_app".to_owned()),
    ] {
        let database = TestDatabase::fresh();
        assert_eq!(check(&database, &database.store()), Ok(()));
        database.owner().batch_execute(&statement).unwrap();
        assert_eq!(sqlstate_of(check(&database, &database.store())), sqlstate, "{statement}");
    }
}

#[test]
fn health_needs_a_database_that_may_be_written_to() {
    let database = TestDatabase::fresh();
    let app = database.store();
    app.query("SET default_transaction_read_only = on", &[]).unwrap();
    assert_eq!(sqlstate_of(check(&database, &app)), "25006");
}

fn sqlstate_of(refused: Result<(), Error>) -> String {
    match refused {
        Err(Error::Unavailable(StatementError::Refused { sqlstate, .. })) => sqlstate,
        other => panic!("{other:?}"),
    }
}

#[test]
fn health_says_by_how_much_the_databases_clock_is_another() {
    let world = World::new();
    for (moved, told) in [(-120, "ahead of"), (120, "behind")] {
        let elsewhere = world.time().plus_seconds(moved);
        let apart = health::check(&world.app, || elsewhere).unwrap_err().to_string();
        // A busy machine takes its time in between.
        let says = |seconds: i64| {
            format!(
                "the database's clock is {seconds} seconds {told} this server's: one of the two needs NTP"
            )
        };
        assert!((60..=180).map(says).any(|sentence| sentence == apart), "{apart}");
    }
}

/// Answers with this time.
struct At(i64);

impl Database for At {
    fn query(&self, _statement: &str, _parameters: &[Value]) -> Result<Vec<Row>, StatementError> {
        let columns: Rc<[String]> = Rc::from(["now".to_owned()]);
        Ok(vec![Row::new(columns, vec![Value::Integer(self.0)])])
    }
}

#[test]
fn clocks_may_differ_by_the_window_of_codes_and_an_answer_may_take_its_time() {
    const MOST: i64 = CLOCKS_APART_MAX_SECONDS;
    for (before, after, there, ahead) in [
        (1_000, 1_000, 1_000 + MOST, None),
        (1_000, 1_000, 1_000 + MOST + 1, Some(MOST + 1)),
        (1_000, 1_000, 1_000 - MOST, None),
        (1_000, 1_000, 1_000 - MOST - 1, Some(-MOST - 1)),
        // While it was asked, two minutes went by.
        (1_000, 1_120, 1_000 - MOST, None),
        (1_000, 1_120, 1_000 - MOST - 1, Some(-MOST - 1)),
        (1_000, 1_120, 1_060, None),
        (1_000, 1_120, 1_120 + MOST, None),
        (1_000, 1_120, 1_120 + MOST + 1, Some(MOST + 1)),
        // While it was asked, the clock of who asked was put back.
        (1_000, 900, 1_000 + MOST, None),
        (1_000, 900, 1_000 - MOST - 1, Some(-MOST - 1)),
        (0, 0, i64::MIN, Some(i64::MIN)),
    ] {
        let next = Cell::new(before);
        let found = health::check(&At(there), || UnixTime::from_seconds(next.replace(after)));
        let expected = ahead.map_or(Ok(()), |ahead_seconds| Err(Error::ClocksApart { ahead_seconds }));
        assert_eq!(found, expected, "between {before} and {after}: {there}");
    }
}
