use super::*;
use futures::executor::block_on;
use futures::stream;
use serde::Serialize;

#[derive(Serialize)]
struct Answer {
    body_bytes: usize,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    length: usize,
}

fn echo(_: &Service, request: &Request) -> Result<Response, Failure> {
    let Input { length } = request.json()?;
    Ok(Response::ok(&Answer { body_bytes: length })?)
}

fn refuse(_: &Service, _: &Request) -> Result<Response, Failure> {
    Err(Problem::SessionInvalid.into())
}

fn fail(_: &Service, _: &Request) -> Result<Response, Failure> {
    Err(Fault::new("the disk is full").into())
}

#[derive(Serialize)]
struct Named<'a> {
    id: &'a str,
}

fn name(_: &Service, request: &Request) -> Result<Response, Failure> {
    Ok(Response::ok(&Named { id: request.last_segment() })?)
}

const ROUTES: &[Route] = &[
    Route::new(Method::Post, "/api/echo", echo),
    Route::new(Method::Get, "/api/session", refuse),
    Route::new(Method::Delete, "/api/session", fail),
    Route::new(Method::Get, "/api/sessions", refuse),
    Route::new(Method::Delete, "/api/sessions/{id}", name),
];

const OURS: &str = "http://localhost:3000";

fn answered(method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Response, Failure> {
    let head = Head::new(method, path, headers.iter().copied());
    let chunks = stream::iter([Ok::<_, ()>(body.to_vec())]);
    let public_url = || PublicUrl::parse(OURS).map_err(|_| Fault::new("no origin"));
    block_on(answer(&Service::new(), head, chunks, ROUTES, public_url)).1
}

fn problem(method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Problem {
    answered(method, path, headers, body).err().unwrap().problem().clone()
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn a_request_reaches_its_handler() {
    let response = answered(Method::Post, "/api/echo?x", &[JSON], b"{\"length\":5}").ok().unwrap();
    assert_eq!(response.body(), b"{\"body_bytes\":5}");
}

#[test]
fn an_unknown_address_is_not_found_whatever_the_method() {
    for path in ["/", "", "/api", "/api/echo/", "/api//echo", "/API/echo", "/api/ech%6f", "/api/session/x"] {
        for method in [Method::Get, Method::Post, Method::Other] {
            assert_eq!(problem(method, path, &[], b""), Problem::NotFound, "{path}");
        }
    }
}

#[test]
fn a_known_address_says_which_methods_it_knows() {
    let not_allowed = |allow: &str| Problem::MethodNotAllowed { allow: allow.to_owned() };
    assert_eq!(problem(Method::Get, "/api/echo", &[], b""), not_allowed("POST"));
    assert_eq!(problem(Method::Head, "/api/echo", &[], b""), not_allowed("POST"));
    assert_eq!(problem(Method::Other, "/api/session", &[], b""), not_allowed("GET, DELETE"));
}

#[test]
fn a_parameter_is_one_segment_as_it_was_sent() {
    for segment in ["x", "{id}", "%2f", "a%20b", "..", "018f-A"] {
        let path = format!("/api/sessions/{segment}?x=/y#/z");
        let response = answered(Method::Delete, &path, &[], b"").ok().unwrap();
        assert_eq!(response.body(), format!("{{\"id\":\"{segment}\"}}").as_bytes());
    }
    for path in
        ["/api/sessions/", "/api/sessions//", "/api/sessions//x", "/api/sessions/x/", "/api/sessions/x/y"]
    {
        for method in [Method::Get, Method::Delete] {
            assert_eq!(problem(method, path, &[], b""), Problem::NotFound, "{path}");
        }
    }
    let not_allowed = |allow: &str| Problem::MethodNotAllowed { allow: allow.to_owned() };
    assert_eq!(problem(Method::Get, "/api/sessions/x", &[], b""), not_allowed("DELETE"));
    assert_eq!(problem(Method::Delete, "/api/sessions", &[], b""), not_allowed("GET"));
}

#[test]
fn the_log_gets_the_route_and_never_the_path() {
    let route = |method| {
        let head = Head::new(method, "/api/sessions/s3cret", [("sec-fetch-site", "cross-site")].into_iter());
        let chunks = stream::iter([Ok::<_, ()>(Vec::new())]);
        let public_url = || PublicUrl::parse(OURS).map_err(|_| Fault::new("no origin"));
        let (route, outcome) = block_on(answer(&Service::new(), head, chunks, ROUTES, public_url));
        (route, outcome.err().unwrap().problem().code())
    };
    assert_eq!(route(Method::Delete), (Some("/api/sessions/{id}"), "cross_site"));
    assert_eq!(route(Method::Post), (Some("/api/sessions/{id}"), "method_not_allowed"));
}

#[test]
fn head_is_no_way_around_get() {
    assert_eq!(problem(Method::Head, "/api/session", &[], b"").code(), "method_not_allowed");
}

#[test]
fn the_address_is_judged_before_the_sender_and_the_sender_before_the_body() {
    let elsewhere = ("sec-fetch-site", "cross-site");
    let long = vec![b' '; 9_000];
    assert_eq!(problem(Method::Post, "/api/none", &[elsewhere], &long), Problem::NotFound);
    assert_eq!(problem(Method::Get, "/api/echo", &[elsewhere], &long).code(), "method_not_allowed");
    assert_eq!(problem(Method::Post, "/api/echo", &[elsewhere], &long), Problem::CrossSite);
    assert_eq!(problem(Method::Post, "/api/echo", &[], &long), Problem::BodyTooLarge);
}

#[test]
fn an_origin_has_to_be_ours() {
    let from = |origin| problem(Method::Post, "/api/echo", &[("origin", origin)], b"");
    assert_eq!(from(OURS), Problem::MalformedRequest);
    for origin in ["http://localhost", "https://localhost:3000", "http://localhost:3001", "null", ""] {
        assert_eq!(from(origin), Problem::CrossSite, "{origin}");
    }
}

#[test]
fn without_a_good_public_url_an_origin_cannot_be_judged() {
    let head = Head::new(Method::Post, "/api/echo", [("origin", OURS)].into_iter());
    let broken = || Err(Fault::new("variable public_url is empty"));
    assert!(matches!(refuse_cross_site(&head, broken), Err(Failure::Fault(_))));
}

#[test]
fn a_fault_is_unavailable() {
    assert_eq!(problem(Method::Delete, "/api/session", &[], b""), Problem::Unavailable);
}
