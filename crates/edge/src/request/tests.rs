use super::*;
use proptest::prelude::*;

const TOKEN: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    username: String,
    code: String,
}

fn post(headers: &[(&str, &str)], body: &[u8]) -> Request {
    Request::made_of(Method::Post, "/api/login", headers, body)
}

fn login(body: &[u8]) -> Result<Login, Problem> {
    post(JSON, body).json()
}

#[test]
fn a_path_loses_its_query_and_keeps_all_else() {
    for (sent, path) in [
        ("/api/login", "/api/login"),
        ("/api/login?a=/b", "/api/login"),
        ("/api/login#a", "/api/login"),
        ("/api//login/", "/api//login/"),
        ("/api/%6cogin", "/api/%6cogin"),
        ("", ""),
    ] {
        assert_eq!(Request::made_of(Method::Get, sent, &[], b"").path(), path);
    }
}

#[test]
fn an_object_with_exactly_the_fields_is_read() {
    let expected = Login { username: "alice".to_owned(), code: "12\u{0}".to_owned() };
    assert_eq!(login(b" \n{\"code\":\"12\\u0000\",\"username\":\"\\u0061lice\"} "), Ok(expected));
}

#[test]
fn what_is_no_json_in_utf8_is_malformed() {
    let deep = "[".repeat(4_000);
    for body in [
        &b""[..],
        b" ",
        b"{",
        b"{\"username\":\"alice\",",
        b"{\"username\":5",
        b"{\"unknown\":1",
        b"{\"username\":\"alice\",\"code\":\"1\"}}",
        b"{\"username\":\"alice\",\"code\":\"1\"} x",
        b"{'username':'alice'}",
        b"{\"username\":\"a\x00b\",\"code\":\"1\"}",
        b"{\"username\":\"a\nb\",\"code\":\"1\"}",
        b"{\"username\":\"\xff\",\"code\":\"1\"}",
        b"{\"username\":\"\xed\xa0\x80\",\"code\":\"1\"}",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"username=alice&code=1",
        b"NaN",
        deep.as_bytes(),
    ] {
        assert_eq!(login(body), Err(Problem::MalformedRequest), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn json_of_another_shape_is_invalid() {
    let deep = format!("{}{}", "[".repeat(1_500), "]".repeat(1_500));
    let deep_field = format!("{{\"username\":{deep},\"code\":\"1\"}}");
    for body in [
        "{}",
        "null",
        "5",
        "\"alice\"",
        "[]",
        "[\"alice\",\"123456\"]",
        "{\"username\":\"alice\"}",
        "{\"username\":\"alice\",\"code\":123456}",
        "{\"username\":\"alice\",\"code\":null}",
        "{\"username\":[\"alice\"],\"code\":\"1\"}",
        "{\"username\":\"alice\",\"code\":\"1\",\"role\":\"admin\"}",
        "{\"username\":\"alice\",\"code\":\"1\",\"code\":\"1\"}",
        "{\"username\":\"alice\",\"code\":\"1\",\"Username\":\"bob\"}",
        "{\"username\":\"\\ud800\",\"code\":\"1\"}",
        "{\"username\":1e999,\"code\":\"1\"}",
        &deep,
        &deep_field,
    ] {
        assert_eq!(login(body.as_bytes()), Err(Problem::InvalidRequest), "{body}");
    }
}

#[test]
fn only_one_type_of_body_is_read() {
    let body = b"{\"username\":\"alice\",\"code\":\"1\"}";
    for value in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "application/json ; charset=\"utf-8\"",
        "application/json;",
        "application/json; version=1",
    ] {
        assert!(post(&[("content-type", value)], body).json::<Login>().is_ok(), "{value}");
    }
    for value in [
        "",
        "application/json5",
        "application/jsonp",
        "application/problem+json",
        "text/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; application/json",
        "text/plain, application/json",
        "application/json, text/plain",
        "application/json; a=b, text/plain",
        "application/json; charset=latin1",
        "application/json; charset=utf-16",
    ] {
        let refused = post(&[("content-type", value)], body).json::<Login>();
        assert_eq!(refused, Err(Problem::UnsupportedMediaType), "{value}");
    }
}

#[test]
fn a_type_that_is_missing_or_stands_twice_and_a_compressed_body_are_not_read() {
    let json = ("content-type", "application/json");
    for headers in [&[][..], &[json, json], &[json, ("content-encoding", "gzip")]] {
        let refused = post(headers, b"{}").json::<Login>();
        assert_eq!(refused, Err(Problem::UnsupportedMediaType), "{headers:?}");
    }
    let plain = post(&[json, ("content-encoding", "identity")], b"{}").json::<Login>();
    assert_eq!(plain, Err(Problem::InvalidRequest));
}

#[test]
fn no_body_needs_no_type_and_an_operation_without_fields_takes_none() {
    let plain = &[("content-type", "text/plain")][..];
    let login = post(plain, b"").json::<Login>();
    assert_eq!(login, Err(Problem::MalformedRequest));
    for (headers, body, outcome) in [
        (&[][..], &b""[..], Ok(())),
        (plain, b"", Ok(())),
        (JSON, b"", Ok(())),
        (JSON, b"{}", Ok(())),
        (JSON, b" { } ", Ok(())),
        (JSON, b"{\"a\":1}", Err(Problem::InvalidRequest)),
        (JSON, b"[]", Err(Problem::InvalidRequest)),
        (JSON, b"null", Err(Problem::InvalidRequest)),
        (JSON, b"{", Err(Problem::MalformedRequest)),
        (plain, b"{}", Err(Problem::UnsupportedMediaType)),
        (&[], b"{}", Err(Problem::UnsupportedMediaType)),
    ] {
        assert_eq!(post(headers, body).no_body(), outcome);
    }
}

#[test]
fn a_bearer_is_absent_or_one_token_or_refused() {
    let bearer = |values: &[&str]| {
        let headers: Vec<_> = values.iter().map(|value| ("Authorization", *value)).collect();
        post(&headers, b"").bearer().map(|token| token.map(|token| token.to_text().to_string()))
    };
    assert_eq!(bearer(&[]), Ok(None));
    assert_eq!(post(&[], b"").required_bearer().err(), Some(Problem::TokenInvalid));
    let (upper, lower) = (format!("Bearer {TOKEN}"), format!("bearer {TOKEN}"));
    for value in [&upper, &lower, &format!("BEARER   {TOKEN}")] {
        assert_eq!(bearer(&[value]), Ok(Some(TOKEN.to_owned())), "{value}");
    }
    for values in [
        &[""][..],
        &["Bearer"],
        &["Bearer "],
        &[TOKEN],
        &[&format!("Bearer{TOKEN}")],
        &[&format!("Bearer\t{TOKEN}")],
        &[&format!("Bearer {TOKEN}=")],
        &[&format!("Bearer {TOKEN} ")],
        &[&format!("Bearer {TOKEN},")],
        &[&format!("Bearer {TOKEN} {TOKEN}")],
        &[&format!("Bearer {}", &TOKEN[1..])],
        &[&format!("Bearer {}9", &TOKEN[..42])],
        &[&format!("Bearer {}+", &TOKEN[..42])],
        &[&format!("Basic {TOKEN}")],
        &["Basic YWxpY2U6cGFzc3dvcmQ="],
        &["Bearer null"],
        &[&upper, &upper],
        &[&upper, ""],
        &["Basic x", &upper],
    ] {
        assert_eq!(bearer(values), Err(Problem::TokenInvalid), "{values:?}");
    }
}

#[test]
fn a_session_that_is_missing_malformed_or_doubled_is_none() {
    let good = format!("__Host-session={TOKEN}");
    assert_eq!(post(&[("Cookie", &good)], b"").session().unwrap().to_text().as_str(), TOKEN);
    for headers in [&[][..], &[("Cookie", "__Host-session=x")], &[("Cookie", &good), ("Cookie", &good)]] {
        assert_eq!(post(headers, b"").session().err(), Some(Problem::SessionInvalid));
    }
}

#[test]
fn debug_shows_no_header_and_no_body() {
    let request = post(&[("Authorization", TOKEN)], TOKEN.as_bytes());
    assert_eq!(format!("{request:?}"), "POST /api/login");
}

mod body {
    use super::*;
    use futures::executor::block_on;
    use futures::stream;
    use std::cell::Cell;

    fn read(headers: &[(&str, &str)], chunks: Vec<Result<Vec<u8>, ()>>) -> (Result<Vec<u8>, Problem>, usize) {
        let head = Head::new(Method::Post, "/", headers.iter().copied());
        let taken = Cell::new(0);
        let chunks = stream::iter(chunks).inspect(|_| taken.set(taken.get() + 1));
        let body = block_on(read_body(&head, chunks)).map(|body| body.to_vec());
        (body, taken.get())
    }

    #[test]
    fn a_body_is_read_to_its_end() {
        assert_eq!(read(&[], vec![]).0, Ok(vec![]));
        assert_eq!(read(&[], vec![Ok(vec![1, 2]), Ok(vec![]), Ok(vec![3])]).0, Ok(vec![1, 2, 3]));
        let longest = vec![Ok(vec![7; 4_095]), Ok(vec![7])];
        assert_eq!(read(&[("content-length", "4096")], longest).0, Ok(vec![7; 4_096]));
    }

    #[test]
    fn a_byte_too_many_is_too_many_whatever_the_length_said() {
        for headers in [&[][..], &[("content-length", "10")], &[("content-length", "x")]] {
            assert_eq!(read(headers, vec![Ok(vec![7; 4_096]), Ok(vec![7])]).0, Err(Problem::BodyTooLarge));
        }
        assert_eq!(read(&[("content-length", "4097")], vec![Ok(vec![7])]).0, Err(Problem::BodyTooLarge));
        assert_eq!(read(&[("content-length", "4097")], vec![]).0, Err(Problem::BodyTooLarge));
    }

    #[test]
    fn a_body_without_end_is_cut_off() {
        let (body, chunks) = read(&[], vec![Ok(vec![7; 16_384]); 1_000]);
        assert_eq!((body, chunks), (Err(Problem::BodyTooLarge), 5));
    }

    #[test]
    fn a_body_that_breaks_off_is_malformed() {
        assert_eq!(read(&[], vec![Ok(vec![7]), Err(())]).0, Err(Problem::MalformedRequest));
    }
}

proptest! {
    #[test]
    fn any_bytes_as_a_body_get_one_of_two_answers(body in any::<Vec<u8>>()) {
        prop_assert!(matches!(login(&body), Err(Problem::MalformedRequest | Problem::InvalidRequest)));
    }

    #[test]
    fn every_beginning_of_a_json_is_malformed(length in 0_usize..31) {
        let body = b"{\"username\":\"alice\",\"code\":\"1\"}";
        prop_assert_eq!(login(&body[..length]), Err(Problem::MalformedRequest));
    }

    #[test]
    fn any_bytes_as_a_bearer_are_refused_unless_they_are_one(value in any::<Vec<u8>>()) {
        let head = Head::new(Method::Post, "/", std::iter::once(("authorization", value)));
        let request = Request::new(head, Zeroizing::default());
        prop_assert_eq!(request.bearer().err(), Some(Problem::TokenInvalid));
    }
}
