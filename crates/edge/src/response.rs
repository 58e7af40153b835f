//! An answer: status, headers, body, and the headers that every answer of the API has.

use serde::Serialize;

use domain::PlainToken;

use crate::cookie;
use crate::fault::Fault;

/// On every answer: it may hold a password or a token, and is for a program, not for a browser to show.
const ALWAYS: [(&str, &str); 5] = [
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// RFC 6797 section 6.1: a year. The same as on the pages, because a browser keeps the one that came last.
const STRICT_TRANSPORT_SECURITY: (&str, &str) =
    ("strict-transport-security", "max-age=31536000; includeSubDomains");

/// An answer on its way to the client. Has no `Debug`: bodies and cookies hold secrets.
pub struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Response {
    /// `200` with a JSON body.
    ///
    /// # Errors
    /// A fault when `body` cannot be written as JSON, which a derived struct always can.
    pub fn ok(body: &impl Serialize) -> Result<Self, Fault> {
        Self::json(200, body)
    }

    /// `201` with a JSON body.
    ///
    /// # Errors
    /// As [`Response::ok`].
    pub fn created(body: &impl Serialize) -> Result<Self, Fault> {
        Self::json(201, body)
    }

    /// `204`, without a body.
    #[must_use]
    pub const fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), body: Vec::new() }
    }

    /// An `application/problem+json` (RFC 9457) that is already written.
    pub(crate) fn problem(status: u16, body: Vec<u8>) -> Self {
        Self { status, headers: Vec::new(), body }.with_header("content-type", "application/problem+json")
    }

    fn json(status: u16, body: &impl Serialize) -> Result<Self, Fault> {
        let body = serde_json::to_vec(body).map_err(|_| Fault::new("an answer cannot be written as JSON"))?;
        Ok(Self { status, headers: Vec::new(), body }.with_header("content-type", "application/json"))
    }

    /// This answer with one more header, whose name is in lower case. A name that is there already is replaced.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    /// This answer, opening a session in the browser that gets it.
    #[must_use]
    pub fn opening_session(self, token: &PlainToken) -> Self {
        let cookie = cookie::opening(token);
        self.with_header("set-cookie", &cookie)
    }

    /// This answer, making the browser that gets it forget its session.
    #[must_use]
    pub fn ending_session(self) -> Self {
        self.with_header("set-cookie", &cookie::ending())
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The value of the header of this name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    /// This answer with the headers that every answer has, and for `HEAD` without its body.
    pub(crate) fn finished(mut self, is_head: bool, is_https: bool) -> Self {
        for (name, value) in ALWAYS.into_iter().chain(is_https.then_some(STRICT_TRANSPORT_SECURITY)) {
            self = self.with_header(name, value);
        }
        if is_head {
            self.body.clear();
        } else if self.status != 204 {
            // RFC 9110 section 8.6: a 204 has none.
            let length = self.body.len().to_string();
            self = self.with_header("content-length", &length);
        }
        self
    }

    /// This answer as Spin takes it.
    pub(crate) fn into_spin(self) -> spin_sdk::http::Response {
        let mut builder = spin_sdk::http::Response::builder();
        builder.status(self.status).body(self.body);
        for (name, value) in self.headers {
            builder.header(name, value);
        }
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    #[derive(Serialize)]
    struct Answer {
        username: &'static str,
    }

    fn answer() -> Response {
        Response::created(&Answer { username: "alice" }).unwrap()
    }

    #[test]
    fn every_answer_has_the_headers_that_keep_it_to_its_reader() {
        for response in [answer(), Response::no_content(), crate::Problem::NotFound.to_response()] {
            let response = response.finished(false, false);
            assert_eq!(response.header("cache-control"), Some("no-store"));
            assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(response.header("referrer-policy"), Some("no-referrer"));
            assert_eq!(
                response.header("content-security-policy"),
                Some("default-src 'none'; frame-ancestors 'none'")
            );
            assert_eq!(response.header("strict-transport-security"), None);
        }
    }

    #[test]
    fn over_tls_browsers_are_told_to_stay_there() {
        let response = answer().finished(false, true);
        assert_eq!(response.header("strict-transport-security"), Some("max-age=31536000; includeSubDomains"));
    }

    #[test]
    fn json_says_that_it_is_json_and_how_long_it_is() {
        let response = answer().finished(false, false);
        assert_eq!((response.status(), response.body()), (201, &br#"{"username":"alice"}"#[..]));
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.header("content-length"), Some("20"));
    }

    #[test]
    fn nothing_has_neither_type_nor_length() {
        let response = Response::no_content().finished(false, false);
        assert_eq!((response.status(), response.body()), (204, &b""[..]));
        assert_eq!((response.header("content-type"), response.header("content-length")), (None, None));
    }

    #[test]
    fn an_answer_to_head_has_no_body() {
        let response = answer().finished(true, false);
        assert_eq!((response.status(), response.body()), (201, &b""[..]));
        assert_eq!(response.header("content-length"), None);
    }

    #[test]
    fn the_last_word_about_the_session_counts() {
        let token = PlainToken::parse(TOKEN).unwrap();
        let response = Response::no_content().ending_session().opening_session(&token);
        assert!(response.header("set-cookie").unwrap().starts_with(&format!("__Host-session={TOKEN}; ")));
        let response = response.ending_session();
        assert!(response.header("set-cookie").unwrap().starts_with("__Host-session=; Max-Age=0; "));
        assert_eq!(response.headers.len(), 1);
    }
}
