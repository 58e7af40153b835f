//! What became of each mutant, kept in a file so that an interrupted run goes on where it stopped.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// The committed results, in the tree.
pub const RESULTS: &str = "tests/sql-mutants/results.txt";

/// Why mutants may survive, in the tree.
pub const SURVIVORS: &str = "tests/sql-mutants/survivors.txt";

/// What the tests said to a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// A test failed; the first one that did.
    Caught(String),
    /// No test failed.
    Survived,
    /// The schema is the same, most often because a later migration replaces what was changed: there is nothing to test.
    Same,
    /// PostgreSQL does not take the text: there is nothing to test.
    Refused,
}

impl fmt::Display for Fate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caught(test) => write!(formatter, "caught by {test}"),
            Self::Survived => formatter.write_str("survived"),
            Self::Same => formatter.write_str("the same"),
            Self::Refused => formatter.write_str("refused"),
        }
    }
}

impl Fate {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "survived" => Some(Self::Survived),
            "the same" => Some(Self::Same),
            "refused" => Some(Self::Refused),
            _ => text.strip_prefix("caught by ").map(|test| Self::Caught(test.to_owned())),
        }
    }
}

/// The fates in a file, by the mutants' names; nothing when there is no such file.
///
/// # Errors
/// When a line cannot be read.
pub fn read(file: &Path) -> Result<BTreeMap<String, Fate>> {
    let Ok(text) = fs::read_to_string(file) else { return Ok(BTreeMap::new()) };
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            // SQL writes its named arguments with the same arrow.
            let (name, fate) = line.rsplit_once(" => ").with_context(|| line.to_owned())?;
            Ok((name.to_owned(), Fate::parse(fate).with_context(|| line.to_owned())?))
        })
        .collect()
}

/// Adds a line to the file.
///
/// # Errors
/// When it cannot be written.
pub fn add(file: &Path, name: &str, says: &impl fmt::Display) -> Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    Ok(writeln!(file, "{name} => {says}")?)
}

/// Why mutants may survive: lines of a name, and below it, indented, the reason.
///
/// # Errors
/// When a name has no reason.
pub fn reasons(file: &Path) -> Result<BTreeMap<String, String>> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let mut reasons: BTreeMap<String, String> = BTreeMap::new();
    let mut names: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        if let Some(reason) = line.strip_prefix("    ") {
            for name in &names {
                let known = reasons.entry(name.clone()).or_default();
                *known = format!("{known} {}", reason.trim()).trim().to_owned();
            }
        } else {
            if names.last().is_some_and(|last| reasons.contains_key(last)) {
                names.clear();
            }
            names.push(line.to_owned());
        }
    }
    if let Some(name) = names.iter().find(|name| !reasons.contains_key(*name)) {
        bail!("no reason is given for: {name}");
    }
    Ok(reasons)
}
