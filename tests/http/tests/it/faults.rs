//! What is broken is said at once: to the client by a status, to the operator by a line of the log, without secrets.

use std::fs;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use harness::app::{Config, PUBLIC_URL, SEALING_KEYS};
use harness::database::{APPLICATION_PASSWORD, application_dsn};
use harness::deadline::{poll, timed};
use harness::shared::Running;
use harness::situations::{self, Person};
use harness::{Answer, App, Client, TestDatabase};
use serde_json::json;

/// A refusal for want of a database or a key comes within this time (issue: within two seconds).
const SOON: Duration = Duration::from_secs(2);
const GOOD_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// One of each: every operation needs the database.
fn requests(client: &Client) -> Vec<Answer> {
    let requests = situations::requests(client, &Person::stranger());
    requests.into_iter().map(harness::client::Request::send).collect()
}

#[test]
fn a_malformed_key_is_a_503_everywhere_and_a_line_that_says_why() {
    let database = TestDatabase::fresh();
    let broken = [
        String::new(),
        " ".to_owned(),
        GOOD_KEY.to_owned(),
        "k1:".to_owned(),
        format!(":{GOOD_KEY}"),
        "k1:c2hvcnQ=".to_owned(),
        format!("k1:{}", GOOD_KEY.trim_end_matches('=')),
        format!("k1:{GOOD_KEY},"),
        format!("k1:{GOOD_KEY},k1:{GOOD_KEY}"),
        format!("K1:{GOOD_KEY}"),
        format!("{}:{GOOD_KEY}", "k".repeat(33)),
        format!("k1:{GOOD_KEY},k2:not/base64!"),
    ];
    let before = database.fingerprint();
    // Four at a time: each is a host of its own.
    for some in broken.chunks(4) {
        thread::scope(|scope| {
            for keys in some {
                scope.spawn(|| refuses_to_work_with(&database, keys));
            }
        });
    }
    assert_eq!(database.fingerprint(), before);
}

fn refuses_to_work_with(database: &TestDatabase, keys: &str) {
    let app = App::with(&Config::over(database).variable("sealing_keys", keys));
    let (answer, time) = timed(|| app.client().get("/api/health").send());
    answer.refused(503, "unavailable");
    assert!(time < SOON, "{time:?} for {keys:?}");
    for answer in needing_keys(&app.client()) {
        answer.refused(503, "unavailable");
    }
    app.expect_log("sealing_keys");
    let log = app.log();
    for material in keys.split([':', ',']).filter(|part| part.len() > 6) {
        assert!(!log.contains(material), "the log holds key material");
    }
}

/// Those that cannot be served without keys; the others may work, or refuse as well. (A start could not be finished, so it
/// must not take the name.)
fn needing_keys(client: &Client) -> Vec<Answer> {
    let operations = situations::operations().iter().filter(|operation| operation.entry.needs_keys);
    let requests = operations.flat_map(|operation| operation.requests(client, &Person::stranger()));
    requests.map(harness::client::Request::send).collect()
}

#[test]
fn a_missing_variable_stops_the_host_at_its_start() {
    let database = TestDatabase::fresh();
    for name in ["pg_dsn", "sealing_keys", "public_url"] {
        let said = App::try_with(&Config::over(&database).without(name)).err();
        let said = said.unwrap_or_else(|| panic!("the host serves without {name}"));
        assert!(said.to_lowercase().contains(name), "{said}");
    }
}

#[test]
fn a_database_that_refuses_connections_is_a_503_within_two_seconds() {
    // A port that was free a moment ago, so that nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let app = App::with(&Config::with_dsn(&application_dsn("127.0.0.1", port, "nowhere"), "127.0.0.1", port));
    let (answers, time) = timed(|| requests(&app.client()));
    let each = time / u32::try_from(answers.len()).unwrap();
    assert!(each < SOON, "{each:?}");
    for answer in answers {
        answer.refused(503, "unavailable");
        assert!(!answer.text().contains(&port.to_string()), "{answer:?}");
    }
    app.expect_log("connection");
    assert_no_secret_of_the_configuration(&app);
}

/// One that a firewall drops without a word is noticed while it is idle, and no request waits for it. The host takes the DSN
/// as the scripts write it; what comes of that is seen where the system keeps its sockets.
#[test]
fn an_idle_connection_to_the_database_is_asked_within_five_seconds_whether_it_is_still_there() {
    const TICKS_IN_A_SECOND: u64 = 100;
    const KEEPALIVE: &str = "02";
    let running = Running::start();
    assert_eq!(running.client.get("/api/health").send().status, 200);
    let port = "SELECT client_port FROM pg_stat_activity WHERE datname = current_database() AND usename = 'cofrap_app'";
    let port: i32 = running.database.owner().query_one(port, &[]).unwrap().get(0);
    let timer = || {
        let sockets = fs::read_to_string("/proc/net/tcp").unwrap();
        // Its number, addresses with ports, state, queues, and its timer: kind and ticks until it is due (proc(5)).
        let mut fields = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let fields = fields.find(|fields| fields[1].ends_with(&format!(":{port:04X}")))?;
        let (kind, ticks) = fields[5].split_once(':')?;
        (kind == KEEPALIVE).then(|| u64::from_str_radix(ticks, 16).unwrap())
    };
    let ticks = poll(SOON, timer).expect("nothing looks after an idle connection");
    assert!(ticks <= 5 * TICKS_IN_A_SECOND, "in {} seconds", ticks / TICKS_IN_A_SECOND);
}

