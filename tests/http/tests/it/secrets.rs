//! What a thief of the database or of the log would get: nothing that opens an account.

use harness::app::SEALING_KEYS;
use harness::authenticator::STEP_SECONDS;
use harness::database::{APPLICATION_PASSWORD, application_dsn};
use harness::dump::{gives_away, stored_forms};
use harness::shared::Running;
use harness::{App, Config, TestDatabase};
use serde_json::json;

/// Everything secret that a client ever saw, with its name.
type Secrets = Vec<(&'static str, String)>;

/// Walks every path on which secrets are made, and leaves as much as possible of it in the database.
fn secrets_of_a_long_life(running: &Running) -> Secrets {
    let old = running.account("thief");
    let token = running.renewal_token(&old);
    let spare = running.renewal_token(&old);
    let start = running.client.start_with(&old.username, &token);
    let leaked = running.client.password(&start.reveal);
    let again = running.client.start_with(&old.username, &start.enrollment);
    let new = running.activate(again);
    let login = running.login(&new);
    let next_token = running.renewal_token(&new);
    let open = running.client.start(&running.username("thief-open"));
    let open_password = running.client.password(&open.reveal);
    let open_secret = running.client.enrolled(&open.enrollment).secret;
    let unrevealed = running.client.start(&running.username("thief-unrevealed"));
    vec![
        ("password", old.password),
        ("renewed password", new.password),
        ("replaced password", leaked),
        ("unconfirmed password", open_password),
        ("second factor", old.secret),
        ("renewed second factor", new.secret),
        ("unconfirmed second factor", open_secret),
        ("reveal token", old.start.reveal),
        ("renewed reveal token", new.start.reveal),
        ("open reveal token", open.reveal),
        ("waiting reveal token", unrevealed.reveal),
        ("enrollment token", old.start.enrollment),
        ("renewed enrollment token", new.start.enrollment),
        ("open enrollment token", open.enrollment),
        ("renewal token", token),
        ("spare renewal token", spare),
        ("open renewal token", next_token),
        ("session", old.session),
        ("renewed session", new.session),
        ("login's session", login.session()),
    ]
}

#[track_caller]
fn assert_no_secret(text: &str, secrets: &Secrets, what: &str) {
    for (name, secret) in secrets {
        assert!(!gives_away(text, secret), "{what} gives the {name} away");
    }
    let dsn = application_dsn("", 0, "");
    let encoded = dsn.split([':', '@']).nth(2).expect("postgres, //name, password");
    for secret in [APPLICATION_PASSWORD, encoded] {
        assert!(!gives_away(text, secret), "{what} gives the application's password away");
    }
    for key in SEALING_KEYS.split([',', ':']).filter(|part| part.len() > 10) {
        assert!(!text.contains(key), "{what} holds a sealing key");
    }
}

#[test]
fn neither_a_dump_nor_the_log_holds_a_password_a_secret_or_a_token() {
    let running = Running::start();
    let secrets = secrets_of_a_long_life(&running);
    let dump = running.database.dump();
    assert_no_secret(&dump, &secrets, "the dump");
    // The search would find what is there: the open tokens stand in the dump as their hashes.
    for name in ["open reveal token", "open enrollment token", "open renewal token", "login's session"] {
        let (_, token) = secrets.iter().find(|(other, _)| *other == name).unwrap();
        assert!(
            stored_forms(token).iter().any(|form| dump.contains(form)),
            "the dump holds no hash of the {name}"
        );
    }
    assert!(dump.contains("thief-open"));

    assert_no_secret(&running.app.log(), &secrets, "the log");
}

#[test]
fn a_row_of_another_account_opens_nothing() {
    let running = Running::start();
    let [thief, victim] = ["thief", "victim"].map(|hint| running.account(hint));
    running.database.time_travel().copy_sealed_columns(&thief.username, &victim.username);
    running.database.time_travel().forget_used_steps(&victim.username);
    let code = thief.authenticator.code_at(running.database.now() + STEP_SECONDS);
    let answer = running.client.login(&victim.username, &thief.password, &code);
    answer.refused(503, "unavailable");
    assert!(answer.header("set-cookie").is_none());
    let events = running.database.time_travel().events(&victim.username);
    assert_eq!(events.last().map(String::as_str), Some("unreadable/forged"), "the operator can see it");
}

/// What a careless operator of PostgreSQL could be made to log. That no parameter stands in the log is the role's
/// setting; that none of them is a secret holds without it.
#[test]
fn the_most_talkative_log_of_postgresql_holds_no_secret_with_parameters_and_without() {
    let database = TestDatabase::fresh();
    database.log_everything();
    let config = Config::over(&database);
    let mut running = Running::with(database, &config);
    let mut secrets = secrets_of_a_long_life(&running);
    let log = running.database.server_log();
    for part in ["execute s", "SELECT * FROM identity.login_commit_", "duration: "] {
        assert!(log.contains(part), "it is talkative: {part}");
    }
    assert_no_secret(&log, &secrets, "PostgreSQL's log");
    assert!(!log.contains("parameters: $1"), "the role keeps parameters out of it");

    running.database.log_parameters_too();
    running.app = App::with(&config);
    running.client = running.app.client();
    secrets.extend(secrets_of_a_long_life(&running));
    let log = running.database.server_log();
    assert_no_secret(&log, &secrets, "PostgreSQL's log with parameters");
    let hash_of_the_login = stored_forms(&secrets.last().unwrap().1);
    assert!(
        hash_of_the_login.iter().any(|form| log.contains(form)),
        "parameters are in it: the hash of a session is"
    );
    assert_no_secret(&running.database.remembered_statements(), &secrets, "the text of a statement");
}

#[test]
fn a_secret_that_somebody_types_or_sends_in_the_wrong_place_is_kept_by_nobody() {
    let database = TestDatabase::fresh();
    database.log_everything();
    let config = Config::over(&database);
    let running = Running::with(database, &config);
    let account = running.account("careless");
    let start = running.client.start(&running.username("careless"));
    let code = running.code(&account);
    let (client, password) = (&running.client, &account.password);
    client.login(password, password, &code).refused(422, "invalid_request");
    client
        .post_json("/api/password", &json!({ "username": password }))
        .send()
        .refused(422, "invalid_username");
    let unknown_field =
        json!({ "username": account.username, "password": password, "code": code, "old": password });
    client.post_json("/api/login", &unknown_field).send().refused(422, "invalid_request");
    client.post_json("/api/login", &json!(password)).send().refused(422, "invalid_request");
    client.get(&format!("/api/session?session={}", account.session)).send().refused(401, "session_invalid");
    assert_eq!(client.get(&format!("/reveal?token={}", start.reveal)).send().status, 200);
    client.get(&format!("/api/{}", start.reveal)).send().refused(404, "not_found");
    client.reveal(&start.enrollment).refused(404, "token_unknown");
    client.poll(&start.reveal).refused(401, "token_invalid");
    client.session(&start.enrollment).refused(401, "session_invalid");
    let secrets = vec![
        ("password", password.clone()),
        ("session", account.session.clone()),
        ("reveal token", start.reveal),
        ("enrollment token", start.enrollment),
    ];
    assert_no_secret(&running.database.dump(), &secrets, "the dump");
    assert_no_secret(&running.app.log(), &secrets, "the log");
    assert_no_secret(&running.database.server_log(), &secrets, "PostgreSQL's log");
}
