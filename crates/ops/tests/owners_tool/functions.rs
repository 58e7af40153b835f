//! The functions of a release, as `migrate` installs, compares and retires them.

use std::collections::BTreeMap;

use journey::functions::{ACCOUNT_LOAD, DEFINITIONS, Definition, HEALTH_CHECK, Kind, LOGIN_LOAD, PURGE};

use crate::journey::walk;
use crate::server::{Database, Server, fails, succeeds};

/// The names with their hashes, of the functions that have a statement.
fn named(statement: &str) -> &'static Definition {
    let name = statement.rsplit_once("identity.").unwrap().1.split_once('(').unwrap().0;
    DEFINITIONS.iter().find(|one| one.name == name).unwrap()
}

fn signature(function: &Definition) -> String {
    format!("identity.{}({})", function.name, function.types)
}

/// Each function, and the transaction that last wrote it.
fn written(database: &Database) -> BTreeMap<String, String> {
    let query = "SELECT proname::text, xmin::text FROM pg_proc WHERE pronamespace = 'identity'::regnamespace";
    let rows = database.superuser().query(query, &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[test]
fn functions_belong_to_an_owner_who_may_not_do_everything_and_entries_alone_are_the_applications() {
    let server = Server::start("owned");
    for database in server.both() {
        database.migrated();
        assert_eq!(
            database.text(
                "SELECT string_agg(DISTINCT pg_get_userbyid(proowner)::text, ' ') FROM pg_proc
                 WHERE pronamespace = 'identity'::regnamespace"
            ),
            database.schema_owner
        );
        let callable = database.text(
            "SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc
             WHERE pronamespace = 'identity'::regnamespace AND has_function_privilege('cofrap_app', oid, 'EXECUTE')",
        );
        let entries = DEFINITIONS.iter().filter(|one| one.kind == Kind::Entry).map(|one| one.name);
        let mut entries: Vec<&str> = entries.collect();
        entries.sort_unstable();
        assert_eq!(callable, entries.join(" "));
    }
    let owner = "SELECT concat_ws(' ', rolsuper, rolcanlogin, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls)
        FROM pg_roles WHERE rolname = 'cofrap_owner'";
    assert_eq!(server.text(owner), "f f f f f f");
}

#[test]
fn a_second_run_writes_no_function() {
    let server = Server::start("second-run-of-functions");
    for database in server.both() {
        database.migrated();
        let (functions, objects) = (written(&database), database.objects());
        let said = succeeds(&database.ops("migrate"));
        let all = format!("all {} functions of release ", DEFINITIONS.len());
        assert!(said.starts_with("nothing to apply") && said.contains(&all), "{said}");
        assert_eq!(written(&database), functions);
        assert_eq!(database.objects(), objects);
    }
}

/// What somebody may have done to a function, and what it then is called.
fn changes(owner: &str) -> Vec<(&'static Definition, String)> {
    let (login, health, account, purge) = (
        named(LOGIN_LOAD.statement()),
        named(HEALTH_CHECK.statement()),
        named(ACCOUNT_LOAD.statement()),
        named(PURGE.statement()),
    );
    let helper = DEFINITIONS.iter().find(|one| one.kind == Kind::Helper).unwrap();
    let word = DEFINITIONS.iter().find(|one| one.kind == Kind::Word).unwrap();
    let alter = |function: &'static Definition, what: &str| {
        (function, format!("ALTER FUNCTION {} {what}", signature(function)))
    };
    vec![
        // Its text.
        (login, login.create.replace("BEGIN\nRETURN QUERY", "BEGIN\n/* mine */\nRETURN QUERY")),
        // What it sets.
        alter(health, "RESET search_path"),
        alter(account, "SET work_mem = '1GB'"),
        alter(purge, "SET search_path = public"),
        // Whose rights it has.
        alter(login, "SECURITY INVOKER"),
        alter(helper, "SECURITY DEFINER"),
        // What PostgreSQL may expect of it.
        alter(word, "IMMUTABLE"),
        alter(login, "STRICT"),
        // Whose it is.
        alter(account, "OWNER TO owner"),
        alter(word, "OWNER TO somebody"),
        // Who may call it.
        (purge, format!("GRANT EXECUTE ON FUNCTION {} TO cofrap_app", signature(purge))),
        (helper, format!("GRANT EXECUTE ON FUNCTION {} TO PUBLIC", signature(helper))),
        (login, format!("REVOKE EXECUTE ON FUNCTION {} FROM cofrap_app", signature(login))),
        (word, format!("REVOKE EXECUTE ON FUNCTION {} FROM {owner}", signature(word))),
        (
            health,
            format!(
                "GRANT EXECUTE ON FUNCTION {0} TO somebody WITH GRANT OPTION; SET ROLE somebody;
                 GRANT EXECUTE ON FUNCTION {0} TO PUBLIC",
                signature(health)
            ),
        ),
    ]
}

#[test]
fn what_somebody_changed_of_a_function_is_mended_and_named() {
    let server = Server::start("mended");
    server.superuser().batch_execute("CREATE ROLE somebody").unwrap();
    for database in server.both() {
        database.migrated();
        database.superuser().batch_execute("GRANT USAGE, CREATE ON SCHEMA identity TO somebody").unwrap();
        let as_installed = "SELECT string_agg(concat_ws(' ', oid, proname, proowner, prosecdef, provolatile, proisstrict,
            proconfig, md5(prosrc), (SELECT array_agg(one ORDER BY one::text) FROM unnest(proacl) AS one)), chr(10)
            ORDER BY oid) FROM pg_proc WHERE pronamespace = 'identity'::regnamespace";
        let before = database.text(as_installed);
        for (function, change) in changes(&database.schema_owner) {
            database.superuser().batch_execute(&change).unwrap();
            assert_ne!(database.text(as_installed), before, "{change}");
            if change.contains("OWNER TO") && database.owner == database.schema_owner {
                // Only a superuser takes back what is another's.
                assert!(fails(&database.ops("migrate")).contains(function.name), "{change}");
                let back = format!("ALTER FUNCTION {} OWNER TO {}", signature(function), database.owner);
                database.superuser().batch_execute(&back).unwrap();
                continue;
            }
            let said = succeeds(&database.ops("migrate"));
            assert_eq!(said.matches(function.name).count(), 1, "{change}: {said}");
            assert_eq!(said.lines().count(), 3, "{change} alone: {said}");
            assert_eq!(database.text(as_installed), before, "{change}");
        }
        walk(&database);
    }
}

