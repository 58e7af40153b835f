//! The image of the jobs, as far as its recipe can be read without building it.

use std::collections::BTreeSet;

use tidy::{read, root};

/// An instruction in capitals, and the rest of its line.
type Instruction = (String, String);

fn instructions(containerfile: &str) -> Vec<Instruction> {
    containerfile
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect::<Vec<_>>()
        .join("\n")
        .replace("\\\n", " ")
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .map(|(word, rest)| (word.to_owned(), rest.trim().to_owned()))
        .collect()
}

fn all<'a>(instructions: &'a [Instruction], word: &str) -> impl Iterator<Item = &'a str> {
    instructions.iter().filter(move |(found, _)| found == word).map(|(_, rest)| rest.as_str())
}

fn lock_file_names() -> BTreeSet<String> {
    let lines = read("k3s/release/release.env");
    lines.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name.to_owned()).collect()
}

/// What a shell script lists between `NAME=(` and `)`.
fn shell_list(script: &str, name: &str) -> BTreeSet<String> {
    let source = read(script);
    let (_, rest) = source.split_once(&format!("{name}=(")).unwrap();
    rest.split_once(')').unwrap().0.split_whitespace().map(str::to_owned).collect()
}

/// What is wrong with a recipe, in words.
fn defects(containerfile: &str) -> Vec<String> {
    let instructions = instructions(containerfile);
    let mut found = base_defects(&instructions);
    found.extend(argument_defects(&instructions));
    found.extend(copy_defects(&instructions));
    found.extend(user_defects(&instructions));
    found
}

/// Digests, not tags, and each of them in the lock file.
fn base_defects(instructions: &[Instruction]) -> Vec<String> {
    let locked = lock_file_names();
    all(instructions, "FROM")
        .filter_map(|from| {
            let image = from.split(' ').next().unwrap();
            let name = image.split_once("@${").and_then(|(_, name)| name.strip_suffix('}'));
            let pinned = name.is_some_and(|name| name.ends_with("_DIGEST") && locked.contains(name));
            (!pinned).then(|| format!("{image} is not of a digest in the lock file"))
        })
        .collect()
}

/// What the recipe asks for is what `scripts/image` gives, and comes from the lock file.
fn argument_defects(instructions: &[Instruction]) -> Vec<String> {
    let asked: BTreeSet<String> = all(instructions, "ARG").map(str::to_owned).collect();
    let given = shell_list("scripts/image", "ARGUMENTS");
    let mut found: Vec<String> = asked
        .symmetric_difference(&given)
        .map(|name| format!("{name} is asked for or given, not both"))
        .collect();
    found.extend(asked.difference(&lock_file_names()).map(|name| format!("{name} is not in the lock file")));
    found
}

/// What is copied exists: a path of the tree, or a stage that came before.
fn copy_defects(instructions: &[Instruction]) -> Vec<String> {
    let stages: Vec<&str> = all(instructions, "FROM")
        .filter_map(|from| from.split_once(" AS "))
        .map(|(_, stage)| stage)
        .collect();
    let mut found = Vec::new();
    for copy in all(instructions, "COPY").chain(all(instructions, "ADD")) {
        let words: Vec<&str> = copy.split_whitespace().collect();
        let (sources, _) = words.split_at(words.len() - 1);
        match sources[0].strip_prefix("--from=") {
            Some(stage) if stages.contains(&stage) => {}
            Some(stage) => found.push(format!("there is no stage {stage}")),
            None => found.extend(missing(sources)),
        }
    }
    found
}

fn missing(sources: &[&str]) -> Vec<String> {
    let is_there = |path: &str| path != "." && root().join(path).exists();
    sources.iter().filter(|path| !is_there(path)).map(|path| format!("{path} is not in the tree")).collect()
}

/// Kubernetes refuses a user without a number where it asks for one that is not root; the last stage is what runs.
fn user_defects(instructions: &[Instruction]) -> Vec<String> {
    let last = instructions.iter().rposition(|(word, _)| word == "FROM").unwrap();
    let user = all(&instructions[last..], "USER").last().unwrap_or("root").to_owned();
    let number = user.split(':').next().unwrap().parse::<u32>().unwrap_or(0);
    if number == 0 { vec![format!("it runs as {user}")] } else { Vec::new() }
}

#[test]
fn the_image_of_the_jobs_is_made_of_what_is_locked_and_there() {
    assert_eq!(defects(&read("Containerfile")), Vec::<String>::new());
}

#[test]
fn a_recipe_that_is_not_is_refused() {
    let good = read("Containerfile");
    for (there, instead, wrong) in [
        (
            "postgres@${POSTGRES_CLIENTS_DIGEST}",
            "postgres:18",
            "docker.io/library/postgres:18 is not of a digest",
        ),
        ("rust@${RUST_DIGEST}", "rust@${WHATEVER_DIGEST}", "WHATEVER_DIGEST} is not of a digest in the lock"),
        ("ARG RUSTC_VERSION", "ARG CHANNEL", "CHANNEL is not in the lock file"),
        ("ARG POSTGRES_CLIENTS_VERSION\n", "", "POSTGRES_CLIENTS_VERSION is asked for or given, not both"),
        ("COPY migrations migrations", "COPY schema schema", "schema is not in the tree"),
        ("COPY migrations migrations", "COPY . .", ". is not in the tree"),
        ("--from=build /identity", "--from=builder /identity", "there is no stage builder"),
        ("USER 65532:65532", "USER postgres", "it runs as postgres"),
        ("USER 65532:65532", "", "it runs as root"),
    ] {
        assert!(good.contains(there), "{there}");
        let found = defects(&good.replacen(there, instead, 1));
        assert!(found.iter().any(|defect| defect.contains(wrong)), "{instead}: {found:?}");
    }
}

#[test]
fn a_script_in_the_image_finds_what_it_sources() {
    let instructions = instructions(&read("Containerfile"));
    let copied: BTreeSet<&str> = all(&instructions, "COPY")
        .flat_map(str::split_whitespace)
        .filter_map(|word| word.strip_prefix("scripts/"))
        .collect();
    assert!(copied.len() >= 3, "the scripts in the image are found: {copied:?}");
    for script in &copied {
        for sourced in
            read(format!("scripts/{script}")).lines().filter_map(|line| line.trim().strip_prefix(". "))
        {
            // They lie in one folder there as here, however a script names it.
            let name = sourced.trim_matches('"').rsplit('/').next().unwrap();
            assert!(copied.contains(name), "{script} sources {sourced}, which is not in the image");
        }
    }
}
