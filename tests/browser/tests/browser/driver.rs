//! The WebDriver process: one per test, on a free port, gone with the test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A running chromedriver.
pub(crate) struct Driver {
    process: Child,
    pub(crate) url: String,
    /// Removed with the driver: Chromium leaves files behind in the system's own.
    _temporary: TempDir,
}

impl Driver {
    pub(crate) fn start() -> Self {
        let temporary = TempDir::with_prefix("identity-browser-").unwrap();
        // The signal ends the driver, and with it its browsers, even when the test process is killed.
        let mut process = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--", "chromedriver", "--port=0"])
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("setpriv (util-linux) and chromedriver (Debian: chromium-driver) are installed");
        let output = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let port = output.lines().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let url = format!("http://127.0.0.1:{}", port.expect("chromedriver says where it listens"));
        Self { process, url, _temporary: temporary }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may be gone already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
