//! What another role made in the database is neither run nor taken over: the tool works with its owner's rights.

use harness::earlier_release;

use crate::server::{Database, Server, fails, succeeds};

/// Functions of PostgreSQL that the tool calls with types that are not exactly theirs, so that one of the same name with
/// better ones would be taken, if it were looked up.
const LOOK_ALIKES: &str = "
CREATE FUNCTION public.quote_ident(name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a look-alike ran'; END $$;
CREATE FUNCTION public.has_database_privilege(text, name, text) RETURNS boolean LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'a look-alike ran'; END $$;
CREATE FUNCTION public.has_database_privilege(oid, name, text) RETURNS boolean LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'a look-alike ran'; END $$";

#[test]
fn what_somebody_made_under_the_name_of_postgresqls_own_is_never_run() {
    let server = Server::start("look-alikes");
    for database in server.both() {
        // As in databases that were made before 15.
        database.superuser().batch_execute("GRANT CREATE ON SCHEMA public TO PUBLIC").unwrap();
        succeeds(&database.ops("role"));
        let mut stranger = database.application(crate::server::PASSWORD).unwrap();
        stranger.batch_execute(LOOK_ALIKES).unwrap();
        let ran = stranger.batch_execute("SELECT quote_ident(rolname) FROM pg_roles");
        assert!(ran.unwrap_err().to_string().contains("db error"), "the look-alike would be taken");
        for command in ["role", "migrate", "migrate", "purge"] {
            succeeds(&database.ops(command));
        }
    }
}

#[test]
fn a_stranger_owns_nothing_of_the_service_because_it_was_there_before() {
    let server = Server::start("strangers");
    for database in server.both() {
        succeeds(&database.ops("role"));
        let mut superuser = database.superuser();
        superuser.batch_execute(&format!("CREATE ROLE stranger_of_{}", database.schema_owner)).unwrap();
        superuser
            .batch_execute(&format!(
                "CREATE SCHEMA identity AUTHORIZATION stranger_of_{}",
                database.schema_owner
            ))
            .unwrap();
        assert!(fails(&database.ops("migrate")).contains("the schema identity belongs to stranger_of_"));
        superuser.batch_execute("DROP SCHEMA identity").unwrap();

        // Tables that look like those of an earlier release: not even looked at, and nothing of them comes along.
        superuser.batch_execute("CREATE SCHEMA zz; SET search_path = zz").unwrap();
        earlier_release::install(&mut superuser);
        give_to_stranger(&database);
        let said = database.ops("migrate");
        let said = if database.schema_owner == "cofrap_owner" { fails(&said) } else { succeeds(&said) };
        assert!(!said.contains("moved"), "{said}");
        assert_eq!(database.text("SELECT count(*) FROM pg_class WHERE relname = 'account' AND relnamespace = 'zz'::regnamespace"), "1");
    }
}

fn give_to_stranger(database: &Database) {
    let statement = format!(
        "DO $$ DECLARE one text; BEGIN
            FOR one IN SELECT relname FROM pg_class WHERE relnamespace = 'zz'::regnamespace AND relkind = 'r' LOOP
                EXECUTE format('ALTER TABLE zz.%I OWNER TO stranger_of_{}', one);
            END LOOP;
        END $$",
        database.schema_owner
    );
    database.superuser().batch_execute(&statement).unwrap();
}

#[test]
fn a_role_begins_with_what_the_tool_has_set_and_with_nothing_that_somebody_set_since() {
    let server = Server::start("settings-of-the-role");
    for database in server.both() {
        succeeds(&database.ops("role"));
        let mut application = database.application(crate::server::PASSWORD).unwrap();
        application.batch_execute("ALTER ROLE cofrap_app SET default_transaction_read_only = on").unwrap();
        let name = database.text("SELECT current_database()");
        let here = format!("ALTER ROLE cofrap_app IN DATABASE {name} SET statement_timeout = 0");
        application.batch_execute(&here).unwrap();
        succeeds(&database.ops("role"));
        let mut application = database.application(crate::server::PASSWORD).unwrap();
        for (setting, expected) in [("default_transaction_read_only", "off"), ("statement_timeout", "5s")] {
            let value: String = application.query_one(&format!("SHOW {setting}"), &[]).unwrap().get(0);
            assert_eq!(value, expected, "{setting}");
        }
    }
}
