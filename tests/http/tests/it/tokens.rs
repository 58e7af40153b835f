//! Every token is good for its own purpose and for nothing else, wherever it is sent.

use harness::journey::{Account, Start};
use harness::quiet;
use harness::shared::Running;
use serde_json::{Value, json};

/// One live token of each purpose, each of another account.
struct Tokens {
    reveal: Start,
    enrollment: Start,
    renewal: (Account, String),
    session: Account,
}

impl Tokens {
    fn new(running: &Running) -> Self {
        let enrollment = running.client.start(&running.username("cross-enrollment"));
        let _password = running.client.password(&enrollment.reveal);
        let _phone = running.client.enrolled(&enrollment.enrollment);
        let expired = running.account("cross-renewal");
        let renewal = running.renewal_token(&expired);
        Self {
            reveal: running.client.start(&running.username("cross-reveal")),
            enrollment,
            renewal: (expired, renewal),
            session: running.account("cross-session"),
        }
    }
}

#[test]
fn a_token_of_another_purpose_is_refused_everywhere_and_nothing_is_used_up() {
    let running = quiet();
    let tokens = Tokens::new(&running);
    let reveal = (tokens.reveal.username.as_str(), tokens.reveal.reveal.as_str());
    let enrollment = (tokens.enrollment.username.as_str(), tokens.enrollment.enrollment.as_str());
    let renewal = (tokens.renewal.0.username.as_str(), tokens.renewal.1.as_str());
    let session = (tokens.session.username.as_str(), tokens.session.session.as_str());
    let password = "Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!";
    let before = running.database.fingerprint().without_events();

    for (name, token) in [reveal, session] {
        bearer(&running, "POST", "/api/password", token, Some(json!({ "username": name })));
    }
    for (_, token) in [reveal, renewal, session] {
        bearer(&running, "GET", "/api/password", token, None);
        bearer(&running, "POST", "/api/totp", token, None);
        bearer(&running, "POST", "/function/generate-2fa", token, None);
        let confirmation = json!({ "password": password, "code": "123456" });
        bearer(&running, "POST", "/api/totp/confirm", token, Some(confirmation));
    }
    for (_, token) in [enrollment, renewal, session] {
        running.client.reveal(token).refused(404, "token_unknown");
    }
    let id = running.database.time_travel().session_id(session.0);
    for (_, token) in [reveal, enrollment, renewal] {
        running.client.session(token).refused(401, "session_invalid");
        running.client.logout(token).refused(401, "session_invalid");
        running.client.sessions(token).refused(401, "session_invalid");
        running.client.end_session(token, &id).refused(401, "session_invalid");
        running.client.own_account(token).refused(401, "session_invalid");
        running.client.delete_account(token, password, "123456").refused(401, "session_invalid");
    }
    assert_eq!(running.database.fingerprint().without_events(), before);

    assert_eq!(running.client.reveal(reveal.1).status, 200);
    assert_eq!(running.client.poll(enrollment.1).status, 200);
    assert_eq!(running.client.start_with(renewal.0, renewal.1).username, renewal.0);
    assert_eq!(running.client.session(session.1).status, 200);
}

#[test]
fn the_tokens_of_a_finished_start_are_dead_everywhere() {
    let running = quiet();
    let account = running.account("finished");
    let before = running.database.fingerprint().without_events();
    let token = account.start.enrollment.as_str();
    bearer(&running, "POST", "/api/password", token, Some(json!({ "username": account.username })));
    bearer(&running, "GET", "/api/password", token, None);
    bearer(&running, "POST", "/api/totp", token, None);
    let confirmation = json!({ "password": account.password, "code": running.code(&account) });
    bearer(&running, "POST", "/api/totp/confirm", token, Some(confirmation));
    assert_eq!(running.database.fingerprint().without_events(), before);
    assert_eq!(running.login(&account).status, 200);
}

#[test]
fn a_token_in_the_address_is_no_token() {
    let running = quiet();
    let start = running.client.start(&running.username("query"));
    for query in ["token", "access_token", "enrollment_token"] {
        let path = format!("/api/password?{query}={}", start.enrollment);
        running.client.get(&path).send().refused(401, "token_invalid");
    }
}

fn bearer(running: &Running, method: &str, path: &str, token: &str, body: Option<Value>) {
    let mut request = running.client.request(method, path).bearer(token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    request.send().refused(401, "token_invalid");
}
