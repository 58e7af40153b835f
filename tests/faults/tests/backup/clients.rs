//! Which client programs the scripts take, and what they refuse before anything begins because of versions or roles.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use faults::backup::{
    Clients, backup, check, installed_clients, only_backup, refuses, restore, succeeds, with_connection_sh,
};
use faults::population;
use harness::TestDatabase;
use harness::at_rest::said;

use super::{empty_database, empty_folder, objects, settled};

/// What a pg_dump writes that is newer than any there is.
const OF_TOMORROW: &str = "98";

fn server_major(database: &TestDatabase) -> u32 {
    let version = "SELECT current_setting('server_version_num')::integer / 10000";
    database.owner().query_one(version, &[]).unwrap().get::<_, i32>(0).unsigned_abs()
}

/// The clients that the scripts would take of those that are there.
fn fitting(database: &TestDatabase) -> Clients {
    let major = server_major(database);
    installed_clients()
        .into_iter()
        .find(|clients| clients.major >= major)
        .expect("there are clients for this server")
}

/// A folder with links to the three programs.
fn links(name: &str, clients: &Clients) -> PathBuf {
    let folder = empty_folder(name);
    for program in ["pg_dump", "pg_restore", "psql"] {
        symlink(clients.folder.join(program), folder.join(program)).unwrap();
    }
    folder
}

#[test]
fn the_oldest_clients_are_taken_that_are_no_older_than_the_server_and_the_pg_dump_of_a_file() {
    for (here, server, written_by, taken) in [
        ("15 16 18", "15", "15", Ok("15")),
        ("15 16 18", "16", "15", Ok("16")),
        ("15 16 18", "17", "17", Ok("18")),
        ("15 16 18", "18", "15", Ok("18")),
        ("15 16 18", "15", "16", Ok("16")),
        ("15 16 18", "16", "17", Ok("18")),
        ("18", "15", "15", Ok("18")),
        ("9 15", "15", "15", Ok("15")),
        (
            "15 16",
            "17",
            "16",
            Err(
                "PostgreSQL 17 serves: that needs client programs of 17 or newer. Debian calls them postgresql-client-17",
            ),
        ),
        ("15", "16", "15", Err("Here are: 15 /of/15")),
        (
            "15 16",
            "15",
            "18",
            Err(
                "pg_dump 18 wrote the file: that needs client programs of 18 or newer. Debian calls them postgresql-client-18",
            ),
        ),
        ("15 16", "15", "18", Err("Here are: 15 /of/15, 16 /of/16")),
    ] {
        let clients: Vec<String> = here.split(' ').map(|major| format!("'{major} /of/{major}'")).collect();
        let lines = format!(
            "CLIENTS=({}) SERVER_MAJOR={server}; choose_clients {written_by}; echo \"${{PATH%%:*}}\"",
            clients.join(" ")
        );
        let case = format!("{here} for a server {server} and a file of pg_dump {written_by}");
        match taken {
            Ok(major) => {
                let said = succeeds(&mut with_connection_sh(&lines));
                assert!(
                    said.ends_with(&format!(
                        "with the client programs of {major} in /of/{major}\n/of/{major}\n"
                    )),
                    "{case}: {said}"
                );
            }
            Err(reason) => {
                let said = refuses(&mut with_connection_sh(&lines));
                assert!(said.contains(reason), "{case}: {said}");
            }
        }
    }
}

#[test]
fn of_one_major_those_of_pgtools_come_first_then_those_of_path_then_the_systems() {
    let database = TestDatabase::fresh();
    let clients = fitting(&database);
    let (pgtools, path) = (links("pgtools", &clients), links("path", &clients));
    let with_bin = empty_folder("pgtools-with-bin");
    symlink(&pgtools, with_bin.join("bin")).unwrap();
    let without_psql = links("pgtools-without-psql", &clients);
    fs::remove_file(without_psql.join("psql")).unwrap();
    let variable = format!("PGTOOLS_{}", clients.major);
    let path_first = format!("{}:{}", path.display(), env::var("PATH").unwrap());
    let taken = |command: &mut Command, folder: &Path| {
        let said = succeeds(command);
        let line = format!("with the client programs of {} in {}\n", clients.major, folder.display());
        assert!(said.contains(&line), "{}: {said}", folder.display());
    };
    let ask = || check(&database.owner_url());
    taken(&mut ask(), &clients.folder);
    taken(ask().env("PATH", &path_first).env(&variable, &pgtools), &pgtools);
    taken(ask().env("PATH", &path_first).env(&variable, &with_bin), &with_bin.join("bin"));
    if env::var_os(&variable).is_none() {
        taken(ask().env("PATH", &path_first), &path);
    }
    taken(ask().env("PATH", &path_first).env(&variable, &without_psql), &path);
}

