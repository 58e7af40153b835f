//! One change of one text.

use crate::conditions::{conditions, listed_names, locks};
use crate::schema;
use crate::source::Source;

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
    if source.is_migration {
        changes.extend(schema::changes(&source.text));
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

/// A piece of SQL on one line.
pub(crate) fn excerpt(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}
