//! `GET` and `DELETE /api/account`: what is stored about oneself, and its end.

use harness::dump::gives_away;
use harness::journey::{Account, another_password, text};
use harness::time_travel::Belongings;
use harness::{Answer, App, quiet, shared};
use serde_json::{Value, json};

use crate::confirm::assert_wait;

const NOTHING: Belongings = Belongings { accounts: 0, live: 0, unconfirmed: 0, sessions: 0 };

fn kinds(account: &Value) -> Vec<String> {
    let events = account["events"].as_array().unwrap();
    events.iter().map(|event| format!("{}/{}", text(event, "kind"), text(event, "outcome"))).collect()
}

#[test]
fn an_account_shows_its_owner_all_that_is_stored() {
    let running = shared();
    let account = running.account("shows");
    let _stranger = running.account("shows-not");
    let session = running.login(&account).session();
    let login_at = running.database.now();
    for _ in 0..5 {
        let wrong = running.wrong_code(&account);
        let refused = running.client.login(&account.username, &account.password, &wrong);
        refused.refused(401, "invalid_credentials");
    }
    let shown = running.client.own_account(&session).ok(200);
    assert_eq!(shown["username"], json!(account.username));
    assert_eq!((&shown["state"], &shown["wrong_codes"]), (&json!("active"), &json!(5)));
    assert_eq!(shown["credential"]["expires_at"], account.activation["expires_at"]);
    assert_eq!(shown["unconfirmed_credential"], Value::Null);
    let near = |field: &Value, expected: u64, slack: u64| {
        let at = running.database.seconds(field.as_str().unwrap());
        assert!(at.abs_diff(expected) <= slack, "{field} and {expected}: {shown}");
    };
    near(&shown["last_login_at"], login_at, 5);
    near(&shown["locked_until"], login_at + 60, 10);
    near(&shown["created_at"], login_at, 60);
    near(&shown["credential"]["revealed_at"], login_at, 60);
    near(&shown["credential"]["last_code_at"], login_at, 60);
    // Both are looks of the same session, so that only the last use may differ.
    let sessions = running.client.sessions(&session).ok(200);
    assert_eq!(shown["sessions"].as_array().unwrap().len(), 2);
    for (one, other) in shown["sessions"].as_array().unwrap().iter().zip(sessions.as_array().unwrap()) {
        for field in ["id", "created_at", "current"] {
            assert_eq!(one[field], other[field], "{shown}");
        }
    }
    let mut expected = vec!["login/wrong_code_locks"];
    expected.extend(["login/wrong_code"; 4]);
    expected.extend(["login/ok", "activate/ok", "enroll/ok", "reveal/ok", "start/ok"]);
    assert_eq!(kinds(&shown), expected);
    assert_eq!(shown["older_events"], json!(0));
}

#[test]
fn what_is_shown_opens_nothing() {
    let running = shared();
    let account = running.account("opens-nothing");
    let login = running.login(&account).session();
    let shown = running.client.own_account(&login).text().to_owned();
    let Account { password, secret, session, start, .. } = &account;
    for told in [password, secret, session, &login, &start.enrollment, &start.reveal] {
        assert!(!gives_away(&shown, told), "{shown}");
    }
    let id = running.database.time_travel().account_id(&account.username);
    assert!(!shown.contains(&id), "what events are kept under when the name is gone");
}

#[test]
fn a_flood_of_events_is_shown_in_part_and_counted_up_to_a_bound() {
    let running = shared();
    let account = running.account("flooded");
    let travel = running.database.time_travel();
    travel.add_old_events(&account.username, 1_500);
    let shown = running.client.own_account(&account.session).ok(200);
    assert_eq!(shown["events"].as_array().unwrap().len(), 1_000);
    assert_eq!(
        kinds(&shown)[..5],
        ["activate/ok", "enroll/ok", "reveal/ok", "start/ok", "login/wrong_password"]
    );
    assert_eq!(shown["older_events"], json!(504));
    travel.add_old_events(&account.username, 20_000);
    let shown = running.client.own_account(&account.session).ok(200);
    assert_eq!((shown["events"].as_array().unwrap().len(), &shown["older_events"]), (1_000, &json!(10_000)));
}

