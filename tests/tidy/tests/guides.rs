//! The two operators' guides: one content in two languages, with commands that are there and words that are said.
//!
//! Owns: what can be seen from the tree. Leaves to others: what the scripts do (`tests/k3s`, `tests/faults`).
#![allow(clippy::unwrap_used, reason = "a check that cannot read the tree has failed")]

use std::collections::BTreeSet;

use tidy::{read, root};

const ENGLISH: &str = "docs/operations.md";
const FRENCH: &str = "docs/exploitation.fr.md";

/// What an operator runs, by its path from the root.
const COMMANDS: [&str; 7] = [
    "k3s/deploy",
    "k3s/secrets",
    "k3s/restore",
    "runtime-class/install-shim",
    "runtime-class/check-nodes",
    "scripts/backup",
    "scripts/restore",
];

/// The blocks of commands, as they are to be typed.
fn blocks(guide: &str) -> Vec<String> {
    let text = read(guide);
    let blocks: Vec<String> =
        text.split("\n```sh\n").skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned()).collect();
    assert!(blocks.len() > 20, "{guide} has commands: {}", blocks.len());
    blocks
}

/// The text without its blocks of code.
fn prose(guide: &str) -> String {
    read(guide).split("\n```").step_by(2).collect()
}

/// What stands in the text between backticks, on one line each.
fn spans(guide: &str) -> Vec<String> {
    prose(guide).split('`').skip(1).step_by(2).map(|span| words(span).join(" ")).collect()
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// Every line of a block and every span, in words.
fn commands(guide: &str) -> Vec<String> {
    let lines =
        blocks(guide).into_iter().flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>());
    lines.chain(spans(guide)).collect()
}

/// The numbers of the headings, `3.` and `3.1`.
fn numbers(guide: &str) -> Vec<String> {
    let text = prose(guide);
    let headings = text.lines().filter(|line| line.starts_with("##"));
    headings.map(|heading| words(heading)[1].to_owned()).collect()
}

/// The signs that mark what was never run, in their order, those of the list itself behind the others.
fn signs(guide: &str) -> Vec<char> {
    prose(guide).split('†').skip(1).filter_map(|rest| rest.chars().next()).collect()
}

/// An anchor as GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    let kept = |character: &char| character.is_alphanumeric() || " -_".contains(*character);
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

#[test]
fn the_two_operators_guides_give_the_same_commands() {
    for (english, french) in blocks(ENGLISH).into_iter().zip(blocks(FRENCH)) {
        assert_eq!(english, french);
    }
    assert_eq!(blocks(ENGLISH).len(), blocks(FRENCH).len());
    assert_eq!(numbers(ENGLISH), numbers(FRENCH));
    assert_eq!(signs(ENGLISH), signs(FRENCH), "what was never run is the same in both");
}

#[test]
fn what_an_operator_is_told_to_run_is_there() {
    let makefile = read("Makefile");
    let mut seen = BTreeSet::new();
    for guide in [ENGLISH, FRENCH] {
        for command in commands(guide) {
            for word in words(&command) {
                let word = word.trim_matches(['"', ')']);
                if ["k3s/", "scripts/", "runtime-class/"].iter().any(|folder| word.starts_with(folder)) {
                    assert!(root().join(word).exists(), "{guide} names {word}");
                    seen.insert(word.to_owned());
                }
            }
            if let ["make", target, ..] = words(&command)[..] {
                assert!(makefile.contains(&format!("\n{target}:")), "{guide} names make {target}");
            }
        }
    }
    for command in COMMANDS {
        assert!(seen.contains(command), "the guides do not say how to use {command}");
    }
}

#[test]
fn an_operator_is_told_overlays_and_steps_that_there_are() {
    let script = read("k3s/secrets");
    for guide in [ENGLISH, FRENCH] {
        for command in commands(guide) {
            let words = words(&command);
            let Some(at) = words.iter().position(|word| ["k3s/deploy", "k3s/secrets"].contains(word)) else {
                continue;
            };
            let Some(overlay) = words.get(at + 1) else { continue };
            assert!(root().join("k3s/overlays").join(overlay).is_dir(), "{guide}: {command}");
            if let (&"k3s/secrets", Some(step)) = (&words[at], words.get(at + 2)) {
                assert!(
                    script.contains(&format!("\n{step}) ")) || script.contains(&format!("\n{step})\n")),
                    "{command}"
                );
            }
        }
    }
}

#[test]
fn what_a_script_is_quoted_with_it_says() {
    let said: String = COMMANDS.map(read).concat();
    let mut quotes = 0;
    for guide in [ENGLISH, FRENCH] {
        for span in spans(guide) {
            // As far as it is the script's own, and not a name or a time.
            let Some(quote) = span.strip_prefix("==> ") else { continue };
            let constant = ["...", ". ", "TIME", "/"].iter().filter_map(|end| quote.find(end)).min();
            let constant = &quote[..constant.unwrap_or(quote.len())];
            assert!(said.contains(&format!("\"{}", constant.trim_end_matches('.'))), "{guide} quotes {span}");
            quotes += 1;
        }
    }
    assert!(quotes > 20, "the guides say what one should see: {quotes}");
}

#[test]
fn a_link_of_the_operators_guides_leads_somewhere() {
    for guide in [ENGLISH, FRENCH] {
        for link in prose(guide).split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if link.starts_with("https://") {
                continue;
            }
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let file = if file.is_empty() { guide.to_owned() } else { format!("docs/{file}") };
            assert!(root().join(&file).exists(), "{guide} links {link}");
            let found = prose(&file).lines().any(|line| line.starts_with('#') && anchor(line) == fragment);
            assert!(fragment.is_empty() || found, "{guide} links {link}");
        }
    }
}

#[test]
fn every_sign_is_explained_and_every_explanation_has_a_sign() {
    for guide in [ENGLISH, FRENCH] {
        let text = prose(guide);
        let (steps, list) = text.split_once("\n## 13.").unwrap();
        let explained: BTreeSet<char> =
            list.split("\n| †").skip(1).filter_map(|row| row.chars().next()).collect();
        // The head of the page shows one as an example.
        let steps = steps.split_once("\n## 1.").unwrap().1;
        let used: BTreeSet<char> = steps.split('†').skip(1).filter_map(|rest| rest.chars().next()).collect();
        assert_eq!(used, explained, "{guide}");
    }
}
