//! `sql-mutants TESTS [SHARD/SHARDS [PART]]` runs the tests of `journey` (the compiled program TESTS) against each mutant of
//! the SQL, and fails when one survives for which `tests/sql-mutants/survivors.txt` gives no reason. What an earlier run
//! found caught is not run again, until `target/sql-mutants` is deleted; what survived without a reason is. With PART, only
//! mutants whose names hold it are run. `sql-mutants --list` names them all. One run at a time on a PostgreSQL.
//! What each test said is in `target/sql-mutants/said.txt`. Before the first mutant a control is run, which changes a comment
//! only: if a test fails of it, the run is worth nothing, and ends.
#![allow(clippy::print_stdout, reason = "a program that says what it found")]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use harness::workspace;
use sql_mutants::mutant::{Mutant, control, mutants};
use sql_mutants::results::{self, Fate, RESULTS, SURVIVORS};
use sql_mutants::server::{Reading, Server};
use sql_mutants::source;
use sql_mutants::verdict::Tests;

fn main() -> Result<()> {
    let root = workspace::root();
    let sources = source::all(&root)?;
    let all: Vec<Mutant> = sources.iter().flat_map(mutants).collect();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let tests =
        arguments.first().context("sql-mutants TESTS [SHARD/SHARDS [PART]], or sql-mutants --list")?;
    if tests == "--list" {
        all.iter().for_each(|mutant| println!("{}", mutant.name));
        return Ok(());
    }
    let tests = Tests { program: fs::canonicalize(tests).with_context(|| tests.clone())? };
    let (shard, shards) = shard(arguments.get(1).map_or("1/1", String::as_str))?;
    let part = arguments.get(2).map_or("", String::as_str);
    let folder = root.join("target/sql-mutants");
    let file = folder.join("results.txt");
    fs::create_dir_all(&folder)?;

    let (last, known) = (results::read(&root.join(RESULTS))?, results::read(&file)?);
    let reasons = results::reasons(&root.join(SURVIVORS))?;
    let is_done = |mutant: &Mutant| {
        let is_clear = |fate: &Fate| *fate != Fate::Survived || reasons.contains_key(&mutant.name);
        known.get(&mutant.name).is_some_and(is_clear)
    };
    let mine = all.iter().enumerate().filter(|(number, _)| number % shards == shard - 1);
    let due: Vec<_> = mine.filter(|(_, mutant)| mutant.name.contains(part) && !is_done(mutant)).collect();
    if !due.is_empty() {
        check_with(&control(&sources)?, &tests)?;
        let mut server = Server::new(sources)?;
        for (number, mutant) in due {
            let (fate, said) = fate(&mut server, &tests, mutant, last.get(&mutant.name))?;
            println!("{}/{} {} => {fate}", number + 1, all.len(), mutant.name);
            results::add(&file, &mutant.name, &fate)?;
            results::add(&folder.join("said.txt"), &mutant.name, &said)?;
        }
    }
    conclude(&root, &all, &results::read(&file)?, &reasons)
}

/// Runs the tests against the control, which has to survive: then they pass, and see nothing but what the SQL does.
fn check_with(control: &Mutant, tests: &Tests) -> Result<()> {
    let Some(failure) = tests.first_to_fail(Some(control))? else { return Ok(()) };
    let unchanged = tests.first_to_fail(None)?;
    ensure!(unchanged.is_none(), "the tests fail without a mutant: {unchanged:?}");
    bail!(
        "this run is worth nothing: the control ({}) is caught by {}, which so fails of any change: {}",
        control.name,
        failure.test,
        failure.says
    )
}

/// What becomes of a mutant, and what the test says that catches it: most often the one that caught it the last time.
fn fate(server: &mut Server, tests: &Tests, mutant: &Mutant, last: Option<&Fate>) -> Result<(Fate, String)> {
    match server.read(mutant)? {
        Reading::Refused => return Ok((Fate::Refused, String::new())),
        Reading::Same => return Ok((Fate::Same, String::new())),
        Reading::Different => {}
    }
    let again = match last {
        Some(Fate::Caught(test)) => tests.fails_again(test, mutant)?,
        _ => None,
    };
    Ok(match again.map_or_else(|| tests.first_to_fail(Some(mutant)), |failure| Ok(Some(failure)))? {
        Some(failure) => (Fate::Caught(failure.test), failure.says),
        None => (Fate::Survived, String::new()),
    })
}

/// `2/4`: the second of four.
fn shard(text: &str) -> Result<(usize, usize)> {
    let (shard, shards) = text.split_once('/').context("a shard is written 2/4")?;
    let (shard, shards) = (shard.parse()?, shards.parse()?);
    ensure!((1..=shards).contains(&shard), "there is no shard {text}");
    Ok((shard, shards))
}

/// Compares what survived with what may, and writes the results down when they are complete.
fn conclude(
    root: &Path,
    all: &[Mutant],
    known: &BTreeMap<String, Fate>,
    reasons: &BTreeMap<String, String>,
) -> Result<()> {
    let missing = all.iter().filter(|mutant| !known.contains_key(&mutant.name)).count();
    if missing > 0 {
        println!("{missing} of {} mutants are left to the other shards", all.len());
        return Ok(());
    }
    let fates = || all.iter().map(|mutant| (mutant, &known[&mutant.name]));
    let count = |is: fn(&Fate) -> bool| fates().filter(|(_, fate)| is(fate)).count();
    let summary = format!(
        "{} mutants: {} caught, {} survived, {} that leave the schema the same, {} that PostgreSQL refuses",
        all.len(),
        count(|fate| matches!(fate, Fate::Caught(_))),
        count(|fate| *fate == Fate::Survived),
        count(|fate| *fate == Fate::Same),
        count(|fate| *fate == Fate::Refused),
    );
    println!("{summary}");
    let lines: String = fates().map(|(mutant, fate)| format!("{} => {fate}\n", mutant.name)).collect();
    let head = "# Written by `make sql-mutants`. survivors.txt says why those that survived may. The control survived too.";
    fs::write(root.join(RESULTS), format!("{head}\n# {summary}\n{lines}"))?;
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
