//! `POST /api/login`: one answer for every wrong combination, and every code once.

use harness::authenticator::STEP_SECONDS;
use harness::client::SESSION_COOKIE;
use harness::journey::another_password;
use harness::{Answer, shared};
use serde_json::json;

#[test]
fn the_name_is_compared_trimmed_and_in_lower_case() {
    let running = shared();
    let account = running.account("case");
    let typed = format!(" {}\t", account.username.to_uppercase());
    let code = running.fresh_code(&account);
    let answer = running.client.login(&typed, &account.password, &code);
    assert_eq!(answer.ok(200)["username"], json!(account.username));
}

#[test]
fn the_session_is_a_cookie_that_only_this_origin_and_no_script_gets() {
    let running = shared();
    let account = running.account("cookie");
    let login = running.login(&account);
    let cookie = login.header("set-cookie").unwrap();
    let mut parts = cookie.split("; ");
    let (name, value) = parts.next().unwrap().split_once('=').unwrap();
    assert_eq!((name, value.len()), (SESSION_COOKIE, 43));
    let attributes: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
    for needed in ["httponly", "secure", "samesite=strict", "path=/"] {
        assert!(attributes.iter().any(|attribute| attribute == needed), "{cookie}");
    }
    assert!(!attributes.iter().any(|attribute| attribute.starts_with("domain")), "{cookie}");
    assert!(!login.text().contains(value), "scripts do not get it by the body either");
}

#[test]
fn everything_wrong_gets_the_same_bytes() {
    let running = shared();
    let travel = running.database.time_travel();
    let [account, waiting, expired, renewing, suspended, deleted] =
        ["same", "same-waiting", "same-expired", "same-renewing", "same-suspended", "same-deleted"]
            .map(|hint| running.account(hint));
    let pending = running.client.start(&running.username("same-pending"));
    let pending_password = running.client.password(&pending.reveal);
    let pending_phone = running.client.enrolled(&pending.enrollment).authenticator;
    travel.set_wrong_codes(&waiting.username, 4);
    let code = running.wrong_code(&waiting);
    running.client.login(&waiting.username, &waiting.password, &code).refused(401, "invalid_credentials");
    let _token = running.renewal_token(&expired);
    let renewal = running.client.start_with(&renewing.username, &running.renewal_token(&renewing));
    let renewal_password = running.client.password(&renewal.reveal);
    let renewal_phone = running.client.enrolled(&renewal.enrollment).authenticator;
    travel.suspend(&suspended.username);
    assert_eq!(running.delete(&deleted).status, 204);

    let login = |name: &str, password: &str, code: &str| running.client.login(name, password, code);
    let wrong = another_password(&account.password);
    let used = running.fresh_code(&account);
    assert_eq!(login(&account.username, &account.password, &used).status, 200);
    let code_of = |account: &harness::Account| running.code(account);
    let answers: Vec<(&str, Answer)> = vec![
        ("unknown name", login("nobody-has-this-name", &account.password, &used)),
        (
            "wrong password",
            login(
                &account.username,
                &wrong,
                &account.authenticator.code_at(running.database.now() + STEP_SECONDS),
            ),
        ),
        ("wrong password and code", login(&account.username, &wrong, &running.wrong_code(&account))),
        ("no password", login(&account.username, "", &running.code(&account))),
        ("long password", login(&account.username, &wrong.repeat(100), &running.code(&account))),
        ("wrong code", login(&account.username, &account.password, &running.wrong_code(&account))),
        ("used code", login(&account.username, &account.password, &used)),
        ("another's code", login(&account.username, &account.password, &code_of(&suspended))),
        (
            "pending",
            login(&pending.username, &pending_password, &pending_phone.code_at(running.database.now())),
        ),
        ("renewing, wrong password", login(&renewing.username, &wrong, &code_of(&renewing))),
        (
            "renewing, not confirmed yet",
            login(&renewing.username, &renewal_password, &renewal_phone.code_at(running.database.now())),
        ),
        ("deleted", login(&deleted.username, &deleted.password, &code_of(&deleted))),
        ("waiting, wrong password", login(&waiting.username, &wrong, &code_of(&waiting))),
        ("suspended, wrong password", login(&suspended.username, &wrong, &code_of(&suspended))),
        ("expired, wrong password", login(&expired.username, &wrong, &running.fresh_code(&expired))),
        ("expired, wrong code", login(&expired.username, &expired.password, &running.wrong_code(&expired))),
        ("expired, used code", {
            let used = running.fresh_code(&expired);
            login(&expired.username, &expired.password, &used).refused(403, "credentials_expired");
            login(&expired.username, &expired.password, &used)
        }),
    ];
    let (_, first) = &answers[0];
    first.refused(401, "invalid_credentials");
    for (name, answer) in &answers {
        assert_eq!(answer.without_date(), first.without_date(), "{name}");
    }
}

