//! `POST /api/password/reveal`: the password is shown once.

use harness::journey::another_token;
use harness::{quiet, shared};
use serde_json::json;

#[test]
fn a_second_reveal_is_told_that_the_code_was_used() {
    let running = shared();
    let start = running.client.start(&running.username("twice"));
    let password = running.client.password(&start.reveal);
    for _ in 0..3 {
        let again = running.client.reveal(&start.reveal);
        again.refused(410, "token_used");
        assert!(!again.text().contains(&password));
    }
}

#[test]
fn a_code_goes_on_saying_that_it_was_used_when_the_account_is_active() {
    let running = shared();
    let account = running.account("spent");
    running.client.reveal(&account.start.reveal).refused(410, "token_used");
}

#[test]
fn an_unknown_token_reveals_nothing() {
    let running = quiet();
    let start = running.client.start(&running.username("guessed"));
    let before = running.database.fingerprint().without_events();
    running.client.reveal(&another_token(&start.reveal)).refused(404, "token_unknown");
    running.client.reveal(&start.enrollment).refused(404, "token_unknown");
    assert_eq!(running.database.fingerprint().without_events(), before);
    assert_eq!(running.client.reveal(&start.reveal).status, 200);
}

#[test]
fn a_code_that_nobody_used_in_time_is_expired() {
    let running = shared();
    let start = running.client.start(&running.username("slow"));
    running.database.time_travel().expire_reveal(&start.username);
    running.client.reveal(&start.reveal).refused(410, "token_expired");
    assert_eq!(running.client.poll(&start.enrollment).ok(200)["revealed"], json!(false));
}

#[test]
fn a_link_preview_spends_nothing() {
    let running = shared();
    let start = running.client.start(&running.username("preview"));
    for method in ["GET", "HEAD"] {
        assert_eq!(running.client.request(method, "/api/password/reveal").send().status, 405);
        assert_eq!(running.client.request(method, "/reveal").send().status, 200);
    }
    assert_eq!(running.client.reveal(&start.reveal).status, 200);
}

#[test]
fn every_password_is_another_one() {
    let running = shared();
    let passwords: std::collections::BTreeSet<String> = (0..5)
        .map(|_| running.client.password(&running.client.start(&running.username("many")).reveal))
        .collect();
    assert_eq!(passwords.len(), 5);
}
