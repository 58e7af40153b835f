//! `DATABASE_URL`: what is taken is understood by all in the same way, what is not is refused by all at once.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::{env, fs, thread};

use postgres::NoTls;

use crate::server::{PASSWORD, Server, fails, ops, succeeds, text};

/// What is refused, and what is said. Each holds `s3cret`, which nobody may repeat.
const REFUSED: &[(&str, &str)] = &[
    ("s3cret", "begin with postgres://"),
    ("host=127.0.0.1 user=owner password=s3cret dbname=identity", "begin with postgres://"),
    ("mysql://owner:s3cret@127.0.0.1/identity", "begin with postgres://"),
    ("postgres://owner:s3cret @127.0.0.1/identity", "%20 for a space"),
    ("postgres://owner:s3créét@127.0.0.1/s3cret", "%C3%A9"),
    ("postgres://owner:s3cret\n@127.0.0.1/identity", "%20 for a space"),
    ("postgres://owner:s3cret\\@127.0.0.1/identity", "%5C"),
    ("postgres://owner:s3cret#@127.0.0.1/identity", "%23"),
    ("postgres://owner:s3cret'@127.0.0.1/identity", "%27"),
    ("postgres://owner:s3cret^@127.0.0.1/identity", "%5E"),
    ("postgres://owner:s3cret%@127.0.0.1/identity", "%25"),
    ("postgres://owner:s3cret%4@127.0.0.1/identity", "%25"),
    ("postgres://owner:s3cret@127.0.0.1/identity%", "%25"),
    ("postgres://owner:s3cret%00@127.0.0.1/identity", "control characters"),
    ("postgres://owner:s3cret%0a@127.0.0.1/identity", "control characters"),
    ("postgres://owner:s3cret%7f@127.0.0.1/identity", "control characters"),
    ("postgres://owner:s3cret/x@127.0.0.1/identity", "%2F"),
    ("postgres://owner:s3cret?x@127.0.0.1/identity", "%3F"),
    ("postgres://owner:s3cret@x@127.0.0.1/identity", "%40"),
    ("postgres://owner:s3cret@127.0.0.1/identity?sslmode=require&sslrootcert=/a@b", "%40"),
    ("postgres://owner:s3[cret@127.0.0.1/s3cret", "%5B"),
    ("postgres://owner:s3cret@[::1]:5432/identity", "IPv6"),
    ("postgres://[::1]/s3cret", "IPv6"),
    ("postgres:///s3cret", "unix socket"),
    ("postgres://owner:s3cret@/identity", "unix socket"),
    ("postgres://owner:s3cret@:5432/identity", "unix socket"),
    ("postgres://owner:s3cret@/identity?host=/var/run/postgresql", "unix socket"),
    ("postgres://owner:s3cret@127.0.0.1/identity?host=/var/run/postgresql", "unix socket"),
    ("postgres://owner:s3cret@%2Fvar%2Frun%2Fpostgresql/identity", "unix socket"),
    ("postgres://127.0.0.1/s3cret", "names no user"),
    ("postgres://:s3cret@127.0.0.1/identity", "names no user"),
    ("postgres://ow,ner:s3cret@127.0.0.1/identity", "use another one"),
    ("postgres://ow%3Dner:s3cret@127.0.0.1/identity", "use another one"),
    ("postgres://owner:s3cret@one,two/identity", "several hosts"),
    ("postgres://owner:s3cret@one:5432,two:5432/identity", "several hosts"),
    ("postgres://owner:s3cret@one_%74wo/identity", "neither a name nor an IPv4 address"),
    ("postgres://owner:s3cret@127.0.0.1:/identity", "its port is no number"),
    ("postgres://owner:s3cret@127.0.0.1:postgres/identity", "its port is no number"),
    ("postgres://owner:s3cret@127.0.0.1:0/identity", "from 1 to 65535"),
    ("postgres://owner:s3cret@127.0.0.1:65536/identity", "from 1 to 65535"),
    ("postgres://owner:s3cret@127.0.0.1:99999/identity", "from 1 to 65535"),
    ("postgres://owner:s3cret@127.0.0.1", "names no database"),
    ("postgres://owner:s3cret@127.0.0.1/", "names no database"),
    ("postgres://owner:s3cret@127.0.0.1?sslmode=require", "names no database"),
    ("postgres://owner:s3cret@127.0.0.1/identity/other", "names no database, or more than one"),
    ("postgres://owner:s3cret@127.0.0.1/identity?", "behind ?"),
    ("postgres://owner:s3cret@127.0.0.1/identity?sslmode", "behind ?"),
    ("postgres://owner:s3cret@127.0.0.1/identity?sslmode=", "behind ?"),
    ("postgres://owner:s3cret@127.0.0.1/identity?sslmode=allow", "behind ?"),
    ("postgres://owner:s3cret@127.0.0.1/identity?sslmode=disabled", "behind ?"),
    ("postgres://owner:s3cret@127.0.0.1/identity?sslmod=verify-full", "behind ?"),
    ("postgres://owner:s3cret@127.0.0.1/identity?user=other", "behind ?"),
    ("postgres://owner@127.0.0.1/identity?password=s3cret", "behind ?"),
    ("postgres://owner:s3cret@127.0.0.1/identity?options=-csearch_path=public", "behind ?"),
    ("postgres://owner:s3cret@127.0.0.1/identity?sslmode=disable&sslmode=require", "twice"),
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A script, or Bash with `-c`, that is given the URL, where client programs are, and nothing else.
fn bash(arguments: &[&str], url: &str) -> Output {
    let clients = env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PGTOOLS_"));
    Command::new("bash")
        .args(arguments)
        .current_dir(root())
        .env_clear()
        .envs(clients)
        .env("PATH", env::var_os("PATH").unwrap())
        .env("DATABASE_URL", url)
        .output()
        .unwrap()
}

/// What `make up`, `make db` and `k3s/secrets` do with it first.
const READ: &str = ". scripts/terminal.sh && . scripts/database-url.sh && read_database_url";

#[test]
fn what_not_everybody_understands_in_the_same_way_is_refused_by_all_with_the_way_to_write_it() {
    for (url, reason) in REFUSED {
        for output in [
            ops("role", url, PASSWORD),
            ops("migrate", url, PASSWORD),
            bash(&["scripts/backup", "/tmp"], url),
            bash(&["scripts/restore", "/dev/null"], url),
            bash(&["-c", READ], url),
        ] {
            let said = text(&output);
            assert_eq!(output.status.code(), Some(1), "{url}: {said}");
            assert!(said.contains("DATABASE_URL: ") && said.contains(reason), "{url}: {said}");
            assert!(!said.contains("s3cr"), "{url}: {said}");
        }
    }
}

#[test]
fn a_server_that_accepts_and_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = &format!("postgres://owner:s3cret@{}/identity", silent.local_addr().unwrap());
    thread::scope(|scope| {
        let tool = scope.spawn(|| ops("migrate", url, PASSWORD));
        let script = scope.spawn(|| bash(&["scripts/backup", "/tmp"], url));
        assert!(fails(&tool.join().unwrap()).contains("no answer for 10 seconds"));
        assert!(fails(&script.join().unwrap()).contains("timeout expired"));
    });
}

