//! One request of each kind, to see what it is told.

use faults::soon;
use harness::deadline::timed;
use harness::shared::Running;
use harness::{Account, Answer};
use serde_json::json;

/// Sends one of each that needs the database, with what is good for it, and says what each was told. (With an account's
/// good session and credentials: what failed open would be a 200.)
pub fn one_of_each(running: &Running, account: &Account) -> Vec<Answer> {
    let client = &running.client;
    let token = &account.start.enrollment;
    let confirmation = json!({ "password": account.password, "code": "123456" });
    let login = json!({ "username": account.username, "password": account.password, "code": "123456" });
    let requests = [
        client.get("/api/health"),
        client.post_json("/api/password", &json!({ "username": running.username("unlucky") })),
        client.post_json("/api/password", &json!({ "username": account.username })).bearer(token),
        client.get("/api/password").bearer(token),
        client.post_json("/api/password/reveal", &json!({ "token": account.start.reveal })),
        client.post("/api/totp").bearer(token),
        client.post_json("/api/totp/confirm", &confirmation).bearer(token),
        client.post_json("/api/login", &login),
        client.get("/api/session").session(&account.session),
        client.delete("/api/session").session(&account.session),
        client.get("/api/sessions").session(&account.session),
        client.delete("/api/sessions/018f4a7e-0000-4000-8000-000000000000").session(&account.session),
        client.get("/api/account").session(&account.session),
        client.delete_account_request(&account.session, &account.password, "123456"),
    ];
    let send = |request: harness::client::Request| {
        let (answer, time) = timed(|| request.send());
        assert!(time < soon(), "{time:?}: {answer:?}");
        answer
    };
    requests.into_iter().map(send).collect()
}

/// Asserts that nothing is served: not even that a session is good, and least of all that one is not.
#[track_caller]
pub fn assert_nothing_is_served(running: &Running, account: &Account) {
    for answer in one_of_each(running, account) {
        answer.refused(503, "unavailable");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
}

/// Asserts that everything of an account is as it was: its session, its credentials, which nothing has counted against.
#[track_caller]
pub fn assert_unharmed(running: &Running, account: &Account) {
    assert_eq!(running.client.session(&account.session).status, 200);
    assert_eq!(running.database.time_travel().wrong_codes(&account.username), 0);
    assert_eq!(running.login(account).status, 200);
}
