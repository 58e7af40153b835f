//! Where the SQL is: the store's constants and the migrations.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// A text of SQL, exactly as PostgreSQL gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// `login.rs COMMIT` or `0001_identity.sql`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Whether it is a migration.
    pub is_migration: bool,
}

/// All SQL of the service: statements first.
///
/// # Errors
/// When a file cannot be read, or nothing is found where the statements should be.
pub fn all(root: &Path) -> Result<Vec<Source>> {
    let mut found = Vec::new();
    for file in files(&root.join("crates/store/src"), "rs")? {
        let text = read(&file)?;
        let name = name(&file);
        found.extend(statements(&text).map(|(constant, text)| Source {
            name: format!("{name} {constant}"),
            text: text.to_owned(),
            is_migration: false,
        }));
    }
    ensure!(found.len() >= 10, "only {} statements are found in the store", found.len());
    for file in files(&root.join("migrations"), "sql")? {
        found.push(Source { name: name(&file), text: read(&file)?, is_migration: true });
    }
    Ok(found)
}

/// The constants of a Rust file that hold a text, by name. They hold no escapes.
fn statements(source: &str) -> impl Iterator<Item = (&str, &str)> {
    source.split("const ").skip(1).filter_map(|declaration| {
        let (name, rest) = declaration.split_once(": &str = \"")?;
        let (text, _) = rest.split_once("\";")?;
        (!name.contains('\n')).then_some((name, text))
    })
}

fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|found| found == ending));
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| file.display().to_string())
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
