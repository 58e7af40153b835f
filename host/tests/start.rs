//! What the host refuses before it says that it serves, asked of the real program. What it does once it serves is tested
//! with the real components, in the tests of HTTP.

#![allow(clippy::unwrap_used, reason = "a test that cannot start the host has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const MANIFEST: &str = "
spin_manifest_version = 2
[application]
name = 'a'
[variables]
wanted = { required = true }
[[trigger.http]]
route = '/...'
component = 'c'
[component.c]
source = 'c.wasm'
";

/// The smallest component that imports `fermyon:spin/key-value@2.0.0`, an instance with one function `x`: preamble, one
/// type, one import.
const IMPORTS_KEY_VALUE: &[u8] = b"\0asm\x0d\0\x01\0\
    \x07\x0e\x01\x42\x02\x01\x40\x00\x01\x00\x04\x00\x01x\x01\x00\
    \x0a\x21\x01\x00\x1cfermyon:spin/key-value@2.0.0\x05\x00";

fn start(folder: &Path, variable: Option<&str>) -> Output {
    let mut host = Command::new(env!("CARGO_BIN_EXE_host"));
    host.args(["--listen", "127.0.0.1:0"]).current_dir(folder).env_remove("SPIN_VARIABLE_WANTED");
    host.envs(variable.map(|value| ("SPIN_VARIABLE_WANTED", value)));
    host.output().unwrap()
}

#[track_caller]
fn refused_with(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "it started: {said}");
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
}

#[test]
fn a_missing_variable_stops_the_host_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spin.toml"), MANIFEST).unwrap();
    refused_with(&start(folder.path(), None), &["SPIN_VARIABLE_WANTED"]);
}

#[test]
fn an_import_that_the_host_does_not_have_stops_it_and_is_named_with_its_component() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spin.toml"), MANIFEST).unwrap();
    fs::write(folder.path().join("c.wasm"), IMPORTS_KEY_VALUE).unwrap();
    refused_with(&start(folder.path(), Some("x")), &["component c", "fermyon:spin/key-value@2.0.0"]);
}

#[test]
fn a_component_that_is_not_there_stops_the_host_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spin.toml"), MANIFEST).unwrap();
    fs::write(folder.path().join(".env"), "SPIN_VARIABLE_WANTED=x\n").unwrap();
    refused_with(&start(folder.path(), None), &["component c", "c.wasm"]);
}
