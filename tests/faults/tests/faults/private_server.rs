//! The private PostgreSQL of a checkout, as `scripts/postgres` keeps it, when the programs that made it are gone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use faults::Server;
use faults::backup::{refuses, succeeds};
use harness::workspace;
use postgres::{Client, NoTls};

const NAME: &str = "other-major";

fn folder() -> PathBuf {
    workspace::root().join(".run/faults").join(NAME)
}

fn script(command: &str, folder: &Path) -> Command {
    let mut script = Command::new(workspace::root().join("scripts/postgres"));
    script.arg(command).arg(folder);
    script
}

/// A system's new release brings another major version, which cannot read what is there.
#[test]
fn a_cluster_of_a_major_that_is_not_here_is_left_alone_with_the_ways_on_named_and_can_be_deleted() {
    let server = Server::start(NAME);
    let mut owner = Client::connect(server.url(), NoTls).unwrap();
    owner.batch_execute("CREATE TABLE kept ()").unwrap();
    let data: PathBuf = owner.query_one("SHOW data_directory", &[]).unwrap().get::<_, String>(0).into();
    let version = data.join("PG_VERSION");
    let here = fs::read_to_string(&version).unwrap();
    let is_of = |major: u32| fs::write(&version, format!("{major}\n")).unwrap();

    is_of(99);
    server.stop();
    let (here, folder) = (here.trim().parse::<u32>().unwrap(), folder());
    let reset = format!("scripts/postgres reset .run/faults/{NAME}");
    // Nothing is restored into an older one.
    for (major, can_go_over) in [(99, false), (here - 1, true)] {
        is_of(major);
        let said = refuses(&mut script("start", &folder));
        let ways = [
            format!("was made by PostgreSQL {major}."),
            format!("Debian calls it postgresql-{major};"),
            "POSTGRES_BIN=FOLDER".to_owned(),
            format!("or give up all that it holds: {reset}"),
        ];
        for way in ways {
            assert!(said.contains(&way), "{way}: {said}");
        }
        let go_over =
            format!("{reset} && scripts/postgres start .run/faults/{NAME} && make restore FILE=...");
        assert_eq!(said.contains(&go_over), can_go_over, "{said}");
        let (_, others) = said.split_once("Servers that are here: ").unwrap();
        assert!(others.lines().next().unwrap().contains(&here.to_string()), "{said}");
    }

    is_of(here);
    server.start_again();
    Client::connect(server.url(), NoTls).unwrap().batch_execute("SELECT FROM kept").unwrap();

    is_of(99);
    succeeds(&mut script("reset", &folder));
    assert!(!data.exists() && !folder.exists());
    succeeds(&mut script("start", &folder));
}

#[test]
fn a_folder_of_programs_that_has_none_is_refused_by_its_name() {
    let folder = workspace::root().join(".run/faults/no-programs");
    let said = refuses(script("start", &folder).env("POSTGRES_BIN", "/nowhere"));
    assert!(said.contains("POSTGRES_BIN names /nowhere"), "{said}");
    succeeds(&mut script("reset", &folder));
}
