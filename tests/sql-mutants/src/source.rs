//! Where the SQL is: the functions of `journey`, as they are installed, and the migrations.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use journey::functions::{DEFINITIONS, Kind};

/// A text of SQL, exactly as PostgreSQL gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// `login/commit.sql` or `0001_identity.sql`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// What it is.
    pub form: Form,
}

/// What a text is, and so what may be taken out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A migration.
    Migration,
    /// The definition of a function.
    Function {
        /// Whether what is written around all functions of its kind is taken out of this one.
        stands_for_its_kind: bool,
    },
}

/// All SQL of the service: the functions, by their files, and then the migrations.
///
/// # Errors
/// When a file cannot be read.
pub fn all(root: &Path) -> Result<Vec<Source>> {
    let mut functions: Vec<_> = DEFINITIONS.iter().collect();
    functions.sort_by_key(|function| function.file);
    let mut kinds: Vec<Kind> = Vec::new();
    let mut found = Vec::new();
    for function in functions {
        let stands_for_its_kind = !kinds.contains(&function.kind);
        kinds.push(function.kind);
        found.push(Source {
            name: function.file.to_owned(),
            text: function.create.to_owned(),
            form: Form::Function { stands_for_its_kind },
        });
    }
    for file in migrations(root)? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        found.push(Source { name, text, form: Form::Migration });
    }
    Ok(found)
}

fn migrations(root: &Path) -> Result<Vec<PathBuf>> {
    let folder = root.join("migrations");
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "sql"));
    files.sort();
    Ok(files)
}
