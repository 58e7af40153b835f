//! The tree as the invariants see it: its files, its dependency graph, its manifest.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a check that cannot read the tree has failed"
)]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

/// A file below the root, as text.
#[must_use]
pub fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file with this ending below a folder, as a path from the root, in order.
#[must_use]
pub fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path.strip_prefix(root()).unwrap().to_path_buf());
            }
        }
    }
    found.sort();
    found
}

/// The folders that hold Rust of ours: packages, or a package itself.
pub const RUST: [&str; 4] = ["crates", "components", "host", "tests"];

/// Every test of the tree: the folder of its package (`domain` for `crates/domain`), and its name. A Rust function that is
/// marked as a test, and a Python function whose name says that it is one, or that is marked as a rule for manifests.
#[must_use]
pub fn tests() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for folder in RUST {
        for ending in [".rs", ".py"] {
            // What a test fetches for itself is not ours, and need not be text.
            let ours = |file: &PathBuf| !file.iter().any(|part| part == "node_modules");
            for file in files(folder, ending).into_iter().filter(ours) {
                let is_package = root().join(folder).join("Cargo.toml").exists();
                let package = file.iter().nth(usize::from(!is_package)).unwrap();
                let package = package.to_string_lossy().into_owned();
                let source = read(&file);
                let names = if ending == ".rs" { rust_tests(&source) } else { python_tests(&source) };
                found.extend(names.into_iter().map(|name| (package.clone(), name)));
            }
        }
    }
    found
}

fn rust_tests(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        is_test |= line == "#[test]";
        if let Some(rest) = line.strip_prefix("fn ").filter(|_| is_test) {
            found.push(until_parenthesis(rest));
            is_test = false;
        }
    }
    found
}

fn python_tests(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_rule = false;
    for line in source.lines() {
        is_rule |= line == "@rule";
        if let Some(rest) = line.strip_prefix("def ") {
            let name = until_parenthesis(rest);
            if is_rule || name.starts_with("test_") {
                found.push(name);
            }
            is_rule = false;
        }
    }
    found
}

fn until_parenthesis(text: &str) -> String {
    text.split('(').next().unwrap().to_owned()
}

/// The names of all crates that this one is built from, for WebAssembly; not what only its tests need.
#[must_use]
pub fn dependency_tree(package: &str) -> BTreeSet<String> {
    let arguments = ["metadata", "--format-version=1", "--locked", "--filter-platform=wasm32-wasip2"];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: HashMap<&str, &str> = objects(&metadata["packages"])
        .map(|package| (package["id"].as_str().unwrap(), package["name"].as_str().unwrap()))
        .collect();
    let nodes: HashMap<&str, &Value> =
        objects(&metadata["resolve"]["nodes"]).map(|node| (node["id"].as_str().unwrap(), node)).collect();
    let start = names.iter().find(|(id, name)| **name == package && id.starts_with("path+")).unwrap().0;
    let mut seen = BTreeSet::new();
    let mut waiting = vec![*start];
    while let Some(id) = waiting.pop() {
        if seen.insert(id) {
            waiting.extend(
                objects(&nodes[id]["deps"])
                    .filter(|dependency| is_built_in(dependency))
                    .map(|dependency| dependency["pkg"].as_str().unwrap()),
            );
        }
    }
    seen.into_iter().map(|id| names[id].to_owned()).collect()
}

/// Dependencies of tests have the kind "dev"; ordinary ones have none.
fn is_built_in(dependency: &Value) -> bool {
    objects(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null())
}

fn objects(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().unwrap().iter()
}
