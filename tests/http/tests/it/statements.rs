//! How many statements each request sends: each costs two round trips through Spin.

use harness::journey::another_password;
use harness::{Answer, quiet};

/// No request may send more (issue: no operation more than three).
const MOST: i64 = 3;

#[test]
fn a_login_takes_two_statements_and_nothing_more_than_three() {
    let running = quiet();
    let database = &running.database;
    let client = &running.client;
    let mut counted: Vec<(&str, i64)> = Vec::new();
    let mut count = |name: &'static str, status: u16, request: &dyn Fn() -> Answer| {
        let (answer, statements) = database.count_statements(request);
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        counted.push((name, statements));
        answer
    };
    let name = running.username("counted");
    let start_body = serde_json::json!({ "username": name });
    let start_request = || client.post_json("/api/password", &start_body);

    count("health", 200, &|| client.get("/api/health").send());
    let start = count("start", 201, &|| start_request().send()).json();
    let enrollment = harness::journey::text(&start, "enrollment_token");
    count("start, taken", 409, &|| start_request().send());
    count("poll", 200, &|| client.poll(&enrollment));
    let again = count("new code", 201, &|| start_request().bearer(&enrollment).send()).json();
    let link = harness::journey::text(&again, "reveal_url");
    let token = link.split_once('#').unwrap().1;
    let password = harness::journey::text(&count("reveal", 200, &|| client.reveal(token)).json(), "password");
    count("reveal, used", 410, &|| client.reveal(token));
    let enrolled = count("enroll", 201, &|| client.enroll(&enrollment)).json();
    let phone = harness::Authenticator::scan(enrolled["otpauth_uri"].as_str().unwrap());
    let now = database.now();
    let [wrong, right] = [phone.wrong_code_at(now), phone.code_at(now)];
    count("activate, wrong code", 401, &|| client.confirm(&enrollment, &password, &wrong));
    count("activate", 200, &|| client.confirm(&enrollment, &password, &right));

    database.time_travel().forget_used_steps(&name);
    count("login, unknown", 401, &|| client.login("nobody-there", &password, &right));
    count("login, wrong password", 401, &|| client.login(&name, &another_password(&password), &right));
    count("login, wrong code", 401, &|| client.login(&name, &password, &wrong));
    let right = phone.code_at(database.now());
    let session = count("login", 200, &|| client.login(&name, &password, &right)).session();
    count("login, used code", 401, &|| client.login(&name, &password, &right));
    count("session", 200, &|| client.session(&session));
    let sessions = count("sessions", 200, &|| client.sessions(&session)).json();
    let others = sessions.as_array().unwrap().iter().find(|other| other["current"] == false).unwrap();
    let others = harness::journey::text(others, "id");
    count("end a session", 204, &|| client.end_session(&session, &others));
    count("end a session, over", 404, &|| client.end_session(&session, &others));
    count("account", 200, &|| client.own_account(&session));
    count("logout", 204, &|| client.logout(&session));
    count("account, logged out", 401, &|| client.own_account(&session));
    count("sessions, logged out", 401, &|| client.sessions(&session));
    count("end a session, logged out", 401, &|| client.end_session(&session, &others));
    count("delete, logged out", 401, &|| client.delete_account(&session, &password, &right));
    database.time_travel().forget_used_steps(&name);
    database.time_travel().expire_credentials(&name);
    let expired = count("login, expired", 403, &|| client.login(&name, &password, &right)).json();
    let renewal = harness::journey::text(&expired, "renewal_token");
    count("renew", 201, &|| start_request().bearer(&renewal).send());

    let leaving = running.account("counted-too");
    let delete = |password: &str, code: &str| client.delete_account(&leaving.session, password, code);
    let code = running.fresh_code(&leaving);
    count("delete, wrong password", 401, &|| delete(&another_password(&leaving.password), &code));
    count("delete, wrong code", 401, &|| delete(&leaving.password, &running.wrong_code(&leaving)));
    let code = running.fresh_code(&leaving);
    count("delete", 204, &|| delete(&leaving.password, &code));
    let reserved = serde_json::json!({ "username": leaving.username });
    count("start, reserved", 409, &|| client.post_json("/api/password", &reserved).send());

    for (name, statements) in &counted {
        assert!((1..=MOST).contains(statements), "{name} takes {statements}: {counted:?}");
        if name.starts_with("login") {
            assert_eq!(*statements, 2, "{name}: {counted:?}");
        }
    }
}
