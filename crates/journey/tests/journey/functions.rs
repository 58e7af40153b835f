//! What of the schema `identity` the application may use, and as whom a function runs.

use std::collections::BTreeSet;

use harness::TestDatabase;
use harness::database::APPLICATION_ROLE;
use journey::functions::{DEFINITIONS, Definition, Kind};
use postgres::Client;

fn entries() -> impl Iterator<Item = &'static Definition> {
    DEFINITIONS.iter().filter(|definition| definition.kind == Kind::Entry)
}

/// Everything that somebody might try with a table or a sequence of the schema, and the call of each function that is no
/// entry.
const ATTEMPTS: &str = "
WITH relation AS (
    SELECT relkind::text AS kind, format('identity.%I', relname) AS name, (
        SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum = 1) AS attribute
    FROM pg_class WHERE relnamespace = 'identity'::regnamespace)
SELECT replace(replace(pattern, '{name}', name), '{attribute}', attribute)
FROM relation JOIN (VALUES
    ('r', 'SELECT FROM {name}'), ('r', 'SELECT {attribute} FROM {name}'), ('r', 'INSERT INTO {name} DEFAULT VALUES'),
    ('r', 'UPDATE {name} SET {attribute} = DEFAULT'), ('r', 'DELETE FROM {name}'), ('r', 'TRUNCATE {name}'),
    ('S', 'SELECT FROM {name}'), ('S', 'SELECT nextval(''{name}'')'), ('S', 'SELECT currval(''{name}'')'),
    ('S', 'SELECT setval(''{name}'', 1)')) AS attempts (kind, pattern) USING (kind)
UNION ALL
SELECT format('SELECT identity.%I(%s)', proname, (
    SELECT string_agg('NULL::' || format_type(type, NULL), ', ' ORDER BY position)
    FROM unnest(proargtypes) WITH ORDINALITY AS parameters (type, position)))
FROM pg_proc WHERE pronamespace = 'identity'::regnamespace AND proname <> ALL ($1)";

fn texts(owner: &mut Client, query: &str) -> Vec<String> {
    let names: Vec<&str> = entries().map(|entry| entry.name).collect();
    owner.query(query, &[&names]).unwrap().iter().map(|row| row.get(0)).collect()
}

#[test]
fn the_application_may_use_no_table_no_sequence_and_no_function_but_the_entries() {
    let database = TestDatabase::fresh();
    let mut owner = database.owner();
    owner.batch_execute("SET search_path = ''").unwrap();
    let attempts = texts(&mut owner, ATTEMPTS);
    for known in ["event_id_seq", "_sqlx_migrations", "release_function", "purge_", "close_after_restore"] {
        assert!(attempts.iter().any(|attempt| attempt.contains(known)), "{known} is tried");
    }
    let mut application = database.application();
    for attempt in attempts {
        let refused = application.batch_execute(&attempt).expect_err(&attempt);
        let refused = refused.as_db_error().expect(&attempt);
        assert_eq!(refused.code().code(), "42501", "{attempt}: {refused}");
    }
    for (lacked, relations) in [
        (
            "no right to a table",
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'identity'::regnamespace
             AND relkind NOT IN ('S', 'i', 'I', 'c') AND (
                 has_any_column_privilege('cofrap_app', oid, 'SELECT, INSERT, UPDATE, REFERENCES')
                 OR has_table_privilege('cofrap_app', oid, 'DELETE, TRUNCATE, TRIGGER')) AND relname <> ALL ($1)",
        ),
        (
            "no right to make anything",
            "SELECT nspname::text FROM pg_namespace
             WHERE has_schema_privilege('cofrap_app', oid, 'CREATE') AND nspname <> ALL ($1)",
        ),
    ] {
        assert_eq!(texts(&mut owner, relations), Vec::<String>::new(), "{lacked}");
    }
}

#[test]
fn the_application_may_call_the_entries_of_its_release() {
    let database = TestDatabase::fresh();
    let may_call = "SELECT proname::text FROM pg_proc
        WHERE pronamespace = 'identity'::regnamespace AND has_function_privilege($1, oid, 'EXECUTE')";
    let rows = database.owner().query(may_call, &[&APPLICATION_ROLE]).unwrap();
    let may_call: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(may_call, entries().map(|entry| entry.name.to_owned()).collect());
}

#[test]
fn an_entry_runs_as_an_owner_without_other_rights_and_finds_nothing_that_another_made() {
    let database = TestDatabase::fresh();
    let rows = database
        .owner()
        .query(
            "SELECT proname::text, prosecdef, proconfig, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls,
                 EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0)
             FROM pg_proc JOIN pg_roles ON pg_roles.oid = proowner WHERE pronamespace = 'identity'::regnamespace",
            &[],
        )
        .unwrap();
    let mut definers = BTreeSet::new();
    for row in rows {
        let name: String = row.get(0);
        let settings: Vec<String> = row.get::<_, Option<_>>(2).unwrap_or_default();
        assert!(!row.get::<_, bool>(3), "{name}: its owner may do more than own");
        assert!(!row.get::<_, bool>(4), "{name}: everybody may call it");
        if row.get(1) {
            assert_eq!(settings[0], "search_path=pg_catalog, pg_temp", "{name}");
            definers.insert(name);
        }
    }
    assert_eq!(definers, entries().map(|entry| entry.name.to_owned()).collect());
}

/// PostgreSQL would cut a longer one off, and with it the hash.
#[test]
fn a_functions_name_is_whole_and_ends_in_a_hash() {
    for Definition { name, .. } in DEFINITIONS {
        assert!(name.len() <= 63, "{name} is too long");
        let (_, hash) = name.rsplit_once('_').unwrap();
        assert!(hash.len() == 12 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()), "{name}");
    }
}
