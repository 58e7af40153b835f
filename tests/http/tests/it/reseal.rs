//! A change of the sealing keys, in the order that the operator is told, with two servers and people who go on working.

use std::collections::BTreeMap;
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::{fs, thread};

use data_encoding::BASE64;
use harness::at_rest::{Column, Which, said};
use harness::shared::Running;
use harness::{App, Authenticator, Client, Config, TestDatabase};

const KEYS: &str = "SPIN_VARIABLE_SEALING_KEYS";

/// A ring of the keys with these ids, each key made of its id.
fn ring<const N: usize>(ids: [&str; N]) -> String {
    ids.map(|id| format!("{id}:{}", BASE64.encode(&id.repeat(16).as_bytes()[..32]))).join(",")
}

fn reseal(database: &TestDatabase, arguments: &[&str], ring: &str) -> Output {
    database.ops(&[&["reseal"], arguments].concat()).env(KEYS, ring).output().unwrap()
}

/// The lines `N values are sealed with KEY`, by key, and the status.
fn report(output: &Output) -> (Option<i32>, BTreeMap<String, usize>) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let counts = text.lines().filter_map(|line| {
        let (count, rest) = line.split_once(" values are sealed with ")?;
        Some((rest.split(',').next()?.to_owned(), count.parse().ok()?))
    });
    (output.status.code(), counts.collect())
}

fn counts<const N: usize>(parts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    parts.map(|(id, count)| (id.to_owned(), count)).into()
}

fn running_with(ring: &str) -> Running {
    let database = TestDatabase::fresh();
    let config = Config::over(&database).variable("sealing_keys", ring);
    Running::with(database, &config)
}

/// Restarts the app with another ring.
fn restart(running: &mut Running, ring: &str) {
    running.app = App::with(&Config::over(&running.database).variable("sealing_keys", ring));
    running.client = running.app.client();
}

/// Two servers over one database that are replaced one after the other, as a rolling update does.
struct Fleet {
    database: TestDatabase,
    servers: [RwLock<(App, Client)>; 2],
    accounts: Mutex<Vec<(String, String, Authenticator)>>,
    unfinished: AtomicUsize,
    done: AtomicBool,
}

impl Fleet {
    fn start(ring: &str) -> Self {
        let database = TestDatabase::fresh();
        let servers = [(); 2].map(|()| RwLock::new(Self::server(&database, ring)));
        let accounts = Mutex::default();
        Self { database, servers, accounts, unfinished: AtomicUsize::new(0), done: AtomicBool::new(false) }
    }

    fn server(database: &TestDatabase, ring: &str) -> (App, Client) {
        let app = App::with(&Config::over(database).variable("sealing_keys", ring));
        let client = app.client();
        (app, client)
    }

    /// Asks one of the two. While it is replaced, its clients wait for its successor.
    fn at<T>(&self, number: usize, request: impl FnOnce(&Client) -> T) -> T {
        request(&self.servers[number % 2].read().unwrap().1)
    }

    /// Rolls a ring out, and looks after each server whether everybody still gets in.
    fn roll_out(&self, ring: &str) {
        for server in &self.servers {
            let successor = Self::server(&self.database, ring);
            *server.write().unwrap() = successor;
            self.everybody_gets_in(ring);
        }
    }

    fn everybody_gets_in(&self, when: &str) {
        let accounts = self.accounts.lock().unwrap().clone();
        assert!(!accounts.is_empty());
        for (username, password, phone) in &accounts {
            for number in 0..2 {
                self.database.time_travel().forget_used_steps(username);
                let code = phone.code_at(self.database.now());
                let answer = self.at(number, |client| client.login(username, password, &code));
                assert_eq!(answer.status, 200, "{username} at server {number} with {when}: {answer:?}");
            }
        }
    }

    /// Somebody who makes an account, each step at the other server, and logs in with it.
    fn newcomer(&self, username: &str) {
        let start = self.at(0, |client| client.start(username));
        let password = self.at(1, |client| client.password(&start.reveal));
        let phone = self.at(0, |client| client.enrolled(&start.enrollment)).authenticator;
        let code = phone.code_at(self.database.now());
        let confirmed = self.at(1, |client| client.confirm(&start.enrollment, &password, &code));
        assert_eq!(confirmed.status, 200, "{confirmed:?}");
        self.accounts.lock().unwrap().push((username.to_owned(), password, phone));
    }

    /// Somebody who stops in the middle: what is sealed for the start waits in the table.
    fn undecided(&self, username: &str) {
        let start = self.at(1, |client| client.start(username));
        let _password = self.at(0, |client| client.password(&start.reveal));
        let _secret = self.at(1, |client| client.enrolled(&start.enrollment));
        self.unfinished.fetch_add(1, Ordering::Relaxed);
    }

    fn traffic(&self, who: usize) {
        for number in 0.. {
            if self.done.load(Ordering::Relaxed) {
                break;
            }
            if number < 5 {
                self.newcomer(&format!("newcomer-{who}-{number}"));
            } else {
                self.undecided(&format!("undecided-{who}-{number}"));
            }
        }
    }
}

