//! Bad input of every kind, at every address that takes a body: the documented refusal, and not one row changed.

use std::time::Duration;

use harness::deadline::poll;
use harness::quiet;
use harness::situations::{Operation, Person, Situation, operations};
use serde_json::{Map, Value, json};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
/// A body may have 4 KiB (design, section 4).
const BODY_MAX: usize = 4096;

/// An operation that takes a body, and a body that it would look at.
struct Target {
    operation: &'static Operation,
    body: Value,
}

fn targets() -> impl Iterator<Item = Target> {
    let stranger = Person::stranger();
    let taking_a_body = operations().iter().filter(|operation| operation.body_schema().is_some());
    taking_a_body.map(move |operation| {
        // Where none is required, no body at all is as good as an empty object.
        let body = operation.body(&stranger).unwrap_or_else(|| json!({}));
        Target { operation, body }
    })
}

/// Sends to every address with a good Bearer or session where one is needed, and sees that no row changed, of no table.
fn each_refuses(code: &str, status: u16, mut requests: impl FnMut(&Target) -> Vec<Request>) {
    let running = quiet();
    let [enrolled, active] = [Situation::Enrolled, Situation::Active].map(|at| running.person(at));
    let person = Person { bearer: enrolled.bearer, ..active };
    for target in targets() {
        let Operation { name, method, .. } = target.operation;
        let (path, credential) = (target.operation.path(&person), person.header(target.operation.least()));
        for request in requests(&target) {
            let mut headers = request.headers.to_vec();
            headers.extend(credential.as_ref().map(|(name, value)| (*name, value.as_str())));
            let before = running.database.fingerprint();
            let answer = running.client.raw(method, &path, &headers, &request.body);
            let sent: String = String::from_utf8_lossy(&request.body).chars().take(200).collect();
            assert_eq!((answer.status, answer.code().as_str()), (status, code), "{name} {sent:?}");
            assert_eq!(running.database.fingerprint(), before, "{name} {sent:?}");
        }
    }
}

struct Request {
    headers: &'static [(&'static str, &'static str)],
    body: Vec<u8>,
}

fn json_bytes(body: impl Into<Vec<u8>>) -> Request {
    Request { headers: JSON, body: body.into() }
}

#[test]
fn what_is_not_json_is_malformed() {
    each_refuses("malformed_request", 400, |target| {
        let good = target.body.to_string();
        let mut bodies: Vec<Vec<u8>> = vec![
            good[..good.len() - 1].into(),
            format!("{good}{good}").into(),
            format!("{good},").into(),
            good.replace('"', "'").replace("{}", "{x}").into(),
            b"username=bad-input".to_vec(),
            b"{".to_vec(),
            b"nul".to_vec(),
            b"\0".to_vec(),
            b"<?xml version=\"1.0\"?>".to_vec(),
            b"{\"username\":\"a\nb\"}".to_vec(),
            b"{\"username\":\"a\0b\"}".to_vec(),
            b"{\"username\":\"\xff\xfe\"}".to_vec(),
            b"{\"username\":\"\xc0\xaf\"}".to_vec(),
            b"{\"username\":\"\xed\xa0\x80\"}".to_vec(),
            good.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            [good.as_bytes(), b"\0"].concat(),
            b"   ".to_vec(),
        ];
        if target.operation.requires_body() {
            bodies.push(Vec::new());
        }
        bodies.into_iter().map(json_bytes).collect()
    });
}

#[test]
fn json_of_another_type_or_form_is_invalid() {
    each_refuses("invalid_request", 422, |target| {
        let mut bodies =
            vec![json!([]), json!([target.body]), json!("x"), json!(1), json!(null), json!(true)];
        let fields = target.body.as_object().unwrap();
        bodies.push(with(fields, "unknown", json!(1)));
        bodies.push(with(fields, "expires_at", json!("2099-01-01T00:00:00Z")));
        for name in fields.keys() {
            for value in [json!(null), json!(1), json!(true), json!([]), json!({}), json!(["x"])] {
                bodies.push(with(fields, name, value));
            }
            let mut missing = fields.clone();
            let value = missing.remove(name).unwrap();
            missing.insert(name.to_uppercase(), value);
            bodies.push(json!(missing));
        }
        if !fields.is_empty() {
            bodies.push(json!({}));
        }
        bodies.iter().map(|body| json_bytes(body.to_string())).collect()
    });
}

#[test]
fn a_field_of_the_wrong_form_is_invalid() {
    each_refuses("invalid_request", 422, |target| {
        let fields = target.body.as_object().unwrap();
        let mut bodies = Vec::new();
        let codes = [
            "",
            "12345",
            "1234567",
            " 123456",
            "123456 ",
            "123 456",
            "12345a",
            "+12345",
            "-12345",
            "１２３４５６",
            "123456\n",
            "12345\u{0}",
        ];
        let tokens = [
            "",
            "A",
            &"A".repeat(42),
            &"A".repeat(44),
            &"=".repeat(43),
            &"+".repeat(43),
            &format!("{}\n", "A".repeat(42)),
        ];
        let names = ["", "ab", "a b", "-ab", "a\u{0}b", "' OR 1=1 --", &"a".repeat(65)];
        for (field, values) in [("code", &codes[..]), ("token", &tokens), ("username", &names)] {
            // The same fault in the name has a code of its own where accounts are made.
            let other_code = field == "username" && !fields.contains_key("password");
            if fields.contains_key(field) && !other_code {
                bodies.extend(values.iter().map(|value| with(fields, field, json!(value))));
            }
        }
        bodies.iter().map(|body| json_bytes(body.to_string())).collect()
    });
}

