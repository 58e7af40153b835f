//! Six months later: expiry, and the renewal that follows it or is abandoned.

use harness::journey::text;
use harness::time_travel::Belongings;
use harness::{quiet, shared};
use serde_json::json;

#[test]
fn right_credentials_past_their_end_get_a_renewal_token_and_no_session() {
    let running = shared();
    let travel = running.database.time_travel();
    let account = running.account("sixmonths");
    travel.expire_credentials(&account.username);
    assert_eq!(travel.state(&account.username).as_deref(), Some("active"), "until somebody logs in");
    let code = running.fresh_code(&account);
    let expired = running.client.login(&account.username, &account.password, &code);
    expired.refused(403, "credentials_expired");
    assert!(expired.header("set-cookie").is_none());
    assert_eq!(travel.state(&account.username).as_deref(), Some("expired"));
    running.client.login(&account.username, &account.password, &code).refused(401, "invalid_credentials");
}

#[test]
fn a_renewal_ends_the_old_credentials_and_sessions() {
    let running = shared();
    let travel = running.database.time_travel();
    let old = running.account("renews");
    let id = travel.account_id(&old.username);
    let other_session = running.login(&old).session();
    let token = running.renewal_token(&old);
    let spare_token = running.renewal_token(&old);

    let start = running.client.start_with(&old.username, &token);
    let new = running.activate(start);
    assert_eq!(travel.account_id(&old.username), id, "the same account");
    assert_eq!(travel.state(&old.username).as_deref(), Some("active"));
    let expected = Belongings { accounts: 1, live: 1, unconfirmed: 0, sessions: 1 };
    assert_eq!(travel.belongings(&old.username), expected);
    for session in [&old.session, &other_session] {
        running.client.session(session).refused(401, "session_invalid");
    }
    assert_eq!(running.client.session(&new.session).status, 200);

    let code = running.fresh_code(&new);
    let mixed = [
        (&old.password, running.code(&old)),
        (&old.password, code.clone()),
        (&new.password, running.code(&old)),
    ];
    for (password, code) in mixed {
        running.client.login(&old.username, password, &code).refused(401, "invalid_credentials");
    }
    assert_eq!(running.client.login(&new.username, &new.password, &code).status, 200);
    let dead = running.client.post_json("/api/password", &json!({ "username": old.username }));
    dead.bearer(&spare_token).send().refused(401, "token_invalid");
    let six_months = running.database.six_months_from_now();
    assert!(running.database.seconds(&text(&new.activation, "expires_at")).abs_diff(six_months) <= 5);
}

#[test]
fn an_abandoned_renewal_changes_nothing() {
    let running = shared();
    let travel = running.database.time_travel();
    let account = running.account("abandons");
    let token = running.renewal_token(&account);
    let start = running.client.start_with(&account.username, &token);
    let password = running.client.password(&start.reveal);
    let phone = running.client.enrolled(&start.enrollment).authenticator;
    travel.expire_start(&account.username);
    let code = phone.code_at(running.database.now());
    running.client.confirm(&start.enrollment, &password, &code).refused(401, "token_invalid");
    running.client.login(&account.username, &password, &code).refused(401, "invalid_credentials");
    assert_eq!(travel.state(&account.username).as_deref(), Some("expired"));
    running
        .client
        .post_json("/api/password", &json!({ "username": account.username }))
        .send()
        .refused(409, "username_taken");

    let token = running.renewal_token(&account);
    let renewed = running.activate(running.client.start_with(&account.username, &token));
    assert_eq!(running.login(&renewed).status, 200);
}

#[test]
fn the_old_credentials_stay_good_for_another_renewal_until_the_new_ones_are_confirmed() {
    let running = shared();
    let account = running.account("twophones");
    let token = running.renewal_token(&account);
    let first = running.client.start_with(&account.username, &token);
    let _password = running.client.password(&first.reveal);
    let token = running.renewal_token(&account);
    let second = running.client.start_with(&account.username, &token);
    running.client.poll(&first.enrollment).refused(401, "token_invalid");
    let renewed = running.activate(second);
    assert_eq!(running.login(&renewed).status, 200);
}

#[test]
fn a_renewal_token_is_good_for_one_start() {
    let running = shared();
    let account = running.account("onestart");
    let token = running.renewal_token(&account);
    let start = running.client.start_with(&account.username, &token);
    let again = running
        .client
        .post_json("/api/password", &json!({ "username": account.username }))
        .bearer(&token)
        .send();
    again.refused(401, "token_invalid");
    assert_eq!(running.client.poll(&start.enrollment).status, 200);
}

#[test]
fn a_renewal_token_ends_after_fifteen_minutes() {
    let running = shared();
    let account = running.account("quarter");
    let token = running.renewal_token(&account);
    running.database.time_travel().expire_renewal_tokens(&account.username);
    let late = running
        .client
        .post_json("/api/password", &json!({ "username": account.username }))
        .bearer(&token)
        .send();
    late.refused(401, "token_invalid");
}

#[test]
fn a_renewal_token_of_one_account_starts_no_other_and_is_not_used_up_by_it() {
    let running = quiet();
    let [account, other] = ["mine", "yours"].map(|hint| running.account(hint));
    let token = running.renewal_token(&account);
    let _other_token = running.renewal_token(&other);
    let before = running.database.fingerprint().without_events();
    for name in [&other.username, &running.username("free")] {
        let answer =
            running.client.post_json("/api/password", &json!({ "username": name })).bearer(&token).send();
        answer.refused(401, "token_invalid");
    }
    assert_eq!(running.database.fingerprint().without_events(), before);
    assert_eq!(running.client.start_with(&account.username, &token).username, account.username);
}

#[test]
fn a_new_code_in_a_renewal_leaves_the_old_credentials_as_they_are() {
    let running = shared();
    let account = running.account("recode");
    let token = running.renewal_token(&account);
    let start = running.client.start_with(&account.username, &token);
    let _password = running.client.password(&start.reveal);
    let again = running.client.start_with(&account.username, &start.enrollment);
    running.login(&account).refused(403, "credentials_expired");
    let renewed = running.activate(again);
    assert_eq!(running.login(&renewed).status, 200);
}
