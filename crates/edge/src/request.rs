//! A request as handlers see it: method, path, headers, and a body that is at most [`BODY_MAX_BYTES`] long.
//!
//! Reading is strict, and what is there but wrong is never treated as absent. What the fields of a body mean is the
//! domain's; who may send a request at all is `cross_site`'s.

use std::pin::pin;

use domain::PlainToken;
use domain::limits::BODY_MAX_BYTES;
use futures::{Stream, StreamExt};
use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use crate::cookie::{self, SessionCookie};
use crate::problem::Problem;

/// Of a body that is too long, this much is read and dropped, so that the client has sent it and reads the answer; a
/// server that closes a connection with bytes unread resets it, and the answer is lost. Beyond, it is cut off.
const DRAIN_MAX_BYTES: usize = 65_536;

/// The methods that the contract knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
    /// Any other.
    Other,
}

impl Method {
    /// The method's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Other => "other",
        }
    }
}

impl From<spin_sdk::http::Method> for Method {
    fn from(method: spin_sdk::http::Method) -> Self {
        match method {
            spin_sdk::http::Method::Get => Self::Get,
            spin_sdk::http::Method::Head => Self::Head,
            spin_sdk::http::Method::Post => Self::Post,
            spin_sdk::http::Method::Delete => Self::Delete,
            _ => Self::Other,
        }
    }
}

/// A request without its body.
pub(crate) struct Head {
    pub(crate) method: Method,
    /// The path alone, as it was sent. (Spin's `spin-path-info` could be a header of the client.)
    pub(crate) path: String,
    headers: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// A head from what was sent: a path that may have a query, header names in any case.
    pub(crate) fn new(
        method: Method,
        path_with_query: &str,
        headers: impl Iterator<Item = (impl AsRef<str>, impl Into<Vec<u8>>)>,
    ) -> Self {
        let path = path_with_query.split(['?', '#']).next().unwrap_or_default().to_owned();
        let headers =
            headers.map(|(name, value)| (name.as_ref().to_ascii_lowercase(), value.into())).collect();
        Self { method, path, headers }
    }

    /// The values of every header of this name, which is in lower case.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.headers.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_slice())
    }

    fn says_too_long(&self) -> bool {
        let length = |value: &[u8]| std::str::from_utf8(value).ok()?.trim().parse::<u64>().ok();
        self.values("content-length").filter_map(length).any(|length| length > BODY_MAX_BYTES as u64)
    }
}

/// Reads a body, and never holds more of it than may be.
///
/// # Errors
/// `413` when it is too long, by its own account or in truth; `400` when it breaks off.
pub(crate) async fn read_body<E>(
    head: &Head,
    chunks: impl Stream<Item = Result<Vec<u8>, E>>,
) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut chunks = pin!(chunks);
    let mut is_too_long = head.says_too_long();
    // All the room at once: a buffer that grows leaves copies behind that nobody wipes.
    let mut body = Zeroizing::new(Vec::with_capacity(if is_too_long { 0 } else { BODY_MAX_BYTES }));
    let mut seen_bytes = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = Zeroizing::new(chunk.map_err(|_| Problem::MalformedRequest)?);
        seen_bytes += chunk.len();
        is_too_long |= seen_bytes > BODY_MAX_BYTES;
        if !is_too_long {
            body.extend_from_slice(&chunk);
        } else if seen_bytes > DRAIN_MAX_BYTES {
            break;
        }
    }
    if is_too_long { Err(Problem::BodyTooLarge) } else { Ok(body) }
}

/// A request, as handlers see it.
pub struct Request {
    head: Head,
    body: Zeroizing<Vec<u8>>,
}

/// The body of an operation that takes none, when there is one all the same.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

impl Request {
    pub(crate) const fn new(head: Head, body: Zeroizing<Vec<u8>>) -> Self {
        Self { head, body }
    }

