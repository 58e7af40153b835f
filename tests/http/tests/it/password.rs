//! `POST /api/password` and `GET /api/password`: starts, names, new codes and the waiting page.

use harness::journey::another_token;
use harness::{quiet, shared};
use serde_json::json;

/// A reveal token lives ten minutes, a start fifteen (design, section 2).
const REVEAL_SECONDS: u64 = 600;
/// What a busy machine may take between two looks at the clock.
const SLACK_SECONDS: u64 = 5;

#[test]
fn a_name_of_the_right_form_is_accepted_and_stored_in_lower_case() {
    let running = shared();
    let unique = running.username("x");
    for typed in [
        format!("{unique}.A_b-9"),
        format!(" {unique}-trimmed\t"),
        format!("{unique}{}", "z".repeat(64 - unique.len())),
    ] {
        assert_eq!(running.client.start(&typed).username, typed.trim().to_lowercase());
    }
}

#[test]
fn a_name_of_the_wrong_form_is_refused() {
    let long = "a".repeat(65);
    let names = [
        "",
        " ",
        "ab",
        &long,
        "-abc",
        "abc-",
        ".abc",
        "abc_",
        "a b",
        "a@b.c",
        "ümlaut",
        "ａｂｃ",
        "abc\u{0}",
        "a\nb",
        "a:b:c",
        "<script>",
    ];
    for name in names {
        let answer = shared().client.post_json("/api/password", &json!({ "username": name })).send();
        answer.refused(422, "invalid_username");
    }
}

#[test]
fn an_existing_name_is_refused_alike_in_every_state_and_its_account_is_untouched() {
    let running = quiet();
    let travel = running.database.time_travel();
    let pending = running.client.start(&running.username("pending")).username;
    let [active, waiting, expired, suspended] =
        ["active", "waiting", "expired", "suspended"].map(|hint| running.account(hint));
    for _ in 0..5 {
        let code = running.wrong_code(&waiting);
        running.client.login(&waiting.username, &waiting.password, &code).refused(401, "invalid_credentials");
    }
    let _token = running.renewal_token(&expired);
    travel.suspend(&suspended.username);

    let before = running.database.fingerprint().without_events();
    let names = [&pending, &active.username, &waiting.username, &expired.username, &suspended.username];
    let taken = |name: &String| {
        let answer =
            running.client.post_json("/api/password", &json!({ "username": name.to_uppercase() })).send();
        answer.refused(409, "username_taken");
        answer.without_date()
    };
    let answers = names.map(taken);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(running.database.fingerprint().without_events(), before);
    assert_eq!(running.login(&active).status, 200);
}

#[test]
fn the_code_ends_after_ten_minutes() {
    let running = shared();
    let start = running.client.start(&running.username("ten"));
    let ends = running.database.seconds(start.body["expires_at"].as_str().unwrap());
    let expected = running.database.now() + REVEAL_SECONDS;
    assert!(ends.abs_diff(expected) <= SLACK_SECONDS, "{}", start.body["expires_at"]);
}

#[test]
fn the_waiting_page_learns_when_the_password_was_revealed() {
    let running = shared();
    let start = running.client.start(&running.username("wait"));
    let waiting = running.client.poll(&start.enrollment).ok(200);
    assert_eq!((&waiting["username"], &waiting["revealed"]), (&json!(start.username), &json!(false)));
    let _password = running.client.password(&start.reveal);
    assert_eq!(running.client.poll(&start.enrollment).ok(200)["revealed"], json!(true));
}

#[test]
fn a_new_code_kills_the_old_code() {
    let running = shared();
    let start = running.client.start(&running.username("again"));
    let again = running.client.start_with(&start.username, &start.enrollment);
    assert_eq!(again.enrollment, start.enrollment);
    assert_ne!(again.reveal, start.reveal);
    running.client.reveal(&start.reveal).refused(404, "token_unknown");
    assert_eq!(running.client.reveal(&again.reveal).status, 200);
}

