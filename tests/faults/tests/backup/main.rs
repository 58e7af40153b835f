//! What the scripts that back up and restore do when something is in the way, and which backups they keep.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "A test that cannot go on has failed.")]

mod clients;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::{env, fs};

use faults::backup::{backup, backups, only_backup, refuses, restore, succeeds};
use faults::population;
use harness::database::APPLICATION_PASSWORD;
use harness::{TestDatabase, earlier_release, workspace};

fn empty_folder(name: &str) -> PathBuf {
    faults::backup::empty_folder(&Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("backup-{name}")))
}

const DAY: u32 = 24 * 60;

/// A file that was last written so many minutes ago.
fn add_file(folder: &Path, name: &str, minutes: u32) {
    let written = format!("{minutes} minutes ago");
    let status = Command::new("touch").args(["-d", &written]).arg(folder.join(name)).status().unwrap();
    assert!(status.success());
}

/// The names of all files in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// An empty database with the application's role, as a restore wants it.
fn empty_database() -> TestDatabase {
    // Roles belong to the server, and PostgreSQL refuses two who change one: first the template's, then one at a time.
    static TURN: LazyLock<Mutex<()>> = LazyLock::new(|| {
        drop(TestDatabase::fresh());
        Mutex::default()
    });
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let database = TestDatabase::empty_on(&workspace::maintenance_url());
    let role = database.ops(&["role"]).env("APPLICATION_PASSWORD", APPLICATION_PASSWORD).status().unwrap();
    assert!(role.success());
    database
}

fn objects(database: &TestDatabase) -> i64 {
    let count = "WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'identity'))
        SELECT (SELECT count(*) FROM pg_class JOIN ours ON ours.oid = relnamespace)
            + (SELECT count(*) FROM pg_proc JOIN ours ON ours.oid = pronamespace)";
    database.owner().query_one(count, &[]).unwrap().get(0)
}

/// The schema of everything of the service, and whose it is.
fn homes(database: &TestDatabase) -> String {
    let homes = "SELECT coalesce(string_agg(DISTINCT concat_ws(' ', nspname, pg_get_userbyid(owner)), ', '), '') FROM (
            SELECT relnamespace, relowner FROM pg_class
            UNION ALL SELECT pronamespace, proowner FROM pg_proc
            UNION ALL SELECT oid, nspowner FROM pg_namespace WHERE nspname = 'identity'
        ) AS objects (namespace, owner)
        JOIN pg_namespace ON pg_namespace.oid = namespace WHERE nspname IN ('public', 'identity')";
    database.owner().query_one(homes, &[]).unwrap().get(0)
}

