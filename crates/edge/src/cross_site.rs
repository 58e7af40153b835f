//! Whether a request may have been sent by a page of another site.
//!
//! Browsers say where a request comes from, in a header that pages cannot set: `Sec-Fetch-Site`, or `Origin` where
//! they consider the address not trustworthy enough for the first (plain http on another host than loopback). What is
//! no browser sends neither, and cannot be tricked into sending another user's cookie. `SameSite=Strict` on the
//! cookie is the second line, since it calls every port and subdomain the same site.

use crate::request::{Head, Method};

/// What the headers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// From our own pages, from the user's own hand, or from no browser.
    Pass,
    /// From somewhere else.
    Refuse,
    /// From the page of this origin: ours if it is the one in `public_url`.
    PassFrom(String),
}

/// Judges a request by its headers.
pub(crate) fn judge(head: &Head) -> Verdict {
    if matches!(head.method, Method::Get | Method::Head) {
        return Verdict::Pass;
    }
    let mut sites = head.values("sec-fetch-site").peekable();
    if sites.peek().is_some() {
        let is_ours = |site: &[u8]| matches!(site, b"same-origin" | b"none");
        return if sites.all(is_ours) { Verdict::Pass } else { Verdict::Refuse };
    }
    let mut origins = head.values("origin");
    match (origins.next(), origins.next()) {
        (None, _) => Verdict::Pass,
        (Some(origin), None) => match std::str::from_utf8(origin) {
            Ok(origin) => Verdict::PassFrom(origin.to_owned()),
            Err(_) => Verdict::Refuse,
        },
        (Some(_), Some(_)) => Verdict::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(method: Method, headers: &[(&str, &str)]) -> Verdict {
        judge(&Head::new(method, "/api/login", headers.iter().copied()))
    }

    #[test]
    fn what_a_browser_says_decides() {
        const OURS: &str = "http://127.0.0.1:3000";
        let site = |value| ("Sec-Fetch-Site", value);
        let origin = |value| ("Origin", value);
        let from = |value: &str| Verdict::PassFrom(value.to_owned());
        let table: &[(&[(&str, &str)], Verdict)] = &[
            (&[], Verdict::Pass),
            (&[site("same-origin")], Verdict::Pass),
            (&[site("none")], Verdict::Pass),
            (&[site("same-site")], Verdict::Refuse),
            (&[site("cross-site")], Verdict::Refuse),
            (&[site("")], Verdict::Refuse),
            (&[site("Same-Origin")], Verdict::Refuse),
            (&[site("same-origin, cross-site")], Verdict::Refuse),
            (&[site("same-origin"), site("cross-site")], Verdict::Refuse),
            (&[site("same-origin"), site("none")], Verdict::Pass),
            // Where both stand, the one that is about sites decides.
            (&[site("same-origin"), origin("https://elsewhere.example")], Verdict::Pass),
            (&[site("cross-site"), origin(OURS)], Verdict::Refuse),
            (&[origin(OURS)], from(OURS)),
            (&[origin("null")], from("null")),
            (&[origin("")], from("")),
            (&[origin(OURS), origin("https://elsewhere.example")], Verdict::Refuse),
        ];
        for (headers, verdict) in table {
            assert_eq!(&judged(Method::Post, headers), verdict, "{headers:?}");
            assert_eq!(&judged(Method::Delete, headers), verdict, "{headers:?}");
            assert_eq!(&judged(Method::Other, headers), verdict, "{headers:?}");
        }
    }

    #[test]
    fn reading_is_open_to_links_from_anywhere() {
        for method in [Method::Get, Method::Head] {
            assert_eq!(judged(method, &[("Sec-Fetch-Site", "cross-site")]), Verdict::Pass);
        }
    }
}
