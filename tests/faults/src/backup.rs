//! The scripts that back up and restore, as a job runs them: in a folder of somebody else's, with `DATABASE_URL`, `PATH` and
//! where client programs are (`PGTOOLS_<major>`) in the environment and nothing besides.

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

/// `scripts/backup --check`.
#[must_use]
pub fn check(url: &str) -> Command {
    script("backup", url, Path::new("--check"))
}

fn script(name: &str, url: &str, argument: &Path) -> Command {
    let mut command = Command::new(workspace::root().join("scripts").join(name));
    command.arg(argument).env_clear().env("DATABASE_URL", url);
    as_a_job(&mut command);
    command
}

/// Some lines of Bash with what `scripts/connection.sh` says about client programs, as the scripts have it.
#[must_use]
pub fn with_connection_sh(lines: &str) -> Command {
    let mut command = Command::new("bash");
    let sources = "set -euo pipefail; . \"$0/terminal.sh\"; . \"$0/database-url.sh\"; . \"$0/connection.sh\"";
    command.arg("-c").arg(format!("{sources}\n{lines}")).arg(workspace::root().join("scripts")).env_clear();
    as_a_job(&mut command);
    command
}

fn as_a_job(command: &mut Command) {
    command.current_dir("/").env("PATH", env::var_os("PATH").expect("there is a PATH"));
    command.envs(env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PGTOOLS_")));
}

/// Client programs of one major version.
pub struct Clients {
    /// PostgreSQL's major version.
    pub major: u32,
    /// Where its programs are.
    pub folder: PathBuf,
}

/// All client programs of this machine, as the scripts find them, the oldest first; some folders are there twice.
#[must_use]
pub fn installed_clients() -> Vec<Clients> {
    let lines =
        succeeds(&mut with_connection_sh("installed_clients | sort --stable --numeric-sort --key=1,1"));
    // The first is the status.
    let clients = lines.lines().skip(1).map(|line| {
        let (major, folder) = line.split_once(' ').unwrap();
        Clients { major: major.parse().unwrap(), folder: folder.into() }
    });
    clients.collect()
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