#[test]
fn a_look_before_a_migration_says_which_clients_are_taken_and_refuses_as_a_backup_would() {
    let database = TestDatabase::fresh();
    let said = succeeds(&mut check(&database.owner_url()));
    assert!(
        said.contains(&format!("PostgreSQL {}, with the client programs of ", server_major(&database))),
        "{said}"
    );
    let said = refuses(&mut check("postgres://owner@127.0.0.1:1/identity"));
    assert!(said.contains("cannot be used"), "{said}");
    let without_programs = empty_folder("no-programs");
    let lines = "installed_clients() { :; }; use_owner_connection";
    let said = refuses(
        with_connection_sh(lines).env("DATABASE_URL", database.owner_url()).current_dir(&without_programs),
    );
    assert!(said.contains("Debian calls them: postgresql-client"), "{said}");
}

/// Each pg_dump writes a form of its own, and each pg_restore sets what older servers may not know.
#[test]
fn what_every_pg_dump_that_is_here_writes_is_restored() {
    let database = TestDatabase::fresh();
    settled(&database);
    let kept = population::kept(&database);
    let mut majors = Vec::new();
    for clients in installed_clients() {
        if clients.major < server_major(&database) || majors.contains(&clients.major) {
            continue;
        }
        majors.push(clients.major);
        let file = empty_folder("every-pg-dump").join("identity.dump");
        let mut pg_dump = Command::new(clients.folder.join("pg_dump"));
        pg_dump.arg(format!("--dbname={}", database.owner_url())).args(["--no-blobs", "--format=custom"]);
        let output = pg_dump.arg("--file").arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let empty = empty_database();
        let said = succeeds(&mut restore(&empty.owner_url(), &file));
        assert!(said.contains(&format!("with the client programs of {} in", clients.major)), "{said}");
        assert_eq!(population::kept(&empty), kept, "written and restored by {}", clients.major);
    }
    assert!(!majors.is_empty());
}

/// pg_restore 17 sets it, whatever the server is.
#[test]
fn a_setting_that_only_newer_servers_know_stops_no_restore() {
    let (database, folder) = (TestDatabase::fresh(), empty_folder("newer-setting"));
    settled(&database);
    succeeds(&mut backup(&database.owner_url(), &folder));
    let clients = fitting(&database);
    let newer = links("newer-setting-clients", &clients);
    let pg_restore = newer.join("pg_restore");
    fs::remove_file(&pg_restore).unwrap();
    let real = clients.folder.join("pg_restore");
    let setting = "/transaction_timeout/d; s/^SET client_encoding/SET transaction_timeout = 0;\\n&/";
    let script = format!("#!/bin/sh\nset -e\n'{}' \"$@\" | sed '{setting}'\n", real.display());
    fs::write(&pg_restore, script).unwrap();
    fs::set_permissions(&pg_restore, fs::Permissions::from_mode(0o755)).unwrap();
    let empty = empty_database();
    let variable = format!("PGTOOLS_{}", clients.major);
    let said = succeeds(restore(&empty.owner_url(), &only_backup(&folder)).env(&variable, &newer));
    assert!(said.contains(newer.to_str().unwrap()), "{said}");
    assert_eq!(population::kept(&empty), population::kept(&database));
}

#[test]
fn a_file_of_a_newer_server_or_a_newer_pg_dump_is_refused_with_what_it_is_and_what_it_needs() {
    let (database, folder) = (TestDatabase::fresh(), empty_folder("newer-file"));
    succeeds(&mut backup(&database.owner_url(), &folder));
    let whole = fs::read(only_backup(&folder)).unwrap();
    let empty = empty_database();
    let refused = |bytes: &[u8], reason: &str| {
        let file = folder.join("changed");
        fs::write(&file, bytes).unwrap();
        let said = refuses(&mut restore(&empty.owner_url(), &file));
        assert!(said.contains(reason), "{said}");
        assert_eq!(objects(&empty), 0, "{reason}");
    };
    let [server, pg_dump] = versions(&whole);
    let mut of_a_newer_server = whole.clone();
    of_a_newer_server[server..server + 2].copy_from_slice(OF_TOMORROW.as_bytes());
    refused(
        &of_a_newer_server,
        &format!("is of PostgreSQL {OF_TOMORROW}, and {} serves here", server_major(&database)),
    );
    let mut by_a_newer_pg_dump = whole.clone();
    by_a_newer_pg_dump[pg_dump..pg_dump + 2].copy_from_slice(OF_TOMORROW.as_bytes());
    refused(&by_a_newer_pg_dump, "pg_dump 98 wrote the file: that needs client programs of 98 or newer");
    // The form that no client of today reads, and whose head is as that of 1.15.
    let mut of_a_newer_form = by_a_newer_pg_dump.clone();
    if whole[6] < 15 {
        of_a_newer_form.drain(11..15);
    }
    of_a_newer_form[6] = 99;
    refused(&of_a_newer_form, "Debian calls them postgresql-client-98");
    refused(&whole[..60], "is no backup");
}