#[test]
fn a_body_over_four_kibibytes_is_too_large_whatever_it_says() {
    each_refuses("body_too_large", 413, |target| {
        let padded = |length: usize| {
            let good = target.body.to_string();
            format!("{good}{}", " ".repeat(length - good.len()))
        };
        let nine = with(target.body.as_object().unwrap(), "filler", json!("x".repeat(9 * 1024))).to_string();
        let bodies =
            [padded(BODY_MAX + 1), padded(9 * 1024), nine, "[".repeat(BODY_MAX + 1), "x".repeat(1024 * 1024)];
        bodies.into_iter().map(json_bytes).collect()
    });
}

#[test]
fn a_body_of_exactly_four_kibibytes_is_read() {
    each_refuses("invalid_request", 422, |target| {
        let wrong = with(target.body.as_object().unwrap(), "unknown", json!(1)).to_string();
        vec![json_bytes(format!("{wrong}{}", " ".repeat(BODY_MAX - wrong.len())))]
    });
}

#[test]
fn a_body_of_another_content_type_is_not_supported() {
    each_refuses("unsupported_media_type", 415, |target| {
        let types: [&'static [(&'static str, &'static str)]; 9] = [
            &[],
            &[("content-type", "")],
            &[("content-type", "text/plain")],
            &[("content-type", "text/plain; a=application/json")],
            &[("content-type", "application/x-www-form-urlencoded")],
            &[("content-type", "multipart/form-data; boundary=x")],
            &[("content-type", "application/jsonp")],
            &[("content-type", "application/problem+json")],
            &[("content-type", "application/xml")],
        ];
        types.iter().map(|headers| Request { headers, body: target.body.to_string().into() }).collect()
    });
}

#[test]
fn json_is_known_by_its_type_in_any_case_and_with_a_charset() {
    let running = quiet();
    for content_type in
        ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"]
    {
        let body = json!({ "username": running.username("charset") }).to_string();
        let answer =
            running.client.raw("POST", "/api/password", &[("content-type", content_type)], body.as_bytes());
        assert_eq!(answer.status, 201, "{content_type}");
    }
}

#[test]
fn what_parsers_disagree_about_is_refused_too() {
    let running = quiet();
    let deep = format!("{{\"username\":{}{}}}", "[".repeat(2000), "]".repeat(2000));
    let bodies = [
        r#"{"username":"twice-a","username":"twice-b"}"#,
        r#"{"username":"\ud800"}"#,
        r#"{"username":1e999}"#,
        r#"{"username":"nan","x":NaN}"#,
        &deep,
    ];
    for body in bodies {
        let before = running.database.fingerprint();
        let answer = running.client.raw("POST", "/api/password", JSON, body.as_bytes());
        assert!([400, 422].contains(&answer.status), "{answer:?}");
        assert_eq!(running.database.fingerprint(), before, "{body}");
    }
}

#[test]
fn half_a_body_changes_nothing() {
    let running = quiet();
    for Target { operation, body } in targets() {
        let before = running.database.fingerprint();
        let (path, whole) = (operation.path(&Person::stranger()), body.to_string());
        if let Some(answer) = running.client.half_a_body(&operation.method, &path, JSON, whole.as_bytes()) {
            assert!((400..500).contains(&answer.status), "{path} {answer:?}");
        }
        assert_eq!(running.database.fingerprint(), before, "{path}");
    }
}

#[test]
fn a_typed_name_cannot_forge_a_line_of_the_log() {
    let running = quiet();
    let mark = "forged-line-of-the-log";
    let name = format!("x\r\n\u{1b}[31m{mark}");
    let start = json!({ "username": name });
    let Person { password, code, .. } = Person::stranger();
    let login = json!({ "username": name, "password": password, "code": code });
    for (path, body, code) in
        [("/api/password", start, "invalid_username"), ("/api/login", login, "invalid_request")]
    {
        let before = running.app.log().matches(code).count();
        running.client.post_json(path, &body).send().refused(422, code);
        // A line may come a moment after its answer; the refusal's own is the last one of its request.
        let told = || (running.app.log().matches(code).count() > before).then_some(());
        poll(Duration::from_secs(5), told).expect("the refusal is logged");
    }
    assert!(!running.app.log().contains(mark), "no log line holds what a client typed");
}

fn with(fields: &Map<String, Value>, name: &str, value: Value) -> Value {
    let mut fields = fields.clone();
    fields.insert(name.to_owned(), value);
    json!(fields)
}
