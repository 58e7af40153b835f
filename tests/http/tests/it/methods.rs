//! Addresses and methods that the contract does not list.

use std::collections::BTreeSet;

use harness::contract::Contract;
use harness::shared;
use serde_json::json;

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];

#[test]
fn every_other_method_is_refused_and_told_which_there_are() {
    let operations = Contract::get().operations();
    let paths: BTreeSet<&String> = operations.iter().map(|(path, _, _)| path).collect();
    for path in paths {
        let of_path = operations.iter().filter(|(other, _, _)| other == path);
        let listed: BTreeSet<&str> = of_path.map(|(_, method, _)| method.as_str()).collect();
        for method in METHODS.iter().filter(|method| !listed.contains(*method)) {
            let sent = path.replace("{id}", "018f4a7e-0000-4000-8000-000000000000");
            let answer = shared().client.request(method, &sent).send();
            assert_eq!(answer.status, 405, "{method} {path}");
            let allowed: BTreeSet<&str> = answer.header("allow").unwrap().split(", ").collect();
            assert_eq!(allowed, listed, "{method} {path}");
            if *method == "HEAD" {
                assert!(answer.body.is_empty());
            }
        }
    }
}

#[test]
fn an_address_that_the_api_does_not_have_is_not_found() {
    for path in [
        "/api",
        "/api/",
        "/api/x",
        "/api/password/",
        "/api/password/reveal/x",
        "/api//login",
        "/api/LOGIN",
        "/api/login/x",
        "/api/health/live",
        "/api/sessions/",
        "/api/sessions//",
        "/api/sessions/x/",
        "/api/sessions/x/y",
        "/api/session/x",
        "/api/account/",
        "/api/account/x",
        "/function",
        "/function/",
        "/function/x",
        "/function/generate-password/x",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            shared().client.request(method, path).send().refused(404, "not_found");
        }
    }
}

#[test]
fn the_query_of_an_address_changes_nothing() {
    let answer = shared().client.get("/api/session?x=/api/health").send();
    answer.refused(401, "session_invalid");
    assert_eq!(shared().client.get("/api/health?deep=1").send().status, 200);
}

#[test]
fn headers_that_claim_to_be_spins_own_change_nothing() {
    let running = shared();
    let answer = running
        .client
        .post_json("/api/password", &json!({ "username": running.username("spoofed") }))
        .header("spin-path-info", "/reveal")
        .header("spin-full-url", "http://evil.test/api/health")
        .header("host", "evil.test")
        .header("x-forwarded-host", "evil.test")
        .header("forwarded", "host=evil.test")
        .send();
    assert!(!answer.ok(201).to_string().contains("evil"), "{answer:?}");
}

#[test]
fn the_aliases_refuse_as_the_addresses_do() {
    let client = &shared().client;
    let pairs = [
        ("/api/password", "/function/generate-password"),
        ("/api/totp", "/function/generate-2fa"),
        ("/api/login", "/function/authenticate-user"),
    ];
    for (path, alias) in pairs {
        for body in [json!({}), json!([]), json!({ "username": "ab" }), json!({ "x": 1 })] {
            let [one, other] = [path, alias].map(|path| client.post_json(path, &body).send().without_date());
            assert_eq!(one, other, "{path} {body}");
        }
        let [one, other] = [path, alias].map(|path| client.post(path).send().without_date());
        assert_eq!(one, other, "{path}");
    }
}

#[test]
fn a_replica_that_can_serve_says_so() {
    assert_eq!(shared().client.get("/api/health").send().ok(200), json!({ "status": "ok" }));
}
