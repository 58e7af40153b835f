//! From a request to an answer, with the files behind a function: everything except Spin.

use crate::encoding::{self, Encoding};
use crate::entity_tag::{entity_tag, none_match_holds};
use crate::media_type::PLAIN_TEXT;
use crate::resolve::{NOT_FOUND_PAGE, Resource, resolve};
use crate::security_headers::{Header, security_headers};

/// Pages and assets have names without fingerprints: a browser that kept yesterday's script beside today's page
/// would break it. So everything is revalidated, which costs one small round trip and an empty 304.
const CACHE_CONTROL: &str = "no-cache";

/// What is read of a request. Its body never is.
pub(crate) struct Request<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path and query of the request itself, never of a header that a client can send.
    pub path_and_query: &'a str,
    /// The values of `Accept-Encoding`, joined with commas.
    pub accept_encoding: Option<&'a str>,
    /// The values of `If-None-Match`, joined with commas.
    pub if_none_match: Option<&'a str>,
}

/// What goes back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, each name once, in lower case.
    pub headers: Vec<Header>,
    /// The body; empty for HEAD and 304.
    pub body: Vec<u8>,
}

/// Answers a request. `read` gives a file's content by its name in the folder, `None` when there is no such file.
pub(crate) fn answer(request: &Request, public_url: &str, read: impl Fn(&str) -> Option<Vec<u8>>) -> Answer {
    let mut answer = match request.method {
        "GET" | "HEAD" => match resolve(request.path_and_query) {
            Some(resource) => match read(&resource.file) {
                Some(file) => found(request, &resource, file),
                None => not_found(read),
            },
            None => not_found(read),
        },
        _ => method_not_allowed(),
    };
    if request.method == "HEAD" {
        // Without Content-Length too (RFC 9110 section 8.6 allows it): the host compares that with the body.
        answer.body.clear();
    } else if answer.status != 304 {
        answer.headers.push(("content-length", answer.body.len().to_string()));
    }
    answer.headers.extend(security_headers(public_url));
    answer
}

/// The file exists: in full, or not again when the client has it already.
fn found(request: &Request, resource: &Resource, file: Vec<u8>) -> Answer {
    let mut encoding = Encoding::Identity;
    let mut headers = vec![header("cache-control", CACHE_CONTROL)];
    if resource.media_type.compressible {
        encoding = encoding::negotiate(request.accept_encoding, file.len());
        headers.push(header("vary", "Accept-Encoding"));
    }
    let tag = entity_tag(&file, encoding);
    let known = request.if_none_match.is_some_and(|tags| none_match_holds(tags, &tag));
    headers.push(("etag", tag));
    if known {
        return Answer { status: 304, headers, body: Vec::new() };
    }
    headers.push(header("content-type", resource.media_type.content_type));
    let body = match encoding {
        // HEAD gets the headers of GET, for less work.
        Encoding::Gzip if request.method == "HEAD" => {
            headers.push(header("content-encoding", "gzip"));
            Vec::new()
        }
        Encoding::Gzip => match encoding::gzip(&file) {
            Some(packed) => {
                headers.push(header("content-encoding", "gzip"));
                packed
            }
            None => file,
        },
        Encoding::Identity => file,
    };
    Answer { status: 200, headers, body }
}

/// Nothing there: the page that says so in words, with the status that says so to machines.
fn not_found(read: impl Fn(&str) -> Option<Vec<u8>>) -> Answer {
    let (media_type, body) = match read(NOT_FOUND_PAGE) {
        Some(page) => (crate::media_type::PAGE, page),
        None => (PLAIN_TEXT, b"Not found\n".to_vec()),
    };
    let headers =
        vec![header("cache-control", CACHE_CONTROL), header("content-type", media_type.content_type)];
    Answer { status: 404, headers, body }
}

/// Files can be read and nothing else (RFC 9110 section 15.5.6).
fn method_not_allowed() -> Answer {
    let headers = vec![header("allow", "GET, HEAD"), header("content-type", PLAIN_TEXT.content_type)];
    Answer { status: 405, headers, body: b"Method not allowed\n".to_vec() }
}

fn header(name: &'static str, value: &str) -> Header {
    (name, value.to_owned())
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
