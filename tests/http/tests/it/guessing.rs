//! The guessing rule (design, section 5) at login.

use harness::journey::another_password;
use harness::{quiet, shared};
use serde_json::json;

use crate::confirm::assert_wait;

#[test]
fn wrong_passwords_lock_nobody_out() {
    let running = quiet();
    let account = running.account("open");
    let wrong = another_password(&account.password);
    let code = running.fresh_code(&account);
    let before = running.database.fingerprint().without_events();
    for _ in 0..30 {
        running.client.login(&account.username, &wrong, &code).refused(401, "invalid_credentials");
    }
    assert_eq!(running.database.fingerprint().without_events(), before, "only events were added");
    assert_eq!(running.client.login(&account.username, &account.password, &code).status, 200);
}

#[test]
fn an_unknown_name_leaves_an_event_and_no_account() {
    let running = quiet();
    let before = running.database.fingerprint();
    let password = "Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!";
    running.client.login("nobody-at-all", password, "123456").refused(401, "invalid_credentials");
    let after = running.database.fingerprint();
    assert_ne!(after, before, "one event was added");
    assert_eq!(after.without_events(), before.without_events());
}

#[test]
fn after_the_fifth_wrong_code_a_right_password_waits_whatever_the_code_is() {
    let running = shared();
    let travel = running.database.time_travel();
    let account = running.account("fifth");
    let login = |code: &str| running.client.login(&account.username, &account.password, code);
    for _ in 0..5 {
        login(&running.wrong_code(&account)).refused(401, "invalid_credentials");
    }
    let right = login(&running.fresh_code(&account));
    right.refused(429, "too_many_attempts");
    assert_wait(&right, 60);
    login(&running.wrong_code(&account)).refused(429, "too_many_attempts");
    let wrong = another_password(&account.password);
    let code = running.code(&account);
    running.client.login(&account.username, &wrong, &code).refused(401, "invalid_credentials");
    assert_eq!(travel.wrong_codes(&account.username), 5, "nothing was counted meanwhile");

    travel.end_wait(&account.username);
    login(&running.wrong_code(&account)).refused(401, "invalid_credentials");
    let second = login(&running.code(&account));
    second.refused(429, "too_many_attempts");
    assert_wait(&second, 120);

    travel.end_wait(&account.username);
    assert_eq!(login(&running.code(&account)).status, 200, "waiting used up no code");
    assert_eq!(travel.wrong_codes(&account.username), 0);
}

#[test]
fn the_wait_doubles_up_to_an_hour() {
    let running = shared();
    let travel = running.database.time_travel();
    let account = running.account("doubles");
    for (count, minutes) in
        [(5, 1), (6, 2), (7, 4), (8, 8), (9, 16), (10, 32), (11, 60), (12, 60), (50, 60), (99, 60)]
    {
        travel.set_wrong_codes(&account.username, count - 1);
        let wrong = running.wrong_code(&account);
        running
            .client
            .login(&account.username, &account.password, &wrong)
            .refused(401, "invalid_credentials");
        let waiting = running.client.login(&account.username, &account.password, &wrong);
        waiting.refused(429, "too_many_attempts");
        assert_wait(&waiting, minutes * 60);
    }
}

#[test]
fn fewer_than_five_in_a_row_wait_for_nothing_and_a_login_starts_the_count_again() {
    let running = shared();
    let account = running.account("typo");
    for _ in 0..2 {
        for _ in 0..4 {
            let wrong = running.wrong_code(&account);
            running
                .client
                .login(&account.username, &account.password, &wrong)
                .refused(401, "invalid_credentials");
        }
        assert_eq!(running.login(&account).status, 200);
        assert_eq!(running.database.time_travel().wrong_codes(&account.username), 0);
    }
}

#[test]
fn the_hundredth_wrong_code_suspends_until_an_operator_releases() {
    let running = shared();
    let travel = running.database.time_travel();
    let account = running.account("hundred");
    travel.set_wrong_codes(&account.username, 99);
    let wrong = running.wrong_code(&account);
    running.client.login(&account.username, &account.password, &wrong).refused(401, "invalid_credentials");
    assert_eq!(travel.state(&account.username).as_deref(), Some("suspended"));
    let code = running.fresh_code(&account);
    let suspended = running.client.login(&account.username, &account.password, &code);
    suspended.refused(403, "account_suspended");
    let other = another_password(&account.password);
    running.client.login(&account.username, &other, &code).refused(401, "invalid_credentials");
    running.client.session(&account.session).refused(401, "session_invalid");

    travel.release(&account.username);
    assert_eq!(running.login(&account).status, 200);
}

#[test]
fn a_suspended_account_whose_credentials_ran_out_is_not_renewed() {
    let running = shared();
    let account = running.account("both-ends");
    running.database.time_travel().suspend(&account.username);
    running.database.time_travel().expire_credentials(&account.username);
    running.login(&account).refused(403, "account_suspended");
}

#[test]
fn expired_credentials_wait_like_any_others_and_right_ones_set_the_count_to_nothing() {
    let running = shared();
    let travel = running.database.time_travel();
    let account = running.account("old-guess");
    travel.expire_credentials(&account.username);
    travel.set_wrong_codes(&account.username, 4);
    let wrong = running.wrong_code(&account);
    running.client.login(&account.username, &account.password, &wrong).refused(401, "invalid_credentials");
    running.login(&account).refused(429, "too_many_attempts");
    travel.end_wait(&account.username);
    running.login(&account).refused(403, "credentials_expired");
    assert_eq!(travel.wrong_codes(&account.username), 0);
}

#[test]
fn every_spelling_of_a_name_counts_on_the_same_account() {
    let running = shared();
    let account = running.account("spelling");
    let spellings =
        [account.username.clone(), account.username.to_uppercase(), format!(" {}", account.username)];
    for name in spellings.iter().cycle().take(5) {
        let wrong = running.wrong_code(&account);
        running.client.login(name, &account.password, &wrong).refused(401, "invalid_credentials");
    }
    running.login(&account).refused(429, "too_many_attempts");
}

#[test]
fn what_failed_is_told_at_the_next_login() {
    let running = shared();
    let account = running.account("told");
    let first = running.login(&account);
    let first_at = running.database.now();
    let wrong = another_password(&account.password);
    let code = running.wrong_code(&account);
    for _ in 0..2 {
        running.client.login(&account.username, &wrong, &code).refused(401, "invalid_credentials");
    }
    running.client.login(&account.username, &account.password, &code).refused(401, "invalid_credentials");
    let second = running.client.session(&running.login(&account).session()).ok(200);
    assert_eq!(second["failed_before"], json!(3));
    let previous = running.database.seconds(second["previous_login_at"].as_str().unwrap());
    assert!(previous.abs_diff(first_at) <= 5, "{second}");
    let third = running.client.session(&running.login(&account).session()).ok(200);
    assert_eq!(third["failed_before"], json!(0));
    assert_eq!(running.client.session(&first.session()).ok(200)["failed_before"], json!(0), "as it was then");
}