/// Ends the traffic, also when a step of the test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_rotation_in_its_order_beside_live_traffic_lets_everybody_in_at_every_step() {
    let (old, both, turned, new) = (ring(["k1"]), ring(["k1", "k2"]), ring(["k2", "k1"]), ring(["k2"]));
    let fleet = Fleet::start(&old);
    fleet.newcomer("from-the-beginning");
    thread::scope(|scope| {
        let _ends = Ends(&fleet.done);
        for who in 0..2 {
            let fleet = &fleet;
            scope.spawn(move || fleet.traffic(who));
        }
        fleet.roll_out(&both);
        assert_eq!(fleet.database.values_under("k2"), 0, "the new key only reads");
        fleet.roll_out(&turned);
        assert!(fleet.database.values_under("k2") > 0 && fleet.database.values_under("k1") > 0);
        let output = reseal(&fleet.database, &["--batch", "3"], &turned);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(fleet.database.values_under("k1"), 0);
        fleet.everybody_gets_in("everything sealed again");
        fleet.roll_out(&new);
    });
    let output = reseal(&fleet.database, &["--check"], &new);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(fleet.accounts.lock().unwrap().len() > 1 && fleet.unfinished.load(Ordering::Relaxed) > 0);
}

#[test]
fn what_was_killed_half_way_is_finished_by_the_next_run() {
    let mut running = running_with(&ring(["k1"]));
    let accounts = ["one", "two", "three", "four", "five"].map(|hint| running.account(hint));
    let turned = ring(["k2", "k1"]);
    let (before, third) = (running.database.credentials_without_secrets(), running.database.third_account());
    let held = running.database.hold(&third);
    let mut command = running.database.ops(&["reseal", "--batch", "1"]);
    command.env(KEYS, &turned);
    let mut killed = running.database.start_and_wait_for_a_lock(command);
    killed.kill().unwrap();
    killed.wait().unwrap();
    held.let_go();
    running.database.wait_until_the_tool_is_gone();

    let half = reseal(&running.database, &["--check"], &turned);
    let (status, counted) = report(&half);
    assert_eq!((status, counted.values().sum::<usize>()), (Some(1), 10), "{}", said(&half));
    assert!(counted["k1"] >= 5 && counted["k2"] >= 4, "{counted:?}");
    restart(&mut running, &turned);
    accounts.iter().for_each(|account| assert_eq!(running.login(account).status, 200));

    let next = reseal(&running.database, &[], &turned);
    assert_eq!(report(&next), (Some(0), counts([("k2", 10)])), "{}", said(&next));
    let again = reseal(&running.database, &[], &turned);
    assert!(said(&again).starts_with("0\n0 values were sealed again"), "{}", said(&again));
    restart(&mut running, &ring(["k2"]));
    accounts.iter().for_each(|account| assert_eq!(running.login(account).status, 200));
    assert_eq!(running.database.credentials_without_secrets(), before, "nothing else has changed");
}

#[test]
fn a_write_of_the_service_in_between_wins() {
    let running = running_with(&ring(["k1"]));
    let start = running.client.start(&running.username("between"));
    let (name, which) = (start.username.as_str(), Which::Unconfirmed);
    let password = running.client.password(&start.reveal);
    let first = running.client.enrolled(&start.enrollment).authenticator;
    let verifier = running.database.sealed(name, which, Column::Verifier);
    let written = running.database.sealed(name, which, Column::TotpSecret);
    let _second = running.client.enrolled(&start.enrollment);
    let before = running.database.credentials_without_secrets();

    let turned = ring(["k2", "k1"]);
    let mut held = running.database.hold(name);
    let mut command = running.database.ops(&["reseal"]);
    command.env(KEYS, &turned);
    // It has read the verifier and the second secret, and waits.
    let child = running.database.start_and_wait_for_a_lock(command);
    held.overwrite(name, which, Column::Verifier, b"in between");
    held.overwrite(name, which, Column::TotpSecret, &written);
    held.let_go();
    let output = child.wait_with_output().unwrap();
    assert_eq!(report(&output), (Some(1), counts([("k1", 1), ("k2", 0)])), "{}", said(&output));
    assert_eq!(running.database.sealed(name, which, Column::Verifier), b"in between");
    assert_eq!(running.database.sealed(name, which, Column::TotpSecret), written);

    running.database.overwrite(name, which, Column::Verifier, &verifier);
    assert_eq!(report(&reseal(&running.database, &[], &turned)), (Some(0), counts([("k2", 2)])));
    assert_eq!(running.database.credentials_without_secrets(), before, "the revision is the same");
    let app = App::with(&Config::over(&running.database).variable("sealing_keys", &ring(["k2"])));
    let code = first.code_at(running.database.now());
    assert_eq!(app.client().confirm(&start.enrollment, &password, &code).status, 200);
}