#[test]
fn a_function_that_somebody_dropped_is_installed_again() {
    let server = Server::start("dropped");
    let database = server.modest_database("modest");
    database.migrated();
    let login = named(LOGIN_LOAD.statement());
    database.owner().batch_execute(&format!("DROP FUNCTION {}", signature(login))).unwrap();
    let said = succeeds(&database.ops("migrate"));
    assert!(said.contains(&format!("installed 1 of the {} functions", DEFINITIONS.len())), "{said}");
    walk(&database);
}

/// Beside this one, as if they had been installed: one before it, which calls a function of its own and one of this
/// release's, and one after it.
fn add_other_releases(database: &Database) {
    let shared = DEFINITIONS.first().unwrap().name;
    let statements = format!(
        "CREATE FUNCTION identity.of_before() RETURNS boolean LANGUAGE sql AS 'SELECT true';
         CREATE FUNCTION identity.of_after() RETURNS boolean LANGUAGE sql AS 'SELECT true';
         CREATE FUNCTION identity.of_nobody() RETURNS boolean LANGUAGE sql AS 'SELECT true';
         INSERT INTO identity.release_function (release, name) VALUES
            ('0.0.9', 'of_before'), ('0.0.9', '{shared}'), ('0.0.10-rc.1', 'of_before'), ('99.0.0', 'of_after')"
    );
    database.owner().batch_execute(&statements).unwrap();
}