/// Everything that has to be written in percent form somewhere, and the signs that have not.
const ODD: &str = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~é%41";

fn percent_form(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Leaves what may stand there as it is.
fn sparing_percent_form(text: &str) -> String {
    let spared = |byte: u8| byte.is_ascii_alphanumeric() || b"!$&()*+,-.;=_~".contains(&byte);
    text.bytes()
        .map(|byte| if spared(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[test]
fn what_is_taken_leads_everybody_to_the_same_database_as_the_same_user() {
    let server = Server::start("database-url");
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let (user, database, password) =
        (format!("u{ODD}").replace([',', '='], ""), format!("d{ODD}"), format!("p{ODD}"));
    let literal = format!("E'{}'", password.replace('\\', "\\\\").replace('\'', "''"));
    for statement in [
        format!("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {literal}", quoted(&user)),
        format!("CREATE DATABASE {} OWNER {}", quoted(&database), quoted(&user)),
    ] {
        server.superuser().batch_execute(&statement).unwrap();
    }
    let (_, address) = server.url.rsplit_once('@').unwrap();
    let (address, _) = address.split_once('/').unwrap();
    let local = address.replace("127.0.0.1", "localhost");
    let [full, sparing] = [percent_form, sparing_percent_form]
        .map(|form| (format!("{}:{}", form(&user), form(&password)), form(&database)));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("database-url");
    fs::create_dir_all(&folder).unwrap();
    for url in [
        format!("postgres://{}@{address}/{}", full.0, full.1),
        format!("postgresql://{}@{local}/{}?sslmode=prefer", sparing.0, sparing.1),
        format!("postgres://{}@{address}/{}?sslmode=disable", sparing.0, sparing.1),
    ] {
        for command in ["role", "migrate", "purge"] {
            succeeds(&ops(command, &url, PASSWORD));
        }
        succeeds(&bash(&["scripts/backup", folder.to_str().unwrap()], &url));
        let form = format!("{READ} && . scripts/database.sh && application_dsn {}", percent_form(PASSWORD));
        let dsn = succeeds(&bash(&["-c", &form], &url));
        // The parser that Spin has.
        let mut application = postgres::Client::connect(dsn.trim(), NoTls).unwrap();
        let row = application.query_one("SELECT current_database()::text, current_user::text", &[]).unwrap();
        assert_eq!((row.get(0), row.get(1)), (database.as_str(), "cofrap_app"));
    }
    fs::remove_dir_all(&folder).unwrap();
}
