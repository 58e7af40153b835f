//! A running app: the host as a process of its own, on a free port, over a test database.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::time::Duration;
use std::{env, fs, io, process, thread};

use crate::deadline::Deadline;
use crate::{Client, TestDatabase, workspace};

/// The origin of reveal links. Not the address that the app listens on, to show that no request's header makes it.
pub const PUBLIC_URL: &str = "https://identity.test";

/// A ring of two fixed keys, 32 bytes each, for tests only. Tests search logs for them.
pub const SEALING_KEYS: &str =
    "test-2:dGVzdHMgb25seTogdGhlIHNlY29uZCBzZWFsIGtleSE=,test-1:dGVzdHMgb25seTogdGhlIGZpcnN0IGtleTogMzIgQiE=";

/// How long a host may take until it serves: compiling the components on a busy machine takes a while.
const START_WITHIN: Duration = Duration::from_secs(120);

/// The values of the app's variables.
#[derive(Clone)]
pub struct Config {
    variables: BTreeMap<String, String>,
    listen: String,
    faults: Vec<String>,
}

impl Config {
    /// The variables as they are for a database.
    #[must_use]
    pub fn over(database: &TestDatabase) -> Self {
        Self::with_dsn(&database.application_dsn(), &database.host(), database.port())
    }

    /// The variables as they are for a DSN that may be of no database, whose server the components may reach.
    #[must_use]
    pub fn with_dsn(dsn: &str, host: &str, port: u16) -> Self {
        let variables = [
            ("pg_dsn", dsn),
            ("pg_host", host),
            ("pg_port", &port.to_string()),
            ("sealing_keys", SEALING_KEYS),
            ("public_url", PUBLIC_URL),
        ];
        Self {
            variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            listen: "127.0.0.1:0".to_owned(),
            faults: Vec::new(),
        }
    }

    /// Components see a clock that is so many seconds ahead of this machine's; behind it when negative.
    #[must_use]
    pub fn with_clock_ahead(mut self, seconds: i64) -> Self {
        self.faults = vec!["--clock-ahead".to_owned(), seconds.to_string()];
        self
    }

    /// Every instance stops when so many of its statements are done, as after a trap.
    #[must_use]
    pub fn with_trap_after_statement(mut self, number: usize) -> Self {
        self.faults = vec!["--trap-after-statement".to_owned(), number.to_string()];
        self
    }

    /// Reveal links that lead to the app itself, as a browser needs them: the port is chosen before it starts.
    #[must_use]
    pub fn with_links_to_itself(mut self) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        self.listen = port.expect("loopback has a free port").to_string();
        let public_url = format!("http://{}", self.listen);
        self.variable("public_url", &public_url)
    }

    /// Sets a variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Leaves a variable out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }
}

/// A host that serves, until it is dropped.
pub struct App {
    child: Child,
    address: SocketAddr,
    output: Arc<Output>,
}

impl App {
    /// Starts an app over a database.
    #[must_use]
    pub fn start(database: &TestDatabase) -> Self {
        Self::with(&Config::over(database))
    }

    /// Starts an app with these variables.
    #[must_use]
    pub fn with(config: &Config) -> Self {
        Self::try_with(config).unwrap_or_else(|output| panic!("the host did not serve; it said:\n{output}"))
    }

