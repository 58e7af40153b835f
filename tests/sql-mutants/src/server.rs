//! What PostgreSQL makes of a mutant before any test runs, and the databases that this needs.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use harness::database::with_database;
use harness::{mutant, workspace};
use journey::functions::{DEFINITIONS, Definition};
use postgres::{Client, NoTls};

use crate::mutant::Mutant;
use crate::source::{Form, Source};

const UNCHANGED: &str = "identity_unchanged";
const MUTATED: &str = "identity_mutated";

/// What PostgreSQL makes of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Something else than of the unchanged text: the tests have to tell.
    Different,
    /// The very same schema, most often because a later migration replaces what was changed.
    Same,
    /// Nothing: it refuses the text.
    Refused,
}

/// SQLSTATEs of what PostgreSQL cannot make sense of: their first letters. A function's text it reads when it is called.
const NONSENSE: [&str; 2] = ["42", "0A"];

/// The test PostgreSQL, with the SQL as it is.
pub struct Server {
    migrations: Vec<Source>,
    unchanged: Client,
    schema: String,
}

impl Server {
    /// Makes a database of the SQL as it is. The roles have to be there.
    ///
    /// # Errors
    /// When the test PostgreSQL does not answer, or does not take the SQL.
    pub fn new(mut sources: Vec<Source>) -> Result<Self> {
        sources.retain(|source| source.form == Form::Migration);
        let mut unchanged = new_database(UNCHANGED)?;
        for migration in &sources {
            unchanged.batch_execute(&migration.text).with_context(|| migration.name.clone())?;
        }
        for function in DEFINITIONS {
            unchanged.batch_execute(function.create).with_context(|| function.name)?;
        }
        Ok(Self { migrations: sources, unchanged, schema: schema(UNCHANGED)? })
    }

    /// What PostgreSQL makes of a mutant.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn read(&mut self, mutant: &Mutant) -> Result<Reading> {
        if let Some(function) = function(mutant) {
            return self.call(function, &mutant.mutated);
        }
        let mut database = new_database(MUTATED)?;
        for migration in &self.migrations {
            let is_mutated = migration.text == mutant.original;
            let text = if is_mutated { &mutant.mutated } else { &migration.text };
            if database.batch_execute(text).is_err() {
                return Ok(Reading::Refused);
            }
        }
        for function in DEFINITIONS {
            if database.batch_execute(function.create).is_err() {
                return Ok(Reading::Refused);
            }
        }
        Ok(if schema(MUTATED)? == self.schema { Reading::Same } else { Reading::Different })
    }

    /// Calls a mutated function with nothing, which makes PostgreSQL read all of it, and leaves everything as it was.
    fn call(&mut self, function: &Definition, mutated: &str) -> Result<Reading> {
        let nothing: Vec<String> = function
            .types
            .split(", ")
            .filter(|one| !one.is_empty())
            .map(|one| format!("NULL::{one}"))
            .collect();
        let mut transaction = self.unchanged.transaction()?;
        let call = format!("SELECT * FROM identity.{}({})", function.name, nothing.join(", "));
        let refused =
            transaction.batch_execute(mutated).and_then(|()| transaction.batch_execute(&call)).err();
        transaction.rollback()?;
        let Some(error) = refused else { return Ok(Reading::Different) };
        let sqlstate = error.code().with_context(|| error.to_string())?.code();
        let is_nonsense = NONSENSE.iter().any(|class| sqlstate.starts_with(class));
        Ok(if is_nonsense { Reading::Refused } else { Reading::Different })
    }
}

/// The function that a mutant is of, if it is not of a migration.
fn function(mutant: &Mutant) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|function| function.create == mutant.original)
}

/// The databases that the harness copies: one for each state of the migrations, and so one for each mutant of them.
///
/// # Errors
/// When the test PostgreSQL does not answer.
pub fn templates() -> Result<BTreeSet<String>> {
    let query = "SELECT datname::text FROM pg_database WHERE datname LIKE 'identity\\_template\\_%'";
    Ok(maintenance()?.query(query, &[])?.iter().map(|row| row.get(0)).collect())
}

/// Drops databases, if they are there.
///
/// # Errors
/// When the test PostgreSQL does not answer.
pub fn drop_databases<'a>(names: impl IntoIterator<Item = &'a String>) -> Result<()> {
    let mut maintenance = maintenance()?;
    for name in names {
        maintenance.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
    }
    Ok(())
}

fn maintenance() -> Result<Client> {
    Client::connect(&workspace::maintenance_url(), NoTls).context("the test PostgreSQL answers")
}

fn new_database(name: &str) -> Result<Client> {
    drop_databases([&name.to_owned()])?;
    maintenance()?.batch_execute(&format!("CREATE DATABASE {name}"))?;
    let mut database = Client::connect(&url(name), NoTls)?;
    database.batch_execute(mutant::PREPARATION)?;
    Ok(database)
}

fn url(database: &str) -> String {
    with_database(&workspace::maintenance_url(), database)
}

/// The schema as SQL, without the key that newer versions of pg_dump draw for each dump.
fn schema(database: &str) -> Result<String> {
    let output = Command::new(workspace::postgresql_program("pg_dump"))
        .args(["--schema-only", "--dbname", &url(database)])
        .output()
        .context("pg_dump runs")?;
    ensure!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    Ok(text
        .lines()
        .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
        .collect())
}
