//! How PostgreSQL runs the statements of the entries: what it puts in the place of a word, and that it reads no table
//! from end to end, however many rows there are and whatever it knew when it made its plan.

use domain::Username;
use harness::TestDatabase;
use journey::functions::{DEFINITIONS, Definition, Kind};
use journey::login;
use postgres::{Client, GenericClient};

use crate::world::{World, is_open};

/// An id and a hash by a number, for the connection that makes them.
const BY_NUMBER: &str = "
CREATE FUNCTION pg_temp.id(kind text, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT ('0000000' || kind || '-0000-4000-8000-' || lpad(to_hex(number), 12, '0'))::uuid $$;
CREATE FUNCTION pg_temp.hash(kind text, number bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$ SELECT sha256(convert_to(kind || number, 'UTF8')) $$";

/// Rows of everything that grows: for each number an active account with a credential, a session, a renewal token, an event
/// and a reserved name; for every tenth a start that would replace its credential.
const FILL: &str = "
SET session_replication_role = replica;
INSERT INTO account (id, username, state, credential_id)
SELECT pg_temp.id('a', n), 'user-' || n, 'active', pg_temp.id('c', n) FROM generate_series(1, 100000) AS n;
INSERT INTO credential (
    id, account_id, live, reveal_hash, reveal_expires_at, revealed_at, verifier, verifier_algorithm, totp_secret, last_step,
    expires_at)
SELECT pg_temp.id('c', n), pg_temp.id('a', n), true, pg_temp.hash('used', n), now(), now(), '', 1, '', 1, now() + '1 month'
FROM generate_series(1, 100000) AS n;
INSERT INTO credential (id, account_id, live, reveal_hash, reveal_expires_at, enrollment_hash, deadline)
SELECT pg_temp.id('d', n), pg_temp.id('a', n), false, pg_temp.hash('code', n), now(), pg_temp.hash('start', n), now() + '1 h'
FROM generate_series(10, 100000, 10) AS n;
INSERT INTO session (hash, id, credential_id, failed_before)
SELECT pg_temp.hash('session', n), pg_temp.id('e', n), pg_temp.id('c', n), 0 FROM generate_series(1, 100000) AS n;
INSERT INTO renewal_token (hash, credential_id, expires_at)
SELECT pg_temp.hash('renewal', n), pg_temp.id('c', n), now() + '1 h' FROM generate_series(1, 100000) AS n;
INSERT INTO event (kind, outcome, account_id)
SELECT 'login', 'wrong_password', pg_temp.id('a', n) FROM generate_series(1, 100000) AS n;
INSERT INTO reserved_name (hash, reserved_until)
SELECT pg_temp.hash('name', n), now() + '1 year' FROM generate_series(1, 100000) AS n";

fn fill(owner: &mut Client) {
    owner.batch_execute(BY_NUMBER).unwrap();
    owner.batch_execute(FILL).unwrap();
    // By itself: a transaction of its own for each table, as when the server does it.
    owner.batch_execute("ANALYZE").unwrap();
}

/// What each function is called with, of what is there: everything is of the number 50,000, `c350` in hexadecimal.
const ARGUMENTS: [(&str, &str); 21] = [
    ("account/deletion_commit.sql", "{account}, {live}, 9, {session}, 43200, 3600, 5, 60, 100, 12"),
    ("account/deletion_load.sql", "{session}, 43200, 3600"),
    ("account/events.sql", "{account}, 1000, 10000"),
    ("account/load.sql", "{session}, 43200, 3600"),
    ("activate/commit.sql", "{account}, {draft}, 1, 9, 1900000000, {hash}, {id}, 5, 60, 20"),
    ("enroll/commit.sql", "{account}, {draft}, 1, ''"),
    ("health/check.sql", ""),
    ("login/commit.sql", "{account}, {live}, 9, {hash}, {id}, {hash}, 5, 60, 100, 900"),
    ("login/load.sql", "'user-50000'"),
    ("refusal/record.sql", "'login', 'wrong_password', {account}"),
    ("reveal/commit.sql", "{account}, {draft}, {code}, '', 1"),
    ("reveal/load.sql", "{code}"),
    ("session/end.sql", "{session}, 43200, 3600"),
    ("session/end_own.sql", "{session}, 43200, 3600, {session id}"),
    ("session/list.sql", "{session}, 43200, 3600"),
    ("session/touch.sql", "{session}, 43200, 3600"),
    ("start/create.sql", "{id}, 'user-50000', {id}, {hash}, {hash}, 900, 600"),
    ("start/load.sql", "{start}"),
    ("start/new_code.sql", "{account}, {draft}, {start}, {hash}, 600"),
    ("start/renew.sql", "{renewal}, 'user-50000', {id}, {hash}, {hash}, 900, 600"),
    ("words/failed_logins_since.sql", "{account}, '2020-01-01'"),
];

fn arguments(file: &str) -> String {
    let (_, arguments) = ARGUMENTS.iter().find(|(other, _)| *other == file).expect(file);
    [("account", "a"), ("live", "c"), ("draft", "d"), ("session id", "e"), ("id", "f")]
        .iter()
        .map(|(name, kind)| (*name, format!("'0000000{kind}-0000-4000-8000-00000000c350'")))
        .chain(
            ["session", "code", "start", "renewal", "hash"]
                .map(|name| (name, format!("sha256('{name}50000')"))),
        )
        .fold((*arguments).to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), &value))
}

