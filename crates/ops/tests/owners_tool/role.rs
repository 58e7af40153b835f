//! `role`: the role of the application, and that of the schema's owner.

use std::fs;

use crate::server::{PASSWORD, Server, fails, ops, succeeds};

const OTHER_PASSWORD: &str = "another-password-of-the-role";

#[test]
fn the_application_role_can_log_in_and_owns_nothing() {
    let server = Server::start("owns-nothing");
    assert_eq!(succeeds(&server.ops("role")), "created role cofrap_app\ncreated role cofrap_owner\n");
    assert!(succeeds(&server.ops("migrate")).starts_with("applied 0001 "));

    let mut application = server.application(PASSWORD).unwrap();
    let may: bool = application
        .query_one(
            "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls
               OR EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid)
             FROM pg_roles WHERE rolname = current_user",
            &[],
        )
        .unwrap()
        .get(0);
    assert!(!may);
    assert!(application.batch_execute("CREATE TABLE mine ()").is_err());
    assert!(application.batch_execute("CREATE TEMPORARY TABLE mine ()").is_err());
    for table in ["_sqlx_migrations", "account", "release_function"] {
        assert!(application.batch_execute(&format!("SELECT * FROM identity.{table}")).is_err(), "{table}");
    }
    for (setting, expected) in [
        ("statement_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "5s"),
        ("lc_messages", "C"),
        ("log_parameter_max_length", "0"),
        ("log_parameter_max_length_on_error", "0"),
    ] {
        let value: String = application.query_one(&format!("SHOW {setting}"), &[]).unwrap().get(0);
        assert_eq!(value, expected, "{setting}");
    }
}

#[test]
fn what_an_owner_may_not_set_is_left_to_the_operator_and_said() {
    let server = Server::start("may-not-set");
    let modest = server.modest_database("modest");
    let said = succeeds(&modest.ops("role"));
    assert!(said.contains("lc_messages may not be set"), "{said}");
    assert!(said.contains("log_parameter_max_length may not be set"), "{said}");
    assert!(!said.contains("cofrap_owner"), "it owns the schema itself: {said}");
    assert!(succeeds(&modest.ops("migrate")).starts_with("applied 0001 "));
    // What is there is read by its owner, who is no superuser either.
    assert!(succeeds(&modest.ops("purge")).starts_with("removed 0 "));
}

#[test]
fn a_new_password_replaces_the_old_one() {
    let server = Server::start("new-password");
    succeeds(&server.ops("role"));
    succeeds(&server.ops_with("role", OTHER_PASSWORD));
    assert!(server.application(PASSWORD).is_err());
    server.application(OTHER_PASSWORD).unwrap();
    assert!(fails(&server.ops_with("role", "short")).contains("too short"));
    server.application(OTHER_PASSWORD).unwrap();
}

/// Otherwise whoever stole the password could keep it.
#[test]
fn what_the_role_made_in_another_database_does_not_keep_its_password() {
    let server = Server::start("made-elsewhere");
    succeeds(&server.ops("role"));
    let other = server.database("other");
    other.application(PASSWORD).unwrap().batch_execute("SELECT lo_create(0)").unwrap();
    succeeds(&server.ops_with("role", OTHER_PASSWORD));
    server.application(OTHER_PASSWORD).unwrap();
}

#[test]
fn rights_that_somebody_gave_the_role_are_taken_away_or_refused() {
    let server = Server::start("rights");
    succeeds(&server.ops("role"));
    server
        .owner()
        .batch_execute("ALTER ROLE cofrap_app SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS")
        .unwrap();
    succeeds(&server.ops("role"));
    let remaining = server
        .owner()
        .query("SELECT FROM pg_roles WHERE rolname = 'cofrap_app' AND (rolsuper OR rolcreaterole)", &[])
        .unwrap();
    assert!(remaining.is_empty());

    server.owner().batch_execute("GRANT pg_read_all_data TO cofrap_app").unwrap();
    assert!(fails(&server.ops("role")).contains("REVOKE pg_read_all_data FROM cofrap_app"));
}

/// Its functions do what it may.
#[test]
fn the_schemas_owner_is_brought_back_to_what_it_should_be() {
    let server = Server::start("schemas-owner");
    succeeds(&server.ops("role"));
    let change = "ALTER ROLE cofrap_owner LOGIN SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS";
    server.superuser().batch_execute(change).unwrap();
    assert!(fails(&server.ops("migrate")).contains("ALTER ROLE cofrap_owner NOSUPERUSER"));
    assert_eq!(succeeds(&server.ops("role")), "updated role cofrap_app\n");
    let attributes = "SELECT concat_ws(' ', rolsuper, rolcanlogin, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls)
        FROM pg_roles WHERE rolname = 'cofrap_owner'";
    assert_eq!(server.text(attributes), "f f f f f f");
    succeeds(&server.ops("migrate"));
}

#[test]
fn a_password_is_in_no_output_log_or_statement() {
    let server = Server::start("no-log");
    server.owner().batch_execute("ALTER SYSTEM SET log_statement = 'all'").unwrap();
    server.owner().query("SELECT pg_reload_conf()", &[]).unwrap();
    let mut said = succeeds(&server.ops_with("role", OTHER_PASSWORD));
    let wrong = server.url.replace("owner:", "owner:not-the-owners-password-");
    said += &fails(&ops("role", &wrong, OTHER_PASSWORD));
    let nowhere = "postgres://owner:not-the-owners-password-@127.0.0.1:1/identity";
    said += &fails(&ops("migrate", nowhere, OTHER_PASSWORD));
    said += &fails(&ops("migrate", "owner:not-the-owners-password-@127.0.0.1", OTHER_PASSWORD));
    said += &fs::read_to_string(&server.log).unwrap();
    assert!(
        said.contains("ALTER ROLE cofrap_app PASSWORD 'SCRAM-SHA-256$4096:"),
        "the log has the statements"
    );
    assert!(!said.contains(OTHER_PASSWORD), "{said}");
    assert!(!said.contains("not-the-owners-password-"), "{said}");
}
