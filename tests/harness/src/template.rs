//! The migrated database that every fresh one is copied from. It is made once per state of the migrations, by the
//! project's own runner, under an advisory lock, so that test binaries that start together make it once.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::UNIX_EPOCH;

use data_encoding::HEXLOWER;
use journey::functions::{DEFINITIONS, Kind};
use postgres::{Client, NoTls};
use sha2::{Digest, Sha256};

use crate::database::{APPLICATION_PASSWORD, APPLICATION_ROLE, with_database};
use crate::{mutant, workspace};

/// The key of the advisory lock; any number that nothing else in the test cluster takes.
const LOCK: i64 = 0x636f_6672_6170;

/// Makes the template if it is not there yet, and returns its name. Also drops what test processes that are gone
/// have left behind: a test binary's statics are never dropped.
pub(crate) fn ready() -> String {
    let url = workspace::maintenance_url();
    let mut maintenance = Client::connect(&url, NoTls).expect("the test PostgreSQL answers");
    let name = format!("identity_template_{}", state_of_the_migrations());
    maintenance.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).unwrap();
    drop_leftovers(&mut maintenance);
    let known = maintenance.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).unwrap();
    if known.is_none() {
        make(&mut maintenance, &url, &name);
    }
    name
}

/// Migrates under another name first: a template that exists is complete.
fn make(maintenance: &mut Client, url: &str, name: &str) {
    let draft = format!("{name}_draft");
    maintenance.batch_execute(&format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)")).unwrap();
    maintenance.batch_execute(&format!("CREATE DATABASE {draft}")).unwrap();
    let draft_url = with_database(url, &draft);
    run_ops("role", &draft_url);
    if is_mutated() {
        apply_mutated(&draft_url);
    } else {
        run_ops("migrate", &draft_url);
    }
    maintenance.batch_execute(&format!("ALTER DATABASE {draft} RENAME TO {name}")).unwrap();
}

/// Runs the owner's tool on a database.
pub(crate) fn run_ops(command: &str, url: &str) {
    let output = Command::new(workspace::ops_binary())
        .arg(command)
        .env("DATABASE_URL", url)
        .env("APPLICATION_PASSWORD", APPLICATION_PASSWORD)
        .current_dir(workspace::root())
        .output()
        .expect("identity-ops runs");
    assert!(
        output.status.success(),
        "identity-ops {command} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Whether a migration or a function is mutated: the runner has the original ones built in, and would mend the function.
fn is_mutated() -> bool {
    let is_mutated = |text: &str| mutant::under_test(text) != text;
    texts().iter().any(|text| is_mutated(text)) || DEFINITIONS.iter().any(|one| is_mutated(one.create))
}

/// The migrations in order.
fn texts() -> Vec<String> {
    let is_sql = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "sql");
    migrations().into_iter().filter(is_sql).map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// What the runner does, with the mutated text in the place of the original, and without looking at what is there.
fn apply_mutated(url: &str) {
    let mut owner = Client::connect(url, NoTls).expect("the owner can connect");
    owner.batch_execute(mutant::PREPARATION).unwrap();
    for text in texts() {
        owner.batch_execute(&mutant::under_test(&text)).expect("PostgreSQL takes the mutated migration");
    }
    for function in DEFINITIONS {
        owner
            .batch_execute(&mutant::under_test(function.create))
            .expect("PostgreSQL takes the mutated function");
        let signature = format!("identity.{}({})", function.name, function.types);
        owner.batch_execute(&format!("REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")).unwrap();
        if function.kind == Kind::Entry {
            owner
                .batch_execute(&format!("GRANT EXECUTE ON FUNCTION {signature} TO {APPLICATION_ROLE}"))
                .unwrap();
        }
    }
}

fn migrations() -> Vec<PathBuf> {
    let folder = fs::read_dir(workspace::root().join("migrations")).expect("the workspace has migrations");
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// A short hash over the migrations, the functions and the runner (by size and time, because it may have them built in).
fn state_of_the_migrations() -> String {
    let mut hash = Sha256::new();
    for file in migrations() {
        let content = fs::read_to_string(&file).unwrap();
        let content = mutant::under_test(&content);
        hash.update(file.file_name().unwrap().as_encoded_bytes());
        hash.update((content.len() as u64).to_be_bytes());
        hash.update(content.as_bytes());
    }
    for function in DEFINITIONS {
        hash.update(mutant::under_test(function.create).as_bytes());
    }
    let runner = fs::metadata(workspace::ops_binary()).unwrap();
    let modified = runner.modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
    hash.update(runner.len().to_be_bytes());
    hash.update(modified.as_nanos().to_be_bytes());
    HEXLOWER.encode(&hash.finalize())[..12].to_owned()
}

fn drop_leftovers(maintenance: &mut Client) {
    let rows = maintenance
        .query("SELECT datname::text FROM pg_database WHERE datname ~ '^identity_test_[0-9]+_[0-9]+$'", &[])
        .unwrap();
    for row in rows {
        let name: String = row.get(0);
        let process = name.split('_').nth(2).unwrap_or_default();
        if !std::path::Path::new("/proc").join(process).exists() {
            // Somebody else may have dropped it in this moment; that is as good.
            maintenance.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).ok();
        }
    }
}
