//! One change of one text.

use anyhow::{Context, Result, ensure};

use crate::conditions::{conditions, listed_names, locks};
use crate::schema;
use crate::source::{Form, Source};

/// A replacement of bytes in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The first byte that goes.
    pub start: usize,
    /// The byte after the last that goes.
    pub end: usize,
    /// What comes in its place.
    pub replacement: String,
    /// What it does, for people.
    pub says: String,
}

/// A changed text, and a name that stays the same while lines move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// Where, and what is taken out.
    pub name: String,
    /// The whole text as it stands.
    pub original: String,
    /// The whole text with the change.
    pub mutated: String,
}

/// Every mutant of a text, in the order of their places.
#[must_use]
pub fn mutants(source: &Source) -> Vec<Mutant> {
    let mut changes = conditions(&source.text);
    changes.extend(listed_names(&source.text));
    changes.extend(locks(&source.text));
    match source.form {
        Form::Migration => changes.extend(schema::changes(&source.text)),
        Form::Function { stands_for_its_kind } => {
            changes.extend(schema::around(&source.text, stands_for_its_kind));
        }
    }
    changes.sort_by_key(|change| (change.start, change.end));
    let mut mutants: Vec<Mutant> = Vec::new();
    for change in changes {
        let base = format!("{}: {}", source.name, change.says);
        let same =
            mutants.iter().filter(|other| other.name == base || other.name.starts_with(&format!("{base} #")));
        let name = match same.count() {
            0 => base,
            before => format!("{base} #{}", before + 1),
        };
        let (front, back) = (&source.text[..change.start], &source.text[change.end..]);
        let mutated = format!("{front}{}{back}", change.replacement);
        mutants.push(Mutant { name, original: source.text.clone(), mutated });
    }
    mutants
}

/// The function that the control changes: one that most tests call.
const OF_THE_CONTROL: &str = "login/commit.sql";

/// A change of a comment and of nothing else. It has to survive, or what catches the mutants is not what they do.
///
/// # Errors
/// When the function is not there, or has no comment.
pub fn control(sources: &[Source]) -> Result<Mutant> {
    let source = sources.iter().find(|source| source.name == OF_THE_CONTROL).context(OF_THE_CONTROL)?;
    let name = format!("{OF_THE_CONTROL}: another comment");
    let mutated = source.text.replacen("\n-- ", "\n-- In other words: ", 1);
    ensure!(mutated != source.text, "{OF_THE_CONTROL} has no comment");
    Ok(Mutant { name, original: source.text.clone(), mutated })
}

/// How many hexadecimal digits the name of a function ends with (crates/journey/build).
const DIGITS_OF_HASH: usize = 12;

/// A piece of SQL on one line. The hashes of the functions that it calls are left out: they change with what those do.
pub(crate) fn excerpt(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut parts = line.split('_');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).count();
        let (hash, rest) = part.split_at(digits);
        let is_a_hash = digits == DIGITS_OF_HASH && !rest.starts_with(char::is_alphanumeric);
        text.push_str(&if is_a_hash { rest.to_owned() } else { format!("_{hash}{rest}") });
    }
    text
}
