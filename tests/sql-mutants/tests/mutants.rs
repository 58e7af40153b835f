//! What is taken out, and that it is taken out of everything that the service has.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use harness::{TestDatabase, workspace};
use sql_mutants::mutant::{Mutant, control, mutants};
use sql_mutants::results::{self, Fate};
use sql_mutants::server::{Reading, Server};
use sql_mutants::source::{self, Form, Source};

const A_FUNCTION: Form = Form::Function { stands_for_its_kind: false };

/// The changes of a text: what each says, and the line that it leaves.
fn changes(text: &str, form: Form) -> Vec<(String, String)> {
    let source = Source { name: "it".to_owned(), text: text.to_owned(), form };
    let changes = mutants(&source).into_iter();
    changes.map(|mutant| (mutant.name.replacen("it: ", "", 1), mutant.mutated)).collect()
}

fn assert_changes(text: &str, form: Form, expected: &[(&str, &str)]) {
    let found = changes(text, form);
    let found: Vec<(&str, &str)> = found.iter().map(|(says, left)| (says.as_str(), left.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_condition_keeps_its_place_and_loses_its_meaning() {
    assert_changes(
        "SELECT a FROM t JOIN u ON t.x = u.x WHERE b = $1 AND (c OR d)",
        A_FUNCTION,
        &[
            (
                "true for t.x = u.x",
                "SELECT a FROM t JOIN u ON ((t.x = u.x) OR true) WHERE b = $1 AND (c OR d)",
            ),
            ("true for b = $1", "SELECT a FROM t JOIN u ON t.x = u.x WHERE ((b = $1) OR true) AND (c OR d)"),
            (
                "true for (c OR d)",
                "SELECT a FROM t JOIN u ON t.x = u.x WHERE b = $1 AND (((c OR d)) OR true)",
            ),
            ("false for c", "SELECT a FROM t JOIN u ON t.x = u.x WHERE b = $1 AND (((c) AND false) OR d)"),
            ("false for d", "SELECT a FROM t JOIN u ON t.x = u.x WHERE b = $1 AND (c OR ((d) AND false))"),
        ],
    );
}

#[test]
fn the_and_of_a_range_joins_no_conditions() {
    let says: Vec<String> = changes("SELECT a FROM t WHERE b BETWEEN 1 AND 2 AND c", A_FUNCTION)
        .into_iter()
        .map(|(says, _)| says)
        .collect();
    assert_eq!(says, ["true for b BETWEEN 1 AND 2", "true for c"]);
}

#[test]
fn a_case_loses_its_branches_and_a_list_its_names() {
    assert_changes(
        "SELECT CASE WHEN a IN ('x', 'y') THEN 'WHERE' ELSE 'b' END -- WHERE c",
        A_FUNCTION,
        &[
            (
                "false for a IN ('x', 'y')",
                "SELECT CASE WHEN ((a IN ('x', 'y')) AND false) THEN 'WHERE' ELSE 'b' END -- WHERE c",
            ),
            ("no 'x' in a IN", "SELECT CASE WHEN a IN ('y') THEN 'WHERE' ELSE 'b' END -- WHERE c"),
            ("no 'y' in a IN", "SELECT CASE WHEN a IN ('x') THEN 'WHERE' ELSE 'b' END -- WHERE c"),
        ],
    );
}

#[test]
fn a_list_is_named_after_what_is_looked_up_in_it() {
    let says: Vec<String> = changes("SELECT ($1).a NOT IN ('x', 'y'), b.c IN ('z', 'w')", A_FUNCTION)
        .into_iter()
        .map(|(says, _)| says)
        .collect();
    assert_eq!(
        says,
        ["no 'x' in ($1).a NOT IN", "no 'y' in ($1).a NOT IN", "no 'z' in b.c IN", "no 'w' in b.c IN"]
    );
}

#[test]
fn a_statement_loses_its_locks() {
    let names: Vec<String> = changes(
        "WITH o AS (SELECT 1 FROM t FOR NO KEY UPDATE), d AS (SELECT 1 FROM u, o FOR UPDATE OF u) SELECT 1",
        A_FUNCTION,
    )
    .into_iter()
    .map(|(says, _)| says)
    .collect();
    assert_eq!(names, ["no FOR NO KEY UPDATE in o", "no FOR UPDATE OF u in d"]);
    assert_changes(
        "SELECT ARRAY (SELECT a FROM t LIMIT 1 FOR UPDATE OF t SKIP LOCKED)",
        A_FUNCTION,
        &[
            ("no FOR UPDATE OF t SKIP LOCKED in t", "SELECT ARRAY (SELECT a FROM t LIMIT 1 )"),
            ("no SKIP LOCKED in t", "SELECT ARRAY (SELECT a FROM t LIMIT 1 FOR UPDATE OF t )"),
        ],
    );
}

#[test]
fn an_insert_loses_its_condition_and_keeps_what_it_does_about_a_conflict() {
    assert_changes(
        "INSERT INTO t SELECT a FROM u WHERE b ON CONFLICT (a) DO NOTHING",
        A_FUNCTION,
        &[("true for b", "INSERT INTO t SELECT a FROM u WHERE ((b) OR true) ON CONFLICT (a) DO NOTHING")],
    );
}

#[test]
fn a_function_loses_its_branches_what_it_returns_and_what_protects_it() {
    assert_changes(
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql STRICT SET s = a, b AS $$ IF c THEN RETURN NULL; END IF; $$;",
        Form::Migration,
        &[
            (
                "no STRICT of f",
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql  SET s = a, b AS $$ IF c THEN RETURN NULL; END IF; $$;",
            ),
            (
                "no SET s = a, b of f",
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql STRICT  AS $$ IF c THEN RETURN NULL; END IF; $$;",
            ),
            (
                "false for c",
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql STRICT SET s = a, b AS $$ IF ((c) AND false) THEN RETURN NULL; END IF; $$;",
            ),
        ],
    );
    assert_changes(
        "CREATE FUNCTION g() RETURNS boolean LANGUAGE sql AS $$ SELECT a AND b $$;",
        Form::Migration,
        &[
            (
                "true for a",
                "CREATE FUNCTION g() RETURNS boolean LANGUAGE sql AS $$ SELECT ((a) OR true) AND b $$;",
            ),
            (
                "true for b",
                "CREATE FUNCTION g() RETURNS boolean LANGUAGE sql AS $$ SELECT a AND ((b) OR true) $$;",
            ),
        ],
    );
}

#[test]
fn a_function_of_journey_loses_what_it_decides_under_a_name_without_its_hash() {
    assert_changes(
        "CREATE OR REPLACE FUNCTION identity.f_0123456789ab(text) SET s = a AS $function$\nSELECT identity.g_ba9876543210(a_b, $1) AND (d).e\n$function$",
        A_FUNCTION,
        &[
            (
                "no SET s = a of identity.f",
                "CREATE OR REPLACE FUNCTION identity.f_0123456789ab(text)  AS $function$\nSELECT identity.g_ba9876543210(a_b, $1) AND (d).e\n$function$",
            ),
            (
                "true for identity.g(a_b, $1)",
                "CREATE OR REPLACE FUNCTION identity.f_0123456789ab(text) SET s = a AS $function$\nSELECT ((identity.g_ba9876543210(a_b, $1)) OR true) AND (d).e\n$function$",
            ),
            (
                "true for (d).e",
                "CREATE OR REPLACE FUNCTION identity.f_0123456789ab(text) SET s = a AS $function$\nSELECT identity.g_ba9876543210(a_b, $1) AND (((d).e) OR true)\n$function$",
            ),
        ],
    );
}

#[test]
fn one_function_of_each_kind_loses_what_all_of_the_kind_have() {
    let text = "CREATE OR REPLACE FUNCTION identity.f_0123456789ab() RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET s = a AS $function$\nBEGIN\nEND\n$function$";
    let says = |stands_for_its_kind| -> Vec<String> {
        changes(text, Form::Function { stands_for_its_kind }).into_iter().map(|(says, _)| says).collect()
    };
    assert_eq!(says(false), ["no SET s = a of identity.f"]);
    assert_eq!(
        says(true),
        [
            "no STABLE of identity.f",
            "no SECURITY DEFINER of identity.f",
            "no SET search_path = pg_catalog, pg_temp of identity.f",
            "no SET s = a of identity.f",
        ]
    );
    let sources = source::all(&workspace::root()).unwrap();
    let standing =
        sources.iter().filter(|source| source.form == Form::Function { stands_for_its_kind: true });
    assert_eq!(standing.count(), 4, "entries, words, helpers and routines");
}

#[test]
fn the_control_changes_a_comment_of_a_function_and_nothing_else() {
    let sources = source::all(&workspace::root()).unwrap();
    let control = control(&sources).unwrap();
    let without_comments = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.split("--").next().unwrap().trim().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    };
    assert_ne!(control.original, control.mutated);
    assert_eq!(without_comments(&control.original), without_comments(&control.mutated));
    assert!(sources.iter().any(|source| source.text == control.original));
}

#[test]
fn a_table_loses_its_constraints() {
    assert_changes(
        "CREATE TABLE t (a bigint NOT NULL CONSTRAINT a_counts CHECK (a > 0), CONSTRAINT one UNIQUE (a, b));",
        Form::Migration,
        &[
            (
                "no NOT NULL of t.a",
                "CREATE TABLE t (a bigint  CONSTRAINT a_counts CHECK (a > 0), CONSTRAINT one UNIQUE (a, b));",
            ),
            (
                "no CHECK a_counts",
                "CREATE TABLE t (a bigint NOT NULL CONSTRAINT a_counts CHECK (true), CONSTRAINT one UNIQUE (a, b));",
            ),
            (
                "no UNIQUE one",
                "CREATE TABLE t (a bigint NOT NULL CONSTRAINT a_counts CHECK (a > 0), CONSTRAINT one CHECK (true));",
            ),
        ],
    );
    assert_changes(
        "CREATE TABLE t (a text, PRIMARY KEY (a, b));",
        Form::Migration,
        &[("no PRIMARY KEY (a, b) of t", "CREATE TABLE t (a text, CHECK (true));")],
    );
}

#[test]
fn a_grant_loses_privileges_columns_and_its_limit_to_them() {
    assert_changes(
        "GRANT SELECT, UPDATE (a, b) ON t TO r;",
        Form::Migration,
        &[
            ("no GRANT SELECT ON t", "GRANT UPDATE (a, b) ON t TO r;"),
            ("no GRANT UPDATE (a, b) ON t", "GRANT SELECT ON t TO r;"),
            ("GRANT UPDATE ON t without a limit to columns", "GRANT SELECT, UPDATE  ON t TO r;"),
            ("no GRANT UPDATE (a) ON t", "GRANT SELECT, UPDATE (b) ON t TO r;"),
            ("no GRANT UPDATE (b) ON t", "GRANT SELECT, UPDATE (a) ON t TO r;"),
        ],
    );
    assert_changes(
        "REVOKE ALL ON FUNCTION f(text), g(text) FROM PUBLIC;",
        Form::Migration,
        &[
            ("no REVOKE f(text)", "REVOKE ALL ON FUNCTION g(text) FROM PUBLIC;"),
            ("no REVOKE g(text)", "REVOKE ALL ON FUNCTION f(text) FROM PUBLIC;"),
        ],
    );
    assert_changes(
        "REVOKE ALL ON ALL TABLES IN SCHEMA s FROM PUBLIC, r; ALTER FUNCTION f() SET a = b;",
        Form::Migration,
        &[
            ("no REVOKE ALL TABLES IN SCHEMA s", " ALTER FUNCTION f() SET a = b;"),
            (
                "no REVOKE ALL TABLES IN SCHEMA s FROM PUBLIC",
                "REVOKE ALL ON ALL TABLES IN SCHEMA s FROM r; ALTER FUNCTION f() SET a = b;",
            ),
            (
                "no REVOKE ALL TABLES IN SCHEMA s FROM r",
                "REVOKE ALL ON ALL TABLES IN SCHEMA s FROM PUBLIC; ALTER FUNCTION f() SET a = b;",
            ),
            ("no SET a = b of f", "REVOKE ALL ON ALL TABLES IN SCHEMA s FROM PUBLIC, r; "),
        ],
    );
}

#[test]
fn every_function_with_a_condition_and_every_migration_has_mutants() {
    let sources = source::all(&workspace::root()).unwrap();
    let has_some = |source: &&Source| {
        source.form == Form::Migration
            || ["WHERE", "WHEN", " AND "].iter().any(|word| source.text.contains(word))
    };
    for source in sources.iter().filter(has_some) {
        assert!(!mutants(source).is_empty(), "{} has none", source.name);
    }
    let mut names: Vec<String> = sources.iter().flat_map(mutants).map(|mutant| mutant.name).collect();
    assert!(names.len() > 300, "{} mutants", names.len());
    names.sort();
    let before = names.len();
    names.dedup();
    assert_eq!(names.len(), before, "two mutants have one name");
}

#[test]
fn what_postgresql_refuses_and_what_a_later_migration_replaces_is_told_from_what_the_tests_have_to_catch() {
    // The roles are there then.
    drop(TestDatabase::fresh());
    let sources = source::all(&workspace::root()).unwrap();
    let control = control(&sources).unwrap();
    let all: Vec<Mutant> = sources.iter().flat_map(mutants).collect();
    let mut server = Server::new(sources).unwrap();
    for (name, reading) in [
        ("0001_identity.sql: no PRIMARY KEY of account.id", Reading::Refused),
        ("0001_identity.sql: no 'start' in kind IN", Reading::Same),
        ("0001_identity.sql: no GRANT SELECT ON account", Reading::Same),
        ("0001_identity.sql: no CHECK account_state_is_known", Reading::Different),
        ("0006_release_and_erase.sql: no 'start' in kind IN", Reading::Different),
        ("login/commit.sql: true for credential.live", Reading::Different),
        ("words/session_is_good.sql: true for ($3).state = 'active'", Reading::Different),
        ("purge/purge.sql: true for credential.live", Reading::Different),
        // Only a call shows that there is no index that it can mean.
        ("start/renew.sql: true for NOT live", Reading::Refused),
    ] {
        let mutant = all.iter().find(|mutant| mutant.name == name).expect(name);
        assert_eq!(server.read(mutant).unwrap(), reading, "{name}");
    }
    assert_eq!(server.read(&control).unwrap(), Reading::Different);
    let nonsense = Mutant { mutated: "SELECT FROM WHERE".to_owned(), ..control };
    assert_eq!(server.read(&nonsense).unwrap(), Reading::Refused);
}

/// After a change of SQL, `make sql-mutants` writes them anew.
#[test]
fn the_committed_results_are_of_exactly_the_mutants_there_are_and_every_survivor_has_a_reason() {
    let root = workspace::root();
    let results = results::read(&root.join(results::RESULTS)).unwrap();
    let sources = source::all(&root).unwrap();
    let there: BTreeSet<String> = sources.iter().flat_map(mutants).map(|mutant| mutant.name).collect();
    let told: BTreeSet<String> = results.keys().cloned().collect();
    assert_eq!(told.symmetric_difference(&there).collect::<Vec<_>>(), Vec::<&String>::new());
    let tests = tests_of_journey(&root);
    for fate in results.values() {
        let Fate::Caught(test) = fate else { continue };
        let function = test.rsplit("::").next().unwrap();
        assert!(tests.contains(&format!("fn {function}()")), "there is no test {test} any more");
    }
    let survived = results.iter().filter(|(_, fate)| **fate == Fate::Survived).map(|(name, _)| name.as_str());
    let reasons = results::reasons(&root.join(results::SURVIVORS)).unwrap();
    assert_eq!(survived.collect::<Vec<_>>(), reasons.keys().map(String::as_str).collect::<Vec<_>>());
}

fn tests_of_journey(root: &Path) -> String {
    let files = fs::read_dir(root.join("crates/journey/tests/journey")).unwrap();
    files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}
