//! Every error that a client can get, in one table: code, status, title. `static/openapi.yaml` says the same, and a
//! test compares the two by [`table`].
//!
//! Bodies follow RFC 9457. `code` is what clients act on. `type` names the same problem as a URI, as the RFC wants it:
//! `urn:cofrap:problem:<code>`, a name and no address on purpose, because nothing is promised to stand behind an
//! address. `about:blank` would say that a problem means no more than its status, which is not so.
//!
//! Whether a failure becomes one of these is decided in `failure` and in the components.

use serde::Serialize;

use crate::response::Response;

/// Seconds after which a client may try again when the service is not available.
const UNAVAILABLE_RETRY_AFTER_SECONDS: u64 = 5;

/// What the table says of one problem.
struct Entry {
    code: &'static str,
    status: u16,
    title: &'static str,
}

macro_rules! problems {
    ($($status:literal $code:literal $title:literal $variant:ident $({ $(#[$about:meta])* $field:ident: $kind:ty })?;)*) => {
        /// An error as the contract has it.
        #[derive(Clone, PartialEq, Eq)]
        pub enum Problem {
            $(
                #[doc = concat!("`", stringify!($status), " ", $code, "`: ", $title)]
                $variant $({ $(#[$about])* $field: $kind })?,
            )*
        }

        impl Problem {
            const fn entry(&self) -> Entry {
                match self {
                    $(Self::$variant $({ $field: _ })? => Entry { code: $code, status: $status, title: $title },)*
                }
            }
        }

        const TABLE: &[(&str, u16)] = &[$(($code, $status)),*];
    };
}

problems! {
    400 "malformed_request" "The request body is not JSON in UTF-8." MalformedRequest;
    401 "token_invalid" "The token is missing, unknown, no longer valid, or not meant for this." TokenInvalid;
    401 "session_invalid" "There is no session, or it is over." SessionInvalid;
    401 "invalid_credentials" "The username, the password or the code is not right." InvalidCredentials;
    403 "cross_site" "The request was sent by a page of another site." CrossSite;
    403 "credentials_expired" "The credentials are right and have expired: renew them." CredentialsExpired {
        /// Good for one start, within fifteen minutes.
        renewal_token: String
    };
    403 "account_suspended" "The account is suspended: ask an operator." AccountSuspended;
    404 "not_found" "There is nothing at this address." NotFound;
    404 "token_unknown" "The token is unknown, or was replaced by a newer one." TokenUnknown;
    405 "method_not_allowed" "This address does not know the method." MethodNotAllowed {
        /// The methods that the address knows, as in the header `Allow`.
        allow: String
    };
    409 "username_taken" "The username is taken." UsernameTaken;
    409 "password_not_revealed" "The password has not been revealed yet." PasswordNotRevealed;
    409 "totp_not_started" "The second factor has not been made yet." TotpNotStarted;
    409 "superseded" "Another request was faster: nothing was changed." Superseded;
    410 "token_used" "The token was already used." TokenUsed;
    410 "token_expired" "The token has expired." TokenExpired;
    413 "body_too_large" "The request body is longer than 4096 bytes." BodyTooLarge;
    415 "unsupported_media_type" "The request body is not application/json." UnsupportedMediaType;
    422 "invalid_request" "A field is missing, unknown, or of the wrong type or form." InvalidRequest;
    422 "invalid_username" "A username has 3 to 64 characters of a-z 0-9 . _ - and begins and ends with a letter or digit."
        InvalidUsername;
    429 "too_many_attempts" "Too many wrong codes: wait before the next attempt." TooManyAttempts {
        /// Whole seconds to wait, at least one.
        retry_after_seconds: u64
    };
    503 "unavailable" "The service is not available right now." Unavailable;
}

/// Every error of the contract: its code and its status.
#[must_use]
pub const fn table() -> &'static [(&'static str, u16)] {
    TABLE
}

/// RFC 9457 section 3, with the extension members `code` and `renewal_token`.
#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    renewal_token: Option<&'a str>,
}

impl Problem {
    /// The stable name that clients act on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.entry().code
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.entry().status
    }

    /// The answer to the client.
    #[must_use]
    pub fn to_response(&self) -> Response {
        let Entry { code, status, title } = self.entry();
        let renewal_token = match self {
            Self::CredentialsExpired { renewal_token } => Some(renewal_token.as_str()),
            _ => None,
        };
        let body = Body { r#type: format!("urn:cofrap:problem:{code}"), title, status, code, renewal_token };
        // A struct of strings and a number always becomes JSON; an empty body beats a panic all the same.
        let response = Response::problem(status, serde_json::to_vec(&body).unwrap_or_default());
        match self {
            // RFC 6750 section 3. The other 401 answers name no scheme: neither a cookie nor the login is an HTTP
            // authentication scheme, and naming one that browsers know would open their own dialog.
            Self::TokenInvalid => response.with_header("www-authenticate", "Bearer"),
            Self::MethodNotAllowed { allow } => response.with_header("allow", allow),
            Self::TooManyAttempts { retry_after_seconds } => {
                response.with_header("retry-after", &retry_after_seconds.max(&1).to_string())
            }
            Self::Unavailable => {
                response.with_header("retry-after", &UNAVAILABLE_RETRY_AFTER_SECONDS.to_string())
            }
            _ => response,
        }
    }
}

/// The code alone: a problem may carry a token.
impl std::fmt::Debug for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn body(problem: &Problem) -> serde_json::Value {
        serde_json::from_slice(problem.to_response().body()).unwrap()
    }

    #[test]
    fn no_code_stands_twice_in_the_table_and_every_status_is_an_error() {
        let codes: BTreeSet<_> = table().iter().map(|(code, _)| code).collect();
        assert_eq!(codes.len(), table().len());
        assert!(table().iter().all(|(_, status)| (400..600).contains(status)));
        assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
    }

    #[test]
    fn a_body_has_the_four_members_of_every_problem() {
        assert_eq!(
            body(&Problem::TokenUsed),
            serde_json::json!({
                "type": "urn:cofrap:problem:token_used",
                "title": "The token was already used.",
                "status": 410,
                "code": "token_used",
            })
        );
        let response = Problem::TokenUsed.to_response();
        assert_eq!(response.status(), 410);
        assert_eq!(response.header("content-type"), Some("application/problem+json"));
    }

    #[test]
    fn expired_credentials_carry_the_renewal_token_and_debug_does_not() {
        let problem = Problem::CredentialsExpired { renewal_token: "abc".to_owned() };
        assert_eq!(body(&problem)["renewal_token"], "abc");
        assert_eq!(format!("{problem:?}"), "credentials_expired");
    }

    #[test]
    fn each_header_goes_with_its_problem() {
        let header = |problem: &Problem, name| problem.to_response().header(name).map(str::to_owned);
        let allow = Problem::MethodNotAllowed { allow: "POST".to_owned() };
        assert_eq!(header(&allow, "allow").as_deref(), Some("POST"));
        let wait = |retry_after_seconds| Problem::TooManyAttempts { retry_after_seconds };
        assert_eq!(header(&wait(61), "retry-after").as_deref(), Some("61"));
        assert_eq!(header(&wait(0), "retry-after").as_deref(), Some("1"));
        assert_eq!(header(&Problem::Unavailable, "retry-after").as_deref(), Some("5"));
        assert_eq!(header(&Problem::TokenInvalid, "www-authenticate").as_deref(), Some("Bearer"));
        assert_eq!(header(&Problem::InvalidCredentials, "www-authenticate"), None);
        assert_eq!(header(&Problem::SessionInvalid, "www-authenticate"), None);
    }
}
