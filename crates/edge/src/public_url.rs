//! The origin under which users reach the service: the variable `public_url`, never a header of a request, which its
//! sender could choose.

use domain::PlainToken;
use http::Uri;

/// An origin (RFC 6454 section 4), written as browsers write it: lower case, without a default port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    is_https: bool,
}

/// A text that is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an origin such as https://identity.example, with nothing behind the host or port")]
pub struct InvalidPublicUrl;

impl PublicUrl {
    /// Reads `http://host`, `https://host`, each with or without a port and one closing slash.
    ///
    /// # Errors
    /// [`InvalidPublicUrl`] for everything else: a path, a query, a fragment, a user.
    pub fn parse(text: &str) -> Result<Self, InvalidPublicUrl> {
        let text = text.trim();
        // The parser would drop a fragment without a word.
        if text.contains(['#', '?', '@']) {
            return Err(InvalidPublicUrl);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidPublicUrl)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(InvalidPublicUrl);
        };
        let (is_https, default_port) = match scheme {
            "https" => (true, "443"),
            "http" => (false, "80"),
            _ => return Err(InvalidPublicUrl),
        };
        let host = authority.host().to_ascii_lowercase();
        let port = &authority.as_str()[authority.host().len()..];
        let is_port =
            |port: &str| port.parse().is_ok_and(|number: u16| number > 0 && number.to_string() == port);
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => "",
            Some(number) if number == default_port => "",
            Some(number) if is_port(number) => port,
            _ => return Err(InvalidPublicUrl),
        };
        if host.is_empty() || uri.path() != "/" || text.ends_with("//") {
            return Err(InvalidPublicUrl);
        }
        Ok(Self { origin: format!("{scheme}://{host}{port}"), is_https })
    }

    /// The origin, such as `https://identity.example`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether users reach the service over TLS.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.is_https
    }

    /// The link in a reveal's QR code. The token is in the fragment: no server, proxy or `Referer` ever sees it.
    #[must_use]
    pub fn reveal_url(&self, token: &PlainToken) -> String {
        format!("{}/reveal#{}", self.origin, token.to_text().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (text, origin, is_https) in [
            ("https://identity.example", "https://identity.example", true),
            ("https://Identity.Example/", "https://identity.example", true),
            ("https://identity.example:443", "https://identity.example", true),
            ("https://identity.example:8443", "https://identity.example:8443", true),
            ("https://identity.example:80", "https://identity.example:80", true),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000", false),
            ("http://localhost:80", "http://localhost", false),
            (" http://localhost:3000\n", "http://localhost:3000", false),
            ("http://[::1]:3000", "http://[::1]:3000", false),
            ("HTTP://localhost", "http://localhost", false),
        ] {
            let url = PublicUrl::parse(text).unwrap();
            assert_eq!((url.origin(), url.is_https()), (origin, is_https), "{text}");
        }
    }

    #[test]
    fn everything_that_is_more_or_less_than_an_origin_is_refused() {
        for text in [
            "",
            "/",
            "identity.example",
            "//identity.example",
            "ftp://identity.example",
            "javascript://x",
            "https://",
            "https:///",
            "https://identity.example/app",
            "https://identity.example//",
            "https://identity.example/?",
            "https://identity.example?x",
            "https://identity.example/#",
            "https://identity.example#x",
            "https://user:password@identity.example",
            "https://identity.example:",
            "https://identity.example:0",
            "https://identity.example:+80",
            "https://identity.example:0443",
            "https://identity.example:65536",
            "https://identity.example:port",
            "https://identity example",
            "https://a.example,https://b.example",
            "https://a.example\nhttps://b.example",
        ] {
            assert_eq!(PublicUrl::parse(text), Err(InvalidPublicUrl), "{text:?}");
        }
    }

    #[test]
    fn a_reveal_link_has_the_token_in_its_fragment() {
        let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        let token = PlainToken::parse(text).unwrap();
        let url = PublicUrl::parse("https://identity.example/").unwrap();
        assert_eq!(url.reveal_url(&token), format!("https://identity.example/reveal#{text}"));
    }
}
