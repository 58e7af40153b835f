//! The pages: their headers, their copies in caches, and that nothing but them is served.

use std::fs;
use std::path::{Path, PathBuf};

use harness::{Answer, shared, workspace};

#[test]
fn every_file_is_served_as_it_is_with_its_type() {
    for (path, file) in files() {
        let answer = shared().client.get(&path).send();
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body == fs::read(&file).unwrap(), "{path} is served as it is");
        let media_type = answer.header("content-type").unwrap();
        assert_eq!(media_type, media_type_of(&file), "{path}");
        assert!(answer.header("cache-control").is_some(), "{path}");
        assert!(answer.header("content-encoding").is_none(), "{path}: nobody asked for an encoding");
    }
}

#[test]
fn the_pages_of_the_journey_are_there() {
    let start = shared().client.get("/").send();
    assert_eq!(start.status, 200);
    for path in ["/", "/reveal", "/login"] {
        let answer = shared().client.get(path).send();
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
    }
}

#[test]
fn every_status_carries_the_security_headers() {
    let client = &shared().client;
    let tag = client.get("/").send().header("etag").unwrap().to_owned();
    let answers = [
        (200, client.get("/").send()),
        (200, client.request("HEAD", "/").send()),
        (200, client.get("/openapi.yaml").send()),
        (304, client.get("/").header("if-none-match", &tag).send()),
        (404, client.get("/no/such/page").send()),
        (405, client.post("/").send()),
    ];
    for (status, answer) in answers {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_security_headers(&answer);
    }
}

fn assert_security_headers(answer: &Answer) {
    let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("no policy: {answer:?}"));
    let directives: Vec<&str> = policy.split(';').map(str::trim).collect();
    assert!(!policy.contains("unsafe-"), "{policy}");
    assert!(!policy.contains('*'), "{policy}");
    assert!(directives.contains(&"frame-ancestors 'none'"), "{policy}");
    assert!(directives.contains(&"base-uri 'none'"), "{policy}");
    // `default-src` stands in for none of the other three where they are missing.
    for directive in [
        "default-src 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ] {
        assert!(directives.contains(&directive), "{directive}: {policy}");
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        // One year, and the public address is https (ASVS 3.4.1).
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{answer:?}");
    }
    assert!(answer.header("access-control-allow-origin").is_none());
    assert!(answer.header("server").is_none(), "{answer:?}");
}

#[test]
fn a_copy_that_is_still_good_is_not_sent_again() {
    let client = &shared().client;
    for (path, _) in files() {
        let first = client.get(&path).send();
        let tag = first.header("etag").unwrap_or_else(|| panic!("{path} has no tag")).to_owned();
        for known in [
            tag.clone(),
            format!("\"other\", {tag}"),
            "*".to_owned(),
            format!("W/{}", tag.trim_start_matches("W/")),
        ] {
            let again = client.get(&path).header("if-none-match", &known).send();
            assert_eq!(again.status, 304, "{path} {known}");
            assert!(again.body.is_empty());
            assert_eq!(again.header("etag"), Some(tag.as_str()));
        }
        assert_eq!(client.get(&path).header("if-none-match", "\"other\"").send().status, 200, "{path}");
    }
}

#[test]
fn a_head_says_what_a_get_would_and_sends_nothing() {
    let client = &shared().client;
    for path in ["/", "/openapi.yaml", "/no/such/page"] {
        let (get, head) = (client.get(path).send(), client.request("HEAD", path).send());
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty(), "{path}");
        for name in ["content-type", "etag", "cache-control", "content-security-policy"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
}

#[test]
fn an_encoding_that_is_accepted_may_be_used_and_is_told_to_caches() {
    let client = &shared().client;
    let answer = client.get("/openapi.yaml").header("accept-encoding", "gzip, br").send();
    assert_eq!(answer.status, 200);
    let varies = answer.header("vary").unwrap_or_default().to_ascii_lowercase();
    assert!(varies.contains("accept-encoding"), "{answer:?}");
    let refused = client.get("/openapi.yaml").header("accept-encoding", "gzip;q=0, br;q=0, identity").send();
    assert!(refused.header("content-encoding").is_none(), "{refused:?}");
}

#[test]
fn an_unknown_path_is_a_page_and_a_404() {
    for path in [
        "/no/such/page",
        "/index.htm",
        "/css",
        "/css/",
        "/.env",
        "/.git/config",
        "/spin.toml",
        "/404",
        "/404.html",
        "/index",
        "/index.html",
        "/login.html",
    ] {
        let answer = shared().client.get(path).send();
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert!(answer.text().contains("<html"), "{path}");
    }
}

#[test]
fn other_methods_are_refused() {
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
        for path in ["/", "/openapi.yaml"] {
            let answer = shared().client.request(method, path).send();
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"), "{method} {path}");
        }
    }
}

