//! The restore drill: a backup while people are on their way, and its restore into another PostgreSQL, with another owner,
//! by the scripts that an operator's jobs run. `make drill` does it in full size and says how long each part took.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "A test that cannot go on has failed.")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use faults::backup::{backup, only_backup, restore, succeeds};
use faults::{Server, is_full, population, traffic};
use harness::app::{Config, SEALING_KEYS};
use harness::at_rest::said;
use harness::authenticator::STEP_SECONDS;
use harness::database::APPLICATION_PASSWORD;
use harness::deadline::timed;
use harness::journey::{Account, Start};
use harness::shared::Running;
use harness::{TestDatabase, workspace};

/// How many people are on their way and how many of them at a time; how many accounts stand by in the measured database.
struct Size {
    people: usize,
    abreast: usize,
    accounts: i32,
}

const SLICE: Size = Size { people: 24, abreast: 6, accounts: 300 };
const FULL: Size = Size { people: 1_000, abreast: 16, accounts: 10_000 };

/// The slice, or the full size with as many accounts as `ACCOUNTS` says.
fn size() -> Size {
    if !is_full() {
        return SLICE;
    }
    let accounts = env::var("ACCOUNTS").ok().filter(|number| !number.is_empty());
    let accounts = accounts.map_or(FULL.accounts, |number| number.parse().expect("ACCOUNTS is a number"));
    Size { accounts, ..FULL }
}

#[test]
fn who_had_arrived_before_a_backup_under_load_logs_in_after_its_restore_elsewhere_and_nothing_is_open() {
    let (size, folder) = (size(), empty_folder("under-load"));
    let (here, elsewhere) = (Server::start("drill-here"), Server::start("drill-elsewhere"));
    let database = TestDatabase::on(here.url());
    let config = Config::over(&database);
    let running = Running::with(database, &config);
    let hands = Hands::of_people(&running);
    let mut arrived = 0;
    let ledger = traffic::crowd(&running, size.people, size.abreast, |progress| {
        progress.wait_for(size.people / 2);
        arrived = progress.activated();
        println!("{}", succeeds(&mut backup(&running.database.owner_url(), &folder)));
        progress.wait_for(arrived + size.people / 4);
    });
    assert_eq!(ledger.refused(), 0, "the backup held somebody up");
    hands.use_up(&running);

    let empty = TestDatabase::empty_on(elsewhere.url());
    let owner = NewOwner::of(&empty);
    owner.ops(&empty, "role");
    // The service may be there already: it sees nothing until it sees everything, with nothing open.
    let config = Config::over(&empty);
    let restored = Running::with(empty, &config);
    assert_eq!(restored.client.login("somebody", "wrong", "000000").status, 503);
    let moment = restored.database.now();
    println!("{}", succeeds(&mut restore(&owner.url, &only_backup(&folder))));

    hands.assert_nothing_open(&restored, moment);
    assert_eq!(population::open(&restored.database), 0, "something is open");
    owner.assert_owns_everything(&restored.database);
    assert_eq!(schema(&restored.database), schema(&running.database), "the schema, and who may do what");
    let migrated = owner.ops(&restored.database, "migrate");
    assert!(migrated.starts_with("nothing to apply"), "{migrated}");
    assert_eq!(migrated.lines().count(), 2, "a function was missing, or not as it should be: {migrated}");
    owner.ops(&restored.database, "reseal");
    let report = ledger.hold_against_restored(&restored, arrived);
    println!("\n{report}");
    report.assert_held();
    hands.assert_accounts_are_what_they_were(&restored);
    restored.database.assert_sound();
}

#[test]
fn what_is_restored_is_what_was_backed_up_to_the_last_row() {
    let (size, folder) = (size(), empty_folder("to-the-last-row"));
    let (here, elsewhere) = (Server::start("measured-here"), Server::start("measured-elsewhere"));
    let database = TestDatabase::on(here.url());
    let config = Config::over(&database);
    let running = Running::with(database, &config);
    let gone = running.account("gone");
    assert_eq!(running.delete(&gone).status, 204);
    let _model = running.account("model");
    population::settle(&running.database, size.accounts);
    // What only a superuser makes, and the new owner is none.
    let of_a_superuser =
        "CREATE EXTENSION pg_stat_statements SCHEMA public; CREATE PUBLICATION everything FOR ALL TABLES;
        ALTER DEFAULT PRIVILEGES FOR ROLE cofrap_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC";
    running.database.owner().batch_execute(of_a_superuser).unwrap();

    let (_, backing_up) = timed(|| succeeds(&mut backup(&running.database.owner_url(), &folder)));
    let file = only_backup(&folder);
    let empty = TestDatabase::empty_on(elsewhere.url());
    let owner = NewOwner::of(&empty);
    owner.ops(&empty, "role");
    let (_, restoring) = timed(|| succeeds(&mut restore(&owner.url, &file)));
    let restored = empty;
    println!(
        "\n  {} accounts with {} events each: backed up in {:.1} s into {} bytes, restored and closed in {:.1} s\n",
        size.accounts,
        population::EVENTS_OF_EACH,
        backing_up.as_secs_f32(),
        fs::metadata(&file).unwrap().len(),
        restoring.as_secs_f32(),
    );
    assert_eq!(population::kept(&restored), population::kept(&running.database));
}

fn empty_folder(name: &str) -> PathBuf {
    faults::backup::empty_folder(&Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("drill-{name}")))
}

