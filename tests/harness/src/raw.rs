//! Requests that a client library refuses to send, byte by byte over TCP.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use crate::client::{Answer, Client, Exchange, Request};
use crate::contract::Contract;

const TIMEOUT: Duration = Duration::from_secs(30);
const HEADERS_MAX: usize = 64;

impl Client {
    /// Sends a request with these headers, and no other but `Host`, `Connection` and, with a body, `Content-Length`.
    /// The answer is checked against the document.
    ///
    /// # Panics
    /// When there is no answer, or one that the document does not know.
    #[must_use]
    pub fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let request = whole(self.address(), method, path, headers, body);
        let answer =
            self.exchange(&request, End::Open).unwrap_or_else(|| panic!("{method} {path} got no answer"));
        Contract::get().check(&Exchange { method, path, body, answer: &answer });
        answer
    }

    /// Announces more of a body than it sends, and closes its side. A server may answer or close.
    #[must_use]
    pub fn half_a_body(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Answer> {
        let mut request = head(self.address(), method, path, headers);
        request.extend(format!("content-length: {}\r\n\r\n", body.len() * 2).into_bytes());
        request.extend(body);
        let answer = self.exchange(&request, End::Closed)?;
        Contract::get().check(&Exchange { method, path, body, answer: &answer });
        Some(answer)
    }

    /// Sends a request with this head, which need not be one, and returns the answer; none when the server closes
    /// without one. Not checked against the document.
    #[must_use]
    pub fn raw_head(&self, head: &[u8]) -> Option<Answer> {
        self.exchange(head, End::Open)
    }

    fn exchange(&self, request: &[u8], end: End) -> Option<Answer> {
        let mut stream = connect(self.address());
        // A server that refuses early may close before all is sent; what it said is still there to be read.
        stream.write_all(request).ok();
        if end == End::Closed {
            stream.shutdown(Shutdown::Write).ok();
        }
        read_answer(&mut stream)
    }
}

/// A request whose last byte is not sent yet.
pub struct Held {
    method: String,
    path: String,
    body: Vec<u8>,
    stream: TcpStream,
    last: u8,
}

impl Request<'_> {
    /// Sends all of it but the last byte, over a connection of its own.
    #[must_use]
    pub fn hold(self) -> Held {
        let Request { client, method, path, headers, body } = self;
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut request = whole(client.address(), &method, &path, &headers, &body);
        let last = request.pop().expect("a request ends with an empty line at least");
        let mut stream = connect(client.address());
        stream.write_all(&request).expect("the server reads on");
        Held { method, path, body, stream, last }
    }
}

impl Held {
    /// Sends the last byte.
    pub fn release(&mut self) {
        self.stream.write_all(&[self.last]).expect("the server reads on");
    }

    /// Reads the answer, and checks it against the document.
    ///
    /// # Panics
    /// When there is no answer, or one that the document does not know.
    #[must_use]
    pub fn answer(mut self) -> Answer {
        let answer = read_answer(&mut self.stream)
            .unwrap_or_else(|| panic!("{} {} got no answer", self.method, self.path));
        let exchange = Exchange { method: &self.method, path: &self.path, body: &self.body, answer: &answer };
        Contract::get().check(&exchange);
        answer
    }
}

/// Without delay: the last byte must not wait for the acknowledgement of those before it.
fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the app listens");
    stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout can be set");
    stream.set_nodelay(true).expect("a delay can be switched off");
    stream
}

/// All that comes until the server closes; none when that is nothing.
fn read_answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("no answer: {error}"),
        _ if bytes.is_empty() => None,
        _ => Some(parse(&bytes)),
    }
}

/// What the client does with its side of the connection after the request. Servers take a closed one for a client
/// that is gone, so only a request that is incomplete closes it.
#[derive(PartialEq, Eq)]
enum End {
    Open,
    Closed,
}

fn head(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.into_bytes()
}

fn whole(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut request = head(address, method, path, headers);
    if !body.is_empty() {
        request.extend(format!("content-length: {}\r\n", body.len()).into_bytes());
    }
    request.extend(b"\r\n");
    request.extend(body);
    request
}

fn parse(bytes: &[u8]) -> Answer {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes).expect("the answer is HTTP") else {
        panic!("the answer's head is incomplete: {}", String::from_utf8_lossy(bytes));
    };
    let status = response.code.expect("a complete head has a status");
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers: Vec<(String, String)> = response
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), text(header.value)))
        .collect();
    let chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value.eq_ignore_ascii_case("chunked"));
    let body = if chunked { unchunked(&bytes[length..]) } else { bytes[length..].to_vec() };
    Answer { status, headers, body }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(httparse::Status::Complete((start, length))) = httparse::parse_chunk_size(rest) {
        let length = usize::try_from(length).expect("a chunk fits in memory");
        if length == 0 {
            break;
        }
        body.extend(&rest[start..start + length]);
        rest = rest.get(start + length + 2..).unwrap_or_default();
    }
    body
}
