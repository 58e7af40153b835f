//! `static/openapi.yaml` itself: strict, complete, and the same as the table that the components answer from.

use std::collections::BTreeSet;

use harness::contract::Contract;
use harness::shared;
use serde_json::{Value, json};

#[test]
fn the_document_and_the_table_of_problems_promise_the_same() {
    let table: BTreeSet<(String, u16)> =
        edge::table().iter().map(|(code, status)| ((*code).to_owned(), *status)).collect();
    assert_eq!(Contract::get().problems(), table);
}

#[test]
fn a_code_has_one_status() {
    let problems = Contract::get().problems();
    let codes: BTreeSet<&String> = problems.iter().map(|(code, _)| code).collect();
    assert_eq!(codes.len(), problems.len());
}

#[test]
fn every_object_is_closed_and_every_schema_compiles() {
    walk(Contract::get().document(), &mut |value, at| {
        if value.get("type") == Some(&json!("object")) {
            assert_eq!(value.get("additionalProperties"), Some(&json!(false)), "{at}");
            for name in value["required"].as_array().into_iter().flatten() {
                assert!(value["properties"].get(name.as_str().unwrap()).is_some(), "{at}: {name}");
            }
            Contract::get().compile(value).unwrap_or_else(|error| panic!("{at}: {error}"));
        }
    });
}

#[test]
fn every_reference_leads_somewhere() {
    let document = Contract::get().document();
    walk(document, &mut |value, at| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
            assert!(target.is_some(), "{at}: {reference}");
        }
    });
}

#[test]
fn nothing_stands_beside_the_reference_of_a_path() {
    for (path, item) in Contract::get().document()["paths"].as_object().unwrap() {
        let item = item.as_object().unwrap();
        assert!(
            !item.contains_key("$ref") || item.len() == 1,
            "{path}: tools may drop what stands beside $ref"
        );
    }
}

#[test]
fn every_operation_says_all_that_it_may_answer() {
    for (path, method, operation) in Contract::get().operations() {
        let name = format!("{method} {path}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(!responses.contains_key("default"), "{name}");
        assert!(responses.contains_key("503"), "{name}");
        assert!(operation["security"].is_array(), "{name}");
        assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{name}");
        let has = |status: &str| responses.contains_key(status);
        assert_eq!(has("403"), method != "GET", "{name}: what changes something is refused across sites");
        let body = operation.get("requestBody").is_some();
        for status in ["400", "413", "415", "422"] {
            assert_eq!(has(status), body, "{name} {status}");
        }
    }
}

#[test]
fn what_the_document_takes_for_a_token_is_what_the_service_takes_for_one() {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let schema = Contract::get().compile(&json!({ "$ref": "#/components/schemas/Token" })).unwrap();
    let client = &shared().client;
    for last in ALPHABET.chars() {
        let token = format!("{}{last}", "A".repeat(42));
        let answer = client.reveal(&token);
        if schema.is_valid(&json!(token)) {
            answer.refused(404, "token_unknown");
        } else {
            answer.refused(422, "invalid_request");
        }
    }
}

#[test]
fn the_document_is_served_as_it_is() {
    let answer = shared().client.get("/openapi.yaml").send();
    assert_eq!(answer.status, 200);
    let file = std::fs::read(harness::workspace::root().join("static/openapi.yaml")).unwrap();
    assert!(answer.body == file);
}

#[test]
#[should_panic(expected = "the document has no such status")]
fn the_client_notices_a_status_that_is_not_documented() {
    check(418, "application/problem+json", &json!({}));
}

#[test]
#[should_panic(expected = "not documented")]
fn the_client_notices_a_content_type_that_is_not_documented() {
    check(401, "application/json", &json!({}));
}

#[test]
#[should_panic(expected = "not as documented")]
fn the_client_notices_a_code_that_is_not_documented() {
    check(401, "application/problem+json", &problem("token_unknown"));
}

#[test]
#[should_panic(expected = "not as documented")]
fn the_client_notices_a_field_that_is_not_documented() {
    let mut body = problem("session_invalid");
    body["detail"] = json!("x");
    check(401, "application/problem+json", &body);
}

#[test]
fn the_client_accepts_what_is_documented() {
    check(401, "application/problem+json", &problem("session_invalid"));
}

fn problem(code: &str) -> Value {
    json!({ "type": "about:blank", "title": "x", "status": 401, "code": code })
}

/// Shows the client's check an answer of `GET /api/session` that no app gave.
fn check(status: u16, content_type: &str, body: &Value) {
    let headers = [("cache-control", "no-store"), ("content-type", content_type)];
    let answer = harness::Answer {
        status,
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: body.to_string().into_bytes(),
    };
    let exchange =
        harness::client::Exchange { method: "GET", path: "/api/session", body: &[], answer: &answer };
    Contract::get().check(&exchange);
}

/// Calls `visit` for every object of the document that is no example, with where it stands.
fn walk(document: &Value, visit: &mut impl FnMut(&Value, &str)) {
    fn below(value: &Value, at: &str, visit: &mut impl FnMut(&Value, &str)) {
        if let Some(object) = value.as_object() {
            visit(value, at);
            for (key, value) in object.iter().filter(|(key, _)| *key != "examples") {
                below(value, &format!("{at}/{key}"), visit);
            }
        }
        for (index, value) in value.as_array().into_iter().flatten().enumerate() {
            below(value, &format!("{at}/{index}"), visit);
        }
    }
    below(document, "", visit);
}