#[test]
fn looking_at_an_account_needs_a_session_and_is_a_use_of_it() {
    let running = shared();
    let travel = running.database.time_travel();
    let account = running.account("looks-at");
    running.client.get("/api/account").send().refused(401, "session_invalid");
    running.client.get("/api/account").bearer(&account.session).send().refused(401, "session_invalid");
    running
        .client
        .own_account(&harness::journey::another_token(&account.session))
        .refused(401, "session_invalid");
    for _ in 0..2 {
        travel.sessions_idle_for_minutes(&account.username, 59);
        assert_eq!(running.client.own_account(&account.session).status, 200);
        let ends = text(&running.client.session(&account.session).ok(200), "session_expires_at");
        assert!(running.database.seconds(&ends) > running.database.now() + 3_500, "{ends}");
    }
    travel.expire_credentials(&account.username);
    running.client.own_account(&account.session).refused(401, "session_invalid");
    running.delete(&account).refused(401, "session_invalid");
    assert_eq!(travel.belongings(&account.username).accounts, 1);
}

#[test]
fn a_deleted_account_is_gone_with_all_that_was_its_own() {
    let running = shared();
    let replica = App::start(&running.database);
    let travel = running.database.time_travel();
    let account = running.account("goes");
    let stranger = running.account("stays");
    let id = travel.account_id(&account.username);
    let other = running.login(&account).session();
    let theirs = travel.belongings(&stranger.username);

    let deleted = running.delete(&account);
    assert_eq!(deleted.status, 204, "{deleted:?}");
    let cookie = deleted.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-session=; ") && cookie.contains("Max-Age=0"), "{cookie}");
    assert_eq!(travel.belongings(&account.username), NOTHING);
    for client in [&running.client, &replica.client()] {
        for session in [&account.session, &other] {
            client.session(session).refused(401, "session_invalid");
            client.own_account(session).refused(401, "session_invalid");
        }
        let code = running.code(&account);
        client.login(&account.username, &account.password, &code).refused(401, "invalid_credentials");
        client.delete_account(&account.session, &account.password, &code).refused(401, "session_invalid");
    }
    running.client.reveal(&account.start.reveal).refused(404, "token_unknown");
    running.client.poll(&account.start.enrollment).refused(401, "token_invalid");
    assert_eq!(
        travel.events_of_id(&id),
        ["start/ok", "reveal/ok", "enroll/ok", "activate/ok", "login/ok", "delete/ok"]
    );
    assert_eq!(travel.belongings(&stranger.username), theirs);
    assert_eq!(running.client.session(&stranger.session).status, 200);
}

#[test]
fn the_name_of_a_deleted_account_is_stored_nowhere_and_taken_in_every_spelling_for_a_year() {
    let running = shared();
    let account = running.account("erased");
    let name = account.username.clone();
    assert_eq!(running.delete(&account).status, 204);
    assert!(!running.database.dump().contains(&name), "the dump holds the name");
    let start = |typed: &str| running.client.post_json("/api/password", &json!({ "username": typed })).send();
    let refused: Vec<Answer> =
        [name.clone(), name.to_uppercase(), format!(" {name}\t")].iter().map(|typed| start(typed)).collect();
    let taken = running.account("not-erased").username;
    for answer in refused {
        answer.refused(409, "username_taken");
        assert_eq!(answer.without_date(), start(&taken).without_date(), "as for an account that is there");
    }
    assert_eq!(
        running.client.start(&format!("{name}x")).username,
        format!("{name}x"),
        "a longer name is another"
    );

    running.database.time_travel().end_reservation(&name);
    let again = running.activate(running.client.start(&name));
    assert_eq!(running.delete(&again).status, 204, "and a second time");
    start(&name).refused(409, "username_taken");
}

#[test]
fn a_deletion_is_refused_with_the_bytes_of_a_login() {
    let running = shared();
    let account = running.account("refused");
    let delete = |password: &str, code: &str| running.client.delete_account(&account.session, password, code);
    let login = running.client.login("nobody-has-this-name", &account.password, "123456");
    let used = running.fresh_code(&account);
    assert_eq!(running.client.login(&account.username, &account.password, &used).status, 200);
    let wrong = another_password(&account.password);
    for (what, answer) in [
        ("used code", delete(&account.password, &used)),
        ("wrong password", delete(&wrong, &running.fresh_code(&account))),
        ("wrong code", delete(&account.password, &running.wrong_code(&account))),
        ("wrong password and code", delete(&wrong, &running.wrong_code(&account))),
        ("no password", delete("", &running.code(&account))),
        ("cut password", delete(&account.password[..23], &running.code(&account))),
    ] {
        answer.refused(401, "invalid_credentials");
        assert_eq!(answer.without_date(), login.without_date(), "{what}");
    }
    let travel = running.database.time_travel();
    assert_eq!(travel.wrong_codes(&account.username), 1);
    assert_eq!(
        travel.events(&account.username)[5..],
        [
            "delete/reused_code",
            "delete/wrong_password",
            "delete/wrong_code",
            "delete/wrong_password",
            "delete/wrong_password",
            "delete/wrong_password"
        ]
    );
    let session = running.client.session(&running.login(&account).session()).ok(200);
    assert_eq!(session["failed_before"], json!(6), "the next login tells of them");
    assert_eq!(running.delete(&account).status, 204, "nothing was used up");
}

