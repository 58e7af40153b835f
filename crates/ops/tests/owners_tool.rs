//! The owner's tool against real servers: each test has one of its own, because roles belong to a server.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what a test needs and does not get ends it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs, thread};

use postgres::{Client, NoTls};

const PASSWORD: &str = "first'password $1 %s";
const OTHER_PASSWORD: &str = "another-password-of-the-role";

/// A private PostgreSQL, stopped when it is dropped.
struct Server {
    folder: PathBuf,
    log: PathBuf,
    url: String,
}

impl Server {
    fn start(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("owners-tool-{name}"));
        // One that a killed test left running holds that test's state.
        script("stop", &folder, &[]);
        let said = script("start", &folder, &["--for-tests"]);
        let (_, log) = said.rsplit_once("its log is ").expect("the script names the log");
        let url = script("url", &folder, &[]).trim().to_owned();
        Self { log: PathBuf::from(log.trim()), folder, url }
    }

    fn owner(&self) -> Client {
        Client::connect(&self.url, NoTls).unwrap()
    }

    fn application(&self, password: &str) -> Result<Client, postgres::Error> {
        let mut config: postgres::Config = self.url.parse().unwrap();
        config.user("cofrap_app").password(password).connect(NoTls)
    }

    fn ops(&self, command: &str) -> Output {
        self.ops_with(command, PASSWORD)
    }

    fn ops_with(&self, command: &str, password: &str) -> Output {
        ops(command, &self.url, password)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        script("stop", &self.folder, &[]);
        fs::remove_dir_all(&self.folder).ok();
    }
}

fn script(command: &str, folder: &Path, more: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres");
    let output = Command::new(script).arg(command).arg(folder).args(more).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    text(&output)
}

/// The tool with the environment of a job: these two variables and nothing else.
fn ops(command: &str, url: &str, password: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_identity-ops"))
        .args(command.split(' '))
        .env_clear()
        .env("DATABASE_URL", url)
        .env("APPLICATION_PASSWORD", password)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(output));
    text(output)
}

fn fails(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", text(output));
    text(output)
}

#[test]
fn the_application_role_can_log_in_and_owns_nothing() {
    let server = Server::start("owns-nothing");
    assert_eq!(succeeds(&server.ops("role")), "created role cofrap_app\n");
    assert!(succeeds(&server.ops("migrate")).starts_with("applied 0001 "));

    let mut application = server.application(PASSWORD).unwrap();
    let may: bool = application
        .query_one(
            "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls
               OR EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid)
             FROM pg_roles WHERE rolname = current_user",
            &[],
        )
        .unwrap()
        .get(0);
    assert!(!may);
    assert!(application.batch_execute("CREATE TABLE mine ()").is_err());
    assert!(application.batch_execute("CREATE TEMPORARY TABLE mine ()").is_err());
    assert!(application.batch_execute("SELECT * FROM _sqlx_migrations").is_err());
    for (setting, expected) in [
        ("statement_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "5s"),
        ("lc_messages", "C"),
        ("log_parameter_max_length", "0"),
        ("log_parameter_max_length_on_error", "0"),
    ] {
        let value: String = application.query_one(&format!("SHOW {setting}"), &[]).unwrap().get(0);
        assert_eq!(value, expected, "{setting}");
    }
}

/// Who goes back to an earlier release runs its tool on the schema of the later one.
#[test]
fn migrations_of_a_later_release_stay() {
    let server = Server::start("later-release");
    succeeds(&server.ops("role"));
    succeeds(&server.ops("migrate"));
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'later', true, '', 0)";
    server.owner().batch_execute(later).unwrap();
    let said = succeeds(&server.ops("migrate"));
    assert!(
        said.starts_with("nothing to apply") && said.ends_with("\n9999 is of a later release, and stays\n"),
        "{said}"
    );
}

#[test]
fn a_second_run_changes_nothing() {
    let server = Server::start("second-run");
    succeeds(&server.ops("role"));
    succeeds(&server.ops("migrate"));
    assert_eq!(succeeds(&server.ops("role")), "updated role cofrap_app\n");
    assert!(succeeds(&server.ops("migrate")).starts_with("nothing to apply"));
    server.application(PASSWORD).unwrap();
}

