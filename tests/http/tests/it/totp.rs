//! `POST /api/totp`: the second factor's secret.

use harness::shared;

#[test]
fn the_secret_is_160_bits_and_the_same_in_every_form() {
    let running = shared();
    let start = running.client.start(&running.username("forms"));
    let _password = running.client.password(&start.reveal);
    let enrolled = running.client.enrolled(&start.enrollment);
    let uri = enrolled.body["otpauth_uri"].as_str().unwrap();
    assert!(uri.contains(&format!("secret={}", enrolled.secret)), "{uri}");
    assert!(uri.starts_with(&format!("otpauth://totp/COFRAP:{}?", start.username)), "{uri}");
    assert_eq!(data_encoding::BASE32_NOPAD.decode(enrolled.secret.as_bytes()).unwrap().len(), 20);
}

#[test]
fn there_is_no_second_factor_before_the_password() {
    let running = shared();
    let start = running.client.start(&running.username("early"));
    running.client.enroll(&start.enrollment).refused(409, "password_not_revealed");
    assert_eq!(running.client.reveal(&start.reveal).status, 200, "nothing was used up");
}

#[test]
fn asking_again_replaces_the_secret_and_only_the_last_one_activates() {
    let running = shared();
    let start = running.client.start(&running.username("tabs"));
    let password = running.client.password(&start.reveal);
    let first = running.client.enrolled(&start.enrollment);
    let second = running.client.enrolled(&start.enrollment);
    assert_ne!(first.secret, second.secret);
    let now = running.database.now();
    let wrong = running.client.confirm(&start.enrollment, &password, &first.authenticator.code_at(now));
    wrong.refused(401, "invalid_credentials");
    let right = running.client.confirm(&start.enrollment, &password, &second.authenticator.code_at(now));
    assert_eq!(right.status, 200);
}

#[test]
fn a_reload_resumes_with_the_enrollment_token_alone() {
    let running = shared();
    let start = running.client.start(&running.username("reload"));
    let password = running.client.password(&start.reveal);
    assert_eq!(running.client.poll(&start.enrollment).ok(200)["revealed"], serde_json::json!(true));
    let _lost = running.client.enrolled(&start.enrollment);
    let phone = running.client.enrolled(&start.enrollment).authenticator;
    let code = phone.code_at(running.database.now());
    assert_eq!(running.client.confirm(&start.enrollment, &password, &code).status, 200);
}

#[test]
fn an_empty_object_is_as_good_as_no_body() {
    let running = shared();
    let start = running.client.start(&running.username("empty"));
    let _password = running.client.password(&start.reveal);
    let answer =
        running.client.post_json("/api/totp", &serde_json::json!({})).bearer(&start.enrollment).send();
    assert_eq!(answer.status, 201);
}

#[test]
fn the_secret_is_never_shown_again_once_it_is_confirmed() {
    let running = shared();
    let account = running.account("confirmed");
    running.client.enroll(&account.start.enrollment).refused(401, "token_invalid");
}
