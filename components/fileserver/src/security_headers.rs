//! The headers that protect the pages, on every answer of this component, whatever its status.

/// A header's name and value.
pub(crate) type Header = (&'static str, String);

/// What the pages may do: load their own scripts, styles and images, show QR codes (`data:` images), call the
/// API of their own origin. Nothing inline, nothing foreign, no frame, no plug-in, no text that becomes script.
///
/// `form-action 'none'`: the pages send with `fetch`. A form that is submitted before its script runs would
/// otherwise put a password into an address or into a request that nobody reads.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; \
     frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Powerful features, all refused. `clipboard-write` is missing on purpose: the copy button needs it.
const PERMISSIONS_POLICY: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), \
     publickey-credentials-get=(), usb=()";

/// One year, as ASVS 5.0 requirement 3.4.1 asks.
const STRICT_TRANSPORT_SECURITY: &str = "max-age=31536000; includeSubDomains";

/// The security headers of an answer. `public_url` is where users reach the service: only when that is https may
/// browsers be told to insist on it.
pub(crate) fn security_headers(public_url: &str) -> Vec<Header> {
    let mut headers: Vec<Header> = [
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", PERMISSIONS_POLICY),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into();
    if is_https(public_url) {
        headers.push(("strict-transport-security", STRICT_TRANSPORT_SECURITY.to_owned()));
    }
    headers
}

/// Whether an address has the scheme https; schemes are case-insensitive (RFC 3986 section 3.1).
fn is_https(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| scheme.trim_start().eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::{CONTENT_SECURITY_POLICY, security_headers};

    fn insists_on_tls(public_url: &str) -> bool {
        security_headers(public_url).iter().any(|(name, _)| *name == "strict-transport-security")
    }

    #[test]
    fn browsers_are_told_to_insist_on_tls_only_where_there_is_tls() {
        assert!(insists_on_tls("https://id.example"));
        assert!(insists_on_tls("HTTPS://id.example"));
        for url in ["http://127.0.0.1:3000", "", "https", "http://https://", "httpsx://id.example"] {
            assert!(!insists_on_tls(url), "{url}");
        }
    }

    #[test]
    fn the_policy_allows_nothing_unsafe_and_is_one_line() {
        assert!(!CONTENT_SECURITY_POLICY.contains("unsafe"));
        assert!(!CONTENT_SECURITY_POLICY.contains("  ") && !CONTENT_SECURITY_POLICY.contains('\n'));
        assert!(CONTENT_SECURITY_POLICY.starts_with("default-src 'none'; "));
    }
}
