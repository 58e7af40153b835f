//! `migrate`: what it applies, that it does so once, and what it refuses.

use std::thread;

use crate::journey::walk;
use crate::server::{Database, PASSWORD, Server, fails, succeeds};

/// Who goes back to an earlier release runs its tool on the schema of the later one.
#[test]
fn migrations_of_a_later_release_stay() {
    let server = Server::start("later-release");
    succeeds(&server.ops("role"));
    succeeds(&server.ops("migrate"));
    let later = "INSERT INTO identity._sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'later', true, '', 0)";
    server.superuser().batch_execute(later).unwrap();
    let said = succeeds(&server.ops("migrate"));
    assert!(
        said.starts_with("nothing to apply") && said.contains("\n9999 is of a later release, and stays\n"),
        "{said}"
    );
}

#[test]
fn a_second_run_changes_nothing() {
    let server = Server::start("second-run");
    succeeds(&server.ops("role"));
    succeeds(&server.ops("migrate"));
    assert_eq!(succeeds(&server.ops("role")), "updated role cofrap_app\n");
    assert!(succeeds(&server.ops("migrate")).starts_with("nothing to apply"));
    server.application(PASSWORD).unwrap();
}

#[test]
fn of_runs_at_the_same_time_one_does_the_work_and_all_succeed() {
    let server = Server::start("same-time");
    for (command, done) in [("role", "created role cofrap_app"), ("migrate", "applied 0001 ")] {
        let said: Vec<String> = thread::scope(|scope| {
            let runs: Vec<_> = (0..6).map(|_| scope.spawn(|| succeeds(&server.ops(command)))).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        assert_eq!(said.iter().filter(|said| said.starts_with(done)).count(), 1, "{said:?}");
    }
    walk(&server);
}

#[test]
fn a_migration_that_changed_after_it_was_applied_is_refused() {
    let server = Server::start("changed");
    assert!(fails(&server.ops("migrate")).contains("run `identity-ops role` first"));
    succeeds(&server.ops("role"));
    succeeds(&server.ops("migrate"));
    server.superuser().batch_execute(r"UPDATE identity._sqlx_migrations SET checksum = '\x00'").unwrap();
    assert!(fails(&server.ops("migrate")).contains("previously applied but has been modified"));
}

#[test]
fn an_owner_who_may_not_create_in_the_database_is_told_what_to_grant() {
    let server = Server::start("may-not-create");
    let modest = server.modest_database("modest");
    succeeds(&modest.ops("role"));
    server.superuser().batch_execute("ALTER DATABASE modest OWNER TO owner").unwrap();
    assert_refused(&modest, "GRANT CREATE ON DATABASE modest TO modest");
    server.superuser().batch_execute("GRANT CREATE ON DATABASE modest TO modest").unwrap();
    assert!(succeeds(&modest.ops("migrate")).starts_with("applied 0001 "));

    // Roles belong to the server: a `role` on another database has made them, and has granted nothing on this one.
    let grand = server.database("grand");
    succeeds(&server.ops("role"));
    assert_refused(&grand, "GRANT CREATE ON DATABASE grand TO cofrap_owner");
    succeeds(&grand.ops("role"));
    assert!(succeeds(&grand.ops("migrate")).starts_with("applied 0001 "));
}

#[test]
fn a_schema_of_a_role_that_one_is_not_is_refused_with_what_would_help() {
    let server = Server::start("schema-of-another");
    let modest = server.modest_database("modest");
    succeeds(&modest.ops("role"));
    let mut superuser = modest.superuser();
    superuser
        .batch_execute("CREATE ROLE \"Somebody\"; CREATE SCHEMA identity AUTHORIZATION \"Somebody\"")
        .unwrap();
    assert_refused(&modest, "then ALTER SCHEMA identity OWNER TO somebody who does, or drop it");
    superuser.batch_execute("ALTER SCHEMA identity OWNER TO owner").unwrap();
    assert_refused(&modest, "ALTER SCHEMA identity OWNER TO modest");
    superuser.batch_execute("ALTER SCHEMA identity OWNER TO modest").unwrap();
    assert!(succeeds(&modest.ops("migrate")).starts_with("applied 0001 "));
}

/// With a sentence that ends in this statement, and nothing is changed.
#[track_caller]
fn assert_refused(database: &Database, statement: &str) {
    let objects = database.objects();
    let said = fails(&database.ops("migrate"));
    assert!(said.ends_with(&format!("{statement}\n")), "{said}");
    assert_eq!(database.objects(), objects);
}
