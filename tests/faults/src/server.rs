//! A PostgreSQL of a test's own, which may be stopped, killed and started again. It keeps its port and, unlike the one that
//! the other tests share, what it has acknowledged: its settings are those of `make up`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::deadline::poll;
use harness::workspace;
use postgres::{Client, NoTls};

/// How long the processes of a server that was killed may take to notice it.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// A server, until it is dropped.
pub struct Server {
    folder: PathBuf,
    /// Where its files are, which is also where its processes are.
    data: PathBuf,
    url: String,
}

impl Server {
    /// Makes and starts one. The name is that of its folder, so that what an earlier run left behind is found and
    /// cleared away: each test has one of its own.
    #[must_use]
    pub fn start(name: &str) -> Self {
        let folder = workspace::root().join(".run/faults").join(name);
        script("reset", &folder);
        script("start", &folder);
        let url = script("url", &folder).trim().to_owned();
        let data: String = connect(&url).query_one("SHOW data_directory", &[]).unwrap().get(0);
        Self { folder, data: data.into(), url }
    }

    /// The owner's URL of its maintenance database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops it: sessions are ended, statements that run are not waited for.
    pub fn stop(&self) {
        script("stop", &self.folder);
    }

    /// Kills it as `kill -9` does, the postmaster first and its other processes with it: left alone, these would finish
    /// and answer what they are at, and nothing would be lost on the way.
    pub fn kill(&self) {
        let lock = fs::read_to_string(self.data.join("postmaster.pid")).expect("the server runs");
        let postmaster = lock.lines().next().expect("the first line is the process").to_owned();
        assert!(processes_in(&self.data).contains(&postmaster), "the postmaster is the server's own");
        kill_9(&[postmaster]);
        let gone = || {
            let left = processes_in(&self.data);
            kill_9(&left);
            left.is_empty().then_some(())
        };
        assert!(poll(ENDS_WITHIN, gone).is_some(), "processes of {} live on", self.data.display());
    }

    /// Starts it after a stop or a kill; it serves when this returns.
    pub fn start_again(&self) {
        script("start", &self.folder);
        let url = script("url", &self.folder);
        assert_eq!(url.trim(), self.url, "it came back elsewhere");
    }

    /// Changes a setting that counts from the next start on.
    pub fn set(&self, setting: &str) {
        connect(&self.url).batch_execute(&format!("ALTER SYSTEM SET {setting}")).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Dropping may happen while a failed test unwinds: a second panic would hide the first.
        run("reset", &self.folder).ok();
    }
}

fn connect(url: &str) -> Client {
    Client::connect(url, NoTls).expect("the server of the test answers")
}

/// The ids of those that work in this folder, as all processes of a PostgreSQL do. (That of a process that is just gone
/// cannot be read any more.)
fn processes_in(folder: &Path) -> Vec<String> {
    let all = fs::read_dir("/proc").expect("Linux").flatten();
    all.filter(|process| fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == folder))
        .filter_map(|process| process.file_name().into_string().ok())
        .collect()
}

fn kill_9(processes: &[String]) {
    if !processes.is_empty() {
        // Not all of them may be there any more.
        Command::new("kill")
            .arg("-9")
            .args(processes)
            .stderr(Stdio::null())
            .status()
            .expect("there is a kill");
    }
}

fn script(command: &str, folder: &Path) -> String {
    run(command, folder).unwrap_or_else(|said| panic!("scripts/postgres {command}: {said}"))
}

/// What the project's own script says to this, or what it complains of.
fn run(command: &str, folder: &Path) -> Result<String, String> {
    let output = Command::new(workspace::root().join("scripts/postgres"))
        .arg(command)
        .arg(folder)
        .output()
        .map_err(|error| error.to_string())?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}
