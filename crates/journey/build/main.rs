//! Writes `functions.rs` from the `.sql` files beside the operations: what the operations call, and what
//! `identity-ops migrate` installs.
#![allow(clippy::print_stdout, reason = "a build script speaks to Cargo")]

mod function;

use std::path::{Path, PathBuf};
use std::{env, error, fs};

use function::Source;

fn main() -> Result<(), Box<dyn error::Error>> {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("src");
    let mut sources = Vec::new();
    read(&root, &root, &mut sources)?;
    let functions = function::resolve(&sources)?;
    let out = PathBuf::from(env::var("OUT_DIR")?).join("functions.rs");
    fs::write(out, function::rust(&functions))?;
    Ok(())
}

/// Every `.sql` file below a folder, by its path from the root.
fn read(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> Result<(), Box<dyn error::Error>> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read(root, &path, sources)?;
        } else if path.extension().is_some_and(|ending| ending == "sql") {
            let file = path.strip_prefix(root)?.to_string_lossy().into_owned();
            let text = fs::read_to_string(&path)?;
            sources.push(Source::parse(&file, &text)?);
        }
    }
    Ok(())
}
