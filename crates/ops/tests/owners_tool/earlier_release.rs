//! A database of a release before the schema `identity`: what it holds is moved, all of it or nothing.

use harness::earlier_release;

use crate::journey::walk;
use crate::server::{Database, Server, fails, succeeds};

/// Where the owner's search path leads, which is this schema: everything goes there, as that release did it.
fn install_earlier_release(database: &Database, schema: &str) {
    succeeds(&database.ops("role"));
    earlier_release::install(&mut database.owner());
    earlier_release::add_people(&mut database.superuser(), schema);
}

/// Every row, and the ledger's of that release.
fn rows(database: &Database, schema: &str) -> String {
    let tables =
        ["account", "credential", "session", "renewal_token", "event", "reserved_name", "_sqlx_migrations"];
    let parts: Vec<String> = tables
        .iter()
        .map(|table| {
            let only = if *table == "_sqlx_migrations" { "WHERE version < 5" } else { "" };
            format!("SELECT '{table} ' || one::text AS line FROM {schema}.{table} AS one {only}")
        })
        .collect();
    database.text(&format!(
        "SELECT string_agg(line, chr(10) ORDER BY line) FROM ({}) AS lines",
        parts.join(" UNION ALL ")
    ))
}

/// What a schema holds, as kind and name, whosever it is not (`''`: anybody's).
fn held(database: &Database, schema: &str, not_of: &str) -> String {
    database.text(&format!(
        "SELECT string_agg(name, ' ' ORDER BY name) FROM (
            SELECT relname, relowner FROM pg_class WHERE relnamespace = '{schema}'::regnamespace
            UNION ALL SELECT proname, proowner FROM pg_proc WHERE pronamespace = '{schema}'::regnamespace
            UNION ALL SELECT typname, typowner FROM pg_type WHERE typnamespace = '{schema}'::regnamespace
         ) AS held (name, holder) WHERE pg_get_userbyid(holder) <> '{not_of}'"
    ))
}

fn assert_is_moved(database: &Database, from: &str) {
    let before = rows(database, from);
    assert_eq!(before.lines().count(), 11, "{before}");
    let said = succeeds(&database.ops("migrate"));
    assert!(
        said.starts_with(&format!("moved the tables of the schema {from} into the schema identity\n"))
            && said.contains("\napplied 0005 functions\n")
            && !said.contains("applied 0001"),
        "{said}"
    );
    assert_eq!(rows(database, "identity"), before, "rows, and the ledger with its times");
    assert_eq!(held(database, from, ""), "", "what was left behind");
    assert_eq!(held(database, "identity", &database.schema_owner), "", "what is another's");
    assert_eq!(
        database.text("SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'identity'"),
        database.schema_owner
    );
    let triggers = database.text(
        "SELECT string_agg(tgname || ' ' || tgfoid::regprocedure, chr(10) ORDER BY tgname) FROM pg_trigger
         WHERE tgrelid::regclass::text LIKE 'identity.%' AND NOT tgisinternal",
    );
    assert_eq!(
        triggers,
        "account_username_is_not_reserved identity.refuse_a_reserved_name()\n\
         credential_step_only_grows identity.refuse_a_step_that_does_not_grow()\n\
         reserved_name_may_follow_an_ended_one identity.forget_an_ended_reservation()"
    );
    let may = "SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = 'identity'::regnamespace
        AND relkind = 'r' AND (has_table_privilege('cofrap_app', oid, 'SELECT, INSERT, UPDATE, DELETE')
            OR has_any_column_privilege('cofrap_app', oid, 'SELECT, INSERT, UPDATE'))";
    assert_eq!(database.text(may), "", "tables that the application could use by themselves");
    assert_eq!(database.text("SELECT identity.suspend_account('active')"), "true");
    walk(database);
}

#[test]
fn a_database_of_an_earlier_release_is_moved_with_all_that_is_in_it() {
    let server = Server::start("earlier-release");
    for database in server.both() {
        // A superuser may still create in `public`, and so may who owns the database.
        install_earlier_release(&database, "public");
        assert_is_moved(&database, "public");
    }
}

#[test]
fn an_earlier_release_in_a_schema_named_like_the_owner_is_moved_as_well() {
    let server = Server::start("earlier-in-schema-of-the-owner");
    for database in server.both() {
        database.owner().batch_execute(&format!("CREATE SCHEMA AUTHORIZATION {}", database.owner)).unwrap();
        install_earlier_release(&database, &database.owner);
        assert_is_moved(&database, &database.owner);
    }
}

#[test]
fn an_earlier_release_is_found_wherever_the_search_path_leads_now() {
    let server = Server::start("earlier-search-path");
    let database = server.modest_database("modest");
    install_earlier_release(&database, "public");
    database.superuser().batch_execute("ALTER DATABASE modest SET search_path = other").unwrap();
    assert_is_moved(&database, "public");
}

#[test]
fn a_migration_that_fails_in_the_middle_leaves_everything_where_it_was() {
    let server = Server::start("fails-in-the-middle");
    for database in server.both() {
        install_earlier_release(&database, "public");
        // What 0005 is about to make: it fails after everything was moved.
        let in_the_way = format!(
            "CREATE SCHEMA identity AUTHORIZATION {0}; CREATE TABLE identity.release_function ();
             ALTER TABLE identity.release_function OWNER TO {0}",
            database.schema_owner
        );
        database.superuser().batch_execute(&in_the_way).unwrap();
        let (objects, people) = (database.objects(), rows(&database, "public"));
        let said = fails(&database.ops("migrate"));
        assert!(said.contains("release_function"), "{said}");
        assert_eq!(database.objects(), objects);
        assert_eq!(rows(&database, "public"), people);

        database.superuser().batch_execute("DROP TABLE identity.release_function").unwrap();
        assert_is_moved(&database, "public");
    }
}

#[test]
fn tables_in_two_schemas_are_refused_before_anything_changes() {
    let server = Server::start("two-ledgers");
    let database = server.modest_database("modest");
    install_earlier_release(&database, "public");
    database.owner().batch_execute("CREATE SCHEMA AUTHORIZATION modest").unwrap();
    install_earlier_release(&database, "modest");
    let objects = database.objects();
    let said = fails(&database.ops("migrate"));
    assert!(said.contains("in several schemas (modest, public): drop or rename"), "{said}");
    assert_eq!(database.objects(), objects);

    database.owner().batch_execute("DROP SCHEMA modest CASCADE").unwrap();
    assert_is_moved(&database, "public");
}

#[test]
fn tables_of_somebody_else_are_refused_before_anything_changes() {
    let server = Server::start("tables-of-somebody-else");
    let database = server.modest_database("modest");
    install_earlier_release(&database, "public");
    database.superuser().batch_execute("ALTER TABLE event OWNER TO owner").unwrap();
    let objects = database.objects();
    let said = fails(&database.ops("migrate"));
    assert!(
        said.contains("the table public.event belongs to owner") && said.contains("run this as owner"),
        "{said}"
    );
    assert_eq!(database.objects(), objects);
}