/// The one statement of an entry, or of a helper, as the database has it.
fn statement(client: &mut impl GenericClient, Definition { file, name, .. }: &Definition) -> String {
    let body: String =
        client.query_one("SELECT prosrc FROM pg_proc WHERE proname = $1", &[name]).unwrap().get(0);
    let inner = |begin: &str, end: &str| Some(body.split_once(begin)?.1.rsplit_once(end)?.0);
    match inner("RETURN QUERY\n", ";") {
        Some(statement) => statement.to_owned(),
        None => format!("SELECT ({})", inner("RETURN (", ");").expect(file)),
    }
}

/// The plan that the function has for its statement, without running it.
fn plan(owner: &mut Client, definition: &Definition, mode: &str) -> String {
    explain(owner, definition, mode, "VERBOSE, COSTS OFF")
}

fn explain(owner: &mut Client, definition: &Definition, mode: &str, how: &str) -> String {
    let in_parentheses = |list: &str| if list.is_empty() { String::new() } else { format!("({list})") };
    let types = in_parentheses(definition.types);
    let arguments = in_parentheses(&arguments(definition.file));
    let mut transaction = owner.transaction().unwrap();
    for setting in definition.settings.iter().copied().chain([format!("plan_cache_mode = {mode}").as_str()]) {
        transaction.batch_execute(&format!("SET LOCAL {setting}")).unwrap();
    }
    let prepare = format!("PREPARE planned{types} AS {}", statement(&mut transaction, definition));
    transaction.batch_execute(&prepare).expect(definition.file);
    let rows = transaction.query(&format!("EXPLAIN ({how}) EXECUTE planned{arguments}"), &[]).unwrap();
    transaction.batch_execute("DEALLOCATE planned").unwrap();
    transaction.rollback().unwrap();
    rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect()
}

const MODES: [&str; 2] = ["force_generic_plan", "force_custom_plan"];

/// Entries, and the helper that a login waits for. (The other one is the purge's.)
fn planned() -> impl Iterator<Item = &'static Definition> {
    DEFINITIONS.iter().filter(|one| one.kind == Kind::Entry || one.file == "words/failed_logins_since.sql")
}

/// A call costs a context of its own, thirty of which cost as much as the statement.
#[test]
fn a_word_stands_in_the_place_of_its_call() {
    let database = TestDatabase::fresh();
    let mut owner = database.owner();
    let words = || DEFINITIONS.iter().filter(|one| one.kind == Kind::Word);
    for mode in MODES {
        for definition in planned() {
            let plan = plan(&mut owner, definition, mode);
            for word in words() {
                assert!(!plan.contains(word.name), "{} calls {}:\n{plan}", definition.file, word.file);
            }
        }
    }
    // What is called is seen.
    let [login, helper] = ["login/commit.sql", "words/failed_logins_since.sql"]
        .map(|file| DEFINITIONS.iter().find(|one| one.file == file).unwrap());
    assert!(plan(&mut owner, login, MODES[0]).contains(helper.name));
    for word in words() {
        assert!(planned().any(|one| one.body.contains(word.name)), "{} is in no statement", word.file);
    }
}

#[test]
fn no_statement_reads_a_table_from_end_to_end() {
    let database = TestDatabase::fresh();
    let mut owner = database.owner();
    fill(&mut owner);
    for mode in MODES {
        for definition in planned() {
            let mut plan = plan(&mut owner, definition, mode);
            if definition.file == "health/check.sql" {
                // Its plan names the table, and reads no row of it.
                assert!(plan.contains("Seq Scan on identity.account"), "{plan}");
                let how = "ANALYZE, VERBOSE, COSTS OFF, TIMING OFF, SUMMARY OFF";
                plan = explain(&mut owner, definition, mode, how);
                plan = plan.replace("Seq Scan on identity.account (never executed)", "");
            }
            assert!(!plan.contains("Seq Scan on identity."), "{}, {mode}:\n{plan}", definition.file);
        }
    }
}

/// A connection keeps its plans. One that was made when there were no rows is the best for none.
#[test]
fn a_plan_that_was_made_for_empty_tables_is_made_again_when_there_are_rows() {
    let mut world = World::new();
    let mut owner = world.database.owner();
    let (token, username) = (world.token(), Username::parse("user-50000").unwrap());
    let read = |world: &World, owner: &mut Client| -> (i64, i64) {
        world.flush_statistics();
        let statement = "SELECT sum(seq_scan)::bigint, sum(seq_tup_read)::bigint FROM pg_stat_user_tables
            WHERE schemaname = 'identity'";
        let row = owner.query_one(statement, &[]).unwrap();
        (row.get(0), row.get(1))
    };
    owner.batch_execute("ANALYZE").unwrap();
    let (before, _) = read(&world, &mut owner);
    for _ in 0..10 {
        assert!(!is_open(&world.app, &token));
        assert!(login::load(&world.app, &username).unwrap().credential.is_none());
    }
    let (after, _) = read(&world, &mut owner);
    assert!(after >= before + 20, "the plans read empty tables from end to end: {before}, {after}");

    fill(&mut owner);
    let hash = token.hash();
    let give_token = "UPDATE session SET hash = $1 WHERE id = '0000000e-0000-4000-8000-00000000c350'";
    assert_eq!(owner.execute(give_token, &[&hash.as_bytes().as_slice()]).unwrap(), 1);
    owner.query("SELECT pg_stat_force_next_flush()", &[]).unwrap();
    let before = read(&world, &mut owner);
    for _ in 0..10 {
        assert!(is_open(&world.app, &token));
        assert!(login::load(&world.app, &username).unwrap().credential.is_some());
    }
    assert_eq!(read(&world, &mut owner), before, "they read nothing from end to end any more");
}