    /// Starts an app that may refuse to start.
    ///
    /// # Errors
    /// All that the host said, when it ended before it served.
    pub fn try_with(config: &Config) -> Result<Self, String> {
        let mut child = spawn(command(config)).expect("the host can be started");
        let output = Arc::new(Output::default());
        collect(child.stdout.take().expect("stdout is piped"), &output);
        collect(child.stderr.take().expect("stderr is piped"), &output);
        let deadline = Deadline::after(START_WITHIN);
        match output.wait_for_address(deadline) {
            Some(address) => Ok(Self { child, address, output }),
            None => {
                stop(&mut child);
                Err(output.text())
            }
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client of it that checks every answer.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// All that the host and its components have written so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.output.text()
    }

    /// Kills the host in the midst of whatever it does, as `kill -9`.
    pub fn kill(&mut self) {
        stop(&mut self.child);
    }

    /// Waits for a line that holds this text, since a log may come a moment after its answer.
    ///
    /// # Panics
    /// When no such line comes.
    pub fn expect_log(&self, part: &str) {
        let found = crate::deadline::poll(Duration::from_secs(5), || self.log().contains(part).then_some(()));
        assert!(found.is_some(), "no line holds {part:?}; the log is:\n{}", self.log());
    }
}

impl Drop for App {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

fn stop(child: &mut Child) {
    // Errors here are those of a process that is gone already.
    child.kill().ok();
    child.wait().ok();
}

/// The host in an empty folder, so that no `.env` is read, and dead with the test process even when that is killed
/// (statics are never dropped).
fn command(config: &Config) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(workspace::host_binary());
    command.arg("--manifest").arg(workspace::root().join("spin.toml")).args(["--listen", &config.listen]);
    command.args(&config.faults);
    command.current_dir(empty_folder()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SPIN_")) {
        command.env_remove(name);
    }
    for (name, value) in &config.variables {
        command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
    }
    command
}

/// Starts processes from one thread that never ends: the signal of `--pdeathsig` comes when the thread that started
/// the process ends, and a test's thread ends with its test.
fn spawn(command: Command) -> io::Result<Child> {
    type Request = (Command, Sender<io::Result<Child>>);
    static SPAWNER: LazyLock<Mutex<Sender<Request>>> = LazyLock::new(|| {
        let (sender, receiver) = channel::<Request>();
        thread::spawn(move || {
            for (mut command, answer) in receiver {
                answer.send(command.spawn()).ok();
            }
        });
        Mutex::new(sender)
    });
    let (sender, receiver) = channel();
    SPAWNER
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send((command, sender))
        .expect("the thread never ends");
    receiver.recv().expect("the thread answers")
}

/// A folder that nothing is ever written to, one for each test process. Those of processes that are gone are removed.
fn empty_folder() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        const PREFIX: &str = "identity-test-";
        let temporary = env::temp_dir();
        for entry in fs::read_dir(&temporary).expect("the temporary folder is readable").flatten() {
            let name = entry.file_name();
            let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).unwrap_or_default();
            if owner.parse::<u32>().is_ok() && !Path::new("/proc").join(owner).exists() {
                // Not ours to insist on: another test process may remove it in this moment.
                fs::remove_dir(entry.path()).ok();
            }
        }
        let folder = temporary.join(format!("{PREFIX}{}", process::id()));
        fs::create_dir_all(&folder).expect("the temporary folder is writable");
        folder
    });
    &FOLDER
}

/// The lines of stdout and stderr, as they come.
#[derive(Default)]
struct Output {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Default)]
struct Lines {
    text: String,
    address: Option<SocketAddr>,
    ended: u8,
}

impl Output {
    fn text(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).text.clone()
    }

    fn change(&self, change: impl FnOnce(&mut Lines)) {
        change(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Waits for the line that says where; nothing when both streams end or the time is over.
    fn wait_for_address(&self, deadline: Deadline) -> Option<SocketAddr> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |lines: &mut Lines| lines.address.is_none() && lines.ended < 2;
        let (lines, _) = self
            .changed
            .wait_timeout_while(lines, deadline.remaining(), waiting)
            .unwrap_or_else(PoisonError::into_inner);
        lines.address
    }
}

fn collect(stream: impl Read + Send + 'static, output: &Arc<Output>) {
    let output = Arc::clone(output);
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            output.change(|lines| {
                lines.address = lines.address.or_else(|| address_in(&text));
                lines.text.push_str(&text);
            });
            line.clear();
        }
        output.change(|lines| lines.ended += 1);
    });
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, after) = line.split_once("Serving http://")?;
    after.split(|character: char| character.is_whitespace() || character == '/').next()?.parse().ok()
}