#[test]
fn wrong_passwords_at_a_deletion_change_no_row_but_the_sessions_use() {
    let running = quiet();
    let account = running.account("row");
    let row = || running.database.time_travel().account_row(&account.username);
    let before = row();
    let code = running.fresh_code(&account);
    for _ in 0..10 {
        let wrong = another_password(&account.password);
        running.client.delete_account(&account.session, &wrong, &code).refused(401, "invalid_credentials");
    }
    assert_eq!(row(), before);
}

#[test]
fn wrong_codes_at_a_deletion_wait_with_those_of_the_logins_and_suspend() {
    let running = shared();
    let travel = running.database.time_travel();
    let account = running.account("guesses-too");
    let delete = |code: &str| running.client.delete_account(&account.session, &account.password, code);
    for _ in 0..3 {
        delete(&running.wrong_code(&account)).refused(401, "invalid_credentials");
    }
    let login = |code: &str| running.client.login(&account.username, &account.password, code);
    for _ in 0..2 {
        login(&running.wrong_code(&account)).refused(401, "invalid_credentials");
    }
    let right = running.fresh_code(&account);
    for waiting in [delete(&right), login(&right), delete(&running.wrong_code(&account))] {
        waiting.refused(429, "too_many_attempts");
        assert_wait(&waiting, 60);
    }
    let wrong = another_password(&account.password);
    running.client.delete_account(&account.session, &wrong, &right).refused(401, "invalid_credentials");
    assert_eq!(travel.wrong_codes(&account.username), 5, "nothing was counted meanwhile");

    travel.set_wrong_codes(&account.username, 99);
    delete(&running.wrong_code(&account)).refused(401, "invalid_credentials");
    assert_eq!(travel.state(&account.username).as_deref(), Some("suspended"));
    delete(&running.fresh_code(&account)).refused(401, "session_invalid");
    running.login(&account).refused(403, "account_suspended");
    travel.release(&account.username);
    let session = running.login(&account).session();
    let code = running.fresh_code(&account);
    assert_eq!(running.client.delete_account(&session, &account.password, &code).status, 204);
}

#[test]
fn a_deletion_needs_a_session_of_the_account_whatever_else_is_right() {
    let running = quiet();
    let account = running.account("needs");
    let stranger = running.account("needs-not");
    let code = running.fresh_code(&account);
    let before = running.database.fingerprint().without_events();
    let body = json!({ "password": account.password, "code": code });
    running.client.delete("/api/account").json(&body).send().refused(401, "session_invalid");
    let bearer = running.client.delete("/api/account").bearer(&account.session).json(&body);
    bearer.send().refused(401, "session_invalid");
    for cookie in ["", "x", &harness::journey::another_token(&account.session)] {
        running.client.delete_account(cookie, &account.password, &code).refused(401, "session_invalid");
    }
    assert_eq!(running.database.fingerprint().without_events(), before);
    // With another's session these are another's password and code.
    let answer = running.client.delete_account(&stranger.session, &account.password, &code);
    answer.refused(401, "invalid_credentials");
    assert_eq!(running.client.delete_account(&account.session, &account.password, &code).status, 204);
    assert_eq!(running.client.session(&stranger.session).status, 200);
}

#[test]
fn an_operator_removes_an_account_whose_owner_starts_again_at_once() {
    let running = shared();
    let travel = running.database.time_travel();
    let account = running.account("lost-phone");
    let id = travel.account_id(&account.username);
    assert!(travel.remove(&account.username));
    assert!(!travel.remove(&account.username), "there is none any more");
    assert_eq!(travel.belongings(&account.username), NOTHING);
    running.client.session(&account.session).refused(401, "session_invalid");
    assert_eq!(travel.events_of_id(&id).last().map(String::as_str), Some("remove/ok"));
    let again = running.activate(running.client.start(&account.username));
    assert_eq!(running.login(&again).status, 200);
}
