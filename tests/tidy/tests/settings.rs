//! What `scripts/database.sh` writes into `.env`: a connection that is encrypted wherever it leaves this machine, in a file
//! that nobody else can read. Bash runs the script's own functions, in a folder of the test's.
#![allow(clippy::unwrap_used, reason = "a script that cannot be run has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tidy::root;

/// As `make up` does it: reads the owner's address, and writes the settings for where it is to listen.
const WRITE_SETTINGS: &str = "set -euo pipefail
umask 022
. \"$SCRIPTS/terminal.sh\"
. \"$SCRIPTS/database-url.sh\"
. \"$SCRIPTS/database.sh\"
USES_PRIVATE=
read_database_url
write_settings \"$LISTEN\" password >&2";

/// An empty folder of this name.
fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes the settings into the folder, and returns `.env`.
fn write_settings(folder: &Path, database_url: &str, listen: &str) -> String {
    let output = Command::new("bash")
        .args(["-c", WRITE_SETTINGS])
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .env("SCRIPTS", root().join("scripts"))
        .env("DATABASE_URL", database_url)
        .env("LISTEN", listen)
        .output()
        .unwrap();
    assert!(output.status.success(), "{database_url}: {}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(folder.join(".env")).unwrap()
}

#[test]
fn the_connection_is_encrypted_unless_it_stays_on_this_machine_or_the_owner_says_so() {
    let folder = empty_folder("tls");
    for (host, query, tls) in [
        ("db.example", "", "require"),
        ("db.example", "?sslmode=prefer", "require"),
        ("db.example", "?sslrootcert=sslmode%3Ddisable", "require"),
        ("db.example", "?sslmode=require", "require"),
        ("db.example", "?sslmode=verify-ca", "require"),
        ("db.example", "?sslrootcert=/ca&sslmode=verify-full", "require"),
        ("10.0.0.7:6432", "", "require"),
        ("127.0.0.1.example", "", "require"),
        ("localhost.example", "?sslmode=prefer", "require"),
        ("127.0.0.1:5433", "", "disable"),
        ("localhost", "?sslmode=prefer", "disable"),
        ("127.0.0.1", "?sslmode=require", "require"),
        ("db.example", "?sslmode=disable", "disable"),
        ("db.example", "?sslrootcert=/ca&sslmode=disable", "disable"),
    ] {
        let url = format!("postgres://owner:secret@{host}/identity{query}");
        fs::remove_file(folder.join(".env")).ok();
        let settings = write_settings(&folder, &url, "127.0.0.1:3000");
        let dsn = settings.lines().find(|line| line.starts_with("SPIN_VARIABLE_PG_DSN=")).unwrap();
        assert_eq!(dsn.matches("sslmode=").count(), 1, "{url}: {dsn}");
        assert!(dsn.contains(&format!("/identity?sslmode={tls}&")), "{url}: {dsn}");
    }
}

#[test]
fn only_its_owner_can_read_the_file_of_keys_whether_a_line_is_new_or_replaced() {
    let folder = empty_folder("mode");
    let file = folder.join(".env");
    let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    let url = |port| format!("postgres://owner:secret@127.0.0.1:{port}/identity");

    let first = write_settings(&folder, &url(5432), "127.0.0.1:3000");
    assert!(first.contains("SPIN_VARIABLE_SEALING_KEYS='k1:"), "the keys are in it");
    assert_eq!(mode(), 0o600, "a new file");
    let second = write_settings(&folder, &url(5433), "127.0.0.1:3001");
    assert!(
        second.contains("SPIN_VARIABLE_PG_PORT='5433'") && !second.contains("5432"),
        "lines are replaced"
    );
    assert_eq!(mode(), 0o600, "lines replaced");
    // Somebody wrote it by hand, with the usual mode.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    write_settings(&folder, &url(5434), "127.0.0.1:3002");
    assert_eq!(mode(), 0o600, "a file that others could read");
    let left = fs::read_dir(folder.join(".run")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().eq(["public-url"]), "no copy of it is left behind");
}