#[test]
fn a_backup_is_the_owners_alone_and_those_of_seven_days_are_kept() {
    let (database, folder) = (TestDatabase::fresh(), empty_folder("seven-days"));
    let (young, old) = ("identity-20260101T000001Z.dump", "identity-20260101T000000Z.dump");
    add_file(&folder, young, 7 * DAY - 10);
    add_file(&folder, old, 7 * DAY + 10);
    add_file(&folder, "identity-of-another-kind.dump", 30 * DAY);
    add_file(&folder, "notes.txt", 30 * DAY);
    add_file(&folder, ".identity-killed.partial", 2 * DAY);
    add_file(&folder, ".identity-at-work.partial", 60);
    let said = succeeds(&mut backup(&database.owner_url(), &folder));
    assert!(said.contains(&format!("{old}, which is older than 7 days")), "{said}");

    let left = names(&folder);
    let new =
        left.iter().find(|name| name.ends_with("Z.dump") && *name != young).expect("there is a new one");
    assert_eq!(left, [".identity-at-work.partial", young, new, "identity-of-another-kind.dump", "notes.txt"]);
    let mode = fs::metadata(folder.join(new)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(said.contains(&format!("{new} is whole: ")), "{said}");
}

#[test]
fn how_many_days_are_kept_is_a_setting_that_never_removes_everything() {
    let (database, folder) = (TestDatabase::fresh(), empty_folder("setting"));
    let old = "identity-20260101T000000Z.dump";
    add_file(&folder, old, 30 * 60);
    for nonsense in ["0", "-1", "7d", "all"] {
        let said = refuses(backup(&database.owner_url(), &folder).env("KEEP_DAYS", nonsense));
        assert!(said.contains("KEEP_DAYS has to be a number of days"), "{said}");
    }
    assert_eq!(names(&folder), [old]);
    succeeds(backup(&database.owner_url(), &folder).env("KEEP_DAYS", "2"));
    assert_eq!(backups(&folder).len(), 2);
    succeeds(backup(&database.owner_url(), &folder).env("KEEP_DAYS", "1"));
    assert!(!names(&folder).contains(&old.to_owned()));
    assert!(!backups(&folder).is_empty());
}

#[test]
fn a_backup_that_fails_removes_nothing_and_leaves_nothing_half() {
    let (database, folder) = (TestDatabase::fresh(), empty_folder("fails"));
    let old = "identity-20260101T000000Z.dump";
    add_file(&folder, old, 30 * DAY);
    let url = database.owner_url();
    let nobody = url.replace("owner:", "owner:not-");
    let another = TestDatabase::empty_on(&workspace::maintenance_url());
    // A disk that is full is a file that may grow no more.
    let mut full = Command::new("bash");
    let script = workspace::root().join("scripts/backup");
    full.args(["-c", "ulimit -c 0 -f 8; exec \"$@\"", "-"])
        .arg(script)
        .arg(&folder)
        .env("DATABASE_URL", &url);
    for (mut command, reason) in [
        (backup(&nobody, &folder), "cannot be used"),
        (backup("postgres://owner@127.0.0.1:1/identity", &folder), "cannot be used"),
        (backup("", &folder), "DATABASE_URL is not set"),
        (backup(&another.owner_url(), &folder), "no whole backup of the service's database"),
        (backup(&url, &folder.join("nowhere")), "no folder"),
        (full, "nothing was removed"),
    ] {
        let said = refuses(&mut command);
        assert!(said.contains(reason), "{said}");
        assert!(!said.contains("not-"), "the password is in {said}");
        assert_eq!(names(&folder), [old], "{reason}");
    }
}

#[test]
fn a_restore_is_into_an_empty_database_with_the_role_or_not_at_all() {
    let (database, folder) = (TestDatabase::fresh(), empty_folder("empty"));
    succeeds(&mut backup(&database.owner_url(), &folder));
    let file = only_backup(&folder);
    let before = objects(&database);
    let said = refuses(&mut restore(&database.owner_url(), &file));
    assert!(said.contains("the database is not empty"), "{said}");
    assert_eq!(objects(&database), before);

    let without_role = TestDatabase::empty_on(&workspace::maintenance_url());
    let said = refuses(&mut restore(&without_role.owner_url(), &file));
    assert!(said.contains("run `identity-ops role` on this database first"), "{said}");
    assert_eq!(objects(&without_role), 0);

    let ready = empty_database();
    let said = succeeds(&mut restore(&ready.owner_url(), &file));
    assert!(said.contains("ended: 0 sessions") && said.contains("0 accounts are back"), "{said}");
    assert_eq!(objects(&ready), before);
    refuses(&mut restore(&ready.owner_url(), &file));

    let with_the_schema_only = empty_database();
    with_the_schema_only.owner().batch_execute("CREATE SCHEMA identity").unwrap();
    let said = refuses(&mut restore(&with_the_schema_only.owner_url(), &file));
    assert!(said.contains("the database is not empty"), "{said}");
}

/// Functions do what their owner may, and who restores may do everything.
#[test]
fn what_a_superuser_restores_belongs_to_a_role_that_is_none() {
    let (database, folder) = (TestDatabase::fresh(), empty_folder("superuser"));
    succeeds(&mut backup(&database.owner_url(), &folder));
    let ready = empty_database();
    let without_the_owner = format!("REVOKE CREATE ON DATABASE {} FROM cofrap_owner", ready.name());
    ready.owner().batch_execute(&without_the_owner).unwrap();
    let said = refuses(&mut restore(&ready.owner_url(), &only_backup(&folder)));
    assert!(said.contains("run `identity-ops role` on this database first"), "{said}");

    let ready = empty_database();
    succeeds(&mut restore(&ready.owner_url(), &only_backup(&folder)));
    assert_eq!(homes(&ready), "identity cofrap_owner");
    assert_eq!(homes(&database), "identity cofrap_owner");
    let may = "SELECT has_schema_privilege('cofrap_owner', 'public', 'CREATE')";
    assert!(!ready.owner().query_one(may, &[]).unwrap().get::<_, bool>(0));
    let said = succeeds(&mut ready.ops(&["migrate"]));
    assert!(said.contains("nothing to apply") && !said.contains("mended"), "{said}");
}

#[test]
fn a_backup_of_a_release_before_the_schema_is_restored_and_closed_and_migrate_moves_it() {
    let (before, folder) = (empty_database(), empty_folder("earlier-release"));
    let mut owner = before.owner();
    owner.batch_execute("RESET search_path").unwrap();
    earlier_release::install(&mut owner);
    earlier_release::add_people(&mut owner, "public");
    succeeds(&mut backup(&before.owner_url(), &folder));

    let restored = empty_database();
    let said = succeeds(&mut restore(&restored.owner_url(), &only_backup(&folder)));
    for line in ["1 sessions", "1 renewal tokens", "1 pending accounts", "1 accounts are back"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(homes(&restored), "public cofrap_owner");
    // Where nothing was restored, everything was the connected superuser's.
    for (database, gives) in [(&restored, false), (&before, true)] {
        let said = succeeds(&mut database.ops(&["migrate"]));
        assert!(said.contains("moved the tables of the schema public into the schema identity"), "{said}");
        assert_eq!(said.contains("gave cofrap_owner what was another's"), gives, "{said}");
        assert_eq!(homes(database), "identity cofrap_owner");
    }
    assert_eq!(population::open(&restored), 0);
    assert_eq!(kept_of_then(&restored), kept_of_then(&before));
}

/// Without the functions, which each `migrate` notes with its own time, and the migrations that it applied.
fn kept_of_then(database: &TestDatabase) -> String {
    let forget = "DELETE FROM release_function; DELETE FROM _sqlx_migrations WHERE version > 4";
    database.owner().batch_execute(forget).unwrap();
    population::kept(database)
}

#[test]
fn a_backup_that_is_cut_short_or_damaged_restores_nothing() {
    let (database, folder) = (TestDatabase::fresh(), empty_folder("damaged"));
    settled(&database);
    succeeds(&mut backup(&database.owner_url(), &folder));
    let file = only_backup(&folder);
    let whole = fs::read(&file).unwrap();
    let empty = empty_database();
    let damaged = folder.join("damaged");
    // Its list stands at the beginning; what is cut off or changed here is data.
    for kept in [whole.len() / 2, whole.len() - 200, whole.len() - 1, 100, 0] {
        fs::write(&damaged, &whole[..kept]).unwrap();
        refuses(&mut restore(&empty.owner_url(), &damaged));
        assert_eq!(objects(&empty), 0, "of the first {kept} bytes");
    }
    let mut changed = whole.clone();
    let middle = whole.len() / 2;
    changed[middle..middle + 8].fill(0);
    fs::write(&damaged, &changed).unwrap();
    refuses(&mut restore(&empty.owner_url(), &damaged));
    fs::write(&damaged, "--\n-- PostgreSQL database dump\n--\n").unwrap();
    let said = refuses(&mut restore(&empty.owner_url(), &damaged));
    assert!(said.contains("is no backup"), "{said}");
    assert_eq!(objects(&empty), 0);

    succeeds(&mut restore(&empty.owner_url(), &file));
    assert_eq!(population::kept(&empty), population::kept(&database));
}

/// Rows enough to be compressed in several blocks.
fn settled(database: &TestDatabase) {
    database.owner().batch_execute(MODEL).unwrap();
    population::settle(database, 200);
}

/// A live credential, to be copied.
const MODEL: &str = "
WITH ids AS (SELECT gen_random_uuid() AS account_id, gen_random_uuid() AS credential_id),
account AS (
    INSERT INTO account (id, username, state, credential_id) SELECT account_id, 'model', 'active', credential_id FROM ids)
INSERT INTO credential (id, account_id, live, reveal_hash, reveal_expires_at, revealed_at, verifier, verifier_algorithm,
    totp_secret, last_step, expires_at)
SELECT credential_id, account_id, true, sha256('reveal'), now(), now(), sha256('verifier'), 1, sha256('secret'), 1, now()
FROM ids";