#[test]
fn functions_of_other_releases_stay_until_a_run_retires_what_earlier_ones_alone_call() {
    let server = Server::start("retired");
    for database in server.both() {
        database.migrated();
        add_other_releases(&database);
        // Somebody's own belong to the schema's owner from now on, and are no other's.
        let said = succeeds(&database.ops("migrate"));
        assert!(
            said.contains("took back what others than the owner could use: of_after, of_before, of_nobody\n"),
            "{said}"
        );
        let mut functions = written(&database);
        succeeds(&database.ops("migrate"));
        assert_eq!(written(&database), functions);

        let said = succeeds(&database.ops("migrate --retire-before 0.0.10-rc.1"));
        assert!(said.ends_with("removed 0 functions that only releases before 0.0.10-rc.1 call\n"), "{said}");
        assert_eq!(written(&database), functions);
        let version = env!("CARGO_PKG_VERSION");
        let said = succeeds(&database.ops(&format!("migrate --retire-before {version}")));
        assert!(
            said.ends_with(&format!("removed 1 functions that only releases before {version} call\n")),
            "{said}"
        );
        functions.remove("of_before").unwrap();
        assert_eq!(written(&database), functions);
        assert_eq!(
            database.text("SELECT string_agg(DISTINCT release, ' ') FROM identity.release_function"),
            format!("{version} 99.0.0")
        );
        walk(&database);
    }
}

#[test]
fn a_release_does_not_retire_itself() {
    let server = Server::start("retires-itself");
    let database = server.modest_database("modest");
    database.migrated();
    add_other_releases(&database);
    let (functions, objects) = (written(&database), database.objects());
    for later in ["99.0.0", "0.1.1"] {
        let said = fails(&database.ops(&format!("migrate --retire-before {later}")));
        assert!(said.contains("would lose its own functions"), "{said}");
    }
    for nonsense in ["migrate --retire-before", "migrate --retire-before soon", "migrate --retire-before 1"] {
        assert_eq!(database.ops(nonsense).status.code(), Some(2), "{nonsense}");
    }
    assert_eq!(written(&database), functions);
    assert_eq!(database.objects(), objects);
}

#[test]
fn what_the_application_was_given_beside_its_functions_is_taken_back_and_named() {
    let server = Server::start("given");
    for database in server.both() {
        database.migrated();
        let usable = "SELECT concat_ws(' ', has_any_column_privilege('cofrap_app', 'identity.credential', 'SELECT'),
            has_table_privilege('cofrap_app', 'identity.account', 'DELETE'),
            has_sequence_privilege('cofrap_app', 'identity.event_id_seq', 'USAGE'),
            has_function_privilege('cofrap_app', 'identity.delete_account(text)', 'EXECUTE'),
            has_schema_privilege('cofrap_app', 'identity', 'CREATE'), has_schema_privilege('cofrap_app', 'identity', 'USAGE'))";
        let may = database.text(usable);
        assert_eq!(may, "f f f f f t");
        let gifts = "GRANT SELECT (verifier) ON identity.credential TO cofrap_app; GRANT ALL ON identity.account TO PUBLIC;
            GRANT USAGE ON SEQUENCE identity.event_id_seq TO cofrap_app; GRANT ALL ON SCHEMA identity TO cofrap_app;
            GRANT EXECUTE ON FUNCTION identity.delete_account(text) TO cofrap_app";
        database.superuser().batch_execute(gifts).unwrap();
        assert_eq!(database.text(usable), "t t t t t t");
        let said = succeeds(&database.ops("migrate"));
        let named = "could use: account, credential, delete_account, event_id_seq, the schema\n";
        assert!(said.ends_with(named), "{said}");
        assert_eq!(database.text(usable), may);

        database.superuser().batch_execute("REVOKE USAGE ON SCHEMA identity FROM cofrap_app").unwrap();
        assert!(succeeds(&database.ops("migrate")).ends_with("let cofrap_app use the schema again\n"));
        assert_eq!(database.text(usable), may);
        let unchanged = database.objects();
        succeeds(&database.ops("migrate"));
        assert_eq!(database.objects(), unchanged);
    }
}
