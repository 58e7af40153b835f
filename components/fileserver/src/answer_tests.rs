//! What a client sees, over a folder in memory.

use super::{Answer, Request, answer};
use std::io::Read;

const INDEX: &str = "<!doctype html><title>COFRAP</title>";

fn script() -> String {
    "export const greeting = \"bonjour\";\n".repeat(100)
}

fn folder(file: &str) -> Option<Vec<u8>> {
    match file {
        "index.html" => Some(INDEX.into()),
        "404.html" => Some("<!doctype html><title>Page introuvable</title>".into()),
        "js/api.js" => Some(script().into()),
        "picture.png" => Some(vec![0x89; 4096]),
        _ => None,
    }
}

fn get(path: &str) -> Request<'_> {
    Request { method: "GET", path_and_query: path, accept_encoding: None, if_none_match: None }
}

fn ask(request: &Request) -> Answer {
    answer(request, "http://127.0.0.1:3000", folder)
}

fn value<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_page_comes_with_its_type_its_length_and_a_tag_to_revalidate_it() {
    let page = ask(&get("/"));
    assert_eq!((page.status, page.body.as_slice()), (200, INDEX.as_bytes()));
    assert_eq!(value(&page, "content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(value(&page, "content-length"), Some(INDEX.len().to_string().as_str()));
    assert_eq!(value(&page, "cache-control"), Some("no-cache"));
    assert_eq!(value(&page, "vary"), Some("Accept-Encoding"));
    assert!(value(&page, "etag").is_some());
}

#[test]
fn a_tag_that_the_client_has_gives_an_empty_304() {
    let page = ask(&get("/"));
    let again = ask(&Request { if_none_match: value(&page, "etag"), ..get("/") });
    assert_eq!((again.status, again.body.len()), (304, 0));
    for kept in ["etag", "cache-control", "vary"] {
        assert_eq!(value(&again, kept), value(&page, kept), "{kept}");
    }
    for dropped in ["content-type", "content-length", "content-encoding"] {
        assert_eq!(value(&again, dropped), None, "{dropped}");
    }
    assert_eq!(ask(&Request { if_none_match: Some("\"old\""), ..get("/") }).status, 200);
    assert_eq!(ask(&Request { if_none_match: Some("*"), ..get("/nothing") }).status, 404);
}

#[test]
fn a_compressed_file_has_a_tag_of_its_own_and_unpacks_to_the_plain_one() {
    let plain = ask(&get("/js/api.js"));
    let packed = ask(&Request { accept_encoding: Some("gzip, br"), ..get("/js/api.js") });
    assert_eq!(value(&plain, "content-encoding"), None);
    assert_eq!(value(&packed, "content-encoding"), Some("gzip"));
    assert_eq!(value(&packed, "content-length"), Some(packed.body.len().to_string().as_str()));
    assert_ne!(value(&plain, "etag"), value(&packed, "etag"));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(packed.body.as_slice()).read_to_end(&mut unpacked).expect("valid gzip");
    assert_eq!(unpacked, plain.body);

    let crossed =
        Request { if_none_match: value(&plain, "etag"), accept_encoding: Some("gzip"), ..get("/js/api.js") };
    assert_eq!(ask(&crossed).status, 200, "the tag of the other representation does not match");
}

#[test]
fn pictures_are_not_compressed_and_do_not_vary() {
    let picture = ask(&Request { accept_encoding: Some("gzip"), ..get("/picture.png") });
    assert_eq!(value(&picture, "content-type"), Some("image/png"));
    assert_eq!((value(&picture, "content-encoding"), value(&picture, "vary")), (None, None));
}

#[test]
fn head_gets_the_headers_of_get_without_a_body() {
    for path in ["/", "/js/api.js", "/nothing"] {
        let asked = Request { accept_encoding: Some("gzip"), ..get(path) };
        let full = ask(&asked);
        let head = ask(&Request { method: "HEAD", ..asked });
        assert_eq!((head.status, head.body.len()), (full.status, 0), "{path}");
        let expected: Vec<_> = full.headers.iter().filter(|(name, _)| *name != "content-length").collect();
        assert_eq!(head.headers.iter().collect::<Vec<_>>(), expected, "{path}");
    }
}

#[test]
fn an_unknown_address_is_a_real_404_with_a_page() {
    for path in ["/nothing", "/js", "/nothing.js", "/../index", "/.env", "/404", "/notes.md"] {
        let missing = ask(&get(path));
        assert_eq!(missing.status, 404, "{path}");
        assert_eq!(value(&missing, "content-type"), Some("text/html; charset=utf-8"));
        assert!(missing.body.ends_with(b"<title>Page introuvable</title>"));
        assert_eq!(value(&missing, "etag"), None, "an error is not revalidated");
    }
}

#[test]
fn an_empty_folder_still_answers_404() {
    let missing = answer(&get("/"), "", |_| None);
    assert_eq!((missing.status, missing.body.as_slice()), (404, b"Not found\n".as_slice()));
    assert_eq!(value(&missing, "content-type"), Some("text/plain; charset=utf-8"));
}

#[test]
fn files_can_only_be_read() {
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND", ""] {
        for path in ["/", "/nothing"] {
            let refused = ask(&Request { method, ..get(path) });
            assert_eq!(
                (refused.status, value(&refused, "allow")),
                (405, Some("GET, HEAD")),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn every_status_has_every_security_header_once() {
    let tag = ask(&get("/"));
    let asked = [
        (200, get("/")),
        (304, Request { if_none_match: value(&tag, "etag"), ..get("/") }),
        (404, get("/nothing")),
        (405, Request { method: "POST", ..get("/") }),
    ];
    for (status, request) in asked {
        let answer = answer(&request, "https://id.example", folder);
        assert_eq!(answer.status, status);
        for name in [
            "content-security-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "permissions-policy",
            "referrer-policy",
            "strict-transport-security",
            "x-content-type-options",
            "x-frame-options",
        ] {
            assert!(value(&answer, name).is_some(), "{status} {name}");
        }
        let mut names: Vec<_> = answer.headers.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), answer.headers.len(), "{status}: no name twice");
        assert!(names.iter().all(|name| *name == name.to_lowercase()));
    }
}