/// Where the versions of the server and of pg_dump stand in a dump: behind the database's name.
fn versions(dump: &[u8]) -> [usize; 2] {
    let length = |at: usize| usize::from(dump[at + 1]);
    let database = 11 + if dump[6] < 15 { 5 } else { 1 } + 7 * 5;
    let server = database + 5 + length(database);
    [server + 5, server + 5 + length(server) + 5]
}

#[test]
fn roles_that_a_new_cluster_lacks_are_named_all_at_once_before_anything_is_restored() {
    let (database, folder) = (TestDatabase::fresh(), empty_folder("roles"));
    let (plain, odd, keeper) = (
        format!("{}_monitor", database.name()),
        format!("{} TO \"Ops, Team\"", database.name()),
        format!("{}-keeper", database.name()),
    );
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let mut owner = database.owner();
    let roles =
        format!("CREATE ROLE {plain}; CREATE ROLE {}; CREATE ROLE {};", quoted(&odd), quoted(&keeper));
    owner.batch_execute(&roles).unwrap();
    let grants = format!(
        "GRANT USAGE ON SCHEMA identity TO {plain} WITH GRANT OPTION;
        GRANT SELECT (id, state) ON account TO {plain};
        GRANT SELECT ON event TO {odd};
        CREATE POLICY watch ON event FOR SELECT TO {keeper}, {plain} USING (true);
        ALTER DEFAULT PRIVILEGES IN SCHEMA identity GRANT SELECT ON TABLES TO {odd}",
        odd = quoted(&odd),
        keeper = quoted(&keeper),
    );
    owner.batch_execute(&grants).unwrap();
    succeeds(&mut backup(&database.owner_url(), &folder));
    let drop = format!(
        "DROP OWNED BY {plain}, {odd}, {keeper}; DROP ROLE {plain}, {odd}, {keeper}",
        odd = quoted(&odd),
        keeper = quoted(&keeper)
    );
    owner.batch_execute(&drop).unwrap();

    let empty = empty_database();
    let said = refuses(&mut restore(&empty.owner_url(), &only_backup(&folder)));
    assert_eq!(objects(&empty), 0);
    let (_, lines) = said.split_once("Make them first:\n").unwrap();
    let mut asked: Vec<&str> = lines.lines().map(str::trim).collect();
    asked.sort_unstable();
    let mut wanted = roles.split_inclusive(';').map(str::trim).collect::<Vec<_>>();
    wanted.sort_unstable();
    assert_eq!(asked, wanted);
    owner.batch_execute(lines).unwrap();
    succeeds(&mut restore(&empty.owner_url(), &only_backup(&folder)));
    let may = "SELECT has_column_privilege($1, 'identity.account', 'state', 'SELECT') AND has_table_privilege($2, 'identity.event', 'SELECT')";
    assert!(empty.owner().query_one(may, &[&plain, &odd]).unwrap().get::<_, bool>(0));
    empty.owner().batch_execute(&drop.replace("; DROP ROLE", "; --")).unwrap();
    owner.batch_execute(drop.split_once("; ").unwrap().1).unwrap();
}

/// As when the list of what it is to bring was not made: pg_restore then brings nothing, and succeeds.
#[test]
fn a_part_that_does_not_arrive_is_missed_even_if_pg_restore_succeeds() {
    let (database, folder) = (TestDatabase::fresh(), empty_folder("missing-part"));
    settled(&database);
    succeeds(&mut backup(&database.owner_url(), &folder));
    let (file, empty, clients) = (only_backup(&folder), empty_database(), fitting(&database));
    for part in ["pre-data", "data", "post-data"] {
        let tools = links("missing-part-tools", &clients);
        let program = tools.join("pg_restore");
        let brings_nothing = format!(
            "#!/bin/sh\ncase \" $* \" in *' --section={part} '*) exit 0 ;; esac\nexec '{}' \"$@\"\n",
            clients.folder.join("pg_restore").display()
        );
        fs::remove_file(&program).unwrap();
        fs::write(&program, brings_nothing).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        refuses(restore(&empty.owner_url(), &file).env(format!("PGTOOLS_{}", clients.major), &tools));
        assert_eq!(objects(&empty), 0, "without {part}");
    }
    succeeds(&mut restore(&empty.owner_url(), &file));
}