#[test]
fn a_value_that_does_not_open_is_named_and_stops_nothing() {
    let mut running = running_with(&ring(["k1"]));
    let accounts = ["good", "torn", "also-good"].map(|hint| running.account(hint));
    let torn = &accounts[1].username;
    let mut blob = running.database.sealed(torn, Which::Live, Column::TotpSecret);
    *blob.last_mut().unwrap() ^= 1;
    running.database.overwrite(torn, Which::Live, Column::TotpSecret, &blob);
    running.database.overwrite(&accounts[2].username, Which::Live, Column::Verifier, b"nonsense");

    let turned = ring(["k2", "k1"]);
    let output = reseal(&running.database, &["--batch", "1"], &turned);
    let text = said(&output);
    assert_eq!(report(&output), (Some(1), counts([("k1", 1), ("k2", 4)])), "{text}");
    let id = running.database.credential_id(torn);
    let named = format!(
        "does not open: credential {id}: totp_secret is a sealed value that was changed or moved here"
    );
    assert!(text.contains(&named), "{text}");
    let id = running.database.credential_id(&accounts[2].username);
    let named = format!("credential {id}: verifier is sealed in a format that this release does not know");
    assert!(text.contains(&named), "{text}");
    assert!(text.contains("1 values name no key") && text.contains("2 do not open"), "{text}");
    assert_eq!(
        running.database.sealed(torn, Which::Live, Column::TotpSecret),
        blob,
        "for whoever repairs it"
    );
    restart(&mut running, &turned);
    assert_eq!(running.login(&accounts[0]).status, 200);
    running.login(&accounts[1]).refused(503, "unavailable");
}

#[test]
fn a_value_under_the_first_key_that_does_not_open_is_found_too() {
    let (running, ring) = (running_with(&ring(["k1"])), ring(["k1"]));
    let account = running.account("torn");
    assert_eq!(report(&reseal(&running.database, &["--check"], &ring)), (Some(0), counts([("k1", 2)])));
    let mut blob = running.database.sealed(&account.username, Which::Live, Column::Verifier);
    blob[30] ^= 1;
    running.database.overwrite(&account.username, Which::Live, Column::Verifier, &blob);
    for arguments in [&[][..], &["--check"]] {
        let output = reseal(&running.database, arguments, &ring);
        assert_eq!(report(&output), (Some(1), counts([("k1", 2)])), "{}", said(&output));
        assert!(said(&output).contains("0 values are not sealed with k1 yet, and 1 do not open"));
    }
}

#[test]
fn a_ring_without_the_old_key_or_with_a_wrong_one_changes_nothing() {
    let running = running_with(&ring(["k1"]));
    let account = running.account("kept");
    let before = running.database.fingerprint();
    let wrong = ring(["k2", "k3"]).replace("k3:", "k1:");
    for (ring, why) in [
        (ring(["k2"]), "is sealed with the key k1, which the ring does not hold"),
        (wrong, "is a sealed value that was changed or moved here"),
    ] {
        for arguments in [&[][..], &["--check"]] {
            let output = reseal(&running.database, arguments, &ring);
            let text = said(&output);
            assert_eq!(report(&output), (Some(1), counts([("k1", 2), ("k2", 0)])), "{text}");
            assert_eq!(text.matches(why).count(), 2, "{text}");
            assert!(text.contains("2 values are not sealed with k2 yet, and 2 do not open"), "{text}");
        }
    }
    // Looking changes nothing either, with keys that would do.
    let output = reseal(&running.database, &["--check"], &ring(["k2", "k1"]));
    assert_eq!(report(&output), (Some(1), counts([("k1", 2), ("k2", 0)])), "{}", said(&output));
    assert_eq!(running.database.fingerprint(), before);
    assert_eq!(running.login(&account).status, 200);
}

#[test]
fn the_keys_come_from_one_place_and_are_in_no_output() {
    let database = TestDatabase::fresh();
    let file = std::env::temp_dir().join(format!("identity-test-keys-{}", std::process::id()));
    let good = ring(["k2", "k1"]);
    let run = |variable: Option<&str>, content: Option<&str>| {
        let mut command = database.ops(&["reseal"]);
        if let Some(value) = variable {
            command.env(KEYS, value);
        }
        if let Some(content) = content {
            fs::write(&file, content).unwrap();
            command.env("SEALING_KEYS_FILE", &file);
        }
        said(&command.output().unwrap())
    };
    let done = "0\n0 values were sealed again, with k2\n0 values are sealed with k2, which seals\n";
    assert_eq!(run(Some(&good), None), done);
    assert_eq!(run(None, Some(&good)), done);
    assert_eq!(run(None, Some(&format!("{good}\n"))), done);
    let cut = good.trim_end_matches('=');
    let refused = [
        (run(None, None), "neither SPIN_VARIABLE_SEALING_KEYS nor SEALING_KEYS_FILE is set"),
        (run(Some(&good), Some(&good)), "which one is meant?"),
        (
            run(Some(cut), None),
            "SPIN_VARIABLE_SEALING_KEYS: sealing key number 2 (k1): the key is not standard base64",
        ),
        (run(None, Some("")), "SEALING_KEYS_FILE: no sealing keys"),
    ];
    for (said, why) in refused {
        assert!(said.starts_with("1\n") && said.contains(why), "{said}");
        for key in good.split([',', ':']).filter(|part| part.len() > 2) {
            assert!(!said.contains(&key[..20]), "{said}");
        }
    }
    fs::remove_file(&file).unwrap();
}
