//! Requests from other sites' pages change nothing.

use harness::app::PUBLIC_URL;
use harness::situations::{Person, operations};
use harness::{quiet, shared};
use serde_json::json;

/// Headers as browsers send them, and whether they come from another site's page.
const ORIGINS: &[(&[(&str, &str)], bool)] = &[
    (&[("sec-fetch-site", "cross-site"), ("origin", "https://evil.test")], true),
    (&[("sec-fetch-site", "cross-site")], true),
    (&[("sec-fetch-site", "same-site"), ("origin", "https://shop.identity.test")], true),
    (&[("sec-fetch-site", "same-site")], true),
    (&[("origin", "https://evil.test")], true),
    (&[("origin", "null")], true),
    (&[("origin", "https://identity.test.evil.test")], true),
    (&[("origin", "http://identity.test")], true),
    (&[("origin", "https://identity.test:8443")], true),
    (&[("sec-fetch-site", "same-origin"), ("origin", PUBLIC_URL)], false),
    (&[("sec-fetch-site", "same-origin")], false),
    (&[("sec-fetch-site", "none")], false),
    (&[("origin", PUBLIC_URL)], false),
    (&[], false),
];

#[test]
fn a_request_that_changes_something_is_refused_from_another_site_and_from_nowhere_else() {
    let running = quiet();
    let before = running.database.fingerprint().without_events();
    for operation in operations().iter().filter(|operation| operation.changes_something()) {
        let path = operation.path(&Person::stranger());
        for (headers, cross_site) in ORIGINS {
            let mut request = running.client.request(&operation.method, &path);
            if operation.body_schema().is_some() {
                // It would be refused for what it says.
                request = request.json(&json!({ "no_such_field": true }));
            }
            let answer =
                headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send();
            if *cross_site {
                answer.refused(403, "cross_site");
            } else {
                assert_ne!(answer.code(), "cross_site", "{} {headers:?}", operation.name);
            }
        }
    }
    assert_eq!(running.database.fingerprint().without_events(), before);
}

#[test]
fn another_sites_page_cannot_log_anybody_out_or_in() {
    let running = shared();
    let account = running.account("csrf");
    let evil = running
        .client
        .delete("/api/session")
        .session(&account.session)
        .header("sec-fetch-site", "cross-site");
    evil.send().refused(403, "cross_site");
    assert_eq!(running.client.session(&account.session).status, 200);

    let code = running.fresh_code(&account);
    let body = json!({ "username": account.username, "password": account.password, "code": code });
    let evil = running.client.post_json("/api/login", &body).header("origin", "https://evil.test").send();
    evil.refused(403, "cross_site");
    assert!(evil.header("set-cookie").is_none());
    assert_eq!(
        running.client.login(&account.username, &account.password, &code).status,
        200,
        "the code is unused"
    );
}

#[test]
fn another_sites_page_can_neither_end_a_session_nor_delete_an_account() {
    let running = shared();
    let account = running.account("csrf-own");
    let code = running.fresh_code(&account);
    let id = running.client.sessions(&account.session).ok(200)[0]["id"].as_str().unwrap().to_owned();
    let body = json!({ "password": account.password, "code": code });
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "null")]
    {
        let client = &running.client;
        let end = client.delete(&format!("/api/sessions/{id}")).session(&account.session);
        let delete = client.delete("/api/account").session(&account.session).json(&body);
        for request in [end, delete] {
            request.header(name, value).send().refused(403, "cross_site");
        }
    }
    let deleted = running.client.delete_account(&account.session, &account.password, &code);
    assert_eq!(deleted.status, 204, "session and code are unused: {deleted:?}");
}

#[test]
fn a_form_of_another_site_cannot_be_sent_as_json() {
    let running = shared();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    {
        let answer =
            running.client.post("/api/password").body(content_type, br#"{"username":"form-sent"}"#).send();
        answer.refused(415, "unsupported_media_type");
    }
}

#[test]
fn no_preflight_is_ever_granted() {
    let running = shared();
    for operation in operations() {
        let path = operation.path(&Person::stranger());
        let preflight = running.client.request("OPTIONS", &path).header("origin", "https://evil.test");
        let answer = preflight.header("access-control-request-method", "POST").send();
        answer.refused(405, "method_not_allowed");
        assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control-")), "{answer:?}");
    }
}
