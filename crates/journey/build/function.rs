//! From a `.sql` file to a function of the database.
//!
//! A file begins with what it is, what it takes and what it returns, as a comment:
//!
//! ```sql
//! -- entry (username text)
//! -- returns (account_id uuid, now bigint)
//! -- set enable_seqscan = off
//! --
//! -- Why it is as it is.
//! SELECT ...
//! ```
//!
//! The third line is optional. A parameter is written `$1` to `$n`, a function of another file `identity.name(`. In the
//! database each has a hash of its text and of all that it calls behind its name, so that releases run side by side.
//! `{functions}` stands for a digest of the names of all functions but those that hold it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The longest name that PostgreSQL takes: `NAMEDATALEN - 1`.
const NAME_MAX_BYTES: usize = 63;
/// 48 bits: no two texts of one name meet by chance.
const HASH_BYTES: usize = 6;
/// `pg_catalog` first: nobody can put an object of the same name before it.
const PINNED_PATH: &str = "search_path = pg_catalog, pg_temp";

/// The functions of the schema itself (`migrations/`) that others may call.
const OF_THE_SCHEMA: [&str; 1] = ["name_hash"];

/// Is replaced by the digest of all functions.
const ALL_FUNCTIONS: &str = "{functions}";

/// What a file holds, and with it the form of its function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One statement, which the application may call; it runs as the owner.
    Entry,
    /// An expression that statements share. PostgreSQL puts it in the place of its call.
    Word,
    /// A query of one value, with a plan of its own.
    Helper,
    /// A block of statements that the owner calls.
    Routine,
}

/// A file, read.
#[derive(Debug, Clone)]
pub struct Source {
    file: String,
    name: String,
    kind: Kind,
    parameters: Vec<(String, String)>,
    returns: String,
    settings: Vec<String>,
    body: String,
}

/// A function as the database has it.
#[derive(Debug, Clone)]
pub struct Function {
    source: Source,
    /// With its hash.
    name: String,
    /// As `pg_proc.prosrc` has it.
    body: String,
}

impl Source {
    /// Reads a file by its path from `src`, such as `login/commit.sql`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(file: &str, text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("{file}: {what}");
        let (head, body) = split_head(text);
        let mut kind = None;
        let (mut takes, mut returns, mut settings) = (String::new(), None, Vec::new());
        for line in head {
            let (word, rest) =
                line.split_once(' ').ok_or_else(|| wrong("a line of its head says nothing"))?;
            match word {
                "entry" => kind = Some(Kind::Entry),
                "word" => kind = Some(Kind::Word),
                "helper" => kind = Some(Kind::Helper),
                "routine" => kind = Some(Kind::Routine),
                "returns" => returns = Some(rest.to_owned()),
                "set" => settings = rest.split(", ").map(str::to_owned).collect(),
                other => return Err(wrong(&format!("unknown in a head: {other}"))),
            }
            if !["returns", "set"].contains(&word) {
                rest.clone_into(&mut takes);
            }
        }
        let kind = kind.ok_or_else(|| wrong("its head does not say what it is"))?;
        let returns = returns.ok_or_else(|| wrong("its head does not say what it returns"))?;
        let returns_rows = returns.starts_with('(');
        if returns_rows != matches!(kind, Kind::Entry | Kind::Routine) {
            return Err(wrong("entries and routines return rows, words and helpers one value"));
        }
        let parameters = parameters(&takes).ok_or_else(|| wrong("its parameters cannot be read"))?;
        Ok(Self { file: file.to_owned(), name: name(file), kind, parameters, returns, settings, body })
    }
}

/// `login/commit.sql` is `login_commit`; `words/seconds.sql` is `seconds`, and `purge/purge.sql` is `purge`.
fn name(file: &str) -> String {
    let path = file.trim_end_matches(".sql");
    match path.rsplit_once('/') {
        Some((folder, stem)) if folder == "words" || folder == stem => stem.to_owned(),
        _ => path.replace('/', "_"),
    }
}

/// The lines of the head, each whole (a line that is indented goes on with the one before), and the rest of the text.
fn split_head(text: &str) -> (Vec<String>, String) {
    let mut head: Vec<String> = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next_if(|line| line.starts_with("-- ")) {
        let line = &line[3..];
        match head.last_mut() {
            Some(last) if line.starts_with(' ') => *last += &format!(" {}", line.trim()),
            _ => head.push(line.trim_end().to_owned()),
        }
    }
    lines.next_if(|line| *line == "--");
    (head, lines.collect::<Vec<_>>().join("\n"))
}

/// `(a text, b bigint)` as names and types.
fn parameters(text: &str) -> Option<Vec<(String, String)>> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    if inner.is_empty() {
        return Some(Vec::new());
    }
    inner
        .split(", ")
        .map(|one| one.split_once(' ').map(|(name, kind)| (name.to_owned(), kind.to_owned())))
        .collect()
}

/// Every function, those that are called before those that call them.
///
/// # Errors
/// A sentence: two files have one name, or functions call each other.
pub fn resolve(sources: &[Source]) -> Result<Vec<Function>, String> {
    let mut by_name = BTreeMap::new();
    for source in sources {
        if let Some(other) = by_name.insert(source.name.as_str(), source) {
            return Err(format!("{} and {} have one name", other.file, source.file));
        }
    }
    for source in sources {
        let is_known = |name: &&str| by_name.contains_key(name) || OF_THE_SCHEMA.contains(name);
        if let Some(unknown) = calls(&source.body).find(|name| !is_known(name)) {
            return Err(format!("{}: there is no function identity.{unknown}", source.file));
        }
    }
    let mut done: Vec<Function> = Vec::new();
    let mut waiting: Vec<&Source> = sources.iter().collect();
    let concerns_all = sources.iter().filter(|source| source.body.contains(ALL_FUNCTIONS)).count();
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain(|source| {
            let knows_all = done.len() + concerns_all >= sources.len();
            let is_ready = (knows_all || !source.body.contains(ALL_FUNCTIONS))
                && calls(&source.body)
                    .filter(|name| by_name.contains_key(name))
                    .all(|name| done.iter().any(|function| function.source.name == name));
            if is_ready {
                done.push(Function::new(source, &done));
            }
            !is_ready
        });
        if waiting.len() == before {
            return Err(format!("{} calls what calls it", waiting[0].file));
        }
    }
    if let Some(long) = done.iter().find(|function| function.name.len() > NAME_MAX_BYTES) {
        return Err(format!("the name {} is too long", long.name));
    }
    Ok(done)
}

