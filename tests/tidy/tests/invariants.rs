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

/// A `.sql` file of an operation.
struct Statement {
    file: String,
    /// What its head says that it is, takes and returns.
    head: String,
    /// The SQL, without comments.
    sql: String,
}

/// Those whose head begins with one of these kinds.
fn statements(kinds: &[&str]) -> Vec<Statement> {
    let mut found = Vec::new();
    for file in files("crates/journey/src", ".sql") {
        let text = read(&file);
        let (head, _) = text.split_once("\n--\n").unwrap_or((&text, ""));
        let code = text.lines().map(|line| line.split("--").next().unwrap());
        let statement = Statement {
            file: file.display().to_string(),
            head: head.to_owned(),
            sql: code.filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n"),
        };
        if kinds.iter().any(|kind| statement.head.starts_with(&format!("-- {kind} "))) {
            found.push(statement);
        }
    }
    assert!(!found.is_empty(), "the statements are found");
    found
}

#[test]
fn the_domain_knows_neither_spin_nor_sql_nor_http_nor_json_and_draws_no_randomness() {
    let tree = dependency_tree("domain");
    for stranger in
        ["spin-sdk", "journey", "edge", "http", "serde", "serde_json", "getrandom", "rand", "tokio-postgres"]
    {
        assert!(!tree.contains(stranger), "domain is built from {stranger}");
    }
}

#[test]
fn the_journey_knows_neither_spin_nor_http_nor_a_driver() {
    let tree = dependency_tree("journey");
    for stranger in
        ["spin-sdk", "edge", "http", "serde_json", "getrandom", "tokio-postgres", "postgres", "sqlx"]
    {
        assert!(!tree.contains(stranger), "journey is built from {stranger}");
    }
}

#[test]
fn the_fileserver_shares_nothing_with_the_api() {
    let tree = dependency_tree("fileserver");
    for stranger in ["domain", "journey", "edge"] {
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
fn sql_is_spoken_in_the_files_of_the_operations_only() {
    let verbs = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "TRUNCATE "];
    for file in ["crates/domain/src", "crates/journey/src", "crates/edge/src", "components"]
        .into_iter()
        .flat_map(|at| files(at, ".rs"))
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
    for Statement { file, sql, .. } in statements(&["entry", "word", "helper"]) {
        for word in ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "LOCK TABLE", ";"] {
            assert!(!sql.contains(word), "{file} holds {word}");
        }
    }
    // Nor does anybody else begin one, whatever it is called there.
    for file in
        ["crates/journey/src", "crates/edge/src", "components"].into_iter().flat_map(|at| files(at, ".rs"))
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
    for Statement { file, sql, .. } in statements(&["entry"]) {
        let changes = ["UPDATE identity.", "INSERT INTO identity.", "DELETE FROM identity."];
        let tables = ["account", "credential"];
        let is_change = |text: &str| {
            changes.iter().any(|verb| tables.iter().any(|table| text.contains(&format!("{verb}{table}"))))
        };
        if !is_change(&sql) {
            continue;
        }
        let first = sql.split("),\n").next().unwrap();
        // A start has no row to lock yet: it deletes a dead one, which locks it, or inserts.
        let locks = first.contains("FROM identity.account") || first.contains("JOIN identity.account");
        let lock = first.contains("FOR NO KEY UPDATE") || first.contains("FOR UPDATE");
        let locks = locks && lock || first.contains("DELETE FROM identity.account");
        assert!(locks, "{file} begins with: {first}");
        checked += 1;
    }
    assert!(checked >= 7, "the statements that change accounts are found: {checked}");
}

#[test]
fn points_in_time_are_rounded_by_the_words_for_it_alone() {
    for Statement { file, sql, .. } in statements(&["entry", "word", "helper"]) {
        let is_the_word = file.contains("/words/seconds");
        assert_eq!(sql.contains("extract("), is_the_word, "{file}");
        assert!(
            !is_the_word || sql.starts_with("floor(") || sql.starts_with("ceil("),
            "{file} rounds to the nearest"
        );
    }
}

#[test]
fn a_commit_records_one_event_whatever_it_decides() {
    let mut checked = 0;
    for Statement { file, head, sql } in statements(&["entry"]) {
        if !head.contains("returns (outcome ") {
            continue;
        }
        let events: Vec<&str> = sql.split("INSERT INTO identity.event").skip(1).collect();
        assert_eq!(events.len(), 1, "{file}");
        // Of the one row that the decision has, without a condition that could leave it out.
        let insert = events[0].split(")\nSELECT").next().unwrap();
        assert!(insert.contains("FROM decision") && !insert.contains("WHERE"), "{file}: {insert}");
        checked += 1;
    }
    assert!(checked >= 7, "the commits are found: {checked}");
}

#[test]
fn every_table_is_named_with_its_schema() {
    let tables = ["account", "credential", "session", "renewal_token", "event", "reserved_name"];
    for Statement { file, sql, .. } in statements(&["entry", "word", "helper", "routine"]) {
        let words: Vec<&str> = sql.split_whitespace().collect();
        for pair in
            words.windows(2).filter(|pair| ["FROM", "JOIN", "INTO", "UPDATE", "USING"].contains(&pair[0]))
        {
            let name = pair[1].trim_end_matches([',', ')', ';']);
            assert!(!tables.contains(&name), "{file}: {} {}", pair[0], pair[1]);
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
