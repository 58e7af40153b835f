//! Runs the tests of `journey` against a mutant.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use harness::{mutant, workspace};

use crate::mutant::Mutant;
use crate::server::{drop_databases, templates};

/// The tests that most likely fail, by where a mutant is: they run first, because they end most runs.
const LIKELY: [(&str, &str); 13] = [
    ("account/deletion", "deletion::"),
    ("account/", "account::"),
    ("activate/", "activation::"),
    ("enroll/", "start::"),
    ("login/", "login::"),
    ("purge", "purge::"),
    ("refusal/", "history::"),
    ("reveal/", "start::"),
    ("session", "session::"),
    ("start/", "start::"),
    ("words/", "login::"),
    ("restore.sql", "restore::"),
    (".sql: ", "constraints::"),
];

/// How often a test that failed among others is asked alone. A race may go well once.
const ATTEMPTS: usize = 3;

/// What a test says when the machine has failed and not the SQL: a statement that hit its bound (SQLSTATE 57014), a
/// server that is full (53300, 53100) or away (57P03), a test that could not begin.
const NOTHING_OF_THE_SQL: [&str; 6] =
    ["57014", "53300", "53100", "57P03", "the test PostgreSQL answers", "identity-ops runs"];

/// The compiled tests of `journey`.
#[derive(Debug)]
pub struct Tests {
    /// The program.
    pub program: PathBuf,
}

/// A test that failed, and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The test's name.
    pub test: String,
    /// Its panic, on one line.
    pub says: String,
}

impl Tests {
    /// Whether the test that caught the mutant the last time does again.
    ///
    /// # Errors
    /// When it cannot be run, or fails of what has nothing to do with the SQL.
    pub fn fails_again(&self, test: &str, mutant: &Mutant) -> Result<Option<Failure>> {
        without_traces(|| self.alone(test, Some(mutant)))
    }

    /// The first test that fails against the mutant, or against nothing: one of the likely ones, else any. It has to fail
    /// alone too, so that nothing counts that fails by chance or by what runs beside it.
    ///
    /// # Errors
    /// When the tests cannot be run, or fail of what has nothing to do with the SQL.
    pub fn first_to_fail(&self, mutant: Option<&Mutant>) -> Result<Option<Failure>> {
        without_traces(|| self.look(mutant))
    }

    fn look(&self, mutant: Option<&Mutant>) -> Result<Option<Failure>> {
        let of = |mutant: &Mutant| LIKELY.iter().find(|(part, _)| mutant.name.contains(part));
        let likely = mutant.and_then(of).map(|(_, likely)| *likely);
        let mut by_chance = Vec::new();
        for part in likely.into_iter().chain([""]) {
            while let Some(test) = self.first_failure(part, &by_chance, mutant)? {
                for _ in 0..ATTEMPTS {
                    if let Some(failure) = self.alone(&test, mutant)? {
                        return Ok(Some(failure));
                    }
                }
                by_chance.push(test);
            }
        }
        Ok(None)
    }

    /// Runs the tests whose names hold `part`, and stops at the first that fails.
    fn first_failure(&self, part: &str, but: &[String], mutant: Option<&Mutant>) -> Result<Option<String>> {
        let mut command = self.command(mutant);
        command.arg(part).args(but.iter().flat_map(|test| ["--skip", test]));
        let mut running = command.spawn().with_context(|| self.program.display().to_string())?;
        let mut failed = None;
        for line in BufReader::new(running.stdout.take().context("the tests' output")?).lines() {
            let line = line?;
            if let Some(test) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
                failed = Some(test.to_owned());
                break;
            }
        }
        // It may have ended by itself.
        running.kill().ok();
        let status = running.wait()?;
        ensure!(failed.is_some() || status.success(), "the tests ended with {status}");
        Ok(failed)
    }

    /// Runs one test and nothing beside it.
    fn alone(&self, test: &str, mutant: Option<&Mutant>) -> Result<Option<Failure>> {
        for _ in 0..ATTEMPTS {
            let output = self.command(mutant).args(["--exact", test]).output()?;
            if output.status.success() {
                return Ok(None);
            }
            let text = String::from_utf8_lossy(&output.stdout);
            let says = words(&text);
            if !NOTHING_OF_THE_SQL.iter().any(|sign| says.contains(sign)) {
                return Ok(Some(Failure { test: test.to_owned(), says }));
            }
        }
        bail!("{test} fails, and not because of the SQL: is the machine too busy?")
    }

    fn command(&self, mutant: Option<&Mutant>) -> Command {
        let mut command = Command::new(&self.program);
        // The folder that Cargo runs tests in.
        command.current_dir(workspace::root().join("crates/journey"));
        command.stdout(Stdio::piped()).stderr(Stdio::null()).env("RUST_BACKTRACE", "0");
        if let Some(mutant) = mutant {
            command.env(mutant::ORIGINAL, &mutant.original).env(mutant::MUTATED, &mutant.mutated);
        }
        command
    }
}

/// Drops the databases of mutated migrations that tests leave for the next one.
fn without_traces<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    let known = templates()?;
    let result = run();
    drop_databases(templates()?.difference(&known))?;
    result
}

/// What a test's panic says, on one line.
fn words(output: &str) -> String {
    let panic = output.lines().skip_while(|line| !line.contains("panicked at"));
    let says = panic.take_while(|line| !line.starts_with("note:") && !line.is_empty());
    says.collect::<Vec<_>>().join(" ")
}
