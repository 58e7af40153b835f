//! What `make mutants` has found out about the tests of the rules, as it is committed.
#![allow(clippy::unwrap_used, reason = "a check that cannot read the tree has failed")]

use std::collections::BTreeSet;

use tidy::read;

/// The lines of a text that are no comment.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[test]
fn a_mutant_of_the_rules_that_survived_has_a_reason_and_a_reason_its_mutant() {
    let results = read("tests/domain-mutants/results.txt");
    let fates: Vec<(&str, &str)> = lines(&results).map(|line| line.split_once(" => ").unwrap()).collect();
    assert!(fates.len() > 200, "the mutants are found: {}", fates.len());
    let survived: BTreeSet<&str> =
        fates.iter().filter(|(_, fate)| *fate == "survived").map(|(name, _)| *name).collect();

    let explanations = read("tests/domain-mutants/survivors.txt");
    // One or more names, and below them, indented, the reason.
    let is_reason = |line: &&str| line.starts_with("    ");
    let explained: BTreeSet<&str> = lines(&explanations).filter(|line| !is_reason(line)).collect();
    assert_eq!(survived, explained);
    let last = lines(&explanations).last();
    assert!(last.is_none_or(|line| is_reason(&line)), "the last one has no reason");
}
