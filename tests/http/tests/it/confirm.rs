//! `POST /api/totp/confirm`: nothing is active that was not checked.

use harness::authenticator::STEP_SECONDS;
use harness::journey::another_password;
use harness::time_travel::Belongings;
use harness::{quiet, shared};

#[test]
fn the_steps_cannot_be_skipped() {
    let running = shared();
    let name = running.username("skip");
    let start = running.client.start(&name);
    let guess = "Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!";
    running.client.confirm(&start.enrollment, guess, "123456").refused(409, "password_not_revealed");
    running.client.login(&name, guess, "123456").refused(401, "invalid_credentials");
    let password = running.client.password(&start.reveal);
    running.client.confirm(&start.enrollment, &password, "123456").refused(409, "totp_not_started");
    running.client.login(&name, &password, "123456").refused(401, "invalid_credentials");
    let phone = running.client.enrolled(&start.enrollment).authenticator;
    let code = phone.code_at(running.database.now());
    running.client.login(&name, &password, &code).refused(401, "invalid_credentials");
    assert_eq!(running.database.time_travel().state(&name).as_deref(), Some("pending"));
    assert_eq!(running.client.confirm(&start.enrollment, &password, &code).status, 200);
    assert_eq!(running.database.time_travel().state(&name).as_deref(), Some("active"));
}

#[test]
fn both_the_password_and_the_code_must_be_right() {
    let running = shared();
    let start = running.client.start(&running.username("both"));
    let password = running.client.password(&start.reveal);
    let phone = running.client.enrolled(&start.enrollment).authenticator;
    let now = running.database.now();
    let (right, wrong) = (phone.code_at(now), phone.wrong_code_at(now));
    let other = another_password(&password);
    for (password, code) in [(&other, &right), (&password, &wrong), (&other, &wrong)] {
        running.client.confirm(&start.enrollment, password, code).refused(401, "invalid_credentials");
    }
    for changed in
        ["", &password[..23], &format!("{password} "), &format!(" {password}"), &password.repeat(100)]
    {
        running.client.confirm(&start.enrollment, changed, &right).refused(401, "invalid_credentials");
    }
    for steps in [2, 3] {
        let old = phone.code_at(now - steps * STEP_SECONDS);
        running.client.confirm(&start.enrollment, &password, &old).refused(401, "invalid_credentials");
    }
    assert_eq!(running.client.confirm(&start.enrollment, &password, &right).status, 200);
}

#[test]
fn a_double_click_activates_once() {
    let running = shared();
    let start = running.client.start(&running.username("double"));
    let password = running.client.password(&start.reveal);
    let phone = running.client.enrolled(&start.enrollment).authenticator;
    let code = phone.code_at(running.database.now());
    assert_eq!(running.client.confirm(&start.enrollment, &password, &code).status, 200);
    running.client.confirm(&start.enrollment, &password, &code).refused(401, "token_invalid");
    let expected = Belongings { accounts: 1, live: 1, unconfirmed: 0, sessions: 1 };
    assert_eq!(running.database.time_travel().belongings(&start.username), expected);
}

#[test]
fn a_wrong_password_at_activation_is_not_counted() {
    let running = shared();
    let start = running.client.start(&running.username("patient"));
    let password = running.client.password(&start.reveal);
    let phone = running.client.enrolled(&start.enrollment).authenticator;
    let code = phone.code_at(running.database.now());
    for _ in 0..25 {
        let answer = running.client.confirm(&start.enrollment, &another_password(&password), &code);
        answer.refused(401, "invalid_credentials");
    }
    assert_eq!(running.client.confirm(&start.enrollment, &password, &code).status, 200);
}

#[test]
fn wrong_codes_make_the_start_wait() {
    let running = shared();
    let start = running.client.start(&running.username("waits"));
    let password = running.client.password(&start.reveal);
    let phone = running.client.enrolled(&start.enrollment).authenticator;
    let now = running.database.now();
    for code in phone.wrong_codes_at(now).take(5) {
        running.client.confirm(&start.enrollment, &password, &code).refused(401, "invalid_credentials");
    }
    let waiting = running.client.confirm(&start.enrollment, &password, &phone.code_at(now));
    waiting.refused(429, "too_many_attempts");
    assert_wait(&waiting, 60);
    assert_eq!(running.client.poll(&start.enrollment).status, 200, "the start goes on");

    running.database.time_travel().end_wait(&start.username);
    let code = phone.code_at(running.database.now());
    assert_eq!(running.client.confirm(&start.enrollment, &password, &code).status, 200);
    assert_eq!(running.database.time_travel().wrong_codes(&start.username), 0, "they counted on the start");
}

#[test]
fn twenty_wrong_codes_end_the_start() {
    let running = shared();
    let start = running.client.start(&running.username("guesser"));
    let password = running.client.password(&start.reveal);
    let phone = running.client.enrolled(&start.enrollment).authenticator;
    running.database.time_travel().set_wrong_codes_of_the_start(&start.username, 19);
    let now = running.database.now();
    let wrong = phone.wrong_code_at(now);
    running.client.confirm(&start.enrollment, &password, &wrong).refused(401, "invalid_credentials");
    running.client.confirm(&start.enrollment, &password, &phone.code_at(now)).refused(401, "token_invalid");
    running.client.poll(&start.enrollment).refused(401, "token_invalid");
    assert_eq!(running.client.start(&start.username).username, start.username, "the name is free");
}

#[test]
fn a_waiting_start_counts_and_uses_up_nothing() {
    let running = quiet();
    let start = running.client.start(&running.username("still"));
    let password = running.client.password(&start.reveal);
    let phone = running.client.enrolled(&start.enrollment).authenticator;
    let now = running.database.now();
    for code in phone.wrong_codes_at(now).take(5) {
        running.client.confirm(&start.enrollment, &password, &code).refused(401, "invalid_credentials");
    }
    let before = running.database.fingerprint().without_events();
    for code in [phone.code_at(now), phone.wrong_code_at(now)] {
        running.client.confirm(&start.enrollment, &password, &code).refused(429, "too_many_attempts");
    }
    let other = another_password(&password);
    running
        .client
        .confirm(&start.enrollment, &other, &phone.code_at(now))
        .refused(401, "invalid_credentials");
    assert_eq!(running.database.fingerprint().without_events(), before);
}

/// A wait of so many seconds was just earned.
pub fn assert_wait(answer: &harness::Answer, seconds: u64) {
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((seconds.saturating_sub(15)..=seconds).contains(&wait), "{wait} instead of {seconds}");
}
