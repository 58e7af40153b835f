//! A PostgreSQL of a test's own, its databases, and the tool on them.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use postgres::{Client, NoTls};

/// The application's, unless a test names another.
pub(crate) const PASSWORD: &str = "first'password $1 %s";
/// Of an owner who is no superuser.
pub(crate) const OWNER_PASSWORD: &str = "modest-password";

/// A private PostgreSQL, stopped when it is dropped; as a database, its maintenance one, which a superuser owns.
pub(crate) struct Server {
    folder: PathBuf,
    pub(crate) log: PathBuf,
    database: Database,
}

/// A database, its owner's URL and a superuser's. (They are the same where the owner is one.)
pub(crate) struct Database {
    pub(crate) url: String,
    superuser_url: String,
    /// The owner's name, as SQL writes it.
    pub(crate) owner: String,
    /// Whom `migrate` gives the schema to.
    pub(crate) schema_owner: String,
}

impl Server {
    pub(crate) fn start(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("owners-tool-{name}"));
        // One that a killed test left running holds that test's state.
        script("stop", &folder, &[]);
        let said = script("start", &folder, &["--for-tests"]);
        let (_, log) = said.rsplit_once("its log is ").expect("the script names the log");
        let url = script("url", &folder, &[]).trim().to_owned();
        Self { log: PathBuf::from(log.trim()), folder, database: Database::of_a_superuser(url) }
    }

    /// A new database of the server's superuser.
    pub(crate) fn database(&self, name: &str) -> Database {
        self.superuser().batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        Database::of_a_superuser(self.url_of("owner", name))
    }

    /// A new database of a role that is no superuser, as on a managed server: it may make roles, and owns the database.
    pub(crate) fn modest_database(&self, name: &str) -> Database {
        let mut superuser = self.superuser();
        superuser
            .batch_execute(&format!("CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{OWNER_PASSWORD}'"))
            .unwrap();
        superuser.batch_execute(&format!("CREATE DATABASE {name} OWNER {name}")).unwrap();
        self.database_of(name, name)
    }

    /// A database of each kind of owner.
    pub(crate) fn both(&self) -> [Database; 2] {
        // In this order: from PostgreSQL 16 on, who may make roles may change those that they made, and no others.
        let modest = self.modest_database("modest");
        succeeds(&modest.ops("role"));
        [self.database("grand"), modest]
    }

    /// A database that is there, as a role with `OWNER_PASSWORD` uses it, whatever signs are in the names.
    pub(crate) fn database_of(&self, role: &str, database: &str) -> Database {
        let encoded = |name: &str| utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
        Database {
            url: self.url_of(&encoded(role), &encoded(database)),
            superuser_url: self.url_of("owner", &encoded(database)),
            owner: role.to_owned(),
            schema_owner: role.to_owned(),
        }
    }

    /// Stops it and starts it again with what it holds.
    pub(crate) fn restart(&self) {
        script("stop", &self.folder, &[]);
        script("start", &self.folder, &[]);
    }

    pub(crate) fn url_of(&self, user: &str, database: &str) -> String {
        let (server, _) = self.url.rsplit_once('/').unwrap();
        let (_, address) = server.rsplit_once('@').unwrap();
        if user == "owner" {
            format!("{server}/{database}")
        } else {
            format!("postgres://{user}:{OWNER_PASSWORD}@{address}/{database}")
        }
    }
}

impl Deref for Server {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        script("stop", &self.folder, &[]);
        fs::remove_dir_all(&self.folder).ok();
    }
}

impl Database {
    fn of_a_superuser(url: String) -> Self {
        Self {
            superuser_url: url.clone(),
            url,
            owner: "owner".to_owned(),
            schema_owner: "cofrap_owner".to_owned(),
        }
    }

    /// The same one, whose superuser goes on where the server is.
    pub(crate) fn with_url(&self, url: String) -> Self {
        Self {
            url,
            superuser_url: self.superuser_url.clone(),
            owner: self.owner.clone(),
            schema_owner: self.schema_owner.clone(),
        }
    }

    pub(crate) fn owner(&self) -> Client {
        Client::connect(&self.url, NoTls).unwrap()
    }

    pub(crate) fn superuser(&self) -> Client {
        Client::connect(&self.superuser_url, NoTls).unwrap()
    }

    pub(crate) fn application(&self, password: &str) -> Result<Client, postgres::Error> {
        let mut config: postgres::Config = self.url.parse().unwrap();
        config.user("cofrap_app").password(password).connect(NoTls)
    }

    /// One text of the database, as a superuser sees it.
    pub(crate) fn text(&self, query: &str) -> String {
        let text: Option<String> =
            self.superuser().query_one(&format!("SELECT ({query})::text"), &[]).unwrap().get(0);
        text.unwrap_or_default()
    }

    pub(crate) fn ops(&self, command: &str) -> Output {
        self.ops_with(command, PASSWORD)
    }

    pub(crate) fn ops_with(&self, command: &str, password: &str) -> Output {
        ops(command, &self.url, password)
    }

    /// `role`, then `migrate`, and what `migrate` said.
    pub(crate) fn migrated(&self) -> String {
        succeeds(&self.ops("role"));
        succeeds(&self.ops("migrate"))
    }

    /// Everything that is no system's: what it is, whose, and the transaction that last wrote it.
    pub(crate) fn objects(&self) -> String {
        self.text(
            "SELECT string_agg(concat_ws(' ', kind, nspname, name, pg_get_userbyid(owner), written), chr(10)
                ORDER BY kind, nspname, name)
             FROM (
                SELECT 'relation', relnamespace, relname, relowner, pg_class.xmin::text FROM pg_class
                UNION ALL SELECT 'function', pronamespace, proname, proowner, pg_proc.xmin::text FROM pg_proc
                UNION ALL SELECT 'schema', oid, nspname, nspowner, pg_namespace.xmin::text FROM pg_namespace
             ) AS objects (kind, namespace, name, owner, written)
             JOIN pg_namespace ON pg_namespace.oid = namespace
             WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'",
        )
    }
}

fn script(command: &str, folder: &Path, more: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres");
    let output = Command::new(script).arg(command).arg(folder).args(more).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    text(&output)
}

/// The tool with the environment of a job: these two variables and nothing else.
pub(crate) fn ops(command: &str, url: &str, password: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_identity-ops"))
        .args(command.split(' '))
        .env_clear()
        .env("DATABASE_URL", url)
        .env("APPLICATION_PASSWORD", password)
        .output()
        .unwrap()
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
pub(crate) fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(output));
    text(output)
}

#[track_caller]
pub(crate) fn fails(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", text(output));
    text(output)
}
