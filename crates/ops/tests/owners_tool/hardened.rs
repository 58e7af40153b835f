//! Databases that somebody has set up otherwise than PostgreSQL does by itself. Each of a superuser, and of an owner who is
//! none.

use crate::journey::walk;
use crate::server::{Database, Server};

fn assert_serves(database: &Database) {
    let said = database.migrated();
    assert!(said.starts_with("applied 0001 "), "{said}");
    walk(database);
    let elsewhere = database.text(
        "SELECT string_agg(relname, ' ') FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'identity')",
    );
    assert_eq!(elsewhere, "", "everything is in the schema identity");
}

#[test]
fn a_database_whose_default_privileges_let_nobody_call_a_function_serves_the_application() {
    let server = Server::start("default-privileges");
    for database in server.both() {
        database
            .owner()
            .batch_execute("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
            .unwrap();
        if database.schema_owner != database.owner {
            // It is there before the first migration, so somebody may have done the same for it.
            assert!(database.ops("role").status.success());
            let statement =
                "ALTER DEFAULT PRIVILEGES FOR ROLE cofrap_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC";
            database.superuser().batch_execute(statement).unwrap();
        }
        assert_serves(&database);
    }
}

/// The other way round, they give what nobody is to have.
#[test]
fn a_database_whose_default_privileges_give_the_application_tables_gives_it_none() {
    let server = Server::start("generous-privileges");
    for database in server.both() {
        assert!(database.ops("role").status.success());
        for (what, which) in [("ALL", "TABLES"), ("ALL", "SEQUENCES"), ("EXECUTE", "FUNCTIONS")] {
            let statement = format!(
                "ALTER DEFAULT PRIVILEGES FOR ROLE {} GRANT {what} ON {which} TO PUBLIC, cofrap_app",
                database.schema_owner
            );
            database.superuser().batch_execute(&statement).unwrap();
        }
        assert_serves(&database);
        let may =
            "SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = 'identity'::regnamespace
            AND relkind = 'r' AND has_table_privilege('cofrap_app', oid, 'SELECT, INSERT, UPDATE, DELETE')";
        assert_eq!(database.text(may), "");
    }
}

#[test]
fn a_database_with_a_search_path_of_its_own_serves_the_application() {
    let server = Server::start("search-path");
    for database in server.both() {
        let statement = "DO $$ BEGIN
            CREATE SCHEMA other;
            EXECUTE format('ALTER DATABASE %I SET search_path = other', current_database());
        END $$";
        database.superuser().batch_execute(statement).unwrap();
        assert_eq!(database.text("current_setting('search_path')"), "other");
        assert_serves(&database);
    }
}

#[test]
fn a_database_with_a_schema_named_like_its_owner_serves_the_application() {
    let server = Server::start("schema-of-the-owner");
    for database in server.both() {
        database.owner().batch_execute(&format!("CREATE SCHEMA AUTHORIZATION {}", database.owner)).unwrap();
        assert_serves(&database);
    }
}

/// What the service has is in the schema `identity`: that may be the owner's own.
#[test]
fn an_owner_named_identity_has_the_schema_already() {
    let server = Server::start("owner-identity");
    let database = server.modest_database("identity");
    database.owner().batch_execute("CREATE SCHEMA AUTHORIZATION identity").unwrap();
    assert_serves(&database);
}