    /// A request that was not sent.
    #[cfg(test)]
    pub(crate) fn made_of(method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        Self::new(Head::new(method, path, headers.iter().copied()), Zeroizing::new(body.to_vec()))
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.head.method
    }

    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.head.path
    }

    /// The last segment of the path, as it was sent: what stands where the route's path has `{id}`.
    #[must_use]
    pub fn last_segment(&self) -> &str {
        self.head.path.rsplit('/').next().unwrap_or_default()
    }

    /// The body as a `T`, whose fields are the ones that the contract names: give it `deny_unknown_fields`.
    ///
    /// # Errors
    /// `415` when there is a body that is not `application/json`, `400` when it is not JSON in UTF-8 (an empty one is
    /// not), `422` when it is JSON and not an object with exactly the fields of `T`.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Problem> {
        if !self.body.is_empty() && !is_json(&self.head) {
            return Err(Problem::UnsupportedMediaType);
        }
        let text = std::str::from_utf8(&self.body).map_err(|_| Problem::MalformedRequest)?;
        // The whole syntax first: half a JSON is malformed, even where its first half has a wrong field already.
        serde_json::from_str::<IgnoredAny>(text).map_err(|_| Problem::MalformedRequest)?;
        // A derived struct would take its fields from an array, too.
        if !text.trim_ascii_start().starts_with('{') {
            return Err(Problem::InvalidRequest);
        }
        serde_json::from_str(text).map_err(|_| Problem::InvalidRequest)
    }

    /// Makes sure that the body of an operation without fields has none: it may be absent, of whatever type, or an
    /// empty JSON object.
    ///
    /// # Errors
    /// As [`Request::json`] for every other body.
    pub fn no_body(&self) -> Result<(), Problem> {
        if self.body.is_empty() {
            return Ok(());
        }
        self.json().map(|NoFields {}| ())
    }

    /// The token in `Authorization: Bearer` (RFC 6750 section 2.1), where the header may be absent.
    ///
    /// # Errors
    /// `401 token_invalid` for everything else than one header with one well-formed token.
    pub fn bearer(&self) -> Result<Option<PlainToken>, Problem> {
        let mut values = self.head.values("authorization");
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => parse_bearer(value).map(Some).ok_or(Problem::TokenInvalid),
            (Some(_), Some(_)) => Err(Problem::TokenInvalid),
        }
    }

    /// The token in `Authorization: Bearer`, where it is needed.
    ///
    /// # Errors
    /// `401 token_invalid` when there is none, or one that is not well-formed.
    pub fn required_bearer(&self) -> Result<PlainToken, Problem> {
        self.bearer()?.ok_or(Problem::TokenInvalid)
    }

    /// The token in the session cookie.
    ///
    /// # Errors
    /// `401 session_invalid` when there is none, several, or one that is not well-formed.
    pub fn session(&self) -> Result<PlainToken, Problem> {
        match cookie::find(self.head.values("cookie")) {
            SessionCookie::Token(token) => Ok(token),
            SessionCookie::Absent | SessionCookie::Invalid => Err(Problem::SessionInvalid),
        }
    }
}

/// Method and path: headers and bodies hold secrets.
impl std::fmt::Debug for Request {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.method().name(), self.path())
    }
}

/// The scheme's name in any case, spaces, a token (RFC 9110 section 11.4).
fn parse_bearer(value: &[u8]) -> Option<PlainToken> {
    let (scheme, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    PlainToken::parse(token.trim_start_matches(' ')).ok()
}

/// Whether the headers call the body JSON: one `Content-Type`, whose parameters mean nothing (RFC 8259 section 11) but
/// may not say another charset than the only one; not compressed.
fn is_json(head: &Head) -> bool {
    let mut types = head.values("content-type");
    let (Some(value), None) = (types.next(), types.next()) else {
        return false;
    };
    if !head.values("content-encoding").all(|encoding| encoding.eq_ignore_ascii_case(b"identity")) {
        return false;
    }
    let mut parts = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    if !parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(b"application/json")) {
        return false;
    }
    parts.all(|parameter| match parameter.split_at_checked(b"charset=".len()) {
        Some((name, charset)) if name.eq_ignore_ascii_case(b"charset=") => {
            [&b"utf-8"[..], b"\"utf-8\""].iter().any(|utf8| utf8.eq_ignore_ascii_case(charset))
        }
        // A comma would join two types in one header.
        _ => !parameter.contains(&b','),
    })
}

#[cfg(test)]
mod tests;