#[test]
fn a_new_code_kills_the_password_and_the_secret_of_the_old_one() {
    let running = shared();
    let start = running.client.start(&running.username("leaked"));
    let leaked = running.client.password(&start.reveal);
    let old = running.client.enrolled(&start.enrollment).authenticator;

    let again = running.client.start_with(&start.username, &start.enrollment);
    assert_eq!(running.client.poll(&start.enrollment).ok(200)["revealed"], json!(false));
    let code = old.code_at(running.database.now());
    running.client.confirm(&start.enrollment, &leaked, &code).refused(409, "password_not_revealed");
    running.client.enroll(&start.enrollment).refused(409, "password_not_revealed");

    let password = running.client.password(&again.reveal);
    assert_ne!(password, leaked);
    running.client.confirm(&start.enrollment, &password, &code).refused(409, "totp_not_started");
    let phone = running.client.enrolled(&start.enrollment).authenticator;
    let now = running.database.now();
    running
        .client
        .confirm(&start.enrollment, &leaked, &phone.code_at(now))
        .refused(401, "invalid_credentials");
    running
        .client
        .confirm(&start.enrollment, &password, &old.code_at(now))
        .refused(401, "invalid_credentials");
    assert_eq!(running.client.confirm(&start.enrollment, &password, &phone.code_at(now)).status, 200);
}

#[test]
fn a_new_code_after_the_old_one_ran_out_never_outlives_the_start() {
    let running = shared();
    let start = running.client.start(&running.username("late"));
    running.database.time_travel().expire_reveal(&start.username);
    running.client.reveal(&start.reveal).refused(410, "token_expired");
    let again = running.client.start_with(&start.username, &start.enrollment);
    assert_eq!(running.client.reveal(&again.reveal).status, 200);

    running.database.time_travel().start_ends_in(&start.username, 60);
    let last = running.client.start_with(&start.username, &start.enrollment);
    let ends = running.database.seconds(last.body["expires_at"].as_str().unwrap());
    assert!(ends <= running.database.now() + 60, "{}", last.body["expires_at"]);
}

#[test]
fn a_start_past_its_deadline_is_as_if_it_had_never_been() {
    let running = shared();
    let travel = running.database.time_travel();
    let first = running.client.start(&running.username("squatted"));
    let second = running.client.start(&running.username("squatted"));
    let squatted_password = running.client.password(&second.reveal);
    let squatted_phone = running.client.enrolled(&second.enrollment).authenticator;
    for start in [&first, &second] {
        let id = travel.account_id(&start.username);
        travel.expire_start(&start.username);
        running.client.poll(&start.enrollment).refused(401, "token_invalid");
        running.client.enroll(&start.enrollment).refused(401, "token_invalid");
        let again = running.client.post_json("/api/password", &json!({ "username": start.username }));
        again.bearer(&start.enrollment).send().refused(401, "token_invalid");

        let owner = running.activate(running.client.start(&start.username));
        assert_ne!(travel.account_id(&start.username), id, "a new account with a new id");
        running.client.reveal(&start.reveal).refused(404, "token_unknown");
        running.client.poll(&start.enrollment).refused(401, "token_invalid");
        let code = squatted_phone.code_at(running.database.now());
        running.client.confirm(&start.enrollment, &squatted_password, &code).refused(401, "token_invalid");
        running.client.login(&start.username, &squatted_password, &code).refused(401, "invalid_credentials");
        assert_eq!(running.login(&owner).status, 200);
    }
}

#[test]
fn a_bearer_that_is_not_good_is_never_taken_for_none() {
    let running = quiet();
    let other = running.client.start(&running.username("other"));
    let name = running.username("never");
    let before = running.database.fingerprint().without_events();
    let unknown = another_token(&other.enrollment);
    for token in [unknown.as_str(), &other.enrollment, &other.reveal, "short", "", "a b"] {
        let request = running.client.post_json("/api/password", &json!({ "username": name }));
        request.bearer(token).send().refused(401, "token_invalid");
    }
    assert_eq!(running.database.fingerprint().without_events(), before);
    assert_eq!(running.client.start(&name).username, name, "the name is still free");
    assert_eq!(running.client.poll(&other.enrollment).status, 200, "the token was not used up");
}

#[test]
fn the_waiting_page_needs_a_token() {
    let client = &shared().client;
    client.get("/api/password").send().refused(401, "token_invalid");
    client.get("/api/password").header("authorization", "Basic YTpi").send().refused(401, "token_invalid");
    client.get("/api/password").header("authorization", "Bearer").send().refused(401, "token_invalid");
}

#[test]
fn the_answer_holds_no_script_and_the_qr_code_is_svg() {
    let running = shared();
    let start = running.client.start(&running.username("svg"));
    let svg = start.body["qr_svg"].as_str().unwrap();
    assert!(!svg.contains("<script") && !svg.contains("href") && !svg.contains("style="), "{svg}");
    assert!(!svg.contains(&start.reveal), "the token is drawn, not written");
}
