//! The only file that knows Spin: takes a request apart, reads a file, gives the answer back.

use crate::answer::{Request, answer};
use spin_sdk::http::{Headers, IncomingRequest, Method, Response};
use spin_sdk::{http_component, variables};

/// Where Spin mounts the folder `static/` (`files` in spin.toml).
const MOUNT: &str = "/";

/// Serves one request. It takes the [`IncomingRequest`] because that leaves the body unread, however long it is,
/// and because the path is then the request's own: `spin-path-info` is a header that a client can send too.
#[http_component]
fn serve(request: IncomingRequest) -> Response {
    let headers = request.headers();
    let accept_encoding = joined(&headers, "accept-encoding");
    let if_none_match = joined(&headers, "if-none-match");
    let path_and_query = request.path_with_query().unwrap_or_default();
    let method = request.method();
    let asked = Request {
        method: name(&method),
        path_and_query: &path_and_query,
        accept_encoding: accept_encoding.as_deref(),
        if_none_match: if_none_match.as_deref(),
    };
    // Spin refuses to start without this variable; if it is missing all the same, HSTS is what we can do without.
    let public_url = variables::get("public_url").unwrap_or_default();
    let answer = answer(&asked, &public_url, |file| std::fs::read(format!("{MOUNT}{file}")).ok());
    let mut response = Response::new(answer.status, answer.body);
    for (name, value) in answer.headers {
        response.set_header(name, value);
    }
    response
}

/// The values of a header as one list (RFC 9110 section 5.3), or `None` when it is absent or not text.
fn joined(headers: &Headers, name: &str) -> Option<String> {
    let values = headers.get(name);
    let texts = values.iter().map(|value| std::str::from_utf8(value)).collect::<Result<Vec<_>, _>>().ok()?;
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// The method's name. Only GET and HEAD are served, so the others need no names.
fn name(method: &Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        _ => "other",
    }
}
