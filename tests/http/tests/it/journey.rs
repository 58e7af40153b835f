//! The journey from the first request to the logout, in one piece, as the contract's reader would write it.

use harness::app::PUBLIC_URL;
use harness::authenticator::STEP_SECONDS;
use harness::shared;
use serde_json::json;

#[test]
fn an_account_is_made_used_and_left() {
    let running = shared();
    let (client, database) = (&running.client, &running.database);
    let name = running.username("ada");

    let start = client.start(&format!("  {} ", name.to_uppercase()));
    assert_eq!(start.username, name, "trimmed and in lower case");
    assert_eq!(start.body["reveal_url"], json!(format!("{PUBLIC_URL}/reveal#{}", start.reveal)));
    assert_eq!(client.poll(&start.enrollment).ok(200)["revealed"], json!(false));

    let revealed = client.reveal(&start.reveal).ok(200);
    assert_eq!(revealed["username"], json!(name));
    let password = revealed["password"].as_str().unwrap();
    assert_four_classes(password);
    assert_eq!(client.poll(&start.enrollment).ok(200)["revealed"], json!(true));
    client.reveal(&start.reveal).refused(410, "token_used");

    let enrolled = client.enrolled(&start.enrollment);
    let phone = &enrolled.authenticator;
    assert_eq!((phone.issuer(), phone.account_name()), (Some("COFRAP"), name.as_str()));
    assert_eq!(enrolled.body["username"], json!(name));

    let now = database.now();
    let activated = client.confirm(&start.enrollment, password, &phone.code_at(now));
    let expires_at = activated.ok(200)["expires_at"].as_str().unwrap().to_owned();
    assert!(database.six_months_from_now().abs_diff(database.seconds(&expires_at)) <= 5, "{expires_at}");
    assert_eq!(client.session(&activated.session()).ok(200)["username"], json!(name));
    client.poll(&start.enrollment).refused(401, "token_invalid");

    client.login(&name, password, &phone.code_at(now)).refused(401, "invalid_credentials");
    let login = client.login(&name, password, &phone.code_at(now + STEP_SECONDS));
    let body = login.ok(200);
    assert_eq!((&body["username"], &body["expires_at"]), (&json!(name), &json!(expires_at)));
    let session = login.session();
    assert_eq!(client.session(&session).ok(200)["expires_at"], json!(expires_at));

    let logout = client.logout(&session);
    assert_eq!(logout.status, 204, "{logout:?}");
    client.session(&session).refused(401, "session_invalid");
    client.logout(&session).refused(401, "session_invalid");
    assert_eq!(client.session(&activated.session()).status, 200, "the other session goes on");
}

#[test]
fn every_step_leaves_one_event() {
    let running = shared();
    let account = running.account("traced");
    let login = running.login(&account);
    let logout = running.client.logout(&login.session());
    assert_eq!(logout.status, 204);
    assert_eq!(
        running.database.time_travel().events(&account.username),
        ["start/ok", "reveal/ok", "enroll/ok", "activate/ok", "login/ok", "logout/ok"]
    );
}

#[test]
fn the_journey_works_at_the_addresses_of_openfaas_too() {
    let running = shared();
    let name = running.username("faas");
    let answer = running.client.post_json("/function/generate-password", &json!({ "username": name })).send();
    let enrollment = harness::journey::text(&answer.ok(201), "enrollment_token");
    let link = harness::journey::text(&answer.json(), "reveal_url");
    let password = running.client.password(link.split_once('#').unwrap().1);

    let enrolled = running.client.post("/function/generate-2fa").bearer(&enrollment).send().ok(201);
    let phone = harness::Authenticator::scan(enrolled["otpauth_uri"].as_str().unwrap());
    let now = running.database.now();
    assert_eq!(running.client.confirm(&enrollment, &password, &phone.code_at(now)).status, 200);

    let credentials =
        json!({ "username": name, "password": password, "code": phone.code_at(now + STEP_SECONDS) });
    let login = running.client.post_json("/function/authenticate-user", &credentials).send();
    assert_eq!(login.ok(200)["status"], json!("authenticated"));
    assert_eq!(running.client.session(&login.session()).status, 200);
}

fn assert_four_classes(password: &str) {
    assert_eq!(password.len(), 24);
    assert!(password.bytes().any(|byte| byte.is_ascii_uppercase()));
    assert!(password.bytes().any(|byte| byte.is_ascii_lowercase()));
    assert!(password.bytes().any(|byte| byte.is_ascii_digit()));
    assert!(password.bytes().any(|byte| byte.is_ascii_punctuation()));
}
