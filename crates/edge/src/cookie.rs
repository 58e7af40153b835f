//! The session cookie: writing it, ending it, and finding it in a request's headers.
//!
//! `__Host-` (RFC 6265bis section 4.1.3.2) lets no other host and no plain-http page set it. Whether the token in it
//! is good is the database's to say.

use domain::PlainToken;
use domain::limits::SESSION_TTL_SECONDS;

/// The cookie's name.
const NAME: &str = "__Host-session";
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

/// The `Set-Cookie` that opens a session. It has a `Max-Age`, that of the longest session, because a browser that
/// restores its windows keeps a cookie without one for ever (NIST SP 800-63B-4 section 5.1.1: a cookie should expire
/// soon after its session). Earlier ends are the database's to know.
pub(crate) fn opening(token: &PlainToken) -> String {
    format!("{NAME}={}; Max-Age={SESSION_TTL_SECONDS}; {ATTRIBUTES}", token.to_text().as_str())
}

/// The `Set-Cookie` that makes the browser forget a session.
pub(crate) fn ending() -> String {
    format!("{NAME}=; Max-Age=0; {ATTRIBUTES}")
}

/// What a request's cookies say.
#[derive(Debug)]
pub(crate) enum SessionCookie {
    /// No session cookie.
    Absent,
    /// One, with the form of a token.
    Token(PlainToken),
    /// One that cannot be ours, or several: then somebody else set one of them, and it may be the first.
    Invalid,
}

/// Finds the session in the values of all `Cookie` headers (HTTP/2 may split them, RFC 9113 section 8.2.3).
pub(crate) fn find<'a>(headers: impl Iterator<Item = &'a [u8]>) -> SessionCookie {
    let mut found = None;
    for header in headers {
        for pair in header.split(|byte| *byte == b';') {
            let mut parts = pair.trim_ascii().splitn(2, |byte| *byte == b'=');
            if parts.next().map(<[u8]>::trim_ascii) != Some(NAME.as_bytes()) {
                continue;
            }
            if found.is_some() {
                return SessionCookie::Invalid;
            }
            found = Some(parts.next().unwrap_or_default().trim_ascii());
        }
    }
    match found {
        None => SessionCookie::Absent,
        Some(value) => match std::str::from_utf8(value).map(PlainToken::parse) {
            Ok(Ok(token)) => SessionCookie::Token(token),
            _ => SessionCookie::Invalid,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    /// `-` for none, `!` for invalid, else the token's text.
    fn found(headers: &[&str]) -> String {
        match find(headers.iter().map(|header| header.as_bytes())) {
            SessionCookie::Absent => "-".to_owned(),
            SessionCookie::Invalid => "!".to_owned(),
            SessionCookie::Token(token) => token.to_text().to_string(),
        }
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        for headers in [
            &[&format!("__Host-session={TOKEN}")[..]][..],
            &[&format!("a=b; __Host-session={TOKEN};c=d")],
            &[&format!("a=b;__Host-session={TOKEN} ; c")],
            &["a=b", &format!("__Host-session={TOKEN}")],
            &["__host-session=x; session=y", &format!("__Host-session={TOKEN}")],
        ] {
            assert_eq!(found(headers), TOKEN, "{headers:?}");
        }
    }

    #[test]
    fn without_a_session_cookie_there_is_none() {
        for headers in
            [&[][..], &[""], &[";;="], &["x__Host-session=1"], &["__Host-session2=1", "a=__Host-session"]]
        {
            assert_eq!(found(headers), "-", "{headers:?}");
        }
    }

    #[test]
    fn a_cookie_that_is_no_token_or_stands_twice_is_invalid() {
        let good = format!("__Host-session={TOKEN}");
        for headers in [
            &["__Host-session="][..],
            &["__Host-session"],
            &["__Host-session=abc"],
            &[&format!("__Host-session=\"{TOKEN}\"")],
            &[&format!("__Host-session={TOKEN}=")],
            &[&good, &good],
            &[&format!("{good}; {good}")],
            &[&format!("__Host-session=; {good}")],
            &[&format!("{good}; __Host-session")],
        ] {
            assert_eq!(found(headers), "!", "{headers:?}");
        }
    }

    #[test]
    fn the_cookies_carry_every_attribute_that_the_prefix_and_the_contract_ask_for() {
        let token = PlainToken::parse(TOKEN).unwrap();
        assert_eq!(
            opening(&token),
            format!("__Host-session={TOKEN}; Max-Age=43200; Path=/; Secure; HttpOnly; SameSite=Strict")
        );
        assert_eq!(ending(), "__Host-session=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict");
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_token_that_does_not_stand_in_them(header in any::<Vec<u8>>()) {
            let _ = find(std::iter::once(&header[..]));
        }

        #[test]
        fn whatever_stands_beside_it_a_found_token_is_the_one_that_was_sent(before in "[ -~]{0,40}", after in "[ -~]{0,40}") {
            let header = format!("{before}; __Host-session={TOKEN}; {after}");
            if let SessionCookie::Token(token) = find(std::iter::once(header.as_bytes())) {
                prop_assert!(token.to_text().as_str() == TOKEN);
            }
        }
    }
}
