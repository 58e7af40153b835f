//! The WebDriver process: one per test, on a free port, gone with the test.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A running chromedriver.
pub(crate) struct Driver {
    process: Child,
    pub(crate) url: String,
    /// Removed with the driver: Chromium leaves files behind in the system's own.
    temporary: TempDir,
}

/// chromedriver takes a free port for IPv4 and then the same for IPv6; it leaves when another program has
/// that one, as it may on a machine where many tests start servers. Then it is started again.
const STARTS: usize = 5;

impl Driver {
    pub(crate) fn start() -> Self {
        let mut said = String::new();
        (0..STARTS)
            .find_map(|_| Self::try_to_start(&mut said))
            .unwrap_or_else(|| panic!("chromedriver: {said}"))
    }

    /// Where its browsers put what people download.
    pub(crate) fn downloads(&self) -> PathBuf {
        self.temporary.path().join("downloads")
    }

    /// Nothing when it leaves without a port; then `said` has what it said.
    fn try_to_start(said: &mut String) -> Option<Self> {
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
            said.push_str(&line);
            said.push('\n');
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let Some(port) = port else {
            process.wait().ok();
            return None;
        };
        Some(Self { process, url: format!("http://127.0.0.1:{port}"), temporary })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may be gone already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
