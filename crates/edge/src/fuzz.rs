//! What holds for any input of this crate's parsers. A fuzzer looks for input that breaks it (`fuzz/`); the tests run the
//! same functions over the committed corpus. Compiled for these two only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a property that does not hold"
)]

#[cfg(test)]
#[path = "../../../fuzz/corpus.rs"]
mod corpus;

use std::str::from_utf8;

use domain::PlainToken;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::cookie::{self, SessionCookie};
use crate::problem::Problem;
use crate::public_url::PublicUrl;
use crate::request::{Head, Method, Request};

/// A body as `POST /api/login` takes it.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Body {
    username: String,
    password: String,
    code: String,
}

fn request(headers: &[(&str, &[u8])], body: &[u8]) -> Request {
    let head = Head::new(Method::Post, "/api/login", headers.iter().copied());
    Request::new(head, Zeroizing::new(body.to_vec()))
}

/// A body is an object with exactly the fields of the contract, or it is refused: as no JSON where it is none.
pub fn json_body(data: &[u8]) {
    let request = request(&[("content-type", b"application/json")], data);
    let value = from_utf8(data).ok().and_then(|text| serde_json::from_str::<Value>(text).ok());
    match request.json::<Body>() {
        Ok(body) => {
            assert_eq!(value, Some(serde_json::to_value(&body).unwrap()));
            let again =
                self::request(&[("content-type", b"application/json")], &serde_json::to_vec(&body).unwrap());
            assert!(again.json::<Body>().is_ok_and(|again| again == body));
        }
        // Too deep or too large a number for a value may still be right JSON.
        Err(Problem::MalformedRequest) => assert_eq!(value, None),
        Err(Problem::InvalidRequest) => {}
        Err(_) => panic!("another problem than those of the contract"),
    }
    let is_empty = data.is_empty() || value.is_some_and(|value| value == serde_json::json!({}));
    assert_eq!(request.no_body().is_ok(), is_empty);
}

/// Whatever is sent as `Content-Type`, a body is read only as what it was called, and only one that was called JSON is.
pub fn content_type(data: &[u8]) {
    let request = request(&[("content-type", data)], b"{}");
    if request.no_body().is_ok() {
        let essence = data.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        assert!(essence.eq_ignore_ascii_case(b"application/json"));
        assert!(!data.contains(&b','));
    }
}

/// A session is found only where its token stands, and never where the cookie stands twice.
pub fn cookies(data: &[u8]) {
    let headers = || data.split(|byte| *byte == b'\n');
    let another = [&b"__Host-session="[..], &[b'A'; 43]].concat();
    match cookie::find(headers()) {
        SessionCookie::Absent => {
            let found = cookie::find(headers().chain([&another[..]]));
            assert!(matches!(found, SessionCookie::Token(_)), "one cookie is one cookie");
        }
        SessionCookie::Token(token) => {
            assert!(holds(data, token.to_text().as_bytes()));
            assert!(matches!(cookie::find(headers().chain([&another[..]])), SessionCookie::Invalid));
        }
        SessionCookie::Invalid => {
            assert!(holds(data, b"__Host-session"));
            assert!(matches!(cookie::find(headers().chain([&another[..]])), SessionCookie::Invalid));
        }
    }
}

/// A token is found only at the end of a header that calls it one.
pub fn bearer(data: &[u8]) {
    assert!(matches!(request(&[], b"").bearer(), Ok(None)));
    if let Ok(token) = request(&[("authorization", data)], b"").required_bearer() {
        assert!(data[..7].eq_ignore_ascii_case(b"bearer "));
        assert!(data.ends_with(token.to_text().as_bytes()));
        assert!(data[6..data.len() - 43].iter().all(|byte| *byte == b' '));
        let twice = request(&[("authorization", data), ("authorization", data)], b"");
        assert!(twice.bearer().is_err(), "of two tokens it takes one");
    }
}

/// What parses is an origin in the one spelling that browsers have for it, and a link begins with it.
pub fn public_url(data: &[u8]) {
    let Some(url) = from_utf8(data).ok().and_then(|text| PublicUrl::parse(text).ok()) else { return };
    let origin = url.origin();
    assert_eq!(PublicUrl::parse(origin).as_ref(), Ok(&url), "its own spelling is another");
    assert_eq!(origin.starts_with("https://"), url.is_https());
    let (_, authority) = origin.split_once("://").expect("a scheme");
    assert!(!authority.is_empty());
    assert!(
        authority.bytes().all(|sign| sign.is_ascii_graphic() && !sign.is_ascii_uppercase()),
        "{authority}"
    );
    assert!(!authority.contains(['/', '?', '#', '@', '\\']), "{authority}");
    let token = PlainToken::parse(&"A".repeat(43)).unwrap();
    assert_eq!(url.reveal_url(&token), format!("{origin}/reveal#{}", "A".repeat(43)));
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[test]
fn every_property_holds_over_its_corpus() {
    corpus::replay(&[
        ("json_body", json_body),
        ("content_type", content_type),
        ("cookies", cookies),
        ("bearer", bearer),
        ("public_url", public_url),
    ]);
}
