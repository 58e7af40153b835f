//! `sql-mutants TESTS [SHARD/SHARDS [PART]]` runs the store's tests (the compiled program TESTS) against each mutant of the SQL,
//! and fails when one survives for which `tests/sql-mutants/survivors.txt` gives no reason. What an earlier run found
//! caught is not run again, until `target/sql-mutants` is deleted; what survived is. With PART, only mutants whose names
//! hold it are run. `sql-mutants --list` names them all. One run at a time on a PostgreSQL.
#![allow(clippy::print_stdout, reason = "a program that says what it found")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use harness::{mutant, workspace};
use postgres::{Client, Config, NoTls};
use sql_mutants::mutant::{Mutant, mutants};
use sql_mutants::results::{self, Fate};
use sql_mutants::source::{self, Source};

fn main() -> Result<()> {
    let root = workspace::root();
    let sources = source::all(&root)?;
    let all: Vec<Mutant> = sources.iter().flat_map(mutants).collect();
    let migrations: Vec<Source> = sources.into_iter().filter(|source| source.is_migration).collect();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let tests =
        arguments.first().context("sql-mutants TESTS [SHARD/SHARDS [PART]], or sql-mutants --list")?;
    if tests == "--list" {
        all.iter().for_each(|mutant| println!("{}", mutant.name));
        return Ok(());
    }
    let tests = fs::canonicalize(tests).with_context(|| tests.clone())?;
    let (shard, shards) = shard(arguments.get(1).map_or("1/1", String::as_str))?;
    let part = arguments.get(2).map_or("", String::as_str);
    let file = root.join("target/sql-mutants/results.txt");
    fs::create_dir_all(root.join("target/sql-mutants"))?;

    let unchanged = run(&tests, "", None)?;
    ensure!(unchanged == Fate::Survived, "the tests fail without a mutant: {unchanged}");
    let known = results::read(&file)?;
    for (number, mutant) in all.iter().enumerate().filter(|(number, _)| number % shards == shard - 1) {
        let is_known = known.get(&mutant.name).is_some_and(|fate| *fate != Fate::Survived);
        if is_known || !mutant.name.contains(part) {
            continue;
        }
        let fate = if is_refused(&migrations, mutant)? { Fate::Refused } else { outcome(&tests, mutant)? };
        println!("{}/{} {} => {fate}", number + 1, all.len(), mutant.name);
        results::add(&file, &mutant.name, &fate)?;
    }
    conclude(&root, &all, &results::read(&file)?)
}

/// `2/4`: the second of four.
fn shard(text: &str) -> Result<(usize, usize)> {
    let (shard, shards) = text.split_once('/').context("a shard is written 2/4")?;
    let (shard, shards) = (shard.parse()?, shards.parse()?);
    ensure!((1..=shards).contains(&shard), "there is no shard {text}");
    Ok((shard, shards))
}

/// The tests that most likely fail, by where a mutant is: they run first, because they end most runs.
const LIKELY: [(&str, &str); 8] = [
    ("activate.rs", "activation::"),
    ("enroll.rs", "start::"),
    ("login.rs", "login::"),
    ("reveal.rs", "start::"),
    ("session.rs", "session::"),
    ("start.rs", "start::"),
    (": no ", "constraints::"),
    (".sql", "schema::"),
];

/// What the tests say: the likely ones, and if these hold, all.
fn outcome(tests: &Path, mutant: &Mutant) -> Result<Fate> {
    let likely = LIKELY.iter().find(|(part, _)| mutant.name.contains(part)).map_or("", |(_, likely)| likely);
    match run(tests, likely, Some(mutant))? {
        Fate::Survived => run(tests, "", Some(mutant)),
        fate => Ok(fate),
    }
}

