//! What SECURITY.md promises and what the checklist asks is held by tests that exist. Whoever renames a test, or takes one
//! out, is told what rested on it.

use std::collections::BTreeSet;

use tidy::{read, tests};

/// The rows of the checklist: how each section's begin, and how many it has.
const SECTIONS: [(&str, usize); 9] =
    [("R", 14), ("P", 14), ("T", 14), ("B", 11), ("S", 11), ("C", 13), ("W", 8), ("L", 4), ("A", 14)];
/// How a row begins that names no test.
const REASONS: [&str; 2] = ["**Does not apply.**", "**Not shown here.**"];

/// A line of a table: its first cell, and its last one, which says what shows it.
struct Row {
    first: String,
    last: String,
}

/// The lines of all tables whose last column has this heading.
fn rows(document: &str, heading: &str) -> Vec<Row> {
    let mut found = Vec::new();
    let mut is_wanted = None;
    for line in document.lines() {
        let Some(cells) = line.strip_prefix('|').and_then(|line| line.trim_end().strip_suffix('|')) else {
            is_wanted = None;
            continue;
        };
        let cells: Vec<&str> = cells.split('|').map(str::trim).collect();
        let row = Row { first: cells[0].to_owned(), last: cells[cells.len() - 1].to_owned() };
        match is_wanted {
            None => is_wanted = Some(row.last == heading),
            Some(true) if !row.first.starts_with("---") => found.push(row),
            Some(_) => {}
        }
    }
    found
}

/// What is wrong with the tests that a text names, each after the folder of its package: `store`, say.
fn complaints(text: &str, tests: &BTreeSet<(String, String)>) -> Vec<String> {
    let mut complaints = Vec::new();
    let (mut package, mut named) = ("no package", 0);
    for (number, part) in text.split('`').enumerate() {
        if number % 2 == 0 {
            let words = part.split(|character: char| !character.is_ascii_alphanumeric() && character != '-');
            let mut packages = words.filter(|word| tests.iter().any(|(package, _)| package == *word));
            package = packages.next_back().unwrap_or(package);
        } else if is_name(part, 2) {
            named += 1;
            if !tests.contains(&(package.to_owned(), part.to_owned())) {
                complaints.push(format!("there is no test {part} in {package}"));
            }
        }
    }
    if named == 0 && !REASONS.iter().any(|reason| text.starts_with(reason)) {
        complaints.push("neither a test nor a reason".to_owned());
    }
    complaints
}

/// Whether a text could be the name of a test, with so many underscores at least.
fn is_name(text: &str, underscores: usize) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.bytes().all(is_part) && text.matches('_').count() >= underscores
}

/// Everything that is wrong with any row.
fn check(rows: &[Row]) {
    let tests = tests();
    let wrong: Vec<String> = rows
        .iter()
        .flat_map(|row| {
            complaints(&row.last, &tests).into_iter().map(move |why| format!("{}: {why}", row.first))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_promise_names_the_tests_that_hold_it() {
    let promises = rows(&read("SECURITY.md"), "held by");
    assert!(promises.len() >= 10, "the promises are found: {}", promises.len());
    for promise in &promises {
        assert!(!REASONS.iter().any(|reason| promise.last.starts_with(reason)), "{}", promise.first);
    }
    check(&promises);
}

#[test]
fn every_row_of_the_checklist_is_there_once_and_names_tests_or_says_why_not() {
    let rows = rows(&read("docs/security-checklist.md"), "shown by");
    let numbered =
        SECTIONS.iter().flat_map(|(section, last)| (1..=*last).map(move |row| format!("{section}{row}")));
    let expected: Vec<String> = numbered.collect();
    let found: Vec<&str> = rows.iter().map(|row| row.first.as_str()).collect();
    assert_eq!(found, expected);
    check(&rows);
}

#[test]
fn the_text_around_the_tables_names_no_test_that_is_not_there() {
    let tests: BTreeSet<String> = tests().into_iter().map(|(_, name)| name).collect();
    for document in ["SECURITY.md", "docs/security-checklist.md"] {
        let text = read(document);
        // Settings of PostgreSQL are shorter.
        for name in text.split('`').skip(1).step_by(2).filter(|part| is_name(part, 5)) {
            assert!(tests.contains(name), "{document}: there is no test {name}");
        }
    }
}

#[test]
fn a_test_that_is_not_there_or_elsewhere_is_refused_and_so_is_a_row_without_any() {
    let there = |package: &str, name: &str| (package.to_owned(), name.to_owned());
    let tests = BTreeSet::from([there("store", "a_code_works_once"), there("http", "nobody_gets_in")]);
    let are_good = |text: &str| complaints(text, &tests).is_empty();
    for good in [
        "store `a_code_works_once`",
        "http `nobody_gets_in`; store `a_code_works_once`",
        "the role's `statement_timeout`; http `nobody_gets_in`",
        "**Does not apply.** There is no such thing.",
    ] {
        assert!(are_good(good), "{good}");
    }
    for bad in [
        "",
        "by review",
        "`a_code_works_once`",
        "store `a_code_works_twice`",
        "http `a_code_works_once`",
        "store `a_code_works_once`, `nobody_gets_in`",
        "**Does not apply.** See http `somebody_gets_in`.",
    ] {
        assert!(!are_good(bad), "{bad}");
    }
}

#[test]
fn only_a_function_that_is_marked_is_a_test() {
    let tests = tests();
    let in_tidy = |name: &str| tests.contains(&("tidy".to_owned(), name.to_owned()));
    assert!(in_tidy("only_a_function_that_is_marked_is_a_test"));
    assert!(!in_tidy("is_name") && !in_tidy("complaints"));
    assert_eq!(
        rows("| a | shown by |\n|---|---|\n| R1 | x |\n\n| b | other |\n|---|---|\n| R2 | y |", "shown by")
            .len(),
        1
    );
}
