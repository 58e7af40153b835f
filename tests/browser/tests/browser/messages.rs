//! The sentences of the pages, by their keys: what a test expects to read, however it is worded.

use std::fs;
use std::sync::LazyLock;

use harness::workspace;
use serde_json::{Map, Value};

static FRENCH: LazyLock<Map<String, Value>> = LazyLock::new(|| read("fr"));
static ENGLISH: LazyLock<Map<String, Value>> = LazyLock::new(|| read("en"));

pub(crate) fn french() -> &'static Map<String, Value> {
    &FRENCH
}

pub(crate) fn english() -> &'static Map<String, Value> {
    &ENGLISH
}

/// The French sentence of a key.
pub(crate) fn in_french(key: &str) -> &'static str {
    sentence(&FRENCH, key)
}

/// The English sentence of a key.
pub(crate) fn in_english(key: &str) -> &'static str {
    sentence(&ENGLISH, key)
}

fn sentence(messages: &'static Map<String, Value>, key: &str) -> &'static str {
    messages.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("there is no message {key}"))
}

fn read(language: &str) -> Map<String, Value> {
    let file = workspace::root().join(format!("static/messages/{language}.json"));
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).expect("a file of messages is an object")
}
