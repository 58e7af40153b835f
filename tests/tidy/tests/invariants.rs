//! The invariants of ARCHITECTURE.md that are about the tree. Each test is named there, which is itself one of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a check that cannot read the tree has failed")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tidy::{RUST, dependency_tree, files, read, tests};

/// Every Rust file of ours, tests included.
fn sources() -> Vec<PathBuf> {
    RUST.into_iter().flat_map(|folder| files(folder, ".rs")).collect()
}

/// The string constants of the store that hold SQL: their names and texts.
fn statements() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in files("crates/store/src", ".rs") {
        let source = read(&file);
        for declaration in source.split("\nconst ").skip(1) {
            let Some((name, rest)) = declaration.split_once(": &str = \"") else { continue };
            let (text, _) = rest.split_once("\";").unwrap();
            found.push((format!("{} {name}", file.display()), text.trim().to_owned()));
        }
    }
    assert!(found.len() >= 10, "the store's statements are found: {}", found.len());
    found
}

#[test]
fn the_domain_knows_neither_spin_nor_sql_nor_http_nor_json_and_draws_no_randomness() {
    let tree = dependency_tree("domain");
    for stranger in
        ["spin-sdk", "store", "edge", "http", "serde", "serde_json", "getrandom", "rand", "tokio-postgres"]
    {
        assert!(!tree.contains(stranger), "domain is built from {stranger}");
    }
}

#[test]
fn the_store_knows_neither_spin_nor_http_nor_a_driver() {
    let tree = dependency_tree("store");
    for stranger in
        ["spin-sdk", "edge", "http", "serde_json", "getrandom", "tokio-postgres", "postgres", "sqlx"]
    {
        assert!(!tree.contains(stranger), "store is built from {stranger}");
    }
}

#[test]
fn the_fileserver_shares_nothing_with_the_api() {
    let tree = dependency_tree("fileserver");
    for stranger in ["domain", "store", "edge"] {
        assert!(!tree.contains(stranger), "fileserver is built from {stranger}");
    }
}

#[test]
fn only_components_that_need_the_database_may_reach_it() {
    let manifest: toml::Table = read("spin.toml").parse().unwrap();
    for (name, component) in manifest["component"].as_table().unwrap() {
        let hosts: Vec<&str> = component["allowed_outbound_hosts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|host| host.as_str().unwrap())
            .collect();
        let secrets = ["pg_dsn", "sealing_keys"].map(|name| component["variables"].get(name).is_some());
        if name == "fileserver" {
            assert_eq!((hosts, secrets), (vec![], [false, false]));
        } else {
            assert_eq!(
                (hosts, secrets),
                (vec!["postgres://{{ pg_host }}:{{ pg_port }}"], [true, true]),
                "{name}"
            );
        }
    }
}

#[test]
fn sql_is_spoken_in_the_store_only() {
    let verbs = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "TRUNCATE "];
    for file in
        ["crates/domain/src", "crates/edge/src", "components"].into_iter().flat_map(|at| files(at, ".rs"))
    {
        for (line, text) in read(&file).lines().enumerate() {
            let code = text.split("//").next().unwrap();
            let verb = verbs.iter().find(|verb| code.contains(**verb));
            assert!(verb.is_none(), "{}:{}: {text}", file.display(), line + 1);
        }
    }
}

#[test]
fn a_statement_is_a_transaction_of_its_own() {
    for (name, statement) in statements() {
        for word in ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "LOCK TABLE", ";"] {
            assert!(!statement.contains(word), "{name} holds {word}");
        }
    }
    // Nor does anybody else begin one, whatever it is called there.
    for file in
        ["crates/store/src", "crates/edge/src", "components"].into_iter().flat_map(|at| files(at, ".rs"))
    {
        for (line, text) in read(&file).lines().enumerate() {
            let code = text.split("//").next().unwrap().to_ascii_uppercase();
            let word = ["\"BEGIN", "\"START TRANSACTION", "\"SAVEPOINT"]
                .into_iter()
                .find(|word| code.contains(word));
            assert!(word.is_none(), "{}:{}: {text}", file.display(), line + 1);
        }
    }
}

#[test]
fn a_statement_that_changes_an_account_locks_its_row_first() {
    let mut checked = 0;
    for (name, statement) in statements() {
        let changes =
            ["UPDATE account", "UPDATE credential", "INSERT INTO credential", "DELETE FROM account"];
        if !changes.iter().any(|change| statement.contains(change)) {
            continue;
        }
        let first = statement.split("),\n").next().unwrap();
        // A start has no row to lock yet: it deletes a dead one, which locks it, or inserts.
        let locks = first.contains("FROM account") || first.contains("JOIN account");
        let lock = first.contains("FOR NO KEY UPDATE") || first.contains("FOR UPDATE");
        let locks = locks && lock || first.contains("DELETE FROM account");
        assert!(locks, "{name} begins with: {first}");
        checked += 1;
    }
    assert!(checked >= 7, "the statements that change accounts are found: {checked}");
}

#[test]
fn points_in_time_are_floored_before_they_leave_sql() {
    for (name, statement) in statements() {
        for (position, _) in statement.match_indices("extract(epoch") {
            let before = &statement[..position];
            assert!(before.ends_with("floor(") || before.ends_with("ceil("), "{name} rounds a point in time");
        }
    }
}

#[test]
fn unsafe_code_is_only_what_spins_macro_writes() {
    for file in sources() {
        let source = read(&file);
        let keyword = ["un", "safe "].concat();
        let code = source.lines().map(|line| line.split("//").next().unwrap()).find(|code| {
            code.contains(&format!("{keyword}{{"))
                || code.contains(&format!("{keyword}fn"))
                || code.contains(&format!("{keyword}impl"))
                || code.contains(&format!("{keyword}extern"))
        });
        assert!(code.is_none(), "{}: {}", file.display(), code.unwrap_or_default());
        let exempt = source.contains(&["expect(un", "safe_code"].concat());
        let is_export = file.starts_with("components") && file.ends_with("src/lib.rs");
        assert!(!exempt || is_export, "{} is exempt from the rule", file.display());
    }
}

#[test]
fn a_migration_that_was_merged_never_changes() {
    let listed = read("migrations/SHA256SUMS");
    let actual: String = files("migrations", ".sql")
        .iter()
        .map(|file| {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            format!("{}  {name}\n", HEXLOWER.encode(&Sha256::digest(read(file))))
        })
        .collect();
    assert_eq!(
        listed, actual,
        "migrations/SHA256SUMS: a new migration adds its line, and no line ever changes"
    );
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    let tests: BTreeSet<String> = tests().into_iter().map(|(_, name)| name).collect();
    let mut named = 0;
    for paragraph in
        read("ARCHITECTURE.md").split("\n\n").filter(|text| text.contains("**Architecture Invariant:**"))
    {
        let names: Vec<&str> =
            paragraph.split('`').skip(1).step_by(2).filter(|name| name.matches('_').count() >= 3).collect();
        assert!(!names.is_empty(), "no test is named: {paragraph}");
        for name in names {
            assert!(tests.contains(name), "there is no test {name}");
            named += 1;
        }
    }
    assert!(named >= 10, "the invariants are found: {named}");
}