#[test]
fn a_dsn_that_is_none_is_a_503_and_not_written_to_the_log() {
    let dsn = format!("postgres://cofrap_app:{APPLICATION_PASSWORD}@[broken");
    let app = App::with(&Config::with_dsn(&dsn, "127.0.0.1", 5432));
    app.client().get("/api/health").send().refused(503, "unavailable");
    assert_no_secret_of_the_configuration(&app);
}

#[test]
fn a_wrong_password_of_the_database_is_a_503_and_not_written_to_the_log() {
    let database = TestDatabase::fresh();
    let wrong = "wrong-but-still-a-secret";
    let dsn = database.application_dsn();
    let (front, back) = dsn.split_once('@').unwrap();
    let front = front.rsplit_once(':').unwrap().0;
    let app = App::with(&Config::over(&database).variable("pg_dsn", &format!("{front}:{wrong}@{back}")));
    let health = app.client().get("/api/health").send();
    // A server that trusts its loopback asks for no password, and then there is nothing to refuse.
    if health.status != 200 {
        health.refused(503, "unavailable");
        app.expect_log("refused the password");
    }
    assert!(!app.log().contains(wrong));
}

#[test]
fn a_clock_that_is_another_than_the_databases_is_a_503_of_health_and_a_line_that_says_so() {
    let database = TestDatabase::fresh();
    for (ahead, status, told) in [
        (-120, 503, "seconds ahead of this server's: one of the two needs NTP"),
        (-25, 200, ""),
        (25, 200, ""),
        (120, 503, "seconds behind this server's: one of the two needs NTP"),
    ] {
        let app = App::with(&Config::over(&database).with_clock_ahead(ahead));
        let (answer, time) = timed(|| app.client().get("/api/health").send());
        assert_eq!(answer.status, status, "{ahead} seconds ahead: {answer:?}");
        assert!(time < SOON, "{time:?}");
        app.expect_log(told);
    }
}

#[test]
fn when_the_database_comes_back_so_does_the_service() {
    let running = Running::start();
    let account = running.account("survivor");
    running.database.refuse_connections();
    let (answers, time) = timed(|| requests(&running.client));
    assert!(time / u32::try_from(answers.len()).unwrap() < SOON, "{time:?}");
    for answer in answers {
        answer.refused(503, "unavailable");
    }
    running.client.session(&account.session).refused(503, "unavailable");
    assert_no_secret_of_the_configuration(&running.app);

    running.database.accept_connections();
    let healthy = || (running.client.get("/api/health").send().status == 200).then_some(());
    assert!(poll(Duration::from_secs(5), healthy).is_some(), "{}", running.app.log());
    assert_eq!(running.client.session(&account.session).status, 200);
    assert_eq!(running.login(&account).status, 200);
}

#[test]
fn a_key_that_is_not_on_the_ring_any_more_is_a_503_that_uses_up_nothing_and_leaves_an_event() {
    let database = TestDatabase::fresh();
    let app = App::start(&database);
    let running = Running { client: app.client(), app, database };
    let account = running.account("rotated");
    let start = running.client.start(&running.username("rotated-start"));
    let password = running.client.password(&start.reveal);
    let _phone = running.client.enrolled(&start.enrollment);
    let code = running.fresh_code(&account);
    let before = running.database.fingerprint().without_events();

    let other =
        App::with(&Config::over(&running.database).variable("sealing_keys", &format!("new:{GOOD_KEY}")));
    let other = other.client();
    let travel = running.database.time_travel();
    other.login(&account.username, &account.password, &code).refused(503, "unavailable");
    assert_eq!(travel.events(&account.username)[4..], ["unreadable/unknown_key"]);
    other.confirm(&start.enrollment, &password, &code).refused(503, "unavailable");
    assert_eq!(travel.events(&start.username)[3..], ["unreadable/unknown_key"]);
    other.login("nobody-at-all", &account.password, &code).refused(401, "invalid_credentials");
    assert_eq!(running.database.fingerprint().without_events(), before);
    // This one counts as a use of the session, as every request that comes with one.
    other.delete_account(&account.session, &account.password, &code).refused(503, "unavailable");
    assert_eq!(travel.events(&account.username)[5..], ["unreadable/unknown_key"]);

    let rotated = format!("new:{GOOD_KEY},{SEALING_KEYS}");
    let both = App::with(&Config::over(&running.database).variable("sealing_keys", &rotated));
    assert_eq!(both.client().login(&account.username, &account.password, &code).status, 200);
}

#[test]
fn the_public_url_is_the_only_origin_in_reveal_links() {
    let database = TestDatabase::fresh();
    let origin = "http://127.0.0.1:3000";
    let app =
        App::with(&Config::over(&database).variable("public_url", origin).variable("issuer", "Acme & Söhne"));
    let client = app.client();
    let start = client.start("linked");
    assert_eq!(start.body["reveal_url"], json!(format!("{origin}/reveal#{}", start.reveal)));
    assert!(!start.body.to_string().contains(PUBLIC_URL));
    let _password = client.password(&start.reveal);
    let phone = client.enrolled(&start.enrollment).authenticator;
    assert_eq!(phone.issuer(), Some("Acme & Söhne"));
    let page = client.get("/").send();
    assert!(page.header("strict-transport-security").is_none(), "not served over TLS: {page:?}");
}

fn assert_no_secret_of_the_configuration(app: &App) {
    let log = app.log();
    let encoded = application_dsn("", 0, "");
    let encoded = encoded.split(['@', ':']).nth(2).unwrap();
    for secret in [APPLICATION_PASSWORD, encoded].into_iter().chain(SEALING_KEYS.split([',', ':'])) {
        assert!(secret.len() < 7 || !log.contains(secret), "the log holds a secret:\n{log}");
    }
}