#[test]
fn no_path_leaves_the_folder() {
    let client = &shared().client;
    let marks: Vec<Vec<u8>> =
        ["spin.toml", "Cargo.toml"].map(|file| fs::read(workspace::root().join(file)).unwrap()).into();
    for path in [
        "/../spin.toml",
        "/../../spin.toml",
        "/css/../../spin.toml",
        "/./../spin.toml",
        "/%2e%2e/spin.toml",
        "/%2E%2E/spin.toml",
        "/..%2fspin.toml",
        "/%2e%2e%2fspin.toml",
        "/..%5cspin.toml",
        "/..\\spin.toml",
        "/%5c..%5cspin.toml",
        "/.%2e/spin.toml",
        "/%252e%252e/spin.toml",
        "/%c0%ae%c0%ae/spin.toml",
        "/....//spin.toml",
        "/css/..;/../spin.toml",
        "//etc/passwd",
        "///etc/passwd",
        "/%2fetc/passwd",
        "/%2Fetc%2Fpasswd",
        "/etc/passwd",
        "/%00",
        "/index.html%00",
        "/index.html%00.js",
        "/%00/../spin.toml",
        "/%",
        "/%2",
        "/%zz",
        "/%ff%fe",
        "/css%2f..%2f..%2fCargo.toml",
        "//../spin.toml",
        "/~root",
        "/C:%5cwindows",
        "/proc/self/environ",
        "/%2e",
        "/%2e%2e",
        "/..",
    ] {
        // A server that refuses the request itself may close; what counts is that it serves nothing.
        let Some(answer) = client
            .raw_head(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
        else {
            continue;
        };
        assert!([400, 404].contains(&answer.status), "{path}: {answer:?}");
        assert!(!marks.contains(&answer.body) && !answer.text().contains("root:"), "{path}");
    }
}

#[test]
fn a_client_cannot_choose_the_file_by_a_header() {
    let client = &shared().client;
    let page = client.get("/").send();
    for name in
        ["spin-path-info", "spin-full-url", "spin-raw-component-route", "x-original-url", "x-rewrite-url"]
    {
        let answer = client.get("/").header(name, "/openapi.yaml").send();
        assert!(answer.body == page.body, "{name}");
    }
}

/// Every file of `static`, with the one path that it is served at: a page's has no extension.
fn files() -> Vec<(String, PathBuf)> {
    fn below(folder: &Path, prefix: &str, found: &mut Vec<(String, PathBuf)>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = format!("{prefix}/{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                below(&entry.path(), &path, found);
            } else if let Some(page) = path.strip_suffix(".html") {
                match page {
                    "/404" => {}
                    "/index" => found.push(("/".to_owned(), entry.path())),
                    _ => found.push((page.to_owned(), entry.path())),
                }
            } else {
                found.push((path, entry.path()));
            }
        }
    }
    let mut found = Vec::new();
    below(&workspace::root().join("static"), "", &mut found);
    assert!(found.len() > 3, "{found:?}");
    found
}

fn media_type_of(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml; charset=utf-8",
        Some("json") => "application/json",
        Some("yaml") => "application/yaml",
        Some("txt") => "text/plain; charset=utf-8",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("webmanifest") => "application/manifest+json",
        other => panic!("no test knows the type of {other:?}"),
    }
}
