//! What a thief of the database or of the log would get: nothing that opens an account.

use harness::app::SEALING_KEYS;
use harness::authenticator::STEP_SECONDS;
use harness::database::APPLICATION_PASSWORD;
use harness::dump::{gives_away, stored_forms};
use harness::shared::Running;

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

#[test]
fn neither_a_dump_nor_the_log_holds_a_password_a_secret_or_a_token() {
    let running = Running::start();
    let secrets = secrets_of_a_long_life(&running);
    let dump = running.database.dump();
    for (name, secret) in &secrets {
        assert!(!gives_away(&dump, secret), "the dump gives the {name} away");
    }
    for key in SEALING_KEYS.split([',', ':']).filter(|part| part.len() > 10) {
        assert!(!dump.contains(key), "the dump holds a sealing key");
    }
    // The search would find what is there: the open tokens stand in the dump as their hashes.
    for name in ["open reveal token", "open enrollment token", "open renewal token", "login's session"] {
        let (_, token) = secrets.iter().find(|(other, _)| *other == name).unwrap();
        assert!(
            stored_forms(token).iter().any(|form| dump.contains(form)),
            "the dump holds no hash of the {name}"
        );
    }
    assert!(dump.contains("thief-open"));

    let log = running.app.log();
    for (name, secret) in &secrets {
        assert!(!gives_away(&log, secret), "the log gives the {name} away");
    }
    assert!(!gives_away(&log, APPLICATION_PASSWORD));
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
