//! The scripts that back up and restore, as a job runs them: in a folder of somebody else's, with `DATABASE_URL` and `PATH` in
//! the environment and nothing besides.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use harness::at_rest::said;
use harness::workspace;

/// Makes a folder with nothing in it.
#[must_use]
pub fn empty_folder(folder: &Path) -> PathBuf {
    // There is none the first time.
    fs::remove_dir_all(folder).ok();
    fs::create_dir_all(folder).unwrap();
    folder.to_owned()
}

/// `scripts/backup` into a folder.
#[must_use]
pub fn backup(url: &str, folder: &Path) -> Command {
    script("backup", url, folder)
}

/// `scripts/restore` of a file.
#[must_use]
pub fn restore(url: &str, file: &Path) -> Command {
    script("restore", url, file)
}

fn script(name: &str, url: &str, argument: &Path) -> Command {
    let mut command = Command::new(workspace::root().join("scripts").join(name));
    command.arg(argument).current_dir("/").env_clear();
    command.env("PATH", env::var_os("PATH").expect("there is a PATH")).env("DATABASE_URL", url);
    command
}

/// Runs a script that must succeed, and returns what it said.
#[track_caller]
pub fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

/// Runs a script that must refuse, and returns what it said.
#[track_caller]
pub fn refuses(command: &mut Command) -> String {
    let output: Output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    said(&output)
}

/// The backups in a folder, oldest first.
#[must_use]
pub fn backups(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|file| file.extension().is_some_and(|ending| ending == "dump"));
    found.sort();
    found
}

/// The one backup in a folder.
#[track_caller]
#[must_use]
pub fn only_backup(folder: &Path) -> PathBuf {
    let found = backups(folder);
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}