/// Runs the tests whose names hold `part` until the first failure.
fn run(tests: &Path, part: &str, mutant: Option<&Mutant>) -> Result<Fate> {
    let mut command = Command::new(tests);
    command.arg(part);
    // The folder that Cargo runs tests in.
    command.current_dir(workspace::root().join("crates/store")).stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some(mutant) = mutant {
        command.env(mutant::ORIGINAL, &mutant.original).env(mutant::MUTATED, &mutant.mutated);
    }
    let known = templates()?;
    let mut running = command.spawn().with_context(|| tests.display().to_string())?;
    let output = BufReader::new(running.stdout.take().context("the tests' output")?);
    let failed = first_failure(output)?;
    // It may have ended by itself.
    running.kill().ok();
    let status = running.wait()?;
    drop_databases(templates()?.difference(&known))?;
    match failed {
        Some(test) => Ok(Fate::Caught(test)),
        None => {
            ensure!(status.success(), "the tests ended with {status}");
            Ok(Fate::Survived)
        }
    }
}

fn first_failure(output: impl BufRead) -> Result<Option<String>> {
    for line in output.lines() {
        let line = line?;
        if let Some(test) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            return Ok(Some(test.to_owned()));
        }
    }
    Ok(None)
}

/// Whether PostgreSQL does not take the migrations with this change.
fn is_refused(migrations: &[Source], mutant: &Mutant) -> Result<bool> {
    if !migrations.iter().any(|migration| migration.text == mutant.original) {
        return Ok(false);
    }
    let name = "identity_mutant".to_owned();
    drop_databases([&name])?;
    maintenance()?.batch_execute(&format!("CREATE DATABASE {name}"))?;
    let mut config: Config = workspace::maintenance_url().parse()?;
    let mut owner = config.dbname(&name).connect(NoTls)?;
    let is_refused = migrations.iter().any(|migration| {
        let text = if migration.text == mutant.original { &mutant.mutated } else { &migration.text };
        owner.batch_execute(text).is_err()
    });
    drop_databases([&name])?;
    Ok(is_refused)
}

fn maintenance() -> Result<Client> {
    Client::connect(&workspace::maintenance_url(), NoTls).context("the test PostgreSQL answers")
}

/// The databases that the harness copies: one for each state of the migrations, and so one for each mutant of them.
fn templates() -> Result<BTreeSet<String>> {
    let query = "SELECT datname::text FROM pg_database WHERE datname LIKE 'identity\\_template\\_%'";
    Ok(maintenance()?.query(query, &[])?.iter().map(|row| row.get(0)).collect())
}

fn drop_databases<'a>(names: impl IntoIterator<Item = &'a String>) -> Result<()> {
    let mut maintenance = maintenance()?;
    for name in names {
        maintenance.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
    }
    Ok(())
}

/// Compares what survived with what may, and writes the results down when they are complete.
fn conclude(root: &Path, all: &[Mutant], known: &BTreeMap<String, Fate>) -> Result<()> {
    let missing = all.iter().filter(|mutant| !known.contains_key(&mutant.name)).count();
    if missing > 0 {
        println!("{missing} of {} mutants are left to the other shards", all.len());
        return Ok(());
    }
    let reasons = results::reasons(&root.join("tests/sql-mutants/survivors.txt"))?;
    let fates = || all.iter().map(|mutant| (mutant, &known[&mutant.name]));
    let count = |is: fn(&Fate) -> bool| fates().filter(|(_, fate)| is(fate)).count();
    let summary = format!(
        "{} mutants: {} caught, {} survived, {} that PostgreSQL refuses",
        all.len(),
        count(|fate| matches!(fate, Fate::Caught(_))),
        count(|fate| *fate == Fate::Survived),
        count(|fate| *fate == Fate::Refused),
    );
    println!("{summary}");
    let lines: String = fates().map(|(mutant, fate)| format!("{} => {fate}\n", mutant.name)).collect();
    let head = "# Written by `make sql-mutants`. survivors.txt says why those that survived may.";
    fs::write(root.join("tests/sql-mutants/results.txt"), format!("{head}\n# {summary}\n{lines}"))?;
    let unexplained: Vec<&str> = fates()
        .filter(|(mutant, fate)| **fate == Fate::Survived && !reasons.contains_key(&mutant.name))
        .map(|(mutant, _)| mutant.name.as_str())
        .collect();
    ensure!(unexplained.is_empty(), "no test fails without:\n{}", unexplained.join("\n"));
    let stale: Vec<&String> =
        reasons.keys().filter(|name| known.get(*name) != Some(&Fate::Survived)).collect();
    ensure!(stale.is_empty(), "survivors.txt explains what did not survive: {stale:?}");
    Ok(())
}
