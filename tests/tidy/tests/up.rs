//! What `make up` finds out before it builds anything: which Spin may serve, who has the port, and a `.env` that would be
//! read in two ways. The scripts run in a copy of what they need, with programs of the test's first in PATH.
#![allow(clippy::unwrap_used, reason = "a script that cannot be run has failed")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tidy::{files, root};

/// A checkout with the scripts alone.
struct Checkout(PathBuf);

impl Checkout {
    /// `name`: one for each test.
    fn new(name: &str) -> Self {
        let checkout =
            Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("up-{name}-{}", std::process::id())));
        fs::remove_dir_all(&checkout.0).ok();
        fs::create_dir_all(checkout.path("programs")).unwrap();
        for file in files("scripts", "").into_iter().chain(["runtime-class/spin-versions.sh".into()]) {
            fs::create_dir_all(checkout.0.join(&file).parent().unwrap()).unwrap();
            fs::copy(root().join(&file), checkout.0.join(&file)).unwrap();
        }
        // No script comes as far as to build something.
        checkout.program("cargo", "echo 'built something'; exit 1");
        checkout
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    fn program(&self, name: &str, does: &str) {
        let file = self.path("programs").join(name);
        fs::write(&file, format!("#!/bin/sh\n{does}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A script that ends with an error, and what it said. Its address of the database is none, which it finds out last.
    fn refusal(&self, script: &str, environment: &[(&str, &str)]) -> String {
        let output = Command::new(self.path(script))
            .args(["purge"])
            .env_clear()
            .env("PATH", format!("{}:{}", self.path("programs").display(), path_without_spin()))
            .env("HOME", &self.0)
            .env("LISTEN", format!("127.0.0.1:{}", free_port()))
            .env("DATABASE_URL", "none")
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!output.status.success() && !said.contains("built something"), "{script}: {said}");
        said
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn path_without_spin() -> String {
    let path = std::env::var("PATH").unwrap();
    let without = |folder: &&str| !Path::new(folder).join("spin").exists();
    path.split(':').filter(without).collect::<Vec<_>>().join(":")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_spin_that_was_seen_serves_one_that_was_not_is_tried_and_one_whose_queries_hang_is_refused() {
    const SEEN: &[&str] = &["will serve"];
    const UNSEEN: &[&str] = &["will serve", "It is unseen"];
    const HANGS: &[&str] =
        &["This project's own host will serve", "is not used: queries of PostgreSQL can hang"];
    const OLD: &[&str] = &["This project's own host will serve", "is not used: it is older than 3.6"];
    const NONE: &[&str] =
        &["This project's own host will serve", "is not used: it does not say which version"];
    let checkout = Checkout::new("versions");
    for (printed, version, says) in [
        ("spin 3.6.3 (88d51cf1 2026-04-09)", "Spin 3.6.3", SEEN),
        ("spin 3.6.0", "Spin 3.6.0", SEEN),
        ("spin 3.5.1 (1111111 2026-01-01)", "(3.5.1)", OLD),
        ("spin 2.7.0", "(2.7.0)", OLD),
        ("spin 4.0.0 (1111111 2026-01-01)", "(4.0.0)", HANGS),
        ("spin 4.0.1", "(4.0.1)", HANGS),
        ("spin 4.0.2", "(4.0.2)", HANGS),
        ("spin 4.0.3", "Spin 4.0.3", UNSEEN),
        ("spin 4.0.20", "Spin 4.0.20", UNSEEN),
        ("spin 4.1.0-pre0 (1111111 2026-08-21)", "Spin 4.1.0", UNSEEN),
        ("spin 3.7.0", "Spin 3.7.0", UNSEEN),
        ("spin 3.60.0", "Spin 3.60.0", UNSEEN),
        ("spin 10.0.0", "Spin 10.0.0", UNSEEN),
        ("something else 3.6.3", "", NONE),
        ("", "", NONE),
    ] {
        checkout.program("spin", &format!("[ \"$*\" = --version ] && echo '{printed}'"));
        let said = checkout.refusal("scripts/up", &[]);
        assert!(said.contains(version) && says.iter().all(|says| said.contains(says)), "{printed}: {said}");
        assert_eq!(said.contains("unseen"), says == UNSEEN, "{printed}: {said}");
        assert_eq!(said.contains("own host"), ![SEEN, UNSEEN].contains(&says), "{printed}: {said}");
    }
    fs::remove_file(checkout.path("programs/spin")).unwrap();
    let said = checkout.refusal("scripts/up", &[]);
    assert!(said.contains("own host will serve") && !said.contains("in PATH"), "without one: {said}");
}

#[test]
fn a_database_that_asks_for_tls_is_not_for_the_host_that_has_none() {
    let checkout = Checkout::new("tls");
    for url in [
        "postgres://owner:s3cret@db.example/identity",
        "postgres://owner:s3cret@127.0.0.1/identity?sslmode=require",
    ] {
        let said = checkout.refusal("scripts/up", &[("DATABASE_URL", url)]);
        assert!(said.contains("own host has not got") && !said.contains("s3cret"), "{said}");
    }
}

#[test]
fn spin_is_not_started_where_it_would_log_what_passes_through_it() {
    let checkout = Checkout::new("log");
    checkout.program("spin", "echo 'spin 3.6.3'");
    for (filter, refused) in [
        ("", false),
        ("off", false),
        ("error", false),
        ("WARN", false),
        ("info", false),
        ("warn,spin_core=info", false),
        ("debug", true),
        ("trace", true),
        ("DEBUG", true),
        ("info,spin=debug", true),
        ("tokio_postgres=debug", true),
        ("tokio_postgres=debug,info", true),
        // A crate without a level: all that it says.
        ("spin_factor_outbound_pg", true),
        ("5", true),
        ("[spin_outbound_pg.open]=trace", true),
        ("info, spin=trace", true),
    ] {
        let said = checkout.refusal("scripts/up", &[("RUST_LOG", filter)]);
        assert_eq!(said.contains("RUST_LOG would let Spin log passwords"), refused, "{filter}: {said}");
    }
}

/// A process of that name that listens, in that folder; below another of its name where it has a parent that looks after
/// it. (Perl, since every Debian has it, and a shell cannot listen.)
struct Listening {
    child: Child,
    port: u16,
    process: String,
}

impl Listening {
    fn start(program: &Path, folder: &Path, below_another: bool) -> Self {
        const LISTEN: &str = "use IO::Socket::INET; if (shift and fork) { wait; exit }
            my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die;
            $| = 1; print $socket->sockport, qq( $$\n); sleep 60";
        fs::remove_file(program).ok();
        symlink("/usr/bin/perl", program).unwrap();
        let mut child = Command::new(program)
            .args(["-e", LISTEN, if below_another { "1" } else { "0" }])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (port, process) = line.trim().split_once(' ').unwrap();
        Self { child, port: port.parse().unwrap(), process: process.to_owned() }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Its parent ends with it.
        Command::new("kill").arg(&self.process).status().ok();
        self.child.wait().ok();
    }
}

#[test]
fn who_has_the_port_is_named_and_a_server_that_was_left_behind_is_known() {
    let checkout = Checkout::new("port");
    let elsewhere = Checkout::new("port-elsewhere");
    let look = |name: &str, folder: &Checkout, below_another: bool| {
        let listening = Listening::start(&elsewhere.path(name), &folder.0, below_another);
        let said = checkout.refusal("scripts/up", &[("LISTEN", &format!("127.0.0.1:{}", listening.port))]);
        assert!(said.contains(&format!("Process {} ({name})", listening.process)), "{said}");
        assert!(said.contains(&format!("Error: port {} of 127.0.0.1 is taken.", listening.port)), "{said}");
        said.replace(&listening.process, "PROCESS")
    };
    for name in ["spin", "host"] {
        let said = look(name, &checkout, false);
        assert!(said.contains("left over") && said.contains("To end it: kill PROCESS\n"), "{said}");
        let said = look(name, &elsewhere, false);
        assert!(!said.contains("left over") && !said.contains("Ctrl-C"), "another checkout's: {said}");
    }
    let said = look("spin", &checkout, true);
    assert!(said.contains("Ctrl-C there ends it") && !said.contains("left over"), "{said}");
    let said = look("something", &checkout, false);
    assert!(!said.contains("left over") && !said.contains("Ctrl-C"), "another program: {said}");
}

/// A line of `.env`, or several, and the value that everybody reads of them; none where they are refused.
const LINES: &[(&str, Option<&str>)] = &[
    ("SPIN_VARIABLE_A=hunter2\n", Some("hunter2")),
    ("SPIN_VARIABLE_A=hunter2", Some("hunter2")),
    ("SPIN_VARIABLE_A='hunter2'\n", Some("hunter2")),
    ("SPIN_VARIABLE_A='hunter2'", Some("hunter2")),
    ("SPIN_VARIABLE_A=\"hunter2\"\n", Some("hunter2")),
    ("SPIN_VARIABLE_A='hunter2 # $A \"é\"'\n", Some("hunter2 # $A \"é\"")),
    ("SPIN_VARIABLE_A=\"hunter2 # l'été\"\n", Some("hunter2 # l'été")),
    ("SPIN_VARIABLE_A=hunter2#[x]{y}^~`;&|(<*?!%=+/:@.,-_\n", Some("hunter2#[x]{y}^~`;&|(<*?!%=+/:@.,-_")),
    ("SPIN_VARIABLE_A=\n", Some("")),
    ("SPIN_VARIABLE_A=''\n", Some("")),
    ("\n# hunter2\n   # 'hunter2\nSPIN_VARIABLE_A=hunter2\n\n", Some("hunter2")),
    ("SPIN_VARIABLE_A=1\nSPIN_VARIABLE_A='hunter2'\n", Some("hunter2")),
    ("A=1\nspin_2='x'\nSPIN_VARIABLE_A=hunter2\n", Some("hunter2")),
    ("hunter2\n", None),
    ("hunter2 = x\n", None),
    ("SPIN_VARIABLE_A\n", None),
    ("2A=hunter2\n", None),
    ("A-B=hunter2\n", None),
    ("SPIN_VARIABLE_A = hunter2\n", None),
    ("SPIN_VARIABLE_A= hunter2\n", None),
    (" SPIN_VARIABLE_A=hunter2\n", None),
    ("export SPIN_VARIABLE_A=hunter2\n", None),
    ("SPIN_VARIABLE_A=hunter2 \n", None),
    ("SPIN_VARIABLE_A='hunter2' ", None),
    ("SPIN_VARIABLE_A='hunter2' # comment\n", None),
    ("SPIN_VARIABLE_A='hunter2'\r\n", None),
    ("SPIN_VARIABLE_A=hunter2 hunter2\n", None),
    ("SPIN_VARIABLE_A=#hunter2\n", None),
    ("SPIN_VARIABLE_A=$hunter2\n", None),
    ("SPIN_VARIABLE_A=\"$hunter2\"\n", None),
    ("SPIN_VARIABLE_A=\"hunter2\\n\"\n", None),
    ("SPIN_VARIABLE_A='hunter2\\'\n", None),
    ("SPIN_VARIABLE_A=hunter\\2\n", None),
    ("SPIN_VARIABLE_A='hunter2\n", None),
    ("SPIN_VARIABLE_A=hunter2'\n", None),
    ("SPIN_VARIABLE_A=\"hunter2\n", None),
    ("SPIN_VARIABLE_A=l'hunter2\n", None),
    ("SPIN_VARIABLE_A='hunter''2'\n", None),
    ("SPIN_VARIABLE_A='hunter2\nmore'\n", None),
    ("SPIN_VARIABLE_A=hunter2\u{a0}\n", None),
    ("\u{feff}SPIN_VARIABLE_A=hunter2\n", None),
    ("  \n", None),
];

#[test]
fn a_line_of_the_settings_is_read_alike_by_spin_and_the_scripts_or_refused_by_its_number() {
    let checkout = Checkout::new("settings");
    checkout.program("spin", "echo 'spin 3.6.3'");
    for (lines, value) in LINES {
        fs::write(checkout.path(".env"), format!("# first\n{lines}")).unwrap();
        let said = checkout.refusal("scripts/up", &[]);
        let Some(value) = value else {
            assert!(said.contains("Error: line 2 of .env would not mean the same"), "{lines:?}: {said}");
            assert!(!said.contains("hunter"), "{lines:?} is quoted: {said}");
            continue;
        };
        assert!(!said.contains(".env"), "{lines:?}: {said}");
        let spins = dotenvy::from_path_iter(checkout.path(".env")).unwrap().map(Result::unwrap);
        let spins = spins.filter(|(name, _)| name == "SPIN_VARIABLE_A").last().unwrap().1;
        assert_eq!(spins, *value, "{lines:?}, as Spin and the host read it");
        let ours = Command::new("bash")
            .args(["-euc", ". scripts/terminal.sh; . scripts/database.sh; line_of A"])
            .current_dir(&checkout.0)
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(ours.stdout).unwrap().trim_end(),
            *value,
            "{lines:?}, as the scripts read it"
        );
    }
    fs::write(checkout.path(".env"), b"A='\xff'\n").unwrap();
    assert!(checkout.refusal("scripts/up", &[]).contains("Error: .env is not UTF-8"));
}

#[test]
fn whatever_reads_the_settings_refuses_a_broken_line_before_anything_else() {
    let checkout = Checkout::new("readers");
    fs::write(checkout.path(".env"), "SPIN_VARIABLE_SEALING_KEYS='k1:hunter2\n").unwrap();
    for script in ["scripts/up", "scripts/db", "scripts/owner"] {
        let said = checkout.refusal(script, &[]);
        assert!(said.starts_with("\nError: line 1 of .env would not mean the same"), "{script}: {said}");
        assert!(!said.contains("hunter2"), "{script}: {said}");
    }
}

/// As Spin does: it keeps a folder, and serves in a child.
const SPIN: &str = r"#!/usr/bin/perl
if ($ARGV[0] eq '--version') { print qq(spin 3.6.3\n); exit }
my %option = @ARGV[1 .. $#ARGV];
mkdir $option{'--state-dir'} || '.spin' or die;
if (fork) { wait; exit }
";
/// As the host does.
const HOST: &str = "#!/usr/bin/perl\nmy %option = @ARGV;\n";
const SERVE: &str = r"use IO::Socket::INET;
my $socket = IO::Socket::INET->new(Listen => 5, LocalAddr => $option{'--listen'}) or die;
while (my $client = $socket->accept) {
    while (my $line = <$client>) { last if $line eq qq(\r\n) }
    print $client qq(HTTP/1.1 200 OK\r\n\r\n);
}
";

/// `make up` that serves: with Spin where it is in PATH, else with the host.
struct Serving(Child);

impl Serving {
    fn start(checkout: &Checkout, listen: &str) -> Self {
        let mut up = Command::new(checkout.path("scripts/up"))
            .env("PATH", format!("{}:{}", checkout.path("programs").display(), path_without_spin()))
            .env("LISTEN", listen)
            .env("DATABASE_URL", "postgres://owner:secret@127.0.0.1:5432/identity")
            .env_remove("RUST_LOG")
            .env_remove("CARGO_TARGET_DIR")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said: Vec<String> = BufReader::new(up.stdout.as_mut().unwrap())
            .lines()
            .map(Result::unwrap)
            .take_while(|line| !line.starts_with("Serving "))
            .collect();
        assert!(TcpStream::connect(listen).is_ok(), "it serves: {said:?}");
        Self(up)
    }

    /// The process that it started to serve.
    fn server(&self) -> String {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.0.id())).unwrap();
        children.split_whitespace().next().unwrap().to_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        Command::new("kill").arg(self.0.id().to_string()).stderr(Stdio::null()).status().ok();
        self.0.wait().ok();
    }
}

/// A checkout in which `make up` builds nothing and finds a database that is ready.
fn ready(name: &str) -> Checkout {
    let checkout = Checkout::new(name);
    checkout.program("cargo", "");
    fs::create_dir_all(checkout.path("target/debug")).unwrap();
    for file in ["scripts/build-components", "target/debug/identity-ops"] {
        fs::copy(checkout.path("programs/cargo"), checkout.path(file)).unwrap();
    }
    for (file, start) in [("programs/spin", SPIN), ("target/debug/host", HOST)] {
        fs::copy(checkout.path("programs/cargo"), checkout.path(file)).unwrap();
        fs::write(checkout.path(file), format!("{start}{SERVE}")).unwrap();
    }
    checkout
}

#[test]
fn spin_leaves_nothing_in_the_checkout_and_no_child_when_it_is_killed() {
    let checkout = ready("killed");
    let before = entries(&checkout.0);
    let listen = format!("127.0.0.1:{}", free_port());
    let mut up = Serving::start(&checkout, &listen);
    let left: Vec<String> = entries(&checkout.0).into_iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(left, [".env", ".run"], "what git ignores");
    assert!(Command::new("kill").args(["-KILL", &up.server()]).status().unwrap().success());
    assert!(!up.0.wait().unwrap().success(), "it ends with Spin");
    assert!(TcpStream::connect(&listen).is_err(), "nothing serves on");
}

#[test]
fn a_second_make_up_is_told_of_the_first_one_whatever_that_serves_with() {
    let checkout = ready("second");
    for server in ["spin", "host"] {
        let listen = format!("127.0.0.1:{}", free_port());
        let _first = Serving::start(&checkout, &listen);
        let said = checkout.refusal("scripts/up", &[("LISTEN", &listen)]);
        assert!(
            said.contains(&format!("({server}), of a `make up` or `spin up` of this checkout")),
            "{said}"
        );
        assert!(said.contains("Ctrl-C there ends it") && !said.contains("left over"), "{said}");
        fs::remove_file(checkout.path("programs/spin")).ok();
    }
}

/// What is in a folder, by name.
fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn what_spin_up_by_hand_leaves_in_the_checkout_is_ignored() {
    for file in [".spin/logs/account_stdout.txt", ".env", ".run/spin"] {
        let ignored =
            Command::new("git").args(["check-ignore", "--quiet", file]).current_dir(root()).status();
        assert!(ignored.unwrap().success(), "{file}");
    }
}