#[test]
fn what_an_owner_may_not_set_is_left_to_the_operator_and_said() {
    let server = Server::start("may-not-set");
    for statement in [
        "CREATE ROLE modest LOGIN CREATEROLE PASSWORD 'modest-password'",
        "CREATE DATABASE modest OWNER modest",
    ] {
        server.owner().batch_execute(statement).unwrap();
    }
    let (server_part, _) = server.url.rsplit_once('/').unwrap();
    let (_, address) = server_part.rsplit_once('@').unwrap();
    let url = format!("postgres://modest:modest-password@{address}/modest");
    let said = succeeds(&ops("role", &url, PASSWORD));
    assert!(said.contains("lc_messages may not be set"), "{said}");
    assert!(said.contains("log_parameter_max_length may not be set"), "{said}");
    assert!(succeeds(&ops("migrate", &url, PASSWORD)).starts_with("applied 0001 "));
    // What is there is read by its owner, who is no superuser either.
    assert!(succeeds(&ops("purge", &url, PASSWORD)).starts_with("removed 0 "));
}

#[test]
fn of_runs_at_the_same_time_one_does_the_work_and_all_succeed() {
    let server = Server::start("same-time");
    for (command, done) in [("role", "created role cofrap_app"), ("migrate", "applied 0001 ")] {
        let said: Vec<String> = thread::scope(|scope| {
            let runs: Vec<_> = (0..6).map(|_| scope.spawn(|| succeeds(&server.ops(command)))).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        assert_eq!(said.iter().filter(|said| said.starts_with(done)).count(), 1, "{said:?}");
    }
}

#[test]
fn a_new_password_replaces_the_old_one() {
    let server = Server::start("new-password");
    succeeds(&server.ops("role"));
    succeeds(&server.ops_with("role", OTHER_PASSWORD));
    assert!(server.application(PASSWORD).is_err());
    server.application(OTHER_PASSWORD).unwrap();
    assert!(fails(&server.ops_with("role", "short")).contains("too short"));
    server.application(OTHER_PASSWORD).unwrap();
}

#[test]
fn rights_that_somebody_gave_the_role_are_taken_away_or_refused() {
    let server = Server::start("rights");
    succeeds(&server.ops("role"));
    server
        .owner()
        .batch_execute("ALTER ROLE cofrap_app SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS")
        .unwrap();
    succeeds(&server.ops("role"));
    let remaining = server
        .owner()
        .query("SELECT FROM pg_roles WHERE rolname = 'cofrap_app' AND (rolsuper OR rolcreaterole)", &[])
        .unwrap();
    assert!(remaining.is_empty());

    server.owner().batch_execute("GRANT pg_read_all_data TO cofrap_app").unwrap();
    assert!(fails(&server.ops("role")).contains("REVOKE pg_read_all_data FROM cofrap_app"));
}

#[test]
fn a_password_is_in_no_output_log_or_statement() {
    let server = Server::start("no-log");
    server.owner().batch_execute("ALTER SYSTEM SET log_statement = 'all'").unwrap();
    server.owner().query("SELECT pg_reload_conf()", &[]).unwrap();
    let mut said = succeeds(&server.ops_with("role", OTHER_PASSWORD));
    let wrong = server.url.replace("owner:", "owner:not-the-owners-password-");
    said += &fails(&ops("role", &wrong, OTHER_PASSWORD));
    let nowhere = "postgres://owner:not-the-owners-password-@127.0.0.1:1/identity";
    said += &fails(&ops("migrate", nowhere, OTHER_PASSWORD));
    said += &fails(&ops("migrate", "owner:not-the-owners-password-@127.0.0.1", OTHER_PASSWORD));
    said += &fs::read_to_string(&server.log).unwrap();
    assert!(
        said.contains("ALTER ROLE cofrap_app PASSWORD 'SCRAM-SHA-256$4096:"),
        "the log has the statements"
    );
    assert!(!said.contains(OTHER_PASSWORD), "{said}");
    assert!(!said.contains("not-the-owners-password-"), "{said}");
}

#[test]
fn a_migration_that_changed_after_it_was_applied_is_refused() {
    let server = Server::start("changed");
    assert!(fails(&server.ops("migrate")).contains("run `identity-ops role` first"));
    succeeds(&server.ops("role"));
    succeeds(&server.ops("migrate"));
    server.owner().batch_execute(r"UPDATE _sqlx_migrations SET checksum = '\x00'").unwrap();
    assert!(fails(&server.ops("migrate")).contains("previously applied but has been modified"));
}

#[test]
fn help_is_on_stdout_and_wrong_usage_is_status_2() {
    let help = ops("--help", "", "");
    assert!(succeeds(&help).contains("Usage: identity-ops <command>"));
    assert!(help.stderr.is_empty());
    for wrong in
        ["drop-everything", "purge --everything", "purge --events-months 0", "reseal --check --check"]
    {
        let wrong = ops(wrong, "", "");
        assert_eq!(wrong.status.code(), Some(2));
        assert!(wrong.stdout.is_empty());
        assert_eq!(wrong.stderr, help.stdout);
    }
}
