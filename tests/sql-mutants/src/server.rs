//! What PostgreSQL makes of a mutant before any test runs, and the databases that this needs.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use harness::database::with_database;
use harness::workspace;
use postgres::{Client, NoTls};

use crate::mutant::Mutant;
use crate::source::Source;

const UNCHANGED: &str = "identity_unchanged";
const MUTATED: &str = "identity_mutated";

/// What PostgreSQL makes of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Something else than of the unchanged text: the tests have to tell.
    Different,
    /// The very same schema, because a later migration replaces what was changed.
    Same,
    /// Nothing: it refuses the text.
    Refused,
}

/// The test PostgreSQL, with the migrations as they are.
pub struct Server {
    migrations: Vec<Source>,
    unchanged: Client,
    schema: String,
}

impl Server {
    /// Makes a database of the migrations as they are. The application's role has to be there.
    ///
    /// # Errors
    /// When the test PostgreSQL does not answer, or does not take the migrations.
    pub fn new(migrations: Vec<Source>) -> Result<Self> {
        let mut unchanged = new_database(UNCHANGED)?;
        for migration in &migrations {
            unchanged.batch_execute(&migration.text).with_context(|| migration.name.clone())?;
        }
        Ok(Self { migrations, unchanged, schema: schema(UNCHANGED)? })
    }

    /// What PostgreSQL makes of a mutant.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn read(&mut self, mutant: &Mutant) -> Result<Reading> {
        if !self.migrations.iter().any(|migration| migration.text == mutant.original) {
            let taken = self.unchanged.prepare(&mutant.mutated).is_ok();
            return Ok(if taken { Reading::Different } else { Reading::Refused });
        }
        let mut database = new_database(MUTATED)?;
        for migration in &self.migrations {
            let is_mutated = migration.text == mutant.original;
            let text = if is_mutated { &mutant.mutated } else { &migration.text };
            if database.batch_execute(text).is_err() {
                return Ok(Reading::Refused);
            }
        }
        Ok(if schema(MUTATED)? == self.schema { Reading::Same } else { Reading::Different })
    }
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
    Ok(Client::connect(&url(name), NoTls)?)
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
