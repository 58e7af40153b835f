//! A client that knows only the contract: it sends what it is told, returns every status as an answer, and holds each
//! one against the document before it returns it.

use std::fmt;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{self, HeaderMap};

use crate::contract::Contract;

/// The name of the session cookie. It is `Secure`, so no client library sends it over plain http by itself.
pub const SESSION_COOKIE: &str = "__Host-session";

/// Longer than anything may take: a test that waits this long has found a fault.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A client of one app.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    agent: Agent,
}

/// What was sent and what came back.
pub struct Exchange<'exchange> {
    /// In capitals.
    pub method: &'exchange str,
    /// As sent, with the query.
    pub path: &'exchange str,
    /// As sent.
    pub body: &'exchange [u8],
    /// What came back.
    pub answer: &'exchange Answer,
}

impl Client {
    /// A client of the app that listens there.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_global(Some(TIMEOUT))
            .proxy(None)
            .build()
            .new_agent();
        Self { address, agent }
    }

    /// Where the app listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A request with any method.
    pub fn request(&self, method: &str, path: &str) -> Request<'_> {
        Request {
            client: self,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A `GET`.
    pub fn get(&self, path: &str) -> Request<'_> {
        self.request("GET", path)
    }

    /// A `POST` without a body.
    pub fn post(&self, path: &str) -> Request<'_> {
        self.request("POST", path)
    }

    /// A `POST` of JSON.
    pub fn post_json(&self, path: &str, body: &Value) -> Request<'_> {
        self.post(path).json(body)
    }

    /// A `DELETE`.
    pub fn delete(&self, path: &str) -> Request<'_> {
        self.request("DELETE", path)
    }
}

/// A request that is being made.
#[must_use = "a request does nothing until it is sent"]
pub struct Request<'client> {
    pub(crate) client: &'client Client,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request<'_> {
    /// With a body of JSON.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string().as_bytes())
    }

    /// With a body of this content type.
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.header("content-type", content_type)
    }

    /// With an enrollment or renewal token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With a session.
    pub fn session(self, session: &str) -> Self {
        self.header("cookie", &format!("{SESSION_COOKIE}={session}"))
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends it, and checks the answer against the document.
    ///
    /// # Panics
    /// When there is no answer, or one that the document does not know.
    #[must_use]
    pub fn send(self) -> Answer {
        let what = format!("{} {}", self.method, self.path);
        self.try_send().unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Sends it and hangs up when what this returns is dropped, whether there is an answer or not.
    ///
    /// # Panics
    /// When the request cannot be sent.
    #[must_use = "dropping it hangs up"]
    pub fn send_and_leave(self) -> TcpStream {
        let mut request =
            format!("{} {} HTTP/1.1\r\nhost: {}\r\n", self.method, self.path, self.client.address);
        for (name, value) in &self.headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        let mut stream = TcpStream::connect(self.client.address).expect("the app listens");
        stream.write_all(&[request.as_bytes(), &self.body].concat()).expect("the request can be sent");
        stream
    }

    /// Sends it, and checks the answer against the document, if there is one: a server may be gone.
    ///
    /// # Errors
    /// When there is no answer.
    ///
    /// # Panics
    /// When there is an answer that the document does not know.
    pub fn try_send(self) -> Result<Answer, ureq::Error> {
        let answer = self.answer()?;
        let exchange = Exchange { method: &self.method, path: &self.path, body: &self.body, answer: &answer };
        Contract::get().check(&exchange);
        Ok(answer)
    }

    /// Sends it, whatever the answer: a 500 is Spin's own, for a component that trapped, and in no document.
    ///
    /// # Panics
    /// When there is no answer.
    #[must_use]
    pub fn send_unchecked(self) -> Answer {
        self.answer().unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path))
    }

    fn answer(&self) -> Result<Answer, ureq::Error> {
        let mut request = http::Request::builder()
            .method(self.method.as_str())
            .uri(format!("http://{}{}", self.client.address, self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let agent = &self.client.agent;
        let answered = if self.body.is_empty() {
            agent.run(request.body(()).expect("the request can be made"))
        } else {
            agent.run(request.body(&self.body[..]).expect("the request can be made"))
        };
        let mut response = answered?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: pairs(response.headers()),
            body: response.body_mut().read_to_vec()?,
        })
    }
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// An answer, of whatever status.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers in the order of the answer, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header, when it is there once.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        match self.headers(name)[..] {
            [] => None,
            [value] => Some(value),
            _ => panic!("the header {name} is there more than once: {self:?}"),
        }
    }

    /// All headers of this name.
    #[must_use]
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let of_this_name = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        of_this_name.map(|(_, value)| value.as_str()).collect()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON: {error}: {self:?}"))
    }

    /// The body of an answer that must have this status.
    #[must_use]
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }

    /// Asserts that this is the refusal with this status and code, and returns its body.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{self:?}");
        self.json()
    }

    /// The `code` of a refusal; empty for an answer that is none.
    #[must_use]
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The session that the answer opens.
    #[must_use]
    #[track_caller]
    pub fn session(&self) -> String {
        let cookie = self.header("set-cookie").unwrap_or_else(|| panic!("no session was opened: {self:?}"));
        let value = cookie.strip_prefix(SESSION_COOKIE).and_then(|rest| rest.strip_prefix('='));
        value.and_then(|value| value.split(';').next()).expect("the cookie has a value").to_owned()
    }

    /// All that a client can tell two answers apart by: everything but the date, and the order of the headers, which is
    /// drawn anew for each answer.
    #[must_use]
    pub fn without_date(&self) -> Self {
        let mut same = self.clone();
        same.headers.retain(|(name, _)| name != "date");
        same.headers.sort();
        same
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(formatter, "{name}: {value}")?;
        }
        let body = String::from_utf8_lossy(&self.body);
        writeln!(formatter, "\n{}", body.chars().take(2000).collect::<String>())
    }
}
