//! PgBouncer between the application and its database: what docs/operations.md says about its settings is from here.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;
use std::{fs, thread};

use harness::deadline::poll;

use crate::check::check;
use crate::journey::walk;
use crate::server::{PASSWORD, Server, fails, succeeds, text};

/// What the guide says.
const GOOD: &str = "pool_mode = session\ndefault_pool_size = 64\nignore_startup_parameters = options\n";

/// A setting, for releases that can keep what is prepared: 1.21 and newer.
static KEEPING_NOTHING_PREPARED: LazyLock<String> = LazyLock::new(|| {
    let version = text(&pgbouncer().arg("--version").output().expect(MISSING));
    let minor = version.trim_start_matches("PgBouncer 1.").split('.').next().unwrap();
    let can_keep = minor.parse::<u32>().unwrap() >= 21;
    if can_keep { "max_prepared_statements = 0\n".to_owned() } else { String::new() }
});

const MISSING: &str = "PgBouncer is installed, which these tests need: apt-get install pgbouncer";

fn pgbouncer() -> Command {
    let mut command = Command::new("pgbouncer");
    // Debian has it in a folder that is not in everybody's path.
    command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap()));
    command
}

/// A PgBouncer before a server, until it is dropped.
struct Pooler {
    process: Child,
    port: String,
}

impl Pooler {
    /// With these settings, and else with those that it needs to find the server and to know the application.
    fn start(server: &Server, settings: &str) -> Self {
        // A port that was free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Where the server's user, whom it runs as, can read.
        let files = server.log.with_file_name(format!("pgbouncer-{port}"));
        let [users, configuration] = ["users", "ini"].map(|kind| files.with_extension(kind));
        let owner: postgres::Config = server.url.parse().unwrap();
        let owners = std::str::from_utf8(owner.get_password().unwrap()).unwrap();
        fs::write(&users, format!("\"cofrap_app\" \"{PASSWORD}\"\n\"owner\" \"{owners}\"\n")).unwrap();
        let needed = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\n",
            server.port(),
            users.display()
        );
        fs::write(&configuration, needed + settings).unwrap();
        let mut command = pgbouncer();
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            // It refuses to run as root.
            command.args(["-u", "postgres"]);
        }
        let process =
            command.arg(&configuration).stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect(MISSING);
        let mut pooler = Self { process, port: port.to_string() };
        let listens = poll(Duration::from_secs(20), || {
            let ended = pooler.process.try_wait().unwrap();
            assert!(ended.is_none(), "pgbouncer ended ({ended:?}) with the settings\n{settings}");
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        assert!(listens.is_some(), "pgbouncer does not listen with the settings\n{settings}");
        pooler
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn through_a_pooler_with_the_settings_of_the_guide_the_check_passes_and_so_does_the_journey() {
    let server = Server::start("pooler");
    server.migrated();
    let pooler = Pooler::start(&server, GOOD);
    let said = succeeds(&check(&server.dsn("127.0.0.1", &pooler.port, "disable"), ""));
    assert!(said.starts_with("64 connections at once: each has a session of its own\n"), "{said}");
    walk(&server.behind(&pooler.port));
}

/// With PgBouncer's defaults for what a client may send, and whatever session each transaction gets.
#[test]
fn the_owners_tool_works_through_a_pooler_of_transactions_and_leaves_no_lock_behind() {
    let server = Server::start("pooled-owner");
    let pooler = Pooler::start(&server, "pool_mode = transaction\ndefault_pool_size = 3\n");
    let pooled = server.behind(&pooler.port);
    for command in ["role", "migrate", "role", "migrate", "purge"] {
        succeeds(&pooled.ops(command));
    }
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| succeeds(&pooled.ops("migrate")));
        }
    });
    assert_eq!(server.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0");
    walk(&server);
}

#[test]
fn the_settings_of_a_pooler_that_cannot_work_are_found() {
    let server = Server::start("bad-pooler");
    server.migrated();
    for (settings, expected) in [
        ("", "(08P01): PgBouncer has to ignore it, ignore_startup_parameters = options"),
        (
            "ignore_startup_parameters = options\n",
            "44 of 64 connections got no session while the others were held (no answer for 5 seconds)",
        ),
        (
            "pool_mode = session\ndefault_pool_size = 64\nmax_client_conn = 20\nignore_startup_parameters = options\n",
            "44 of 64 connections got no session while the others were held (no more connections allowed (max_client_conn)",
        ),
        (
            "pool_mode = transaction\ndefault_pool_size = 64\nignore_startup_parameters = options\n",
            "prepared statements get lost when requests run at the same time (prepared statement \"s",
        ),
        (
            "pool_mode = statement\ndefault_pool_size = 64\nignore_startup_parameters = options\n",
            "prepared statements get lost when requests run at the same time (prepared statement \"s",
        ),
        // With one session for all, nobody in one process meets what another has prepared; in two pods they would.
        (
            "pool_mode = transaction\ndefault_pool_size = 1\nignore_startup_parameters = options\n",
            "1 of 64 connections got no session while the others were held (no answer for 5 seconds)",
        ),
    ] {
        let pooler = Pooler::start(&server, &(settings.to_owned() + KEEPING_NOTHING_PREPARED.as_str()));
        let said = fails(&check(&server.dsn("127.0.0.1", &pooler.port, "disable"), ""));
        assert!(said.contains(expected), "{settings}{said}");
        assert_eq!(said.lines().count(), 1, "{settings}{said}");
    }
}