#[test]
fn a_code_works_once() {
    let running = shared();
    let account = running.account("once");
    let code = running.fresh_code(&account);
    assert_eq!(running.client.login(&account.username, &account.password, &code).status, 200);
    for _ in 0..2 {
        let again = running.client.login(&account.username, &account.password, &code);
        again.refused(401, "invalid_credentials");
    }
    assert_eq!(running.database.time_travel().wrong_codes(&account.username), 0, "a used code is no guess");
}

#[test]
fn an_older_code_is_refused_after_a_newer_one() {
    let running = shared();
    let account = running.account("older");
    running.database.time_travel().forget_used_steps(&account.username);
    let now = running.database.now();
    let [older, newer] = [now, now + STEP_SECONDS].map(|time| account.authenticator.code_at(time));
    assert_eq!(running.client.login(&account.username, &account.password, &newer).status, 200);
    running.client.login(&account.username, &account.password, &older).refused(401, "invalid_credentials");
}

#[test]
fn a_wrong_password_uses_up_no_code() {
    let running = shared();
    let account = running.account("kept");
    let code = running.fresh_code(&account);
    let wrong = another_password(&account.password);
    running.client.login(&account.username, &wrong, &code).refused(401, "invalid_credentials");
    assert_eq!(running.client.login(&account.username, &account.password, &code).status, 200);
}

#[test]
fn codes_more_than_a_step_away_are_wrong() {
    let running = shared();
    let account = running.account("window");
    running.database.time_travel().forget_used_steps(&account.username);
    let now = running.database.now();
    // Three steps, not two: the service may look at its clock a step later than this test.
    for time in [now - 3 * STEP_SECONDS, now + 3 * STEP_SECONDS] {
        let code = account.authenticator.code_at(time);
        running.client.login(&account.username, &account.password, &code).refused(401, "invalid_credentials");
    }
}

#[test]
fn the_password_is_compared_exactly() {
    let running = shared();
    let account = running.account("exact");
    let letter = account.password.find(|character: char| character.is_ascii_alphabetic()).unwrap();
    let mut folded = account.password.clone().into_bytes();
    folded[letter] ^= 0x20;
    let folded = String::from_utf8(folded).unwrap();
    let code = running.fresh_code(&account);
    running.client.login(&account.username, &folded, &code).refused(401, "invalid_credentials");
    for changed in
        [&account.password[..23], &format!("{} ", account.password), &format!(" {}", account.password)]
    {
        let answer = running.client.login(&account.username, changed, &code);
        answer.refused(401, "invalid_credentials");
    }
    assert_eq!(running.client.login(&account.username, &account.password, &code).status, 200);
}

#[test]
fn every_login_opens_another_session_and_no_chosen_one() {
    let running = shared();
    let account = running.account("fixed");
    let chosen = "A".repeat(43);
    let code = running.fresh_code(&account);
    let body = json!({ "username": account.username, "password": account.password, "code": code });
    let first = running.client.post_json("/api/login", &body).session(&chosen).send();
    assert_eq!(first.status, 200);
    let second = running.login(&account);
    assert_ne!(first.session(), chosen);
    assert_ne!(first.session(), second.session());
    running.client.session(&chosen).refused(401, "session_invalid");
    assert_eq!(running.client.session(&first.session()).status, 200);
}