/// All that a database is made of and who may do what with it, as SQL. (Without the random word that PostgreSQL's newer dumps
/// are wrapped in.)
fn schema(database: &TestDatabase) -> String {
    let mut pg_dump = Command::new(workspace::postgresql_program("pg_dump"));
    pg_dump.args(["--schema-only", "--no-owner"]).arg(format!("--dbname={}", database.owner_url()));
    let output = pg_dump.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| !line.contains("restrict "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// An owner who is no superuser, and whose name is not that of the owner before.
struct NewOwner {
    url: String,
}

impl NewOwner {
    /// Makes the role and gives it a database.
    fn of(database: &TestDatabase) -> Self {
        let name = database.name();
        let statements = format!(
            "CREATE ROLE keeper LOGIN CREATEROLE PASSWORD 'only/for:tests'; ALTER DATABASE {name} OWNER TO keeper"
        );
        database.owner().batch_execute(&statements).unwrap();
        let address = format!("{}:{}", database.host(), database.port());
        Self { url: format!("postgres://keeper:only%2Ffor%3Atests@{address}/{name}") }
    }

    /// Runs the owner's tool, which must succeed, and returns what it said.
    fn ops(&self, database: &TestDatabase, command: &str) -> String {
        let mut ops = database.ops(&command.split(' ').collect::<Vec<_>>());
        ops.env("DATABASE_URL", &self.url).env("APPLICATION_PASSWORD", APPLICATION_PASSWORD);
        let output = ops.env("SPIN_VARIABLE_SEALING_KEYS", SEALING_KEYS).output().unwrap();
        assert!(output.status.success(), "{command}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn assert_owns_everything(&self, database: &TestDatabase) {
        let others = "SELECT string_agg(name, ' ') FROM (
                SELECT relname AS name, relowner AS owner FROM pg_class WHERE relnamespace = 'identity'::regnamespace
                UNION ALL SELECT proname, proowner FROM pg_proc WHERE pronamespace = 'identity'::regnamespace
                UNION ALL SELECT nspname, nspowner FROM pg_namespace WHERE nspname = 'identity') AS objects
            WHERE owner <> (SELECT datdba FROM pg_database WHERE datname = current_database())";
        let others: Option<String> = database.owner().query_one(others, &[]).unwrap().get(0);
        assert_eq!(others, None, "belongs to somebody else");
    }
}

/// What people had in their hands when the backup was made.
struct Hands {
    signed_in: Account,
    with_a_code: Start,
    on_the_way: Start,
    renewing: Start,
    about_to_renew: (Account, String),
    suspended: Account,
    gone: Account,
}

impl Hands {
    fn of_people(running: &Running) -> Self {
        let [signed_in, renewing, about_to_renew, suspended, gone] =
            ["signed-in", "renewing", "about-to-renew", "suspended", "gone"]
                .map(|name| running.account(name));
        running.database.time_travel().suspend(&suspended.username);
        assert_eq!(running.delete(&gone).status, 204);
        let on_the_way = running.client.start("on-the-way");
        let _password = running.client.password(&on_the_way.reveal);
        let _phone = running.client.enrolled(&on_the_way.enrollment);
        let token = running.renewal_token(&renewing);
        let renewing = running.client.start_with(&renewing.username, &token);
        let token = running.renewal_token(&about_to_renew);
        let with_a_code = running.client.start("with-a-code");
        Self {
            signed_in,
            with_a_code,
            on_the_way,
            renewing,
            about_to_renew: (about_to_renew, token),
            suspended,
            gone,
        }
    }

    /// After the backup, it all is still good, and what can be used once is used.
    fn use_up(&self, running: &Running) {
        let client = &running.client;
        assert_eq!(client.session(&self.signed_in.session).status, 200);
        for start in [&self.with_a_code, &self.on_the_way, &self.renewing] {
            assert_eq!(client.poll(&start.enrollment).status, 200);
        }
        assert_eq!(client.reveal(&self.with_a_code.reveal).status, 200);
        let (account, token) = &self.about_to_renew;
        let _renewal = client.start_with(&account.username, token);
    }

    /// Every token and session is ended, and no code is taken that a phone could show up to the restore, which began at
    /// this moment or later. (The newest that a login takes then is the one of the step after.)
    fn assert_nothing_open(&self, restored: &Running, moment: u64) {
        let client = &restored.client;
        client.session(&self.signed_in.session).refused(401, "session_invalid");
        for start in [&self.with_a_code, &self.on_the_way, &self.renewing] {
            client.poll(&start.enrollment).refused(401, "token_invalid");
            client.enroll(&start.enrollment).refused(401, "token_invalid");
            client.reveal(&start.reveal).refused(404, "token_unknown");
        }
        let (account, token) = &self.about_to_renew;
        client.start_request(&account.username).bearer(token).send().refused(401, "token_invalid");
        let code = self.signed_in.authenticator.code_at(moment + STEP_SECONDS);
        client
            .login(&self.signed_in.username, &self.signed_in.password, &code)
            .refused(401, "invalid_credentials");
        let events = restored.database.time_travel().events(&self.signed_in.username);
        assert_eq!(
            events.last().map(String::as_str),
            Some("login/reused_code"),
            "it is its time that refuses it"
        );
    }

    fn assert_accounts_are_what_they_were(&self, restored: &Running) {
        assert_eq!(restored.login(&self.signed_in).status, 200);
        restored.login(&self.suspended).refused(403, "account_suspended");
        restored.login(&self.about_to_renew.0).refused(403, "credentials_expired");
        restored.client.start_request(&self.gone.username).send().refused(409, "username_taken");
        for start in [&self.with_a_code, &self.on_the_way] {
            let _started_again = restored.client.start(&start.username);
        }
    }
}
