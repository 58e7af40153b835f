//! Where things are: the workspace, what it built, and PostgreSQL's own tools. Environment variables win, so that the
//! same tests can run against binaries built elsewhere.

use std::env;
use std::path::{Path, PathBuf};

/// The root of the workspace, two folders above this crate.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate stands two folders below the root").to_path_buf()
}

/// The host that runs the components: `COFRAP_HOST`, or what `cargo build -p host` made.
#[must_use]
pub fn host_binary() -> PathBuf {
    binary("COFRAP_HOST", "host")
}

/// The owner's tool, which migrates: `COFRAP_OPS`, or what `cargo build -p identity-ops` made.
#[must_use]
pub fn ops_binary() -> PathBuf {
    binary("COFRAP_OPS", "identity-ops")
}

/// The built component of this name.
#[must_use]
pub fn component(name: &str) -> PathBuf {
    existing(root().join("target/components").join(format!("{name}.wasm")))
}

/// One of PostgreSQL's client programs: the newest of this machine, because an older one refuses a newer server. They are in the
/// folders that `PGTOOLS_<major>` names and beside the installed servers, else in `PATH`.
#[must_use]
pub fn postgresql_program(name: &str) -> PathBuf {
    let named = env::vars_os().filter_map(|(variable, folder)| {
        Some((variable.to_str()?.strip_prefix("PGTOOLS_")?.parse::<u32>().ok()?, PathBuf::from(folder)))
    });
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = installed.filter_map(|entry| {
        Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
    });
    named
        .chain(installed)
        .map(|(major, folder)| (major, folder.join(name)))
        .filter(|(_, program)| program.exists())
        .max_by_key(|(major, _)| *major)
        .map_or_else(|| name.into(), |(_, program)| program)
}

/// The owner's URL of the test PostgreSQL's maintenance database.
#[must_use]
pub fn maintenance_url() -> String {
    env::var("TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!(
            "TEST_DATABASE_URL is not set. Run `make test`, which starts a PostgreSQL for the tests and sets it, or start \
             one with the script that `make test` uses and set it to an owner's URL of its maintenance database."
        )
    })
}

fn binary(variable: &str, name: &str) -> PathBuf {
    existing(env::var_os(variable).map_or_else(|| root().join("target/debug").join(name), PathBuf::from))
}

fn existing(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "{} does not exist. Run `make test`, which builds it.", path.display());
    path
}
