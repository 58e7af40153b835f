//! A run that has to wait says for whom, and gives up.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;

use crate::server::{Database, PASSWORD, Server, succeeds};

/// What the holder does, whose name is what it is called in the list of the server's sessions.
fn hold(database: &Database, statements: &str) -> (Client, i32) {
    let mut holder = database.superuser();
    holder.batch_execute(&format!("SET application_name = 'somebody'; {statements}")).unwrap();
    let process = holder.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    (holder, process)
}

/// Runs the command until it gives up, and checks that it says whom it waits for at once, and again at the end.
#[expect(clippy::disallowed_methods, reason = "a run takes its time")]
fn gives_up(database: &Database, command: &str, holder: i32, sees_since: bool) {
    let begun = Instant::now();
    let mut run = Command::new(env!("CARGO_BIN_EXE_identity-ops"))
        .arg(command)
        .env_clear()
        .env("DATABASE_URL", &database.url)
        .env("APPLICATION_PASSWORD", PASSWORD)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(run.stderr.take().unwrap());
    let mut first = String::new();
    said.read_line(&mut first).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20), "{command} said after {:?}: {first}", begun.elapsed());
    let who = format!("because of process {holder} of the server (somebody, owner");
    assert!(first.starts_with(&format!("waiting, for a minute at the most, {who}")), "{first}");
    assert_eq!(first.contains(", in a transaction since 2"), sees_since, "{first}");

    let mut last = String::new();
    said.read_to_string(&mut last).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(1), "{last}");
    assert!(
        last.starts_with("identity-ops: nothing was changed: a lock was not to be had for a minute, ")
            && last.contains(&who),
        "{last}"
    );
    let waited = begun.elapsed().as_secs();
    assert!((60..90).contains(&waited), "{waited} seconds");
}

#[test]
fn a_run_that_waits_says_for_whom_at_once_and_gives_up_after_a_minute() {
    let server = Server::start("waits");
    let (modest, grand) = (server.modest_database("modest"), server.database("grand"));
    modest.migrated();
    grand.migrated();
    // What bounds this owner's other work bounds none of this.
    let bounds = "ALTER ROLE cofrap_app CONNECTION LIMIT 5; ALTER ROLE modest SET statement_timeout = '3s'";
    server.superuser().batch_execute(bounds).unwrap();

    // Of this tool, as a session that a pooler kept had it.
    let (_left, left) = hold(&modest, "SELECT pg_advisory_lock(x'636f66726170'::bigint)");
    let (_table, table) = hold(&grand, "BEGIN; LOCK TABLE identity._sqlx_migrations");
    let (_role, role) = hold(&server, "BEGIN; ALTER ROLE cofrap_app CONNECTION LIMIT 6");
    thread::scope(|scope| {
        scope.spawn(|| gives_up(&modest, "migrate", left, false));
        scope.spawn(|| gives_up(&grand, "migrate", table, true));
        scope.spawn(|| gives_up(&server, "role", role, true));
    });
    drop((_left, _table, _role));
    for database in [&modest, &grand] {
        succeeds(&database.ops("migrate"));
    }
    succeeds(&server.ops("role"));
}
