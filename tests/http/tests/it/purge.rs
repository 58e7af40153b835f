//! The owner's purge beside the running service: what people have in their hands stays good, and the rest goes.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use harness::TestDatabase;
use harness::at_rest::said;
use harness::shared::Running;
use harness::time_travel::Belongings;

/// The last line of a run that succeeded.
#[track_caller]
fn purge(database: &TestDatabase, options: &[&str]) -> String {
    let output = database.ops(&[&["purge"], options].concat()).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap().lines().last().expect("a line says what was removed").to_owned()
}

/// What was removed, without the kinds of which nothing was.
fn kinds(line: &str) -> Vec<&str> {
    let list = line.strip_prefix("removed ").expect("the line says what it is");
    list.split(", ").filter(|part| !part.starts_with("0 ")).collect()
}

#[test]
fn the_tool_removes_what_the_service_no_longer_takes_and_nothing_that_it_takes() {
    let running = Running::start();
    let (database, travel) = (&running.database, running.database.time_travel());
    assert_eq!(
        purge(database, &[]),
        "removed 0 refusals that concern no account, 0 other events, 0 reserved names, 0 renewal tokens, 0 sessions, \
         0 expired accounts, 0 abandoned renewals, 0 pending accounts"
    );
    let [idle, old, renewing, forgotten] =
        ["idle", "old", "renewing", "forgotten"].map(|hint| running.account(hint));
    let [open, ended] = ["open", "ended"].map(|hint| running.client.start(&running.username(hint)));
    let token = running.renewal_token(&renewing);
    let renewal = running.client.start_with(&renewing.username, &token);
    travel.sessions_idle_for_minutes(&idle.username, 59);
    travel.sessions_opened_minutes_ago(&old.username, 12 * 60 - 1);
    assert_eq!(kinds(&purge(database, &[])), [""; 0], "it is all still good");
    assert_eq!(running.client.session(&idle.session).status, 200);
    assert_eq!(running.client.session(&old.session).status, 200);
    assert_eq!(running.client.poll(&renewal.enrollment).status, 200);

    travel.sessions_idle_for_minutes(&idle.username, 60);
    travel.sessions_opened_minutes_ago(&old.username, 12 * 60);
    travel.expire_start(&ended.username);
    travel.expire_start(&renewing.username);
    let _spare = running.renewal_token(&renewing);
    travel.expire_renewal_tokens(&renewing.username);
    travel.expire_credentials_months_ago(&forgotten.username, 12);
    assert_eq!(
        kinds(&purge(database, &[])),
        [
            "1 renewal tokens",
            "2 sessions",
            "1 expired accounts",
            "1 abandoned renewals",
            "1 pending accounts"
        ]
    );
    assert_eq!(kinds(&purge(database, &[])), [""; 0], "a second run finds nothing");
    for name in [&idle.username, &old.username] {
        let expected = Belongings { accounts: 1, live: 1, unconfirmed: 0, sessions: 0 };
        assert_eq!(travel.belongings(name), expected);
    }
    assert_eq!(running.login(&idle).status, 200);
    assert_eq!(running.client.poll(&open.enrollment).status, 200);
    // Who gave up may come back, as long as the account is there.
    let again = running.client.start_with(&renewing.username, &running.renewal_token(&renewing));
    let _renewed = running.activate(again);
    // A name that is gone is as unknown as one that never was.
    let code = running.wrong_code(&forgotten);
    running.client.login(&forgotten.username, &forgotten.password, &code).refused(401, "invalid_credentials");
    running.client.reveal(&ended.reveal).refused(404, "token_unknown");
}

#[test]
fn how_long_events_and_expired_accounts_are_kept_is_a_setting() {
    let running = Running::start();
    let (database, travel) = (&running.database, running.database.time_travel());
    let [account, short] = ["kept", "short"].map(|hint| running.account(hint));
    travel.age_events(&account.username, 40);
    let aged = travel.events(&account.username).len();
    travel.expire_credentials_months_ago(&short.username, 3);
    assert_eq!(kinds(&purge(database, &[])), [""; 0]);
    assert_eq!(kinds(&purge(database, &["--expired-months", "4", "--events-months", "2"])), [""; 0]);
    let line = purge(database, &["--expired-months", "3", "--events-months", "1"]);
    assert_eq!(kinds(&line), [format!("{aged} other events"), "1 expired accounts".to_owned()]);
    assert_eq!(travel.events(&account.username), [""; 0]);
    assert_eq!(running.login(&account).status, 200);
}

#[test]
fn a_run_goes_in_batches_says_how_far_it_is_and_may_be_interrupted() {
    let running = Running::start();
    let database = &running.database;
    for number in 0..40 {
        let start = running.client.start(&format!("flood-{number}"));
        database.time_travel().expire_start(&start.username);
    }
    let mut command = database.ops(&["purge", "--batch", "1"]);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().expect("it says how far it is").unwrap();
    assert!(first.starts_with("so far: ") && first.ends_with(", 1 pending accounts"), "{first}");
    child.kill().unwrap();
    child.wait().unwrap();
    database.wait_until_the_tool_is_gone();

    let left =
        (0..40).filter(|number| database.time_travel().state(&format!("flood-{number}")).is_some()).count();
    assert!((1..40).contains(&left), "{left} are left");
    let line = purge(database, &["--batch", "7"]);
    assert_eq!(kinds(&line), [format!("{left} pending accounts")]);
}