/// The names in `identity.name(`.
fn calls(body: &str) -> impl Iterator<Item = &str> {
    body.split("identity.").skip(1).filter_map(|rest| {
        let end = rest.find(|character: char| !character.is_ascii_alphanumeric() && character != '_')?;
        rest[end..].starts_with('(').then(|| &rest[..end])
    })
}

fn hash(text: &str) -> String {
    Sha256::digest(text)[..HASH_BYTES].iter().fold(String::new(), |mut hash, byte| {
        _ = write!(hash, "{byte:02x}");
        hash
    })
}

impl Function {
    fn new(source: &Source, known: &[Self]) -> Self {
        let mut body = source.body.clone();
        for called in known {
            let (plain, hashed) = (&called.source.name, &called.name);
            body = body.replace(&format!("identity.{plain}("), &format!("identity.{hashed}("));
        }
        let mut names: Vec<&str> = known.iter().map(|function| function.name.as_str()).collect();
        names.sort_unstable();
        let body = body.replace(ALL_FUNCTIONS, &hash(&names.join(" ")));
        let body = match source.kind {
            Kind::Entry => {
                format!("\n#variable_conflict use_column\nBEGIN\nRETURN QUERY\n{body};\nEND\n")
            }
            Kind::Helper => format!("\n#variable_conflict use_column\nBEGIN\nRETURN (\n{body});\nEND\n"),
            Kind::Word => format!("\nSELECT {body}\n"),
            Kind::Routine => format!("\n#variable_conflict use_column\n{body}\n"),
        };
        let mut function = Self { source: source.clone(), name: source.name.clone(), body };
        function.name = format!("{}_{}", source.name, hash(&function.definition()));
        function
    }

    fn settings(&self) -> Vec<String> {
        let pinned = (self.source.kind != Kind::Word).then(|| PINNED_PATH.to_owned());
        pinned.into_iter().chain(self.source.settings.iter().cloned()).collect()
    }

    fn language(&self) -> &'static str {
        if self.source.kind == Kind::Word { "sql" } else { "plpgsql" }
    }

    fn is_stable(&self) -> bool {
        matches!(self.source.kind, Kind::Word | Kind::Helper)
    }

    fn types(&self) -> String {
        self.source.parameters.iter().map(|(_, kind)| kind.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// `CREATE OR REPLACE FUNCTION ...`, without rights.
    fn definition(&self) -> String {
        // Only a routine calls them by name; elsewhere a name could also be a column's of the answer.
        let parameters = if self.source.kind == Kind::Routine {
            let named = self.source.parameters.iter().map(|(name, kind)| format!("{name} {kind}"));
            named.collect::<Vec<_>>().join(", ")
        } else {
            self.types()
        };
        let returns = match self.source.returns.strip_prefix('(') {
            Some(_) => format!("TABLE {}", self.source.returns),
            None => self.source.returns.clone(),
        };
        let volatility = if self.is_stable() { " STABLE" } else { "" };
        let security = if self.source.kind == Kind::Entry { " SECURITY DEFINER" } else { "" };
        let settings: String = self.settings().iter().map(|setting| format!(" SET {setting}")).collect();
        format!(
            "CREATE OR REPLACE FUNCTION identity.{}({})\nRETURNS {returns}\nLANGUAGE {}{volatility}{security}{settings} AS $function${}$function$",
            self.name,
            parameters,
            self.language(),
            self.body
        )
    }

    /// The statement by which it is called.
    fn call(&self) -> String {
        let numbers: Vec<String> =
            (1..=self.source.parameters.len()).map(|number| format!("${number}")).collect();
        format!("SELECT * FROM identity.{}({})", self.name, numbers.join(", "))
    }

    fn is_called_from_rust(&self) -> bool {
        matches!(self.source.kind, Kind::Entry | Kind::Routine)
    }
}

/// The module that the crate includes.
pub fn rust(functions: &[Function]) -> String {
    let mut text = String::from("// Written by build/main.rs from the .sql files beside the operations.\n");
    for function in functions.iter().filter(|function| function.is_called_from_rust()) {
        let constant = function.source.name.to_uppercase();
        _ = write!(
            text,
            "\n/// `{}`\npub const {constant}: Call = Call({:?});\n",
            function.source.file,
            function.call()
        );
    }
    text.push_str("\n/// All functions of this release, each behind those that it calls.\npub static DEFINITIONS: &[Definition] = &[\n");
    for function in functions {
        _ = writeln!(
            text,
            "    Definition {{ file: {:?}, name: {:?}, types: {:?}, kind: Kind::{:?}, language: {:?}, is_stable: {}, settings: &{:?}, body: {:?}, create: {:?} }},",
            function.source.file,
            function.name,
            function.types(),
            function.source.kind,
            function.language(),
            function.is_stable(),
            function.settings(),
            function.body,
            function.definition(),
        );
    }
    text.push_str("];\n");
    text
}
