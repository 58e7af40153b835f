//! What stands around the bodies of functions, and what the schema keeps of a release.

use std::collections::BTreeSet;

use harness::TestDatabase;
use journey::functions::{DEFINITIONS, Kind};

/// Those of the schema itself that PostgreSQL puts in the place of their call, which it does with none that sets something.
const IN_PLACE: [&str; 3] = ["is_event_kind", "is_event_outcome", "name_hash"];

/// The names of the functions of the schema of which something holds.
fn names(database: &TestDatabase, condition: &str) -> BTreeSet<String> {
    let query = format!(
        "SELECT proname::text FROM pg_proc WHERE pronamespace = 'identity'::regnamespace AND {condition}"
    );
    database.owner().query(&query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

fn of(kinds: &[Kind]) -> impl Iterator<Item = String> {
    let is_one = |kind: &Kind| kinds.contains(kind);
    DEFINITIONS.iter().filter(move |one| is_one(&one.kind)).map(|one| one.name.to_owned())
}

/// What a caller's own path leads to is then never called, whoever the caller is.
#[test]
fn a_function_looks_for_what_it_names_where_nobody_else_can_put_anything() {
    let database = TestDatabase::fresh();
    let unpinned = names(&database, "proconfig[1] IS DISTINCT FROM 'search_path=pg_catalog, pg_temp'");
    assert_eq!(unpinned, of(&[Kind::Word]).chain(IN_PLACE.map(str::to_owned)).collect());
}

/// A function that may change something sees more than the statement that calls it, and no index is used for what it says.
#[test]
fn words_and_helpers_see_what_the_statement_sees_that_calls_them() {
    let database = TestDatabase::fresh();
    let changes = names(&database, "provolatile = 'v'");
    assert_eq!(of(&[Kind::Word, Kind::Helper]).find(|name| changes.contains(name)), None);
}

#[test]
fn a_release_keeps_each_of_its_functions_once_and_since_when() {
    let database = TestDatabase::fresh();
    let mut owner = database.owner();
    owner.batch_execute("INSERT INTO release_function (release, name) VALUES ('0.0.0', 'f_1')").unwrap();
    let again = owner.batch_execute("INSERT INTO release_function (release, name) VALUES ('0.0.0', 'f_1')");
    assert_eq!(again.unwrap_err().as_db_error().unwrap().constraint(), Some("release_function_pkey"));
    for column in ["release", "name", "installed_at"] {
        let refused =
            owner.batch_execute(&format!("UPDATE release_function SET {column} = NULL")).unwrap_err();
        assert_eq!(refused.as_db_error().unwrap().column(), Some(column));
    }
}
