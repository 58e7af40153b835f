//! What becomes of a `.sql` file when the crate is built.
#![allow(clippy::unwrap_used, reason = "what a test needs and does not get ends it")]

#[path = "../build/function.rs"]
mod function;

use function::{Function, Source, resolve, rust};

const WORD: &str = "-- word (at timestamptz)\n-- returns bigint\n--\n-- Why.\nfloor($1)";
const ENTRY: &str = "-- entry (username text,\n--     step bigint)\n-- returns (now bigint)\n-- set enable_seqscan = off\n--\nSELECT identity.seconds(now()), $2";
const HEALTH: &str = "-- entry ()\n-- returns (ready boolean)\n--\n-- {functions}\nSELECT true";

fn build(files: &[(&str, &str)]) -> Result<Vec<Function>, String> {
    let sources: Result<Vec<Source>, String> =
        files.iter().map(|(file, text)| Source::parse(file, text)).collect();
    resolve(&sources?)
}

/// The text of the module that the crate includes.
fn module(files: &[(&str, &str)]) -> String {
    rust(&build(files).unwrap())
}

/// The name with its hash of the function that is called `name` without.
fn hashed(files: &[(&str, &str)], name: &str) -> String {
    let text = module(files);
    let at = text.find(&format!("name: \"{name}_")).unwrap();
    text[at..].split('"').nth(1).unwrap().to_owned()
}

#[test]
fn a_file_becomes_a_function_that_says_what_its_head_says() {
    let files = [("login/load.sql", ENTRY), ("words/seconds.sql", WORD)];
    let (entry, word) = (hashed(&files, "login_load"), hashed(&files, "seconds"));
    let text = module(&files);
    for part in [
        format!("CREATE OR REPLACE FUNCTION identity.{entry}(text, bigint)\\nRETURNS TABLE (now bigint)\\n"),
        "LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS"
            .to_owned(),
        format!("RETURN QUERY\\nSELECT identity.{word}(now()), $2;"),
        format!("pub const LOGIN_LOAD: Call = Call(\"SELECT * FROM identity.{entry}($1, $2)\");"),
        format!(
            "FUNCTION identity.{word}(timestamptz)\\nRETURNS bigint\\nLANGUAGE sql STABLE AS $function$\\nSELECT -- Why.\\nfloor($1)\\n"
        ),
    ] {
        assert!(text.contains(&part), "{part}\n{text}");
    }
    assert!(text.find(&word) < text.find(&format!("name: {entry:?}")), "what is called comes first");
}

#[test]
fn a_function_has_another_name_when_what_it_calls_has_another_text() {
    let names = |word: &str, entry: &str| {
        let files = [("words/seconds.sql", word), ("login/load.sql", entry), ("health/check.sql", HEALTH)];
        ["seconds", "login_load", "health_check"].map(|name| hashed(&files, name))
    };
    let before = names(WORD, ENTRY);
    assert_eq!(before, names(WORD, ENTRY));
    let other_word = names(&WORD.replace("floor", "ceil"), ENTRY);
    let other_entry = names(WORD, &ENTRY.replace("$2", "$2 + 1"));
    let changed = |after: &[String; 3]| [0, 1, 2].map(|one| before[one] != after[one]);
    assert_eq!(changed(&other_word), [true, true, true]);
    assert_eq!(changed(&other_entry), [false, true, true]);
}

#[test]
fn what_is_wrong_with_a_file_is_said_when_it_is_built() {
    for (text, says) in [
        ("SELECT 1", "a.sql: its head does not say what it is"),
        ("-- entry ()\n--\nSELECT 1", "a.sql: its head does not say what it returns"),
        (
            "-- entry ()\n-- returns bigint\n--\nSELECT 1",
            "a.sql: entries and routines return rows, words and helpers one value",
        ),
        (
            "-- word ()\n-- returns (a bigint)\n--\n1",
            "a.sql: entries and routines return rows, words and helpers one value",
        ),
        ("-- entry (username)\n-- returns (a bigint)\n--\nSELECT 1", "a.sql: its parameters cannot be read"),
        ("-- view ()\n-- returns (a bigint)\n--\nSELECT 1", "a.sql: unknown in a head: view"),
        (
            "-- word ()\n-- returns bigint\n--\nidentity.secnods(now())",
            "a.sql: there is no function identity.secnods",
        ),
        ("-- word ()\n-- returns bigint\n--\nidentity.a()", "a.sql calls what calls it"),
    ] {
        assert_eq!(build(&[("a.sql", text)]).err().as_deref(), Some(says), "{text}");
    }
    let twice = [("words/seconds.sql", WORD), ("seconds.sql", WORD)];
    assert_eq!(build(&twice).err().as_deref(), Some("words/seconds.sql and seconds.sql have one name"));
    let long = format!("{}.sql", "a".repeat(60));
    assert!(build(&[(&long, WORD)]).unwrap_err().ends_with(" is too long"));
}
